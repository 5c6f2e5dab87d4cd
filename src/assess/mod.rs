//! Findings and controls → one result a control, and the tables that the report shows.

mod assessment;
mod break_fix;
mod coverage;
mod graph;
mod hosts;
mod inventory;
mod judge;
mod population;
mod suggest;

pub use assessment::{Assessment, Conclusion, ControlResult, Counts, EvidenceLine, Inputs, Organisation, assess};
#[cfg(test)]
pub(crate) use judge::judge as conclude;

pub use break_fix::{Moment, Story};
pub use coverage::{CollectionSummary, ComparedLists, CoveredPart, DifferenceLine, GapLine};
pub use graph::{AccessGraph, Column, Edge, Node};
pub use hosts::{HostLine, Hosts, Overlap, ReachLine};
pub use inventory::{IdentityLine, Inventory, NamedVault, Reader, ReaderLine, VaultLine, Way};
pub use population::Population;
pub use suggest::{Suggested, suggest};
