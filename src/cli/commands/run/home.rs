//! Where the components of a run work: opened, described, or set aside to start over.

use std::path::Path;

use super::{runtime, work_environment};
use crate::cli::App;
use crate::cli::error::CliError;
use crate::cli::opened::Opened;
use crate::executor::end_strays;
use crate::journal::set_aside;
use crate::lifecycle::event::TreeInfo;
use crate::lifecycle::state::RunState;
use crate::process::RUN_MARK;
use crate::tree::{Git, Home, Place, Repository, bring_back_branch, sign, uncommitted};

/// Sets journal, runs and the integration branch aside. What a dead run left is ended first: it works in the very tree
/// that is set aside, and nothing will remember it afterwards.
pub fn start_over(app: &App, opened: &Opened) -> Result<(), CliError> {
    runtime()?.block_on(end_strays(&opened.mark()));
    let now = app.environment.started;
    let env = work_environment(app, opened);
    let mark = format!("{}-fresh", opened.mark());
    let git = Git::new(env.check, (RUN_MARK.into(), mark.into()));
    if !opened.plan.one_tree {
        let name = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        // Whether the last run died is in the journal, which may be the very reason to start over.
        let place = place(app, opened, None, true)?;
        Repository::set_aside(git, &place, &opened.reference, &name).map_err(CliError::environment)?;
    }
    if let Some(history) = set_aside(&opened.paths, now).map_err(CliError::environment)? {
        app.printer.note(format!("starting over; what was there is in `{}`", history.display()));
    }
    opened.paths.create().map_err(CliError::environment)
}

/// What the home is opened from. `known_base` is the commit that the branch began at, as the journal knows it.
pub fn place(app: &App, opened: &Opened, known_base: Option<String>, after_crash: bool) -> Result<Place, CliError> {
    let execution = &opened.spec.manifest.execution;
    let name = opened.reference.rsplit('/').next().unwrap_or(&opened.reference);
    Ok(Place {
        work_dir: opened.spec.work_dir.clone(),
        worktrees: opened.worktrees(app)?,
        branch: execution.branch.clone().unwrap_or_else(|| format!("cco/{name}")),
        known_base,
        base: execution.base.clone(),
        after_crash,
    })
}

/// Opens the home, and says what a user should know of it before anything begins.
pub fn open_home(app: &App, opened: &Opened, git: &Git, state: &RunState) -> Result<Home, CliError> {
    let known_base = state.run().and_then(|run| run.tree.branch()).map(|(_, base)| base.to_owned());
    let first = known_base.is_none();
    let place = place(app, opened, known_base, state.ended().is_none())?;
    if let Some(tip) = state.branch_tip().filter(|_| !opened.plan.one_tree)
        && bring_back_branch(git, &place, tip).map_err(CliError::environment)?
    {
        app.printer.note(format!("the branch `{}` was removed; it begins again at {tip}", place.branch));
    }
    let home = Home::open(git.clone(), &place, &opened.reference, opened.plan.one_tree);
    let home = home.map_err(CliError::environment)?;
    match &home {
        Home::Shared(dir) => {
            app.printer.warning(format!(
                "components work in `{}` itself; nothing is committed, and what a writer changes there that it may not is an \
                 issue and not undone (what a reviewer changes is)",
                dir.display()
            ));
        }
        Home::Repository(_) if first => {
            let left = uncommitted(git, &place.work_dir).map_err(CliError::environment)?;
            if !left.is_empty() {
                app.printer.warning(format!(
                    "{} in `{}` are not included in the run, since they are not committed",
                    crate::text::plural(left.len(), "change"),
                    place.work_dir.display()
                ));
            }
        }
        Home::Repository(_) => {}
    }
    if home.repository().is_some()
        && let Err(error) = sign(&place.worktrees, opened.paths.dir(), &place.work_dir)
    {
        tracing::warn!("`cco clean` will not know whose worktrees these are: {error}");
    }
    Ok(home)
}

/// The home as it is recorded.
pub fn tree_info(home: &Home, worktrees: &Path) -> TreeInfo {
    match home {
        Home::Shared(dir) => TreeInfo::Shared { dir: dir.display().to_string() },
        Home::Repository(repository) => TreeInfo::Worktrees {
            dir: worktrees.display().to_string(),
            branch: repository.branch().to_owned(),
            base: repository.base().to_owned(),
        },
    }
}
