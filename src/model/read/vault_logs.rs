//! Rows and counts of the vaults' audit log, in both tables that they may lie in.
//!
//! Columns are addressed by name. Cells come as JSON values or as text; a dynamic cell is JSON inside text.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::item::{CUT, as_flag, as_number, as_time};
use super::{Item, ModelError, Pages};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{Denial, Id, VaultDay, VaultEvent};

const OBJECT_ID_CLAIM: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";

/// Rows in order of time; rows of the same instant stay in the order of the answer.
pub(super) fn events(pages: &mut Pages<'_>) -> Result<Vec<VaultEvent>, ModelError> {
    let mut found = Vec::new();
    for (kind, table) in [(Kind::VaultLogDedicated, "AZKVAuditLogs"), (Kind::VaultLogLegacy, "AzureDiagnostics")] {
        pages.bodies(kind, |body| each_row(body, |row| found.extend(event(row, table))))?;
    }
    found.sort_by_key(|event: &VaultEvent| event.at);
    Ok(found)
}

/// Counts by day, vault, operation, table and workspace.
pub(super) fn days(pages: &mut Pages<'_>) -> Result<Vec<VaultDay>, ModelError> {
    let mut found = Vec::new();
    for (kind, table) in
        [(Kind::VaultLogDedicatedCount, "AZKVAuditLogs"), (Kind::VaultLogLegacyCount, "AzureDiagnostics")]
    {
        pages.bodies(kind, |body| each_row(body, |row| found.extend(day(row, table))))?;
    }
    found.sort_by(|a: &VaultDay, b| {
        let key =
            |day: &VaultDay| (day.day, day.vault.clone(), day.operation.clone(), day.table, day.workspace.clone());
        key(a).cmp(&key(b))
    });
    Ok(found)
}

/// One row, with the names of its columns in lower case.
struct Row<'a> {
    body: &'a Item<'a>,
    columns: &'a BTreeMap<String, usize>,
    cells: &'a [Value],
    pointer: String,
}

/// Hands the rows of the primary table to `each`. A workspace that stored nothing may answer without tables.
fn each_row(body: &Item<'_>, mut each: impl FnMut(&Row<'_>)) {
    let Some(tables) = body.value().get("tables").and_then(Value::as_array) else {
        body.fault("there are no tables in the answer");
        return;
    };
    let is_primary = |table: &&Value| table.get("name").and_then(Value::as_str) == Some("PrimaryResult");
    let index = tables.iter().position(|table| is_primary(&table)).unwrap_or(0);
    let Some(table) = tables.get(index) else {
        body.fault("there are no tables in the answer");
        return;
    };
    let list = |name: &str| table.get(name).and_then(Value::as_array);
    let (Some(columns), Some(rows)) = (list("columns"), list("rows")) else {
        body.fault("the table has no columns or no rows");
        return;
    };
    let mut names = BTreeMap::new();
    for (position, column) in columns.iter().enumerate() {
        let name = column.get("name").or_else(|| column.get("ColumnName")).and_then(Value::as_str).unwrap_or_default();
        names.entry(name.to_lowercase()).or_insert(position);
    }
    body.place().counted(&format!("/tables/{index}/rows"), rows.len());
    for (number, row) in rows.iter().enumerate() {
        let pointer = format!("/tables/{index}/rows/{number}");
        match row.as_array() {
            Some(cells) if cells.len() == columns.len() => each(&Row { body, columns: &names, cells, pointer }),
            Some(_) => body.place().fault(&pointer, "a row has more or fewer cells than there are columns"),
            None => body.place().fault(&pointer, "a row is not a list"),
        }
    }
}

impl Row<'_> {
    fn cell(&self, name: &str) -> Option<&Value> {
        let cell = self.cells.get(*self.columns.get(&name.to_lowercase())?)?;
        let is_blank = cell.is_null() || cell.as_str().is_some_and(str::is_empty);
        (!is_blank).then_some(cell)
    }

    fn read<T>(&self, name: &str, what: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let found = read(self.cell(name)?);
        if found.is_none() {
            self.body.place().fault(&self.pointer, &format!("`{name}` is not {what}"));
        }
        found
    }

    fn needed<T>(&self, name: &str, found: Option<T>) -> Option<T> {
        if found.is_none() && self.cell(name).is_none() {
            self.body.place().fault(&self.pointer, &format!("`{name}` is missing"));
        }
        found
    }

    fn text(&self, name: &str) -> Option<String> {
        self.read(name, "text", |cell| match cell {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// A text that tells one thing from another, so that a cut one is not told.
    fn key(&self, name: &str) -> Option<String> {
        let text = self.read(name, "text", |cell| cell.as_str().filter(|text| *text != CUT).map(str::to_owned));
        self.needed(name, text)
    }

    fn flag(&self, name: &str) -> Option<bool> {
        // Booleans of the legacy table may come as 0 and 1.
        self.read(name, "true or false", |cell| {
            as_flag(cell).or_else(|| match as_number(cell)? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            })
        })
    }

    fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        self.read(name, "a time", as_time)
    }

    fn count(&self, name: &str) -> Option<u64> {
        self.read(name, "a count", |cell| as_number(cell).and_then(|number| u64::try_from(number).ok()))
    }

    fn from(&self) -> Cite {
        self.body.cite_at(&self.pointer)
    }

    fn workspace(&self) -> String {
        let scope = self.body.scope();
        scope.strip_prefix("workspace:").unwrap_or(scope).to_lowercase()
    }

    /// The claims of the caller's token, where the row has them in the service's own form.
    fn claims(&self) -> Option<Value> {
        let identity = self.read("Identity", "an object", |cell| match cell {
            Value::String(text) => serde_json::from_str(text).ok(),
            other => Some(other.clone()),
        })?;
        identity.get("claim").cloned()
    }
}

fn event(row: &Row<'_>, table: &'static str) -> Option<VaultEvent> {
    let at = row.needed("TimeGenerated", row.time("TimeGenerated"))?;
    let operation = row.key("OperationName")?;
    let vault = row.body.place().id(&row.key("_ResourceId")?);
    let status = status(row);
    let claims = row.claims();
    let claim = |name: &str| {
        let text = claims.as_ref()?.get(name)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let caller = row.text("CallerObjectId").or_else(|| claim("oid")).or_else(|| claim(OBJECT_ID_CLAIM));
    let app = row.text("CallerAppId").or_else(|| claim("appid")).or_else(|| claim("azp"));
    let object = row.text("RequestUri").or_else(|| row.text("Id"));
    let assignment = row.text("AppliedAssignmentId");
    Some(VaultEvent {
        at,
        vault,
        operation,
        status,
        denial: (status == Some(403)).then(|| denial(row)),
        caller_object_id: caller.map(|id| id.to_lowercase()),
        caller_app_id: app.map(|id| id.to_lowercase()),
        managed_identity: row.text("ManagedIdentityId").or_else(|| claim("xms_mirid")),
        caller_ip: row.text("CallerIpAddress").filter(|address| address != CUT),
        client: row.text("ClientInfo"),
        object: object.map(|uri| uri.split(['?', '#']).next().unwrap_or_default().to_owned()),
        correlation_id: row.text("CorrelationId"),
        assignment_id: assignment.map(|id| id.rsplit('/').next().unwrap_or_default().to_lowercase()),
        table,
        workspace: row.workspace(),
        from: row.from(),
    })
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
    if told.is_none() && row.cell("HttpStatusCode").is_none() {
        row.body.place().note(Reason::Malformed, &row.pointer, "the row tells no status");
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
