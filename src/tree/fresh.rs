//! Worktrees in which nobody worked: for what has to be proven from the commit alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Repository, TreeError, Worktree};
use crate::ids::check_name;

/// A detached worktree, just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// The work directory within it.
    pub dir: PathBuf,
    /// The id of the committed tree that is in it.
    pub tree: String,
}

impl Worktree {
    /// Makes a worktree of `commit` at `<worktrees>/<name>`, on no branch. What is there under that name, whole or half
    /// made by a run that was killed, is removed first. After a crash at any point this can be called again.
    ///
    /// # Errors
    /// [`TreeError::NoName`]; git's own, among it that there is no such commit; that what is there cannot be removed.
    pub fn fresh(&self, name: &str, commit: &str) -> Result<Fresh, TreeError> {
        let _one = self.lock();
        let commit = self.commit_id(commit)?;
        let root = self.remove_fresh(name)?;
        let tree = self.git.run(&self.root, &["rev-parse", "--verify", &format!("{commit}^{{tree}}")])?;
        let options = ["worktree", "add", "--force", "--quiet", "--detach"].map(AsRef::as_ref);
        let what = [root.as_os_str(), commit.as_ref()];
        self.source.git.run(&self.source.top, &[&options[..], &what[..]].concat())?;
        let dir = match self.dir.strip_prefix(&self.root) {
            Ok(within) if !within.as_os_str().is_empty() => root.join(within),
            Ok(_) | Err(_) => root,
        };
        fs_err::create_dir_all(&dir)?;
        Ok(Fresh { dir, tree })
    }

    /// Removes the worktree of that name with all that is in it; nothing where there is none.
    ///
    /// # Errors
    /// [`TreeError::NoName`], or that it cannot be removed.
    pub fn discard_fresh(&self, name: &str) -> Result<(), TreeError> {
        let _one = self.lock();
        self.remove_fresh(name).map(drop)
    }

    /// Where a worktree of that name belongs, with nothing there.
    fn remove_fresh(&self, name: &str) -> Result<PathBuf, TreeError> {
        let root = self.source.worktrees.join(name);
        if check_name(name).is_err() || root == self.root {
            return Err(TreeError::NoName(name.to_owned()));
        }
        // By hand, since git refuses one that it finds damaged or locked; and not by `prune`, which would also forget
        // the user's own worktrees whose disks are not there now. The files first: without them git forgets the rest by
        // itself one day, while files that it does not know stay for ever.
        let git_dir = self.source.git_dir_of(&root)?;
        remove_all(&root)?;
        if let Some(git_dir) = git_dir {
            remove_all(&git_dir)?;
        }
        Ok(root)
    }
}

impl Repository {
    /// The work directory within the worktree of that name, as it was left; none where it is not there, or not whole.
    pub fn fresh_dir(&self, name: &str) -> Option<PathBuf> {
        let name = Path::new(name);
        let (root, git_dir) = self.found_whole(name)?;
        Some(self.bind(name, &root, &git_dir).dir)
    }
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
