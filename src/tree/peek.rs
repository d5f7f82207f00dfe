//! Where a branch is, told without a process: a run that has nothing to do must not cost one.

use std::path::{Path, PathBuf};

use super::git::Git;

/// Whether a branch is there, and somewhere else than at `commit`. Git is asked only where its own file of the branch does
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
