//! End-to-end tests: the built binary with an empty environment and replayed tenants; a module a subject.

mod commands;
mod demo;
mod doctor;
mod harness;
mod imports;
