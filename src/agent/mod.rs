//! Talking to claude.

pub mod sim;
