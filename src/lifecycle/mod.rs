//! The pure core: no tokio, files, clock, environment, randomness or tracing.

pub mod apply;
pub mod event;
pub mod lost;
pub mod next;
pub mod observer;
pub mod reconcile;
pub mod report;
pub mod settle;
pub mod state;
pub mod subject;
