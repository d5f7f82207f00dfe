//! Paths as git names them, from the top of the work tree, and as the rest of the program does, from the work directory.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use super::TreeError;

/// How the work directory is reached from the top of the work tree.
#[derive(Debug, Clone)]
pub(super) struct Prefix(Vec<Vec<u8>>);

impl Prefix {
    /// Of a directory `a/b`, or the top itself.
    pub(super) fn new(directory: &[u8]) -> Self {
        Self(parts(directory))
    }

    /// A path from the top as one from the work directory: `../x` outside of it, `.` for the directory itself.
    pub(super) fn relative(&self, path: &[u8]) -> PathBuf {
        let parts = parts(path);
        let shared = self.0.iter().zip(&parts).take_while(|(ours, theirs)| ours == theirs).count();
        let up = std::iter::repeat_n(&b".."[..], self.0.len() - shared);
        let down = parts[shared..].iter().map(Vec::as_slice);
        let relative: PathBuf = up.chain(down).map(OsStr::from_bytes).collect();
        if relative.as_os_str().is_empty() { PathBuf::from(".") } else { relative }
    }

    /// A path from the work directory as one from the top, the way git writes it.
    pub(super) fn top_path(&self, path: &Path) -> Result<Vec<u8>, TreeError> {
        let outside = || TreeError::NotInside(path.to_owned());
        let mut parts = self.0.clone();
        for component in path.components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => drop(parts.pop().ok_or_else(outside)?),
                Component::Normal(name) => parts.push(name.as_bytes().to_vec()),
                Component::RootDir | Component::Prefix(_) => return Err(outside()),
            }
        }
        Ok(parts.join(&b'/'))
    }
}

fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
}

/// `path`, as bytes from the top, as a path below `root`.
pub(super) fn below(root: &Path, path: &[u8]) -> PathBuf {
    root.join(OsStr::from_bytes(path))
}

/// Whether `path` is `dir` or in it, by name. Everything is in the top, which has no name.
pub(super) fn is_within(path: &[u8], dir: &[u8]) -> bool {
    dir.is_empty() || path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// The directories above a path, nearest first, without the top.
pub(super) fn above(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..path.len()).rev().filter(|at| path[*at] == b'/').map(|at| &path[..at])
}
