//! Policies of the directory, and what was deleted from it.

use std::collections::BTreeMap;

use super::super::{Item, ModelError, Pages};
use crate::evidence::Kind;
use crate::model::{
    AppPolicy, AppRestriction, ConditionalAccessPolicy, CredentialKind, DeletedKind, DeletedObject, Directory,
    SecurityDefaults, Selection,
};

/// Reads them into `directory`.
pub(super) fn read(pages: &mut Pages<'_>, directory: &mut Directory) -> Result<(), ModelError> {
    directory.conditional_access = pages.items(Kind::ConditionalAccessPolicies, conditional_access)?;
    directory.conditional_access.sort_by(|a, b| a.id.cmp(&b.id));
    pages.bodies(Kind::SecurityDefaults, |body| {
        directory.security_defaults = Some(SecurityDefaults { enabled: body.flag("isEnabled"), from: body.from() });
    })?;
    pages.bodies(Kind::DefaultAppPolicy, |body| directory.default_app_policy = app_policy(body))?;
    directory.app_policies = pages.items(Kind::AppPolicies, app_policy)?;
    directory.app_policies.sort_by(|a, b| a.id.cmp(&b.id));
    let targets = targets(pages)?;
    for policy in &mut directory.app_policies {
        policy.applies_to = targets.get(&policy.id).cloned().unwrap_or_default();
    }
    for (kind, of) in [
        (Kind::DeletedApplications, DeletedKind::Application),
        (Kind::DeletedServicePrincipals, DeletedKind::ServicePrincipal),
        (Kind::DeletedUsers, DeletedKind::User),
        (Kind::DeletedGroups, DeletedKind::Group),
    ] {
        directory.deleted.extend(pages.items(kind, |item| {
            Some(DeletedObject {
                kind: of,
                id: item.need("id")?.to_lowercase(),
                app_id: item.lower("appId"),
                name: item.text("displayName"),
                deleted_at: item.time("deletedDateTime"),
                from: item.from(),
            })
        })?);
    }
    directory.deleted.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    Ok(())
}

fn conditional_access(item: &Item<'_>) -> Option<ConditionalAccessPolicy> {
    let id = item.need("id")?.to_lowercase();
    let conditions = item.need_object("conditions")?;
    let users = conditions.object("users");
    let applications = conditions.object("applications");
    let clients = conditions.object("clientApplications");
    let locations = conditions.object("locations");
    let grant = item.object("grantControls");
    Some(ConditionalAccessPolicy {
        name: item.text("displayName").unwrap_or_else(|| id.clone()),
        state: item.text("state"),
        users: Selection {
            include: words(
                users.as_ref(),
                &["includeUsers", "includeGroups", "includeRoles"],
                "includeGuestsOrExternalUsers",
            ),
            exclude: words(
                users.as_ref(),
                &["excludeUsers", "excludeGroups", "excludeRoles"],
                "excludeGuestsOrExternalUsers",
            ),
        },
        applications: Selection {
            include: words(applications.as_ref(), &["includeApplications", "includeUserActions"], "applicationFilter"),
            exclude: words(applications.as_ref(), &["excludeApplications"], ""),
        },
        service_principals: Selection {
            include: words(clients.as_ref(), &["includeServicePrincipals"], "servicePrincipalFilter"),
            exclude: words(clients.as_ref(), &["excludeServicePrincipals"], ""),
        },
        locations: Selection {
            include: words(locations.as_ref(), &["includeLocations"], ""),
            exclude: words(locations.as_ref(), &["excludeLocations"], ""),
        },
        service_principal_risk: lower(&conditions, "servicePrincipalRiskLevels"),
        narrowed_by: narrowed_by(&conditions),
        operator: grant.as_ref().and_then(|grant| grant.text("operator")),
        controls: grant.as_ref().map(|grant| lower(grant, "builtInControls")).unwrap_or_default(),
        authentication_strength: grant.as_ref().and_then(|grant| {
            let strength = grant.object("authenticationStrength")?;
            strength.text("displayName").or(strength.text("id"))
        }),
        from: item.from(),
        id,
    })
}

/// The values of some lists together; of a member that holds a rule, the name when it is there: what it takes in
/// cannot be told here.
fn words(item: Option<&Item<'_>>, lists: &[&str], rule: &str) -> Vec<String> {
    let Some(item) = item else { return Vec::new() };
    let mut words: Vec<String> = lists.iter().flat_map(|list| lower(item, list)).collect();
    if item.has(rule) {
        words.push(rule.to_owned());
    }
    words
}

fn lower(item: &Item<'_>, list: &str) -> Vec<String> {
    item.texts(list).into_iter().map(|text| text.to_lowercase()).collect()
}

/// Conditions under which alone it applies, other than who signs in to what from where. `all` kinds of client is no
/// condition, nor is an empty list.
fn narrowed_by(conditions: &Item<'_>) -> Vec<String> {
    let lists = ["clientAppTypes", "signInRiskLevels", "userRiskLevels"].into_iter().filter(|list| {
        let values = lower(conditions, list);
        !values.is_empty() && values != ["all"]
    });
    let objects = ["platforms", "devices", "insiderRiskLevels", "authenticationFlows"];
    lists.chain(objects.into_iter().filter(|name| conditions.has(name))).map(str::to_owned).collect()
}

/// The default policy speaks of applications and of service principals; another one of whatever it is assigned to.
fn app_policy(item: &Item<'_>) -> Option<AppPolicy> {
    let id = item.need("id")?.to_lowercase();
    let both = item.object("restrictions");
    let of = |name: &str| match item.object(name) {
        Some(own) => restrictions(&own),
        None => both.as_ref().map(restrictions).unwrap_or_default(),
    };
    Some(AppPolicy {
        name: item.text("displayName").unwrap_or_else(|| id.clone()),
        enabled: item.flag("isEnabled"),
        for_applications: of("applicationRestrictions"),
        for_service_principals: of("servicePrincipalRestrictions"),
        applies_to: Vec::new(),
        from: item.from(),
        id,
    })
}

fn restrictions(of: &Item<'_>) -> Vec<AppRestriction> {
    let lists = [(CredentialKind::Secret, "passwordCredentials"), (CredentialKind::Key, "keyCredentials")];
    let each = lists.into_iter().flat_map(|(kind, list)| of.items(list).into_iter().map(move |item| (kind, item)));
    each.filter_map(|(credential, item)| {
        Some(AppRestriction {
            credential,
            restriction: item.need("restrictionType")?,
            enabled: item.text("state").is_none_or(|state| state.eq_ignore_ascii_case("enabled")),
            longest: item.text("maxLifetime"),
            for_created_after: item.time("restrictForAppsCreatedAfterDateTime"),
            exempts_actors: item.has("excludeActors"),
        })
    })
    .collect()
}

/// What each policy applies to, by its lower-case id.
fn targets(pages: &mut Pages<'_>) -> Result<BTreeMap<String, Vec<String>>, ModelError> {
    let mut targets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    pages.items(Kind::AppPolicyTargets, |item| {
        let policy = item.scope().to_lowercase().trim_start_matches("app-policy:").to_owned();
        targets.entry(policy).or_default().push(item.need("id")?.to_lowercase());
        Some(())
    })?;
    Ok(targets)
}
