//! `tickmark assess`: judges a capture, offline.

use std::fs;
use std::path::Path;

use super::args::{Args, Assess};
use super::collect::optional_config;
use super::config::Config;
use super::derive::derive;
use super::terminal::Terminal;
use super::{CliError, End, context, declared, key, summary};
use crate::assess::{Assessment, Inputs, Organisation};
use crate::evidence::{Capture, write_aside};
use crate::render::render;

pub(super) fn run(options: &Assess, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let config = optional_config(args)?;
    let store = context::store(args, config.as_ref());
    let (_, capture) = context::capture(&store, options.which.capture.as_deref(), terminal)?;
    let fingerprint = match &config {
        Some(config) => key::fingerprint(&config.signing.key).unwrap_or_default(),
        None => String::new(),
    };
    let inputs = inputs(args, config.as_ref(), &capture, fingerprint)?;
    let assessment = derive(&capture, inputs, context::ledger(&store, &capture)?)?;
    if let Some(out) = &options.out {
        write(&assessment, out)?;
        terminal.note(&format!("results and report are in {}", out.display()));
    }
    summary::print(&assessment, None, terminal)
}

/// What the person says, out of the configuration; a capture without one is judged with the defaults.
pub(super) fn inputs(
    args: &Args,
    config: Option<&Config>,
    capture: &Capture,
    key_fingerprint: String,
) -> Result<Inputs, CliError> {
    let period = match &args.period {
        Some(text) => crate::evidence::Period::parse(text)?,
        None => capture.head.period, // the logs were asked for this one
    };
    Ok(Inputs {
        organisation: config.map_or_else(
            || Organisation { name: "not named".to_owned(), system: "not named".to_owned() },
            |config| config.organisation.clone(),
        ),
        period,
        parameters: config.map(|config| config.parameters.clone()).unwrap_or_default(),
        key_fingerprint,
        tsa: config.map(|config| config.signing.tsa.clone()).unwrap_or_default(),
        tool: context::tool(),
        declared: config.map(|config| declared::below(&config.declared)).transpose()?.unwrap_or_default(),
    })
}

fn write(assessment: &Assessment, out: &Path) -> Result<(), CliError> {
    render(assessment, |path, content| {
        let full = out.join(path);
        let folder = full.parent().unwrap_or(out);
        fs::create_dir_all(folder).map_err(CliError::io("create", folder))?;
        write_aside(&full, |file| Ok(content(file)?))
    })
}
