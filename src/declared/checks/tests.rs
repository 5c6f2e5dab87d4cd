use super::super::Declared;
use super::*;

const GOOD: &str = r#"id = "ORG-001"
title = "Vaults keep what is deleted"
severity = "high"
asks = "Every vault."
blind_to = "Backups."
fix = "Turn it on."
criteria = ["CC6.1"]
nist = ["SC-12"]
population = "vaults"
where = 'vault.name != "x"'

[[clause]]
expression = "vault.properties.days >= 90"
message = "too short."

[[clause]]
expression = '''
vault.name
  == "kv"'''
message = "odd"
otherwise = "manual"
"#;

/// What these tests keep of a record.
fn kept(kind: Kind) -> Shape {
    let properties = ("properties", Shape::leaves(&["days", "roleDefinitionId", "principalId"]));
    match kind {
        Kind::Vaults | Kind::RoleAssignments => Shape::object([("name", Shape::Leaf), ("id", Shape::Leaf), properties]),
        _ => Shape::leaves(&["id", "name"]),
    }
}

fn read(files: &[(&str, &str)]) -> Result<Declared, Vec<String>> {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let read = Declared::read_with(files.collect(), &kept);
    read.map_err(|error| error.mistakes.iter().map(ToString::to_string).collect())
}

fn refused(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    read(&[("checks/a.toml", &GOOD.replacen(from, to, 1))]).map(drop).expect_err(to)
}

#[test]
fn a_file_says_what_is_asked_of_what() {
    let declared = read(&[("checks/a.toml", GOOD)]).expect("a check");
    let [check] = declared.checks.as_slice() else { panic!("{declared:#?}") };
    assert_eq!((check.id.as_str(), check.severity, check.population.name), ("ORG-001", Severity::High, "vaults"));
    assert_eq!(
        check.clauses.iter().map(|clause| clause.otherwise).collect::<Vec<_>>(),
        [Otherwise::Fail, Otherwise::Manual]
    );
    assert_eq!(check.clauses[0].message, "too short");
    assert_eq!(check.only.as_ref().map(|only| only.text.as_str()), Some("vault.name != \"x\""));
    assert_eq!(check.from.place(), "declared/checks/a.toml");
    assert_eq!(declared.kinds(), BTreeSet::from([Kind::Vaults]));
    assert!(declared.check("org-001").is_some() && declared.check("ORG-002").is_none());
    assert_eq!(declared.files().len(), 1, "the bytes are kept");
    assert_ne!(declared, read(&[("checks/a.toml", &GOOD.replace("odd", "even"))]).expect("a check"));
}

#[test]
fn what_belongs_to_a_subject_is_needed_where_it_is_asked_for() {
    let text = GOOD.replace("\"vaults\"", "\"role_assignments\"").replace("vault.", "assignment.");
    let declared = read(&[("checks/a.toml", &text)]).expect("a check");
    assert_eq!(declared.kinds(), BTreeSet::from([Kind::RoleAssignments]));
    let text = text.replace("assignment.properties.days >= 90", "role.name == 'Owner'");
    let declared = read(&[("checks/a.toml", &text)]).expect("a check");
    assert_eq!(declared.kinds(), BTreeSet::from([Kind::RoleAssignments, Kind::RoleDefinitions]));
    let kinds: Vec<Kind> = declared.checks[0].needs.iter().map(|need| need.kind).collect();
    assert_eq!(kinds, [Kind::RoleAssignments, Kind::RoleDefinitions]);
}

#[test]
fn a_mistake_is_told_where_it_is_also_inside_of_an_expression() {
    for (from, to, told) in [
        ("ORG-001", "TM-001", "checks/a.toml:1:6: `TM-001` is no id of a check of one's own, such as `ORG-001`"),
        ("ORG-001", "ORG-", "checks/a.toml:1:6: `ORG-` is no id"),
        ("ORG-001", "ORG-a", "checks/a.toml:1:6: `ORG-a` is no id"),
        ("ORG-001", "ORG-1--2", "checks/a.toml:1:6: `ORG-1--2` is no id"),
        ("ORG-001", "ORG-../x", "checks/a.toml:1:6: `ORG-../x` is no id"),
        ("Vaults keep", "Vaults\\nkeep", "checks/a.toml:2:9: a title is one line"),
        ("\"high\"", "\"awful\"", "checks/a.toml:3:12: unknown variant `awful`"),
        ("fix = \"Turn it on.\"\n", "", "checks/a.toml:1:1: missing field `fix`"),
        ("\"Every vault.\"", "\" \"", "checks/a.toml:4:8: nothing is said here"),
        ("CC6.1", "CC9.9", "checks/a.toml:7:13: `CC9.9` is no criterion of criteria.toml"),
        ("SC-12", "SC-99", "checks/a.toml:8:9: `SC-99` is no control of nist.toml"),
        ("\"vaults\"", "\"vault\"", "checks/a.toml:9:14: `vault` is no population; there are subscriptions, "),
        ("where =", "when =", "checks/a.toml:10:1: unknown field `when`"),
        ("!= \"x\"'", "!= \"x'", "checks/a.toml:10:24: this text is not closed"),
        ("otherwise =", "else =", "checks/a.toml:21:1: unknown field `else`"),
        ("\"manual\"", "\"pass\"", "checks/a.toml:21:13: unknown variant `pass`"),
        (">= 90\"", ">= \"", "checks/a.toml:13:40: this is no expression"),
        (
            "vault.properties.days",
            "valt.properties.days",
            "checks/a.toml:13:15: there is no variable `valt`; there are vault, now, period_start, period_end",
        ),
        (
            "vault.properties.days",
            "vault.properties.dais",
            "checks/a.toml:13:32: `vault.properties.dais` is never kept of such a record",
        ),
        ("vault.properties.days", "(vault.properties.days", "checks/a.toml:13:15: this `(` is not closed"),
        ("vault.properties.days", "\\u00e4 == (vault.properties.days", "checks/a.toml:13:25: this `(` is not closed"),
        ("  == \"kv\"", "  == \"kv\" && role.name == \"x\"", "checks/a.toml:19:14: there is no variable `role`"),
        ("  == \"kv\"", "  == nope(\"kv\")", "checks/a.toml:19:6: there is no function `nope`"),
    ] {
        let mistakes = refused(from, to);
        assert!(mistakes[0].starts_with(told), "{told}\n{mistakes:#?}");
    }
}

#[test]
fn clauses_are_needed_and_not_without_end_and_every_mistake_is_told() {
    let head = GOOD.split("[[clause]]").next().expect("a head");
    let none = read(&[("checks/a.toml", head)]).map(drop).expect_err("no clause");
    assert!(none[0].contains("missing field `clause`"), "{none:?}");
    let many = "[[clause]]\nexpression = \"true\"\nmessage = \"m\"\n".repeat(33);
    let many = read(&[("checks/a.toml", &format!("{head}{many}"))]).map(drop).expect_err("too many");
    assert!(many[0].contains("there are 33 clauses; there must be one, and at most 32"), "{many:?}");
    let mistakes = refused("CC6.1", "CC9.9");
    assert_eq!(mistakes.len(), 1);
    let both = GOOD.replace("CC6.1", "CC9.9").replace(">= 90", ">=");
    assert_eq!(read(&[("checks/a.toml", &both)]).map(drop).expect_err("two").len(), 2);
}

#[test]
fn an_id_is_there_once_and_files_are_checks_alone() {
    let again = read(&[("checks/a.toml", GOOD), ("checks/b.toml", GOOD)]).map(drop).expect_err("twice");
    assert_eq!(again, ["checks/b.toml:1:6: the id `ORG-001` is that of `checks/a.toml` too"]);
    for name in ["checks/a/b.toml", "checks/.toml", "checks/a.txt"] {
        let lost = read(&[(name, GOOD)]).map(drop).expect_err(name);
        assert!(lost[0].contains("no such file is read"), "{lost:?}");
    }
    let odd = Declared::read_with(BTreeMap::from([("checks/a.toml".to_owned(), vec![0xff])]), &kept).expect_err("odd");
    assert!(odd.to_string().contains("this is not UTF-8"), "{odd}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    /// A file that is damaged anywhere, with odd text in it, is read or refused.
    #[test]
    fn no_file_brings_it_down(from in 0..500_usize, length in 0..40_usize, odd in ".{0,16}") {
        let left = GOOD.chars().enumerate().filter(|(at, _)| *at < from || *at >= from + length);
        let cut: String = left.map(|(_, one)| one).collect();
        let at = cut.char_indices().nth(from).map_or(cut.len(), |(at, _)| at);
        let text = format!("{}{odd}{}", &cut[..at], &cut[at..]);
        if let Err(mistakes) = read(&[("checks/a.toml", &text)]) {
            let told = mistakes.iter().all(|mistake| mistake.starts_with("checks/a.toml:"));
            proptest::prop_assert!(told, "{mistakes:?}");
        }
    }
}

#[test]
fn without_knowing_what_is_kept_nothing_can_be_asked() {
    let files = BTreeMap::from([("checks/a.toml".to_owned(), GOOD.as_bytes().to_vec())]);
    let refused = Declared::read(files).expect_err("refused").to_string();
    assert!(refused.contains("`vault.name` is never kept"), "{refused}");
}
