//! Makes the manifest of a brainstorm: everything is gathered, then one loop judges, drafts, checks and mends.

mod shown;
mod spec;
mod words;

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use tokio::sync::mpsc;

use super::run::{find_agent, prompts, runtime, this_program};
use crate::agent::AgentProgram;
use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::{mark, wanted_worktrees, worktrees};
use crate::cli::secrets;
use crate::executor::formalize::{
    Desk, Finish, FormalizeError, Formalizer, Ground, Input, Log, LogError, create, set_aside,
};
use crate::executor::{Asked, end_strays};
use crate::formalize::ROUNDS;
use crate::formalize::event::{Begun, Over};
use crate::formalize::state::{Stage, State};
use crate::journal::{Holder, LockError, RunLock};
use crate::plan::Policy;
use crate::process::{RUN_MARK, Supervisor};
use crate::spec::load;
use crate::text::plural;
use crate::tree::{Git, Place, sign, uncommitted};
use spec::Unplanned;

/// Formalizes, carries on where the last one stopped, or shows what there is.
pub fn execute(app: &App, args: args::Formalize) -> Result<ExitStatus, CliError> {
    let entry = app.find_spec(args.spec.reference())?;
    if args.show {
        let (paths, called) = (crate::journal::SpecPaths::new(&entry.path), app.called(&entry)?);
        let (_, state) = Log::open(&paths, &entry.reference()).map_err(|error| damaged(error, &called))?;
        return shown::show(app, &entry.reference(), &called, &paths, &state);
    }
    let spec = Unplanned::read(app, &entry, &args)?;
    spec.paths.create().map_err(CliError::environment)?;
    let _lock = lock(app, &spec)?;
    let input = Input::read(&spec.paths, spec.text.clone(), &spec.base).map_err(CliError::environment)?;
    if input.documents.is_empty() {
        let error = anyhow!("there is nothing to formalize: brainstorm/ and SPEC.md of `{}` say nothing", spec.called);
        return Err(CliError::new(ExitStatus::NeedsAnswer, error).hint(format!(
            "write what is wanted into `{}`, or draft it with /spec in Claude Code",
            spec.paths.brainstorm().join("MISSION.md").display()
        )));
    }
    let Past { log, state, judged, agent } = begin(app, &args, &spec, &input)?;
    // Where the last one was killed before it said that it had ended, what it left is seen to first.
    match state.stage() {
        Stage::Written if state.over().is_some() => {
            shown::print(app, &spec.called, &spec.paths, &state, ExitStatus::Done)?;
            let note = "the manifest is made of this brainstorm already; `--fresh` makes it anew";
            app.printer.note(note);
            return Ok(ExitStatus::Done);
        }
        // Nothing was changed since it was judged: the judgement was paid for.
        Stage::NotReady if state.over().is_some() && !args.no_gate => {
            shown::print(app, &spec.called, &spec.paths, &state, ExitStatus::NeedsAnswer)?;
            app.printer.note("brainstorm/ and SPEC.md are as they were when they were judged");
            return Ok(ExitStatus::NeedsAnswer);
        }
        Stage::NotReady | Stage::Judging | Stage::Drafting(_) | Stage::Writing | Stage::Exhausted | Stage::Written => {}
    }
    let (finish, state) = runtime()?.block_on(work(app, &args, &spec, input, Past { log, state, judged, agent }))?;
    let status = exit_status(finish);
    shown::print(app, &spec.called, &spec.paths, &state, status)?;
    Ok(status)
}

/// What a formalization begins with.
struct Past {
    log: Log,
    state: State,
    /// Whether the same brainstorm was judged to be ready before these records, which was paid for.
    judged: bool,
    /// The agent, where it was looked for already.
    agent: Option<Agent>,
}

/// An agent that can work.
struct Agent {
    program: AgentProgram,
    name: String,
    version: Option<String>,
}

impl Agent {
    async fn find(app: &App, spec: &Unplanned) -> Result<Self, CliError> {
        let found = find_agent(app, &spec.settings, spec.paths.dir(), &spec.environment(app)).await?;
        Ok(Self { program: found.program, name: found.name, version: found.version })
    }
}

/// The records as they were left, or new ones where these are of something else.
fn begin(app: &App, args: &args::Formalize, spec: &Unplanned, input: &Input) -> Result<Past, CliError> {
    let open = || Log::open(&spec.paths, &spec.reference).map_err(|error| damaged(error, &spec.called));
    let (mut judged, mut agent) = (false, None);
    let why = if args.fresh {
        Some("starting over")
    } else {
        let (_, state) = open()?;
        match (state.begun(), state.over()) {
            (Some(begun), _) if begun.input != input.digest() => Some("the brainstorm changed since: starting over"),
            (_, Some(Over::Invalid)) => {
                judged = state.judged().is_some_and(|(_, ready)| ready);
                Some("no draft was valid the last time: starting over")
            }
            (None | Some(_), _) => None,
        }
    };
    if let Some(why) = why {
        // First of all: without an agent nothing new can be made, and what there is stays where it is.
        agent = Some(runtime()?.block_on(Agent::find(app, spec))?);
        runtime()?.block_on(end_strays(&mark(&spec.paths)));
        let aside = set_aside(&spec.paths, app.environment.started).map_err(CliError::environment)?;
        if let Some(aside) = aside {
            app.printer.note(format!("{why}; what was there is in `{}`", aside.display()));
        }
    }
    let (log, state) = open()?;
    Ok(Past { log, state, judged, agent })
}

async fn work(
    app: &App,
    args: &args::Formalize,
    spec: &Unplanned,
    input: Input,
    past: Past,
) -> Result<(Finish, State), CliError> {
    let Past { log, state, judged, agent } = past;
    let mark_of_spec = mark(&spec.paths);
    let mark = format!("{mark_of_spec}-{}", uuid::Uuid::new_v4());
    let mut notes = Vec::new();
    if state.begun().is_some() && state.over().is_none() {
        let strays = end_strays(&mark_of_spec).await;
        if strays > 0 {
            notes.push(format!("processes that a dead cco left and that were ended: {strays}"));
        }
    }
    let env = spec.environment(app);
    let agent = match agent {
        Some(agent) => agent,
        None => Agent::find(app, spec).await?,
    };
    create(&spec.paths).map_err(CliError::environment)?;
    let git = Git::new(env.check.clone(), (RUN_MARK.into(), mark.clone().into()));
    let ground = open_ground(app, spec, git)?;
    let supervisor = Supervisor::new(this_program()?, Arc::from(mark)).map_err(CliError::environment)?;
    let (sink, live) = mpsc::unbounded_channel();
    let gate = !args.no_gate && !judged;
    let budget_usd = spec.settings.budget_usd.value;
    let asks = matches!(state.stage(), Stage::Judging | Stage::Drafting(_));
    if budget_usd.is_none() && asks {
        let gate = usize::from(gate && state.judged().is_none());
        app.printer.note(format!("no budget is set (`--budget-usd`): {} to {} agent calls", gate + 1, gate + ROUNDS));
    }
    let begun = Begun {
        input: input.digest(),
        gate,
        agent: agent.name,
        agent_version: agent.version,
        simulated: agent.program.simulated,
        budget_usd,
        no_wait: args.no_wait,
    };
    let default = Policy::default();
    let known = load::load(spec.paths.dir()).ok();
    let desk = Desk {
        paths: spec.paths.clone(),
        input,
        ground,
        spec_in_work: within(spec.paths.dir(), &spec.work_dir),
        program: agent.program,
        env,
        prompts: prompts(app, spec.paths.dir())?,
        models: spec.models(),
        idle_timeout: spec.settings.idle_timeout.value.map_or(default.idle_timeout, |time| time.0),
        step_timeout: spec.settings.step_timeout.value.map_or(default.step_timeout, |time| time.0),
        supervisor,
        live: sink,
        redactor: Arc::new(secrets::redactor(app, known.as_ref())?),
    };
    let watch = words::watch(app);
    Formalizer::new(Arc::new(desk), (log, state), watch, live)
        .run(begun, notes)
        .await
        .map_err(|error| failed(error, &spec.called))
}

/// Where the code is read; says what of it is not.
fn open_ground(app: &App, spec: &Unplanned, git: Git) -> Result<Ground, CliError> {
    let name = spec.reference.rsplit('/').next().unwrap_or(&spec.reference);
    let place = Place {
        work_dir: spec.work_dir.clone(),
        worktrees: worktrees(app, &spec.reference, &spec.paths)?,
        branch: format!("cco/{name}"),
        known_base: None,
        base: spec.git_base(),
        after_crash: false,
    };
    let wanted = wanted_worktrees(&spec.settings);
    let ground = Ground::open(git.clone(), &place, &spec.reference, wanted, &spec.paths);
    let ground = ground.map_err(CliError::environment)?;
    if ground.is_users_own() {
        return Ok(ground);
    }
    let left = uncommitted(&git, &place.work_dir).map_err(CliError::environment)?;
    if !left.is_empty() {
        app.printer.note(format!(
            "{} in `{}` are not looked at, since they are not committed",
            plural(left.len(), "change"),
            place.work_dir.display()
        ));
    }
    fs_err::create_dir_all(&place.worktrees).map_err(CliError::environment)?;
    if let Err(error) = sign(&place.worktrees, spec.paths.dir(), &place.work_dir) {
        tracing::warn!("`cco clean` will not know whose worktree this is: {error}");
    }
    Ok(ground)
}

/// The way from `outer` to `inner`, where that lies in it.
fn within(inner: &Path, outer: &Path) -> Option<std::path::PathBuf> {
    let (inner, outer) = (fs_err::canonicalize(inner).ok()?, fs_err::canonicalize(outer).ok()?);
    inner.strip_prefix(outer).ok().map(Path::to_owned)
}

/// The lock of the spec: no run, and no second formalization, meanwhile.
fn lock(app: &App, spec: &Unplanned) -> Result<RunLock, CliError> {
    let holder = Holder::this_process(app.environment.started, format!("cco formalize {}", spec.reference));
    RunLock::acquire(&spec.paths.lock(), &holder).map_err(|error| match error {
        LockError::Held { .. } => {
            CliError::new(ExitStatus::Locked, anyhow!("`{}` is being worked on: {error}", spec.reference))
        }
        LockError::Io(_) => CliError::environment(error),
    })
}

fn damaged(error: LogError, called: &str) -> CliError {
    let fresh = matches!(error, LogError::Damaged { .. } | LogError::Illegal { .. });
    let error = CliError::new(ExitStatus::Journal, error);
    if fresh {
        error.hint(format!("`cco formalize {called} --fresh` sets it aside, whole, and starts over"))
    } else {
        error
    }
}

fn failed(error: FormalizeError, called: &str) -> CliError {
    match error {
        FormalizeError::Log(error) => {
            damaged(error, called).hint("nothing that was recorded is lost; `cco formalize` carries on")
        }
        FormalizeError::Illegal(_) => CliError::internal(error),
        FormalizeError::Prompt(_) => CliError::usage(error),
        FormalizeError::Tree(_) => CliError::environment(error),
        FormalizeError::Io(_) => CliError::environment(error)
            .hint(format!("nothing is lost: `cco formalize {called}` carries on, with `--fresh` it starts over")),
    }
}

fn exit_status(finish: Finish) -> ExitStatus {
    match (finish.over, finish.asked) {
        (_, Some(Asked::Interrupt)) => ExitStatus::Interrupted,
        (_, Some(Asked::Terminate)) => ExitStatus::Terminated,
        (Over::Done, None) => ExitStatus::Done,
        (Over::Invalid | Over::GaveUp, None) => ExitStatus::Incomplete,
        (Over::NotReady, None) => ExitStatus::NeedsAnswer,
        (Over::Budget, None) => ExitStatus::BudgetUsed,
        (Over::UsageLimit, None) => ExitStatus::UsageLimit,
        (Over::Environment, None) => ExitStatus::Environment,
        (Over::Interrupted, None) => ExitStatus::Interrupted,
    }
}

/// Whether records go to stdout instead of words.
fn wants_json(app: &App) -> bool {
    app.printer.format() == Format::Json
}
