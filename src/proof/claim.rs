//! What is claimed of a component or of the whole, and how far it holds.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::case::Ran;
use crate::ids::{AttemptId, Digest, Subject};
use crate::lifecycle::event::{Change, Issue};

/// How far a claim holds. The order is that of weight: of several the last one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Evidence is on record, and it is bound to what is there.
    Proven,
    /// A person took it as it is.
    Waived,
    /// Something is missing.
    Unproven,
    /// What is recorded and what is there contradict each other.
    Contradicted,
}

impl Standing {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Waived => "waived",
            Self::Unproven => "unproven",
            Self::Contradicted => "contradicted",
        }
    }
}

/// What a person took as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiver {
    /// The question that it answered.
    pub question: String,
    /// Whose.
    pub on: Subject,
    /// Who.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// The record that says so.
    pub record: u64,
    /// What.
    pub issues: Vec<Issue>,
}

/// What the kept output of a command says today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// It is what was recorded.
    Same,
    /// It is not there any more.
    Gone,
    /// It is something else.
    Differs,
}

/// One record that a claim rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Which attempt.
    pub attempt: AttemptId,
    /// The number of the record that holds its end.
    pub record: u64,
    /// The tree that it was made on; none where there is no git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// Of a change: the commit that it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Of a change: its patch id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// Of a command: its exit status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// Of a command: the digest of its output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Digest>,
    /// Of a command: what is kept of its output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Kept>,
}

impl Basis {
    pub(super) fn command(ran: &Ran, log: Option<Kept>) -> Self {
        Self {
            attempt: ran.attempt.clone(),
            record: ran.record,
            tree: ran.evidence.tree.clone(),
            base: None,
            patch: None,
            exit: ran.evidence.exit,
            output: Some(ran.evidence.output),
            log,
        }
    }

    pub(super) fn change(attempt: &AttemptId, record: u64, change: Option<&Change>) -> Self {
        Self {
            attempt: attempt.clone(),
            record,
            tree: change.map(|change| change.tree.to_string()),
            base: change.map(|change| change.base.to_string()),
            patch: change.and_then(|change| change.patch.as_deref().map(str::to_owned)),
            exit: None,
            output: None,
            log: None,
        }
    }
}

/// One thing that has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// What: `check:lint`, `review:0`, `change`, `gate:test_adequacy`, `landed`, `branch`.
    pub what: String,
    /// How far it holds.
    pub standing: Standing,
    /// Why not, or what else is worth saying; empty where there is nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// The records that it rests on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub basis: Vec<Basis>,
}

impl Claim {
    /// One that holds.
    pub(super) fn proven(what: impl Into<String>) -> Self {
        Self { what: what.into(), standing: Standing::Proven, why: Vec::new(), basis: Vec::new() }
    }

    /// One that does not, or only with a reservation.
    pub(super) fn not(what: impl Into<String>, standing: Standing, why: impl Into<String>) -> Self {
        Self { what: what.into(), standing, why: vec![why.into()], basis: Vec::new() }
    }

    pub(super) fn resting_on(mut self, basis: Basis) -> Self {
        self.basis.push(basis);
        self
    }

    /// Makes it no better than `standing`, and says why.
    pub(super) fn lower(&mut self, standing: Standing, why: impl Into<String>) {
        let why = why.into();
        // What weighs less is not why it stands as it does.
        if standing > self.standing {
            self.why.clear();
        }
        if standing >= self.standing && !self.why.contains(&why) {
            self.why.push(why);
        }
        self.standing = self.standing.max(standing);
    }
}

/// A component, or the whole, with all that is claimed of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Whose.
    pub on: Subject,
    /// How far all of it holds.
    pub standing: Standing,
    /// The commit that holds its work on the branch.
    pub landed: Option<String>,
    /// What has to hold.
    pub claims: Vec<Claim>,
    /// What a person took as it is.
    pub waivers: Vec<Waiver>,
}

impl Item {
    pub(super) fn new(on: Subject, landed: Option<String>, claims: Vec<Claim>, waivers: Vec<Waiver>) -> Self {
        let least = if waivers.is_empty() { Standing::Proven } else { Standing::Waived };
        let mut item = Self { on, standing: least, landed, claims: Vec::new(), waivers };
        claims.into_iter().for_each(|claim| item.add(claim));
        item
    }

    /// Adds something that has to hold too.
    pub fn add(&mut self, claim: Claim) {
        self.standing = self.standing.max(claim.standing);
        self.claims.push(claim);
    }

    /// Lowers the claim of a name, or adds one that stands as low.
    pub fn lower(&mut self, what: &str, standing: Standing, why: String) {
        match self.claims.iter_mut().find(|claim| claim.what == what) {
            Some(claim) => claim.lower(standing, why),
            None => self.claims.push(Claim::not(what, standing, why)),
        }
        self.standing = self.standing.max(standing);
    }
}
