//! Tickmark collects identity and secrets evidence from Azure, tests it against control definitions and
//! binds it into a signed evidence pack.
//!
//! The flow has one direction: **ask → keep → read → judge → conclude → render → seal → verify.**
//! [`azure`] asks, through the only door to the network, or answers from a recording. [`collect`] knows what
//! to ask and hands every answer, redacted, to [`evidence`], which keeps it. [`model`] reads typed facts out of
//! kept evidence; [`access`] works out what those facts allow. [`declared`] reads what people say:
//! registers, waivers, records made by hand, checks of one's own in the language of [`expression`]. [`check`] judges, [`control`] says which
//! checks speak for which control, [`assess`] concludes. [`render`] prints the conclusions and [`pack`] seals
//! everything and verifies what was sealed. [`cli`] alone reads the clock, the environment and the arguments,
//! and prints. From `model` to `render` everything is a pure function of kept evidence.

pub mod access;
pub mod assess;
pub mod azure;
pub mod check;
pub mod cli;
pub mod collect;
pub mod control;
pub mod declared;
pub mod evidence;
pub mod expression;
pub mod model;
pub mod pack;
pub mod render;
