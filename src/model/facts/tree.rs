//! What there should be: the tree of management groups, held against what was visible.

use std::collections::BTreeSet;

use crate::evidence::Cite;
use crate::model::{Id, Tenant};

/// What the tree of management groups names.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Groups and subscriptions that the collecting identity may know of, in order of id.
    pub entities: Vec<Entity>,
    /// Every subscription that stands in the tree, `/subscriptions/{guid}`, visible or not.
    pub subscriptions: BTreeSet<Id>,
}

/// A management group or a subscription in the tree.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Id of the group, or `/subscriptions/{guid}`.
    pub id: Id,
    /// Whether it is a subscription.
    pub is_subscription: bool,
    /// Display name.
    pub name: String,
    /// The group that it stands in; none for the root group.
    pub parent: Option<Id>,
    /// What the collecting identity may do with it: `noaccess`, `view`, `edit`, `delete`, as received.
    pub permissions: Option<String>,
    /// Where it was read.
    pub from: Cite,
}

impl Tenant {
    /// Whether the configuration limits the scope to named subscriptions and groups.
    fn is_limited(&self) -> bool {
        let expected = self.coverage.expected();
        !expected.subscriptions.is_empty() || !expected.management_groups.is_empty()
    }

    /// Whether the configuration's scope holds a subscription: it names it, or a group above it, or nothing at all.
    fn is_in_scope(&self, subscription: &Id) -> bool {
        let expected = self.coverage.expected();
        let name = |text: &str| text.trim_end_matches('/').rsplit('/').next().unwrap_or(text).to_lowercase();
        let is_named = expected.subscriptions.iter().any(|guid| name(guid) == name(subscription.key()));
        let above = self.hierarchy.above(subscription);
        let is_below = || {
            let mut groups = expected.management_groups.iter();
            groups.any(|group| above.iter().any(|id| name(id.key()) == name(group)))
        };
        !self.is_limited() || is_named || is_below()
    }

    /// Subscriptions that the tree names, that the configuration does not leave out, and that were not visible.
    pub fn unseen_subscriptions(&self) -> Vec<Id> {
        let is_seen = |id: &Id| self.subscriptions.iter().any(|subscription| subscription.id == *id);
        let expected = self.tree.subscriptions.iter().filter(|id| self.is_in_scope(id));
        expected.filter(|id| !is_seen(id)).cloned().collect()
    }

    /// Subscriptions that the tree names, or that were visible, and that the configuration leaves out.
    pub fn subscriptions_out_of_scope(&self) -> Vec<Id> {
        let visible = self.subscriptions.iter().map(|subscription| &subscription.id);
        let known: BTreeSet<&Id> = self.tree.subscriptions.iter().chain(visible).collect();
        known.into_iter().filter(|id| !self.is_in_scope(id)).cloned().collect()
    }
}
