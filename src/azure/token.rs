//! What a token says about itself, read without trust: for the evidence, never for a decision.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// Facts about the token in use; never the token. An opaque token tells nothing but the credential's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// Name of the credential that gave it: `azure_cli`, `recording`, …
    pub credential: String,
    /// `oid` claim: object id of the identity.
    pub object_id: Option<String>,
    /// `appid` or `azp` claim: application id.
    pub app_id: Option<String>,
    /// `tid` claim: Entra tenant.
    pub tenant_id: Option<String>,
    /// `idtyp` claim: `app` or `user`.
    pub token_type: Option<String>,
    /// `xms_mirid` claim: ARM id of the managed identity.
    pub managed_identity: Option<String>,
    /// `exp` claim.
    pub expires_on: Option<DateTime<Utc>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Claims {
    oid: Option<String>,
    appid: Option<String>,
    azp: Option<String>,
    tid: Option<String>,
    idtyp: Option<String>,
    xms_mirid: Option<String>,
    exp: Option<i64>,
}

impl TokenFacts {
    /// Reads the payload of a JWT. The signature is the service's business.
    pub(super) fn read(credential: &str, token: &str) -> TokenFacts {
        let claims = claims(token).unwrap_or_default();
        TokenFacts {
            credential: credential.to_owned(),
            object_id: claims.oid,
            app_id: claims.appid.or(claims.azp),
            tenant_id: claims.tid,
            token_type: claims.idtyp,
            managed_identity: claims.xms_mirid,
            expires_on: claims.exp.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        }
    }
}

fn claims(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_of_a_jwt_become_facts() {
        // {"oid":"o-1","appid":"a-1","tid":"t-1","idtyp":"app","xms_mirid":"/subscriptions/s","exp":1790931600}
        let payload = "eyJvaWQiOiJvLTEiLCJhcHBpZCI6ImEtMSIsInRpZCI6InQtMSIsImlkdHlwIjoiYXBwIiwieG1zX21pcmlkIjoiL3N1YnNjcmlwdGlvbnMvcyIsImV4cCI6MTc5MDkzMTYwMH0";
        let facts = TokenFacts::read("managed_identity", &format!("e30.{payload}.sig"));
        assert_eq!(facts.credential, "managed_identity");
        assert_eq!(facts.object_id.as_deref(), Some("o-1"));
        assert_eq!(facts.app_id.as_deref(), Some("a-1"));
        assert_eq!(facts.tenant_id.as_deref(), Some("t-1"));
        assert_eq!(facts.token_type.as_deref(), Some("app"));
        assert_eq!(facts.managed_identity.as_deref(), Some("/subscriptions/s"));
        assert_eq!(facts.expires_on.unwrap().to_rfc3339(), "2026-10-02T09:00:00+00:00");
    }

    #[test]
    fn an_opaque_token_tells_nothing() {
        for token in ["", "opaque", "a.b.c", "a.!!.c"] {
            let expected = TokenFacts { credential: "token".to_owned(), ..TokenFacts::default() };
            assert_eq!(TokenFacts::read("token", token), expected);
        }
    }
}
