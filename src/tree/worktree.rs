//! Setting up the run's worktree, and taking it up again: its path stays the same across runs, since a conversation is
//! bound to its directory.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::git::{Git, GitError};
use super::{Tree, Worktree};

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
    /// The worktree's directory holds something else.
    #[error("`{0}` is in the way of the run's worktree\nhelp: move it away")]
    InTheWay(PathBuf),
    /// A directory could not be made.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Tree {
    /// The repository's top directory, if `work_dir` is in one.
    ///
    /// # Errors
    /// Git cannot be started.
    pub fn repository(git: &Git, work_dir: &Path) -> Result<Option<PathBuf>, GitError> {
        Ok(git.ask(work_dir, &["rev-parse", "--show-toplevel"])?.filter(|top| !top.is_empty()).map(PathBuf::from))
    }

    /// The tree to work in, set up or taken up again. `wanted`: worktree (`Some(true)`), shared (`Some(false)`), or as
    /// the directory allows.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub fn open(git: Git, place: &Place, wanted: Option<bool>) -> Result<Self, TreeError> {
        if !place.work_dir.is_dir() {
            return Err(TreeError::NoWorkDir(place.work_dir.clone()));
        }
        if wanted == Some(false) {
            return Ok(Self::Shared(place.work_dir.clone()));
        }
        match Self::repository(&git, &place.work_dir)? {
            Some(top) => Worktree::open(git, place, &top).map(Self::Worktree),
            None if wanted == Some(true) => Err(TreeError::NoRepository(place.work_dir.clone())),
            None => Ok(Self::Shared(place.work_dir.clone())),
        }
    }

    /// What the user has not committed and what therefore is not part of the run, as `git status` names it.
    ///
    /// # Errors
    /// Git's own.
    pub fn uncommitted(git: &Git, work_dir: &Path) -> Result<Vec<String>, GitError> {
        let text = git.run(work_dir, &["status", "--porcelain", "--untracked-files=normal"])?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

impl Worktree {
    fn open(git: Git, place: &Place, top: &Path) -> Result<Self, TreeError> {
        let root = place.worktrees.join("run");
        let base = match &place.known_base {
            Some(base) => base.clone(),
            None => base_commit(&git, place)?,
        };
        let branch_ref = format!("refs/heads/{}", place.branch);
        let tip = git.ask(top, &["rev-parse", "--verify", "--quiet", &format!("{branch_ref}^{{commit}}")])?;
        if tip.is_some() && place.known_base.is_none() && tip.as_ref() != Some(&base) {
            return Err(TreeError::BranchTaken(place.branch.clone()));
        }
        if is_worktree_of(&git, &root, &branch_ref)? {
            if place.after_crash {
                release_locks(&git, &root, &branch_ref)?;
            }
            if place.known_base.is_none() {
                // No run got as far as its first record: all that can be there is a checkout that was cut short, which
                // would look like a tree whose files were deleted.
                git.run(&root, &["reset", "--quiet", "--hard"])?;
                git.ask(&root, &["worktree", "unlock", "."])?;
            }
        } else {
            if root.exists() && fs_err::read_dir(&root)?.next().is_some() {
                return Err(TreeError::InTheWay(root));
            }
            fs_err::create_dir_all(&place.worktrees)?;
            let dir = root.as_os_str();
            // A worktree whose directory is gone is still registered until it is forced away.
            let mut args: Vec<&std::ffi::OsStr> = ["worktree", "add", "--force", "--quiet"].map(AsRef::as_ref).to_vec();
            if tip.is_some() {
                args.extend([dir, place.branch.as_ref()]);
            } else {
                args.extend(["-b".as_ref(), place.branch.as_ref(), dir, base.as_ref()]);
            }
            git.run(top, &args)?;
        }
        let prefix = git.run(&place.work_dir, &["rev-parse", "--show-prefix"])?;
        let prefix = prefix.trim_end_matches('/');
        let dir = if prefix.is_empty() { root.clone() } else { root.join(prefix) };
        fs_err::create_dir_all(&dir)?;
        Ok(Self { git, dir, root, branch: place.branch.clone(), base, index: Mutex::new(()) })
    }
}

fn base_commit(git: &Git, place: &Place) -> Result<String, TreeError> {
    let wanted = place.base.as_deref().unwrap_or("HEAD");
    let commit = git.ask(&place.work_dir, &["rev-parse", "--verify", "--quiet", &format!("{wanted}^{{commit}}")])?;
    commit.ok_or_else(|| match &place.base {
        Some(base) => TreeError::NoBase(base.clone()),
        None => TreeError::Unborn(place.work_dir.clone()),
    })
}

/// Whether a directory is the worktree that has the branch checked out.
fn is_worktree_of(git: &Git, root: &Path, branch_ref: &str) -> Result<bool, GitError> {
    if !root.join(".git").is_file() {
        return Ok(false);
    }
    Ok(git.ask(root, &["symbolic-ref", "--quiet", "HEAD"])?.as_deref() == Some(branch_ref))
}

/// Removes the locks of a git that was killed while it worked in the run's worktree or on its branch. Nobody may be
/// working there: the spec's lock is held and strays are ended.
fn release_locks(git: &Git, root: &Path, branch_ref: &str) -> Result<(), TreeError> {
    let branch_lock = format!("{branch_ref}.lock");
    let mut args = vec!["rev-parse", "--path-format=absolute"];
    for lock in ["index.lock", "HEAD.lock", &branch_lock] {
        args.extend(["--git-path", lock]);
    }
    for lock in git.run(root, &args)?.lines() {
        match fs_err::remove_file(lock) {
            Ok(()) => tracing::info!("removed `{lock}`, which a dead run left"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Puts the integration branch aside as `refs/cco/<spec>/history/<name>` and removes the worktree: nothing is deleted.
///
/// # Errors
/// Git's own.
pub fn set_branch_aside(git: &Git, place: &Place, spec: &str, name: &str) -> Result<(), TreeError> {
    let Some(top) = Tree::repository(git, &place.work_dir)? else { return Ok(()) };
    let root = place.worktrees.join("run");
    let branch_ref = format!("refs/heads/{}", place.branch);
    let kept = format!("refs/cco/{spec}/history/{name}");
    if is_worktree_of(git, &root, &branch_ref)? {
        if place.after_crash {
            release_locks(git, &root, &branch_ref)?;
        }
        git.run(&root, &["add", "-A", "--", ":/"])?;
        if git.ask(&root, &["diff", "--cached", "--quiet"])?.is_none() {
            let identity = ["-c", "user.name=cco", "-c", "user.email=cco@localhost"];
            let commit =
                ["commit", "--quiet", "--no-verify", "-m", "Keep what was not committed when the run was set aside"];
            git.run(&root, &[&identity[..], &commit[..]].concat())?;
        }
    }
    if let Some(tip) = git.ask(&top, &["rev-parse", "--verify", "--quiet", &branch_ref])? {
        git.run(&top, &["update-ref", &kept, &tip])?;
    }
    if root.join(".git").is_file() {
        git.run(&top, &["worktree".as_ref(), "remove".as_ref(), "--force".as_ref(), root.as_os_str()])?;
    }
    if git.ask(&top, &["rev-parse", "--verify", "--quiet", &branch_ref])?.is_some() {
        git.run(&top, &["update-ref", "-d", &branch_ref])?;
    }
    Ok(())
}
