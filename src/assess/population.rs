//! The population of each check, every item with its result.

use std::collections::BTreeMap;

use crate::check::{CHECKS, Finding};

/// Everything that one check judged, in the order of the findings.
#[derive(Clone, Debug)]
pub struct Population {
    /// Id of the check.
    pub check: &'static str,
    /// Title of the check.
    pub title: &'static str,
    /// Its findings.
    pub items: Vec<Finding>,
}

/// One population a check, in the order of the table; checks without a finding are left out.
pub(super) fn populations(findings: &[Finding]) -> Vec<Population> {
    let mut by_check: BTreeMap<&str, Vec<Finding>> = BTreeMap::new();
    for finding in findings {
        by_check.entry(finding.check()).or_default().push(finding.clone());
    }
    CHECKS
        .iter()
        .filter_map(|check| {
            let items = by_check.remove(check.id)?;
            Some(Population { check: check.id, title: check.title, items })
        })
        .collect()
}
