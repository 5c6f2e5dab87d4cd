//! The second lists, of Resource Graph: what the subscriptions say of themselves, once more.

use bytes::Bytes;
use serde_json::Value;

use super::{PAGE, Tenant};

/// Rows of the index, by question.
#[derive(Default)]
pub struct Index {
    /// Resources with an identity, and identities.
    pub identities: Vec<String>,
    /// Vaults.
    pub vaults: Vec<String>,
    /// Role assignments.
    pub assignments: Vec<String>,
}

/// Row of a resource.
pub fn resource(id: &str, name: &str, kind: &str, identity_type: &str, principal: &str) -> String {
    let kind = kind.to_lowercase();
    format!(
        r#"{{"id":"{id}","name":"{name}","type":"{kind}","identityType":"{identity_type}","principalId":"{principal}"}}"#
    )
}

/// Which page a query asks for.
pub fn token(body: &[u8]) -> Option<String> {
    let asked: Value = serde_json::from_slice(body).ok()?;
    let query = asked["query"].as_str()?;
    let list = match () {
        () if query.contains("authorizationresources") => "assignments",
        () if query.contains("isIdentity") => "identities",
        () => "vaults",
    };
    Some(asked["options"]["$skipToken"].as_str().map_or_else(|| format!("{list}-0"), str::to_owned))
}

impl Tenant {
    /// The pages of the index.
    pub(super) fn index(&mut self, index: &Index) {
        let path = "/arm/providers/microsoft.resourcegraph/resources";
        for (list, rows) in
            [("identities", &index.identities), ("vaults", &index.vaults), ("assignments", &index.assignments)]
        {
            let count = rows.len().div_ceil(PAGE).max(1);
            for number in 0..count {
                let part = rows.get(number * PAGE..rows.len().min((number + 1) * PAGE)).unwrap_or_default();
                let next = (number + 1 < count).then(|| format!(r#","$skipToken":"{list}-{}""#, number + 1));
                let body = format!(
                    r#"{{"totalRecords":{},"count":{},"data":[{}],"facets":[],"resultTruncated":"false"{}}}"#,
                    rows.len(),
                    part.len(),
                    part.join(","),
                    next.unwrap_or_default()
                );
                self.pages.insert(format!("{path}#{list}-{number}"), Bytes::from(body));
            }
        }
    }
}
