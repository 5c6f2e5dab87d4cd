//! A synthetic tenant: every page that Azure would answer with, rendered once and kept in memory.
//!
//! Nothing is random: ids are made of numbers, so that two runs serve the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;

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
/// Built-in roles of a tenant today.
const BUILT_IN_ROLES: usize = 928;
/// Items on a page of most lists of Resource Manager.
const PAGE: usize = 1_000;
/// First day of the period, and its length.
const PERIOD: (&str, i64) = ("2026-07-01T00:00:00Z", 92);

/// Roles that matter for vaults: GUID, name, actions, data actions.
const ROLES: &[(&str, &str, &str, &str)] = &[
    ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", r#""*""#, ""),
    ("b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", r#""*""#, ""),
    ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", r#""*/read""#, ""),
    (
        "4633458b-17de-408a-b874-0445c86b69e6",
        "Key Vault Secrets User",
        "",
        r#""Microsoft.KeyVault/vaults/secrets/getSecret/action","Microsoft.KeyVault/vaults/secrets/readMetadata/action""#,
    ),
    (
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "Key Vault Secrets Officer",
        r#""Microsoft.KeyVault/checkNameAvailability/read","Microsoft.KeyVault/vaults/*/read""#,
        r#""Microsoft.KeyVault/vaults/secrets/*""#,
    ),
    (
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
        "Key Vault Administrator",
        r#""Microsoft.KeyVault/checkNameAvailability/read","Microsoft.KeyVault/vaults/*/read""#,
        r#""Microsoft.KeyVault/vaults/*""#,
    ),
];

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

/// The tenant's answers.
pub struct Tenant {
    /// By path and query, lower case.
    pub pages: BTreeMap<String, Bytes>,
    /// By workspace GUID.
    pub logs: BTreeMap<String, Log>,
}

/// The vault log of one workspace, in order of time and evenly spread over the period.
pub struct Log {
    rows: Bytes,
    /// Where each row begins, and the end.
    starts: Vec<u32>,
    counts: Bytes,
}

impl Tenant {
    /// Renders everything; links go to `base`.
    pub fn of(size: Size, base: &str) -> Tenant {
        let mut tenant = Tenant { pages: BTreeMap::new(), logs: BTreeMap::new() };
        let subs = 0..size.subscriptions;
        let arm = |path: &str, version: &str| format!("/arm{path}?api-version={version}");
        let sub_id = |sub: usize| format!("/subscriptions/{}", guid(0x5b, sub, 0));

        let listed = subs.clone().map(|sub| {
            format!(
                r#"{{"id":"{}","authorizationSource":"RoleBased","managedByTenants":[],"subscriptionId":"{}","tenantId":"{TENANT}","displayName":"sub-{sub:03}","state":"Enabled","subscriptionPolicies":{{"locationPlacementId":"Public_2014-09-01","quotaId":"EnterpriseAgreement_2014-09-01","spendingLimit":"Off"}}}}"#,
                sub_id(sub),
                guid(0x5b, sub, 0)
            )
        });
        tenant.list(base, &arm("/subscriptions", "2022-12-01"), PAGE, &listed.collect::<Vec<_>>());
        let root = format!("/providers/Microsoft.Management/managementGroups/{TENANT}");
        let group = |id: &str, name: &str| {
            format!(
                r#"{{"id":"{id}","type":"Microsoft.Management/managementGroups","name":"{name}","properties":{{"tenantId":"{TENANT}","displayName":"{name}"}}}}"#
            )
        };
        tenant.list(
            base,
            &arm("/providers/Microsoft.Management/managementGroups", "2023-04-01"),
            PAGE,
            &[group(&root, TENANT)],
        );
        let below = subs.clone().map(|sub| {
            format!(r#"{{"id":"{}","type":"Microsoft.Management/managementGroups/subscriptions","name":"{}","properties":{{"displayName":"sub-{sub:03}","parent":{{"id":"{root}"}}}}}}"#, sub_id(sub), guid(0x5b, sub, 0))
        });
        tenant.list(base, &arm(&format!("{root}/descendants"), "2023-04-01"), PAGE, &below.collect::<Vec<_>>());
        for scope in ["", root.as_str()] {
            let path = arm(&format!("{scope}/providers/Microsoft.Authorization/roleAssignments"), "2022-04-01")
                + "&$filter=atScope()";
            tenant.list(base, &path, PAGE, &[]);
        }
        let mut managed = Vec::new();
        for sub in subs {
            tenant.subscription(size, base, sub, &sub_id(sub), &mut managed);
        }
        let count = managed.len();
        tenant.directory_list(base, &managed, count);
        tenant
    }

    fn subscription(&mut self, size: Size, base: &str, sub: usize, id: &str, managed: &mut Vec<String>) {
        let rg = |number: usize| format!("{id}/resourceGroups/rg-app-{:03}-prod", number / 10);
        let vault =
            |number: usize| format!("{}/providers/Microsoft.KeyVault/vaults/kv-{sub:03}-{number:04}", rg(number));
        let (identities, machines, others) = (size.vaults / 2, size.vaults / 5, size.vaults * 3);
        let identity = |number: usize| {
            format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-{sub:03}-{number:04}", rg(number))
        };
        let machine = |number: usize| {
            format!("{}/providers/Microsoft.Compute/virtualMachines/vm-{sub:03}-{number:04}", rg(number))
        };
        let arm = |path: &str, version: &str| format!("/arm{id}{path}?api-version={version}");
        let system = r#""systemData":{"createdBy":"deploy@example.com","createdByType":"User","createdAt":"2025-11-04T10:20:00.1182033Z","lastModifiedBy":"deploy@example.com","lastModifiedByType":"User","lastModifiedAt":"2025-11-04T10:20:00.1182033Z"}"#;
        let tags = r#""tags":{"env":"production","owner":"team-payments","purpose":"reads partner credentials","costcenter":"4711","createdBy":"terraform"}"#;

        // user-assigned identities, their federated credentials, and the directory's view of them
        let mut listed = Vec::new();
        for number in 0..identities {
            let (object, client) = (guid(IDENTITY, sub, number), guid(0xc1, sub, number));
            listed.push(format!(r#"{{"location":"westeurope",{tags},{system},"id":"{}","name":"id-{sub:03}-{number:04}","type":"Microsoft.ManagedIdentity/userAssignedIdentities","properties":{{"tenantId":"{TENANT}","principalId":"{object}","clientId":"{client}","isolationScope":"None"}}}}"#, identity(number)));
            let credential = format!(
                r#"{{"id":"{0}/federatedIdentityCredentials/github","name":"github","type":"Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials","properties":{{"issuer":"https://token.actions.githubusercontent.com","subject":"repo:example/app-{number}:environment:production","audiences":["api://AzureADTokenExchange"]}}}}"#,
                identity(number)
            );
            let path = format!("/arm{}/federatedIdentityCredentials?api-version=2023-01-31", identity(number));
            self.list(base, &path, 20, if number % 3 == 0 { std::slice::from_ref(&credential) } else { &[] });
            managed.push(format!(r#"{{"id":"{object}","appId":"{client}","displayName":"id-{sub:03}-{number:04}","servicePrincipalType":"ManagedIdentity","accountEnabled":true,"appOwnerOrganizationId":null,"alternativeNames":["isExplicit=True","{}"]}}"#, identity(number)));
        }
        self.list(
            base,
            &arm("/providers/Microsoft.ManagedIdentity/userAssignedIdentities", "2023-01-31"),
            100,
            &listed,
        );

        // machines
        let attached = |number: usize| {
            let identity_number = number % identities.max(1);
            format!(
                r#""identity":{{"type":"SystemAssigned, UserAssigned","principalId":"{}","tenantId":"{TENANT}","userAssignedIdentities":{{"{}":{{"principalId":"{}","clientId":"{}"}}}}}}"#,
                guid(MACHINE, sub, number),
                identity(identity_number),
                guid(IDENTITY, sub, identity_number),
                guid(0xc1, sub, identity_number)
            )
        };
        let listed = (0..machines).map(|number| {
            format!(r#"{{"id":"{}","name":"vm-{sub:03}-{number:04}","type":"Microsoft.Compute/virtualMachines","location":"westeurope",{tags},{},"properties":{{"vmId":"{}","hardwareProfile":{{"vmSize":"Standard_D2s_v5"}},"provisioningState":"Succeeded","timeCreated":"2025-11-04T10:20:00.118+00:00","storageProfile":{{"imageReference":{{"publisher":"Canonical","offer":"0001-com-ubuntu-server-jammy","sku":"22_04-lts-gen2","version":"latest","exactVersion":"22.04.202510010"}},"osDisk":{{"osType":"Linux","name":"vm-{sub:03}-{number:04}_OsDisk_1","createOption":"FromImage","caching":"ReadWrite","managedDisk":{{"storageAccountType":"Premium_LRS","id":"{}"}},"deleteOption":"Delete","diskSizeGB":64}},"dataDisks":[]}},"osProfile":{{"computerName":"vm-{number}","adminUsername":"azureuser","linuxConfiguration":{{"disablePasswordAuthentication":true,"provisionVMAgent":true}},"allowExtensionOperations":true}},"networkProfile":{{"networkInterfaces":[{{"id":"{}"}}]}},"diagnosticsProfile":{{"bootDiagnostics":{{"enabled":true}}}}}}}}"#, machine(number), attached(number), guid(0xd1, sub, number), rg(number) + "/providers/Microsoft.Compute/disks/disk-0001", rg(number) + "/providers/Microsoft.Network/networkInterfaces/nic-0001")
        });
        self.list(
            base,
            &arm("/providers/Microsoft.Compute/virtualMachines", "2024-03-01"),
            100,
            &listed.collect::<Vec<_>>(),
        );
        for number in 0..machines {
            managed.push(format!(r#"{{"id":"{}","appId":"{}","displayName":"vm-{sub:03}-{number:04}","servicePrincipalType":"ManagedIdentity","accountEnabled":true,"appOwnerOrganizationId":null,"alternativeNames":["isExplicit=False","{}"]}}"#, guid(MACHINE, sub, number), guid(0xc5, sub, number), machine(number)));
        }

        // resources of every type
        let plain = |id: String, name: String, kind: &str, more: &str| {
            format!(r#"{{"id":"{id}","name":"{name}","type":"{kind}","location":"westeurope",{tags}{more}}}"#)
        };
        let mut listed = Vec::new();
        listed.extend(
            (0..size.vaults).map(|n| plain(vault(n), format!("kv-{sub:03}-{n:04}"), "Microsoft.KeyVault/vaults", "")),
        );
        listed.extend((0..identities).map(|n| {
            plain(identity(n), format!("id-{sub:03}-{n:04}"), "Microsoft.ManagedIdentity/userAssignedIdentities", "")
        }));
        listed.extend((0..machines).map(|n| {
            plain(
                machine(n),
                format!("vm-{sub:03}-{n:04}"),
                "Microsoft.Compute/virtualMachines",
                &format!(",{}", attached(n)),
            )
        }));
        listed.extend((0..others).map(|n| {
            let name = format!("st{sub:03}{n:05}");
            let more = r#","kind":"StorageV2","sku":{"name":"Standard_ZRS","tier":"Standard"}"#;
            plain(
                format!("{}/providers/Microsoft.Storage/storageAccounts/{name}", rg(n % size.vaults)),
                name,
                "Microsoft.Storage/storageAccounts",
                more,
            )
        }));
        self.list(base, &arm("/resources", "2021-04-01"), PAGE, &listed);

        // vaults and their diagnostic settings
        let workspace_sub = sub / 10 * 10;
        let workspace_id = format!(
            "/subscriptions/{}/resourceGroups/rg-log/providers/Microsoft.OperationalInsights/workspaces/law-{workspace_sub:03}",
            guid(0x5b, workspace_sub, 0)
        );
        let mut listed = Vec::new();
        for number in 0..size.vaults {
            let name = format!("kv-{sub:03}-{number:04}");
            let is_rbac = number % 7 != 0;
            let policies: Vec<String> = (0..if is_rbac { 0 } else { 5 }).map(|n| format!(r#"{{"tenantId":"{TENANT}","objectId":"{}","permissions":{{"keys":[],"secrets":["get","list"],"certificates":[],"storage":[]}}}}"#, guid(IDENTITY, sub, (number + n) % identities.max(1)))).collect();
            listed.push(format!(r#"{{"id":"{}","name":"{name}","type":"Microsoft.KeyVault/vaults","location":"westeurope",{tags},{system},"properties":{{"sku":{{"family":"A","name":"standard"}},"tenantId":"{TENANT}","networkAcls":{{"bypass":"AzureServices","defaultAction":"Deny","ipRules":[{{"value":"203.0.113.0/24"}}],"virtualNetworkRules":[{{"id":"{}/providers/microsoft.network/virtualnetworks/vnet-hub/subnets/snet-app","ignoreMissingVnetServiceEndpoint":false}}]}},"privateEndpointConnections":[{{"id":"{}/privateEndpointConnections/pe-1","properties":{{"provisioningState":"Succeeded","privateEndpoint":{{"id":"{}/providers/Microsoft.Network/privateEndpoints/pe-{name}"}},"privateLinkServiceConnectionState":{{"status":"Approved","actionsRequired":"None"}}}}}}],"accessPolicies":[{}],"enabledForDeployment":false,"enabledForDiskEncryption":false,"enabledForTemplateDeployment":false,"enableSoftDelete":true,"softDeleteRetentionInDays":90,"enableRbacAuthorization":{is_rbac},"enablePurgeProtection":true,"vaultUri":"https://{name}.vault.azure.net/","provisioningState":"Succeeded","publicNetworkAccess":"Enabled"}}}}"#, vault(number), rg(number), vault(number), rg(number), policies.join(",")));
            let setting = format!(
                r#"{{"id":"{0}/providers/microsoft.insights/diagnosticSettings/audit","type":"Microsoft.Insights/diagnosticSettings","name":"audit","location":null,"kind":null,"tags":null,"properties":{{"storageAccountId":null,"serviceBusRuleId":null,"workspaceId":"{workspace_id}","eventHubAuthorizationRuleId":null,"eventHubName":null,"metrics":[{{"category":"AllMetrics","enabled":false,"retentionPolicy":{{"enabled":false,"days":0}}}}],"logs":[{{"category":"AuditEvent","categoryGroup":null,"enabled":true,"retentionPolicy":{{"enabled":false,"days":0}}}},{{"category":"AzurePolicyEvaluationDetails","categoryGroup":null,"enabled":false,"retentionPolicy":{{"enabled":false,"days":0}}}}],"logAnalyticsDestinationType":"Dedicated","marketplacePartnerId":null}},"identity":null}}"#,
                vault(number)
            );
            let path = format!(
                "/arm{}/providers/Microsoft.Insights/diagnosticSettings?api-version=2021-05-01-preview",
                vault(number)
            );
            self.list(base, &path, PAGE, if number % 10 == 9 { &[] } else { std::slice::from_ref(&setting) });
        }
        self.list(base, &arm("/providers/Microsoft.KeyVault/vaults", "2026-02-01"), 200, &listed);
        self.list(base, &arm("/providers/Microsoft.KeyVault/deletedVaults", "2026-02-01"), PAGE, &[]);
        self.list(base, &arm("/providers/Microsoft.Authorization/denyAssignments", "2022-04-01"), PAGE, &[]);
        let own = r#"{"actions":["*/read"],"notActions":[],"dataActions":[],"notDataActions":[]}"#.to_owned();
        self.list(base, &arm("/providers/Microsoft.Authorization/permissions", "2022-04-01"), PAGE, &[own]);

        self.list(
            base,
            &arm("/providers/Microsoft.Authorization/roleDefinitions", "2022-04-01"),
            PAGE,
            &definitions(id),
        );
        let listed = (0..size.assignments).map(|number| assignment(size, sub, id, number, &rg, &vault, &identity));
        self.list(
            base,
            &arm("/providers/Microsoft.Authorization/roleAssignments", "2022-04-01"),
            PAGE,
            &listed.collect::<Vec<_>>(),
        );

        // groups of the subscription
        for number in 0..4 {
            let members: Vec<String> = (0..25)
                .map(|member| {
                    format!(
                        r##"{{"@odata.type":"#microsoft.graph.user","id":"{}","displayName":"User {sub} {member}"}}"##,
                        guid(USER, sub, member + number)
                    )
                })
                .collect();
            let path = format!(
                "/graph/v1.0/groups/{}/transitiveMembers?$select=id,displayName&$top=999",
                guid(GROUP, sub, number)
            );
            let body = format!(
                r#"{{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directoryObjects(id,displayName)","value":[{}]}}"#,
                members.join(",")
            );
            self.pages.insert(path.to_lowercase(), Bytes::from(body));
        }

        // the workspace
        let customer = guid(0x3a, sub, 0);
        let has_workspace = sub.is_multiple_of(10);
        let workspace = format!(
            r#"{{"properties":{{"customerId":"{customer}","provisioningState":"Succeeded","sku":{{"name":"PerGB2018","lastSkuUpdate":"2025-01-01T00:00:00.0000000Z"}},"retentionInDays":180,"features":{{"legacy":0,"searchVersion":1,"enableLogAccessUsingOnlyResourcePermissions":true}},"workspaceCapping":{{"dailyQuotaGb":-1.0}},"publicNetworkAccessForIngestion":"Enabled","publicNetworkAccessForQuery":"Enabled","createdDate":"2025-01-01T00:00:00.0000000Z"}},"location":"westeurope",{tags},"id":"{workspace_id}","name":"law-{sub:03}","type":"Microsoft.OperationalInsights/workspaces"}}"#
        );
        self.list(
            base,
            &arm("/providers/Microsoft.OperationalInsights/workspaces", "2023-09-01"),
            PAGE,
            if has_workspace { std::slice::from_ref(&workspace) } else { &[] },
        );
        if has_workspace {
            let tables = (0..700).map(|number| {
                let name = match number { 0 => "AZKVAuditLogs".to_owned(), 1 => "AzureDiagnostics".to_owned(), _ => format!("Table{number:04}") };
                format!(r#"{{"properties":{{"totalRetentionInDays":180,"archiveRetentionInDays":0,"plan":"Analytics","retentionInDaysAsDefault":true,"totalRetentionInDaysAsDefault":true,"schema":{{"tableSubType":"Any","name":"{name}","tableType":"Microsoft","standardColumns":[{{"name":"TenantId","type":"guid","description":"The Log Analytics workspace ID","isDefaultDisplay":false,"isHidden":false}},{{"name":"TimeGenerated","type":"datetime","description":"The time at which the data was generated","isDefaultDisplay":false,"isHidden":false}}],"solutions":["LogManagement"],"isTroubleshootingAllowed":true}},"provisioningState":"Succeeded","retentionInDays":180}},"id":"{workspace_id}/tables/{name}","name":"{name}"}}"#)
            });
            let path = format!("/arm{workspace_id}/tables?api-version=2022-10-01");
            self.list(base, &path, PAGE, &tables.collect::<Vec<_>>());
            self.logs.insert(customer, Log::of(size, sub, &vault));
        }
    }

    /// A list of Resource Manager in pages.
    fn list(&mut self, base: &str, path: &str, page: usize, items: &[String]) {
        let count = items.len().div_ceil(page).max(1);
        for number in 0..count {
            let part = items.get(number * page..items.len().min((number + 1) * page)).unwrap_or_default();
            let this = if number == 0 { path.to_owned() } else { format!("{path}&$skiptoken={number}") };
            let next = if number + 1 < count {
                format!(r#","nextLink":"{base}{path}&$skiptoken={}""#, number + 1)
            } else {
                String::new()
            };
            self.pages.insert(this.to_lowercase(), Bytes::from(format!(r#"{{"value":[{}]{next}}}"#, part.join(","))));
        }
    }

    /// The list of managed identities in the directory.
    fn directory_list(&mut self, base: &str, items: &[String], total: usize) {
        let path = "/graph/v1.0/servicePrincipals?$filter=servicePrincipalType%20eq%20%27ManagedIdentity%27&$count=true\
            &$select=id,appId,displayName,servicePrincipalType,accountEnabled,appOwnerOrganizationId,alternativeNames&$top=999";
        let count = items.len().div_ceil(999).max(1);
        for (number, part) in items.chunks(999).enumerate() {
            let this = if number == 0 { path.to_owned() } else { format!("{path}&$skiptoken={number}") };
            let next = if number + 1 < count {
                format!(r#""@odata.nextLink":"{base}{path}&$skiptoken={}","#, number + 1)
            } else {
                String::new()
            };
            let said = if number == 0 { format!(r#""@odata.count":{total},"#) } else { String::new() };
            let body = format!(
                r#"{{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#servicePrincipals",{said}{next}"value":[{}]}}"#,
                part.join(",")
            );
            self.pages.insert(this.to_lowercase(), Bytes::from(body));
        }
    }

    /// The answer to a look-up of object ids.
    pub fn look_up(body: &[u8]) -> Bytes {
        let ids: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let mut out = String::from(
            r#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directoryObjects","value":["#,
        );
        for (index, id) in ids["ids"].as_array().into_iter().flatten().filter_map(|id| id.as_str()).enumerate() {
            let sort = u32::from_str_radix(id.get(..8).unwrap_or_default(), 16).unwrap_or_default();
            let object = match sort {
                USER => format!(
                    r##"{{"@odata.type":"#microsoft.graph.user","id":"{id}","businessPhones":[],"displayName":"User {id}","givenName":"A","jobTitle":null,"mail":"user@example.com","mobilePhone":null,"officeLocation":null,"preferredLanguage":null,"surname":"B","userPrincipalName":"user@example.com","accountEnabled":true,"userType":"Member"}}"##
                ),
                GROUP => format!(
                    r##"{{"@odata.type":"#microsoft.graph.group","id":"{id}","displayName":"grp-{id}","description":null,"groupTypes":[],"mail":null,"mailEnabled":false,"securityEnabled":true,"visibility":null}}"##
                ),
                IDENTITY | MACHINE => format!(
                    r##"{{"@odata.type":"#microsoft.graph.servicePrincipal","id":"{id}","appId":"{}","displayName":"mi-{id}","servicePrincipalType":"ManagedIdentity","accountEnabled":true,"appOwnerOrganizationId":null,"alternativeNames":["isExplicit=True"]}}"##,
                    id.replace("000000a", "000000c")
                ),
                _ => format!(
                    r##"{{"@odata.type":"#microsoft.graph.servicePrincipal","id":"{id}","appId":"{}","displayName":"app-{id}","servicePrincipalType":"Application","accountEnabled":true,"appOwnerOrganizationId":"{TENANT}","alternativeNames":[]}}"##,
                    id.replace("000000a", "000000c")
                ),
            };
            if index > 0 {
                out.push(',');
            }
            out.push_str(&object);
        }
        out.push_str("]}");
        Bytes::from(out)
    }
}

/// One role assignment. Of a hundred, 2 are at the subscription, 18 at a resource group, 30 at a vault, the rest
/// at other resources.
fn assignment(
    size: Size,
    sub: usize,
    id: &str,
    number: usize,
    rg: &dyn Fn(usize) -> String,
    vault: &dyn Fn(usize) -> String,
    identity: &dyn Fn(usize) -> String,
) -> String {
    let turn = number / 100 + number % 100 * 7;
    let (scope, role) = match number % 100 {
        0 | 1 => (id.to_owned(), [2, 2, 2, 1, 0][number / 100 % 5]),
        2..20 => (rg(turn % size.vaults), [2, 2, 1, 2, 3, 2, 1, 5, 2, 2][turn % 10]),
        20..50 => (vault(turn % size.vaults), [3, 3, 3, 4, 3, 3, 5, 3, 2, 3][turn % 10]),
        _ => (identity(turn % (size.vaults / 2)), [2, 1][turn % 2]),
    };
    let identities = size.vaults / 2;
    let (principal, kind) = match number % 10 {
        0..6 => (guid(IDENTITY, sub, turn % identities), "ServicePrincipal"),
        6 | 7 => (guid(USER, sub, turn % 40), "User"),
        8 => (guid(GROUP, sub, turn % 4), "Group"),
        _ => (guid(APPLICATION, sub, turn % 20), "ServicePrincipal"),
    };
    let (role, ..) = ROLES[role];
    let name = guid(0x7a, sub, number);
    format!(
        r#"{{"properties":{{"roleDefinitionId":"{id}/providers/Microsoft.Authorization/roleDefinitions/{role}","principalId":"{principal}","principalType":"{kind}","scope":"{scope}","condition":null,"conditionVersion":null,"createdOn":"2025-10-01T07:00:00.1102871Z","updatedOn":"2025-10-01T07:00:00.1102871Z","createdBy":"{0}","updatedBy":"{0}","delegatedManagedIdentityResourceId":null,"description":null}},"id":"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}","type":"Microsoft.Authorization/roleAssignments","name":"{name}"}}"#,
        guid(USER, sub, 1)
    )
}

/// The role definitions as a subscription lists them: the built-in ones carry its id.
fn definitions(sub: &str) -> Vec<String> {
    let one = |guid: &str, name: &str, actions: &str, data: &str| {
        format!(
            r#"{{"properties":{{"roleName":"{name}","type":"BuiltInRole","description":"Lets a principal do what the name says, as the documentation of the service tells in a sentence or two of about this length.","assignableScopes":["/"],"permissions":[{{"actions":[{actions}],"notActions":[],"dataActions":[{data}],"notDataActions":[]}}],"createdOn":"2015-02-02T21:55:09.8806423Z","updatedOn":"2023-03-17T00:10:13.0100000Z","createdBy":null,"updatedBy":null}},"id":"{sub}/providers/Microsoft.Authorization/roleDefinitions/{guid}","type":"Microsoft.Authorization/roleDefinitions","name":"{guid}"}}"#
        )
    };
    let mut listed: Vec<String> =
        ROLES.iter().map(|(guid, name, actions, data)| one(guid, name, actions, data)).collect();
    for number in ROLES.len()..BUILT_IN_ROLES {
        let provider = number % 90;
        let mut actions = String::from(
            r#""Microsoft.Authorization/*/read","Microsoft.Insights/alertRules/*","Microsoft.Resources/deployments/*","Microsoft.Resources/subscriptions/resourceGroups/read""#,
        );
        for action in 0..number % 8 {
            let _ = write!(actions, r#","Microsoft.Provider{provider}/things{action}/read""#);
        }
        listed.push(one(&guid(0x8d, 0, number), &format!("Service {provider} Role {number}"), &actions, ""));
    }
    listed
}

impl Log {
    fn of(size: Size, sub: usize, vault: &dyn Fn(usize) -> String) -> Log {
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
    pub fn answer(&self, query: &str) -> Vec<Bytes> {
        if query.contains("question=vault_log_dedicated_count;") {
            return vec![self.counts.clone()];
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
        vec![Bytes::from(head), rows, Bytes::from_static(b"]}]}")]
    }
}

fn columns(named: &[(&str, &str)]) -> String {
    let each: Vec<String> =
        named.iter().map(|(name, kind)| format!(r#"{{"name":"{name}","type":"{kind}"}}"#)).collect();
    each.join(",")
}
