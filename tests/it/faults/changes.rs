//! What changes between two runs, and what is expected to.

use std::collections::BTreeSet;

use tickmark::check::Outcome;

use super::bench::Findings;

/// Lines `CHECK subject: before > after` for what changed.
pub fn changes(before: &Findings, after: &Findings) -> Vec<String> {
    let words = |finding: Option<&(String, Vec<Outcome>)>| match finding {
        None => "-".to_owned(),
        Some((_, outcomes)) => {
            let mut counts: Vec<(usize, &str)> = Vec::new();
            for outcome in outcomes {
                match counts.iter_mut().find(|(_, word)| *word == outcome.word()) {
                    Some((count, _)) => *count += 1,
                    None => counts.push((1, outcome.word())),
                }
            }
            let word = |(count, word): &(usize, &str)| {
                if *count == 1 { (*word).to_owned() } else { format!("{count} {word}") }
            };
            counts.iter().map(word).collect::<Vec<String>>().join(" + ")
        }
    };
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let mut lines: Vec<String> = keys
        .into_iter()
        .map(|key| (&key.0, before.get(key), after.get(key)))
        .filter(|(_, one, two)| one.map(|finding| &finding.1) != two.map(|finding| &finding.1))
        .map(|(check, one, two)| {
            let name = one.or(two).map_or("", |finding| finding.0.as_str());
            let is_several = one.or(two).is_some_and(|finding| finding.1.len() > 1);
            let name = if is_several { name.split(" ← ").next().unwrap_or(name) } else { name };
            format!("{check} {name}: {} > {}", words(one), words(two))
        })
        .collect();
    lines.sort();
    lines
}

/// What changes, by target and by how the question ends; reviewed by hand.
pub const CHANGES: &str = include_str!("changes.txt");

/// The lines of one section, written out: `CHECK before > after: name, name` is a line for each name.
pub fn expected(section: &str) -> Vec<String> {
    let heading = format!("\n[{section}]\n");
    let (_, rest) = CHANGES.split_once(&heading).unwrap_or_else(|| panic!("no section `{section}`"));
    let lines =
        rest.split("\n[").next().unwrap_or_default().lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut expected: Vec<String> = lines
        .flat_map(|line| {
            let (change, names) = line.split_once(": ").unwrap_or_else(|| panic!("`{line}` names nobody"));
            let (check, change) = change.split_once(' ').expect("a check");
            names.split(", ").map(move |name| format!("{check} {name}: {change}"))
        })
        .collect();
    expected.sort();
    expected
}
