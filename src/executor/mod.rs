//! The imperative shell: one loop that turns outcomes, signals and letters into records, and records into processes.
//!
//! Order is law: durable, then believed, then shown, then acted on. A record that cannot be written ends the run; an
//! observer that fails is its own affair.

pub mod archive;
mod boots;
mod branch;
mod brief;
mod change;
mod common;
mod compare;
mod conclude;
mod dispatcher;
mod fresh;
pub mod inbox;
mod integrate;
mod job;
mod origin;
mod outside;
mod owners;
mod prepare;
mod put_back;
mod recover;
mod redaction;
mod signals;
mod site;
mod untouched;
mod worker;

pub use common::Common;
pub use dispatcher::{Dispatcher, Finish, RunError, Start};
pub use job::{Job, Models, Tips};
pub use owners::Owners;
pub use recover::end_strays;
pub use signals::{Asked, Signals};
