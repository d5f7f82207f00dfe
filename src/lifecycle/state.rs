//! The run state: the fold of all records, and nothing else.
//!
//! What one turn asks of it is kept by the fold: see `queues`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Escalation, Event, Issue, Pause, RunEnd, RunStarted, Trouble};
use super::queues::{Levels, Queues};
use super::subject::{Cost, Phase, SubjectState, Todo};
use crate::ids::{ComponentId, Digest, Subject};
use crate::plan::Plan;
use crate::plan::graph::Index;

pub use super::queues::Counts;

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
    /// What the untouched base was found good by, or taken as it is: its checks, and what they ran in.
    pub(super) baseline: Option<Digest>,
    /// What the last validation of the base judged by.
    pub(super) base_judged: Option<Digest>,
    /// Whether work on any component ever began.
    pub(super) begun: bool,
    /// Votes on the whole that are settled.
    pub(super) gates_settled: BTreeSet<Arc<str>>,
    /// Votes on the whole that asked for a fix round already.
    pub(super) gates_fixed: BTreeSet<Arc<str>>,
    /// What votes decided for every prompt.
    pub(super) decisions: Vec<String>,
    /// How many reviewers the last validation of the whole was opened with.
    pub(super) reviewers_of_whole: Option<u8>,
    /// What the whole is proven by, once the final validation settled.
    pub(super) completed: Option<super::event::Proof>,
    /// Files that were given to a subject beside its write set.
    pub(super) granted: BTreeMap<Box<str>, Index>,
    /// Components that records speak of and the manifest has no more.
    pub(super) removed: BTreeSet<ComponentId>,
    /// Who is on the way onto the integration branch.
    pub(super) integrating: Option<Index>,
    /// The last commit that landed there.
    pub(super) branch: Option<Box<str>>,
    pub(super) queues: Queues,
    pub(super) counts: Counts,
    pub(super) levels: Levels,
    pub(super) cost: Cost,
    /// Agent attempts that ended.
    pub(super) cost_attempts: u32,
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
            base_judged: None,
            begun: false,
            gates_settled: BTreeSet::new(),
            gates_fixed: BTreeSet::new(),
            decisions: Vec::new(),
            reviewers_of_whole: None,
            completed: None,
            granted: BTreeMap::new(),
            removed: BTreeSet::new(),
            integrating: None,
            branch: None,
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

    /// Files that were given to subjects beside their write sets, and whose they are.
    pub fn granted(&self) -> impl Iterator<Item = (&str, Index)> {
        self.granted.iter().map(|(path, at)| (&**path, *at))
    }

    /// The files that were given to one subject.
    pub fn granted_to(&self, at: Index) -> impl Iterator<Item = &str> {
        self.granted().filter(move |(_, of)| *of == at).map(|(path, _)| path)
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
        self.counts.agents == 0 && self.counts.checks == 0 && self.counts.own == 0
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
