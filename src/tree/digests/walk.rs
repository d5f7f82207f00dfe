//! Which files are looked at: those that are named, and those below the fixed directory of a glob.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::look::unless_gone;

/// In a tree of more files than these, nothing is compared but what components own.
pub const MOST_FILES: usize = 200_000;

/// The files to look at.
#[derive(Default)]
pub struct Scope<'a> {
    /// Files; a directory means all below it.
    pub paths: Vec<PathBuf>,
    /// Directories in which files are searched for, and which of them are meant.
    pub globs: Vec<(PathBuf, Meant<'a>)>,
}

/// Whether a file is meant.
pub type Meant<'a> = &'a dyn Fn(&Path) -> bool;

impl Scope<'_> {
    /// Everything.
    pub fn whole() -> Self {
        Self { paths: vec![PathBuf::new()], globs: Vec::new() }
    }

    /// The files in `dir`, without `.git` and without following links; of a directory that may not be read its name.
    ///
    /// # Errors
    /// The disk's own, and more than [`MOST_FILES`].
    pub(super) fn files(&self, dir: &Path) -> io::Result<BTreeSet<PathBuf>> {
        let mut found = BTreeSet::new();
        for path in &self.paths {
            match unless_gone(fs_err::symlink_metadata(dir.join(path)))? {
                Some(about) if about.is_dir() => below(dir, path, &|_| true, &mut found)?,
                Some(_) => drop(found.insert(path.clone())),
                None => {}
            }
        }
        for (prefix, meant) in &self.globs {
            below(dir, prefix, *meant, &mut found)?;
        }
        Ok(found)
    }
}

fn below(dir: &Path, from: &Path, meant: Meant<'_>, found: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let mut open = vec![from.to_owned()];
    while let Some(here) = open.pop() {
        let entries = match unless_gone(fs_err::read_dir(dir.join(&here))) {
            Ok(Some(entries)) => entries,
            Ok(None) => continue,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                found.insert(here);
                continue;
            }
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let path = here.join(entry.file_name());
            let Some(kind) = unless_gone(entry.file_type())? else { continue };
            if kind.is_dir() {
                if entry.file_name() != ".git" {
                    open.push(path);
                }
            } else if (kind.is_file() || kind.is_symlink()) && meant(&path) {
                found.insert(path);
                if found.len() > MOST_FILES {
                    return Err(io::Error::other(format!("`{}` has more than {MOST_FILES} files", dir.display())));
                }
            }
        }
    }
    Ok(())
}
