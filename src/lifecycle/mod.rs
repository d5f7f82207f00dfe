//! The pure core: no tokio, files, clock, environment, randomness or tracing.

pub mod event;
pub mod report;
