//! `docs/permissions.md`: every permission with what it is asked for, every question, every check with what it takes.
//! Nothing here is about one question: what the page says comes from the tables of questions and checks.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;

use crate::azure::Api;
use crate::check::{CHECKS, Check};
use crate::collect::{Collector, Form, Permission, collectors};
use crate::evidence::{Kind, Over, Window};

/// The page.
pub(super) fn page() -> String {
    let mut page = String::from(HEAD);
    page.push_str(BY_PERMISSION);
    page.push_str(&permissions());
    page.push_str(BY_CHECK);
    CHECKS.iter().for_each(|check| page.push_str(&of_check(check)));
    page.push_str(BY_QUESTION);
    collectors().for_each(|collector| page.push_str(&of_question(collector)));
    page
}

const HEAD: &str = "\
# Permissions

Generated from the tables of questions and checks by `tickmark role --as markdown`; a test holds this page to them.

Which permission the collecting identity is asked to hold, for which question, and which checks are not evaluated
without it. Everything is reading. A question that is refused ends as a gap, and what needed it is reported as not
evaluated, never as clean. `tickmark role` prints the setup, `tickmark doctor` says what works.

An action of an Azure role counts where it is assigned and below. Assigned at the root management group, one role covers
every scope on this page but the root scope `/`: no custom role can be assigned there, so that the question about
assignments at `/` takes a built-in role, such as Reader.

**Actions on data** are needed only where vaults are asked themselves for what they hold (`vault_objects = \"data_plane\"` in
the configuration). They show names and attributes, no values. A custom role that has one can be assigned in subscriptions
only, so that `tickmark role` prints a second role for them. In a vault with access policies the permissions `list` take
their place.

**The list of resources** leaves out, without a word, every type that the caller may not read. Only `*/read` (Reader)
makes it whole, and reads everything else too. The computed role names single types instead: those that checks look for,
and those that commonly carry an identity. Add the types that you run. Every other list on this page is whole with the
actions that are named for it.

**The list of management groups** has been seen to come back empty for a custom role that holds
`Microsoft.Management/managementGroups/read`, and whole for the built-in Management Group Reader, which holds the same.
`tickmark role` therefore assigns that one as well.

**Rows of logs** need the action that runs a query and, for each table, the action that shows its rows. The built-in Log
Analytics Data Reader at each workspace gives both for all tables. A table that is marked as protected needs more.

**In Microsoft Graph**, `Directory.Read.All` is also accepted where `Application.Read.All`, `Group.Read.All`,
`GroupMember.Read.All` or `User.Read.All` is named, but for the federated credentials of app registrations. Roles of the
directory with their schedule, policies, and what privileged identity management knows of groups take the permission
that is named.
";

const BY_PERMISSION: &str = "
## By permission

| Permission | Granted by | Where | Asked for | Checks that need it |
| --- | --- | --- | --- | --- |
";

const BY_CHECK: &str = "
## By check

What each check needs to be evaluated. A permission that only fills one list with a further type of resource stands in
the table above.

| Check | What it says | Permissions |
| --- | --- | --- |
";

const BY_QUESTION: &str = "
## By question

Where a cloud does not know the version that a question is asked in, it is asked in the next one that is named here; the
evidence says in which it was answered. Under `[api_versions]` of `tickmark.toml`, the key of a question can name another
one, which is asked first.
";

/// One row for each permission: what is asked with it and why.
fn permissions() -> String {
    let mut by_name: BTreeMap<(&str, String), Vec<&Collector>> = BTreeMap::new();
    for collector in collectors() {
        for permission in collector.permissions {
            by_name.entry((permission.system(), permission.name())).or_default().push(collector);
        }
    }
    let row = |((system, name), asking): ((&str, String), Vec<&Collector>)| {
        let places: BTreeSet<String> =
            asking.iter().flat_map(|collector| collector.kind.over()).map(|over| place(*over)).collect();
        let questions: Vec<&str> = asking.iter().map(|collector| collector.kind.words()).collect();
        let checks: BTreeSet<&str> = asking.iter().flat_map(|collector| checks(collector.kind)).collect();
        format!("| `{name}` | {system} | {} | {} | {} |\n", list(places), questions.join("; "), list(checks))
    };
    by_name.into_iter().map(row).collect()
}

/// One row for a check: the permissions without which one of its questions is refused, and the tables of its logs.
fn of_check(check: &Check) -> String {
    let needed = |collector: &&Collector| check.needs.iter().any(|need| need.kind == collector.kind);
    let mut names = BTreeSet::new();
    for collector in collectors().filter(needed) {
        names.insert(collector.permission());
        let tables = collector.permissions.iter().filter(|permission| matches!(permission, Permission::LogTable(_)));
        names.extend(tables.map(|permission| permission.name()));
    }
    let names = names.iter().map(|name| format!("`{name}`"));
    format!("| {} | {} | {} |\n", check.id, check.title, list(names))
}

fn of_question(collector: &Collector) -> String {
    let kind = collector.kind;
    let method = if matches!(collector.form, Form::Get | Form::Advanced) { "GET" } else { "POST" };
    let requests: Vec<String> = kind
        .over()
        .iter()
        .map(|over| format!("- at {}: `{method} {}`\n", place(*over), request(collector, *over)))
        .collect();
    let version = match collector.api {
        Api::Graph | Api::LogAnalytics => String::new(), // it is part of the path
        Api::ResourceManager | Api::KeyVault => {
            let versions = std::iter::once(collector.api_version).chain(collector.older.iter().copied());
            let versions: Vec<String> = versions.map(|version| format!("`{version}`")).collect();
            format!("- version: {}; key `{}`\n", versions.join(", else "), kind.name())
        }
    };
    let permissions = collector.permissions.iter().map(|permission| format!("`{}`", permission.name()));
    let without = match list(checks(kind)).as_str() {
        "" => "the answer is missing from the evidence; no check is evaluated by it alone".to_owned(),
        ids => format!("not evaluated: {ids}"),
    };
    format!(
        "\n### {}\n\n{}{version}- permissions: {}\n- without it: {without}\n",
        heading(kind),
        requests.concat(),
        list(permissions)
    )
}

/// Ids of the checks that need the answer.
fn checks(kind: Kind) -> impl Iterator<Item = &'static str> {
    CHECKS.iter().filter(move |check| check.needs.iter().any(|need| need.kind == kind)).map(|check| check.id)
}

fn list(words: impl IntoIterator<Item: AsRef<str>>) -> String {
    words.into_iter().map(|word| word.as_ref().to_owned()).collect::<Vec<String>>().join(", ")
}

/// Where the permission must be held.
fn place(over: Over) -> String {
    match over.fixed() {
        Some("/") => "the root scope `/`".to_owned(),
        Some(_) => format!("the {}", over.words()),
        None => format!("every {}", over.words()),
    }
}

/// The path and query with placeholders.
fn request(collector: &Collector, over: Over) -> String {
    let scope = match over {
        Over::Subscription => "/subscriptions/{subscription}".to_owned(),
        _ => over.fixed().map_or_else(|| format!("{{{over:?}}}"), str::to_owned),
    };
    // two instants that stand for the ends of the period
    let (start, end) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1));
    let request = collector.path_and_query(&scope, &Window { start, end, cutoff: end });
    // the braces of a placeholder are encoded as any other character of a scope is
    let request = request.replace("%7B", "{").replace("%7D", "}");
    request.replace("1970-01-01T00:00:00Z", "{start}").replace("1970-01-02T00:00:00Z", "{end}")
}

fn heading(kind: Kind) -> String {
    let mut letters = kind.words().chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_every_check_and_every_question_is_on_the_page() {
        let page = page();
        for collector in collectors() {
            assert!(page.contains(&format!("\n### {}\n", heading(collector.kind))), "{:?}", collector.kind);
            for permission in collector.permissions {
                assert!(page.contains(&format!("| `{}` | ", permission.name())), "{permission:?}");
            }
        }
        for check in CHECKS {
            assert!(page.contains(&format!("\n| {} | {} | ", check.id, check.title)), "{}", check.id);
        }
    }

    #[test]
    fn a_question_shows_how_it_is_put_at_each_family_of_scopes() {
        let row = collectors().find(|row| row.kind == Kind::RoleAssignments).expect("a row");
        let text = of_question(row);
        for request in [
            "- at the root scope `/`: `GET /providers/Microsoft.Authorization/roleAssignments?api-version=",
            "`GET /subscriptions/{subscription}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01`",
            "&$filter=atScope()`",
        ] {
            assert!(text.contains(request), "{request}: {text}");
        }
    }
}
