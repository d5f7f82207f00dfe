//! Each room by itself: property tests, every byte, every transcript.
#![allow(missing_docs)]

mod agent;
mod journal;
mod lifecycle;
mod process;
mod progress;
mod spec;
