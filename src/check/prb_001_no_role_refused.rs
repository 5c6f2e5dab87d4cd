//! A valid token of an identity without a role does not read a secret.

use super::probes::{BY_RECORD, identity, of_calls, says, unclear};
use super::{Check, Facts, Finding, Nature, Severity, population};
use crate::evidence::Kind;

pub(super) const CHECK: Check = Check {
    id: "PRB-001",
    title: "With a token and without a role, a secret is refused (403 by RBAC)",
    severity: Severity::High,
    nature: Nature::Operating,
    asks: "The call with a token of an identity without a role, in every record of a probe of the period (`probes/*.toml`). \
           It passes where the record says 403 with the inner code `ForbiddenByRbac`, and fails where it says 200. A \
           refusal by the network or by an access policy, a token that was itself refused, and a call without an answer \
           show nothing about roles. Without such a record it awaits a person.",
    blind_to: "It is what the record says: tickmark did not make the call, and PRB-004 shows whether the vault's own log \
               agrees. One secret, at one moment, for one identity; vaults that no record is about. That the identity \
               had no role then follows from the answer alone. The vault takes a while to notice that a role was taken \
               away.",
    fix: "Find what let the identity in: `tickmark access --vault <vault> --principal <object id>`, and take that \
          assignment away: `az role assignment delete --ids <assignment id>`. To probe: \
          `tickmark probe --vault <vault> --secret <canary> --out probe.sh`, read it, run it, and keep the record in \
          `probes/`.",
    needs: &[population(Kind::Vaults)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let wanted = "a call with a token and without a role";
    of_calls(
        facts,
        wanted,
        |probe| probe.without_role.as_ref(),
        |on, probe, call| {
            let told = format!("{}{}", says(probe, call), identity(call));
            let inner = call.inner_code.as_ref().map(|code| code.as_str());
            match (call.status, inner) {
                (200, _) => on.fail(format!("{told}: a token alone read the secret")),
                (403, Some("ForbiddenByRbac")) => on.pass(format!("{told}; {BY_RECORD}")),
                _ => unclear(on, probe, call),
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::check::probes::testing::{FILE, by_record, probed, record};
    use crate::check::testing::{base, findings_declared, findings_of, only, outcomes};
    use crate::check::{Finding, Outcome};
    use crate::evidence::{Kind, Reason};

    fn judged(replaced: &[(&str, &str)]) -> Finding {
        by_record(&CHECK, replaced)
    }

    #[test]
    fn a_refusal_by_rbac_passes_and_says_that_a_record_says_so() {
        let finding = judged(&[]);
        assert_eq!(finding.outcome(), Outcome::Pass);
        let because = "by the record of `Grace`, the call of 2026-08-18T14:00:01Z was answered 403 `Forbidden` \
            `ForbiddenByRbac`, to the object id aaaaaaaa-0000-0000-0000-000000000001; PRB-004 shows whether the vault's \
            own log says the same";
        assert_eq!(finding.because(), because);
        assert_eq!(&*finding.subject().name, "kv ← kv-20260818.140000.toml");
        let places: Vec<String> = finding.evidence().iter().map(|cite| cite.place()).collect();
        assert_eq!(places, [format!("declared/{FILE}"), format!("declared/{FILE}#/without_role")]);
    }

    #[test]
    fn a_read_without_a_role_fails() {
        let read = [("status = 403", "status = 200"), ("code = \"Forbidden\"\ninner_code = \"ForbiddenByRbac\"\n", "")];
        let finding = judged(&read);
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().ends_with(": a token alone read the secret"), "{}", finding.because());
    }

    #[test]
    fn other_refusals_and_no_answer_show_nothing_about_roles() {
        let inner = "inner_code = \"ForbiddenByRbac\"\n";
        let status = "status = 403";
        for (from, to, reason) in [
            ("ForbiddenByRbac", "ForbiddenByFirewall", Reason::Inconclusive),
            ("ForbiddenByRbac", "ForbiddenByConnection", Reason::Inconclusive),
            ("ForbiddenByRbac", "AccessDenied", Reason::Inconclusive),
            (inner, "", Reason::Inconclusive),
            (status, "status = 401", Reason::Inconclusive),
            (status, "status = 404", Reason::Inconclusive),
            (status, "status = 0", Reason::Unavailable),
            (status, "status = 503", Reason::Unavailable),
            (status, "status = 302", Reason::ValueUnknown),
        ] {
            assert_eq!(judged(&[(from, to)]).reason(), Some(reason), "{to}");
        }
    }

    #[test]
    fn without_a_record_it_awaits_a_person_and_one_of_another_time_does_not_count() {
        let finding = only(&findings_of(&CHECK, probed(&[]))).clone();
        assert_eq!(finding.outcome(), Outcome::Manual);
        assert!(finding.because().contains("`tickmark probe --vault NAME --secret CANARY`"), "{}", finding.because());
        // before the period, after its end, and after the collection
        for day in ["2026-06-30", "2026-10-01", "2027-01-01"] {
            let findings = findings_declared(&CHECK, probed(&[]), &[(FILE, &record(&[("2026-08-18", day)]))]);
            assert_eq!(outcomes(&findings), [Outcome::NotApplicable, Outcome::Manual], "{day}");
            assert!(findings[0].because().contains("it does not count"), "{}", findings[0].because());
        }
        // one call of three is enough outside
        let across = record(&[("2026-08-18T14:00:00Z", "2026-06-30T23:59:59Z")]);
        let findings = findings_declared(&CHECK, probed(&[]), &[(FILE, &across)]);
        assert_eq!(outcomes(&findings), [Outcome::NotApplicable, Outcome::Manual]);
    }

    #[test]
    fn a_record_without_that_call_is_none_for_it() {
        let text = record(&[]);
        let parts: Vec<&str> = text.split("\n[").collect();
        let without = format!("{}\n[{}", parts[0], parts[1]);
        let finding = only(&findings_declared(&CHECK, probed(&[]), &[(FILE, &without)])).clone();
        assert_eq!(finding.outcome(), Outcome::Manual);
    }

    #[test]
    fn no_vault_is_not_applicable_and_an_unread_list_is_not_evaluated() {
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
        let denied = findings_of(&CHECK, base().denied(Kind::Vaults, crate::check::testing::SUB));
        assert_eq!(only(&denied).reason(), Some(Reason::Forbidden));
    }
}
