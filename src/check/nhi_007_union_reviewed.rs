//! What several identities on one host add up to.

use std::collections::BTreeSet;

use super::logs::as_open;
use super::people::People;
use super::readers::listed;
use super::registered::Registered;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population, whole};
use crate::access::{Answer, Capability, HostReach, Open, Reached, union};
use crate::evidence::{Cite, Kind, Reason};

pub(super) const CHECK: Check = Check {
    id: "NHI-007",
    title: "What a host with several identities reaches is within their approved profiles",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "For every resource that carries more than one managed identity, everything that code on it can do in vaults \
           as any of them, by effective rights. Each identity must stay within `may` of its row in \
           `registers/identities.toml`; more is an exception. Where a row or its `may` is missing, the union awaits a \
           person. The report shows what each identity alone gives, and so what a split would take away.",
    blind_to: "Rights outside vaults, access that the code has without an identity, and whether the identities were \
               meant to stand on one host at all: any code there can act as each of them.",
    fix: "Move the workloads apart: a host and an identity for each (`az vm identity remove --identities ID`), or take \
          away what is not needed: `az role assignment delete --ids <assignment id>`. What is meant goes into `may` of \
          `registers/identities.toml`.",
    needs: &[
        population(Kind::Resources),
        population(Kind::VirtualMachines),
        population(Kind::ScaleSets),
        population(Kind::Sites),
        population(Kind::SiteSlots),
        population(Kind::ContainerApps),
        population(Kind::ManagedClusters),
        population(Kind::DataFactories),
        population(Kind::AutomationAccounts),
        population(Kind::LogicApps),
        whole(Kind::Vaults),
        whole(Kind::Subscriptions),
        whole(Kind::ManagementGroups),
        whole(Kind::RoleAssignments),
        whole(Kind::RoleDefinitions),
        judged(Kind::DenyAssignments),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::FederatedCredentials),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::GroupMembers),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let registered = Registered::of(facts, &people);
    let found = union(facts.tenant, facts.access);
    let several = found.iter().filter(|reach| reach.host.identities.len() > 1);
    several.map(|reach| judge(facts, &people, registered.as_ref(), reach)).collect()
}

fn judge(
    facts: &Facts<'_>,
    people: &People<'_>,
    registered: Option<&Registered<'_>>,
    reach: &HostReach<'_>,
) -> Finding {
    let host = reach.host.resource;
    let evidence: BTreeSet<&Cite> = reach.reached.iter().flat_map(|one| &one.evidence).collect();
    let on = about("workload", &host.id, &host.name, &host.from)
        .citing(reach.host.identities.iter().map(|carried| carried.from))
        .citing(evidence);
    let (mut wider, mut untold, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut open: Option<Open> = None;
    for (place, carried) in reach.host.identities.iter().enumerate() {
        let Some(principal) = &carried.principal_id else {
            let detail = "the object id of one of its identities is not told, so that its rights are not known";
            open.get_or_insert(Open {
                reason: Reason::ValueUnknown,
                detail: detail.to_owned(),
                from: Some(carried.from.clone()),
            });
            continue;
        };
        let name = people.name(principal);
        let Some((may, row)) = registered.and_then(|registered| registered.may(principal)) else {
            untold.push(format!("`{name}` ({})", reaches(reach.given_by(place))));
            continue;
        };
        rows.push(&row.from);
        let beyond: Vec<&Reached> = reach.given_by(place).filter(|one| !may.contains(&one.capability)).collect();
        if beyond.iter().any(|one| one.answer != Answer::NotDetermined) {
            wider.push(format!("`{name}` ({})", reaches(beyond.into_iter())));
        } else if let Some(one) = beyond.first() {
            open.get_or_insert(Open {
                reason: Reason::ValueUnknown,
                detail: format!("whether `{name}` may {} is not determined", one.capability.words()),
                from: one.evidence.first().cloned(),
            });
        }
    }
    let on = on.citing(rows);
    if !wider.is_empty() {
        return on.fail(format!("code on it can do more than the register approves: {}", listed(wider)));
    }
    if let Some(open) = open.or_else(|| facts.access.open_groups().first().cloned()) {
        return on.open(&open);
    }
    if let Some(missing) = facts.tenant.coverage.missing_of_population(Kind::UserAssignedIdentities).first() {
        return on.open(&as_open(missing));
    }
    if !untold.is_empty() {
        return on.manual(format!(
            "code on it can act as each of {} identities, and no register says what these are meant to do, so a person \
             must review it: {}",
            reach.host.identities.len(),
            listed(untold)
        ));
    }
    on.pass(format!("each of its {} identities stays within its row", reach.host.identities.len()))
}

/// `read secret values in kv/secrets/db, …`.
fn reaches<'a>(reached: impl Iterator<Item = &'a Reached>) -> String {
    let words = |one: &Reached| {
        let below = one.object.shown().get(one.vault.shown().len()..).unwrap_or_default();
        format!("{} in `{}{below}`", one.capability.words(), one.vault.name())
    };
    // listing follows from reading
    let words: Vec<String> = reached.filter(|one| one.capability != Capability::ListSecrets).map(words).collect();
    if words.is_empty() { "nothing in vaults".to_owned() } else { listed(words) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::check::testing::{
        SECRETS_USER, SUB, about_name, assignment_json, base, findings_declared, findings_of, identity_id,
        identity_json, list, only, resource_json, role_json, vault_id, vault_json,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::Kind;
    use crate::evidence::testing::CaptureBuilder;

    const A: &str = "aaaaaaaa-0000-0000-0000-00000000000a";
    const B: &str = "aaaaaaaa-0000-0000-0000-00000000000b";
    const FILE: &str = "registers/identities.toml";

    /// Two identities on one site; `a` reads the secrets of `kv`.
    fn tenant(identities: &[&str]) -> CaptureBuilder {
        let attached: serde_json::Map<String, serde_json::Value> =
            identities.iter().map(|name| (identity_id(name), json!({}))).collect();
        let identity = json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": attached}});
        let actions = ["Microsoft.KeyVault/vaults/secrets/getSecret/action"];
        let name = "cccccccc-0000-0000-0000-000000000001";
        base()
            .replace(Kind::Vaults, SUB, list([vault_json("kv", &json!({}))]))
            .replace(Kind::Resources, SUB, list([resource_json("Microsoft.Web/sites", "site", &identity)]))
            .replace(
                Kind::UserAssignedIdentities,
                SUB,
                list([identity_json("a", A, &json!({})), identity_json("b", B, &json!({}))]),
            )
            .replace(Kind::RoleDefinitions, SUB, list([role_json(SECRETS_USER, "Reader", &[], &actions)]))
            .replace(
                Kind::RoleAssignments,
                SUB,
                list([assignment_json(name, &vault_id("kv"), SECRETS_USER, A, "ServicePrincipal")]),
            )
    }

    fn row(name: &str, may: &str) -> String {
        format!("[[identity]]\nidentity = \"{}\"\nowner = \"o\"\npurpose = \"p\"\n{may}\n", identity_id(name))
    }

    fn registered(a: &str, b: &str) -> Finding {
        let rows = format!("{}{}", row("a", a), row("b", b));
        about_name(&findings_declared(&CHECK, tenant(&["a", "b"]), &[(FILE, &rows)]), "site").clone()
    }

    #[test]
    fn each_identity_within_its_row_passes_and_more_fails() {
        assert_eq!(registered("may = [\"read_secret\"]", "may = []").outcome(), Outcome::Pass);
        let wider = registered("may = [\"encrypt\"]", "may = []");
        assert_eq!(wider.outcome(), Outcome::Fail);
        assert!(wider.because().ends_with("`a` (read secret values in `kv`)"), "{}", wider.because());
    }

    #[test]
    fn without_a_register_or_a_profile_the_union_awaits_a_person() {
        let finding = only(&findings_of(&CHECK, tenant(&["a", "b"]))).clone();
        assert_eq!(finding.outcome(), Outcome::Manual);
        let says = "`a` (read secret values in `kv`), `b` (nothing in vaults)";
        assert!(finding.because().ends_with(says), "{}", finding.because());
        assert_eq!(registered("may = [\"read_secret\"]", "").outcome(), Outcome::Manual);
    }

    #[test]
    fn what_was_not_read_keeps_no_pass() {
        for kind in [Kind::RoleAssignments, Kind::RoleDefinitions, Kind::Vaults, Kind::UserAssignedIdentities] {
            let findings = findings_of(&CHECK, tenant(&["a", "b"]).denied(kind, SUB));
            assert!(findings.iter().all(|one| one.outcome() == Outcome::NotEvaluated), "{kind:?}: {findings:#?}");
        }
    }

    #[test]
    fn hosts_of_one_identity_are_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, tenant(&["a"]))).outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
