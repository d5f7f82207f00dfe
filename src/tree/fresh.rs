//! Worktrees in which nobody worked: for what has to be proven from the commit alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A detached worktree, just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// The work directory within it.
    pub dir: PathBuf,
    /// The id of the committed tree that is in it.
    pub tree: String,
}

/// Removes whatever is at `path`, also where directories in it may not be written (caches of modules are like that).
/// Links are not followed.
pub(super) fn remove_all(path: &Path) -> std::io::Result<()> {
    let about = match fs_err::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        about => about?,
    };
    if !about.is_dir() {
        return fs_err::remove_file(path);
    }
    match fs_err::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            open_up(path)?;
            fs_err::remove_dir_all(path)
        }
        removed => removed,
    }
}

fn open_up(dir: &Path) -> std::io::Result<()> {
    fs_err::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    for entry in fs_err::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}
