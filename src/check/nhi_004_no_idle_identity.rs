//! NHI-004: a user-assigned identity that nothing can use is removed.

use std::collections::BTreeMap;

use super::{Check, Facts, Finding, Hosts, Nature, Severity, about, own, population, whole};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Id, Need, Resource, UserAssignedIdentity};

pub(super) const CHECK: Check = Check {
    id: "NHI-004",
    title: "No user-assigned identity stays without attachment or federation",
    severity: Severity::Low,
    nature: Nature::Design,
    asks: "Whether each user-assigned identity is attached to a resource or trusts a federated credential. One with \
           neither, older than the configured days, is an exception. Its age is taken from its date of creation.",
    blind_to: "When it was last attached: the age counts from creation, not from the end of its use. Attachments in \
               subscriptions that were not collected.",
    fix: "`az identity delete --ids IDENTITY_ID`, and before that its role assignments: `az role assignment delete \
          --assignee OBJECT_ID`, since they are not removed with it.",
    needs: &[
        population(Kind::UserAssignedIdentities),
        own(Kind::FederatedCredentials),
        whole(Kind::Resources),
        whole(Kind::VirtualMachines),
    ],
    run,
};

/// Read whole, these show that nothing uses an identity.
const ABSENCE: &[Need] = &[own(Kind::FederatedCredentials), whole(Kind::Resources), whole(Kind::VirtualMachines)];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let hosts = Hosts::of(facts.tenant);
    let mut trusted: BTreeMap<&Id, Vec<&Cite>> = BTreeMap::new();
    for credential in &facts.tenant.federated {
        trusted.entry(&credential.identity).or_default().push(&credential.from);
    }
    let users = |identity: &UserAssignedIdentity| {
        (hosts.of_identity(&identity.id), trusted.get(&identity.id).map(Vec::as_slice).unwrap_or_default())
    };
    facts.tenant.user_assigned.iter().map(|identity| judge(facts, users(identity), identity)).collect()
}

fn judge(facts: &Facts<'_>, (hosts, trusted): (&[&Resource], &[&Cite]), identity: &UserAssignedIdentity) -> Finding {
    let on = about("managed_identity", &identity.id, &identity.name, &identity.from);
    if !hosts.is_empty() || !trusted.is_empty() {
        let because = format!("attached resources: {}, federated credentials: {}", hosts.len(), trusted.len());
        return on.citing(hosts.iter().map(|host| &host.from)).citing(trusted.iter().copied()).pass(because);
    }
    if let Some(missing) = facts.missing(ABSENCE, &identity.id) {
        return on.missing(&missing);
    }
    let on = on
        .citing(&facts.records_about(Kind::FederatedCredentials, &identity.id))
        .citing(&facts.records_of(Kind::Resources));
    let limit = facts.parameters.unattached_days;
    let Some(created) = identity.created_at else {
        let because = "nothing uses it, and its date of creation is not told, so its age is not known";
        return on.not_evaluated(Reason::ValueUnknown, because);
    };
    let days = (facts.tenant.collected_at - created).num_days();
    if days > limit {
        return on.fail(format!(
            "it is attached to no resource and trusts no federated credential, {days} days after it was made (limit {limit})"
        ));
    }
    on.pass(format!("nothing uses it yet; it was made {days} days before collection (limit {limit})"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::testing::{
        SUB, about_name, base, findings_of, identity_id, identity_json, list, only, resource_json,
    };
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    const OBJECT: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn tenant(patch: &Value, credentials: impl IntoIterator<Item = Value>) -> CaptureBuilder {
        base().replace(Kind::UserAssignedIdentities, SUB, list([identity_json("idle", OBJECT, patch)])).answer(
            Kind::FederatedCredentials,
            &identity_id("idle"),
            list(credentials),
        )
    }

    fn credential() -> Value {
        json!({"id": format!("{}/federatedIdentityCredentials/github", identity_id("idle")), "name": "github",
            "properties": {"issuer": "https://token.actions.githubusercontent.com", "subject": "repo:a/b:environment:prod",
                "audiences": ["api://AzureADTokenExchange"]}})
    }

    fn created(at: &str) -> Value {
        json!({"systemData": {"createdAt": at}})
    }

    #[test]
    fn an_attachment_or_a_federated_credential_is_use() {
        assert_eq!(only(&findings_of(&CHECK, tenant(&json!({}), [credential()]))).outcome(), Outcome::Pass);
        let attached =
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id("idle"): null}}});
        let host = resource_json("Microsoft.Web/sites", "site", &attached);
        let builder = tenant(&json!({}), []).replace(Kind::Resources, SUB, list([host]));
        assert_eq!(only(&findings_of(&CHECK, builder)).outcome(), Outcome::Pass);
    }

    #[test]
    fn an_idle_identity_fails_after_the_limit() {
        let old = findings_of(&CHECK, tenant(&created("2026-09-01T09:00:00Z"), []));
        assert_eq!(only(&old).outcome(), Outcome::Fail, "31 days");
        let at_limit = findings_of(&CHECK, tenant(&created("2026-09-02T09:00:00Z"), []));
        assert_eq!(only(&at_limit).outcome(), Outcome::Pass, "30 days");
    }

    #[test]
    fn an_idle_identity_of_unknown_age_is_not_evaluated() {
        let findings = findings_of(&CHECK, tenant(&json!({"systemData": null}), []));
        assert_eq!(only(&findings).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn idleness_is_not_concluded_from_lists_that_were_not_read() {
        let idle = tenant(&json!({}), []);
        for (kind, scope) in [
            (Kind::Resources, SUB.to_owned()),
            (Kind::VirtualMachines, SUB.to_owned()),
            (Kind::FederatedCredentials, identity_id("idle")),
        ] {
            let findings = findings_of(&CHECK, idle.clone().denied(kind, &scope));
            assert_eq!(about_name(&findings, "idle").reason(), Some(Reason::Forbidden), "{kind:?}");
        }
    }

    #[test]
    fn a_refused_list_is_not_evaluated_and_an_empty_one_not_applicable() {
        let refused = findings_of(&CHECK, base().denied(Kind::UserAssignedIdentities, SUB));
        assert_eq!(only(&refused).outcome(), Outcome::NotEvaluated);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
