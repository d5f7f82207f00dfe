//! A run of cco: the settings in force for it, how it ended, and why it waits.

use serde::{Deserialize, Serialize};

use super::is_false;
use crate::ids::{ComponentId, Digest};

/// The settings in force for one `cco run`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Counted from 1.
    pub run: u32,
    /// Digest of the whole plan.
    pub plan: Digest,
    /// quick, standard or full.
    pub mode: String,
    /// How many agents at once.
    pub jobs: u32,
    /// The agent's command as it was found.
    pub agent: String,
    /// The agent's version line, when it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// Whether the agent is the simulated one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub simulated: bool,
    /// The mark that every process of this run carries in `CCO_RUN`.
    pub mark: String,
    /// Where components work.
    pub tree: TreeInfo,
    /// Only these components, when `--only` was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<ComponentId>,
}

/// Where components work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TreeInfo {
    /// The work directory itself.
    Shared {
        /// Its path.
        dir: String,
    },
    /// One git worktree for all, on the integration branch: runs of cco before each component had its own.
    Worktree {
        /// Its path.
        dir: String,
        /// The branch.
        branch: String,
        /// The commit it began at.
        base: String,
    },
    /// A git worktree for each component; what is done goes onto the integration branch.
    Worktrees {
        /// The directory that holds them.
        dir: String,
        /// The branch.
        branch: String,
        /// The commit it began at.
        base: String,
    },
}

impl TreeInfo {
    /// The integration branch and the commit it began at; none in the work directory itself.
    pub fn branch(&self) -> Option<(&str, &str)> {
        match self {
            Self::Shared { .. } => None,
            Self::Worktree { branch, base, .. } | Self::Worktrees { branch, base, .. } => Some((branch, base)),
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// Everything is complete.
    Done,
    /// Something failed, or was left out, or is not proven.
    Incomplete,
    /// A question waits for the user.
    NeedsAnswer,
    /// The budget is used up.
    Budget,
    /// The usage limit is reached and `--no-wait` was given.
    UsageLimit,
    /// The environment is not as needed (login, model, billing).
    Environment,
    /// The user stopped it.
    Interrupted,
    /// `--fail-fast` met a failure.
    FailFast,
}

/// Why agents wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// The server limits the rate.
    RateLimit,
    /// A usage window is used up.
    UsageLimit,
}
