//! Rows of the register of identities by the identity that they are about.

use std::collections::BTreeMap;

use super::Facts;
use super::people::People;
use crate::access::Capability;
use crate::declared::{Identity, IdentityName, Row};

/// The rows that are in force, by lower-case object id.
pub(super) struct Registered<'a> {
    by_object: BTreeMap<String, &'a Row<Identity>>,
}

impl<'a> Registered<'a> {
    /// None where there is no such register.
    pub fn of(facts: &Facts<'a>, people: &People<'_>) -> Option<Registered<'a>> {
        let register = facts.declared.registers.identities.as_ref()?;
        let named = register.in_force(facts.tenant.collected_at).filter_map(|row| {
            let object = match &row.says.identity {
                IdentityName::Object(id) => id.clone(),
                IdentityName::Resource(id) => people.of_arm_id(id.shown())?.id.clone(),
            };
            Some((object, row))
        });
        Some(Registered { by_object: named.collect() })
    }

    /// The row of one identity.
    pub fn row(&self, object_id: &str) -> Option<&'a Row<Identity>> {
        self.by_object.get(object_id).copied()
    }

    /// What one identity is meant to be able to do, where its row says so. Whoever reads secrets may list them.
    pub fn may(&self, object_id: &str) -> Option<(Vec<Capability>, &'a Row<Identity>)> {
        let row = self.row(object_id)?;
        let mut may: Vec<Capability> = row.says.may.as_ref()?.iter().map(|name| name.0).collect();
        if may.contains(&Capability::ReadSecret) {
            may.push(Capability::ListSecrets);
        }
        Some((may, row))
    }
}
