//! Making files what they were.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::look::{LINK, unless_gone};
use super::objects::Objects;
use super::snapshot::{Difference, Entry, Snapshot};
use crate::fsx;

/// Files that cannot be made what they were, since what they held was not kept.
pub type Left = Vec<PathBuf>;

/// Makes the files that are `now` in `dir` what they were `then`. What is a directory by now where a file was, stays.
///
/// # Errors
/// The disk's own.
pub fn going_back(dir: &Path, objects: &Objects, now: &Snapshot, then: &Snapshot) -> io::Result<Left> {
    let mut left = Left::new();
    // What goes first may be where a directory has to be.
    let (gone, changed): (Vec<Difference>, Vec<Difference>) =
        now.differences(then).into_iter().partition(|it| it.new.is_none());
    for it in gone {
        unless_gone(fs_err::remove_file(dir.join(&it.path)))?;
    }
    for it in changed {
        let Some(entry) = it.new else { continue };
        let path = dir.join(&it.path);
        let contents = objects.contents(&entry)?;
        let is_directory = fs_err::symlink_metadata(&path).is_ok_and(|about| about.is_dir());
        match contents {
            Some(contents) if !is_directory => put(&path, &entry, &contents)?,
            Some(_) | None => left.push(it.path),
        }
    }
    Ok(left)
}

fn put(path: &Path, entry: &Entry, contents: &[u8]) -> io::Result<()> {
    /// The bits by which a file can be run.
    const RUN: u32 = 0o111;
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    let was = unless_gone(fs_err::symlink_metadata(path))?;
    if entry.mode == LINK {
        unless_gone(fs_err::remove_file(path))?;
        return fs_err::os::unix::fs::symlink(Path::new(OsStr::from_bytes(contents)), path);
    }
    fsx::write_whole(path, contents)?;
    let about = fs_err::metadata(path)?;
    let mode =
        was.filter(std::fs::Metadata::is_file).map_or(about.permissions().mode(), |was| was.permissions().mode());
    let mode = if entry.mode & RUN == 0 { mode & !RUN } else { mode | (mode >> 2 & RUN) };
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
