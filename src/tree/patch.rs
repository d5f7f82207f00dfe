//! Changes as text, and what tells whether two of them are the same.

use std::path::Path;

use super::restore::State;
use super::{TreeError, Worktree};

/// How a patch is made everywhere: the same for everybody, and by git alone.
pub(super) const DIFF: [&str; 14] = [
    "diff",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--full-index",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--unified=3",
    "--inter-hunk-context=0",
    "--diff-algorithm=default",
    "--indent-heuristic",
    "--submodule=short",
    "--ignore-submodules=dirty",
];

/// A change as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffText {
    /// A unified diff; of binary files only that they differ.
    pub text: String,
    /// How many files differ, also those that the text does not reach.
    pub files: usize,
    /// Whether this is all of it.
    pub whole: bool,
}

impl Worktree {
    /// What differs between two commits in the files that `wanted` accepts, as text of at most `limit` bytes, whole
    /// lines. Bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// Git's own.
    pub fn diff_text(
        &self,
        base: &str,
        tip: &str,
        wanted: &dyn Fn(&Path) -> bool,
        limit: u64,
    ) -> Result<DiffText, TreeError> {
        let _one = self.lock();
        let (base, tree, files) = self.narrowed(base, tip, wanted)?;
        let (mut bytes, whole) = self.git.first(&self.root, &[&DIFF[..], &[&base, &tree]].concat(), &[], limit)?;
        if !whole {
            bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        }
        Ok(DiffText { text: String::from_utf8_lossy(&bytes).into_owned(), files, whole })
    }

    /// The patch id (`git patch-id --stable`) of what differs between two commits in the files that `wanted` accepts:
    /// the same wherever the same change is made. None where nothing differs.
    ///
    /// Git leaves line numbers and white space out of it.
    ///
    /// # Errors
    /// Git's own.
    pub fn patch_id(&self, base: &str, tip: &str, wanted: &dyn Fn(&Path) -> bool) -> Result<Option<String>, TreeError> {
        let _one = self.lock();
        let (base, tree, files) = self.narrowed(base, tip, wanted)?;
        if files == 0 {
            return Ok(None);
        }
        let diff = self.git.bytes(&self.root, &[&DIFF[..], &[&base, &tree]].concat(), &[])?;
        let said = self.git.bytes(&self.root, &["patch-id", "--stable"], &diff)?;
        Ok(String::from_utf8_lossy(&said).split_whitespace().next().map(str::to_owned))
    }

    /// A commit, the tree that has only the wanted changes up to another one, and how many these are.
    fn narrowed(
        &self,
        base: &str,
        tip: &str,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> Result<(String, String, usize), TreeError> {
        let base = self.commit_id(base)?;
        let graft = self.graft(&base, &self.tree_of(State::Of(tip))?, wanted)?;
        Ok((base, graft.tree, graft.differences.len()))
    }
}
