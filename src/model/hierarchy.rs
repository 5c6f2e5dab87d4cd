//! Management groups above subscriptions.

use std::collections::BTreeMap;

use super::Id;
use crate::evidence::Cite;

/// The tree of management groups, as far as it was read.
#[derive(Clone, Debug, Default)]
pub struct Hierarchy {
    /// Parent of a management group or subscription, by key.
    pub parents: BTreeMap<Id, (Id, Cite)>,
    /// Display names of management groups.
    pub names: BTreeMap<Id, String>,
    /// The tenant's root group: its name is the tenant id.
    pub root: Option<Id>,
    /// Management groups are proven not to be in use: the list is empty, and role assignments at `/` could be read.
    pub unused: bool,
}

impl Hierarchy {
    /// Management groups above the subscription that holds `id` (or above that management group), nearest first.
    pub fn above(&self, id: &Id) -> Vec<Id> {
        let mut chain = Vec::new();
        let start = match id.subscription() {
            Some(guid) => Id::new(format!("/subscriptions/{guid}")),
            None => id.clone(),
        };
        let mut at = &start;
        while let Some((parent, _)) = self.parents.get(at) {
            if chain.contains(parent) {
                break; // a loop in the answers
            }
            chain.push(parent.clone());
            at = parent;
        }
        chain
    }

    /// The scopes at and above `id` as far as they are known, widest first: the root, management groups, and each part
    /// of its path.
    pub fn scopes_of(&self, id: &Id) -> Vec<Id> {
        let mut scopes = vec![Id::new("/")];
        scopes.extend(self.above(id).into_iter().rev());
        let key = id.key();
        let ends = key.match_indices('/').map(|(at, _)| at).chain([key.len()]);
        let parts = ends.filter_map(|end| key.get(..end)).filter(|part| !part.is_empty() && *part != "/");
        scopes.extend(parts.map(Id::new));
        scopes
    }

    /// Whether the chain above `id` was read up to the tenant's root group.
    pub fn is_known(&self, id: &Id) -> bool {
        if self.unused || id.key() == "/" {
            return true;
        }
        match &self.root {
            Some(root) => id == root || self.above(id).contains(root),
            None => false,
        }
    }

    /// Whether an assignment at `scope` reaches `object`, by path or through management groups.
    pub fn reaches(&self, scope: &Id, object: &Id) -> bool {
        scope.is_at_or_above(object) || self.above(object).contains(scope)
    }
}
