//! Each room by itself: property tests, every byte, every transcript.
#![allow(missing_docs)]

mod agent;
mod agent_sim;
mod journal;
mod lifecycle;
mod process;
mod progress;
mod spec;
