//! What agents answer: the result schemas, one type a role. Strict in what we record, so every field is named and typed.
//!
//! The schemas are derived from these types; `agent::schema` strips what the CLI does not accept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a writing step ended, in the agent's own words. `done` is a claim: only checks make it a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// The work is finished as far as the agent can tell.
    #[default]
    Done,
    /// The agent cannot go on without an answer; its questions are in `questions`.
    Blocked,
    /// No change is needed; the reason is in `summary`.
    NothingToDo,
    /// The work needs files outside its write set; they are in `needs_files`.
    NeedsFiles,
}

/// The result of a writing step (skeleton, implement, revise, fix, resolve).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriterReport {
    /// How the step ended.
    pub status: Claim,
    /// What was done and why, in a few sentences.
    pub summary: String,
    /// Facts learned about the code base that others should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discoveries: Vec<String>,
    /// Decisions taken, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<String>,
    /// What hinders or will hinder the work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<String>,
    /// Interfaces that other components may rely on: names, signatures, formats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<String>,
    /// Notes for the next agent that works on this component.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// With status `blocked`: the questions to the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<String>,
    /// With status `needs_files`: the files, relative to the work directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs_files: Vec<String>,
    /// In a fix step: issues of reviewers that are mistaken and were left as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disputes: Vec<Dispute>,
}

/// An issue that the one who should mend it takes for mistaken; another reviewer decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// The issue's id.
    pub issue: String,
    /// Why it is mistaken.
    pub reason: String,
}

/// How much an issue weighs. `critical` and `major` block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth mending, blocks nothing (in `full` mode it blocks once).
    Minor,
    /// Wrong; blocks.
    Major,
    /// Dangerous; blocks.
    Critical,
}

impl Severity {
    /// Whether an issue of this weight keeps a component from completing.
    pub fn blocks(self) -> bool {
        self >= Self::Major
    }
}

/// One finding of a reviewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewIssue {
    /// How much it weighs.
    pub severity: Severity,
    /// The file, relative to the work directory.
    pub file: String,
    /// The line in the changed file, where one can be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong.
    pub text: String,
    /// How it fails: an input, a state, a requirement that is not met.
    pub how_it_fails: String,
    /// The requirement that is not met, in its own words, where no line can be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// A way to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggested_fix: Option<String>,
    /// The id of an earlier issue that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
}

/// The result of a review. The verdict is computed from the issues, never taken from the reviewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewReport {
    /// What was looked at and how.
    pub summary: String,
    /// The findings; empty when there are none.
    pub issues: Vec<ReviewIssue>,
}

/// One ballot of a gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BallotReport {
    /// The option chosen, spelled as offered.
    pub vote: String,
    /// How sure, from 0 to 1: the weight of the vote.
    pub confidence: f64,
    /// Why.
    pub reasoning: String,
}
