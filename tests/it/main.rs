//! End-to-end tests: the built binary with an empty environment and replayed tenants; a module a subject.
#![allow(clippy::expect_used, clippy::panic, reason = "clippy takes only functions marked as tests for tests")]

mod access;
mod azure;
mod canary;
mod commands;
mod contract;
mod coverage;
mod credentials;
mod custom_checks;
mod declared;
mod demo;
mod designs;
mod diff;
mod doctor;
mod faults;
mod harness;
mod hostile;
mod hosts;
mod imports;
mod live;
mod mutations;
mod needles;
mod network;
mod probe;
mod redaction;
mod replay;
mod resume;
mod server;
mod sweep;
mod tamper;
mod tenants;
mod timestamp;
