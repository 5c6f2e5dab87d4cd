//! Findings and controls → one result a control, and the tables that the report shows; the engineers' view of the same
//! findings, and what changed between two packs.

mod assessment;
mod break_fix;
mod compare;
mod coverage;
mod graph;
mod hosts;
mod inventory;
mod judge;
mod overview;
mod population;
mod selection;
mod suggest;
mod told;

pub use assessment::{Assessment, Conclusion, ControlResult, Counts, EvidenceLine, Inputs, Organisation, assess};
#[cfg(test)]
pub(crate) use judge::judge as conclude;

pub use break_fix::{Moment, Story};
pub use compare::{
    Change, Compared, Comparison, ConclusionChange, PopulationChange, Side, Trend, compare, counts_by_check,
};
pub use coverage::{CollectionSummary, ComparedLists, CoveredPart, DifferenceLine, GapLine};
pub use graph::{AccessGraph, Column, Edge, Node};
pub use hosts::{HostLine, Hosts, Overlap, ReachLine};
pub use inventory::{IdentityLine, Inventory, NamedVault, Reader, ReaderLine, VaultLine, Way};
pub use overview::{
    CheckLine, ControlLine, CriterionLine, MissingInput, OpenPoint, Overview, Sources, Standard, Supply, overview,
};
pub use population::Population;
pub use selection::{NamesNothing, Selection};
pub use suggest::{Suggested, suggest};
pub use told::{Told, ToldAccepted, ToldControl, ToldFinding};
