//! What the facts allow: who can do what, where, by which path, and what could not be followed.
//!
//! Pure and offline. `actions` decides whether a role grants an action (wildcards, `not…` lists, one entry at a
//! time) and `capability` says which actions and permissions each capability takes; `principals` expands groups;
//! `denies` finds the deny assignments that may apply; `engine` joins all of it with the hierarchy into grants.
//! Where a condition or a deny assignment is present, the answer is [`Answer::NotDetermined`] with the reason:
//! neither is evaluated yet, and neither is ever taken to narrow access.

mod actions;
mod answer;
#[cfg(test)]
mod built_in;
mod capability;
mod denies;
mod engine;
pub mod escalation;
mod excess;
pub mod network;
mod own;
mod principals;
mod words;

pub use actions::{grants_action, grants_data_action};
pub use answer::{Answer, Capability, Grant, Held, Hop, Open, Path, Via};
pub use engine::Access;
pub use excess::{excess, is_excess_in_policy};
pub use own::{Excess, OwnEffective, OwnHeld, OwnPolicy, OwnRights, OwnRole};
