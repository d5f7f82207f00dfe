//! The one loop of a run.

#![expect(clippy::disallowed_methods, reason = "the shell of the core: times enter here, and go on as data")]

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::archive::Archive;
use super::boots::Boots;
use super::brief::brief;
use super::inbox::{self, Inbox, Letter};
use super::job::Job;
use super::redaction::redacted;
use super::signals::{Asked, Signals};
use super::worker::{Ended, Order, Worked, Worker, ended};
use crate::context::render;
use crate::ids::{AttemptId, Step, Subject};
use crate::journal::{Journal, JournalError};
use crate::lifecycle::event::{AttemptEnd, Author, Event, FORMAT, Integration, RunEnd, RunStarted, Trouble};
use crate::lifecycle::next::{Launch, Next, Task, end_of, next, wake_at};
use crate::lifecycle::observer::{Live, LiveEvent, Observer};
use crate::lifecycle::reconcile;
use crate::lifecycle::settle::{Outcome, Refusal, answer, settle};
use crate::lifecycle::state::{Illegal, RunState};
use crate::lifecycle::subject::{SubjectState, Work};
use crate::plan::graph::Index;
use crate::process::Stop;
use crate::tree::TreeError;

/// How often letters are looked for and context files rendered.
const TICK: Duration = Duration::from_secs(1);

/// The part of a usage window from which on no further component begins.
const NEARLY_USED: f64 = 0.95;

/// How a run begins.
pub struct Start {
    /// The settings in force.
    pub run: RunStarted,
    /// Components to make anew.
    pub redo: Vec<Index>,
    /// The user's words for them.
    pub guidance: Option<String>,
    /// Things worth recording before the first step: a torn journal, strays that were ended.
    pub notes: Vec<String>,
    /// How often displays are asked to redraw; none where nothing is drawn.
    pub redraw: Option<Duration>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finish {
    /// How.
    pub end: RunEnd,
    /// The signal that ended it.
    pub asked: Option<Asked>,
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What happened could not be made durable. Everything was stopped; the next run carries on from the last record.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The state and its events contradict each other.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The integration branch does not hold any more what cco put there.
    #[error(
        "the integration branch `{branch}` was rewritten: it no longer holds {known}, which cco put there\nhelp: `git branch -f {branch} {known}` brings it back, `cco run --fresh` starts over"
    )]
    Rewritten {
        /// The branch.
        branch: String,
        /// The last commit that landed there.
        known: String,
    },
    /// The repository cannot be worked with.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The system refused something that a run cannot do without.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A run under way.
pub struct Dispatcher {
    job: Arc<Job>,
    state: RunState,
    journal: Journal,
    observers: Vec<Box<dyn Observer>>,
    worker: Arc<Worker>,
    archive: Arc<Archive>,
    inbox: Inbox,
    live: mpsc::UnboundedReceiver<Live>,
    stop: watch::Sender<Stop>,
    asked: Option<Asked>,
    tasks: JoinSet<Ended>,
    attempts: HashMap<tokio::task::Id, AttemptId>,
    launches: Vec<Launch>,
    /// Whose work is on the branch, so that their worktrees can go once that is durable.
    landed: Vec<Subject>,
    clearing: JoinSet<()>,
    boots: Boots,
    letters: Vec<PathBuf>,
    untold: BTreeSet<Index>,
    /// When the manifest was last written, as far as it was told.
    manifest: Option<SystemTime>,
}

impl Dispatcher {
    /// A run over a folded journal. The spec's lock must be held.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(
        job: Arc<Job>,
        state: RunState,
        journal: Journal,
        observers: Vec<Box<dyn Observer>>,
        live: mpsc::UnboundedReceiver<Live>,
    ) -> std::io::Result<Self> {
        let manifest = modified(&job.paths.manifest());
        let archive = Arc::new(Archive::start()?);
        let worker = Arc::new(Worker::new(job.clone(), archive.clone()));
        Ok(Self {
            inbox: Inbox::new(job.paths.inbox()),
            boots: Boots::new(job.boots),
            job,
            state,
            journal,
            observers,
            worker,
            archive,
            live,
            stop: watch::Sender::new(Stop::Run),
            asked: None,
            tasks: JoinSet::new(),
            attempts: HashMap::new(),
            launches: Vec::new(),
            landed: Vec::new(),
            clearing: JoinSet::new(),
            letters: Vec::new(),
            untold: BTreeSet::new(),
            manifest,
        })
    }

    /// Runs to the end. Whatever happens, no process is left.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn run(mut self, start: Start) -> Result<(Finish, RunState), RunError> {
        let result = self.turn_until_end(start).await;
        if result.is_err() {
            self.stop.send_replace(Stop::Kill);
            while self.tasks.join_next().await.is_some() {}
        }
        self.take_down().await;
        self.job.supervisor.finish().await;
        self.render_context();
        for observer in &mut self.observers {
            observer.finish(&self.state);
        }
        Ok((result?, self.state))
    }

    async fn turn_until_end(&mut self, start: Start) -> Result<Finish, RunError> {
        let mut signals = Signals::new()?;
        let mut tick = tokio::time::interval(start.redraw.unwrap_or(TICK).min(TICK));
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        self.begin(start)?;
        loop {
            self.take_letters()?;
            let end = self.plan_turn()?;
            let starts = self.prepare();
            self.commit()?;
            if let Some(end) = end {
                // Before the end is on record: once it is, nobody looks any more for what is left.
                self.take_down().await;
                return self.end(end);
            }
            for start in starts {
                // Whoever is gone before it may start was stopped.
                let _ = start.send(());
            }
            self.wait(&mut signals, &mut tick).await?;
        }
    }

    /// The records before the first step: the run itself, what a dead run left, and what no longer stands.
    fn begin(&mut self, start: Start) -> Result<(), RunError> {
        let now = Timestamp::now();
        if self.journal.next_seq() == 0 {
            let spec = self.job.plan.spec.clone();
            let cco = env!("CARGO_PKG_VERSION").to_owned();
            self.apply(vec![Event::JournalOpened { format: FORMAT, cco, spec }], now)?;
        }
        let notes = start.notes.into_iter().map(|text| Event::Noted { on: Subject::Run, text });
        if self.state.ended() != Some(RunEnd::Done) {
            // A run that died, or met a full disk, may not have rendered what its agents said.
            let told = |&at: &Index| self.state.component(at).report.is_some();
            self.untold = (0..self.state.run_index()).filter(told).collect();
        }
        let begun = std::iter::once(Event::RunStarted(Box::new(start.run))).chain(notes).collect();
        self.apply(begun, now)?;
        self.take_in_branch(now)?;
        let in_flight = self.state.in_flight();
        for (attempt, resumed) in &in_flight {
            let work = worked(&self.state, attempt);
            let left = self.worker.settle_left(attempt.clone(), *resumed, work);
            self.settle(left)?;
        }
        let guidance = start.guidance.as_deref().map(|text| self.job.redactor.text(text));
        let redo = reconcile::redo(&self.state, &start.redo, guidance.as_deref());
        self.apply_unless_empty(redo, now)?;
        let stale = reconcile::stale(&self.state);
        self.apply_unless_empty(stale, now)
    }

    /// What the user did with the integration branch while no run lived, and worktrees that a dead run had done with.
    fn take_in_branch(&mut self, now: Timestamp) -> Result<(), RunError> {
        let Some(repository) = self.job.tree.repository() else { return Ok(()) };
        let tip = repository.tip()?;
        let known = self.state.branch_tip().unwrap_or_else(|| repository.base()).to_owned();
        if tip != known && !repository.is_ancestor(&known, &tip)? {
            return Err(RunError::Rewritten { branch: repository.branch().to_owned(), known });
        }
        let done = |on: &Subject| self.state.subject(on).is_some_and(SubjectState::is_complete);
        self.landed.extend(repository.subjects().into_iter().filter(done));
        if tip != known {
            // Of a landing that was in flight it is known in a moment that it is cco's own.
            let landing = self.state.in_flight().iter().any(|(attempt, _)| attempt.step == Step::Integrate);
            if !landing {
                self.apply(vec![Event::BranchAdopted { commit: tip.into() }], now)?;
            }
        }
        Ok(())
    }

    /// Everything that follows from the state; the end, if nothing can follow any more.
    fn plan_turn(&mut self) -> Result<Option<RunEnd>, RunError> {
        let now = Timestamp::now();
        let mut started = Vec::new();
        while self.asked.is_none()
            && let Some(step) = next(&mut self.state, now, self.boots.room() > 0, &mut new_session)?
        {
            match step {
                Next::Decide(events) => self.stage(events, Author::Cco, now),
                Next::Launch(events, launch) => {
                    started.extend(events);
                    if let Task::Agent { .. } = launch.task {
                        self.boots.start(launch.attempt.clone());
                    }
                    self.launches.push(launch);
                }
            }
        }
        if !started.is_empty() {
            self.stage(started, Author::Cco, now);
        }
        Ok(match self.asked {
            Some(_) => self.state.is_quiet().then_some(RunEnd::Interrupted),
            None => end_of(&self.state, now),
        })
    }

    fn end(&mut self, end: RunEnd) -> Result<Finish, RunError> {
        let now = Timestamp::now();
        // Who reads the end may rely on the files.
        self.render_context();
        self.archive.flush();
        self.note_edit(now)?;
        self.apply(vec![Event::RunEnded { end }], now)?;
        self.commit()?;
        Ok(Finish { end, asked: self.asked })
    }

    /// Removes the worktrees that nobody needs any more.
    async fn take_down(&mut self) {
        while self.clearing.join_next().await.is_some() {}
        if self.state.completed().is_some() {
            self.worker.clear(&Subject::Run).await;
        }
        self.worker.finish().await;
    }

    /// Makes the turn durable, then shows it.
    fn commit(&mut self) -> Result<(), RunError> {
        for record in self.journal.commit()? {
            for observer in &mut self.observers {
                observer.on_record(&self.state, &record);
            }
        }
        self.letters.drain(..).for_each(|letter| inbox::discard(&letter));
        for on in self.landed.drain(..) {
            let worker = self.worker.clone();
            self.clearing.spawn(async move { worker.clear(&on).await });
        }
        Ok(())
    }

    /// Prepares what the turn decided while its records become durable; nothing starts before its word is given, and
    /// nothing starts at all where it is dropped.
    fn prepare(&mut self) -> Vec<oneshot::Sender<()>> {
        let mut starts = Vec::with_capacity(self.launches.len());
        for launch in std::mem::take(&mut self.launches) {
            let attempt = launch.attempt.clone();
            let brief = match &launch.task {
                Task::Agent { resume, .. } => {
                    let (role, input) = brief(&self.job, &self.state, &launch, *resume);
                    Some((role, Box::new(input)))
                }
                Task::Check(..) | Task::Own { .. } => None,
            };
            let (worker, stop) = (self.worker.clone(), self.stop.subscribe());
            let work = worked(&self.state, &launch.attempt);
            let order = Order { launch, brief, work };
            let (start, started) = oneshot::channel();
            let task = self.tasks.spawn(async move { worker.perform(order, started, stop).await });
            self.attempts.insert(task.id(), attempt);
            starts.push(start);
        }
        starts
    }

    /// Waits for something to happen and takes in all that is at hand.
    async fn wait(&mut self, signals: &mut Signals, tick: &mut tokio::time::Interval) -> Result<(), RunError> {
        let wake = wake_at(&self.state, Timestamp::now()).map(until);
        tokio::select! {
            biased;
            asked = signals.next() => self.stop_for(asked),
            Some(done) = self.tasks.join_next_with_id() => {
                // What an attempt said came before its end.
                self.take_all_live()?;
                self.take(done)?;
                while let Some(done) = self.tasks.try_join_next_with_id() {
                    self.take(done)?;
                }
            }
            Some(live) = self.live.recv() => self.take_live(&live)?,
            () = tokio::time::sleep_until(wake.unwrap_or_else(far)), if wake.is_some() => {}
            _ = tick.tick() => self.on_tick()?,
        }
        self.take_all_live()
    }

    fn take_all_live(&mut self) -> Result<(), RunError> {
        while let Ok(live) = self.live.try_recv() {
            self.take_live(&live)?;
        }
        Ok(())
    }

    /// Shows a sign of life; one that says that a usage window is nearly used up is recorded too, once a window.
    fn take_live(&mut self, live: &Live) -> Result<(), RunError> {
        let now = Timestamp::now();
        if let LiveEvent::Spoke(after) = live.what {
            self.boots.spoke(&live.attempt, after);
        }
        if let LiveEvent::RateLimit(limit) = &live.what
            && let Some(until) = limit.resets_at.filter(|until| *until > now && Some(*until) != self.state.hold())
            && limit.warning
            && limit.utilization.is_some_and(|used| used >= NEARLY_USED)
            && !self.job.plan.policy.no_wait
        {
            self.apply(vec![Event::WindowNearlyUsed { until }], now)?;
        }
        for observer in &mut self.observers {
            observer.on_live(live, now);
        }
        Ok(())
    }

    fn take(&mut self, done: Result<(tokio::task::Id, Ended), tokio::task::JoinError>) -> Result<(), RunError> {
        let outcome = match done {
            Ok((id, outcome)) => {
                self.attempts.remove(&id);
                outcome
            }
            Err(error) => {
                let Some(attempt) = self.attempts.remove(&error.id()) else { return Ok(()) };
                let message = format!("cco failed while it ran this: {error}");
                ended(attempt, AttemptEnd::Failed { class: Trouble::Internal, message, resumable: false })
            }
        };
        self.settle(outcome)
    }

    fn settle(&mut self, outcome: Ended) -> Result<(), RunError> {
        let Ended { attempt, end, ms, usage, notes, adopted } = redacted(&self.job.redactor, outcome);
        let now = Timestamp::now();
        if let Some(commit) = adopted {
            self.apply(vec![Event::BranchAdopted { commit }], now)?;
        }
        self.boots.end(&attempt);
        if let AttemptEnd::Wrote { .. } = &end
            && let Some(at) = self.state.locate(&attempt.on).filter(|&at| at != self.state.run_index())
        {
            self.untold.insert(at);
        }
        if let AttemptEnd::Integrated(step) = &end
            && let (Integration::Landed { .. }, Subject::Component(_)) = (&**step, &attempt.on)
        {
            self.landed.push(attempt.on.clone());
        }
        let outcome = Outcome { attempt, end, ms, usage, notes, dice: roll() };
        let events = settle(&mut self.state, outcome, now)?;
        self.stage(events, Author::Cco, now);
        Ok(())
    }

    /// Records the answers that lie in the inbox; a letter is taken away only after its record is durable.
    fn take_letters(&mut self) -> Result<(), RunError> {
        for (path, letter) in self.inbox.look() {
            self.take_letter(letter)?;
            self.letters.push(path);
        }
        Ok(())
    }

    fn take_letter(&mut self, letter: Letter) -> Result<(), RunError> {
        let now = Timestamp::now();
        let Letter { by, answer: mut words, .. } = letter;
        // A person's words go into prompts too, where the name of a secret says enough.
        words.guidance = words.guidance.map(|text| self.job.redactor.text(&text).into_owned());
        match answer(&mut self.state, words, now) {
            Ok(events) => self.stage(events, Author::User(by.into()), now),
            Err(Refusal::Illegal(illegal)) => return Err(illegal.into()),
            Err(refusal @ (Refusal::Unknown(_) | Refusal::NoOption { .. } | Refusal::NotForRun(_))) => {
                let text = format!("an answer of {by} was not taken: {refusal}");
                self.apply(vec![Event::Noted { on: Subject::Run, text }], now)?;
            }
        }
        Ok(())
    }

    /// Applies events that were made here and stages their record.
    fn apply(&mut self, events: Vec<Event>, now: Timestamp) -> Result<(), RunError> {
        for event in &events {
            self.state.apply(event, now)?;
        }
        self.stage(events, Author::Cco, now);
        Ok(())
    }

    fn apply_unless_empty(&mut self, events: Vec<Event>, now: Timestamp) -> Result<(), RunError> {
        if events.is_empty() { Ok(()) } else { self.apply(events, now) }
    }

    fn stage(&mut self, events: Vec<Event>, by: Author, now: Timestamp) {
        self.journal.stage(now, by, events);
    }

    fn stop_for(&mut self, asked: Asked) {
        let stop = if self.asked.is_none() { Stop::Stop } else { Stop::Kill };
        self.asked.get_or_insert(asked);
        self.stop.send_replace(stop);
        tracing::info!("stopping: {} running", self.tasks.len());
    }

    fn on_tick(&mut self) -> Result<(), RunError> {
        let now = Timestamp::now();
        for observer in &mut self.observers {
            observer.on_tick(now);
        }
        self.render_context();
        self.note_edit(now)
    }

    /// The run keeps the manifest that it began with; that an edit waits is said once an edit.
    fn note_edit(&mut self, now: Timestamp) -> Result<(), RunError> {
        let today = modified(&self.job.paths.manifest());
        if today == self.manifest {
            return Ok(());
        }
        self.manifest = today;
        let text = "the manifest was edited; this run keeps the one it began with, the next one takes the edit up";
        self.apply(vec![Event::Noted { on: Subject::Run, text: text.to_owned() }], now)
    }

    /// Renders what agents said since the last time into the context files, behind the loop.
    fn render_context(&mut self) {
        if self.untold.is_empty() {
            return;
        }
        let mut told = false;
        for at in std::mem::take(&mut self.untold) {
            let block = render::component(&self.state, at);
            if !block.is_empty() {
                told = true;
                self.archive.block(self.job.paths.component_md(&self.job.plan.component(at).id), block);
            }
        }
        if told {
            self.archive.block(self.job.paths.context_md(), render::global(&self.state));
        }
    }
}

/// When a file was last written; none where that cannot be told.
fn modified(path: &Path) -> Option<SystemTime> {
    fs_err::metadata(path).and_then(|about| about.modified()).ok()
}

/// What the state says of a subject before an attempt of it is done.
fn worked(state: &RunState, attempt: &AttemptId) -> Worked {
    let Some(subject) = state.subject(&attempt.on) else { return Worked::default() };
    let work = subject.phase.works().find(|work| work.step == attempt.step);
    let conflicts = subject.delivery.as_ref().map_or(&[][..], |delivery| &delivery.conflicts);
    Worked {
        tip: subject.tip().map(str::to_owned),
        begun: subject.commits.is_some() || subject.delivered.is_some(),
        untried: work.is_none_or(Work::is_untried),
        cut_off: work.is_some_and(|work| work.cut_off),
        conflicts: conflicts.iter().map(PathBuf::from).collect(),
        branch: state.branch_tip().map(str::to_owned),
        summary: subject.report.as_ref().map_or_else(String::new, |report| report.summary.clone()),
        met: subject.delivery.as_ref().map_or_else(Vec::new, |delivery| delivery.met.clone()),
        found: subject.unseen.as_ref().and_then(|unseen| unseen.landed.first()).cloned(),
    }
}

fn new_session() -> Box<str> {
    uuid::Uuid::new_v4().to_string().into()
}

/// A uniform number in 0..1, for jitter.
fn roll() -> f64 {
    let bits = uuid::Uuid::new_v4().as_u64_pair().0 >> 12;
    bits as f64 / (1u64 << 52) as f64
}

/// The moment of a wall-clock time on the monotonic clock.
fn until(when: Timestamp) -> Instant {
    let wait = Duration::try_from(when.duration_since(Timestamp::now())).unwrap_or_default();
    Instant::now().checked_add(wait).unwrap_or_else(far)
}

fn far() -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Instant::now() + YEAR
}
