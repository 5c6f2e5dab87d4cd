//! How long a table of a workspace keeps rows.

use super::{Id, Table, Tenant};

/// What is told about one table; days, never zero or less.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// The table.
    pub table: &'a Table,
    /// Days in reach of queries.
    pub interactive: Option<i64>,
    /// Days with long-term retention.
    pub total: Option<i64>,
}

impl Tenant {
    /// How long `table` of a workspace keeps rows; none when there is no such table. Where an Analytics table says
    /// nothing (absent or -1), the workspace decides; tables of the other plans have terms of their own
    /// (learn.microsoft.com/azure/azure-monitor/logs/data-retention-configure).
    pub fn kept(&self, workspace: &Id, table: &str) -> Option<Kept<'_>> {
        let mut tables = self.tables.iter().filter(|held| held.workspace == *workspace);
        let table = tables.find(|held| held.name.eq_ignore_ascii_case(table))?;
        let told = |days: Option<i64>| days.filter(|days| *days > 0);
        let is_usual = table.plan.as_deref().is_none_or(|plan| plan.eq_ignore_ascii_case("Analytics"));
        let of_workspace = self.workspaces.iter().find(|held| held.id == *workspace).filter(|_| is_usual);
        let interactive = told(table.retention_days).or_else(|| told(of_workspace?.retention_days));
        Some(Kept { table, interactive, total: told(table.total_retention_days).or(interactive) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evidence::Kind;
    use crate::evidence::testing::CaptureBuilder;

    #[test]
    fn the_workspace_decides_for_analytics_tables_that_say_nothing_and_for_no_others() {
        const LAW: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/law";
        let workspace = json!({"value": [{"id": LAW, "properties": {"retentionInDays": 90}}]});
        let table = |name: &str, plan: &str, days: i64| json!({"name": name, "properties": {"plan": plan, "retentionInDays": days, "totalRetentionInDays": 365}});
        let tables = json!({"value": [table("a", "analytics", -1), table("b", "Basic", -1), table("c", "Basic", 30)]});
        let builder = CaptureBuilder::default().answer(Kind::Workspaces, "/subscriptions/s", workspace);
        let capture = builder.answer(Kind::Tables, LAW, tables).build();
        let tenant = crate::model::read(&capture).expect("a tenant");
        let days = |name: &str| tenant.kept(&Id::new(LAW), name).map(|kept| (kept.interactive, kept.total));
        assert_eq!(days("A"), Some((Some(90), Some(365))));
        assert_eq!(days("b"), Some((None, Some(365))));
        assert_eq!(days("c"), Some((Some(30), Some(365))));
        assert_eq!(days("d"), None);
    }
}
