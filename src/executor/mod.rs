//! The imperative shell: one loop that turns outcomes, signals and letters into records, and records into processes.
//!
//! Order is law: durable, then believed, then shown, then acted on. A record that cannot be written ends the run; an
//! observer that fails is its own affair.

mod again;
pub mod archive;
mod bench;
mod boots;
mod branch;
mod brief;
mod change;
mod common;
mod compare;
mod conclude;
mod dispatcher;
pub mod formalize;
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
mod scripts;
mod signals;
mod site;
mod tear_down;
mod untouched;
mod wants;
mod warm;
mod worker;

pub use again::{Again, run_again};
pub use bench::Bench;
pub use common::Common;
pub use conclude::product_in;
pub use dispatcher::{Dispatcher, Finish, RunError, Start};
pub use job::{Job, Models, Tips};
pub use owners::Owners;
pub use prepare::NoPlace;
pub use recover::end_strays;
pub use scripts::scripts;
pub use signals::{Asked, Signals};
pub use tear_down::TearDown;
