//! Time-stamps over the plan.

use super::*;

/// The good pack with a time-stamp over `stamped` as that of its plan, and what its manifest tells of it.
fn with_plan_stamp(
    authority: &TestAuthority,
    stamped: &str,
    told: &serde_json::Value,
    name: &str,
) -> Result<Good, String> {
    let token = authority.reply(&tsa::request(stamped.as_bytes(), [1; 8]).expect("a request"));
    let stamp = tsa::read_reply(&token, stamped.as_bytes(), None).expect("a stamp");
    let key = key();
    let mut request = request(&key);
    let at = if told.is_null() { json!(stamp.at.to_rfc3339()) } else { told.clone() };
    request.capture = json!({"replayed": true, "planStamps": [{"authority": "test", "at": at}]});
    request.files.push(PackFile { source: Source::Bytes(token), ..file(name, "") });
    let folder = tempfile::tempdir().expect("a folder");
    let pack = folder.path().join("pack");
    let sealed = seal(request, &pack).map_err(|error| error.to_string())?;
    Ok(Good { _folder: folder, pack, sealed })
}

#[test]
fn the_time_stamp_of_a_plan_is_over_the_plan_and_as_the_manifest_tells() {
    if !have(&["openssl"]) {
        return;
    }
    let authority = TestAuthority::new();
    let none = serde_json::Value::Null;
    let good = with_plan_stamp(&authority, plan(), &none, "plan.tsr").expect("a pack");
    let report = good.verify();
    assert!(report.is_good(), "{report}");
    assert_eq!(report.plan_stamps.len(), 1);
    assert!(report.to_string().contains("; the plan was fixed before 20"), "{report}");
    assert!(report.notes.iter().any(|note| note.contains("-data plan.json -in plan.tsr")), "{:?}", report.notes);

    let refused = |stamped: &str, told: &serde_json::Value, name: &str| {
        with_plan_stamp(&authority, stamped, told, name).err().expect("refused")
    };
    let other = refused("another plan", &none, "plan.tsr");
    assert!(other.contains("`plan.tsr`: the time-stamp is over other bytes"), "{other}");
    let earlier = refused(plan(), &json!("2020-01-01T00:00:00Z"), "plan.tsr");
    assert!(earlier.contains("manifest.json says 2020-01-01T00:00:00+00:00 of it"), "{earlier}");
    let elsewhere = refused(plan(), &none, "plan.stamp");
    assert!(elsewhere.contains("1 time-stamps over the plan are told of, 0 are here"), "{elsewhere}");

    fs::remove_file(good.pack.join("plan.tsr")).expect("removed");
    tamper::refused(&good.verify(), Step::Files, "plan.tsr", "is missing");
}

#[test]
fn a_plan_that_got_its_time_after_the_collection_began_is_told() {
    if !have(&["openssl"]) {
        return;
    }
    let authority = TestAuthority::new();
    let token = authority.reply(&tsa::request(plan().as_bytes(), [1; 8]).expect("a request"));
    let at = tsa::read_reply(&token, plan().as_bytes(), None).expect("a stamp").at;
    let sealed = |began: chrono::DateTime<chrono::Utc>| {
        let key = key();
        let mut request = request(&key);
        request.facts.collection.started_at = began.to_rfc3339();
        request.facts.collection.ended_at = began.to_rfc3339();
        request.capture = json!({"replayed": false, "planStamps": [{"authority": "test", "at": at.to_rfc3339()}]});
        request.files.push(PackFile { source: Source::Bytes(token.clone()), ..file("plan.tsr", "") });
        let folder = tempfile::tempdir().expect("a folder");
        seal(request, &folder.path().join("pack")).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(sealed(at - chrono::TimeDelta::minutes(9)), Ok(()));
    let late = sealed(at - chrono::TimeDelta::minutes(11)).expect_err("refused");
    assert!(late.contains("after the collection began by its own clock"), "{late}");
}
