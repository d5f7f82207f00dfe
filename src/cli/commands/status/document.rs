//! What `status` tells, as one document.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::App;
use crate::cli::commands::moved::{self, Moved};
use crate::cli::error::CliError;
use crate::cli::opened::Opened;
use crate::cli::questions::QuestionItem;
use crate::executor::inbox::{Inbox, Letter};
use crate::ids::{AttemptId, ComponentId, Step, Subject};
use crate::journal::LockState;
use crate::lifecycle::event::{
    DENIED, Event, Pause, Proof, Record, Redo, RunEnd, RunStarted, StaleReason, TreeInfo, Verb,
};
use crate::lifecycle::reconcile;
use crate::lifecycle::state::RunState;
use crate::lifecycle::subject::{Cost, Phase, Slot, SubjectState};
use crate::plan::graph::Index;
use crate::process::{Stray, orphans};

/// What the state does not hold: who runs, what waits in the inbox, what a dead run left, and what was noted.
pub struct Facts {
    lock: LockState,
    letters: Vec<Letter>,
    strays: Vec<Stray>,
    moved: Option<Moved>,
    denials: Vec<(Subject, String)>,
    failures: BTreeMap<ComponentId, String>,
    started: Option<Timestamp>,
}

impl Facts {
    /// Looks at everything but the journal.
    pub fn gather(opened: &Opened) -> Result<Self, CliError> {
        let lock = opened.lock_state()?;
        // What a live run has started is no stray.
        let strays = if lock == LockState::Free { orphans::find(&opened.mark()) } else { Vec::new() };
        let letters = Inbox::new(opened.paths.inbox()).look().into_iter().map(|(_, letter)| letter).collect();
        let (denials, failures) = (Vec::new(), BTreeMap::new());
        Ok(Self { lock, letters, strays, moved: None, denials, failures, started: None })
    }

    /// Looks where the integration branch is, by what the state says of it.
    pub fn look(&mut self, app: &App, opened: &Opened, state: &RunState) {
        self.moved = moved::look(app, opened, state);
    }

    /// Takes in what a record says beside the state.
    pub fn see(&mut self, record: &Record) {
        for event in &record.events {
            match event {
                Event::Noted { on, text } => {
                    let denial = text.strip_prefix(DENIED).map(|call| (on.clone(), call.to_owned()));
                    let known = |denial: &(Subject, String)| self.denials.contains(denial);
                    self.denials.extend(denial.filter(|denial| !known(denial)));
                }
                Event::ComponentFailed { on, reason } => {
                    self.failures.insert(on.clone(), reason.clone());
                }
                Event::RunStarted(_) => self.started = Some(record.at),
                _ => {}
            }
        }
    }
}

/// The document.
#[derive(Serialize)]
pub struct Report<'a> {
    pub spec: &'a str,
    pub path: String,
    pub work_dir: String,
    pub run: Option<Run<'a>>,
    /// Who holds the spec's lock; null: nobody.
    pub live: Option<Live>,
    /// What stands behind the whole, once it is complete.
    pub proof: Option<Proof>,
    /// Why nothing more is started.
    pub stopped: Option<&'a str>,
    pub paused: Option<Paused>,
    /// Where the integration branch is, if that is not where cco left it; null: it is.
    pub branch_moved: Option<&'a Moved>,
    pub counts: Counts,
    pub cost: Spent,
    pub components: Vec<Component>,
    /// The checks of levels and of the whole, and what mends them.
    pub whole: Component,
    /// Components that the manifest has no more; their files stay.
    pub removed: Vec<&'a ComponentId>,
    pub questions: Vec<QuestionItem<'a>>,
    /// Answers that no run has taken up yet.
    pub answers: Vec<Waiting<'a>>,
    pub denials: Vec<Denied<'a>>,
    /// Processes that a dead run left; the next run ends them.
    pub strays: Vec<Left<'a>>,
}

#[derive(Serialize)]
pub struct Run<'a> {
    pub number: u32,
    pub since: Option<Timestamp>,
    pub mode: &'a str,
    /// How many agents at once, as it was started.
    pub jobs: u32,
    /// The components that it was told to work on; empty: all.
    pub only: &'a [ComponentId],
    pub agent: &'a str,
    pub simulated: bool,
    /// How it ended; null while it lives, and when it was killed.
    pub ended: Option<RunEnd>,
    pub tree: &'a TreeInfo,
}

#[derive(Serialize)]
pub struct Live {
    pub pid: Option<u32>,
    pub host: Option<String>,
    pub since: Option<Timestamp>,
    pub command: Option<String>,
}

#[derive(Serialize)]
pub struct Paused {
    pub until: Timestamp,
    pub why: Pause,
}

#[derive(Serialize)]
pub struct Counts {
    pub components: u32,
    pub complete: u32,
    pub asking: u32,
    pub failed: u32,
    pub skipped: u32,
    pub blocked: u32,
}

/// Money, where unknown is not zero.
#[derive(Serialize)]
pub struct Spent {
    pub usd: f64,
    /// Agent attempts whose cost is not known.
    pub unknown: u32,
}

impl From<Cost> for Spent {
    fn from(cost: Cost) -> Self {
        Self { usd: cost.usd, unknown: cost.unknown }
    }
}

#[derive(Serialize)]
pub struct Component {
    pub id: Subject,
    pub level: Option<u32>,
    pub phase: &'static str,
    pub proof: Option<Proof>,
    /// What it does, or why it does nothing.
    pub detail: Option<String>,
    /// Dependencies that are not complete.
    pub waits_for: Vec<ComponentId>,
    /// Those of them that cannot complete without a person.
    pub blocked_by: Vec<ComponentId>,
    pub running: Vec<String>,
    /// How often each step was tried.
    pub attempts: BTreeMap<String, u32>,
    pub cost: Spent,
    /// Files that it was given beside its write set, since its agents asked for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<String>,
    /// What the next run does again, since something changed; null: up to date, or not done yet.
    pub stale: Option<Stale>,
}

#[derive(Clone, Serialize)]
pub struct Stale {
    pub why: StaleReason,
    pub redo: Redo,
}

#[derive(Serialize)]
pub struct Waiting<'a> {
    pub id: &'a str,
    pub verb: Verb,
    pub by: &'a str,
    pub at: Timestamp,
}

#[derive(Serialize)]
pub struct Denied<'a> {
    pub on: &'a Subject,
    /// The call, and the line of the manifest that would allow it.
    pub call: &'a str,
}

#[derive(Serialize)]
pub struct Left<'a> {
    pub pid: u32,
    pub attempt: Option<&'a str>,
    pub command: &'a str,
}

impl<'a> Report<'a> {
    /// Puts together what state and facts tell.
    pub fn new(opened: &'a Opened, state: &'a RunState, facts: &'a Facts) -> Self {
        let stale: Vec<(Subject, Stale)> = reconcile::stale(state).into_iter().filter_map(stale).collect();
        let item = |at: Index| component(state, facts, at, &stale);
        let counts = state.counts();
        Self {
            spec: &opened.reference,
            path: opened.paths.dir().display().to_string(),
            work_dir: opened.spec.work_dir.display().to_string(),
            run: state.run().map(|run| Run::new(run, state.ended(), facts.started)),
            live: Live::new(&facts.lock),
            proof: state.completed(),
            stopped: state.halt().map(|halt| halt.why.as_str()),
            paused: state.pause().filter(|_| state.ended().is_none()).map(|(until, why)| Paused { until, why }),
            branch_moved: facts.moved.as_ref(),
            counts: Counts {
                components: state.run_index(),
                complete: counts.complete,
                asking: counts.asking,
                failed: counts.failed,
                skipped: counts.skipped,
                blocked: counts.blocked,
            },
            cost: state.cost().into(),
            components: (0..state.run_index()).map(item).collect(),
            whole: item(state.run_index()),
            removed: state.removed().collect(),
            questions: state.questions().map(|question| QuestionItem::new(&opened.called, question)).collect(),
            answers: facts.letters.iter().map(Waiting::from).collect(),
            denials: facts.denials.iter().map(|(on, call)| Denied { on, call }).collect(),
            strays: facts.strays.iter().map(Left::from).collect(),
        }
    }
}

impl<'a> Run<'a> {
    fn new(run: &'a RunStarted, ended: Option<RunEnd>, since: Option<Timestamp>) -> Self {
        let RunStarted { run: number, mode, jobs, only, agent, simulated, tree, .. } = run;
        Self { number: *number, since, mode, jobs: *jobs, only, agent, simulated: *simulated, ended, tree }
    }
}

impl Live {
    fn new(lock: &LockState) -> Option<Self> {
        let LockState::Held(holder) = lock else { return None };
        let holder = holder.as_ref();
        Some(Self {
            pid: holder.map(|holder| holder.pid),
            host: holder.map(|holder| holder.host.clone()),
            since: holder.map(|holder| holder.since),
            command: holder.map(|holder| holder.command.clone()),
        })
    }
}

impl<'a> From<&'a Letter> for Waiting<'a> {
    fn from(letter: &'a Letter) -> Self {
        Self { id: &letter.answer.id, verb: letter.answer.verb, by: &letter.by, at: letter.at }
    }
}

impl<'a> From<&'a Stray> for Left<'a> {
    fn from(stray: &'a Stray) -> Self {
        Self { pid: stray.pid, attempt: stray.attempt.as_deref(), command: &stray.command }
    }
}

fn stale(event: Event) -> Option<(Subject, Stale)> {
    let Event::WentStale { on, why, redo, .. } = event else { return None };
    Some((on, Stale { why, redo }))
}

fn component(state: &RunState, facts: &Facts, at: Index, stale: &[(Subject, Stale)]) -> Component {
    let id = state.name(at);
    let whole = at == state.run_index();
    let subject = if whole { state.run_work() } else { state.component(at) };
    let graph = &state.plan().graph;
    let open = || {
        let below = if whole { &[][..] } else { graph.dependencies(at) };
        below.iter().copied().filter(|&below| !state.component(below).is_complete())
    };
    let name = |below: Index| state.plan().component(below).id.clone();
    Component {
        level: (!whole).then(|| graph.level(at)),
        phase: phase(subject),
        proof: match subject.phase {
            Phase::Complete(proof) => Some(proof),
            Phase::Waiting(_)
            | Phase::Working(_)
            | Phase::Validating(_)
            | Phase::Voting(_)
            | Phase::Asking(_)
            | Phase::Failed
            | Phase::Skipped => None,
        },
        detail: detail(facts, &id, subject).or_else(|| left_out(state, subject, at)),
        waits_for: open().map(name).collect(),
        blocked_by: open().filter(|&below| state.component(below).is_stuck()).map(name).collect(),
        running: running(&id, subject),
        attempts: subject
            .attempts
            .iter()
            .filter(|(step, _)| !step.by_cco())
            .map(|(step, n)| (step.to_string(), *n))
            .collect(),
        cost: subject.cost.into(),
        granted: state.granted_to(at).map(str::to_owned).collect(),
        stale: stale.iter().find(|(on, _)| *on == id).map(|(_, stale)| stale.clone()),
        id,
    }
}

/// The word for where a subject stands.
pub fn phase(subject: &SubjectState) -> &'static str {
    match &subject.phase {
        Phase::Waiting(_) if subject.stuck_dependencies > 0 => "blocked",
        Phase::Waiting(_) => "waiting",
        Phase::Working(_) => "working",
        Phase::Validating(_) => "validating",
        Phase::Voting(_) => "voting",
        Phase::Asking(_) => "asking",
        Phase::Complete(_) => "complete",
        Phase::Failed => "failed",
        Phase::Skipped => "skipped",
    }
}

fn detail(facts: &Facts, id: &Subject, subject: &SubjectState) -> Option<String> {
    match &subject.phase {
        Phase::Working(work) => Some(work.step.to_string()),
        Phase::Validating(validation) => Some(format!("round {}", validation.round)),
        Phase::Voting(poll) => Some(format!("{}, round {}", poll.gate, poll.round)),
        Phase::Asking(question) => Some(question.id.clone()),
        Phase::Failed => match id {
            Subject::Component(id) => facts.failures.get(id).cloned(),
            Subject::Run => None,
        },
        Phase::Waiting(_) | Phase::Complete(_) | Phase::Skipped => None,
    }
}

/// That the run that lives was told to work on others only.
fn left_out(state: &RunState, subject: &SubjectState, at: Index) -> Option<String> {
    let only = state.plan().only.as_ref().filter(|only| at != state.run_index() && !only.contains(&at))?;
    let waits = matches!(subject.phase, Phase::Waiting(_)) && !only.is_empty();
    waits.then(|| "not part of this run".to_owned())
}

fn running(on: &Subject, subject: &SubjectState) -> Vec<String> {
    let attempt = |step: &Step, n| AttemptId { on: on.clone(), step: step.clone(), n }.to_string();
    let agents = subject.phase.works().filter_map(|work| Some(attempt(&work.step, work.running.as_ref()?.n)));
    let checks = match &subject.phase {
        Phase::Validating(validation) => &validation.checks[..],
        _ => &[],
    };
    let checks = checks.iter().filter(|(_, slot)| matches!(slot, Slot::Running(..)));
    agents.chain(checks.map(|(check, _)| format!("check:{check}"))).collect()
}
