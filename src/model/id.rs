//! Azure resource ids and scopes: compared without case, shown as received (ARM RPC, "Case Insensitivity").

use std::borrow::Borrow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// An ARM id or scope, or the object id of a principal. Many facts hold the same one, so a clone shares its text.
#[derive(Clone, Debug)]
pub struct Id(Arc<Text>);

/// As received, and behind that the form that is compared, where it is another one.
#[derive(Debug)]
struct Text {
    both: Box<str>,
    /// Where the second begins; none when the first is both.
    key: Option<NonZeroUsize>,
}

impl Id {
    /// Keeps `text` as received; trailing slashes do not count in comparison.
    pub fn new(text: impl Into<String>) -> Id {
        let mut both: String = text.into();
        let lower = both.to_lowercase();
        let trimmed = lower.trim_end_matches('/');
        let key = if trimmed.is_empty() && lower.starts_with('/') { "/" } else { trimmed };
        let end = if key == both { None } else { NonZeroUsize::new(both.len()) };
        if end.is_some() {
            both.push_str(key);
        }
        Id(Arc::new(Text { both: both.into(), key: end }))
    }

    /// As received.
    pub fn shown(&self) -> &str {
        let end = self.0.key.map_or(self.0.both.len(), NonZeroUsize::get);
        self.0.both.get(..end).unwrap_or_default()
    }

    /// The form that is compared: lower case.
    pub fn key(&self) -> &str {
        let start = self.0.key.map_or(0, NonZeroUsize::get);
        self.0.both.get(start..).unwrap_or_default()
    }

    /// Whether this scope is `other` or lies above it **by its path**: `/` above all, a subscription above its
    /// groups, a vault above its secrets; `…/vaults/kv1` is not above `…/vaults/kv10`. A management group is
    /// above a subscription only through the hierarchy, which [`super::Hierarchy`] knows.
    pub fn is_at_or_above(&self, other: &Id) -> bool {
        if self.key() == "/" {
            return other.key().starts_with('/');
        }
        match other.key().strip_prefix(self.key()) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.shown().trim_end_matches('/').rsplit('/').next().unwrap_or(self.shown())
    }

    /// The subscription GUID, lower case, when the id lies in a subscription.
    pub fn subscription(&self) -> Option<&str> {
        self.key().strip_prefix("/subscriptions/")?.split('/').next()
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Id) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.key() == other.key()
    }
}

impl Eq for Id {}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Id) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Id) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal; // nearly all are read once and shared
        }
        self.key().cmp(other.key())
    }
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

/// Ids that were read, so that the text of each is held once, however many facts name it.
#[derive(Debug, Default)]
pub(super) struct Ids(RefCell<HashSet<Shown>>);

impl Ids {
    /// The id with this text.
    pub(super) fn of(&self, text: &str) -> Id {
        let mut known = self.0.borrow_mut();
        if let Some(Shown(id)) = known.get(text) {
            return id.clone();
        }
        let id = Id::new(text);
        known.insert(Shown(id.clone()));
        id
    }
}

/// An id by its text as received: two that compare as equal may be shown in two ways.
#[derive(Debug)]
struct Shown(Id);

impl Borrow<str> for Shown {
    fn borrow(&self) -> &str {
        self.0.shown()
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Shown) -> bool {
        self.0.shown() == other.0.shown()
    }
}

impl Eq for Shown {}

impl Hash for Shown {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.shown().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_read_again_shares_its_text_and_keeps_its_letters() {
        let ids = Ids::default();
        let (first, again, other) =
            (ids.of("/subscriptions/A"), ids.of("/subscriptions/A"), ids.of("/subscriptions/a"));
        assert!(Arc::ptr_eq(&first.0, &again.0));
        assert_eq!((first.shown(), other.shown()), ("/subscriptions/A", "/subscriptions/a"));
        assert_eq!(first, other);
    }

    #[test]
    fn ids_compare_without_case_and_show_as_received() {
        let id = Id::new("/subscriptions/S1/resourceGroups/RG");
        assert_eq!(id, Id::new("/Subscriptions/s1/resourcegroups/rg/"));
        assert_eq!(id.to_string(), "/subscriptions/S1/resourceGroups/RG");
        assert_eq!(id.subscription(), Some("s1"));
        for (shown, key) in
            [("/", "/"), ("", ""), ("//", "/"), ("/a/", "/a"), ("/A", "/a"), ("/a", "/a"), ("group:x", "group:x")]
        {
            let id = Id::new(shown);
            assert_eq!((id.shown(), id.key()), (shown, key));
        }
    }

    #[test]
    fn a_scope_is_above_only_on_segment_boundaries() {
        let kv1 = Id::new("/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv1");
        let kv10 = Id::new("/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv10");
        assert!(!kv1.is_at_or_above(&kv10));
        assert!(kv1.is_at_or_above(&kv1));
        assert!(Id::new("/").is_at_or_above(&kv1));
        assert!(Id::new("/subscriptions/S").is_at_or_above(&kv1));
        assert!(!kv1.is_at_or_above(&Id::new("/subscriptions/s")));
    }
}
