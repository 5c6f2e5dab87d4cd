//! Custom roles that take in all of Key Vault by a wildcard.

use super::readers::listed;
use super::{Check, Facts, Finding, Nature, Severity, about, population};
use crate::evidence::{Kind, Reason};
use crate::model::{Id, RoleDefinition};

/// What every action on a vault or on what it holds begins with, lower case.
const VAULTS: &str = "microsoft.keyvault/vaults/";

pub(super) const CHECK: Check = Check {
    id: "RBAC-008",
    title: "Custom roles take in Key Vault without broad wildcards",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "The actions and data actions of every custom role, in any case. A pattern is broad when its wildcard takes \
           in vaults as a whole: `*`, `Microsoft.KeyVault/*`, `Microsoft.KeyVault/vaults/*`, and `*/write` or \
           `*/action` as well. What `notActions` takes away is not set against it, because every action that is \
           added later is granted. Patterns that end in `/read` only see, and are not broad, except `*/read` as a \
           data action.",
    blind_to: "Who holds the role (the other RBAC checks read that), broad wildcards over other services, wide built-in \
               roles such as Owner, and narrower wildcards such as `Microsoft.KeyVault/vaults/secrets/*`, which \
               RBAC-001 judges where a workload holds them.",
    fix: "List the actions that are needed: `az role definition update --role-definition role.json`, with \
          `Microsoft.KeyVault/vaults/secrets/getSecret/action` in `dataActions` to read secrets (Terraform: \
          `azurerm_role_definition`, block `permissions`). A role that nobody needs: `az role definition delete`.",
    needs: &[population(Kind::RoleDefinitions)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.role_definitions.values().filter_map(judge).collect()
}

/// None for a built-in role.
fn judge(role: &RoleDefinition) -> Option<Finding> {
    let is_of_type = |name: &str| role.role_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case(name));
    if is_of_type("BuiltInRole") {
        return None;
    }
    let on = about("role_definition", &Id::new(role.guid.clone()), &role.name, &role.from);
    let broad = broad_patterns(role);
    if broad.is_empty() {
        return Some(on.pass("no pattern in it takes in vaults as a whole"));
    }
    let said = format!("it permits {}, which takes in vaults as a whole", listed(broad));
    if is_of_type("CustomRole") {
        return Some(on.fail(said));
    }
    let kind = role.role_type.as_deref().unwrap_or("not told");
    Some(on.not_evaluated(Reason::ValueUnknown, format!("{said}; whether the role is a custom one is {kind}")))
}

fn broad_patterns(role: &RoleDefinition) -> Vec<String> {
    let mut broad = Vec::new();
    for entry in &role.permissions {
        let actions = entry.actions.iter().filter(|pattern| is_broad(pattern) && !only_sees(pattern));
        broad.extend(actions.map(|pattern| format!("`{pattern}` in actions")));
        let is_all_reading = |pattern: &str| pattern.eq_ignore_ascii_case("*/read");
        let data = entry.data_actions.iter().filter(|pattern| is_broad(pattern));
        let data = data.filter(|pattern| !only_sees(pattern) || is_all_reading(pattern));
        broad.extend(data.map(|pattern| format!("`{pattern}` in data actions")));
    }
    broad
}

/// Whether nothing before the first wildcard is narrower than a vault.
fn is_broad(pattern: &str) -> bool {
    let pattern = pattern.to_lowercase();
    pattern.split_once('*').is_some_and(|(before, _)| VAULTS.starts_with(before))
}

fn only_sees(pattern: &str) -> bool {
    pattern.to_lowercase().ends_with("/read")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::testing::{SUB, base, findings_of, list, only, patched, role_json};
    use crate::check::{Finding, Outcome};
    use crate::evidence::{Kind, Reason};

    const GUID: &str = "ffffffff-0000-0000-0000-000000000001";

    fn custom(actions: &[&str], data_actions: &[&str]) -> Value {
        patched(role_json(GUID, "Helper", actions, data_actions), &json!({"properties": {"type": "CustomRole"}}))
    }

    fn judged(role: Value) -> Finding {
        only(&findings_of(&CHECK, base().replace(Kind::RoleDefinitions, SUB, list([role])))).clone()
    }

    #[test]
    fn named_actions_and_narrow_wildcards_pass() {
        for (actions, data) in [
            (vec!["Microsoft.KeyVault/vaults/read"], vec!["Microsoft.KeyVault/vaults/secrets/getSecret/action"]),
            (vec!["*/read"], vec!["Microsoft.KeyVault/vaults/*/read"]),
            (vec!["Microsoft.Storage/*"], vec!["Microsoft.KeyVault/vaults/secrets/*"]),
            (vec!["Microsoft.KeyVaultOther/*"], vec![]),
        ] {
            assert_eq!(judged(custom(&actions, &data)).outcome(), Outcome::Pass, "{actions:?} {data:?}");
        }
    }

    #[test]
    fn a_wildcard_over_vaults_fails_in_either_list_and_any_case() {
        for pattern in
            ["*", "Microsoft.KeyVault/*", "MICROSOFT.KEYVAULT/VAULTS/*", "*/write", "*/action", "Microsoft.*"]
        {
            let finding = judged(custom(&[pattern], &[]));
            assert_eq!(finding.outcome(), Outcome::Fail, "{pattern}");
            assert!(finding.because().contains(&format!("`{pattern}` in actions")), "{}", finding.because());
            assert_eq!(judged(custom(&[], &[pattern])).outcome(), Outcome::Fail, "{pattern}");
        }
        assert_eq!(judged(custom(&[], &["*/read"])).outcome(), Outcome::Fail, "reads the data of every service");
    }

    #[test]
    fn what_is_taken_away_is_not_set_against_it_and_every_entry_counts() {
        let entry = |actions: &[&str], not: &[&str]| json!({"actions": actions, "notActions": not, "dataActions": []});
        let entries =
            [entry(&["Microsoft.Storage/storageAccounts/read"], &[]), entry(&["*"], &["Microsoft.KeyVault/*"])];
        let role = patched(custom(&[], &[]), &json!({"properties": {"permissions": entries}}));
        assert_eq!(judged(role).outcome(), Outcome::Fail);
    }

    #[test]
    fn a_role_of_a_type_that_is_not_told_is_not_evaluated_when_it_is_broad() {
        let untold =
            |actions: &[&str]| patched(role_json(GUID, "Helper", actions, &[]), &json!({"properties": {"type": null}}));
        assert_eq!(judged(untold(&["*"])).reason(), Some(Reason::ValueUnknown));
        assert_eq!(judged(untold(&[])).outcome(), Outcome::Pass);
    }

    #[test]
    fn a_list_that_was_not_read_is_not_evaluated() {
        let roles = base().replace(Kind::RoleDefinitions, SUB, list([custom(&["*"], &[])]));
        let findings = findings_of(&CHECK, roles.denied(Kind::RoleDefinitions, SUB));
        assert_eq!(only(&findings).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn built_in_roles_alone_are_not_applicable() {
        let owner = judged(role_json(GUID, "Owner", &["*"], &[]));
        assert_eq!(owner.outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
