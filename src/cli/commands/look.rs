//! A spec between two runs: nobody works on it, and its repository is looked at without changing anything.

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;

use super::run::{place, work_environment};
use crate::agent::AgentEnv;
use crate::cli::App;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::ids::Subject;
use crate::journal::{Holder, LockError, RunLock, SpecPaths};
use crate::lifecycle::event::TreeInfo;
use crate::lifecycle::state::RunState;
use crate::lifecycle::subject::{Phase, SubjectState};
use crate::process::RUN_MARK;
use crate::tree::{Git, Place, Repository};

/// The lock of a spec, so that no run begins meanwhile; none where no run ever began.
///
/// # Errors
/// A run lives (5), or the lock cannot be taken.
pub fn hold(app: &App, paths: &SpecPaths, spec: &str, command: &str) -> Result<Option<RunLock>, CliError> {
    if !paths.state().exists() {
        return Ok(None);
    }
    let this = Holder::this_process(app.environment.started, format!("cco {command} {spec}"));
    RunLock::acquire(&paths.lock(), &this).map(Some).map_err(|error| match error {
        LockError::Held { .. } => CliError::new(ExitStatus::Locked, anyhow!("`{spec}` is being worked on: {error}"))
            .hint(format!("`cco stop {spec}` stops it; `cco status {spec} --watch` shows it until it ends")),
        LockError::Io(_) => CliError::environment(error),
    })
}

/// Whether nothing is left to be done for a spec: all that the user did not leave out is complete, and so is the whole.
pub fn is_finished(state: &RunState) -> bool {
    state.ended().is_some() && state.completed().is_some() && unfinished(state).next().is_none()
}

/// The components that are not complete, but for those that the user left out, and what needs these.
pub fn unfinished(state: &RunState) -> impl Iterator<Item = (&SubjectState, Subject)> {
    let left_out = |it: &SubjectState| match it.phase {
        Phase::Complete(_) | Phase::Skipped => true,
        // The whole is never judged while anybody asks or has failed, so that what it waits for was left out.
        Phase::Waiting(_) => it.is_stuck() && state.counts().asking == 0 && state.counts().failed == 0,
        Phase::Working(_) | Phase::Validating(_) | Phase::Voting(_) | Phase::Asking(_) | Phase::Failed => false,
    };
    let all = (0..state.run_index()).map(|at| (state.component(at), state.name(at)));
    all.filter(move |(it, _)| !left_out(it))
}

/// Whether the last run of a spec worked in the work directory itself.
pub fn is_shared(opened: &Opened, state: &RunState) -> bool {
    state.run().map_or(opened.plan.one_tree, |run| matches!(run.tree, TreeInfo::Shared { .. }))
}

/// The repository that the runs of a spec worked in, with the branch that they worked for.
///
/// # Errors
/// There is no such repository any more, or git cannot read it.
pub fn repository(app: &App, opened: &Opened, state: &RunState) -> Result<Repository, CliError> {
    let tree = state.run().map(|run| &run.tree);
    let mut place = place(app, opened, None, false)?;
    // What the runs worked for, whatever the manifest says now.
    if let Some((branch, base)) = tree.and_then(TreeInfo::branch) {
        (place.branch, place.known_base) = (branch.to_owned(), Some(base.to_owned()));
    }
    let git = Git::new(work_environment(app, opened).check, (RUN_MARK.into(), opened.mark().into()));
    Repository::look(git, &place, &opened.reference).map_err(CliError::environment)
}

/// The repository of a spec that is gone, by what its worktrees' directory says of itself. The branch is what it would be
/// without a word of the manifest's.
///
/// # Errors
/// There is no such repository any more, or git cannot read it.
pub fn repository_of_gone(app: &App, worktrees: &Path, work_dir: &Path, spec: &str) -> Result<Repository, CliError> {
    let vars = app.environment.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
    let git = Git::new(AgentEnv::new(vars, &[], Duration::ZERO).check, (RUN_MARK.into(), "clean".into()));
    let place = Place {
        work_dir: work_dir.to_owned(),
        worktrees: worktrees.to_owned(),
        branch: format!("cco/{}", spec.rsplit('/').next().unwrap_or(spec)),
        known_base: None,
        base: None,
        after_crash: false,
    };
    Repository::look(git, &place, spec).map_err(CliError::environment)
}
