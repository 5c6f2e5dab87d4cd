//! The comparison with other tools, from `docs/comparison.toml`.

use serde::Deserialize;

use super::{GENERATED, Sources, cell};
use crate::check::CHECKS;
use crate::cli::CliError;

const DATA: &str = include_str!("../../../docs/comparison.toml");

/// The data.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compared {
    /// When it was looked at.
    surveyed: String,
    /// Ids of checks that nothing was found for.
    nothing_found: Vec<String>,
    tool: Vec<Tool>,
    absent: Vec<Absent>,
    elsewhere: Vec<Elsewhere>,
    check: Vec<Same>,
}

/// Another tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    name: String,
    what: String,
    tests: String,
    cannot_see: Vec<String>,
    sources: Vec<String>,
}

/// What was found in none of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Absent {
    what: String,
    here: String,
    nearest: String,
}

/// What they do and this program does not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    what: String,
    by: String,
}

/// What tests the same as a check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Same {
    id: String,
    by: String,
    how: String,
}

impl Compared {
    /// The data that this build carries.
    pub(super) fn embedded() -> Result<Compared, CliError> {
        toml::from_str(DATA).map_err(|error| CliError::Defect(format!("docs/comparison.toml: {error}")))
    }

    /// What tests the same as a check, in a few words.
    pub(super) fn of(&self, check: &str) -> String {
        match self.check.iter().find(|same| same.id == check) {
            Some(same) => format!("{}: {}", same.by, same.how),
            None if self.nothing_found.iter().any(|id| id == check) => "nothing was found that tests it".to_owned(),
            None => "not looked at".to_owned(),
        }
    }
}

/// `docs/comparison.md`.
pub(super) fn page(sources: &Sources) -> String {
    let compared = &sources.compared;
    let mut page = format!(
        "# Beside other tools\n\n{GENERATED}\nWhat other tools test for the criteria that tickmark gives evidence for, and what \
         they cannot see. Looked at in {}, in public source code and documentation; the sources stand below each. Projects \
         change: a correction is welcome, in [comparison.toml](comparison.toml).\n\nMost of these are good at what they are \
         made for, and that is another thing: they tell an engineer what to mend today. tickmark gathers evidence about \
         identities and secrets for somebody who was not there, over a period.\n",
        compared.surveyed
    );
    page.push_str("\n## What they do and tickmark does not\n\n| What | By |\n| --- | --- |\n");
    for one in &compared.elsewhere {
        page.push_str(&format!("| {} | {} |\n", cell(&one.what), cell(&one.by)));
    }
    page.push_str("\n## What was found in none of them\n\n| What | Here | Nearest |\n| --- | --- | --- |\n");
    for one in &compared.absent {
        page.push_str(&format!("| {} | {} | {} |\n", cell(&one.what), cell(&one.here), cell(&one.nearest)));
    }
    page.push_str("\n## Tool by tool\n");
    for tool in &compared.tool {
        page.push_str(&format!(
            "\n### {}\n\n{}\n\n**Tests.** {}\n\n**Cannot see.**\n\n",
            tool.name, tool.what, tool.tests
        ));
        tool.cannot_see.iter().for_each(|one| page.push_str(&format!("- {one}\n")));
        let sources: Vec<String> = tool.sources.iter().map(|source| shown(source)).collect();
        page.push_str(&format!("\nSources: {}.\n", sources.join("; ")));
    }
    page.push_str("\n## Check by check\n\n| Check | What it says | What tests the same |\n| --- | --- | --- |\n");
    for check in CHECKS {
        page.push_str(&format!(
            "| [{id}](checks/{id}.md) | {} | {} |\n",
            cell(check.title),
            cell(&compared.of(check.id)),
            id = check.id
        ));
    }
    page
}

/// An address as a link, a place in a repository as code.
fn shown(source: &str) -> String {
    if source.starts_with("https://") { format!("<{source}>") } else { format!("`{source}`") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_check_was_looked_at_once() {
        let compared = Compared::embedded().expect("the data");
        let rows = compared.check.iter().map(|same| &same.id).chain(&compared.nothing_found);
        let all: Vec<&String> = rows.collect();
        let once: BTreeSet<&&String> = all.iter().collect();
        assert_eq!(once.len(), all.len(), "an id stands twice");
        for check in CHECKS {
            assert!(all.iter().any(|id| *id == check.id), "{} is in neither list of docs/comparison.toml", check.id);
        }
    }

    #[test]
    fn every_tool_has_its_sources_and_its_blind_spots() {
        let compared = Compared::embedded().expect("the data");
        for tool in &compared.tool {
            assert!(!tool.sources.is_empty() && !tool.cannot_see.is_empty(), "{}", tool.name);
            for words in [&tool.what, &tool.tests].into_iter().chain(&tool.cannot_see) {
                assert!(words.ends_with('.'), "{}: `{words}`", tool.name);
            }
        }
    }
}
