//! Where the components of a run work: all in one directory, or each in a worktree of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::git::Git;
use super::set_up::COMPONENTS;
use super::{Place, Repository, TreeError, Worktree};
use crate::fsx;
use crate::ids::{ComponentId, Subject};

/// The note in a worktree's own part of the repository that says that it is set up.
const READY: &str = "cco-ready";

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

impl Worktree {
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

    /// The files that differ between two commits, relative to the work directory.
    ///
    /// # Errors
    /// Git's own; among it that something is no commit.
    pub fn differing(&self, old: &str, new: &str) -> Result<BTreeSet<PathBuf>, TreeError> {
        let differences = self.differences(&self.commit_id(old)?, &self.commit_id(new)?)?;
        Ok(differences.iter().map(|it| self.prefix.relative(&it.path)).collect())
    }

    /// Makes files what a commit holds, without committing that; one that the commit has not goes.
    ///
    /// # Errors
    /// Git's own; among it that there is no such commit.
    pub fn take_from(&self, commit: &str, files: &[PathBuf]) -> Result<(), TreeError> {
        let _one = self.lock();
        let (head, wanted) = (self.head()?, self.commit_id(commit)?);
        let own = self.own_index()?;
        let graft = self
            .graft(&head, &self.tree_of(super::State::Of(&wanted))?, &|path| files.iter().any(|file| file == path))?;
        self.set_files(&own, &graft)
    }
}

impl Repository {
    /// Those for whom there is the directory of a worktree, whatever is in it.
    pub fn subjects(&self) -> Vec<Subject> {
        let entries = fs_err::read_dir(self.source.worktrees.join(COMPONENTS)).into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| ComponentId::new(entry.file_name().to_str()?).ok());
        ids.map(Subject::Component).collect()
    }

    /// Whether work of a subject ever landed on the integration branch.
    ///
    /// # Errors
    /// Git's own.
    pub fn holds_work_of(&self, on: &Subject) -> Result<bool, TreeError> {
        let holds = format!("--grep=^Cco-Component: {}$", on.as_str().replace('.', "\\."));
        let range = format!("{}..{}", self.base(), self.branch_ref());
        Ok(!self.run(&["log", "-1", "--basic-regexp", "--format=%H", &holds, &range])?.is_empty())
    }

    /// Moves the integration branch from one commit to another, which need not follow it.
    ///
    /// # Errors
    /// Git's own; among it that the branch is not at `from`.
    pub fn reset_branch(&self, from: &str, to: &str) -> Result<(), TreeError> {
        self.run(&["update-ref", "--no-deref", "-m", "cco: take back", &self.branch_ref(), to, from]).map(drop)
    }
}
