//! The repository of a run: its integration branch, which is checked out nowhere, and the commits that are kept.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkout::Fingerprint;
use super::git::{Git, GitError};
use super::locks::{release, release_in};
use super::path::Prefix;
use super::peek::repository_top;
use super::place::base_commit;
use super::refs::{self, Kept};
use super::registry::Registry;
use super::source::Source;
use super::{Place, TreeError};

/// A repository in which components work, each in a detached worktree of its own.
///
/// The integration branch is checked out nowhere, so that moving it changes nobody's files; it moves only from where it
/// was believed to be.
#[derive(Debug)]
pub struct Repository {
    /// As it was given; [`Source::git`] is told which repository is meant.
    pub(super) git: Git,
    pub(super) source: Arc<Source>,
    pub(super) registry: Registry,
    /// How the work directory is reached from the top of a work tree.
    pub(super) within: PathBuf,
    pub(super) prefix: Prefix,
    pub(super) spec: String,
    pub(super) branch: String,
    pub(super) base: String,
}

impl Repository {
    /// Finds the repository of `place`, and its integration branch; makes the branch at the base if there is none.
    /// `spec` is what the spec's refs are kept under (`project/name-hash`).
    ///
    /// After a crash locks are freed that a killed git left. A worktree of an older run that has the branch checked out
    /// is detached where it is, with all files as they are.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub fn open(git: Git, place: &Place, spec: &str) -> Result<Self, TreeError> {
        let found = find_in(&git, place)?;
        let base = match &place.known_base {
            Some(base) => base.clone(),
            None => base_commit(&git, place)?,
        };
        fs_err::create_dir_all(&place.worktrees)?;
        let repository = Self::of(git, place, spec, found, base)?;
        let tip = repository.known_tip()?;
        if place.known_base.is_none() && tip.as_ref().is_some_and(|tip| *tip != repository.base) {
            return Err(TreeError::BranchTaken(place.branch.clone()));
        }
        if place.after_crash {
            repository.release_locks()?;
        }
        match tip {
            Some(tip) => repository.check_out_nowhere(&tip)?,
            None => repository.begin_branch()?,
        }
        Ok(repository)
    }

    /// As [`Repository::open`], to look at what is there: nothing is made, freed or moved, and neither the branch nor a
    /// worktree need be there. The base is what the journal knows, else empty.
    ///
    /// # Errors
    /// See [`TreeError`].
    pub fn look(git: Git, place: &Place, spec: &str) -> Result<Self, TreeError> {
        let found = find_in(&git, place)?;
        let base = place.known_base.clone().unwrap_or_default();
        Self::of(git, place, spec, found, base)
    }

    fn of(git: Git, place: &Place, spec: &str, found: Found, base: String) -> Result<Self, TreeError> {
        let Found { top, git_dir, common, within } = found;
        Ok(Self {
            registry: Registry::read(&common, &place.worktrees)?,
            source: Arc::new(Source {
                git: git.bound(&git_dir, &top),
                top,
                git_dir,
                common,
                worktrees: place.worktrees.clone(),
            }),
            git,
            prefix: Prefix::new(super::status::bytes_of(&within)),
            within,
            spec: spec.to_owned(),
            branch: place.branch.clone(),
            base,
        })
    }

    /// The integration branch, without `refs/heads/`.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// The commit that the integration branch began at.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The commit of the integration branch.
    ///
    /// # Errors
    /// Git's own; among it that the branch is gone.
    pub fn tip(&self) -> Result<String, TreeError> {
        self.run(&["rev-parse", "--verify", &format!("{}^{{commit}}", self.branch_ref())])
    }

    /// The tree of a commit.
    ///
    /// # Errors
    /// Git's own; among it that there is no such commit.
    pub fn tree_of(&self, commit: &str) -> Result<String, TreeError> {
        self.run(&["rev-parse", "--verify", "--end-of-options", &format!("{commit}^{{tree}}")])
    }

    /// Whether `old` is in the history of `new`, or the same.
    ///
    /// # Errors
    /// Git's own; among it that there is no such commit.
    pub fn is_ancestor(&self, old: &str, new: &str) -> Result<bool, TreeError> {
        Ok(self.source.git.answer(&self.source.top, &["merge-base", "--is-ancestor", old, new])?.0)
    }

    /// The best common ancestor of two commits; none where they have none.
    ///
    /// # Errors
    /// Git's own; among it that there is no such commit.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, TreeError> {
        let (found, said) = self.source.git.answer(&self.source.top, &["merge-base", one, other])?;
        Ok(found.then(|| String::from_utf8_lossy(&said).trim_end().to_owned()))
    }

    /// What the user's checkout is like now. Costs one `git status` there, which writes nothing.
    ///
    /// # Errors
    /// Git's own.
    pub fn main_checkout(&self) -> Result<Fingerprint, TreeError> {
        self.source.fingerprint()
    }

    /// Keeps a commit as `refs/cco/<spec>/<name>`, durably; what had that name before is no longer kept by it.
    ///
    /// # Errors
    /// Git's own: no such commit, or the name is none for a ref.
    pub fn keep(&self, name: &str, commit: &str) -> Result<(), TreeError> {
        self.run(&["update-ref", "--no-deref", &self.kept_ref(name), commit]).map(drop)
    }

    /// What is kept for the spec, by name.
    ///
    /// # Errors
    /// Git's own.
    pub fn kept(&self) -> Result<Vec<Kept>, TreeError> {
        Ok(refs::kept(&self.source.git, &self.source.top, &self.spec)?)
    }

    /// Keeps a commit no longer; nothing where none is kept under that name.
    ///
    /// # Errors
    /// Git's own.
    pub fn forget(&self, name: &str) -> Result<(), TreeError> {
        self.run(&["update-ref", "--no-deref", "-d", &self.kept_ref(name)]).map(drop)
    }

    pub(super) fn run(&self, args: &[&str]) -> Result<String, TreeError> {
        Ok(self.source.git.run(&self.source.top, args)?)
    }

    pub(super) fn branch_ref(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    /// The commit of the integration branch; none where there is no such branch.
    ///
    /// # Errors
    /// Git's own.
    pub fn known_tip(&self) -> Result<Option<String>, TreeError> {
        let args = ["rev-parse", "--verify", "--quiet", &format!("{}^{{commit}}", self.branch_ref())];
        Ok(self.source.git.ask(&self.source.top, &args)?)
    }

    fn kept_ref(&self, name: &str) -> String {
        format!("refs/cco/{}/{name}", self.spec)
    }

    fn begin_branch(&self) -> Result<(), TreeError> {
        // The empty text: only if there is none.
        self.run(&["update-ref", "--no-deref", "-m", "cco: begin", &self.branch_ref(), &self.base, ""]).map(drop)
    }

    /// Detaches our own worktrees from the branch; of somebody else's it is an error.
    fn check_out_nowhere(&self, tip: &str) -> Result<(), TreeError> {
        let branch = self.branch_ref();
        let list = self.source.git.bytes(&self.source.top, &["worktree", "list", "--porcelain", "-z"], &[])?;
        for dir in checked_out(&list, branch.as_bytes()) {
            if !self.registry.holds(&dir) {
                if dir.exists() {
                    return Err(TreeError::CheckedOut { branch: self.branch.clone(), dir });
                }
                continue;
            }
            for git_dir in self.registry.all().into_values() {
                let git = self.git.bound(&git_dir, &dir);
                if git.ask(&self.source.top, &["symbolic-ref", "--quiet", "HEAD"])?.as_ref() == Some(&branch) {
                    git.run(&self.source.top, &["update-ref", "--no-deref", "-m", "cco: detach", "HEAD", tip])?;
                }
            }
        }
        Ok(())
    }

    fn release_locks(&self) -> Result<(), TreeError> {
        self.registry.sweep()?;
        let common = &self.source.common;
        release(&common.join(format!("{}.lock", self.branch_ref())))?;
        release_in(&common.join("refs/cco").join(&self.spec), true)?;
        for git_dir in self.registry.all().into_values() {
            release_in(&git_dir, false)?;
        }
        Ok(())
    }
}

/// Where the repository of a work directory is.
struct Found {
    top: PathBuf,
    git_dir: PathBuf,
    common: PathBuf,
    within: PathBuf,
}

fn find_in(git: &Git, place: &Place) -> Result<Found, TreeError> {
    if !place.work_dir.is_dir() {
        return Err(TreeError::NoWorkDir(place.work_dir.clone()));
    }
    find(git, &place.work_dir)
}

fn find(git: &Git, work_dir: &Path) -> Result<Found, TreeError> {
    let questions = ["--show-toplevel", "--absolute-git-dir", "--git-common-dir", "--show-prefix"];
    let ask = |what: &[&str]| {
        let said = git.bytes(work_dir, &[&["rev-parse", "--path-format=absolute"], what].concat(), &[])?;
        Ok::<_, GitError>(said.strip_suffix(b"\n").unwrap_or(&said).to_vec())
    };
    let said = match ask(&questions) {
        Ok(said) => said,
        Err(error) => return Err(no_repository(git, work_dir, error)),
    };
    let mut answers: Vec<_> = said.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if answers.len() != questions.len() {
        // Line ends in a path: each by itself, then.
        answers = questions.iter().map(|question| ask(&[question])).collect::<Result<_, _>>()?;
    }
    let mut paths = answers.into_iter().map(|path| PathBuf::from(OsString::from_vec(path)));
    let mut next = || paths.next().unwrap_or_default();
    Ok(Found { top: next(), git_dir: next(), common: next(), within: next().components().collect() })
}

/// Why there is none to work with.
fn no_repository(git: &Git, work_dir: &Path, error: GitError) -> TreeError {
    match git.ask(work_dir, &["rev-parse", "--is-bare-repository"]) {
        Ok(Some(bare)) if bare == "true" => return TreeError::Bare(work_dir.to_owned()),
        Ok(_) | Err(_) => {}
    }
    match repository_top(git, work_dir) {
        Ok(None) => TreeError::NoRepository(work_dir.to_owned()),
        Ok(Some(_)) => error.into(),
        Err(error) => error,
    }
}

/// The worktrees that have a branch checked out, as git lists them.
pub(super) fn checked_out(list: &[u8], branch: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dir = &b""[..];
    for line in list.split(|byte| *byte == 0) {
        if let Some(path) = line.strip_prefix(b"worktree ") {
            dir = path;
        } else if line.strip_prefix(b"branch ") == Some(branch) {
            found.push(PathBuf::from(OsString::from_vec(dir.to_vec())));
        }
    }
    found
}
