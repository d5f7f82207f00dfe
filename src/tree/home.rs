//! Where the components of a run work: all in one directory, or each in a worktree of its own.

use std::path::{Path, PathBuf};

use super::git::Git;
use super::{Place, Repository, TreeError};

/// Where the components of a run work.
#[derive(Debug)]
pub enum Home {
    /// In the work directory itself; nothing is committed.
    Shared(PathBuf),
    /// In a worktree each; what is done goes onto the integration branch.
    Repository(Box<Repository>),
}

impl Home {
    /// The home of a spec's runs: the repository of its work directory, or that directory itself where all share it.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub fn open(git: Git, place: &Place, spec: &str, shared: bool) -> Result<Self, TreeError> {
        if !shared {
            return Ok(Self::Repository(Box::new(Repository::open(git, place, spec)?)));
        }
        if !place.work_dir.is_dir() {
            return Err(TreeError::NoWorkDir(place.work_dir.clone()));
        }
        Ok(Self::Shared(place.work_dir.clone()))
    }

    /// Whether components share the work directory, as it was asked for by name, or since there is no repository.
    pub fn is_shared(work_dir: &Path, worktrees: Option<bool>) -> bool {
        let there = |path: PathBuf| fs_err::symlink_metadata(path).is_ok();
        // A bare one is none to share a directory in; it is refused when it is opened.
        let repository =
            |dir: &Path| there(dir.join(".git")) || ["HEAD", "objects", "refs"].iter().all(|it| there(dir.join(it)));
        !worktrees.unwrap_or_else(|| work_dir.ancestors().any(repository))
    }

    /// The directory that all share; none where each has its own.
    pub fn shared(&self) -> Option<&Path> {
        match self {
            Self::Shared(dir) => Some(dir),
            Self::Repository(_) => None,
        }
    }

    /// The repository; none where all share a directory.
    pub fn repository(&self) -> Option<&Repository> {
        match self {
            Self::Shared(_) => None,
            Self::Repository(repository) => Some(repository),
        }
    }
}
