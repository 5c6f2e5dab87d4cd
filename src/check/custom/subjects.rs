//! The subjects of a population, and the variables that an expression knows of each.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::super::{About, Facts, Finding, about};
use crate::declared::{CustomCheck, Related, SubjectSource, object_shape};
use crate::evidence::{Cite, Kind, Reason, Shape};
use crate::expression::{Stopped, Value, Variables, Why};
use crate::model::{Id, KeptItem, ObjectFamily, ObjectSource, VaultObject};

/// What a check judges, and what belongs to it.
pub(super) struct Subjects<'f> {
    list: List<'f>,
    /// Records by what they are found by, read once: many subjects share one.
    related: Vec<(&'static Related, BTreeMap<String, Found<'f>>)>,
}

/// A record that belongs to subjects, and where it was read.
type Found<'f> = (Json, &'f Cite);

enum List<'f> {
    Records(Kind, &'f [KeptItem]),
    Objects(ObjectFamily, Vec<&'f VaultObject>),
}

impl<'f> Subjects<'f> {
    /// The subjects; what was not kept for the check leaves everything open.
    pub(super) fn of(own: &CustomCheck, facts: &Facts<'f>) -> Result<Subjects<'f>, Box<Finding>> {
        let list = match own.population.source {
            SubjectSource::Records(kind) => List::Records(kind, records(facts, own, kind)?),
            SubjectSource::Objects(family) => {
                let objects = facts.tenant.contents.objects.iter().filter(|object| object.family == family);
                List::Objects(family, objects.collect())
            }
        };
        let mut related = Vec::new();
        for one in own.related() {
            let items = records(facts, own, one.kind)?.iter();
            let by_name = items
                .filter_map(|item| Some((key(item.id.shown()), (serde_json::from_str(&item.json).ok()?, &item.from))));
            related.push((one, by_name.collect()));
        }
        Ok(Subjects { list, related })
    }
}

/// The records of a kind as they were kept.
fn records<'f>(facts: &Facts<'f>, own: &CustomCheck, kind: Kind) -> Result<&'f [KeptItem], Box<Finding>> {
    let tenant = facts.tenant;
    tenant.kept.get(&kind).map(Vec::as_slice).ok_or_else(|| {
        let on = about("scope", &Id::new(&tenant.id), &tenant.id, &own.from);
        Box::new(on.not_evaluated(Reason::NotAsked, format!("records of {} were not looked at", kind.words())))
    })
}

/// What `judge` finds for each subject that it finds something for.
pub(super) fn each(
    subjects: &Subjects<'_>,
    own: &CustomCheck,
    facts: &Facts<'_>,
    judge: impl Fn(&CustomCheck, &Variables<'_>, About) -> Option<Finding>,
) -> Vec<Finding> {
    let variable = own.population.variable;
    let one = |json: &Json, shape: &Shape, on: About| {
        let related = subjects.related_to(json);
        let mut variables = times(facts);
        set(&mut variables, variable, json, shape);
        let mut on = on;
        for (related, name, record) in &related {
            match (record, own.shapes.get(related.variable)) {
                (Some((record, from)), Some(shape)) => {
                    on = on.citing([*from]);
                    set(&mut variables, related.variable, record, shape);
                }
                _ => {
                    let what = format!("no record of the {} `{name}` was read", related.variable);
                    variables.unknown(related.variable, Stopped::new(Why::Unread(related.reason), what));
                }
            }
        }
        judge(own, &variables, on)
    };
    match &subjects.list {
        List::Records(kind, items) => {
            let shape = own.shapes.get(variable).cloned().unwrap_or_default();
            let judged = items.iter().filter_map(|item| {
                let on = |name: &str| about(subject_word(*kind), &item.id, name, &item.from);
                match serde_json::from_str(&item.json) {
                    Ok(json) => one(&json, &shape, on(&name_of(facts, *kind, item, &json))),
                    Err(error) => Some(
                        on(&item.name).not_evaluated(Reason::Malformed, format!("the record cannot be read: {error}")),
                    ),
                }
            });
            judged.collect()
        }
        List::Objects(family, objects) => {
            let (by_manager, by_vault) = (object_shape(true, false), object_shape(false, true));
            let judged = objects.iter().filter_map(|object| {
                let name = format!("{}/{}", object.vault.name(), object.name);
                let on = about(family.segment().trim_end_matches('s'), &object.id, &name, &object.from);
                let shape = if object.source == ObjectSource::Arm { &by_manager } else { &by_vault };
                one(&object_json(object), shape, on)
            });
            judged.chain(unasked(*family, facts)).collect()
        }
    }
}

/// What belongs to a subject: by which variable, under which name, and the record where one was read.
type RelatedTo<'s, 'f> = (&'static Related, String, Option<&'s Found<'f>>);

impl<'f> Subjects<'f> {
    fn related_to(&self, json: &Json) -> Vec<RelatedTo<'_, 'f>> {
        let found = self.related.iter().map(|(related, by_name)| {
            let name = json.get("properties").and_then(|properties| properties.get(related.by)).and_then(Json::as_str);
            (*related, name.unwrap_or("not told").to_owned(), name.and_then(|name| by_name.get(&key(name))))
        });
        found.collect()
    }
}

/// Names a record; one that may not be looked at is not known.
fn set<'a>(variables: &mut Variables<'a>, name: &'static str, json: &'a Json, shape: &'a Shape) {
    match Value::kept(json, shape) {
        Ok(value) => variables.set(name, value),
        Err(stopped) => variables.unknown(name, stopped),
    }
}

/// Only vaults themselves list certificates. One that was not asked leaves its certificates unknown.
fn unasked(family: ObjectFamily, facts: &Facts<'_>) -> Vec<Finding> {
    if family != ObjectFamily::Certificate {
        return Vec::new();
    }
    let coverage = &facts.tenant.coverage;
    let vaults = facts.tenant.vaults.iter();
    let unasked = vaults.filter(|vault| coverage.at(Kind::VaultDataCertificates, &vault.id).next().is_none());
    let because = "its certificates were not asked for: only vaults list them, with `vault_objects = \"data_plane\"`";
    unasked
        .map(|vault| about("vault", &vault.id, &vault.name, &vault.from).not_evaluated(Reason::NotAsked, because))
        .collect()
}

/// What every expression knows.
fn times<'a>(facts: &Facts<'_>) -> Variables<'a> {
    let mut variables = Variables::default();
    variables.set("now", Value::Time(facts.tenant.collected_at));
    variables.set("period_start", Value::Time(facts.period.start));
    variables.set("period_end", Value::Time(facts.period.end));
    variables
}

/// By what a record is found: the last part of its id, in any case.
fn key(id: &str) -> String {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id).to_lowercase()
}

/// Names a subject for a reader: a role assignment, whose own name is a number, by who holds it, and where.
fn name_of(facts: &Facts<'_>, kind: Kind, item: &KeptItem, json: &Json) -> String {
    let told = |name: &str| json.get("properties")?.get(name)?.as_str();
    match (kind, told("principalId"), told("scope")) {
        (Kind::RoleAssignments, Some(principal), Some(scope)) => {
            let place = Some(Id::new(scope).name().to_owned()).filter(|name| !name.is_empty());
            format!("{} at {}", facts.tenant.principal_name(principal), place.unwrap_or_else(|| scope.to_owned()))
        }
        _ => item.name.clone(),
    }
}

/// What a subject is called in findings, where that is not the kind's own name in the singular.
fn subject_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Vaults => "vault",
        Kind::RoleAssignments => "role_assignment",
        Kind::RoleDefinitions => "role_definition",
        Kind::UserAssignedIdentities => "managed_identity",
        Kind::FederatedCredentials => "federated_credential",
        Kind::Applications => "application",
        Kind::ServicePrincipals => "principal",
        Kind::Workspaces => "workspace",
        Kind::Subscriptions => "subscription",
        Kind::ConditionalAccessPolicies => "policy",
        Kind::DiagnosticSettings => "diagnostic_setting",
        _ => "resource",
    }
}

/// An object of a vault, by the names that both lists have; times are seconds, as both tell them.
fn object_json(object: &VaultObject) -> Json {
    let told = &object.attributes;
    let seconds = |time: Option<chrono::DateTime<chrono::Utc>>| time.map(|time| time.timestamp());
    let attributes = json!({
        "enabled": told.enabled, "nbf": seconds(told.not_before), "exp": seconds(told.expires),
        "created": seconds(told.created), "updated": seconds(told.updated),
    });
    let mut members = Map::new();
    for (name, value) in [
        ("id", json!(object.id.shown())),
        ("name", json!(object.name)),
        ("vault", json!(object.vault.shown())),
        ("managed", json!(object.managed)),
        ("kty", json!(object.key_type)),
        ("keySize", json!(object.key_size)),
        ("attributes", attributes),
    ] {
        members.insert(name.to_owned(), value);
    }
    Json::Object(members)
}
