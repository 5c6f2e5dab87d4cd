//! NHI-003: somebody answers for each user-assigned identity, and sharing it was a decision.

use super::{Check, Facts, Finding, Nature, Severity, about, population, whole};
use crate::evidence::Kind;
use crate::model::{Resource, UserAssignedIdentity};

pub(super) const CHECK: Check = Check {
    id: "NHI-003",
    title: "Each user-assigned identity has an owner, a purpose and approved sharing",
    severity: Severity::Medium,
    nature: Nature::Design,
    asks: "The tags `owner` and `purpose` of every user-assigned identity, and the resources that it is attached to. \
           Tags stand in for a register of identities until one is given; an identity that lacks one of the tags, or \
           that more resources share than the configuration allows, awaits a person's record.",
    blind_to: "Whether the named owner still works there and agrees, and attachments in subscriptions that were not \
               collected. Every program on a resource can use every identity attached to it.",
    fix: "`az tag update --operation merge --resource-id IDENTITY_ID --tags owner=TEAM purpose=TEXT` (Bicep: `tags: { \
          owner: '…', purpose: '…' }`). Give each workload an identity of its own, or record why this one is shared.",
    needs: &[population(Kind::UserAssignedIdentities), whole(Kind::Resources), whole(Kind::VirtualMachines)],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.user_assigned.iter().map(|identity| judge(facts, identity)).collect()
}

fn judge(facts: &Facts<'_>, identity: &UserAssignedIdentity) -> Finding {
    let hosts: Vec<&Resource> = facts.hosts_of(&identity.id);
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
    use super::super::testing::{SUB, base, findings_of, identity_id, identity_json, list, only, resource_json};
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
