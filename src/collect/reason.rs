//! Why a question ended without a full answer: from status and error code, never from a message.

use serde::Deserialize;

use super::redact;
use super::table::Collector;
use crate::azure::{Refused, TransportError};
use crate::evidence::{Kind, Reason};

/// Reason for an answer with this status and these error codes, outermost first.
pub(super) fn of_answer(kind: Kind, status: u16, codes: &[String]) -> Reason {
    let has = |names: &[&str]| codes.iter().any(|code| names.iter().any(|name| code.eq_ignore_ascii_case(name)));
    if has(&["AadPremiumLicenseRequired", "Authentication_RequestFromNonPremiumTenantOrB2CTenant"]) {
        return Reason::NotLicensed;
    }
    let is_unknown = has(&["InvalidApiVersionParameter", "NoRegisteredProviderFound", "InvalidResourceType"]);
    // The model ended on 2024-08-31 (learn:azure/role-based-access-control/classic-administrators); how its list ends
    // is not told. A refusal for want of a right, or of the subscription, says nothing about that.
    let is_gone = status == 410 || matches!(status, 400 | 404) && is_unknown;
    if kind == Kind::ClassicAdministrators && is_gone {
        return Reason::Retired;
    }
    let is_log = kind.is_log();
    match status {
        // A workspace that never stored anything has no tables.
        204 if is_log => Reason::TableMissing,
        200..=399 => Reason::Malformed,
        400 if is_unknown => Reason::NotInCloud,
        // A syntax error would be ours, and says nothing about the table.
        400 if is_log && has(&["SemanticError"]) => Reason::TableMissing,
        401 => Reason::Unauthenticated,
        403 if has(&["InvalidAuthenticationToken", "InvalidAuthenticationTokenAudience"]) => Reason::Unauthenticated,
        403 => Reason::Forbidden,
        404 => Reason::NotFound,
        408 | 500.. => Reason::Unavailable,
        429 => Reason::Throttled,
        // Among these 409 MissingSubscriptionRegistration: "none" would be a conclusion, not an answer.
        _ => Reason::Refused,
    }
}

/// Reason when there was no answer.
pub(super) fn of_refused(refused: &Refused) -> Reason {
    match refused {
        Refused::NotARead { .. } | Refused::ForeignHost { .. } | Refused::Redirect { .. } => Reason::Refused,
        Refused::GivenUp { .. } => Reason::Throttled,
        Refused::Failed { error, .. } => match error {
            TransportError::Connect(_) | TransportError::TimedOut | TransportError::Reset(_) => Reason::Unavailable,
            TransportError::TooLarge { .. } => Reason::CutShort,
            TransportError::NotRecorded => Reason::NotRecorded,
            TransportError::Token(_) => Reason::Unauthenticated,
            TransportError::Unsendable(_) => Reason::Refused,
            TransportError::Unexpected(_) => Reason::Malformed,
        },
    }
}

/// What would supply an answer that was refused for want of further claims.
pub(super) const CLAIMS: &str = "Conditional Access wants a new sign-in (continuous access evaluation), which this \
     run cannot give; sign in again, or let the policy admit this identity, and continue the capture";

/// What would supply the answer.
pub(super) fn advice(reason: Reason, collector: &Collector, scope: &str, codes: &[String]) -> String {
    let has = |names: &[&str]| codes.iter().any(|code| names.contains(&code.as_str()));
    match reason {
        Reason::Forbidden if has(&["ForbiddenByFirewall", "ForbiddenByConnection"]) => {
            "the vault's network rules refuse the place that the collector runs at; run it where the vault lets it in"
                .to_owned()
        }
        Reason::Forbidden if has(&["ForbiddenByPolicy", "AccessDenied"]) => {
            "the vault uses access policies, and none lets the collecting identity `list`".to_owned()
        }
        Reason::Forbidden => format!(
            "give the collecting identity `{}` at `{scope}`; a fresh grant can take an hour to be honoured",
            collector.permission()
        ),
        Reason::Unauthenticated => "check tenant, audience and validity of the credential".to_owned(),
        Reason::Throttled => "collect again at a quieter time".to_owned(),
        Reason::Unavailable => "collect again".to_owned(),
        Reason::NotFound => "it was deleted, or the collecting identity may not see it".to_owned(),
        Reason::NotInCloud => "this version or its provider is not offered there".to_owned(),
        Reason::NotLicensed => "the tenant has no licence for it".to_owned(),
        Reason::TableMissing => "the workspace has no such table, so nothing was ever stored in it".to_owned(),
        Reason::Refused if codes.iter().any(|code| code.contains("Registration")) => {
            "the resource provider is not registered in the subscription; register it, or state by hand that it is \
             not used"
                .to_owned()
        }
        _ => reason.sentence().to_owned(),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error: ErrorPart,
    code: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorPart {
    code: Option<String>,
    #[serde(alias = "innerError")]
    innererror: Option<Box<ErrorPart>>,
    details: Option<Vec<ErrorPart>>,
}

/// The codes of an error answer that was redacted, outermost first; none when it has another shape.
pub(super) fn codes(clean: &[u8]) -> Vec<String> {
    let body: ErrorBody = serde_json::from_slice(clean).unwrap_or_default();
    let mut codes = Vec::new();
    gather(&body.error, &mut codes);
    codes.extend(body.code);
    codes.retain(|code| redact::is_code(code));
    codes
}

fn gather(part: &ErrorPart, codes: &mut Vec<String>) {
    codes.extend(part.code.clone());
    if let Some(inner) = &part.innererror {
        gather(inner, codes);
    }
    part.details.iter().flatten().for_each(|detail| gather(detail, codes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_code_name_the_reason() {
        let logs = Kind::VaultLogDedicated;
        let arm = Kind::Vaults;
        let table: &[(Kind, u16, &[&str], Reason)] = &[
            (arm, 403, &["AuthorizationFailed"], Reason::Forbidden),
            (arm, 403, &[], Reason::Forbidden),
            (arm, 401, &["ExpiredAuthenticationToken"], Reason::Unauthenticated),
            (logs, 403, &["InvalidAuthenticationTokenAudience"], Reason::Unauthenticated),
            (logs, 403, &["InsufficientAccessError"], Reason::Forbidden),
            (arm, 404, &["SubscriptionNotFound"], Reason::NotFound),
            (arm, 429, &["TooManyRequests"], Reason::Throttled),
            (arm, 500, &[], Reason::Unavailable),
            (logs, 504, &[], Reason::Unavailable),
            (arm, 408, &[], Reason::Unavailable),
            (arm, 400, &["InvalidApiVersionParameter"], Reason::NotInCloud),
            (arm, 400, &["NoRegisteredProviderFound"], Reason::NotInCloud),
            (arm, 400, &["InvalidResourceType"], Reason::NotInCloud),
            (arm, 400, &["AadPremiumLicenseRequired"], Reason::NotLicensed),
            (Kind::Principals, 403, &["Authentication_RequestFromNonPremiumTenantOrB2CTenant"], Reason::NotLicensed),
            (logs, 400, &["BadArgumentError", "SemanticError"], Reason::TableMissing),
            (logs, 400, &["BadArgumentError", "SyntaxError"], Reason::Refused),
            (arm, 400, &["BadArgumentError", "SemanticError"], Reason::Refused),
            (logs, 204, &[], Reason::TableMissing),
            (arm, 204, &[], Reason::Malformed),
            (arm, 202, &[], Reason::Malformed),
            (arm, 409, &["MissingSubscriptionRegistration"], Reason::Refused),
            (arm, 400, &["BadRequest"], Reason::Refused),
            (Kind::ClassicAdministrators, 410, &["Gone"], Reason::Retired),
            (Kind::ClassicAdministrators, 400, &["NoRegisteredProviderFound"], Reason::Retired),
            (Kind::ClassicAdministrators, 403, &["AuthorizationFailed"], Reason::Forbidden),
            (Kind::ClassicAdministrators, 404, &["SubscriptionNotFound"], Reason::NotFound),
        ];
        for (kind, status, codes, reason) in table {
            let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
            assert_eq!(of_answer(*kind, *status, &codes), *reason, "{status} {codes:?}");
        }
    }

    #[test]
    fn no_answer_has_a_reason_too() {
        let failed = |error| of_refused(&Refused::Failed { error, attempts: 1 });
        assert_eq!(failed(TransportError::NotRecorded), Reason::NotRecorded);
        assert_eq!(failed(TransportError::TimedOut), Reason::Unavailable);
        assert_eq!(failed(TransportError::Token("x".to_owned())), Reason::Unauthenticated);
        assert_eq!(of_refused(&Refused::GivenUp { key: "k".to_owned() }), Reason::Throttled);
    }

    #[test]
    fn codes_come_from_every_level() {
        let body = br#"{"error":{"code":"BadArgumentError","innererror":{"code":"SemanticError"},
            "details":[{"code":"X"}]}}"#;
        assert_eq!(codes(body), ["BadArgumentError", "SemanticError", "X"]);
        assert_eq!(codes(br#"{"code":"Top"}"#), ["Top"]);
        assert!(codes(b"<html>").is_empty());
    }
}
