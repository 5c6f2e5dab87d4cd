//! Answers as a graph for Graphviz: identity → role or policy → scope → vault or object.

use std::collections::{BTreeMap, BTreeSet};

use super::{Shown, principal};
use crate::access::Answer;

pub(super) fn of(shown: &Shown<'_>) -> String {
    let mut nodes: BTreeMap<String, String> = BTreeMap::new();
    let mut edges: BTreeSet<(String, String, &'static str)> = BTreeSet::new();
    for grant in &shown.grants {
        let (name, kind) = principal(shown.tenant, &grant.principal_id);
        let who = format!("principal:{}", grant.principal_id);
        nodes.insert(who.clone(), format!("{name}\n{kind}"));
        let object = format!("object:{}", grant.object.key());
        nodes.insert(object.clone(), grant.object.name().to_owned());
        for path in &grant.paths {
            let style = style(path.answer);
            let via = format!("via:{}@{}", path.via.words(), path.scope.key());
            nodes.insert(via.clone(), path.via.words());
            let mut at = who.clone();
            for hop in path.through.iter().rev() {
                let group = format!("principal:{}", hop.group_id);
                nodes.insert(group.clone(), format!("{}\ngroup", hop.name));
                edges.insert((at, group.clone(), style));
                at = group;
            }
            edges.insert((at, via.clone(), style));
            let scope = format!("object:{}", path.scope.key());
            nodes.entry(scope.clone()).or_insert_with(|| match path.scope.key() {
                "/" => "/".to_owned(),
                _ => path.scope.name().to_owned(),
            });
            edges.insert((via, scope.clone(), style));
            if scope != object {
                edges.insert((scope, object.clone(), style));
            }
        }
    }
    let mut text = String::from("digraph access {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (id, label) in &nodes {
        text.push_str(&format!("  {} [label={}];\n", quoted(id), quoted(label)));
    }
    for (from, to, style) in &edges {
        text.push_str(&format!("  {} -> {} [style={style}];\n", quoted(from), quoted(to)));
    }
    text.push_str("}\n");
    text
}

fn style(answer: Answer) -> &'static str {
    match answer {
        Answer::Allowed => "solid",
        Answer::Eligible | Answer::Conditional | Answer::NotDetermined => "dashed",
        Answer::Denied => "dotted",
    }
}

/// A double-quoted string of the language: names come from Azure and may hold anything.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push('\u{fffd}'),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_end_its_string() {
        assert_eq!(super::quoted("a\"; x -> y\\\nb\u{7}"), "\"a\\\"; x -> y\\\\\\nb\u{fffd}\"");
    }
}
