//! Who may read secrets against who was approved to.

use super::logs::as_open;
use super::people::People;
use super::readers::{listed, open_of, unread};
use super::registers::{Known, of_rows, principal};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, own, population};
use crate::access::{Answer, Capability, Grant, Path, Unread};
use crate::declared::{Reader, Register, Row};
use crate::evidence::{Cite, Kind};
use crate::model::{Id, Vault};

pub(super) const CHECK: Check = Check {
    id: "RBAC-003",
    title: "Those who may read secrets are those who were approved",
    severity: Severity::Critical,
    nature: Nature::Design,
    asks: "Every principal that may read secret values of a vault, effectively: by roles at any scope above or inside \
           it, through nested groups, by wildcards, by activation, by access policies, minus what is denied; beside \
           the rows of `registers/readers.toml` that are in force. A row approves a principal, or everybody who comes \
           through a group, for a vault or for one secret. A path that no row approves is an exception. Without the \
           register the list of readers is the evidence, and a person must approve it.",
    blind_to: "Whether the approval was rightly given, ways to become a reader (NHI-008, NHI-009, KV-010, RBAC-005), \
               access through a delegation from another tenant, and readers of a copy of the secret.",
    fix: "Take the access away: `az role assignment delete --ids <assignment id>`, in a vault with access policies `az \
          keyvault delete-policy --name VAULT --object-id ID`; or have it approved and add a row to \
          `registers/readers.toml`. `tickmark register suggest` prints the rows of what was found.",
    needs: &[
        population(Kind::Vaults),
        own(Kind::RoleAssignments),
        own(Kind::RoleDefinitions),
        judged(Kind::RoleEligibilityScheduleInstances),
        judged(Kind::RoleAssignmentScheduleInstances),
        judged(Kind::DenyAssignments),
        judged(Kind::Principals),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::UserAssignedIdentities),
        judged(Kind::Resources),
        judged(Kind::VirtualMachines),
        judged(Kind::GroupMembers),
        judged(Kind::GroupAssignments),
        judged(Kind::GroupEligibilities),
    ],
    run,
};

/// What hides a reader when it was not read.
const MATTERS: &[Unread] =
    &[Unread::Scope, Unread::ManagementGroups, Unread::Members, Unread::Definition, Unread::Eligibility];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let register = facts.declared.registers.readers.as_ref();
    let mut findings: Vec<Finding> =
        facts.tenant.vaults.iter().map(|vault| judge(facts, &people, vault, register)).collect();
    if let Some(register) = register {
        let label = |row: &Reader| format!("{} ← {}", row.vault.shown(), row.principal.as_str());
        findings.extend(of_rows(facts, register, label, |row| known(facts, &row.says)));
    }
    findings
}

fn judge(facts: &Facts<'_>, people: &People<'_>, vault: &Vault, register: Option<&Register<Reader>>) -> Finding {
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    let grants: Vec<Grant> = facts.access.can(&vault.id, Capability::ReadSecret);
    let grants: Vec<&Grant> = grants.iter().filter(|grant| grant.answer != Answer::Denied).collect();
    let evidence = |grant: &Grant| -> Vec<Cite> {
        grant.paths.iter().flat_map(|path| facts.access.evidence(&vault.id, path)).collect()
    };
    let Some(register) = register else {
        if let Some(open) = unread(facts, vault, MATTERS) {
            return on.open(&open);
        }
        let on = grants.iter().fold(on, |on, grant| on.citing(&evidence(grant)));
        if grants.is_empty() {
            return on
                .citing(&facts.records_about(Kind::RoleAssignments, &vault.id))
                .not_applicable("nobody may read its secrets");
        }
        let names = grants.iter().map(|grant| words(people, vault, grant, None)).collect();
        return on.manual(format!(
            "no register of approved readers is given, so a person must approve those who may read its secrets: {}",
            listed(names)
        ));
    };
    let rows: Vec<&Row<Reader>> =
        register.in_force(facts.tenant.collected_at).filter(|row| row.says.vault.is(&vault.id)).collect();
    let mut extra: Vec<String> = Vec::new();
    let mut open = None;
    let mut cited: Vec<Cite> = rows.iter().map(|row| row.from.clone()).collect();
    for grant in &grants {
        let paths = grant.paths.iter().filter(|path| path.answer != Answer::Denied);
        let stray: Vec<&Path> = paths
            .filter(|path| !rows.iter().any(|row| approves(row, grant, path, &vault.id)))
            .map(|path| &**path)
            .collect();
        match stray.iter().find(|path| path.answer != Answer::NotDetermined) {
            Some(path) => {
                cited.extend(facts.access.evidence(&vault.id, path));
                extra.push(words(people, vault, grant, Some(path)));
            }
            None => open = open.or_else(|| stray.first().map(|path| open_of(path))),
        }
    }
    let on = on.citing([&register.from]).citing(&cited);
    if !extra.is_empty() {
        return on.fail(format!("may read its secrets, and no row in force approves it: {}", listed(extra)));
    }
    if let Some(open) = open.or_else(|| unread(facts, vault, MATTERS)) {
        return on.open(&open);
    }
    // what a stranger is was not said; that a row approves it is enough, unless it may be many
    if let Some(missing) = grants.iter().find_map(|grant| people.unjudged(&grant.principal_id)) {
        return on.open(&as_open(&missing));
    }
    let on = grants.iter().fold(on, |on, grant| on.citing(&evidence(grant)));
    match grants.len() {
        0 => on
            .citing(&facts.records_about(Kind::RoleAssignments, &vault.id))
            .not_applicable("nobody may read its secrets"),
        readers => on.pass(format!("each of those who may read its secrets is approved by a row: {readers}")),
    }
}

/// Whether a row approves one path of a grant: it names the principal or a group on the path, and the whole vault or
/// the one secret that is granted.
fn approves(row: &Row<Reader>, grant: &Grant, path: &Path, vault: &Id) -> bool {
    let principal = row.says.principal.as_str();
    let is_named = *grant.principal_id == *principal || path.through.iter().any(|hop| hop.group_id == principal);
    let is_within = match &row.says.secret {
        None => true,
        Some(secret) => grant.object != *vault && grant.object.name().eq_ignore_ascii_case(secret.as_str()),
    };
    is_named && is_within
}

fn words(people: &People<'_>, vault: &Vault, grant: &Grant, path: Option<&Path>) -> String {
    let of = if grant.object == vault.id { String::new() } else { format!(" (`{}` alone)", grant.object.name()) };
    let best = path.or_else(|| grant.paths.iter().min_by_key(|path| path.answer).map(|path| &**path));
    let by = best.map(|path| format!(" by {}", path.words())).unwrap_or_default();
    format!("`{}`{of}{by}", people.name(&grant.principal_id))
}

/// Whether what a row names is there.
fn known(facts: &Facts<'_>, row: &Reader) -> Known {
    let Some(vault) = facts.tenant.vaults.iter().find(|vault| row.vault.is(&vault.id)) else {
        let missing = facts.tenant.coverage.missing_of_population(Kind::Vaults).into_iter().next();
        let unknown = || Known::Unknown(format!("there is no vault `{}`", row.vault.shown()));
        return missing.map_or_else(unknown, Known::NotTold);
    };
    let reads = facts.access.can(&vault.id, Capability::ReadSecret).into_iter().any(|grant| {
        let is_named = |path: &std::sync::Arc<Path>| {
            *grant.principal_id == *row.principal.as_str()
                || path.through.iter().any(|hop| hop.group_id == row.principal.as_str())
        };
        let is_of = row
            .secret
            .as_ref()
            .is_none_or(|secret| grant.object == vault.id || grant.object.name().eq_ignore_ascii_case(secret.as_str()));
        is_of && grant.paths.iter().any(is_named)
    });
    match (reads, principal(facts, row.principal.as_str())) {
        (true, _) => Known::Matches,
        (false, Known::Matches) => {
            Known::Unused(format!("`{}` may read nothing of `{}`", row.principal.as_str(), vault.name))
        }
        (false, other) => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CHECK;
    use crate::check::roles::testing::{ADA, APP, GROUP, ada, holding, member_of};
    use crate::check::testing::{
        SECRETS_USER, SUB, about_name, base, findings_declared, findings_of, list, only, vault_id,
    };
    use crate::check::{Finding, Outcome};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const FILE: &str = "registers/readers.toml";

    fn row(principal: &str, more: &str) -> String {
        format!("[[reader]]\nvault = \"KV\"\nprincipal = \"{principal}\"\nreason = \"r\"\napprover = \"a\"\n{more}\n")
    }

    fn reading() -> CaptureBuilder {
        holding(&[(&vault_id("kv"), SECRETS_USER, APP)], &json!({}))
    }

    fn of_vault(builder: CaptureBuilder, register: &str) -> Finding {
        about_name(&findings_declared(&CHECK, builder, &[(FILE, register)]), "kv").clone()
    }

    #[test]
    fn an_approved_reader_passes_and_cites_its_row() {
        let finding = of_vault(reading(), &row(APP, ""));
        assert_eq!(finding.outcome(), Outcome::Pass);
        let places: Vec<String> = finding.evidence().iter().map(|cite| cite.place()).collect();
        assert!(places.contains(&format!("declared/{FILE}#/reader/0")), "{places:?}");
    }

    #[test]
    fn a_reader_whom_no_row_approves_fails() {
        let finding = of_vault(reading(), "");
        assert_eq!(finding.outcome(), Outcome::Fail);
        assert!(finding.because().contains("`app` by role `Key Vault Secrets User`"), "{}", finding.because());
        let ended = of_vault(reading(), &row(APP, "until = 2026-06-30"));
        assert_eq!(ended.outcome(), Outcome::Fail, "the row ended before the collection");
        let narrower = of_vault(reading(), &row(APP, "secret = \"db\""));
        assert_eq!(narrower.outcome(), Outcome::Fail, "one secret was approved and all are granted");
    }

    #[test]
    fn one_secret_is_approved_by_its_name_and_a_group_for_its_members() {
        let one = format!("{}/secrets/db", vault_id("kv"));
        let builder = || holding(&[(&one, SECRETS_USER, APP)], &json!({}));
        assert_eq!(of_vault(builder(), &row(APP, "secret = \"DB\"")).outcome(), Outcome::Pass);
        assert_eq!(of_vault(builder(), &row(APP, "secret = \"other\"")).outcome(), Outcome::Fail);
        let of_group = format!("group:{GROUP}");
        let nobody_else = |builder: CaptureBuilder| builder.answer(Kind::GroupEligibilities, &of_group, list([]));
        let group = || nobody_else(ada(holding(&[(SUB, SECRETS_USER, GROUP)], &json!({}))));
        assert_eq!(of_vault(group(), &row(GROUP, "")).outcome(), Outcome::Pass);
        assert_eq!(of_vault(group(), &row(ADA, "")).outcome(), Outcome::Pass);
        let beside = member_of(holding(&[(SUB, SECRETS_USER, GROUP), (SUB, SECRETS_USER, APP)], &json!({})), APP);
        assert_eq!(of_vault(beside, &row(GROUP, "")).outcome(), Outcome::Fail, "the same role beside the group");
    }

    #[test]
    fn without_a_register_the_list_awaits_a_person() {
        let finding = only(&findings_of(&CHECK, reading())).clone();
        assert_eq!(finding.outcome(), Outcome::Manual);
        assert!(finding.because().contains("`app` by role `Key Vault Secrets User`"), "{}", finding.because());
        assert!(finding.evidence().len() > 2, "the list rests on its paths");
    }

    #[test]
    fn rows_that_match_nothing_are_told() {
        let findings = findings_declared(&CHECK, holding(&[], &json!({})), &[(FILE, &row(APP, ""))]);
        assert_eq!(about_name(&findings, &format!("kv ← {APP}")).outcome(), Outcome::Manual);
        let elsewhere = row(APP, "").replace("\"KV\"", "\"kv-gone\"");
        let findings = findings_declared(&CHECK, reading(), &[(FILE, &elsewhere)]);
        assert_eq!(about_name(&findings, &format!("kv-gone ← {APP}")).outcome(), Outcome::Fail);
    }

    #[test]
    fn what_was_not_read_keeps_no_pass_and_no_list() {
        for (kind, scope) in [(Kind::RoleAssignments, "/"), (Kind::RoleEligibilityScheduleInstances, SUB)] {
            assert_eq!(
                of_vault(reading().denied(kind, scope), &row(APP, "")).reason(),
                Some(Reason::Forbidden),
                "{kind:?}"
            );
            let listed = findings_of(&CHECK, reading().denied(kind, scope));
            assert_eq!(only(&listed).reason(), Some(Reason::Forbidden), "{kind:?}");
        }
        let hidden = holding(&[(SUB, SECRETS_USER, GROUP)], &json!({}));
        assert_eq!(of_vault(hidden, &row(GROUP, "")).reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn nobody_and_no_vault_are_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, holding(&[], &json!({})))).outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
