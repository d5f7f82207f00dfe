//! Starting a step again from the last commit: what a try that was cut off left half written is kept, then put back.

use std::ffi::OsString;

use super::git::{Git, GitError};
use super::{Tree, Worktree};
use crate::ids::AttemptId;

/// How many paths one call of git is given: the system bounds how long a command line may be.
const AT_ONCE: usize = 200;

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBack {
    /// How many files.
    pub files: usize,
    /// The ref of a commit that holds them as they were left.
    pub kept: String,
}

impl Tree {
    /// Puts the files that `owns` means (paths count from [`Tree::dir`]) back to the last commit, after they were kept
    /// under `refs/cco/<spec>/abandoned/`. None where there is nothing to put back, or no git to put it back with. Files
    /// that git ignores are left alone.
    ///
    /// # Errors
    /// Git's own. Nothing is put back that is not kept.
    pub fn put_back(
        &self,
        spec: &str,
        attempt: &AttemptId,
        owns: impl Fn(&str) -> bool,
    ) -> Result<Option<PutBack>, GitError> {
        match self {
            Self::Shared(_) => Ok(None),
            Self::Worktree(worktree) => worktree.put_back(spec, attempt, owns),
        }
    }
}

impl Worktree {
    /// As [`Tree::put_back`].
    ///
    /// # Errors
    /// Git's own. Nothing is put back that is not kept.
    pub fn put_back(
        &self,
        spec: &str,
        attempt: &AttemptId,
        owns: impl Fn(&str) -> bool,
    ) -> Result<Option<PutBack>, GitError> {
        let _one = self.index.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let list = |args: &[&str]| -> Result<Vec<String>, GitError> {
            let text = self.git.run(&self.dir, args)?;
            // A repository within the tree is listed as a directory, and is not ours to empty.
            let files = text.split('\0').filter(|path| !path.is_empty() && !path.ends_with('/') && owns(path));
            Ok(files.map(str::to_owned).collect())
        };
        let changed =
            list(&["diff", "HEAD", "--name-only", "-z", "--relative", "--no-renames", "--ignore-submodules"])?;
        let new = list(&["ls-files", "-z", "--others", "--exclude-standard"])?;
        if changed.is_empty() && new.is_empty() {
            return Ok(None);
        }
        let kept = self.keep_abandoned(spec, attempt, &[changed.as_slice(), new.as_slice()].concat())?;
        self.each(&self.git, &["clean", "-f", "-q", "--"], &new)?;
        self.each(&self.git, &["restore", "--source=HEAD", "--staged", "--worktree", "--"], &changed)?;
        Ok(Some(PutBack { files: changed.len() + new.len(), kept }))
    }

    /// Makes a commit of the last one with `paths` as they are now, on a ref of its own; gives the ref.
    fn keep_abandoned(&self, spec: &str, attempt: &AttemptId, paths: &[String]) -> Result<String, GitError> {
        const DIGITS: usize = 8;
        let index =
            self.git.run(&self.root, &["rev-parse", "--path-format=absolute", "--git-path", "cco-abandoned"])?;
        let git = self.git.with("GIT_INDEX_FILE", index.as_ref());
        git.run(&self.root, &["read-tree", "HEAD"])?;
        self.each(&git, &["add", "-A", "-f", "--"], paths)?;
        let tree = git.run(&self.root, &["write-tree"])?;
        let message = format!("Keep what {attempt} left when it was cut off");
        let identity = ["-c", "user.name=cco", "-c", "user.email=cco@localhost"];
        let commit = ["commit-tree", &tree, "-p", "HEAD", "-m", &message];
        let commit = self.git.run(&self.root, &[&identity[..], &commit[..]].concat())?;
        let digits = commit.get(..DIGITS).unwrap_or(&commit);
        let kept = format!("refs/cco/{spec}/abandoned/{attempt}-{digits}");
        self.git.run(&self.root, &["update-ref", &kept, &commit])?;
        Ok(kept)
    }

    /// Runs a command over `paths`, which count from the work directory and mean no patterns.
    fn each(&self, git: &Git, command: &[&str], paths: &[String]) -> Result<(), GitError> {
        for some in paths.chunks(AT_ONCE) {
            let mut args: Vec<OsString> = vec!["--literal-pathspecs".into()];
            args.extend(command.iter().map(OsString::from));
            args.extend(some.iter().map(OsString::from));
            git.run(&self.dir, &args)?;
        }
        Ok(())
    }
}
