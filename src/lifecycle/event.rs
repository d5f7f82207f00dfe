//! The on-disk vocabulary: past tense, self-contained, additive. What is written here is an API.
//!
//! Externally tagged on purpose: the other serde forms buffer, and replay reads hundreds of thousands of these.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::report::{BallotReport, ReviewReport, Severity, WriterReport};
use crate::ids::{AttemptId, ComponentId, Digest, Step, Subject};

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

/// The settings in force for one `cco run`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Counted from 1.
    pub run: u32,
    /// Digest of the whole plan.
    pub plan: Digest,
    /// quick, standard or full.
    pub mode: String,
    /// How many agents at once.
    pub jobs: u32,
    /// The agent's command as it was found.
    pub agent: String,
    /// The agent's version line, when it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// Whether the agent is the simulated one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub simulated: bool,
    /// The mark that every process of this run carries in `CCO_RUN`.
    pub mark: String,
    /// Where components work.
    pub tree: TreeInfo,
    /// Only these components, when `--only` was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<ComponentId>,
}

/// Where components work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TreeInfo {
    /// The work directory itself.
    Shared {
        /// Its path.
        dir: String,
    },
    /// A git worktree on the integration branch.
    Worktree {
        /// Its path.
        dir: String,
        /// The branch.
        branch: String,
        /// The commit it began at.
        base: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// Everything is complete.
    Done,
    /// Something failed, or was left out, or is not proven.
    Incomplete,
    /// A question waits for the user.
    NeedsAnswer,
    /// The budget is used up.
    Budget,
    /// The usage limit is reached and `--no-wait` was given.
    UsageLimit,
    /// The environment is not as needed (login, model, billing).
    Environment,
    /// The user stopped it.
    Interrupted,
    /// `--fail-fast` met a failure.
    FailFast,
}

/// Why agents wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// The server limits the rate.
    RateLimit,
    /// A usage window is used up.
    UsageLimit,
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// A writer answered; its work is committed.
    Wrote {
        /// What it said.
        report: Box<WriterReport>,
        /// The commit that holds its work; none without git, and none when it changed nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit: Option<Box<str>>,
        /// Digest of the component's own files as they are now: what its consumers were built on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<Digest>,
        /// What the change checks found: files that are not its own, tests that were weakened.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Issue>,
    },
    /// A reviewer answered.
    Reviewed {
        /// What it said.
        report: Box<ReviewReport>,
        /// What cco makes of it: each finding with its weight, and with the name that it had before.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        issues: Vec<Issue>,
    },
    /// A voter answered.
    Voted {
        /// What it said.
        ballot: Box<BallotReport>,
    },
    /// A check command ran, or could not.
    Checked(Box<CheckResult>),
    /// The agent did not answer; no fix attempt is used up by it.
    Failed {
        /// What kind of trouble.
        class: Trouble,
        /// One sentence for people.
        message: String,
        /// Whether the conversation exists and can be continued.
        #[serde(default, skip_serializing_if = "is_false")]
        resumable: bool,
    },
    /// cco stopped it, or cco itself was killed while it ran.
    Interrupted {
        /// Whether the conversation exists and can be continued.
        #[serde(default, skip_serializing_if = "is_false")]
        resumable: bool,
    },
}

/// Trouble by class: what is done about it depends on nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Overloaded, 5xx, connection: tried again with backoff.
    Transient,
    /// Too many requests; all agents pause.
    RateLimit {
        /// When it ends, where the server said so.
        until: Option<Timestamp>,
    },
    /// The usage window is used up; the run parks.
    UsageLimit {
        /// When it resets, where the server said so.
        until: Option<Timestamp>,
    },
    /// Not logged in, or refused.
    Authentication,
    /// No credit.
    Billing,
    /// The model does not exist or is not available.
    Model,
    /// The request itself is wrong (too long, too large, malformed).
    BadRequest,
    /// The model declined.
    Refused,
    /// No structured answer, or one that does not validate.
    NoAnswer,
    /// No first output, silence, or the wall limit.
    TimedOut,
    /// It changed what it may only read; that was undone, and what it said does not count.
    Meddled,
    /// The process ended without a result.
    Crashed,
    /// The conversation to be continued does not exist any more.
    ConversationLost,
    /// The agent could not be started.
    NotStarted,
    /// The disk was full, so its answer is lost: no fault of the agent's.
    DiskFull,
    /// A defect of cco (a schema that the CLI refuses).
    Internal,
}

impl Trouble {
    /// Whether no retry can mend it: nothing more is started until a person has seen to it.
    pub fn stops_the_run(self) -> bool {
        match self {
            Self::Authentication
            | Self::Billing
            | Self::Model
            | Self::BadRequest
            | Self::NotStarted
            | Self::DiskFull
            | Self::Internal => true,
            Self::Transient
            | Self::RateLimit { .. }
            | Self::UsageLimit { .. }
            | Self::Refused
            | Self::NoAnswer
            | Self::TimedOut
            | Self::Meddled
            | Self::Crashed
            | Self::ConversationLost => false,
        }
    }
}

/// The three values of every check (promise 1: what could not be checked is never a pass).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was checked and holds.
    Pass,
    /// It was checked and does not hold.
    Fail,
    /// It could not be checked.
    Unavailable,
}

/// What a check command showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub check: Arc<str>,
    /// Its verdict.
    pub verdict: Verdict,
    /// What proves it.
    pub evidence: Evidence,
    /// The failing parts, where they can be told apart; else one for the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// Why it could not be checked, or what else is worth saying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The record that proves a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was run.
    pub argv: Vec<String>,
    /// The tree it ran on; none where there is no git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// Its exit status; none when it was killed or could not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// Digest of its whole output.
    pub output: Digest,
    /// Wall time in milliseconds.
    pub ms: u64,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// How much it weighs.
    pub severity: Severity,
    /// Who found it: `check:lint`, `review:1`, `tamper`, `write_set`.
    pub source: String,
    /// The file, where one can be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, where one can be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong.
    pub text: String,
    /// A way to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggested_fix: Option<String>,
    /// Equal for the same issue in two validations.
    pub fingerprint: Digest,
}

/// How far a validation reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The invariants on the untouched base, before any work.
    Baseline,
    /// One component.
    Component,
    /// All components up to and including a level.
    Level(u32),
    /// The whole.
    Final,
}

/// How a failed validation compares with the best one so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Nothing to compare with.
    First,
    /// A later stage, or fewer blocking parts: free of charge.
    Better,
    /// No nearer: counts.
    Equal,
    /// Further away: counts, and the next round starts from the best tree.
    Worse,
}

/// What stands behind a completed component or run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Every required check passed.
    Proven,
    /// Nothing was checked yet (quick mode before the final validation, or no check exists).
    Unproven,
    /// The user accepted it with open issues.
    Waived,
}

/// A question to the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// `q1`, `q2`, …
    pub id: String,
    /// Who waits.
    pub on: Subject,
    /// The question.
    pub question: String,
    /// Why it could not be settled without a person.
    pub cause: Cause,
    /// Options of the question's own (for `--option`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The open issues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Issue>,
    /// What was tried, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
}

/// Why an escalation happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The fix budget is used up.
    FixBudget,
    /// A check stays UNAVAILABLE.
    NotCheckable,
    /// The agent asked.
    AgentBlocked,
    /// The agent cannot be made to answer.
    AgentTrouble,
    /// The agent wants files that are not its own.
    NeedsFiles,
    /// A vote chose it, or came to nothing.
    Vote,
    /// An invariant is red before any work was done.
    RedBase,
}

/// A vote on a closed set of options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteOpened {
    /// Whose matter it is.
    pub on: Subject,
    /// The gate.
    pub gate: Arc<str>,
    /// 1, or 2 when the voters see each other's reasons.
    pub round: u8,
    /// How many vote.
    pub voters: u8,
    /// What they choose from.
    pub options: Vec<Arc<str>>,
    /// The share of the weight that decides.
    pub threshold: f64,
}

/// How a vote came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteSettled {
    /// Whose matter it is.
    pub on: Subject,
    /// The gate.
    pub gate: Arc<str>,
    /// Which round.
    pub round: u8,
    /// The weight of each option, in the order in which they were offered.
    pub tally: Vec<Share>,
    /// Ballots that count.
    pub valid: u8,
    /// What won, if anything did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<Arc<str>>,
}

/// What one option got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The option.
    pub option: Arc<str>,
    /// How many chose it.
    pub votes: u8,
    /// The sum of their confidence.
    pub weight: f64,
}

/// What an option of a gate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateAct {
    /// The run goes on.
    Proceed,
    /// The run goes on, and every prompt says what was decided.
    Decide,
    /// The voters' concerns become issues of a fix round.
    Fix,
    /// A person is asked.
    Escalate,
}

/// An answer to an escalation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's id.
    pub id: String,
    /// What to do.
    pub verb: Verb,
    /// The user's words, for the next prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guidance: Option<String>,
    /// With `accept`: fingerprints waived; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<Digest>,
    /// With `option`: the option chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
}

/// The verbs of `cco answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// A new fix budget from the best tree.
    Retry,
    /// Go on with the issues waived.
    Accept,
    /// Validate the tree as the user left it, without an agent.
    Recheck,
    /// Leave it and its dependents out.
    Skip,
    /// One of the question's own options.
    Option,
    /// End the run.
    Abort,
}

/// Why earlier work does not stand any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaleReason {
    /// The component's definition, its context file, its part of SPEC.md, or guidance changed.
    Input,
    /// Commands, reviewers, risk or mode changed.
    Checks,
    /// A dependency's files changed.
    Dependency(ComponentId),
    /// The user asked for it.
    Asked,
}

/// What is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redo {
    /// A revise step at the current tip, then validation.
    Revise,
    /// Validation only.
    Validate,
    /// Everything from the first step.
    All,
}

/// What an attempt cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// US dollars as the agent computed them; none when it did not say (unknown is never 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Tokens sent, cached ones included.
    #[serde(default)]
    pub input_tokens: u64,
    /// Tokens received.
    #[serde(default)]
    pub output_tokens: u64,
    /// Model turns.
    #[serde(default)]
    pub turns: u32,
    /// Tool calls that the permissions refused.
    #[serde(default)]
    pub denials: u32,
}
