//! `tickmark doctor`: which questions would be answered, who asks, and what that identity should not be able to do.
//! Nothing is kept.

mod print;
mod rights;

use chrono::TimeDelta;

use super::args::{Args, Doctor};
use super::collect::Source;
use super::config::Config;
use super::terminal::Terminal;
use super::{CliError, End, context};
use crate::access::OwnRights;
use crate::azure::{Api, Recording, TokenFacts};
use crate::collect::{CollectRequest, Personal, Probe, Probed, Progress, own_rights, probe};
use crate::evidence::Period;
use crate::model::excuse;

/// A clock that is further off than this makes times in the evidence doubtful: seconds.
const CLOCK_LIMIT: u64 = 300;

/// Everything that was found out.
struct Examination {
    tenant_id: String,
    asking: TokenFacts,
    probe: Probe,
    /// Not looked at when nobody could sign in.
    rights: Option<OwnRights>,
    warnings: Vec<String>,
}

pub(super) fn run(options: &Doctor, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let (source, period) = match &options.replay {
        Some(folder) => {
            let recording = Recording::open(folder)?;
            let period = Period::parse(args.period.as_deref().unwrap_or(&recording.head().period))?;
            (Source::recording(recording, None)?, period)
        }
        None => {
            let config = Config::open(&args.config)?;
            let source = Source::live(&config)?;
            let period = context::period(args, Some(&config), source.now())?;
            (source, period)
        }
    };
    let examination = examine(&source, period, terminal)?;
    print::print(&examination, terminal)?;
    Ok(if examination.all_works() { End::Clean } else { End::Incomplete })
}

/// Refuses to go on when the identity holds too much, or when that cannot be told.
pub(super) fn require_rights(source: &Source) -> Result<(), CliError> {
    let door = source.door();
    let now = source.now(); // no question about rights has a period
    let request = request(source, Period { start: now - TimeDelta::days(1), end: now });
    let own = context::runtime()?.block_on(own_rights(&door, &request))?;
    rights::require_clean(&rights::judge(&own))
}

fn examine(source: &Source, period: Period, terminal: &Terminal) -> Result<Examination, CliError> {
    source.tell_identity(terminal);
    let door = source.door();
    let shown = terminal.progress(&door);
    let progress = WithoutGaps(&shown);
    let request = request(source, period);
    let (probe, rights) = context::runtime()?.block_on(async {
        let probe = shown.beside(probe(&door, &request, &progress)).await?;
        let rights = match probe.is_signed_out() {
            true => None,
            false => Some(rights::judge(&own_rights(&door, &request).await?)),
        };
        Ok::<_, CliError>((probe, rights))
    })?;
    drop(shown);
    let credential = door.transport().credential();
    let asking = door.transport().token_facts().unwrap_or(TokenFacts { credential, ..TokenFacts::default() });
    let warnings = warnings(source.tenant_id(), &asking, &probe, rights.as_ref());
    Ok(Examination { tenant_id: source.tenant_id().to_owned(), asking, probe, rights, warnings })
}

/// What a run would ask for.
fn request(source: &Source, period: Period) -> CollectRequest {
    CollectRequest {
        tenant_id: source.tenant_id().to_owned(),
        expected: source.expected().clone(),
        vault_objects: source.vault_objects,
        api_versions: source.api_versions.clone(),
        period,
        now: source.now(),
        tool: context::tool(),
        personal: Personal::default(), // nothing is kept
    }
}

impl Examination {
    fn all_works(&self) -> bool {
        let rights = self.rights.as_ref().is_some_and(OwnRights::is_clean);
        rights && self.probe.questions.iter().all(is_good) && !self.probe.subscriptions.is_empty()
    }
}

/// Whether a run would get an answer: also a refusal that is one.
fn is_good(asked: &Probed) -> bool {
    asked.state.is_good() || excused(asked).is_some()
}

/// What a refusal says, where it is an answer.
fn excused(asked: &Probed) -> Option<&'static str> {
    asked.reason.and_then(|reason| excuse(asked.kind, reason))
}

/// What is worth knowing and stops nothing.
fn warnings(tenant_id: &str, asking: &TokenFacts, probe: &Probe, rights: Option<&OwnRights>) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(offset) = probe.clock_offset.filter(|offset| offset.unsigned_abs() > CLOCK_LIMIT) {
        warnings.push(format!("the clock of this machine is {}; set it", clock_words(offset)));
    }
    if let Some(other) = asking.tenant_id.as_ref().filter(|id| !id.eq_ignore_ascii_case(tenant_id)) {
        warnings.push(format!("the token is of the tenant `{other}`, not of `{tenant_id}`"));
    }
    if probe.is_signed_out() {
        return warnings;
    }
    if probe.subscriptions.is_empty() {
        warnings.push("no subscription is visible: the identity holds no role in any".to_owned());
    }
    for subscription in &probe.invisible {
        warnings.push(format!("`{subscription}` is expected and not in the list of visible subscriptions"));
    }
    let root = format!("/{}", tenant_id.to_lowercase());
    if !probe.groups.iter().any(|group| group.to_lowercase().ends_with(&root)) {
        warnings.push(
            "the root management group is not visible: access that comes from above is not evaluated then".to_owned(),
        );
    }
    if rights.is_some_and(|rights| rights.unread.is_empty() && !rights.reads_every_type) {
        warnings.push(
            "no role that was seen reads resources of every type: the list of resources leaves out, without a word, \
             types that the roles do not name"
                .to_owned(),
        );
    }
    warnings
}

/// `12 s behind the server's`.
fn clock_words(offset: i64) -> String {
    let seconds = offset.unsigned_abs();
    match offset {
        0 => "the same as the server's".to_owned(),
        1.. => format!("{seconds} s ahead of the server's"),
        _ => format!("{seconds} s behind the server's"),
    }
}

/// Gaps are the result here and are printed once, in the table.
struct WithoutGaps<'a>(&'a dyn Progress);

impl Progress for WithoutGaps<'_> {
    fn planned(&self, service: Api, questions: usize) {
        self.0.planned(service, questions);
    }

    fn ended(&self, service: Api, title: &str, _gap: Option<&str>) {
        self.0.ended(service, title, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_warned_of_when_it_is_more_than_five_minutes_off() {
        let of = |offset| {
            let probe = Probe {
                clock_offset: Some(offset),
                subscriptions: vec!["/subscriptions/s".to_owned()],
                groups: vec!["/providers/Microsoft.Management/managementGroups/T".to_owned()],
                ..Probe::default()
            };
            warnings("t", &TokenFacts::default(), &probe, None)
        };
        assert!(of(300).is_empty() && of(-300).is_empty());
        assert_eq!(of(-301), ["the clock of this machine is 301 s behind the server's; set it"]);
        assert_eq!(of(301), ["the clock of this machine is 301 s ahead of the server's; set it"]);
    }

    #[test]
    fn a_foreign_token_and_missing_scopes_are_warned_of() {
        let asking = TokenFacts { tenant_id: Some("other".to_owned()), ..TokenFacts::default() };
        let found = warnings("t", &asking, &Probe::default(), None);
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(found[0].contains("`other`") && found[1].contains("no subscription") && found[2].contains("root"));
    }
}
