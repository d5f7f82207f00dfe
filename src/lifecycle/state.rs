//! The run state: the fold of all records, and nothing else.
//!
//! Ready queue, counts and levels are kept by the fold, so that what one turn costs does not depend on the number of
//! components. Every change of phase goes through `RunState::enter`, the one place that keeps them true.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Escalation, Event, Issue, RunEnd};
use super::event::{Pause, RunStarted, Trouble};
use super::subject::{Cost, Phase, Slot, SubjectState, Todo};
use crate::ids::{ComponentId, Digest, Subject};
use crate::plan::graph::Index;
use crate::plan::{Plan, Schedule};

/// The place of a subject in queues: 0 is the run itself, then components by rank.
type Place = u32;

/// An event that does not fit the state: the journal speaks of another run, or cco has a defect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} does not fit: {why}")]
pub struct Illegal {
    /// The event, by name and subject.
    pub what: String,
    /// What it contradicts.
    pub why: String,
}

/// What stopped a run for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// How the run ends by it.
    pub end: RunEnd,
    /// The class of the trouble; none where the user stopped it.
    pub class: Option<Trouble>,
    /// The cause, in the words of who reported it.
    pub why: String,
}

/// The fold of all records.
#[derive(Debug, Clone)]
pub struct RunState {
    plan: Arc<Plan>,
    /// Components by index, then the run itself.
    subjects: Vec<SubjectState>,
    /// The last `RunStarted`.
    pub(super) run: Option<RunStarted>,
    /// How the last run ended; none while one is under way or after a crash.
    pub(super) ended: Option<RunEnd>,
    /// Set by trouble that no retry can mend; nothing more is started.
    pub(super) halt: Option<Halt>,
    /// Agents wait until then.
    pub(super) pause: Option<(Timestamp, Pause)>,
    /// No further component begins until then.
    pub(super) hold: Option<Timestamp>,
    /// Rate limits in a row.
    pub(super) limited: u32,
    /// Agents at once, as limits allow.
    pub(super) jobs: u32,
    /// Open questions by id.
    pub(super) questions: BTreeMap<String, Escalation>,
    /// Questions asked so far.
    pub(super) asked: u32,
    /// Issues that the user took as they are, by fingerprint, and whose they were.
    pub(super) waived: BTreeSet<(Digest, Index)>,
    /// Issues that were there before any work was done, and block nothing.
    pub(super) inherited: BTreeSet<Digest>,
    /// The checks with which the untouched base was found good, or taken as it is.
    pub(super) baseline: Option<Digest>,
    /// Whether work on any component ever began.
    pub(super) begun: bool,
    /// Votes on the whole that are settled.
    pub(super) gates_settled: BTreeSet<Arc<str>>,
    /// Votes on the whole that asked for a fix round already.
    pub(super) gates_fixed: BTreeSet<Arc<str>>,
    /// What votes decided for every prompt.
    pub(super) decisions: Vec<String>,
    /// What the whole is proven by, once the final validation settled.
    pub(super) completed: Option<super::event::Proof>,
    /// Components that records speak of and the manifest has no more.
    pub(super) removed: BTreeSet<ComponentId>,
    pub(super) queues: Queues,
    pub(super) counts: Counts,
    pub(super) levels: Levels,
    pub(super) cost: Cost,
    /// Agent attempts that ended.
    pub(super) cost_attempts: u32,
}

/// Who wants what, in the order in which slots are given.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Queues {
    /// Components that may start.
    pub ready: BTreeSet<Place>,
    /// Subjects with an agent step to be started.
    pub agents: BTreeSet<Place>,
    /// Subjects with a reviewer or voter to be started; they are among `agents` too.
    pub readers: BTreeSet<Place>,
    /// Subjects with a check to be started.
    pub checks: BTreeSet<Place>,
    /// Subjects with anything wanted or running.
    pub active: BTreeSet<Place>,
}

/// Counts over all components, and of what is in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Complete components.
    pub complete: u32,
    /// Components given up.
    pub failed: u32,
    /// Components left out by the user.
    pub skipped: u32,
    /// Subjects that wait for an answer.
    pub asking: u32,
    /// Components blocked by another.
    pub blocked: u32,
    /// Agents that run.
    pub agents: u32,
    /// Agents that run and may write.
    pub writers: u32,
    /// Agents that run and only read.
    pub readers: u32,
    /// Checks that run.
    pub checks: u32,
}

/// How far the levels are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    /// Components of each level that are not settled.
    pub open: Vec<u32>,
    /// The first level that is not done; components of higher levels wait where levels bind.
    pub current: u32,
    /// Levels below this one are validated.
    pub validated: u32,
}

impl RunState {
    /// The state before the first record.
    pub fn new(plan: Arc<Plan>) -> Self {
        let count = plan.components.len();
        let mut subjects: Vec<SubjectState> =
            (0..count as Index).map(|at| SubjectState::new(plan.graph.dependencies(at).len() as u32)).collect();
        subjects.push(SubjectState::new(0));
        let mut open = vec![0; plan.graph.depth() as usize];
        for at in (0..count as Index).filter(|&at| plan.selected(at)) {
            open[plan.graph.level(at) as usize] += 1;
        }
        let mut state = Self {
            jobs: plan.policy.jobs,
            levels: Levels { open, current: 0, validated: 0 },
            plan,
            subjects,
            run: None,
            ended: None,
            halt: None,
            pause: None,
            hold: None,
            limited: 0,
            questions: BTreeMap::new(),
            asked: 0,
            waived: BTreeSet::new(),
            inherited: BTreeSet::new(),
            baseline: None,
            begun: false,
            gates_settled: BTreeSet::new(),
            gates_fixed: BTreeSet::new(),
            decisions: Vec::new(),
            completed: None,
            removed: BTreeSet::new(),
            queues: Queues::default(),
            counts: Counts::default(),
            cost: Cost::default(),
            cost_attempts: 0,
        };
        state.advance_levels();
        for at in 0..count as Index {
            state.queue(at);
        }
        state
    }

    /// The plan that this state is a state of.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// A component's state.
    pub fn component(&self, at: Index) -> &SubjectState {
        &self.subjects[at as usize]
    }

    /// The state of the run's own work: level checks and the final validation.
    pub fn run_work(&self) -> &SubjectState {
        &self.subjects[self.run_index() as usize]
    }

    /// A subject's state, if the plan has it.
    pub fn subject(&self, on: &Subject) -> Option<&SubjectState> {
        self.locate(on).map(|at| &self.subjects[at as usize])
    }

    /// The settings of the last run, once one began.
    pub fn run(&self) -> Option<&RunStarted> {
        self.run.as_ref()
    }

    /// How the last run ended, if it said so.
    pub fn ended(&self) -> Option<RunEnd> {
        self.ended
    }

    /// Trouble that no retry can mend, with its cause.
    pub fn halt(&self) -> Option<&Halt> {
        self.halt.as_ref()
    }

    /// Until when agents wait, and why.
    pub fn pause(&self) -> Option<(Timestamp, Pause)> {
        self.pause
    }

    /// Until when no further component begins, since a usage window is nearly used up.
    pub fn hold(&self) -> Option<Timestamp> {
        self.hold
    }

    /// Open questions, by id.
    pub fn questions(&self) -> impl Iterator<Item = &Escalation> {
        self.questions.values().filter(|question| self.locate(&question.on).is_some())
    }

    /// What the whole is proven by, once the final validation settled.
    pub fn completed(&self) -> Option<super::event::Proof> {
        self.completed
    }

    /// What votes decided for every prompt.
    pub fn decisions(&self) -> &[String] {
        &self.decisions
    }

    /// Components that records speak of and the manifest has no more.
    pub fn removed(&self) -> impl Iterator<Item = &ComponentId> {
        self.removed.iter()
    }

    /// Counts over all components.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What all runs cost so far.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Agents at once, as limits allow now.
    pub fn jobs(&self) -> u32 {
        self.jobs
    }

    /// The level whose components may start now, where levels bind.
    pub fn current_level(&self) -> u32 {
        self.levels.current
    }

    /// Subjects with anything wanted or running, in slot order.
    pub fn active(&self) -> impl Iterator<Item = (Subject, &SubjectState)> {
        self.queues.active.iter().map(|&place| {
            let at = self.index_of(place);
            (self.name(at), &self.subjects[at as usize])
        })
    }

    /// The subject at an index.
    pub fn name(&self, at: Index) -> Subject {
        if at == self.run_index() { Subject::Run } else { Subject::Component(self.plan.component(at).id.clone()) }
    }

    /// The index of a subject, if the plan has it; the run itself comes after the components.
    pub fn locate(&self, on: &Subject) -> Option<Index> {
        match on {
            Subject::Run => Some(self.run_index()),
            Subject::Component(id) => self.plan.index(id),
        }
    }

    /// The index of the run itself.
    pub fn run_index(&self) -> Index {
        self.plan.components.len() as Index
    }

    /// Whether nothing is in flight.
    pub fn is_quiet(&self) -> bool {
        self.counts.agents == 0 && self.counts.checks == 0
    }

    /// Whether the user took an issue as it is: for the subject that it was found on, and for the whole, which has the
    /// issues of all.
    pub(super) fn is_waived(&self, issue: &Issue, at: Index) -> bool {
        self.inherited.contains(&issue.fingerprint) || self.is_taken(issue, at)
    }

    /// Whether the user took an issue as it is, in this subject or in the whole: what rests on that is never proven.
    pub(super) fn is_taken(&self, issue: &Issue, at: Index) -> bool {
        if at == self.run_index() {
            let from = (issue.fingerprint, 0);
            return self.waived.range(from..).next().is_some_and(|(found, _)| *found == issue.fingerprint);
        }
        self.waived.contains(&(issue.fingerprint, at)) || self.waived.contains(&(issue.fingerprint, self.run_index()))
    }

    pub(super) fn at_mut(&mut self, at: Index) -> &mut SubjectState {
        &mut self.subjects[at as usize]
    }

    pub(super) fn place_of(&self, at: Index) -> Place {
        if at == self.run_index() { 0 } else { self.plan.graph.rank(at) + 1 }
    }

    pub(super) fn index_of(&self, place: Place) -> Index {
        if place == 0 { self.run_index() } else { self.plan.graph.order()[place as usize - 1] }
    }

    /// Changes a subject's phase and keeps everything that depends on it true.
    pub(super) fn enter(&mut self, at: Index, phase: Phase) {
        self.change(at, |subject| subject.phase = phase);
        self.advance_levels();
    }

    /// Applies a change to a subject and carries what follows to its dependents, as far as it reaches.
    fn change(&mut self, at: Index, change: impl FnOnce(&mut SubjectState)) {
        let plan = Arc::clone(&self.plan);
        let mut changed = vec![self.recount(at, change)];
        while let Some((at, before, now)) = changed.pop() {
            if at == self.run_index() || (before.complete == now.complete && before.stuck == now.stuck) {
                continue;
            }
            for &above in plan.graph.dependents(at) {
                changed.push(self.recount(above, |subject| {
                    step(&mut subject.open_dependencies, !before.complete, !now.complete);
                    step(&mut subject.stuck_dependencies, before.stuck, now.stuck);
                }));
            }
        }
    }

    /// Applies a change to one subject and keeps counts and queues true; tells what it was and is.
    fn recount(&mut self, at: Index, change: impl FnOnce(&mut SubjectState)) -> (Index, Class, Class) {
        let before = self.class(at);
        self.count(at, before, false);
        change(&mut self.subjects[at as usize]);
        let now = self.class(at);
        self.count(at, now, true);
        self.queue(at);
        (at, before, now)
    }

    /// What the counters need to know of a subject.
    fn class(&self, at: Index) -> Class {
        let state = &self.subjects[at as usize];
        let component = at != self.run_index();
        let complete = state.is_complete();
        let stuck = state.is_stuck();
        let idle = component && matches!(state.phase, Phase::Waiting(_)) && !self.plan.selected(at);
        Class {
            complete,
            stuck,
            settled: complete || stuck || idle,
            asking: matches!(state.phase, Phase::Asking(_)),
            failed: matches!(state.phase, Phase::Failed),
            skipped: matches!(state.phase, Phase::Skipped),
            blocked: stuck && matches!(state.phase, Phase::Waiting(_)),
        }
    }

    /// Adds a subject's class to the counts, or takes it away.
    fn count(&mut self, at: Index, class: Class, add: bool) {
        step(&mut self.counts.asking, class.asking && !add, class.asking && add);
        if at == self.run_index() {
            return;
        }
        let counts = &mut self.counts;
        for (counter, holds) in [
            (&mut counts.complete, class.complete),
            (&mut counts.failed, class.failed),
            (&mut counts.skipped, class.skipped),
            (&mut counts.blocked, class.blocked),
        ] {
            step(counter, holds && !add, holds && add);
        }
        if self.plan.selected(at) {
            let open = &mut self.levels.open[self.plan.graph.level(at) as usize];
            step(open, !class.settled && !add, !class.settled && add);
        }
    }

    /// Puts a subject into the queues that its state asks for.
    pub(super) fn queue(&mut self, at: Index) {
        let place = self.place_of(at);
        let Wants { agent, reader, check } = self.wants(at);
        let ready = self.may_start(at);
        let active = self.subjects[at as usize].is_active();
        let queues = &mut self.queues;
        for (queue, member) in [
            (&mut queues.ready, ready),
            (&mut queues.agents, agent),
            (&mut queues.readers, reader),
            (&mut queues.checks, check),
            (&mut queues.active, active),
        ] {
            if member {
                queue.insert(place);
            } else {
                queue.remove(&place);
            }
        }
    }

    fn wants(&self, at: Index) -> Wants {
        let phase = &self.subjects[at as usize].phase;
        let wanted = phase.wanted(&|issue| self.is_waived(issue, at));
        let check = match phase {
            Phase::Validating(validation) => validation.checks.iter().any(|(_, slot)| matches!(slot, Slot::Wanted(_))),
            _ => false,
        };
        Wants { agent: !wanted.is_empty(), reader: wanted.iter().any(|work| !work.step.writes()), check }
    }

    fn may_start(&self, at: Index) -> bool {
        if at == self.run_index() {
            return false;
        }
        let state = &self.subjects[at as usize];
        matches!(state.phase, Phase::Waiting(_))
            && state.open_dependencies == 0
            && self.plan.selected(at)
            && (self.plan.schedule != Schedule::Levels || self.plan.graph.level(at) <= self.levels.current)
    }

    /// Whether a level's own checks are due before the next level may start.
    pub(super) fn level_needs_validation(&self, level: u32) -> bool {
        self.plan.schedule == Schedule::Levels
            // A part of a level proves nothing of the level.
            && self.plan.only.is_none()
            && !self.plan.level_checks.is_empty()
            && level >= self.levels.validated
            && self.plan.graph.members(level).iter().any(|&at| self.component(at).is_complete())
    }

    /// Opens levels as long as the one below is done.
    pub(super) fn advance_levels(&mut self) {
        while self.levels.current < self.plan.graph.depth()
            && self.levels.open[self.levels.current as usize] == 0
            && !self.level_needs_validation(self.levels.current)
        {
            self.levels.current += 1;
            if self.plan.schedule == Schedule::Levels && self.levels.current < self.plan.graph.depth() {
                let plan = Arc::clone(&self.plan);
                for &at in plan.graph.members(self.levels.current) {
                    self.queue(at);
                }
            }
        }
    }

    /// An [`Illegal`] for `event`.
    pub(super) fn illegal(event: &Event, why: impl Into<String>) -> Illegal {
        let text = format!("{event:?}");
        let name: String = text.chars().take(120).collect();
        Illegal { what: name, why: why.into() }
    }

    /// Marks a component that only records know.
    pub(super) fn note_removed(&mut self, on: &Subject) {
        if let Subject::Component(id) = on {
            self.removed.insert(id.clone());
        }
    }

    /// The todo of a waiting component.
    pub(super) fn todo(&self, at: Index) -> Option<Todo> {
        match self.subjects[at as usize].phase {
            Phase::Waiting(todo) => Some(todo),
            Phase::Working(_)
            | Phase::Validating(_)
            | Phase::Voting(_)
            | Phase::Asking(_)
            | Phase::Complete(_)
            | Phase::Failed
            | Phase::Skipped => None,
        }
    }
}

/// What a subject wants to be started.
struct Wants {
    agent: bool,
    reader: bool,
    check: bool,
}

/// What the counters need to know of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Class {
    complete: bool,
    stuck: bool,
    settled: bool,
    asking: bool,
    failed: bool,
    skipped: bool,
    blocked: bool,
}

/// Moves a counter when what it counts stops or starts to hold.
fn step(counter: &mut u32, before: bool, now: bool) {
    match (before, now) {
        (true, false) => *counter -= 1,
        (false, true) => *counter += 1,
        (true, true) | (false, false) => {}
    }
}
