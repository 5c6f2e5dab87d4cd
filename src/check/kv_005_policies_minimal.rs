//! KV-005: where access policies still decide, workloads hold no more than use.

use super::{Check, Facts, Finding, Nature, Severity, about, judged, population, whole};
use crate::evidence::{Cite, Kind, Reason};
use crate::model::{AccessPolicy, Member, Need, PrincipalKind, Tenant, Vault};

pub(super) const CHECK: Check = Check {
    id: "KV-005",
    title: "Access policies give non-human identities no more than use",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "On vaults in the access-policy model: every entry that names a managed identity or service principal, or a \
           group that holds one. Use means get and list on secrets and certificates, and cryptographic operations \
           with keys. Anything else (set, delete, purge, backup, restore, recover, import, all and so on) is an \
           exception, whether it was used or not.",
    blind_to: "Whether a workload truly has to write, for example to rotate: grant that by a waiver. People are not \
               judged here. Groups whose membership changes after collection.",
    fix: "Move the vault to Azure RBAC, or cut the entry down: `az keyvault set-policy --name VAULT --object-id ID \
          --secret-permissions get list` (Bicep: `permissions: { secrets: [ 'get', 'list' ] }`).",
    needs: &[population(Kind::Vaults), judged(Kind::Principals), judged(Kind::GroupMembers)],
    run,
};

/// What tells who stands behind the entries; of no matter where they have no effect.
const HOLDERS: &[Need] = &[whole(Kind::Principals), whole(Kind::GroupMembers)];

const SECRET_USE: &[&str] = &["get", "list"];
const KEY_USE: &[&str] =
    &["get", "list", "encrypt", "decrypt", "wrapkey", "unwrapkey", "sign", "verify", "getrotationpolicy"];
const CERTIFICATE_USE: &[&str] = &["get", "list", "getissuers", "listissuers"];
const STORAGE_USE: &[&str] = &["get", "list", "getsas", "listsas"];

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    facts.tenant.vaults.iter().map(|vault| judge(facts, vault)).collect()
}

fn judge(facts: &Facts<'_>, vault: &Vault) -> Finding {
    let tenant = facts.tenant;
    let on = about("vault", &vault.id, &vault.name, &vault.from);
    if vault.is_rbac() {
        return on.not_applicable("Azure RBAC decides on this vault; access policies have no effect");
    }
    let mut too_much = Vec::new();
    let mut evidence = Vec::new();
    let mut open = None;
    for policy in &vault.access_policies {
        let beyond = beyond_use(policy);
        if beyond.is_empty() {
            continue;
        }
        match workloads_in(tenant, policy) {
            Ok(holders) => {
                for (name, from) in holders {
                    too_much.push(format!("`{name}` ({})", beyond.join("; ")));
                    evidence.extend([policy.from.clone(), from.clone()]);
                }
            }
            Err(why) => open = open.or(Some((policy, why))),
        }
    }
    let unread = vault.unread_policies;
    if !too_much.is_empty() {
        let others = match unread {
            0 => String::new(),
            _ => format!("; others may hold access as well: entries that could not be read: {unread}"),
        };
        return on.citing(&evidence).fail(format!("more than use is granted to {}{others}", too_much.join(", ")));
    }
    if unread > 0 {
        let why = format!("others may hold access: entries of its access policies that could not be read: {unread}");
        return on.not_evaluated(Reason::Malformed, why);
    }
    if let Some((policy, (reason, why))) = open {
        return on.citing([&policy.from]).not_evaluated(reason, why);
    }
    if let Some(missing) = facts.missing(HOLDERS, &vault.id) {
        return on.missing(&missing);
    }
    on.citing(vault.access_policies.iter().map(|policy| &policy.from)).pass(format!(
        "none of its {} access policies gives a non-human identity more than use",
        vault.access_policies.len()
    ))
}

/// What the entry grants beyond use, one text a class of objects.
fn beyond_use(policy: &AccessPolicy) -> Vec<String> {
    let classes = [
        ("secrets", &policy.secrets, SECRET_USE),
        ("keys", &policy.keys, KEY_USE),
        ("certificates", &policy.certificates, CERTIFICATE_USE),
        ("storage", &policy.storage, STORAGE_USE),
    ];
    let beyond = classes.into_iter().map(|(class, held, usual)| {
        let rest: Vec<&str> =
            held.iter().map(String::as_str).filter(|permission| !usual.contains(permission)).collect();
        (class, rest)
    });
    beyond.filter(|(_, rest)| !rest.is_empty()).map(|(class, rest)| format!("{class}: {}", rest.join(", "))).collect()
}

/// Names of the non-human identities that an entry means, with the records that show it; or why that is not known.
fn workloads_in<'a>(tenant: &'a Tenant, policy: &AccessPolicy) -> Result<Vec<(&'a str, &'a Cite)>, (Reason, String)> {
    let id = &policy.object_id;
    let Some(principal) = tenant.principal(id) else {
        let why = match tenant.resolved_ids.contains_key(id) {
            true => "the directory does not know it: deleted, an app registration's own id, or another tenant's",
            false => "the directory did not answer about it",
        };
        return Err((Reason::PrincipalUnresolved, format!("an access policy for `{id}` grants more than use; {why}")));
    };
    match &principal.kind {
        PrincipalKind::User => Ok(Vec::new()),
        PrincipalKind::ManagedIdentity | PrincipalKind::ServicePrincipal => {
            Ok(vec![(&principal.name, &principal.from)])
        }
        PrincipalKind::Group => {
            let name = &principal.name;
            let Some(members) = tenant.members.get(id) else {
                let why = format!("the members of group `{name}`, which holds more than use, were not read");
                return Err((Reason::PrincipalUnresolved, why));
            };
            let is_workload =
                |member: &&Member| member.odata_type.as_deref() == Some("#microsoft.graph.servicePrincipal");
            let is_known = |member: &&Member| {
                matches!(member.odata_type.as_deref(), Some("#microsoft.graph.user" | "#microsoft.graph.group"))
            };
            let workloads: Vec<_> =
                members.iter().filter(is_workload).map(|member| (member.name.as_str(), &member.from)).collect();
            match members.iter().find(|member| !is_workload(member) && !is_known(member)) {
                Some(member) if workloads.is_empty() => {
                    let why = format!("member `{}` of group `{name}` is of a kind that is not known", member.name);
                    Err((Reason::ValueUnknown, why))
                }
                _ => Ok(workloads),
            }
        }
        PrincipalKind::Other(kind) => {
            let why = format!("`{}` is a `{kind}` and holds more than use; that kind is not known", principal.name);
            Err((Reason::ValueUnknown, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Outcome;
    use super::super::testing::{
        SUB, base, findings_of, group_json, list, only, policy_json, service_principal_json, user_json, vault_json,
        with_principals,
    };
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    const APP: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const PERSON: &str = "aaaaaaaa-0000-0000-0000-000000000002";
    const GROUP: &str = "aaaaaaaa-0000-0000-0000-000000000003";
    const GONE: &str = "aaaaaaaa-0000-0000-0000-000000000004";

    fn tenant(policies: &Value) -> CaptureBuilder {
        let vault =
            vault_json("kv1", &json!({"properties": {"enableRbacAuthorization": false, "accessPolicies": policies}}));
        let found = [service_principal_json(APP, "app"), user_json(PERSON, "person"), group_json(GROUP, "group")];
        let builder = base().replace(Kind::Vaults, SUB, list([vault]));
        with_principals(builder, &[APP, PERSON, GROUP, GONE], found)
    }

    fn with_people(builder: CaptureBuilder) -> CaptureBuilder {
        with_member(builder, user_json(PERSON, "person"))
    }

    fn with_member(builder: CaptureBuilder, member: Value) -> CaptureBuilder {
        builder.answer(Kind::GroupMembers, &format!("group:{GROUP}"), list([member]))
    }

    #[test]
    fn an_entry_that_names_nobody_leaves_open_who_else_holds_access() {
        let of = |policies: Value| {
            let findings = findings_of(&CHECK, with_people(tenant(&policies)));
            let of_vault = findings.iter().find(|finding| finding.subject().kind == "vault").expect("the vault");
            (of_vault.outcome(), of_vault.because().to_owned())
        };
        let nobody = json!({"permissions": {"secrets": ["all"]}});
        let (outcome, because) = of(json!([policy_json(APP, &["Get"]), nobody]));
        assert_eq!(outcome, Outcome::NotEvaluated);
        assert_eq!(because, "others may hold access: entries of its access policies that could not be read: 1");
        let (outcome, because) = of(json!([policy_json(APP, &["Set"]), nobody]));
        assert_eq!(outcome, Outcome::Fail);
        assert!(because.ends_with("; others may hold access as well: entries that could not be read: 1"), "{because}");
    }

    #[test]
    fn a_workload_that_only_reads_passes() {
        let findings = findings_of(
            &CHECK,
            with_people(tenant(&json!([policy_json(APP, &["Get", "List"]), policy_json(PERSON, &["all"])]))),
        );
        assert_eq!(only(&findings).outcome(), Outcome::Pass, "{findings:?}");
    }

    #[test]
    fn a_workload_that_may_write_fails_in_any_case_of_the_letters() {
        for permission in ["Set", "delete", "purge", "all", "backup"] {
            let findings = findings_of(&CHECK, tenant(&json!([policy_json(APP, &["get", permission])])));
            assert_eq!(only(&findings).outcome(), Outcome::Fail, "{permission}");
            assert!(only(&findings).because().contains("`app` (secrets: "), "{findings:?}");
        }
    }

    #[test]
    fn a_workload_in_a_group_fails_too() {
        let builder = tenant(&json!([policy_json(GROUP, &["set"])]));
        let findings = findings_of(&CHECK, with_member(builder.clone(), service_principal_json(APP, "app")));
        assert_eq!(only(&findings).outcome(), Outcome::Fail);
        let findings = findings_of(&CHECK, with_people(builder.clone()));
        assert_eq!(only(&findings).outcome(), Outcome::Pass);
        let findings =
            findings_of(&CHECK, builder.gap(Kind::GroupMembers, &format!("group:{GROUP}"), Reason::Forbidden));
        assert_eq!(only(&findings).outcome(), Outcome::NotEvaluated);
    }

    #[test]
    fn who_is_in_a_group_is_of_no_matter_where_policies_have_no_effect() {
        let group = format!("group:{GROUP}");
        let rbac = tenant(&json!([])).replace(Kind::Vaults, SUB, list([vault_json("kv1", &json!({}))]));
        let findings = findings_of(&CHECK, rbac.gap(Kind::GroupMembers, &group, Reason::Forbidden));
        assert_eq!(only(&findings).outcome(), Outcome::NotApplicable);
        let reads = tenant(&json!([policy_json(APP, &["get"])]));
        let findings = findings_of(&CHECK, reads.gap(Kind::GroupMembers, &group, Reason::Forbidden));
        assert_eq!(only(&findings).outcome(), Outcome::NotEvaluated);
    }

    #[test]
    fn a_writing_principal_that_cannot_be_resolved_is_not_evaluated() {
        let findings = findings_of(&CHECK, with_people(tenant(&json!([policy_json(GONE, &["set"])]))));
        assert_eq!(only(&findings).reason(), Some(Reason::PrincipalUnresolved));
        let findings =
            findings_of(&CHECK, tenant(&json!([policy_json(APP, &["get"])])).denied(Kind::Principals, "directory"));
        assert_eq!(only(&findings).reason(), Some(Reason::Forbidden));
    }

    #[test]
    fn an_rbac_vault_and_an_empty_tenant_are_not_applicable() {
        let rbac = base().replace(Kind::Vaults, SUB, list([vault_json("kv1", &json!({}))]));
        assert_eq!(only(&findings_of(&CHECK, rbac)).outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base())).outcome(), Outcome::NotApplicable);
        assert_eq!(only(&findings_of(&CHECK, base().denied(Kind::Vaults, SUB))).outcome(), Outcome::NotEvaluated);
    }
}
