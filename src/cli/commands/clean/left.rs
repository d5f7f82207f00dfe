//! What one spec left: looked at, judged, and taken away.

use std::path::{Path, PathBuf};

use super::report::{Branch, Fate, Other, Ref, Spec, Status, Worktree};
use crate::cli::error::CliError;
use crate::ids::Subject;
use crate::lifecycle::state::RunState;
use crate::tree::{Kept, Owner, Repository, Standing, TreeError, beside, remove_beside, remove_if_empty, size_on_disk};

/// What the user wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// Remove, not only list.
    pub(super) remove: bool,
    /// Also what would be lost.
    pub(super) force: bool,
    /// Also the integration branch, merged or not.
    pub(super) branch: bool,
}

/// What is known of the spec that left it.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    /// One that is there, and whether it is finished.
    There(&'a RunState, bool),
    /// One that is there and not finished, and keeps all it has whatever is forced.
    Spared,
    /// One that is gone.
    Gone,
}

impl Of<'_> {
    /// Why what belongs to `on` stays (nobody's: none), if it does.
    fn fate(self, on: Option<&Subject>, wish: Wish) -> Option<Fate> {
        match self {
            Of::Spared => Some(Fate::kept("the spec is not complete")),
            _ if wish.force => None,
            Of::There(_, false) => Some(Fate::stays("the spec is not complete (--force)")),
            Of::There(state, true) => {
                // The whole is complete where the spec is.
                let on = on.filter(|on| **on != Subject::Run)?;
                match state.subject(on) {
                    Some(it) if it.is_complete() => None,
                    Some(_) => Some(Fate::stays(format!("`{on}` is not complete (--force)"))),
                    None => Some(Fate::stays(format!("the manifest has no `{on}` any more (--force)"))),
                }
            }
            Of::Gone => None,
        }
    }

    /// Whose a kept commit is, where that decides whether it stays: the first component that is not complete and that its
    /// name may speak of.
    fn open_owner(self, name: &str) -> Option<Subject> {
        let Of::There(state, _) = self else { return None };
        let of = name.split_once('/').map_or(name, |(_, of)| of);
        let names = |on: &Subject| {
            let rest = of.strip_prefix(on.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
        };
        let open = (0..state.run_index()).filter(|&at| !state.component(at).is_complete()).map(|at| state.name(at));
        open.chain(state.removed().cloned().map(Subject::Component)).find(names)
    }
}

/// What is there of a spec in its repository, looked at.
pub(super) struct Left<'a> {
    repository: &'a Repository,
    dir: &'a Path,
    standing: Vec<Standing>,
    others: Vec<PathBuf>,
    kept: Vec<Kept>,
    tip: Option<String>,
}

impl<'a> Left<'a> {
    pub(super) fn look(repository: &'a Repository, dir: &'a Path) -> Result<Self, CliError> {
        let look = || {
            Ok::<_, TreeError>(Self {
                standing: repository.worktrees()?,
                others: beside(dir),
                kept: repository.kept()?,
                tip: repository.known_tip()?,
                repository,
                dir,
            })
        };
        look().map_err(CliError::environment)
    }

    /// Says of each what becomes of it.
    pub(super) fn judge(&self, spec: &mut Spec, of: Of<'_>, wish: Wish) -> Result<(), CliError> {
        spec.repository = Some(self.repository.top().display().to_string());
        for it in &self.standing {
            let fate = self.fate_of(it, of, wish).map_err(CliError::environment)?;
            spec.worktrees.push(Worktree {
                of: match &it.owner {
                    Owner::Subject(on) => on.to_string(),
                    Owner::Fresh(name) => name.clone(),
                },
                path: it.root.display().to_string(),
                bytes: size_on_disk(&it.root),
                head: it.head.clone(),
                uncommitted: it.uncommitted,
                ignored: it.ignored,
                fate,
            });
        }
        for path in &self.others {
            let lost =
                || if wish.force { Fate::goes() } else { Fate::stays("no commit holds what is in it (--force)") };
            let fate = of.fate(None, wish).unwrap_or_else(lost);
            spec.others.push(Other { path: path.display().to_string(), bytes: size_on_disk(path), fate });
        }
        for it in &self.kept {
            let gone = matches!(of, Of::Gone) && !wish.force;
            let lost =
                || if gone { Fate::stays("it may be all that is left of the work (--force)") } else { Fate::goes() };
            let fate = of.fate(of.open_owner(&it.name).as_ref(), wish).unwrap_or_else(lost);
            let name = format!("refs/cco/{}/{}", spec.spec, it.name);
            spec.refs.push(Ref { name, commit: it.commit.clone(), fate });
        }
        if let Some(tip) = &self.tip {
            let merged = self.repository.is_in_users_branch(tip).map_err(CliError::environment)?;
            let fate = self.fate_of_branch(merged, of, wish).map_err(CliError::environment)?;
            let name = self.repository.branch().to_owned();
            spec.branch = Some(Branch { name, tip: tip.clone(), merged, fate });
        }
        Ok(())
    }

    fn fate_of(&self, it: &Standing, of: Of<'_>, wish: Wish) -> Result<Fate, TreeError> {
        let on = match &it.owner {
            Owner::Subject(on) => Some(on),
            Owner::Fresh(_) => None,
        };
        if let Some(fate) = of.fate(on, wish) {
            return Ok(fate);
        }
        if wish.force {
            return Ok(Fate::goes());
        }
        if it.uncommitted {
            return Ok(Fate::stays("it holds changes that no commit holds (--force)"));
        }
        Ok(match &it.head {
            Some(head) if !self.repository.is_held(head)? => {
                Fate::stays("no branch and no ref leads to its commit (--force)")
            }
            None if self.repository.is_strange(&it.owner)? => {
                Fate::stays("it is no worktree, and there is something in it (--force)")
            }
            Some(_) | None => Fate::goes(),
        })
    }

    fn fate_of_branch(&self, merged: bool, of: Of<'_>, wish: Wish) -> Result<Fate, TreeError> {
        if let Some(dir) = self.repository.branch_in_use()? {
            let why = format!("it is checked out in `{}`", dir.display());
            return Ok(if wish.branch { Fate::stays(why) } else { Fate::kept(why) });
        }
        if !wish.branch && !merged {
            return Ok(Fate::kept("the branch that you have checked out does not hold it (--branch)"));
        }
        Ok(of.fate(None, wish).unwrap_or_else(Fate::goes))
    }

    /// Those whose worktree goes, with the work directory in it.
    pub(super) fn going(&self, spec: &Spec) -> Vec<(&Subject, PathBuf)> {
        let mut going = Vec::new();
        for (it, left) in self.standing.iter().zip(&spec.worktrees) {
            if let (true, Some(_), Owner::Subject(on)) = (goes(&left.fate), &it.head, &it.owner) {
                going.push((on, self.repository.dir_of(on)));
            }
        }
        going
    }

    /// Takes away what goes, the worktrees first: what is not reached is found the next time.
    pub(super) fn remove(&self, spec: &mut Spec) -> Result<(), CliError> {
        let mut remove = || {
            for (it, left) in self.standing.iter().zip(&mut spec.worktrees).filter(|(_, left)| goes(&left.fate)) {
                self.repository.clear_out(&it.owner)?;
                left.fate.removed = true;
            }
            for (path, left) in self.others.iter().zip(&mut spec.others).filter(|(_, left)| goes(&left.fate)) {
                remove_beside(path)?;
                left.fate.removed = true;
            }
            let (kept, left): (Vec<_>, Vec<_>) =
                self.kept.iter().cloned().zip(&mut spec.refs).filter(|(_, left)| goes(&left.fate)).unzip();
            self.repository.forget_all(&kept)?;
            left.into_iter().for_each(|left| left.fate.removed = true);
            if let (Some(tip), Some(left)) = (&self.tip, spec.branch.as_mut().filter(|left| goes(&left.fate))) {
                self.repository.remove_branch(tip)?;
                left.fate.removed = true;
            }
            Ok::<_, TreeError>(())
        };
        remove().map_err(CliError::environment)?;
        // Without it nobody would know of the commits that are kept, once the spec is gone.
        if spec.refs.iter().all(|left| left.fate.removed) {
            remove_if_empty(self.dir);
        }
        Ok(())
    }
}

fn goes(fate: &Fate) -> bool {
    fate.stays.is_none()
}

/// What is left of a spec whose repository is gone too: files, which nobody can say anything of.
pub(super) fn judge_files(spec: &mut Spec, dir: &Path, why: &str, wish: Wish) {
    spec.status = if spec.status == Status::Gone { Status::Gone } else { Status::Unknown };
    spec.why = Some(why.to_owned());
    let fate = if wish.force { Fate::goes() } else { Fate::stays("what is in it cannot be told (--force)") };
    spec.others.push(Other { path: dir.display().to_string(), bytes: size_on_disk(dir), fate });
}
