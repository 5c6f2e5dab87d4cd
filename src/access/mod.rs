//! What the facts allow: who can do what, where, by which path, and what could not be followed.
//!
//! Pure and offline. [`Access::of`] puts the facts in order; every question is answered from that when it is asked.
//!
//! **What can be asked.** [`Access::on`], [`Access::can`] and [`Access::of_principal`] list the grants of a vault,
//! [`Access::reach`] those of a principal on every vault, [`Access::answer`] is about one (principal, object,
//! capability). [`Access::gaps`] names what makes the answers a lower bound, [`Access::idle`] what would give access
//! and gives none. [`Access::held_by`] and [`Access::reaching`] are about role assignments as such.
//!
//! **Answers.** [`Answer`] over several paths: allowed, else eligible, else conditional, else not determined, else
//! denied; so denied only where every path is denied for certain. A path is worth as much as its weakest part:
//!
//! - allowed: an active role assignment, an access policy in force, a delegation from another tenant in force, an
//!   entry of the classic model;
//! - eligible: an eligible role, an eligible member of a group (an owner is no member); the rules of the activation are on the path;
//! - conditional: a condition on the assignment or in the definition that the evidence does not decide (or that could
//!   not be parsed), an application acting for the principal; with the text;
//! - not determined: the definition was not read, a deny assignment may forbid it (no effect told, a condition, members
//!   not read) or was not read itself, a policy names another tenant, the vault trusts another tenant;
//! - denied: a deny assignment forbids every action by which the path gives it, or its condition cannot hold here.
//!
//! No grant means that nothing read gives it. Deleted and disabled principals keep the grants that name them: what
//! they are is the model's to tell. A group whose members were not all read stands for itself beside those that were.
//!
//! **Objects.** The vault's grant stands for everything in it. An object has a grant of its own where its answer
//! differs (a deny on it, a condition that names secrets, something given at it alone); what is given at an object
//! beside a vault that is allowed is a further path of the vault's grant. `read_private_key` is about the secret with
//! the certificate's name.
//!
//! **How.** `actions` decides whether a role grants an action (wildcards, `not…` lists, one entry at a time);
//! `capability` says which actions and permissions each capability takes; `role` works that out for a role; `condition`
//! reads conditions; `principals` expands groups; `sources` and `policies` list what gives access; `denies` what takes
//! it away; `giving` knows which roles a delegation is worth something with; `index` joins them with the hierarchy,
//! once for a resource group; `walk` goes through one vault; `words` tells a path to a reader.
//!
//! [`hosts`] lists what carries identities, and [`union`] joins that with the answers: what code on each host reaches.
//!
//! Two questions stand beside that: [`escalation`], how one could come to access that he has not, and [`network`],
//! whether a route to the vault exists at all.

mod actions;
mod answer;
#[cfg(test)]
mod built_in;
mod capability;
mod condition;
mod denies;
mod engine;
pub mod escalation;
mod excess;
mod gaps;
mod giving;
mod hosts;
mod idle;
mod index;
pub mod network;
#[cfg(test)]
mod oracle;
mod own;
mod policies;
mod principals;
mod role;
mod sources;
#[cfg(test)]
pub(crate) mod testing;
mod union;
mod walk;
mod words;

pub use actions::{grants_action, grants_data_action};
pub use answer::{
    Activation, Answer, Gap, Grant, Held, Hop, Idle, IdleWhy, Membership, Open, Path, Standing, Unread, Verdict, Via,
};
pub use capability::Capability;
use condition::Rule;
pub use condition::is_condition_read;
pub use engine::Access;
pub use excess::{excess, is_excess_in_policy};
pub use hosts::{Carriage, Carried, Host, hosts};
pub use own::{Excess, OwnEffective, OwnHeld, OwnPolicy, OwnRights, OwnRole};
pub use union::{HostReach, Reached, union};
