//! `tickmark.toml`: every mistake at once, each with file, line and column; unknown keys are refused.

mod read;
mod table;
mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::azure::{Audiences, CredentialKind, Endpoints};
use crate::check::Parameters;
use crate::evidence::{Kind, Period, PersonalData, VaultObjects};

pub use template::TEMPLATE;

/// The configuration, read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[organisation]`.
    pub organisation: crate::assess::Organisation,
    /// `[azure]`.
    pub azure: Azure,
    /// `[store] path`, relative to the configuration file's folder.
    pub store: PathBuf,
    /// `[period]`.
    pub period: PeriodChoice,
    /// `[signing]`.
    pub signing: Signing,
    /// `[personal_data]`.
    pub personal: PersonalSettings,
    /// `[api_versions]`: by kind of question, the version that is asked first.
    pub api_versions: BTreeMap<Kind, String>,
    /// `[parameters]`.
    pub parameters: Parameters,
    /// `[declared] folder`: where `registers/`, `checks/`, `controls/`, `waivers.toml` and `attached/` are; the configuration file's folder.
    pub declared: PathBuf,
}

/// `[azure]`.
#[derive(Clone, Debug)]
pub struct Azure {
    /// `public`, `usgov`, `usgov_dod`, `china`, `custom`.
    pub cloud: String,
    /// Tenant GUID.
    pub tenant_id: String,
    /// Subscription GUIDs that are expected.
    pub subscriptions: Vec<String>,
    /// Names of management groups whose subscriptions are expected.
    pub management_groups: Vec<String>,
    /// Workspace GUIDs; empty means those that diagnostic settings name.
    pub workspaces: Vec<String>,
    /// How to get a token: the first that can.
    pub credential: Vec<CredentialKind>,
    /// User-assigned identity or application.
    pub client_id: Option<String>,
    /// Certificate with private key, for `client_certificate`.
    pub certificate_file: Option<PathBuf>,
    /// Extra trust root, PEM.
    pub ca_file: Option<PathBuf>,
    /// Where lists of vaults' contents come from.
    pub vault_objects: VaultObjects,
    /// `[azure.endpoints]`, with `cloud = "custom"`.
    pub endpoints: Option<Endpoints>,
    /// `[azure.audiences]`.
    pub audiences: Audiences,
}

/// `[period]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeriodChoice {
    /// The last calendar quarter that has ended.
    LastQuarter,
    /// The calendar quarter that is running.
    CurrentQuarter,
    /// As written.
    Fixed(Period),
}

/// `[signing]`.
#[derive(Clone, Debug)]
pub struct Signing {
    /// The encrypted key file.
    pub key: PathBuf,
    /// Time-stamping authorities.
    pub tsa: Vec<String>,
}

/// `[personal_data]`.
#[derive(Clone, Debug)]
pub struct PersonalSettings {
    /// What is kept.
    pub data: PersonalData,
    /// Where the key of the pseudonyms is.
    pub key: KeyPlace,
}

/// Where the key of the pseudonyms is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
}

/// A configuration that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error(
        "cannot read the configuration `{path}`: {source}\nwrite one with `tickmark init`, or name it with --config"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Mistakes in it, one a line.
    #[error("{}", .0.join("\n"))]
    Mistakes(Vec<String>),
}

impl Config {
    /// Reads and checks the file; relative paths in it start at its folder.
    pub fn open(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        read::read(&path.display().to_string(), folder, &text).map_err(ConfigError::Mistakes)
    }
}
