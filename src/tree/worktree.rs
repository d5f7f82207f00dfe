//! Setting up the run's worktree, and taking it up again: its path stays the same across runs, since a conversation is
//! bound to its directory.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::git::{Git, GitError};
use super::path::Prefix;
use super::source::Source;
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

impl Tree {
    /// The repository's top directory, if `work_dir` is in one.
    ///
    /// # Errors
    /// Git cannot be started, or refuses the repository that is there.
    pub fn repository(git: &Git, work_dir: &Path) -> Result<Option<PathBuf>, TreeError> {
        match git.run(work_dir, &["rev-parse", "--show-toplevel"]) {
            Ok(top) => Ok(Some(top.into())),
            Err(GitError::Refused { message, .. }) => {
                let none = message.contains("not a git repository")
                    && !work_dir.ancestors().any(|dir| fs_err::symlink_metadata(dir.join(".git")).is_ok());
                if none { Ok(None) } else { Err(TreeError::Unusable { dir: work_dir.to_owned(), message }) }
            }
            Err(error @ (GitError::Missing | GitError::NotStarted { .. } | GitError::Unclear { .. })) => {
                Err(error.into())
            }
        }
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
            Some(top) => Ok(Self::Worktree(Box::new(Worktree::open(git, place, &top)?))),
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
            if let Some(dir) = checked_out(&git, top, &branch_ref)?.filter(|dir| *dir != root && dir.exists()) {
                return Err(TreeError::CheckedOut { branch: place.branch.clone(), dir });
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
        let source = Source::find(&git, place, top)?;
        let git_dir = source.git_dir_of(&root)?.ok_or_else(|| TreeError::InTheWay(root.clone()))?;
        Ok(Self {
            git: git.bound(&git_dir, &root),
            dir,
            prefix: Prefix::new(prefix.as_bytes()),
            git_dir,
            root,
            branch: place.branch.clone(),
            base,
            detached: false,
            source: Arc::new(source),
            index: Arc::new(Mutex::new(())),
        })
    }
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

/// The worktree that has a branch checked out, the user's own included.
fn checked_out(git: &Git, top: &Path, branch_ref: &str) -> Result<Option<PathBuf>, GitError> {
    let list = git.run(top, &["worktree", "list", "--porcelain", "-z"])?;
    let mut worktrees = list.split("\0\0").map(|worktree| worktree.split('\0'));
    let found = worktrees.find(|lines| lines.clone().any(|line| line.strip_prefix("branch ") == Some(branch_ref)));
    Ok(found.and_then(|mut lines| lines.find_map(|line| line.strip_prefix("worktree "))).map(PathBuf::from))
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
/// Git's own, or what it says of the repository.
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
