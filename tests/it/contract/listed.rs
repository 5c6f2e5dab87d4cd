//! Where each question and each kept field is documented; what is in no specification stands here with its source.

use tickmark::evidence::Kind;

/// Kind of question, and the specification that has its operation. `up:` is Microsoft's repository of
/// specifications, later than the copy that is tested against.
pub(super) const SPECIFICATIONS: &[(Kind, &str)] = &[
    (Kind::Subscriptions, "Microsoft.Resources/2022-12-01/subscriptions.json"),
    (Kind::ManagementGroups, "Microsoft.Management/2023-04-01/management.json"),
    (Kind::ManagementGroupDescendants, "Microsoft.Management/2023-04-01/management.json"),
    (Kind::Entities, "Microsoft.Management/2023-04-01/management.json"),
    // `Vaults_List` is the list of resources, filtered
    (Kind::Resources, "Microsoft.KeyVault/2023-07-01/keyvault.json"),
    (Kind::VirtualMachines, "Microsoft.Compute/2024-03-01/virtualMachine.json"),
    (Kind::UserAssignedIdentities, "Microsoft.ManagedIdentity/2023-01-31/ManagedIdentity.json"),
    (Kind::FederatedCredentials, "Microsoft.ManagedIdentity/2023-01-31/ManagedIdentity.json"),
    (Kind::Vaults, "Microsoft.KeyVault/2023-07-01/keyvault.json"),
    (Kind::DeletedVaults, "Microsoft.KeyVault/2023-07-01/keyvault.json"),
    (Kind::ScaleSets, "Microsoft.Compute/2024-03-01/virtualMachineScaleSet.json"),
    (Kind::Sites, "Microsoft.Web/2023-12-01/WebApps.json"),
    (Kind::SiteSlots, "Microsoft.Web/2023-12-01/WebApps.json"),
    (Kind::SettingReferences, "Microsoft.Web/2023-12-01/WebApps.json"),
    (Kind::ConnectionReferences, "Microsoft.Web/2023-12-01/WebApps.json"),
    (Kind::ContainerApps, "Microsoft.App/2024-03-01/ContainerApps.json"),
    (Kind::ManagedClusters, "Microsoft.ContainerService/2024-02-01/managedClusters.json"),
    (Kind::DataFactories, "Microsoft.DataFactory/2018-06-01/datafactory.json"),
    (Kind::LinkedServices, "Microsoft.DataFactory/2018-06-01/datafactory.json"),
    (Kind::SynapseWorkspaces, "Microsoft.Synapse/2021-06-01/workspace.json"),
    (Kind::DatabricksWorkspaces, "Microsoft.Databricks/2024-05-01/databricks.json"),
    (Kind::AccessConnectors, "Microsoft.Databricks/2024-05-01/accessconnector.json"),
    (Kind::DiskEncryptionSets, "Microsoft.Compute.DiskRP/2023-10-02/diskEncryptionSet.json"),
    (Kind::SqlServers, "Microsoft.Sql/2021-11-01/Servers.json"),
    (Kind::EncryptionProtectors, "Microsoft.Sql/2021-11-01/EncryptionProtectors.json"),
    (Kind::StorageAccounts, "Microsoft.Storage/2023-05-01/storage.json"),
    (Kind::CosmosAccounts, "Microsoft.DocumentDB/2024-05-15/cosmos-db.json"),
    (Kind::CognitiveAccounts, "Microsoft.CognitiveServices/2023-05-01/cognitiveservices.json"),
    (Kind::SearchServices, "Microsoft.Search/2023-11-01/search.json"),
    (Kind::PostgresServers, "Microsoft.DBforPostgreSQL/2022-12-01/FlexibleServers.json"),
    (Kind::ManagedHsms, "Microsoft.KeyVault/2023-07-01/managedHsm.json"),
    (Kind::VaultDataKeys, "Microsoft.KeyVault.DataPlane/7.5/keys.json"),
    (Kind::VaultDataSecrets, "Microsoft.KeyVault.DataPlane/7.5/secrets.json"),
    (Kind::VaultDataCertificates, "Microsoft.KeyVault.DataPlane/7.5/certificates.json"),
    (Kind::VaultDeletedKeys, "Microsoft.KeyVault.DataPlane/7.5/keys.json"),
    (Kind::VaultDeletedSecrets, "Microsoft.KeyVault.DataPlane/7.5/secrets.json"),
    (Kind::VaultDeletedCertificates, "Microsoft.KeyVault.DataPlane/7.5/certificates.json"),
    (Kind::VaultKeys, "Microsoft.KeyVault/2023-07-01/keys.json"),
    (Kind::VaultSecrets, "Microsoft.KeyVault/2023-07-01/secrets.json"),
    (Kind::RoleAssignments, "Microsoft.Authorization/2022-04-01/authorization-RoleAssignmentsCalls.json"),
    (Kind::RoleDefinitions, "Microsoft.Authorization/2022-04-01/authorization-RoleDefinitionsCalls.json"),
    (Kind::DenyAssignments, "Microsoft.Authorization/2022-04-01/authorization-DenyAssignmentCalls.json"),
    (Kind::ClassicAdministrators, "Microsoft.Authorization/2015-07-01/authorization-ClassicAdminCalls.json"),
    (Kind::Locks, "Microsoft.Authorization/2020-05-01/locks.json"),
    (Kind::RegistrationAssignments, "Microsoft.ManagedServices/2022-10-01/managedservices.json"),
    (Kind::RoleEligibilityScheduleInstances, "Microsoft.Authorization/2020-10-01/RoleEligibilityScheduleInstance.json"),
    (Kind::RoleAssignmentScheduleInstances, "Microsoft.Authorization/2020-10-01/RoleAssignmentScheduleInstance.json"),
    (Kind::RoleAssignmentScheduleRequests, "Microsoft.Authorization/2020-10-01/RoleAssignmentScheduleRequest.json"),
    (Kind::RoleEligibilityScheduleRequests, "Microsoft.Authorization/2020-10-01/RoleEligibilityScheduleRequest.json"),
    (Kind::RoleManagementPolicyAssignments, "Microsoft.Authorization/2020-10-01/RoleManagementPolicyAssignment.json"),
    (Kind::OwnPermissions, "Microsoft.Authorization/2022-04-01/authorization-RoleDefinitionsCalls.json"),
    (Kind::DiagnosticSettings, "Microsoft.Insights/2021-05-01-preview/diagnosticsSettings_API.json"),
    (Kind::SubscriptionExports, "Microsoft.Insights/2021-05-01-preview/subscriptionDiagnosticsSettings_API.json"),
    (Kind::ManagementGroupExports, "Microsoft.Insights/2021-05-01-preview/managementGroupDiagnosticSettings_API.json"),
    (Kind::DirectoryExports, "microsoft.aadiam/2017-04-01-preview/azureactivedirectory.json"),
    (Kind::ActivityOfAuthorization, "Microsoft.Insights/2015-04-01/activityLogs_API.json"),
    (Kind::ActivityOfVaults, "Microsoft.Insights/2015-04-01/activityLogs_API.json"),
    (Kind::ActivityOfDiagnosticSettings, "Microsoft.Insights/2015-04-01/activityLogs_API.json"),
    (Kind::ActivityOfIdentities, "Microsoft.Insights/2015-04-01/activityLogs_API.json"),
    (Kind::ActivityOfWorkspaces, "Microsoft.Insights/2015-04-01/activityLogs_API.json"),
    (Kind::TenantActivity, "Microsoft.Insights/2015-04-01/tenantActivityLogs_API.json"),
    (Kind::DefenderPlans, "Microsoft.Security/2024-01-01/pricings.json"),
    (Kind::Workspaces, "Microsoft.OperationalInsights/2023-09-01/Workspaces.json"),
    (Kind::Workspace, "Microsoft.OperationalInsights/2023-09-01/Workspaces.json"),
    (Kind::Tables, "Microsoft.OperationalInsights/2022-10-01/Tables.json"),
    (Kind::ResourceGraphIdentities, "Microsoft.ResourceGraph/2022-10-01/resourcegraph.json"),
    (Kind::ResourceGraphVaults, "Microsoft.ResourceGraph/2022-10-01/resourcegraph.json"),
    (Kind::ResourceGraphAssignments, "Microsoft.ResourceGraph/2022-10-01/resourcegraph.json"),
    (Kind::VaultLogDedicated, LOGS),
    (Kind::VaultLogLegacy, LOGS),
    (Kind::VaultLogDedicatedCount, LOGS),
    (Kind::VaultLogLegacyCount, LOGS),
    (Kind::VaultChangesDedicated, LOGS),
    (Kind::VaultChangesLegacy, LOGS),
    (Kind::VaultChangesDedicatedCount, LOGS),
    (Kind::VaultChangesLegacyCount, LOGS),
    (Kind::LogContinuity, LOGS),
    (Kind::Activity, LOGS),
    (Kind::ActivityCount, LOGS),
    (Kind::ActivityContinuity, LOGS),
    (Kind::DirectoryChanges, LOGS),
    (Kind::DirectoryChangesCount, LOGS),
    (Kind::ServicePrincipalSignIns, LOGS),
    (Kind::ManagedIdentitySignIns, LOGS),
    (Kind::UserSignIns, LOGS),
    (Kind::UserTokenSignIns, LOGS),
    (Kind::ServicePrincipalSignInsCount, LOGS),
    (Kind::ManagedIdentitySignInsCount, LOGS),
    (Kind::UserSignInsCount, LOGS),
    (Kind::UserTokenSignInsCount, LOGS),
];

pub(super) const LOGS: &str = "Microsoft.OperationalInsights.DataPlane/v1/OperationalInsights.json";
/// Kinds whose specification is not among the copies: path template, version, source. Their fields are all in
/// [`SHARED_FIELDS`].
pub(super) const ELSEWHERE: &[(Kind, &str, &str, &str)] = &[
    (
        Kind::AutomationAccounts,
        "/subscriptions/{subscriptionId}/providers/Microsoft.Automation/automationAccounts",
        "2023-11-01",
        AUTOMATION,
    ),
    (Kind::LogicApps, "/subscriptions/{subscriptionId}/providers/Microsoft.Logic/workflows", "2019-05-01", LOGIC),
    (
        Kind::PrivateEndpoints,
        "/subscriptions/{subscriptionId}/providers/Microsoft.Network/privateEndpoints",
        "2024-01-01",
        NETWORK,
    ),
    (
        Kind::ActivityLogAlerts,
        "/subscriptions/{subscriptionId}/providers/Microsoft.Insights/activityLogAlerts",
        "2020-10-01",
        ACTIVITY_ALERTS,
    ),
    (
        Kind::LogSearchAlerts,
        "/subscriptions/{subscriptionId}/providers/Microsoft.Insights/scheduledQueryRules",
        "2021-08-01",
        SEARCH_ALERTS,
    ),
    (
        Kind::ActionGroups,
        "/subscriptions/{subscriptionId}/providers/Microsoft.Insights/actionGroups",
        "2023-01-01",
        ACTION_GROUPS,
    ),
];

pub(super) const ACTIVITY_ALERTS: &str = "up:specification/monitor/resource-manager/Microsoft.Insights/stable/2020-10-01/\
     activityLogAlerts_API.json, ActivityLogAlerts_ListBySubscriptionId";
pub(super) const SEARCH_ALERTS: &str = "up:specification/monitor/resource-manager/Microsoft.Insights/stable/2021-08-01/\
     scheduledQueryRule_API.json, ScheduledQueryRules_ListBySubscription";
pub(super) const ACTION_GROUPS: &str = "up:specification/monitor/resource-manager/Microsoft.Insights/stable/2023-01-01/\
     actionGroups_API.json, ActionGroups_ListBySubscriptionId";
pub(super) const AUTOMATION: &str = "up:specification/automation/resource-manager/Microsoft.Automation/stable/2023-11-01/account.json, AutomationAccount_List";
pub(super) const LOGIC: &str = "up:specification/logic/resource-manager/Microsoft.Logic/stable/2019-05-01/logic.json, Workflows_ListBySubscription";
pub(super) const NETWORK: &str = "up:specification/network/resource-manager/Microsoft.Network/stable/2024-01-01/privateEndpoint.json, \
                       PrivateEndpoints_ListBySubscription";

/// Kind of question to Graph, and the file of published exchanges; Graph has no OpenAPI of its own.
pub(super) const EXCHANGES: &[(Kind, &str)] = &[
    (Kind::ManagedIdentityPrincipals, "serviceprincipals-managedidentities.json"),
    (Kind::Applications, "applications-list.json"),
    (Kind::ServicePrincipals, "serviceprincipals-managedidentities.json"),
    (Kind::ApplicationFederatedCredentials, "application-federatedidentitycredentials.json"),
    (Kind::DirectoryRoleInstances, "roleassignmentscheduleinstances.json"),
    (Kind::DirectoryRoleEligibilities, "roleeligibilityscheduleinstances.json"),
    (Kind::ConditionalAccessPolicies, "conditionalaccess-policies.json"),
    (Kind::Principals, "directoryobjects-getbyids.json"),
    (Kind::GroupMembers, "group-transitivemembers.json"),
];

/// Questions that no specification here has: kind, last part of the path, fields of the answer, source.
pub(super) const UNSPECIFIED: &[(Kind, &str, &[&str], &str)] = &[
    (
        Kind::RoleAssignmentsUsageMetrics,
        "/providers/Microsoft.Authorization/roleAssignmentsUsageMetrics?api-version=2019-08-01-preview",
        &["subscriptionId", "roleAssignmentsLimit", "roleAssignmentsCurrentCount", "roleAssignmentsRemainingCount"],
        "PyPI azure-mgmt-authorization 4.0.0, v2019_08_01_preview/operations/_role_assignment_metrics_operations.py",
    ),
    (
        Kind::ArchiveContainers,
        "/blobServices/default/containers?api-version=2023-05-01",
        &[
            "nextLink",
            "value/[]/id",
            "value/[]/type",
            "value/[]/name",
            "value/[]/properties/hasImmutabilityPolicy",
            "value/[]/properties/hasLegalHold",
            "value/[]/properties/deleted",
            "value/[]/properties/lastModifiedTime",
            "value/[]/properties/immutabilityPolicy/properties/immutabilityPeriodSinceCreationInDays",
            "value/[]/properties/immutabilityPolicy/properties/state",
            "value/[]/properties/immutabilityPolicy/properties/allowProtectedAppendWrites",
            "value/[]/properties/immutabilityPolicy/properties/allowProtectedAppendWritesAll",
            "value/[]/properties/legalHold/hasLegalHold",
            "value/[]/properties/immutableStorageWithVersioning/enabled",
            "value/[]/properties/immutableStorageWithVersioning/migrationState",
        ],
        "up:specification/storage/resource-manager/Microsoft.Storage/stable/2023-05-01/blob.json, BlobContainers_List",
    ),
];

/// Kind of question to Graph of which no exchange is at hand: the documented path, and its source.
pub(super) const DOCUMENTED: &[(Kind, &str, &str)] = &[
    (Kind::ApplicationOwners, "GET /v1.0/applications/{id}/owners", OWNERS),
    (Kind::ServicePrincipalOwners, "GET /v1.0/servicePrincipals/{id}/owners", OWNERS),
    (Kind::GroupOwners, "GET /v1.0/groups/{id}/owners", "learn:graph/api/group-list-owners"),
    (
        Kind::GraphAppRoles,
        "GET /v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')",
        "learn:graph/api/serviceprincipal-get, learn:graph/api/resources/approle",
    ),
    (
        Kind::GraphAppRoleAssignments,
        "GET /v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/appRoleAssignedTo",
        "learn:graph/api/serviceprincipal-list-approleassignedto",
    ),
    (
        Kind::DirectoryRoleDefinitions,
        "GET /v1.0/roleManagement/directory/roleDefinitions",
        "learn:graph/api/rbacapplication-list-roledefinitions",
    ),
    (
        Kind::DirectoryRoleAssignments,
        "GET /v1.0/roleManagement/directory/roleAssignments",
        "learn:graph/api/rbacapplication-list-roleassignments",
    ),
    (
        Kind::SecurityDefaults,
        "GET /v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
        "learn:graph/api/identitysecuritydefaultsenforcementpolicy-get",
    ),
    (
        Kind::DefaultAppPolicy,
        "GET /v1.0/policies/defaultAppManagementPolicy",
        "learn:graph/api/tenantappmanagementpolicy-get, learn:graph/api/resources/passwordcredentialconfiguration",
    ),
    (
        Kind::AppPolicies,
        "GET /v1.0/policies/appManagementPolicies",
        "learn:graph/api/appmanagementpolicy-list, learn:graph/api/resources/passwordcredentialconfiguration",
    ),
    (
        Kind::AppPolicyTargets,
        "GET /v1.0/policies/appManagementPolicies/{id}/appliesTo",
        "learn:graph/api/appmanagementpolicy-list-appliesto",
    ),
    (Kind::DeletedApplications, "GET /v1.0/directory/deletedItems/microsoft.graph.application", DELETED),
    (Kind::DeletedServicePrincipals, "GET /v1.0/directory/deletedItems/microsoft.graph.servicePrincipal", DELETED),
    (Kind::DeletedUsers, "GET /v1.0/directory/deletedItems/microsoft.graph.user", DELETED),
    (Kind::DeletedGroups, "GET /v1.0/directory/deletedItems/microsoft.graph.group", DELETED),
    (
        Kind::GroupAssignments,
        "GET /v1.0/identityGovernance/privilegedAccess/group/assignmentScheduleInstances",
        "learn:graph/api/privilegedaccessgroup-list-assignmentscheduleinstances",
    ),
    (
        Kind::GroupEligibilities,
        "GET /v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
        "learn:graph/api/privilegedaccessgroup-list-eligibilityscheduleinstances",
    ),
];

pub(super) const DELETED: &str = "learn:graph/api/directory-deleteditems-list";

pub(super) const OWNERS: &str = "learn:graph/api/application-list-owners, learn:graph/api/serviceprincipal-list-owners; what is \
                      selected is in learn:graph/api/resources/user";

/// Versions that are asked for and are not those of the copies here: kind, version, source.
pub(super) const NEWER: &[(Kind, &str, &str)] = &[
    (Kind::Vaults, "2026-02-01", VAULTS_2026),
    (Kind::DeletedVaults, "2026-02-01", VAULTS_2026),
    (Kind::ManagedHsms, "2026-02-01", VAULTS_2026),
    (Kind::VaultKeys, "2026-02-01", VAULTS_2026),
    (Kind::VaultSecrets, "2026-02-01", VAULTS_2026),
    (Kind::Resources, "2021-04-01", RESOURCES_2021),
    (Kind::DenyAssignments, "2026-09-01", DENIES_2026),
];

pub(super) const VAULTS_2026: &str = "up:specification/keyvault/resource-manager/Microsoft.KeyVault/KeyVault/stable/2026-02-01/openapi.json; \
                           versions before it retire on 2027-02-27 (learn:azure/key-vault/general/access-control-default), \
                           the shapes of these lists are the same";
pub(super) const DENIES_2026: &str = "up:specification/authorization/resource-manager/Microsoft.Authorization/Authorization/stable/2026-09-01; \
     examples/Microsoft.Authorization/DenyAssignments_ListForResourceGroup.2026-09-01.json";
pub(super) const RESOURCES_2021: &str =
    "up:specification/resources/resource-manager/Microsoft.Resources/stable/2021-04-01/resources.json, Resources_List";

/// Questions that the specification has at narrower scopes only: kind, what is put in before the last `/providers/` to
/// make one of those, source.
pub(super) const NARROWER: &[(Kind, &str, &str)] = &[(
    Kind::OwnPermissions,
    "/resourceGroups/any",
    "learn:azure/azure-resource-manager/resource-manager-api-authentication, which asks it of a subscription; that the \
     specification has no such path and the service answers it is told in Azure/azure-rest-api-specs, issue 19473",
)];

/// Query parameters that the specification has otherwise: kind, parameter, why.
pub(super) const PARAMETERS: &[(Kind, &str, &str)] = &[
    (Kind::DefenderPlans, "api-version", "common to the provider; in a file that the copy refers to and lacks"),
    // the copy has the call as it lists vaults; the list of all resources takes no filter
    (Kind::Resources, "$filter", RESOURCES_2021),
];

/// Fields that are read and are not in the specification: kind, path, source.
pub(super) const FIELDS: &[(Kind, &str, &str)] = &[
    (Kind::Subscriptions, "count/type", "learn:rest/api/resources/subscriptions/list, sample response"),
    (Kind::Subscriptions, "count/value", "learn:rest/api/resources/subscriptions/list, sample response"),
    // A page that names a next one is never the last, whatever the specification calls the link.
    (Kind::ManagementGroups, "nextLink", ANY_LINK),
    (Kind::ManagementGroupDescendants, "@nextLink", ANY_LINK),
    (Kind::DiagnosticSettings, "nextLink", ANY_LINK),
    (Kind::Workspaces, "nextLink", ANY_LINK),
    (Kind::Tables, "nextLink", ANY_LINK),
    (Kind::Principals, "@odata.nextLink", GRAPH_PAGES),
    (Kind::Principals, "@odata.count", GRAPH_PAGES),
    (Kind::GroupMembers, "@odata.nextLink", GRAPH_PAGES),
    (Kind::GroupMembers, "value/[]/userType", GRAPH_TYPES),
    (Kind::Resources, "value/[]/managedBy", RESOURCES_2021),
    (Kind::Resources, "value/[]/kind", RESOURCES_2021),
    (Kind::Resources, "value/[]/identity/type", RESOURCES_2021),
    (Kind::Resources, "value/[]/identity/principalId", RESOURCES_2021),
    (Kind::Resources, "value/[]/identity/tenantId", RESOURCES_2021),
    (Kind::Resources, "value/[]/identity/userAssignedIdentities/*/principalId", RESOURCES_2021),
    (Kind::Resources, "value/[]/identity/userAssignedIdentities/*/clientId", RESOURCES_2021),
    (Kind::OwnPermissions, "value/[]/condition", ROLE_CONDITIONS),
    (Kind::OwnPermissions, "value/[]/conditionVersion", ROLE_CONDITIONS),
    (Kind::RoleDefinitions, "value/[]/properties/permissions/[]/condition", ROLE_CONDITIONS),
    (Kind::RoleDefinitions, "value/[]/properties/permissions/[]/conditionVersion", ROLE_CONDITIONS),
    (Kind::DenyAssignments, "value/[]/properties/denyAssignmentEffect", DENIES_2026),
    (
        Kind::RoleManagementPolicyAssignments,
        "value/[]/properties/effectiveRules/[]/setting/approvalStages/[]/escalationApprovers/[]/id",
        POLICY_RULES,
    ),
    (
        Kind::RoleManagementPolicyAssignments,
        "value/[]/properties/effectiveRules/[]/setting/approvalStages/[]/escalationApprovers/[]/userType",
        POLICY_RULES,
    ),
    (Kind::ResourceGraphIdentities, "data/[]/identityType", COLUMNS),
    (Kind::ResourceGraphIdentities, "data/[]/principalId", COLUMNS),
    (Kind::ResourceGraphAssignments, "data/[]/principalId", COLUMNS),
    (Kind::ResourceGraphAssignments, "data/[]/roleDefinitionId", COLUMNS),
    (Kind::ResourceGraphAssignments, "data/[]/scope", COLUMNS),
    (Kind::ResourceGraphAssignments, "data/[]/createdOn", COLUMNS),
    // one section of the list serves both questions to the directory; each answers with a part of it
    (Kind::ManagedIdentityPrincipals, "value/[]/@odata.type", GRAPH_TYPES),
    (Kind::Principals, "value/[]/userType", GRAPH_TYPES),
    (Kind::Principals, "value/[]/appOwnerOrganizationId", GRAPH_TYPES),
    (Kind::Principals, "value/[]/alternativeNames/[]", GRAPH_TYPES),
    (Kind::Applications, "@odata.nextLink", GRAPH_PAGES),
    (Kind::Applications, "@odata.count", GRAPH_PAGES),
    (Kind::Applications, "value/[]/tags/[]", "learn:graph/api/resources/application"),
    (Kind::ServicePrincipals, "value/[]/@odata.type", GRAPH_TYPES),
    (Kind::ServicePrincipals, "value/[]/preferredSingleSignOnMode", GRAPH_TYPES),
    (Kind::ServicePrincipals, "value/[]/tags/[]", GRAPH_TYPES),
    (Kind::ServicePrincipals, "value/[]/passwordCredentials/[]/keyId", PASSWORDS),
    (Kind::ServicePrincipals, "value/[]/passwordCredentials/[]/displayName", PASSWORDS),
    (Kind::ServicePrincipals, "value/[]/passwordCredentials/[]/startDateTime", PASSWORDS),
    (Kind::ServicePrincipals, "value/[]/passwordCredentials/[]/endDateTime", PASSWORDS),
    (Kind::ApplicationFederatedCredentials, "@odata.nextLink", GRAPH_PAGES),
    (Kind::Principals, "value/[]/isAssignableToRole", "learn:graph/api/resources/group"),
    (Kind::DirectoryRoleInstances, "@odata.nextLink", GRAPH_PAGES),
    (Kind::DirectoryRoleEligibilities, "@odata.nextLink", GRAPH_PAGES),
    (Kind::ConditionalAccessPolicies, "@odata.nextLink", GRAPH_PAGES),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/users/excludeUsers/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/users/includeGroups/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/users/excludeGroups/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/users/includeRoles/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/users/excludeRoles/[]", CONDITIONS),
    (
        Kind::ConditionalAccessPolicies,
        "value/[]/conditions/users/includeGuestsOrExternalUsers/guestOrExternalUserTypes",
        CONDITIONS,
    ),
    (
        Kind::ConditionalAccessPolicies,
        "value/[]/conditions/users/excludeGuestsOrExternalUsers/guestOrExternalUserTypes",
        CONDITIONS,
    ),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/applications/excludeApplications/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/applications/includeUserActions/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/applications/applicationFilter/mode", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/clientApplications/excludeServicePrincipals/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/clientApplications/servicePrincipalFilter/mode", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/servicePrincipalRiskLevels/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/signInRiskLevels/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/userRiskLevels/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/platforms/includePlatforms/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/platforms/excludePlatforms/[]", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/devices/deviceFilter/mode", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/insiderRiskLevels", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/conditions/authenticationFlows/transferMethods", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/grantControls/authenticationStrength/id", CONDITIONS),
    (Kind::ConditionalAccessPolicies, "value/[]/grantControls/authenticationStrength/displayName", CONDITIONS),
];

pub(super) const COLUMNS: &str = "a column that our own query makes; the specification leaves rows open";
pub(super) const POLICY_RULES: &str =
    "spec:Microsoft.Authorization/2020-10-01/common-types.json, ApprovalStage: one rule of several forms";
/// Fields that are read and are not in the specification, for several kinds with one source: kinds, paths, source.
pub(super) const SHARED_FIELDS: &[(&[Kind], &[&str], &str)] = &[
    (
        &[Kind::AutomationAccounts, Kind::LogicApps, Kind::PrivateEndpoints],
        &["nextLink", "value/[]/id", "value/[]/type", "value/[]/name", "value/[]/location", "value/[]/tags"],
        "see ELSEWHERE; common-types/resource-management, TrackedResource",
    ),
    (
        &[Kind::AutomationAccounts, Kind::LogicApps, Kind::SqlServers],
        &["value/[]/identity/type", "value/[]/identity/principalId", "value/[]/identity/tenantId"],
        IDENTITIES,
    ),
    (
        &[Kind::AutomationAccounts, Kind::LogicApps, Kind::SqlServers, Kind::DataFactories, Kind::DiskEncryptionSets],
        &[
            "value/[]/identity/userAssignedIdentities/*/principalId",
            "value/[]/identity/userAssignedIdentities/*/clientId",
        ],
        IDENTITIES,
    ),
    (
        &[Kind::ActivityLogAlerts, Kind::LogSearchAlerts, Kind::ActionGroups],
        &["nextLink", "value/[]/id", "value/[]/type", "value/[]/name", "value/[]/properties/enabled"],
        "see ELSEWHERE",
    ),
    (&[Kind::ActivityLogAlerts, Kind::LogSearchAlerts], &["value/[]/properties/scopes/[]"], "see ELSEWHERE"),
    (
        &[Kind::ActivityLogAlerts],
        &[
            "value/[]/properties/condition/allOf/[]/field",
            "value/[]/properties/condition/allOf/[]/equals",
            "value/[]/properties/condition/allOf/[]/containsAny/[]",
            "value/[]/properties/condition/allOf/[]/anyOf/[]/field",
            "value/[]/properties/condition/allOf/[]/anyOf/[]/equals",
            "value/[]/properties/condition/allOf/[]/anyOf/[]/containsAny/[]",
            "value/[]/properties/actions/actionGroups/[]/actionGroupId",
        ],
        ACTIVITY_ALERTS,
    ),
    (&[Kind::LogSearchAlerts], &["value/[]/kind", "value/[]/properties/actions/actionGroups/[]"], SEARCH_ALERTS),
    (
        &[Kind::ActionGroups],
        &[
            "value/[]/properties/emailReceivers/[]/status",
            "value/[]/properties/smsReceivers/[]/status",
            "value/[]/properties/voiceReceivers/[]/countryCode",
            "value/[]/properties/webhookReceivers/[]/useCommonAlertSchema",
            "value/[]/properties/automationRunbookReceivers/[]/useCommonAlertSchema",
            "value/[]/properties/logicAppReceivers/[]/useCommonAlertSchema",
            "value/[]/properties/azureFunctionReceivers/[]/useCommonAlertSchema",
            "value/[]/properties/armRoleReceivers/[]/useCommonAlertSchema",
            "value/[]/properties/eventHubReceivers/[]/useCommonAlertSchema",
        ],
        ACTION_GROUPS,
    ),
    (&[Kind::LogicApps], &["value/[]/properties/state"], LOGIC),
    (
        &[Kind::PrivateEndpoints],
        &[
            "value/[]/properties/privateLinkServiceConnections/[]/properties/privateLinkServiceId",
            "value/[]/properties/privateLinkServiceConnections/[]/properties/groupIds/[]",
            "value/[]/properties/privateLinkServiceConnections/[]/properties/privateLinkServiceConnectionState/status",
            "value/[]/properties/manualPrivateLinkServiceConnections/[]/properties/privateLinkServiceId",
            "value/[]/properties/manualPrivateLinkServiceConnections/[]/properties/groupIds/[]",
            "value/[]/properties/manualPrivateLinkServiceConnections/[]/properties/privateLinkServiceConnectionState/status",
        ],
        NETWORK,
    ),
    (
        &[Kind::VirtualMachines],
        &["value/[]/properties/osProfile/secrets/[]/sourceVault/id"],
        "up:specification/compute/resource-manager/Microsoft.Compute/common-types/v1/common.json, SubResource",
    ),
    // the settings of an extension are an object without a schema
    (
        &[Kind::VirtualMachines],
        &["value/[]/resources/[]/properties/settings/secretsManagementSettings/observedCertificates/[]"],
        EXTENSION,
    ),
    (
        &[Kind::ScaleSets],
        &[
            "value/[]/properties/virtualMachineProfile/extensionProfile/extensions/[]/properties/settings/secretsManagementSettings/observedCertificates/[]",
        ],
        EXTENSION,
    ),
    (
        &[Kind::ContainerApps],
        &[
            "value/[]/properties/configuration/secrets/[]/name",
            "value/[]/properties/configuration/secrets/[]/keyVaultUrl",
            "value/[]/properties/configuration/secrets/[]/identity",
        ],
        "up:specification/app/resource-manager/Microsoft.App/stable/2024-03-01/CommonDefinitions.json, Secret",
    ),
    // in the schema these are maps by name: `UserAssignedIdentity` and `ManagedClusterAddonProfile`
    (
        &[Kind::ManagedClusters],
        &[
            "value/[]/properties/identityProfile/kubeletidentity/resourceId",
            "value/[]/properties/identityProfile/kubeletidentity/clientId",
            "value/[]/properties/identityProfile/kubeletidentity/objectId",
            "value/[]/properties/addonProfiles/azureKeyvaultSecretsProvider/enabled",
            "value/[]/properties/addonProfiles/azureKeyvaultSecretsProvider/identity/resourceId",
            "value/[]/properties/addonProfiles/azureKeyvaultSecretsProvider/identity/clientId",
            "value/[]/properties/addonProfiles/azureKeyvaultSecretsProvider/identity/objectId",
        ],
        "learn:azure/aks/use-managed-identity and learn:azure/aks/csi-secrets-store-driver, which give the names",
    ),
    (
        &[Kind::LinkedServices],
        &["value/[]/properties/typeProperties/baseUrl", "value/[]/properties/typeProperties/credential/referenceName"],
        "up:specification/datafactory/resource-manager/Microsoft.DataFactory/stable/2018-06-01/entityTypes/LinkedService.json, \
         AzureKeyVaultLinkedServiceTypeProperties",
    ),
    (
        &[Kind::SqlServers],
        &["value/[]/tags"],
        "up:specification/sql/resource-manager/common/v1/types.json, TrackedResource",
    ),
    (
        &[
            Kind::CosmosAccounts,
            Kind::SubscriptionExports,
            Kind::ManagementGroupExports,
            Kind::DirectoryExports,
            Kind::DefenderPlans,
        ],
        &["nextLink"],
        ANY_LINK,
    ),
    (&[Kind::Entities], &["@nextLink"], ANY_LINK),
    (
        &[Kind::DirectoryExports],
        &["value/[]/properties/logs/[]/categoryGroup"],
        "spec:Microsoft.Insights/2021-05-01-preview/diagnosticsSettings_API.json, LogSettings",
    ),
    // claims and properties are maps of any strings in the specification
    (
        &[
            Kind::ActivityOfAuthorization,
            Kind::ActivityOfVaults,
            Kind::ActivityOfDiagnosticSettings,
            Kind::ActivityOfIdentities,
            Kind::ActivityOfWorkspaces,
            Kind::TenantActivity,
        ],
        &[
            "value/[]/claims/http:~1~1schemas.microsoft.com~1identity~1claims~1objectidentifier",
            "value/[]/claims/idtyp",
            "value/[]/claims/xms_mirid",
        ],
        ACTIVITY,
    ),
    (
        &[Kind::ActivityOfAuthorization, Kind::TenantActivity],
        &["value/[]/properties/requestbody", "value/[]/properties/responseBody"],
        ACTIVITY,
    ),
];

pub(super) const IDENTITIES: &str = "up:specification/common-types/resource-management, ManagedServiceIdentity, which the provider's own \
                          definition follows";
pub(super) const ACTIVITY: &str = "learn:azure/azure-monitor/platform/activity-log-schema; learn:entra/identity-platform/access-token-claims-reference";
pub(super) const EXTENSION: &str = "learn:azure/virtual-machines/extensions/key-vault-linux";

pub(super) const ANY_LINK: &str =
    "learn:rest/api/azure, paging of Resource Manager; `@nextLink` is the specification's for groups";
pub(super) const GRAPH_PAGES: &str = "learn:graph/paging";
pub(super) const GRAPH_TYPES: &str = "learn:graph/api/resources/serviceprincipal and learn:graph/api/resources/user";
// published with empty lists and nulls in these places
pub(super) const CONDITIONS: &str = "learn:graph/api/resources/conditionalaccessconditionset, \
                          learn:graph/api/resources/conditionalaccessgrantcontrols";
pub(super) const PASSWORDS: &str =
    "learn:graph/api/resources/passwordcredential, as in the published list of applications";
pub(super) const ROLE_CONDITIONS: &str =
    "up:specification/authorization/resource-manager/Microsoft.Authorization/Authorization, RoleDefinition permissions";

// ---- tests -----------------------------------------------------------------------------------------------------
