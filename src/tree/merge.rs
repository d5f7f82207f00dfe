//! Merging a commit into a worktree. Whatever comes of it is a commit, conflicts too, so that there is no state in
//! between that a crash could leave.

use std::path::PathBuf;

use super::commit::{subject, trailer};
use super::git::GitError;
use super::path::below;
use super::status::records;
use super::{TreeError, Worktree};
use crate::fsx;
use crate::ids::Subject;

/// The trailer of a merge that says what was merged.
const MERGED: &str = "Cco-Merged";
/// The trailer of a merge with conflicts, with how many files have some.
pub(super) const CONFLICTS: &str = "Cco-Conflicts";

/// How the user's settings would change what a merge gives: the markers' form, and files that follow a directory which
/// others renamed, out of the write set of whoever made them.
const ALIKE: [&str; 2] = ["merge.conflictStyle=merge", "merge.directoryRenames=false"];

/// A merge that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Merge<'a> {
    /// The spec, as `project/name-hash`.
    pub spec: &'a str,
    /// Whose worktree it is.
    pub on: &'a Subject,
    /// What is merged: a commit.
    pub commit: &'a str,
    /// What it is called in the message, as `cco/shop`.
    pub called: &'a str,
}

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// It was in the history already, and not by a merge that is what is checked out.
    UpToDate,
    /// All went together.
    Clean {
        /// The merge, which is checked out.
        commit: String,
    },
    /// Some did not.
    Conflicts {
        /// The merge, which is checked out; where git could, it put both sides between markers.
        commit: String,
        /// The files with conflicts, relative to the work directory, also those that can have no markers (deleted on
        /// one side, or binary).
        files: Vec<PathBuf>,
    },
}

impl Worktree {
    /// Merges a commit into what is checked out. Called again after a crash, it says of a merge that was made, and is
    /// checked out, the same as when it was made.
    ///
    /// # Errors
    /// [`TreeError::Uncommitted`] as with [`Worktree::position`], [`TreeError::OldGit`], git's own.
    pub fn merge(&self, merge: &Merge<'_>) -> Result<Merged, TreeError> {
        let _one = self.lock();
        self.put_back_what_was_moving()?;
        let (head, theirs) = (self.head()?, self.commit_id(merge.commit)?);
        if self.is_ancestor(&theirs, &head)? {
            return self.merged_before(&head, &theirs);
        }
        let (tree, files) = self.merge_trees(&head, &theirs)?;
        let mut message = format!(
            "{}\n\nCco-Spec: {}\nCco-Component: {}\n{MERGED}: {theirs}\n",
            subject(&format!("{} merge", merge.on), merge.called),
            merge.spec,
            merge.on
        );
        if let Some(files) = &files {
            message.push_str(&format!("{CONFLICTS}: {}\n", files.len()));
        }
        let commit = self.signed(&["commit-tree", &tree, "-p", &head, "-p", &theirs, "-m", &message])?;
        self.advance(&head, &commit, "cco: merge")?;
        Ok(match files {
            None => Merged::Clean { commit },
            Some(files) => Merged::Conflicts { commit, files },
        })
    }

    /// Those of `files` (relative to the work directory) that still hold a conflict's markers, in their order and each
    /// at the beginning of its line.
    ///
    /// # Errors
    /// A file that is there cannot be read.
    pub fn marked(&self, files: &[PathBuf]) -> Result<Vec<PathBuf>, TreeError> {
        let mut marked = Vec::new();
        for file in files {
            let path = below(&self.root, &self.prefix.top_path(file)?);
            let is_file = fs_err::symlink_metadata(&path).is_ok_and(|about| about.is_file());
            if is_file && has_markers(&fsx::read_regular(&path, u64::MAX)?) {
                marked.push(file.clone());
            }
        }
        Ok(marked)
    }

    /// What a merge came to of which the outcome may have been lost with the run that made it.
    fn merged_before(&self, head: &str, theirs: &str) -> Result<Merged, TreeError> {
        let said = self.git.run(&self.root, &["log", "-1", "--format=%P%n%B", "--encoding=UTF-8", head])?;
        let (parents, message) = said.split_once('\n').unwrap_or((&said, ""));
        let ours = match parents.split(' ').collect::<Vec<_>>()[..] {
            [ours, second] if second == theirs && trailer(message, MERGED) == Some(theirs) => ours,
            _ => return Ok(Merged::UpToDate),
        };
        let commit = head.to_owned();
        if trailer(message, CONFLICTS).is_none() {
            return Ok(Merged::Clean { commit });
        }
        let (_, files) = self.merge_trees(ours, theirs)?;
        Ok(Merged::Conflicts { commit, files: files.unwrap_or_default() })
    }

    /// The tree of a merge, and the files with conflicts; none where there are no conflicts.
    fn merge_trees(&self, ours: &str, theirs: &str) -> Result<(String, Option<Vec<PathBuf>>), TreeError> {
        let args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs];
        let (clean, said) = match self.git.set(&ALIKE).answer(&self.root, &args) {
            Err(GitError::Refused { message, .. }) if message.contains("usage:") => {
                return Err(TreeError::OldGit(self.git.run(&self.root, &["version"])?));
            }
            said => said?,
        };
        let mut records = records(&said);
        let unclear = || GitError::Unclear { call: "merge-tree", said: String::from_utf8_lossy(&said).into_owned() };
        let tree = records.next().and_then(|id| std::str::from_utf8(id).ok()).ok_or_else(unclear)?.to_owned();
        let mut files: Vec<_> = records.map(|path| self.prefix.relative(path)).collect();
        files.sort();
        Ok((tree, (!clean).then_some(files)))
    }
}

/// `<<<<<<< x`, `=======`, `>>>>>>> x`, each seven or more of its kind, at the beginnings of lines and in this order.
fn has_markers(contents: &[u8]) -> bool {
    let mut wanted = b"<=>".iter();
    let mut next = wanted.next();
    for line in contents.split(|byte| *byte == b'\n') {
        let Some(sign) = next else { return true };
        if is_marker(line.strip_suffix(b"\r").unwrap_or(line), *sign) {
            next = wanted.next();
        }
    }
    next.is_none()
}

fn is_marker(line: &[u8], sign: u8) -> bool {
    const LEAST: usize = 7;
    let long = line.iter().take_while(|byte| **byte == sign).count();
    long >= LEAST && if sign == b'=' { long == line.len() } else { line.get(long) == Some(&b' ') }
}
