//! The commands that prove the whole, run again on the commit of the branch, and compared with what is on record.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use tokio::sync::watch;

use super::gather::Gathered;
use super::look::git;
use crate::cli::App;
use crate::cli::commands::run::{place, runtime, this_program, work_environment};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::secrets;
use crate::executor::{Again, Asked, Bench, NoPlace, Signals, run_again};
use crate::ids::{Digest, Subject};
use crate::journal::{Holder, LockError, RunLock};
use crate::lifecycle::event::{CheckResult, Verdict};
use crate::plan::CheckPlan;
use crate::process::{Stop, Supervisor};
use crate::proof::{Branch, Item, Judgement, Standing};
use crate::tree::Repository;

/// What a command came to that was run again.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// Its name.
    pub check: Arc<str>,
    /// What it came to today.
    pub verdict: Verdict,
    /// Its exit status today.
    pub exit: Option<i32>,
    /// The digest of its output today.
    pub output: Digest,
    /// Whether that is the output on record; null where none is. Times and paths make it another one, which says
    /// nothing against it.
    pub same_output: Option<bool>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Why it did not pass.
    pub note: Option<String>,
}

/// Runs the commands again; what does not pass now lowers what was judged.
///
/// # Errors
/// There is no git, no branch, or no place to run in; somebody else does the same; cco was told to stop.
pub fn rerun(app: &App, gathered: &Gathered, judgement: &mut Judgement) -> Result<Vec<Compared>, CliError> {
    let opened = &gathered.opened;
    let Some(branch) = &gathered.facts.branch else {
        let why = anyhow!("without git there is no tree to run the commands on again");
        return Err(CliError::environment(why).hint("`cco run` validates what is in the work directory"));
    };
    let Some(tip) = &branch.tip else {
        return Err(CliError::environment(anyhow!("there is no branch `{}` to run the commands on", branch.name))
            .hint("`cco run` makes it"));
    };
    let checks: Vec<&CheckPlan> = judgement.required.iter().map(|check| opened.plan.check(*check)).collect();
    let again = run(app, gathered, branch, tip, &checks)?;
    let mut out = Vec::with_capacity(again.results.len());
    for result in again.results {
        let what = format!("check:{}", result.check);
        lower(judgement, gathered, &what, &result);
        out.push(compared(&judgement.whole, &what, result));
    }
    Ok(out)
}

/// What passed on record and does not pass now, on the same tree, is not what proves it.
fn lower(judgement: &mut Judgement, gathered: &Gathered, what: &str, result: &CheckResult) {
    let (standing, why) = match result.verdict {
        Verdict::Pass => return,
        Verdict::Fail => (Standing::Contradicted, "run again on the branch, it fails"),
        Verdict::Unavailable => (Standing::Unproven, "run again on the branch, it could not be run"),
    };
    let of = |item: &Item| item.claims.iter().find(|claim| claim.what == what).map(|claim| claim.standing);
    // What was taken as it is may fail again.
    if of(&judgement.whole) == Some(Standing::Waived) {
        return;
    }
    judgement.whole.lower(what, standing, why.to_owned());
    let Some(check) = gathered.opened.plan.check_named(&result.check) else { return };
    for item in &mut judgement.components {
        let Subject::Component(id) = &item.on else { continue };
        let component = gathered.opened.plan.index(id).map(|at| gathered.opened.plan.component(at));
        if component.is_some_and(|component| component.checks.contains(&check)) {
            item.lower(what, standing, why.to_owned());
        }
    }
}

fn compared(whole: &Item, what: &str, result: CheckResult) -> Compared {
    let claim = whole.claims.iter().find(|claim| claim.what == what);
    let recorded = claim.and_then(|claim| claim.basis.first()).and_then(|basis| basis.output);
    let output = result.evidence.output;
    let note = match result.verdict {
        Verdict::Pass => None,
        Verdict::Fail | Verdict::Unavailable => result.issues.into_iter().next().map(|issue| issue.text),
    };
    Compared {
        check: result.check,
        verdict: result.verdict,
        exit: result.evidence.exit,
        output,
        same_output: recorded.map(|recorded| recorded == output),
        ms: result.evidence.ms,
        note: note.or(result.note),
    }
}

fn run(app: &App, gathered: &Gathered, branch: &Branch, tip: &str, checks: &[&CheckPlan]) -> Result<Again, CliError> {
    let opened = &gathered.opened;
    let _lock = lock(app, gathered)?;
    let base = gathered.ledger.run().and_then(|run| run.tree.branch()).map(|(_, base)| base.to_owned());
    let mut place = place(app, opened, base, false)?;
    // The branch on record, whatever the manifest calls it today.
    place.branch.clone_from(&branch.name);
    let repository = Repository::open(git(app, opened), &place, &opened.reference).map_err(CliError::environment)?;
    let logs = tempfile::Builder::new().prefix("cco-verify-").tempdir().context("cannot make a directory");
    let logs = logs.map_err(CliError::environment)?;
    let mark = format!("verify-{}-{}", opened.mark(), uuid::Uuid::new_v4());
    let env = work_environment(app, opened);
    let redactor = Arc::new(secrets::redactor(app, Some(&opened.spec))?);
    let runtime = runtime()?;
    let (ran, asked) = runtime.block_on(async {
        let supervisor = Supervisor::new(this_program()?, Arc::from(mark)).map_err(CliError::environment)?;
        let bench = Bench {
            execution: &opened.spec.manifest.execution,
            work_dir: &opened.spec.work_dir,
            env: &env.check,
            names: Bench::names_of_the_run(&opened.plan),
            logs: logs.path(),
            supervisor: &supervisor,
            redactor: &redactor,
        };
        let mut signals = Signals::new().map_err(CliError::environment)?;
        let (stop, stopped) = watch::channel(Stop::Run);
        let mut work = std::pin::pin!(run_again(&bench, &repository, tip, checks, &stopped));
        let mut asked = None;
        let ran = loop {
            tokio::select! {
                ran = &mut work => break ran,
                signal = signals.next() => {
                    let how = if asked.is_none() { Stop::Stop } else { Stop::Kill };
                    asked.get_or_insert(signal);
                    stop.send_replace(how);
                }
            }
        };
        supervisor.finish().await;
        Ok::<_, CliError>((ran, asked))
    })?;
    ran.map_err(|no_place| match (no_place, asked) {
        (NoPlace::Failed(why), _) => CliError::environment(anyhow!("the commands cannot be run again: {why}")),
        (NoPlace::Stopped, Some(Asked::Terminate)) => CliError::new(ExitStatus::Terminated, anyhow!("stopped")),
        (NoPlace::Stopped, _) => CliError::new(ExitStatus::Interrupted, anyhow!("stopped")),
    })
}

/// One at a time for each spec: the worktree has one name.
fn lock(app: &App, gathered: &Gathered) -> Result<RunLock, CliError> {
    let opened = &gathered.opened;
    let state = app.environment.state_dir().context("there is no home directory").map_err(CliError::environment)?;
    let locks = state.join("locks");
    crate::fsx::create_dir_private(&locks).map_err(CliError::environment)?;
    let command = format!("cco verify {} --rerun", opened.called);
    let holder = Holder::this_process(app.environment.started, command);
    RunLock::acquire(&locks.join(format!("verify-{}", opened.mark())), &holder).map_err(|error| match error {
        LockError::Held { .. } => {
            CliError::new(ExitStatus::Locked, anyhow!("`{}` is being verified: {error}", opened.reference))
        }
        LockError::Io(_) => CliError::environment(error),
    })
}
