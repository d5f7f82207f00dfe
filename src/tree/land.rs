//! What becomes of a component when it is integrated: one commit on the integration branch.

use super::commit::{TRAILER, trailer};
use super::git::GitError;
use super::status::records;
use super::{Repository, TreeError};
use crate::ids::{AttemptId, Subject};

impl Repository {
    /// Makes a commit of `tree` after the commit `onto` and moves the integration branch there; none where the branch is
    /// not at `onto` any more: then nothing moved.
    ///
    /// # Errors
    /// [`TreeError::CheckedOut`] if the user switched to the branch meanwhile; git's own.
    pub fn land(&self, tree: &str, onto: &str, message: &str) -> Result<Option<String>, TreeError> {
        let branch = self.branch_ref();
        // Moving it would make the user's own files look changed.
        let head = fs_err::read_to_string(self.source.git_dir.join("HEAD")).unwrap_or_default();
        if head.trim_end().strip_prefix("ref: ") == Some(&branch) {
            let dir = self.source.top.clone();
            return Err(TreeError::CheckedOut { branch: self.branch.clone(), dir });
        }
        let commit = self.signed(&["commit-tree", tree, "-p", onto, "-m", message])?;
        match self.run(&["update-ref", "--no-deref", "-m", "cco: integrate", &branch, &commit, onto]) {
            Ok(_) => Ok(Some(commit)),
            Err(error) => {
                if self.known_tip()?.as_deref() == Some(onto) {
                    Err(error)
                } else {
                    Ok(None)
                }
            }
        }
    }

    /// The commit by which an attempt's work landed on the integration branch after the commit `since`; none where it
    /// did not.
    ///
    /// # Errors
    /// Git's own; among it that there is no such commit, or no branch.
    pub fn landed(&self, attempt: &AttemptId, since: &str) -> Result<Option<String>, TreeError> {
        let attempt = attempt.to_string();
        let holds = format!("--grep={TRAILER}: {attempt}");
        let range = format!("{since}..{}", self.branch_ref());
        // What was merged in by somebody has attempts of its own.
        let args = [
            "log",
            "-z",
            "--first-parent",
            "--fixed-strings",
            "--format=%H%n%B",
            "--encoding=UTF-8",
            &holds,
            &range,
            "--",
        ];
        let said = self.source.git.bytes(&self.source.top, &args, &[])?;
        let mut commits = records(&said).filter_map(|commit| {
            let text = String::from_utf8_lossy(commit);
            let (commit, message) = text.split_once('\n')?;
            (trailer(message, TRAILER) == Some(&attempt)).then(|| commit.to_owned())
        });
        Ok(commits.next())
    }

    /// Whether work of a subject ever landed on the integration branch.
    ///
    /// # Errors
    /// Git's own.
    pub fn holds_work_of(&self, on: &Subject) -> Result<bool, TreeError> {
        let holds = format!("--grep=^Cco-Component: {}$", on.as_str().replace('.', "\\."));
        let range = format!("{}..{}", self.base(), self.branch_ref());
        Ok(!self.run(&["log", "-1", "--basic-regexp", "--format=%H", &holds, &range])?.is_empty())
    }

    /// Moves the integration branch from one commit to another, which need not follow it.
    ///
    /// # Errors
    /// Git's own; among it that the branch is not at `from`.
    pub fn reset_branch(&self, from: &str, to: &str) -> Result<(), TreeError> {
        self.run(&["update-ref", "--no-deref", "-m", "cco: take back", &self.branch_ref(), to, from]).map(drop)
    }

    /// As [`super::Worktree::signed`].
    fn signed(&self, args: &[&str]) -> Result<String, GitError> {
        self.source.git.signed(&self.source.top, args)
    }
}
