//! Giving a new worktree what another one has built already: files that git ignores.

use std::collections::BTreeMap;
use std::fs::{FileTimes, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use super::set_up::free_name;
use super::status::remove_if_there;
use super::{Repository, TreeError, Worktree};

/// The name of a file that is being copied. In a directory that git ignores it is in nobody's way.
const COPYING: &str = ".cco-warm";

/// What came of giving a worktree what another one has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warmed {
    /// How many files were copied.
    pub files: u64,
    /// Links that lead out of the work tree, and were left out: who has one could write through it.
    pub left_out: Vec<PathBuf>,
    /// Whether it was told to stop before all of it was there.
    pub stopped: bool,
}

impl Repository {
    /// The files that git ignores in the worktree that [`Repository::fresh`] made under that name, relative to its work
    /// directory; a directory that is ignored as a whole is one entry.
    ///
    /// # Errors
    /// Git's own, or that there is no such worktree.
    pub fn ignored_in(&self, name: &str) -> Result<Vec<PathBuf>, TreeError> {
        self.made(name)?.ignored()
    }

    /// Gives `to` what the worktree of that name has at `paths`, relative to the work directory; see [`warm`].
    ///
    /// # Errors
    /// As [`warm`], or that there is no such worktree.
    pub fn warm(
        &self,
        name: &str,
        to: &Worktree,
        paths: &[PathBuf],
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Warmed, TreeError> {
        // From the top: in a repository of many packages links lead from one to the other.
        let paths: Vec<_> = paths.iter().map(|path| self.within.join(path)).collect();
        warm(&self.made(name)?.root, &to.root, &paths, goes_on)
    }

    fn made(&self, name: &str) -> Result<Worktree, TreeError> {
        let path = free_name(name)?;
        let (root, git_dir) = self.found_whole(path).ok_or_else(|| TreeError::NoName(name.to_owned()))?;
        Ok(self.bind(path, &root, &git_dir))
    }
}

/// Copies files and directories from one work tree into another, with modes, times and links, for as long as `goes_on`.
/// Where the file system can, a copy shares its blocks with the original until one of them is written.
///
/// What is there already stays, and one that is missing in `from` is left out. Each file is there whole or not at all,
/// so that another call completes what was cut short. A link stays one, also if it names its target by the whole path,
/// which then lies in `to`; one that leads out of the work tree is left out.
///
/// # Errors
/// [`TreeError::NotInside`] for a path that leads out of the work tree, in either of them through a link too; that
/// something cannot be read or written.
pub fn warm(from: &Path, to: &Path, paths: &[PathBuf], goes_on: &dyn Fn() -> bool) -> Result<Warmed, TreeError> {
    let real = fs_err::canonicalize(from)?;
    let mut copy = Copy { from, to, real, goes_on, warmed: Warmed::default(), linked: BTreeMap::new() };
    for path in paths {
        let mut above = PathBuf::new();
        let last = path.components().count().saturating_sub(1);
        for (at, component) in path.components().enumerate() {
            match component {
                Component::Normal(name) => above.push(name),
                Component::CurDir => continue,
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(TreeError::NotInside(path.clone()));
                }
            }
            let leads_out = |root: &Path| is_link(&root.join(&above));
            if (at < last && leads_out(from)) || leads_out(to) {
                return Err(TreeError::NotInside(path.clone()));
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
    copy.warmed.left_out.sort();
    Ok(copy.warmed)
}

struct Copy<'a> {
    from: &'a Path,
    to: &'a Path,
    /// `from` without links.
    real: PathBuf,
    goes_on: &'a dyn Fn() -> bool,
    warmed: Warmed,
    /// Where files with several names were copied to, by device and number.
    linked: BTreeMap<(u64, u64), PathBuf>,
}

impl Copy<'_> {
    fn tree(&mut self, from: &Path, to: &Path) -> std::io::Result<()> {
        // Their modes and times come last: a directory may be one in which nothing may be written.
        let mut dirs = Vec::new();
        let mut open = vec![(from.to_owned(), to.to_owned())];
        while let Some((from, to)) = open.pop() {
            if !(self.goes_on)() {
                self.warmed.stopped = true;
                break;
            }
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
            let Some(target) = self.target_of(from)? else {
                self.warmed.left_out.push(from.strip_prefix(self.from).unwrap_or(from).to_owned());
                return Ok(());
            };
            fs_err::os::unix::fs::symlink(target, to)?;
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
        self.warmed.files += 1;
        Ok(())
    }

    /// What the copy of a link says; none of one that leads out of the work tree, by its words or by where it comes to
    /// through other links.
    fn target_of(&self, link: &Path) -> std::io::Result<Option<PathBuf>> {
        if fs_err::canonicalize(link).is_ok_and(|real| !real.starts_with(&self.real)) {
            return Ok(None);
        }
        let target = fs_err::read_link(link)?;
        if target.is_absolute() {
            let within = [self.from, &self.real].into_iter().find_map(|root| target.strip_prefix(root).ok());
            return Ok(within.filter(|within| stays_within(within)).map(|within| self.to.join(within)));
        }
        let dir = link.parent().and_then(|dir| dir.strip_prefix(self.from).ok()).unwrap_or(Path::new(""));
        Ok(stays_within(&dir.join(&target)).then_some(target))
    }
}

/// Whether a relative path never leads above where it begins.
fn stays_within(path: &Path) -> bool {
    let mut depth = 0_usize;
    path.components().all(|component| match component {
        Component::Normal(_) => {
            depth += 1;
            true
        }
        Component::CurDir => true,
        Component::ParentDir => depth.checked_sub(1).is_some_and(|less| {
            depth = less;
            true
        }),
        Component::RootDir | Component::Prefix(_) => false,
    })
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
