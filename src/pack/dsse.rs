//! The signed envelope: DSSE 1.0 with one signature over the pre-authentication encoding.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde::{Deserialize, Serialize};

use super::{PackError, SigningKey, json};

/// The only payload type of a pack.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// What is signed: type and body, each with its length, so that neither can be taken for a part of the other.
pub(super) fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An envelope, decoded. Nothing in it is verified by its being here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The statement's bytes.
    pub payload: Vec<u8>,
    /// The only signature, as it was written; DER if it is good.
    pub signature: Vec<u8>,
    /// A hint that anyone can write; never a reason to trust.
    pub keyid: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureText>,
}

#[derive(Serialize, Deserialize)]
struct SignatureText {
    #[serde(default)]
    keyid: Option<String>,
    sig: String,
}

impl Envelope {
    /// Signs a statement's bytes.
    pub fn seal(payload: Vec<u8>, key: &SigningKey) -> Result<Envelope, PackError> {
        let signature = key.sign(&pae(PAYLOAD_TYPE, &payload));
        Ok(Envelope { payload, signature, keyid: Some(key.public()?.fingerprint().to_owned()) })
    }

    /// The envelope's text: standard base64, because `base64 -d` reads no other.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.text())
    }

    /// The same as a value, to be put into another document.
    pub fn to_value(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::to_value(self.text())
    }

    fn text(&self) -> Text {
        let signature = SignatureText { keyid: self.keyid.clone(), sig: STANDARD.encode(&self.signature) };
        Text {
            payload: STANDARD.encode(&self.payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![signature],
        }
    }

    /// Reads an envelope, or says why it is not one of a pack. Unknown fields are passed over, as the standard asks.
    pub fn parse(bytes: &[u8]) -> Result<Envelope, String> {
        let text: Text = json::parse(bytes)?;
        if text.payload_type != PAYLOAD_TYPE {
            return Err(format!("its payload type is `{}`, not `{PAYLOAD_TYPE}`", text.payload_type.escape_debug()));
        }
        let [signature] = text.signatures.as_slice() else {
            return Err(format!("it has {} signatures; a pack's envelope has exactly one", text.signatures.len()));
        };
        Ok(Envelope {
            payload: from_base64(&text.payload).map_err(|why| format!("its payload is not base64: {why}"))?,
            signature: from_base64(&signature.sig).map_err(|why| format!("its signature is not base64: {why}"))?,
            keyid: signature.keyid.clone(),
        })
    }
}

/// Standard or URL-safe, with or without padding: verifiers must read both.
fn from_base64(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    GeneralPurpose::new(alphabet, config).decode(text)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::super::digest::{hex, sha256_hex};
    use super::super::key::parse_signature;
    use super::*;

    /// Private key of the DSSE specification's test vector.
    const SPEC_KEY: [u8; 32] = [
        0xd7, 0x3e, 0xc4, 0x37, 0xfd, 0x63, 0x46, 0xe3, 0x61, 0x9c, 0x5e, 0xbf, 0xdf, 0xff, 0x0f, 0x69, 0x16, 0x80,
        0x49, 0x55, 0xad, 0x32, 0xac, 0x9a, 0xc4, 0x92, 0xb0, 0xed, 0xe1, 0xf6, 0xff, 0xb7,
    ];

    #[test]
    fn the_test_vector_of_the_specification_comes_out() {
        let pae = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(pae, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        assert_eq!(sha256_hex(&pae), "217751fac2c4f14edb2c9297fbc34abcb016ba88e74757e875ec4ac16fb6b6a1");
        let der = SigningKey::from_scalar_bytes(&SPEC_KEY).expect("a key").sign(&pae);
        let raw = parse_signature(&der).expect("a signature").to_bytes();
        assert_eq!(
            STANDARD.encode(raw),
            "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
        );
        assert!(hex(&der).starts_with("3044022003726ab1") && hex(&der).ends_with("4864"));
    }

    #[test]
    fn lengths_are_bytes_and_not_letters() {
        assert_eq!(pae("é", "ß".as_bytes()), "DSSEv1 2 é 2 ß".as_bytes());
    }

    fn sealed() -> (Envelope, String) {
        let key = SigningKey::from_scalar_bytes(&SPEC_KEY).expect("a key");
        let envelope = Envelope::seal(b"{\"a\":\"???>>>\"}".to_vec(), &key).expect("sealed");
        let text = String::from_utf8(envelope.to_json().expect("a text")).expect("text");
        (envelope, text)
    }

    #[test]
    fn an_envelope_survives_its_text_in_either_alphabet() {
        let (envelope, text) = sealed();
        assert_eq!(Envelope::parse(text.as_bytes()).expect("read"), envelope);
        let url_safe = text
            .replace(&STANDARD.encode(&envelope.payload), &URL_SAFE_NO_PAD.encode(&envelope.payload))
            .replace(&STANDARD.encode(&envelope.signature), &URL_SAFE_NO_PAD.encode(&envelope.signature))
            .replace("{\"payload\"", "{\"unknown\":1,\"payload\"");
        assert_ne!(url_safe, text);
        assert_eq!(Envelope::parse(url_safe.as_bytes()).expect("read"), envelope);
    }

    #[test]
    fn what_is_not_one_signed_statement_is_refused() {
        let (_, text) = sealed();
        let signatures = &text[text.find("[").expect("signatures")..text.rfind("]").expect("signatures") + 1];
        let one = signatures.trim_matches(['[', ']']);
        for (altered, words) in [
            (text.replace("in-toto+json", "in-toto"), "payload type"),
            (text.replace(signatures, "[]"), "0 signatures"),
            (text.replace(signatures, &format!("[{one},{one}]")), "2 signatures"),
            (text.replace("\"payload\":\"", "\"payload\":\"\",\"payload\":\""), "occurs twice"),
            (text.replace("\"sig\":\"", "\"sig\":\"*"), "signature is not base64"),
            (text.replace("\"payload\":\"", "\"payload\":\"-+"), "payload is not base64"),
            (format!("{text}x"), "trailing"),
        ] {
            let why = Envelope::parse(altered.as_bytes()).expect_err(words);
            assert!(why.contains(words), "{why}");
        }
    }
}
