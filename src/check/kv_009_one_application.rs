//! A vault for each application and environment.

use std::collections::{BTreeMap, BTreeSet};

use super::environments::{shown, told};
use super::people::{People, Who};
use super::readers::{listed, unread};
use super::registered::Registered;
use super::registers::{Known, of_rows};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::{Answer, Capability, Unread, hosts};
use crate::declared::{Row, VaultRow};
use crate::evidence::{Cite, Kind};
use crate::model::Vault;

pub(super) const CHECK: Check = Check {
    id: "KV-009",
    title: "A vault serves one application in one environment",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "The application and environment of every vault in `registers/vaults.toml`, beside the environments of the \
           non-human identities that may read its secrets: by their rows in `registers/identities.toml`, their tags \
           `env` and `environment`, and those of the resources that carry them. More than one application, or more \
           than one environment among vault and readers, is an exception, in any case of letters. Without the register \
           of vaults a person must say which application it is.",
    blind_to: "Two words for one environment, whether tags and rows are true, environments of people, and two \
               applications that use one identity.",
    fix: "Make a vault for each application and environment (`az keyvault create`), move the secrets and the roles, and \
          name it in `registers/vaults.toml`. Tag what belongs together: `az tag update --operation merge`.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::RoleEligibilityScheduleInstances),
        judged(Kind::DenyAssignments),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::FederatedCredentials),
        judged(Kind::ManagedClusters),
        judged(Kind::Resources),
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
        judged(Kind::GroupEligibilities),
    ],
    run,
};

/// What hides a reader when it was not read.
const MATTERS: &[Unread] = &[Unread::Scope, Unread::ManagementGroups, Unread::Members, Unread::Definition];

/// Environments of each non-human identity, and the records that tell them.
type Environments<'a> = BTreeMap<String, (BTreeSet<String>, BTreeSet<&'a Cite>)>;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let found = hosts(facts.tenant);
    let mut environments: Environments<'_> = BTreeMap::new();
    for host in &found {
        for principal in host.identities.iter().filter_map(|carried| carried.principal_id.as_ref()) {
            add(&mut environments, principal, told(&host.resource.tags), &host.resource.from);
        }
    }
    for identity in &facts.tenant.user_assigned {
        if let Some(principal) = &identity.principal_id {
            add(&mut environments, principal, told(&identity.tags), &identity.from);
        }
    }
    let registered = Registered::of(facts, &people);
    let rows = registered.iter().flat_map(|registered| {
        let named = people.non_human().filter_map(|person| Some((person.id.clone(), registered.row(&person.id)?)));
        named.collect::<Vec<_>>()
    });
    for (principal, row) in rows {
        if let Some(environment) = &row.says.environment {
            add(&mut environments, &principal, [environment.as_str().to_lowercase()].into(), &row.from);
        }
    }
    let mut findings: Vec<Finding> =
        facts.tenant.vaults.iter().map(|vault| judge(facts, &people, &environments, vault)).collect();
    if let Some(register) = &facts.declared.registers.vaults {
        findings.extend(of_rows(facts, register, |row| row.vault.shown().to_owned(), |row| known(facts, &row.says)));
    }
    findings
}

fn add<'a>(environments: &mut Environments<'a>, principal: &str, told: BTreeSet<String>, from: &'a Cite) {
    if !told.is_empty() {
        let entry = environments.entry(principal.to_lowercase()).or_default();
        entry.0.extend(told);
        entry.1.insert(from);
    }
}

fn judge(facts: &Facts<'_>, people: &People<'_>, environments: &Environments<'_>, vault: &Vault) -> Finding {
    let register = facts.declared.registers.vaults.as_ref();
    let rows: Vec<&Row<VaultRow>> = register
        .into_iter()
        .flat_map(|register| register.in_force(facts.tenant.collected_at))
        .filter(|row| row.says.vault.is(&vault.id))
        .collect();
    let mut on = about("vault", &vault.id, &vault.name, &vault.from)
        .citing(register.map(|register| &register.from))
        .citing(rows.iter().map(|row| &row.from));
    let applications: BTreeSet<String> = rows.iter().map(|row| row.says.application.as_str().to_lowercase()).collect();
    if applications.len() > 1 {
        return on.fail(format!("rows of the register name several applications: {}", shown(&applications)));
    }
    let mut all: BTreeSet<String> = told(&vault.tags);
    all.extend(rows.iter().map(|row| row.says.environment.as_str().to_lowercase()));
    let (mut named, mut untold) = (Vec::new(), Vec::new());
    for grant in facts.access.can(&vault.id, Capability::ReadSecret) {
        let Who::Known(person) = people.who(&grant.principal_id) else { continue };
        if grant.answer == Answer::Denied || !person.kind.is_non_human() {
            continue;
        }
        match environments.get(&person.id) {
            Some((own, from)) => {
                all.extend(own.iter().cloned());
                named.push(format!("`{}` ({})", person.name, shown(own)));
                on = on.citing(from.iter().copied());
                on = on.citing(grant.paths.iter().flat_map(|path| path.evidence()));
            }
            None => untold.push(format!("`{}`", person.name)),
        }
    }
    if all.len() > 1 {
        let readers = if named.is_empty() { String::new() } else { format!(", with these readers: {}", listed(named)) };
        return on.fail(format!("several environments meet in it: {}{readers}", shown(&all)));
    }
    if register.is_some() && rows.is_empty() {
        return on.fail("`registers/vaults.toml` has no row in force for it");
    }
    if let Some(open) = unread(facts, vault, MATTERS) {
        return on.open(&open);
    }
    let Some(application) = applications.first() else {
        return on.manual(format!(
            "no register says which application it serves, so a person must; its environment is {}",
            if all.is_empty() { "not told".to_owned() } else { shown(&all) }
        ));
    };
    if !untold.is_empty() {
        return on.manual(format!(
            "it serves `{application}` in {}, and nothing says to which environment some readers belong: {}",
            shown(&all),
            listed(untold)
        ));
    }
    on.pass(format!("it serves `{application}` in {}, and so do its readers: {}", shown(&all), named.len()))
}

/// Whether what a row names is there.
fn known(facts: &Facts<'_>, row: &VaultRow) -> Known {
    if facts.tenant.vaults.iter().any(|vault| row.vault.is(&vault.id)) {
        return Known::Matches;
    }
    let missing = facts.tenant.coverage.missing_of_population(Kind::Vaults).into_iter().next();
    missing.map_or_else(|| Known::Unknown(format!("there is no vault `{}`", row.vault.shown())), Known::NotTold)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CHECK;
    use crate::check::testing::{
        SECRETS_USER, SUB, about_name, assignment_json, base, findings_declared, findings_of, identity_id,
        identity_json, list, only, resource_json, role_json, vault_id, vault_json,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const A: &str = "aaaaaaaa-0000-0000-0000-00000000000a";
    const FILE: &str = "registers/vaults.toml";

    /// A vault with these tags, read by an identity on a site with those.
    fn tenant(vault: &Value, site: &Value) -> CaptureBuilder {
        let identity = json!({"tags": site,
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id("a"): {}}}});
        let actions = ["Microsoft.KeyVault/vaults/secrets/getSecret/action"];
        let name = "cccccccc-0000-0000-0000-000000000001";
        base()
            .replace(Kind::Vaults, SUB, list([vault_json("kv", &json!({"tags": vault}))]))
            .replace(Kind::Resources, SUB, list([resource_json("Microsoft.Web/sites", "site", &identity)]))
            .replace(Kind::UserAssignedIdentities, SUB, list([identity_json("a", A, &json!({}))]))
            .replace(Kind::RoleDefinitions, SUB, list([role_json(SECRETS_USER, "Reader", &[], &actions)]))
            .replace(
                Kind::RoleAssignments,
                SUB,
                list([assignment_json(name, &vault_id("kv"), SECRETS_USER, A, "ServicePrincipal")]),
            )
    }

    fn row(vault: &str, application: &str) -> String {
        format!("[[vault]]\nvault = \"{vault}\"\napplication = \"{application}\"\nenvironment = \"Prod\"\n")
    }

    fn judged(builder: CaptureBuilder, rows: &str) -> Finding {
        about_name(&findings_declared(&CHECK, builder, &[(FILE, rows)]), "kv").clone()
    }

    #[test]
    fn one_application_and_one_environment_pass() {
        let finding = judged(tenant(&json!({}), &json!({"env": "PROD"})), &row("kv", "billing"));
        assert_eq!(finding.outcome(), Outcome::Pass, "{}", finding.because());
    }

    #[test]
    fn a_reader_from_another_environment_fails() {
        let finding = judged(tenant(&json!({}), &json!({"env": "dev"})), &row("kv", "billing"));
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().ends_with("`dev`, `prod`, with these readers: `a` (`dev`)"), "{}", finding.because());
        let by_tags = only(&findings_of(&CHECK, tenant(&json!({"env": "prod"}), &json!({"env": "dev"})))).clone();
        assert_eq!(by_tags.outcome(), Outcome::Fail, "without a register the tags are enough to see it");
        let identity =
            format!("[[identity]]\nidentity = \"{A}\"\nowner = \"o\"\npurpose = \"p\"\nenvironment = \"Test\"\n");
        let builder = tenant(&json!({"env": "prod"}), &json!({}));
        let by_row = findings_declared(&CHECK, builder, &[("registers/identities.toml", &identity)]);
        assert_eq!(about_name(&by_row, "kv").outcome(), Outcome::Fail);
    }

    #[test]
    fn two_applications_or_no_row_fail() {
        let builder = || tenant(&json!({}), &json!({"env": "prod"}));
        let two = format!("{}{}", row("kv", "billing"), row(&vault_id("kv"), "payroll"));
        assert_eq!(judged(builder(), &two).outcome(), Outcome::Fail);
        assert_eq!(judged(builder(), "").outcome(), Outcome::Fail);
    }

    #[test]
    fn what_is_not_told_awaits_a_person() {
        let untagged = tenant(&json!({}), &json!({}));
        assert_eq!(only(&findings_of(&CHECK, untagged.clone())).outcome(), Outcome::Manual, "no register");
        let finding = judged(untagged, &row("kv", "billing"));
        assert_eq!(finding.outcome(), Outcome::Manual);
        assert!(finding.because().ends_with("some readers belong: `a`"), "{}", finding.because());
    }

    #[test]
    fn what_was_not_read_keeps_no_pass_and_no_list() {
        for (kind, scope) in [(Kind::RoleAssignments, "/"), (Kind::RoleDefinitions, SUB)] {
            let denied = || tenant(&json!({}), &json!({"env": "prod"})).denied(kind, scope);
            assert_eq!(judged(denied(), &row("kv", "billing")).outcome(), Outcome::NotEvaluated, "{kind:?}");
            assert_eq!(only(&findings_of(&CHECK, denied())).reason(), Some(Reason::Forbidden), "{kind:?}");
        }
    }

    #[test]
    fn a_row_of_no_vault_fails_and_no_vault_is_not_applicable() {
        let findings = findings_declared(&CHECK, base(), &[(FILE, &row("kv-gone", "billing"))]);
        assert_eq!(only(&findings).outcome(), Outcome::Fail);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
