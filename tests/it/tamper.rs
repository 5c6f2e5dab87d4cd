//! `tickmark verify` over a good pack with one thing wrong: exit code 1, and the thing is named.

use std::fs;
use std::path::Path;

use super::harness::{Bench, Ran};

const KEY: &str = "demo/tickmark.pub.pem";

fn sealed() -> Bench {
    let bench = Bench::new();
    bench.demo("empty");
    bench
}

fn verify(bench: &Bench) -> Ran {
    bench.run(&["verify", "demo/pack", "--key", KEY])
}

/// The pack is refused, and each of these words is printed.
fn is_refused(bench: &Bench, words: &[&str]) {
    let ran = verify(bench);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with("The pack does NOT verify.\n"), "{}", ran.out);
    for word in words {
        assert!(ran.out.contains(word), "`{word}` is not in\n{}", ran.out);
    }
    let json: serde_json::Value =
        serde_json::from_str(&bench.run(&["verify", "demo/pack", "--key", KEY, "--format", "json"]).out).expect("JSON");
    assert_eq!(json["good"], false);
    assert!(!json["problems"].as_array().expect("problems").is_empty());
}

fn page(bench: &Bench) -> String {
    let mut pages = bench.files("demo/pack").into_keys().filter(|name| name.ends_with("page-0001.json"));
    pages.next().expect("a page")
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("a file");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("written");
}

#[test]
fn the_pack_is_good_before_anything_is_changed() {
    let bench = sealed();
    let ran = verify(&bench);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.ends_with("The pack is as it was signed.\n"), "{}", ran.out);
}

#[test]
fn one_flipped_bit_in_a_page() {
    let bench = sealed();
    let page = page(&bench);
    flip(&bench.path(&format!("demo/pack/{page}")), 40);
    is_refused(&bench, &[&page]);
}

#[test]
fn one_flipped_bit_in_any_file_of_the_pack() {
    let bench = sealed();
    let names: Vec<String> = bench.files("demo/pack").into_keys().collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        let path = bench.path(&format!("demo/pack/{name}"));
        let good = fs::read(&path).expect("a file");
        if good.is_empty() {
            continue;
        }
        flip(&path, good.len() / 2);
        let ran = verify(&bench);
        assert_eq!(ran.code, 1, "{name} may be changed\n{}", ran.out);
        let is_named = ran.out.contains(&name) || (name.starts_with("attestation/") && ran.out.contains("bad"));
        assert!(is_named, "{name} is not named\n{}", ran.out);
        fs::write(&path, good).expect("restored");
    }
    assert_eq!(verify(&bench).code, 0, "all of it was restored");
}

#[test]
fn an_added_file() {
    let bench = sealed();
    bench.write("demo/pack/evidence/more.json", "{}");
    is_refused(&bench, &["evidence/more.json"]);
}

#[test]
fn an_added_file_beside_the_signatures() {
    let bench = sealed();
    bench.write("demo/pack/attestation/second-opinion.sig", "x");
    is_refused(&bench, &["attestation/second-opinion.sig"]);
}

#[test]
fn a_removed_file() {
    let bench = sealed();
    let page = page(&bench);
    fs::remove_file(bench.path(&format!("demo/pack/{page}"))).expect("removed");
    is_refused(&bench, &[&page]);
}

#[test]
fn two_pages_that_changed_places() {
    let bench = sealed();
    let files = bench.files("demo/pack");
    let pages: Vec<_> = files.iter().filter(|(name, _)| name.ends_with("page-0001.json")).collect();
    let [(one, first), .., (two, second)] = &pages[..] else { panic!("{pages:?}") };
    assert_ne!(first, second);
    fs::write(bench.path(&format!("demo/pack/{one}")), second).expect("written");
    fs::write(bench.path(&format!("demo/pack/{two}")), first).expect("written");
    is_refused(&bench, &[one, two]);
}

#[test]
fn a_symbolic_link_to_the_same_bytes() {
    let bench = sealed();
    let page = page(&bench);
    let path = bench.path(&format!("demo/pack/{page}"));
    let elsewhere = bench.path("elsewhere.json");
    fs::rename(&path, &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, &path).expect("a link");
    is_refused(&bench, &[&page, "link"]);
}

#[test]
fn an_empty_folder() {
    let bench = sealed();
    fs::create_dir(bench.path("demo/pack/evidence/ev-9999")).expect("a folder");
    is_refused(&bench, &["evidence/ev-9999"]);
}

#[test]
fn an_edited_statement() {
    let bench = sealed();
    let statement = bench.read("demo/pack/attestation/statement.json");
    let edited = statement.replacen("\"exceptions\":", "\"exceptionz\":", 1);
    assert_ne!(statement, edited);
    bench.write("demo/pack/attestation/statement.json", &edited);
    is_refused(&bench, &["attestation/statement.json"]);
}

#[test]
fn signatures_by_another_key() {
    let bench = sealed();
    let other = Bench::new().with("TICKMARK_KEY_PASSPHRASE", "x");
    other.run(&["init", "--tenant", "11111111-1111-1111-1111-111111111111"]);
    let stranger = other.path("keys/tickmark.pub.pem").display().to_string();
    let ran = bench.run(&["verify", "demo/pack", "--key", &stranger]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("bad") && ran.out.ends_with("The pack does NOT verify.\n"), "{}", ran.out);

    // one of several trusted keys is enough
    let both = bench.run(&["verify", "demo/pack", "--key", &stranger, "--key", KEY]);
    assert_eq!(both.code, 0, "{}", both.out);
}

#[test]
fn a_pack_of_another_tenant_or_with_another_id() {
    let bench = sealed();
    let other = "11111111-1111-1111-1111-111111111111";
    assert_eq!(bench.run(&["verify", "demo/pack", "--key", KEY, "--tenant", other]).code, 1);
    assert_eq!(bench.run(&["verify", "demo/pack", "--key", KEY, "--pack-id", "another-pack"]).code, 1);
    let own = bench.results()["tenant"].as_str().expect("a tenant").to_owned();
    assert_eq!(bench.run(&["verify", "demo/pack", "--key", KEY, "--tenant", &own]).code, 0);
}

#[test]
fn wrong_use_is_not_a_verdict() {
    let bench = sealed();
    assert_eq!(bench.run(&["verify", "demo/pack"]).code, 2, "a key is required");
    bench.write("garbage.pem", "-----BEGIN PUBLIC KEY-----\nnot a key\n-----END PUBLIC KEY-----\n");
    let garbage = bench.run(&["verify", "demo/pack", "--key", "garbage.pem"]);
    assert_eq!((garbage.code, garbage.out.as_str()), (2, ""), "{}", garbage.err);
    let absent = bench.run(&["verify", "demo/pack", "--key", "absent.pem"]);
    assert_eq!((absent.code, absent.out.as_str()), (2, ""), "{}", absent.err);
    let nothing = bench.run(&["verify", "demo/nothing", "--key", KEY]);
    assert_ne!(nothing.code, 0, "{}", nothing.out);
    assert!(!nothing.out.contains("as it was signed"), "{}", nothing.out);
    fs::create_dir(bench.path("hollow")).expect("a folder");
    let hollow = bench.run(&["verify", "hollow", "--key", KEY]);
    assert_eq!(hollow.code, 1, "{}{}", hollow.out, hollow.err);
}
