//! Records as they were kept.

use std::collections::{BTreeMap, BTreeSet};

use super::{ModelError, Pages, first_of_each};
use crate::evidence::Kind;
use crate::model::{Id, KeptItem};

/// The items of the answers of these kinds, in order of id, each id once.
pub(super) fn read(pages: &mut Pages<'_>, kinds: &BTreeSet<Kind>) -> Result<BTreeMap<Kind, Vec<KeptItem>>, ModelError> {
    let mut kept = BTreeMap::new();
    for kind in kinds {
        let items = pages.items(*kind, |item| {
            let id = Id::new(item.need("id")?);
            Some(KeptItem {
                name: ["displayName", "name"].iter().find_map(|name| item.shown(name)).unwrap_or(id.name().to_owned()),
                json: item.value().to_serde().to_string().into(),
                from: item.from(),
                id,
            })
        })?;
        kept.insert(*kind, first_of_each(items, |item| &item.id));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evidence::testing::CaptureBuilder;
    use crate::model::read_keeping;

    #[test]
    fn items_are_kept_as_they_came_each_id_once_and_only_where_they_are_asked_for() {
        let vault = json!({"id": "/subscriptions/s/vaults/KV", "name": "KV", "n": 1.5, "list": [null, "\u{e9}", true], "o": {"b": 1, "a": {}}});
        let again = json!({"id": "/SUBSCRIPTIONS/s/vaults/kv", "name": "other"});
        let body = json!({"value": [vault, again]});
        let capture = CaptureBuilder::default().answer(Kind::Vaults, "/subscriptions/s", body).build();
        let tenant = read_keeping(&capture, &BTreeSet::from([Kind::Vaults, Kind::Locks])).expect("facts");
        let [item] = tenant.kept[&Kind::Vaults].as_slice() else { panic!("{:?}", tenant.kept) };
        assert_eq!(serde_json::from_str::<Value>(&item.json).expect("JSON"), vault);
        assert_eq!((item.name.as_str(), item.from.in_record().as_str()), ("KV", "page-0001.json#/value/0"));
        assert_eq!(tenant.kept[&Kind::Locks].len(), 0, "asked for, and none was read");
        assert!(!tenant.kept.contains_key(&Kind::Sites));
        assert!(crate::model::read(&capture).expect("facts").kept.is_empty());
    }
}
