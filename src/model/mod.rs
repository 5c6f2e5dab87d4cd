//! What the evidence says: typed facts, each with the place that it was read from.
//!
//! `read/` has one file for each family of answers and turns kept pages into the structs of `facts`. Whether an
//! absent field means "off" or "not told" is decided there, once, with the contract that says so.
//! `coverage` knows which questions were answered, and for which subject a gap matters; `hierarchy` knows
//! which management groups stand above a subscription; `reconcile` holds two lists of the same things
//! against each other.

mod coverage;
mod facts;
mod hierarchy;
mod id;
mod network;
mod read;
mod reconcile;
mod retention;
mod text;

pub use coverage::{Asked, Coverage, Missing, Need, Reach, excuse};
pub use facts::*;
pub use hierarchy::Hierarchy;
pub use id::Id;
pub use network::Network;
pub use read::{ModelError, read, read_keeping, survey};
pub use reconcile::{Difference, List, Reconciliation, Why};
pub use retention::Kept;
pub use text::{Text, Texts};
