//! Evidence that is no opinion: check commands, run by cco, judged by their exit status.
//!
//! Three values: what could not be checked (not found, killed from outside, timed out, zero tests) is UNAVAILABLE, and
//! never a pass.

mod command;
mod junit;
mod parts;
mod zero;

pub use command::{CheckRun, Ran, run, unavailable};
