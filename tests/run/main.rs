//! Whole runs with real processes and the simulated agent.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]

#[path = "../support/env.rs"]
#[macro_use]
mod env;
mod world;

mod boots;
mod cheats;
mod checks;
mod convergence;
mod edits;
mod faults;
mod gates;
mod kill9;
mod matrix;
mod questions;
mod readers;
mod repair;
mod scope;
mod secrets;
mod shared;
mod signals;
mod table;
mod terminal;
