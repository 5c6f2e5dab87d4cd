//! The form that a kept record can have.

use std::collections::BTreeMap;

/// What can be kept of a value. A member that a record lacks was not there only when its shape names it: whatever
/// no shape names was cut before the record was kept, and nobody can say whether it was there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Nothing of it is kept.
    #[default]
    Nothing,
    /// A value without parts.
    Leaf,
    /// An object: its members by lower-case name, and what can be kept of members whose names are data.
    Object {
        /// Known members.
        members: BTreeMap<String, Shape>,
        /// Members of a map.
        any: Option<Box<Shape>>,
    },
    /// A list of items that are alike.
    List(Box<Shape>),
}

impl Shape {
    /// The shape of a member, its name in any case; none when no such member is kept.
    pub fn member(&self, name: &str) -> Option<&Shape> {
        let Shape::Object { members, any } = self else { return None };
        let known = members.get(&name.to_ascii_lowercase()).or(any.as_deref());
        known.filter(|shape| **shape != Shape::Nothing)
    }

    /// The shape of an item.
    pub fn item(&self) -> &Shape {
        match self {
            Shape::List(items) => items,
            _ => &Shape::Nothing,
        }
    }

    /// An object with these members.
    pub fn object<const N: usize>(members: [(&str, Shape); N]) -> Shape {
        let members = members.into_iter().map(|(name, shape)| (name.to_ascii_lowercase(), shape));
        Shape::Object { members: members.collect(), any: None }
    }

    /// An object of values without parts.
    pub fn leaves(names: &[&str]) -> Shape {
        let members = names.iter().map(|name| (name.to_ascii_lowercase(), Shape::Leaf));
        Shape::Object { members: members.collect(), any: None }
    }
}
