//! The list of what may be kept, by kind of question; its text is in `allow/`, one file a family of questions, with
//! the reason why each thing is kept.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::cell::Class;
use crate::evidence::{Kind, Shape};

/// What may be kept of one value.
#[derive(Clone, Debug)]
pub(super) enum Allowed {
    /// A value without parts.
    Leaf(Class),
    /// Members by name; `any` for maps whose names are data.
    Object {
        /// Known members.
        members: Members,
        /// Members of a map.
        any: Option<Box<Allowed>>,
    },
    /// Items, all alike.
    Array(Box<Allowed>),
    /// Items by position; further ones are not kept.
    Tuple(Vec<Allowed>),
    /// The place stays, its content goes: `null`.
    Nothing,
}

/// Known members of an object by lower-case name, in order of its length and then of its letters.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    known: Vec<(String, Allowed)>,
    /// Whether one of them is data of a person.
    hold_person: bool,
}

/// Tags whose values say what a thing is for; other tags can hold anything.
const TAGS: &[&str] =
    &["env", "environment", "owner", "application", "app", "purpose", "costcenter", "criticality", "system", "service"];

/// The files of the list, one a family of questions.
pub(super) const FILES: &[(&str, &str)] = &[
    ("tenant.txt", include_str!("allow/tenant.txt")),
    ("hosts.txt", include_str!("allow/hosts.txt")),
    ("vaults.txt", include_str!("allow/vaults.txt")),
    ("authorization.txt", include_str!("allow/authorization.txt")),
    ("logging.txt", include_str!("allow/logging.txt")),
    ("directory.txt", include_str!("allow/directory.txt")),
    ("resource_graph.txt", include_str!("allow/resource_graph.txt")),
    ("queries.txt", include_str!("allow/queries.txt")),
    ("errors.txt", include_str!("allow/errors.txt")),
];

/// The list for answers to questions of this kind. For log rows it names columns, see [`super::rows`].
pub(super) fn answers(kind: Kind) -> &'static Allowed {
    section(&section_of(kind))
}

/// What is kept of one item of an answer to a question of this kind, each by its way from the item, in the letters of
/// the list.
pub(super) fn ways(kind: Kind) -> Vec<Vec<String>> {
    let entries = FILES.iter().flat_map(|(_, text)| entries(text)).filter_map(Result::ok);
    let paths = entries.filter(|entry| entry.is_for(kind)).flat_map(|entry| entry.paths());
    let of_items = paths.filter_map(|path| path.strip_prefix(&["value", "[]"]).map(<[&str]>::to_vec));
    let mut ways: Vec<Vec<String>> =
        of_items.map(|path| path.into_iter().map(|step| step.replace("~1", "/")).collect()).collect();
    ways.sort();
    ways
}

/// The list for error answers.
pub(super) fn refusals() -> &'static Allowed {
    section("errors")
}

/// What stays of the body of a request that grants or takes a role.
pub(super) fn grant() -> &'static Allowed {
    section("grant")
}

/// What stays of a token's claims.
pub(super) fn claims() -> &'static Allowed {
    section("claims")
}

/// What stays of the things that a change in the directory was made to.
pub(super) fn targets() -> &'static Allowed {
    section("targets")
}

/// One section of the list; nothing is allowed where there is none.
fn section(name: &str) -> &'static Allowed {
    static LISTS: LazyLock<BTreeMap<&str, Allowed>> = LazyLock::new(|| {
        let mut lists = BTreeMap::new();
        for entry in FILES.iter().flat_map(|(_, text)| entries(text)).filter_map(Result::ok) {
            for section in entry.sections.split_whitespace() {
                lists.entry(section).or_insert(Allowed::Nothing).allow(&entry);
            }
        }
        lists
    });
    LISTS.get(name).unwrap_or(&Allowed::Nothing)
}

fn section_of(kind: Kind) -> String {
    serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// One line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Kinds of question, parted by spaces.
    sections: &'a str,
    /// Where, see [`Entry::paths`].
    path: &'a str,
    /// None for `tags`.
    class: Option<Class>,
    /// Why it is kept.
    reason: &'a str,
}

/// Reads `[section]` headings with lines of `path : class -- reason` below them. A section may name several kinds,
/// parted by spaces. A line of `-- reason` gives the reason of the lines after it that have none of their own. A line
/// that is not understood, and one without a reason, is a mistake, and allows nothing.
pub(super) fn entries(text: &str) -> impl Iterator<Item = Result<Entry<'_>, String>> {
    let (mut sections, mut heading) = ("", "");
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(move |line| {
        if let Some(names) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            (sections, heading) = (names, "");
            return None;
        }
        if let Some(reason) = line.strip_prefix("-- ") {
            heading = reason.trim();
            return None;
        }
        Some(entry(sections, heading, line))
    })
}

fn entry<'a>(sections: &'a str, heading: &'a str, line: &'a str) -> Result<Entry<'a>, String> {
    let (rule, reason) = line.split_once(" -- ").unwrap_or((line, heading));
    let (path, class) = rule.split_once(" : ").ok_or(format!("`{line}` is not `path : class -- reason`"))?;
    let (path, class, reason) = (path.trim(), class.trim(), reason.trim());
    let is_path = path.split('/').all(|step| !step.is_empty() && !step.contains(' '));
    match Class::named(class) {
        _ if sections.is_empty() => Err(format!("`{line}` stands in no section")),
        _ if reason.is_empty() => Err(format!("`{line}` has no reason, nor a line `-- reason` above it")),
        _ if !is_path => Err(format!("`{path}` is no path")),
        None if class != "tags" => Err(format!("`{class}` is no class")),
        class => Ok(Entry { sections, path, class, reason }),
    }
}

impl<'a> Entry<'a> {
    /// Whether it stands in the section of this kind.
    pub(super) fn is_for(&self, kind: Kind) -> bool {
        self.sections.split_whitespace().any(|section| section == section_of(kind))
    }

    /// A path has `/` between its steps, `[]` for the items of an array, `*` for any name in a map and `{a,b}` for
    /// several names; `~1` stands for a slash in a name. The class `tags` allows the known tags there.
    pub(super) fn paths(&self) -> Vec<Vec<&'a str>> {
        let mut paths: Vec<Vec<&str>> = vec![Vec::new()];
        for step in self.path.split('/') {
            let names: Vec<&str> = step.trim_start_matches('{').trim_end_matches('}').split(',').collect();
            paths = longer(&paths, &names);
        }
        if self.class.is_none() { longer(&paths, TAGS) } else { paths }
    }
}

fn longer<'a>(paths: &[Vec<&'a str>], names: &[&'a str]) -> Vec<Vec<&'a str>> {
    paths.iter().flat_map(|path| names.iter().map(move |name| [path.as_slice(), &[*name]].concat())).collect()
}

impl Allowed {
    fn allow(&mut self, entry: &Entry<'_>) {
        for steps in entry.paths() {
            self.add(&steps, entry.class.unwrap_or(Class::Tag));
        }
    }

    fn add(&mut self, steps: &[&str], class: Class) {
        let Some((step, rest)) = steps.split_first() else {
            *self = Allowed::Leaf(class);
            return;
        };
        if *step == "[]" {
            if !matches!(self, Allowed::Array(_)) {
                *self = Allowed::Array(Box::new(Allowed::Nothing));
            }
            if let Allowed::Array(items) = self {
                items.add(rest, class);
            }
            return;
        }
        if !matches!(self, Allowed::Object { .. }) {
            *self = Allowed::Object { members: Members::default(), any: None };
        }
        if let Allowed::Object { members, any } = self {
            match *step {
                "*" => any.get_or_insert_with(|| Box::new(Allowed::Nothing)).add(rest, class),
                name => {
                    let name = name.replace("~1", "/").to_ascii_lowercase();
                    members.change(&name, |member| member.add(rest, class));
                }
            }
        }
    }

    /// The allowance for a member, and whether the list names it: the names in a map are data.
    pub(super) fn member(&self, name: &str) -> Option<(bool, &Allowed)> {
        let Allowed::Object { members, any } = self else { return None };
        match members.get(name) {
            Some(below) => Some((true, below)),
            None => any.as_deref().map(|below| (false, below)),
        }
    }

    /// Whether the list has data of a person among the members of this object.
    pub(super) fn holds_person(&self) -> bool {
        matches!(self, Allowed::Object { members, .. } if members.hold_person)
    }

    /// The form of what is allowed.
    pub(super) fn shape(&self) -> Shape {
        match self {
            Allowed::Leaf(_) => Shape::Leaf,
            Allowed::Object { members, any } => Shape::Object {
                members: members.known.iter().map(|(name, below)| (name.clone(), below.shape())).collect(),
                any: any.as_ref().map(|below| Box::new(below.shape())),
            },
            Allowed::Array(items) => Shape::List(Box::new(items.shape())),
            Allowed::Tuple(_) | Allowed::Nothing => Shape::Nothing,
        }
    }

    /// The allowance for an item.
    pub(super) fn item(&self, index: usize) -> &Allowed {
        match self {
            Allowed::Array(items) => items,
            Allowed::Tuple(items) => items.get(index).unwrap_or(&Allowed::Nothing),
            _ => &Allowed::Nothing,
        }
    }
}

impl Members {
    /// The member with this name, in any case.
    pub(super) fn get(&self, name: &str) -> Option<&Allowed> {
        let at = self.place_of(name).ok()?;
        self.known.get(at).map(|(_, below)| below)
    }

    /// All of them.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, Allowed)> {
        self.known.iter()
    }

    /// Changes the member with this lower-case name, which holds nothing when it is new.
    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut Allowed)) {
        let at = self.place_of(name).unwrap_or_else(|at| {
            self.known.insert(at, (name.to_owned(), Allowed::Nothing));
            at
        });
        if let Some((_, member)) = self.known.get_mut(at) {
            change(member);
        }
        self.hold_person = self.known.iter().any(|(_, below)| matches!(below, Allowed::Leaf(Class::Person(..))));
    }

    fn place_of(&self, name: &str) -> Result<usize, usize> {
        let lower = || name.bytes().map(|byte| byte.to_ascii_lowercase());
        let order = |known: &str| known.len().cmp(&name.len()).then_with(|| known.bytes().cmp(lower()));
        self.known.binary_search_by(|(known, _)| order(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_understood_and_has_a_reason() {
        for (file, text) in FILES {
            for entry in entries(text) {
                let entry = entry.unwrap_or_else(|mistake| panic!("{file}: {mistake}"));
                assert!(entry.reason.split_whitespace().count() >= 3, "{file}: {entry:?}");
            }
        }
    }

    #[test]
    fn every_file_of_the_list_is_read_and_every_section_names_a_kind() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/collect/redact/allow");
        let found = std::fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").file_name());
        let mut found: Vec<String> = found.filter_map(|name| name.into_string().ok()).collect();
        let mut known: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        found.sort();
        known.sort();
        assert_eq!(found, known);

        let kinds: Vec<String> = Kind::ALL.iter().map(|kind| section_of(*kind)).collect();
        for entry in FILES.iter().flat_map(|(_, text)| entries(text)).map(|entry| entry.expect("an entry")) {
            for name in entry.sections.split_whitespace() {
                assert!(
                    ["errors", "claims", "grant", "targets"].contains(&name) || kinds.iter().any(|kind| kind == name),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn every_kind_has_a_list() {
        for kind in Kind::ALL {
            assert!(!matches!(answers(*kind), Allowed::Nothing), "{kind:?}");
        }
        assert!(!matches!(claims(), Allowed::Nothing) && !matches!(targets(), Allowed::Nothing));
        assert!(!matches!(refusals(), Allowed::Nothing));
    }

    /// A name of a field that says that it holds data of a person is not read as any other text.
    #[test]
    fn data_of_persons_is_held_to_the_switches() {
        const OF_PERSONS: &[&str] = &[
            "userprincipalname",
            "upn",
            "mail",
            "othermails",
            "proxyaddresses",
            "emailaddress",
            "caller",
            "givenname",
        ];
        const ADDRESSES: &[&str] = &["calleripaddress", "ipaddress", "clientipaddress", "initiatoripaddress"];
        for entry in FILES.iter().flat_map(|(_, text)| entries(text)).map(|entry| entry.expect("an entry")) {
            for path in entry.paths() {
                let name = path.iter().rev().find(|step| **step != "[]").expect("a name").to_lowercase();
                let is_rule = path.ends_with(&["target", "caller", "[]"]) || path.ends_with(&["target", "caller"]);
                if OF_PERSONS.contains(&name.as_str()) && !is_rule {
                    assert!(matches!(entry.class, Some(Class::Person(..) | Class::Domain)), "{entry:?}");
                }
                assert!(!ADDRESSES.contains(&name.as_str()) || entry.class == Some(Class::Address), "{entry:?}");
            }
        }
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        let text = "a : text -- out of place here\n[vaults]\nb : text\nc : text -- its own\n-- of the next two\nd : text\n\n\
                    e : text -- another\nf : word\ng h : text\ni\n[tables]\nj : tags";
        let found: Vec<Result<(&str, &str), String>> =
            entries(text).map(|entry| entry.map(|entry| (entry.path, entry.reason))).collect();
        assert_eq!(
            found,
            [
                Err("`a : text -- out of place here` stands in no section".to_owned()),
                Err("`b : text` has no reason, nor a line `-- reason` above it".to_owned()),
                Ok(("c", "its own")),
                Ok(("d", "of the next two")),
                Ok(("e", "another")),
                Err("`word` is no class".to_owned()),
                Err("`g h` is no path".to_owned()),
                Err("`i` is not `path : class -- reason`".to_owned()),
                Err("`j : tags` has no reason, nor a line `-- reason` above it".to_owned()),
            ]
        );
    }
}
