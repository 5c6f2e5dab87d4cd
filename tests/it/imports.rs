//! The flow has one direction: the source is read and held to the table of who may use whom.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Module, and the modules of ours that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("evidence", &[]),
    ("azure", &[]),
    ("control", &[]),
    ("pack", &[]),
    ("expression", &["evidence"]),
    ("collect", &["azure", "evidence"]),
    ("model", &["evidence"]),
    ("access", &["model", "evidence"]),
    // `control` too: a mistake in a file that people write has one form
    ("declared", &["access", "control", "expression", "model", "evidence"]),
    ("check", &["access", "declared", "expression", "model", "evidence"]),
    // `access` too: the report's list of who can read what is access, printed
    ("assess", &["access", "check", "control", "declared", "model", "evidence"]),
    ("render", &["assess", "check", "control", "declared", "evidence"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
    found
}

/// Files that are compiled for tests only.
fn is_test(path: &Path) -> bool {
    let name = path.display().to_string();
    ["/tests.rs", "/tests/", "/testing.rs", "/built_in.rs"].iter().any(|part| name.contains(part))
}

/// Names of modules that a file uses by `crate::…`, without its tests.
fn used(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let names = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or("").split(',').map(str::trim).collect(),
            None => vec![rest],
        };
        for name in names {
            found.insert(name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
        }
    }
    found
}

#[test]
fn imports_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let modules: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).chain(["cli"]).collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (module, allowed) in MAY_USE {
        for path in sources(&root.join(module)) {
            if is_test(&path) {
                continue;
            }
            seen += 1;
            for name in used(&fs::read_to_string(&path).expect("a source file")) {
                if modules.contains(name.as_str()) && name != *module && !allowed.contains(&name.as_str()) {
                    wrong.push(format!("{} uses {name}", path.strip_prefix(&root).expect("below src").display()));
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} files were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_command_line_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (module, _) in MAY_USE {
        for path in sources(&root.join(module)) {
            let text = fs::read_to_string(&path).expect("a source file");
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text).to_owned();
            for word in ["println!", "eprintln!", "std::env::var", "Utc::now", "SystemTime::now"] {
                if code.contains(word) && !is_test(&path) {
                    wrong.push(format!("{} has {word}", path.strip_prefix(&root).expect("below src").display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
