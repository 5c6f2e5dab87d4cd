//! APP-006: nobody who has left still has a hand on a credential.

use super::applications::{about_application, count_of, signing_in};
use super::people::and_more;
use super::{Check, Facts, Finding, Nature, Severity, judged, own, population};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Application, Credential, DeletedKind, DirectoryChange, Owner, PrincipalKind, Tenant};

pub(super) const CHECK: Check = Check {
    id: "APP-006",
    title: "No credential belongs to someone who has left",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every app registration with a secret or certificate that works: whether one of its owners is a disabled or \
           deleted account, and whether the directory's audit log, where it was read, shows that such an account changed \
           its credentials. Without any owner a person must say whose it is: the directory drops an owner who is deleted.",
    blind_to: "Who knows a secret; credentials that were made before the log begins; owners of service principals with \
               credentials of their own, which APP-002 does not allow; an account that is still on after its holder left.",
    fix: "Exchange or remove the credential first, then the owner: `az ad app credential delete --id APP_ID --key-id KEY`, \
          `az ad app owner remove --id APP_ID --owner-object-id OBJECT_ID`, `az ad app owner add`. In Terraform: `owners` of \
          `azuread_application`; in Bicep: `owners.relationships`.",
    needs: &[
        population(Kind::Applications),
        own(Kind::ApplicationOwners),
        judged(Kind::Principals),
        judged(Kind::DeletedUsers),
        judged(Kind::DirectoryChanges),
    ],
    run,
};

/// Operations of the audit log that change the credentials of an application, without spaces, hyphens and dashes, as
/// their spelling varies.
const CREDENTIALS: &str = "certificatesandsecretsmanagement";

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.directory.applications.iter().filter_map(|application| judge(facts, application)).collect()
}

/// None for one without a credential that works: nobody can sign in as it.
fn judge(facts: &Facts<'_>, application: &Application) -> Option<Finding> {
    let tenant = facts.tenant;
    let at = tenant.collected_at;
    let live: Vec<&Credential> = signing_in(&application.credentials).filter(|one| one.is_valid_at(at)).collect();
    if live.is_empty() {
        let untold = !application.tells_credentials;
        let because = "the directory did not tell its credentials";
        return untold.then(|| about_application(application).not_evaluated(Reason::ValueUnknown, because));
    }
    let scope = application.scope();
    let owners: Vec<&Owner> = tenant.directory.owners_of(&scope).collect();
    let on = about_application(application)
        .citing(live.iter().map(|credential| &credential.from))
        .citing(owners.iter().map(|owner| &owner.from))
        .citing(&facts.records_about(Kind::ApplicationOwners, &scope));
    let has = format!("it has {}", count_of(&live));
    let gone: Vec<String> = owners.iter().filter_map(|owner| gone(tenant, owner)).collect();
    if let Some(first) = gone.first() {
        return Some(on.fail(format!("{has}, and {} owns it", and_more(first, gone.len()))));
    }
    let by: Vec<(String, &Cite)> =
        tenant.logs.directory_changes.iter().filter_map(|one| left(tenant, application, one)).collect();
    if let Some((who, _)) = by.first() {
        return Some(
            on.citing(by.iter().map(|(_, from)| *from)).fail(format!("{has}, and {who} changed its credentials")),
        );
    }
    if let Some(unknown) = owners.iter().find(|owner| state(tenant, owner).is_none()) {
        let because = format!("{has}; whether the account of its owner `{}` is on is not told", unknown.name);
        return Some(on.not_evaluated(Reason::ValueUnknown, because));
    }
    Some(match owners.first() {
        Some(owner) => on.pass(format!("{has}, owned by {}", and_more(&format!("`{}`", owner.name), owners.len()))),
        None => on.manual(format!("{has} and no owner, who may have been deleted: name whose it is")),
    })
}

/// Whether the account of an owner is on, as far as any list tells. A service principal has none.
fn state(tenant: &Tenant, owner: &Owner) -> Option<bool> {
    if owner.kind != PrincipalKind::User {
        return Some(owner.enabled.unwrap_or(true));
    }
    owner.enabled.or_else(|| tenant.principal(&owner.id)?.enabled)
}

/// An owner who has left, in words.
fn gone(tenant: &Tenant, owner: &Owner) -> Option<String> {
    if tenant.directory.deleted(&owner.id).is_some() {
        return Some(format!("`{}`, who is deleted,", owner.name));
    }
    (state(tenant, owner) == Some(false)).then(|| format!("`{}`, whose account is off,", owner.name))
}

/// Whoever changed the credentials of an application and has left since, with the row that shows it.
fn left<'a>(tenant: &Tenant, application: &Application, change: &'a DirectoryChange) -> Option<(String, &'a Cite)> {
    let letters: String = change.operation.to_lowercase().chars().filter(|one| one.is_ascii_alphabetic()).collect();
    let is_of_it = change.targets.iter().any(|target| target.id.as_deref() == Some(application.id.as_str()));
    let has_failed = change.result.as_deref().is_some_and(|result| result.eq_ignore_ascii_case("failure"));
    if !letters.contains(CREDENTIALS) || !is_of_it || has_failed {
        return None;
    }
    let id = change.initiator_id.as_deref()?;
    let deleted = tenant.directory.deleted(id).filter(|object| object.kind == DeletedKind::User);
    let off = tenant.principal(id).filter(|one| one.kind == PrincipalKind::User && one.enabled == Some(false));
    let who = match (deleted, off) {
        (Some(_), _) => format!("`{id}`, who is deleted,"),
        (None, Some(person)) => format!("`{}`, whose account is off,", person.name),
        (None, None) => return None,
    };
    Some((who, &change.from))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::applications::testing::{APP, application_json, credential_json, registered};
    use super::super::logs::testing::WORKSPACE;
    use super::super::testing::{findings_of, list, only, patched, user_json, with_principals};
    use super::super::{Finding, Outcome};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    const ADA: &str = "bbbbbbbb-0000-0000-0000-000000000001";

    fn scope() -> String {
        format!("application:{APP}")
    }

    fn owned(owners: &[Value]) -> CaptureBuilder {
        let secret = credential_json("one", "2026-08-01T00:00:00Z", "2026-12-01T00:00:00Z");
        let application = application_json(&json!({"passwordCredentials": [secret]}));
        registered(&[application], &[]).replace(Kind::ApplicationOwners, &scope(), list(owners.to_vec()))
    }

    fn ada(patch: &Value) -> Value {
        patched(user_json(ADA, "ada"), patch)
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn an_owner_who_is_there_passes_and_one_who_left_fails() {
        let there = judged(owned(&[ada(&json!({}))]));
        assert_eq!((there.outcome(), there.because()), (Outcome::Pass, "it has 1 client secret, owned by `ada`"));
        let off = judged(owned(&[ada(&json!({"accountEnabled": false}))]));
        assert_eq!(off.because(), "it has 1 client secret, and `ada`, whose account is off, owns it");
        assert_eq!(off.outcome(), Outcome::Fail);
        let deleted = list([json!({"id": ADA.to_uppercase(), "deletedDateTime": "2026-09-20T00:00:00Z"})]);
        let deleted = judged(owned(&[ada(&json!({}))]).answer(Kind::DeletedUsers, "directory", deleted));
        assert_eq!(deleted.outcome(), Outcome::Fail);
    }

    #[test]
    fn an_untold_account_is_open_unless_another_list_tells() {
        let untold = || owned(&[ada(&json!({"accountEnabled": null}))]);
        assert_eq!(judged(untold()).reason(), Some(Reason::ValueUnknown));
        assert_eq!(judged(with_principals(untold(), &[ADA], [ada(&json!({}))])).outcome(), Outcome::Pass);
    }

    #[test]
    fn no_owner_awaits_a_person_and_unread_owners_are_not_evaluated() {
        assert_eq!(judged(owned(&[])).outcome(), Outcome::Manual);
        assert_eq!(judged(owned(&[]).denied(Kind::ApplicationOwners, &scope())).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn someone_who_changed_the_credentials_and_left_fails() {
        let change = |operation: &str| {
            let targets = json!([{"id": APP, "type": "Application", "modifiedProperties": []}]).to_string();
            let columns = ["TimeGenerated", "OperationName", "Result", "InitiatorId", "TargetResources"];
            let columns: Vec<Value> = columns.iter().map(|name| json!({"name": name, "type": "string"})).collect();
            let row = json!(["2026-08-01T00:00:00Z", operation, "success", ADA, targets]);
            let table = json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [row]}]});
            let deleted = list([json!({"id": ADA, "deletedDateTime": "2026-09-20T00:00:00Z"})]);
            owned(&[user_json("bbbbbbbb-0000-0000-0000-000000000002", "bo")])
                .answer(Kind::DeletedUsers, "directory", deleted)
                .answer(Kind::DirectoryChanges, WORKSPACE, table)
        };
        let seen = judged(change("Update application – Certificates and secrets management "));
        assert!(seen.because().contains("changed its credentials"), "{}", seen.because());
        assert_eq!(seen.outcome(), Outcome::Fail);
        assert_eq!(judged(change("Update application - certificates and Secrets management")).outcome(), Outcome::Fail);
        assert_eq!(judged(change("Add owner to application")).outcome(), Outcome::Pass);
    }

    #[test]
    fn only_one_with_a_credential_that_works_is_asked_about() {
        let none = registered(&[application_json(&json!({}))], &[]);
        assert_eq!(judged(none).outcome(), Outcome::NotApplicable);
        let unread = registered(&[], &[]).denied(Kind::Applications, "directory");
        assert_eq!(judged(unread).outcome(), Outcome::NotEvaluated);
    }
}
