//! A commit for each writing step, with trailers that say whose it is.

use std::path::{Path, PathBuf};

use super::Worktree;
use super::git::GitError;
use super::status::{bytes_of, listed};
use crate::ids::AttemptId;

/// The trailer by which a commit is found again after a crash.
pub(super) const TRAILER: &str = "Cco-Attempt";

/// What a commit of a step says and holds.
#[derive(Debug, Clone)]
pub struct Commit<'a> {
    /// The spec, as `project/name-hash`.
    pub spec: &'a str,
    /// The attempt.
    pub attempt: &'a AttemptId,
    /// The agent's summary; its first line becomes part of the subject.
    pub summary: &'a str,
    /// The files that it takes in, relative to the work directory; those that are gone too. Whoever writes others
    /// meanwhile keeps them to themselves.
    pub paths: &'a [PathBuf],
}

impl Worktree {
    /// Commits what a step wrote; none where it changed nothing.
    ///
    /// # Errors
    /// Git's own; nothing is lost, the changes stay in the tree.
    pub fn commit(&self, commit: &Commit<'_>) -> Result<Option<String>, GitError> {
        let _one = self.lock();
        self.record(&self.dir, &listed(commit.paths.iter().map(|path| bytes_of(path))), &message(commit))
    }

    /// Commits the files of these names (as seen from `from`, each ended by a zero byte) as they are; none where
    /// that changes nothing. The caller holds the lock.
    pub(super) fn record(&self, from: &Path, names: &[u8], message: &str) -> Result<Option<String>, GitError> {
        // What an agent staged by itself is not taken along.
        self.git.run(&self.root, &["read-tree", "--reset", "HEAD"])?;
        self.git.bytes(from, &["update-index", "--add", "--remove", "--replace", "-z", "--stdin"], names)?;
        if self.git.ask(&self.root, &["diff", "--cached", "--quiet"])?.is_some() {
            return Ok(None);
        }
        self.signed(&["commit", "--quiet", "--no-verify", "--cleanup=verbatim", "-m", message])?;
        self.git.run(&self.root, &["rev-parse", "HEAD"]).map(Some)
    }

    /// As [`Git::signed`].
    pub(super) fn signed(&self, args: &[&str]) -> Result<String, GitError> {
        self.git.signed(&self.root, args)
    }

    /// The commit of an attempt whose record was lost with the run that made it.
    ///
    /// # Errors
    /// Git's own.
    pub fn commit_of(&self, attempt: &AttemptId) -> Result<Option<String>, GitError> {
        let pattern = format!("--grep=^{TRAILER}: {attempt}$");
        let range = format!("{}..HEAD", self.base);
        let found = self.git.run(&self.root, &["log", "-1", "--format=%H", &pattern, &range])?;
        Ok((!found.is_empty()).then_some(found))
    }
}

pub(super) fn message(commit: &Commit<'_>) -> String {
    let subject = subject(&format!("{} {}", commit.attempt.on, commit.attempt.step), commit.summary);
    format!("{subject}\n\nCco-Spec: {}\n{TRAILER}: {}\n", commit.spec, commit.attempt)
}

/// The message of the one commit that a component becomes on the integration branch. `attempt` is the last one whose
/// work is in it, by which [`super::Repository::landed`] finds the commit again.
pub fn landing_message(spec: &str, attempt: &AttemptId, summary: &str) -> String {
    let subject = subject(attempt.on.as_str(), summary);
    format!("{subject}\n\nCco-Spec: {spec}\nCco-Component: {}\n{TRAILER}: {attempt}\n", attempt.on)
}

/// The first line of a message: what it is about, and the first line of what somebody says of it.
pub(super) fn subject(about: &str, summary: &str) -> String {
    const SUBJECT: usize = 72;
    let first: String = summary.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    let subject = if first.is_empty() { about.to_owned() } else { format!("{about}: {first}") };
    if subject.chars().count() <= SUBJECT {
        return subject;
    }
    subject.chars().take(SUBJECT - 1).chain(['…']).collect()
}

/// The trailer `name` of a message: only in its last paragraph, since what is above can be somebody else's words.
pub(super) fn trailer<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    let last = message.trim_end().rsplit("\n\n").next()?;
    last.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
