//! A state without a journal, rebuilt from what git tells: where the work is, and nothing of how good it is.

use std::collections::BTreeSet;

use anyhow::anyhow;

use crate::cli::App;
use crate::cli::commands::run::{place, work_environment};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::{FoldError, Opened};
use crate::fsx;
use crate::journal::{Journal, JournalError, set_aside};
use crate::lifecycle::event::{Author, Event, FORMAT, FoundLanding, FoundTip, RunStarted, TreeInfo};
use crate::lifecycle::rebuilt::{LandedTrace, Outlook, TipTrace, Traces, implements, outlook};
use crate::process::RUN_MARK;
use crate::tree::{Git, Repository, Told, ToldLanding, ToldTip};

/// What git tells of a spec whose records are lost.
pub struct Rebuild {
    /// What its commits say.
    pub told: Told,
    /// What the next run would go on from.
    pub outlook: Outlook,
    /// The integration branch.
    pub branch: String,
}

impl Rebuild {
    /// Looks at what is there; none where components share the work directory, or git tells nothing. Touches nothing.
    ///
    /// # Errors
    /// Git's own.
    pub fn look(app: &App, opened: &Opened) -> Result<Option<Self>, CliError> {
        if opened.plan.one_tree {
            return Ok(None);
        }
        let repository = repository(app, opened)?;
        let told = repository.told().map_err(CliError::environment)?;
        let branch = repository.branch().to_owned();
        let tells = |told: &Told| !(told.landed.is_empty() && told.tips.is_empty() && told.not_believed.is_empty());
        Ok(told.filter(tells).map(|told| Self { outlook: outlook(&opened.plan, &traces(&told)), told, branch }))
    }

    /// Whether there is anything that a run could go on from.
    pub fn is_worth_it(&self) -> bool {
        !self.outlook.rebuilt.work.is_empty()
    }

    /// Makes it the state of the spec. What is in the way is set aside: what worktrees hold as commits, files of `runs/`
    /// and `inbox/` in `state/history/`. The spec's lock must be held, and nothing of it may run.
    ///
    /// The journal comes last and by one rename: until then there is none, and this can be done again.
    ///
    /// # Errors
    /// Git's own, or something cannot be written; nothing is lost.
    pub fn apply(&self, app: &App, opened: &Opened) -> Result<String, CliError> {
        let now = app.environment.started;
        let name = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let place = place(app, opened, Some(self.told.base.clone()), true)?;
        // As a run does: frees what a killed git left, and sees to it that nobody has the branch checked out.
        let repository =
            Repository::open(git(app, opened), &place, &opened.reference).map_err(CliError::environment)?;
        if repository.tip().map_err(CliError::environment)? != self.told.tip {
            let moved = anyhow!("the branch `{}` was moved meanwhile", self.branch);
            return Err(CliError::new(ExitStatus::Environment, moved).hint("nothing was changed; try again"));
        }
        let taken: BTreeSet<String> = self.outlook.rebuilt.work.iter().map(|work| format!("tip/{}", work.on)).collect();
        repository.make_way(&name, &|tip| taken.contains(tip)).map_err(CliError::environment)?;
        set_aside(&opened.paths, now).map_err(CliError::environment)?;
        opened.paths.create().map_err(CliError::environment)?;
        let tree = TreeInfo::Worktrees {
            dir: opened.worktrees(app)?.display().to_string(),
            branch: self.branch.clone(),
            base: self.told.base.clone(),
        };
        self.write(app, opened, tree).map_err(|error| FoldError::from(error).of(&opened.called))?;
        Ok(format!("refs/cco/{}/history/{name}/", opened.reference))
    }

    fn write(&self, app: &App, opened: &Opened, tree: TreeInfo) -> Result<(), JournalError> {
        let path = opened.paths.state().join("journal.rebuilt.jsonl");
        // What an earlier try left of it.
        match fs_err::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(JournalError::Write(error)),
            Ok(()) | Err(_) => {}
        }
        let (mut journal, _) = Journal::open(&path, |_| Ok::<_, JournalError>(()))?;
        let by = || Author::User(app.login().into());
        let now = app.environment.started;
        let (spec, cco) = (opened.reference.clone(), env!("CARGO_PKG_VERSION").to_owned());
        journal.stage(now, by(), vec![Event::JournalOpened { format: FORMAT, cco, spec }]);
        // The run that did the work, as far as anything is known of it.
        let run = RunStarted {
            run: 1,
            plan: opened.spec.digest,
            mode: opened.plan.mode.as_str().to_owned(),
            jobs: opened.plan.policy.jobs,
            agent: "unknown".to_owned(),
            agent_version: None,
            simulated: self.told.landed.iter().any(|landing| landing.told.simulated),
            mark: format!("{}-{}", opened.mark(), uuid::Uuid::new_v4()),
            tree,
            only: Vec::new(),
        };
        let rebuilt = Event::StateRebuilt(Box::new(self.outlook.rebuilt.clone()));
        journal.stage(now, by(), vec![Event::RunStarted(Box::new(run)), rebuilt]);
        journal.commit()?;
        fsx::rename(&path, &opened.paths.journal()).map_err(JournalError::Write)
    }
}

/// What can be done where the integration branch of an earlier run is not here, if anything tells of one.
///
/// # Errors
/// Git's own.
pub fn without_branch(app: &App, opened: &Opened) -> Result<Option<String>, CliError> {
    if opened.plan.one_tree {
        return Ok(None);
    }
    let repository = repository(app, opened)?;
    if repository.known_tip().map_err(CliError::environment)?.is_some() {
        return Ok(None);
    }
    let branch = repository.branch();
    if let Some(remote) = repository.remote_branch().map_err(CliError::environment)? {
        return Ok(Some(format!("`git branch {branch} {remote}` brings the branch of an earlier run here")));
    }
    let kept = repository.kept().map_err(CliError::environment)?;
    let kept = kept.iter().find(|kept| kept.name.starts_with("tip/"));
    Ok(kept.map(|kept| {
        format!(
            "`refs/cco/{}/{}` keeps work of an earlier run, whose branch `{branch}` is gone; `git branch {branch} COMMIT` \
             brings it back",
            opened.reference, kept.name
        )
    }))
}

fn repository(app: &App, opened: &Opened) -> Result<Repository, CliError> {
    let place = place(app, opened, None, false)?;
    Repository::look(git(app, opened), &place, &opened.reference).map_err(CliError::environment)
}

fn git(app: &App, opened: &Opened) -> Git {
    let mark = format!("{}-repair", opened.mark());
    Git::new(work_environment(app, opened).check, (RUN_MARK.into(), mark.into()))
}

/// What the commits tell, for the core to judge.
fn traces(told: &Told) -> Traces {
    let branch = told.landed.last().map_or(&told.base, |landing| &landing.commit).clone();
    Traces { branch, landed: told.landed.iter().map(landed).collect(), tips: told.tips.iter().map(tip).collect() }
}

fn landed(landing: &ToldLanding) -> LandedTrace {
    let ToldLanding { commit, onto, tree, told } = landing;
    let conflicts = told.resolved.iter().flat_map(|resolved| resolved.files.iter().cloned()).collect();
    LandedTrace {
        landing: FoundLanding {
            attempt: told.attempt.clone(),
            commit: commit.as_str().into(),
            onto: onto.as_str().into(),
            tree: tree.as_str().into(),
            conflicts,
        },
        input: told.input,
    }
}

fn tip(told: &ToldTip) -> TipTrace {
    let implemented = told.steps.iter().find(|(_, attempt)| implements(&attempt.step));
    TipTrace {
        on: told.on.clone(),
        tip: FoundTip {
            first: told.first.as_str().into(),
            last: told.last.as_str().into(),
            implemented: implemented.map(|(commit, _)| commit.as_str().into()),
        },
        attempts: told.steps.iter().map(|(_, attempt)| attempt.clone()).collect(),
        input: told.input,
    }
}
