//! APP-004: the tenant keeps new client secrets from being made.

use chrono::{DateTime, Utc};

use super::people::counted;
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population, whole};
use crate::evidence::{Kind, Reason};
use crate::model::{AppPolicy, AppRestriction, Application, CredentialKind, Id};

pub(super) const CHECK: Check = Check {
    id: "APP-004",
    title: "The tenant's policy blocks new client secrets",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "Whether the default app management policy is on and restricts `passwordAddition` for app registrations and for \
           service principals, for all of them or at least for every one that exists; and whether a policy of their own \
           frees applications from it: such a policy inherits nothing from the default one.",
    blind_to: "When service principals were made, which the directory does not tell, so that a date in their part of the \
               policy is taken to hold for those made since; other restrictions, such as the life of certificates; \
               `customPasswordAddition`, which only concerns secrets with a value of one's own. The policy does not \
               stop secrets that exist.",
    fix: "`az rest --method PATCH --url https://graph.microsoft.com/v1.0/policies/defaultAppManagementPolicy --body @FILE` \
          with `isEnabled` true and, in `applicationRestrictions` and `servicePrincipalRestrictions`, a \
          `passwordCredentials` entry of `restrictionType` `passwordAddition`, `state` `enabled` and \
          `restrictForAppsCreatedAfterDateTime` null; portal: Enterprise applications → Application policies. Terraform \
          and Bicep do not offer it.",
    needs: &[
        population(Kind::DefaultAppPolicy),
        population(Kind::AppPolicies),
        judged(Kind::AppPolicyTargets),
        whole(Kind::Applications),
    ],
    run,
};

/// What blocks new secrets.
const BLOCKS: &str = "passwordAddition";

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let directory = &facts.tenant.directory;
    let own = directory.app_policies.iter().filter_map(|policy| freed(facts, policy));
    directory.default_app_policy.iter().map(|policy| by_default(facts, policy)).chain(own).collect()
}

fn by_default(facts: &Facts<'_>, policy: &AppPolicy) -> Finding {
    let on = about("policy", &Id::new(policy.id.clone()), &policy.name, &policy.from);
    match policy.enabled {
        Some(true) => {}
        Some(false) => return on.fail("the policy is off, so it restricts nothing"),
        None => return on.not_evaluated(Reason::ValueUnknown, "whether the policy is on is not told"),
    }
    let (applications, principals) = (blocking(&policy.for_applications), blocking(&policy.for_service_principals));
    let (Some(applications), Some(principals)) = (applications, principals) else {
        let whose = if applications.is_none() { "app registrations" } else { "service principals" };
        return on.fail(format!("it does not restrict `{BLOCKS}` for {whose}"));
    };
    let ahead = [applications, principals].into_iter().find(|one| is_ahead(one, facts.tenant.collected_at));
    if let Some(date) = ahead.and_then(|one| one.for_created_after) {
        return on.fail(format!("it restricts only what is made after {}, which is still to come", day(date)));
    }
    if let Some(older) = older_than(facts, applications) {
        return on.fail(older);
    }
    if applications.exempts_actors || principals.exempts_actors {
        return on.manual(format!("it restricts `{BLOCKS}`, and exempts somebody: who that is needs an approval"));
    }
    on.pass(format!(
        "it restricts `{BLOCKS}` for app registrations {} and for service principals {}",
        since(applications),
        since(principals)
    ))
}

/// A policy of their own under which applications may get secrets.
fn freed(facts: &Facts<'_>, policy: &AppPolicy) -> Option<Finding> {
    let scope = Id::new(format!("app-policy:{}", policy.id));
    let on = about("policy", &scope, &policy.name, &policy.from);
    let is_strict = blocking(&policy.for_applications).is_some_and(|one| {
        !one.exempts_actors && !is_ahead(one, facts.tenant.collected_at) && one.for_created_after.is_none()
    });
    if policy.enabled == Some(true) && is_strict {
        return Some(on.pass(format!("whatever it applies to is restricted by `{BLOCKS}` as well")));
    }
    let asked = facts.records_about(Kind::AppPolicyTargets, &scope);
    let on = on.citing(&asked);
    if !policy.applies_to.is_empty() {
        let count = counted(policy.applies_to.len(), "application");
        return Some(on.fail(format!("{count} may get new secrets under this policy in place of the default one")));
    }
    // one that applies to nothing frees nothing
    let unread = facts.tenant.coverage.missing_anywhere(Kind::AppPolicyTargets);
    let unread = unread.iter().find(|missing| Id::new(missing.scope.clone()) == scope)?;
    Some(on.missing(unread))
}

/// The restriction that keeps secrets from being added, where it is on.
fn blocking(restrictions: &[AppRestriction]) -> Option<&AppRestriction> {
    restrictions.iter().find(|one| {
        one.enabled && one.credential == CredentialKind::Secret && one.restriction.eq_ignore_ascii_case(BLOCKS)
    })
}

fn is_ahead(restriction: &AppRestriction, at: DateTime<Utc>) -> bool {
    restriction.for_created_after.is_some_and(|date| at < date)
}

/// What the date of the restriction leaves free.
fn older_than(facts: &Facts<'_>, restriction: &AppRestriction) -> Option<String> {
    let date = restriction.for_created_after?;
    let is_older = |one: &&Application| one.created_at.is_none_or(|made| made < date);
    let older: Vec<&Application> = facts.tenant.directory.applications.iter().filter(is_older).collect();
    let first = older.first()?;
    Some(format!(
        "{} made before {} may still get new secrets, `{}` among them",
        counted(older.len(), "app registration"),
        day(date),
        first.name
    ))
}

fn since(restriction: &AppRestriction) -> String {
    restriction.for_created_after.map_or("of any age".to_owned(), |date| format!("made since {}", day(date)))
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::applications::testing::{APP, application_json, registered};
    use super::super::testing::{about_name, base, findings_of, list, only, patched};
    use super::super::{Finding, Outcome};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    fn restriction(after: Option<&str>) -> Value {
        json!([{"restrictionType": "passwordAddition", "state": "enabled", "restrictForAppsCreatedAfterDateTime": after}])
    }

    fn policy(patch: &Value) -> Value {
        let both = json!({"passwordCredentials": restriction(None), "keyCredentials": []});
        let policy = json!({"id": "0", "displayName": "default", "isEnabled": true, "applicationRestrictions": both,
            "servicePrincipalRestrictions": both});
        patched(policy, patch)
    }

    fn tenant(patch: &Value) -> CaptureBuilder {
        registered(&[application_json(&json!({}))], &[])
            .answer(Kind::DefaultAppPolicy, "directory", policy(patch))
            .answer(Kind::AppPolicies, "directory", list([]))
    }

    fn judged(patch: &Value) -> Finding {
        only(&findings_of(&CHECK, tenant(patch))).clone()
    }

    fn for_applications(list: &Value) -> Value {
        json!({"applicationRestrictions": {"passwordCredentials": list}})
    }

    #[test]
    fn a_block_for_all_passes_and_one_for_every_existing_one_too() {
        let all = judged(&json!({}));
        assert_eq!(all.outcome(), Outcome::Pass, "{all:?}");
        let since = judged(&for_applications(&restriction(Some("2026-01-01T00:00:00Z"))));
        assert!(since.because().contains("made since 2026-01-01"), "{}", since.because());
        assert_eq!(since.outcome(), Outcome::Pass);
    }

    #[test]
    fn off_absent_disabled_ahead_or_only_for_newer_ones_fails() {
        let disabled = json!([{"restrictionType": "passwordAddition", "state": "disabled"}]);
        let other = json!([{"restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": "P90D"}]);
        for patch in [
            json!({"isEnabled": false}),
            for_applications(&json!([])),
            for_applications(&disabled),
            for_applications(&other),
            for_applications(&restriction(Some("2026-02-01T00:00:00Z"))),
            for_applications(&restriction(Some("2027-01-01T00:00:00Z"))),
            json!({"servicePrincipalRestrictions": {"passwordCredentials": []}}),
        ] {
            assert_eq!(judged(&patch).outcome(), Outcome::Fail, "{patch}");
        }
    }

    #[test]
    fn an_exempt_actor_awaits_a_person_and_an_untold_switch_is_open() {
        let mut exempting = restriction(None);
        exempting[0]["excludeActors"] = json!({"customSecurityAttributes": []});
        assert_eq!(judged(&for_applications(&exempting)).outcome(), Outcome::Manual);
        assert_eq!(judged(&json!({"isEnabled": null})).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn a_policy_of_their_own_frees_applications() {
        let own = |list: &Value| {
            json!({"id": "p", "displayName": "old", "isEnabled": true,
            "restrictions": {"passwordCredentials": list, "keyCredentials": []}})
        };
        let with = |policy: Value| tenant(&json!({})).replace(Kind::AppPolicies, "directory", list([policy]));
        let targets = |builder: CaptureBuilder, ids: &[&str]| {
            let ids = ids.iter().map(|id| json!({"id": id}));
            builder.answer(Kind::AppPolicyTargets, "app-policy:p", list(ids))
        };
        let free = findings_of(&CHECK, targets(with(own(&json!([]))), &[APP]));
        assert_eq!(about_name(&free, "old").outcome(), Outcome::Fail);
        let strict = findings_of(&CHECK, targets(with(own(&restriction(None))), &[APP]));
        assert_eq!(about_name(&strict, "old").outcome(), Outcome::Pass);
        let idle = findings_of(&CHECK, targets(with(own(&json!([]))), &[]));
        assert_eq!(idle.len(), 1, "{idle:?}");
        let unread = with(own(&json!([]))).gap(Kind::AppPolicyTargets, "app-policy:p", Reason::Forbidden);
        assert_eq!(about_name(&findings_of(&CHECK, unread), "old").reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn what_was_not_read_is_not_evaluated() {
        let unread = findings_of(&CHECK, tenant(&json!({})).denied(Kind::DefaultAppPolicy, "directory"));
        assert_eq!(only(&unread).reason(), Some(Reason::Forbidden));
        let unread = findings_of(&CHECK, tenant(&json!({})).denied(Kind::Applications, "directory"));
        assert_eq!(only(&unread).reason(), Some(Reason::Forbidden));
        assert!(findings_of(&CHECK, base()).iter().all(|one| one.reason() == Some(Reason::NotAsked)));
    }
}
