//! The pure core: random worlds that are cut everywhere, and scripted ones, a rule each.

mod crash;
mod engine;
mod play;
mod sameness;
mod tally;
mod world;
