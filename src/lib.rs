//! `cco` runs multi-component software work through the `claude` CLI with external enforcement: the program controls the
//! flow, the model only executes steps.
//!
//! The crate is a pure state machine with a journal in front of it and processes behind it.
//!
//! ```text
//!  argv+env+config ──► Settings ─┐
//!  manifest.json ──► Spec ───────┴─► Plan (immutable)
//!                                      │
//!       ┌──────────────────────────────▼──────────────────────────────┐
//!       │ lifecycle (pure)                                             │
//!       │   next_actions(&RunState, now)       -> Vec<Action>          │
//!       │   settle(&RunState, Outcome, now)    -> Vec<Event>           │
//!       │   RunState::apply(&Event)            -> Result<(), Illegal>  │
//!       └───▲──────────────────────────────┬───────────────────────────┘
//!           │ apply                        │ Action
//!      Journal.append(Record) ◄── dispatcher ──► Worker.perform(Action) ──► agent | command
//!           │ durable first                 ▲  Outcome                      (child processes)
//!           └──► observers: progress (live/plain/json)                signals, tick, inbox
//! ```
//!
//! What other tools wrote becomes a manifest in the pure room `import`: texts in, components and a report of losses out.
//! A brainstorm becomes one in `formalize`, a second state machine of the same cut: judged, drafted, checked, mended.
//!
//! How a work directory is built and checked is told by the pure room `detect` from names of files and a few texts.
//!
//! Resuming is folding the journal and asking the same function what should be in flight now: there is no resume path
//! in the scheduler. Which room may know which other is law, kept by `tests/layering.rs`.

pub mod diagnostic;
pub mod fsx;
pub mod ids;
pub mod redact;
pub mod text;

pub mod agent;
pub mod check;
pub mod cli;
pub mod context;
pub mod detect;
pub mod executor;
pub mod formalize;
pub mod import;
pub mod journal;
pub mod lifecycle;
pub mod plan;
pub mod process;
pub mod progress;
pub mod proof;
pub mod spec;
pub mod tamper;
pub mod tree;
