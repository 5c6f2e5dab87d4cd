//! The checks: one file a check, named by its id, and the table of them all.
//!
//! A check is a value and a pure function from facts to findings. [`run_all`] settles what no check may decide
//! for itself: a list that was not read whole is never an empty population, and a pass that needed something
//! unread is not a pass.

mod activations;
mod app_001_no_client_secrets;
mod app_002_no_principal_credentials;
mod app_003_short_credentials;
mod app_004_policy_blocks_secrets;
mod app_006_departed_owners;
mod app_007_settings_by_reference;
mod app_008_no_secret_sign_ins;
mod applications;
mod approved;
mod callers;
mod cry_001_secrets_expire;
mod custom;
mod environments;
mod evt_001_log_covers_period;
mod evt_002_read_population;
mod evt_003_reads_by_known_identities;
mod evt_004_denied_reads;
mod evt_005_handshakes;
mod evt_006_human_reads_activated;
mod evt_007_workloads_only_read;
mod fed_001_pipelines_federated;
mod fed_002_approved_issuers;
mod fed_003_exact_subject;
mod fed_004_standard_audience;
mod fed_005_cluster_identity;
mod fed_006_cross_tenant;
mod fed_007_trust_changes;
mod federation;
mod finding;
mod kv_001_population_complete;
mod kv_002_rbac_model;
mod kv_003_model_unchanged;
mod kv_004_no_residual_policies;
mod kv_005_policies_minimal;
mod kv_006_recoverable;
mod kv_007_approved_networks;
mod kv_008_private_endpoints;
mod kv_009_one_application;
mod kv_010_writers_limited;
mod kv_011_deployment_flags;
mod kv_012_threat_detection;
mod log_001_audit_events_sent;
mod log_002_destination_exists;
mod log_003_retention_covers_period;
mod log_004_archive_immutable;
mod log_005_directory_logs_exported;
mod log_006_activity_log_exported;
mod log_008_logging_not_weakened;
mod log_009_changes_alerted;
mod log_reach;
mod logs;
mod nhi_001_inventory_reconciled;
mod nhi_002_workloads_use_identity;
mod nhi_003_owner_and_purpose;
mod nhi_004_no_idle_identity;
mod nhi_005_shared_within_environment;
mod nhi_006_no_orphaned_assignments;
mod nhi_007_union_reviewed;
mod nhi_008_attaching_limited;
mod nhi_009_running_code_limited;
mod nhi_011_no_dormant_identity;
mod nhi_012_no_directory_privilege;
mod operations;
mod pack_001_collection_complete;
mod pack_002_collector_reads_only;
mod pack_003_chain_of_packs;
mod pack_004_waivers_valid;
mod pack_005_parameters_set;
mod parameters;
mod people;
mod pim_001_no_standing_owner;
mod pim_002_vault_roles_eligible;
mod pim_004_activation_rules;
mod pim_005_activations_in_period;
mod prb_001_no_role_refused;
mod prb_002_role_allowed;
mod prb_003_no_token_challenged;
mod prb_004_log_shows_calls;
mod probes;
mod rbac_001_minimal_rights;
mod rbac_002_narrow_scope;
mod rbac_003_readers_approved;
mod rbac_004_private_keys;
mod rbac_005_no_granting;
mod rbac_006_encrypt_decrypt_split;
mod rbac_007_no_broad_role;
mod rbac_008_no_broad_wildcards;
mod rbac_009_no_standing_human_read;
mod rbac_010_no_granting_reader;
mod rbac_011_metadata_only;
mod rbac_012_no_root_or_guest;
mod rbac_013_changes_authorised;
mod rbac_014_no_unused_access;
mod rbac_015_narrowing_recorded;
mod readers;
mod registered;
mod registers;
mod role_changes;
mod roles;
mod runner;
mod standing;
#[cfg(test)]
pub(crate) mod testing;
pub mod usage;
mod waivers;

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Access;
use crate::declared::Declared;
pub use crate::declared::Severity;
use crate::evidence::{Cite, Entry, Kind, Period};
use crate::model::{Id, Missing, Need, Reach, Resource, Tenant};

pub use custom::custom_checks;
pub use finding::{About, Accepted, Finding, Outcome, Subject, about};
pub use nhi_002_workloads_use_identity::WORKLOADS;
pub use parameters::Parameters;
pub use role_changes::{RoleChange, role_changes};
pub use runner::{run_all, run_those};

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Fixed id, `RBAC-007`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// How much a failure matters.
    pub severity: Severity,
    /// Whether it speaks of a state or of a period.
    pub nature: Nature,
    /// What is asked and how, for an auditor.
    pub asks: &'static str,
    /// What it cannot see, for an auditor.
    pub blind_to: &'static str,
    /// How to fix a failure, for an engineer: portal, az, Bicep or Terraform.
    pub fix: &'static str,
    /// What must have been read, and how far.
    pub needs: &'static [Need],
    /// The judgement.
    pub run: fn(&Facts<'_>) -> Vec<Finding>,
}

/// Whether a check speaks of a state or of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// A state at the time of collection.
    Design,
    /// Operation over the period.
    Operating,
}

impl Nature {
    /// The word in reports and exports.
    pub fn word(self) -> &'static str {
        match self {
            Nature::Design => "design",
            Nature::Operating => "operating",
        }
    }
}

/// What a check may look at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The tenant.
    pub tenant: &'a Tenant,
    /// Who can do what.
    pub access: &'a Access,
    /// The period under examination.
    pub period: Period,
    /// Thresholds.
    pub parameters: &'a Parameters,
    /// Registers, waivers and attached records.
    pub declared: &'a Declared,
    /// The ledger of all runs, oldest first, as it was when this was judged.
    pub ledger: &'a [Entry],
}

impl<'a> Facts<'a> {
    /// The first of `needs` that was not read for the subject: asked before anything is concluded from an absence.
    fn missing(&self, needs: &[Need], subject: &Id) -> Option<Missing> {
        needs.iter().find_map(|need| self.tenant.coverage.missing(*need, subject).into_iter().next())
    }

    /// The records of every question of a kind.
    fn records_of(&self, kind: Kind) -> Vec<Cite> {
        self.tenant.coverage.questions(kind).map(|asked| asked.from.clone()).collect()
    }

    /// The records of the questions of a kind whose scope holds the subject by its path.
    fn records_about(&self, kind: Kind, subject: &Id) -> Vec<Cite> {
        self.tenant.coverage.above(kind, subject).into_iter().map(|asked| asked.from.clone()).collect()
    }
}

/// Resources by the user-assigned identities that are attached to them.
struct Hosts<'a>(BTreeMap<&'a Id, Vec<&'a Resource>>);

impl<'a> Hosts<'a> {
    fn of(tenant: &'a Tenant) -> Hosts<'a> {
        let mut hosts: BTreeMap<&Id, Vec<&Resource>> = BTreeMap::new();
        for resource in &tenant.resources {
            let attached = resource.identity.iter().flat_map(|identity| &identity.user_assigned);
            let attached: BTreeSet<&Id> = attached.map(|attached| &attached.id).collect();
            attached.into_iter().for_each(|id| hosts.entry(id).or_default().push(resource));
        }
        Hosts(hosts)
    }

    /// Those that this one is attached to.
    fn of_identity(&self, identity: &Id) -> &[&'a Resource] {
        self.0.get(identity).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A need for the list that the subjects come from.
const fn population(kind: Kind) -> Need {
    Need { kind, reach: Reach::Population }
}

/// A need for the questions whose scope holds the subject.
const fn own(kind: Kind) -> Need {
    Need { kind, reach: Reach::Own }
}

/// A need for every question of a kind.
const fn whole(kind: Kind) -> Need {
    Need { kind, reach: Reach::Whole }
}

/// A need whose questions the check itself sorts into those that matter for a subject and those that do not.
const fn judged(kind: Kind) -> Need {
    Need { kind, reach: Reach::Judged }
}

/// Every check, in the order of the report.
pub const CHECKS: &[&Check] = &[
    &app_001_no_client_secrets::CHECK,
    &app_002_no_principal_credentials::CHECK,
    &app_003_short_credentials::CHECK,
    &app_004_policy_blocks_secrets::CHECK,
    &app_006_departed_owners::CHECK,
    &app_007_settings_by_reference::CHECK,
    &app_008_no_secret_sign_ins::CHECK,
    &cry_001_secrets_expire::CHECK,
    &evt_001_log_covers_period::CHECK,
    &evt_002_read_population::CHECK,
    &evt_003_reads_by_known_identities::CHECK,
    &evt_004_denied_reads::CHECK,
    &evt_005_handshakes::CHECK,
    &evt_006_human_reads_activated::CHECK,
    &evt_007_workloads_only_read::CHECK,
    &fed_001_pipelines_federated::CHECK,
    &fed_002_approved_issuers::CHECK,
    &fed_003_exact_subject::CHECK,
    &fed_004_standard_audience::CHECK,
    &fed_005_cluster_identity::CHECK,
    &fed_006_cross_tenant::CHECK,
    &fed_007_trust_changes::CHECK,
    &kv_001_population_complete::CHECK,
    &kv_002_rbac_model::CHECK,
    &kv_003_model_unchanged::CHECK,
    &kv_004_no_residual_policies::CHECK,
    &kv_005_policies_minimal::CHECK,
    &kv_006_recoverable::CHECK,
    &kv_007_approved_networks::CHECK,
    &kv_008_private_endpoints::CHECK,
    &kv_009_one_application::CHECK,
    &kv_010_writers_limited::CHECK,
    &kv_011_deployment_flags::CHECK,
    &kv_012_threat_detection::CHECK,
    &log_001_audit_events_sent::CHECK,
    &log_002_destination_exists::CHECK,
    &log_003_retention_covers_period::CHECK,
    &log_004_archive_immutable::CHECK,
    &log_005_directory_logs_exported::CHECK,
    &log_006_activity_log_exported::CHECK,
    &log_008_logging_not_weakened::CHECK,
    &log_009_changes_alerted::CHECK,
    &nhi_001_inventory_reconciled::CHECK,
    &nhi_002_workloads_use_identity::CHECK,
    &nhi_003_owner_and_purpose::CHECK,
    &nhi_004_no_idle_identity::CHECK,
    &nhi_005_shared_within_environment::CHECK,
    &nhi_006_no_orphaned_assignments::CHECK,
    &nhi_007_union_reviewed::CHECK,
    &nhi_008_attaching_limited::CHECK,
    &nhi_009_running_code_limited::CHECK,
    &nhi_011_no_dormant_identity::CHECK,
    &nhi_012_no_directory_privilege::CHECK,
    &pack_001_collection_complete::CHECK,
    &pack_002_collector_reads_only::CHECK,
    &pack_003_chain_of_packs::CHECK,
    &pack_004_waivers_valid::CHECK,
    &pack_005_parameters_set::CHECK,
    &pim_001_no_standing_owner::CHECK,
    &pim_002_vault_roles_eligible::CHECK,
    &pim_004_activation_rules::CHECK,
    &pim_005_activations_in_period::CHECK,
    &prb_001_no_role_refused::CHECK,
    &prb_002_role_allowed::CHECK,
    &prb_003_no_token_challenged::CHECK,
    &prb_004_log_shows_calls::CHECK,
    &rbac_001_minimal_rights::CHECK,
    &rbac_002_narrow_scope::CHECK,
    &rbac_003_readers_approved::CHECK,
    &rbac_004_private_keys::CHECK,
    &rbac_005_no_granting::CHECK,
    &rbac_006_encrypt_decrypt_split::CHECK,
    &rbac_007_no_broad_role::CHECK,
    &rbac_008_no_broad_wildcards::CHECK,
    &rbac_009_no_standing_human_read::CHECK,
    &rbac_010_no_granting_reader::CHECK,
    &rbac_011_metadata_only::CHECK,
    &rbac_012_no_root_or_guest::CHECK,
    &rbac_013_changes_authorised::CHECK,
    &rbac_014_no_unused_access::CHECK,
    &rbac_015_narrowing_recorded::CHECK,
];

/// The check with this id, compared without case.
pub fn find(id: &str) -> Option<&'static Check> {
    CHECKS.iter().copied().find(|check| check.id.eq_ignore_ascii_case(id))
}

/// Every check: those of this build, then the organisation's own.
pub fn all_checks(declared: &Declared) -> impl Iterator<Item = &'static Check> + use<> {
    CHECKS.iter().copied().chain(custom_checks(declared))
}

/// The check with this id among all of them, compared without case.
pub fn find_in(declared: &Declared, id: &str) -> Option<&'static Check> {
    find(id).or_else(|| declared.check(id).map(custom::words))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::testing::{findings_of, findings_of_all, furnished};
    use super::*;

    /// `kv_001_population_complete.rs` → `KV-001`; files that are not named for a check are none.
    fn id_of_file(name: &str) -> Option<String> {
        let mut parts = name.strip_suffix(".rs")?.splitn(3, '_');
        let (family, number, words) = (parts.next()?, parts.next()?, parts.next()?);
        let is_number = number.len() == 3 && number.chars().all(|digit| digit.is_ascii_digit());
        (is_number && !words.is_empty()).then(|| format!("{}-{number}", family.to_uppercase()))
    }

    #[test]
    fn the_table_holds_what_the_folder_holds_in_the_same_order() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check");
        let names = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
        let of_files: Vec<String> = names.filter_map(|name| id_of_file(&name.to_string_lossy())).collect();
        let sorted: BTreeSet<String> = of_files.iter().cloned().collect();
        assert_eq!(sorted.len(), of_files.len(), "one file a check");
        let of_table: Vec<String> = CHECKS.iter().map(|check| check.id.to_owned()).collect();
        assert_eq!(of_table, sorted.into_iter().collect::<Vec<String>>());
    }

    #[test]
    fn every_check_has_its_words() {
        for check in CHECKS {
            for words in [check.title, check.asks, check.blind_to, check.fix] {
                assert!(words.len() > 20, "{}: `{words}`", check.id);
                assert!(!words.contains("  "), "{}: a line break left spaces in `{words}`", check.id);
            }
            assert!(!check.title.ends_with('.'), "{}", check.id);
            for words in [check.asks, check.blind_to, check.fix] {
                assert!(words.ends_with('.'), "{}: `{words}`", check.id);
            }
        }
    }

    #[test]
    fn a_check_is_found_by_its_id_in_any_case() {
        assert_eq!(find("kv-002").map(|check| check.id), Some("KV-002"));
        assert!(find("KV-000").is_none());
    }

    /// Subjects and outcomes of one check, whatever the evidence is numbered.
    fn outcomes_of(findings: &[Finding]) -> BTreeSet<(&Subject, Outcome)> {
        findings.iter().map(|finding| (finding.subject(), finding.outcome())).collect()
    }

    #[test]
    fn one_denied_question_keeps_no_pass_that_needed_it_and_changes_nothing_else() {
        // Everything hangs on the list of subscriptions, and access on the tree of groups above them.
        let roots = [Kind::Subscriptions, Kind::ManagementGroups, Kind::ManagementGroupDescendants];
        let tenants = [furnished(), logs::testing::steady(), applications::testing::in_order()];
        let questions =
            tenants.iter().flat_map(|tenant| tenant.questions().into_iter().map(move |asked| (tenant, asked)));
        let all = tenants.each_ref().map(|tenant| findings_of_all(tenant.clone()));
        for (tenant, (kind, scope)) in questions.filter(|(_, (kind, _))| !roots.contains(kind)) {
            let denied = findings_of_all(tenant.clone().denied(kind, &scope));
            let whole =
                all.iter().zip(&tenants).find(|(_, one)| std::ptr::eq(*one, tenant)).map(|(findings, _)| findings);
            for check in CHECKS.iter().filter(|check| !check.needs.is_empty()) {
                let before = &whole.expect("judged above")[check.id];
                let after = &denied[check.id];
                let passes = || after.iter().filter(|finding| finding.outcome() == Outcome::Pass);
                let reaches: Vec<Reach> =
                    check.needs.iter().filter(|need| need.kind == kind).map(|need| need.reach).collect();
                if reaches.contains(&Reach::Whole) {
                    assert_eq!(passes().count(), 0, "{} without {kind:?} at {scope}: {after:#?}", check.id);
                }
                if reaches.is_empty() {
                    let same = outcomes_of(before) == outcomes_of(after);
                    assert!(same, "{} does not say that it needs {kind:?}: {before:#?} {after:#?}", check.id);
                }
            }
        }
    }

    #[test]
    fn a_vault_that_logs_every_day_passes_every_check_of_its_log() {
        let of_the_vault = ["LOG-001", "LOG-002", "LOG-003", "EVT-001", "EVT-002", "EVT-003", "EVT-004", "EVT-005"];
        for check in of_the_vault.iter().filter_map(|id| find(id)) {
            let outcomes: Vec<Outcome> =
                findings_of(check, logs::testing::steady()).iter().map(Finding::outcome).collect();
            assert_eq!(outcomes, [Outcome::Pass], "{}", check.id);
        }
    }

    #[test]
    fn applications_and_trusts_in_order_pass_and_what_only_people_know_awaits_them() {
        let all = findings_of_all(applications::testing::in_order());
        let own = ["APP-", "FED-", "CRY-", "NHI-011", "NHI-012"];
        for (id, findings) in all.iter().filter(|(id, _)| own.iter().any(|family| id.starts_with(family))) {
            for finding in findings {
                let by_people =
                    *id == "APP-007" && finding.subject().name == "site" || ["FED-001", "FED-002"].contains(id); // they have no register here
                let expected = if by_people { Outcome::Manual } else { Outcome::Pass };
                assert_eq!(finding.outcome(), expected, "{finding:#?}");
            }
        }
    }

    #[test]
    fn the_furnished_tenant_is_complete_so_that_a_denial_is_its_only_gap() {
        let complete = findings_of(find("PACK-001").expect("a check"), furnished());
        assert_eq!(complete.iter().map(Finding::outcome).collect::<Vec<Outcome>>(), [Outcome::Pass]);
    }
}
