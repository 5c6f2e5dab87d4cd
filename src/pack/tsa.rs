//! RFC 3161: what is sent to a time-stamp authority, and what its reply says.
//!
//! Read here: that the reply was granted, is over our bytes, answers our request, and that its signed attributes
//! hold the digest of what it says. **Not checked here: the authority's own signature and certificate.** That
//! takes its root, which an auditor chooses, and `openssl ts -verify`, which every auditor has. The certificates
//! in a token are therefore not even parsed: many authorities send them in an order that strict readers refuse.

use chrono::{DateTime, NaiveDateTime, Utc};
use cms::content_info::CmsVersion;
use cms::signed_data::{EncapsulatedContentInfo, SignerInfo};
use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5911, rfc5912};
use der::asn1::{AnyRef, Int, Null, OctetString, SetOfVec};
use der::{Any, Decode, Encode, ErrorKind, Reader, Tag, Tagged};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::spki::AlgorithmIdentifier;
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion};

use super::digest::sha256;

/// `id-ct-TSTInfo`.
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

/// What a time-stamp token says. Its authority's signature is not verified, see the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The moment before which the bytes existed that it is over.
    pub at: DateTime<Utc>,
    /// The authority as it calls itself in the token, if it does.
    pub authority: Option<String>,
    /// Its policy, an object identifier.
    pub policy: String,
}

/// The request for a time-stamp over `message`, in DER. `nonce` is any 8 random bytes.
pub fn request(message: &[u8], nonce: [u8; 8]) -> Result<Vec<u8>, String> {
    let build = || {
        let parameters = Some(Any::encode_from(&Null)?);
        TimeStampReq {
            version: TspVersion::V1,
            message_imprint: MessageImprint {
                hash_algorithm: AlgorithmIdentifier { oid: rfc5912::ID_SHA_256, parameters },
                hashed_message: OctetString::new(sha256(message))?,
            },
            req_policy: None,
            nonce: Some(Int::new(&positive(nonce))?),
            cert_req: true,
            extensions: None,
        }
        .to_der()
    };
    build().map_err(|error: der::Error| error.to_string())
}

/// DER integers are signed and minimal: the first byte is made neither negative nor zero.
fn positive(mut nonce: [u8; 8]) -> [u8; 8] {
    nonce[0] = nonce[0] & 0x7f | 0x40;
    nonce
}

/// Reads a reply and checks that it is a time-stamp over `message`, and with `nonce` that it answers that request.
pub fn read_reply(reply: &[u8], message: &[u8], nonce: Option<[u8; 8]>) -> Result<Stamp, String> {
    let reply = TimeStampResp::from_der(reply).map_err(|error| unreadable("the reply", error))?;
    let status = reply.status.status as u8;
    if status > 1 {
        return Err(format!("the authority refused (status {status})"));
    }
    let token = reply.time_stamp_token.ok_or("the reply holds no token")?;
    if token.content_type != rfc5911::ID_SIGNED_DATA {
        return Err("the token is not signed data".to_owned());
    }
    let signed = token.content.to_der().map_err(|error| unreadable("the token", error))?;
    let (content, signer) = read_signed_data(&signed).map_err(|error| unreadable("the token", error))?;
    let content = content.ok_or("the token is not a time-stamp")?;
    check_attributes(&signer, &content)?;

    let info = read_info(&content).map_err(|error| unreadable("the time-stamp", error))?;
    if info.imprint.hash_algorithm.oid != rfc5912::ID_SHA_256 {
        return Err("the time-stamp is over a digest other than SHA-256".to_owned());
    }
    if info.imprint.hashed_message.as_bytes() != sha256(message) {
        return Err("the time-stamp is over other bytes than these".to_owned());
    }
    if let Some(nonce) = nonce
        && info.nonce.as_ref().map(Int::as_bytes) != Some(&positive(nonce)[..])
    {
        return Err("the reply does not hold the nonce of the request: it answers another one".to_owned());
    }
    let at = read_time(&info.time).ok_or_else(|| format!("its time `{}` cannot be read", info.time.escape_debug()))?;
    Ok(Stamp { at, authority: info.authority, policy: info.policy.to_string() })
}

fn unreadable(what: &str, error: der::Error) -> String {
    match error.kind() {
        ErrorKind::SetDuplicate | ErrorKind::SetOrdering => format!(
            "{what} holds a set with duplicates or out of order, which DER forbids; \
             openssl may read it, strict readers do not: use another authority"
        ),
        _ => format!("{what} is not well-formed: {error}"),
    }
}

/// The content, if it is a time-stamp, and the only signer. Certificates and revocation lists are passed over.
fn read_signed_data(der: &[u8]) -> der::Result<(Option<Vec<u8>>, SignerInfo)> {
    let (content, signers) = AnyRef::from_der(der)?.sequence(|reader| {
        CmsVersion::decode(reader)?;
        AnyRef::decode(reader)?; // digest algorithms
        let content = EncapsulatedContentInfo::decode(reader)?;
        let mut part = AnyRef::decode(reader)?;
        while part.tag().is_context_specific() {
            part = AnyRef::decode(reader)?;
        }
        Ok((content, part.decode_as::<SetOfVec<SignerInfo>>()?))
    })?;
    let signer = match signers.as_slice() {
        [signer] => signer.clone(),
        _ => return Err(Tag::Set.length_error()),
    };
    let bytes = match content.econtent {
        Some(octets) if content.econtent_type == TST_INFO => {
            Some(octets.decode_as::<OctetString>()?.as_bytes().to_vec())
        }
        _ => None,
    };
    Ok((bytes, signer))
}

/// What the authority signs are these attributes; so they must hold the digest of what we read.
fn check_attributes(signer: &SignerInfo, content: &[u8]) -> Result<(), String> {
    let attributes = signer.signed_attrs.as_ref().ok_or("the token has no signed attributes")?;
    let value = |oid| {
        let attribute = attributes.iter().find(|attribute| attribute.oid == oid)?;
        attribute.values.get(0).filter(|_| attribute.values.len() == 1)
    };
    let digest = match signer.digest_alg.oid {
        rfc5912::ID_SHA_256 => Sha256::digest(content).to_vec(),
        rfc5912::ID_SHA_384 => Sha384::digest(content).to_vec(),
        rfc5912::ID_SHA_512 => Sha512::digest(content).to_vec(),
        other => {
            return Err(format!("the token is signed with the digest algorithm `{other}`, which is not read here"));
        }
    };
    if value(rfc5911::ID_MESSAGE_DIGEST).map(Any::value) != Some(&digest[..]) {
        return Err("the token's signed attributes do not hold the digest of its time-stamp: it was altered".to_owned());
    }
    let content_type = value(rfc5911::ID_CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
    if content_type != Some(TST_INFO) {
        return Err("the token's signed attributes do not say that it is a time-stamp".to_owned());
    }
    Ok(())
}

/// The fields of a time-stamp that we use.
struct Info {
    policy: ObjectIdentifier,
    imprint: MessageImprint,
    time: String,
    nonce: Option<Int>,
    authority: Option<String>,
}

/// Read by hand because authorities may give fractions of a second, which the library's type does not hold.
fn read_info(der: &[u8]) -> der::Result<Info> {
    AnyRef::from_der(der)?.sequence(|reader| {
        TspVersion::decode(reader)?;
        let policy = ObjectIdentifier::decode(reader)?;
        let imprint = MessageImprint::decode(reader)?;
        Int::decode(reader)?; // serial number
        let time = AnyRef::decode(reader)?;
        time.tag().assert_eq(Tag::GeneralizedTime)?;
        let time = String::from_utf8_lossy(time.value()).into_owned();
        let (mut nonce, mut authority) = (None, None);
        while !reader.is_finished() {
            let part = AnyRef::decode(reader)?;
            match part.tag() {
                Tag::Integer => nonce = Some(part.decode_as()?),
                Tag::ContextSpecific { number, .. } if number.value() == 0 => {
                    authority = match GeneralName::from_der(part.value())? {
                        GeneralName::DirectoryName(name) => Some(name.to_string()),
                        _ => None,
                    };
                }
                _ => {} // accuracy, ordering, extensions
            }
        }
        Ok(Info { policy, imprint, time, nonce, authority })
    })
}

fn read_time(text: &str) -> Option<DateTime<Utc>> {
    let bare =
        text.strip_suffix('Z').filter(|bare| bare.get(..14).is_some_and(|s| s.bytes().all(|b| b.is_ascii_digit())))?;
    NaiveDateTime::parse_from_str(bare, "%Y%m%d%H%M%S%.f").ok().map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::super::digest::hex;
    use super::*;

    #[test]
    fn a_request_is_what_openssl_would_send() {
        // openssl ts -query -data abc.txt -sha256 -cert, with the nonce put in
        let expected = "30430201013031300d060960864801650304020105000420\
                        ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\
                        020847000102030405060101ff";
        let nonce = [0x07, 0, 1, 2, 3, 4, 5, 6];
        assert_eq!(hex(&request(b"abc", nonce).expect("a request")), expected.replace(char::is_whitespace, ""));
    }

    #[test]
    fn times_are_read_with_and_without_fractions() {
        let at = |text| read_time(text).map(|time| time.to_rfc3339());
        assert_eq!(at("20230607112626Z").as_deref(), Some("2023-06-07T11:26:26+00:00"));
        assert_eq!(at("20230607112626.25Z").as_deref(), Some("2023-06-07T11:26:26.250+00:00"));
        assert_eq!(at("20230607112626"), None);
        assert_eq!(at("2023Z"), None);
        assert_eq!(at("20231307112626Z"), None);
    }

    #[test]
    fn a_refusal_and_noise_are_told_apart() {
        assert_eq!(
            read_reply(&[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02], b"x", None),
            Err("the authority refused (status 2)".to_owned())
        );
        assert_eq!(
            read_reply(&[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00], b"x", None),
            Err("the reply holds no token".to_owned())
        );
        assert!(read_reply(b"<html>", b"x", None).expect_err("noise").starts_with("the reply is not well-formed"));
    }
}
