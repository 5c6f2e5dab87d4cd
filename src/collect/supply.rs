//! What would supply an answer that was not had: the permission, the setting, the licence, or another run.

use super::permission::Permission;
use super::table::{Collector, collector};
use crate::azure::Api;
use crate::evidence::{Kind, Over, Reason};

/// What would supply it, by where the question was put. The permissions are those without which it is refused, in
/// the order in which they matter.
pub fn supplies(kind: Kind, reason: Reason, scope: &str) -> (Vec<Permission>, String) {
    let Some(row) = collector(kind) else { return (Vec::new(), of_reason(reason).to_owned()) };
    let permissions = match reason {
        Reason::Forbidden | Reason::NotFound => needed(row, scope),
        Reason::HierarchyUnknown => vec![Permission::Action("Microsoft.Management/managementGroups/read")],
        _ => Vec::new(),
    };
    (permissions, what(row, reason, scope))
}

/// The log table that a question of this kind reads at this scope.
pub fn table_of(kind: Kind, scope: &str) -> Option<String> {
    collector(kind)?.table(scope).map(str::to_owned)
}

/// The one that lets the question be asked, and for rows of a log the table's.
fn needed(row: &Collector, scope: &str) -> Vec<Permission> {
    let table = row.table(scope);
    let is_needed = |(place, permission): &(usize, &Permission)| match permission {
        Permission::LogTable(name) => table.is_none_or(|table| table.eq_ignore_ascii_case(name)),
        _ => *place == 0,
    };
    row.permissions.iter().enumerate().filter(is_needed).map(|(_, permission)| *permission).collect()
}

fn what(row: &Collector, reason: Reason, scope: &str) -> String {
    match reason {
        Reason::Forbidden => forbidden(row),
        Reason::TableMissing => export(row.table(scope).unwrap_or_default()),
        Reason::NotAsked if row.kind.over() == [Over::VaultDataPlane] => {
            "set `vault_objects = \"data_plane\"`, so that the vaults are asked themselves".to_owned()
        }
        Reason::NotLicensed if row.kind.is_privileged_management() => {
            "Microsoft Entra ID P2 or Entra ID Governance; without it nothing can be activated".to_owned()
        }
        Reason::NotLicensed => "Microsoft Entra ID P1 or P2".to_owned(),
        Reason::RetentionTooShort => retention(row, scope),
        Reason::NotInCloud => format!(
            "a version that this cloud knows, as `{}` under `[api_versions]`; none may exist there",
            row.kind.name()
        ),
        Reason::Refused => format!(
            "the record has the error code; where the provider is not registered: `az provider register --namespace {}`",
            row.permission().split('/').next().unwrap_or_default()
        ),
        _ => of_reason(reason).to_owned(),
    }
}

fn forbidden(row: &Collector) -> String {
    match row.api {
        Api::KeyVault => "grant it to the collecting identity (in a vault with access policies: `list`), and collect \
                          from where the vault's network rules let it in"
            .to_owned(),
        Api::Graph => "consent to it for the collecting identity, as an application permission".to_owned(),
        Api::ResourceManager | Api::LogAnalytics => {
            "grant it to the collecting identity there or above; a fresh grant can take an hour".to_owned()
        }
    }
}

/// The setting that fills a table (learn:azure/azure-monitor/reference/tables-index).
fn export(table: &str) -> String {
    let directory =
        |category: &str| format!("a diagnostic setting of Microsoft Entra ID that sends `{category}` to the workspace");
    match table {
        "AZKVAuditLogs" | "AzureDiagnostics" => {
            "a diagnostic setting of the vault that sends category group `audit` to the workspace".to_owned()
        }
        "AzureActivity" => {
            "a diagnostic setting of the subscription that sends `Administrative` to the workspace".to_owned()
        }
        "SigninLogs" => directory("SignInLogs"),
        "AADNonInteractiveUserSignInLogs" => directory("NonInteractiveUserSignInLogs"),
        "AADServicePrincipalSignInLogs" => directory("ServicePrincipalSignInLogs"),
        "AADManagedIdentitySignInLogs" => directory("ManagedIdentitySignInLogs"),
        other => directory(other),
    }
}

fn retention(row: &Collector, scope: &str) -> String {
    match (row.kept_days, row.table(scope)) {
        (Some(days), _) => format!(
            "the source keeps {days} days: collect at least as often, or send the log to a workspace that keeps it longer"
        ),
        (None, Some(table)) => format!(
            "a longer retention of `{table}` (az monitor log-analytics workspace table update --retention-time DAYS); \
             rows that are gone stay gone"
        ),
        (None, None) => of_reason(Reason::RetentionTooShort).to_owned(),
    }
}

/// What would settle a reason, whatever was asked.
pub fn of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Forbidden => "the permission that the question needs; `tickmark doctor` names it",
        Reason::Unauthenticated => "a valid credential of this tenant; then `tickmark collect --resume`",
        Reason::Throttled | Reason::Unavailable | Reason::CutShort | Reason::Interrupted => {
            "another try: `tickmark collect --resume`; nothing is to be granted"
        }
        Reason::NotFound => {
            "it is not there, or the collecting identity may not see it: set it up, or check the scope and what is granted"
        }
        Reason::Malformed | Reason::Partial | Reason::TotalsDiffer => {
            "another collection; where it stays so, the record shows what the service sent"
        }
        Reason::TableMissing => "a diagnostic setting that sends the log to the workspace",
        Reason::NotInCloud => "nothing, where this cloud does not offer it",
        Reason::NotLicensed => "the licence of the source",
        Reason::Retired => "nothing: the service has retired it",
        Reason::Refused => "what the error code in the record asks for",
        Reason::NotRecorded => "a recording that holds the answer, or Azure itself",
        Reason::NotAsked => {
            "the list that the question follows from, read whole; or another collection by this version"
        }
        Reason::RetentionTooShort => {
            "a longer retention of the log's table (az monitor log-analytics workspace table update --retention-time \
             DAYS); rows that are gone stay gone"
        }
        Reason::PeriodNotOver => "a collection after the end of the period",
        Reason::RoleDefinitionUnknown => {
            "the role definition: where it is made in a scope that was not read, that scope"
        }
        Reason::PrincipalUnresolved => "the directory's answer about the principal (`Directory.Read.All`)",
        Reason::ConditionNotEvaluated => "a person who reads the condition; its text is in the evidence",
        Reason::DenyNotEvaluated => "a person who reads the deny assignment; it is in the evidence",
        Reason::HierarchyUnknown => "Management Group Reader at the tenant root group",
        Reason::ValueUnknown => "a version of tickmark that knows the value, or a person who reads the record",
        Reason::Withheld => "a collection that keeps it: `[personal_data]` of the configuration",
        Reason::Inconclusive => "another probe: `tickmark probe`",
        Reason::Undecided => {
            "a correction in the check's own file, such as `has(…)` before a member that may not be there, or a person"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(kind: Kind, reason: Reason, scope: &str) -> Vec<String> {
        supplies(kind, reason, scope).0.iter().map(|permission| permission.name()).collect()
    }

    #[test]
    fn a_refusal_names_the_permission_of_the_table() {
        assert_eq!(
            names(Kind::RoleAssignments, Reason::Forbidden, "/"),
            ["Microsoft.Authorization/roleAssignments/read"]
        );
        assert_eq!(names(Kind::GroupMembers, Reason::Forbidden, "group:g"), ["GroupMember.Read.All"]);
        // of the many that fill the list of resources, only the one that lets it be asked
        assert_eq!(names(Kind::Resources, Reason::Forbidden, "/subscriptions/s").len(), 1);
    }

    #[test]
    fn rows_of_a_log_need_the_right_to_ask_and_that_of_their_table_alone() {
        let of = |scope: &str| names(Kind::LogContinuity, Reason::Forbidden, scope);
        let query = "Microsoft.OperationalInsights/workspaces/query/read";
        let table = "Microsoft.OperationalInsights/workspaces/query/AuditLogs/read";
        assert_eq!(of("workspace:w/AuditLogs"), [query, table]);
    }

    #[test]
    fn a_setting_or_a_licence_is_named_where_no_permission_helps() {
        let what = |kind, reason, scope| supplies(kind, reason, scope).1;
        assert!(what(Kind::VaultLogDedicated, Reason::TableMissing, "workspace:w").contains("`audit`"));
        assert!(
            what(Kind::ManagedIdentitySignIns, Reason::TableMissing, "workspace:w")
                .contains("`ManagedIdentitySignInLogs`")
        );
        assert!(what(Kind::VaultDataSecrets, Reason::NotAsked, "/v").contains("vault_objects"));
        assert!(what(Kind::RoleEligibilityScheduleInstances, Reason::NotLicensed, "/s").contains("P2"));
        assert!(what(Kind::ActivityOfVaults, Reason::RetentionTooShort, "/s").contains("90 days"));
        assert!(names(Kind::VaultLogDedicated, Reason::TableMissing, "workspace:w").is_empty());
    }

    #[test]
    fn every_reason_has_its_words() {
        for reason in Reason::ALL {
            let words = of_reason(*reason);
            assert!(words.len() > 10 && !words.ends_with('.'), "{reason:?}: {words}");
            for row in super::super::collectors() {
                let (_, what) = supplies(row.kind, *reason, "/subscriptions/s");
                assert!(!what.is_empty() && !what.contains("  "), "{reason:?} {:?}", row.kind);
            }
        }
    }
}
