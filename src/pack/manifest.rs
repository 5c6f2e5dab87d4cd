//! `manifest.json`: what each file of the pack is, and what the pack was made from, for people and programs that
//! do not read attestations.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::statement::{Predicate, Previous, Span, Tool};

/// `schema` of every manifest.
pub const MANIFEST_SCHEMA: &str = "tickmark.manifest/v1";

/// The manifest. It lists every file except itself, `SHA256SUMS` and `attestation/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Manifest<File = ManifestFile> {
    /// Always [`MANIFEST_SCHEMA`].
    pub schema: String,
    /// Which pack this is.
    pub pack: PackHead,
    /// What made it.
    pub tool: Tool,
    /// How many time-stamps were asked for over the signature. It is signed, so a token cannot be taken away
    /// unseen, although no signature can cover its own time-stamp.
    pub timestamps: u64,
    /// How the evidence was collected, as the caller describes it.
    pub capture: Value,
    /// What else went in: controls, waivers, as the caller describes them.
    pub inputs: Value,
    /// What was in scope, as the caller describes it.
    pub scope: Value,
    /// The files, by path.
    pub files: Vec<File>,
}

/// Which pack this is: the same facts as in the statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PackHead {
    /// Id of the pack.
    pub pack_id: String,
    /// Entra tenant.
    pub tenant: String,
    /// 1, 2, 3 …
    pub sequence: u64,
    /// The period.
    pub period: Span,
    /// The pack before; absent for the first.
    pub previous: Option<Previous>,
}

impl PackHead {
    /// The part of a statement's facts that a manifest repeats.
    pub(super) fn of(predicate: &Predicate) -> PackHead {
        PackHead {
            pack_id: predicate.pack_id.clone(),
            tenant: predicate.tenant.clone(),
            sequence: predicate.sequence,
            period: predicate.period.clone(),
            previous: predicate.previous.clone(),
        }
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestFile {
    /// Its path in the pack.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: String,
    /// What it is for: `report`, `evidence`, `plan`, …
    pub role: String,
    /// Its media type.
    pub media_type: String,
    /// The evidence that it is, or was made from.
    pub evidence: EvidenceIds,
}

/// One file as a verifier reads it: of what nothing depends on, only the form is looked at, because the evidence of all
/// files of a report is very much to hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct DescribedFile {
    /// Its path in the pack.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: String,
    #[serde(rename = "role")]
    _role: SomeText,
    #[serde(rename = "mediaType")]
    _media_type: SomeText,
    #[serde(rename = "evidence")]
    _evidence: Vec<SomeText>,
}

/// A text that was there, and is not held.
#[derive(Debug)]
struct SomeText;

impl<'de> Deserialize<'de> for SomeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SomeText, D::Error> {
        struct AText;
        impl Visitor<'_> for AText {
            type Value = SomeText;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E>(self, _: &str) -> Result<SomeText, E> {
                Ok(SomeText)
            }
        }
        deserializer.deserialize_str(AText)
    }
}

/// Ids of evidence, each once, sorted. Every file of a report was made from all of it: they share one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceIds(Arc<[String]>);

impl FromIterator<String> for EvidenceIds {
    fn from_iter<T: IntoIterator<Item = String>>(ids: T) -> EvidenceIds {
        EvidenceIds(ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect())
    }
}

impl Serialize for EvidenceIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}
