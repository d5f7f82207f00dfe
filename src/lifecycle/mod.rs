//! The pure core: no tokio, files, clock, environment, randomness or tracing.

mod answering;
pub mod apply;
mod attempts;
pub mod delivery;
pub mod event;
pub mod granting;
mod integration;
pub mod lost;
pub mod next;
pub mod observer;
pub mod patience;
mod queues;
pub mod rebuilt;
pub mod reconcile;
pub mod report;
pub mod sameness;
mod seats;
pub mod settle;
pub mod state;
pub mod subject;
pub mod tally;
mod trouble;
mod validating;
mod voting;
