//! What is recorded of a formalization: past tense, self-contained, additive, as the journal of runs is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::report::ReadinessReport;
use crate::diagnostic::{Diagnostic, Severity};
use crate::ids::{AttemptId, Digest};
use crate::lifecycle::event::{Pause, Trouble, Usage};

/// The version of the record format. Older ones are always read; a newer one is refused by name.
pub const FORMAT: u32 = 1;

/// One settlement: everything that follows from one outcome, durable as a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it was settled (UTC).
    pub at: Timestamp,
    /// What became true, in order.
    pub events: Vec<Event>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A `cco formalize` began to work.
    Begun(Box<Begun>),
    /// An agent is started, once this is durable.
    AttemptStarted {
        /// Which attempt.
        attempt: AttemptId,
        /// The conversation.
        session: Box<str>,
        /// Whether the conversation existed before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resumed: bool,
    },
    /// An agent's call is over.
    AttemptEnded {
        /// Which attempt.
        attempt: AttemptId,
        /// How.
        end: End,
        /// Wall time in milliseconds.
        ms: u64,
        /// What it cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
    },
    /// The step is tried again at that time.
    RetryScheduled {
        /// When.
        at: Timestamp,
    },
    /// No agent is started before `until`.
    Paused {
        /// When agents may start again.
        until: Timestamp,
        /// Why.
        why: Pause,
    },
    /// The agent cannot be made to answer.
    GaveUp {
        /// Why.
        why: String,
    },
    /// The manifest is in place.
    Written(Box<Written>),
    /// No draft was valid; the last one is kept.
    DraftKept {
        /// Its file, relative to the spec directory.
        path: String,
    },
    /// Something worth knowing.
    Noted {
        /// A sentence.
        text: String,
    },
    /// A `cco formalize` ended and said so.
    Ended {
        /// How.
        over: Over,
    },
}

/// How a `cco formalize` began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// Digest of what is formalized: the brainstorm, SPEC.md, what the spec has settled.
    pub input: Digest,
    /// Whether readiness is judged first.
    pub gate: bool,
    /// The agent, as it was named.
    pub agent: String,
    /// What it says of its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// Whether it is the simulated one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// What all of it may cost, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<f64>,
    /// Whether a used-up usage window ends it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_wait: bool,
}

/// How one call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The brainstorm was judged.
    Judged {
        /// What was said.
        report: ReadinessReport,
        /// What cco makes of it.
        ready: bool,
    },
    /// A manifest was drafted, and checked.
    Drafted(Box<Draft>),
    /// The agent did not answer.
    Failed {
        /// What kind of trouble.
        class: Trouble,
        /// One sentence for people.
        message: String,
        /// Whether the conversation exists and can be continued.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resumable: bool,
    },
    /// cco stopped it, or cco itself was killed while it ran.
    Interrupted {
        /// Whether the conversation exists and can be continued.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        resumable: bool,
    },
}

/// A draft that was received; its texts are in files of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// How the work was cut, in the agent's words.
    pub summary: String,
    /// What it took for granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<String>,
    /// How many components it has.
    pub components: u32,
    /// Digest of the manifest that it makes.
    pub manifest: Digest,
    /// Whether nothing is wrong with it but what can be lived with.
    pub valid: bool,
    /// What was found, errors first; of very many the first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Draft {
    /// How many errors are recorded.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.severity == Weight::Error).count()
    }
}

/// One diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its stable code.
    pub code: String,
    /// How bad it is.
    pub severity: Weight,
    /// What is wrong.
    pub message: String,
    /// JSON pointer of the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// It must be mended.
    Error,
    /// It can be lived with.
    Warning,
    /// Worth knowing.
    Note,
}

impl From<&Diagnostic> for Problem {
    fn from(diagnostic: &Diagnostic) -> Self {
        /// The longest text that is recorded of one, in bytes: it may quote the whole draft.
        const LONGEST: usize = 1_000;
        let short = |text: &str| text[..text.floor_char_boundary(LONGEST)].to_owned();
        Self {
            code: diagnostic.code.to_owned(),
            severity: match diagnostic.severity {
                Severity::Error => Weight::Error,
                Severity::Warning => Weight::Warning,
                Severity::Note => Weight::Note,
            },
            message: short(&diagnostic.message),
            path: diagnostic.path.as_deref().map(short),
            help: diagnostic.help.iter().map(|help| short(help)).collect(),
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Digest of the manifest that the draft makes, also where it was fitted to what the user settled meanwhile.
    pub manifest: Digest,
    /// The context files, relative to the spec directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<String>,
    /// Copies of what was there before, relative to the spec directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
}

/// How a `cco formalize` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// The manifest is in place.
    Done,
    /// The brainstorm is not ready.
    NotReady,
    /// No draft was valid.
    Invalid,
    /// The agent could not be made to answer.
    GaveUp,
    /// The budget is used up.
    Budget,
    /// The usage limit is reached and `--no-wait` was given.
    UsageLimit,
    /// The environment is not as needed (login, model, billing).
    Environment,
    /// The user stopped it.
    Interrupted,
}
