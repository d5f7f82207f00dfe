//! Runs a spec: everything is gathered, then one loop works until nothing is left to be done.

mod agent;
mod asking;
mod displays;
mod dry;
mod home;
mod locks;
mod means;
mod summary;
mod together;

use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::mpsc;

use crate::agent::{AgentEnv, Prompts};
use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::cli::secrets;
use crate::cli::settings::Layer;
use crate::diagnostic;
use crate::executor::{Asked, Common, Dispatcher, Finish, Job, RunError, Start, Tips, end_strays, scripts};
use crate::ids::ComponentId;
use crate::journal::{Journal, JournalError, Torn};
use crate::lifecycle::event::{Record, RunEnd, RunStarted};
use crate::lifecycle::reconcile;
use crate::lifecycle::state::RunState;
use crate::plan::graph::Index;
use crate::plan::resolve::Choices;
use crate::process::{RUN_MARK, Supervisor};
use crate::spec::load;
use crate::tree::{Git, Repository, is_elsewhere};

use home::{open_home, start_over, tree_info};
use locks::{lock, lock_work_dir};
use means::{allowed, bypasses, models};

pub(super) use agent::{find as find_agent, jobs_that_fit};
pub(super) use home::place;
pub(super) use summary::remedy;

/// Runs a spec to its end, or to the question that stops it; on a terminal it asks, and goes on with the answer.
pub fn execute(app: &App, mut args: args::Run) -> Result<ExitStatus, CliError> {
    loop {
        let (opened, state) = match run_once(app, &args)? {
            Over::Ended(status) => return Ok(status),
            Over::Asking(asking) => *asking,
        };
        match asking::ask(app, &opened, &state)? {
            asking::Outcome::Answered => {}
            asking::Outcome::Left => return Ok(ExitStatus::NeedsAnswer),
            asking::Outcome::Stopped(status) => return Ok(status),
        }
        // What was asked for once is done.
        args.fresh = false;
        args.redo.clear();
        args.message = None;
    }
}

/// How one run was over.
enum Over {
    /// With this.
    Ended(ExitStatus),
    /// With questions that can be asked here and now; the spec is not locked any more.
    Asking(Box<(Opened, RunState)>),
}

fn run_once(app: &App, args: &args::Run) -> Result<Over, CliError> {
    let choices = Choices {
        no_wait: args.no_wait,
        fail_fast: args.fail_fast,
        only: args.only.clone(),
        jobs_that_fit: agent::jobs_that_fit(),
        ..Choices::default()
    };
    let opened = app.open(args.spec.reference(), Layer::from_run(args), choices)?;
    if args.dry_run {
        return dry::execute(app, &opened, args).map(Over::Ended);
    }
    if opened.plan.components.is_empty() {
        let empty = CliError::new(ExitStatus::InvalidSpec, anyhow!("`{}` has no component yet", opened.called));
        return Err(empty.hint(format!("`cco formalize {}` makes them of a brainstorm", opened.called)));
    }
    show_remarks(app, &opened);
    allow_open_files(opened.plan.policy.jobs)?;
    opened.paths.create().context("cannot prepare the spec directory").map_err(CliError::environment)?;
    let _lock = lock(app, &opened)?;
    let redo = indices(&opened, &args.redo)?;
    if args.fresh {
        // Nothing is set aside for a run that cannot begin.
        check_only(&opened, &RunState::new(opened.plan.clone()), args)?;
        runtime()?.block_on(agent::find(app, &opened.settings, opened.paths.dir(), &work_environment(app, &opened)))?;
        start_over(app, &opened)?;
    }
    let past = Past::read(&opened)?;
    check_only(&opened, &past.state, args)?;
    if redo.is_empty() && past.is_up_to_date(&opened) && !is_branch_moved(app, &opened, &past.state) {
        if opened.unread > 0 {
            opened.remember_blank();
        }
        return summary::nothing_to_do(app, &opened, &past.state).map(Over::Ended);
    }
    refuse_to_pay_unasked(&opened, &past.state)?;
    announce(app, &opened, &past.state);
    let runtime = runtime()?;
    let result = runtime.block_on(work(app, &opened, args, past, redo));
    let (finish, state) = result?;
    opened.remember_blank();
    let status = exit_status(&state, finish);
    let asks = status == ExitStatus::NeedsAnswer && can_ask(app, args);
    summary::print(app, &opened, &state, finish, !asks)?;
    Ok(if asks { Over::Asking(Box::new((opened, state))) } else { Over::Ended(status) })
}

/// Whether somebody sits there who can be asked.
fn can_ask(app: &App, args: &args::Run) -> bool {
    let terminals = &app.environment.terminals;
    !args.no_input && !wants_json(app) && terminals.stdin && terminals.stderr
}

/// The journal as it was left, and what it tells.
struct Past {
    journal: Journal,
    torn: Option<Torn>,
    state: RunState,
    runs: u32,
}

impl Past {
    fn read(opened: &Opened) -> Result<Self, CliError> {
        let mut runs = 0;
        let (journal, replay, state) = opened.open_journal(|record: &Record| runs += starts(record))?;
        Ok(Self { journal, torn: replay.torn, state, runs })
    }

    /// Whether a run would start no process and change no state.
    fn is_up_to_date(&self, opened: &Opened) -> bool {
        let letters = fs_err::read_dir(opened.paths.inbox()).is_ok_and(|mut entries| entries.next().is_some());
        self.torn.is_none()
            && self.state.ended().is_some()
            && self.state.selection_complete()
            && !letters
            && reconcile::stale(&self.state).is_empty()
    }
}

/// Whether the user moved the integration branch since: what is there now is judged as a whole.
fn is_branch_moved(app: &App, opened: &Opened, state: &RunState) -> bool {
    let Some((branch, base)) = state.run().and_then(|run| run.tree.branch()) else { return false };
    let git = Git::new(work_environment(app, opened).check, (RUN_MARK.into(), opened.mark().into()));
    is_elsewhere(&git, &opened.spec.work_dir, branch, state.branch_tip().unwrap_or(base))
}

fn starts(record: &Record) -> u32 {
    record.events.iter().filter(|event| matches!(event, crate::lifecycle::event::Event::RunStarted(_))).count() as u32
}

async fn work(
    app: &App,
    opened: &Opened,
    args: &args::Run,
    past: Past,
    redo: Vec<Index>,
) -> Result<(Finish, RunState), CliError> {
    let mark = format!("{}-{}", opened.mark(), uuid::Uuid::new_v4());
    let mut notes: Vec<String> = past.torn.iter().map(|torn| format!("the journal was recovered: {torn}")).collect();
    if past.state.ended().is_none() {
        let strays = end_strays(&opened.mark()).await;
        if strays > 0 {
            notes.push(format!("processes that a dead run left and that were ended: {strays}"));
        }
    }
    let env = work_environment(app, opened);
    let agent = agent::find(app, &opened.settings, opened.paths.dir(), &env).await?;
    let git = Git::new(env.check.clone(), (RUN_MARK.into(), mark.clone().into()));
    let home = open_home(app, opened, &git, &past.state)?;
    let _lock = home.shared().map(|dir| lock_work_dir(app, opened, dir)).transpose()?;
    let run = RunStarted {
        run: past.runs + 1,
        plan: opened.spec.digest,
        mode: opened.plan.mode.as_str().to_owned(),
        jobs: opened.plan.policy.jobs,
        agent: agent.name.clone(),
        agent_version: agent.version.clone(),
        simulated: agent.program.simulated,
        mark: mark.clone(),
        tree: tree_info(&home, &opened.worktrees(app)?),
        only: args.only.clone(),
    };
    let supervisor = Supervisor::new(this_program()?, Arc::from(mark)).map_err(CliError::environment)?;
    let (sink, live) = mpsc::unbounded_channel();
    let tip = home.repository().map(Repository::tip).transpose().map_err(CliError::environment)?;
    let common = home.shared().map(|dir| {
        let in_flight: Vec<_> = past.state.in_flight().into_iter().map(|(attempt, _)| attempt).collect();
        let died = past.state.ended().is_none();
        let common = Common::new(dir.to_owned(), opened.paths.objects(), past.runs == 0, in_flight);
        match if died { Ok(0) } else { common.prune(opened.paths.state()) } {
            Ok(0) => {}
            Ok(gone) => tracing::info!("removed {gone} contents from `state/objects` that nothing refers to"),
            Err(error) => tracing::warn!("`state/objects` is left as it is: {error}"),
        }
        Arc::new(common)
    });
    let job = Job {
        common,
        plan: opened.plan.clone(),
        manifest: opened.spec.manifest.clone(),
        specification: opened.specification.clone(),
        context: opened.context.clone(),
        paths: opened.paths.clone(),
        work_dir: opened.spec.work_dir.clone(),
        owners: OnceLock::new(),
        scripts: scripts(&opened.plan, &opened.spec.manifest, &opened.spec.work_dir),
        tips: Tips::new(tip),
        tree: home,
        program: agent.program,
        models: models(&opened.spec, &opened.settings),
        allow: allowed(opened),
        bypass_permissions: bypasses(app, opened),
        prompts: prompts(app, opened.paths.dir())?,
        env,
        boots: agent::boots(),
        supervisor,
        live: sink,
        redactor: Arc::new(secrets::redactor(app, Some(&opened.spec))?),
    };
    let (observers, redraw) = displays::choose(app, opened, args);
    let start = Start { run, redo, guidance: args.message.clone(), notes, redraw };
    let dispatcher =
        Dispatcher::new(Arc::new(job), past.state, past.journal, observers, live).map_err(CliError::environment)?;
    dispatcher.run(start).await.map_err(CliError::from)
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        let exit = match &error {
            RunError::Journal(_) => ExitStatus::Journal,
            RunError::Illegal(_) => ExitStatus::Internal,
            RunError::Io(_) | RunError::Tree(_) | RunError::Rewritten { .. } => ExitStatus::Environment,
        };
        let is_gone = matches!(&error, RunError::Journal(JournalError::Write(why)) if why.kind() == NotFound);
        let error = Self::new(exit, error);
        if is_gone {
            return error.hint("`cco repair` shows what can be told of it by git");
        }
        if exit == ExitStatus::Journal {
            return error.hint("nothing that was recorded is lost; make room, then `cco run` carries on");
        }
        error
    }
}

/// Warnings of the manifest, so that a night's run does not begin unread.
fn show_remarks(app: &App, opened: &Opened) {
    const SHOWN: usize = 10;
    if opened.spec.diagnostics.is_empty() {
        return;
    }
    let source = load::source(&opened.spec.dir);
    let (remarks, left) = diagnostic::shown(&opened.spec.diagnostics, SHOWN);
    for remark in remarks {
        app.printer.note(diagnostic::render(remark, &source, true).trim_end());
    }
    if left > 0 {
        app.printer.note(format!("{left} more; `cco validate` shows all"));
    }
}

/// Who began with the simulated agent pays for a real one only by its name.
fn refuse_to_pay_unasked(opened: &Opened, state: &RunState) -> Result<(), CliError> {
    if opened.settings.agent.value.is_some() || !state.run().is_some_and(|run| run.simulated) {
        return Ok(());
    }
    let called = &opened.called;
    Err(CliError::usage("the last run was made with the simulated agent")
        .hint(format!("`cco run {called} --agent sim` carries on with it"))
        .hint(format!("`cco run {called} --agent claude` goes on with the real one, which costs")))
}

/// What a user should know before the first step costs anything.
fn announce(app: &App, opened: &Opened, state: &RunState) {
    if opened.plan.policy.budget_usd.is_none() {
        let (least, most) = dry::calls(opened, state);
        app.printer.note(format!("no budget is set (`--budget-usd`): {least} to {most} agent calls"));
    }
}

pub(super) fn work_environment(app: &App, opened: &Opened) -> AgentEnv {
    let longest = opened.plan.checks.iter().map(|check| check.timeout).max().unwrap_or_default();
    let vars = app.environment.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
    AgentEnv::new(vars, &opened.spec.manifest.agent.env, longest)
}

pub(super) fn prompts(app: &App, spec_dir: &Path) -> Result<Prompts, CliError> {
    let own = spec_dir.join("prompts");
    let user = app.environment.config_file().and_then(|file| Some(file.parent()?.join("prompts")));
    let dirs: Vec<&Path> = std::iter::once(own.as_path()).chain(user.as_deref()).collect();
    Prompts::load(&dirs).map_err(CliError::usage)
}

fn indices(opened: &Opened, ids: &[ComponentId]) -> Result<Vec<Index>, CliError> {
    let find = |id: &ComponentId| {
        opened.plan.index(id).ok_or_else(|| {
            let known = opened.plan.components.iter().map(|component| component.id.as_str());
            let error = CliError::usage(format!("the manifest has no component `{id}`"));
            match crate::spec::nearest::nearest(id.as_str(), known) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            }
        })
    };
    ids.iter().map(find).collect()
}

/// `--only` runs just those: an unmet dependency is an error that says what to pass.
fn check_only(opened: &Opened, state: &RunState, args: &args::Run) -> Result<(), CliError> {
    let Some(only) = &opened.plan.only else { return Ok(()) };
    let mut missing: Vec<Index> = only
        .iter()
        .flat_map(|&at| opened.plan.graph.ancestry(at))
        .filter(|at| !only.contains(at) && !state.component(*at).is_complete())
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    let id = |at: &Index| opened.plan.component(*at).id.to_string();
    let names: Vec<String> = missing.iter().map(id).collect();
    let all: Vec<String> = names.iter().cloned().chain(args.only.iter().map(ToString::to_string)).collect();
    Err(CliError::usage(format!("not complete, and needed by what `--only` names: {}", names.join(", ")))
        .hint(format!("pass `--only {}`", all.join(","))))
}

/// Sees to it that enough files may be open at once: each child holds some, and a run that meets the limit can do nothing.
fn allow_open_files(jobs: u32) -> Result<(), CliError> {
    const OWN: u64 = 32;
    const EACH: u64 = 8;
    let needed = OWN + EACH * u64::from(jobs);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), ..limit }).map_err(|_| {
        let most = limit.maximum.unwrap_or(u64::MAX);
        let why = anyhow!(
            "{} at once need {needed} open files; the limit is {most}",
            crate::text::plural(jobs as usize, "agent")
        );
        CliError::environment(why).hint("allow more: `ulimit -n 1024`, or run fewer agents: `--jobs 1`")
    })
}

/// Threads for children and their files; the loop itself stays on this one, which therefore never has a child.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    const LEAST: usize = 2;
    let threads = std::thread::available_parallelism().map_or(LEAST, |cores| cores.get().max(LEAST));
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(CliError::environment)
}

#[expect(clippy::disallowed_methods, reason = "the guard and the simulated agent are this very program")]
pub(super) fn this_program() -> Result<PathBuf, CliError> {
    std::env::current_exe().context("cannot tell where cco itself is").map_err(CliError::environment)
}

fn exit_status(state: &RunState, finish: Finish) -> ExitStatus {
    match (finish.end, finish.asked) {
        (_, Some(Asked::Interrupt)) => ExitStatus::Interrupted,
        (_, Some(Asked::Terminate)) => ExitStatus::Terminated,
        (RunEnd::Done, None) => ExitStatus::Done,
        (RunEnd::Incomplete, None) => ExitStatus::Incomplete,
        (RunEnd::NeedsAnswer, None) => ExitStatus::NeedsAnswer,
        (RunEnd::FailFast, None) if state.counts().asking > 0 => ExitStatus::NeedsAnswer,
        (RunEnd::FailFast, None) => ExitStatus::Incomplete,
        (RunEnd::Budget, None) => ExitStatus::BudgetUsed,
        (RunEnd::UsageLimit, None) => ExitStatus::UsageLimit,
        (RunEnd::Environment, None) => ExitStatus::Environment,
        (RunEnd::Interrupted, None) => ExitStatus::Interrupted,
    }
}

/// Whether records go to stdout instead of words to stderr.
fn wants_json(app: &App) -> bool {
    app.printer.format() == Format::Json
}

/// How often a live picture is drawn.
const REDRAW: Duration = Duration::from_millis(250);
