//! What is going on, for people: a read model that is fed from records alone, so that a live run, `status` and a replay
//! show the same. An event costs the same however many components there are.

use jiff::Timestamp;

use super::standing::{Phase, Shape, Standing, Tally};
use crate::ids::{AttemptId, ComponentId, Step, Subject};
use crate::lifecycle::event::{
    Answer, AttemptEnd, Escalation, Event, Pause, Proof, Record, RunEnd, RunStarted, TreeInfo, Trouble, Usage,
};

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

/// The read model.
#[derive(Debug)]
pub struct View {
    standing: Standing,
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
        Self::over(Standing::new(shape))
    }

    fn over(standing: Standing) -> Self {
        Self {
            standing,
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
            Event::JournalOpened { .. } => self.start_over(),
            Event::RunAborted
            | Event::ValidationSettled { .. }
            | Event::ValidationWaived { .. }
            | Event::SeatLost { .. }
            | Event::VoteSettled(_)
            | Event::GateSettled { .. }
            | Event::Inherited { .. }
            | Event::Noted { .. }
            // The attempt that follows says more.
            | Event::BranchAdopted { .. }
            | Event::FilesGranted { .. }
            | Event::StateRebuilt(_)
            | Event::IntegrationOpened { .. }
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
            Event::ComponentStarted { on, .. } => self.standing.enter(on, Phase::Working("start")),
            Event::AttemptStarted { attempt, .. } => self.start_attempt(attempt, at),
            Event::AttemptEnded { attempt, end, usage, .. } => self.end_attempt(attempt, end, usage.as_deref()),
            Event::RetryScheduled { on, at, .. } => self.retries.push((on.clone(), *at)),
            Event::ValidationOpened { on, round, .. } => self.enter_subject(on, Phase::Validating(*round)),
            Event::FixOpened { on, fix, .. } => self.enter_subject(on, Phase::Fixing(*fix)),
            Event::VoteOpened(vote) => self.enter_subject(&vote.on, Phase::Working("vote")),
            Event::Refactored { on, .. } => self.standing.enter(on, Phase::Working("refactor")),
            Event::Escalated(question) => self.ask(question),
            Event::Answered(answer) => self.answer(answer),
            Event::ComponentCompleted { on, proof } => self.standing.enter(on, Phase::Complete(*proof)),
            Event::ComponentFailed { on, .. } => self.standing.enter(on, Phase::Failed),
            Event::ComponentSkipped { on } => self.standing.enter(on, Phase::Skipped),
            Event::RunCompleted { proof } => self.whole = Some(*proof),
            Event::WentStale { on, .. } => {
                self.whole = None;
                self.enter_subject(on, Phase::Waiting);
            }
        }
    }

    /// A journal has begun: what was told before was in one that was set aside.
    fn start_over(&mut self) {
        let mut standing = std::mem::take(&mut self.standing);
        standing.start_over();
        *self = Self::over(standing);
    }

    /// Takes in a sign of life. One of an attempt that is not running is passed over.
    pub fn apply_live(&mut self, live: &LiveEvent) {
        let Some(running) = self.running.iter_mut().find(|running| running.attempt == live.attempt) else { return };
        if let Some((tool, about)) = &live.tool {
            running.tool = Some((tool.clone(), about.replace(&self.dir, ""), live.at));
        }
    }

    fn start_run(&mut self, run: &RunStarted, at: Timestamp) {
        let (TreeInfo::Shared { dir } | TreeInfo::Worktree { dir, .. } | TreeInfo::Worktrees { dir, .. }) = &run.tree;
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
            Step::Compare => self.enter_subject(&attempt.on, Phase::Working("compare")),
            Step::Integrate => self.enter_subject(&attempt.on, Phase::Working("integrate")),
            // The phase that opened them says more.
            Step::Fix | Step::Review(_) | Step::Vote { .. } | Step::Check(_) => {}
            // No steps of a run.
            Step::Readiness | Step::Draft => {}
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
            Subject::Component(id) => self.standing.enter(id, phase),
            Subject::Run => {}
        }
    }

    /// How many components stand where.
    pub fn tally(&self) -> Tally {
        self.standing.tally()
    }

    /// The same for each level.
    pub fn levels(&self) -> &[Tally] {
        self.standing.levels()
    }

    /// Where a component stands; none if there is no such component.
    pub fn phase(&self, id: &ComponentId) -> Option<Phase> {
        self.standing.phase(id)
    }

    /// All components with their phases, in the manifest's order.
    pub fn components(&self) -> impl Iterator<Item = (&ComponentId, Phase)> {
        self.standing.components()
    }

    /// The components that have not begun, in the manifest's order, each with those that it waits for. Those whose
    /// dependencies are complete wait for nothing but their turn.
    pub fn waiting(&self) -> impl Iterator<Item = (&ComponentId, impl Iterator<Item = &ComponentId>)> {
        self.standing.waiting()
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
