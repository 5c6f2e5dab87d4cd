//! From where workloads' right to read secrets comes.

use std::collections::BTreeMap;

use super::people::{People, Person, Who, about_access, and_more};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population, whole};
use crate::access::{Answer, Capability, Grant, Path, Via};
use crate::evidence::Kind;
use crate::model::{Missing, PrincipalKind, Vault};

pub(super) const CHECK: Check = Check {
    id: "RBAC-002",
    title: "Non-human identities read secrets by roles at the vault or narrower",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every vault in RBAC mode, each path by which a managed identity or service principal may read secret \
           values. A path that comes from a resource group, subscription, management group or the tenant root is an \
           exception, because it reaches every vault below, present and future.",
    blind_to: "Vaults in access-policy mode, where the policies sit on the vault itself; roles that are eligible and \
               not active; whether one vault serves several applications.",
    fix: "Assign the same role at the vault with `az role assignment create --role 4633458b-17de-408a-b874-0445c86b69e6 \
          --assignee-object-id <object id> --assignee-principal-type ServicePrincipal --scope <vault id>`, then delete \
          the inherited assignment. In Bicep, set `scope: vault` on the role assignment.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        whole(Kind::Principals),
        judged(Kind::GroupMembers),
        judged(Kind::DenyAssignments),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let vaults = facts.tenant.vaults.iter().filter(|vault| vault.is_rbac());
    vaults.flat_map(|vault| of_vault(facts, &people, vault)).collect()
}

fn of_vault(facts: &Facts<'_>, people: &People<'_>, vault: &Vault) -> Vec<Finding> {
    let grants: Vec<Grant> = facts.access.can(&vault.id, Capability::ReadSecret);
    let mut paths_of: BTreeMap<&str, Vec<&Path>> = BTreeMap::new();
    for grant in &grants {
        // What must be activated first is not looked at here, and what is denied for certain gives nothing.
        let counts = |path: &&Path| !matches!(path.answer, Answer::Eligible | Answer::Denied);
        let paths: Vec<&Path> = grant.paths.iter().map(AsRef::as_ref).filter(counts).collect();
        if !paths.is_empty() {
            paths_of.entry(&grant.principal_id).or_default().extend(paths);
        }
    }
    let mut broad = paths_of.iter().filter(|(_, paths)| paths.iter().any(|path| is_broad(vault, path)));
    let hidden = broad.find_map(|(principal, _)| people.hidden_members(principal));
    let mut findings = Vec::new();
    for (principal, paths) in &paths_of {
        if let Who::Known(person) = people.who(principal)
            && person.kind.is_non_human()
        {
            findings.push(judge(facts, vault, person, paths, hidden.as_ref()));
        }
    }
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    // A group that reads by a narrow path is no exception, but who is in it is not known.
    let hidden = hidden.or_else(|| {
        paths_of.keys().find_map(|holder| people.hidden_members(holder).or_else(|| people.unjudged(holder)))
    });
    if let Some(hidden) = hidden {
        findings.push(on.missing(&hidden));
    } else if findings.is_empty() {
        let lists = facts.records_of(Kind::RoleAssignments);
        findings.push(on.citing(&lists).not_applicable("no non-human identity may read secrets in it"));
    }
    findings
}

fn judge(facts: &Facts<'_>, vault: &Vault, person: &Person, paths: &[&Path], hidden: Option<&Missing>) -> Finding {
    let on = about_access(vault, person);
    let evidence = |path: &Path| facts.access.evidence(&vault.id, path);
    let broad: Vec<&Path> = paths.iter().copied().filter(|path| is_broad(vault, path)).collect();
    let settled: Vec<&Path> = broad.iter().copied().filter(|path| path.open.is_none()).collect();
    if let Some(first) = settled.first() {
        let on = settled.iter().fold(on, |on, path| on.citing(&evidence(path)));
        return on.fail(format!("reads secrets by {}", and_more(&words(first), settled.len())));
    }
    if let Some((path, open)) = broad.iter().find_map(|path| Some((path, path.open.as_ref()?))) {
        return on.citing(&evidence(path)).open(open);
    }
    if let Some(hidden) = hidden {
        return on.missing(hidden);
    }
    let on = paths.iter().fold(on, |on, path| on.citing(&evidence(path)));
    let narrow: Vec<String> = paths.iter().map(|path| words(path)).collect();
    on.pass(format!("reads secrets only by {}", narrow.join(", ")))
}

/// Whether the path comes from above the vault.
fn is_broad(vault: &Vault, path: &Path) -> bool {
    !vault.id.is_at_or_above(&path.scope)
}

fn words(path: &Path) -> String {
    let what = match (path.via.role(), &*path.via) {
        (Some((_, name)), _) => format!("`{name}`"),
        (None, Via::Policy { .. }) => "an access policy".to_owned(),
        (None, _) => "the classic model".to_owned(),
    };
    let groups: Vec<String> = path.through.iter().map(|hop| format!("`{}`", hop.name)).collect();
    match groups.as_slice() {
        [] => format!("{what} at `{}`", path.scope),
        _ => format!("{what} at `{}` through {} {}", path.scope, PrincipalKind::Group.words(), groups.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::roles::testing::{APP, GROUP, ada, holding, member_of};
    use crate::check::testing::{ROOT_GROUP, SECRETS_USER, SUB, base, findings_of, list, only, vault_id, vault_json};
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    fn reading_at(scope: &str) -> CaptureBuilder {
        holding(&[(scope, SECRETS_USER, APP)], &json!({}))
    }

    #[test]
    fn what_may_be_denied_is_not_evaluated_from_above_and_stays_a_pass_at_the_vault() {
        let unread = |scope: &str| judged(reading_at(scope).denied(Kind::DenyAssignments, SUB));
        assert_eq!(unread(SUB).reason(), Some(Reason::Forbidden));
        assert_eq!(unread(&vault_id("kv")).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_role_at_the_vault_or_at_one_secret_passes() {
        for scope in [vault_id("kv"), format!("{}/secrets/db", vault_id("kv"))] {
            let finding = judged(reading_at(&scope));
            assert_eq!((finding.outcome(), finding.subject().name.as_str()), (Outcome::Pass, "kv ← app"));
            assert_eq!(finding.because(), format!("reads secrets only by `Key Vault Secrets User` at `{scope}`"));
        }
    }

    #[test]
    fn a_role_that_is_inherited_fails() {
        for scope in [format!("{SUB}/resourceGroups/rg"), SUB.to_owned(), ROOT_GROUP.to_owned(), "/".to_owned()] {
            let finding = judged(reading_at(&scope));
            assert_eq!(finding.outcome(), Outcome::Fail, "{scope}");
            assert_eq!(finding.because(), format!("reads secrets by `Key Vault Secrets User` at `{scope}`"));
        }
    }

    #[test]
    fn a_role_that_is_inherited_through_a_group_fails() {
        let builder = member_of(holding(&[(SUB, SECRETS_USER, GROUP)], &json!({})), APP);
        let finding = judged(builder);
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().ends_with("through group `readers`"), "{}", finding.because());
    }

    #[test]
    fn a_vault_whose_name_goes_on_is_another_vault() {
        let vaults = ["kv", "kv1"].map(|name| vault_json(name, &json!({})));
        let builder = reading_at(&vault_id("kv")).replace(Kind::Vaults, SUB, list(vaults));
        let outcomes: Vec<Outcome> = findings_of(&CHECK, builder).iter().map(Finding::outcome).collect();
        assert_eq!(outcomes, [Outcome::Pass, Outcome::NotApplicable]);
    }

    #[test]
    fn an_inherited_role_under_a_condition_is_not_evaluated() {
        let finding = judged(holding(&[(SUB, SECRETS_USER, APP)], &json!({"properties": {"condition": "(a)"}})));
        assert_eq!(finding.reason(), Some(Reason::ConditionNotEvaluated));
    }

    #[test]
    fn a_group_that_was_not_read_leaves_the_vault_open() {
        let builder = holding(&[(SUB, SECRETS_USER, GROUP), (&vault_id("kv"), SECRETS_USER, APP)], &json!({}));
        let findings =
            findings_of(&CHECK, builder.gap(Kind::GroupMembers, &format!("group:{GROUP}"), Reason::Forbidden));
        let reasons: Vec<Option<Reason>> = findings.iter().map(Finding::reason).collect();
        assert_eq!(reasons, [Some(Reason::Forbidden), Some(Reason::Forbidden)]);
    }

    #[test]
    fn assignments_that_were_not_read_keep_no_pass() {
        for scope in [ROOT_GROUP, "/"] {
            let finding = judged(reading_at(&vault_id("kv")).denied(Kind::RoleAssignments, scope));
            assert_eq!(finding.reason(), Some(Reason::Forbidden), "{scope}");
        }
        // What was seen stays a fail.
        assert_eq!(judged(reading_at(SUB).denied(Kind::RoleAssignments, "/")).outcome(), Outcome::Fail);
        let nobody = holding(&[], &json!({})).denied(Kind::RoleAssignments, SUB);
        assert_eq!(judged(nobody).outcome(), Outcome::NotEvaluated);
    }

    #[test]
    fn humans_and_vaults_with_access_policies_are_not_in_the_population() {
        let finding = judged(ada(holding(&[(SUB, SECRETS_USER, GROUP)], &json!({}))));
        assert_eq!(finding.outcome(), Outcome::NotApplicable);
        let policies: Value = vault_json("kv", &json!({"properties": {"enableRbacAuthorization": null}}));
        assert_eq!(
            judged(reading_at(SUB).replace(Kind::Vaults, SUB, list([policies]))).outcome(),
            Outcome::NotApplicable
        );
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
    }
}
