//! The table of faults: what is done, how often, and how the question then ends.

use std::sync::Arc;

use serde_json::{Value, json};
use tickmark::evidence::Reason;

use crate::server::Act;

/// How a question ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With its whole answer.
    Healed,
    /// Without it.
    Lost(Reason),
    /// With all its items, but not known to be whole.
    Kept(Reason),
    /// With most of its items.
    Dented(Reason),
}

pub struct Fault {
    pub name: &'static str,
    pub act: Act,
    pub times: u32,
    /// For a list.
    pub end: End,
    /// For a log query, where it differs.
    pub of_logs: Option<End>,
    /// Requests that are sent.
    pub sent: u32,
    /// To the log service, where it differs.
    pub sent_to_logs: Option<u32>,
    /// A wait that the service asked for, milliseconds.
    pub waits: Option<u64>,
    /// Only a list can have it.
    pub is_about_lists: bool,
}

pub const ALWAYS: u32 = u32::MAX;

pub fn fault(name: &'static str, act: Act, times: u32, sent: u32, end: End) -> Fault {
    Fault { name, act, times, end, of_logs: None, sent, sent_to_logs: None, waits: None, is_about_lists: false }
}

impl Fault {
    pub fn for_logs(self, end: End) -> Fault {
        Fault { of_logs: Some(end), ..self }
    }

    pub fn of_lists(self) -> Fault {
        Fault { is_about_lists: true, ..self }
    }

    /// Whether it reaches the judging in a way of its own: it is not healed, no other one ends in the same way by the
    /// same part of the program, and it does not take a thing of a certain form to do any harm.
    pub fn differs(&self) -> bool {
        const LIKE_ANOTHER: &[&str] = &[
            "429, wait an hour",
            "hung up for ever",
            "empty object",
            "broken off for ever",
            "two answers in one",
            "null",
            "bare list",
            "not UTF-8",
            "HTML from a proxy, 502",
            "a link that is a number",
            "401, further claims",
            "400, version",
            "deep nesting",
            "a member twice in an item",
            "500 for ever",
            "502 for ever",
            "503 for ever",
        ];
        matches!(self.end, End::Lost(_) | End::Kept(_)) && !LIKE_ANOTHER.contains(&self.name)
    }

    pub fn waiting(self, milliseconds: u64) -> Fault {
        Fault { waits: Some(milliseconds), ..self }
    }
}

pub fn status(code: u16, headers: &[(&'static str, &str)]) -> Act {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Act::Say(code, headers, br#"{"error":{"code":"Fault","message":"by the test"}}"#.to_vec())
}

pub fn refusal(code: u16, name: &str) -> Act {
    Act::Say(code, Vec::new(), json!({"error": {"code": name, "message": "by the test"}}).to_string().into_bytes())
}

pub fn says(body: &str) -> Act {
    Act::Say(200, Vec::new(), body.as_bytes().to_vec())
}

pub fn edit(change: impl Fn(&mut Value, &str) + Send + Sync + 'static) -> Act {
    Act::Edit(Arc::new(change))
}

pub const PROXY: &str = "<html><head><title>Sign in</title></head><body>Your organisation's proxy</body></html>";

/// Every fault. `stranger` is the address of a host that is not Azure.
pub fn faults(stranger: &str) -> Vec<Fault> {
    use End::{Dented, Healed, Kept, Lost};
    let foreign = format!("{stranger}/next?sig=s");
    let mut faults = vec![
        fault("429, wait 2", status(429, &[("retry-after", "2")]), 1, 2, Healed).waiting(2000),
        fault("429, wait 0.5", status(429, &[("retry-after", "0.5")]), 1, 2, Healed).waiting(500),
        fault("429, until a date", status(429, &[("retry-after", "Fri, 02 Oct 2026 09:00:30 GMT")]), 1, 2, Healed)
            .waiting(30_000),
        fault("429, milliseconds", status(429, &[("x-ms-retry-after-ms", "1500"), ("retry-after", "9")]), 1, 2, Healed)
            .waiting(1500),
        fault("503, wait 3", status(503, &[("retry-after", "3")]), 1, 2, Healed).waiting(3000),
        fault("429, no wait named", status(429, &[]), 1, 2, Healed).waiting(1000),
        fault("429 for ever", status(429, &[("retry-after", "1")]), ALWAYS, 6, Lost(Reason::Throttled)),
        fault("429, wait an hour", status(429, &[("retry-after", "3600")]), ALWAYS, 1, Lost(Reason::Throttled)),
        fault("hung up once", Act::HangUp, 1, 2, Healed),
        fault("hung up for ever", Act::HangUp, ALWAYS, 5, Lost(Reason::Unavailable)),
        fault("broken off once", Act::BreakOff, 1, 2, Healed),
        fault("broken off for ever", Act::BreakOff, ALWAYS, 5, Lost(Reason::Unavailable)),
        fault("cut JSON", Act::Rewrite(|body| body[..body.len() * 2 / 3].to_vec()), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("malformed JSON", says(r#"{"value":[,]}"#), ALWAYS, 1, Lost(Reason::Malformed)),
        fault(
            "two answers in one",
            Act::Rewrite(|body| [body.clone(), body].concat()),
            ALWAYS,
            1,
            Lost(Reason::Malformed),
        ),
        fault("empty body", says(""), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("null", says("null"), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("empty object", says("{}"), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("bare list", says("[]"), ALWAYS, 1, Lost(Reason::Malformed)),
        fault(
            "not UTF-8",
            Act::Say(200, Vec::new(), b"{\"value\":[\"\xff\"]}".to_vec()),
            ALWAYS,
            1,
            Lost(Reason::Malformed),
        ),
        fault("HTML from a proxy", says(PROXY), ALWAYS, 1, Lost(Reason::Malformed)),
        fault(
            "HTML from a proxy, 502",
            Act::Say(502, vec![("content-type", "text/html".to_owned())], PROXY.as_bytes().to_vec()),
            ALWAYS,
            5,
            Lost(Reason::Unavailable),
        ),
        fault("JSON that calls itself HTML", Act::Typed("text/html"), ALWAYS, 1, Healed),
        fault("a redirect", status(302, &[("location", &foreign)]), ALWAYS, 1, Lost(Reason::Refused)),
        fault("links to itself", edit(link_to_itself), ALWAYS, 1, Kept(Reason::CutShort)).of_lists(),
        fault(
            "links elsewhere",
            edit(move |body, _| body["nextLink"] = json!(foreign)),
            ALWAYS,
            1,
            Kept(Reason::CutShort),
        )
        .of_lists(),
        fault(
            "a link that is a number",
            edit(|body, _| body["nextLink"] = json!(2)),
            ALWAYS,
            1,
            Lost(Reason::Malformed),
        ),
        fault("401, token expired", Act::RefuseOldTokens, ALWAYS, 2, Healed),
        fault("401 for ever", refusal(401, "InvalidAuthenticationToken"), ALWAYS, 2, Lost(Reason::Unauthenticated)),
        fault(
            "401, further claims",
            status(401, &[("www-authenticate", "Bearer error=\"insufficient_claims\", claims=\"e30=\"")]),
            ALWAYS,
            1,
            Lost(Reason::Unauthenticated),
        ),
        fault("403", refusal(403, "AuthorizationFailed"), ALWAYS, 1, Lost(Reason::Forbidden)),
        fault("400, no licence", refusal(400, "AadPremiumLicenseRequired"), ALWAYS, 1, Lost(Reason::NotLicensed)),
        fault("404", refusal(404, "SubscriptionNotFound"), ALWAYS, 1, Lost(Reason::NotFound)),
        fault("409", refusal(409, "MissingSubscriptionRegistration"), ALWAYS, 1, Lost(Reason::Refused)),
        fault("400, no provider", refusal(400, "NoRegisteredProviderFound"), ALWAYS, 1, Lost(Reason::NotInCloud)),
        fault("400, version", refusal(400, "InvalidApiVersionParameter"), ALWAYS, 1, Lost(Reason::NotInCloud)),
        fault(
            "400, no table",
            Act::Say(
                400,
                Vec::new(),
                br#"{"error":{"code":"BadArgumentError","innererror":{"code":"SemanticError"}}}"#.to_vec(),
            ),
            ALWAYS,
            1,
            Lost(Reason::Refused),
        )
        .for_logs(Lost(Reason::TableMissing)),
        fault("204", Act::Say(204, Vec::new(), Vec::new()), ALWAYS, 1, Lost(Reason::Malformed))
            .for_logs(Lost(Reason::TableMissing)),
        fault(
            "marked as partial",
            edit(|body, _| body["error"] = json!({"code": "PartialError", "message": "by the test"})),
            ALWAYS,
            1,
            Kept(Reason::Partial),
        ),
        fault("eight megabytes", edit(|body, _| body["padding"] = json!("x".repeat(8 << 20))), ALWAYS, 1, Healed),
        fault("a member twice", Act::Rewrite(twice), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("a member twice in an item", Act::Rewrite(twice_in_an_item), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("deep nesting", Act::Rewrite(deep), ALWAYS, 1, Lost(Reason::Malformed)),
        fault("no list", edit(|body, _| *list_of(body) = json!({"0": {}})), ALWAYS, 1, Lost(Reason::Malformed))
            .of_lists(),
        fault(
            "no items in the list",
            edit(|body, _| *list_of(body) = json!([1, "two", null])),
            ALWAYS,
            1,
            Lost(Reason::Malformed),
        )
        .of_lists(),
        fault(
            "one item is text",
            edit(|body, _| push(list_of(body), json!("two"))),
            ALWAYS,
            1,
            Kept(Reason::Malformed),
        )
        .of_lists(),
        fault(
            "an id that is a number",
            edit(|body, _| deform(list_of(body), &json!(7))),
            ALWAYS,
            1,
            Dented(Reason::Malformed),
        ),
        fault(
            "an id that is a list",
            edit(|body, _| deform(list_of(body), &json!([7]))),
            ALWAYS,
            1,
            Dented(Reason::Malformed),
        ),
    ];
    for code in [500, 502, 503, 504] {
        let name = |often: &str| -> &'static str { Box::leak(format!("{code} {often}").into_boxed_str()) };
        faults.push(fault(name("once"), status(code, &[]), 1, 2, Healed));
        let for_ever = fault(name("for ever"), status(code, &[]), ALWAYS, 5, Lost(Reason::Unavailable));
        // a query that timed out has run for minutes, and is put only once more
        faults.push(if code == 504 { Fault { sent_to_logs: Some(2), ..for_ever } } else { for_ever });
    }
    faults
}

/// Names of the member that holds what was asked for, of an object without a list its id.
const HOLDERS: [&str; 5] = ["tables", "value", "data", "id", "subscriptionId"];

/// The name of the member that holds the list, if the answer is one.
pub fn list_name(body: &Value) -> Option<&'static str> {
    HOLDERS.into_iter().find(|name| body.get(name).is_some_and(Value::is_array))
}

/// The list of a page, or the rows of a table.
pub fn list_of(body: &mut Value) -> &mut Value {
    match list_name(body).expect("a list") {
        "tables" => &mut body["tables"][0]["rows"],
        name => &mut body[name],
    }
}

/// Resource Graph has tokens for links.
fn link_to_itself(body: &mut Value, here: &str) {
    let (name, link) = if list_name(body) == Some("data") { ("$skipToken", "again") } else { ("nextLink", here) };
    body[name] = json!(link);
}

pub fn push(list: &mut Value, item: Value) {
    list.as_array_mut().expect("a list").push(item);
}

/// Changes what tells the first item from others: its id and name; of a row, the first cell.
pub fn deform(list: &mut Value, value: &Value) {
    let first = &mut list[0];
    for place in ["/id", "/name", "/subscriptionId", "/0"] {
        if let Some(found) = first.pointer_mut(place) {
            *found = value.clone();
        }
    }
}

/// The answer, and then an empty list of the same name.
pub fn twice(body: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(body).expect("UTF-8");
    let body: Value = serde_json::from_str(&text).expect("JSON");
    let name = HOLDERS.into_iter().find(|name| body.get(name).is_some()).expect("what was asked for");
    let end = text.rfind('}').expect("an object");
    format!("{},\"{name}\":[]}}", &text[..end]).into_bytes()
}

/// The first `id` or `name` is said twice, with two values.
pub fn twice_in_an_item(body: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(body).expect("UTF-8");
    let name = if text.contains("\"tables\"") { "\"name\"" } else { "\"id\"" };
    text.replacen(name, &format!("{name}:\"other\",{name}"), 1).into_bytes()
}

/// A member beside the list that is nested deeper than anyone reads.
pub fn deep(body: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(body).expect("UTF-8");
    let depth = 100_000;
    let end = text.rfind('}').expect("an object");
    format!("{},\"deep\":{}{}}}", &text[..end], "[".repeat(depth), "]".repeat(depth)).into_bytes()
}
