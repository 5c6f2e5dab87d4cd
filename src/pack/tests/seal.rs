//! Sealing: what is written, that it is written the same way twice, and what is refused.

use super::*;

#[test]
fn a_sealed_pack_verifies_and_says_what_it_is() {
    let good = Good::new();
    let report = good.verify();
    assert!(report.is_good(), "{report}");
    assert_eq!(report.steps.len(), 10);
    assert_eq!(report.fingerprint.as_deref(), Some(trusted().fingerprint()));
    assert_eq!(report.statement_sha256.as_ref(), Some(&good.sealed.statement_sha256));
    assert_eq!(good.sealed.statement_sha256, sha256_hex(&good.read("attestation/statement.json")));
    assert_eq!(good.sealed.files, 9);
    assert_eq!(report.notes, ["time is asserted by the signer: the pack holds no time-stamp of a third party"]);

    let statement = report.statement.expect("a statement");
    assert_eq!(statement.subject.len(), 9);
    assert_eq!(statement.predicate.counts.files, 9);
    let text = String::from_utf8(good.read("attestation/statement.json")).expect("text");
    assert!(text.starts_with(
        r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"README.txt","digest":{"sha256":""#
    ));
    assert!(text.contains(r#"],"predicateType":"https://tickmark.dev/attestation/evidence-pack/v1","predicate":{"packId":"contoso-2026q3","tenant":"#));
    assert!(text.ends_with(
        r#""counts":{"files":9,"evidence":2,"exceptions":2,"notDetermined":1,"withheld":0},"withheld":[]}}"#
    ));
}

#[test]
fn sealing_twice_gives_the_same_bytes_folder_and_zip() {
    let (one, two) = (Good::new(), Good::new());
    assert_eq!(all_bytes(&one.pack), all_bytes(&two.pack));
    let zip = |good: &Good| {
        let out = good.pack.with_extension("zip");
        let sha256 = zip_folder(&good.pack, &out, false).expect("a zip");
        assert!(matches!(zip_folder(&good.pack, &out, false), Err(PackError::Exists { .. })));
        assert_eq!(zip_folder(&good.pack, &out, true).expect("replaced"), sha256);
        let bytes = fs::read(&out).expect("the zip");
        assert_eq!(sha256_hex(&bytes), sha256);
        bytes
    };
    let bytes = zip(&one);
    assert_eq!(bytes, zip(&two));

    let mut archive = ::zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    let unpacked = tempfile::tempdir().expect("a folder");
    archive.extract(unpacked.path()).expect("unpacked");
    let report = verify(&unpacked.path().join("contoso-2026q3"), &[trusted()], &Expect::default());
    assert!(report.is_good(), "{report}");
}

#[test]
fn an_existing_pack_is_replaced_only_on_request_and_nothing_else_ever() {
    let good = Good::new();
    let key = key();
    assert!(matches!(seal(request(&key), &good.pack), Err(PackError::Exists { .. })));
    let again = || SealRequest { replace: true, ..request(&key) };
    seal(again(), &good.pack).expect("replaced");
    assert!(good.verify().is_good());

    let other = good.pack.with_file_name("thesis");
    fs::create_dir(&other).expect("a folder");
    fs::write(other.join("chapter-1"), "precious").expect("a file");
    assert!(matches!(seal(again(), &other), Err(PackError::NotAPack { .. })));
    assert!(other.join("chapter-1").is_file());
    let left: Vec<_> = fs::read_dir(good.pack.parent().expect("a parent")).expect("a folder").collect();
    assert_eq!(left.len(), 2, "nothing is left lying beside: {left:?}");
}

#[test]
fn files_are_copied_or_moved_from_disk_but_never_through_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = folder.path().join("page.json");
    fs::write(&from, vec![b'x'; 200_000]).expect("a file");
    let key = key();
    let taking = |source: Source| {
        let mut request = request(&key);
        request.files.push(PackFile { source, ..file("evidence/ev-0003/page-0001.json", "") });
        request
    };
    for (source, is_left) in [(Source::Copy(from.clone()), true), (Source::Move(from.clone()), false)] {
        let good = Good::sealed_with(taking(source));
        assert_eq!(good.read("evidence/ev-0003/page-0001.json").len(), 200_000);
        assert_eq!(from.exists(), is_left);
    }
    fs::write(&from, "x").expect("a file");
    #[cfg(unix)]
    {
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink(&from, &link).expect("a link");
        let out = folder.path().join("out");
        for source in [Source::Copy(link.clone()), Source::Move(link)] {
            assert!(matches!(seal(taking(source), &out), Err(PackError::NotRegular { .. })));
            assert!(!out.exists());
        }
    }
}

#[test]
fn what_could_not_be_verified_is_not_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let key = key();
    let refusal = |change: &dyn Fn(&mut SealRequest<'_>)| {
        let mut request = request(&key);
        change(&mut request);
        let error = seal(request, &out).expect_err("refused").to_string();
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "{error}");
        error
    };
    let named = |path: &'static str| refusal(&|request| request.files.push(file(path, "")));
    assert!(named("../x").contains("`../x` cannot be in a pack"), "{}", named("../x"));
    assert!(named("README.txt").contains("listed twice"));
    assert!(named("manifest.json").contains("sealing writes it"));
    assert!(named("attestation/x").contains("sealing writes it"));
    assert!(named("plan.json/x").contains("needs a folder where `plan.json` is a file"));
    assert!(refusal(&|request| request.facts.collection.plan_sha256 = "0".repeat(64)).contains("`plan.json`"));
    assert!(
        refusal(&|request| request.facts.collection.ledger_head_sha256 = "0".repeat(64)).contains("`ledger.jsonl`")
    );
    assert!(refusal(&|request| request.facts.period.end = "Q3".to_owned()).contains("the period"));
    assert!(refusal(&|request| request.files.retain(|file| file.path != "ledger.jsonl")).contains("`ledger.jsonl`"));

    let mut down = |_: &[u8]| Err("connection refused".to_owned());
    let mut request = request(&key);
    request.authorities.push(Authority { name: "https://tsa.test".to_owned(), nonce: [1; 8], ask: &mut down });
    let error = seal(request, &out).expect_err("refused").to_string();
    assert_eq!(error, "no time-stamp from `https://tsa.test`: connection refused");
    assert!(!out.exists());
}

/// Takes a minute, mostly for syncing each file; run it with `--ignored` when sealing or walking changes.
#[test]
#[ignore = "takes a minute"]
fn fifty_thousand_files_are_sealed_and_verified() {
    let key = key();
    let mut request = request(&key);
    for index in 0..50_000 {
        request
            .files
            .push(file(&format!("evidence/ev-{index:05}/page-0001.json"), &format!("{{\"value\":[{index}]}}")));
    }
    let good = Good::sealed_with(request);
    let report = good.verify();
    assert!(report.is_good(), "{report}");
    assert_eq!(good.sealed.files, 50_009);
}
