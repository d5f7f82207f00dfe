//! A worktree for each component: made, found again, removed. What is there whole is never removed unasked, since it can
//! hold what no commit holds.
//!
//! One is whole when its index is there: git gives the index its name when all files are written, and who removes a
//! worktree removes the index first.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::fresh::remove_all;
use super::registry::held;
use super::status::remove_if_there;
use super::{Fresh, Repository, TreeError, Worktree};
use crate::fsx;
use crate::ids::{Subject, check_name};

/// Where the worktrees of components are, beside that of the run: a component can have any name.
pub(super) const COMPONENTS: &str = "c";
/// The worktree of the run itself.
pub(super) const RUN: &str = "run";

/// What becomes of a directory that git does not know, where a worktree has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// It goes.
    Removed,
    /// It is moved away if there is anything in it.
    Aside,
}

impl Repository {
    /// The directory in which a subject works, whether it is there or not.
    pub fn dir_of(&self, on: &Subject) -> PathBuf {
        self.source.worktrees.join(name_of(on)).join(&self.within)
    }

    /// The worktree of a subject as it was left; none where there is none, or only half of one. Files that were being
    /// moved to another commit when a run died are back at the one that is checked out.
    ///
    /// # Errors
    /// Git's own.
    pub fn worktree(&self, on: &Subject) -> Result<Option<Worktree>, TreeError> {
        let name = name_of(on);
        let lock = self.registry.lock_of(&name);
        let _one = held(&lock);
        self.whole(&name)
    }

    /// The worktree of a subject, detached at `commit`: made, or, where it is there whole, positioned. What is left of
    /// one that was half made or half removed goes first; a directory that is no worktree is moved to
    /// `<worktrees>/.aside`.
    ///
    /// # Errors
    /// As [`Worktree::position`]; git's own, among it that a filter of the user's cannot be run.
    pub fn set_up(&self, on: &Subject, commit: &str) -> Result<Worktree, TreeError> {
        let name = name_of(on);
        let lock = self.registry.lock_of(&name);
        let _one = held(&lock);
        if let Some(worktree) = self.whole(&name)? {
            worktree.position_now(commit)?;
            return Ok(worktree);
        }
        self.clear(&name, Unknown::Aside)?;
        self.add(&name, commit)
    }

    /// Removes the worktree of a subject with all that is in it; nothing where there is none.
    ///
    /// # Errors
    /// That it cannot be removed; then the rest of it is no worktree any more.
    pub fn remove(&self, on: &Subject) -> Result<(), TreeError> {
        let name = name_of(on);
        let lock = self.registry.lock_of(&name);
        let _one = held(&lock);
        self.clear(&name, Unknown::Removed)
    }

    /// Makes a worktree of `commit` at `<worktrees>/<name>`, on no branch. What is there under that name, whole or half
    /// made by a run that was killed, is removed first. After a crash at any point this can be called again.
    ///
    /// # Errors
    /// [`TreeError::NoName`]; git's own, among it that there is no such commit; that what is there cannot be removed.
    pub fn fresh(&self, name: &str, commit: &str) -> Result<Fresh, TreeError> {
        let name = free_name(name)?;
        let lock = self.registry.lock_of(name);
        let _one = held(&lock);
        let tree = self.tree_of(commit)?;
        self.clear(name, Unknown::Removed)?;
        Ok(Fresh { dir: self.add(name, commit)?.dir, tree })
    }

    /// Removes the worktree of that name with all that is in it; nothing where there is none.
    ///
    /// # Errors
    /// [`TreeError::NoName`], or that it cannot be removed.
    pub fn discard_fresh(&self, name: &str) -> Result<(), TreeError> {
        let name = free_name(name)?;
        let lock = self.registry.lock_of(name);
        let _one = held(&lock);
        self.clear(name, Unknown::Removed)
    }

    /// The worktree of that name if it is whole; the caller holds its lock.
    fn whole(&self, name: &Path) -> Result<Option<Worktree>, TreeError> {
        let Some((root, git_dir)) = self.found_whole(name) else { return Ok(None) };
        if self.registry.linked(&root).as_deref() != Some(&*git_dir) {
            relink(&root, &git_dir)?;
        }
        let worktree = self.bind(name, &root, &git_dir);
        worktree.put_back_what_was_moving()?;
        fs_err::create_dir_all(&worktree.dir)?;
        Ok(Some(worktree))
    }

    /// Where a worktree is and where the repository keeps what belongs to it, if all of it is there.
    pub(super) fn found_whole(&self, name: &Path) -> Option<(PathBuf, PathBuf)> {
        let (root, git_dir) = (self.source.worktrees.join(name), self.registry.git_dir(name)?);
        let is_dir = fs_err::symlink_metadata(&root).is_ok_and(|about| about.is_dir());
        // A power loss can leave an empty one.
        let has_index = fs_err::metadata(git_dir.join("index")).is_ok_and(|about| about.len() > 0);
        (is_dir && has_index).then_some((root, git_dir))
    }

    pub(super) fn bind(&self, name: &Path, root: &Path, git_dir: &Path) -> Worktree {
        Worktree {
            git: self.git.bound(git_dir, root),
            // No further component, not even an empty one: a conversation is bound to how its directory is written.
            dir: if self.within.as_os_str().is_empty() { root.to_owned() } else { root.join(&self.within) },
            root: root.to_owned(),
            prefix: self.prefix.clone(),
            git_dir: git_dir.to_owned(),
            spec: self.spec.clone(),
            base: self.base.clone(),
            source: self.source.clone(),
            index: self.registry.lock_of(name),
        }
    }

    /// Makes a worktree where there is nothing; the caller holds its lock.
    fn add(&self, name: &Path, commit: &str) -> Result<Worktree, TreeError> {
        let root = self.source.worktrees.join(name);
        if let Some(above) = root.parent() {
            fs_err::create_dir_all(above)?;
        }
        // Force: one that was registered behind our back and whose directory is gone.
        let options = ["worktree", "add", "--force", "--quiet", "--detach", "--no-checkout"].map(OsStr::new);
        let what = [root.as_os_str(), commit.as_ref()];
        let git_dir = {
            let _alone = held(&self.registry.changing);
            self.registry.begin_change(&self.registry.free_git_dir(&root))?;
            self.source.git.run(&self.source.top, &[&options[..], &what[..]].concat())?;
            let git_dir = self.registry.learn(name, &root)?;
            self.registry.end_change()?;
            git_dir
        };
        let worktree = self.bind(name, &root, &git_dir);
        // By itself, since this takes long and others need not wait for it.
        if let Err(error) = worktree.fill() {
            // What cannot be removed now is found half made the next time.
            let _ = self.clear(name, Unknown::Removed);
            return Err(error);
        }
        fs_err::create_dir_all(&worktree.dir)?;
        Ok(worktree)
    }

    /// Leaves nothing where a worktree has to be; the caller holds its lock.
    fn clear(&self, name: &Path, unknown: Unknown) -> Result<(), TreeError> {
        let root = self.source.worktrees.join(name);
        let Some(git_dir) = self.registry.git_dir(name) else {
            if unknown == Unknown::Aside && holds_something(&root)? {
                return self.move_away(name, &root);
            }
            return Ok(remove_all(&root)?);
        };
        remove_if_there(&git_dir.join("index"))?;
        // Then the files: without them git forgets the rest by itself one day, while files that it does not know stay
        // for ever.
        remove_all(&root)?;
        let _alone = held(&self.registry.changing);
        self.registry.begin_change(&git_dir)?;
        remove_all(&git_dir)?;
        self.registry.forget(name);
        self.registry.end_change()?;
        Ok(())
    }

    fn move_away(&self, name: &Path, root: &Path) -> Result<(), TreeError> {
        let aside = self.source.worktrees.join(".aside");
        fsx::create_dir_private(&aside)?;
        let stem = name.file_name().unwrap_or_default();
        let place = super::undo::numbered(&aside, stem, OsStr::new(""))
            .find(|place| fs_err::symlink_metadata(place).is_err())
            .ok_or_else(|| TreeError::InTheWay(root.to_owned()))?;
        fsx::rename(root, &place)?;
        tracing::warn!("`{}` is no worktree of the repository; moved to `{}`", root.display(), place.display());
        Ok(())
    }
}

/// Where a subject's worktree is, below the directory that holds those of its spec.
pub fn worktree_of(worktrees: &Path, on: &Subject) -> PathBuf {
    worktrees.join(name_of(on))
}

/// A worktree's name, below the directory that holds them.
pub(super) fn name_of(on: &Subject) -> PathBuf {
    match on {
        Subject::Run => PathBuf::from(RUN),
        Subject::Component(id) => [COMPONENTS, id.as_str()].iter().collect(),
    }
}

/// A name that belongs to no subject.
fn free_name(name: &str) -> Result<&Path, TreeError> {
    // Some file systems do not tell `C` from `c`.
    let taken = [COMPONENTS, RUN].iter().any(|taken| name.eq_ignore_ascii_case(taken));
    if taken || check_name(name).is_err() {
        return Err(TreeError::NoName(name.to_owned()));
    }
    Ok(Path::new(name))
}

/// Whether there is more at `root` than what git writes first.
pub(super) fn holds_something(root: &Path) -> std::io::Result<bool> {
    match fs_err::symlink_metadata(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
        Ok(about) if !about.is_dir() => return Ok(true),
        Ok(_) => {}
    }
    for entry in fs_err::read_dir(root)? {
        let entry = entry?;
        if entry.file_name() != ".git" || entry.file_type()?.is_dir() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Mends a worktree's link to the repository, which somebody changed: without it git finds no repository there, or
/// another one. What is no file is left alone; this program never follows the link.
fn relink(root: &Path, git_dir: &Path) -> std::io::Result<()> {
    let link = root.join(".git");
    if fs_err::symlink_metadata(&link).is_ok_and(|about| about.is_dir()) {
        return Ok(());
    }
    let text = [b"gitdir: ", super::status::bytes_of(git_dir), b"\n"].concat();
    fsx::write_whole(&link, &text)
}
