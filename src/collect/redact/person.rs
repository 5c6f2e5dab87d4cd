//! Personal data in answers: what of it the switches let through, and pseudonyms in its place.

use std::borrow::Cow;

use super::scrub::secret_in_text;
use super::{CUT, Personal};
use crate::evidence::Persons;

/// What is kept of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Datum {
    /// Display name of an object of the directory, which may be a user.
    Name,
    /// User principal name, or the id of an application that stands in its place.
    PrincipalName,
    /// Mail address.
    Mail,
}

/// Whether the list has a datum because the person must be matched, as whoever holds a right must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// Must be matched.
    Matched,
    /// Need not be: the object id beside it is enough.
    Aside,
}

/// The object of the directory that a datum is of, as far as it tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Holder {
    id: Option<String>,
    /// `@odata.type`, without what stands before the name.
    odata_type: Option<String>,
    is_application: bool,
}

/// What a value is judged by, beside itself.
pub(super) struct Around<'a> {
    pub(super) personal: &'a Personal,
    pub(super) holder: Option<&'a Holder>,
}

/// Objects of the directory that are no persons.
const NO_PERSONS: &[&str] =
    &["serviceprincipal", "application", "group", "device", "directoryrole", "administrativeunit", "organization"];

impl Holder {
    /// Takes notice of a member.
    pub(super) fn learn(&mut self, name: &str, value: &str) {
        match name {
            "id" => self.id = Some(value.to_owned()),
            "@odata.type" => self.odata_type = value.rsplit(['.', '#']).next().map(str::to_ascii_lowercase),
            "servicePrincipalType" => self.is_application = true,
            _ => {}
        }
    }

    /// What is not known to be something else is taken for a person.
    fn is_person(&self) -> bool {
        match &self.odata_type {
            Some(name) => !NO_PERSONS.contains(&name.as_str()),
            None => !self.is_application,
        }
    }
}

/// None when the datum may be kept as it is, else the rule and what to write instead.
pub(super) fn judge(datum: Datum, role: Role, text: &str, around: &Around<'_>) -> Option<(&'static str, String)> {
    let is_no_person = around.holder.is_some_and(|holder| !holder.is_person());
    let is_id = datum == Datum::PrincipalName && is_guid(text);
    if text.is_empty() || is_no_person || is_id {
        return secret_in_text(text).then(|| ("secret_like", CUT.to_owned()));
    }
    let data = around.personal.data();
    let switch = match datum {
        Datum::Name => data.names,
        Datum::PrincipalName => data.user_principal_names,
        Datum::Mail => data.mail,
    };
    // Two persons can have the same name, so that a name's pseudonym is made from the object id.
    let identifies = match (datum, around.holder.and_then(|holder| holder.id.as_deref())) {
        (Datum::Name, Some(id)) => id,
        _ => text,
    };
    instead(switch, role, identifies, around.personal)
        .or_else(|| secret_in_text(text).then(|| ("secret_like", CUT.to_owned())))
}

/// What a switch puts in the place of what it does not let through.
fn instead(switch: Persons, role: Role, identifies: &str, personal: &Personal) -> Option<(&'static str, String)> {
    match switch {
        Persons::All => None,
        Persons::Matched if role == Role::Matched => None,
        Persons::Matched | Persons::None => Some(("personal_data", CUT.to_owned())),
        Persons::Pseudonym => Some(match personal.pseudonym(identifies) {
            Some(pseudonym) => ("pseudonym", pseudonym),
            None => ("personal_data", CUT.to_owned()),
        }),
    }
}

/// A name or a tag with its mail addresses as the switch has them: whoever is named as an owner must be matched.
pub(super) fn with_mail<'t>(text: &'t str, personal: &Personal) -> Cow<'t, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text); // most texts
    }
    let mut shown = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c| !is_of_mail(c)).map_or(rest, |end| rest.split_at(end).0);
        let after = rest.get(word.len()..).unwrap_or_default();
        match instead(personal.data().mail, Role::Matched, word, personal) {
            Some((_, other)) if is_mail(word) => shown.push_str(&other),
            _ => shown.push_str(word),
        }
        let separators = after.find(is_of_mail).unwrap_or(after.len());
        let (between, next) = after.split_at(separators);
        shown.push_str(between);
        rest = next;
    }
    if shown == text { Cow::Borrowed(text) } else { Cow::Owned(shown) }
}

/// What stands before the domain of a mail address of which the domain is always kept; none where all of it is kept.
/// That nobody who holds a right is left unmatched, there are pseudonyms, or `all`.
pub(super) fn mailbox(address: &str, personal: &Personal) -> Option<String> {
    match personal.data().mail {
        Persons::All if is_mail(address) && address.chars().all(is_of_mail) && !secret_in_text(address) => None,
        Persons::Pseudonym => Some(personal.pseudonym(address).unwrap_or_else(|| CUT.to_owned())),
        _ => Some(CUT.to_owned()),
    }
}

fn is_of_mail(c: char) -> bool {
    c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~@-".contains(c)
}

fn is_mail(word: &str) -> bool {
    match word.rsplit_once('@') {
        Some((local, domain)) => !local.is_empty() && domain.trim_matches('.').contains('.'),
        None => false,
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::super::Pseudonyms;
    use super::*;
    use crate::evidence::PersonalData;

    fn personal(switch: Persons) -> Personal {
        let data =
            PersonalData { names: switch, user_principal_names: switch, mail: switch, ..PersonalData::default() };
        Personal::new(data, Some(Pseudonyms::from_bytes([1; 32]))).expect("a key")
    }

    fn holder(members: &[(&str, &str)]) -> Holder {
        let mut holder = Holder::default();
        members.iter().for_each(|(name, value)| holder.learn(name, value));
        holder
    }

    fn kept(switch: Persons, role: Role, datum: Datum, text: &str, holder: Option<&Holder>) -> String {
        let personal = personal(switch);
        judge(datum, role, text, &Around { personal: &personal, holder })
            .map_or(text.to_owned(), |(_, instead)| instead)
    }

    #[test]
    fn each_switch_lets_through_what_it_says() {
        let ann = holder(&[("@odata.type", "#microsoft.graph.user"), ("id", "U1")]);
        let name = |switch, role| kept(switch, role, Datum::Name, "Ann", Some(&ann));
        assert_eq!(name(Persons::All, Role::Aside), "Ann");
        assert_eq!(name(Persons::Matched, Role::Matched), "Ann");
        assert_eq!(name(Persons::Matched, Role::Aside), "[cut]");
        assert_eq!(name(Persons::None, Role::Matched), "[cut]");
        let key = Pseudonyms::from_bytes([1; 32]);
        assert_eq!(name(Persons::Pseudonym, Role::Matched), key.of("u1"));
        assert_eq!(name(Persons::Pseudonym, Role::Aside), key.of("u1"));
        let address = |datum| kept(Persons::Pseudonym, Role::Aside, datum, "Ann@contoso.com", Some(&ann));
        assert_eq!(address(Datum::PrincipalName), key.of("ann@contoso.com"));
        assert_eq!(address(Datum::Mail), key.of("ann@contoso.com"));
    }

    #[test]
    fn what_is_known_to_be_no_person_keeps_its_name() {
        for kind in ["#microsoft.graph.servicePrincipal", "#microsoft.graph.group", "#microsoft.graph.application"] {
            let holder = holder(&[("@odata.type", kind), ("id", "S1")]);
            assert_eq!(kept(Persons::None, Role::Aside, Datum::Name, "payments", Some(&holder)), "payments");
        }
        let untyped = holder(&[("servicePrincipalType", "ManagedIdentity")]);
        assert_eq!(kept(Persons::None, Role::Aside, Datum::Name, "payments", Some(&untyped)), "payments");
        for unknown in [holder(&[]), holder(&[("@odata.type", "#microsoft.graph.orgContact")])] {
            assert_eq!(kept(Persons::None, Role::Aside, Datum::Name, "Ann", Some(&unknown)), "[cut]");
        }
        assert_eq!(kept(Persons::None, Role::Aside, Datum::Name, "Ann", None), "[cut]");
        let id = "11111111-2222-3333-4444-555555555555";
        assert_eq!(kept(Persons::None, Role::Aside, Datum::PrincipalName, id, None), id);
        assert_eq!(kept(Persons::None, Role::Aside, Datum::Mail, id, None), "[cut]");
    }

    #[test]
    fn a_secret_in_a_name_goes_whatever_the_switch() {
        assert_eq!(kept(Persons::All, Role::Matched, Datum::Name, "password=hunter2", None), "[cut]");
    }

    #[test]
    fn before_a_domain_that_is_kept_stands_what_the_switch_says() {
        let before = |switch, address: &str| mailbox(address, &personal(switch));
        let key = Pseudonyms::from_bytes([1; 32]);
        assert_eq!(before(Persons::All, "ann@contoso.com"), None);
        assert_eq!(before(Persons::All, "ann@contoso.com password=x"), Some("[cut]".to_owned()));
        assert_eq!(before(Persons::Pseudonym, "Ann@contoso.com"), Some(key.of("ann@contoso.com")));
        for switch in [Persons::Matched, Persons::None] {
            assert_eq!(before(switch, "ann@contoso.com"), Some("[cut]".to_owned()));
        }
    }

    #[test]
    fn mail_addresses_are_found_among_other_words() {
        let text = "Team Ledger <ann.o'neil@contoso.com>, bob@x.example; on call @ledger, a@b, 7@ 50%";
        let key = Pseudonyms::from_bytes([1; 32]);
        let (ann, bob) = (key.of("ann.o'neil@contoso.com"), key.of("bob@x.example"));
        assert_eq!(with_mail(text, &personal(Persons::Matched)), text);
        assert_eq!(
            with_mail(text, &personal(Persons::Pseudonym)),
            format!("Team Ledger <{ann}>, {bob}; on call @ledger, a@b, 7@ 50%")
        );
        assert_eq!(
            with_mail(text, &personal(Persons::None)),
            "Team Ledger <[cut]>, [cut]; on call @ledger, a@b, 7@ 50%"
        );
        for text in ["", "@", "é@ü.example", "x y", "a@b.c@d.e"] {
            let kept = with_mail(text, &personal(Persons::None));
            assert_eq!(kept == "[cut]", text.contains("@ü") || text.contains("@d"), "{text}: {kept}");
        }
    }
}
