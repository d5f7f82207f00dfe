//! From a brainstorm to a manifest, as a pure state machine: whether the brainstorm is ready is judged, a manifest is
//! drafted, checked, and mended with what was found, at most [`ROUNDS`] times.
//!
//! It is cut as the core of a run is. [`state`] is a fold over records and nothing else, [`next`](next::next) says what is
//! to be done now, [`settle`](settle::settle) what follows from an outcome. Who was killed folds and asks again. The room
//! touches no file: texts come in, texts and records go out.

pub mod codec;
pub mod draft;
pub mod event;
pub mod next;
pub mod report;
pub mod rules;
pub mod settle;
pub mod state;

/// How many drafts there are at most: the first, and what diagnostics made of it.
pub const ROUNDS: usize = 3;
