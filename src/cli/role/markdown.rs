//! `docs/permissions.md`: every question with what it needs and what is lost without it.

use crate::azure::Api;
use crate::check::CHECKS;
use crate::collect::{Collector, Permission, collectors};
use crate::evidence::Kind;

/// The page.
pub(super) fn page() -> String {
    let mut page = String::from(HEAD);
    for collector in collectors() {
        page.push_str(&section(collector));
    }
    page
}

const HEAD: &str = "\
# Permissions

Generated from the table of questions by `tickmark role --as markdown`; a test holds this page to it.

For each question: what is asked, which permission answers it and where it must be held, which checks need the answer,
and what is lost without it. A question that is refused ends as a gap, and what needed it is reported as not evaluated,
never as clean. `tickmark role` prints the setup, `tickmark doctor` says what works.

An action of an Azure role counts where it is assigned and below. Assigned at the root management group, one role covers
every scope on this page but `/`, where only built-in roles can be assigned and Management Group Reader suffices.
No data action is needed: nothing is asked of a vault, only about vaults.

**The list of resources** leaves out, without a word, every type that the caller may not read. `*/read` (Reader) makes it
whole and reads everything else too. The computed role names the single types instead: those that checks look for, and
those that commonly carry an identity. Add the types that you run.

**Rows of logs** need the action that runs a query and, for each table, the action that shows its rows. The built-in Log
Analytics Data Reader at each workspace gives both for all tables. A table that is marked as protected needs more.

**In Microsoft Graph**, `Directory.Read.All` is also accepted where the two narrower permissions are named.
";

fn section(collector: &Collector) -> String {
    let kind = collector.kind;
    let method = match collector.api {
        Api::LogAnalytics => "POST",
        _ if kind == Kind::Principals => "POST",
        _ => "GET",
    };
    // the braces of a placeholder are encoded as any other character of a scope is
    let request = collector.path_and_query(template(kind)).replace("%7B", "{").replace("%7D", "}");
    let permissions: String = collector.permissions.iter().map(|permission| line(*permission)).collect();
    let checks: Vec<&str> =
        CHECKS.iter().filter(|check| check.needs.iter().any(|need| need.kind == kind)).map(|check| check.id).collect();
    let checks = match checks.as_slice() {
        [] => "none by itself".to_owned(),
        ids => ids.join(", "),
    };
    format!(
        "\n## {}\n\n`{method} {request}`\n\n{permissions}\n- where: {}\n- needed by: {checks}\n- without it: {}\n",
        heading(kind),
        place(kind),
        without(kind),
    )
}

fn line(permission: Permission) -> String {
    format!("- `{}` ({})\n", permission.name(), permission.system())
}

fn heading(kind: Kind) -> String {
    let mut letters = kind.words().chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// A scope with placeholders.
fn template(kind: Kind) -> &'static str {
    match kind {
        Kind::Subscriptions | Kind::ManagementGroups => "tenant",
        Kind::ManagementGroupDescendants => "{group}",
        Kind::FederatedCredentials => "{identity}",
        Kind::DiagnosticSettings => "{vault}",
        Kind::Workspace | Kind::Tables => "{workspace}",
        Kind::ManagedIdentityPrincipals | Kind::Principals => "directory",
        Kind::GroupMembers => "group:{group}",
        Kind::VaultLogDedicated | Kind::VaultLogLegacy | Kind::VaultLogDedicatedCount | Kind::VaultLogLegacyCount => {
            "workspace:{workspace}"
        }
        Kind::Resources
        | Kind::VirtualMachines
        | Kind::UserAssignedIdentities
        | Kind::Vaults
        | Kind::DeletedVaults
        | Kind::RoleAssignments
        | Kind::RoleDefinitions
        | Kind::DenyAssignments
        | Kind::Workspaces => "/subscriptions/{subscription}",
    }
}

/// Where the permission must be held.
fn place(kind: Kind) -> &'static str {
    match kind {
        Kind::ManagementGroups | Kind::ManagementGroupDescendants => "every management group, so the root group",
        Kind::FederatedCredentials => "every user-assigned identity, so every subscription",
        Kind::DiagnosticSettings => "every vault, so every subscription",
        Kind::RoleAssignments => {
            "every subscription and every management group (there with `$filter=atScope()`), and `/`, which needs a role \
             of its own"
        }
        Kind::Workspace
        | Kind::Tables
        | Kind::VaultLogDedicated
        | Kind::VaultLogLegacy
        | Kind::VaultLogDedicatedCount
        | Kind::VaultLogLegacyCount => "every workspace that vaults log to, wherever it is",
        Kind::ManagedIdentityPrincipals | Kind::Principals | Kind::GroupMembers => "the directory",
        Kind::Subscriptions
        | Kind::Resources
        | Kind::VirtualMachines
        | Kind::UserAssignedIdentities
        | Kind::Vaults
        | Kind::DeletedVaults
        | Kind::RoleDefinitions
        | Kind::DenyAssignments
        | Kind::Workspaces => "every subscription",
    }
}

/// What is lost without the answer.
fn without(kind: Kind) -> &'static str {
    match kind {
        Kind::Subscriptions => "a subscription that is not visible is missed, unless the configuration expects it",
        Kind::ManagementGroups => "access that comes from management groups is not evaluated",
        Kind::ManagementGroupDescendants => "it is not known which subscriptions a management group reaches",
        Kind::Resources => {
            "workloads and the identities attached to them are not known; types the role does not name are missed in silence"
        }
        Kind::VirtualMachines => {
            "a machine's identity is known from the list of resources only, which may leave it out"
        }
        Kind::UserAssignedIdentities => "shared identities and what they are attached to are not judged",
        Kind::FederatedCredentials => "an identity that is used from outside Azure looks idle, so that is not judged",
        Kind::Vaults => "no vault of that subscription is judged",
        Kind::DeletedVaults => "the population of vaults is not reconciled",
        Kind::RoleAssignments => "nobody's roles are judged below that scope, since a role there could widen them",
        Kind::RoleDefinitions => "assignments of roles whose actions are unknown are not judged",
        Kind::DenyAssignments => "a deny assignment could narrow access, so access is not concluded",
        Kind::DiagnosticSettings => "it is not known whether and where that vault logs",
        Kind::Workspaces => "destinations of logs are looked up one by one instead",
        Kind::Workspace => "it is not known whether the destination of a log exists",
        Kind::Tables => "it is not known how long rows are kept",
        Kind::ManagedIdentityPrincipals => "the inventory of identities is not reconciled with the directory",
        Kind::Principals => "deleted principals cannot be told from living ones, nor people from workloads",
        Kind::GroupMembers => "access that comes through that group is not evaluated",
        Kind::VaultLogDedicated | Kind::VaultLogLegacy => {
            "reads, denials and callers of the vaults that log there are not judged"
        }
        Kind::VaultLogDedicatedCount | Kind::VaultLogLegacyCount => {
            "the rows have no control total, and days without rows are not known"
        }
    }
}
