//! Commands that passed are run again, in a fresh worktree of the commit, to see whether they pass today.

use tokio::sync::watch;

use super::bench::Bench;
use super::fresh::Place;
use super::prepare::NoPlace;
use crate::check::{self, Ran};
use crate::ids::{AttemptId, Step, Subject};
use crate::lifecycle::event::{CheckResult, Verdict};
use crate::plan::CheckPlan;
use crate::process::Stop;
use crate::tree::{Fresh, Repository, TreeError};

/// The name of the worktree.
const NAME: &str = "verify";

/// What commands came to that were run again.
#[derive(Debug, Clone, PartialEq)]
pub struct Again {
    /// The tree that they ran on.
    pub tree: String,
    /// What each came to, in the order in which they were given.
    pub results: Vec<CheckResult>,
}

/// Runs `checks` one after another in a fresh worktree of `commit`, prepared as that of the final validation is. One that
/// fails is run once more, as ever. The worktree goes again, however it ends.
///
/// # Errors
/// [`NoPlace`]: the worktree cannot be made or prepared, or cco was told to stop.
pub async fn run_again(
    bench: &Bench<'_>,
    repository: &Repository,
    commit: &str,
    checks: &[&CheckPlan],
    stop: &watch::Receiver<Stop>,
) -> Result<Again, NoPlace> {
    let failed = |error: TreeError| NoPlace::Failed(format!("no fresh worktree can be made: {error}"));
    let Fresh { dir, tree } = tokio::task::block_in_place(|| repository.fresh(NAME, commit)).map_err(failed)?;
    let place = Place { dir, tree: Some(tree.clone()) };
    let ran = in_place(bench, &place, checks, stop).await;
    bench.tear_down(&place.dir, &attempt("teardown", 1)).await;
    let gone = tokio::task::block_in_place(|| repository.discard_fresh(NAME));
    if let Err(error) = gone {
        tracing::warn!("the worktree of the proof stays: {error}");
    }
    Ok(Again { tree, results: ran? })
}

async fn in_place(
    bench: &Bench<'_>,
    place: &Place,
    checks: &[&CheckPlan],
    stop: &watch::Receiver<Stop>,
) -> Result<Vec<CheckResult>, NoPlace> {
    bench.set_up(&place.dir, &attempt("setup", 1), stop).await?;
    let mut results = Vec::with_capacity(checks.len());
    for check in checks {
        let mut result = once(bench, place, check, 1, stop).await?;
        if result.verdict == Verdict::Fail {
            result = once(bench, place, check, 2, stop).await?;
        }
        results.push(result);
    }
    Ok(results)
}

async fn once(
    bench: &Bench<'_>,
    place: &Place,
    check: &CheckPlan,
    n: u32,
    stop: &watch::Receiver<Stop>,
) -> Result<CheckResult, NoPlace> {
    let attempt = attempt(&check.name, n);
    let log = bench.logs.join(format!("{}.log", attempt.file_stem()));
    match check::run(bench.supervisor, bench.check(check, &attempt, place, log), stop.clone()).await {
        Ran::Checked(result) => Ok(result),
        Ran::Interrupted => Err(NoPlace::Stopped),
    }
}

fn attempt(check: &str, n: u32) -> AttemptId {
    AttemptId { on: Subject::Run, step: Step::Check(check.into()), n }
}
