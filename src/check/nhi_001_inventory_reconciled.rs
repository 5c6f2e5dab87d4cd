//! NHI-001: Azure's managed identities and the directory's are the same ones.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Facts, Finding, Nature, Severity, about, population, whole};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Difference, Id, IndexedResource, Need, Principal, Reconciliation, Tenant, Why};

pub(super) const CHECK: Check = Check {
    id: "NHI-001",
    title: "Every managed identity is inventoried, and Azure and the directory agree",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "System-assigned identities of all resources and all user-assigned identities, held against the managed \
           identities in the directory, both ways and by object id. Azure's own side is read twice, from the lists of \
           the resource manager and from Resource Graph, and held against itself. One that only one side knows is an \
           exception; one that was made minutes before the collection need not be in Resource Graph, which lags behind.",
    blind_to: "Subscriptions that were not collected: an identity of theirs is reported as not evaluated. Identities of \
               policy assignments, which no list of resources holds.",
    fix: "Find out which resource the identity belonged to: `az ad sp show --id OBJECT_ID --query alternativeNames`. \
          For a host that is gone, remove its role assignments (`az role assignment delete --assignee OBJECT_ID`); for \
          a host without its identity, assign it again (`az vm identity assign`).",
    needs: &[
        population(Kind::Resources),
        population(Kind::VirtualMachines),
        population(Kind::UserAssignedIdentities),
        population(Kind::ManagedIdentityPrincipals),
        whole(Kind::Resources),
        whole(Kind::VirtualMachines),
        whole(Kind::UserAssignedIdentities),
        whole(Kind::ManagedIdentityPrincipals),
        whole(Kind::ResourceGraphIdentities),
    ],
    run,
};

/// What Azure's side consists of.
const AZURE: &[Need] = &[whole(Kind::Resources), whole(Kind::VirtualMachines), whole(Kind::UserAssignedIdentities)];
/// Azure's side, read once more.
const GRAPH: &[Need] = &[whole(Kind::ResourceGraphIdentities)];
/// What the directory's side consists of.
const DIRECTORY: &[Need] = &[whole(Kind::ManagedIdentityPrincipals)];

/// An identity as Azure shows it.
struct Shown<'a> {
    id: &'a Id,
    name: &'a str,
    what: &'static str,
    object_id: Option<String>,
    from: &'a Cite,
}

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let shown = shown_by_azure(facts.tenant);
    let listed: BTreeMap<String, &Principal> =
        facts.tenant.managed_identities.iter().map(|principal| (principal.id.to_lowercase(), principal)).collect();
    let known: BTreeSet<&String> = shown.iter().filter_map(|identity| identity.object_id.as_ref()).collect();
    let unmatched = listed.iter().filter(|(object_id, _)| !known.contains(object_id)).map(|(_, principal)| *principal);

    let both = facts.tenant.identities_by_both();
    let azure_side = shown.iter().map(|identity| judge_shown(facts, identity, &listed, &both));
    let unmatched: Vec<&Principal> = unmatched.collect();
    let directory_side = unmatched.iter().map(|principal| judge_unmatched(facts, principal, &shown));
    // what the directory knows too is judged there
    let is_known = |indexed: &&IndexedResource| {
        unmatched.iter().any(|principal| owner(principal).is_some_and(|owner| owner == indexed.id))
    };
    let graph_side = facts.tenant.resource_graph.identities.iter().filter(|indexed| !is_known(indexed));
    let graph_side = graph_side.filter_map(|indexed| judge_indexed(facts, indexed, both.about(&indexed.id)?));
    azure_side.chain(directory_side).chain(graph_side).collect()
}

/// The owner of a managed identity: `alternativeNames` holds a flag and its ARM id in no fixed order, told apart by shape.
fn owner(principal: &Principal) -> Option<Id> {
    principal.alternative_names.iter().find(|name| name.starts_with('/')).map(Id::new)
}

/// One that Resource Graph alone shows. A host that only has identities of others attached is none itself.
fn judge_indexed(facts: &Facts<'_>, indexed: &IndexedResource, difference: &Difference) -> Option<Finding> {
    let has_own = indexed.identity_type.iter().any(|kinds| kinds.to_lowercase().contains("systemassigned"));
    if !has_own && !indexed.is_user_assigned_identity() {
        return None;
    }
    let on = about("managed_identity", &indexed.id, &indexed.name, &indexed.from);
    let unlike = || {
        let is_listed = facts.tenant.resources.iter().any(|resource| resource.id == indexed.id);
        if is_listed { "the resource manager shows it without one" } else { "the resource manager does not list it" }
    };
    Some(match &difference.why {
        Why::NotRead(missing) => on.missing(missing),
        Why::Unexplained => on
            .citing(&[facts.records_of(Kind::Resources), facts.records_of(Kind::UserAssignedIdentities)].concat())
            .fail(format!("Resource Graph shows it with an identity, {}", unlike())),
        why => on.not_evaluated(Reason::ValueUnknown, format!("only Resource Graph shows it: {}", why.words())),
    })
}

fn shown_by_azure(tenant: &Tenant) -> Vec<Shown<'_>> {
    let system = tenant.resources.iter().filter_map(|resource| {
        let identity = resource.identity.as_ref().filter(|identity| identity.system_assigned)?;
        Some(Shown {
            id: &resource.id,
            name: &resource.name,
            what: "system-assigned identity",
            object_id: identity.system_principal_id.as_ref().map(|id| id.to_lowercase()),
            from: &resource.from,
        })
    });
    let user = tenant.user_assigned.iter().map(|identity| Shown {
        id: &identity.id,
        name: &identity.name,
        what: "user-assigned identity",
        object_id: identity.principal_id.as_ref().map(|id| id.to_lowercase()),
        from: &identity.from,
    });
    system.chain(user).collect()
}

fn judge_shown(
    facts: &Facts<'_>,
    identity: &Shown<'_>,
    listed: &BTreeMap<String, &Principal>,
    both: &Reconciliation,
) -> Finding {
    let on = about("managed_identity", identity.id, identity.name, identity.from);
    let Some(object_id) = &identity.object_id else {
        return on
            .not_evaluated(Reason::ValueUnknown, format!("Azure shows its {} without an object id", identity.what));
    };
    let indexed = facts.tenant.resource_graph.identities.iter().find(|indexed| indexed.id == *identity.id);
    let on = on.citing(indexed.map(|indexed| &indexed.from));
    if let Some(other) = indexed.and_then(|indexed| indexed.principal_id.as_ref()).filter(|other| *other != object_id) {
        return on.fail(format!(
            "the resource manager shows `{object_id}` as its {}, Resource Graph `{other}`",
            identity.what
        ));
    }
    let why = both.about(identity.id).map(|difference| &difference.why);
    if why == Some(&Why::Unexplained) {
        let because = format!("the resource manager shows its {}, Resource Graph does not", identity.what);
        return on.citing(&facts.records_of(Kind::ResourceGraphIdentities)).fail(because);
    }
    let Some(principal) = listed.get(object_id) else {
        return match facts.missing(DIRECTORY, identity.id) {
            Some(missing) => on.missing(&missing),
            None => on.citing(&facts.records_of(Kind::ManagedIdentityPrincipals)).fail(format!(
                "Azure shows its {} `{object_id}`, the directory lists no managed identity with that object id",
                identity.what
            )),
        };
    };
    let on = on.citing([&principal.from]);
    let known = format!("its {} `{object_id}` is in the directory as `{}`", identity.what, principal.name);
    match (why, facts.missing(GRAPH, identity.id)) {
        (None, Some(missing)) if indexed.is_none() => on.missing(&missing),
        (None, _) => on.pass(known),
        (Some(why @ Why::Lag(_)), _) => on.pass(format!("{known}; Resource Graph does not show it: {}", why.words())),
        (Some(why), _) => {
            on.not_evaluated(Reason::ValueUnknown, format!("Resource Graph does not show it: {}", why.words()))
        }
    }
}

fn judge_unmatched(facts: &Facts<'_>, principal: &Principal, shown: &[Shown<'_>]) -> Finding {
    let owner = owner(principal);
    let object_id = Id::new(principal.id.clone());
    let on = about("managed_identity", owner.as_ref().unwrap_or(&object_id), &principal.name, &principal.from);
    if let Some(owner) = &owner {
        if !facts.tenant.subscriptions.iter().any(|subscription| subscription.id.is_at_or_above(owner)) {
            return on.not_evaluated(
                Reason::NotAsked,
                format!(
                    "the directory says that it belongs to `{owner}`, outside the subscriptions that were collected"
                ),
            );
        }
        if owner.key().contains("/providers/microsoft.authorization/policyassignments/") {
            let because =
                format!("it belongs to the policy assignment `{owner}`; policy assignments are not collected");
            return on.not_evaluated(Reason::NotAsked, because);
        }
    }
    if let Some(missing) = facts.missing(AZURE, &object_id) {
        return on.missing(&missing);
    }
    let other = owner.as_ref().and_then(|owner| shown.iter().find(|identity| identity.id == owner));
    let azure_says = match (&owner, other) {
        (_, Some(Shown { object_id: Some(other), .. })) => format!("Azure shows `{other}` there"),
        (Some(owner), _) => match facts.tenant.resources.iter().find(|resource| resource.id == *owner) {
            Some(_) => "Azure shows that resource without this identity".to_owned(),
            None => "Azure lists no such resource".to_owned(),
        },
        (None, _) => "it names no owner and Azure shows no identity with that object id".to_owned(),
    };
    let owned_by = owner.as_ref().map(|owner| format!(" for `{owner}`")).unwrap_or_default();
    on.citing(&[facts.records_of(Kind::Resources), facts.records_of(Kind::UserAssignedIdentities)].concat())
        .fail(format!("the directory lists `{}`{owned_by}; {azure_says}", principal.id))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::testing::{
        SUB, about_name, arm_id, base, findings_of, identity_id, identity_json, indexed, indexed_json, list,
        managed_identity_json, only, resource_json,
    };
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    const HOST: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const SHARED: &str = "AAAAAAAA-0000-0000-0000-000000000002";

    fn host() -> Value {
        resource_json(
            "Microsoft.Web/sites",
            "site",
            &json!({"identity": {"type": "SystemAssigned", "principalId": HOST}}),
        )
    }

    fn tenant(listed: impl IntoIterator<Item = Value>) -> CaptureBuilder {
        base()
            .replace(Kind::Resources, SUB, list([host()]))
            .replace(Kind::UserAssignedIdentities, SUB, list([identity_json("shared", SHARED, &json!({}))]))
            .replace(Kind::ManagedIdentityPrincipals, "directory", list(listed))
            .replace(Kind::ResourceGraphIdentities, "subscriptions", indexed(in_graph()))
    }

    const USER_ASSIGNED: &str = "Microsoft.ManagedIdentity/userAssignedIdentities";

    fn in_graph() -> [Value; 2] {
        [
            indexed_json("Microsoft.Web/sites", "site", "SystemAssigned", HOST),
            indexed_json(USER_ASSIGNED, "shared", "", SHARED),
        ]
    }

    fn both() -> [Value; 2] {
        [
            managed_identity_json(HOST, "site", &arm_id("Microsoft.Web/sites", "site")),
            managed_identity_json(&SHARED.to_lowercase(), "shared", &identity_id("shared")),
        ]
    }

    #[test]
    fn identities_on_both_sides_pass_and_object_ids_compare_without_case() {
        let findings = findings_of(&CHECK, tenant(both()));
        assert_eq!(findings.len(), 2);
        assert_eq!(about_name(&findings, "site").outcome(), Outcome::Pass);
        assert_eq!(about_name(&findings, "shared").outcome(), Outcome::Pass);
    }

    #[test]
    fn an_identity_that_the_directory_does_not_list_fails() {
        let [_, shared] = both();
        let findings = findings_of(&CHECK, tenant([shared]));
        assert_eq!(about_name(&findings, "site").outcome(), Outcome::Fail);
        assert!(about_name(&findings, "site").because().contains(HOST));
        assert_eq!(about_name(&findings, "shared").outcome(), Outcome::Pass);
    }

    #[test]
    fn an_identity_whose_host_is_gone_fails() {
        let gone = managed_identity_json("bbbbbbbb-0000-0000-0000-000000000001", "gone", &identity_id("gone"));
        let [site, shared] = both();
        let findings = findings_of(&CHECK, tenant([site, shared, gone]));
        assert_eq!(about_name(&findings, "gone").outcome(), Outcome::Fail);
        assert!(about_name(&findings, "gone").because().ends_with("Azure lists no such resource"));
    }

    #[test]
    fn a_host_with_another_identity_than_the_directory_says_fails_both_ways() {
        let [_, shared] = both();
        let other = managed_identity_json(
            "bbbbbbbb-0000-0000-0000-000000000001",
            "old site",
            &arm_id("Microsoft.Web/sites", "site"),
        );
        let findings = findings_of(&CHECK, tenant([shared, other]));
        assert_eq!(about_name(&findings, "site").outcome(), Outcome::Fail);
        assert!(about_name(&findings, "old site").because().contains(HOST), "names both");
    }

    #[test]
    fn an_identity_of_another_subscription_or_a_policy_is_not_evaluated() {
        let elsewhere =
            "/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/rg/providers/Microsoft.Web/sites/x";
        let policy = format!("{SUB}/providers/Microsoft.Authorization/policyAssignments/tags");
        let [site, shared] = both();
        let findings = findings_of(
            &CHECK,
            tenant([
                site,
                shared,
                managed_identity_json("bbbbbbbb-0000-0000-0000-000000000001", "elsewhere", elsewhere),
                managed_identity_json("bbbbbbbb-0000-0000-0000-000000000002", "policy", &policy),
            ]),
        );
        assert_eq!(about_name(&findings, "elsewhere").reason(), Some(Reason::NotAsked));
        assert_eq!(about_name(&findings, "policy").reason(), Some(Reason::NotAsked));
    }

    #[test]
    fn an_identity_that_one_reading_of_azure_lacks_fails_whichever_it_is() {
        let [site, shared] = in_graph();
        let without = |items: Vec<Value>| {
            let builder = tenant(both()).replace(Kind::ResourceGraphIdentities, "subscriptions", indexed(items));
            findings_of(&CHECK, builder)
        };
        let findings = without(vec![shared.clone()]);
        assert_eq!(about_name(&findings, "site").outcome(), Outcome::Fail);
        assert_eq!(about_name(&findings, "shared").outcome(), Outcome::Pass);
        let further = indexed_json("Microsoft.Web/sites", "further", "SystemAssigned", HOST);
        let findings = without(vec![site, shared.clone(), further]);
        assert!(about_name(&findings, "further").because().ends_with("the resource manager does not list it"));
        assert_eq!(about_name(&findings, "further").outcome(), Outcome::Fail);
        let other = indexed_json("Microsoft.Web/sites", "site", "SystemAssigned", SHARED);
        assert_eq!(about_name(&without(vec![other, shared]), "site").outcome(), Outcome::Fail);
    }

    #[test]
    fn without_resource_graph_no_identity_passes_and_what_the_directory_lacks_still_fails() {
        let [site, _] = both();
        let builder = tenant([site]).denied(Kind::ResourceGraphIdentities, "subscriptions");
        let findings = findings_of(&CHECK, builder);
        assert_eq!(about_name(&findings, "site").reason(), Some(Reason::Forbidden));
        assert_eq!(about_name(&findings, "shared").outcome(), Outcome::Fail);
    }

    #[test]
    fn a_type_that_one_reading_of_azure_does_not_hold_at_all_is_no_verdict() {
        let rare = indexed_json("Microsoft.Rare/things", "thing", "SystemAssigned", HOST);
        let attached = indexed_json("Microsoft.Web/sites", "attached", "UserAssigned", "");
        let builder = tenant(both()).replace(
            Kind::ResourceGraphIdentities,
            "subscriptions",
            indexed(in_graph().into_iter().chain([rare, attached])),
        );
        let findings = findings_of(&CHECK, builder);
        assert_eq!(about_name(&findings, "thing").outcome(), Outcome::NotEvaluated);
        assert!(about_name(&findings, "thing").because().contains("`microsoft.rare/things`"), "{findings:#?}");
        assert_eq!(findings.len(), 3, "a host with the identities of others is none itself");
    }

    #[test]
    fn no_side_is_judged_against_a_list_that_was_not_read() {
        let [site, shared] = both();
        let gone = managed_identity_json("bbbbbbbb-0000-0000-0000-000000000001", "gone", &identity_id("gone"));
        let full = tenant([site, shared, gone]);
        for (kind, scope) in [
            (Kind::Resources, SUB),
            (Kind::VirtualMachines, SUB),
            (Kind::UserAssignedIdentities, SUB),
            (Kind::ManagedIdentityPrincipals, "directory"),
        ] {
            let findings = findings_of(&CHECK, full.clone().denied(kind, scope));
            assert!(!findings.is_empty());
            for finding in findings {
                assert_eq!(finding.outcome(), Outcome::NotEvaluated, "{kind:?}: {finding:?}");
            }
        }
    }

    #[test]
    fn a_tenant_without_identities_is_not_applicable() {
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
