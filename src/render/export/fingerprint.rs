//! What makes a finding the same one in the next run.

use crate::check::Finding;
use crate::evidence::sha256_hex;

/// A function of the check and the subject alone: evidence numbers, words and outcomes may
/// differ from run to run. Lower-case hex.
pub fn fingerprint(finding: &Finding) -> String {
    sha256_hex(format!("{}\0{}", finding.check(), finding.subject().key()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::about;
    use crate::evidence::{Cite, Reason};
    use crate::model::Id;

    #[test]
    fn it_depends_on_check_and_subject_and_on_nothing_else() {
        let on = |id: &str, record: &str| about("vault", &Id::new(id), "name", &Cite::of_record(record));
        let one = fingerprint(&on("/subscriptions/s/KV", "ev-0001").fail("open").of_check("KV-007"));
        let again =
            on("/Subscriptions/S/kv", "ev-0099").not_evaluated(Reason::Forbidden, "not read").of_check("KV-007");
        assert_eq!(fingerprint(&again), one);
        let pair = |caller: &str| {
            about("caller", &Id::new("/subscriptions/s/kv"), &format!("kv ← {caller}"), &Cite::of_record("ev-0001"))
        };
        let callers = ["ann", "bo"].map(|name| fingerprint(&pair(name).fail("read").of_check("EVT-003")));
        assert_ne!(callers[0], callers[1], "two callers of one vault are two subjects");
        assert_ne!(fingerprint(&on("/subscriptions/s/kv2", "ev-0001").fail("open").of_check("KV-007")), one);
        assert_ne!(fingerprint(&on("/subscriptions/s/kv", "ev-0001").fail("open").of_check("KV-006")), one);
    }
}
