//! `tickmark run`: collect, assess and seal.

use super::args::{Args, Run};
use super::collect::{Source, collect_into};
use super::config::Config;
use super::seal::{Sealing, finish};
use super::stamp::Authorities;
use super::terminal::Terminal;
use super::{CliError, End, assess, context, declared, doctor, key};
use crate::assess::Inputs;
use crate::azure::Recording;
use crate::evidence::Capture;

pub(super) fn run(options: &Run, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let config = Config::open(&args.config)?;
    let signing = key::open(&config.signing.key)?; // a wrong passphrase is found before the first request
    declared::below(&config.declared)?; // and so is a mistake in what is declared
    let source = match &options.replay {
        Some(folder) => Source::recording(Recording::open(folder)?, Some(&config))?,
        None => Source::live(&config)?,
    };
    if options.strict_rights {
        doctor::require_rights(&source)?;
    }
    let authorities = Authorities::of(&options.pack.tsa, Some(&config))?;
    let store = context::store(args, Some(&config));
    let period = context::period(args, Some(&config), source.now())?;
    let collected = collect_into(&store, &source, period, &authorities, terminal)?;
    let capture = Capture::open(&collected.folder)?;
    let inputs = assess::inputs(args, Some(&config), &capture, signing.public()?.fingerprint().to_owned())?;
    let sealing = Sealing {
        store: &store,
        folder: &collected.folder,
        capture: &capture,
        inputs: Inputs { tsa: authorities.addresses, ..inputs },
        key: &signing,
        now: source.now(),
        network: authorities.network,
        replace: false,
    };
    finish(&sealing, &options.pack, terminal)
}
