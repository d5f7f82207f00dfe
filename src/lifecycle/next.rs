//! What should be in flight now: a pure function of the state, safe to ask again at any time.
//!
//! [`next`] gives one thing to do at a time and applies its events at once, so that the following call sees it done. It
//! is called until it gives nothing. After a crash the same question is asked of the folded journal: there is no other
//! way to resume.

use jiff::Timestamp;

use super::apply::holds;
use super::event::{Event, RunEnd, Scope};
use super::settle::Settlement;
use super::state::{Illegal, RunState};
use super::subject::{Origin, Phase, Slot, Todo, Validation, Why, Work};
use crate::ids::{AttemptId, Step, Subject};
use crate::plan::graph::Index;
use crate::plan::{CheckIndex, Schedule};

/// One thing to do, with the events that record it (already applied).
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// A process is to be started, once the events are durable.
    Launch(Vec<Event>, Launch),
    /// Something follows from the state alone.
    Decide(Vec<Event>),
}

/// A process to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// The attempt.
    pub attempt: AttemptId,
    /// What it is.
    pub task: Task,
}

/// What is to be started.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// An agent step.
    Agent {
        /// The conversation.
        session: Box<str>,
        /// Why the conversation is continued; none for a new one.
        resume: Option<Why>,
        /// Whether the strong model is used.
        strong: bool,
        /// What the subject's files are set back to before it begins.
        origin: Option<Origin>,
    },
    /// A check command, and what it is part of.
    Check(CheckIndex, Scope),
    /// A step of cco's own; `recheck` tells whether work that was merged must be checked again before it lands.
    Own {
        /// See above.
        recheck: bool,
    },
}

/// The next thing to do at `now`, or nothing; no agent unless one `may_start`, as the machine allows. `session` makes a
/// new conversation id when one is needed.
///
/// # Errors
/// [`Illegal`] is a defect of cco: the state refused an event that was derived from it.
pub fn next(
    state: &mut RunState,
    now: Timestamp,
    may_start: bool,
    session: &mut dyn FnMut() -> Box<str>,
) -> Result<Option<Next>, Illegal> {
    if state.halt.is_some() || state.ended.is_some() || state.fails_fast() {
        return Ok(None);
    }
    if let Some(events) = decide(state, now)? {
        return Ok(Some(Next::Decide(events)));
    }
    if let Some((at, step)) = state.next_of_cco() {
        let step = step.clone();
        return launch_own(state, now, at, step).map(Some);
    }
    if let Some((at, check)) = state.next_check() {
        return launch_check(state, now, at, check).map(Some);
    }
    if !may_start {
        return Ok(None);
    }
    match state.next_agent(now) {
        Some((at, step)) => launch_agent(state, now, at, step, session).map(Some),
        None => Ok(None),
    }
}

/// When [`next`] can give something that it does not give now: the end of a pause or of a backoff.
pub fn wake_at(state: &RunState, now: Timestamp) -> Option<Timestamp> {
    if !state.wants_agents() {
        return None;
    }
    let pause = state.pause.map(|(until, _)| until).filter(|until| *until > now);
    let backoff = state
        .queues
        .agents
        .iter()
        .flat_map(|&place| state.wanted(state.index_of(place)))
        .filter_map(|work| work.not_before)
        .filter(|at| *at > now)
        .min();
    let hold = state.hold.filter(|until| *until > now && !state.queues.ready.is_empty());
    // Whatever ends first: a wake-up too many asks the same question once more.
    [pause, backoff, hold].into_iter().flatten().min()
}

/// How the run ends if nothing is in flight and [`next`] gives nothing; none while something can still happen by itself.
pub fn end_of(state: &RunState, now: Timestamp) -> Option<RunEnd> {
    let waits = state.halt.is_none() && !state.fails_fast() && !state.out_of_budget() && wake_at(state, now).is_some();
    if !state.is_quiet() || waits {
        return None;
    }
    Some(match &state.halt {
        Some(halt) => halt.end,
        None if state.fails_fast() => RunEnd::FailFast,
        None if state.out_of_budget() && state.wants_agents() => RunEnd::Budget,
        None if state.counts.asking > 0 => RunEnd::NeedsAnswer,
        None if state.selection_complete() => RunEnd::Done,
        None => RunEnd::Incomplete,
    })
}

/// Validations of the run itself that are due.
fn decide(state: &mut RunState, now: Timestamp) -> Result<Option<Vec<Event>>, Illegal> {
    if !matches!(state.run_work().phase, Phase::Waiting(_)) {
        return Ok(None);
    }
    let at = state.run_index();
    if !state.begun && !state.plan().baseline.is_empty() && state.baseline != Some(state.plan().base_set()) {
        let mut settlement = Settlement { state, now, dice: 0.5, events: Vec::new() };
        settlement.open_validation(at, Scope::Baseline)?;
        return Ok(Some(settlement.events));
    }
    if !state.begun {
        let mut settlement = Settlement { state, now, dice: 0.5, events: Vec::new() };
        if let Some(gate) = settlement.next_gate(true) {
            settlement.open_vote(at, &gate, 1)?;
            return Ok(Some(settlement.events));
        }
    }
    let level = state.levels.current;
    let scope = if level < state.plan().graph.depth() && state.levels.open[level as usize] == 0 {
        if !state.level_needs_validation(level) {
            return Ok(None);
        }
        Scope::Level(level)
    } else if state.whole_is_due() {
        Scope::Final
    } else {
        return Ok(None);
    };
    let mut settlement = Settlement { state, now, dice: 0.5, events: Vec::new() };
    settlement.open_validation(at, scope)?;
    Ok(Some(settlement.events))
}

fn launch_own(state: &mut RunState, now: Timestamp, at: Index, step: Step) -> Result<Next, Illegal> {
    let n = state.component_or_run(at).next_attempt(&step);
    let attempt = AttemptId { on: state.name(at), step, n };
    let recheck = state.is_checked_when_merged(at);
    let mut settlement = Settlement { state, now, dice: 0.5, events: Vec::with_capacity(1) };
    settlement.emit(Event::AttemptStarted { attempt: attempt.clone(), session: None, resumed: false })?;
    Ok(Next::Launch(settlement.events, Launch { attempt, task: Task::Own { recheck } }))
}

fn launch_check(state: &mut RunState, now: Timestamp, at: Index, check: CheckIndex) -> Result<Next, Illegal> {
    let step = Step::Check(state.plan().check(check).name.clone());
    let n = state.component_or_run(at).next_attempt(&step);
    let attempt = AttemptId { on: state.name(at), step, n };
    let scope = match &state.component_or_run(at).phase {
        Phase::Validating(validation) => validation.scope,
        _ => Scope::Component,
    };
    let mut settlement = Settlement { state, now, dice: 0.5, events: Vec::with_capacity(1) };
    settlement.emit(Event::AttemptStarted { attempt: attempt.clone(), session: None, resumed: false })?;
    Ok(Next::Launch(settlement.events, Launch { attempt, task: Task::Check(check, scope) }))
}

fn launch_agent(
    state: &mut RunState,
    now: Timestamp,
    at: Index,
    step: Option<Step>,
    session: &mut dyn FnMut() -> Box<str>,
) -> Result<Next, Illegal> {
    let mut settlement = Settlement { state, now, dice: 0.5, events: Vec::with_capacity(2) };
    if let Some(todo) = settlement.state.todo(at) {
        let component = settlement.state.plan().component(at);
        let (on, input) = (component.id.clone(), component.input);
        match todo {
            Todo::Fresh => {
                let step = if component.plain || settlement.state.plan().mode == crate::plan::Mode::Quick {
                    Step::Implement
                } else {
                    Step::Skeleton
                };
                settlement.emit(Event::ComponentStarted { on, input, step })?;
            }
            Todo::Revise => settlement.emit(Event::ComponentStarted { on, input, step: Step::Revise })?,
            Todo::Validate => {
                if settlement.state.component(at).is_unseen() {
                    settlement.proceed(at)?;
                } else {
                    settlement.open_validation(at, Scope::Component)?;
                }
                return Ok(Next::Decide(settlement.events));
            }
        }
    }
    let subject = settlement.state.component_or_run(at);
    let wanted = match &step {
        Some(step) => subject.phase.work_of(step),
        None => subject.phase.works().next(),
    };
    let Some(work) = wanted else {
        let what = format!("start of {}", settlement.state.name(at));
        return Err(Illegal { what, why: "no step is wanted".into() });
    };
    let strong = work.step == Step::Fix && subject.fixing.as_ref().is_some_and(|fixing| fixing.counted >= 2);
    let (step, resume, origin) = (work.step.clone(), work.resume.clone(), work.origin.clone());
    let n = settlement.state.component_or_run(at).next_attempt(&step);
    let attempt = AttemptId { on: settlement.state.name(at), step, n };
    let (session, resume) = match resume {
        Some((known, why)) => (known, Some(why)),
        None => (session(), None),
    };
    settlement.emit(Event::AttemptStarted {
        attempt: attempt.clone(),
        session: Some(session.clone()),
        resumed: resume.is_some(),
    })?;
    Ok(Next::Launch(
        settlement.events,
        Launch { attempt, task: Task::Agent { session, origin: origin.filter(|_| resume.is_none()), resume, strong } },
    ))
}

impl RunState {
    /// A subject's state by index; the run itself comes after the components.
    pub(super) fn component_or_run(&self, at: Index) -> &super::subject::SubjectState {
        if at == self.run_index() { self.run_work() } else { self.component(at) }
    }

    /// The agent steps of a subject that are to be started.
    fn wanted(&self, at: Index) -> Vec<&Work> {
        self.component_or_run(at).phase.wanted(&|issue| self.is_waived(issue, at))
    }

    /// The next check that may run: a slot is free, its lock is free, and in a common tree no writer runs.
    fn next_check(&self) -> Option<(Index, CheckIndex)> {
        if self.counts.checks >= self.plan().policy.check_jobs || (self.plan().one_tree && self.counts.writers > 0) {
            return None;
        }
        self.queues.checks.iter().find_map(|&place| {
            let at = self.index_of(place);
            let Phase::Validating(validation) = &self.component_or_run(at).phase else { return None };
            let wanted = validation.checks.iter().filter(|(_, slot)| matches!(slot, Slot::Wanted(_)));
            let known = wanted.filter_map(|(name, _)| self.plan().check_named(name));
            known.into_iter().find(|&check| !self.is_locked(check)).map(|check| (at, check))
        })
    }

    fn is_locked(&self, check: CheckIndex) -> bool {
        let Some(lock) = &self.plan().check(check).lock else { return false };
        self.queues.active.iter().any(|&place| match &self.component_or_run(self.index_of(place)).phase {
            Phase::Validating(validation) => self.holds_lock(validation, lock),
            Phase::Waiting(_)
            | Phase::Working(_)
            | Phase::Voting(_)
            | Phase::Asking(_)
            | Phase::Complete(_)
            | Phase::Failed
            | Phase::Skipped => false,
        })
    }

    fn holds_lock(&self, validation: &Validation, lock: &str) -> bool {
        validation.checks.iter().filter(|(_, slot)| matches!(slot, Slot::Running(..))).any(|(name, _)| {
            let check = self.plan().check_named(name);
            check.is_some_and(|check| self.plan().check(check).lock.as_deref() == Some(lock))
        })
    }

    /// The next agent step that may start: begun work first, then components that are ready (without a step yet).
    fn next_agent(&self, now: Timestamp) -> Option<(Index, Option<Step>)> {
        if self.counts.agents >= self.jobs || holds(self.pause, now) || self.out_of_budget() {
            return None;
        }
        let one_tree = self.plan().one_tree;
        let checking = one_tree && (self.counts.checks > 0 || !self.queues.checks.is_empty());
        // Who reads must see a tree that stands still.
        let reading = one_tree && (self.counts.readers > 0 || !self.queues.readers.is_empty());
        let writing = one_tree && self.counts.writers > 0;
        let may = |at: Index, work: &&Work| {
            let waits = work.not_before.is_some_and(|at| at > now);
            let in_the_way = if work.step.writes() { checking || reading || self.clashes(at) } else { writing };
            !waits && !in_the_way
        };
        let begun = self.queues.agents.iter().map(|&place| self.index_of(place)).find_map(|at| {
            let work = self.wanted(at).into_iter().find(|work| may(at, work))?;
            Some((at, Some(work.step.clone())))
        });
        if begun.is_some() {
            return begun;
        }
        let held = self.hold.is_some_and(|until| now < until);
        let serial = self.plan().schedule == Schedule::Serial && !self.queues.active.is_empty();
        if checking || reading || held || serial || self.is_preparing() {
            return None;
        }
        let ready = self.queues.ready.iter().map(|&place| self.index_of(place)).find(|&at| !self.clashes(at));
        ready.map(|at| (at, None))
    }

    /// Whether something has to be settled before a component begins: the base, a vote, or what mended the whole.
    fn is_preparing(&self) -> bool {
        self.is_landing_whole() || (!self.begun && !matches!(self.run_work().phase, Phase::Waiting(_)))
    }

    /// Whether a running component writes files of this one, in the same tree.
    fn clashes(&self, at: Index) -> bool {
        if !self.plan().one_tree {
            return false;
        }
        if at == self.run_index() {
            return self.counts.writers > 0;
        }
        let run_writes = matches!(&self.run_work().phase, Phase::Working(work) if work.running.is_some());
        run_writes
            || self
                .plan()
                .component(at)
                .conflicts
                .iter()
                .any(|&other| matches!(&self.component(other).phase, Phase::Working(work) if work.running.is_some()))
    }

    /// Whether what was spent, with a reserve for what runs, leaves nothing for another step.
    fn out_of_budget(&self) -> bool {
        let Some(budget) = self.plan().policy.budget_usd else { return false };
        let reserve = self.mean_cost() * f64::from(self.counts.agents + 1);
        self.cost.usd >= budget || (self.counts.agents > 0 && self.cost.usd + reserve > budget)
    }

    fn mean_cost(&self) -> f64 {
        let attempts = self.cost_attempts;
        if attempts == 0 { 0.0 } else { self.cost.usd / f64::from(attempts) }
    }

    fn wants_agents(&self) -> bool {
        !self.queues.agents.is_empty() || !self.queues.ready.is_empty()
    }

    /// Whether the first failure ends the run, and there was one.
    fn fails_fast(&self) -> bool {
        self.plan().policy.fail_fast && (self.counts.failed > 0 || self.counts.asking > 0)
    }

    /// Whether every component that this run works on is complete, and the whole where it works on all.
    pub fn selection_complete(&self) -> bool {
        match &self.plan().only {
            Some(only) => only.iter().all(|&at| self.component(at).is_complete()),
            None => self.completed.is_some() && self.counts.complete == self.run_index(),
        }
    }

    /// Whether the final validation is due: nothing is open, asking or failed, and it has not settled yet.
    fn whole_is_due(&self) -> bool {
        self.completed.is_none()
            && self.plan().only.is_none()
            && self.queues.active.is_empty()
            && self.queues.ready.is_empty()
            && self.counts.asking == 0
            && self.counts.failed == 0
            && (self.counts.complete > 0 || self.run_index() == 0)
            && self.counts.complete + self.counts.skipped + self.counts.blocked == self.run_index()
    }

    /// The attempts in flight, from the records alone: what a dead run left. With each, whether it continued a
    /// conversation.
    pub fn in_flight(&self) -> Vec<(AttemptId, bool)> {
        let mut out = Vec::new();
        for (on, subject) in self.active() {
            match &subject.phase {
                Phase::Validating(validation) => out.extend(self.running_checks(&on, validation)),
                Phase::Working(_)
                | Phase::Voting(_)
                | Phase::Waiting(_)
                | Phase::Asking(_)
                | Phase::Complete(_)
                | Phase::Failed
                | Phase::Skipped => {}
            }
            for work in subject.phase.works() {
                if let Some(running) = &work.running {
                    let attempt = AttemptId { on: on.clone(), step: work.step.clone(), n: running.n };
                    out.push((attempt, running.resumed));
                }
            }
        }
        out
    }

    fn running_checks(&self, on: &Subject, validation: &Validation) -> Vec<(AttemptId, bool)> {
        let running = validation.checks.iter().filter_map(|(check, slot)| match slot {
            Slot::Running(_, running) => {
                Some((AttemptId { on: on.clone(), step: Step::Check(check.clone()), n: running.n }, false))
            }
            Slot::Wanted(_) | Slot::Settled(..) => None,
        });
        running.collect()
    }
}
