//! Where the work of a subject is on its way onto the integration branch.

use super::event::{FoundLanding, Proof, Scope};

/// Work on its way onto the integration branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What stands behind it.
    pub proof: Proof,
    /// The validation that it follows.
    pub scope: Scope,
    /// The files in which it contradicts the branch, until these are resolved.
    pub conflicts: Vec<String>,
    /// All conflicts that it met on the way.
    pub met: Vec<Met>,
}

/// A conflict with the integration branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// The merge that holds its marks, or what a command made of that.
    pub commit: Box<str>,
    /// The files, relative to the work directory.
    pub files: Vec<String>,
}

/// Work that was found without its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// What of it the branch holds and is to be compared, in its order.
    pub landed: Vec<FoundLanding>,
    /// What of that was found wanting: it is compared again once somebody mended it.
    pub wanting: Vec<FoundLanding>,
    /// Whether there is more that the branch does not hold.
    pub beyond: bool,
}

/// Where a subject's work is that the integration branch does not hold yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commits {
    /// The first commit of its implementation; none while there is only a skeleton.
    pub implemented: Option<Box<str>>,
    /// The first commit of all.
    pub first: Box<str>,
    /// The last one.
    pub last: Box<str>,
}
