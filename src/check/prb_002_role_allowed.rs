//! An identity with a role reads the secret.

use super::probes::{BY_RECORD, identity, of_calls, says, unclear};
use super::{Check, Facts, Finding, Nature, Severity, population};
use crate::evidence::{Kind, Reason};

pub(super) const CHECK: Check = Check {
    id: "PRB-002",
    title: "With a role, the secret is read (200)",
    severity: Severity::Medium,
    nature: Nature::Operating,
    asks: "The call with a token of an identity that has a role, in every record of a probe of the period \
           (`probes/*.toml`). It passes where the record says 200 and names the version of the canary that was read, and \
           fails where a role was asked about and the answer is 403 `ForbiddenByRbac`. It is what makes a refusal of \
           others telling: the same secret, by the same way, is there and can be read. Without such a record it awaits a \
           person.",
    blind_to: "It is what the record says: tickmark did not make the call, and PRB-004 shows whether the vault's own log \
               agrees. Which role it was; vaults that no record is about. Of the value it knows its length alone.",
    fix: "A role that was given minutes ago is not yet in force everywhere: probe again after ten. Else look at what the \
          identity holds: `tickmark access --vault <vault> --why <object id>`. To probe: \
          `tickmark probe --vault <vault> --secret <canary> --out probe.sh`.",
    needs: &[population(Kind::Vaults)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let wanted = "a call with a role";
    of_calls(
        facts,
        wanted,
        |probe| probe.with_role.as_ref(),
        |on, probe, call| {
            let told = format!("{}{}", says(probe, call), identity(call));
            let inner = call.inner_code.as_ref().map(|code| code.as_str());
            match (call.status, inner, &call.id) {
                (200, _, Some(id)) if id.is_below(&probe.secret) => on.pass(format!("{told}; {BY_RECORD}")),
                (200, _, _) => on.not_evaluated(
                    Reason::Inconclusive,
                    format!("{told}, and does not name a version of `{}` as what was read", probe.secret.as_str()),
                ),
                (403, Some("ForbiddenByRbac"), _) => on.fail(format!("{told}: the role did not let it in")),
                _ => unclear(on, probe, call),
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::check::probes::testing::{by_record, probed};
    use crate::check::testing::{base, findings_of, only};
    use crate::check::{Finding, Outcome};
    use crate::evidence::Reason;

    fn judged(replaced: &[(&str, &str)]) -> Finding {
        by_record(&CHECK, replaced)
    }

    #[test]
    fn a_read_of_the_canary_passes() {
        let finding = judged(&[]);
        assert_eq!(finding.outcome(), Outcome::Pass);
        assert!(finding.because().contains("was answered 200, to the object id"), "{}", finding.because());
    }

    #[test]
    fn a_refusal_by_rbac_fails() {
        let finding = judged(&[("status = 200", "status = 403\ninner_code = \"ForbiddenByRbac\"")]);
        assert_eq!(finding.outcome(), Outcome::Fail);
    }

    #[test]
    fn a_read_of_something_else_and_other_answers_show_nothing() {
        let version = "https://kv.vault.azure.net/secrets/canary/0123456789abcdef0123456789abcdef";
        let nothing = format!("id = \"{version}\"\n");
        for (from, to, reason) in [
            (version, "https://kv.vault.azure.net/secrets/canary2/1", Reason::Inconclusive),
            (nothing.as_str(), "", Reason::Inconclusive),
            ("status = 200", "status = 403\ninner_code = \"ForbiddenByFirewall\"", Reason::Inconclusive),
            ("status = 200", "status = 404", Reason::Inconclusive),
            ("status = 200", "status = 0", Reason::Unavailable),
            ("status = 200", "status = 429", Reason::Unavailable),
        ] {
            assert_eq!(judged(&[(from, to)]).reason(), Some(reason), "{to}");
        }
    }

    #[test]
    fn without_a_record_it_awaits_a_person_and_without_a_vault_it_does_not_apply() {
        assert_eq!(only(&findings_of(&CHECK, probed(&[]))).outcome(), Outcome::Manual);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
