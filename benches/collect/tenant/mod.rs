//! A synthetic tenant: every page that Azure would answer with, rendered once and kept in memory.
//!
//! Nothing is random: ids are made of numbers, so that two runs serve the same bytes. Versions, filters and selections
//! of a request are not looked at, so that a newer version of a question finds the same page. What is not here is not
//! found, and so shows as a gap.

mod directory;
mod log;
mod roles;
mod second;
mod subscription;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use self::log::Log;

/// How large the tenant is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Its name on the command line.
    pub name: &'static str,
    /// Subscriptions.
    pub subscriptions: usize,
    /// Vaults in each.
    pub vaults: usize,
    /// Role assignments in each.
    pub assignments: usize,
    /// Rows in the vault log of each workspace; there is a workspace for ten subscriptions.
    pub log_rows: usize,
}

/// The sizes.
pub const SIZES: &[Size] = &[
    Size { name: "small", subscriptions: 1, vaults: 20, assignments: 200, log_rows: 80 },
    Size { name: "medium", subscriptions: 10, vaults: 50, assignments: 1_000, log_rows: 2_000 },
    Size { name: "large", subscriptions: 50, vaults: 100, assignments: 2_000, log_rows: 4_000 },
    Size { name: "logs", subscriptions: 1, vaults: 20, assignments: 200, log_rows: 500_000 },
    Size { name: "logs1m", subscriptions: 1, vaults: 20, assignments: 200, log_rows: 1_000_000 },
];

/// The tenant's id.
pub const TENANT: &str = "7e000000-0000-4000-8000-000000000001";
/// Items on a page of most lists of Resource Manager.
const PAGE: usize = 1_000;
/// Groups of people of each subscription.
const GROUPS: usize = 4;
/// App registrations of each subscription.
const APPLICATIONS: usize = 20;
/// First day of the period, and its length.
const PERIOD: (&str, i64) = ("2026-07-01T00:00:00Z", 92);

/// A GUID that says what it names: a sort, a subscription and a number.
fn guid(sort: u32, sub: usize, number: usize) -> String {
    format!("{sort:08x}-{sub:04x}-4000-8000-{number:012x}")
}

/// Sorts of principals in [`guid`].
const IDENTITY: u32 = 0xa1;
const USER: u32 = 0xa2;
const GROUP: u32 = 0xa3;
const APPLICATION: u32 = 0xa4;
const MACHINE: u32 = 0xa5;

/// Lists that are there in every subscription and management group, and hold nothing: endings of paths, lower case.
const EMPTY: &[&str] = &[
    "microsoft.aadiam/diagnosticsettings",
    "microsoft.app/containerapps",
    "microsoft.authorization/classicadministrators",
    "microsoft.authorization/denyassignments",
    "microsoft.authorization/locks",
    "microsoft.authorization/roleassignmentscheduleinstances",
    "microsoft.authorization/roleassignmentschedulerequests",
    "microsoft.authorization/roleeligibilityscheduleinstances",
    "microsoft.authorization/roleeligibilityschedulerequests",
    "microsoft.authorization/rolemanagementpolicyassignments",
    "microsoft.automation/automationaccounts",
    "microsoft.cognitiveservices/accounts",
    "microsoft.compute/diskencryptionsets",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.containerservice/managedclusters",
    "microsoft.databricks/accessconnectors",
    "microsoft.databricks/workspaces",
    "microsoft.datafactory/factories",
    "microsoft.dbforpostgresql/flexibleservers",
    "microsoft.documentdb/databaseaccounts",
    "microsoft.insights/actiongroups",
    "microsoft.insights/activitylogalerts",
    "microsoft.insights/diagnosticsettings",
    "microsoft.insights/eventtypes/management/values",
    "microsoft.insights/scheduledqueryrules",
    "microsoft.keyvault/deletedvaults",
    "microsoft.keyvault/managedhsms",
    "microsoft.logic/workflows",
    "microsoft.managedservices/registrationassignments",
    "microsoft.search/searchservices",
    "microsoft.security/pricings",
    "microsoft.sql/servers",
    "microsoft.synapse/workspaces",
    "microsoft.web/sites",
];

/// The tenant's answers.
pub struct Tenant {
    /// Where links to further pages go.
    base: String,
    /// By path in lower case, `#`, and the token of the page.
    pages: BTreeMap<String, Bytes>,
    /// By workspace GUID.
    logs: BTreeMap<String, Log>,
}

impl Tenant {
    /// Renders everything; links go to `base`.
    pub fn of(size: Size, base: &str) -> Tenant {
        let mut tenant = Tenant { base: base.to_owned(), pages: BTreeMap::new(), logs: BTreeMap::new() };
        let subs = 0..size.subscriptions;
        let id = |sub: usize| format!("/subscriptions/{}", guid(0x5b, sub, 0));
        let listed = subs.clone().map(|sub| {
            format!(
                r#"{{"id":"{}","authorizationSource":"RoleBased","managedByTenants":[],"subscriptionId":"{}","tenantId":"{TENANT}","displayName":"sub-{sub:03}","state":"Enabled","subscriptionPolicies":{{"locationPlacementId":"Public_2014-09-01","quotaId":"EnterpriseAgreement_2014-09-01","spendingLimit":"Off"}}}}"#,
                id(sub),
                guid(0x5b, sub, 0)
            )
        });
        tenant.list("/subscriptions", PAGE, &listed.collect::<Vec<_>>());
        tenant.groups(size);
        let mut directory = directory::Objects::default();
        let mut second = second::Index::default();
        for sub in subs {
            tenant.subscription(size, sub, &id(sub), &mut directory, &mut second);
        }
        tenant.directory(&directory);
        tenant.index(&second);
        tenant
    }

    /// The one management group, and what is below it.
    fn groups(&mut self, size: Size) {
        let management = "/providers/Microsoft.Management";
        let root = format!("{management}/managementGroups/{TENANT}");
        let group = format!(
            r#"{{"id":"{root}","type":"Microsoft.Management/managementGroups","name":"{TENANT}","properties":{{"tenantId":"{TENANT}","displayName":"{TENANT}","permissions":"view","parent":{{"id":null}}}}}}"#
        );
        self.list(&format!("{management}/managementGroups"), PAGE, std::slice::from_ref(&group));
        let below = |kind: &str, id: &dyn Fn(&str) -> String| -> Vec<String> {
            (0..size.subscriptions)
                .map(|sub| {
                    let guid = guid(0x5b, sub, 0);
                    format!(
                        r#"{{"id":"{}","type":"{kind}","name":"{guid}","properties":{{"tenantId":"{TENANT}","displayName":"sub-{sub:03}","permissions":"view","parent":{{"id":"{root}"}}}}}}"#,
                        id(&guid)
                    )
                })
                .collect()
        };
        let named = |guid: &str| format!("/subscriptions/{guid}");
        let descendants = below("Microsoft.Management/managementGroups/subscriptions", &named);
        self.list(&format!("{root}/descendants"), PAGE, &descendants);
        self.list(&format!("{management}/getEntities"), PAGE, &[vec![group], below("/subscriptions", &named)].concat());
        for scope in ["", root.as_str()] {
            self.list(&format!("{scope}/providers/Microsoft.Authorization/roleAssignments"), PAGE, &[]);
        }
    }

    /// The answer to a request, in parts; none where there is nothing. The legacy log table is not there.
    pub fn answer(&self, path_and_query: &str, body: &[u8]) -> Option<Vec<Bytes>> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let (path, query) = (path.to_lowercase(), query.to_lowercase());
        if let Some(rest) = path.strip_prefix("/logs/v1/workspaces/") {
            let log = self.logs.get(rest.split('/').next()?)?;
            let asked: Value = serde_json::from_slice(body).ok()?;
            return log.answer(asked["query"].as_str()?);
        }
        if path.ends_with("/getbyids") {
            return Some(vec![Tenant::look_up(body)]);
        }
        let token = match query.split_once("$skiptoken=") {
            Some((_, token)) => token.to_owned(),
            None if path.ends_with("/microsoft.resourcegraph/resources") => second::token(body)?,
            None if query.contains("managedidentity") => "managed-0".to_owned(),
            None => "0".to_owned(),
        };
        if let Some(page) = self.pages.get(&format!("{path}#{token}")) {
            return Some(vec![page.clone()]);
        }
        EMPTY.iter().any(|ending| path.ends_with(ending)).then(|| vec![Bytes::from_static(br#"{"value":[]}"#)])
    }

    /// A list of Resource Manager in pages.
    fn list(&mut self, path: &str, page: usize, items: &[String]) {
        self.paged(&format!("/arm{path}"), "", page, items, |_, next| {
            (String::new(), next.map(|link| format!(r#","nextLink":"{link}""#)).unwrap_or_default())
        });
    }

    /// Pages under a path: tokens are a prefix and a number. `around` gives what stands before and after the items of
    /// a page, from its number and the link to the next.
    fn paged(
        &mut self,
        path: &str,
        prefix: &str,
        page: usize,
        items: &[String],
        around: impl Fn(usize, Option<String>) -> (String, String),
    ) {
        let count = items.len().div_ceil(page).max(1);
        for number in 0..count {
            let part = items.get(number * page..items.len().min((number + 1) * page)).unwrap_or_default();
            let link = |next: usize| format!("{}{path}?api-version=2026-01-01&$skiptoken={prefix}{next}", self.base);
            let (before, after) = around(number, (number + 1 < count).then(|| link(number + 1)));
            let body = format!(r#"{{{before}"value":[{}]{after}}}"#, part.join(","));
            self.pages.insert(format!("{}#{prefix}{number}", path.to_lowercase()), Bytes::from(body));
        }
    }

    /// A body that is no list.
    fn one(&mut self, path: &str, body: String) {
        self.pages.insert(format!("{}#0", path.to_lowercase()), Bytes::from(body));
    }
}
