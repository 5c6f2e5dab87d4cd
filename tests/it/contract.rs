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
use tickmark::azure::{Answer, Ask, Cloud, Door, Pace, Recording, TokenFacts, Transport, TransportError};
use tickmark::collect::{CollectRequest, Keeper, Progress, collect};
use tickmark::evidence::{EvidenceError, Expected, Kind, Period, Record, Tool, VaultObjects};
use url::Url;

use super::harness::tenant_folder;

// ---- tables ----------------------------------------------------------------------------------------------------

/// Kind of question, and the specification that has its operation. `up:` is Microsoft's repository of
/// specifications, later than the copy that is tested against.
const SPECIFICATIONS: &[(Kind, &str)] = &[
    (Kind::Subscriptions, "Microsoft.Resources/2022-12-01/subscriptions.json"),
    (Kind::ManagementGroups, "Microsoft.Management/2023-04-01/management.json"),
    (Kind::ManagementGroupDescendants, "Microsoft.Management/2023-04-01/management.json"),
    // `Vaults_List` is the list of resources, filtered
    (Kind::Resources, "Microsoft.KeyVault/2023-07-01/keyvault.json"),
    (Kind::VirtualMachines, "Microsoft.Compute/2024-03-01/virtualMachine.json"),
    (Kind::UserAssignedIdentities, "Microsoft.ManagedIdentity/2023-01-31/ManagedIdentity.json"),
    (Kind::FederatedCredentials, "Microsoft.ManagedIdentity/2023-01-31/ManagedIdentity.json"),
    (Kind::Vaults, "Microsoft.KeyVault/2023-07-01/keyvault.json"),
    (Kind::DeletedVaults, "Microsoft.KeyVault/2023-07-01/keyvault.json"),
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
    (Kind::OwnPermissions, "Microsoft.Authorization/2022-04-01/authorization-RoleDefinitionsCalls.json"),
    (Kind::DiagnosticSettings, "Microsoft.Insights/2021-05-01-preview/diagnosticsSettings_API.json"),
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
];

const LOGS: &str = "Microsoft.OperationalInsights.DataPlane/v1/OperationalInsights.json";

/// Kind of question to Graph, and the file of published exchanges; Graph has no OpenAPI of its own.
const EXCHANGES: &[(Kind, &str)] = &[
    (Kind::ManagedIdentityPrincipals, "serviceprincipals-managedidentities.json"),
    (Kind::Applications, "applications-list.json"),
    (Kind::ServicePrincipals, "serviceprincipals-managedidentities.json"),
    (Kind::ApplicationFederatedCredentials, "application-federatedidentitycredentials.json"),
    (Kind::Principals, "directoryobjects-getbyids.json"),
    (Kind::GroupMembers, "group-transitivemembers.json"),
];

/// Kind of question to Graph of which no exchange is at hand: the documented path, and its source.
const DOCUMENTED: &[(Kind, &str, &str)] = &[
    (Kind::ApplicationOwners, "GET /v1.0/applications/{id}/owners", OWNERS),
    (Kind::ServicePrincipalOwners, "GET /v1.0/servicePrincipals/{id}/owners", OWNERS),
];

const OWNERS: &str = "learn:graph/api/application-list-owners, learn:graph/api/serviceprincipal-list-owners; what is \
                      selected is in learn:graph/api/resources/user";

/// Versions that are asked for and are not those of the copies here: kind, version, source.
const NEWER: &[(Kind, &str, &str)] = &[
    (Kind::Vaults, "2026-02-01", VAULTS_2026),
    (Kind::DeletedVaults, "2026-02-01", VAULTS_2026),
    (Kind::VaultKeys, "2026-02-01", VAULTS_2026),
    (Kind::VaultSecrets, "2026-02-01", VAULTS_2026),
    (Kind::Resources, "2021-04-01", RESOURCES_2021),
];

const VAULTS_2026: &str = "up:specification/keyvault/resource-manager/Microsoft.KeyVault/KeyVault/stable/2026-02-01/openapi.json; \
                           versions before it retire on 2027-02-27 (learn:azure/key-vault/general/access-control-default), \
                           the shapes of these lists are the same";
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
    (
        Kind::DenyAssignments,
        "value/[]/properties/denyAssignmentEffect",
        "up:specification/authorization/resource-manager/Microsoft.Authorization/Authorization/stable/2026-09-01; \
         older versions leave it out, and its effect is then unknown",
    ),
    (Kind::ResourceGraphIdentities, "data/[]/identityType", COLUMNS),
    (Kind::ResourceGraphIdentities, "data/[]/principalId", COLUMNS),
    (Kind::ResourceGraphAssignments, "data/[]/principalId", COLUMNS),
    (Kind::ResourceGraphAssignments, "data/[]/roleDefinitionId", COLUMNS),
    (Kind::ResourceGraphAssignments, "data/[]/scope", COLUMNS),
    (Kind::ResourceGraphAssignments, "data/[]/createdOn", COLUMNS),
    // one section of the list serves both questions to the directory; each answers with a part of it
    (Kind::ManagedIdentityPrincipals, "value/[]/@odata.type", GRAPH_TYPES),
    (Kind::ManagedIdentityPrincipals, "value/[]/userType", GRAPH_TYPES),
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
];

const COLUMNS: &str = "a column that our own query makes; the specification leaves rows open";
const ANY_LINK: &str =
    "learn:rest/api/azure, paging of Resource Manager; `@nextLink` is the specification's for groups";
const GRAPH_PAGES: &str = "learn:graph/paging";
const GRAPH_TYPES: &str = "learn:graph/api/resources/serviceprincipal and learn:graph/api/resources/user";
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
        match specification(*kind) {
            Some(file) => {
                let specification = Specification::open(&shared, file);
                wrong.extend(specification.differences(*kind, method, url));
            }
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
            Some(file) => Specification::open(&shared, file).has_field(method, url, &path),
            // every field of what is only documented is by its source
            None if DOCUMENTED.iter().any(|(of, ..)| *of == kind) => continue,
            None => exchanges(&shared, kind).iter().any(|body| holds(body, &path)),
        };
        let is_listed = FIELDS.iter().any(|(of, field, _)| *of == kind && *field == path.join("/"));
        match (is_there, is_listed) {
            (true, true) => wrong.push(format!("{kind:?} {} is listed here and is in the schema", path.join("/"))),
            (false, false) => wrong.push(format!("{kind:?} {} is not in the schema", path.join("/"))),
            _ => {}
        }
        listed.insert((kind, path.join("/")));
    }
    let gone = FIELDS.iter().filter(|(kind, field, _)| !listed.contains(&(*kind, (*field).to_owned())));
    wrong.extend(gone.map(|(kind, field, _)| format!("{kind:?} {field} is listed here and is not read any more")));
    assert!(wrong.is_empty(), "{wrong:#?}");
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
        period: Period::parse(&head.period).expect("a period"),
        now: head.recorded_at,
        tool,
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
    async fn send(&self, ask: &Ask, fresh_token: bool) -> Result<Answer, TransportError> {
        let is_list = ask.url.contains("/providers/Microsoft.OperationalInsights/workspaces?");
        if is_list && ask.url.contains("/ed93a94d-c4ca-4c8a-b9ab-24148f502c6f/") {
            return Ok(Answer { status: 200, headers: BTreeMap::new(), body: br#"{"value":[]}"#.to_vec() });
        }
        self.0.send(ask, fresh_token).await
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
    fn keep(&self, record: &Record, _pages: &[Vec<u8>]) -> Result<(), EvidenceError> {
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
            let is_kind = |name: &&str| !["errors", "claims"].contains(name);
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
                self.parameters(operations, operation)
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
        for name in sent.keys().filter(|name| in_query().all(|parameter| parameter["name"] != ***name)) {
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
