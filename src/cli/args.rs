//! The arguments.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::access::Capability;

/// Collect identity and secrets evidence from Azure, judge it, and seal it into a pack that a stranger can verify.
#[derive(Debug, Parser)]
#[command(name = "tickmark", version, propagate_version = true, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 clean · 1 exceptions found, or a pack does not verify · 2 wrong use or \
    configuration · 3 incomplete · 4 a defect of tickmark\n\nStart with `tickmark demo`: it needs no account and no network.")]
pub(super) struct Args {
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = "tickmark.toml")]
    pub config: PathBuf,
    /// Folder of captures and ledger, instead of the configured one.
    #[arg(long, global = true, value_name = "DIR")]
    pub store: Option<PathBuf>,
    /// Period under examination: `2026Q3`, or `2026-07-01..2026-09-30` with both days included.
    #[arg(long, global = true, value_name = "PERIOD")]
    pub period: Option<String>,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Print errors and results only.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    #[command(subcommand)]
    pub command: Command,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person.
    Human,
    /// For a program: one JSON document on standard output.
    Json,
    /// For a spreadsheet; `access` only.
    Csv,
    /// For Graphviz; `access` only.
    Dot,
    /// SARIF 2.1.0, for code scanning; `coverage` only.
    Sarif,
    /// JUnit XML, for a CI server; `coverage` only.
    Junit,
    /// For a pull request; `coverage` and `diff` only.
    Markdown,
}

impl Command {
    /// The formats that the command prints beside human and json.
    pub fn further_formats(&self) -> &'static [Format] {
        match self {
            Command::Access(_) => &[Format::Csv, Format::Dot],
            Command::Coverage(_) => &[Format::Sarif, Format::Junit, Format::Markdown],
            Command::Diff(_) => &[Format::Markdown],
            _ => &[],
        }
    }
}

impl Format {
    /// What to say where a command does not print it; none where every command does.
    pub fn refusal(self) -> Option<&'static str> {
        match self {
            Format::Human | Format::Json => None,
            Format::Csv | Format::Dot => Some("only `tickmark access` prints csv and dot; take human or json"),
            Format::Sarif | Format::Junit => {
                Some("only `tickmark coverage` prints sarif and junit; take human or json")
            }
            Format::Markdown => {
                Some("only `tickmark coverage` and `tickmark diff` print markdown this way; take human or json")
            }
        }
    }
}

/// When colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the whole job on a recorded tenant: no account, no network.
    Demo(Demo),
    /// Write a commented tickmark.toml and create the signing key.
    Init(Init),
    /// Print the least that the collecting identity must hold: as commands, custom role, Bicep file or page.
    Role(Role),
    /// Say before a run which questions would be answered, and which rights the collecting identity should not have.
    Doctor(Doctor),
    /// Collect evidence from the tenant into a capture.
    Collect(Collect),
    /// Judge a capture, offline.
    Assess(Assess),
    /// Show what evidence there is for each criterion and control, what is missing, and what would supply it.
    Coverage(Coverage),
    /// Say what changed between two packs: new, fixed, still open, no longer evaluated.
    Diff(Diff),
    /// Say who can read a vault, what a principal can reach, and how one could come to the other; offline.
    Access(AccessOptions),
    /// Seal a capture, its results and its report into a signed pack.
    Seal(Seal),
    /// Collect, assess and seal.
    Run(Run),
    /// Verify a pack with a key that you got another way than with the pack.
    Verify(Verify),
    /// Derive results and report again from a pack's raw evidence, and compare byte for byte.
    Reperform(Reperform),
    /// Draft registers of what was found, for a person to read and approve.
    Register {
        #[command(subcommand)]
        command: Register,
    },
    /// Print a script with which a person probes a vault by three calls to a canary secret; tickmark makes none of them.
    Probe(Probe),
    /// Attach a record that was made by hand, such as minutes of a review, to a control.
    Attach(Attach),
    /// Explain a check: what it asks and how, what it is blind to, what it maps to, how to fix a failure.
    Explain(Explain),
    /// List checks and controls, or what a check of your own can ask about.
    List(List),
    /// Make the key for pseudonyms of persons, or tell a person's pseudonym.
    Pseudonyms {
        #[command(subcommand)]
        command: Pseudonyms,
    },
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, ClapArgs)]
pub(super) struct Demo {
    /// Where the pack, the public key and the capture go; a demo that is already there is replaced.
    #[arg(long, value_name = "DIR", default_value = "tickmark-demo")]
    pub out: PathBuf,
    /// Replay this recording instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Init {
    /// Name of the organisation, as it stands in the report.
    #[arg(long, value_name = "NAME", default_value = "My organisation")]
    pub organisation: String,
    /// The system under examination.
    #[arg(long, value_name = "NAME", default_value = "My system")]
    pub system: String,
    /// Tenant GUID (az account show --query tenantId).
    #[arg(long, value_name = "GUID", default_value = "")]
    pub tenant: String,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Role {
    /// Form; default: commands of `az`, or the custom role with --format json.
    #[arg(long = "as", value_enum, value_name = "FORM")]
    pub form: Option<RoleForm>,
    /// Object id of the managed identity or service principal that collects.
    #[arg(long, value_name = "OBJECT-ID")]
    pub principal: Option<String>,
    /// Name of the custom role.
    #[arg(long, value_name = "NAME", default_value = "Tickmark Collector")]
    pub name: String,
    /// In the commands of `az`: assign Reader, Management Group Reader and Log Analytics Data Reader instead of a custom
    /// role. They read more than is needed, and the list of resources is whole with them.
    #[arg(long)]
    pub built_in: bool,
}

/// Forms of what the collecting identity must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RoleForm {
    /// Commands of `az`: the role, its assignments, the permissions of Microsoft Graph.
    Az,
    /// The custom role for `az role definition create`.
    Json,
    /// The custom role and its assignment as a Bicep file for a management group.
    Bicep,
    /// Every question with what it needs and what is lost without it.
    Markdown,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Doctor {
    /// Ask a recording instead of Azure. Needs no configuration.
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Collect {
    /// Answer from a recording instead of Azure, on the recording's clock. Needs no configuration.
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,
    /// Refuse to start when the collecting identity holds rights that it should not have, or when that cannot be told.
    #[arg(long)]
    pub strict_rights: bool,
    /// Continue a capture that was interrupted, by Ctrl-C, a full disk, a crash or a power cut: only what is missing
    /// is asked. Tenant, period, scope and the window of the logs stay those that it was begun with.
    #[arg(long)]
    pub resume: bool,
    /// With --resume: id of the capture; default: the newest of this tenant that did not reach its end.
    #[arg(long, value_name = "ID", requires = "resume")]
    pub capture: Option<String>,
    /// Time-stamping authority (RFC 3161) that puts its time on the plan before the first request, instead of the
    /// configured ones. May be given more than once.
    #[arg(long, value_name = "URL", conflicts_with = "resume")]
    pub tsa: Vec<String>,
}

/// Which capture.
#[derive(Debug, ClapArgs)]
pub(super) struct Which {
    /// Id of the capture, or its folder; default: the newest one of the store that reached its end.
    #[arg(long, value_name = "ID")]
    pub capture: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Assess {
    #[command(flatten)]
    pub which: Which,
    /// Also write results.json and report/ to this folder.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Words of --only and --skip: a check (KV-002), a family of checks (KV), a control (TM-03), or a \
    criterion (CC6.1, AC-6(5)), which stands for the controls that cite it.\n\nExit codes, by --fail-on: 0 nothing of \
    that · 1 exceptions · 3 something could not be judged. Exceptions win; the last line says both."
)]
pub(super) struct Coverage {
    #[command(flatten)]
    pub which: Which,
    /// Look at this pack instead of a capture. Verify it first: `tickmark verify`.
    #[arg(long, value_name = "DIR", conflicts_with = "capture")]
    pub pack: Option<PathBuf>,
    /// Collect into the store first, and look at that.
    #[arg(long, conflicts_with_all = ["capture", "pack"])]
    pub live: bool,
    /// With --live: answer from a recording instead of Azure, on the recording's clock. Needs no configuration.
    #[arg(long, value_name = "DIR", requires = "live")]
    pub replay: Option<PathBuf>,
    /// Compare with this earlier pack. Verify it first.
    #[arg(long, value_name = "PACK")]
    pub against: Option<PathBuf>,
    /// Only what these name; with commas, or more than once.
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Not what these name.
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// What the exit code tells.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = FailOn::Incomplete)]
    pub fail_on: FailOn,
}

/// What an exit code other than 0 is for. Each but `never` and `exceptions` counts what could not be judged as well:
/// nobody knows whether it is an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Nothing.
    Never,
    /// Exceptions (1), whatever could not be judged.
    Exceptions,
    /// Exceptions (1), else anything that was not read or not judged (3).
    Incomplete,
    /// The same, of checks of severity low or above.
    Low,
    /// The same, of checks of severity medium or above.
    Medium,
    /// The same, of checks of severity high or above.
    High,
    /// The same, of checks of severity critical.
    Critical,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Exit codes: 0 no new exceptions · 1 new exceptions · 3 something is no longer evaluated. Neither pack is \
    verified here; verify both first: `tickmark verify`."
)]
pub(super) struct Diff {
    /// Folder of the earlier pack.
    #[arg(value_name = "EARLIER")]
    pub earlier: PathBuf,
    /// Folder of the later pack, of the same tenant.
    #[arg(value_name = "LATER")]
    pub later: PathBuf,
}

#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("about").required(true).args(["vault", "principal", "path"]))]
#[command(
    after_help = "Exit codes: 0 the answer is whole · 3 something was not read, so that there may be more; it is \
    named below the answer"
)]
pub(super) struct AccessOptions {
    /// Vault, by name, ARM id or address: who can read it.
    #[arg(long, value_name = "VAULT")]
    pub vault: Option<String>,
    /// With --vault: one secret of it, by name.
    #[arg(long, value_name = "NAME", requires = "vault")]
    pub secret: Option<String>,
    /// With --vault: why this principal can, path by path, with the records.
    #[arg(long, value_name = "PRINCIPAL", requires = "vault")]
    pub why: Option<String>,
    /// Principal, by object id, application id, name, or the ARM id of what carries it: what it can reach.
    #[arg(long, value_name = "PRINCIPAL")]
    pub principal: Option<String>,
    /// The shortest way by which the principal could come to the vault's content, of those that are surest.
    #[arg(long, num_args = 2, value_names = ["PRINCIPAL", "VAULT"])]
    pub path: Option<Vec<String>>,
    /// With --path: what it would come to.
    #[arg(long, value_enum, default_value_t = GoalChoice::Read, requires = "path")]
    pub goal: GoalChoice,
    /// Only this capability: read_secret, list_secrets, change_secret, destroy_secret, decrypt, sign, encrypt, export_key,
    /// read_private_key, grant_access, manage_vault, or all; may be given more than once. Default: read_secret for a
    /// person who asks about a vault, else all.
    #[arg(long, value_name = "CAPABILITY")]
    pub capability: Vec<CapabilityChoice>,
    #[command(flatten)]
    pub which: Which,
    /// Read this pack instead of a capture. Verify it first: `tickmark verify`.
    #[arg(long, value_name = "DIR", conflicts_with = "capture")]
    pub pack: Option<PathBuf>,
}

/// What an escalation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum GoalChoice {
    /// Reading secret values.
    Read,
    /// Changing secret values.
    Change,
    /// Destroying secrets past recovery.
    Destroy,
    /// Stopping the audit log.
    StopLog,
}

/// A capability by its name in JSON, or all.
#[derive(Clone, Debug)]
pub(super) struct CapabilityChoice(pub &'static [Capability]);

impl std::str::FromStr for CapabilityChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<CapabilityChoice, String> {
        if text == "all" {
            return Ok(CapabilityChoice(Capability::ALL));
        }
        let found = Capability::ALL.iter().position(|capability| capability.name() == text);
        let one = found.and_then(|at| Capability::ALL.get(at..=at));
        one.map(CapabilityChoice).ok_or_else(|| {
            let names: Vec<&str> = Capability::ALL.iter().map(|capability| capability.name()).collect();
            format!("there is none of this name; there are {} and all", names.join(", "))
        })
    }
}

#[derive(Debug, ClapArgs)]
pub(super) struct Seal {
    #[command(flatten)]
    pub which: Which,
    #[command(flatten)]
    pub pack: PackOptions,
}

/// Where the pack goes.
#[derive(Debug, ClapArgs)]
pub(super) struct PackOptions {
    /// Folder of the pack; default: packs/<pack id> in the store. It must not exist.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also write a zip of the pack beside it.
    #[arg(long)]
    pub zip: bool,
    /// Time-stamping authority (RFC 3161) to ask, instead of the configured ones. May be given more than once.
    #[arg(long, value_name = "URL")]
    pub tsa: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Run {
    /// Answer from a recording instead of Azure, on the recording's clock.
    #[arg(long, value_name = "DIR")]
    pub replay: Option<PathBuf>,
    /// Refuse to start when the collecting identity holds rights that it should not have, or when that cannot be told.
    #[arg(long)]
    pub strict_rights: bool,
    #[command(flatten)]
    pub pack: PackOptions,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Verify {
    /// Folder of the pack.
    pub pack: PathBuf,
    /// Public key (PEM) that you trust; it never comes from the pack. May be given more than once.
    #[arg(long, value_name = "PUBKEY.pem", required = true)]
    pub key: Vec<PathBuf>,
    /// Tenant that the pack must be about.
    #[arg(long, value_name = "GUID")]
    pub tenant: Option<String>,
    /// Pack id that is expected.
    #[arg(long, value_name = "ID")]
    pub pack_id: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Reperform {
    /// Folder of the pack.
    pub pack: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(super) enum Pseudonyms {
    /// Make a key and write it where the configuration names it; print it where it names a variable.
    NewKey,
    /// Print the pseudonyms of persons by the configured key.
    Of {
        /// Object ids (for names of users), user principal names or mail addresses.
        #[arg(required = true, value_name = "ID")]
        persons: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Register {
    /// Print drafts: rows for what was found, with what a person must say left empty.
    Suggest {
        /// Which registers; default: all of them.
        #[arg(value_enum, value_name = "REGISTER")]
        registers: Vec<RegisterChoice>,
        #[command(flatten)]
        which: Which,
        /// Read this pack instead of a capture. Verify it first: `tickmark verify`.
        #[arg(long, value_name = "DIR", conflicts_with = "capture")]
        pack: Option<PathBuf>,
        /// Write each register to its file in this folder, such as `registers`; none that is there is replaced.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// A register that can be drafted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RegisterChoice {
    /// User-assigned identities.
    Identities,
    /// Who can read which vault's secrets.
    Readers,
    /// Who can attach identities, run code on their hosts, manage vaults.
    Administrators,
    /// Identities that trust tokens of others.
    Pipelines,
    /// Whose tokens are trusted.
    Issuers,
    /// Networks that vaults let in.
    Networks,
    /// Vaults, with their tags.
    Vaults,
}

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The script needs curl and jq, and az or tokens in its environment; its first lines say how it is \
    run. The record that it writes goes into probes/ beside the configuration: docs/probe.md"
)]
pub(super) struct Probe {
    /// The vault, by name or address (https://NAME.vault.azure.net).
    #[arg(long, value_name = "VAULT")]
    pub vault: String,
    /// Name of a canary secret in it: made for this, with a value that opens nothing.
    #[arg(long, value_name = "NAME")]
    pub secret: String,
    /// Write the script to this file; none that is there is replaced.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "The file is copied as it is, and every reader of a pack can read it: it must hold no secret.")]
pub(super) struct Attach {
    /// The file: minutes, a scanner's report, an export of tickets. At most 20 MiB.
    pub file: PathBuf,
    /// The control that it is for, such as TM-03; `tickmark list` names them.
    #[arg(long, value_name = "CONTROL")]
    pub control: String,
    /// What it is, in one line.
    #[arg(long, value_name = "TEXT")]
    pub title: String,
    /// Who made it, or vouches for it.
    #[arg(long, value_name = "NAME")]
    pub person: String,
    /// The day that it was made, such as 2026-10-01; default: today (UTC).
    #[arg(long, value_name = "DAY")]
    pub date: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct List {
    /// Populations that a check of your own can ask about; with the name of one, what is kept of each of its records.
    #[arg(long, value_name = "POPULATION", num_args = 0..=1)]
    pub fields: Option<Option<String>>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Explain {
    /// Id of a check, such as RBAC-007, or of one of your own, such as ORG-001.
    #[arg(required_unless_present = "all")]
    pub check: Option<String>,
    /// Write the pages of the documentation: one for each check, an index, the mapping both ways, the comparison.
    #[arg(long, requires = "out", conflicts_with = "check")]
    pub all: bool,
    /// With --all: folder of the pages.
    #[arg(long, value_name = "DIR", requires = "all")]
    pub out: Option<PathBuf>,
}
