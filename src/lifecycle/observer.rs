//! Who may watch a run: data in, no say in what happens.

use std::time::Duration;

use jiff::Timestamp;

use super::event::Record;
use super::state::RunState;
use crate::ids::AttemptId;

/// Something that a running call did, for whoever watches. Never journaled, never decisive.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Whose.
    pub attempt: AttemptId,
    /// What.
    pub what: LiveEvent,
}

/// What a running call did.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveEvent {
    /// The first output, so long after the start.
    Spoke(Duration),
    /// The conversation is open, with this model.
    Model(String),
    /// A tool call began.
    Tool {
        /// `Bash`, `Edit`, …
        name: String,
        /// The command, path or pattern, cut to one short line; empty where there is none.
        detail: String,
    },
    /// The last open tool call ended.
    ToolEnded,
    /// The model writes or thinks. Sent once for an unbroken stretch of it.
    Text,
    /// How many tokens the call has received so far.
    Tokens {
        /// The sum over its responses.
        output: u64,
    },
    /// The CLI waits before it asks the server again.
    Retry {
        /// Milliseconds until then.
        delay_ms: u64,
    },
    /// What the server said about the usage window.
    RateLimit(RateLimit),
}

/// The state of a usage window.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// Whether requests are refused until it resets.
    pub rejected: bool,
    /// Whether the end of the window is near.
    pub warning: bool,
    /// How much is used, from 0 to 1, where the server says so.
    pub utilization: Option<f64>,
    /// When it resets, where the server says so.
    pub resets_at: Option<Timestamp>,
}

/// An observer of a run. Its failures are its own affair: no method can fail.
pub trait Observer: Send {
    /// A record is durable and applied.
    fn on_record(&mut self, state: &RunState, record: &Record);
    /// Something was seen in a stream.
    fn on_live(&mut self, live: &Live, now: Timestamp);
    /// Time passed (a few times a second, and only where something is drawn).
    fn on_tick(&mut self, now: Timestamp);
    /// The run is over; nothing follows.
    fn finish(&mut self, state: &RunState);
}
