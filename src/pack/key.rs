//! The key that signs a pack and the key that an auditor trusts: ECDSA on P-256 with SHA-256.
//!
//! One algorithm, because `openssl dgst -sha256 -verify` needs no flag for it and hardware keys speak it.
//! Signatures are deterministic (RFC 6979), so that the same pack is sealed to the same bytes, and always the
//! lower of the two forms that the mathematics allows, so that a signature has exactly one spelling.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, VerifyingKey};
use pkcs8::der::pem::PemLabel;
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, EncryptedPrivateKeyInfo, LineEnding,
    PrivateKeyInfo,
};
use rand_core::CryptoRngCore;

use super::PackError;
use super::digest::sha256_hex;

/// The first line of a key file.
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// Longest DER form of a P-256 signature.
const MAX_SIGNATURE: usize = 72;

/// A private key. It has no `Debug` of its content, and leaves memory only encrypted.
#[derive(Clone)]
pub struct SigningKey(p256::ecdsa::SigningKey);

impl SigningKey {
    /// A new key.
    pub fn generate(rng: &mut impl CryptoRngCore) -> SigningKey {
        SigningKey(p256::ecdsa::SigningKey::random(rng))
    }

    /// The key with this secret scalar, big-endian; for a published demonstration key.
    pub fn from_scalar_bytes(scalar: &[u8; 32]) -> Result<SigningKey, PackError> {
        p256::ecdsa::SigningKey::from_bytes(scalar.into())
            .map(SigningKey)
            .map_err(|_| PackError::Key("these bytes are not a P-256 private key: out of range".to_owned()))
    }

    /// Reads an encrypted PKCS#8 key in PEM form, ours or one of `openssl`.
    pub fn from_encrypted_pem(pem: &str, passphrase: &[u8]) -> Result<SigningKey, PackError> {
        if !pem.trim_start().starts_with(ENCRYPTED) {
            return Err(PackError::Key(format!(
                "the key is not an encrypted PKCS#8 key: it does not start with `{ENCRYPTED}`"
            )));
        }
        p256::ecdsa::SigningKey::from_pkcs8_encrypted_pem(pem.trim_start(), passphrase).map(SigningKey).map_err(|_| {
            PackError::Key("the key cannot be opened: wrong passphrase, or not an ECDSA key on P-256".to_owned())
        })
    }

    /// The key as encrypted PKCS#8 in PEM form (scrypt, AES-256-CBC), readable by `openssl pkey`.
    pub fn to_encrypted_pem(&self, passphrase: &[u8], rng: &mut impl CryptoRngCore) -> Result<String, PackError> {
        let failed = |error: &dyn fmt::Display| PackError::Key(format!("the key cannot be encrypted: {error}"));
        if passphrase.is_empty() {
            return Err(failed(&"the passphrase is empty"));
        }
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut iv);
        // 16 MiB a try, five times over: the most that openssl reads with its default limit of 32 MiB
        let cost = scrypt::Params::new(14, 8, 5, 32).map_err(|error| failed(&error))?;
        let scheme = pbes2::Parameters::scrypt_aes256cbc(cost, &salt, &iv).map_err(|error| failed(&error))?;
        let plain = self.0.to_pkcs8_der().map_err(|error| failed(&error))?;
        PrivateKeyInfo::try_from(plain.as_bytes())
            .and_then(|key| key.encrypt_with_params(scheme, passphrase))
            .map_err(|error| failed(&error))?
            .to_pem(EncryptedPrivateKeyInfo::PEM_LABEL, LineEnding::LF)
            .map(|pem| pem.to_string())
            .map_err(|error| failed(&error))
    }

    /// Signs SHA-256 of `message`; the signature is in DER form.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(message);
        signature.normalize_s().unwrap_or(signature).to_der().as_bytes().to_vec()
    }

    /// The public half.
    pub fn public(&self) -> Result<TrustedKey, PackError> {
        TrustedKey::new(*self.0.verifying_key())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(..)")
    }
}

/// A public key that its holder trusts because of how it reached them, never because a pack contains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    key: VerifyingKey,
    fingerprint: String,
}

impl TrustedKey {
    fn new(key: VerifyingKey) -> Result<TrustedKey, PackError> {
        let der = key
            .to_public_key_der()
            .map_err(|error| PackError::Key(format!("the public key cannot be written: {error}")))?;
        Ok(TrustedKey { key, fingerprint: sha256_hex(der.as_bytes()) })
    }

    /// Reads a public key in PEM form (`-----BEGIN PUBLIC KEY-----`).
    pub fn from_pem(pem: &str) -> Result<TrustedKey, PackError> {
        let key = VerifyingKey::from_public_key_pem(pem.trim_start()).map_err(|_| {
            PackError::Key(
                "the trusted key is not a public ECDSA key on P-256 in PEM form (`BEGIN PUBLIC KEY`)".to_owned(),
            )
        })?;
        TrustedKey::new(key)
    }

    /// The key in PEM form.
    pub fn to_pem(&self) -> Result<String, PackError> {
        self.key
            .to_public_key_pem(LineEnding::LF)
            .map_err(|error| PackError::Key(format!("the public key cannot be written: {error}")))
    }

    /// SHA-256 of the DER SubjectPublicKeyInfo in lower-case hexadecimal: what a person compares with the
    /// engagement letter, and the `keyid` of envelopes.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Verifies a signature in its one allowed spelling.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureFault> {
        let signature = parse_signature(signature)?;
        self.key.verify(message, &signature).map_err(|_| SignatureFault::NotByThisKey)
    }
}

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignatureFault {
    /// 64 bytes, r and s side by side.
    Raw,
    /// Not DER, or DER in a longer spelling than needed, or followed by more bytes.
    NotDer,
    /// The mirrored twin (r, n − s).
    Mirrored,
    /// Made by another key, or over other bytes.
    NotByThisKey,
}

impl fmt::Display for SignatureFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            SignatureFault::Raw => "it is in the raw form of 64 bytes; a pack holds signatures in DER form",
            SignatureFault::NotDer => "it is not a P-256 signature in minimal DER form without further bytes",
            SignatureFault::Mirrored => "it is the mirrored form (r, n-s), which sealing never writes: it was altered",
            SignatureFault::NotByThisKey => "it was made by another key or over other bytes",
        })
    }
}

/// Reads a signature that is minimal DER, nothing longer, and the lower of its two forms.
pub(super) fn parse_signature(bytes: &[u8]) -> Result<Signature, SignatureFault> {
    let strict = || {
        let signature = Signature::from_der(bytes.get(..MAX_SIGNATURE.min(bytes.len()))?).ok()?;
        (signature.to_der().as_bytes() == bytes).then_some(signature)
    };
    let signature = strict().ok_or(if bytes.len() == 64 { SignatureFault::Raw } else { SignatureFault::NotDer })?;
    if signature.normalize_s().is_some() { Err(SignatureFault::Mirrored) } else { Ok(signature) }
}

/// Writes a key file that only its owner can read, where the system knows such a thing. An existing file is
/// never written over: a lost key makes every pack that it signed unverifiable in spirit.
pub fn write_key_file(path: &Path, pem: &str) -> Result<(), PackError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => PackError::Exists { path: path.to_owned() },
        _ => PackError::Io { action: "create", path: path.to_owned(), source },
    })?;
    file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(PackError::io("write", path))
}

#[cfg(test)]
mod tests {
    use rand_core::OsRng;

    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_scalar_bytes(&[7; 32]).expect("a key")
    }

    #[test]
    fn a_key_survives_its_file_and_the_file_needs_the_passphrase() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pack.key.pem");
        let pem = key().to_encrypted_pem(b"correct horse", &mut OsRng).expect("a file");
        write_key_file(&path, &pem).expect("written");
        assert!(matches!(write_key_file(&path, &pem), Err(PackError::Exists { .. })));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("a file").permissions());
            assert_eq!(mode & 0o777, 0o600);
        }

        let read = SigningKey::from_encrypted_pem(&pem, b"correct horse").expect("the same key");
        assert_eq!(read.public().expect("public"), key().public().expect("public"));
        let error = SigningKey::from_encrypted_pem(&pem, b"wrong").expect_err("another passphrase");
        assert!(error.to_string().contains("wrong passphrase"), "{error}");
        let error = SigningKey::from_encrypted_pem("-----BEGIN PRIVATE KEY-----\n", b"").expect_err("not encrypted");
        assert!(error.to_string().contains("BEGIN ENCRYPTED PRIVATE KEY"), "{error}");
        assert!(key().to_encrypted_pem(b"", &mut OsRng).is_err());
        assert!(SigningKey::from_scalar_bytes(&[0; 32]).is_err());
    }

    #[test]
    fn a_public_key_survives_its_pem_and_names_itself() {
        let key = key().public().expect("public");
        let pem = key.to_pem().expect("a pem");
        assert_eq!(TrustedKey::from_pem(&pem).expect("the same key"), key);
        assert_eq!(key.fingerprint().len(), 64);
        assert!(TrustedKey::from_pem("no key").is_err());
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let (key, message) = (key(), b"a pack");
        let trusted = key.public().expect("public");
        let der = key.sign(message);
        assert_eq!(der, key.sign(message), "deterministic");
        assert_eq!(trusted.verify(message, &der), Ok(()));
        assert_eq!(trusted.verify(b"another", &der), Err(SignatureFault::NotByThisKey));

        let signature = parse_signature(&der).expect("ours");
        assert_eq!(trusted.verify(message, &signature.to_bytes()), Err(SignatureFault::Raw));
        let (r, s) = signature.split_scalars();
        let mirrored = Signature::from_scalars(r, -s).expect("the twin");
        assert!(trusted.key.verify(message, &mirrored).is_ok(), "the mathematics allow it");
        assert_eq!(trusted.verify(message, mirrored.to_der().as_bytes()), Err(SignatureFault::Mirrored));

        let longer: Vec<u8> = der.iter().copied().chain([0]).collect();
        assert_eq!(trusted.verify(message, &longer), Err(SignatureFault::NotDer));
        // the same number with a needless zero in front: 30 len 02 len 00 r…
        let mut padded = der;
        let r_length = padded[3];
        padded.splice(3..4, [r_length + 1, 0]);
        padded[1] += 1;
        assert_eq!(trusted.verify(message, &padded), Err(SignatureFault::NotDer));
        assert_eq!(trusted.verify(message, b""), Err(SignatureFault::NotDer));
        assert_eq!(trusted.verify(message, &[0x30; 4096]), Err(SignatureFault::NotDer));
    }
}
