//! Signing in with a certificate: the assertion that the identity library sends in place of a secret.
//!
//! The library's own certificate credential needs OpenSSL; one signed JWT does not.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PSS_SHA256;
use azure_core::error::ErrorKind;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Clock, CredentialError};

/// How long an assertion is good for, in seconds. One is made for each token.
const LIFETIME: i64 = 300;

/// A certificate with its RSA key, able to vouch for a client.
pub(super) struct CertificateAssertion {
    key: KeyPair,
    thumbprint: String,
    client_id: String,
    token_url: String,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for CertificateAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateAssertion").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl CertificateAssertion {
    /// Reads a PEM file that holds a certificate and its RSA key, neither of them encrypted.
    pub(super) fn open(
        path: &Path,
        client_id: &str,
        token_url: String,
        clock: Arc<dyn Clock>,
    ) -> Result<CertificateAssertion, CredentialError> {
        let unusable = |why: String| CredentialError::Certificate { path: path.to_owned(), why };
        let text = std::fs::read_to_string(path).map_err(|error| unusable(format!("it cannot be read: {error}")))?;
        let (key, thumbprint) = key_and_thumbprint(&text).map_err(|why| unusable(why.to_owned()))?;
        Ok(CertificateAssertion { key, thumbprint, client_id: client_id.to_owned(), token_url, clock })
    }

    fn sign(&self) -> Result<String, &'static str> {
        let now = self.clock.now().timestamp();
        let mut id = [0_u8; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| "no random numbers")?;
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let claims = json!({
            "aud": self.token_url, "iss": self.client_id, "sub": self.client_id,
            "jti": URL_SAFE_NO_PAD.encode(id), "nbf": now, "iat": now, "exp": now + LIFETIME,
        });
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "the key of the certificate cannot sign")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait]
impl ClientAssertion for CertificateAssertion {
    async fn secret(&self, _options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        self.sign().map_err(|why| azure_core::Error::with_message(ErrorKind::Credential, why))
    }
}

/// The key, and the SHA-256 of the first certificate in the form that the header of an assertion wants.
fn key_and_thumbprint(pem: &str) -> Result<(KeyPair, String), &'static str> {
    let (mut key, mut thumbprint) = (None, None);
    for block in blocks(pem)? {
        match block.label {
            "CERTIFICATE" if thumbprint.is_none() => {
                thumbprint = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&block.der)));
            }
            "PRIVATE KEY" => key = Some(KeyPair::from_pkcs8(&block.der)),
            "RSA PRIVATE KEY" => key = Some(KeyPair::from_der(&block.der)),
            "EC PRIVATE KEY" => return Err("its key is not an RSA key, the only kind that can sign in"),
            _ => {}
        }
    }
    let key = key.ok_or("it holds no private key; put certificate and key into one PEM file")?;
    let key = key.map_err(|_| "its key is not an RSA key that can be read")?;
    let thumbprint = thumbprint.ok_or("it holds no certificate; put certificate and key into one PEM file")?;
    Ok((key, thumbprint))
}

struct Block<'text> {
    label: &'text str,
    der: Vec<u8>,
}

fn blocks(pem: &str) -> Result<Vec<Block<'_>>, &'static str> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in pem.lines().map(str::trim) {
        if let Some(label) = between(line, "-----BEGIN ") {
            if label == "ENCRYPTED PRIVATE KEY" {
                return Err("its key is encrypted; give a file that only this program may read, without passphrase");
            }
            open = Some((label, String::new()));
        } else if between(line, "-----END ").is_some() {
            if let Some((label, text)) = open.take() {
                let der = STANDARD.decode(text).map_err(|_| "it is not PEM")?;
                blocks.push(Block { label, der });
            }
        } else if let Some((_, text)) = &mut open {
            if line.contains("ENCRYPTED") {
                return Err("its key is encrypted; give a file that only this program may read, without passphrase");
            }
            text.push_str(line);
        }
    }
    Ok(blocks)
}

fn between<'line>(line: &'line str, start: &str) -> Option<&'line str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair as _, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    use super::super::recording::StillClock;
    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    }

    #[test]
    fn the_assertion_names_certificate_client_and_audience_and_verifies() {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8: Pkcs8V1Der<'_> = key.as_der().unwrap();
        // any bytes will do for the certificate: only their digest is sent
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!("{}\nBag Attributes\n{}", pem("CERTIFICATE", b"abc"), pem("PRIVATE KEY", pkcs8.as_ref()));
        std::fs::write(file.path(), text).unwrap();
        let clock = Arc::new(StillClock("2026-10-02T09:00:00Z".parse().unwrap()));
        let url = "https://login.microsoftonline.com/t-1/oauth2/v2.0/token";
        let assertion = CertificateAssertion::open(file.path(), "c-1", url.to_owned(), clock).unwrap();

        let jwt = assertion.sign().unwrap();
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let parts: Vec<Value> = signed
            .split('.')
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        assert_eq!(parts[0]["alg"], "PS256");
        // SHA-256 of `abc`, in base64url
        assert_eq!(parts[0]["x5t#S256"], "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert_eq!((&parts[1]["aud"], &parts[1]["iss"], &parts[1]["sub"]), (&json!(url), &json!("c-1"), &json!("c-1")));
        assert_eq!((&parts[1]["nbf"], &parts[1]["exp"]), (&json!(1_790_931_600), &json!(1_790_931_900)));
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.public_key().as_ref())
            .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
    }

    #[test]
    fn unusable_files_are_told_apart() {
        let certificate = pem("CERTIFICATE", b"abc");
        let table = [
            ("", "it holds no private key"),
            (certificate.as_str(), "it holds no private key"),
            (&pem("PRIVATE KEY", b"abc"), "its key is not an RSA key that can be read"),
            (&pem("ENCRYPTED PRIVATE KEY", b"abc"), "its key is encrypted"),
            ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", "its key is encrypted"),
            (&pem("EC PRIVATE KEY", b"abc"), "its key is not an RSA key, the only kind"),
            ("-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----", "it is not PEM"),
        ];
        for (text, expected) in table {
            let why = key_and_thumbprint(text).map(|_| ()).unwrap_err();
            assert!(why.starts_with(expected), "{why}");
        }
    }
}
