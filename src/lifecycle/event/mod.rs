//! The on-disk vocabulary: past tense, self-contained, additive. What is written here is an API.
//!
//! Externally tagged on purpose: the other serde forms buffer, and replay reads hundreds of thousands of these.

mod attempt;
mod question;
mod rebuilt;
mod run;
mod stale;
mod validation;
mod vote;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, ComponentId, Digest, Step, Subject};

pub use attempt::{AttemptEnd, Integration, Trouble, Usage};
pub use question::{Answer, Cause, Escalation, Verb};
pub use rebuilt::{FoundLanding, FoundTip, FoundWork, Rebuilt};
pub use run::{Pause, RunEnd, RunStarted, TreeInfo};
pub use stale::{Redo, StaleReason};
pub use validation::{Change, CheckResult, Evidence, Issue, Proof, Scope, Trend, Verdict};
pub use vote::{GateAct, Share, VoteOpened, VoteSettled};

/// The version of the record format. Older ones are always read; a newer one is refused by name.
pub const FORMAT: u32 = 1;

/// How the note of a refused tool call begins; what follows says which, and what would allow it.
pub const DENIED: &str = "denied to the agent: ";

/// One settlement: everything that follows from one outcome, written and synced as a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Counted from 0 without gaps.
    pub seq: u64,
    /// When it was settled (UTC).
    pub at: Timestamp,
    /// Who caused it.
    pub by: Author,
    /// What became true, in order.
    pub events: Vec<Event>,
}

/// Who caused a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The program itself.
    Cco,
    /// A person, by login name.
    User(Arc<str>),
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Record 0: what wrote this journal.
    JournalOpened {
        /// [`FORMAT`] at the time.
        format: u32,
        /// The version of cco.
        cco: String,
        /// The spec, as `project/name-hash`.
        spec: String,
    },
    /// A `cco run` began to work on the journal.
    RunStarted(Box<RunStarted>),
    /// A `cco run` ended and said so (after kill -9 this is missing).
    RunEnded {
        /// How.
        end: RunEnd,
    },
    /// The user ended the run by an answer.
    RunAborted,
    /// No agent is started before `until`.
    RunPaused {
        /// When agents may start again.
        until: Timestamp,
        /// Why.
        why: Pause,
    },
    /// A usage window is nearly used up: what is begun goes on, no further component begins before it resets.
    WindowNearlyUsed {
        /// When it resets.
        until: Timestamp,
    },
    /// How many agents may run at once from here on (rate limits halve it, success grows it back).
    JobsChanged {
        /// The new number.
        jobs: u32,
    },
    /// Work on a component began, with the digests of what it was made from.
    ComponentStarted {
        /// Which.
        on: ComponentId,
        /// Digest of what makes a revise step necessary when it changes.
        input: Digest,
        /// The first step.
        step: Step,
    },
    /// The next agent step was decided.
    StepOpened {
        /// Whose.
        on: Subject,
        /// Which step.
        step: Step,
    },
    /// Written before the process is started, so that no attempt is unknown after a crash.
    AttemptStarted {
        /// Which.
        attempt: AttemptId,
        /// The conversation, chosen by cco; none for commands.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<Box<str>>,
        /// Whether the conversation already existed.
        #[serde(default, skip_serializing_if = "is_false")]
        resumed: bool,
    },
    /// The attempt's process is gone, its output read, its work committed.
    AttemptEnded {
        /// Which.
        attempt: AttemptId,
        /// How.
        end: AttemptEnd,
        /// Wall time in milliseconds; 0 where it is not known.
        #[serde(default)]
        ms: u64,
        /// What it cost; none for commands, and unknown for killed attempts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Box<Usage>>,
    },
    /// The next attempt of this subject starts no earlier than `at`.
    RetryScheduled {
        /// Whose.
        on: Subject,
        /// Which reviewer or voter; none: its writer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<Step>,
        /// When.
        at: Timestamp,
    },
    /// A validation began.
    ValidationOpened {
        /// Of what.
        on: Subject,
        /// How far it reaches.
        scope: Scope,
        /// Counted from 1 within the subject.
        round: u32,
        /// The commands to be run, by name: what a replay finds here does not depend on today's manifest.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        checks: Vec<Arc<str>>,
        /// The reviewers to be asked once the commands pass, in waves: who has open issues first, all others on the
        /// tree that would complete.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reviewers: Vec<Vec<u8>>,
        /// Whether it judges the last change alone, in the middle of a component's way.
        #[serde(default, skip_serializing_if = "is_false")]
        change_only: bool,
        /// Whether it judges work that was merged with others', on its way onto the integration branch.
        #[serde(default, skip_serializing_if = "is_false")]
        merged: bool,
        /// Whether small remarks of reviewers block too.
        #[serde(default, skip_serializing_if = "is_false")]
        strict: bool,
        /// Digest of the check set, for staleness.
        set: Digest,
    },
    /// A validation ended with a verdict computed by cco.
    ValidationSettled {
        /// Of what.
        on: Subject,
        /// Which round.
        round: u32,
        /// The verdict.
        verdict: Verdict,
        /// The blocking issues, worst first; empty unless the verdict is `fail`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        issues: Vec<Issue>,
    },
    /// The user took a validation of the run itself as it is.
    ValidationWaived {
        /// How far it reached.
        scope: Scope,
    },
    /// A fix step was decided.
    FixOpened {
        /// Of what.
        on: Subject,
        /// Counted from 1 since the last fresh budget.
        fix: u32,
        /// Whether it uses up the budget (`max_fix_attempts`).
        counted: bool,
        /// How the validation before it compares with the best so far.
        trend: Trend,
        /// The commit whose state of its files it starts from, when that is not the last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Box<str>>,
    },
    /// The user moved the integration branch; what is there now is taken in.
    BranchAdopted {
        /// Where it is.
        commit: Box<str>,
    },
    /// A subject may change files that its write set does not hold, since its agent asked for them; from here on they
    /// are its own.
    FilesGranted {
        /// Whose they are now.
        on: Subject,
        /// Which, relative to the work directory.
        files: Vec<String>,
    },
    /// What is done is to be brought onto the integration branch.
    IntegrationOpened {
        /// Whose.
        on: Subject,
        /// What stands behind it.
        proof: Proof,
        /// The validation that it follows.
        scope: Scope,
    },
    /// A reviewer or voter is not asked again: what it would have said is not known.
    SeatLost {
        /// Whose.
        on: Subject,
        /// Which reviewer or voter.
        step: Step,
        /// What kept it from answering.
        why: String,
    },
    /// A vote began.
    VoteOpened(Box<VoteOpened>),
    /// All ballots of a round are in, or given up.
    VoteSettled(Box<VoteSettled>),
    /// What the voters chose for a gate of the whole is in force.
    GateSettled {
        /// Which gate.
        gate: Arc<str>,
        /// What was chosen.
        option: Arc<str>,
        /// What follows from it.
        act: GateAct,
        /// With `fix`: the voters' concerns.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        issues: Vec<Issue>,
    },
    /// A component goes back to before its implementation and is made in another way, once.
    Refactored {
        /// Which.
        on: ComponentId,
        /// The first commit of the work that is given up; none where there is no git.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Box<str>>,
    },
    /// These were red before any work was done, and block nothing.
    Inherited {
        /// The issues, by what fails.
        issues: Vec<Issue>,
    },
    /// A question to the user; the subject waits.
    Escalated(Box<Escalation>),
    /// An answer arrived.
    Answered(Box<Answer>),
    /// Every required check passed, or the user took it as it is.
    ComponentCompleted {
        /// Which.
        on: ComponentId,
        /// What stands behind it.
        proof: Proof,
    },
    /// The component is given up in this run.
    ComponentFailed {
        /// Which.
        on: ComponentId,
        /// Why.
        reason: String,
    },
    /// The user left it out.
    ComponentSkipped {
        /// Which.
        on: ComponentId,
    },
    /// All levels done and the final validation settled.
    RunCompleted {
        /// What stands behind the whole.
        proof: Proof,
    },
    /// Earlier work no longer stands, for a reason; what is done again follows from `redo`.
    WentStale {
        /// Whose.
        on: Subject,
        /// Why.
        why: StaleReason,
        /// What is done again.
        redo: Redo,
        /// What the user said with `--redo -m`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guidance: Option<String>,
    },
    /// The records before this one were lost: this is what git tells of the work. Nothing of it is proven by it.
    StateRebuilt(Box<Rebuilt>),
    /// Something worth knowing that changes nothing: a flaky check, an adopted result, strays that were ended.
    Noted {
        /// Of what.
        on: Subject,
        /// One sentence.
        text: String,
    },
}

fn is_false(value: &bool) -> bool {
    !value
}
