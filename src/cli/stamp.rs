//! Time-stamping authorities (RFC 3161): which are asked, and the time over the plan before the first question is put.

use chrono::SecondsFormat;
use rand_core::{OsRng, RngCore};

use super::config::Config;
use super::terminal::Terminal;
use super::{CliError, context};
use crate::azure::{Network, is_safe_address, request_timestamp};
use crate::evidence::PlanStamp;
use crate::pack::{Authority, time_stamp};

/// The authorities to ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Authorities {
    /// Their addresses.
    pub(super) addresses: Vec<String>,
    /// How they are reached.
    pub(super) network: Network,
}

impl Authorities {
    /// Those that the command line names, else the configured ones.
    pub(super) fn of(named: &[String], config: Option<&Config>) -> Result<Authorities, CliError> {
        if let Some(address) = named.iter().find(|address| !is_safe_address(address)) {
            return Err(CliError::Use(format!("--tsa: `{address}` is no https address (http for loopback only)")));
        }
        let configured = || config.map(|config| config.signing.tsa.clone()).unwrap_or_default();
        let addresses = if named.is_empty() { configured() } else { named.to_vec() };
        let network = config.map(context::network).transpose()?.unwrap_or_default();
        Ok(Authorities { addresses, network })
    }

    /// Asks each for a time-stamp over the plan. One that gives none is told of, and the run goes on: a plan without a
    /// third party's time is still a plan.
    pub(super) fn stamp_plan(&self, plan: &[u8], terminal: &Terminal) -> (Vec<PlanStamp>, Vec<Vec<u8>>) {
        let (mut stamps, mut tokens) = (Vec::new(), Vec::new());
        for address in &self.addresses {
            let mut ask = ask(address.clone(), self.network.clone());
            let authority = Authority { name: address.clone(), nonce: nonce(), ask: &mut ask };
            let authority_of = |at, failed| PlanStamp { authority: address.clone(), at, failed };
            match time_stamp(authority, plan) {
                Ok((token, stamp)) => {
                    let at = stamp.at.to_rfc3339_opts(SecondsFormat::Secs, true);
                    terminal.note(&format!("the plan is fixed: time-stamp {at} by {address}"));
                    stamps.push(authority_of(Some(stamp.at), None));
                    tokens.push(token);
                }
                Err(error) => {
                    let why = error.to_string();
                    terminal.note(&format!("the plan has {why}"));
                    stamps.push(authority_of(None, Some(why)));
                }
            }
        }
        (stamps, tokens)
    }
}

/// Sends requests to one authority.
pub(super) fn ask(address: String, network: Network) -> impl FnMut(&[u8]) -> Result<Vec<u8>, String> {
    move |request: &[u8]| {
        let runtime = context::runtime().map_err(|error| error.to_string())?;
        runtime.block_on(request_timestamp(&address, request.to_vec(), &network)).map_err(|error| error.to_string())
    }
}

/// 8 random bytes.
pub(super) fn nonce() -> [u8; 8] {
    let mut nonce = [0; 8];
    OsRng.fill_bytes(&mut nonce);
    nonce
}
