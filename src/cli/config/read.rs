//! From the file's text to a [`Config`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::table::{Mistakes, Table};
use super::{Azure, Config, KeyPlace, PeriodChoice, PersonalSettings, Signing};
use crate::assess::Organisation;
use crate::azure::{Api, Audiences, Cloud, CredentialKind, Endpoints, is_safe_address};
use crate::check::Parameters;
use crate::collect::collectors;
use crate::evidence::{Addresses, Kind, Period, PersonalData, Persons, VaultObjects};

const CREDENTIALS: &[(&str, CredentialKind)] = &[
    ("auto", CredentialKind::Auto),
    ("managed_identity", CredentialKind::ManagedIdentity),
    ("workload_identity", CredentialKind::WorkloadIdentity),
    ("azure_cli", CredentialKind::AzureCli),
    ("azure_pipelines", CredentialKind::AzurePipelines),
    ("client_certificate", CredentialKind::ClientCertificate),
    ("client_secret", CredentialKind::ClientSecret),
    ("token", CredentialKind::Token),
];

const VAULT_OBJECTS: &[(&str, VaultObjects)] = &[("arm", VaultObjects::Arm), ("data_plane", VaultObjects::DataPlane)];

/// Reads the text of `file`; relative paths in it start at `folder`. Every mistake is reported.
pub(super) fn read(file: &str, folder: &Path, text: &str) -> Result<Config, Vec<String>> {
    let mistakes = Mistakes::new(file, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        mistakes.at(&error.span().unwrap_or(0..0), error.message());
    }
    if !errors.is_empty() {
        return Err(mistakes.into_lines());
    }
    let root = Table::root(&document, &mistakes);
    root.only(&[
        "organisation",
        "azure",
        "store",
        "period",
        "signing",
        "personal_data",
        "api_versions",
        "parameters",
        "declared",
    ]);
    let config = Config {
        organisation: organisation(&root.table("organisation")),
        azure: azure(&root.table("azure"), folder),
        store: store(&root.table("store"), folder),
        period: period(&root.table("period")),
        signing: signing(&root.table("signing"), folder),
        personal: personal_data(&root.table("personal_data"), folder),
        api_versions: api_versions(&root.table("api_versions")),
        parameters: parameters(&root.table("parameters")),
        declared: declared(&root.table("declared"), folder),
    };
    let lines = mistakes.into_lines();
    if lines.is_empty() { Ok(config) } else { Err(lines) }
}

fn declared(table: &Table<'_, '_>, folder: &Path) -> PathBuf {
    table.only(&["folder"]);
    match table.text("folder") {
        Some(path) => folder.join(path),
        None if folder.as_os_str().is_empty() => PathBuf::from("."),
        None => folder.to_owned(),
    }
}

fn organisation(table: &Table<'_, '_>) -> Organisation {
    table.only(&["name", "system"]);
    let required = |key: &str, expected: &str| {
        let text = table.text(key).filter(|text| !text.trim().is_empty());
        if text.is_none() {
            table.missing(key, expected);
        }
        text.unwrap_or_default()
    };
    Organisation {
        name: required("name", "the organisation's name"),
        system: required("system", "the system under examination"),
    }
}

fn azure(table: &Table<'_, '_>, folder: &Path) -> Azure {
    table.only(&[
        "cloud",
        "tenant_id",
        "subscriptions",
        "management_groups",
        "workspaces",
        "credential",
        "client_id",
        "certificate_file",
        "ca_file",
        "vault_objects",
        "endpoints",
        "audiences",
    ]);
    let cloud = table.text("cloud").unwrap_or_else(|| "public".to_owned());
    let endpoints = endpoints(&table.table("endpoints"), &cloud);
    match (&endpoints, cloud.as_str()) {
        (None, "custom") => table.missing("endpoints", "a table [azure.endpoints], because cloud is \"custom\""),
        (Some(_), "custom") => {}
        (_, named) => {
            if let Err(error) = Cloud::named(named) {
                table.refuse("cloud", first_line(&error.to_string()));
            }
        }
    }
    let tenant_id = table.text("tenant_id").unwrap_or_default();
    if !is_guid(&tenant_id) {
        let what =
            format!("`tenant_id` is `{tenant_id}`: expected the tenant's GUID (az account show --query tenantId)");
        table.refuse("tenant_id", what);
    }
    let vault_objects = table.text("vault_objects").unwrap_or_else(|| "arm".to_owned());
    let lists = VAULT_OBJECTS.iter().find(|(name, _)| *name == vault_objects).map(|(_, lists)| *lists);
    if lists.is_none() {
        let what = format!("`vault_objects` is `{vault_objects}`: expected \"arm\" or \"data_plane\"");
        table.refuse("vault_objects", what);
    }
    Azure {
        vault_objects: lists.unwrap_or_default(),
        subscriptions: guids(table, "subscriptions"),
        management_groups: names(table, "management_groups"),
        workspaces: guids(table, "workspaces"),
        client_id: table.text("client_id"),
        certificate_file: table.text("certificate_file").map(|path| folder.join(path)),
        ca_file: table.text("ca_file").map(|path| folder.join(path)),
        credential: credentials(table),
        endpoints,
        audiences: audiences(&table.table("audiences")),
        tenant_id,
        cloud,
    }
}

/// One credential, or several in the order in which they are tried.
fn credentials(table: &Table<'_, '_>) -> Vec<CredentialKind> {
    const KEY: &str = "credential";
    let names = table.text_or_texts(KEY).unwrap_or_else(|| vec!["auto".to_owned()]);
    if names.is_empty() {
        table.refuse(KEY, "`credential` is an empty list: expected the credentials to try, in their order");
    }
    let mut kinds = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match CREDENTIALS.iter().find(|(known, _)| known == name) {
            Some((_, kind)) => kinds.push(*kind),
            None => {
                let known: Vec<&str> = CREDENTIALS.iter().map(|(name, _)| *name).collect();
                let what = format!("`{name}` is no credential: expected one of {}", known.join(", "));
                table.refuse_item(KEY, index, what);
            }
        }
    }
    kinds
}

fn endpoints(table: &Table<'_, '_>, cloud: &str) -> Option<Endpoints> {
    if !table.is_present() {
        return None;
    }
    table.only(&["authority", "resource_manager", "graph", "log_analytics", "key_vault"]);
    if cloud != "custom" {
        table.refuse("", "[azure.endpoints] is read only with cloud = \"custom\"");
    }
    let required = |key: &str| {
        let text = table.text(key);
        if text.is_none() {
            table.missing(key, "an https address (http for loopback addresses only)");
        }
        text
    };
    let (authority, resource_manager, graph, log_analytics) =
        (required("authority"), required("resource_manager"), required("graph"), required("log_analytics"));
    let endpoints = Endpoints {
        authority: authority?,
        resource_manager: resource_manager?,
        graph: graph?,
        log_analytics: log_analytics?,
        key_vault: table.text("key_vault"),
    };
    if let Err(error) = Cloud::custom(&endpoints) {
        table.refuse(error.key().unwrap_or(""), first_line(&error.to_string()));
    }
    Some(endpoints)
}

fn audiences(table: &Table<'_, '_>) -> Audiences {
    table.only(&["resource_manager", "graph", "log_analytics", "key_vault"]);
    let audience = |key: &str| {
        let text = table.text(key);
        // an address, or `api://…`, and nothing that would add a second scope
        let is_one = |text: &String| text.contains("://") && !text.contains(char::is_whitespace);
        if text.as_ref().is_some_and(|text| !is_one(text)) {
            table.refuse(key, format!("`{key}` is no audience: expected one as \"https://management.azure.com\""));
        }
        text
    };
    Audiences {
        resource_manager: audience("resource_manager"),
        graph: audience("graph"),
        log_analytics: audience("log_analytics"),
        key_vault: audience("key_vault"),
    }
}

fn store(table: &Table<'_, '_>, folder: &Path) -> PathBuf {
    table.only(&["path"]);
    folder.join(table.text("path").unwrap_or_else(|| "tickmark-store".to_owned()))
}

fn period(table: &Table<'_, '_>) -> PeriodChoice {
    table.only(&["default", "start", "end"]);
    if let (Some(start), Some(end)) = (table.text("start"), table.text("end")) {
        return match Period::parse(&format!("{start}..{end}")) {
            Ok(period) => PeriodChoice::Fixed(period),
            Err(_) => {
                table.refuse(
                    "start",
                    "`start` and `end` are not a period: expected two days as 2026-07-01, the first not after the last",
                );
                PeriodChoice::LastQuarter
            }
        };
    }
    if table.text("start").is_some() || table.text("end").is_some() {
        table.missing(if table.text("start").is_some() { "end" } else { "start" }, "a day as 2026-09-30");
    }
    match table.text("default").as_deref() {
        None | Some("quarter") => PeriodChoice::LastQuarter,
        Some("current_quarter") => PeriodChoice::CurrentQuarter,
        Some(text) => match Period::parse(text) {
            Ok(period) => PeriodChoice::Fixed(period),
            Err(error) => {
                table.refuse("default", format!("{error}; or \"quarter\" (the last that ended), \"current_quarter\""));
                PeriodChoice::LastQuarter
            }
        },
    }
}

fn signing(table: &Table<'_, '_>, folder: &Path) -> Signing {
    table.only(&["key", "tsa"]);
    let tsa = table.texts("tsa").unwrap_or_default();
    for (index, address) in tsa.iter().enumerate().filter(|(_, address)| !is_safe_address(address)) {
        table.refuse_item("tsa", index, format!("`{address}` is no https address (http for loopback only)"));
    }
    Signing { key: folder.join(table.text("key").unwrap_or_else(|| "keys/tickmark.p8".to_owned())), tsa }
}

fn personal_data(table: &Table<'_, '_>, folder: &Path) -> PersonalSettings {
    table.only(&["addresses", "names", "user_principal_names", "mail", "key_file", "key_variable"]);
    let default = PersonalData::default();
    let data = PersonalData {
        addresses: choice(table, "addresses", Addresses::ALL).unwrap_or(default.addresses),
        names: choice(table, "names", Persons::ALL).unwrap_or(default.names),
        user_principal_names: choice(table, "user_principal_names", Persons::ALL)
            .unwrap_or(default.user_principal_names),
        mail: choice(table, "mail", Persons::ALL).unwrap_or(default.mail),
        key_id: None,
    };
    let (file, variable) = (table.text("key_file"), table.text("key_variable"));
    if file.is_some() && variable.is_some() {
        table.refuse("key_variable", "`key_file` and `key_variable` name two keys: expected one of them");
    }
    let file = || KeyPlace::File(folder.join(file.unwrap_or_else(|| "keys/pseudonyms.key".to_owned())));
    PersonalSettings { data, key: variable.map_or_else(file, KeyPlace::Variable) }
}

/// One of the named choices.
fn choice<T: Copy>(table: &Table<'_, '_>, key: &str, choices: &[(&str, T)]) -> Option<T> {
    let text = table.text(key)?;
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
    if found.is_none() {
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        table.refuse(key, format!("`{key}` is `{text}`: expected one of {}", names.join(", ")));
    }
    found
}

/// Names and defaults are those of [`Parameters`].
fn parameters(table: &Table<'_, '_>) -> Parameters {
    let default = Parameters::default();
    table.only(&[
        "credential_days",
        "workload_environments",
        "sharing_limit",
        "unattached_days",
        "shared_identity_limit",
        "orphan_days",
        "dormant_days",
        "secret_days",
        "soft_delete_days",
        "approved_networks",
        "retention_margin_days",
        "gap_hours",
        "expected_rows_per_day",
        "unknown_denials",
        "handshake_seconds",
        "unanswered_handshakes",
        "probe_minutes",
        "production_environments",
        "unused_days",
        "bulk_lists",
        "activation_minutes",
        "alerted_operations",
        "sample_size",
        "sample_seed",
    ]);
    Parameters {
        credential_days: table.integer("credential_days").unwrap_or(default.credential_days),
        workload_environments: table.texts("workload_environments").unwrap_or(default.workload_environments),
        sharing_limit: table.integer("sharing_limit").unwrap_or(default.sharing_limit),
        unattached_days: table.integer("unattached_days").unwrap_or(default.unattached_days),
        shared_identity_limit: table.integer("shared_identity_limit").unwrap_or(default.shared_identity_limit),
        orphan_days: table.integer("orphan_days").unwrap_or(default.orphan_days),
        dormant_days: table.integer("dormant_days").unwrap_or(default.dormant_days),
        secret_days: table.integer("secret_days").unwrap_or(default.secret_days),
        soft_delete_days: table.integer("soft_delete_days").unwrap_or(default.soft_delete_days),
        approved_networks: table.texts("approved_networks").unwrap_or(default.approved_networks),
        retention_margin_days: table.integer("retention_margin_days").unwrap_or(default.retention_margin_days),
        gap_hours: table.integer("gap_hours").unwrap_or(default.gap_hours),
        expected_rows_per_day: table.integer("expected_rows_per_day").unwrap_or(default.expected_rows_per_day),
        unknown_denials: table.integer("unknown_denials").unwrap_or(default.unknown_denials),
        handshake_seconds: table.integer("handshake_seconds").unwrap_or(default.handshake_seconds),
        unanswered_handshakes: table.integer("unanswered_handshakes").unwrap_or(default.unanswered_handshakes),
        probe_minutes: table.integer("probe_minutes").unwrap_or(default.probe_minutes),
        production_environments: table.texts("production_environments").unwrap_or(default.production_environments),
        unused_days: table.integer("unused_days").unwrap_or(default.unused_days),
        bulk_lists: table.integer("bulk_lists").unwrap_or(default.bulk_lists),
        activation_minutes: table.integer("activation_minutes").unwrap_or(default.activation_minutes),
        alerted_operations: table.texts("alerted_operations").unwrap_or(default.alerted_operations),
        sample_size: table.integer("sample_size").unwrap_or(default.sample_size),
        sample_seed: table.text("sample_seed").unwrap_or(default.sample_seed),
    }
}

/// Names of questions, each with a version of Azure's management API.
fn api_versions(table: &Table<'_, '_>) -> BTreeMap<Kind, String> {
    let versioned = || collectors().filter(|row| matches!(row.api, Api::ResourceManager | Api::KeyVault));
    let names: Vec<String> = versioned().map(|row| row.kind.name()).collect();
    table.only(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut versions = BTreeMap::new();
    for (row, name) in versioned().zip(&names) {
        let Some(version) = table.text(name) else { continue };
        if !is_version(&version) {
            let what =
                format!("`{version}` is no version: expected one as \"{}\", which is asked otherwise", row.api_version);
            table.refuse(name, what);
        }
        versions.insert(row.kind, version);
    }
    versions
}

/// `2022-04-01`, `2021-05-01-preview`, `7.5`.
fn is_version(text: &str) -> bool {
    let is_plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.');
    is_plain && text.starts_with(|c: char| c.is_ascii_digit()) && text.len() <= 40
}

fn guids(table: &Table<'_, '_>, key: &str) -> Vec<String> {
    let texts = table.texts(key).unwrap_or_default();
    for (index, text) in texts.iter().enumerate().filter(|(_, text)| !is_guid(text)) {
        table.refuse_item(key, index, format!("`{text}` in `{key}` is no GUID"));
    }
    texts
}

/// Names that become part of a path: one segment each.
fn names(table: &Table<'_, '_>, key: &str) -> Vec<String> {
    let texts = table.texts(key).unwrap_or_default();
    let is_name = |text: &str| {
        !text.is_empty() && text.len() <= 90 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.()".contains(c))
    };
    for (index, text) in texts.iter().enumerate().filter(|(_, text)| !is_name(text)) {
        table.refuse_item(key, index, format!("`{text}` in `{key}` is no name of a management group"));
    }
    texts
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(index, c)| match index {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[organisation]
name = "IDSentinel Solutions"
system = "Customer platform"

[azure]
tenant_id = "11111111-1111-1111-1111-111111111111"
subscriptions = ["22222222-2222-2222-2222-222222222222"]
credential = "azure_cli"

[parameters]
gap_hours = 48
"#;

    fn lines(text: &str) -> Vec<String> {
        read("tickmark.toml", Path::new("/etc/tm"), text).expect_err("mistakes")
    }

    #[test]
    fn what_is_not_written_has_its_documented_default() {
        let config = read("tickmark.toml", Path::new("/etc/tm"), GOOD).expect("a configuration");
        assert_eq!(config.store, Path::new("/etc/tm/tickmark-store"));
        assert_eq!(config.signing.key, Path::new("/etc/tm/keys/tickmark.p8"));
        assert_eq!(config.azure.cloud, "public");
        assert_eq!(config.azure.vault_objects, VaultObjects::Arm);
        assert_eq!(config.period, PeriodChoice::LastQuarter);
        assert_eq!(config.parameters.gap_hours, 48);
        assert_eq!(config.parameters.orphan_days, 7);
    }

    #[test]
    fn personal_data_is_kept_as_it_is_written() {
        let personal =
            |text: &str| read("tickmark.toml", Path::new("/etc/tm"), &format!("{GOOD}[personal_data]\n{text}"));
        let config = personal("").expect("a configuration");
        assert_eq!(config.personal.data, PersonalData::default());
        assert_eq!(config.personal.key, KeyPlace::File("/etc/tm/keys/pseudonyms.key".into()));
        let text = "addresses = \"full\"\nnames = \"pseudonym\"\nuser_principal_names = \"all\"\nmail = \"none\"\n\
                    key_variable = \"OUR_KEY\"\n";
        let config = personal(text).expect("a configuration");
        let data = PersonalData {
            addresses: Addresses::Full,
            names: Persons::Pseudonym,
            user_principal_names: Persons::All,
            mail: Persons::None,
            key_id: None,
        };
        assert_eq!(config.personal.data, data);
        assert_eq!(config.personal.key, KeyPlace::Variable("OUR_KEY".to_owned()));
        for wrong in [
            "names = \"hashed\"",
            "addresses = \"pseudonym\"",
            "key = \"x\"",
            "mail = true",
            "key_file = \"a\"\nkey_variable = \"B\"",
        ] {
            assert_eq!(personal(wrong).expect_err("a mistake").len(), 1, "{wrong}");
        }
    }

    #[test]
    fn lists_of_vaults_contents_come_from_one_of_two_places() {
        let with = |value: &str| GOOD.replace("credential =", &format!("vault_objects = \"{value}\"\ncredential ="));
        let config = read("tickmark.toml", Path::new("/etc/tm"), &with("data_plane")).expect("a configuration");
        assert_eq!(config.azure.vault_objects, VaultObjects::DataPlane);
        assert_eq!(
            lines(&with("both")),
            ["tickmark.toml:9:17: `vault_objects` is `both`: expected \"arm\" or \"data_plane\""]
        );
    }

    #[test]
    fn every_mistake_is_reported_at_once_in_the_order_of_the_file() {
        let text = "[organisation]\nname = 7\nsystem = \"s\"\ncolour = \"red\"\n\n[azure]\ntenant_id = \"x\"\n\
                    subscriptions = [\"nope\"]\ncredential = \"magic\"\n\n[period]\ndefault = \"soon\"\n";
        let found = lines(text);
        let places: Vec<&str> = found.iter().map(|line| line.split(": ").next().unwrap_or("")).collect();
        assert_eq!(
            places,
            [
                "tickmark.toml:1:1",
                "tickmark.toml:2:8",
                "tickmark.toml:4:1",
                "tickmark.toml:7:13",
                "tickmark.toml:8:18",
                "tickmark.toml:9:14",
                "tickmark.toml:12:11",
            ],
            "{found:#?}"
        );
        assert!(found[1].ends_with("`name` is a integer: expected text in quotes"), "{}", found[1]);
        assert!(found[2].contains("unknown key `colour` in [organisation]"), "{}", found[2]);
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let with = |address: &str| {
            GOOD.replace("credential", "cloud = \"custom\"\ncredential")
                + &format!(
                    "\n[azure.endpoints]\nauthority = \"{address}\"\nresource_manager = \"{address}\"\ngraph = \"{address}\"\nlog_analytics = \"{address}\"\n"
                )
        };
        let config = read("t.toml", Path::new(""), &with("http://127.0.0.1:8080")).expect("loopback");
        assert!(config.azure.endpoints.is_some());
        let found = lines(&with("http://arm.example.com"));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("http://arm.example.com"), "{}", found[0]);
    }

    #[test]
    fn a_host_that_only_looks_like_loopback_is_not_asked_over_plain_http() {
        let with = |address: &str| format!("{GOOD}\n[signing]\ntsa = [\"{address}\"]\n");
        for good in ["https://tsa.example/", "http://127.0.0.1:318/tsr", "http://[::1]:318/tsr"] {
            assert!(read("t.toml", Path::new(""), &with(good)).is_ok(), "{good}");
        }
        let found = lines(&with("http://127.0.0.1.example.com/tsr"));
        assert!(found[0].contains("is no https address"), "{found:#?}");
    }

    #[test]
    fn an_audience_is_one_address() {
        let with = |value: &str| format!("{GOOD}\n[azure.audiences]\nlog_analytics = \"{value}\"\n");
        let good = read("t.toml", Path::new(""), &with("https://api.loganalytics.azure.com")).expect("good");
        assert_eq!(good.azure.audiences.log_analytics.as_deref(), Some("https://api.loganalytics.azure.com"));
        for wrong in ["api.loganalytics.io", "https://a https://b"] {
            assert!(lines(&with(wrong))[0].contains("`log_analytics` is no audience"), "{wrong}");
        }
    }

    #[test]
    fn versions_are_of_questions_that_have_one() {
        let with = |lines: &str| format!("{GOOD}\n[api_versions]\n{lines}\n");
        let good = with("vaults = \"2023-07-01\"\ndiagnostic_settings = \"2021-05-01-preview\"");
        let config = read("t.toml", Path::new(""), &good).expect("good");
        assert_eq!(config.api_versions.get(&Kind::Vaults).map(String::as_str), Some("2023-07-01"));
        assert_eq!(config.api_versions.len(), 2);
        let found = lines(&with("vaults = \"2023-07-01&x=y\"\ngroup_members = \"v2\""));
        assert!(found[0].contains("`2023-07-01&x=y` is no version: expected one as \"2026-02-01\""), "{found:#?}");
        assert!(found[1].contains("unknown key `group_members` in [api_versions]"), "{found:#?}");
    }

    #[test]
    fn one_credential_or_several_in_their_order() {
        let with = |value: &str| GOOD.replace("\"azure_cli\"", value);
        let kinds = |value: &str| read("t.toml", Path::new(""), &with(value)).expect("good").azure.credential;
        assert_eq!(kinds("\"azure_cli\""), [CredentialKind::AzureCli]);
        let order = [CredentialKind::ManagedIdentity, CredentialKind::AzureCli];
        assert_eq!(kinds("[\"managed_identity\", \"azure_cli\"]"), order);
        let found = lines(&with("[\"azure_cli\", \"magic\"]"));
        assert!(found[0].starts_with("tickmark.toml:9:28: `magic` is no credential"), "{found:#?}");
        assert!(lines(&with("[]"))[0].contains("is an empty list"));
        assert!(lines(&with("7"))[0].contains("expected text in quotes"));
    }

    #[test]
    fn a_syntax_error_points_at_its_place() {
        let found = lines("[organisation\nname = \"x\"\n");
        assert!(found[0].starts_with("tickmark.toml:1:14: "), "{found:#?}");
    }
}
