//! Whole runs with real processes and the simulated agent.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]

#[path = "../support/env.rs"]
#[macro_use]
mod env;
mod belongings;
mod world;

mod boots;
mod cheats;
mod checks;
mod clean;
mod convergence;
mod edits;
mod examples;
mod faults;
mod finish;
mod forecast;
mod formalize;
mod forty;
mod gates;
mod isolation;
mod kill9;
mod levels;
mod lfs;
mod matrix;
mod pruning;
mod questions;
mod readers;
mod rebuild;
mod repair;
mod scope;
mod secrets;
mod shared;
mod signals;
mod table;
mod terminal;
mod tour;
mod user;
mod verify;
mod wants;
mod warm;
