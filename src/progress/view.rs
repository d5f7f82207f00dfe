//! What is going on, for people: a read model that is fed from records alone, so that a live run, `status` and a replay
//! show the same. An event costs the same however many components there are.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::ids::{AttemptId, ComponentId, Step, Subject};
use crate::lifecycle::event::{
    Answer, AttemptEnd, Escalation, Event, Pause, Proof, Record, RunEnd, RunStarted, TreeInfo, Trouble, Usage,
};

/// What there is to do: fixed for a run.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// In the manifest's order.
    pub components: Vec<ShapeComponent>,
}

/// One component of a [`Shape`].
#[derive(Debug, Clone)]
pub struct ShapeComponent {
    /// Its id.
    pub id: ComponentId,
    /// Its level, counted from 0.
    pub level: u32,
    /// What must be complete before it.
    pub depends_on: Vec<ComponentId>,
}

/// A sign of life of an attempt, which is not journaled.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    /// Whose.
    pub attempt: AttemptId,
    /// A tool call that began: the tool, and what it is about.
    pub tool: Option<(String, String)>,
    /// When.
    pub at: Timestamp,
}

/// Where a component stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not begun, or to be done again.
    Waiting,
    /// A writing step is on: its word.
    Working(&'static str),
    /// It is being checked: the round.
    Validating(u32),
    /// Its issues are being mended: which fix.
    Fixing(u32),
    /// A question waits for the user.
    Asking,
    /// Done.
    Complete(Proof),
    /// Given up.
    Failed,
    /// Left out by the user.
    Skipped,
    /// Something that it depends on failed or was left out.
    Blocked,
}

impl Phase {
    /// The kind of phase, of which there are counts.
    fn kind(self) -> Kind {
        match self {
            Self::Waiting => Kind::Waiting,
            Self::Working(_) | Self::Validating(_) | Self::Fixing(_) => Kind::Active,
            Self::Asking => Kind::Asking,
            Self::Complete(_) => Kind::Complete,
            Self::Failed | Self::Skipped | Self::Blocked => Kind::Out,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Waiting,
    Active,
    Asking,
    Complete,
    Out,
}

/// How many components stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Not begun.
    pub waiting: usize,
    /// Begun.
    pub active: usize,
    /// Waiting for the user.
    pub asking: usize,
    /// Done.
    pub complete: usize,
    /// Failed, skipped or blocked.
    pub out: usize,
}

impl Tally {
    /// All of them.
    pub fn total(&self) -> usize {
        self.waiting + self.active + self.asking + self.complete + self.out
    }

    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Waiting => &mut self.waiting,
            Kind::Active => &mut self.active,
            Kind::Asking => &mut self.asking,
            Kind::Complete => &mut self.complete,
            Kind::Out => &mut self.out,
        }
    }
}

/// An attempt that has not ended.
#[derive(Debug, Clone)]
pub struct Running {
    /// Which.
    pub attempt: AttemptId,
    /// When it was started.
    pub since: Timestamp,
    /// The last tool call: the tool, what it is about, when it began.
    pub tool: Option<(String, String, Timestamp)>,
}

/// A question without an answer.
#[derive(Debug, Clone)]
pub struct Question {
    /// Its id.
    pub id: String,
    /// Who waits for the answer.
    pub on: Subject,
    /// Its text.
    pub text: String,
}

/// The `cco run` that is on, or was the last.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// Counted from 1.
    pub number: u32,
    /// quick, standard or full.
    pub mode: String,
    /// How many agents at once.
    pub jobs: u32,
    /// Whether the agent is the simulated one.
    pub simulated: bool,
    /// When it began.
    pub since: Timestamp,
    /// When it ended and how; none while it is on, and after kill -9.
    pub ended: Option<(Timestamp, RunEnd)>,
}

/// Kept small: there may be 100,000 of them.
#[derive(Debug)]
struct Node {
    id: ComponentId,
    level: u32,
    /// How many of its dependencies are not complete.
    unmet: u32,
    phase: Phase,
}

/// The edges of a graph, all in one list: those of node `n` are `to[from[n]..from[n + 1]]`.
#[derive(Debug)]
struct Edges {
    from: Vec<u32>,
    to: Vec<u32>,
}

impl Edges {
    /// Of `count` nodes, from pairs of (from, to).
    fn new(count: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut from = vec![0_u32; count + 1];
        for (node, _) in pairs.clone() {
            from[node as usize + 1] += 1;
        }
        for node in 0..count {
            from[node + 1] += from[node];
        }
        let mut next = from.clone();
        let mut to = vec![0; from[count] as usize];
        for (node, target) in pairs {
            let slot = &mut next[node as usize];
            to[*slot as usize] = target;
            *slot += 1;
        }
        Self { from, to }
    }

    fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.to[self.from[node] as usize..self.from[node + 1] as usize]
    }
}

/// The read model.
#[derive(Debug)]
pub struct View {
    nodes: Vec<Node>,
    index: HashMap<ComponentId, u32>,
    dependencies: Edges,
    dependents: Edges,
    tally: Tally,
    levels: Vec<Tally>,
    running: Vec<Running>,
    questions: Vec<Question>,
    retries: Vec<(Subject, Timestamp)>,
    pause: Option<(Timestamp, Pause)>,
    run: Option<RunInfo>,
    /// Where components work, with a slash behind it: what every path begins with.
    dir: String,
    whole: Option<Proof>,
    spent_usd: f64,
    /// Whether an agent's cost is not known.
    spent_more: bool,
}

impl View {
    /// Of components that all wait. Dependencies that are not in the shape are taken as met.
    pub fn new(shape: &Shape) -> Self {
        let components = &shape.components;
        let index: HashMap<ComponentId, u32> = (0..).zip(components).map(|(n, c)| (c.id.clone(), n)).collect();
        let pairs: Vec<(u32, u32)> = (0..)
            .zip(components)
            .flat_map(|(n, c)| {
                c.depends_on.iter().filter_map(|id| index.get(id)).map(move |dependency| (n, *dependency))
            })
            .collect();
        let dependencies = Edges::new(components.len(), pairs.iter().copied());
        let dependents = Edges::new(components.len(), pairs.iter().map(|(node, dependency)| (*dependency, *node)));
        let nodes = (0..).zip(components).map(|(n, c)| {
            let unmet = dependencies.of(n).len() as u32;
            Node { id: c.id.clone(), level: c.level, unmet, phase: Phase::Waiting }
        });
        let nodes: Vec<Node> = nodes.collect();
        let mut levels = vec![Tally::default(); nodes.iter().map(|node| node.level as usize + 1).max().unwrap_or(0)];
        for node in &nodes {
            levels[node.level as usize].waiting += 1;
        }
        Self {
            tally: Tally { waiting: nodes.len(), ..Tally::default() },
            nodes,
            index,
            dependencies,
            dependents,
            levels,
            running: Vec::new(),
            questions: Vec::new(),
            retries: Vec::new(),
            pause: None,
            run: None,
            dir: String::new(),
            whole: None,
            spent_usd: 0.0,
            spent_more: false,
        }
    }

    /// Takes in what a record says.
    pub fn apply(&mut self, record: &Record) {
        for event in &record.events {
            self.apply_event(event, record.at);
        }
    }

    fn apply_event(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::JournalOpened { .. }
            | Event::RunAborted
            | Event::ValidationSettled { .. }
            | Event::ValidationWaived { .. }
            | Event::SeatLost { .. }
            | Event::VoteSettled(_)
            | Event::GateSettled { .. }
            | Event::Inherited { .. }
            | Event::Noted { .. }
            // The attempt that follows says more.
            | Event::StepOpened { .. } => {}
            Event::RunStarted(run) => self.start_run(run, at),
            Event::RunEnded { end } => {
                self.pause = None;
                if let Some(run) = &mut self.run {
                    run.ended = Some((at, *end));
                }
            }
            Event::WindowNearlyUsed { .. } => {}
            Event::RunPaused { until, why } => self.pause = Some((*until, *why)),
            Event::JobsChanged { jobs } => {
                if let Some(run) = &mut self.run {
                    run.jobs = *jobs;
                }
            }
            Event::ComponentStarted { on, .. } => self.enter(on, Phase::Working("start")),
            Event::AttemptStarted { attempt, .. } => self.start_attempt(attempt, at),
            Event::AttemptEnded { attempt, end, usage, .. } => self.end_attempt(attempt, end, usage.as_deref()),
            Event::RetryScheduled { on, at, .. } => self.retries.push((on.clone(), *at)),
            Event::ValidationOpened { on, round, .. } => self.enter_subject(on, Phase::Validating(*round)),
            Event::FixOpened { on, fix, .. } => self.enter_subject(on, Phase::Fixing(*fix)),
            Event::VoteOpened(vote) => self.enter_subject(&vote.on, Phase::Working("vote")),
            Event::Refactored { on, .. } => self.enter(on, Phase::Working("refactor")),
            Event::Escalated(question) => self.ask(question),
            Event::Answered(answer) => self.answer(answer),
            Event::ComponentCompleted { on, proof } => self.enter(on, Phase::Complete(*proof)),
            Event::ComponentFailed { on, .. } => self.enter(on, Phase::Failed),
            Event::ComponentSkipped { on } => self.enter(on, Phase::Skipped),
            Event::RunCompleted { proof } => self.whole = Some(*proof),
            Event::WentStale { on, .. } => {
                self.whole = None;
                self.enter_subject(on, Phase::Waiting);
            }
        }
    }

    /// Takes in a sign of life. One of an attempt that is not running is passed over.
    pub fn apply_live(&mut self, live: &LiveEvent) {
        let Some(running) = self.running.iter_mut().find(|running| running.attempt == live.attempt) else { return };
        if let Some((tool, about)) = &live.tool {
            running.tool = Some((tool.clone(), about.replace(&self.dir, ""), live.at));
        }
    }

    fn start_run(&mut self, run: &RunStarted, at: Timestamp) {
        let (TreeInfo::Shared { dir } | TreeInfo::Worktree { dir, .. }) = &run.tree;
        self.dir = format!("{dir}/");
        self.pause = None;
        self.run = Some(RunInfo {
            number: run.run,
            mode: run.mode.clone(),
            jobs: run.jobs,
            simulated: run.simulated,
            since: at,
            ended: None,
        });
    }

    fn start_attempt(&mut self, attempt: &AttemptId, at: Timestamp) {
        self.retries.retain(|(on, _)| *on != attempt.on);
        self.running.push(Running { attempt: attempt.clone(), since: at, tool: None });
        match attempt.step {
            Step::Skeleton => self.enter_subject(&attempt.on, Phase::Working("skeleton")),
            Step::Implement => self.enter_subject(&attempt.on, Phase::Working("implement")),
            Step::Revise => self.enter_subject(&attempt.on, Phase::Working("revise")),
            Step::Resolve => self.enter_subject(&attempt.on, Phase::Working("resolve")),
            // The phase that opened them says more.
            Step::Fix | Step::Review(_) | Step::Vote { .. } | Step::Check(_) => {}
        }
    }

    fn end_attempt(&mut self, attempt: &AttemptId, end: &AttemptEnd, usage: Option<&Usage>) {
        self.running.retain(|running| running.attempt != *attempt);
        match usage.and_then(|usage| usage.cost_usd) {
            Some(usd) => self.spent_usd += usd,
            // What never ran cost nothing.
            None if matches!(end, AttemptEnd::Failed { class: Trouble::NotStarted, .. }) => {}
            None => self.spent_more |= attempt.step.by_agent(),
        }
    }

    fn ask(&mut self, question: &Escalation) {
        let Escalation { id, on, question: text, .. } = question;
        self.questions.push(Question { id: id.clone(), on: on.clone(), text: text.clone() });
        self.enter_subject(on, Phase::Asking);
    }

    fn answer(&mut self, answer: &Answer) {
        if let Some(at) = self.questions.iter().position(|question| question.id == answer.id) {
            let question = self.questions.remove(at);
            self.enter_subject(&question.on, Phase::Working("answered"));
        }
    }

    fn enter_subject(&mut self, on: &Subject, phase: Phase) {
        match on {
            Subject::Component(id) => self.enter(id, phase),
            Subject::Run => {}
        }
    }

    /// A component that the shape does not have (it was removed from the manifest) is passed over.
    fn enter(&mut self, id: &ComponentId, phase: Phase) {
        let Some(&node) = self.index.get(id) else { return };
        let old = self.set_phase(node, phase);
        let complete = (old.kind() == Kind::Complete, phase.kind() == Kind::Complete);
        for n in self.dependents.of(node) {
            let unmet = &mut self.nodes[*n as usize].unmet;
            match complete {
                (false, true) => *unmet -= 1,
                (true, false) => *unmet += 1,
                (false, false) | (true, true) => {}
            }
        }
        match (old.kind() == Kind::Out, phase.kind() == Kind::Out) {
            (false, true) => self.block_dependents(node),
            (true, false) => self.block_anew(),
            (false, false) | (true, true) => {}
        }
    }

    fn set_phase(&mut self, node: u32, phase: Phase) -> Phase {
        let node = &mut self.nodes[node as usize];
        let old = std::mem::replace(&mut node.phase, phase);
        for tally in [&mut self.tally, &mut self.levels[node.level as usize]] {
            *tally.of(old.kind()) -= 1;
            *tally.of(phase.kind()) += 1;
        }
        old
    }

    /// Each component is blocked once, so all of it together costs one walk over the graph.
    fn block_dependents(&mut self, node: u32) {
        let mut reached = vec![node];
        while let Some(node) = reached.pop() {
            for at in 0..self.dependents.of(node).len() {
                let dependent = self.dependents.of(node)[at];
                if self.nodes[dependent as usize].phase == Phase::Waiting {
                    self.set_phase(dependent, Phase::Blocked);
                    reached.push(dependent);
                }
            }
        }
    }

    /// Something that was given up goes on: rare, so everything is looked at.
    fn block_anew(&mut self) {
        let all = 0..self.nodes.len() as u32;
        for node in all.clone() {
            if self.nodes[node as usize].phase == Phase::Blocked {
                self.set_phase(node, Phase::Waiting);
            }
        }
        for node in all {
            if matches!(self.nodes[node as usize].phase, Phase::Failed | Phase::Skipped) {
                self.block_dependents(node);
            }
        }
    }

    /// How many components stand where.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The same for each level.
    pub fn levels(&self) -> &[Tally] {
        &self.levels
    }

    /// Where a component stands; none if there is no such component.
    pub fn phase(&self, id: &ComponentId) -> Option<Phase> {
        self.index.get(id).map(|node| self.nodes[*node as usize].phase)
    }

    /// All components with their phases, in the manifest's order.
    pub fn components(&self) -> impl Iterator<Item = (&ComponentId, Phase)> {
        self.nodes.iter().map(|node| (&node.id, node.phase))
    }

    /// The components that have not begun, in the manifest's order, each with those that it waits for. Those whose
    /// dependencies are complete wait for nothing but their turn.
    pub fn waiting(&self) -> impl Iterator<Item = (&ComponentId, impl Iterator<Item = &ComponentId>)> {
        (0..).zip(&self.nodes).filter(|(_, node)| node.phase == Phase::Waiting).map(|(n, node)| {
            let edges = if node.unmet == 0 { &[] } else { self.dependencies.of(n) };
            let dependencies = edges.iter().map(|dependency| &self.nodes[*dependency as usize]);
            let unmet = dependencies.filter(|dependency| dependency.phase.kind() != Kind::Complete);
            (&node.id, unmet.map(|dependency| &dependency.id))
        })
    }

    /// The attempts that have not ended, in the order of their starts.
    pub fn running(&self) -> &[Running] {
        &self.running
    }

    /// The questions without an answer, oldest first.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Who tries again, and when.
    pub fn retries(&self) -> &[(Subject, Timestamp)] {
        &self.retries
    }

    /// Until when no agent starts, and why.
    pub fn pause(&self) -> Option<(Timestamp, Pause)> {
        self.pause
    }

    /// The run that is on, or was the last; none before the first.
    pub fn run(&self) -> Option<&RunInfo> {
        self.run.as_ref()
    }

    /// What stands behind the whole, once it is complete.
    pub fn whole(&self) -> Option<Proof> {
        self.whole
    }

    /// What all runs cost in US dollars, and whether it was more than that.
    pub fn cost(&self) -> (f64, bool) {
        (self.spent_usd, self.spent_more)
    }
}
