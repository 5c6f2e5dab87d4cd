//! `tickmark list --fields`: what a check of one's own can ask about.

use std::collections::BTreeMap;

use serde_json::json;

use super::args::Format;
use super::terminal::{Terminal, Tone};
use super::{CliError, End};
use crate::collect::kept_ways;
use crate::declared::{Population, Related, SubjectSource, TIMES, object_fields};
use crate::evidence::Kind;

pub(super) fn run(population: Option<&str>, terminal: &Terminal) -> Result<End, CliError> {
    match population {
        None => all(terminal),
        Some(name) => match Population::named(name) {
            Some(population) => one(population, terminal),
            None => {
                Err(CliError::Use(format!("there is no population `{name}`\n`tickmark list --fields` names them all")))
            }
        },
    }
}

fn all(terminal: &Terminal) -> Result<End, CliError> {
    if terminal.format == Format::Json {
        let all: BTreeMap<&str, Vec<&str>> =
            Population::all().map(|population| (population.name, variables(population).collect())).collect();
        terminal.json(&json!({"populations": all, "always": TIMES}))?;
        return Ok(End::Clean);
    }
    terminal.line(&terminal.tone(Tone::Strong, "Populations, and the variables of an expression about each"))?;
    for population in Population::all() {
        let variables: Vec<&str> = variables(population).collect();
        terminal.line(&format!("  {:<28} {}", population.name, variables.join(", ")))?;
    }
    terminal.line(&format!("\nEvery expression knows {} too.", TIMES.join(", ")))?;
    terminal.line("`tickmark list --fields POPULATION` says what is kept of each record.")?;
    Ok(End::Clean)
}

fn variables(population: &'static Population) -> impl Iterator<Item = &'static str> {
    std::iter::once(population.variable).chain(population.related.iter().map(|related| related.variable))
}

fn one(population: &'static Population, terminal: &Terminal) -> Result<End, CliError> {
    let own = match population.source {
        SubjectSource::Records(kind) => of_records(population.variable, kind),
        SubjectSource::Objects(_) => {
            object_fields().iter().map(|way| format!("{}.{way}", population.variable)).collect()
        }
    };
    let related = population.related.iter().flat_map(|Related { variable, kind, .. }| of_records(variable, *kind));
    let fields: Vec<String> = own.into_iter().chain(related).collect();
    if terminal.format == Format::Json {
        terminal.json(&json!({"population": population.name, "fields": fields}))?;
        return Ok(End::Clean);
    }
    for field in &fields {
        terminal.line(field)?;
    }
    Ok(End::Clean)
}

/// `vault.properties.accessPolicies[].tenantId`: as it is written, with the marks of lists and maps.
fn of_records(variable: &str, kind: Kind) -> Vec<String> {
    let field = |way: Vec<String>| {
        let mut field = variable.to_owned();
        for step in way {
            match step.as_str() {
                "[]" => field.push_str("[]"),
                "*" => field.push_str("[*]"),
                name if is_name(name) => field.push_str(&format!(".{name}")),
                name => field.push_str(&format!("['{name}']")),
            }
        }
        field
    };
    kept_ways(kind).into_iter().map(field).collect()
}

/// Whether an expression can ask for a member of this name with a point.
fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|one: char| one.is_ascii_digit())
}
