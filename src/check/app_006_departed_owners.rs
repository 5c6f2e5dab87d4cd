//! APP-006: nobody who has left still has a hand on a credential.

use super::applications::{about_application, count_of, signing_in};
use super::people::and_more;
use super::{Check, Facts, Finding, Nature, Severity, judged, own, population, whole};
use crate::evidence::{Kind, Reason};
use crate::model::{Application, Credential, Owner, PrincipalKind, Tenant};

pub(super) const CHECK: Check = Check {
    id: "APP-006",
    title: "No credential belongs to someone who has left",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every app registration with a secret or certificate that works: whether one of its owners is a disabled or \
           deleted account. Without any owner a person must say whose it is: the directory drops an owner who is deleted.",
    blind_to: "Who made a credential and who knows it: the directory tells owners alone, and FED-007 lists who changed \
               credentials in the period; owners of service principals with credentials of their own, which APP-002 does \
               not allow; an account that is still on after its holder left.",
    fix: "Exchange or remove the credential first, then the owner: `az ad app credential delete --id APP_ID --key-id KEY`, \
          `az ad app owner remove --id APP_ID --owner-object-id OBJECT_ID`, `az ad app owner add`. In Terraform: `owners` of \
          `azuread_application`; in Bicep: `owners.relationships`.",
    needs: &[
        population(Kind::Applications),
        own(Kind::ApplicationOwners),
        judged(Kind::Principals),
        whole(Kind::DeletedUsers),
    ],
    run,
};

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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::applications::testing::{APP, application_json, credential_json, registered};
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
        registered(&[application], &[]).replace(Kind::ApplicationOwners, &scope(), list(owners.to_vec())).answer(
            Kind::DeletedUsers,
            "directory",
            list([]),
        )
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
        let deleted = judged(owned(&[ada(&json!({}))]).replace(Kind::DeletedUsers, "directory", deleted));
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
        let deleted = owned(&[ada(&json!({}))]).denied(Kind::DeletedUsers, "directory");
        assert_eq!(judged(deleted).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn only_one_with_a_credential_that_works_is_asked_about() {
        let none = registered(&[application_json(&json!({}))], &[]).answer(Kind::DeletedUsers, "directory", list([]));
        assert_eq!(judged(none).outcome(), Outcome::NotApplicable);
        let unread = registered(&[], &[]).denied(Kind::Applications, "directory");
        assert_eq!(judged(unread).outcome(), Outcome::NotEvaluated);
    }
}
