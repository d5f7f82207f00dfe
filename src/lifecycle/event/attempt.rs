//! How one attempt ended, the trouble that kept it from ending well, and what it cost.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::is_false;
use super::validation::{Change, CheckResult, Issue};
use crate::ids::Digest;
use crate::lifecycle::report::{BallotReport, ReviewReport, WriterReport};

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// A writer answered; its work is committed.
    Wrote {
        /// What it said.
        report: Box<WriterReport>,
        /// The commit that holds its work; none without git, and none when it changed nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<Box<str>>,
        /// Digest of the component's own files as they are now: what its consumers were built on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<Digest>,
        /// What the change checks found: files that are not its own, tests that were weakened.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Issue>,
        /// The change that they were made on; none where there is no git.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<Box<Change>>,
    },
    /// A reviewer answered.
    Reviewed {
        /// What it said.
        report: Box<ReviewReport>,
        /// What cco makes of it: each finding with its weight, and with the name that it had before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        issues: Vec<Issue>,
        /// The change that it judged; none where there is no git.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<Box<Change>>,
    },
    /// A voter answered.
    Voted {
        /// What it said.
        ballot: Box<BallotReport>,
    },
    /// A check command ran, or could not.
    Checked(Box<CheckResult>),
    /// cco looked at what somebody else left in the tree.
    Compared {
        /// The commit that holds it; none when it is as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<Box<str>>,
        /// As in [`AttemptEnd::Wrote`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<Digest>,
        /// As in [`AttemptEnd::Wrote`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Issue>,
        /// As in [`AttemptEnd::Wrote`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<Box<Change>>,
    },
    /// cco brought work onto the integration branch, or a step nearer to it.
    Integrated(Box<Integration>),
    /// The agent did not answer; no fix attempt is used up by it.
    Failed {
        /// What kind of trouble.
        class: Trouble,
        /// One sentence for people.
        message: String,
        /// Whether the conversation exists and can be continued.
        #[serde(default, skip_serializing_if = "is_false")]
        resumable: bool,
    },
    /// cco stopped it, or cco itself was killed while it ran.
    Interrupted {
        /// Whether the conversation exists and can be continued.
        #[serde(default, skip_serializing_if = "is_false")]
        resumable: bool,
    },
}

/// A step of the way onto the integration branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Integration {
    /// The branch holds it.
    Landed {
        /// The one commit that it became; none where there was nothing that the branch did not hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<Box<str>>,
        /// The tree that the branch has now.
        tree: Box<str>,
        /// As in [`AttemptEnd::Wrote`], of the tree that landed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<Digest>,
    },
    /// The branch had moved: what is on it now is merged into the work, which is to be checked again.
    CaughtUp {
        /// The commit with both.
        commit: Box<str>,
    },
    /// The branch had moved, and contradicts the work.
    Conflicts {
        /// The commit with both, in which the files below hold the marks of the conflict.
        commit: Box<str>,
        /// The files, relative to the work directory.
        files: Vec<String>,
    },
}

/// Trouble by class: what is done about it depends on nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Overloaded, 5xx, connection: tried again with backoff.
    Transient,
    /// Too many requests; all agents pause.
    RateLimit {
        /// When it ends, where the server said so.
        until: Option<Timestamp>,
    },
    /// The usage window is used up; the run parks.
    UsageLimit {
        /// When it resets, where the server said so.
        until: Option<Timestamp>,
    },
    /// Not logged in, or refused.
    Authentication,
    /// No credit.
    Billing,
    /// The model does not exist or is not available.
    Model,
    /// The request itself is wrong (too long, too large, malformed).
    BadRequest,
    /// The model declined.
    Refused,
    /// No structured answer, or one that does not validate.
    NoAnswer,
    /// No first output, silence, or the wall limit.
    TimedOut,
    /// It changed what it may only read; that was undone, and what it said does not count.
    Meddled,
    /// The process ended without a result.
    Crashed,
    /// The conversation to be continued does not exist any more.
    ConversationLost,
    /// The agent could not be started.
    NotStarted,
    /// The disk was full, so its answer is lost: no fault of the agent's.
    DiskFull,
    /// A defect of cco (a schema that the CLI refuses).
    Internal,
}

impl Trouble {
    /// Whether no retry can mend it: nothing more is started until a person has seen to it.
    pub fn stops_the_run(self) -> bool {
        match self {
            Self::Authentication
            | Self::Billing
            | Self::Model
            | Self::BadRequest
            | Self::NotStarted
            | Self::DiskFull
            | Self::Internal => true,
            Self::Transient
            | Self::RateLimit { .. }
            | Self::UsageLimit { .. }
            | Self::Refused
            | Self::NoAnswer
            | Self::TimedOut
            | Self::Meddled
            | Self::Crashed
            | Self::ConversationLost => false,
        }
    }
}

/// What an attempt cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// US dollars as the agent computed them; none when it did not say (unknown is never 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Tokens sent, cached ones included.
    #[serde(default)]
    pub input_tokens: u64,
    /// Tokens received.
    #[serde(default)]
    pub output_tokens: u64,
    /// Model turns.
    #[serde(default)]
    pub turns: u32,
    /// Tool calls that the permissions refused.
    #[serde(default)]
    pub denials: u32,
}
