//! What the checks of effective access share: what was not read of it, how long a path stands, and lists for a reader.

use chrono::{DateTime, Utc};

use super::logs::as_open;
use super::{Facts, own};
use crate::access::{Answer, Gap, Open, Path, Standing, Unread, Via};
use crate::evidence::{Kind, Reason};
use crate::model::Vault;

/// So many names are printed for one subject; the rest is counted.
const NAMES: usize = 10;

/// The first thing that was not read of the access to a vault and that matters here.
pub(super) fn unread(facts: &Facts<'_>, vault: &Vault, matters: &[Unread]) -> Option<Open> {
    // without the licence nothing can be activated
    let is_unlicensed = |gap: &Gap| gap.about == Unread::Eligibility && gap.reason == Reason::NotLicensed;
    let mut gaps = facts.access.gaps(&vault.id).into_iter();
    let gap = gaps.find(|gap| matters.contains(&gap.about) && !is_unlicensed(gap))?;
    let detail = format!("{} at `{}` not read: {}", gap.about.words(), gap.name, gap.detail);
    Some(Open { reason: gap.reason, detail, from: gap.from })
}

/// How long a path stands.
pub(super) enum Stands {
    /// It gives nothing before it is activated, or nothing at all.
    No,
    /// Without an end.
    Always,
    /// It was assigned with this end, and nothing need be activated.
    Until(DateTime<Utc>),
    /// That is not known.
    Open(Open),
}

/// How long a path to a vault stands. A role whose schedule is in no list that was read whole was not activated.
pub(super) fn stands(facts: &Facts<'_>, vault: &Vault, path: &Path) -> Stands {
    let is_activated = !path.activations.is_empty()
        || matches!(&*path.via, Via::EligibleRole { .. } | Via::Role { standing: Standing::Activated(_), .. });
    match path.answer {
        _ if is_activated => return Stands::No,
        Answer::Denied | Answer::Eligible => return Stands::No,
        Answer::Conditional | Answer::NotDetermined => return Stands::Open(open_of(path)),
        Answer::Allowed => {}
    }
    match &*path.via {
        Via::Role { standing: Standing::Until(end), .. } => Stands::Until(*end),
        Via::Role { standing: Standing::Unknown, .. } => {
            let missing = facts.missing(&[own(Kind::RoleAssignmentScheduleInstances)], &vault.id);
            // without the licence nothing can be activated, and nothing ends
            match missing.filter(|missing| missing.reason != Reason::NotLicensed) {
                Some(missing) => Stands::Open(as_open(&missing)),
                None => Stands::Always,
            }
        }
        _ => Stands::Always,
    }
}

/// What keeps a path from counting as allowed.
pub(super) fn open_of(path: &Path) -> Open {
    match &path.open {
        Some(open) => Open::clone(open),
        None => Open {
            reason: Reason::ValueUnknown,
            detail: format!("{} is not settled", path.words()),
            from: path.evidence().next().cloned(),
        },
    }
}

/// The names in order, the first of them printed.
pub(super) fn listed(mut names: Vec<String>) -> String {
    names.sort();
    names.dedup();
    let rest = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    let more = if rest == 0 { String::new() } else { format!(", and {rest} more") };
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn a_list_is_sorted_and_cut_with_the_count_of_the_rest() {
        let names = |count: usize| (0..count).rev().map(|number| format!("`p{number:02}`")).collect::<Vec<String>>();
        assert_eq!(listed(names(2)), "`p00`, `p01`");
        assert!(listed(names(13)).ends_with("`p09`, and 3 more"), "{}", listed(names(13)));
        assert_eq!(listed(vec!["a".to_owned(), "a".to_owned()]), "a");
    }
}
