//! The repository that the run's worktree was taken from, seen from the user's checkout.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::TreeError;
use super::git::Git;
use super::worktree::Place;

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

impl Source {
    pub(super) fn find(git: &Git, place: &Place, top: &Path) -> Result<Self, TreeError> {
        let ask = |what: &str| git.run(top, &["rev-parse", "--path-format=absolute", what]).map(PathBuf::from);
        let (git_dir, common) = (ask("--absolute-git-dir")?, ask("--git-common-dir")?);
        Ok(Self {
            git: git.bound(&git_dir, top),
            top: top.to_owned(),
            git_dir,
            common,
            worktrees: place.worktrees.clone(),
        })
    }

    /// What the repository keeps for the worktree at `root`, found from the repository's side: what the worktree itself
    /// says of it can be an agent's.
    pub(super) fn git_dir_of(&self, root: &Path) -> Result<Option<PathBuf>, TreeError> {
        let wanted = resolved(root);
        let entries = match fs_err::read_dir(self.common.join("worktrees")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let git_dir = entry?.path();
            // One that is being made, or was left half made, does not say yet where it is.
            let Ok(mut link) = fs_err::read(git_dir.join("gitdir")) else { continue };
            link.truncate(link.trim_ascii_end().len());
            let link = git_dir.join(OsString::from_vec(link));
            if link
                .parent()
                .map(resolved)
                .is_some_and(|dir| dir.as_os_str().as_bytes() == wanted.as_os_str().as_bytes())
            {
                return Ok(Some(git_dir));
            }
        }
        Ok(None)
    }
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
