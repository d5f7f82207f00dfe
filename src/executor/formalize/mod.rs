//! The shell of a formalization: one loop that asks the core what is to be done, does it, and records what came of it.
//!
//! The order is that of a run: durable, then believed, then shown, then acted on. One call runs at a time.

#![expect(clippy::disallowed_methods, reason = "the shell of the core: times enter here, and go on as data")]

mod brief;
mod call;
mod ground;
mod input;
mod log;
mod write;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::job::Models;
use super::signals::{Asked, Signals};
use crate::agent::{self, AgentEnv, AgentProgram, LiveSink, Prompts};
use crate::formalize::event::{Begun, Event, Over, Record};
use crate::formalize::next::{Ask, Next, next};
use crate::formalize::settle::settle;
use crate::formalize::state::{Illegal, State};
use crate::fsx;
use crate::ids::AttemptId;
use crate::journal::SpecPaths;
use crate::lifecycle::observer::Live;
use crate::process::{Stop, Supervisor};
use crate::redact::Redactor;
use crate::tree::TreeError;

pub use ground::Ground;
pub use input::Input;
pub use log::{Log, LogError, create, manifest_file, set_aside};

/// What a formalization works with, resolved once.
pub struct Desk {
    /// Where the spec's files are.
    pub paths: SpecPaths,
    /// What is formalized.
    pub input: Input,
    /// Where the code is read.
    pub ground: Ground,
    /// The way from the work directory to the spec's, where the spec lies in it.
    pub spec_in_work: Option<PathBuf>,
    /// The agent.
    pub program: AgentProgram,
    /// Its environment.
    pub env: AgentEnv,
    /// The prompts.
    pub prompts: Prompts,
    /// Which model does what.
    pub models: Models,
    /// The longest that the agent may be silent.
    pub idle_timeout: Duration,
    /// The longest that one call may take.
    pub step_timeout: Duration,
    /// Who knows all children.
    pub supervisor: Arc<Supervisor>,
    /// Where running agents report to.
    pub live: LiveSink,
    /// What must not be told of what processes say.
    pub redactor: Arc<Redactor>,
}

/// Who watches. Its failures are its own affair.
pub trait Watch: Send {
    /// A record is durable and applied.
    fn on_record(&mut self, state: &State, record: &Record);
    /// Something was seen in a stream.
    fn on_live(&mut self, live: &Live);
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finish {
    /// How.
    pub over: Over,
    /// The signal that ended it.
    pub asked: Option<Asked>,
}

/// Why it could not go on.
#[derive(Debug, thiserror::Error)]
pub enum FormalizeError {
    /// What happened could not be made durable.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The state and its events contradict each other.
    #[error("what happened cannot follow what is on record: {0}")]
    Illegal(#[from] Illegal),
    /// The repository cannot be worked with.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A prompt cannot be made.
    #[error("{0}")]
    Prompt(String),
    /// The system refused something that it cannot do without.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A formalization under way; the spec's lock must be held.
pub struct Formalizer {
    desk: Arc<Desk>,
    log: Log,
    state: State,
    watch: Box<dyn Watch>,
    live: mpsc::UnboundedReceiver<Live>,
    stop: watch::Sender<Stop>,
    asked: Option<Asked>,
}

impl Formalizer {
    /// One over folded records.
    pub fn new(
        desk: Arc<Desk>,
        (log, state): (Log, State),
        watch: Box<dyn Watch>,
        live: mpsc::UnboundedReceiver<Live>,
    ) -> Self {
        Self { desk, log, state, watch, live, stop: watch::Sender::new(Stop::Run), asked: None }
    }

    /// Works to the end. Whatever happens, no process is left.
    ///
    /// # Errors
    /// See [`FormalizeError`].
    pub async fn run(mut self, begun: Begun, notes: Vec<String>) -> Result<(Finish, State), FormalizeError> {
        let result = self.turn_until_end(begun, notes).await;
        self.desk.supervisor.finish().await;
        Ok((result?, self.state))
    }

    async fn turn_until_end(&mut self, begun: Begun, notes: Vec<String>) -> Result<Finish, FormalizeError> {
        let mut signals = Signals::new()?;
        let notes = notes.into_iter().map(|text| Event::Noted { text });
        self.record(std::iter::once(Event::Begun(Box::new(begun))).chain(notes).collect())?;
        self.settle_left()?;
        loop {
            if self.asked.is_some() {
                return self.end(Over::Interrupted);
            }
            match next(&self.state, Timestamp::now(), &mut new_session) {
                Next::Ask(ask) => self.call(ask, &mut signals).await?,
                Next::Wait(until) => self.wait(until, &mut signals).await,
                Next::Write => self.write()?,
                Next::Keep => self.keep()?,
                Next::End(over) => return self.end(over),
                Next::Running => return Err(Illegal("a call runs that nobody waits for").into()),
            }
        }
    }

    /// What a cco that was killed left in flight.
    fn settle_left(&mut self) -> Result<(), FormalizeError> {
        let Some(running) = self.state.running().cloned() else { return Ok(()) };
        let outcome = tokio::task::block_in_place(|| call::settle_left(&self.desk, &running, roll()))?;
        self.settle(outcome)
    }

    async fn call(&mut self, ask: Ask, signals: &mut Signals) -> Result<(), FormalizeError> {
        let desk = self.desk.clone();
        let made = tokio::task::block_in_place(|| -> Result<_, FormalizeError> {
            let dir = desk.ground.ready()?;
            let request = call::request(&desk, &self.state, &ask, &dir).map_err(FormalizeError::Prompt)?;
            let prompt = desk.paths.formalize_runs().join(format!("{}.prompt.md", stem(&ask.attempt)));
            fsx::write_whole(&prompt, request.prompt.as_bytes())?;
            let before = desk.ground.look(&dir)?;
            Ok((dir, request, before))
        });
        let (dir, request, before) = made?;
        let Ask { attempt, session, resumed, .. } = ask;
        self.record(vec![Event::AttemptStarted { attempt: attempt.clone(), session, resumed }])?;
        let stop = self.stop.subscribe();
        // On another thread: this one, which takes signals, never has a child.
        let mut asked = tokio::spawn(async move {
            agent::ask(&desk.program, &desk.env, &desk.supervisor, request, stop, desk.live.clone()).await
        });
        let reply = loop {
            tokio::select! {
                biased;
                asked = signals.next() => self.stop_for(asked),
                Some(live) = self.live.recv() => self.watch.on_live(&live),
                reply = &mut asked => break reply.map_err(io::Error::other)?,
            }
        };
        let before = Some((dir.as_path(), &before));
        let outcome = tokio::task::block_in_place(|| call::conclude(&self.desk, attempt, reply, before, roll()))?;
        self.settle(outcome)
    }

    async fn wait(&mut self, until: Timestamp, signals: &mut Signals) {
        let wait = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
        tokio::select! {
            biased;
            asked = signals.next() => self.stop_for(asked),
            () = tokio::time::sleep(wait) => {}
        }
    }

    fn write(&mut self) -> Result<(), FormalizeError> {
        let Some((attempt, draft)) = self.state.last_draft() else { return Err(Illegal("there is no draft").into()) };
        let put = tokio::task::block_in_place(|| write::put_in_place(&self.desk, attempt, draft));
        let (written, note) = put?;
        let note = note.map(|text| Event::Noted { text });
        self.record(note.into_iter().chain([Event::Written(Box::new(written))]).collect())
    }

    fn keep(&mut self) -> Result<(), FormalizeError> {
        let Some((attempt, _)) = self.state.last_draft() else { return Err(Illegal("there is no draft").into()) };
        let path = write::keep_draft(&self.desk, attempt)?;
        self.record(vec![Event::DraftKept { path }])
    }

    fn end(&mut self, over: Over) -> Result<Finish, FormalizeError> {
        // Before the end is on record: once it is, nobody looks any more for what is left.
        if matches!(over, Over::Done | Over::NotReady | Over::Invalid) {
            tokio::task::block_in_place(|| self.desk.ground.discard());
        }
        self.record(vec![Event::Ended { over }])?;
        Ok(Finish { over, asked: self.asked })
    }

    fn settle(&mut self, outcome: crate::formalize::settle::Outcome) -> Result<(), FormalizeError> {
        let now = Timestamp::now();
        let mut state = self.state.clone();
        let events = settle(&mut state, outcome, now)?;
        let record = self.log.append(now, events)?;
        self.state = state;
        self.watch.on_record(&self.state, record);
        Ok(())
    }

    fn record(&mut self, events: Vec<Event>) -> Result<(), FormalizeError> {
        let mut state = self.state.clone();
        events.iter().try_for_each(|event| state.apply(event))?;
        let record = self.log.append(Timestamp::now(), events)?;
        self.state = state;
        self.watch.on_record(&self.state, record);
        Ok(())
    }

    fn stop_for(&mut self, asked: Asked) {
        let stop = if self.asked.is_none() { Stop::Stop } else { Stop::Kill };
        self.asked.get_or_insert(asked);
        self.stop.send_replace(stop);
    }
}

/// The stem of an attempt's files.
fn stem(attempt: &AttemptId) -> String {
    format!("{}-{}", attempt.step, attempt.n)
}

fn new_session() -> Box<str> {
    uuid::Uuid::new_v4().to_string().into()
}

/// A uniform number in 0..1, for jitter.
fn roll() -> f64 {
    let bits = uuid::Uuid::new_v4().as_u64_pair().0 >> 12;
    bits as f64 / (1u64 << 52) as f64
}
