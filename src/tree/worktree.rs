//! The worktree of one subject: detached, with an index that one caller at a time writes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::TreeError;
use super::git::{Git, GitError};
use super::path::Prefix;
use super::source::Source;
use crate::fsx;

/// The note in a worktree's own part of the repository that says that it is set up.
const READY: &str = "cco-ready";

/// A worktree on a commit by itself: no branch is checked out in it.
///
/// Paths in its methods are relative to [`Worktree::dir`]; what lies outside of it has a path that begins with `..`. They
/// are bytes as the file system has them, never patterns.
#[derive(Debug)]
pub struct Worktree {
    /// Told which repository and work tree it works on, so that nothing that an agent wrote is taken for one.
    pub(super) git: Git,
    pub(super) root: PathBuf,
    pub(super) dir: PathBuf,
    /// How `dir` is reached from `root`.
    pub(super) prefix: Prefix,
    /// Where the repository keeps what belongs to this worktree alone.
    pub(super) git_dir: PathBuf,
    /// What the spec's refs are kept under.
    pub(super) spec: String,
    /// The commit that the integration branch began at.
    pub(super) base: String,
    pub(super) source: Arc<Source>,
    /// Git's index takes one writer at a time, whoever else has this worktree open.
    pub(super) index: Arc<Mutex<()>>,
}

impl Worktree {
    /// Lets one caller at a time write to git's index.
    pub(super) fn lock(&self) -> MutexGuard<'_, ()> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory in which agents and checks work.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// Git's own.
    pub fn head(&self) -> Result<String, GitError> {
        self.git.run(&self.root, &["rev-parse", "--verify", "HEAD^{commit}"])
    }

    /// The id of the committed tree.
    ///
    /// # Errors
    /// Git's own.
    pub fn tree(&self) -> Result<String, GitError> {
        self.git.run(&self.root, &["rev-parse", "--verify", "HEAD^{tree}"])
    }

    /// Whether it was set up to its end. In one that was not nobody has worked.
    pub fn is_ready(&self) -> bool {
        self.git_dir.join(READY).exists()
    }

    /// Notes that it is set up.
    ///
    /// # Errors
    /// The note cannot be written.
    pub fn mark_ready(&self) -> Result<(), TreeError> {
        Ok(fsx::write_whole(&self.git_dir.join(READY), b"")?)
    }

    /// The id of the commit that a revision names.
    pub(super) fn commit_id(&self, revision: &str) -> Result<String, GitError> {
        self.git.run(&self.root, &["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{commit}}")])
    }
}
