//! A commit for each writing step, with trailers that say whose it is.

use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::git::GitError;
use super::{Tree, Worktree};
use crate::ids::AttemptId;

/// The trailer by which a commit is found again after a crash.
const TRAILER: &str = "Cco-Attempt";

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

impl Tree {
    /// Commits what a step wrote; none where it changed nothing, or without git.
    ///
    /// # Errors
    /// Git's own; nothing is lost, the changes stay in the tree.
    pub fn commit(&self, commit: &Commit<'_>) -> Result<Option<String>, GitError> {
        match self {
            Self::Shared(_) => Ok(None),
            Self::Worktree(worktree) => worktree.commit(commit),
        }
    }

    /// The commit of an attempt whose record was lost with the run that made it.
    ///
    /// # Errors
    /// Git's own.
    pub fn commit_of(&self, attempt: &AttemptId) -> Result<Option<String>, GitError> {
        match self {
            Self::Shared(_) => Ok(None),
            Self::Worktree(worktree) => worktree.commit_of(attempt),
        }
    }
}

impl Worktree {
    fn commit(&self, commit: &Commit<'_>) -> Result<Option<String>, GitError> {
        let _one = self.lock();
        let mut names = Vec::new();
        for path in commit.paths {
            names.extend_from_slice(path.as_os_str().as_bytes());
            names.push(0);
        }
        // What an agent staged by itself is not taken along.
        self.git.run(&self.root, &["read-tree", "--reset", "HEAD"])?;
        self.git.bytes(&self.dir, &["update-index", "--add", "--remove", "--replace", "-z", "--stdin"], &names)?;
        if self.git.ask(&self.root, &["diff", "--cached", "--quiet"])?.is_some() {
            return Ok(None);
        }
        self.signed(&["commit", "--quiet", "--no-verify", "--cleanup=verbatim", "-m", &message(commit)])?;
        self.git.run(&self.root, &["rev-parse", "HEAD"]).map(Some)
    }

    /// Runs what makes a commit, in the user's name or, on a machine without an identity, in that of this program: it
    /// must not stop a night's work.
    pub(super) fn signed(&self, args: &[&str]) -> Result<String, GitError> {
        match self.git.run(&self.root, args) {
            Err(GitError::Refused { message, .. })
                if message.contains("user.email") || message.contains("tell me who") =>
            {
                let identity = ["-c", "user.name=cco", "-c", "user.email=cco@localhost"];
                self.git.run(&self.root, &[&identity[..], args].concat())
            }
            said => said,
        }
    }

    fn commit_of(&self, attempt: &AttemptId) -> Result<Option<String>, GitError> {
        let pattern = format!("--grep=^{TRAILER}: {attempt}$");
        let range = format!("{}..HEAD", self.base);
        let found = self.git.run(&self.root, &["log", "-1", "--format=%H", &pattern, &range])?;
        Ok((!found.is_empty()).then_some(found))
    }
}

pub(super) fn message(commit: &Commit<'_>) -> String {
    const SUBJECT: usize = 72;
    let head = format!("{} {}", commit.attempt.on, commit.attempt.step);
    let first: String = commit.summary.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    let mut subject = if first.is_empty() { head } else { format!("{head}: {first}") };
    if subject.chars().count() > SUBJECT {
        subject = subject.chars().take(SUBJECT - 1).chain(['…']).collect();
    }
    format!("{subject}\n\nCco-Spec: {}\n{TRAILER}: {}\n", commit.spec, commit.attempt)
}
