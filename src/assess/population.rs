//! The population of each check, every item with its result.

use std::sync::Arc;

use crate::check::{Finding, all_checks};
use crate::declared::Declared;

/// Everything that one check judged, in the order of the findings.
#[derive(Clone, Debug)]
pub struct Population {
    /// Id of the check.
    pub check: &'static str,
    /// Title of the check.
    pub title: &'static str,
    /// Its findings.
    pub items: Vec<Arc<Finding>>,
}

/// One population a check, in the order of the table; checks without a finding are left out.
pub(super) fn populations(findings: &[Arc<Finding>], declared: &Declared) -> Vec<Population> {
    let of = |id: &str| findings.iter().filter(|finding| finding.check() == id).cloned().collect::<Vec<_>>();
    let each =
        all_checks(declared).map(|check| Population { check: check.id, title: check.title, items: of(check.id) });
    each.filter(|population| !population.items.is_empty()).collect()
}
