//! Which environment a resource says that it belongs to, by its tags.

use std::collections::{BTreeMap, BTreeSet};

/// Tags that say it.
pub(super) const TAGS: &[&str] = &["env", "environment"];

/// What the tags say, lower case, each value once. More than one: they contradict each other.
pub(super) fn told(tags: &BTreeMap<String, String>) -> BTreeSet<String> {
    let values = TAGS.iter().filter_map(|tag| tags.get(*tag)).map(|value| value.trim().to_lowercase());
    values.filter(|value| !value.is_empty()).collect()
}

/// The values in backticks.
pub(super) fn shown(values: &BTreeSet<String>) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    values.join(", ")
}
