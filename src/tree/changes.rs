//! What differs between two states, with the contents before and after: for the change checks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::git::{Git, GitError};
use super::status::{Blob, SUBMODULE, records};
use super::{TreeError, Worktree};

/// Up to where changes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until<'a> {
    /// A commit.
    Commit(&'a str),
    /// The worktree as it is now, with new files, without ignored ones and repositories within it.
    Worktree,
}

/// How much of the contents is read, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of one file.
    pub file: u64,
    /// Of all files together.
    pub total: u64,
}

impl Default for Bounds {
    /// 1 MiB of a file, 64 MiB in all.
    fn default() -> Self {
        Self { file: 1 << 20, total: 64 << 20 }
    }
}

/// A file that differs; a renamed one is two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the work directory; `../x` outside of it.
    pub path: PathBuf,
    /// The file before; none if it is new.
    pub old: Option<Side>,
    /// The file after; none if it is gone.
    pub new: Option<Side>,
}

/// A file on one side of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The mode as git has it: 0o100644, 0o100755, 0o120000 for a link, 0o160000 for a submodule.
    pub mode: u32,
    /// The id of the contents.
    pub id: String,
    /// What is in it.
    pub contents: Contents,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// This.
    Bytes(Vec<u8>),
    /// More than was to be read; its size in bytes. Whoever looks for something has not looked here.
    TooLarge(u64),
    /// Another repository's commit.
    Submodule,
}

/// A file that differs, without its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// From the top of the work tree.
    pub(super) path: Vec<u8>,
    pub(super) old: Option<Blob>,
    pub(super) new: Option<Blob>,
}

impl Worktree {
    /// The files that differ between the commit `base` and `until` and that `wanted` accepts, by path, in all of the
    /// repository, with their contents as git keeps them. Renames are not followed.
    ///
    /// # Errors
    /// Git's own; among it that something is no commit, or that contents are missing.
    pub fn changes(
        &self,
        base: &str,
        until: Until<'_>,
        wanted: &dyn Fn(&Path) -> bool,
        bounds: Bounds,
    ) -> Result<Vec<Change>, TreeError> {
        let _one = self.lock();
        let base = self.commit_id(base)?;
        let end = match until {
            Until::Commit(commit) => self.commit_id(commit)?,
            Until::Worktree => {
                let own = self.own_index()?;
                self.stage(&own, &self.entries(&own)?, [])?;
                own.run(&self.root, &["write-tree"])?
            }
        };
        let mut differences = self.differences(&base, &end)?;
        differences.retain(|it| wanted(&self.prefix.relative(&it.path)));
        let blobs = differences.iter().flat_map(|it| [&it.old, &it.new]).flatten();
        let ids = blobs.filter(|blob| blob.mode != SUBMODULE).map(|blob| blob.id.as_str()).collect();
        let read = read(&self.git, &self.root, &ids, bounds)?;
        let mut changes = Vec::with_capacity(differences.len());
        for it in differences {
            let side = |blob: Option<Blob>| blob.map(|blob| side(blob, &read)).transpose();
            changes.push(Change { path: self.prefix.relative(&it.path), old: side(it.old)?, new: side(it.new)? });
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    /// The files that differ between two commits, relative to the work directory.
    ///
    /// # Errors
    /// Git's own; among it that something is no commit.
    pub fn differing(&self, old: &str, new: &str) -> Result<BTreeSet<PathBuf>, TreeError> {
        let differences = self.differences(&self.commit_id(old)?, &self.commit_id(new)?)?;
        Ok(differences.iter().map(|it| self.prefix.relative(&it.path)).collect())
    }

    /// The files that differ between two commits or trees.
    pub(super) fn differences(&self, old: &str, new: &str) -> Result<Vec<Difference>, GitError> {
        let args = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none"];
        let said = self.git.bytes(&self.root, &[&args[..], &[old, new]].concat(), &[])?;
        let mut records = records(&said);
        let mut found = Vec::new();
        while let Some(about) = records.next() {
            let about = String::from_utf8_lossy(about);
            let unclear = || GitError::Unclear { call: "diff-tree", said: about.to_string() };
            let fields: Vec<_> = about.trim_start_matches(':').split(' ').collect();
            let [old_mode, new_mode, old, new, _] = fields[..] else { return Err(unclear()) };
            let path = records.next().ok_or_else(unclear)?.to_vec();
            let blob = |mode: &str, id: &str| Blob { mode: mode.to_owned(), id: id.to_owned() };
            let there = |mode: &str, id: &str| (mode != "000000").then(|| blob(mode, id));
            found.push(Difference { path, old: there(old_mode, old), new: there(new_mode, new) });
        }
        Ok(found)
    }
}

fn side(blob: Blob, read: &BTreeMap<String, Contents>) -> Result<Side, GitError> {
    let unclear = |said: &str| GitError::Unclear { call: "diff-tree", said: said.to_owned() };
    let mode = u32::from_str_radix(&blob.mode, 8).map_err(|_| unclear(&blob.mode))?;
    let contents = if blob.mode == SUBMODULE {
        Contents::Submodule
    } else {
        read.get(&blob.id).cloned().ok_or_else(|| unclear(&blob.id))?
    };
    Ok(Side { mode, id: blob.id, contents })
}

/// The contents of blobs, by two processes however many these are: one says how large they are, one reads what is
/// within the bounds.
fn read(git: &Git, root: &Path, ids: &BTreeSet<&str>, bounds: Bounds) -> Result<BTreeMap<String, Contents>, GitError> {
    let mut read = BTreeMap::new();
    let (mut input, mut total) = (String::new(), 0_u64);
    for (id, size) in sizes(git, root, ids)? {
        if size <= bounds.file && total.saturating_add(size) <= bounds.total {
            total += size;
            input.push_str(&id);
            input.push('\n');
        } else {
            read.insert(id, Contents::TooLarge(size));
        }
    }
    if input.is_empty() {
        return Ok(read);
    }
    let said = git.bytes(root, &["cat-file", "--batch"], input.as_bytes())?;
    let mut rest = &said[..];
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (id, size) = header(&rest[..end])?;
        let from = end + 1;
        let to = usize::try_from(size).ok().and_then(|size| from.checked_add(size)).filter(|to| *to < rest.len());
        let Some(to) = to else {
            return Err(GitError::Unclear { call: "cat-file --batch", said: format!("{id} is cut short") });
        };
        read.insert(id, Contents::Bytes(rest[from..to].to_vec()));
        rest = &rest[to + 1..];
    }
    Ok(read)
}

fn sizes(git: &Git, root: &Path, ids: &BTreeSet<&str>) -> Result<Vec<(String, u64)>, GitError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let input: String = ids.iter().flat_map(|id| [id, "\n"]).collect();
    let said = git.bytes(root, &["cat-file", "--batch-check"], input.as_bytes())?;
    said.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(header).collect()
}

/// `ID blob SIZE`; of a missing one git says so in the same place.
fn header(line: &[u8]) -> Result<(String, u64), GitError> {
    let line = String::from_utf8_lossy(line);
    let unclear = || GitError::Unclear { call: "cat-file", said: line.to_string() };
    let (id, about) = line.split_once(' ').ok_or_else(unclear)?;
    let size = about.strip_prefix("blob ").and_then(|size| size.parse().ok()).ok_or_else(unclear)?;
    Ok((id.to_owned(), size))
}
