//! Who can attach identities, run code where one can be had, or manage vaults: what NHI-008, NHI-009 and KV-010 ask.
//!
//! A row names a resource group, or the subscription where there are several, in which the principal has the power over
//! everything of the kind; else the one thing.

use std::collections::{BTreeMap, BTreeSet};

use super::Draft;
use crate::access::escalation::{Edge, HOLDERS, Powers, says_nothing};
use crate::access::hosts;
use crate::evidence::Kind;
use crate::model::{Id, Tenant};

/// Words of `may`, in the order of the rows.
const ATTACH: &str = "attach_identity";
const RUN: &str = "run_code";
const MANAGE: &str = "manage_vault";

/// Lists of what the powers are over.
const SUBJECTS: &[Kind] = &[Kind::UserAssignedIdentities, Kind::Resources, Kind::Vaults];

/// One row: what a principal may do at a scope, and by which rights.
#[derive(Default)]
struct Row {
    may: Vec<&'static str>,
    by: BTreeSet<String>,
}

pub(super) fn draft(tenant: &Tenant, draft: &mut Draft) {
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    for (power, over) in powers(tenant) {
        let all: BTreeSet<&Id> = over.iter().map(|(id, _)| id).collect();
        let mut of_principal: BTreeMap<&str, BTreeMap<&Id, Vec<&Edge>>> = BTreeMap::new();
        for (id, edges) in &over {
            for edge in edges {
                of_principal.entry(&edge.from).or_default().entry(id).or_default().push(edge);
            }
        }
        for (principal, held) in of_principal {
            for scope in scopes(&all, &held.keys().copied().collect()) {
                let row = rows.entry((principal.to_owned(), scope.shown().to_owned())).or_default();
                row.may.push(power);
                let below = held.iter().filter(|(id, _)| scope.is_at_or_above(id));
                row.by.extend(below.flat_map(|(_, edges)| edges).map(|edge| by(edge)));
            }
        }
    }
    for ((principal, scope), row) in &rows {
        let (name, kind) = (tenant.principal_name(principal), tenant.principal_kind(principal));
        let by = row.by.iter().cloned().collect::<Vec<String>>().join("; ");
        if principal.starts_with('/') {
            draft.note(&format!("no row can name `{principal}`, which has no object id: {by}"));
            continue;
        }
        draft.row("administrator", &format!("{name} ({kind}): {by}"));
        draft.says("principal", principal);
        draft.list("may", &row.may);
        draft.says("scope", scope);
        draft.says("reason", "");
        draft.says("approver", "");
    }
    for kind in HOLDERS.iter().chain(SUBJECTS) {
        let unread = tenant.coverage.missing_of_population(*kind);
        for missing in unread.iter().filter(|missing| !says_nothing(missing)) {
            let (what, at) = (kind.words(), &missing.scope);
            draft.note(&format!("there may be more: {what} at `{at}` not read, {}", missing.reason.sentence()));
        }
    }
}

/// Everything that a power is over, with those who have it.
type Over = Vec<(Id, Vec<Edge>)>;

/// What there is of each power.
fn powers(tenant: &Tenant) -> [(&'static str, Over); 3] {
    let powers = Powers::of(tenant);
    let identities = tenant
        .user_assigned
        .iter()
        .filter_map(|identity| Some((identity.id.clone(), powers.over_identity(identity.principal_id.as_deref()?))));
    let hosts = hosts(tenant);
    let running = hosts.iter().filter_map(|host| {
        Some((host.resource.id.clone(), powers.over_host(host.resource, host.identities.first()?)?))
    });
    let vaults = tenant.vaults.iter().map(|vault| (vault.id.clone(), powers.over_vault(vault)));
    [(ATTACH, identities.collect()), (RUN, running.collect()), (MANAGE, vaults.collect())]
}

/// The fewest scopes that hold all of `held`, and of `all` nothing else.
fn scopes(all: &BTreeSet<&Id>, held: &BTreeSet<&Id>) -> BTreeSet<Id> {
    let is_held_whole = |scope: &Id| {
        let mut below = all.iter().filter(|id| scope.is_at_or_above(id)).peekable();
        below.peek().is_some() && below.all(|id| held.contains(*id))
    };
    let below = |scope: &Id| held.iter().filter(|id| scope.is_at_or_above(id)).collect::<Vec<_>>();
    // what lies in one resource group alone speaks for no other one, now or later
    let is_of_groups =
        |scope: &Id| below(scope).iter().filter_map(|id| head(id, 4)).collect::<BTreeSet<Id>>().len() > 1;
    let is_of_many = |scope: &Id| below(scope).len() > 1;
    let widest = |id: &Id| {
        let subscription = head(id, 2).filter(|scope| is_of_groups(scope));
        let group = head(id, 4).filter(|scope| is_of_many(scope));
        let above = [subscription, group].into_iter().flatten();
        above.into_iter().find(|scope| is_held_whole(scope)).unwrap_or_else(|| id.clone())
    };
    held.iter().map(|id| widest(id)).collect()
}

/// The first segments of an id: two are its subscription, four its resource group.
fn head(id: &Id, segments: usize) -> Option<Id> {
    let parts: Vec<&str> = id.shown().trim_start_matches('/').split('/').collect();
    (parts.len() > segments).then(|| Id::new(format!("/{}", parts.get(..segments).unwrap_or_default().join("/"))))
}

fn by(edge: &Edge) -> String {
    let first = if edge.is_activated_first { ", after activation" } else { "" };
    let doubt = edge.doubt.as_ref().map(|doubt| format!(" ({doubt})")).unwrap_or_default();
    format!("{}{first}{doubt}", edge.by)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Suggested, suggest};
    use super::*;
    use crate::access::Access;
    use crate::check::testing::{
        SUB, assignment_json, base, findings_declared, identity_json, list, outcomes, resource_json, role_json,
        vault_id, vault_json,
    };
    use crate::check::{Outcome, find};
    use crate::declared::{Declared, Power};
    use crate::evidence::testing::CaptureBuilder;
    use crate::model;

    const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    const ADA: &str = "aaaaaaaa-0000-0000-0000-00000000000a";
    const BEN: &str = "aaaaaaaa-0000-0000-0000-00000000000b";
    const FILE: &str = "registers/administrators.toml";

    /// Two vaults, an identity, a site that carries one; Ada owns the subscription, Ben one of the vaults.
    fn tenant() -> CaptureBuilder {
        let own =
            json!({"identity": {"type": "SystemAssigned", "principalId": "aaaaaaaa-0000-0000-0000-0000000000f0"}});
        let held = [
            assignment_json("cccccccc-0000-0000-0000-000000000001", SUB, OWNER, ADA, "User"),
            assignment_json("cccccccc-0000-0000-0000-000000000002", &vault_id("kv1"), OWNER, BEN, "User"),
        ];
        base()
            .replace(Kind::RoleAssignments, SUB, list(held))
            .replace(Kind::RoleDefinitions, SUB, list([role_json(OWNER, "Owner", &["*"], &[])]))
            .replace(Kind::Vaults, SUB, list(["kv1", "kv2"].map(|name| vault_json(name, &json!({})))))
            .replace(
                Kind::UserAssignedIdentities,
                SUB,
                list([identity_json("shared", "aaaaaaaa-0000-0000-0000-0000000000f1", &json!({}))]),
            )
            .replace(Kind::Resources, SUB, list([resource_json("Microsoft.Web/sites", "site", &own)]))
    }

    fn drafted(builder: &CaptureBuilder) -> String {
        let tenant = model::read(&builder.clone().build()).expect("a tenant");
        suggest(Suggested::Administrators, &tenant, &Access::of(&tenant), "c-1")
    }

    fn said(draft: &str) -> String {
        draft.replace("reason = \"\"", "reason = \"r\"").replace("approver = \"\"", "approver = \"a\"")
    }

    #[test]
    fn a_row_is_as_wide_as_what_was_found_and_no_wider() {
        let files = [(FILE.to_owned(), said(&drafted(&tenant())).into_bytes())];
        let declared = Declared::read(files.into()).expect("a register");
        let register = declared.registers.administrators.expect("given");
        let rows: Vec<(&str, &str, &[Power])> = register
            .rows
            .iter()
            .map(|row| (row.says.principal.as_str(), row.says.scope.0.name(), row.says.may.as_slice()))
            .collect();
        assert_eq!(
            rows,
            [
                (ADA, "rg", &[Power::ManageVault][..]), // both vaults, which lie in one resource group
                (ADA, "shared", &[Power::AttachIdentity]), // one identity alone
                (ADA, "site", &[Power::RunCode]),
                (BEN, "kv1", &[Power::ManageVault]),
            ]
        );
    }

    #[test]
    fn a_subscription_is_named_where_several_resource_groups_are_held_whole() {
        let ids: Vec<Id> = ["a/x/y/z/v/1", "a/x/y/z/v/2", "b/x/y/z/v/3"]
            .iter()
            .map(|rest| Id::new(format!("{SUB}/resourceGroups/{rest}")))
            .collect();
        let all: BTreeSet<&Id> = ids.iter().collect();
        let of = |held: &[usize]| -> Vec<String> {
            let held = held.iter().map(|place| &ids[*place]).collect();
            scopes(&all, &held).iter().map(|scope| scope.shown().trim_start_matches(SUB).to_owned()).collect()
        };
        assert_eq!(of(&[0, 1, 2]), [""]);
        assert_eq!(of(&[0, 1]), ["/resourceGroups/a"], "nothing of the other group, now or later");
        assert_eq!(of(&[0, 2]), ["/resourceGroups/a/x/y/z/v/1", "/resourceGroups/b/x/y/z/v/3"]);
    }

    #[test]
    fn the_draft_is_refused_until_somebody_says_why_and_lists_everybody_then() {
        let text = drafted(&tenant());
        assert!(text.contains("role `Owner` at"), "{text}");
        let files = [(FILE.to_owned(), text.clone().into_bytes())];
        assert!(Declared::read(files.into()).is_err(), "nobody has said why");
        for id in ["NHI-008", "NHI-009", "KV-010"] {
            let check = find(id).expect("a check");
            let findings = findings_declared(check, tenant(), &[(FILE, &said(&text))]);
            assert!(outcomes(&findings).iter().all(|outcome| *outcome == Outcome::Pass), "{id}: {findings:#?}");
            // it is that register which approves them
            let without = findings_declared(check, tenant(), &[(FILE, "")]);
            assert!(outcomes(&without).contains(&Outcome::Fail), "{id}: {without:#?}");
        }
    }

    #[test]
    fn what_was_not_read_is_told_in_the_draft() {
        let text = drafted(&tenant().denied(Kind::RoleEligibilityScheduleInstances, SUB));
        assert!(text.contains("# there may be more: "), "{text}");
        assert!(!drafted(&tenant()).contains("there may be more"));
    }
}
