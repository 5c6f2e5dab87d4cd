//! `pack.sigstore.json`: the same envelope and tokens in the shape that sigstore's libraries read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::dsse::Envelope;

/// The bundle (v0.3, key mode) of an envelope and its time-stamp replies. It says nothing new, so a verifier
/// writes it again and compares.
pub(super) fn bundle(envelope: &Envelope, replies: &[Vec<u8>]) -> Result<Vec<u8>, serde_json::Error> {
    let stamps: Vec<_> = replies.iter().map(|reply| json!({ "signedTimestamp": STANDARD.encode(reply) })).collect();
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "publicKey": { "hint": envelope.keyid },
            "tlogEntries": [],
            "timestampVerificationData": { "rfc3161Timestamps": stamps },
        },
        "dsseEnvelope": envelope.to_value()?,
    });
    serde_json::to_vec(&bundle)
}
