//! Where a formalization stands: a fold over its records.

use jiff::Timestamp;

use super::ROUNDS;
use super::event::{Begun, Draft, End, Event, Over, Record, Written};
use super::report::ReadinessReport;
use crate::ids::{AttemptId, Step};
use crate::lifecycle::event::{Trouble, Usage};
use crate::lifecycle::patience::Toll;
use crate::lifecycle::subject::Why;

/// Where it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub(super) begun: Option<Begun>,
    pub(super) judged: Option<(ReadinessReport, bool)>,
    pub(super) drafts: Vec<(AttemptId, Draft)>,
    /// In which the drafts were made; none where it cannot be gone on with.
    pub(super) conversation: Option<Box<str>>,
    pub(super) work: Work,
    judgements: u32,
    tries: u32,
    pub(super) cost: Cost,
    pub(super) pause: Option<Timestamp>,
    /// Limits on the rate in a row.
    pub(super) limited: u32,
    pub(super) halt: Option<Halt>,
    pub(super) gave_up: Option<String>,
    written: Option<Written>,
    kept: Option<String>,
    notes: Vec<String>,
    over: Option<Over>,
}

/// The tries of the step that is on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Work {
    pub(super) running: Option<Running>,
    /// The conversation of the last try, where it is to be gone on with, and the step that it was about.
    pub(super) resume: Option<(Step, Box<str>, Why)>,
    pub(super) transient: u8,
    pub(super) lost: u8,
    pub(super) not_before: Option<Timestamp>,
}

/// A call in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Which attempt.
    pub attempt: AttemptId,
    /// The conversation.
    pub session: Box<str>,
    /// Whether the conversation existed before.
    pub resumed: bool,
}

/// What it cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// US dollars, as far as they are known.
    pub usd: f64,
    /// Calls whose cost is not known.
    pub unknown: u32,
}

/// Trouble that no retry can mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// How it ends.
    pub over: Over,
    /// What kind of trouble.
    pub class: Trouble,
    /// In words.
    pub why: String,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Readiness is to be judged.
    Judging,
    /// The brainstorm was judged not to be ready.
    NotReady,
    /// A draft is wanted, of this round (from 1).
    Drafting(usize),
    /// The last draft is valid and not in place yet.
    Writing,
    /// No draft was valid.
    Exhausted,
    /// The manifest is in place.
    Written,
}

/// An event that cannot follow those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Illegal(pub &'static str);

impl State {
    /// What is due now.
    pub fn stage(&self) -> Stage {
        let gated = self.begun.as_ref().is_none_or(|begun| begun.gate) && self.drafts.is_empty() && self.tries == 0;
        match (&self.judged, self.drafts.last()) {
            _ if self.written.is_some() => Stage::Written,
            (_, Some((_, draft))) if draft.valid => Stage::Writing,
            _ if self.drafts.len() >= ROUNDS => Stage::Exhausted,
            (None, _) if gated => Stage::Judging,
            (Some((_, false)), _) if gated => Stage::NotReady,
            _ => Stage::Drafting(self.drafts.len() + 1),
        }
    }

    /// How the last `cco formalize` began.
    pub fn begun(&self) -> Option<&Begun> {
        self.begun.as_ref()
    }

    /// What was said of the brainstorm, and whether it is ready.
    pub fn judged(&self) -> Option<(&ReadinessReport, bool)> {
        self.judged.as_ref().map(|(report, ready)| (report, *ready))
    }

    /// The drafts that were received, in order.
    pub fn drafts(&self) -> impl ExactSizeIterator<Item = &(AttemptId, Draft)> {
        self.drafts.iter()
    }

    /// The last of them.
    pub fn last_draft(&self) -> Option<&(AttemptId, Draft)> {
        self.drafts.last()
    }

    /// The call that is on record as begun and not as ended.
    pub fn running(&self) -> Option<&Running> {
        self.work.running.as_ref()
    }

    /// What it cost.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The trouble that stopped it.
    pub fn halt(&self) -> Option<&Halt> {
        self.halt.as_ref()
    }

    /// Why the agent was given up.
    pub fn gave_up(&self) -> Option<&str> {
        self.gave_up.as_deref()
    }

    /// What was written.
    pub fn written(&self) -> Option<&Written> {
        self.written.as_ref()
    }

    /// Where the last draft is kept that was not valid.
    pub fn kept_draft(&self) -> Option<&str> {
        self.kept.as_deref()
    }

    /// How it ended; none while it is on, or was killed.
    pub fn over(&self) -> Option<Over> {
        self.over
    }

    /// The number of the next attempt of a step.
    pub(super) fn next_attempt(&self, step: &Step) -> u32 {
        1 + if *step == Step::Readiness { self.judgements } else { self.tries }
    }

    /// Takes in a record.
    ///
    /// # Errors
    /// An event cannot follow those before it.
    pub fn take(&mut self, record: &Record) -> Result<(), Illegal> {
        record.events.iter().try_for_each(|event| self.apply(event))
    }

    /// Takes in one event.
    ///
    /// # Errors
    /// It cannot follow those before it.
    pub fn apply(&mut self, event: &Event) -> Result<(), Illegal> {
        match event {
            Event::Begun(begun) => self.begin(begun),
            Event::AttemptStarted { attempt, session, resumed } => self.start(attempt, session, *resumed)?,
            Event::AttemptEnded { attempt, end, usage, .. } => self.end(attempt, end, usage.as_ref())?,
            Event::RetryScheduled { at } => self.work.not_before = Some(*at),
            Event::Paused { until, .. } => {
                self.pause = Some(*until);
                self.limited += 1;
            }
            Event::GaveUp { why } => self.gave_up = Some(why.clone()),
            Event::Written(written) => match self.drafts.last() {
                Some((_, draft)) if draft.valid && draft.manifest == written.manifest => {
                    self.written = Some((**written).clone());
                }
                Some(_) | None => return Err(Illegal("what was written is no valid draft")),
            },
            Event::DraftKept { path } => self.kept = Some(path.clone()),
            Event::Noted { text } => self.notes.push(text.clone()),
            Event::Ended { over } => self.over = Some(*over),
        }
        Ok(())
    }

    fn begin(&mut self, begun: &Begun) {
        self.begun = Some(begun.clone());
        self.over = None;
        self.halt = None;
        self.gave_up = None;
        // Whether a limit is over is for the server to say, as it is where a run begins.
        self.pause = None;
        self.limited = 0;
        // Whoever begins again has patience again; where its conversation was is not forgotten.
        self.work = Work {
            running: self.work.running.take(),
            resume: self.work.resume.take(),
            not_before: None,
            transient: 0,
            lost: 0,
        };
    }

    fn start(&mut self, attempt: &AttemptId, session: &str, resumed: bool) -> Result<(), Illegal> {
        let wanted = match self.stage() {
            Stage::Judging => Step::Readiness,
            Stage::Drafting(_) => Step::Draft,
            Stage::NotReady | Stage::Writing | Stage::Exhausted | Stage::Written => {
                return Err(Illegal("no call is wanted"));
            }
        };
        if attempt.step != wanted {
            return Err(Illegal("that step is not wanted"));
        }
        if self.work.running.is_some() {
            return Err(Illegal("another call runs"));
        }
        if attempt.n != self.next_attempt(&attempt.step) {
            return Err(Illegal("its number is not the next one"));
        }
        *(if wanted == Step::Readiness { &mut self.judgements } else { &mut self.tries }) += 1;
        self.work.running = Some(Running { attempt: attempt.clone(), session: session.into(), resumed });
        self.work.not_before = None;
        // What another step was cut off in is no conversation of this one.
        self.work.resume.take_if(|(step, ..)| *step != wanted);
        Ok(())
    }

    fn end(&mut self, attempt: &AttemptId, end: &End, usage: Option<&Usage>) -> Result<(), Illegal> {
        let running = self.work.running.take().filter(|running| running.attempt == *attempt);
        let Some(Running { session, .. }) = running else { return Err(Illegal("that call does not run")) };
        self.pay(end, usage);
        match end {
            End::Judged { report, ready } if attempt.step == Step::Readiness => {
                self.judged = Some((report.clone(), *ready));
                self.answered();
            }
            End::Drafted(draft) if attempt.step == Step::Draft => {
                self.drafts.push((attempt.clone(), (**draft).clone()));
                self.conversation = Some(session);
                self.answered();
            }
            End::Judged { .. } | End::Drafted(_) => return Err(Illegal("it is not asked for that")),
            End::Failed { class, message, resumable } => {
                match class.toll() {
                    Toll::Transient => self.work.transient += 1,
                    Toll::Lost => self.work.lost += 1,
                    Toll::Nothing => {}
                }
                self.halt_on(*class, message);
                let resumable = *resumable && !class.begins_anew();
                self.go_on_with(&attempt.step, session, resumable, Why::after(*class));
            }
            End::Interrupted { resumable } => self.go_on_with(&attempt.step, session, *resumable, Why::Interrupted),
        }
        Ok(())
    }

    fn answered(&mut self) {
        self.work = Work::default();
        self.limited = 0;
    }

    /// A conversation that cannot be gone on with takes the earlier drafts with it.
    fn go_on_with(&mut self, step: &Step, session: Box<str>, resumable: bool, why: Why) {
        self.work.resume = resumable.then(|| (step.clone(), session, why));
        if !resumable {
            self.conversation = None;
        }
    }

    fn pay(&mut self, end: &End, usage: Option<&Usage>) {
        match usage.and_then(|usage| usage.cost_usd) {
            Some(usd) => self.cost.usd += usd,
            // What never ran cost nothing; of everything else, unknown is not zero.
            None if matches!(end, End::Failed { class: Trouble::NotStarted, .. }) => {}
            None => self.cost.unknown += 1,
        }
    }

    fn halt_on(&mut self, class: Trouble, why: &str) {
        let no_wait = self.begun.as_ref().is_some_and(|begun| begun.no_wait);
        let over = match class {
            Trouble::UsageLimit { .. } if no_wait => Over::UsageLimit,
            class if class.stops_the_run() => Over::Environment,
            _ => return,
        };
        self.halt = Some(Halt { over, class, why: why.to_owned() });
    }
}
