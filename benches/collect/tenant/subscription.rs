//! One subscription: identities, machines, vaults with what they hold, storage accounts, roles and a workspace.

use super::directory::Objects;
use super::log::Log;
use super::roles::{assignment, definitions};
use super::second::{Index, resource};
use super::{IDENTITY, MACHINE, PAGE, Size, TENANT, Tenant, guid};

impl Tenant {
    pub(super) fn subscription(
        &mut self,
        size: Size,
        sub: usize,
        id: &str,
        directory: &mut Objects,
        second: &mut Index,
    ) {
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
        let at = |list: &str| format!("{id}{list}");
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
            let path = format!("{}/federatedIdentityCredentials", identity(number));
            self.list(&path, 20, if number % 3 == 0 { std::slice::from_ref(&credential) } else { &[] });
            let kind = "Microsoft.ManagedIdentity/userAssignedIdentities";
            second.identities.push(resource(&identity(number), &format!("id-{sub:03}-{number:04}"), kind, "", &object));
            directory.managed.push(format!(r#"{{"id":"{object}","appId":"{client}","displayName":"id-{sub:03}-{number:04}","servicePrincipalType":"ManagedIdentity","accountEnabled":true,"appOwnerOrganizationId":null,"alternativeNames":["isExplicit=True","{}"]}}"#, identity(number)));
        }
        self.list(&at("/providers/Microsoft.ManagedIdentity/userAssignedIdentities"), 100, &listed);

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
        self.list(&at("/providers/Microsoft.Compute/virtualMachines"), 100, &listed.collect::<Vec<_>>());
        for number in 0..machines {
            let (name, kind) = (format!("vm-{sub:03}-{number:04}"), "Microsoft.Compute/virtualMachines");
            let principal = guid(MACHINE, sub, number);
            second.identities.push(resource(&machine(number), &name, kind, "SystemAssigned, UserAssigned", &principal));
            directory.managed.push(format!(r#"{{"id":"{}","appId":"{}","displayName":"vm-{sub:03}-{number:04}","servicePrincipalType":"ManagedIdentity","accountEnabled":true,"appOwnerOrganizationId":null,"alternativeNames":["isExplicit=False","{}"]}}"#, guid(MACHINE, sub, number), guid(0xc5, sub, number), machine(number)));
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
        self.list(&at("/resources"), PAGE, &listed);
        let accounts = (0..others).map(|n| {
            let name = format!("st{sub:03}{n:05}");
            format!(r#"{{"sku":{{"name":"Standard_ZRS","tier":"Standard"}},"kind":"StorageV2","id":"{}/providers/Microsoft.Storage/storageAccounts/{name}","name":"{name}","type":"Microsoft.Storage/storageAccounts","location":"westeurope",{tags},"properties":{{"allowCrossTenantReplication":false,"minimumTlsVersion":"TLS1_2","allowBlobPublicAccess":false,"allowSharedKeyAccess":{},"privateEndpointConnections":[],"networkAcls":{{"bypass":"AzureServices","virtualNetworkRules":[],"ipRules":[],"defaultAction":"Deny"}},"supportsHttpsTrafficOnly":true,"encryption":{{"services":{{"file":{{"keyType":"Account","enabled":true,"lastEnabledTime":"2025-11-04T10:20:00.118Z"}},"blob":{{"keyType":"Account","enabled":true,"lastEnabledTime":"2025-11-04T10:20:00.118Z"}}}},"keySource":"Microsoft.Storage"}},"accessTier":"Hot","provisioningState":"Succeeded","creationTime":"2025-11-04T10:20:00.118Z","primaryEndpoints":{{"blob":"https://{name}.blob.core.windows.net/","dfs":"https://{name}.dfs.core.windows.net/"}},"primaryLocation":"westeurope","statusOfPrimary":"available"}}}}"#, rg(n % size.vaults), n % 5 == 0)
        });
        self.list(&at("/providers/Microsoft.Storage/storageAccounts"), 200, &accounts.collect::<Vec<_>>());
        let endpoints = (0..size.vaults).map(|n| {
            let name = format!("pe-kv-{sub:03}-{n:04}");
            format!(r#"{{"name":"{name}","id":"{0}/providers/Microsoft.Network/privateEndpoints/{name}","type":"Microsoft.Network/privateEndpoints","location":"westeurope",{tags},"properties":{{"provisioningState":"Succeeded","privateLinkServiceConnections":[{{"name":"{name}","id":"{0}/providers/Microsoft.Network/privateEndpoints/{name}/privateLinkServiceConnections/{name}","properties":{{"provisioningState":"Succeeded","privateLinkServiceId":"{1}","groupIds":["vault"],"privateLinkServiceConnectionState":{{"status":"Approved","description":"","actionsRequired":"None"}}}}}}],"manualPrivateLinkServiceConnections":[],"subnet":{{"id":"{0}/providers/Microsoft.Network/virtualNetworks/vnet-hub/subnets/snet-app"}}}}}}"#, rg(n), vault(n))
        });
        self.list(&at("/providers/Microsoft.Network/privateEndpoints"), PAGE, &endpoints.collect::<Vec<_>>());

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
            let path = format!("{}/providers/Microsoft.Insights/diagnosticSettings", vault(number));
            self.contents(&vault(number));
            second.vaults.push(resource(&vault(number), &name, "Microsoft.KeyVault/vaults", "", ""));
            self.list(&path, PAGE, if number % 10 == 9 { &[] } else { std::slice::from_ref(&setting) });
        }
        self.list(&at("/providers/Microsoft.KeyVault/vaults"), 200, &listed);
        self.one(
            &format!("/arm{}", at("/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics")),
            format!(
                r#"{{"subscriptionId":"{}","roleAssignmentsLimit":4000,"roleAssignmentsCurrentCount":{2},"roleAssignmentsRemainingCount":{1}}}"#,
                guid(0x5b, sub, 0),
                4000 - size.assignments,
                size.assignments
            ),
        );
        let own = r#"{"actions":["*/read"],"notActions":[],"dataActions":[],"notDataActions":[]}"#.to_owned();
        self.list(&at("/providers/Microsoft.Authorization/permissions"), PAGE, &[own]);

        self.list(&at("/providers/Microsoft.Authorization/roleDefinitions"), PAGE, &definitions(id));
        let (listed, rows): (Vec<String>, Vec<String>) =
            (0..size.assignments).map(|number| assignment(size, sub, id, number, &rg, &vault, &identity)).unzip();
        second.assignments.extend(rows);
        self.list(&at("/providers/Microsoft.Authorization/roleAssignments"), PAGE, &listed);

        self.people(sub, directory);

        // the workspace
        let customer = guid(0x3a, sub, 0);
        let has_workspace = sub.is_multiple_of(10);
        let workspace = format!(
            r#"{{"properties":{{"customerId":"{customer}","provisioningState":"Succeeded","sku":{{"name":"PerGB2018","lastSkuUpdate":"2025-01-01T00:00:00.0000000Z"}},"retentionInDays":180,"features":{{"legacy":0,"searchVersion":1,"enableLogAccessUsingOnlyResourcePermissions":true}},"workspaceCapping":{{"dailyQuotaGb":-1.0}},"publicNetworkAccessForIngestion":"Enabled","publicNetworkAccessForQuery":"Enabled","createdDate":"2025-01-01T00:00:00.0000000Z"}},"location":"westeurope",{tags},"id":"{workspace_id}","name":"law-{sub:03}","type":"Microsoft.OperationalInsights/workspaces"}}"#
        );
        self.list(
            &at("/providers/Microsoft.OperationalInsights/workspaces"),
            PAGE,
            if has_workspace { std::slice::from_ref(&workspace) } else { &[] },
        );
        if has_workspace {
            let tables = (0..700).map(|number| {
                let name = match number { 0 => "AZKVAuditLogs".to_owned(), 1 => "AzureDiagnostics".to_owned(), _ => format!("Table{number:04}") };
                format!(r#"{{"properties":{{"totalRetentionInDays":180,"archiveRetentionInDays":0,"plan":"Analytics","retentionInDaysAsDefault":true,"totalRetentionInDaysAsDefault":true,"schema":{{"tableSubType":"Any","name":"{name}","tableType":"Microsoft","standardColumns":[{{"name":"TenantId","type":"guid","description":"The Log Analytics workspace ID","isDefaultDisplay":false,"isHidden":false}},{{"name":"TimeGenerated","type":"datetime","description":"The time at which the data was generated","isDefaultDisplay":false,"isHidden":false}}],"solutions":["LogManagement"],"isTroubleshootingAllowed":true}},"provisioningState":"Succeeded","retentionInDays":180}},"id":"{workspace_id}/tables/{name}","name":"{name}"}}"#)
            });
            let path = format!("{workspace_id}/tables");
            self.list(&path, PAGE, &tables.collect::<Vec<_>>());
            self.logs.insert(customer, Log::of(size, sub, &vault));
        }
    }
    /// Two keys and two secrets of a vault: names and attributes.
    fn contents(&mut self, vault: &str) {
        let attributes = r#""attributes":{"enabled":true,"nbf":1767225600,"exp":1830297600,"created":1767225600,"updated":1767225600,"recoveryLevel":"Recoverable+Purgeable"}"#;
        let address = format!("https://{}.vault.azure.net", vault.rsplit('/').next().unwrap_or_default());
        let keys = ["signing", "wrapping"].map(|name| {
            format!(r#"{{"id":"{vault}/keys/{name}","name":"{name}","type":"Microsoft.KeyVault/vaults/keys","location":"westeurope","tags":{{}},"properties":{{{attributes},"kty":"RSA","keyOps":["sign","verify"],"keySize":3072,"keyUri":"{address}/keys/{name}"}}}}"#)
        });
        self.list(&format!("{vault}/keys"), 25, &keys);
        let secrets = ["db-password", "partner-token"].map(|name| {
            format!(r#"{{"id":"{vault}/secrets/{name}","name":"{name}","type":"Microsoft.KeyVault/vaults/secrets","location":"westeurope","tags":{{}},"properties":{{{attributes},"contentType":"text/plain","secretUri":"{address}/secrets/{name}"}}}}"#)
        });
        self.list(&format!("{vault}/secrets"), 25, &secrets);
    }
}
