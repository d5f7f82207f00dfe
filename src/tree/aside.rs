//! Starting over: what a spec's runs made is set aside under `refs/cco/<spec>/history/`. Nothing is deleted that a commit
//! could hold.

use super::git::Git;
use super::peek::repository_top;
use super::standing::Owner;
use super::{Place, Repository, TreeError};

impl Repository {
    /// Sets the integration branch, all that is kept, and what the worktrees hold aside as `history/<name>/…`, and
    /// removes branch and worktrees. Nothing where there is no branch.
    ///
    /// # Errors
    /// As [`Repository::open`]; git's own.
    pub fn set_aside(git: Git, place: &Place, spec: &str, name: &str) -> Result<(), TreeError> {
        let Some(top) = repository_top(&git, &place.work_dir)? else { return Ok(()) };
        let branch = format!("refs/heads/{}", place.branch);
        let Some(tip) = git.ask(&top, &["rev-parse", "--verify", "--quiet", &format!("{branch}^{{commit}}")])? else {
            return Ok(());
        };
        // Where it began does not matter any more.
        let place = Place { known_base: Some(tip.clone()), ..place.clone() };
        let repository = Self::open(git, &place, spec)?;
        repository.set_worktrees_aside(&tip, name)?;
        for kept in repository.kept()?.iter().filter(|kept| !kept.name.starts_with("history/")) {
            repository.keep(&format!("history/{name}/{}", kept.name), &kept.commit)?;
            repository.forget(&kept.name)?;
        }
        repository.keep(&format!("history/{name}/branch"), &tip)?;
        repository.run(&["update-ref", "--no-deref", "-d", &branch, &tip]).map(drop)
    }

    fn set_worktrees_aside(&self, tip: &str, name: &str) -> Result<(), TreeError> {
        for standing in self.worktrees()? {
            let on = match standing.owner {
                Owner::Subject(on) => on,
                Owner::Fresh(name) => {
                    self.discard_fresh(&name)?;
                    continue;
                }
            };
            if let Some(worktree) = self.worktree(&on)? {
                worktree.adopt(&self.spec, &on, "what was not committed when the run was set aside")?;
                let head = worktree.head()?;
                if !self.is_ancestor(&head, tip)? {
                    self.keep(&format!("history/{name}/worktree/{on}"), &head)?;
                }
            }
            self.remove(&on)?;
        }
        Ok(())
    }
}
