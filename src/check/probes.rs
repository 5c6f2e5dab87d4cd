//! Which records of probes count, and how a call of one is judged: what the checks of probes share.
//!
//! A record is what a person says was answered. The vault's own log is another matter: PRB-004 holds the two together.

use super::finding::About;
use super::{Facts, Finding, about};
use crate::declared::{Call, Probe};
use crate::evidence::Reason;
use crate::model::Id;

/// Findings about one sort of call in every record; where no record that counts has it, one that awaits a person.
/// `wanted` is the call in words.
pub(super) fn of_calls(
    facts: &Facts<'_>,
    wanted: &str,
    call: impl Fn(&Probe) -> Option<&Call>,
    judge: impl Fn(About, &Probe, &Call) -> Finding,
) -> Vec<Finding> {
    let having = facts.declared.probes.iter().filter_map(|probe| Some((probe, call(probe)?)));
    let (counted, others): (Vec<_>, Vec<_>) = having.partition(|(probe, _)| is_of_period(facts, probe));
    let mut findings: Vec<Finding> = others.iter().map(|(probe, _)| out_of_period(facts, on_record(probe))).collect();
    findings.extend(counted.iter().map(|(probe, call)| judge(on_record(probe).citing([&call.from]), probe, call)));
    if counted.is_empty() {
        findings.extend(nobody_probed(facts, wanted, !others.is_empty()));
    }
    findings
}

/// Whether every call of a record lies in the period, and was made before the collection began.
pub(super) fn is_of_period(facts: &Facts<'_>, probe: &Probe) -> bool {
    probe.calls().all(|(_, call)| facts.period.contains(call.at) && call.at <= facts.tenant.collected_at)
}

/// A record that does not count.
pub(super) fn out_of_period(facts: &Facts<'_>, on: About) -> Finding {
    let (start, end) = (facts.period.start.format("%Y-%m-%d"), facts.tenant.collected_at.min(facts.period.end));
    let end = end.format("%Y-%m-%dT%H:%M:%SZ");
    on.not_applicable(format!("not all of its calls were made between {start} and {end}, so that it does not count"))
}

/// What is said where no record counts, if there is a vault that could have been probed.
pub(super) fn nobody_probed(facts: &Facts<'_>, wanted: &str, others: bool) -> Option<Finding> {
    let vault = facts.tenant.vaults.first()?;
    let on = about("probe", &Id::new("probes"), "a probe of the period", &vault.from);
    let which = if others { "no record of this period has" } else { "no record of a probe has" };
    Some(on.manual(format!(
        "{which} {wanted}: `tickmark probe --vault NAME --secret CANARY` prints the script with which a person makes it, \
         and the record goes into `probes/`"
    )))
}

/// A finding about a record.
pub(super) fn on_record(probe: &Probe) -> About {
    let host = probe.vault.as_str().trim_start_matches("https://").trim_start_matches("http://");
    let name = host.split('.').next().unwrap_or(host);
    let file = probe.file.trim_start_matches("probes/");
    about("probe", &Id::new(probe.file.clone()), &format!("{name} ← {file}"), &probe.from)
}

/// What the record says was answered, as the beginning of a sentence.
pub(super) fn says(probe: &Probe, call: &Call) -> String {
    let person = probe.person.as_str();
    let at = call.at.format("%Y-%m-%dT%H:%M:%SZ");
    let codes = [&call.code, &call.inner_code].map(|code| code.as_ref().map(|code| format!(" `{}`", code.as_str())));
    let codes: String = codes.into_iter().flatten().collect();
    match call.status {
        0 => format!("by the record of `{person}`, the call of {at} got no answer"),
        status => format!("by the record of `{person}`, the call of {at} was answered {status}{codes}"),
    }
}

/// The identity whose token was used, in words; nothing where the record does not say.
pub(super) fn identity(call: &Call) -> String {
    let facts = call.token.as_ref();
    let named = facts.and_then(|facts| facts.xms_mirid.as_ref()).map(|id| Id::new(id.as_str()).name().to_owned());
    match (named, facts.and_then(|facts| facts.oid.as_ref())) {
        (Some(name), Some(oid)) => format!(", to `{name}` (object id {})", oid.as_str()),
        (None, Some(oid)) => format!(", to the object id {}", oid.as_str()),
        (Some(name), None) => format!(", to `{name}`"),
        (None, None) => String::new(),
    }
}

/// Said of every result that rests on a record alone.
pub(super) const BY_RECORD: &str = "PRB-004 shows whether the vault's own log says the same";

/// An answer that neither shows nor refutes what was asked, and why.
pub(super) fn unclear(on: About, probe: &Probe, call: &Call) -> Finding {
    let inner = call.inner_code.as_ref().map(|code| code.as_str()).unwrap_or_default();
    let (reason, why) = match (call.status, inner) {
        (0, _) => (Reason::Unavailable, "nothing can be said of a call without an answer"),
        (429 | 500..=599, _) => (Reason::Unavailable, "the vault did not get as far as to decide"),
        (401, _) => (Reason::Inconclusive, "the token itself was refused, so that no role was asked about"),
        (403, "ForbiddenByFirewall" | "ForbiddenByConnection") => (
            Reason::Inconclusive,
            "the network refused it, which says nothing about roles: probe from a network that is let in",
        ),
        (403, "ForbiddenByPolicy" | "AccessDenied") => {
            (Reason::Inconclusive, "an access policy was asked, and no role: the vault does not use roles")
        }
        (403, "ForbiddenByRbac") => {
            (Reason::Inconclusive, "a role was asked about, which a call without a token does not reach")
        }
        (403, _) => (Reason::Inconclusive, "without an inner code it may be the network or a role that refused"),
        (404, _) => (Reason::Inconclusive, "there is no such secret: probe one that is there"),
        _ => (Reason::ValueUnknown, "that is no answer that this version knows"),
    };
    on.not_evaluated(reason, format!("{}{}: {why}", says(probe, call), identity(call)))
}

#[cfg(test)]
pub(super) mod testing {
    //! A vault `kv` with a log, and records of probes of it.

    use serde_json::{Value, json};

    use crate::check::logs::testing::{count, logged, row};
    use crate::check::testing::{base, findings_declared, only, patched};
    use crate::check::{Check, Finding};
    use crate::evidence::testing::CaptureBuilder;

    /// Name of the record in [`record`].
    pub const FILE: &str = "probes/kv-20260818.140000.toml";
    /// Object id of the identity without a role.
    pub const WITHOUT: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    /// Object id of the identity with one.
    pub const WITH: &str = "aaaaaaaa-0000-0000-0000-000000000002";

    /// The record that the script writes where all is as it should be; each text is replaced by the one beside it.
    pub fn record(replaced: &[(&str, &str)]) -> String {
        let text = r#"vault = "https://kv.vault.azure.net"
secret = "https://kv.vault.azure.net/secrets/canary"
person = "Grace"
client = "tickmark-probe/20260818.140000.812"

[without_token]
at = "2026-08-18T14:00:00Z"
status = 401
code = "Unauthorized"
client_request_id = "cccccccc-0000-4000-8000-000000000001"
authorization = "https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111"
resource = "https://vault.azure.net"

[without_role]
at = "2026-08-18T14:00:01Z"
status = 403
code = "Forbidden"
inner_code = "ForbiddenByRbac"
client_request_id = "cccccccc-0000-4000-8000-000000000002"

[without_role.token]
oid = "aaaaaaaa-0000-0000-0000-000000000001"

[with_role]
at = "2026-08-18T14:00:02Z"
status = 200
client_request_id = "cccccccc-0000-4000-8000-000000000003"
id = "https://kv.vault.azure.net/secrets/canary/0123456789abcdef0123456789abcdef"
length = 36

[with_role.token]
oid = "aaaaaaaa-0000-0000-0000-000000000002"
"#;
        replaced.iter().fold(text.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        })
    }

    /// What a check finds by the record, each text in it replaced by the one beside it.
    pub fn by_record(check: &'static Check, replaced: &[(&str, &str)]) -> Finding {
        only(&findings_declared(check, probed(&[]), &[(FILE, &record(replaced))])).clone()
    }

    /// The rows that the three calls leave in the log.
    pub fn rows() -> Vec<Value> {
        let of_probe = |row: Value, number: u8| {
            let id = format!("cccccccc-0000-4000-8000-00000000000{number}");
            patched(
                row,
                &json!({"CorrelationId": id, "ClientInfo": "tickmark-probe/20260818.140000.812",
                "RequestUri": "https://kv.vault.azure.net/secrets/canary?api-version=7.4"}),
            )
        };
        let refused = json!({"IsRbacAuthorized": false});
        vec![
            of_probe(row("2026-08-18T14:00:00.3Z", "Authentication", 401, None), 1),
            of_probe(patched(row("2026-08-18T14:00:01.2Z", "SecretGet", 403, Some(WITHOUT)), &refused), 2),
            of_probe(row("2026-08-18T14:00:02.1Z", "SecretGet", 200, Some(WITH)), 3),
        ]
    }

    /// The vault with these rows in its log, and a read of another day.
    pub fn probed(rows: &[Value]) -> CaptureBuilder {
        let mut all = vec![row("2026-07-01T08:00:00Z", "SecretGet", 200, Some(WITH))];
        all.extend_from_slice(rows);
        logged(base(), &all, &[count("2026-07-01", 30, 1), count("2026-08-18", 30, rows.len() as u64)])
    }
}
