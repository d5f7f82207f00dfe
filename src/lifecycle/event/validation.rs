//! What a validation finds: verdicts with their evidence, issues, and what stands behind the result.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::Digest;
use crate::lifecycle::report::Severity;

/// The three values of every check (promise 1: what could not be checked is never a pass).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was checked and holds.
    Pass,
    /// It was checked and does not hold.
    Fail,
    /// It could not be checked.
    Unavailable,
}

/// What a check command showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub check: Arc<str>,
    /// Its verdict.
    pub verdict: Verdict,
    /// What proves it.
    pub evidence: Evidence,
    /// The failing parts, where they can be told apart; else one for the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// Why it could not be checked, or what else is worth saying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The record that proves a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was run.
    pub argv: Vec<String>,
    /// The tree it ran on; none where there is no git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// Its exit status; none when it was killed or could not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// Digest of its whole output.
    pub output: Digest,
    /// Wall time in milliseconds.
    pub ms: u64,
}

/// The change that was looked at: evidence of it holds wherever the same change is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The commit that it was compared with.
    pub base: Box<str>,
    /// The tree that it led to.
    pub tree: Box<str>,
    /// What git calls the change by its contents (`git patch-id --stable`); none where nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Box<str>>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// How much it weighs.
    pub severity: Severity,
    /// Who found it: `check:lint`, `review:1`, `tamper`, `write_set`.
    pub source: String,
    /// The file, where one can be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, where one can be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong.
    pub text: String,
    /// A way to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggested_fix: Option<String>,
    /// Equal for the same issue in two validations.
    pub fingerprint: Digest,
}

/// How far a validation reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The invariants on the untouched base, before any work.
    Baseline,
    /// One component.
    Component,
    /// All components up to and including a level.
    Level(u32),
    /// The whole.
    Final,
}

/// How a failed validation compares with the best one so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Nothing to compare with.
    First,
    /// A later stage, or fewer blocking parts: free of charge.
    Better,
    /// No nearer: counts.
    Equal,
    /// Further away: counts, and the next round starts from the best tree.
    Worse,
}

/// What stands behind a completed component or run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Every required check passed.
    Proven,
    /// Nothing was checked yet (quick mode before the final validation, or no check exists).
    Unproven,
    /// The user accepted it with open issues.
    Waived,
}
