//! The sealed pack: a folder that shows whether anything in it was changed, added or taken away.
//!
//! [`seal`] takes finished files and writes them with a [`manifest::Manifest`], a list of sums and a signed
//! [`statement::Statement`] that names every file and its digest. [`verify()`] does what an auditor does with
//! stock tools, in ten steps, and reports everything that it finds. [`zip_folder`] only packs for the way.
//! The bytes that are signed are the bytes that are kept; only verified bytes are parsed. Trust comes from
//! outside: the caller names the [`TrustedKey`], and a key inside a pack counts for nothing.
//!
//! Nothing here knows what evidence is, and nothing else of ours is used: this module reads no clock, opens
//! no socket, and is given its randomness. The cryptographic crates are one family of versions (der 0.7,
//! p256 0.13, cms 0.2); the next family has no released cms yet, so they move together or not at all.

mod digest;
mod dsse;
mod error;
mod json;
mod key;
pub mod manifest;
mod names;
mod seal;
mod sigstore;
pub mod statement;
mod sums;
#[cfg(test)]
mod tests;
mod tsa;
mod verify;
mod zip;

pub use error::PackError;
pub use key::{SigningKey, TrustedKey, write_key_file};
pub use manifest::EvidenceIds;
pub use names::check_path;
pub use seal::{AskAuthority, Authority, Facts, PackFile, SealRequest, Sealed, Source, seal, time_stamp};
pub use tsa::Stamp;
pub use verify::{Expect, Outcome, Problem, Report, Step, StepOutcome, verify};
pub use zip::zip_folder;
