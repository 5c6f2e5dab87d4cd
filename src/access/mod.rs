//! What the facts allow: who can do what, where, by which path, and what could not be followed.
//!
//! Pure and offline. `actions` decides whether a role grants an action (wildcards, `not…` lists, one entry at a
//! time); `principals` expands groups; `engine` joins assignments, access policies and hierarchy into grants.
//! Where a condition or a deny assignment is present, the answer is [`Answer::NotDetermined`] with the reason:
//! neither is evaluated yet, and neither is ever taken to narrow access.

mod actions;
mod answer;
mod engine;
mod principals;

pub use actions::{grants_action, grants_data_action};
pub use answer::{Answer, Capability, Grant, Held, Hop, Open, Path, Via};
pub use engine::Access;
