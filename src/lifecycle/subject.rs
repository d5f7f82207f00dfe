//! The state of one subject: a component, or the run itself.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::delivery::{Commits, Delivery, Unseen};
use super::event::{Cause, Issue, Proof, Redo, Scope, Trend, Trouble, Usage, Verdict};
use super::report::{BallotReport, Dispute, WriterReport};
use crate::ids::{Digest, Step};

/// Where a subject stands. One value at a time: what is complete cannot be running.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Its turn has not come; for the run itself: no level and no final validation is due.
    Waiting(Todo),
    /// An agent step is wanted or running.
    Working(Box<Work>),
    /// Checks are wanted or running.
    Validating(Box<Validation>),
    /// Voters are wanted or running, or their choice is about to be carried out.
    Voting(Box<Poll>),
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
    /// How often it was given files that it asked for.
    pub grants: u8,
    /// What its files are set back to before a new conversation begins.
    pub origin: Option<Origin>,
    /// Whether a try that was given up may have left something uncommitted.
    pub left: bool,
}

/// An earlier state of a subject's files, to start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// As they were in this commit.
    At(Box<str>),
    /// As they were before this commit, with what is given up kept aside.
    Before(Box<str>),
}

impl Work {
    /// A step that nobody has tried yet.
    pub fn new(step: Step) -> Self {
        let (running, resume, not_before, origin) = (None, None, None, None);
        Self {
            step,
            running,
            resume,
            cut_off: false,
            not_before,
            transient: 0,
            lost: 0,
            grants: 0,
            origin,
            left: false,
        }
    }

    /// Whether nobody has tried it yet: what is uncommitted then is not its own.
    pub fn is_untried(&self) -> bool {
        let fresh = self.resume.is_none() && !self.cut_off && !self.left;
        fresh && self.transient == 0 && self.lost == 0
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
    /// It was given the files that it asked for.
    Granted,
}

impl Why {
    /// Why a conversation is continued that this trouble ended.
    pub fn after(class: Trouble) -> Self {
        match class {
            Trouble::NoAnswer => Self::NoAnswer,
            Trouble::TimedOut => Self::TimedOut,
            Trouble::Transient
            | Trouble::RateLimit { .. }
            | Trouble::UsageLimit { .. }
            | Trouble::Authentication
            | Trouble::Billing
            | Trouble::Model
            | Trouble::BadRequest
            | Trouble::Refused
            | Trouble::Meddled
            | Trouble::Crashed
            | Trouble::ConversationLost
            | Trouble::NotStarted
            | Trouble::DiskFull
            | Trouble::Internal => Self::Trouble,
        }
    }
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
    /// Whether it judges the last change alone, in the middle of a component's way.
    pub change_only: bool,
    /// Whether it judges what was merged with the work of others, on the way onto the integration branch.
    pub merged: bool,
    /// Whether small remarks of reviewers block too.
    pub strict: bool,
    /// The first stage: what the change checks found.
    pub findings: Vec<Issue>,
    /// The second: its commands by name.
    pub checks: Vec<(Arc<str>, Slot)>,
    /// The third: its reviewers.
    pub reviews: Vec<Review>,
}

/// One reviewer within a validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// Reviewers of a later wave are asked when those before found nothing.
    pub wave: u8,
    /// Its step, from the decision to its end.
    pub work: Work,
    /// What it came to.
    pub settled: Option<(Verdict, Vec<Issue>)>,
}

/// A vote, from its opening to what is done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Poll {
    /// The gate.
    pub gate: Arc<str>,
    /// 1, or 2 when the voters see each other's reasons.
    pub round: u8,
    /// The share of the weight that decides.
    pub threshold: f64,
    /// What they choose from.
    pub options: Vec<Arc<str>>,
    /// Who votes.
    pub voters: Vec<Voter>,
    /// How the voters of the round before argued.
    pub earlier: Vec<String>,
    /// What the vote interrupts.
    pub scope: Scope,
    /// The validation that it follows: what the user goes on with who takes the issues as they are.
    pub(super) validation: Option<Box<Validation>>,
}

/// One voter.
#[derive(Debug, Clone, PartialEq)]
pub struct Voter {
    /// Its step, from the decision to its end.
    pub work: Work,
    /// What it said, or that it said nothing.
    pub settled: Option<Option<BallotReport>>,
}

impl Poll {
    /// How those argued who chose `option`; of all, without one.
    pub fn reasons(&self, option: Option<&str>) -> Vec<String> {
        let ballots = self.voters.iter().filter_map(|voter| voter.settled.as_ref()?.as_ref());
        let chosen = ballots.filter(|ballot| option.is_none_or(|option| ballot.vote == option));
        chosen.map(|ballot| format!("{}: {}", ballot.vote, ballot.reasoning)).collect()
    }
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
    /// The phase that it interrupted: what an answer goes on with.
    pub(super) held: Box<Phase>,
}

/// What a question interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum During {
    /// An agent step.
    Step(Step),
    /// A validation.
    Validation(Scope),
    /// A vote on the whole.
    Gate(Arc<str>),
}

/// The fix loop of a subject since its last fresh budget.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FixLoop {
    /// Fix rounds, free ones included.
    pub rounds: u32,
    /// Rounds that used up the budget.
    pub counted: u32,
    /// The best that a validation came to.
    pub best: Option<Standing>,
    /// The commit that it came to it with.
    pub best_at: Option<Box<str>>,
    /// What was found there: what is open again when that commit is gone back to.
    pub best_issues: Vec<Issue>,
    /// Whether small remarks of reviewers have blocked already; they do so once.
    pub pressed: bool,
    /// How far the validation that failed reached.
    pub scope: Option<Scope>,
    /// The issues of the last validation.
    pub issues: Vec<Issue>,
    /// In how many validations in a row each of them was found.
    pub returns: BTreeMap<Digest, u32>,
    /// What the voters would have the next writer know.
    pub advice: Vec<String>,
    /// Issues that the last fix took for mistaken.
    pub disputes: Vec<Dispute>,
    /// What was tried, a line each.
    pub tried: Vec<String>,
}

impl FixLoop {
    /// Counts a round; one that goes `back` to the best state so far has the issues of then, since what is wrong with the
    /// tree that is given up says nothing of the one that is gone back to.
    pub(super) fn open_round(&mut self, counted: bool, back: bool) {
        self.rounds += 1;
        self.counted += u32::from(counted);
        if back {
            if let Some(last) = self.tried.last_mut() {
                last.push_str(" (that made it worse, and was taken back)");
            }
            self.issues.clone_from(&self.best_issues);
        }
    }

    /// Whether one of the open issues was found this many times in a row.
    pub fn returned(&self, times: u32) -> bool {
        self.returns.values().any(|&count| count >= times)
    }

    /// How the last validation compares with the best one, itself included: equal or worse.
    pub fn trend(&self) -> Trend {
        Standing::of(&self.issues).against(self.best)
    }

    /// Takes in what a validation found in the tree of the commit `tip`.
    pub(super) fn found(&mut self, scope: Scope, issues: &[Issue], tip: Option<&str>) {
        self.scope = Some(scope);
        let times = |issue: &Issue| self.returns.get(&issue.fingerprint).map_or(1, |times| times + 1);
        self.returns = issues.iter().map(|issue| (issue.fingerprint, times(issue))).collect();
        self.issues = issues.to_vec();
        if matches!(self.trend(), Trend::First | Trend::Better) {
            self.best = Some(Standing::of(issues));
            self.best_at = tip.map(Box::from);
            self.best_issues = issues.to_vec();
        }
    }
}

/// How far a failed validation got: a later stage is better, then fewer blocking parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    stage: Stage,
    blocking: u32,
}

/// The stages of a validation, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Change,
    Commands,
    Reviewers,
    Gates,
}

impl Standing {
    /// The standing of a validation that ended with these issues.
    pub fn of(issues: &[Issue]) -> Self {
        let stage = issues.iter().map(|issue| stage_of(&issue.source)).min().unwrap_or(Stage::Gates);
        Self { stage, blocking: issues.len() as u32 }
    }

    /// How it compares with the best so far.
    pub fn against(self, best: Option<Self>) -> Trend {
        let rank = |standing: Self| (standing.stage, std::cmp::Reverse(standing.blocking));
        match best.map(|best| rank(self).cmp(&rank(best))) {
            None => Trend::First,
            Some(Ordering::Greater) => Trend::Better,
            Some(Ordering::Equal) => Trend::Equal,
            Some(Ordering::Less) => Trend::Worse,
        }
    }
}

fn stage_of(source: &str) -> Stage {
    match source.split(':').next() {
        Some("check") => Stage::Commands,
        Some("review") => Stage::Reviewers,
        Some("gate") => Stage::Gates,
        _ => Stage::Change,
    }
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
    /// The first commit of its implementation and the last one of its work.
    pub commits: Option<Box<Commits>>,
    /// What the change checks found after its last writing step.
    pub findings: Vec<Issue>,
    /// What is to be brought onto the integration branch.
    pub delivery: Option<Box<Delivery>>,
    /// What was found of it in git when its records were lost, and no check of its changes has seen yet.
    pub unseen: Option<Box<Unseen>>,
    /// Whether its implementation was made anew by a vote.
    pub refactored: bool,
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
            commits: None,
            findings: Vec::new(),
            delivery: None,
            unseen: None,
            refactored: false,
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
            Phase::Working(_) | Phase::Validating(_) | Phase::Voting(_) | Phase::Complete(_) => false,
        }
    }

    /// Whether something of it is wanted or running.
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Working(_) | Phase::Validating(_) | Phase::Voting(_))
    }

    /// The last commit of its work.
    pub fn tip(&self) -> Option<&str> {
        self.commits.as_ref().map(|commits| &*commits.last)
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
