//! End-to-end tests: the built binary with an empty environment and replayed tenants; a module a subject.
#![allow(clippy::expect_used, clippy::panic, reason = "clippy takes only functions marked as tests for tests")]

mod commands;
mod contract;
mod demo;
mod faults;
mod harness;
mod imports;
mod server;
mod timestamp;
