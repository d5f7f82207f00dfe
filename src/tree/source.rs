//! The repository that the worktrees of a run are taken from, seen from the user's checkout.

use std::path::{Path, PathBuf};

use super::git::Git;

/// The user's checkout and its repository; nothing here is ever written.
#[derive(Debug)]
pub(super) struct Source {
    /// Told which repository and work tree it works on.
    pub(super) git: Git,
    /// The top of the user's checkout.
    pub(super) top: PathBuf,
    /// Where the repository keeps what belongs to the user's checkout alone.
    pub(super) git_dir: PathBuf,
    /// Where the repository keeps what all worktrees share.
    pub(super) common: PathBuf,
    /// Where worktrees of this spec live.
    pub(super) worktrees: PathBuf,
}

/// A path without links, as far as it exists.
pub(super) fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = fs_err::canonicalize(path) {
        return path;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        (Some(_) | None, _) => path.to_owned(),
    }
}
