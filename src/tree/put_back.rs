//! Starting a step again from the last commit: what a try that was cut off left half written is kept, then put back.

use super::status::{Kind, OWN_INDEX};
use super::{TreeError, Worktree};
use crate::ids::AttemptId;

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBack {
    /// How many files.
    pub files: usize,
    /// The ref of a commit that holds them as they were left.
    pub kept: String,
}

impl Worktree {
    /// Puts all files back to the last commit, after what differs was kept under `refs/cco/<spec>/abandoned/`. None where
    /// nothing differs. Repositories and submodules within are left alone, and so is what git ignores, unless it stands
    /// where a file comes back: then it is kept too.
    ///
    /// # Errors
    /// Git's own. Nothing is put back that is not kept.
    pub fn put_back(&self, attempt: &AttemptId) -> Result<Option<PutBack>, TreeError> {
        const DIGITS: usize = 8;
        let _one = self.lock();
        let mut found = self.entries(&self.own_index()?)?;
        found.retain(|entry| !matches!(entry.kind, Kind::Repository | Kind::Submodule));
        if found.is_empty() {
            return Ok(None);
        }
        let work = self.work(&found)?;
        // Unlike what is only looked at, this is to be durable.
        let git = self.git.with("GIT_INDEX_FILE", self.git_dir.join(OWN_INDEX).as_os_str());
        self.stage_work(&git, &work)?;
        let tree = git.run(&self.root, &["write-tree"])?;
        let message = format!("Keep what {attempt} left when it was cut off");
        let commit = self.signed(&["commit-tree", &tree, "-p", "HEAD", "-m", &message])?;
        let name = format!("abandoned/{attempt}-{}", commit.get(..DIGITS).unwrap_or(&commit));
        self.keep_now(&name, &commit)?;
        self.carry_out(&work, attempt.file_stem().as_ref())?;
        Ok(Some(PutBack { files: found.len(), kept: format!("refs/cco/{}/{name}", self.spec) }))
    }
}
