//! The one loop of a run.

#![expect(clippy::disallowed_methods, reason = "the shell of the core: times enter here, and go on as data")]

mod begin;
mod end;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::context::render;
use crate::executor::archive::Archive;
use crate::executor::boots::Boots;
use crate::executor::brief::brief;
use crate::executor::inbox::{self, Inbox, Letter};
use crate::executor::job::Job;
use crate::executor::redaction::redacted;
use crate::executor::signals::{Asked, Signals};
use crate::executor::wants::wants;
use crate::executor::worker::{Ended, Order, Worked, Worker, ended};
use crate::ids::{AttemptId, Subject};
use crate::journal::Journal;
use crate::lifecycle::event::{AttemptEnd, Author, Event, Integration, RunEnd, Trouble};
use crate::lifecycle::next::{Launch, Next, Task, end_of, next, wake_at};
use crate::lifecycle::observer::{Live, LiveEvent, Observer};
use crate::lifecycle::report::Claim;
use crate::lifecycle::settle::{Outcome, Refusal, answer, settle};
use crate::lifecycle::state::RunState;
use crate::plan::graph::Index;
use crate::process::Stop;

pub use begin::Start;
pub use end::{Finish, RunError};

/// How often letters are looked for and context files rendered.
const TICK: Duration = Duration::from_secs(1);

/// The part of a usage window from which on no further component begins.
const NEARLY_USED: f64 = 0.95;

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
            let work = Worked::of(&self.state, &launch.attempt);
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
        let wants = match &end {
            AttemptEnd::Wrote { report, .. } if report.status == Claim::NeedsFiles => {
                wants(&self.job, &attempt, &report.needs_files)
            }
            _ => Vec::new(),
        };
        let outcome = Outcome { attempt, end, ms, usage, notes, wants, dice: roll() };
        let events = settle(&mut self.state, outcome, now)?;
        if events.iter().any(|event| matches!(event, Event::FilesGranted { .. })) {
            self.job.owners().grant(self.state.granted());
        }
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
