//! Control definitions: files that say which checks speak for which control, read and checked with file and line.

mod error;
mod framework;
mod load;

pub use error::{ControlError, Mistake};
pub use framework::{Criterion, Framework};
pub use load::{Control, custom, embedded, rule_set_bytes};
