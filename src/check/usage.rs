//! Who could read secrets against who did: every grant of a vault beside the reads that its log shows in the period,
//! and every reader whom no grant explains.
//!
//! The grants are those at collection; one that ended in the period is seen only where the activity log tells of it,
//! or where a row names an assignment that is there no more. Callers are matched by object id.

mod by_assignment;
mod by_secret;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Facts;
use super::callers::{Calls, by_caller, shown};
use super::logs::{Log, Logs, ROWS};
use crate::access::{Answer, Capability, Grant, Open, Path, Via};
use crate::evidence::{Cite, Reason};
use crate::model::{ActivityEvent, Id, Texts, Vault, VaultEvent};

pub use by_assignment::{AssignmentUse, by_assignment};
pub use by_secret::{SecretUse, by_secret};

/// What became of a grant in the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usage {
    /// Reads by it are in the log.
    Used,
    /// The log shows the whole period and no read.
    Unused,
    /// Reads, and nothing known that allowed them.
    UsedWithoutGrant,
    /// Reads under an assignment that is there no more, all of them before it was removed.
    UsedBeforeRemoval,
    /// Reads under an assignment after the activity log shows that it was removed. Tokens and caches live on for
    /// minutes (learn.microsoft.com/azure/role-based-access-control/troubleshooting).
    UsedAfterRemoval,
    /// No read is in the log, and the log does not show the whole period.
    NotDetermined,
}

impl Usage {
    /// Every usage, what needs attention first.
    pub const ALL: &'static [Usage] = &[
        Usage::UsedAfterRemoval,
        Usage::UsedWithoutGrant,
        Usage::UsedBeforeRemoval,
        Usage::NotDetermined,
        Usage::Unused,
        Usage::Used,
    ];

    /// The usage in words.
    pub fn words(self) -> &'static str {
        match self {
            Usage::Used => "used",
            Usage::Unused => "unused",
            Usage::UsedWithoutGrant => "used without a known grant",
            Usage::UsedBeforeRemoval => "used before its removal",
            Usage::UsedAfterRemoval => "used after its removal",
            Usage::NotDetermined => "not determined",
        }
    }
}

/// One line of the join: a grant with its reads, or reads without a grant.
#[derive(Clone, Debug)]
pub struct GrantUse {
    /// The vault.
    pub vault: Id,
    /// Its name.
    pub vault_name: Arc<str>,
    /// Lower-case object id of the holder or caller; where the log names none, what it names instead.
    pub principal_id: Arc<str>,
    /// Its name, else its object id.
    pub principal: Arc<str>,
    /// The vault, or the object that alone is granted; none for reads without a grant.
    pub object: Option<Id>,
    /// The answer about the grant; none for reads without one.
    pub answer: Option<Answer>,
    /// What gives it, in words.
    pub by: Arc<str>,
    /// What became of it.
    pub usage: Usage,
    /// Successful reads of secret values in the period.
    pub reads: usize,
    /// How many different secrets were read.
    pub secrets: usize,
    /// The first of the reads.
    pub first: Option<DateTime<Utc>>,
    /// The last of them.
    pub last: Option<DateTime<Utc>>,
    /// Whole days without a read up to the end of what the log shows; none where that is not known.
    pub idle_days: Option<i64>,
    /// Whether everything that gives it must be activated first.
    pub by_activation: bool,
    /// Since when it is granted at all, where everything that gives it tells that; a membership never does.
    pub since: Option<DateTime<Utc>>,
    /// Why the usage is not determined.
    pub open: Option<Arc<Open>>,
    /// Why the line says what it says, where it needs a reason.
    pub because: Arc<str>,
    /// The records.
    pub evidence: Vec<Cite>,
}

/// Every line, in order of vault, principal and object.
pub fn join(facts: &Facts<'_>) -> Vec<GrantUse> {
    let logs = Logs::of(facts);
    let (removals, texts) = (Removals::of(facts), Texts::default());
    let assignments = facts.tenant.role_assignments.iter();
    let made: Made<'_> = assignments.filter_map(|one| Some((&one.id, one.created_on?))).collect();
    let join = Join { facts, removals: &removals, made: &made, texts: &texts };
    let mut lines: Vec<GrantUse> = facts.tenant.vaults.iter().flat_map(|vault| of_vault(join, &logs, vault)).collect();
    lines.iter_mut().for_each(|line| line.evidence.shrink_to_fit()); // there are very many of them
    lines.shrink_to_fit();
    let key = |line: &GrantUse| (line.vault.clone(), line.principal_id.clone(), line.object.clone(), line.usage);
    lines.sort_by_cached_key(key);
    lines
}

/// What every vault's lines are made with.
#[derive(Clone, Copy)]
struct Join<'j, 'a> {
    facts: &'j Facts<'a>,
    removals: &'j Removals<'a>,
    made: &'j Made<'a>,
    /// Texts of the lines: there are very many, of few words.
    texts: &'j Texts,
}

/// When each role assignment was made.
type Made<'a> = BTreeMap<&'a Id, DateTime<Utc>>;

/// The reads of one vault by caller, or why they are not known.
struct Reads<'a> {
    by_caller: BTreeMap<String, Calls<'a>>,
    /// Why the log does not show the whole period.
    falls_short: Option<Arc<Open>>,
    evidence: Vec<Cite>,
}

fn of_vault<'a>(join: Join<'_, 'a>, logs: &Logs<'a>, vault: &'a Vault) -> Vec<GrantUse> {
    let facts = join.facts;
    let grants = facts.access.can(&vault.id, Capability::ReadSecret);
    let grants: Vec<Grant> = grants.into_iter().filter(|grant| grant.answer != Answer::Denied).collect();
    let reads = match logs.of_vault(vault, ROWS) {
        Err(open) => {
            let open = Arc::new(open);
            return grants.iter().map(|grant| unknown(join, vault, grant, &open)).collect();
        }
        Ok(log) => {
            let calls = log.calls().into_iter().filter(|call| is_read(call));
            let named = by_caller(calls).into_iter().filter_map(|calls| Some((calls.caller.clone()?, calls)));
            let by_caller = named.collect();
            let falls_short = log.falls_short(facts).or_else(|| silent_at_first(facts, &log)).map(Arc::new);
            Reads { by_caller, falls_short, evidence: log.evidence }
        }
    };
    let mut lines: Vec<GrantUse> = grants.iter().map(|grant| of_grant(join, vault, grant, &reads)).collect();
    let holders: BTreeSet<&str> = grants.iter().map(|grant| &*grant.principal_id).collect();
    let others = reads.by_caller.iter().filter(|(caller, _)| !holders.contains(caller.as_str()));
    lines.extend(others.flat_map(|(caller, calls)| without_grant(join, vault, caller, calls)));
    lines
}

/// A log that begins late, or holds nothing, does not prove that nobody read: it may not have been switched on.
fn silent_at_first(facts: &Facts<'_>, log: &Log<'_>) -> Option<Open> {
    if log.shows_the_beginning(facts) {
        return None;
    }
    let detail = match log.first() {
        Some(first) => format!("the log begins at {}, after the period does", shown(first)),
        None => "the log holds no row of the period, which proves nothing".to_owned(),
    };
    Some(Open { reason: Reason::ValueUnknown, detail, from: log.evidence.first().cloned() })
}

fn is_read(call: &VaultEvent) -> bool {
    call.operation.eq_ignore_ascii_case("SecretGet") && call.status.is_some_and(|status| (200..300).contains(&status))
}

fn line(Join { facts, made, texts, .. }: Join<'_, '_>, vault: &Vault, grant: &Grant) -> GrantUse {
    let by: Vec<String> = grant.paths.iter().map(|path| path.words()).collect();
    let mut evidence: Vec<Cite> = grant.paths.iter().flat_map(|path| facts.access.evidence(&vault.id, path)).collect();
    evidence.sort();
    evidence.dedup();
    GrantUse {
        vault: vault.id.clone(),
        vault_name: texts.of(&vault.name),
        principal_id: grant.principal_id.clone(),
        principal: texts.of(&facts.tenant.principal_name(&grant.principal_id)),
        object: Some(grant.object.clone()),
        answer: Some(grant.answer),
        by: texts.of(&by.join(" | ")),
        usage: Usage::NotDetermined,
        reads: 0,
        secrets: 0,
        first: None,
        last: None,
        idle_days: None,
        by_activation: grant.paths.iter().all(|path| !path.activations.is_empty()),
        since: since(made, grant),
        open: None,
        because: texts.of(""),
        evidence,
    }
}

/// When the first of the assignments that give it was made; none where something else gives it, or one does not tell.
fn since(made: &Made<'_>, grant: &Grant) -> Option<DateTime<Utc>> {
    let of_path = |path: &Arc<Path>| match &*path.via {
        Via::Role { assignment, .. } => made.get(assignment).copied(),
        _ => None,
    };
    grant.paths.iter().map(of_path).collect::<Option<Vec<_>>>()?.into_iter().min()
}

fn unknown(join: Join<'_, '_>, vault: &Vault, grant: &Grant, open: &Arc<Open>) -> GrantUse {
    leave_open(join, line(join, vault, grant), open)
}

fn leave_open(join: Join<'_, '_>, mut line: GrantUse, open: &Arc<Open>) -> GrantUse {
    line.because = join.texts.of(&open.detail);
    line.evidence.extend(open.from.clone());
    line.open = Some(open.clone());
    line
}

fn of_grant(join: Join<'_, '_>, vault: &Vault, grant: &Grant, reads: &Reads<'_>) -> GrantUse {
    let facts = join.facts;
    let mut line = line(join, vault, grant);
    let calls = reads.by_caller.get(&*grant.principal_id);
    let events: Vec<&VaultEvent> = calls
        .into_iter()
        .flat_map(|calls| &calls.events)
        .copied()
        .filter(|event| covers(vault, grant, event))
        .collect();
    count(&mut line, &events);
    let end = facts.period.end.min(facts.tenant.collected_at);
    match (&reads.falls_short, line.last) {
        (_, Some(last)) => {
            line.usage = Usage::Used;
            line.idle_days = reads.falls_short.is_none().then(|| (end - last).num_days());
        }
        (None, None) => {
            line.usage = Usage::Unused;
            line.idle_days = Some((end - facts.period.start).num_days());
            line.evidence.extend(reads.evidence.iter().cloned());
        }
        (Some(open), None) => return leave_open(join, line, open),
    }
    line
}

/// Whether a grant on one object is about the object that was read.
fn covers(vault: &Vault, grant: &Grant, event: &VaultEvent) -> bool {
    if grant.object == vault.id {
        return true;
    }
    secret_of(event).is_some_and(|name| grant.object.name().eq_ignore_ascii_case(name))
}

/// Name of the secret in the address that was asked for.
fn secret_of(event: &VaultEvent) -> Option<&str> {
    let (_, rest) = event.object.as_deref()?.split_once("/secrets/")?;
    rest.split(['/', '?']).next().filter(|name| !name.is_empty())
}

fn count(line: &mut GrantUse, events: &[&VaultEvent]) {
    let secrets: BTreeSet<String> = events.iter().filter_map(|event| secret_of(event)).map(str::to_lowercase).collect();
    line.reads = events.len();
    line.secrets = secrets.len();
    line.first = events.first().map(|event| event.at);
    line.last = events.last().map(|event| event.at);
    let ends = events.first().into_iter().chain(events.last());
    line.evidence.extend(ends.map(|event| event.from()));
}

/// Reads of a caller whom no grant allows now: under assignments that were removed, and others.
fn without_grant(
    Join { facts, removals, texts, .. }: Join<'_, '_>,
    vault: &Vault,
    caller: &str,
    calls: &Calls<'_>,
) -> Vec<GrantUse> {
    let mut parts: BTreeMap<Usage, (Vec<&VaultEvent>, String, Vec<Cite>)> = BTreeMap::new();
    for event in &calls.events {
        let (usage, because, from) = removals.judge(event);
        let part = parts.entry(usage).or_insert_with(|| (Vec::new(), because, Vec::new()));
        part.0.push(event);
        part.2.extend(from.filter(|from| !part.2.contains(from)));
    }
    let of_part = |(usage, (events, because, evidence)): (Usage, (Vec<&VaultEvent>, String, Vec<Cite>))| {
        let mut line = GrantUse {
            vault: vault.id.clone(),
            vault_name: texts.of(&vault.name),
            principal_id: texts.of(caller),
            principal: texts.of(&facts.tenant.principal_name(caller)),
            object: None,
            answer: None,
            by: texts.of(""),
            usage,
            reads: 0,
            secrets: 0,
            first: None,
            last: None,
            idle_days: None,
            by_activation: false,
            since: None,
            open: None,
            because: texts.of(&because),
            evidence,
        };
        count(&mut line, &events);
        line
    };
    parts.into_iter().map(of_part).collect()
}

/// Role assignments that the activity log shows to be removed, by the last segment of their id, lower case.
struct Removals<'a> {
    by_name: BTreeMap<String, &'a ActivityEvent>,
}

impl<'a> Removals<'a> {
    fn of(facts: &Facts<'a>) -> Removals<'a> {
        let events = facts
            .tenant
            .logging
            .activity
            .iter()
            .filter(|event| event.is("Microsoft.Authorization/roleAssignments/delete") && event.has_succeeded());
        let by_name = events.filter_map(|event| Some((event.resource.as_ref()?.name().to_lowercase(), event)));
        Removals { by_name: by_name.collect() }
    }

    /// What is to be said of a read that no grant allows now.
    fn judge(&self, event: &VaultEvent) -> (Usage, String, Option<Cite>) {
        let nothing = "nothing that is known allows it now".to_owned();
        let Some(assignment) = &event.assignment_id else { return (Usage::UsedWithoutGrant, nothing, None) };
        let Some(removal) = self.by_name.get(&assignment.to_lowercase()) else {
            let because = format!("{nothing}; the log names assignment `{assignment}`");
            return (Usage::UsedWithoutGrant, because, None);
        };
        let because = format!("assignment `{assignment}` was removed at {}", shown(removal.at));
        let usage = if event.at > removal.at { Usage::UsedAfterRemoval } else { Usage::UsedBeforeRemoval };
        (usage, because, Some(removal.from.clone()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::{Value, json};

    use super::*;
    use crate::access::Access;
    use crate::check::Parameters;
    use crate::check::logs::testing::{count, logged, row};
    use crate::check::testing::{
        SECRETS_USER, SUB, assignment_json, base, list, patched, role_json, service_principal_json, vault_id,
        with_principals,
    };
    use crate::declared::Declared;
    use crate::evidence::testing::CaptureBuilder;
    use crate::evidence::{Kind, Period};
    use crate::model::{self, Tenant};

    const READER: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const OTHER: &str = "bbbbbbbb-0000-0000-0000-000000000001";
    const REMOVED: &str = "dddddddd-0000-0000-0000-000000000001";

    fn read_at(at: &str, caller: &str, patch: &Value) -> Value {
        let uri = json!({"RequestUri": "https://kv.vault.azure.net/secrets/db?api-version=7.4"});
        patched(patched(row(at, "SecretGet", 200, Some(caller)), &uri), patch)
    }

    /// `READER` may read every secret of `kv`, or the one at `scope`; the log holds these rows.
    fn tenant(scope: &str, rows: &[Value]) -> CaptureBuilder {
        counted(scope, rows, &[count("2026-07-01", 20, rows.len() as u64)])
    }

    /// The same with these counts by day.
    fn counted(scope: &str, rows: &[Value], counts: &[Value]) -> CaptureBuilder {
        let actions = ["Microsoft.KeyVault/vaults/secrets/getSecret/action"];
        let builder = logged(base(), rows, counts)
            .replace(Kind::RoleDefinitions, SUB, list([role_json(SECRETS_USER, "Reader of secrets", &[], &actions)]))
            .replace(
                Kind::RoleAssignments,
                SUB,
                list([assignment_json("a1", scope, SECRETS_USER, READER, "ServicePrincipal")]),
            );
        with_principals(builder, &[READER], [service_principal_json(READER, "app")])
    }

    fn lines(builder: CaptureBuilder, change: impl Fn(&mut Tenant)) -> Vec<GrantUse> {
        let mut tenant = model::read(&builder.build()).expect("a tenant");
        change(&mut tenant);
        let access = Access::of(&tenant);
        let (period, parameters) = (Period::parse("2026Q3").expect("a period"), Parameters::default());
        join(&Facts {
            tenant: &tenant,
            access: &access,
            period,
            parameters: &parameters,
            declared: &Declared::default(),
            ledger: &[],
        })
    }

    /// The same join by assignment and by secret.
    fn others(builder: CaptureBuilder) -> (Vec<AssignmentUse>, Vec<SecretUse>) {
        let tenant = model::read(&builder.build()).expect("a tenant");
        let access = Access::of(&tenant);
        let (period, parameters) = (Period::parse("2026Q3").expect("a period"), Parameters::default());
        let declared = Declared::default();
        let facts = Facts {
            tenant: &tenant,
            access: &access,
            period,
            parameters: &parameters,
            declared: &declared,
            ledger: &[],
        };
        (by_assignment(&facts), by_secret(&facts))
    }

    #[test]
    fn an_assignment_is_used_by_the_reads_that_name_it_and_open_where_a_row_names_none() {
        let read = |patch: Value| {
            let (lines, _) = others(tenant(&vault_id("kv"), &[read_at("2026-09-20T12:00:00Z", READER, &patch)]));
            let [line] = lines.as_slice() else { panic!("one assignment: {lines:#?}") };
            assert_eq!((line.id.name(), line.principals, line.vaults), ("a1", 1, 1));
            (line.usage, line.reads, line.idle_days)
        };
        assert_eq!(read(json!({"AppliedAssignmentId": "A1"})), (Usage::Used, 1, Some(10)));
        assert_eq!(read(json!({"AppliedAssignmentId": "a2"})), (Usage::Unused, 0, Some(92)), "another one was");
        assert_eq!(read(json!({})), (Usage::NotDetermined, 0, None), "it may have been this one");
        let (unread, _) = others(counted(&vault_id("kv"), &[], &[]));
        assert_eq!(unread[0].usage, Usage::NotDetermined);
        assert!(!unread[0].because.is_empty());
    }

    #[test]
    fn a_secret_is_told_with_how_many_could_read_it_and_who_did() {
        let rows = [
            read_at("2026-07-02T00:30:00Z", READER, &json!({})),
            read_at("2026-07-03T00:30:00Z", OTHER, &json!({})),
            read_at("2026-07-04T00:30:00Z", OTHER, &json!({})),
        ];
        let (_, secrets) = others(tenant(&vault_id("kv"), &rows));
        let [secret] = secrets.as_slice() else { panic!("one secret: {secrets:#?}") };
        assert_eq!((secret.vault_name.as_str(), secret.secret.as_str()), ("kv", "db"));
        assert_eq!((secret.could, secret.did, secret.reads, secret.usage), (1, 2, 3, Usage::Used));
        assert_eq!(secret.is_listed, None, "no list of its content was asked for");
    }

    fn told(lines: &[GrantUse]) -> Vec<(&str, Usage, usize)> {
        lines.iter().map(|line| (&*line.principal_id, line.usage, line.reads)).collect()
    }

    #[test]
    fn a_grant_that_was_used_is_told_with_its_reads_and_the_days_since() {
        let rows =
            [read_at("2026-07-02T00:30:00Z", READER, &json!({})), read_at("2026-09-20T12:00:00Z", READER, &json!({}))];
        let lines = lines(tenant(&vault_id("kv"), &rows), |_| {});
        assert_eq!(told(&lines), [(READER, Usage::Used, 2)]);
        assert_eq!((lines[0].secrets, lines[0].idle_days), (1, Some(10)), "from 20 to 30 September");
        assert_eq!(&*lines[0].principal, "app");
    }

    #[test]
    fn a_grant_without_a_read_is_unused_only_where_the_log_shows_the_period() {
        let unused = lines(tenant(&vault_id("kv"), &[]), |_| {});
        assert_eq!(told(&unused), [(READER, Usage::Unused, 0)]);
        assert_eq!(unused[0].idle_days, Some(92), "the quarter");
        let early = lines(tenant(&vault_id("kv"), &[]), |tenant| tenant.collected_at -= TimeDelta::days(30));
        assert_eq!(told(&early), [(READER, Usage::NotDetermined, 0)], "the period was not over");
        let unread = tenant(&vault_id("kv"), &[]);
        let scope = crate::check::logs::testing::WORKSPACE;
        let unread = lines(unread.gap(Kind::VaultLogDedicated, scope, Reason::Forbidden), |_| {});
        assert_eq!(told(&unread), [(READER, Usage::NotDetermined, 0)]);
        assert!(!unread[0].because.is_empty());
    }

    #[test]
    fn a_log_that_holds_nothing_or_begins_late_proves_nothing() {
        let silent = lines(counted(&vault_id("kv"), &[], &[]), |_| {});
        assert_eq!(told(&silent), [(READER, Usage::NotDetermined, 0)]);
        assert_eq!(&*silent[0].because, "the log holds no row of the period, which proves nothing");
        let late = counted(&vault_id("kv"), &[], &[count("2026-09-20", 20, 0)]);
        assert_eq!(told(&lines(late, |_| {})), [(READER, Usage::NotDetermined, 0)]);
    }

    #[test]
    fn a_denied_read_is_no_use() {
        let denied = [row("2026-07-02T00:30:00Z", "SecretGet", 403, Some(READER))];
        assert_eq!(told(&lines(tenant(&vault_id("kv"), &denied), |_| {})), [(READER, Usage::Unused, 0)]);
    }

    #[test]
    fn a_grant_on_one_secret_is_not_used_by_reading_another() {
        let rows = [read_at("2026-07-02T00:30:00Z", READER, &json!({}))];
        let on = |name: &str| lines(tenant(&format!("{}/secrets/{name}", vault_id("kv")), &rows), |_| {});
        assert_eq!(told(&on("DB")), [(READER, Usage::Used, 1)]);
        assert_eq!(told(&on("other"))[0].1, Usage::Unused);
    }

    #[test]
    fn a_reader_whom_no_grant_explains_is_told_apart() {
        let rows = [read_at("2026-07-02T00:30:00Z", OTHER, &json!({}))];
        let lines = lines(tenant(&vault_id("kv"), &rows), |_| {});
        assert_eq!(told(&lines), [(READER, Usage::Unused, 0), (OTHER, Usage::UsedWithoutGrant, 1)]);
        assert_eq!((lines[1].answer, lines[1].object.clone()), (None, None));
    }

    #[test]
    fn reads_under_a_removed_assignment_are_parted_by_the_time_of_its_removal() {
        let under = json!({"AppliedAssignmentId": REMOVED});
        let rows = [
            read_at("2026-08-01T00:00:00Z", OTHER, &under),
            read_at("2026-08-03T00:00:00Z", OTHER, &under),
            read_at("2026-08-04T00:00:00Z", OTHER, &under),
        ];
        let removal = ActivityEvent {
            id: "e1".to_owned(),
            at: "2026-08-02T00:00:00Z".parse().expect("a time"),
            submitted_at: None,
            kind: Kind::ActivityOfAuthorization,
            scope: Id::new(SUB),
            operation: "microsoft.authorization/ROLEASSIGNMENTS/delete".to_owned(),
            status: Some("Succeeded".to_owned()),
            sub_status: None,
            resource: Some(Id::new(format!("{SUB}/providers/Microsoft.Authorization/roleAssignments/{REMOVED}"))),
            authorized_scope: None,
            caller_id: None,
            caller_app_id: None,
            correlation_id: None,
            grant: None,
            from: Cite::of_record("ev-0001"),
        };
        let removed = lines(tenant(&vault_id("kv"), &rows), |tenant| tenant.logging.activity.push(removal.clone()));
        let expected = [(OTHER, Usage::UsedBeforeRemoval, 1), (OTHER, Usage::UsedAfterRemoval, 2)];
        assert_eq!(told(&removed)[1..], expected);
        assert!(removed[1].because.ends_with("was removed at 2026-08-02T00:00:00Z"), "{}", removed[1].because);
        let failed = lines(tenant(&vault_id("kv"), &rows), |tenant| {
            tenant.logging.activity.push(ActivityEvent { status: Some("Failed".to_owned()), ..removal.clone() });
        });
        assert_eq!(told(&failed)[1..], [(OTHER, Usage::UsedWithoutGrant, 3)]);
    }

    #[test]
    fn where_nobody_holds_and_nobody_reads_there_is_no_line() {
        assert_eq!(told(&lines(base(), |_| {})), []);
    }
}
