//! The registers, and what a row of each says. Every row may have `since` and `until`, days in UTC, both included.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::rows::{Register, Term, Timed, read};
use super::{Address, CapabilityName, Day, Guid, Named, Scope, Text};
use super::{CustomCheck, uncited};
use crate::control::{self, Mistake};
use crate::model::Id;

/// File below `declared/`, and the table of its rows.
pub(super) const NAMES: &[(&str, &str)] = &[
    ("registers/identities.toml", "identity"),
    ("registers/readers.toml", "reader"),
    ("registers/administrators.toml", "administrator"),
    ("registers/pipelines.toml", "pipeline"),
    ("registers/issuers.toml", "issuer"),
    ("registers/networks.toml", "network"),
    ("registers/vaults.toml", "vault"),
    ("registers/parameters.toml", "parameter"),
];

/// Every register that was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registers {
    /// Non-human identities: owner, purpose, environment, what they are meant to do.
    pub identities: Option<Register<Identity>>,
    /// Who may read which vault or secret.
    pub readers: Option<Register<Reader>>,
    /// Who may attach identities, run code on their hosts, manage vaults.
    pub administrators: Option<Register<Administrator>>,
    /// Principals of pipelines, and what they trust.
    pub pipelines: Option<Register<Pipeline>>,
    /// Issuers of tokens that federated credentials may trust.
    pub issuers: Option<Register<Issuer>>,
    /// Networks that vaults may accept.
    pub networks: Option<Register<NetworkRow>>,
    /// Application and environment of each vault, and why it has settings that need a reason.
    pub vaults: Option<Register<VaultRow>>,
    /// Values that the organisation sets for parameters of NIST SP 800-53 controls.
    pub parameters: Option<Register<Parameter>>,
}

/// `[[identity]]`: a non-human identity.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Object id of its service principal, its ARM id, or the ARM id of the resource that carries it.
    pub identity: IdentityName,
    /// Who answers for it.
    pub owner: Text,
    /// What it is for.
    pub purpose: Text,
    /// `production`, `test`, …; compared without case.
    pub environment: Option<Text>,
    /// Why more than one resource may carry it.
    pub sharing: Option<Text>,
    /// What it is meant to be able to do in vaults; absent: not said.
    pub may: Option<Vec<CapabilityName>>,
    /// Who approved it.
    pub approver: Option<Text>,
    /// First day.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
}

/// A principal by its object id, or by an ARM id.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub enum IdentityName {
    /// Object id, lower case.
    Object(String),
    /// ARM id of a user-assigned identity, or of the resource that has a system-assigned one.
    Resource(Id),
}

/// `[[reader]]`: who may read a vault's secrets, or one of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// The vault, by name or ARM id.
    pub vault: Named,
    /// One secret of it; absent: every one.
    pub secret: Option<Text>,
    /// Object id of a user, group, service principal or managed identity.
    pub principal: Guid,
    /// Why.
    pub reason: Text,
    /// Who approved it.
    pub approver: Text,
    /// First day.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
}

/// `[[administrator]]`: who may come near secrets by another way than reading.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// Object id of a user, group, service principal or managed identity.
    pub principal: Guid,
    /// What it may do.
    pub may: Vec<Power>,
    /// Where: ARM id; what lies below it is included.
    pub scope: Scope,
    /// Why.
    pub reason: Text,
    /// Who approved it.
    pub approver: Text,
    /// First day.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
}

/// What an administrator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Attach a user-assigned identity to a resource.
    AttachIdentity,
    /// Run code on a resource that carries an identity.
    RunCode,
    /// Change a vault: permission model, access policies, its log.
    ManageVault,
}

/// `[[pipeline]]`: a principal that a CI/CD system signs in as.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Object id or application id, or the ARM id of a user-assigned identity.
    pub principal: IdentityName,
    /// Who answers for it.
    pub owner: Text,
    /// `GitHub`, `Azure DevOps`, …
    pub system: Text,
    /// Issuer that it trusts.
    pub issuer: Option<Text>,
    /// Subjects that it trusts, exactly as the federated credentials have them.
    #[serde(default)]
    pub subjects: Vec<Text>,
    /// First day.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
}

/// `[[issuer]]`: whose tokens may be trusted.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Address of the issuer; one that ends with `/*` stands for every address below it.
    pub issuer: Text,
    /// Why.
    pub reason: Text,
    /// Who approved it.
    pub approver: Option<Text>,
    /// First day.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
}

/// `[[network]]`: a network that vaults may accept.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRow {
    /// IPv4, CIDR.
    pub network: Address,
    /// What it is.
    pub purpose: Text,
    /// Who approved it.
    pub approver: Option<Text>,
    /// First day.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
}

/// `[[vault]]`: what a vault is for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultRow {
    /// The vault, by name or ARM id.
    pub vault: Named,
    /// The application that it serves.
    pub application: Text,
    /// `production`, `test`, …; compared without case.
    pub environment: Text,
    /// Who answers for it.
    pub owner: Option<Text>,
    /// Why trusted Microsoft services may bypass its firewall.
    pub bypass: Option<Text>,
    /// Why virtual machines, disk encryption or template deployment may take from it.
    pub deployment: Option<Text>,
    /// First day.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
}

/// `[[parameter]]`: a value that the organisation sets for a NIST SP 800-53 control.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The control: `AC-2(3)`.
    pub control: Text,
    /// The parameter in words: `time period for disabling accounts`.
    pub parameter: Text,
    /// Its value: `90 days`.
    pub value: Text,
    /// Ids of the controls that cite that control; filled in when the controls are known.
    #[serde(skip)]
    pub cited_by: Vec<String>,
    /// First day.
    pub since: Option<Day>,
    /// Last day.
    pub until: Option<Day>,
}

macro_rules! timed {
    ($($row:ty),*) => { $(impl Timed for $row {
        fn term(&self) -> Term {
            Term { since: self.since, until: self.until }
        }
    })* };
}
timed!(Identity, Reader, Administrator, Pipeline, Issuer, NetworkRow, VaultRow, Parameter);

impl TryFrom<String> for IdentityName {
    type Error = String;

    fn try_from(text: String) -> Result<IdentityName, String> {
        match text.trim() {
            id if id.starts_with('/') => Ok(IdentityName::Resource(Id::new(id))),
            id if super::values::is_guid(id) => Ok(IdentityName::Object(id.to_lowercase())),
            _ => Err(format!("`{text}` is neither a GUID nor an ARM id")),
        }
    }
}

impl IdentityName {
    /// Object id in small letters, or ARM id as written.
    pub fn shown(&self) -> &str {
        match self {
            IdentityName::Object(id) => id,
            IdentityName::Resource(id) => id.shown(),
        }
    }
}

impl Issuer {
    /// Whether a federated credential's issuer is this one. Issuers are compared exactly, apart from a `/` at the end.
    pub fn is(&self, issuer: &str) -> bool {
        let (own, other) = (self.issuer.as_str().trim_end_matches('/'), issuer.trim_end_matches('/'));
        match own.strip_suffix("/*") {
            Some(above) => other.strip_prefix(above).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1),
            None => own == other,
        }
    }
}

impl Registers {
    pub(super) fn read(files: &BTreeMap<String, Vec<u8>>, mistakes: &mut Vec<Mistake>) -> Registers {
        Registers {
            identities: read(files, "registers/identities.toml", "identity", mistakes),
            readers: read(files, "registers/readers.toml", "reader", mistakes),
            administrators: read(files, "registers/administrators.toml", "administrator", mistakes),
            pipelines: read(files, "registers/pipelines.toml", "pipeline", mistakes),
            issuers: read(files, "registers/issuers.toml", "issuer", mistakes),
            networks: read(files, "registers/networks.toml", "network", mistakes),
            vaults: read(files, "registers/vaults.toml", "vault", mistakes),
            parameters: read(files, "registers/parameters.toml", "parameter", mistakes),
        }
    }

    /// Says at each parameter which controls cite what it names: those of this build, the organisation's own, and checks
    /// of its own that are a control by themselves. Ids of NIST compare without case.
    pub(super) fn cite(
        &mut self,
        files: &BTreeMap<String, Vec<u8>>,
        checks: &[CustomCheck],
        mistakes: &mut Vec<Mistake>,
    ) {
        let Some(register) = &mut self.parameters else { return };
        let own = files.iter().filter(|(name, _)| super::is_control(name));
        let own = own.map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        // mistakes in controls of one's own are told where these are read
        let own = control::custom(own, |_| true).unwrap_or_default();
        match control::embedded(|_| true) {
            Ok(built_in) => {
                let alone = uncited(checks, &own).into_iter();
                let controls = built_in.iter().chain(&own).map(|control| (&control.id, &control.nist));
                let citing: Vec<_> = controls.chain(alone.map(|check| (&check.id, &check.nist))).collect();
                for row in &mut register.rows {
                    let is_named = |nist: &String| nist.eq_ignore_ascii_case(row.says.control.as_str());
                    let by = citing.iter().filter(|(_, nist)| nist.iter().any(is_named));
                    row.says.cited_by = by.map(|(id, _)| (*id).clone()).collect();
                }
            }
            Err(error) => mistakes.extend(error.mistakes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Standing;
    use super::*;

    const READERS: &str = "\
# who may read
[[reader]]
vault = \"kv-prod\"
principal = \"AAAAAAAA-0000-0000-0000-000000000001\"
reason = \"billing reads its own password\"
approver = \"Grace\"
since = 2026-01-01
until = 2026-09-30

[[reader]]
vault = \"/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-test\"
secret = \"db\"
principal = \"aaaaaaaa-0000-0000-0000-000000000002\"
reason = \"tests\"
approver = \"Grace\"
";

    fn registers(file: &str, text: &str) -> Result<Registers, Vec<Mistake>> {
        let files = BTreeMap::from([(file.to_owned(), text.as_bytes().to_vec())]);
        let mut mistakes = Vec::new();
        let registers = Registers::read(&files, &mut mistakes);
        if mistakes.is_empty() { Ok(registers) } else { Err(mistakes) }
    }

    #[test]
    fn a_row_knows_its_place_and_its_days() {
        let readers = registers("registers/readers.toml", READERS).expect("rows").readers.expect("given");
        let [first, second] = readers.rows.as_slice() else { panic!("two rows: {readers:#?}") };
        assert_eq!(first.says.principal.as_str(), "aaaaaaaa-0000-0000-0000-000000000001");
        assert_eq!(first.from.place(), "declared/registers/readers.toml#/reader/0");
        assert_eq!(
            (first.place().as_str(), second.place().as_str()),
            ("registers/readers.toml:2", "registers/readers.toml:10")
        );
        let at = |text: &str| text.parse().expect("a time");
        assert_eq!(first.standing(at("2026-09-30T23:59:59Z")), Standing::InForce);
        assert!(
            matches!(first.standing(at("2026-10-01T00:00:00Z")), Standing::Expired(day) if day.to_string() == "2026-09-30")
        );
        assert!(matches!(first.standing(at("2025-12-31T23:59:59Z")), Standing::NotYet(_)));
        assert_eq!(readers.in_force(at("2026-10-01T00:00:00Z")).count(), 1);
    }

    #[test]
    fn a_row_without_an_approver_and_a_row_with_an_unknown_key_are_refused_with_their_lines() {
        let one = |text: &str| registers("registers/readers.toml", text).expect_err("refused")[0].to_string();
        let lacks = one(&READERS.replace("approver = \"Grace\"\nsince", "since"));
        assert!(lacks.starts_with("registers/readers.toml:2:1: missing field `approver`"), "{lacks}");
        let unknown = one(&READERS.replace("secret =", "secrets ="));
        assert!(unknown.starts_with("registers/readers.toml:12:1: unknown field `secrets`"), "{unknown}");
    }

    #[test]
    fn an_issuer_stands_for_what_is_below_it_only_where_it_says_so() {
        let text = "[[issuer]]\nissuer = \"https://a.example/tenant/*\"\nreason = \"r\"\n[[issuer]]\nissuer = \"https://b.example\"\nreason = \"r\"\n";
        let issuers = registers("registers/issuers.toml", text).expect("rows").issuers.expect("given");
        let trusted = |issuer: &str| issuers.rows.iter().any(|row| row.says.is(issuer));
        assert!(trusted("https://a.example/tenant/one/") && trusted("https://b.example/"));
        for other in [
            "https://a.example/tenant",
            "https://a.example/tenant/",
            "https://a.example/tenants/x",
            "https://b.example/x",
            "https://B.example",
        ] {
            assert!(!trusted(other), "{other}");
        }
    }

    #[test]
    fn a_parameter_stands_at_every_control_that_cites_it_also_at_those_of_ones_own() {
        let control = "id = \"ACC-1\"\ntitle = \"t\"\nsays = \"s\"\ncriteria = [\"CC6.1\"]\nnist = [\"AC-2(3)\"]\nchecks = [\"KV-002\"]\n\
            proves = \"p\"\ndoes_not_show = \"d\"\n";
        let row = "[[parameter]]\ncontrol = \"ac-2(3)\"\nparameter = \"time\"\nvalue = \"90 days\"\n";
        let files = [("controls/acc-1.toml", control), ("registers/parameters.toml", row)];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        let declared = super::super::Declared::read(files.into()).expect("a register");
        let cited = &declared.registers.parameters.expect("given").rows[0].says.cited_by;
        assert!(cited.contains(&"ACC-1".to_owned()) && cited[0].starts_with("TM-"), "{cited:?}");
    }

    #[test]
    fn every_register_takes_a_row_of_its_own() {
        for (file, table, row) in [
            (
                "identities",
                "identity",
                "identity = \"/subscriptions/s/x\"\nowner = \"o\"\npurpose = \"p\"\nmay = [\"read_secret\"]",
            ),
            (
                "administrators",
                "administrator",
                "principal = \"aaaaaaaa-0000-0000-0000-000000000001\"\nmay = [\"attach_identity\", \"run_code\"]\nscope = \"/subscriptions/s\"\nreason = \"r\"\napprover = \"a\"",
            ),
            (
                "pipelines",
                "pipeline",
                "principal = \"aaaaaaaa-0000-0000-0000-000000000001\"\nowner = \"o\"\nsystem = \"GitHub\"\nsubjects = [\"repo:a/b:ref:refs/heads/main\"]",
            ),
            ("networks", "network", "network = \"10.0.0.0/8\"\npurpose = \"office\""),
            ("vaults", "vault", "vault = \"kv\"\napplication = \"a\"\nenvironment = \"prod\"\nbypass = \"backup\""),
            ("parameters", "parameter", "control = \"AC-2(3)\"\nparameter = \"time\"\nvalue = \"90 days\""),
        ] {
            let text = format!("[[{table}]]\n{row}\nuntil = \"2026-12-31\"\n");
            assert!(registers(&format!("registers/{file}.toml"), &text).is_ok(), "{text}");
        }
    }
}
