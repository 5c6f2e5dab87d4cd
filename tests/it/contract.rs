//! What is asked and what is read, held against Microsoft's own specifications of the services.
//!
//! A run over a recorded tenant tells every request; the list of what may be kept tells every field that anything
//! can read. Each request must be an operation of the specification, with the parameters that it requires, and
//! each field must be in the schema of its answer. What differs stands in a table here, with its source.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use tickmark::azure::{Answer, Api, Ask, Cloud, Door, Pace, Recording, TokenFacts, Transport, TransportError};
use tickmark::collect::{CollectRequest, Keeper, Personal, Progress, collect};
use tickmark::evidence::{EvidenceError, Expected, Kind, Page, Period, Record, Tool, VaultObjects};
use url::Url;

use super::harness::tenant_folder;

// ---- tables ----------------------------------------------------------------------------------------------------

/// Kind of question, and the specification that has its operation. `up:` is Microsoft's repository of
/// specifications, later than the copy that is tested against.
const SPECIFICATIONS: &[(Kind, &str)] = &[
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

const LOGS: &str = "Microsoft.OperationalInsights.DataPlane/v1/OperationalInsights.json";
/// Kinds whose specification is not among the copies: path template, version, source. Their fields are all in
/// [`SHARED_FIELDS`].
const ELSEWHERE: &[(Kind, &str, &str, &str)] = &[
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
];

const AUTOMATION: &str = "up:specification/automation/resource-manager/Microsoft.Automation/stable/2023-11-01/account.json, AutomationAccount_List";
const LOGIC: &str = "up:specification/logic/resource-manager/Microsoft.Logic/stable/2019-05-01/logic.json, Workflows_ListBySubscription";
const NETWORK: &str = "up:specification/network/resource-manager/Microsoft.Network/stable/2024-01-01/privateEndpoint.json, \
                       PrivateEndpoints_ListBySubscription";

/// Kind of question to Graph, and the file of published exchanges; Graph has no OpenAPI of its own.
const EXCHANGES: &[(Kind, &str)] = &[
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
const UNSPECIFIED: &[(Kind, &str, &[&str], &str)] = &[
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
const DOCUMENTED: &[(Kind, &str, &str)] = &[
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

const DELETED: &str = "learn:graph/api/directory-deleteditems-list";

const OWNERS: &str = "learn:graph/api/application-list-owners, learn:graph/api/serviceprincipal-list-owners; what is \
                      selected is in learn:graph/api/resources/user";

/// Versions that are asked for and are not those of the copies here: kind, version, source.
const NEWER: &[(Kind, &str, &str)] = &[
    (Kind::Vaults, "2026-02-01", VAULTS_2026),
    (Kind::DeletedVaults, "2026-02-01", VAULTS_2026),
    (Kind::ManagedHsms, "2026-02-01", VAULTS_2026),
    (Kind::VaultKeys, "2026-02-01", VAULTS_2026),
    (Kind::VaultSecrets, "2026-02-01", VAULTS_2026),
    (Kind::Resources, "2021-04-01", RESOURCES_2021),
    (Kind::DenyAssignments, "2026-09-01", DENIES_2026),
];

const VAULTS_2026: &str = "up:specification/keyvault/resource-manager/Microsoft.KeyVault/KeyVault/stable/2026-02-01/openapi.json; \
                           versions before it retire on 2027-02-27 (learn:azure/key-vault/general/access-control-default), \
                           the shapes of these lists are the same";
const DENIES_2026: &str = "up:specification/authorization/resource-manager/Microsoft.Authorization/Authorization/stable/2026-09-01; \
     examples/Microsoft.Authorization/DenyAssignments_ListForResourceGroup.2026-09-01.json";
const RESOURCES_2021: &str =
    "up:specification/resources/resource-manager/Microsoft.Resources/stable/2021-04-01/resources.json, Resources_List";

/// Questions that the specification has at narrower scopes only: kind, what is put in before the last `/providers/` to
/// make one of those, source.
const NARROWER: &[(Kind, &str, &str)] = &[(
    Kind::OwnPermissions,
    "/resourceGroups/any",
    "learn:azure/azure-resource-manager/resource-manager-api-authentication, which asks it of a subscription; that the \
     specification has no such path and the service answers it is told in Azure/azure-rest-api-specs, issue 19473",
)];

/// Query parameters that the specification has otherwise: kind, parameter, why.
const PARAMETERS: &[(Kind, &str, &str)] = &[
    (Kind::DefenderPlans, "api-version", "common to the provider; in a file that the copy refers to and lacks"),
    // the copy has the call as it lists vaults; the list of all resources takes no filter
    (Kind::Resources, "$filter", RESOURCES_2021),
];

/// Fields that are read and are not in the specification: kind, path, source.
const FIELDS: &[(Kind, &str, &str)] = &[
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

const COLUMNS: &str = "a column that our own query makes; the specification leaves rows open";
const POLICY_RULES: &str =
    "spec:Microsoft.Authorization/2020-10-01/common-types.json, ApprovalStage: one rule of several forms";
/// Fields that are read and are not in the specification, for several kinds with one source: kinds, paths, source.
const SHARED_FIELDS: &[(&[Kind], &[&str], &str)] = &[
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

const IDENTITIES: &str = "up:specification/common-types/resource-management, ManagedServiceIdentity, which the provider's own \
                          definition follows";
const ACTIVITY: &str = "learn:azure/azure-monitor/platform/activity-log-schema; learn:entra/identity-platform/access-token-claims-reference";
const EXTENSION: &str = "learn:azure/virtual-machines/extensions/key-vault-linux";

const ANY_LINK: &str =
    "learn:rest/api/azure, paging of Resource Manager; `@nextLink` is the specification's for groups";
const GRAPH_PAGES: &str = "learn:graph/paging";
const GRAPH_TYPES: &str = "learn:graph/api/resources/serviceprincipal and learn:graph/api/resources/user";
// published with empty lists and nulls in these places
const CONDITIONS: &str = "learn:graph/api/resources/conditionalaccessconditionset, \
                          learn:graph/api/resources/conditionalaccessgrantcontrols";
const PASSWORDS: &str = "learn:graph/api/resources/passwordcredential, as in the published list of applications";
const ROLE_CONDITIONS: &str =
    "up:specification/authorization/resource-manager/Microsoft.Authorization/Authorization, RoleDefinition permissions";

// ---- tests -----------------------------------------------------------------------------------------------------

#[test]
fn every_request_is_an_operation_of_its_specification() {
    let Some(shared) = shared() else { return };
    let mut wrong = Vec::new();
    let requests = requests();
    let asked: BTreeSet<Kind> = requests.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(asked, Kind::ALL.iter().copied().collect(), "the recording does not lead to every kind of question");
    for (kind, method, url) in &requests {
        if let Some((_, path, ..)) = unspecified(*kind) {
            wrong.extend((!url.as_str().ends_with(path)).then(|| format!("{kind:?}: {url} is not as it is known")));
            continue;
        }
        match specification(*kind) {
            Some(file) => {
                let specification = Specification::open(&shared, file);
                wrong.extend(specification.differences(*kind, method, url));
            }
            None if elsewhere(*kind).is_some() => wrong.extend(unlike_elsewhere(*kind, method, url)),
            None => wrong.extend(unlike_exchanges(&shared, *kind, method, url)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_field_that_may_be_kept_is_in_the_schema_of_its_answer() {
    let Some(shared) = shared() else { return };
    let (mut wrong, mut listed) = (Vec::new(), BTreeSet::new());
    let requests = requests();
    for (kind, path) in fields() {
        let (_, method, url) = requests.iter().find(|(asked, ..)| *asked == kind).expect("it was asked");
        let is_there = match specification(kind) {
            _ if unspecified(kind).is_some_and(|(_, _, fields, _)| fields.contains(&path.join("/").as_str())) => true,
            Some(file) => Specification::open(&shared, file).has_field(method, url, &path),
            None if elsewhere(kind).is_some() => false,
            // every field of what is only documented is by its source
            None if DOCUMENTED.iter().any(|(of, ..)| *of == kind) => continue,
            None => exchanges(&shared, kind).iter().any(|body| holds(body, &path)),
        };
        let is_listed = listed_fields().any(|(of, field)| of == kind && field == path.join("/"));
        match (is_there, is_listed) {
            (true, true) => wrong.push(format!("{kind:?} {} is listed here and is in the schema", path.join("/"))),
            (false, false) => wrong.push(format!("{kind:?} {} is not in the schema", path.join("/"))),
            _ => {}
        }
        listed.insert((kind, path.join("/")));
    }
    let gone = listed_fields().filter(|(kind, field)| !listed.contains(&(*kind, (*field).to_owned())));
    wrong.extend(gone.map(|(kind, field)| format!("{kind:?} {field} is listed here and is not read any more")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Kind and path of every field that has a source of its own.
fn listed_fields() -> impl Iterator<Item = (Kind, &'static str)> {
    let shared = SHARED_FIELDS
        .iter()
        .flat_map(|(kinds, fields, _)| kinds.iter().flat_map(|kind| fields.iter().map(|field| (*kind, *field))));
    FIELDS.iter().map(|(kind, field, _)| (*kind, *field)).chain(shared)
}

/// Name of a cloud in the table that Microsoft's own tool ships, and what we call it.
const CLOUDS: [(&str, &str); 3] =
    [("AzureCloud", "public"), ("AzureUSGovernment", "usgov"), ("AzureChinaCloud", "china")];

#[test]
fn clouds_are_those_of_microsofts_own_table() {
    let Some(azure) = shared() else { return };
    let table = fs::read(azure.join("reference/clouds.json")).expect("the table");
    let table: Value = serde_json::from_slice(&table).expect("JSON");
    let rows = table["clouds"].as_array().expect("clouds");
    for (name, own) in CLOUDS {
        let row = rows.iter().find(|row| row["name"] == name).expect("a row");
        let text = |key: &str| row[key].as_str().expect("text").trim_end_matches('/').to_owned();
        let cloud = Cloud::named(own).expect("a cloud");
        assert_eq!(cloud.authority().as_str().trim_end_matches('/'), text("authorityHost"), "{own}");
        assert_eq!(format!("https://{}", cloud.host(Api::ResourceManager)), text("resourceManager"), "{own}");
        assert_eq!(format!("https://{}", cloud.host(Api::Graph)), text("microsoftGraph"), "{own}");
        assert_eq!(format!(".{}", cloud.host(Api::KeyVault)), text("keyVaultDnsSuffix"), "{own}");
        // in the public cloud the host has a new name, and the audience the old one
        let host = text("logAnalyticsEndpoint").replace("loganalytics.io", "loganalytics.azure.com");
        assert_eq!(format!("https://{}", cloud.host(Api::LogAnalytics)), host, "{own}");
        for (api, key) in [
            (Api::ResourceManager, "resourceManagerScope"),
            (Api::Graph, "microsoftGraphScope"),
            (Api::LogAnalytics, "logAnalyticsScope"),
            (Api::KeyVault, "keyVaultScope"),
        ] {
            assert_eq!(cloud.scope(api), text(key), "{own}");
        }
    }
}

/// The folder with the specifications; none, loudly, where it is not.
fn shared() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("TICKMARK_SHARED").map_or_else(|| root.join("../shared"), |path| root.join(path));
    let azure = folder.join("azure");
    if azure.join("openapi").is_dir() {
        return Some(azure);
    }
    // past the harness, which swallows what a test prints
    let words = format!("SKIPPED: the specifications are not in `{}`; set TICKMARK_SHARED\n", azure.display());
    std::io::stderr().write_all(words.as_bytes()).expect("stderr");
    None
}

fn specification(kind: Kind) -> Option<&'static str> {
    SPECIFICATIONS.iter().find(|(of, _)| *of == kind).map(|(_, file)| *file)
}

fn unspecified(kind: Kind) -> Option<&'static (Kind, &'static str, &'static [&'static str], &'static str)> {
    UNSPECIFIED.iter().find(|(of, ..)| *of == kind)
}

fn elsewhere(kind: Kind) -> Option<(&'static str, &'static str)> {
    ELSEWHERE.iter().find(|(of, ..)| *of == kind).map(|(_, template, version, _)| (*template, *version))
}

fn unlike_elsewhere(kind: Kind, method: &str, url: &Url) -> Option<String> {
    let (template, version) = elsewhere(kind)?;
    let sent: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let is_alike = method == "GET"
        && fits(&steps(template), &steps(url.path()), &|_| false)
        && sent == [("api-version".to_owned(), version.to_owned())];
    (!is_alike).then(|| format!("{kind:?}: {method} {url} is not {template} in version {version}"))
}

// ---- what is asked ---------------------------------------------------------------------------------------------

/// Kind, method and URL of the first request of every question of a run.
fn requests() -> Vec<(Kind, String, Url)> {
    let recording = Recording::open(&tenant_folder("mixed")).expect("a recording");
    let head = recording.head().clone();
    let clock = recording.clock();
    let tool = Tool { name: "tickmark".to_owned(), version: "0".to_owned(), rule_set_sha256: String::new() };
    let request = CollectRequest {
        tenant_id: head.tenant_id,
        expected: Expected { subscriptions: head.subscriptions, ..Expected::default() },
        // one vault refuses, and Resource Manager is asked about it
        vault_objects: VaultObjects::DataPlane,
        api_versions: BTreeMap::new(),
        period: Period::parse(&head.period).expect("a period"),
        now: head.recorded_at,
        tool,
        personal: Personal::default(),
    };
    let cloud = Cloud::named("public").expect("a cloud");
    let door = Door::new(Arc::new(Unlisted(recording)), cloud, clock, Pace::default());
    let asked = Asked::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(collect(&door, &request, &asked, &Quiet)).expect("a run");
    asked.0.into_inner()
}

/// A recording in which no list holds a workspace, so that workspaces are asked for one by one too.
struct Unlisted(Recording);

#[async_trait]
impl Transport for Unlisted {
    async fn send(&self, ask: &Ask, refused: Option<u32>) -> Result<Answer, TransportError> {
        let is_list = ask.url.contains("/providers/Microsoft.OperationalInsights/workspaces?");
        if is_list && ask.url.contains("/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f/") {
            return Ok(Answer { status: 200, headers: BTreeMap::new(), body: br#"{"value":[]}"#.to_vec(), token: 0 });
        }
        self.0.send(ask, refused).await
    }

    fn token_facts(&self) -> Option<TokenFacts> {
        self.0.token_facts()
    }

    fn credential(&self) -> String {
        self.0.credential()
    }
}

#[derive(Default)]
struct Asked(RefCell<Vec<(Kind, String, Url)>>);

impl Keeper for Asked {
    fn keep_page(&self, _: &str, _: &Page, _: &[u8]) -> Result<(), EvidenceError> {
        Ok(())
    }

    fn keep(&self, record: &Record) -> Result<(), EvidenceError> {
        let mut url = Url::parse(&record.request.url).expect("a URL");
        if let Some((_, more, _)) = NARROWER.iter().find(|(kind, ..)| *kind == record.kind) {
            let path = url.path().to_owned();
            let (scope, rest) = path.rsplit_once("/providers/").expect("a provider");
            url.set_path(&format!("{scope}{more}/providers/{rest}"));
        }
        self.0.borrow_mut().push((record.kind, record.request.method.clone(), url));
        Ok(())
    }
}

struct Quiet;

impl Progress for Quiet {}

// ---- what is read ----------------------------------------------------------------------------------------------

/// Kind and path of every field that may be kept, out of the list of them.
fn fields() -> Vec<(Kind, Vec<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/collect/redact/allow");
    let files = fs::read_dir(folder).expect("the list").map(|file| file.expect("a file").path());
    let list: String = files.map(|file| fs::read_to_string(file).expect("a part of the list")).collect();
    let mut kinds: Vec<Kind> = Vec::new();
    let mut found = Vec::new();
    for line in list.lines().filter(|line| !line.trim().is_empty() && !line.starts_with(['#', '-'])) {
        if let Some(names) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let kind = |name: &str| serde_json::from_value(Value::from(name)).expect("a kind");
            let is_kind = |name: &&str| !["errors", "claims", "grant", "targets"].contains(name);
            kinds = names.split_whitespace().filter(is_kind).map(kind).collect();
            continue;
        }
        let (path, _) = line.split_once(" : ").expect("path : class");
        if path.starts_with("column/") {
            continue; // a column of a query, which `kql-check` holds to the tables
        }
        let mut paths: Vec<Vec<String>> = vec![Vec::new()];
        for step in path.trim().split('/') {
            let names: Vec<&str> = step.trim_start_matches('{').trim_end_matches('}').split(',').collect();
            let longer = |path: &Vec<String>| {
                names.iter().map(|name| [path.as_slice(), &[(*name).to_owned()]].concat()).collect::<Vec<_>>()
            };
            paths = paths.iter().flat_map(longer).collect();
        }
        found.extend(kinds.iter().flat_map(|kind| paths.iter().map(move |path| (*kind, path.clone()))));
    }
    assert!(found.len() > 200, "the list was not understood");
    // log answers are known by their columns; the table around them is the contract's
    let logs = SPECIFICATIONS.iter().filter(|(_, file)| file.contains("OperationalInsights.DataPlane"));
    for path in ["tables/[]/name", "tables/[]/columns/[]/name", "tables/[]/rows/[]/[]"] {
        found.extend(logs.clone().map(|(kind, _)| (*kind, path.split('/').map(str::to_owned).collect())));
    }
    found
}

// ---- a specification ---------------------------------------------------------------------------------------------

/// One OpenAPI 2.0 file.
struct Specification {
    file: PathBuf,
    body: Value,
    openapi: PathBuf,
}

impl Specification {
    fn open(shared: &Path, file: &str) -> Specification {
        Specification::at(shared.join("openapi"), shared.join("openapi").join(file))
    }

    fn at(openapi: PathBuf, file: PathBuf) -> Specification {
        let text = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        Specification { body: serde_json::from_slice(&text).expect("JSON"), file, openapi }
    }

    /// Template and operation for a request, the most literal one where several fit.
    fn operation(&self, method: &str, url: &Url) -> Option<(&str, &Value)> {
        let base = self.body["basePath"].as_str().unwrap_or_default().trim_end_matches('/');
        let path = url.path().strip_prefix(base)?;
        let fits = self.body["paths"].as_object()?.iter().filter_map(|(template, operations)| {
            let operation = operations.get(method.to_lowercase())?;
            let is_wide = |name: &str| {
                // the scope of a plan is a subscription or a resource: `ScopeId` in Microsoft.Security/2024-01-01
                name == "scopeId"
                    || self
                        .parameters(operations, operation)
                        .iter()
                        .any(|parameter| parameter["name"] == name && parameter["x-ms-skip-url-encoding"] == true)
            };
            fits(&steps(template), &steps(path), &is_wide).then_some((template.as_str(), operation))
        });
        fits.max_by_key(|(template, _)| {
            let (named, literal): (Vec<&str>, Vec<&str>) =
                steps(template).into_iter().partition(|step| step.starts_with('{'));
            (literal.len(), Reverse(named.len()))
        })
    }

    /// The parameters of an operation, and those of its path.
    fn parameters(&self, path: &Value, operation: &Value) -> Vec<Value> {
        let lists = [&path["parameters"], &operation["parameters"]].into_iter().filter_map(Value::as_array);
        lists.flatten().map(|parameter| self.resolved(parameter).1).collect()
    }

    /// Where a request is not what the specification says.
    fn differences(&self, kind: Kind, method: &str, url: &Url) -> Vec<String> {
        let Some((template, operation)) = self.operation(method, url) else {
            return vec![format!("{kind:?}: {method} {} is no operation", url.path())];
        };
        let mut wrong = Vec::new();
        let parameters = self.parameters(&self.body["paths"][template], operation);
        let sent: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let in_query = || parameters.iter().filter(|parameter| parameter["in"] == "query");
        let is_listed = |name: &str| PARAMETERS.iter().any(|(of, listed, _)| *of == kind && *listed == name);
        for parameter in in_query().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !sent.contains_key(name) && !is_listed(name) {
                wrong.push(format!("{kind:?}: `{name}` is required by {template}"));
            }
        }
        for name in sent
            .keys()
            .filter(|name| in_query().all(|parameter| parameter["name"] != ***name))
            .filter(|name| !is_listed(name))
        {
            wrong.push(format!("{kind:?}: {template} knows no `{name}`"));
        }
        let version = self.body["info"]["version"].as_str().unwrap_or_default();
        let is_newer = |asked: &str| NEWER.iter().any(|(of, newer, _)| *of == kind && *newer == asked);
        if let Some(asked) = sent.get("api-version").filter(|asked| *asked != version && !is_newer(asked)) {
            wrong.push(format!("{kind:?}: version {asked} is asked for, the specification is {version}"));
        }
        wrong
    }

    fn has_field(&self, method: &str, url: &Url, path: &[String]) -> bool {
        let Some((_, operation)) = self.operation(method, url) else { return false };
        self.has(&operation["responses"]["200"]["schema"], path, 0)
            || self.examples(operation).iter().any(|body| holds(body, path))
    }

    /// Microsoft's examples of an operation, which hold what the missing common files define.
    fn examples(&self, operation: &Value) -> Vec<Value> {
        let name = operation["operationId"].as_str().unwrap_or_default();
        let provider = self.file.strip_prefix(&self.openapi).ok().and_then(|file| file.components().next());
        let folder = self.openapi.with_file_name("examples").join(provider.expect("a provider"));
        let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
        let of_operation = entries
            .filter(|path| path.file_name().is_some_and(|file| file.to_string_lossy().split('.').next() == Some(name)));
        of_operation
            .map(|path| serde_json::from_slice::<Value>(&fs::read(path).expect("a file")).expect("JSON"))
            .map(|example| example["responses"]["200"]["body"].clone())
            .collect()
    }

    /// Whether a schema knows a path: `[]` is any item, `*` any name of a map.
    fn has(&self, schema: &Value, path: &[String], depth: usize) -> bool {
        if schema.is_null() || depth > 40 {
            return false;
        }
        if schema.get("$ref").is_some() {
            let (specification, target) = self.resolved(schema);
            return specification.as_ref().unwrap_or(self).has(&target, path, depth + 1);
        }
        let Some((step, rest)) = path.split_first() else { return true };
        let inherited = schema["allOf"].as_array().into_iter().flatten();
        let below = match step.as_str() {
            "[]" => &schema["items"],
            "*" => &schema["additionalProperties"],
            name => &schema["properties"][name],
        };
        self.has(below, rest, depth + 1) || inherited.into_iter().any(|parent| self.has(parent, path, depth + 1))
    }

    /// What a `$ref` points at, and the other file that it is in. Links to other files keep their upstream paths:
    /// the file is found by its name, beside this one or among the common types of Resource Manager.
    fn resolved(&self, value: &Value) -> (Option<Specification>, Value) {
        let Some(link) = value.get("$ref").and_then(Value::as_str) else { return (None, value.clone()) };
        let (file, pointer) = link.split_once('#').expect("a pointer");
        if file.is_empty() {
            return (None, self.body.pointer(pointer).expect("it is there").clone());
        }
        let name = file.rsplit('/').next().unwrap_or(file);
        let beside = self.file.with_file_name(name);
        let version = file.split('/').rev().nth(1).unwrap_or_default();
        let common = self.openapi.join("common-types").join(version).join(name);
        let place = if file.contains("common-types/resource-management") { common } else { beside };
        if !place.is_file() {
            // Some providers' common files are not here. Of parameters the name tells enough; of a definition nothing
            // is known, so that its fields are listed above.
            let is_version = link.ends_with("/ApiVersionParameter");
            let version = serde_json::json!({"name": "api-version", "in": "query", "required": true});
            return (None, if is_version { version } else { Value::Object(serde_json::Map::new()) });
        }
        let other = Specification::at(self.openapi.clone(), place);
        let target = other.body.pointer(pointer).unwrap_or_else(|| panic!("{link} of {}", self.file.display())).clone();
        (Some(other), target)
    }
}

fn steps(path: &str) -> Vec<&str> {
    path.split('/').filter(|step| !step.is_empty()).collect()
}

/// Whether a path fits a template. A parameter is one step, a wide one any number, as a scope is.
fn fits(template: &[&str], path: &[&str], is_wide: &dyn Fn(&str) -> bool) -> bool {
    let Some((first, rest)) = template.split_first() else { return path.is_empty() };
    match first.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) if is_wide(name) => (0..=path.len()).any(|count| fits(rest, &path[count..], is_wide)),
        Some(_) => path.split_first().is_some_and(|(_, path)| fits(rest, path, is_wide)),
        None => {
            path.split_first().is_some_and(|(step, path)| step.eq_ignore_ascii_case(first) && fits(rest, path, is_wide))
        }
    }
}

// ---- published exchanges -----------------------------------------------------------------------------------------

fn exchange_file(shared: &Path, kind: Kind) -> Value {
    let (_, file) = EXCHANGES.iter().find(|(of, _)| *of == kind).unwrap_or_else(|| panic!("{kind:?} has no source"));
    serde_json::from_slice(&fs::read(shared.join("examples/graph").join(file)).expect("a file")).expect("JSON")
}

fn exchanges(shared: &Path, kind: Kind) -> Vec<Value> {
    let file = exchange_file(shared, kind);
    file["exchanges"]
        .as_array()
        .expect("exchanges")
        .iter()
        .map(|exchange| exchange["response"]["body"].clone())
        .collect()
}

fn unlike_exchanges(shared: &Path, kind: Kind, method: &str, url: &Url) -> Option<String> {
    if let Some((_, path, source)) = DOCUMENTED.iter().find(|(of, ..)| *of == kind) {
        let asked = format!("{method} {}", url.path());
        let is_alike = fits(&steps(path), &steps(&asked), &|_| false);
        return (!is_alike).then(|| format!("{kind:?}: {asked} is not {path} of {source}"));
    }
    let file = exchange_file(shared, kind);
    let is_alike = |exchange: &Value| {
        let asked = Url::parse(exchange["request"]["url"].as_str().unwrap_or_default()).expect("a URL");
        let is_id = |step: &str| step.starts_with("%7B") || (step.len() == 36 && step.matches('-').count() == 4);
        let same = |(one, two): (&&str, &&str)| one.eq_ignore_ascii_case(two) || (is_id(one) && is_id(two));
        let (one, two) = (steps(asked.path()), steps(url.path()));
        exchange["request"]["method"] == method && one.len() == two.len() && one.iter().zip(&two).all(same)
    };
    let alike = file["exchanges"].as_array().expect("exchanges").iter().any(is_alike);
    (!alike).then(|| format!("{kind:?}: {method} {} is in no published exchange", url.path()))
}

/// Whether a body holds a path.
fn holds(body: &Value, path: &[String]) -> bool {
    let Some((step, rest)) = path.split_first() else { return true };
    match step.as_str() {
        "[]" => body.as_array().into_iter().flatten().any(|item| holds(item, rest)),
        "*" => body.as_object().into_iter().flatten().any(|(_, below)| holds(below, rest)),
        name => body.get(name).is_some_and(|below| holds(below, rest)),
    }
}
