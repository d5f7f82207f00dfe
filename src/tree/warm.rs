//! Giving a new worktree what another one has built already: directories that git ignores.

use std::collections::BTreeMap;
use std::fs::{FileTimes, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use super::TreeError;
use super::status::remove_if_there;

/// The name of a file that is being copied. In a directory that git ignores it is in nobody's way.
const COPYING: &str = ".cco-warm";

/// Copies directories (or files) from one work directory into another, with modes, times and links; gives how many files
/// were copied. Where the file system can, a copy shares its blocks with the original until one of them is written.
///
/// What is there already stays, and one that is missing in `from` is left out. Each file is there whole or not at all,
/// so that another call completes what was cut short.
///
/// # Errors
/// [`TreeError::NotInside`] for a path that leads out of the work directory, in either of them through a link too; that
/// something cannot be read or written.
pub fn warm(from: &Path, to: &Path, dirs: &[PathBuf]) -> Result<u64, TreeError> {
    let mut copy = Copy::default();
    for dir in dirs {
        let mut above = PathBuf::new();
        let last = dir.components().count().saturating_sub(1);
        for (at, component) in dir.components().enumerate() {
            match component {
                Component::Normal(name) => above.push(name),
                Component::CurDir => continue,
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(TreeError::NotInside(dir.clone()));
                }
            }
            let leads_out = |root: &Path| is_link(&root.join(&above));
            if (at < last && leads_out(from)) || leads_out(to) {
                return Err(TreeError::NotInside(dir.clone()));
            }
        }
        let (source, target) = (from.join(&above), to.join(&above));
        if above.as_os_str().is_empty() || fs_err::symlink_metadata(&source).is_err() {
            continue;
        }
        if let Some(parent) = target.parent() {
            fs_err::create_dir_all(parent)?;
        }
        copy.tree(&source, &target)?;
    }
    Ok(copy.files)
}

#[derive(Default)]
struct Copy {
    files: u64,
    /// Where files with several names were copied to, by device and number.
    linked: BTreeMap<(u64, u64), PathBuf>,
}

impl Copy {
    fn tree(&mut self, from: &Path, to: &Path) -> std::io::Result<()> {
        // Their modes and times come last: a directory may be one in which nothing may be written.
        let mut dirs = Vec::new();
        let mut open = vec![(from.to_owned(), to.to_owned())];
        while let Some((from, to)) = open.pop() {
            let about = fs_err::symlink_metadata(&from)?;
            let there = fs_err::symlink_metadata(&to).ok();
            if !about.is_dir() {
                if there.is_none() {
                    self.file(&from, &to, &about)?;
                }
                continue;
            }
            match there {
                None => {
                    fs_err::create_dir(&to)?;
                    dirs.push((to.clone(), about));
                }
                Some(there) if there.is_dir() => remove_if_there(&to.join(COPYING))?,
                Some(_) => continue,
            }
            for entry in fs_err::read_dir(&from)? {
                let name = entry?.file_name();
                if name != COPYING {
                    open.push((from.join(&name), to.join(&name)));
                }
            }
        }
        for (dir, about) in dirs.into_iter().rev() {
            fs_err::File::open(&dir)?.set_times(times(&about)?)?;
            fs_err::set_permissions(&dir, std::fs::Permissions::from_mode(about.mode() & 0o7777))?;
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, to: &Path, about: &Metadata) -> std::io::Result<()> {
        if about.is_symlink() {
            fs_err::os::unix::fs::symlink(fs_err::read_link(from)?, to)?;
        } else if about.is_file() {
            let id = (about.dev(), about.ino());
            match self.linked.get(&id) {
                Some(first) => fs_err::hard_link(first, to)?,
                None => copy_whole(from, to, about)?,
            }
            if about.nlink() > 1 {
                self.linked.entry(id).or_insert_with(|| to.to_owned());
            }
        } else {
            // A pipe or a socket belongs to somebody who is not here.
            return Ok(());
        }
        self.files += 1;
        Ok(())
    }
}

/// Under another name until all of it is there.
fn copy_whole(from: &Path, to: &Path, about: &Metadata) -> std::io::Result<()> {
    let copying = to.with_file_name(COPYING);
    remove_if_there(&copying)?;
    fs_err::copy(from, &copying)?;
    // Build tools compare times. Set before the name is: a file that nobody may write is opened for that by its owner.
    let file = fs_err::File::open(&copying)?;
    file.set_times(times(about)?)?;
    fs_err::rename(&copying, to)
}

fn times(about: &Metadata) -> std::io::Result<FileTimes> {
    Ok(FileTimes::new().set_modified(about.modified()?).set_accessed(about.accessed()?))
}

fn is_link(path: &Path) -> bool {
    fs_err::symlink_metadata(path).is_ok_and(|about| about.is_symlink())
}
