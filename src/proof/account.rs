//! What the records tell of one subject.

use std::sync::Arc;

use super::case::Case;
use crate::ids::{AttemptId, Digest};
use crate::lifecycle::event::{Change, FoundLanding, Issue, Proof};

/// How far a subject is.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Progress {
    /// Nothing was begun.
    #[default]
    Waiting,
    /// It is worked on, or what was done does not stand any more.
    Open,
    /// A question waits for an answer.
    Asking(String),
    /// It was called complete.
    Complete(Proof),
    /// It was given up.
    Failed(String),
    /// Somebody left it out.
    Skipped,
}

/// A change that was checked for what it may touch and for weakened tests.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeSeen {
    /// The step that made it.
    pub attempt: AttemptId,
    /// The record of its end.
    pub record: u64,
    /// Which change; none where it was not recorded.
    pub change: Option<Change>,
}

/// Work that came onto the branch.
#[derive(Debug, Clone, PartialEq)]
pub struct Landing {
    /// By which attempt.
    pub attempt: AttemptId,
    /// The record of its end.
    pub record: u64,
    /// The commit that it became; none where the branch held it already.
    pub commit: Option<String>,
    /// Where the branch was.
    pub onto: String,
    /// The tree that the branch has since.
    pub tree: String,
    /// The last change check before it.
    pub change: Option<ChangeSeen>,
    /// The validation that it followed.
    pub full: Option<Arc<Case>>,
    /// The validation of what was merged on the way.
    pub merged: Option<Arc<Case>>,
}

impl Landing {
    /// One that only git tells of.
    pub(super) fn found(record: u64, landing: &FoundLanding) -> Self {
        Self {
            attempt: landing.attempt.clone(),
            record,
            commit: Some(landing.commit.to_string()),
            onto: landing.onto.to_string(),
            tree: landing.tree.to_string(),
            change: None,
            full: None,
            merged: None,
        }
    }

    /// Where the branch is since.
    pub fn at(&self) -> &str {
        self.commit.as_deref().unwrap_or(&self.onto)
    }

    /// The run of a command that counts: on what was merged, else on the work as it was.
    pub(super) fn check(&self, name: &str) -> Option<&super::case::Ran> {
        let merged = self.merged.as_ref().and_then(|case| case.check(name));
        merged.or_else(|| self.full.as_ref()?.check(name))
    }
}

/// What the records tell of one subject.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    pub progress: Progress,
    /// The validation that was opened last.
    pub open: Option<Case>,
    /// The last one that passed, of the work or of the whole.
    pub full: Option<Arc<Case>>,
    /// The last one that passed, of what was merged since.
    pub merged: Option<Arc<Case>>,
    /// The last change check since it landed.
    pub change: Option<ChangeSeen>,
    /// What the last change check found.
    pub findings: Vec<Issue>,
    /// The digest of its files after its last step.
    pub product: Option<Digest>,
    pub landings: Vec<Landing>,
    /// What the records claim and do not show: what, and why not.
    pub gaps: Vec<(String, String)>,
}

impl Account {
    /// What landed without a record and is this very change.
    pub(super) fn found_without_records(&mut self, change: &Change) -> Option<&mut Landing> {
        let is_it = |landing: &&mut Landing| {
            landing.full.is_none()
                && landing.commit.is_some()
                && *landing.onto == *change.base
                && *landing.tree == *change.tree
        };
        self.landings.iter_mut().find(is_it)
    }
}
