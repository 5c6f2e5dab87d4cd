//! The vault log of a workspace.

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;

use super::{IDENTITY, PERIOD, Size, guid};

/// The vault log of one workspace, in order of time and evenly spread over the period.
pub struct Log {
    rows: Bytes,
    /// Where each row begins, and the end.
    starts: Vec<u32>,
    counts: Bytes,
}

impl Log {
    /// Renders the log.
    pub fn of(size: Size, sub: usize, vault: &dyn Fn(usize) -> String) -> Log {
        let mut rows = String::with_capacity(size.log_rows * 620);
        let mut starts = Vec::with_capacity(size.log_rows + 1);
        let mut counts: BTreeMap<(i64, &str, usize), (u64, i64, i64)> = BTreeMap::new();
        let start: chrono::DateTime<chrono::Utc> = PERIOD.0.parse().unwrap_or_default();
        let at = |millis: i64| {
            (start + chrono::TimeDelta::milliseconds(millis)).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
        };
        let ids: Vec<String> = (0..size.vaults).map(|number| vault(number).to_lowercase()).collect();
        for number in 0..size.log_rows {
            let millis = Log::millis(number, size.log_rows);
            let of_vault = number / 2 % size.vaults;
            let is_handshake = number % 20 == 0;
            let caller = number / 7 % (size.vaults / 2);
            let (operation, status, signature, object, app) = match is_handshake {
                true => ("Authentication", 401, "Unauthorized", String::new(), String::new()),
                false => ("SecretGet", 200, "OK", guid(IDENTITY, sub, caller), guid(0xc1, sub, caller)),
            };
            starts.push(rows.len() as u32);
            let _ = write!(
                rows,
                r#",["{}","{operation}",{status},"{signature}","","10.0.4.{}","{object}","{app}","{}",{},null,true,"https://kv-{sub:03}-{of_vault:04}.vault.azure.net/secrets/db-password/?api-version=7.4","azsdk-net-Security.KeyVault.Secrets/4.6.0 (.NET 8.0.10; Linux)","{}","","{}"]"#,
                at(millis),
                number % 200,
                if is_handshake {
                    String::new()
                } else {
                    format!(
                        "/subscriptions/{}/resourcegroups/rg-app-000-prod/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{sub:03}-{caller:04}",
                        guid(0x5b, sub, 0)
                    )
                },
                !is_handshake,
                guid(0xee, sub, number),
                ids[of_vault]
            );
            let day = counts.entry((millis / 86_400_000, operation, of_vault)).or_insert((0, millis, millis));
            day.0 += 1;
            day.2 = millis;
        }
        starts.push(rows.len() as u32);
        let lines: Vec<String> = counts
            .into_iter()
            .map(|((day, operation, of_vault), (count, first, last))| {
                format!(
                    r#"["{}","{operation}","{}",{count},{count},"{}","{}"]"#,
                    at(day * 86_400_000),
                    ids[of_vault],
                    at(first),
                    at(last)
                )
            })
            .collect();
        let columns = columns(&[
            ("Day", "datetime"),
            ("OperationName", "string"),
            ("VaultId", "string"),
            ("Rows", "long"),
            ("Kept", "long"),
            ("First", "datetime"),
            ("Last", "datetime"),
        ]);
        let counts =
            format!(r#"{{"tables":[{{"name":"PrimaryResult","columns":[{columns}],"rows":[{}]}}]}}"#, lines.join(","));
        Log { rows: Bytes::from(rows), starts, counts: Bytes::from(counts) }
    }

    /// Milliseconds after the beginning of the period.
    fn millis(number: usize, rows: usize) -> i64 {
        (number as i64) * PERIOD.1 * 86_400_000 / rows as i64
    }

    /// The answer to a query, in parts: rows of the window that its text names, or the counts.
    pub fn answer(&self, query: &str) -> Option<Vec<Bytes>> {
        if query.contains("question=vault_log_dedicated_count;") {
            return Some(vec![self.counts.clone()]);
        }
        if !query.contains("question=vault_log_dedicated;") {
            return None;
        }
        let rows = self.starts.len() - 1;
        let instant = |name: &str| -> Option<i64> {
            let (_, rest) = query.split_once(&format!("let {name} = datetime("))?;
            let at: chrono::DateTime<chrono::Utc> = rest.split(')').next()?.parse().ok()?;
            let start: chrono::DateTime<chrono::Utc> = PERIOD.0.parse().ok()?;
            Some((at - start).num_milliseconds())
        };
        let numbers: Vec<usize> = (0..rows).collect();
        let first = |at: Option<i64>| numbers.partition_point(|number| Log::millis(*number, rows) < at.unwrap_or(0));
        let (from, to) = (first(instant("StartTime")), first(instant("EndTime")));
        let columns = columns(&[
            ("TimeGenerated", "datetime"),
            ("OperationName", "string"),
            ("HttpStatusCode", "int"),
            ("ResultSignature", "string"),
            ("ResultDescription", "string"),
            ("CallerIpAddress", "string"),
            ("CallerObjectId", "string"),
            ("CallerAppId", "string"),
            ("ManagedIdentityId", "string"),
            ("IsRbacAuthorized", "bool"),
            ("IsAccessPolicyMatch", "bool"),
            ("IsAddressAuthorized", "bool"),
            ("RequestUri", "string"),
            ("ClientInfo", "string"),
            ("CorrelationId", "string"),
            ("AppliedAssignmentId", "string"),
            ("_ResourceId", "string"),
        ]);
        let head = format!(r#"{{"tables":[{{"name":"PrimaryResult","columns":[{columns}],"rows":["#);
        let (start, end) = (self.starts[from] as usize, self.starts[to] as usize);
        let rows = if start < end { self.rows.slice(start + 1..end) } else { Bytes::new() }; // each row begins with a comma
        Some(vec![Bytes::from(head), rows, Bytes::from_static(b"]}]}")])
    }
}

fn columns(named: &[(&str, &str)]) -> String {
    let each: Vec<String> =
        named.iter().map(|(name, kind)| format!(r#"{{"name":"{name}","type":"{kind}"}}"#)).collect();
    each.join(",")
}
