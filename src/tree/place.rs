//! What a home for runs is opened from, and why there can be none.

use std::path::PathBuf;

use super::git::{Git, GitError};

/// What a tree is set up from.
#[derive(Debug, Clone)]
pub struct Place {
    /// The code that is worked on: a directory of one repository, or of none.
    pub work_dir: PathBuf,
    /// Where worktrees of this spec live.
    pub worktrees: PathBuf,
    /// The integration branch.
    pub branch: String,
    /// The commit that the branch began at, as the journal knows it; none on the first run.
    pub known_base: Option<String>,
    /// A git ref to begin at.
    pub base: Option<String>,
    /// Whether the last run died: a git that was killed with it leaves its locks, and nobody else frees them.
    pub after_crash: bool,
}

/// Why there is no tree to work in.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Git's own.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The work directory is missing.
    #[error("the work directory `{0}` does not exist\nhelp: create it, or correct `work_dir` in the manifest")]
    NoWorkDir(PathBuf),
    /// Worktree isolation was asked for by name, and there is no git repository.
    #[error("`{0}` is in no git repository\nhelp: run `git init` there and commit, or use isolation `shared`")]
    NoRepository(PathBuf),
    /// There is a repository, or what is left of one, and git refuses it. Never taken for none: then components would
    /// work in the user's checkout.
    #[error("git cannot work with the repository of `{dir}`: {message}\nhelp: mend it, or use isolation `shared`")]
    Unusable {
        /// The work directory.
        dir: PathBuf,
        /// What git said.
        message: String,
    },
    /// The repository has no commit to begin at.
    #[error("the repository of `{0}` has no commit yet\nhelp: make a first commit, or use isolation `shared`")]
    Unborn(PathBuf),
    /// The base does not exist.
    #[error("`{0}` names no commit\nhelp: correct `execution.base` in the manifest")]
    NoBase(String),
    /// The branch is somebody else's.
    #[error(
        "a branch `{0}` exists already and is not of this spec's runs\nhelp: set `execution.branch` to another name, or delete it"
    )]
    BranchTaken(String),
    /// Somebody works on the branch, whose files would change behind their back.
    #[error("the branch `{branch}` is checked out in `{dir}`\nhelp: switch to another branch there")]
    CheckedOut {
        /// The integration branch.
        branch: String,
        /// Where.
        dir: PathBuf,
    },
    /// The worktree's directory holds something else.
    #[error("`{0}` is in the way of the run's worktree\nhelp: move it away")]
    InTheWay(PathBuf),
    /// A directory or a file could not be read, made or removed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A path that is not one of the work tree.
    #[error("`{}` is not in the work tree", .0.display())]
    NotInside(PathBuf),
    /// Files that are to be set have changes that no commit holds, and setting them would lose these.
    #[error("`{}` has changes that are not committed\nhelp: undo or commit them first", .0.display())]
    Uncommitted(PathBuf),
    /// One file cannot be set without taking away another one.
    #[error("`{}` cannot be restored alone: a file that is not to be touched is in its place", .0.display())]
    Entangled(PathBuf),
    /// A worktree's name that is taken or no name.
    #[error("`{0}` cannot be the name of a worktree")]
    NoName(String),
    /// A repository without files.
    #[error(
        "`{0}` is in a bare repository, which has no files\nhelp: let `work_dir` be a checkout of it (`git clone`)"
    )]
    Bare(PathBuf),
    /// A git that cannot merge without a checkout.
    #[error("merging needs git 2.38 or newer, and this is {0}\nhelp: install a newer git")]
    OldGit(String),
}

pub(super) fn base_commit(git: &Git, place: &Place) -> Result<String, TreeError> {
    let wanted = place.base.as_deref().unwrap_or("HEAD");
    let commit = git.ask(&place.work_dir, &["rev-parse", "--verify", "--quiet", &format!("{wanted}^{{commit}}")])?;
    match (commit, &place.base) {
        (Some(commit), _) => Ok(commit),
        (None, Some(base)) => Err(TreeError::NoBase(base.clone())),
        // An unborn branch has no commit; of a damaged repository git says what is missing.
        (None, None) if git.ask(&place.work_dir, &["rev-parse", "--verify", "--quiet", "HEAD"])?.is_none() => {
            Err(TreeError::Unborn(place.work_dir.clone()))
        }
        (None, None) => Ok(git.run(&place.work_dir, &["log", "-1", "--format=%H", "HEAD"])?),
    }
}
