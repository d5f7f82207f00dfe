//! Talking to claude: one call of the CLI is one attempt, and ends in one [`Reply`].
//!
//! The room knows the CLI's argument vector, its environment, its stream and its ways to fail; it knows nothing of
//! components, journals or budgets. What a reply means for the run is decided elsewhere.

mod call;
mod classify;
mod claude;
pub mod claude_md;
pub mod env;
mod probe;
pub mod prompt;
mod schema;
pub mod sim;
mod stream;
mod tail;
mod usage;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::formalize::report::{DraftReport, ReadinessReport};
use crate::lifecycle::event::{Trouble, Usage};
use crate::lifecycle::report::{BallotReport, ReviewReport, WriterReport};

pub use crate::lifecycle::observer::{Live, LiveEvent, RateLimit};
pub use call::{Request, adopt, ask};
pub use classify::{Departure, classify};
pub use claude::arguments;
pub use env::AgentEnv;
pub use probe::{Login, ProbeError, Version, auth_status, find_program, probe_version};
pub use prompt::{PromptError, PromptInput, Prompts, Role};
pub use stream::{Stream, StreamState};
pub use tail::Tails;

/// The program that is the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentProgram {
    /// The program with its directory, as [`find_program`] gives it.
    pub program: PathBuf,
    /// Arguments before all others (`agent-sim --scenario FILE` for the simulated agent).
    pub prefix: Vec<OsString>,
    /// Whether it is the simulated agent, which every report must say.
    pub simulated: bool,
}

/// Which result type a call must answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerKind {
    /// [`WriterReport`].
    Writer,
    /// [`ReviewReport`].
    Review,
    /// [`BallotReport`].
    Ballot,
    /// [`ReadinessReport`].
    Readiness,
    /// [`DraftReport`].
    Draft,
}

/// A structured answer that validates.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Of a writing step.
    Wrote(WriterReport),
    /// Of a reviewer.
    Reviewed(ReviewReport),
    /// Of a voter.
    Voted(BallotReport),
    /// Of who judged a brainstorm.
    Judged(ReadinessReport),
    /// Of who drafted a manifest.
    Drafted(Box<DraftReport>),
}

/// The conversation that a call belongs to, by an id (a UUID) that cco chose. Never two calls at once with one id: the
/// CLI has no lock and would mix their histories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// Begin it.
    New(String),
    /// Go on with it, from the same directory.
    Resume(String),
}

/// What the call may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    /// Whether it may change files below its directory; else every change is refused.
    pub writer: bool,
    /// Whether a writer is asked for nothing at all. Only the user's own settings may say so.
    pub bypass: bool,
    /// Permission rules in the CLI's own form, for example from [`allow_program`].
    pub allow: Vec<String>,
    /// Absolute directories, besides its own, that it may read.
    pub read: Vec<PathBuf>,
}

/// The rule that lets a call run `program` with any arguments.
pub fn allow_program(program: &str) -> String {
    format!("Bash({program}:*)")
}

/// A tool call that the permissions refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The call, in the form of a rule: `Bash(cargo add serde)`.
    pub call: String,
    /// The rule that would allow it, where one can: nothing allows a write outside the work directory.
    pub allow: Option<String>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// With an answer that validates; all signs of success were there.
    Answered(Answer),
    /// Without one.
    Failed {
        /// What kind of trouble.
        trouble: Trouble,
        /// One sentence for people.
        message: String,
        /// Whether the conversation exists and can be continued.
        resumable: bool,
    },
    /// cco stopped it.
    Interrupted {
        /// Whether the conversation exists and can be continued.
        resumable: bool,
    },
}

/// Everything that came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// How it ended.
    pub ending: Ending,
    /// What it cost; none when it was ended before it said so.
    pub usage: Option<Usage>,
    /// Wall time in milliseconds; 0 for an adopted one.
    pub wall_ms: u64,
    /// What the permissions refused.
    pub denials: Vec<Denial>,
    /// What else is worth a line in the log, a sentence each.
    pub notes: Vec<String>,
}

/// Where running calls report to.
pub type LiveSink = tokio::sync::mpsc::UnboundedSender<Live>;

/// What a dead run's stream holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Adopted {
    /// A complete result: it is taken, not asked for again. The exit status is unknown.
    Complete(Box<Reply>),
    /// The call had begun and was cut off.
    Interrupted {
        /// Whether the conversation exists and can be continued.
        resumable: bool,
    },
    /// The call never began, or left no stream.
    Nothing,
}
