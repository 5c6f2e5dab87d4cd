//! A second evaluator of access, slow and obvious, to hold the first against; and the cases worked out by hand.
//!
//! `world` is a small tenant as a person would write it down, in TOML or at random; `answers` is what a collection of
//! it would leave; `rules` reads the tenant, not the answers, and follows the published rules of Azure RBAC and of
//! access policies one after the other; `conditions` writes conditions down as text and knows what they say;
//! `random` makes tenants; `cases` reads `tests/access/*.toml`, worked out by hand from the documents and not from
//! either evaluator; `built_in` asks it about every built-in role of Azure; `agreement` compares the two on every principal, object and capability.

mod agreement;
mod answers;
mod built_in;
mod cases;
mod conditions;
mod random;
mod rules;
mod world;
