//! Who may watch a run: data in, no say in what happens.

use jiff::Timestamp;

use super::event::Record;
use super::state::RunState;
use crate::ids::AttemptId;

/// Something seen in an agent's stream while it runs. Never journaled, never decisive.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Whose stream.
    pub attempt: AttemptId,
    /// What was seen.
    pub what: LiveEvent,
}

/// What a stream shows while the step runs.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveEvent {
    /// A tool call began.
    Tool {
        /// The tool.
        name: String,
        /// Its most telling argument: the command, the file.
        detail: String,
    },
    /// The tool call ended.
    ToolEnded,
    /// Text or thinking arrived.
    Text,
    /// Output tokens so far.
    Tokens(u64),
    /// A usage window is nearly used up.
    NearLimit {
        /// When it resets, where known.
        until: Option<Timestamp>,
    },
}

/// An observer of a run. Its failures are its own affair: no method can fail.
pub trait Observer: Send {
    /// A record is durable and applied.
    fn on_record(&mut self, state: &RunState, record: &Record);
    /// Something was seen in a stream.
    fn on_live(&mut self, live: &Live);
    /// Time passed (a few times a second, and only where something is drawn).
    fn on_tick(&mut self, now: Timestamp);
    /// The run is over; nothing follows.
    fn finish(&mut self, state: &RunState);
}
