//! Each room by itself: property tests, every byte, every transcript.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]

mod agent;
mod agent_sim;
mod context;
mod detect;
mod formalize;
mod import;
mod journal;
mod lifecycle;
mod meeting;
mod plan;
mod process;
mod progress;
mod proof;
mod redact;
mod spec;
mod tamper;
mod tree;
