//! What git and the disk show: gathered by the shell, judged here.

use std::collections::{BTreeMap, BTreeSet};

use super::carry::Passage;
use super::claim::Kept;
use crate::ids::{AttemptId, ComponentId, Digest, Subject};

/// What git and the disk show.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The integration branch; none where there is no git.
    pub branch: Option<Branch>,
    /// What is kept of the outputs that were asked for.
    pub logs: BTreeMap<AttemptId, Log>,
    /// What the plan of today does again, and why.
    pub stale: BTreeMap<Subject, String>,
    /// Without git: the digests of the components' own files as they are now.
    pub products: BTreeMap<ComponentId, Digest>,
    /// Why the records cannot follow each other, where they cannot.
    pub illegal: Option<String>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its tree.
    pub tree: String,
    /// Its parents.
    pub parents: Vec<String>,
}

/// The integration branch, as git shows it.
#[derive(Debug, Clone, Default)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// Its commit; none where there is no such branch.
    pub tip: Option<String>,
    /// The commits that were asked for and are there, and the tip.
    pub commits: BTreeMap<String, Known>,
    /// The commits of the branch since it began.
    pub on_branch: BTreeSet<String>,
    /// Whether what was checked is what landed, where the trees alone do not tell.
    pub carried: BTreeMap<Passage, Carry>,
    /// What differs between the last commit on record and the tip.
    pub touched: Vec<Touched>,
}

/// Whether a change that was checked is the one that landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carry {
    /// Its patch id is the same.
    Same,
    /// It is, but for these files, which a command made anew.
    SameBut(Vec<String>),
    /// It is another one.
    Other,
    /// That cannot be told, for this reason.
    Unknown(String),
}

/// A file that is not as it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The file, relative to the work directory.
    pub path: String,
    /// Whose it is.
    pub owners: Vec<ComponentId>,
}

/// The kept output of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Log {
    /// It is gone.
    Gone,
    /// Its digest.
    Is(Digest),
}

impl Facts {
    /// What the kept output of an attempt says, where it was asked for.
    pub(super) fn kept(&self, attempt: &AttemptId, recorded: Digest) -> Option<Kept> {
        Some(match self.logs.get(attempt)? {
            Log::Gone => Kept::Gone,
            Log::Is(digest) if *digest == recorded => Kept::Same,
            Log::Is(_) => Kept::Differs,
        })
    }
}
