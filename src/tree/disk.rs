//! What is on disk where a file has to be.

use std::path::Path;

use super::path::{above, below};
use super::status::{bytes_of, remove_if_there};
use super::{TreeError, Worktree};

/// What is found where a file has to be; paths count from the top of the work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OnDisk {
    /// Nothing.
    Free,
    /// A file, a link or the like.
    Taken,
    /// Something that is no directory, where one above the file has to be.
    Blocked(Vec<u8>),
    /// A directory, with these files and repositories in it.
    Directory {
        /// The files, also those that git ignores.
        files: Vec<Vec<u8>>,
        /// The directories in it, or itself, that are repositories of their own.
        repositories: Vec<Vec<u8>>,
    },
}

impl OnDisk {
    /// What would have to go first.
    pub(super) fn obstacles(&self) -> Box<dyn Iterator<Item = &[u8]> + '_> {
        match self {
            Self::Free | Self::Taken => Box::new(std::iter::empty()),
            Self::Blocked(path) => Box::new(std::iter::once(&path[..])),
            Self::Directory { files, repositories } => Box::new(files.iter().chain(repositories).map(|path| &path[..])),
        }
    }
}

impl Worktree {
    /// What is where the file `path` has to be. Links are not followed: behind one is somebody else's directory.
    pub(super) fn look_at(&self, path: &[u8]) -> Result<OnDisk, TreeError> {
        if let Some(upper) = self.blocked(path) {
            return Ok(OnDisk::Blocked(upper.to_vec()));
        }
        match fs_err::symlink_metadata(below(&self.root, path)) {
            Ok(about) if about.is_dir() => self.all_in(path),
            Ok(_) => Ok(OnDisk::Taken),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(OnDisk::Free),
            Err(error) => Err(error.into()),
        }
    }

    /// The uppermost thing above `path` that is no directory.
    fn blocked<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        let is_other =
            |dir: &&[u8]| fs_err::symlink_metadata(below(&self.root, dir)).is_ok_and(|about| !about.is_dir());
        above(path).filter(is_other).last()
    }

    fn all_in(&self, dir: &[u8]) -> Result<OnDisk, TreeError> {
        let (mut files, mut repositories) = (Vec::new(), Vec::new());
        let mut open = vec![dir.to_vec()];
        while let Some(dir) = open.pop() {
            let at = below(&self.root, &dir);
            if fs_err::symlink_metadata(at.join(".git")).is_ok() {
                repositories.push(dir);
                continue;
            }
            for found in fs_err::read_dir(at)? {
                let found = found?;
                let path = [&dir, &b"/"[..], bytes_of(Path::new(&found.file_name()))].concat();
                if found.file_type()?.is_dir() { open.push(path) } else { files.push(path) }
            }
        }
        Ok(OnDisk::Directory { files, repositories })
    }

    /// Removes a file, and the directories that held nothing else; nothing where a link stands for one of them.
    pub(super) fn remove(&self, path: &[u8]) -> Result<(), TreeError> {
        let at = below(&self.root, path);
        if self.blocked(path).is_some() || fs_err::symlink_metadata(&at).is_ok_and(|about| about.is_dir()) {
            return Ok(());
        }
        remove_if_there(&at)?;
        for dir in above(path).map(|dir| below(&self.root, dir)).take_while(|dir| *dir != self.dir) {
            if fs_err::remove_dir(dir).is_err() {
                break;
            }
        }
        Ok(())
    }
}
