//! A question to the user, and the answer.

use serde::{Deserialize, Serialize};

use super::validation::Issue;
use crate::ids::{Digest, Subject};

/// A question to the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// `q1`, `q2`, …
    pub id: String,
    /// Who waits.
    pub on: Subject,
    /// The question.
    pub question: String,
    /// Why it could not be settled without a person.
    pub cause: Cause,
    /// Options of the question's own (for `--option`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The open issues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// What was tried, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
}

/// Why an escalation happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The fix budget is used up.
    FixBudget,
    /// A check stays UNAVAILABLE.
    NotCheckable,
    /// The agent asked.
    AgentBlocked,
    /// The agent cannot be made to answer.
    AgentTrouble,
    /// The agent wants files that are not its own.
    NeedsFiles,
    /// A vote chose it, or came to nothing.
    Vote,
    /// An invariant is red before any work was done.
    RedBase,
}

/// An answer to an escalation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's id.
    pub id: String,
    /// What to do.
    pub verb: Verb,
    /// The user's words, for the next prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidance: Option<String>,
    /// With `accept`: fingerprints waived; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Digest>,
    /// With `option`: the option chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
}

/// The verbs of `cco answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// A new fix budget from the best tree.
    Retry,
    /// Go on with the issues waived.
    Accept,
    /// Validate the tree as the user left it, without an agent.
    Recheck,
    /// Leave it and its dependents out.
    Skip,
    /// One of the question's own options.
    Option,
    /// End the run.
    Abort,
}
