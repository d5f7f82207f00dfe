//! The state of one subject: a component, or the run itself.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Cause, Issue, Proof, Redo, Scope, Usage, Verdict};
use super::report::WriterReport;
use crate::ids::{Digest, Step};

/// Where a subject stands. One value at a time: what is complete cannot be running.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Its turn has not come; for the run itself: no level and no final validation is due.
    Waiting(Todo),
    /// An agent step is wanted or running.
    Working(Work),
    /// Checks are wanted or running.
    Validating(Box<Validation>),
    /// A question waits for the user.
    Asking(Box<Question>),
    /// Every required check passed, or the user took it.
    Complete(Proof),
    /// Given up.
    Failed,
    /// Left out by the user.
    Skipped,
}

/// What a waiting component is waiting for its turn to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Todo {
    /// Everything.
    Fresh,
    /// A revise step, then validation.
    Revise,
    /// Validation only.
    Validate,
}

impl From<Redo> for Todo {
    fn from(redo: Redo) -> Self {
        match redo {
            Redo::All => Self::Fresh,
            Redo::Revise => Self::Revise,
            Redo::Validate => Self::Validate,
        }
    }
}

/// One agent step, from the decision to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// Which step.
    pub step: Step,
    /// The attempt that runs, if one does.
    pub running: Option<Running>,
    /// The conversation to go on with, and why.
    pub resume: Option<(Box<str>, Why)>,
    /// Whether a try was cut off whose conversation cannot be gone on with.
    pub cut_off: bool,
    /// Not before this time (backoff).
    pub not_before: Option<Timestamp>,
    /// Tries ended by transient trouble.
    pub transient: u8,
    /// Tries ended by silence, crash, or no answer.
    pub lost: u8,
}

impl Work {
    /// A step that nobody has tried yet.
    pub fn new(step: Step) -> Self {
        Self { step, running: None, resume: None, cut_off: false, not_before: None, transient: 0, lost: 0 }
    }
}

/// An attempt that was started and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its number.
    pub n: u32,
    /// Its conversation; none for commands.
    pub session: Option<Box<str>>,
    /// Whether that conversation existed before it.
    pub resumed: bool,
    /// When its start was recorded.
    pub since: Timestamp,
}

/// Why a conversation is continued: it decides what the next prompt says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// cco was stopped or killed in the middle.
    Interrupted,
    /// The structured answer was missing or did not validate.
    NoAnswer,
    /// It was silent or took too long.
    TimedOut,
    /// The server or the process failed.
    Trouble,
}

/// One validation, from opening to verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// How far it reaches.
    pub scope: Scope,
    /// Which round.
    pub round: u32,
    /// Digest of the check set that it was opened with.
    pub set: Digest,
    /// Its commands by name. Change checks come before them and reviewers after them as further stages.
    pub checks: Vec<(Arc<str>, Slot)>,
}

/// One command within a validation.
#[derive(Debug, Clone, PartialEq)]
pub enum Slot {
    /// It is to run.
    Wanted(Tries),
    /// It runs.
    Running(Tries, Running),
    /// It has a verdict.
    Settled(Verdict, Vec<Issue>),
}

/// How often a command was tried within one validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tries {
    /// It failed once on this very tree; a pass now means that it is flaky.
    pub failed: bool,
    /// It could not be run, this many times.
    pub unavailable: u8,
}

/// What an open question needs to be answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// `q1`, `q2`, …
    pub id: String,
    /// Why it was asked.
    pub cause: Cause,
    /// What was being done.
    pub during: During,
}

/// What a question interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum During {
    /// An agent step.
    Step(Step),
    /// A validation.
    Validation(Scope),
}

/// The fix loop of a subject since its last fresh budget.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FixLoop {
    /// Fix rounds, free ones included.
    pub rounds: u32,
    /// Rounds that used up the budget.
    pub counted: u32,
    /// The fewest blocking issues that a validation left.
    pub best: Option<u32>,
    /// How far the validation that failed reached.
    pub scope: Option<Scope>,
    /// The issues of the last validation.
    pub issues: Vec<Issue>,
    /// What was tried, a line each.
    pub tried: Vec<String>,
}

/// Everything known of a subject. Kept small: there can be 100,000.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectState {
    /// Where it stands.
    pub phase: Phase,
    /// Which leg of its way comes next or is under way.
    pub leg: u8,
    /// Validations opened so far.
    pub rounds: u32,
    /// Direct dependencies that are not complete.
    pub open_dependencies: u32,
    /// Direct dependencies that cannot complete without a person.
    pub stuck_dependencies: u32,
    /// Digest of the input that its work was made from.
    pub input: Option<Digest>,
    /// Digest of the checks that it was last validated with.
    pub checks: Option<Digest>,
    /// Digest of its files after its last writing step.
    pub product: Option<Digest>,
    /// Digest of its files when it was last complete: what its consumers were built on.
    pub delivered: Option<Digest>,
    /// Attempts so far by step.
    pub attempts: Vec<(Step, u32)>,
    /// What its last writer said, where it said anything.
    pub report: Option<Box<WriterReport>>,
    /// Its fix loop, once a validation failed.
    pub fixing: Option<Box<FixLoop>>,
    /// The user's words for its next prompts.
    pub guidance: Vec<Arc<str>>,
    /// What it cost.
    pub cost: Cost,
}

impl SubjectState {
    /// A subject before anything happened.
    pub fn new(open_dependencies: u32) -> Self {
        Self {
            phase: Phase::Waiting(Todo::Fresh),
            leg: 0,
            rounds: 0,
            open_dependencies,
            stuck_dependencies: 0,
            input: None,
            checks: None,
            product: None,
            delivered: None,
            attempts: Vec::new(),
            report: None,
            fixing: None,
            guidance: Vec::new(),
            cost: Cost::default(),
        }
    }

    /// The number that the next attempt of a step gets.
    pub fn next_attempt(&self, step: &Step) -> u32 {
        self.attempts.iter().find(|(known, _)| known == step).map_or(1, |(_, n)| n + 1)
    }

    /// Whether it is complete.
    pub fn is_complete(&self) -> bool {
        matches!(self.phase, Phase::Complete(_))
    }

    /// Whether it cannot complete without a person, or not at all.
    pub fn is_stuck(&self) -> bool {
        match self.phase {
            Phase::Asking(_) | Phase::Failed | Phase::Skipped => true,
            Phase::Waiting(_) => self.stuck_dependencies > 0,
            Phase::Working(_) | Phase::Validating(_) | Phase::Complete(_) => false,
        }
    }

    /// Whether something of it is wanted or running.
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Working(_) | Phase::Validating(_))
    }
}

/// Money, where unknown is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// The part that is known, in US dollars.
    pub usd: f64,
    /// Attempts whose cost is not known.
    pub unknown: u32,
}

impl Cost {
    /// Adds one agent attempt.
    pub fn add(&mut self, usage: Option<&Usage>) {
        match usage.and_then(|usage| usage.cost_usd) {
            Some(usd) => self.usd += usd,
            None => self.unknown += 1,
        }
    }
}
