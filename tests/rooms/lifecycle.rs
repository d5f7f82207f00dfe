//! The pure core: random worlds that are cut everywhere, and scripted ones, a rule each.

pub mod audit;
mod baseline;
mod convergence;
mod crash;
mod engine;
mod faults;
mod findings;
mod gates;
mod integration;
mod play;
mod rebuilt;
mod reviewers;
mod sameness;
mod tally;
mod votes;
pub mod world;
