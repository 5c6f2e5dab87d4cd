//! NHI-003: somebody answers for each user-assigned identity, and sharing it was a decision.

use super::registers::{Known, of_rows};
use super::{Check, Facts, Finding, Hosts, Nature, Severity, about, population, whole};
use crate::declared::{Identity, IdentityName, Register};
use crate::evidence::Kind;
use crate::model::{Id, UserAssignedIdentity};

pub(super) const CHECK: Check = Check {
    id: "NHI-003",
    title: "Each user-assigned identity has an owner, a purpose and approved sharing",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "The tags `owner` and `purpose` of every user-assigned identity, and the resources that it is attached to. \
           `registers/identities.toml` comes first, where there is one: an identity that it does not list is an \
           exception, and so is one that more resources share than the configuration allows without a reason in its \
           row. Without the register the tags stand in for it, and an identity that lacks one of them, or is shared, \
           awaits a person's record. Rows of user-assigned identities that are not there, or that ended, are exceptions.",
    blind_to: "Whether the named owner still works there and agrees, and attachments in subscriptions that were not \
               collected. Every program on a resource can use every identity attached to it.",
    fix: "`az tag update --operation merge --resource-id IDENTITY_ID --tags owner=TEAM purpose=TEXT` (Bicep: `tags: { \
          owner: '…', purpose: '…' }`). Give each workload an identity of its own, or record why this one is shared.",
    needs: &[population(Kind::UserAssignedIdentities), whole(Kind::Resources), whole(Kind::VirtualMachines)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let hosts = Hosts::of(facts.tenant);
    let register = facts.declared.registers.identities.as_ref();
    let mut findings: Vec<Finding> = match register {
        None => facts.tenant.user_assigned.iter().map(|identity| judge(facts, &hosts, identity)).collect(),
        Some(register) => {
            facts.tenant.user_assigned.iter().map(|identity| registered(facts, &hosts, register, identity)).collect()
        }
    };
    if let Some(register) = register {
        findings.extend(of_rows(facts, register, |row| row.identity.shown().to_owned(), |row| known(facts, &row.says)));
    }
    findings
}

/// Against the register of identities.
fn registered(
    facts: &Facts<'_>,
    hosts: &Hosts<'_>,
    register: &Register<Identity>,
    identity: &UserAssignedIdentity,
) -> Finding {
    let hosts = hosts.of_identity(&identity.id);
    let on = about("managed_identity", &identity.id, &identity.name, &identity.from)
        .citing(hosts.iter().map(|host| &host.from));
    let mut rows = register.in_force(facts.tenant.collected_at);
    let attached = counted(hosts.len());
    let Some(row) = rows.find(|row| names(&row.says.identity, identity)) else {
        return on
            .citing([&register.from])
            .fail(format!("`registers/identities.toml` has no row in force for it; it is attached to {attached}"));
    };
    let on = on.citing([&row.from]);
    let (owner, purpose) = (row.says.owner.as_str(), row.says.purpose.as_str());
    let says = format!("the row at `{}` names its owner (`{owner}`) and purpose (`{purpose}`)", row.place());
    let limit = facts.parameters.sharing_limit;
    match &row.says.sharing {
        _ if hosts.len() <= limit => on.pass(format!("{says}; it is attached to {attached}")),
        Some(reason) => on.pass(format!("{says}; it is attached to {attached}, because: `{}`", reason.as_str())),
        None => {
            on.fail(format!("{says}; it is attached to {attached}, more than {limit}, and the row gives no reason"))
        }
    }
}

fn names(name: &IdentityName, identity: &UserAssignedIdentity) -> bool {
    match name {
        IdentityName::Resource(id) => *id == identity.id,
        IdentityName::Object(object) => {
            identity.principal_id.as_deref().is_some_and(|principal| principal.eq_ignore_ascii_case(object))
        }
    }
}

/// Whether what a row names is there. Other checks use rows about system-assigned identities and service principals;
/// those are looked for in the directory's answers.
fn known(facts: &Facts<'_>, row: &Identity) -> Known {
    let is_there = match &row.identity {
        IdentityName::Resource(id) => {
            facts.tenant.user_assigned.iter().any(|identity| identity.id == *id)
                || facts.tenant.resources.iter().any(|resource| resource.id == *id)
        }
        IdentityName::Object(object) => {
            facts.tenant.user_assigned.iter().any(|identity| names(&row.identity, identity))
                || facts.tenant.managed_identities.iter().any(|one| one.id == *object)
                || facts.tenant.principals.contains_key(object)
        }
    };
    let missing = || facts.missing(CHECK.needs, &Id::new(row.identity.shown()));
    match is_there {
        true => Known::Matches,
        false => missing().map_or_else(
            || Known::Unknown(format!("nothing that was read is `{}`", row.identity.shown())),
            Known::NotTold,
        ),
    }
}

fn judge(facts: &Facts<'_>, hosts: &Hosts<'_>, identity: &UserAssignedIdentity) -> Finding {
    let hosts = hosts.of_identity(&identity.id);
    let on = about("managed_identity", &identity.id, &identity.name, &identity.from)
        .citing(hosts.iter().map(|host| &host.from));
    let tag = |name: &str| identity.tags.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let limit = facts.parameters.sharing_limit;
    let named = match (tag("owner"), tag("purpose")) {
        (Some(owner), Some(purpose)) if hosts.len() <= limit => {
            return on.pass(format!(
                "its tags name its owner (`{owner}`) and purpose (`{purpose}`), and it is attached to {} (tags are used until a register is given)",
                counted(hosts.len())
            ));
        }
        (Some(owner), Some(purpose)) => format!("its tags name its owner (`{owner}`) and purpose (`{purpose}`)"),
        (Some(owner), None) => format!("its tags name its owner (`{owner}`) and no purpose"),
        (None, Some(purpose)) => format!("its tags name its purpose (`{purpose}`) and no owner"),
        (None, None) => "its tags name neither owner nor purpose".to_owned(),
    };
    let shared = if hosts.len() > limit { format!(", more than {limit}") } else { String::new() };
    on.manual(format!(
        "{named}; it is attached to {}{shared}; a person must supply its register entry",
        counted(hosts.len())
    ))
}

fn counted(resources: usize) -> String {
    match resources {
        1 => "1 resource".to_owned(),
        count => format!("{count} resources"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::testing::{
        SUB, about_name, base, findings_declared, findings_of, identity_id, identity_json, list, only, resource_json,
    };
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    fn tenant(tags: &Value, hosts: &[&str]) -> CaptureBuilder {
        let identity = identity_json("shared", "aaaaaaaa-0000-0000-0000-000000000001", &json!({"tags": tags}));
        let attached =
            json!({"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity_id("SHARED"): {}}}});
        let hosts = hosts.iter().map(|name| resource_json("Microsoft.Web/sites", name, &attached));
        base().replace(Kind::UserAssignedIdentities, SUB, list([identity])).replace(Kind::Resources, SUB, list(hosts))
    }

    #[test]
    fn an_identity_with_both_tags_and_one_host_passes_and_cites_the_host() {
        let findings = findings_of(&CHECK, tenant(&json!({"Owner": "team-a", "Purpose": "billing"}), &["site"]));
        assert_eq!(only(&findings).outcome(), Outcome::Pass);
        assert_eq!(only(&findings).evidence().len(), 2);
    }

    #[test]
    fn sharing_or_a_missing_tag_awaits_a_person() {
        let both = json!({"owner": "team-a", "purpose": "billing"});
        let shared = findings_of(&CHECK, tenant(&both, &["site1", "site2"]));
        assert_eq!(only(&shared).outcome(), Outcome::Manual);
        assert!(only(&shared).because().contains("2 resources, more than 1"));
        for tags in [json!({}), json!({"owner": "team-a"}), json!({"owner": " ", "purpose": "billing"})] {
            assert_eq!(only(&findings_of(&CHECK, tenant(&tags, &["site"]))).outcome(), Outcome::Manual, "{tags}");
        }
    }

    const ROW: &str = "[[identity]]\nidentity = \"AAAAAAAA-0000-0000-0000-000000000001\"\nowner = \"team-a\"\npurpose = \"billing\"\n";

    fn registered(rows: &str, hosts: &[&str]) -> Vec<Finding> {
        findings_declared(&CHECK, tenant(&json!({}), hosts), &[("registers/identities.toml", rows)])
    }

    #[test]
    fn a_register_comes_before_tags() {
        let listed = registered(ROW, &["site"]);
        assert_eq!(only(&listed).outcome(), Outcome::Pass);
        assert!(only(&listed).because().contains("`registers/identities.toml:1`"), "{}", only(&listed).because());
        let both = json!({"owner": "team-a", "purpose": "billing"});
        let unlisted = findings_declared(&CHECK, tenant(&both, &["site"]), &[("registers/identities.toml", "")]);
        assert_eq!(only(&unlisted).outcome(), Outcome::Fail, "tags do not stand in for a row");
    }

    #[test]
    fn sharing_needs_a_reason_in_the_register() {
        assert_eq!(only(&registered(ROW, &["a", "b"])).outcome(), Outcome::Fail);
        let reason = format!("{ROW}sharing = \"one scale unit\"\n");
        assert_eq!(only(&registered(&reason, &["a", "b"])).outcome(), Outcome::Pass);
    }

    #[test]
    fn rows_that_ended_or_name_nothing_are_exceptions_and_unread_lists_leave_them_open() {
        let ended = registered(&format!("{ROW}until = 2025-12-31\n"), &["a"]);
        assert_eq!(about_name(&ended, "shared").outcome(), Outcome::Fail);
        assert!(about_name(&ended, "aaaaaaaa-0000-0000-0000-000000000001").because().contains("ended with 2025-12-31"));
        let gone = "[[identity]]\nidentity = \"/subscriptions/s/gone\"\nowner = \"o\"\npurpose = \"p\"\n";
        let rows = format!("{ROW}{gone}");
        assert_eq!(about_name(&registered(&rows, &[]), "/subscriptions/s/gone").outcome(), Outcome::Fail);
        let unread = tenant(&json!({}), &[]).denied(Kind::Resources, SUB);
        let findings = findings_declared(&CHECK, unread, &[("registers/identities.toml", &rows)]);
        assert_eq!(about_name(&findings, "/subscriptions/s/gone").outcome(), Outcome::NotEvaluated);
    }

    #[test]
    fn attachments_that_could_not_be_read_leave_it_open() {
        let builder = tenant(&json!({"owner": "team-a", "purpose": "billing"}), &[]);
        assert_eq!(only(&findings_of(&CHECK, builder.clone())).outcome(), Outcome::Pass);
        let denied = findings_of(&CHECK, builder.denied(Kind::Resources, SUB));
        assert_eq!(only(&denied).outcome(), Outcome::NotEvaluated);
    }

    #[test]
    fn a_refused_list_is_not_evaluated_and_an_empty_one_not_applicable() {
        let refused = findings_of(&CHECK, base().denied(Kind::UserAssignedIdentities, SUB));
        assert_eq!(only(&refused).outcome(), Outcome::NotEvaluated);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
    }
}
