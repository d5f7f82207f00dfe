//! A look at a work directory that opens nothing in it.

use std::path::{Path, PathBuf};

use super::TreeError;
use super::git::{Git, GitError};

/// The repository's top directory, if `work_dir` is in one.
///
/// # Errors
/// Git cannot be started, or refuses the repository that is there.
pub(super) fn repository_top(git: &Git, work_dir: &Path) -> Result<Option<PathBuf>, TreeError> {
    match git.run(work_dir, &["rev-parse", "--show-toplevel"]) {
        Ok(top) => Ok(Some(top.into())),
        Err(GitError::Refused { message, .. }) => {
            let none = message.contains("not a git repository")
                && !work_dir.ancestors().any(|dir| fs_err::symlink_metadata(dir.join(".git")).is_ok());
            if none { Ok(None) } else { Err(TreeError::Unusable { dir: work_dir.to_owned(), message }) }
        }
        Err(error @ (GitError::Missing | GitError::NotStarted { .. } | GitError::Unclear { .. })) => Err(error.into()),
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

/// Whether a branch is there, and somewhere else than at `commit`. A run that has nothing to do must not cost a process: git is asked only where its own file of the branch does
/// not say that it is at `commit`.
pub fn is_elsewhere(git: &Git, work_dir: &Path, branch: &str, commit: &str) -> bool {
    if loose(work_dir, branch).is_some_and(|tip| tip == commit) {
        return false;
    }
    let name = format!("refs/heads/{branch}^{{commit}}");
    let tip = git.ask(work_dir, &["rev-parse", "--verify", "--quiet", &name]);
    matches!(tip, Ok(Some(tip)) if tip != commit)
}

/// What the branch's own file says; none where there is none (packed, or gone).
fn loose(work_dir: &Path, branch: &str) -> Option<String> {
    let link = work_dir.ancestors().map(|dir| dir.join(".git")).find(|path| fs_err::symlink_metadata(path).is_ok())?;
    let git_dir = if link.is_dir() { link } else { link.parent()?.join(named(&link, "gitdir: ")?) };
    let common = named(&git_dir.join("commondir"), "").map_or_else(|| git_dir.clone(), |common| git_dir.join(common));
    let tip = fs_err::read_to_string(common.join("refs/heads").join(branch)).ok()?;
    Some(tip.trim_end().to_owned())
}

/// The path that a file of git's names behind `before`.
fn named(file: &Path, before: &str) -> Option<PathBuf> {
    let text = fs_err::read_to_string(file).ok()?;
    Some(PathBuf::from(text.strip_prefix(before)?.trim_end_matches('\n')))
}
