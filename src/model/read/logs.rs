//! The logs beyond the reads of vaults: continuity of tables, the activity log, the directory's audit log, sign-ins.

use super::json::Json;
use super::rows::{Row, each_row};
use super::vault_logs;
use super::{Item, ModelError, Pages};
use crate::evidence::{Kind, Reason, Record};
use crate::model::{
    Activity, ChangeTarget, DirectoryChange, Id, LogDay, LogState, LogTable, Logs, OperationDay, SignInDay, SignInKind,
    SignIns, SubscriptionDay,
};

/// What was read of the logs.
pub(super) fn read(pages: &mut Pages<'_>) -> Result<Logs, ModelError> {
    let tables = tables(pages)?;
    let sign_in_days = sign_in_days(pages)?;
    let sign_ins = sign_ins(pages, &tables, &sign_in_days)?;
    Ok(Logs {
        tables,
        vault_changes: vault_logs::changes(pages)?,
        vault_change_days: vault_logs::change_days(pages)?,
        activity: rows(pages, Kind::Activity, activity, |one| one.at)?,
        activity_days: rows(pages, Kind::ActivityCount, operation_day, |one| (one.day, one.operation.clone()))?,
        subscription_days: rows(pages, Kind::ActivityContinuity, subscription_day, |one| {
            (one.day, one.subscription.clone())
        })?,
        directory_changes: rows(pages, Kind::DirectoryChanges, directory_change, |one| one.at)?,
        directory_change_days: rows(pages, Kind::DirectoryChangesCount, operation_day, |one| {
            (one.day, one.operation.clone())
        })?,
        sign_ins,
        sign_in_days,
    })
}

/// What `each` makes of every row of a kind, in order of `key`; rows of the same key stay in the order of the answer.
fn rows<T, K: Ord>(
    pages: &mut Pages<'_>,
    kind: Kind,
    each: impl Fn(&Row<'_>) -> Option<T>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>, ModelError> {
    let mut found = Vec::new();
    pages.bodies(kind, |body| each_row(body, |row| found.extend(each(row))))?;
    found.sort_by_key(key);
    Ok(found)
}

/// Every table that was asked about. One that does not exist is told from one without rows, and from one that could
/// not be read.
fn tables(pages: &mut Pages<'_>) -> Result<Vec<LogTable>, ModelError> {
    let mut days: Vec<(String, LogDay)> = Vec::new();
    pages.bodies(Kind::LogContinuity, |body: &Item<'_>| {
        each_row(body, |row| days.extend(log_day(row).map(|day| (body.scope().to_owned(), day))));
    })?;
    days.sort_by_key(|(_, day)| day.day);
    let table = |asked: &crate::model::Asked| {
        let log = asked.scope.strip_prefix("workspace:").unwrap_or(&asked.scope);
        let (workspace, table) = log.split_once('/')?;
        let own = days.iter().filter(|(scope, _)| *scope == asked.scope).map(|(_, day)| day.clone());
        let days: Vec<LogDay> = own.collect();
        let state = match &asked.gap {
            Some((Reason::TableMissing, _)) => LogState::Missing,
            Some((reason, _)) => LogState::Unread(*reason),
            None if days.is_empty() => LogState::Empty,
            None => LogState::Rows,
        };
        let (workspace, table) = (workspace.to_lowercase(), table.to_owned());
        Some(LogTable { workspace, table, state, days, from: asked.from.clone() })
    };
    let mut tables: Vec<LogTable> = pages.coverage.questions(Kind::LogContinuity).filter_map(table).collect();
    tables.sort_by(|a, b| (&a.workspace, &a.table).cmp(&(&b.workspace, &b.table)));
    Ok(tables)
}

fn log_day(row: &Row<'_>) -> Option<LogDay> {
    Some(LogDay {
        day: row.needed("Day", row.time("Day"))?,
        rows: row.needed("Rows", row.count("Rows"))?,
        first: row.time("First"),
        last: row.time("Last"),
        delay_max: row.number("DelayMax"),
        delay_p95: row.number("DelayP95"),
        from: row.from(),
    })
}

fn activity(row: &Row<'_>) -> Option<Activity> {
    let id = |name: &str| row.text(name).map(Id::new);
    Some(Activity {
        at: row.needed("TimeGenerated", row.time("TimeGenerated"))?,
        operation: row.key("OperationName")?,
        status: row.text("Status"),
        substatus: row.text("Substatus"),
        category: row.text("Category"),
        caller_object_id: row.lower("CallerObjectId"),
        caller_app_id: row.lower("CallerAppId"),
        caller_ip: row.address("CallerIpAddress"),
        correlation_id: row.text("CorrelationId"),
        resource: id("_ResourceId"),
        entity: id("Entity"),
        principal_id: row.lower("PrincipalId"),
        principal_type: row.text("PrincipalType"),
        role: row.lower("RoleDefinitionId").map(|id| id.rsplit('/').next().unwrap_or_default().to_owned()),
        role_scope: id("RoleScope"),
        rbac: row.flag("EnableRbacAuthorization"),
        public_network_access: row.text("PublicNetworkAccess"),
        retention_days: row.number("RetentionInDays"),
        total_retention_days: row.number("TotalRetentionInDays"),
        issuer: row.text("Issuer"),
        subject: row.text("Subject"),
        workspace: row.workspace(),
        from: row.from(),
    })
}

fn operation_day(row: &Row<'_>) -> Option<OperationDay> {
    Some(OperationDay {
        day: row.needed("Day", row.time("Day"))?,
        operation: row.key("OperationName")?,
        rows: row.needed("Rows", row.count("Rows"))?,
        workspace: row.workspace(),
        from: row.from(),
    })
}

/// A row that names no subscription is of none: of the tenant, or of a management group.
fn subscription_day(row: &Row<'_>) -> Option<SubscriptionDay> {
    let (day, rows) = (row.needed("Day", row.time("Day"))?, row.needed("Rows", row.count("Rows"))?);
    let subscription = Id::new(format!("/subscriptions/{}", row.lower("SubscriptionId")?));
    Some(SubscriptionDay { day, subscription, rows, workspace: row.workspace(), from: row.from() })
}

fn directory_change(row: &Row<'_>) -> Option<DirectoryChange> {
    let published = row.needed("TimeGenerated", row.time("TimeGenerated"))?;
    let targets = row.json("TargetResources", |list| targets(row, list)).unwrap_or_default();
    Some(DirectoryChange {
        at: row.time("ActivityDateTime").unwrap_or(published),
        operation: row.key("OperationName")?,
        category: row.text("Category"),
        result: row.text("Result"),
        service: row.text("LoggedByService"),
        initiator_id: row.lower("InitiatorId"),
        initiator_app_id: row.lower("InitiatorAppId"),
        initiator_ip: row.address("InitiatorIpAddress"),
        targets,
        correlation_id: row.text("CorrelationId"),
        workspace: row.workspace(),
        from: row.from(),
    })
}

/// The things that a change was made to.
fn targets(row: &Row<'_>, list: &Json<'_>) -> Vec<ChangeTarget> {
    let Some(items) = list.as_list() else {
        row.fault("`TargetResources` is no list");
        return Vec::new();
    };
    let text = |item: &Json<'_>, name: &str| {
        item.get(name).and_then(Json::as_text).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let target = |item: &Json<'_>| {
        let properties = item.get("modifiedProperties").and_then(Json::as_list).into_iter().flatten();
        ChangeTarget {
            id: text(item, "id").map(|id| id.to_lowercase()),
            kind: text(item, "type"),
            changed: properties.filter_map(|property| text(property, "displayName")).collect(),
        }
    };
    items.iter().map(target).collect()
}

/// Counts of sign-ins of every sort.
fn sign_in_days(pages: &mut Pages<'_>) -> Result<Vec<SignInDay>, ModelError> {
    let mut found: Vec<SignInDay> = Vec::new();
    for (kind, sort) in [
        (Kind::ServicePrincipalSignInsCount, SignInKind::ServicePrincipal),
        (Kind::ManagedIdentitySignInsCount, SignInKind::ManagedIdentity),
        (Kind::UserSignInsCount, SignInKind::User),
        (Kind::UserTokenSignInsCount, SignInKind::UserToken),
    ] {
        let day = |row: &Row<'_>| {
            Some(SignInDay {
                kind: sort,
                day: row.needed("Day", row.time("Day"))?,
                rows: row.needed("Rows", row.count("Rows"))?,
                sums: row.needed("Kept", row.count("Kept"))?,
                workspace: row.workspace(),
                from: row.from(),
            })
        };
        found.extend(rows(pages, kind, day, |one| one.day)?);
    }
    found.sort_by_key(|one| (one.day, one.kind));
    Ok(found)
}

/// Sign-ins of every sort, held against the counts of a query of its own. Those that are asked for whole are held
/// against the rows of their table too.
fn sign_ins(pages: &mut Pages<'_>, tables: &[LogTable], days: &[SignInDay]) -> Result<Vec<SignIns>, ModelError> {
    let mut found: Vec<SignIns> = Vec::new();
    for (kind, sort, whole_table) in [
        (Kind::ServicePrincipalSignIns, SignInKind::ServicePrincipal, Some("AADServicePrincipalSignInLogs")),
        (Kind::ManagedIdentitySignIns, SignInKind::ManagedIdentity, Some("AADManagedIdentitySignInLogs")),
        (Kind::UserSignIns, SignInKind::User, None),
        (Kind::UserTokenSignIns, SignInKind::UserToken, None),
    ] {
        let own = rows(pages, kind, |row| sign_in(row, sort), |one| one.day)?;
        let off: Vec<(&Record, String)> = pages
            .whole(kind)
            .filter_map(|record| {
                let difference =
                    off_counts(record, &own, days).or_else(|| off_table(record, &own, tables, whole_table?));
                Some((record, difference?))
            })
            .collect();
        for (record, detail) in off {
            pages.coverage.mark(record, Reason::TotalsDiffer, &detail);
        }
        found.extend(own);
    }
    found.sort_by_key(|one| (one.day, one.kind));
    Ok(found)
}

/// Where the sums of a workspace are of more or fewer rows than its counts, in words. Without counts, nothing is told.
fn off_counts(record: &Record, sign_ins: &[SignIns], days: &[SignInDay]) -> Option<String> {
    let workspace = workspace_of(record);
    let kind = sign_ins.first()?.kind;
    let own = || days.iter().filter(|day| day.kind == kind && day.workspace == workspace);
    let counted: u64 = own().map(|day| day.rows).sum();
    let summed: u64 = sign_ins.iter().filter(|one| one.workspace == workspace).map(|one| one.rows).sum();
    let is_off = own().next().is_some() && summed != counted;
    is_off.then(|| format!("{summed} rows were summed where the service counted {counted}"))
}

fn workspace_of(record: &Record) -> String {
    record.scope.strip_prefix("workspace:").unwrap_or(&record.scope).to_lowercase()
}

/// Where the sums of a workspace are not the rows of its table, in words.
fn off_table(record: &Record, sign_ins: &[SignIns], tables: &[LogTable], table: &str) -> Option<String> {
    let workspace = workspace_of(record);
    let counted = tables.iter().find(|one| one.workspace == workspace && one.table == table)?;
    if !matches!(counted.state, LogState::Rows | LogState::Empty) {
        return None;
    }
    let summed: u64 = sign_ins.iter().filter(|one| one.workspace == workspace).map(|one| one.rows).sum();
    let rows = counted.rows();
    (summed != rows).then(|| format!("{summed} rows of `{table}` were summed where its rows per day come to {rows}"))
}

fn sign_in(row: &Row<'_>, kind: SignInKind) -> Option<SignIns> {
    let result = row.text("ResultType");
    let succeeded = result.as_deref().map(|result| result == "0" || result.eq_ignore_ascii_case("success"));
    Some(SignIns {
        kind,
        day: row.needed("Day", row.time("Day"))?,
        principal_id: row.lower("ServicePrincipalId").or_else(|| row.lower("UserId")),
        app_id: row.lower("AppId"),
        resource_id: row.lower("ResourceId"),
        succeeded,
        result,
        address: row.address("IPAddress"),
        credential_type: row.text("CredentialType"),
        credential_key_id: row.lower("CredentialKeyId"),
        federated_credential_id: row.lower("FederatedCredentialId"),
        user_type: row.text("UserType"),
        authentication: row.text("AuthenticationRequirement"),
        conditional_access: row.text("ConditionalAccessStatus"),
        rows: row.needed("Rows", row.count("Rows"))?,
        count: row.needed("SignIns", row.count("SignIns"))?,
        first: row.time("First"),
        last: row.time("Last"),
        workspace: row.workspace(),
        from: row.from(),
    })
}

#[cfg(test)]
mod tests;
