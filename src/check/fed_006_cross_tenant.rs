//! FED-006: what other tenants may do here is confined and told.

use super::applications::{about_service_principal, is_microsofts};
use super::people::{People, and_more, counted, is_of_another_tenant};
use super::roles::{hidden, role_name, through, unread_above};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population, whole};
use crate::evidence::Kind;
use crate::model::{Delegation, Id, Missing, Need, RoleAssignment, ServicePrincipal};

pub(super) const CHECK: Check = Check {
    id: "FED-006",
    title: "Cross-tenant access is confined to resource groups and disclosed",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "Every delegation to another tenant (Azure Lighthouse), which no list of role assignments shows, and every \
           service principal with an Azure role whose application is registered in another tenant or admits other tenants: \
           whether a role holds above a resource group. Microsoft's own applications are left out.",
    blind_to: "Guests, who are users; what is delegated to partners through Microsoft's partner programmes; access that \
               other tenants have to applications and data beside Azure roles; eligible roles of service principals, which \
               cannot have any.",
    fix: "Remove a delegation: `az managedservices assignment delete --assignment ID`, and delegate resource groups in its \
          place (Bicep `Microsoft.ManagedServices/registrationAssignments` with `scope` a resource group, Terraform \
          `azurerm_lighthouse_assignment`). Take roles of foreign applications away with `az role assignment delete --ids ID` \
          and give them again at the resource group. An application of one's own that no other tenant needs: `az ad app \
          update --id APP_ID --sign-in-audience AzureADMyOrg`.",
    needs: &[
        population(Kind::RegistrationAssignments),
        population(Kind::ServicePrincipals),
        population(Kind::Applications),
        judged(Kind::RoleAssignments),
        judged(Kind::Principals),
        judged(Kind::GroupMembers),
        judged(Kind::Subscriptions),
        judged(Kind::ManagementGroups),
        judged(Kind::ManagementGroupDescendants),
    ],
    run,
};

/// Read whole, these show that somebody holds no role above a resource group.
const ABSENCE: &[Need] =
    &[whole(Kind::Subscriptions), whole(Kind::ManagementGroups), whole(Kind::RoleAssignments), whole(Kind::Principals)];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let tenant = facts.tenant;
    let people = People::of(tenant);
    let suspects: Vec<&RoleAssignment> =
        tenant.role_assignments.iter().filter(|assignment| is_above_group(&assignment.scope)).collect();
    let hidden = hidden(&people, &suspects);
    let unread = facts.missing(ABSENCE, &Id::new(tenant.id.clone()));
    let unread = unread.or_else(|| hidden.values().next().map(|(_, missing)| missing.clone()));
    let unread = unread.or_else(|| unread_above(facts));
    let mut findings: Vec<Finding> = tenant.authorization.delegations.iter().map(|one| delegated(one)).collect();
    for principal in &tenant.directory.service_principals {
        if let Some(why) = foreign(facts, principal) {
            findings.extend(judge(facts, principal, &why, unread.as_ref()));
        }
    }
    for assignment in suspects.iter().filter(|one| is_of_another_tenant(one)) {
        let role = role_name(facts, &assignment.role);
        let on =
            about("principal", &Id::new(assignment.principal_id.clone()), &assignment.principal_id, &assignment.from);
        findings.push(on.fail(format!("it is of another tenant and holds {role} at `{}`", assignment.scope)));
    }
    let open = hidden.iter().filter(|(_, (held, _))| !is_of_another_tenant(held));
    findings.extend(
        open.map(|(id, (held, missing))| {
            about("principal", &Id::new(*id), &people.name(id), &held.from).missing(missing)
        }),
    );
    findings
}

/// Whether a scope lies above resource groups: a subscription, a management group or the root.
fn is_above_group(scope: &Id) -> bool {
    let key = scope.key().trim_end_matches('/');
    key.is_empty()
        || key.starts_with("/providers/microsoft.management/managementgroups/") && !key.contains("/subscriptions/")
        || key.strip_prefix("/subscriptions/").is_some_and(|rest| !rest.contains('/'))
}

fn delegated(delegation: &Delegation) -> Finding {
    let name = delegation.name.as_deref().unwrap_or("delegation");
    let on = about("delegation", &delegation.id, name, &delegation.from);
    if let Some(state) = delegation.state.as_deref().filter(|state| !state.eq_ignore_ascii_case("Succeeded")) {
        return on.not_applicable(format!("it is `{state}`, and so not in force"));
    }
    let to = delegation.managing_tenant.as_deref().unwrap_or("that is not told");
    let told = format!(
        "{} and {} in tenant {to}",
        counted(delegation.authorizations.len(), "standing role"),
        counted(delegation.eligible.len(), "eligible role")
    );
    match is_above_group(&delegation.scope) {
        true => on.fail(format!("`{}` is delegated, with {told}", delegation.scope)),
        false => on.pass(format!("only `{}` is delegated, with {told}", delegation.scope)),
    }
}

/// Why a service principal may act for another tenant, if it may.
fn foreign(facts: &Facts<'_>, principal: &ServicePrincipal) -> Option<String> {
    if is_microsofts(principal) || principal.is_managed_identity() {
        return None;
    }
    let owner = principal.owner_organization.as_deref();
    if let Some(owner) = owner.filter(|owner| !owner.eq_ignore_ascii_case(&facts.tenant.id)) {
        return Some(format!("registered in tenant {owner}"));
    }
    let own = facts.tenant.directory.applications.iter().find(|one| Some(&one.app_id) == principal.app_id.as_ref())?;
    let admits = own.audience.as_deref().filter(|audience| !audience.eq_ignore_ascii_case("AzureADMyOrg"))?;
    Some(format!("open to other tenants (`{admits}`)"))
}

/// None for one that holds no role, as far as all was read.
fn judge(facts: &Facts<'_>, principal: &ServicePrincipal, why: &str, unread: Option<&Missing>) -> Option<Finding> {
    let held = facts.access.held_by(&principal.id);
    let roles: Vec<(&RoleAssignment, String)> = held
        .iter()
        .filter_map(|one| Some((facts.tenant.role_assignments.get(one.assignment)?, through(one))))
        .collect();
    let on = about_service_principal(principal).citing(held.iter().flat_map(|one| &one.evidence));
    let wide: Vec<String> = roles
        .iter()
        .filter(|(role, _)| is_above_group(&role.scope))
        .map(|(role, through)| format!("{} at `{}`{through}", role_name(facts, &role.role), role.scope))
        .collect();
    if let Some(first) = wide.first() {
        return Some(on.fail(format!("it is {why} and holds {}", and_more(first, wide.len()))));
    }
    if let Some(unread) = unread {
        return Some(on.missing(unread));
    }
    let because = format!("it is {why} and holds {}, none above a resource group", counted(roles.len(), "role"));
    (!roles.is_empty()).then(|| on.citing(&facts.records_of(Kind::RoleAssignments)).pass(because))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::applications::testing::{application_json, principal_json};
    use super::super::roles::testing::{APP, GROUP, READER, holding, member_of};
    use super::super::testing::{ROOT_GROUP, SUB, about_name, base, findings_of, list, only, vault_id};
    use super::super::{Finding, Outcome};
    use super::*;
    use crate::evidence::Reason;
    use crate::evidence::testing::CaptureBuilder;

    const PARTNER: &str = "99999999-0000-0000-0000-000000000001";

    /// The service principal `app` of a foreign application, with Reader at `scope`.
    fn foreigner(scope: &str) -> CaptureBuilder {
        registered(holding(&[(scope, READER, APP)], &json!({})), &json!({"appOwnerOrganizationId": PARTNER}), &[])
    }

    fn registered(builder: CaptureBuilder, patch: &Value, applications: &[Value]) -> CaptureBuilder {
        let mut principal = principal_json(patch);
        principal["id"] = json!(APP);
        builder.answer(Kind::ServicePrincipals, "directory", list([principal])).answer(
            Kind::Applications,
            "directory",
            list(applications.to_vec()),
        )
    }

    fn delegation(scope: &str, state: &str) -> CaptureBuilder {
        let definition = json!({"properties": {"registrationDefinitionName": "Support", "managedByTenantId": PARTNER,
            "authorizations": [{"principalId": PARTNER, "roleDefinitionId": READER}]}});
        let assignment = json!({"id": format!("{scope}/providers/Microsoft.ManagedServices/registrationAssignments/one"),
            "properties": {"provisioningState": state, "registrationDefinition": definition}});
        registered(base(), &json!({}), &[]).replace(Kind::RegistrationAssignments, SUB, list([assignment]))
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn a_delegated_subscription_fails_and_a_resource_group_passes() {
        let wide = judged(delegation(SUB, "Succeeded"));
        assert!(wide.because().contains("1 standing role and 0 eligible roles in tenant"), "{}", wide.because());
        assert_eq!(wide.outcome(), Outcome::Fail);
        assert_eq!(judged(delegation(&format!("{SUB}/resourceGroups/rg"), "Succeeded")).outcome(), Outcome::Pass);
        assert_eq!(judged(delegation(SUB, "Failed")).outcome(), Outcome::NotApplicable);
    }

    #[test]
    fn a_foreign_application_fails_above_a_resource_group() {
        for scope in [SUB, ROOT_GROUP, "/"] {
            assert_eq!(judged(foreigner(scope)).outcome(), Outcome::Fail, "{scope}");
        }
        let narrow = judged(foreigner(&vault_id("kv")));
        assert!(narrow.because().ends_with("holds 1 role, none above a resource group"), "{}", narrow.because());
        assert_eq!(narrow.outcome(), Outcome::Pass);
    }

    #[test]
    fn one_that_admits_other_tenants_counts_and_one_of_our_own_does_not() {
        let open = application_json(&json!({"signInAudience": "AzureADMultipleOrgs"}));
        let with =
            |application: Value| registered(holding(&[(SUB, READER, APP)], &json!({})), &json!({}), &[application]);
        assert_eq!(judged(with(open)).outcome(), Outcome::Fail);
        assert_eq!(judged(with(application_json(&json!({})))).outcome(), Outcome::NotApplicable);
        let microsoft = json!({"appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a"});
        let own = registered(holding(&[(SUB, READER, APP)], &json!({})), &microsoft, &[]);
        assert_eq!(judged(own).outcome(), Outcome::NotApplicable);
    }

    #[test]
    fn a_role_through_a_group_counts_and_a_group_that_was_not_read_leaves_it_open() {
        let of_group = || {
            registered(holding(&[(SUB, READER, GROUP)], &json!({})), &json!({"appOwnerOrganizationId": PARTNER}), &[])
        };
        assert!(judged(member_of(of_group(), APP)).because().ends_with("through group `readers`"));
        let unread = of_group().gap(Kind::GroupMembers, &format!("group:{GROUP}"), Reason::Forbidden);
        let findings = findings_of(&CHECK, unread);
        assert_eq!(about_name(&findings, "app").reason(), Some(Reason::Forbidden));
        assert_eq!(about_name(&findings, "readers").reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn a_group_of_another_tenant_fails() {
        let group = json!({"properties": {"principalType": "ForeignGroup"}});
        let builder = registered(holding(&[(SUB, READER, PARTNER)], &group), &json!({}), &[]);
        assert_eq!(about_name(&findings_of(&CHECK, builder), PARTNER).outcome(), Outcome::Fail);
    }

    #[test]
    fn what_was_not_read_is_not_evaluated_and_nobody_not_applicable() {
        for (kind, scope) in [(Kind::RoleAssignments, "/"), (Kind::Principals, "directory")] {
            let finding =
                about_name(&findings_of(&CHECK, foreigner(&vault_id("kv")).denied(kind, scope)), "app").clone();
            assert_eq!(finding.outcome(), Outcome::NotEvaluated, "{kind:?}");
        }
        let unread = registered(base(), &json!({}), &[]).denied(Kind::RegistrationAssignments, SUB);
        assert_eq!(judged(unread).reason(), Some(Reason::Forbidden));
        assert_eq!(judged(registered(base(), &json!({}), &[])).outcome(), Outcome::NotApplicable);
    }
}
