//! The user's own checkout: told apart before and after a step, never written, never undone.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::TreeError;
use super::path::below;
use super::source::Source;
use super::status::{STATUS, records};
use crate::fsx;
use crate::ids::Digest;

/// What the user's checkout is like: what is checked out and staged, what differs from it, and what git is told to do
/// there (configuration, hooks, what it ignores). Files that git ignores are not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(BTreeMap<PathBuf, Digest>);

/// The files that came, went or changed between two looks, as absolute paths, in order. A commit or another branch shows
/// as the repository's `HEAD`.
pub fn changed_between(before: &Fingerprint, after: &Fingerprint) -> Vec<PathBuf> {
    let mut paths: Vec<_> = before.0.keys().chain(after.0.keys()).collect();
    paths.sort();
    paths.dedup();
    paths.into_iter().filter(|path| before.0.get(*path) != after.0.get(*path)).cloned().collect()
}

impl Source {
    pub(super) fn fingerprint(&self) -> Result<Fingerprint, TreeError> {
        let mut parts = BTreeMap::new();
        let head = [&["rev-parse", "HEAD"][..], &["symbolic-ref", "--quiet", "HEAD"][..]];
        let head = head.map(|args| self.git.ask(&self.top, args));
        let mut known = Vec::new();
        for part in head {
            // One that has no commit or is on no branch is one like that.
            known.push(part?.unwrap_or_default());
        }
        let head: Vec<_> = known.iter().map(String::as_bytes).collect();
        parts.insert(self.git_dir.join("HEAD"), Digest::of_parts(&head));
        let said = self.git.bytes(&self.top, &STATUS, &[])?;
        for record in records(&said) {
            let path = below(&self.top, path_of(record));
            let about = touched(&path);
            parts.insert(path, Digest::of_parts(&[record, about.as_bytes()]));
        }
        for name in ["config", "info/exclude", "info/attributes"] {
            add_file(&self.common.join(name), &mut parts);
        }
        add_file(&self.git_dir.join("config.worktree"), &mut parts);
        for dir in [self.common.join("hooks")].into_iter().chain(self.hooks_elsewhere()?) {
            // One that is not there has no hooks.
            let Ok(entries) = fs_err::read_dir(dir) else { continue };
            entries.flatten().for_each(|entry| add_file(&entry.path(), &mut parts));
        }
        Ok(Fingerprint(parts))
    }

    /// The directory that the user's settings name for hooks.
    fn hooks_elsewhere(&self) -> Result<Option<PathBuf>, TreeError> {
        let args = ["config", "--show-scope", "-z", "--type=path", "--get-all", "core.hooksPath"];
        let said = self.git.ask(&self.top, &args)?.unwrap_or_default();
        let fields: Vec<_> = said.split('\0').collect();
        // Our own setting, which turns hooks off, is the command's.
        let named = fields.chunks_exact(2).rfind(|pair| pair[0] != "command");
        Ok(named.map(|pair| self.top.join(pair[1])))
    }
}

/// The path in a record of `git status`.
fn path_of(record: &[u8]) -> &[u8] {
    let fields = match record.first() {
        Some(b'1') => 9,
        Some(b'u') => 11,
        Some(_) | None => 2,
    };
    let path = record.splitn(fields, |byte| *byte == b' ').last().unwrap_or_default();
    path.strip_suffix(b"/").unwrap_or(path)
}

/// What changes when a file is written, without reading it.
fn touched(path: &Path) -> String {
    fs_err::symlink_metadata(path).map_or_else(
        |_| "gone".to_owned(),
        |it| {
            let times = [it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec()];
            format!("{} {} {} {times:?}", it.ino(), it.mode(), it.len())
        },
    )
}

fn add_file(path: &Path, parts: &mut BTreeMap<PathBuf, Digest>) {
    let Ok(about) = fs_err::metadata(path) else { return };
    // What is no file, or too large to be one of these, still shows when it is written.
    let contents = fsx::read_regular(path, fsx::LARGEST_TEXT).unwrap_or_else(|_| touched(path).into_bytes());
    let mode = about.permissions().mode().to_le_bytes();
    parts.insert(path.to_owned(), Digest::of_parts(&[&mode, &contents]));
}
