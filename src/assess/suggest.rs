//! Registers as drafts, made of what was found: a person reads each row, says why, and takes out what should not be.
//!
//! A draft approves nothing by itself. What a person must say is left empty, and a register with an empty reason is
//! refused when it is read.

mod administrators;

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{Access, Answer, Capability};
use crate::model::Tenant;

/// A register that can be suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suggested {
    /// `identities.toml`: user-assigned identities.
    Identities,
    /// `readers.toml`: who can read which vault's secrets.
    Readers,
    /// `administrators.toml`: who can come near secrets by another way than reading.
    Administrators,
    /// `pipelines.toml`: identities that trust tokens of others.
    Pipelines,
    /// `issuers.toml`: whose tokens are trusted.
    Issuers,
    /// `networks.toml`: networks that vaults let in.
    Networks,
    /// `vaults.toml`: vaults, with their tags.
    Vaults,
}

impl Suggested {
    /// Every one, in the order of the documentation.
    pub const ALL: &'static [Suggested] = &[
        Suggested::Identities,
        Suggested::Readers,
        Suggested::Administrators,
        Suggested::Pipelines,
        Suggested::Issuers,
        Suggested::Networks,
        Suggested::Vaults,
    ];

    /// The file below `registers/`.
    pub fn file(self) -> &'static str {
        match self {
            Suggested::Identities => "identities.toml",
            Suggested::Readers => "readers.toml",
            Suggested::Administrators => "administrators.toml",
            Suggested::Pipelines => "pipelines.toml",
            Suggested::Issuers => "issuers.toml",
            Suggested::Networks => "networks.toml",
            Suggested::Vaults => "vaults.toml",
        }
    }
}

/// The draft of one register. `capture` is the id of what it was made of.
pub fn suggest(which: Suggested, tenant: &Tenant, access: &Access, capture: &str) -> String {
    let mut draft = Draft::new(which, capture);
    match which {
        Suggested::Identities => identities(tenant, &mut draft),
        Suggested::Readers => readers(tenant, access, &mut draft),
        Suggested::Administrators => administrators::draft(tenant, &mut draft),
        Suggested::Pipelines => pipelines(tenant, &mut draft),
        Suggested::Issuers => issuers(tenant, &mut draft),
        Suggested::Networks => networks(tenant, &mut draft),
        Suggested::Vaults => vaults(tenant, &mut draft),
    }
    draft.text
}

fn identities(tenant: &Tenant, draft: &mut Draft) {
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in &tenant.resources {
        let attached: BTreeSet<&str> =
            resource.identity.iter().flat_map(|one| &one.user_assigned).map(|one| one.id.key()).collect();
        attached.into_iter().for_each(|id| *hosts.entry(id).or_default() += 1);
    }
    for identity in &tenant.user_assigned {
        let count = hosts.get(identity.id.key()).copied().unwrap_or_default();
        draft.row("identity", &format!("{}; resources that carry it: {count}", identity.name));
        draft.says("identity", identity.id.shown());
        draft.says("owner", identity.tags.get("owner").map_or("", String::as_str));
        draft.says("purpose", identity.tags.get("purpose").map_or("", String::as_str));
        let environment = identity.tags.get("environment").or_else(|| identity.tags.get("env"));
        environment.into_iter().for_each(|environment| draft.says("environment", environment));
        if count > 1 {
            draft.says("sharing", "");
        }
    }
}

fn readers(tenant: &Tenant, access: &Access, draft: &mut Draft) {
    for vault in &tenant.vaults {
        for grant in access.can(&vault.id, Capability::ReadSecret) {
            if grant.answer == Answer::Denied {
                continue;
            }
            let name = tenant.principal_name(&grant.principal_id);
            let kind = tenant.principal_kind(&grant.principal_id);
            let path = grant.paths.first().map(|path| path.words()).unwrap_or_default();
            draft.row("reader", &format!("{name} ({kind}), {}: {path}", grant.answer.words()));
            draft.says("vault", vault.id.shown());
            if grant.object != vault.id {
                draft.says("secret", grant.object.name());
            }
            draft.says("principal", &grant.principal_id);
            draft.says("reason", "");
            draft.says("approver", "");
        }
        for gap in access.gaps(&vault.id) {
            draft.note(&format!("{}: there may be more, {} was not read: {}", vault.name, gap.name, gap.detail));
        }
    }
}

/// Issuers and subjects.
type Trusts<'a> = BTreeSet<(&'a str, &'a str)>;

fn pipelines(tenant: &Tenant, draft: &mut Draft) {
    let mut trusts: BTreeMap<&str, (&str, Trusts<'_>)> = BTreeMap::new();
    for credential in tenant.federated.iter().chain(&tenant.directory.federated) {
        let shown = credential.identity.shown();
        let shown = shown.strip_prefix("application:").unwrap_or(shown);
        let known = trusts.entry(credential.identity.key()).or_insert((shown, BTreeSet::new()));
        let issuer = credential.issuer.as_deref().unwrap_or_default();
        known.1.insert((issuer, credential.subject.as_deref().unwrap_or_default()));
    }
    for (identity, of_identity) in trusts.values() {
        let issuers: BTreeSet<&str> = of_identity.iter().map(|(issuer, _)| *issuer).collect();
        for issuer in issuers {
            let of_issuer = of_identity.iter().filter(|(one, _)| *one == issuer);
            let subjects: Vec<&str> = of_issuer.map(|(_, subject)| *subject).filter(|one| !one.is_empty()).collect();
            draft.row("pipeline", "it trusts tokens of this issuer; take it out if it is no pipeline");
            draft.says("principal", identity);
            draft.says("owner", "");
            draft.says("system", "");
            draft.says("issuer", issuer);
            draft.list("subjects", &subjects);
        }
    }
}

fn issuers(tenant: &Tenant, draft: &mut Draft) {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let all = tenant.federated.iter().chain(&tenant.directory.federated);
    for issuer in all.filter_map(|credential| credential.issuer.as_deref()) {
        *found.entry(issuer).or_default() += 1;
    }
    for (issuer, count) in found {
        draft.row("issuer", &format!("federated credentials that trust it: {count}"));
        draft.says("issuer", issuer);
        draft.says("reason", "");
    }
}

fn networks(tenant: &Tenant, draft: &mut Draft) {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for vault in &tenant.vaults {
        for rule in vault.network_acls.iter().flat_map(|acls| &acls.ip_rules) {
            found.entry(rule).or_default().push(&vault.name);
        }
    }
    for (rule, vaults) in found {
        draft.row("network", &format!("let in by {}", vaults.join(", ")));
        draft.says("network", rule);
        draft.says("purpose", "");
    }
}

fn vaults(tenant: &Tenant, draft: &mut Draft) {
    for vault in &tenant.vaults {
        let tag = |names: &[&str]| {
            let found = names.iter().find_map(|name| vault.tags.get(*name));
            found.map_or("", String::as_str).to_owned()
        };
        draft.row("vault", &vault.name);
        draft.says("vault", vault.id.shown());
        draft.says("application", &tag(&["application", "app"]));
        draft.says("environment", &tag(&["environment", "env"]));
        draft.says("owner", &tag(&["owner"]));
    }
}

/// The text of a draft. Names are the work of strangers: a value is written as TOML writes it, and a comment is one line.
struct Draft {
    text: String,
}

impl Draft {
    fn new(which: Suggested, capture: &str) -> Draft {
        let mut draft = Draft { text: String::new() };
        draft.note(&format!("registers/{}: a draft of what was found by capture {capture}.", which.file()));
        draft.note(
            "Read each row, say what is left empty, and take out what should not be. It approves nothing before.",
        );
        draft
    }

    fn note(&mut self, words: &str) {
        let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.text.push_str(&format!("# {line}\n"));
    }

    fn row(&mut self, table: &str, about: &str) {
        self.text.push('\n');
        self.note(about);
        self.text.push_str(&format!("[[{table}]]\n"));
    }

    fn says(&mut self, key: &str, value: &str) {
        let to_say = if value.is_empty() { "  # to be said" } else { "" };
        self.text.push_str(&format!("{key} = {}{to_say}\n", toml::Value::String(value.to_owned())));
    }

    fn list(&mut self, key: &str, values: &[&str]) {
        let values = values.iter().map(|value| toml::Value::String((*value).to_owned())).collect();
        self.text.push_str(&format!("{key} = {}\n", toml::Value::Array(values)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::access::testing::{SUB, Small, get_secret};
    use crate::declared::Declared;
    use crate::model;

    fn draft(which: Suggested, small: Small) -> String {
        let tenant = model::read(&small.answers().build()).expect("a tenant");
        suggest(which, &tenant, &Access::of(&tenant), "c-1")
    }

    fn declared(which: Suggested, text: &str) -> Result<Declared, String> {
        let name = format!("registers/{}", which.file());
        Declared::read(BTreeMap::from([(name, text.as_bytes().to_vec())])).map_err(|error| error.to_string())
    }

    #[test]
    fn a_draft_names_every_reader_and_is_refused_until_somebody_says_why() {
        let who = "aaaaaaaa-0000-0000-0000-000000000001";
        let text = draft(Suggested::Readers, get_secret().assign("reads", who, SUB));
        assert!(text.contains(&format!("principal = \"{who}\"\nreason = \"\"  # to be said\n")), "{text}");
        let refused = declared(Suggested::Readers, &text).expect_err("nobody has said why");
        assert!(refused.contains("nothing is said here; it wants a text, or the row to be taken out"), "{refused}");
        let said = text.replace("reason = \"\"", "reason = \"r\"").replace("approver = \"\"", "approver = \"a\"");
        let register = declared(Suggested::Readers, &said).expect("a register").registers.readers.expect("given");
        assert_eq!(register.rows.iter().map(|row| row.says.principal.as_str()).collect::<Vec<_>>(), [who]);
    }

    #[test]
    fn names_of_strangers_stay_in_their_values_and_comments() {
        let mut draft = Draft::new(Suggested::Vaults, "c\n[[vault]]");
        draft.row("vault", "kv\r\nowner = \"me\"");
        draft.says("vault", "kv\"\nowner = \"me");
        let rows: toml::Table = toml::from_str(&draft.text).expect("TOML");
        assert_eq!(rows["vault"][0]["vault"].as_str(), Some("kv\"\nowner = \"me"));
        assert_eq!(rows["vault"][0].as_table().map(toml::Table::len), Some(1));
    }

    #[test]
    fn nothing_found_is_a_draft_without_rows() {
        for which in Suggested::ALL {
            let text = draft(*which, Small::default());
            assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
            assert!(declared(*which, &text).is_ok());
        }
    }
}
