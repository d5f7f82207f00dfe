//! What git tells of work whose records were lost.

use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, Digest, Subject};

/// What git tells of a spec's work: where it is, not how good it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// The last commit of the integration branch that cco put there; where it began, before the first one.
    pub branch: Box<str>,
    /// The work, by whose it is.
    pub work: Vec<FoundWork>,
}

/// What git tells of the work of one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundWork {
    /// Whose it is.
    pub on: Subject,
    /// The digest of what it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Digest>,
    /// The last attempt of each step that a commit tells of: no later one gets the same number.
    pub attempts: Vec<AttemptId>,
    /// What of it the integration branch holds, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub landed: Vec<FoundLanding>,
    /// What of it the branch does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<FoundTip>,
}

/// A commit by which work came onto the integration branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundLanding {
    /// The attempt that brought it there.
    pub attempt: AttemptId,
    /// The commit.
    pub commit: Box<str>,
    /// The one before it.
    pub onto: Box<str>,
    /// Its tree.
    pub tree: Box<str>,
    /// The files whose conflicts were resolved in it: these it may have changed, whosever they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
}

/// Work that the integration branch does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundTip {
    /// Its first commit.
    pub first: Box<str>,
    /// The last one.
    pub last: Box<str>,
    /// The first one of its implementation; none while there is only a skeleton.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implemented: Option<Box<str>>,
}
