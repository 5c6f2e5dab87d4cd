//! NHI-011: an identity that is no longer used keeps no access.

use chrono::{DateTime, TimeDelta, Utc};

use super::callers::shown;
use super::log_reach::{MANAGED_IDENTITIES, SERVICE_PRINCIPALS, directory_shows};
use super::people::{People, Person, and_more};
use super::roles::{hidden, role_name, through};
use super::{Check, Facts, Finding, Nature, Severity, about, judged, population};
use crate::evidence::{Cite, Kind, Period, Reason};
use crate::model::{Id, PrincipalKind, RoleAssignment, SignInKind};

pub(super) const CHECK: Check = Check {
    id: "NHI-011",
    title: "No dormant identity keeps access",
    severity: Severity::Medium,
    nature: Nature::Operating,
    asks: "For every service principal and managed identity with an Azure role, directly or through a group, its last \
           sign-in in the logs. One without any over the last days of the period (parameter `dormant_days`) is an \
           exception, unless all its roles are younger than that. Silence counts only where the log was exported and \
           read whole over those days.",
    blind_to: "Use without a sign-in: a token lasts up to a day, and an application acting for a signed-in person is in \
               the people's log. Sign-ins that failed are not use. Access policies of vaults and rights in the directory \
               alone do not bring an identity into the population.",
    fix: "Ask its owner, then take the roles away: `az role assignment delete --ids ASSIGNMENT_ID`; disable a service \
          principal before deleting it: `az ad sp update --id OBJECT_ID --set accountEnabled=false`. In Terraform and \
          Bicep remove the role assignment from the configuration that made it, or it comes back. One that rests for a \
          reason, such as a yearly job, needs a waiver.",
    needs: &[
        population(Kind::RoleAssignments),
        population(Kind::Principals),
        judged(Kind::GroupMembers),
        judged(Kind::ManagedIdentityPrincipals),
        judged(Kind::DirectoryExports),
        judged(Kind::Workspaces),
        judged(Kind::Workspace),
        judged(Kind::Tables),
        judged(Kind::LogContinuity),
        judged(Kind::ServicePrincipalSignIns),
        judged(Kind::ServicePrincipalSignInsCount),
        judged(Kind::ManagedIdentitySignIns),
        judged(Kind::ManagedIdentitySignInsCount),
    ],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let people = People::of(facts.tenant);
    let assignments: Vec<&RoleAssignment> = facts.tenant.role_assignments.iter().collect();
    let judged = people.non_human().filter_map(|person| judge(facts, person));
    // a group whose members were not read may hide one
    let hidden = hidden(&people, &assignments);
    let open = hidden.iter().filter(|(_, (_, missing))| missing.kind == Kind::GroupMembers);
    let open =
        open.map(|(id, (held, missing))| about("group", &Id::new(*id), &people.name(id), &held.from).missing(missing));
    judged.chain(open).collect()
}

/// None for one that holds no role.
fn judge(facts: &Facts<'_>, person: &Person) -> Option<Finding> {
    let held = facts.access.held_by(&person.id);
    let roles: Vec<(&RoleAssignment, String)> = held
        .iter()
        .filter_map(|one| Some((facts.tenant.role_assignments.get(one.assignment)?, through(one))))
        .collect();
    let (first, through) = roles.first()?;
    let days = facts.parameters.dormant_days.max(0);
    let end = facts.period.end.min(facts.tenant.collected_at);
    let start = TimeDelta::try_days(days).and_then(|length| end.checked_sub_signed(length));
    let part = Period { start: start.unwrap_or(DateTime::<Utc>::MIN_UTC), end };
    let on = person.about().citing(held.iter().flat_map(|one| &one.evidence));
    let last = last_sign_in(facts, person);
    if let Some((at, from)) = last
        && at >= part.start
    {
        return Some(on.citing([from]).pass(format!("it last signed in at {}", shown(at))));
    }
    let is_young = |(role, _): &(&RoleAssignment, String)| role.created_on.is_some_and(|made| made > part.start);
    if roles.iter().all(is_young) {
        return Some(on.pass(format!("all its roles were given in the last {days} days of the period")));
    }
    if part.start < facts.period.start {
        let because = format!("the period is shorter than the {days} days after which an identity counts as dormant");
        return Some(on.not_evaluated(Reason::RetentionTooShort, because));
    }
    let source = if person.kind == PrincipalKind::ManagedIdentity { &MANAGED_IDENTITIES } else { &SERVICE_PRINCIPALS };
    let evidence = match directory_shows(facts, source, &part) {
        Ok(evidence) => evidence,
        Err(open) => return Some(on.open(&open)),
    };
    let role = format!("{} at `{}`{through}", role_name(facts, &first.role), first.scope);
    let before = last.map_or(String::new(), |(at, _)| format!(", the last at {}", shown(at)));
    Some(
        on.citing(&evidence)
            .citing(last.map(|(_, from)| from))
            .fail(format!("it holds {} and has not signed in for {days} days{before}", and_more(&role, roles.len()))),
    )
}

/// The last sign-in of an identity that did not fail, with the row that shows it.
fn last_sign_in<'a>(facts: &Facts<'a>, person: &Person) -> Option<(DateTime<Utc>, &'a Cite)> {
    let own = facts.tenant.logs.sign_ins.iter().filter(|one| {
        matches!(one.kind, SignInKind::ServicePrincipal | SignInKind::ManagedIdentity)
            && one.principal_id.as_deref() == Some(person.id.as_str())
            && one.succeeded != Some(false)
    });
    own.map(|one| (one.last.unwrap_or(one.day), &one.from)).max_by_key(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::log_reach::testing::{Held, exported, sign_in};
    use super::super::logs::testing::WORKSPACE;
    use super::super::roles::testing::{APP, GROUP, READER, holding, member_of};
    use super::super::testing::{SUB, base, findings_of, findings_with, only};
    use super::super::{Finding, Outcome, Parameters};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    fn tenant(sign_ins: &[Value]) -> CaptureBuilder {
        let held = Held { service_principals: sign_ins.to_vec(), ..Held::default() };
        exported(holding(&[(SUB, READER, APP)], &json!({})), &held)
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn one_that_signed_in_passes_and_one_that_did_not_fails() {
        let used = judged(tenant(&[sign_in("2026-09-12", APP, "clientSecret"), sign_in("2026-08-01", APP, "")]));
        assert_eq!(used.because(), "it last signed in at 2026-09-12T08:00:00Z");
        assert_eq!(used.outcome(), Outcome::Pass);
        let idle = judged(tenant(&[]));
        assert!(
            idle.because().starts_with("it holds Reader at `") && idle.because().ends_with("for 90 days"),
            "{idle:?}"
        );
        assert_eq!(idle.outcome(), Outcome::Fail);
        let early = judged(tenant(&[sign_in("2026-07-01", APP, "")]));
        assert!(early.because().ends_with("for 90 days, the last at 2026-07-01T08:00:00Z"), "{early:?}");
    }

    #[test]
    fn a_failed_sign_in_or_that_of_another_is_no_use() {
        let mut failed = sign_in("2026-09-12", APP, "clientSecret");
        failed["ResultType"] = json!("7000222");
        assert_eq!(judged(tenant(&[failed])).outcome(), Outcome::Fail);
        let other = sign_in("2026-09-12", "eeeeeeee-0000-0000-0000-000000000001", "");
        assert_eq!(judged(tenant(&[other])).outcome(), Outcome::Fail);
    }

    #[test]
    fn a_role_through_a_group_counts_and_a_new_one_is_given_time() {
        let of_group = exported(member_of(holding(&[(SUB, READER, GROUP)], &json!({})), APP), &Held::default());
        assert!(judged(of_group).because().contains("through group `readers`"));
        let new = json!({"properties": {"createdOn": "2026-09-01T00:00:00Z"}});
        let new = exported(holding(&[(SUB, READER, APP)], &new), &Held::default());
        assert_eq!(judged(new).outcome(), Outcome::Pass);
        let unread = holding(&[(SUB, READER, GROUP)], &json!({}));
        let unread = unread.gap(Kind::GroupMembers, &format!("group:{GROUP}"), Reason::Forbidden);
        assert_eq!(judged(exported(unread, &Held::default())).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn silence_of_a_log_that_was_not_read_whole_is_not_evaluated_but_a_sign_in_is_one() {
        for (kind, scope) in [
            (Kind::ServicePrincipalSignIns, WORKSPACE),
            (Kind::DirectoryExports, "tenant"),
            (Kind::ServicePrincipalSignInsCount, WORKSPACE),
        ] {
            assert_eq!(judged(tenant(&[]).denied(kind, scope)).reason(), Some(Reason::Forbidden), "{kind:?}");
        }
        let seen = tenant(&[sign_in("2026-09-12", APP, "")]).denied(Kind::DirectoryExports, "tenant");
        assert_eq!(judged(seen).outcome(), Outcome::Pass);
        let longer = Parameters { dormant_days: 180, ..Parameters::default() };
        let finding = findings_with(&CHECK, tenant(&[]), &longer);
        assert_eq!(only(&finding).reason(), Some(Reason::RetentionTooShort));
    }

    #[test]
    fn nobody_with_a_role_is_not_applicable_and_unread_roles_are_not_evaluated() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(base().denied(Kind::RoleAssignments, "/")).reason(), Some(Reason::Forbidden));
    }
}
