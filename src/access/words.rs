//! A path in words, for whoever reads a report or a table.

use super::{Activation, IdleWhy, Membership, Path, Standing, Unread, Via};

impl Via {
    /// What gives access.
    pub fn words(&self) -> String {
        match self {
            Via::Role { role_name, standing, .. } => format!("role `{role_name}`{}", standing.words()),
            Via::EligibleRole { role_name, ends, .. } => {
                let until = ends.map(|ends| format!(" until {}", ends.format("%Y-%m-%d"))).unwrap_or_default();
                format!("eligible role `{role_name}`{until}")
            }
            Via::Policy { application_id: None } => "access policy".to_owned(),
            Via::Policy { application_id: Some(id) } => format!("access policy for application `{id}` on its behalf"),
            Via::Lighthouse { tenant, role_name, is_eligible, .. } => {
                let kind = if *is_eligible { "eligible role" } else { "role" };
                format!("{kind} `{role_name}`, delegated to tenant `{}`", tenant.as_deref().unwrap_or("not told"))
            }
            Via::Classic { roles, .. } => format!("classic administrator ({})", roles.join(", ")),
        }
    }
}

impl Standing {
    fn words(self) -> String {
        match self {
            Standing::Permanent | Standing::Unknown => String::new(),
            Standing::Until(ends) => format!(" until {}", ends.format("%Y-%m-%d")),
            Standing::Activated(None) => ", activated".to_owned(),
            Standing::Activated(Some(ends)) => format!(", activated until {}", ends.format("%Y-%m-%d %H:%M UTC")),
        }
    }
}

impl Activation {
    /// What must be activated, and what for that is asked. A rule that was not read is not mentioned.
    pub fn words(&self) -> String {
        let asked = [
            (self.approval, "approval"),
            (self.mfa, "a second factor"),
            (self.authentication_context, "an authentication context"),
            (self.reason, "a reason"),
            (self.ticket, "a ticket"),
        ];
        let mut rules: Vec<String> =
            asked.iter().filter(|(rule, _)| *rule == Some(true)).map(|(_, words)| (*words).to_owned()).collect();
        rules.extend(self.longest_minutes.map(|minutes| match minutes % 60 {
            0 => format!("for {} h at most", minutes / 60),
            _ => format!("for {minutes} min at most"),
        }));
        let rules = match (rules.is_empty(), &self.from) {
            (false, _) => format!(" ({})", rules.join(", ")),
            (true, Some(_)) => " (nothing is asked for)".to_owned(),
            (true, None) => " (its rules were not read)".to_owned(),
        };
        format!("after activating {}{rules}", self.of)
    }
}

impl Path {
    /// The path from the principal on: groups, what gives access, where, and what keeps it open.
    pub fn words(&self) -> String {
        let mut words = match &*self.via {
            Via::Policy { .. } => self.via.words(), // its scope is the vault
            via => format!("{} at `{}`", via.words(), self.scope),
        };
        let hops: Vec<String> = self.through.iter().map(|hop| format!("`{}`{}", hop.name, hop.by.words())).collect();
        if !hops.is_empty() {
            words.push_str(&format!(", through group {}", hops.join(", then ")));
        }
        for activation in &self.activations {
            words.push_str(&format!(", {}", activation.words()));
        }
        if let Some(open) = &self.open {
            words.push_str(&format!("; {}", open.detail));
        }
        if self.is_wide {
            words.push_str("; found by reading `/*/` in the role as a single `/`");
        }
        words
    }
}

impl Membership {
    fn words(self) -> &'static str {
        match self {
            Membership::Member => "",
            Membership::EligibleMember => " (eligible member)",
        }
    }
}

impl Unread {
    /// What was not read.
    pub fn words(self) -> &'static str {
        match self {
            Unread::Scope => "role assignments",
            Unread::ManagementGroups => "management groups",
            Unread::Members => "who is behind",
            Unread::Definition => "a role definition",
            Unread::Condition => "a condition",
            Unread::Denies => "deny assignments",
            Unread::Eligibility => "what can be activated",
            Unread::Delegation => "delegation to another tenant",
            Unread::Classic => "classic administrators",
            Unread::Vaults => "vaults",
            Unread::Directory => "the directory",
            Unread::Hosts => "resources and identities",
        }
    }
}

impl IdleWhy {
    /// Why it gives nothing.
    pub fn words(self) -> &'static str {
        match self {
            IdleWhy::DormantPolicy => "dormant while the vault uses roles",
            IdleWhy::IneffectiveRole => "without effect while the vault uses access policies",
            IdleWhy::NamesRegistration => "without effect, because it names an app registration, which never signs in",
        }
    }
}
