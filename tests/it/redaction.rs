//! What was cut is told, place by place, and personal data is kept as the configuration says.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::harness::{Bench, Ran, tenant_folder};
use super::needles::Needles;

const TENANT: &str = "11111111-1111-1111-1111-111111111111";

/// The values that a pointer names; `*` stands for any step.
fn resolved<'a>(page: &'a Value, pointer: &str) -> Vec<&'a Value> {
    let mut found = vec![page];
    for step in pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")) {
        found = found
            .into_iter()
            .flat_map(|value| match (value, step.as_str()) {
                (Value::Array(items), "*") => items.iter().collect::<Vec<_>>(),
                (Value::Object(members), "*") => members.values().collect(),
                (Value::Array(items), index) => {
                    index.parse().ok().and_then(|at: usize| items.get(at)).into_iter().collect()
                }
                (Value::Object(members), name) => members.get(name).into_iter().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    found
}

/// How often a text stands somewhere as a whole value or as a name.
fn count_of(value: &Value, text: &str) -> u64 {
    match value {
        Value::String(found) => u64::from(found == text),
        Value::Array(items) => items.iter().map(|item| count_of(item, text)).sum(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| u64::from(name == text) + count_of(member, text)).sum()
        }
        _ => 0,
    }
}

#[test]
fn every_cut_is_told_with_its_place_in_the_kept_page() {
    for tenant in ["canary", "mixed", "idsentinel"] {
        let bench = Bench::new();
        bench.demo(tenant);
        let (mut told, mut rules) = (0, BTreeSet::new());
        let records: BTreeSet<String> = bench
            .files("demo/pack/evidence")
            .into_keys()
            .map(|path| path.split('/').next().expect("a record").to_owned())
            .collect();
        for record in &records {
            let folder = format!("demo/pack/evidence/{record}");
            let cuts = bench.json(&format!("{folder}/redactions.json"));
            assert_eq!(cuts, bench.json(&format!("{folder}/ipe.json"))["transformations"], "{tenant} {record}");
            let (mut visible, mut told_of_visible) = (0, 0);
            for cut in cuts.as_array().expect("cuts") {
                let (file, pointer) = cut["place"].as_str().expect("a place").split_once('#').expect("a pointer");
                let count = cut["count"].as_u64().expect("a count");
                let rule = cut["rule"].as_str().expect("a rule");
                let page = bench.json(&format!("{folder}/{file}"));
                let places = resolved(&page, pointer);
                let is_exact = !pointer.contains('*');
                assert!(if is_exact { places.len() == 1 } else { places.len() > 8 }, "{tenant} {record} {cut}");
                assert!(rule == "not_on_list" || count as usize <= places.len(), "{tenant} {record} {cut}");
                if rule == "not_on_list" {
                    // the object that lost members, or the cell that lost its content
                    assert!(
                        places.iter().all(|place| place.is_object() || place.is_array() || place.is_null()),
                        "{cut}"
                    );
                } else {
                    told_of_visible += count;
                }
                told += count;
                rules.insert(rule.to_owned());
            }
            for (path, bytes) in bench.files(&folder) {
                if path.starts_with("page-") && !bytes.is_empty() {
                    visible += count_of(&serde_json::from_slice(&bytes).expect("JSON"), "[cut]");
                }
            }
            assert!(
                visible <= told_of_visible,
                "{tenant} {record}: {visible} are visible, {told_of_visible} are told of"
            );
        }
        assert!(told > 30 && rules.contains("not_on_list"), "{tenant}: {told} by {rules:?}");
        if tenant == "canary" {
            for rule in ["secret_like", "url_query", "url_token", "free_text", "address_coarsened"] {
                assert!(rules.contains(rule), "{rule} is not among {rules:?}");
            }
        }
        // the report says how many, and by which rules
        let report = bench.read("demo/pack/report/report.md");
        let line = report.lines().find(|line| line.starts_with("- Cut before it was kept: ")).expect("a line");
        let count: u64 = line.split(' ').nth(6).expect("a number").replace(',', "").parse().expect("a number");
        assert_eq!(count, told, "{tenant}: {line}");
        assert!(rules.iter().all(|rule| line.contains(&format!("`{rule}`"))), "{line} {rules:?}");
        // and so does whoever verifies
        let verified = bench.run(&["verify", "demo/pack", "--key", "demo/tickmark.pub.pem"]);
        let note =
            format!("note: answers were redacted before they were signed: {} files `redactions.json`", records.len());
        assert!(verified.code == 0 && verified.out.contains(&note), "{}", verified.out);
    }
}

/// Object id and display name of every user in a recording, and the names of everything that is no user.
fn people(tenant: &str) -> (Vec<(String, String)>, BTreeSet<String>) {
    let (mut users, mut others) = (Vec::new(), BTreeSet::new());
    let mut files = vec![tenant_folder(tenant).join("answers.json")];
    let folder = tenant_folder(tenant).join("answers");
    files.extend(fs::read_dir(folder).expect("answers").map(|file| file.expect("a file").path()));
    for file in files {
        let answers: Value = serde_json::from_slice(&fs::read(file).expect("answers")).expect("JSON");
        principals(&answers, &mut |kind, id, name| match kind {
            "#microsoft.graph.user" => users.push((id.to_owned(), name.to_owned())),
            _ => {
                others.insert(name.to_owned());
            }
        });
    }
    users.sort();
    users.dedup();
    (users, others)
}

fn principals(value: &Value, visit: &mut dyn FnMut(&str, &str, &str)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| principals(item, visit)),
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            if let (Some(kind), Some(id), Some(name)) = (text("@odata.type"), text("id"), text("displayName")) {
                visit(kind, id, name);
            }
            members.values().for_each(|member| principals(member, visit));
        }
        _ => {}
    }
}

/// A bench with a signing key and a configuration that ends with these lines.
fn configured(personal: &str) -> Bench {
    let bench = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "correct horse");
    assert_eq!(bench.run(&["init", "--tenant", TENANT]).code, 0);
    configure(&bench, personal);
    bench
}

fn configure(bench: &Bench, personal: &str) {
    bench.write(
        "tickmark.toml",
        &format!(
            "[organisation]\nname = \"Example\"\nsystem = \"Shop\"\n\n[azure]\ntenant_id = \"{TENANT}\"\n\n\
             [personal_data]\n{personal}\n"
        ),
    );
}

fn run(bench: &Bench, out: &str) -> Ran {
    let recording = tenant_folder("mixed").display().to_string();
    let ran = bench.run(&["run", "--replay", &recording, "--period", "2026Q3", "--out", out]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    ran
}

/// Everything of a pack in one text.
fn all_of(bench: &Bench, pack: &str) -> String {
    bench.files(pack).values().map(|bytes| String::from_utf8_lossy(bytes).into_owned() + "\n").collect()
}

/// The addresses of callers that the rows of logs in `pack` hold.
fn addresses(bench: &Bench) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, bytes) in
        bench.files("pack/evidence").iter().filter(|(path, bytes)| path.contains("page-") && !bytes.is_empty())
    {
        let page: Value = serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
        for table in page["tables"].as_array().into_iter().flatten() {
            let columns = table["columns"].as_array().expect("columns");
            let Some(at) = columns.iter().position(|column| column["name"] == "CallerIpAddress") else { continue };
            let cells = table["rows"].as_array().expect("rows").iter().filter_map(|row| row[at].as_str());
            found.extend(cells.filter(|cell| !cell.is_empty()).map(str::to_owned));
        }
    }
    found
}

const PSEUDONYMS: &str = "names = \"pseudonym\"\nuser_principal_names = \"pseudonym\"\nmail = \"pseudonym\"";

#[test]
fn by_default_names_stand_where_a_person_must_be_matched_and_addresses_are_networks() {
    let bench = configured("");
    run(&bench, "pack");
    let (users, _) = people("mixed");
    assert!(users.len() >= 3, "{users:?}");
    let pack = all_of(&bench, "pack");
    assert!(users.iter().any(|(_, name)| pack.contains(name.as_str())), "{users:?}");
    assert!(pack.contains("userPrincipalName") && !pack.contains("alice.berg@brightwater.example"));
    let plan = bench.json("pack/plan.json");
    let expected = serde_json::json!({"addresses": "network", "names": "matched", "userPrincipalNames": "none", "mail": "matched"});
    assert_eq!(plan["personalData"], expected);
    let addresses = addresses(&bench);
    assert!(!addresses.is_empty() && addresses.iter().all(|address| address.ends_with(".0/24")), "{addresses:?}");
}

#[test]
fn nobody_is_named_where_names_are_not_kept() {
    let bench = configured("names = \"none\"\nmail = \"none\"\naddresses = \"none\"");
    run(&bench, "pack");
    let (users, others) = people("mixed");
    let pack = all_of(&bench, "pack");
    for (id, name) in &users {
        assert!(!pack.contains(name.as_str()), "{name}");
        assert!(pack.contains(id.as_str()), "{name} is matched by the object id");
    }
    assert!(others.iter().all(|name| pack.contains(name.as_str())), "{others:?}");
    let addresses = addresses(&bench);
    assert!(!addresses.is_empty() && addresses.iter().all(|address| address == "[cut]"), "{addresses:?}");
    let report = bench.read("pack/report/report.md");
    for line in ["- Addresses of callers: `not kept`", "- Names of users: `not kept`", "- Mail addresses: `not kept`"] {
        assert!(report.contains(line), "{line}");
    }
}

#[test]
fn pseudonyms_stand_for_persons_and_the_key_is_nowhere() {
    let bench = configured(PSEUDONYMS);
    let without = bench.run(&["collect", "--replay", &tenant_folder("mixed").display().to_string()]);
    assert_eq!(without.code, 2, "{}", without.err);
    assert!(without.err.contains("pseudonyms new-key"), "{}", without.err);
    assert!(!bench.path("tickmark-store").exists(), "a missing key is found before anything is asked");

    let made = bench.run(&["pseudonyms", "new-key"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(bench.run(&["pseudonyms", "new-key"]).code, 2, "a key is never written over");
    let key = bench.read("keys/pseudonyms.key").trim().to_owned();
    let ran = run(&bench, "one");
    run(&bench, "two");
    let (users, others) = people("mixed");
    let (one, two) = (all_of(&bench, "one"), all_of(&bench, "two"));
    let report = bench.read("one/report/report.md");
    let mut shown = 0;
    for (id, name) in &users {
        assert!(!one.contains(name.as_str()), "{name}");
        let told = bench.run(&["pseudonyms", "of", id]).out;
        let pseudonym = told.split(' ').next().expect("a pseudonym");
        assert!(
            pseudonym.starts_with("person-") && one.contains(pseudonym) && two.contains(pseudonym),
            "{name}: {told}"
        );
        shown += usize::from(report.contains(pseudonym));
    }
    assert!(shown > 0, "the report shows none");
    assert!(others.iter().all(|name| one.contains(name.as_str())), "{others:?}");

    // the key: in no capture, pack, report, log line
    let mut files = bench.files("one");
    files.extend(bench.files("tickmark-store").into_iter().map(|(path, bytes)| (format!("store/{path}"), bytes)));
    for (number, ran) in [made, ran].into_iter().enumerate() {
        files.insert(format!("output {number}"), [ran.out, ran.err].concat().into_bytes());
    }
    Needles::of(&key, &[&key[..20], &key[44..]]).assert_absent(&files);
    let raw: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).expect("hex")).collect();
    assert!(files.values().all(|bytes| !bytes.windows(32).any(|window| window == raw)));

    // judged again by someone who has neither key nor configuration
    let auditor = Bench::new();
    let pack = bench.path("one").display().to_string();
    let again = auditor.run(&["reperform", &pack]);
    assert!(again.code == 0 && again.out.contains("identical"), "{}{}", again.out, again.err);

    // another key, other pseudonyms
    let id = |text: &str| serde_json::from_str::<Value>(text).expect("JSON")["personalData"]["keyId"].clone();
    fs::remove_file(bench.path("keys/pseudonyms.key")).expect("removed");
    bench.run(&["pseudonyms", "new-key"]);
    run(&bench, "three");
    let three = all_of(&bench, "three");
    let names = |text: &str| -> BTreeSet<String> {
        text.split("person-").skip(1).map(|rest| rest.chars().take(16).collect()).collect()
    };
    assert_eq!(names(&one), names(&two));
    assert!(!names(&one).is_empty() && names(&one).len() == names(&three).len());
    assert!(names(&one).is_disjoint(&names(&three)));
    assert_eq!(id(&bench.read("one/plan.json")), id(&bench.read("two/plan.json")));
    assert_ne!(id(&bench.read("one/plan.json")), id(&bench.read("three/plan.json")));
}

#[test]
fn the_key_can_come_from_the_environment() {
    let bench = configured(&format!("{PSEUDONYMS}\nkey_variable = \"OUR_KEY\""));
    let recording = tenant_folder("mixed").display().to_string();
    let without = bench.run(&["collect", "--replay", &recording]);
    assert!(without.code == 2 && without.err.contains("the variable `OUR_KEY`"), "{}", without.err);
    let key = bench.run(&["--quiet", "pseudonyms", "new-key"]).out.trim().to_owned();
    assert_eq!(key.len(), 64);
    assert!(!bench.path("keys/pseudonyms.key").exists(), "it is kept nowhere");
    let bench = bench.with("OUR_KEY", &key);
    let collected = bench.run(&["collect", "--replay", &recording]);
    assert!([0, 3].contains(&collected.code), "{}", collected.err);
    let told = bench.run(&["--format", "json", "pseudonyms", "of", "ann@contoso.com", "ANN@contoso.com"]).out;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["pseudonyms"][0]["pseudonym"], told["pseudonyms"][1]["pseudonym"]);
    let bad = bench.with("OUR_KEY", "hunter2").run(&["pseudonyms", "of", "x"]);
    assert!(bad.code == 2 && !bad.err.contains("hunter2"), "{}", bad.err);
}

#[test]
fn a_capture_is_continued_only_with_the_switches_that_it_was_begun_with() {
    let bench = configured("");
    let recording = tenant_folder("mixed").display().to_string();
    bench.run(&["collect", "--replay", &recording]);
    let captures = bench.files("tickmark-store/captures");
    let head = captures.keys().find(|path| path.ends_with("capture.json")).expect("a head");
    let head = format!("tickmark-store/captures/{head}");
    let text = bench.read(&head).replace("\"status\": \"complete\"", "\"status\": \"interrupted\"");
    bench.write(&head, &text);
    configure(&bench, "names = \"all\"");
    let refused = bench.run(&["collect", "--resume", "--replay", &recording]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("it was begun with other settings of personal data"), "{}", refused.err);
    configure(&bench, "");
    let continued = bench.run(&["collect", "--resume", "--replay", &recording]);
    assert!([0, 3].contains(&continued.code), "{}", continued.err);
}
