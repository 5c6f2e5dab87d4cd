//! Without a token a secret is not read.

use super::probes::{BY_RECORD, of_calls, says, unclear};
use super::{Check, Facts, Finding, Nature, Severity, population};
use crate::evidence::{Kind, Reason};

pub(super) const CHECK: Check = Check {
    id: "PRB-003",
    title: "Without a token, a secret is refused (401) and the client sent for one",
    severity: Severity::Low,
    nature: Nature::Operating,
    asks: "The call without a token, in every record of a probe of the period (`probes/*.toml`). It passes where the \
           record says 401 with a challenge (`WWW-Authenticate`) that names where to get a token and what for, and fails \
           where it says 200. Without such a record it awaits a person.",
    blind_to: "It is what the record says: tickmark did not make the call, and PRB-004 shows whether the vault's own log \
               agrees. Whether the address in the challenge is the directory that you expect is for a person to read. \
               Every vault answers so; it is the other two calls that differ.",
    fix: "A 200 without a token does not come from a vault: find what stands between, such as a proxy that adds a token. \
          To probe: `tickmark probe --vault <vault> --secret <canary> --out probe.sh`.",
    needs: &[population(Kind::Vaults)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let wanted = "a call without a token";
    of_calls(
        facts,
        wanted,
        |probe| probe.without_token.as_ref(),
        |on, probe, call| {
            let told = says(probe, call);
            match (call.status, &call.authorization, &call.resource) {
                (200, _, _) => on.fail(format!("{told}: the secret was read without a token")),
                (401, Some(authorization), Some(resource)) => on.pass(format!(
                    "{told}, and the challenge asks for a token of `{}` for `{}`; {BY_RECORD}",
                    authorization.as_str(),
                    resource.as_str()
                )),
                (401, _, _) => on.not_evaluated(
                    Reason::Inconclusive,
                    format!("{told} without a challenge, as vaults send it: something else may have answered"),
                ),
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
    fn a_challenge_passes_and_is_named() {
        let finding = judged(&[]);
        assert_eq!(finding.outcome(), Outcome::Pass);
        let challenge = "a token of `https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111` for \
            `https://vault.azure.net`";
        assert!(finding.because().contains(challenge), "{}", finding.because());
    }

    #[test]
    fn a_read_without_a_token_fails() {
        assert_eq!(judged(&[("status = 401", "status = 200")]).outcome(), Outcome::Fail);
    }

    #[test]
    fn a_401_without_a_challenge_and_other_answers_show_nothing() {
        let challenge = "resource = \"https://vault.azure.net\"\n";
        for (from, to, reason) in [
            (challenge, "", Reason::Inconclusive),
            ("status = 401", "status = 403\ninner_code = \"ForbiddenByFirewall\"", Reason::Inconclusive),
            ("status = 401", "status = 0", Reason::Unavailable),
            ("status = 401", "status = 407", Reason::ValueUnknown),
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
