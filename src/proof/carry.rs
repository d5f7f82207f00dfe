//! Evidence of a change holds wherever the same change is made: whether what was checked is what landed.

use super::facts::{Branch, Carry};
use crate::lifecycle::event::Change;

/// A change that was checked, and the way between two commits that it is to be the same as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passage {
    /// The commit that the change was compared with.
    pub base: String,
    /// The tree that it led to.
    pub tree: String,
    /// Its patch id.
    pub patch: Option<String>,
    /// The commit before.
    pub from: String,
    /// The commit after.
    pub to: String,
}

impl Passage {
    pub(super) fn new(change: &Change, from: &str, to: &str) -> Self {
        Self {
            base: change.base.to_string(),
            tree: change.tree.to_string(),
            patch: change.patch.as_deref().map(str::to_owned),
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    /// Whether the trees say already that it is the same.
    pub(super) fn is_direct(&self, tree: &str) -> bool {
        self.base == self.from && self.tree == tree
    }
}

/// Whether a checked change is the one between `from` and `to`, whose tree is `tree`.
pub(super) fn carried(branch: &Branch, change: &Change, from: &str, to: &str, tree: &str) -> Carry {
    let passage = Passage::new(change, from, to);
    if passage.is_direct(tree) {
        return Carry::Same;
    }
    let unknown = || Carry::Unknown("what git says of it was not asked".to_owned());
    branch.carried.get(&passage).cloned().unwrap_or_else(unknown)
}
