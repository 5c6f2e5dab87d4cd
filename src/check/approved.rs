//! Holders of a power against the register of administrators: what NHI-008, NHI-009 and KV-010 share.

use std::collections::BTreeMap;

use super::finding::About;
use super::logs::as_open;
use super::people::{People, Who};
use super::readers::listed;
use super::registers::{Known, of_rows, principal};
use super::roles::unknown_definition;
use super::{Facts, Finding, own};
use crate::access::Open;
use crate::access::escalation::{Certainty, Edge, HOLDERS, Step, says_nothing};
use crate::declared::{Administrator, Power};
use crate::evidence::{Cite, Reason};
use crate::model::{Id, PrincipalKind, RoleAssignment};

/// Those who have a power, judged by the register.
pub(super) struct Holders<'a> {
    facts: &'a Facts<'a>,
    people: People<'a>,
    power: Power,
    /// Assignments of roles that were not read: at large nearly none, looked through for every subject.
    unknown: Vec<&'a RoleAssignment>,
    /// Who can take a step where, of all that was judged, for the rows of the register.
    edges: Vec<(Id, Vec<Edge>)>,
}

impl<'a> Holders<'a> {
    /// Nobody is judged yet.
    pub(super) fn of(facts: &'a Facts<'a>, power: Power) -> Holders<'a> {
        let definitions = &facts.tenant.role_definitions;
        let assignments = facts.tenant.role_assignments.iter();
        let unknown = assignments.filter(|assignment| !definitions.contains_key(&assignment.role)).collect();
        Holders { facts, people: People::of(facts.tenant), power, unknown, edges: Vec::new() }
    }

    /// Judges those who can take a step at `at` by the rows that approve the power there. `nobody` says that there is
    /// none.
    pub(super) fn judge(&mut self, on: About, at: &Id, edges: Vec<Edge>, nobody: &str) -> Finding {
        let finding = self.judged(on, at, &edges, nobody);
        if self.facts.declared.registers.administrators.is_some() {
            self.edges.push((at.clone(), edges));
        }
        finding
    }

    fn judged(&self, on: About, at: &Id, edges: &[Edge], nobody: &str) -> Finding {
        let Holders { facts, people, power, .. } = self;
        let best = best_of_each(edges);
        let Some(register) = &facts.declared.registers.administrators else {
            if let Some(open) = self.unread(at) {
                return on.open(&open);
            }
            let on = best.values().fold(on, |on, edge| on.citing(&edge.evidence));
            if best.is_empty() {
                return on.pass(nobody);
            }
            let names = best.values().map(|edge| words(people, edge)).collect();
            return on.manual(format!(
                "no register of administrators is given, so a person must approve who can do this: {}",
                listed(names)
            ));
        };
        let rows: Vec<(&Administrator, &Cite)> = register
            .in_force(facts.tenant.collected_at)
            .filter(|row| row.says.may.contains(power) && facts.tenant.hierarchy.reaches(&row.says.scope.0, at))
            .map(|row| (&row.says, &row.from))
            .collect();
        let is_named = |id: &str| rows.iter().any(|(row, _)| row.principal.as_str() == id);
        // a group is approved by its own row, or by one for each of those who are in it
        let is_approved = |id: &str| {
            let members = || facts.tenant.members.get(id).filter(|members| !members.is_empty());
            is_named(id)
                || members().is_some_and(|members| {
                    members.iter().all(|member| is_group(people, &member.id) || is_named(&member.id))
                })
        };
        let on = on.citing([&register.from]).citing(rows.iter().map(|(_, from)| *from));
        let stray: Vec<&Edge> = best.values().copied().filter(|edge| !is_approved(&edge.from)).collect();
        let certain: Vec<&Edge> = stray.iter().copied().filter(|edge| edge.certainty == Certainty::Certain).collect();
        if !certain.is_empty() {
            let on = certain.iter().fold(on, |on, edge| on.citing(&edge.evidence));
            let names = certain.into_iter().map(|edge| words(people, edge)).collect();
            return on.fail(format!("no row in force approves who can do this: {}", listed(names)));
        }
        if let Some(edge) = stray.first() {
            let why = edge.doubt.clone().unwrap_or_default();
            let detail = format!("no row approves {}, which may not be able to: {why}", words(people, edge));
            let reason = if why.starts_with("deny") { Reason::DenyNotEvaluated } else { Reason::ConditionNotEvaluated };
            return on.open(&Open { reason, detail, from: edge.evidence.first().cloned() });
        }
        if let Some(open) = self.unread(at) {
            return on.open(&open);
        }
        let on = best.values().fold(on, |on, edge| on.citing(&edge.evidence));
        match best.len() {
            0 => on.pass(nobody),
            holders => on.pass(format!("each of those who can do this is approved by a row: {holders}")),
        }
    }

    /// Lists of rights that were not read for `at`, so that somebody may be missing. Whose group a holder is in matters
    /// not: the group itself is a holder.
    fn unread(&self, at: &Id) -> Option<Open> {
        let facts = self.facts;
        let missing = HOLDERS.iter().flat_map(|kind| facts.tenant.coverage.missing(own(*kind), at));
        if let Some(missing) = missing.into_iter().find(|missing| !says_nothing(missing)) {
            return Some(as_open(&missing));
        }
        let mut unknown = self.unknown.iter().copied();
        unknown.find(|assignment| facts.tenant.hierarchy.reaches(&assignment.scope, at)).map(unknown_definition)
    }

    /// Findings about the rows that give the power, by `matches`: whether somebody whom the row names has it there.
    pub(super) fn rows(&self) -> Vec<Finding> {
        let Holders { facts, power, edges, .. } = self;
        let Some(register) = &facts.declared.registers.administrators else { return Vec::new() };
        let label = |row: &Administrator| format!("{} at {}", row.principal.as_str(), row.scope.0);
        // one finding a row, from the check of its first power
        let register = crate::declared::Register {
            from: register.from.clone(),
            rows: register.rows.iter().filter(|row| row.says.may.first() == Some(power)).cloned().collect(),
        };
        of_rows(facts, &register, label, |row| {
            let id = row.says.principal.as_str();
            let holds = |edge: &Edge| {
                edge.from == id
                    || facts
                        .tenant
                        .members
                        .get(&edge.from)
                        .is_some_and(|members| members.iter().any(|one| one.id == id))
            };
            let mut below = edges.iter().filter(|(at, _)| facts.tenant.hierarchy.reaches(&row.says.scope.0, at));
            if below.any(|(_, edges)| edges.iter().any(holds)) {
                return Known::Matches;
            }
            match principal(facts, id) {
                Known::Matches | Known::Unused(_) if row.says.may.len() > 1 => Known::Matches, // by another of its powers
                Known::Matches => Known::Unused(format!("`{id}` can do nothing of the kind there")),
                other => other,
            }
        })
    }
}

/// The surest edge of each holder, one without an activation first.
fn best_of_each(edges: &[Edge]) -> BTreeMap<&str, &Edge> {
    let mut best: BTreeMap<&str, &Edge> = BTreeMap::new();
    for edge in edges {
        let rank = |edge: &Edge| (edge.certainty, edge.is_activated_first);
        let known = best.entry(&edge.from).or_insert(edge);
        if rank(edge) < rank(known) {
            *known = edge;
        }
    }
    best
}

fn is_group(people: &People<'_>, id: &str) -> bool {
    matches!(people.who(id), Who::Known(person) if person.kind == PrincipalKind::Group)
}

fn words(people: &People<'_>, edge: &Edge) -> String {
    let how = if edge.step == Step::FederateIdentity { ", by a federated credential" } else { "" };
    let first = if edge.is_activated_first { ", after activation" } else { "" };
    format!("`{}` by {}{how}{first}", people.name(&edge.from), edge.by)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::check::roles::testing::{ADA, APP, CONTRIBUTOR, CUSTOM, GROUP, OWNER, READER, UNLISTED, ada, holding};
    use crate::check::testing::{
        ROOT_GROUP, SUB, about_name, arm_id, findings_declared, findings_of, identity_id, identity_json, list,
        resource_json, vault_id,
    };
    use crate::check::{Check, Finding, Outcome, find};
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Reason};

    const FILE: &str = "registers/administrators.toml";
    const OBJECT: &str = "aaaaaaaa-0000-0000-0000-00000000000f";

    /// The checks of the three powers, what each is about, and the word of the power.
    fn cases() -> [(&'static Check, &'static str, &'static str); 3] {
        let check = |id: &str| find(id).expect("a check");
        [
            (check("NHI-008"), "shared", "attach_identity"),
            (check("NHI-009"), "site", "run_code"),
            (check("KV-010"), "kv", "manage_vault"),
        ]
    }

    /// A vault, an identity, a site that carries it, and these roles.
    fn tenant(held: &[(&str, &str, &str)]) -> CaptureBuilder {
        let attached =
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id("shared"): {}}}});
        holding(held, &json!({}))
            .replace(Kind::UserAssignedIdentities, SUB, list([identity_json("shared", OBJECT, &json!({}))]))
            .replace(Kind::Resources, SUB, list([resource_json("Microsoft.Web/sites", "site", &attached)]))
            .answer(Kind::FederatedCredentials, &identity_id("shared"), list([]))
    }

    fn row(principal: &str, power: &str, scope: &str) -> String {
        format!(
            "[[administrator]]\nprincipal = \"{principal}\"\nmay = [\"{power}\"]\nscope = \"{scope}\"\nreason = \"r\"\napprover = \"a\"\n"
        )
    }

    fn judged(check: &'static Check, name: &str, builder: CaptureBuilder, register: &str) -> Finding {
        about_name(&findings_declared(check, builder, &[(FILE, register)]), name).clone()
    }

    #[test]
    fn whoever_has_the_power_without_a_row_fails() {
        for (check, name, power) in cases() {
            let held = [(SUB, CONTRIBUTOR, APP)];
            let stray = judged(check, name, tenant(&held), "");
            assert_eq!(stray.outcome(), Outcome::Fail, "{}: {}", check.id, stray.because());
            assert!(stray.because().contains("`app` by role `Contributor`"), "{}", stray.because());
            let approved = judged(check, name, tenant(&held), &row(APP, power, SUB));
            assert_eq!(approved.outcome(), Outcome::Pass, "{}: {}", check.id, approved.because());
            let above = judged(check, name, tenant(&held), &row(APP, power, ROOT_GROUP));
            assert_eq!(above.outcome(), Outcome::Pass, "what lies below a group is included");
            let elsewhere =
                judged(check, name, tenant(&held), &row(APP, power, &arm_id("Microsoft.Web/sites", "other")));
            assert_eq!(elsewhere.outcome(), Outcome::Fail, "{}", check.id);
            let ended = format!("{}until = 2026-06-30\n", row(APP, power, SUB));
            assert_eq!(judged(check, name, tenant(&held), &ended).outcome(), Outcome::Fail, "{}", check.id);
            let other = cases().map(|(_, _, power)| power).into_iter().find(|other| *other != power).expect("another");
            assert_eq!(judged(check, name, tenant(&held), &row(APP, other, SUB)).outcome(), Outcome::Fail);
        }
    }

    #[test]
    fn nobody_passes_and_a_reader_has_no_power() {
        for (check, name, _) in cases() {
            let findings = findings_of(check, tenant(&[(SUB, READER, APP)]));
            assert_eq!(about_name(&findings, name).outcome(), Outcome::Pass, "{}", check.id);
        }
    }

    #[test]
    fn without_a_register_the_list_awaits_a_person() {
        for (check, name, _) in cases() {
            let finding = about_name(&findings_of(check, tenant(&[(SUB, OWNER, APP)])), name).clone();
            assert_eq!(finding.outcome(), Outcome::Manual, "{}", check.id);
            assert!(finding.because().contains("`app` by role `Owner`"), "{}", finding.because());
        }
    }

    #[test]
    fn a_group_is_approved_by_its_row_or_by_those_of_its_members() {
        for (check, name, power) in cases() {
            let held = || ada(tenant(&[(SUB, OWNER, GROUP)]));
            for (principal, outcome) in [(GROUP, Outcome::Pass), (ADA, Outcome::Pass), (APP, Outcome::Fail)] {
                let finding = judged(check, name, held(), &row(principal, power, SUB));
                assert_eq!(finding.outcome(), outcome, "{} {principal}: {}", check.id, finding.because());
            }
        }
    }

    #[test]
    fn a_condition_leaves_it_open() {
        let under = json!({"properties": {"condition": "(a)"}});
        let builder = holding(&[(&vault_id("kv"), OWNER, APP)], &under);
        let finding = judged(find("KV-010").expect("a check"), "kv", builder, "");
        assert_eq!(finding.reason(), Some(Reason::ConditionNotEvaluated));
    }

    #[test]
    fn what_was_not_read_keeps_no_pass_and_no_list() {
        for (check, name, power) in cases() {
            for kind in [
                Kind::RoleAssignments,
                Kind::RoleDefinitions,
                Kind::RoleEligibilityScheduleInstances,
                Kind::RegistrationAssignments,
                Kind::ClassicAdministrators,
            ] {
                let denied = || tenant(&[(&vault_id("kv"), READER, APP)]).denied(kind, SUB);
                let listed = about_name(&findings_of(check, denied()), name).clone();
                assert_eq!(listed.outcome(), Outcome::NotEvaluated, "{} {kind:?}: {}", check.id, listed.because());
                let finding = judged(check, name, denied(), &row(APP, power, SUB));
                assert_eq!(finding.outcome(), Outcome::NotEvaluated, "{} {kind:?}", check.id);
            }
            let unlisted = findings_of(check, tenant(&[(SUB, UNLISTED, APP)]));
            assert_eq!(about_name(&unlisted, name).reason(), Some(Reason::RoleDefinitionUnknown), "{}", check.id);
            let unlicensed = tenant(&[(SUB, CUSTOM, APP)]);
            let unlicensed = unlicensed.refused(Kind::RoleEligibilityScheduleInstances, SUB, Reason::NotLicensed);
            assert_eq!(about_name(&findings_of(check, unlicensed), name).outcome(), Outcome::Pass, "{}", check.id);
        }
    }

    #[test]
    fn a_row_that_matches_nothing_is_told_once() {
        for (check, _, power) in cases() {
            let label = format!("{APP} at {SUB}");
            let findings = findings_declared(check, tenant(&[]), &[(FILE, &row(APP, power, SUB))]);
            assert_eq!(about_name(&findings, &label).outcome(), Outcome::Manual, "{}", check.id);
        }
    }

    #[test]
    fn nothing_to_take_is_not_applicable() {
        for (check, _, _) in cases() {
            let findings = findings_of(check, crate::check::testing::base());
            assert_eq!(findings.iter().map(Finding::outcome).collect::<Vec<Outcome>>(), [Outcome::NotApplicable]);
        }
    }
}
