//! The list of what may be kept, by kind of question; its text is in `allow.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::cell::Class;
use crate::evidence::Kind;

/// What may be kept of one value.
#[derive(Clone, Debug)]
pub(super) enum Allowed {
    /// A value without parts.
    Leaf(Class),
    /// Members by lower-case name, each with its name in the list; `any` for maps whose names are data.
    Object {
        /// Known members.
        members: BTreeMap<String, (String, Allowed)>,
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

/// Tags whose values say what a thing is for; other tags can hold anything.
const TAGS: &[&str] =
    &["env", "environment", "owner", "application", "app", "purpose", "costcenter", "criticality", "system", "service"];

/// The list for answers to questions of this kind.
pub(super) fn answers(kind: Kind) -> &'static Allowed {
    static LISTS: LazyLock<BTreeMap<String, Allowed>> = LazyLock::new(|| sections(include_str!("allow.txt")));
    LISTS.get(&section_of(kind)).unwrap_or(&Allowed::Nothing)
}

/// The list for error answers.
pub(super) fn refusals() -> &'static Allowed {
    static LIST: LazyLock<Allowed> = LazyLock::new(|| {
        Allowed::from_lines(
            "code : code\n\
             error/code : code\n\
             error/{innererror,innerError}/code : code\n\
             error/{innererror,innerError}/innererror/code : code\n\
             error/details/[]/code : code\n\
             error/details/[]/innererror/code : code",
        )
    });
    &LIST
}

fn section_of(kind: Kind) -> String {
    serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Reads `[section]` blocks. A section may name several kinds, parted by spaces.
fn sections(text: &str) -> BTreeMap<String, Allowed> {
    let mut lists = BTreeMap::new();
    for block in text.split("\n[").skip(1) {
        let Some((names, lines)) = block.split_once(']') else { continue };
        for name in names.split_whitespace() {
            lists.insert(name.to_owned(), Allowed::from_lines(lines));
        }
    }
    lists
}

impl Allowed {
    /// Reads lines of `path : class`. A path has `/` between its steps, `[]` for the items of an array, `*` for
    /// any name in a map and `{a,b}` for several names. The class `tags` allows the known tags there.
    pub(super) fn from_lines(lines: &str) -> Allowed {
        let mut root = Allowed::Nothing;
        for (path, class) in lines.lines().filter_map(entry) {
            let mut paths = vec![Vec::new()];
            for step in path.split('/') {
                let names: Vec<&str> = step.trim_start_matches('{').trim_end_matches('}').split(',').collect();
                paths = paths
                    .iter()
                    .flat_map(|before: &Vec<&str>| names.iter().map(move |name| [before.as_slice(), &[*name]].concat()))
                    .collect();
            }
            for steps in paths {
                match Class::named(class) {
                    Some(class) => root.add(&steps, class),
                    None => TAGS.iter().for_each(|tag| root.add(&[steps.as_slice(), &[*tag]].concat(), Class::Tag)),
                }
            }
        }
        root
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
            *self = Allowed::Object { members: BTreeMap::new(), any: None };
        }
        if let Allowed::Object { members, any } = self {
            match *step {
                "*" => any.get_or_insert_with(|| Box::new(Allowed::Nothing)).add(rest, class),
                name => members
                    .entry(name.to_ascii_lowercase())
                    .or_insert_with(|| (name.to_owned(), Allowed::Nothing))
                    .1
                    .add(rest, class),
            }
        }
    }

    /// The allowance for a member, with the name by which its place is told.
    pub(super) fn member(&self, name: &str) -> Option<(&str, &Allowed)> {
        let Allowed::Object { members, any } = self else { return None };
        // most names are written as the list writes them
        let known = members.get(name).or_else(|| members.get(&name.to_ascii_lowercase()));
        match known {
            Some((label, below)) => Some((label, below)),
            None => any.as_deref().map(|below| ("*", below)),
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

fn entry(line: &str) -> Option<(&str, &str)> {
    let line = line.split(" # ").next().unwrap_or(line).trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (path, class) = line.rsplit_once(" : ")?;
    Some((path.trim(), class.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_understood() {
        for line in include_str!("allow.txt").lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with('[') {
                continue;
            }
            let (path, class) = entry(line).unwrap_or_else(|| panic!("`{line}` is not `path : class`"));
            assert!(class == "tags" || Class::named(class).is_some(), "`{line}` names no class");
            assert!(path.split('/').all(|step| !step.is_empty() && !step.contains(' ')), "{line}");
        }
    }

    #[test]
    fn every_kind_that_is_not_a_log_has_a_list() {
        for kind in Kind::ALL {
            let is_log = section_of(*kind).starts_with("vault_log");
            assert_eq!(matches!(answers(*kind), Allowed::Nothing), is_log, "{kind:?}");
        }
    }
}
