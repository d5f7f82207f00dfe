//! What of a spec is left beside the integration branch, who left it, and taking it away.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::fresh::remove_all;
use super::refs::Kept;
use super::set_up::{COMPONENTS, RUN, holds_something, name_of};
use super::standing::Owner;
use super::{Repository, TreeError};
use crate::ids::check_name;

/// The links in the directory of a spec's worktrees that say whose they are: to the spec, and to what it works on.
const SPEC: &str = ".spec";
const WORK_DIR: &str = ".work_dir";

/// Whose worktrees a directory holds, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signed {
    /// The directory of the spec.
    pub spec: Option<PathBuf>,
    /// The code that it works on.
    pub work_dir: Option<PathBuf>,
}

/// Writes into the directory of a spec's worktrees whose they are, so that they can be told for leftovers when the spec
/// is gone.
///
/// # Errors
/// The links cannot be made.
pub fn sign(worktrees: &Path, spec: &Path, work_dir: &Path) -> std::io::Result<()> {
    for (name, target) in [(SPEC, spec), (WORK_DIR, work_dir)] {
        let link = worktrees.join(name);
        if fs_err::read_link(&link).is_ok_and(|there| there == target) {
            continue;
        }
        remove_all(&link)?;
        fs_err::os::unix::fs::symlink(target, &link)?;
    }
    Ok(())
}

/// Reads whose worktrees a directory holds.
pub fn signed(worktrees: &Path) -> Signed {
    let read = |name: &str| fs_err::read_link(worktrees.join(name)).ok();
    Signed { spec: read(SPEC), work_dir: read(WORK_DIR) }
}

/// What is in the directory of a spec's worktrees and is none of them: what was set aside there, and what somebody put
/// there.
pub fn beside(worktrees: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (below, ours) in [("", &[SPEC, WORK_DIR, COMPONENTS, RUN][..]), (COMPONENTS, &[][..])] {
        // A directory that is not there holds nothing.
        for entry in fs_err::read_dir(worktrees.join(below)).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let known = name.to_str().is_some_and(|name| ours.contains(&name) || check_name(name).is_ok());
            if !known {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

/// Removes something that [`beside`] found, with all that is in it.
///
/// # Errors
/// It cannot be removed.
pub fn remove_beside(path: &Path) -> std::io::Result<()> {
    remove_all(path)
}

/// Removes the directory of a spec's worktrees, and its project's, where nothing is left in them; tells whether it did.
pub fn remove_if_empty(worktrees: &Path) -> bool {
    let _ = fs_err::remove_dir(worktrees.join(COMPONENTS));
    let entries = fs_err::read_dir(worktrees).into_iter().flatten().flatten();
    if entries.into_iter().any(|entry| ![OsStr::new(SPEC), OsStr::new(WORK_DIR)].contains(&&*entry.file_name())) {
        return false;
    }
    for name in [SPEC, WORK_DIR] {
        let _ = fs_err::remove_file(worktrees.join(name));
    }
    let removed = fs_err::remove_dir(worktrees).is_ok();
    // Others may have theirs beside it; then it stays.
    let _ = worktrees.parent().map(fs_err::remove_dir);
    removed
}

/// What a directory takes on disk, in bytes. What cannot be read counts as nothing; links are not followed.
pub fn size_on_disk(path: &Path) -> u64 {
    const BLOCK: u64 = 512;
    let mut open = vec![path.to_owned()];
    let mut bytes = 0;
    while let Some(path) = open.pop() {
        let Ok(about) = fs_err::symlink_metadata(&path) else { continue };
        bytes += about.blocks() * BLOCK;
        if about.is_dir() {
            open.extend(fs_err::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
    bytes
}

impl Repository {
    /// Whether anything but the worktree that has it checked out leads to a commit: a branch, a tag, a commit that is
    /// kept.
    ///
    /// # Errors
    /// Git's own; among it that there is no such commit.
    pub fn is_held(&self, commit: &str) -> Result<bool, TreeError> {
        Ok(!self.run(&["for-each-ref", "--count=1", "--format=%(refname)", "--contains", commit])?.is_empty())
    }

    /// Whether the directory of an owner may hold what git knows nothing of: there is something in it, and it is no
    /// worktree of the repository. (One that the repository knows and that is not whole was half made or half removed:
    /// nobody's work is in it.)
    ///
    /// # Errors
    /// It cannot be read.
    pub fn is_strange(&self, owner: &Owner) -> Result<bool, TreeError> {
        let name = match owner {
            Owner::Subject(on) => name_of(on),
            Owner::Fresh(name) => PathBuf::from(name),
        };
        Ok(self.registry.git_dir(&name).is_none() && holds_something(&self.source.worktrees.join(name))?)
    }

    /// Removes the worktree of an owner with all that is in it; nothing where there is none.
    ///
    /// # Errors
    /// That it cannot be removed.
    pub fn clear_out(&self, owner: &Owner) -> Result<(), TreeError> {
        match owner {
            Owner::Subject(on) => self.remove(on),
            Owner::Fresh(name) => self.discard_fresh(name),
        }
    }

    /// Keeps these commits no longer: all of them, or none where one is not what it was any more.
    ///
    /// # Errors
    /// Git's own.
    pub fn forget_all(&self, kept: &[Kept]) -> Result<(), TreeError> {
        if kept.is_empty() {
            return Ok(());
        }
        let line = |it: &Kept| format!("delete refs/cco/{}/{}\0{}\0", self.spec, it.name, it.commit).into_bytes();
        let input: Vec<u8> = kept.iter().flat_map(line).collect();
        self.source.git.bytes(&self.source.top, &["update-ref", "--no-deref", "--stdin", "-z"], &input)?;
        Ok(())
    }

    /// Removes the integration branch, which must be at `tip`.
    ///
    /// # Errors
    /// Git's own; among it that the branch is somewhere else.
    pub fn remove_branch(&self, tip: &str) -> Result<(), TreeError> {
        self.run(&["update-ref", "--no-deref", "-d", &self.branch_ref(), tip]).map(drop)
    }
}
