//! Rows and counts of the vaults' audit log, in both tables that they may lie in.

use std::collections::HashSet;
use std::sync::Arc;

use super::item::as_number;
use super::rows::{Row, each_row};
use super::{ModelError, Pages};
use crate::evidence::{Kind, Reason};
use crate::model::{Correlation, Denial, Id, VaultCall, VaultChange, VaultDay, VaultEvent};

const OBJECT_ID_CLAIM: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";

/// Rows in order of time; rows of the same instant stay in the order of the answer.
pub(super) fn events(pages: &mut Pages<'_>) -> Result<Vec<VaultEvent>, ModelError> {
    let (mut found, mut calls) = (Vec::new(), Calls::default());
    for (kind, table) in [(Kind::VaultLogDedicated, "AZKVAuditLogs"), (Kind::VaultLogLegacy, "AzureDiagnostics")] {
        let keeps = pages.keeps_reads;
        pages.bodies(kind, |body| {
            each_row(body, |row| found.extend(event(row, table, &mut calls).filter(|_| keeps)));
        })?;
    }
    found.sort_by_key(|event: &VaultEvent| event.at);
    found.shrink_to_fit();
    Ok(found)
}

/// Changes, deletions, recoveries, backups and lists, in order of time.
pub(super) fn changes(pages: &mut Pages<'_>) -> Result<Vec<VaultChange>, ModelError> {
    let (mut found, mut calls) = (Vec::new(), Calls::default());
    for (kind, table) in
        [(Kind::VaultChangesDedicated, "AZKVAuditLogs"), (Kind::VaultChangesLegacy, "AzureDiagnostics")]
    {
        pages.bodies(kind, |body| each_row(body, |row| found.extend(change(row, table, &mut calls))))?;
    }
    found.sort_by_key(|change: &VaultChange| change.event.at);
    Ok(found)
}

fn change(row: &Row<'_>, table: &'static str, calls: &mut Calls) -> Option<VaultChange> {
    Some(VaultChange {
        event: event(row, table, calls)?,
        rbac: row.flag("EnableRbacAuthorization"),
        purge_protection: row.flag("EnablePurgeProtection"),
        soft_delete: row.flag("EnableSoftDelete"),
    })
}

/// Calls that were read, each once, however many rows are about it.
#[derive(Default)]
struct Calls(HashSet<Arc<VaultCall>>);

impl Calls {
    fn of(&mut self, call: VaultCall) -> Arc<VaultCall> {
        if let Some(known) = self.0.get(&call) {
            return known.clone();
        }
        let new = Arc::new(call);
        self.0.insert(new.clone());
        new
    }
}

/// Counts of reads by day, vault, operation, table and workspace.
pub(super) fn days(pages: &mut Pages<'_>) -> Result<Vec<VaultDay>, ModelError> {
    days_of(pages, [Kind::VaultLogDedicatedCount, Kind::VaultLogLegacyCount])
}

/// Counts of changes, in the same way.
pub(super) fn change_days(pages: &mut Pages<'_>) -> Result<Vec<VaultDay>, ModelError> {
    days_of(pages, [Kind::VaultChangesDedicatedCount, Kind::VaultChangesLegacyCount])
}

fn days_of(pages: &mut Pages<'_>, [dedicated, legacy]: [Kind; 2]) -> Result<Vec<VaultDay>, ModelError> {
    let mut found = Vec::new();
    for (kind, table) in [(dedicated, "AZKVAuditLogs"), (legacy, "AzureDiagnostics")] {
        pages.bodies(kind, |body| each_row(body, |row| found.extend(day(row, table))))?;
    }
    found.sort_by(|a: &VaultDay, b| {
        let key =
            |day: &VaultDay| (day.day, day.vault.clone(), day.operation.clone(), day.table, day.workspace.clone());
        key(a).cmp(&key(b))
    });
    Ok(found)
}

/// What the caller's token says of him, where the row has its claims in the service's own form.
#[derive(Default)]
struct Claims {
    object_id: Option<String>,
    app_id: Option<String>,
    managed_identity: Option<String>,
}

fn claims_of(row: &Row<'_>) -> Claims {
    let claims = row.json("Identity", |identity| {
        let claims = identity.get("claim")?;
        let claim = |name: &str| claims.get(name)?.as_text().filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Claims {
            object_id: claim("oid").or_else(|| claim(OBJECT_ID_CLAIM)),
            app_id: claim("appid").or_else(|| claim("azp")),
            managed_identity: claim("xms_mirid"),
        })
    });
    claims.flatten().unwrap_or_default()
}

fn event(row: &Row<'_>, table: &'static str, calls: &mut Calls) -> Option<VaultEvent> {
    let at = row.needed("TimeGenerated", row.time("TimeGenerated"))?;
    let operation = row.key("OperationName")?;
    let vault = row.id("_ResourceId")?;
    let status = status(row);
    let claims = claims_of(row);
    let shared = |text: Option<String>| text.map(|text| row.shared(&text));
    let lower = |text: Option<String>| text.map(|text| row.shared(&text.to_lowercase()));
    let object = row.text("RequestUri").or_else(|| row.text("Id"));
    let assignment = row.text("AppliedAssignmentId");
    let call = VaultCall {
        vault,
        operation: row.shared(&operation),
        status,
        denial: (status == Some(403)).then(|| denial(row)),
        caller_object_id: lower(row.text("CallerObjectId").or(claims.object_id)),
        caller_app_id: lower(row.text("CallerAppId").or(claims.app_id)),
        managed_identity: shared(row.text("ManagedIdentityId").or(claims.managed_identity)),
        caller_ip: shared(row.address("CallerIpAddress")),
        client: shared(row.text("ClientInfo")),
        object: object.map(|uri| row.shared(uri.split(['?', '#']).next().unwrap_or_default())),
        assignment_id: lower(assignment.map(|id| id.rsplit('/').next().unwrap_or_default().to_owned())),
        table,
        workspace: row.shared(&row.workspace()),
    };
    let correlation = Correlation::of(row.text("CorrelationId").as_deref());
    Some(VaultEvent::new(at, correlation, row.place(), calls.of(call)))
}

/// The HTTP status; where only the status text is told, the status that it stands for.
fn status(row: &Row<'_>) -> Option<u16> {
    let number =
        row.read("HttpStatusCode", "a status", |cell| as_number(cell).and_then(|code| u16::try_from(code).ok()));
    let told = number.or_else(|| {
        let words = row.text("ResultSignature")?;
        match words.to_lowercase().replace(' ', "").as_str() {
            "ok" => Some(200),
            "accepted" => Some(202),
            "unauthorized" => Some(401),
            "forbidden" => Some(403),
            "notfound" => Some(404),
            _ => None,
        }
    });
    // a notification answers no call
    let is_call = !row.text("OperationName").is_some_and(|name| name.ends_with("EventGridNotification"));
    if told.is_none() && is_call && row.cell("HttpStatusCode").is_none() {
        row.note(Reason::Malformed, "the row tells no status");
    }
    told
}

/// The cause of a 403. The service's inner codes say it outright; else the outcome that is told to be false.
/// The network is judged before the permission, so a refused address comes first.
fn denial(row: &Row<'_>) -> Denial {
    let told = format!(
        "{} {}",
        row.text("ResultSignature").unwrap_or_default(),
        row.text("ResultDescription").unwrap_or_default()
    );
    let told = told.to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| told.contains(part));
    if says(&["forbiddenbyfirewall", "forbiddenbyconnection"]) {
        return Denial::Network;
    }
    if says(&["forbiddenbyrbac"]) {
        return Denial::Rbac;
    }
    if says(&["forbiddenbypolicy"]) {
        return Denial::AccessPolicy;
    }
    if row.flag("IsAddressAuthorized") == Some(false) {
        return Denial::Network;
    }
    let rbac = row.flag("IsRbacAuthorized");
    if rbac == Some(false) {
        return Denial::Rbac;
    }
    if rbac.is_none() && row.flag("IsAccessPolicyMatch") == Some(false) {
        return Denial::AccessPolicy;
    }
    if says(&["client address", "firewall", "public network access", "private link", "trusted service"]) {
        return Denial::Network;
    }
    if says(&["not authorized to perform action"]) {
        return Denial::Rbac;
    }
    if says(&["permission on key vault", "does not have secrets", "does not have keys", "does not have certificates"]) {
        return Denial::AccessPolicy;
    }
    Denial::Unknown
}

fn day(row: &Row<'_>, table: &'static str) -> Option<VaultDay> {
    let day = row.needed("Day", row.time("Day"))?;
    let operation = row.key("OperationName")?;
    let vault = row.key("VaultId")?;
    let rows = row.needed("Rows", row.count("Rows"))?;
    let kept = row.needed("Kept", row.count("Kept"))?;
    Some(VaultDay {
        day,
        vault: Id::new(vault),
        operation,
        rows,
        kept,
        first: row.time("First"),
        last: row.time("Last"),
        table,
        workspace: row.workspace(),
        from: row.from(),
    })
}
