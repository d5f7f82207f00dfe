//! One event in words, on one line, safe for a terminal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::ids::{AttemptId, Subject};
use crate::lifecycle::event::{
    AttemptEnd, CheckResult, Event, GateAct, Integration, Issue, Pause, Proof, Redo, RunEnd, RunStarted, Scope,
    StaleReason, Trend, Trouble, Usage, Verb, Verdict, VoteSettled,
};
use crate::lifecycle::report::{Claim, Severity};
use crate::text::{cost, duration, elide_end, one_line, plural};

/// Columns that a text of others may take: agents write essays, and the whole of it is in the journal.
const BRIEF: usize = 160;

fn brief(text: &str) -> String {
    elide_end(&one_line(text), BRIEF).into_owned()
}

/// Whom an event is about.
pub fn subject(event: &Event) -> &str {
    match event {
        Event::JournalOpened { .. }
        | Event::RunStarted(_)
        | Event::RunEnded { .. }
        | Event::RunPaused { .. }
        | Event::WindowNearlyUsed { .. }
        | Event::JobsChanged { .. }
        | Event::RunAborted
        | Event::ValidationWaived { .. }
        | Event::Answered(_)
        | Event::GateSettled { .. }
        | Event::Inherited { .. }
        | Event::BranchAdopted { .. }
        | Event::StateRebuilt(_)
        | Event::RunCompleted { .. } => Subject::RUN,
        Event::ComponentStarted { on, .. }
        | Event::ComponentCompleted { on, .. }
        | Event::ComponentFailed { on, .. }
        | Event::Refactored { on, .. }
        | Event::ComponentSkipped { on } => on.as_str(),
        Event::AttemptStarted { attempt, .. } | Event::AttemptEnded { attempt, .. } => attempt.on.as_str(),
        Event::StepOpened { on, .. }
        | Event::FilesGranted { on, .. }
        | Event::IntegrationOpened { on, .. }
        | Event::RetryScheduled { on, .. }
        | Event::ValidationOpened { on, .. }
        | Event::ValidationSettled { on, .. }
        | Event::FixOpened { on, .. }
        | Event::SeatLost { on, .. }
        | Event::WentStale { on, .. }
        | Event::Noted { on, .. } => on.as_str(),
        Event::VoteOpened(vote) => vote.on.as_str(),
        Event::VoteSettled(vote) => vote.on.as_str(),
        Event::Escalated(question) => question.on.as_str(),
    }
}

/// Whether an event stays worth reading after the moment: those are printed above the live picture, which itself shows
/// what is on.
pub fn is_headline(event: &Event) -> bool {
    match event {
        Event::JournalOpened { .. }
        | Event::JobsChanged { .. }
        | Event::ComponentStarted { .. }
        | Event::StepOpened { .. }
        | Event::IntegrationOpened { .. }
        | Event::AttemptStarted { .. }
        | Event::RetryScheduled { .. }
        | Event::ValidationOpened { .. }
        | Event::VoteOpened(_) => false,
        Event::RunStarted(_)
        | Event::RunEnded { .. }
        | Event::RunAborted
        | Event::RunPaused { .. }
        | Event::WindowNearlyUsed { .. }
        | Event::ValidationWaived { .. }
        | Event::FixOpened { .. }
        | Event::SeatLost { .. }
        | Event::VoteSettled(_)
        | Event::GateSettled { .. }
        | Event::Refactored { .. }
        | Event::Inherited { .. }
        | Event::BranchAdopted { .. }
        | Event::FilesGranted { .. }
        | Event::StateRebuilt(_)
        | Event::Escalated(_)
        | Event::Answered(_)
        | Event::ComponentCompleted { .. }
        | Event::ComponentFailed { .. }
        | Event::ComponentSkipped { .. }
        | Event::RunCompleted { .. }
        | Event::WentStale { .. }
        | Event::Noted { .. } => true,
        Event::AttemptEnded { end, .. } => matches!(end, AttemptEnd::Failed { .. }),
        Event::ValidationSettled { verdict, .. } => *verdict != Verdict::Pass,
    }
}

/// What happened, without whom it is about.
pub struct Words<'a>(pub &'a Event);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::JournalOpened { cco, .. } => write!(f, "journal opened by cco {}", one_line(cco)),
            Event::RunStarted(run) => run_started(f, run),
            Event::RunEnded { end } => write!(f, "run ended: {}", run_end(*end)),
            Event::RunAborted => f.write_str("ended by the user"),
            Event::StepOpened { step, .. } => write!(f, "{} is next", one_line(&step.to_string())),
            Event::BranchAdopted { commit } => {
                write!(f, "the integration branch is at {} now, by the user: taken in", short(commit))
            }
            Event::FilesGranted { files, .. } => {
                let files: Vec<_> = files.iter().map(|path| one_line(path)).collect();
                write!(f, "was given what it asked for, from here on its own: {}", files.join(", "))
            }
            Event::StateRebuilt(rebuilt) => {
                let of = plural(rebuilt.work.len(), "component");
                write!(f, "the records were lost; what commits tell of {of} was taken up, to be checked again")
            }
            Event::IntegrationOpened { .. } => f.write_str("goes onto the integration branch"),
            Event::ValidationWaived { scope: at } => write!(f, "validation{} waived by the user", scope(*at)),
            Event::WindowNearlyUsed { until } => {
                write!(f, "a usage window is nearly used up: no further component begins until {until:.0}")
            }
            Event::RunPaused { until, why } => write!(f, "paused until {until:.0}: {}", pause(*why)),
            Event::JobsChanged { jobs } => write!(f, "{} at once", plural(*jobs as usize, "agent")),
            Event::ComponentStarted { .. } => f.write_str("started"),
            Event::AttemptStarted { attempt, resumed, .. } => {
                write!(f, "{} {}", Name(attempt), if *resumed { "continued" } else { "started" })
            }
            Event::AttemptEnded { attempt, end, ms, usage } => {
                write!(f, "{} ", Name(attempt))?;
                attempt_end(f, end, *ms, usage.as_deref())
            }
            Event::RetryScheduled { at, .. } => write!(f, "tries again at {at:.0}"),
            Event::ValidationOpened { scope: at, round, .. } => {
                write!(f, "validation {round}{} started", scope(*at))
            }
            Event::ValidationSettled { round, verdict: found, issues, .. } => {
                write!(f, "validation {round}: {}", verdict(*found))?;
                first_of(f, issues)
            }
            Event::FixOpened { fix, counted, trend: now, .. } => {
                let free = if *counted { "" } else { ", not counted" };
                write!(f, "fix {fix} opened ({}{free})", trend(*now))
            }
            Event::SeatLost { step, why, .. } => {
                write!(f, "{} is given up: {}", one_line(&step.to_string()), brief(why))
            }
            Event::VoteOpened(vote) => {
                write!(f, "vote {} opened, round {}: {}", one_line(&vote.gate), vote.round, choices(&vote.options))
            }
            Event::VoteSettled(vote) => vote_settled(f, vote),
            Event::GateSettled { gate, option, act, .. } => {
                write!(f, "{} says {}: {}", one_line(gate), one_line(option), consequence(*act))
            }
            Event::Refactored { .. } => {
                f.write_str("goes back to before its implementation, to be made in another way")
            }
            Event::Inherited { issues } => {
                write!(f, "{} from before any work, which blocks nothing", plural(issues.len(), "inherited issue"))
            }
            Event::Escalated(question) => {
                write!(f, "asks {}: {}", one_line(&question.id), one_line(&question.question))
            }
            Event::Answered(answer) => write!(f, "{} answered: {}", one_line(&answer.id), verb(answer.verb)),
            Event::ComponentCompleted { proof: behind, .. } => write!(f, "complete ({})", proof(*behind)),
            Event::ComponentFailed { reason, .. } => write!(f, "failed: {}", one_line(reason)),
            Event::ComponentSkipped { .. } => f.write_str("skipped"),
            Event::RunCompleted { proof: behind } => write!(f, "everything complete ({})", proof(*behind)),
            Event::WentStale { why, redo, .. } => {
                f.write_str("went stale: ")?;
                stale(f, why)?;
                write!(f, "; {}", again(*redo))
            }
            Event::Noted { text, .. } => write!(f, "note: {}", brief(text)),
        }
    }
}

/// An attempt without whose it is.
struct Name<'a>(&'a AttemptId);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AttemptId { step, n, .. } = self.0;
        write!(f, "{}-{n}", one_line(&step.to_string()))
    }
}

fn run_started(f: &mut fmt::Formatter<'_>, run: &RunStarted) -> fmt::Result {
    let RunStarted { run: number, mode, jobs, agent, agent_version, simulated, .. } = run;
    let jobs = plural(*jobs as usize, "agent");
    let agent = if *simulated { "the simulated agent" } else { agent_version.as_deref().unwrap_or(agent) };
    write!(f, "run {number} started: {}, {jobs} at once, {}", one_line(mode), one_line(agent))
}

fn attempt_end(f: &mut fmt::Formatter<'_>, end: &AttemptEnd, ms: u64, usage: Option<&Usage>) -> fmt::Result {
    let spent = |f: &mut fmt::Formatter<'_>| {
        write!(f, " in {}", duration(Duration::from_millis(ms)))?;
        usage.and_then(|usage| usage.cost_usd).map_or(Ok(()), |usd| write!(f, ", {}", cost(usd, false)))
    };
    match end {
        AttemptEnd::Wrote { report, .. } => {
            f.write_str(match report.status {
                Claim::Done => "says done",
                Claim::Blocked => "says blocked",
                Claim::NothingToDo => "says nothing to do",
                Claim::NeedsFiles => "says it needs files",
            })?;
            spent(f)?;
            write!(f, ": {}", brief(&report.summary))
        }
        AttemptEnd::Reviewed { issues, .. } => {
            let blocking = issues.iter().filter(|issue| issue.severity.blocks()).count();
            write!(f, "found {}", plural(issues.len(), "issue"))?;
            if blocking < issues.len() {
                write!(f, ", {blocking} of them blocking")?;
            }
            spent(f)
        }
        AttemptEnd::Voted { ballot } => {
            write!(f, "voted {}", one_line(&ballot.vote))?;
            spent(f)
        }
        AttemptEnd::Checked(result) => {
            f.write_str(verdict(result.verdict))?;
            spent(f)?;
            check_result(f, result)
        }
        AttemptEnd::Failed { class, message, .. } => {
            write!(f, "did not answer ({})", trouble(*class))?;
            spent(f)?;
            write!(f, ": {}", brief(message))
        }
        AttemptEnd::Compared { commit, findings, .. } => {
            f.write_str(if commit.is_some() { "found changes, and took them in" } else { "found nothing new" })?;
            if findings.is_empty() { Ok(()) } else { write!(f, "; {}", plural(findings.len(), "issue")) }
        }
        AttemptEnd::Integrated(step) => integration(f, step),
        AttemptEnd::Interrupted { .. } => f.write_str("interrupted"),
    }
}

/// A commit as git abbreviates it.
fn short(commit: &str) -> &str {
    const DIGITS: usize = 10;
    commit.get(..DIGITS).unwrap_or(commit)
}

fn integration(f: &mut fmt::Formatter<'_>, step: &Integration) -> fmt::Result {
    match step {
        Integration::Landed { commit: Some(commit), .. } => write!(f, "landed as {}", short(commit)),
        Integration::Landed { commit: None, .. } => f.write_str("had nothing that the branch did not hold"),
        Integration::CaughtUp { .. } => f.write_str("caught up with the branch"),
        Integration::Conflicts { files, .. } => {
            write!(f, "is in conflict with the branch in {}", plural(files.len(), "file"))?;
            files.first().map_or(Ok(()), |file| write!(f, ", {} the first", one_line(file)))
        }
    }
}

fn vote_settled(f: &mut fmt::Formatter<'_>, vote: &VoteSettled) -> fmt::Result {
    let VoteSettled { gate, round, tally, winner, .. } = vote;
    write!(f, "vote {}, round {round}: {}", one_line(gate), winner.as_deref().map_or("no winner".into(), one_line))?;
    for (at, share) in tally.iter().filter(|share| share.votes > 0).enumerate() {
        let (open, option) = (if at == 0 { " (" } else { ", " }, one_line(&share.option));
        write!(f, "{open}{option}: {} with {:.2}", plural(usize::from(share.votes), "vote"), share.weight)?;
    }
    if tally.iter().any(|share| share.votes > 0) { f.write_str(")") } else { Ok(()) }
}

fn choices(options: &[Arc<str>]) -> String {
    options.iter().map(|option| one_line(option)).collect::<Vec<_>>().join(", ")
}

fn consequence(act: GateAct) -> &'static str {
    match act {
        GateAct::Proceed => "it goes on",
        GateAct::Decide => "every prompt says so from here on",
        GateAct::Fix => "the concerns are mended",
        GateAct::Escalate => "a person is asked",
    }
}

fn check_result(f: &mut fmt::Formatter<'_>, result: &CheckResult) -> fmt::Result {
    match (result.verdict, result.evidence.exit, &result.note) {
        (Verdict::Pass, ..) => Ok(()),
        (Verdict::Unavailable, _, Some(note)) => write!(f, ": {}", brief(note)),
        (Verdict::Fail | Verdict::Unavailable, Some(exit), _) => write!(f, ": exit status {exit}"),
        (Verdict::Fail | Verdict::Unavailable, None, _) => f.write_str(": no exit status"),
    }
}

/// How many issues there are, and the worst.
fn first_of(f: &mut fmt::Formatter<'_>, issues: &[Issue]) -> fmt::Result {
    let Some(issue) = issues.first() else { return Ok(()) };
    let severity = match issue.severity {
        Severity::Minor => "minor",
        Severity::Major => "major",
        Severity::Critical => "critical",
    };
    write!(f, ", {}; {severity}", plural(issues.len(), "issue"))?;
    if let Some(file) = &issue.file {
        write!(f, " in {}", one_line(file))?;
        if let Some(line) = issue.line {
            write!(f, ":{line}")?;
        }
    }
    write!(f, ": {}", brief(&issue.text))
}

fn stale(f: &mut fmt::Formatter<'_>, why: &StaleReason) -> fmt::Result {
    match why {
        StaleReason::Input => f.write_str("its input changed"),
        StaleReason::Checks => f.write_str("its checks changed"),
        StaleReason::Dependency(id) => write!(f, "the files of {id} changed"),
        StaleReason::Asked => f.write_str("it was asked for"),
    }
}

fn again(redo: Redo) -> &'static str {
    match redo {
        Redo::Revise => "is revised",
        Redo::Validate => "is validated again",
        Redo::All => "is made anew",
    }
}

fn run_end(end: RunEnd) -> &'static str {
    match end {
        RunEnd::Done => "done",
        RunEnd::Incomplete => "not all complete",
        RunEnd::NeedsAnswer => "a question waits for an answer",
        RunEnd::Budget => "the budget is used up",
        RunEnd::UsageLimit => "the usage limit is reached",
        RunEnd::Environment => "the environment is not as needed",
        RunEnd::Interrupted => "interrupted",
        RunEnd::FailFast => "stopped at the first failure",
    }
}

/// Why agents wait.
pub(super) fn pause(why: Pause) -> &'static str {
    match why {
        Pause::RateLimit => "rate limit",
        Pause::UsageLimit => "usage limit",
    }
}

fn scope(scope: Scope) -> String {
    match scope {
        Scope::Baseline => " of the base".to_owned(),
        Scope::Component => String::new(),
        Scope::Level(level) => format!(" of level {level}"),
        Scope::Final => " of the whole".to_owned(),
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Fail => "failed",
        Verdict::Unavailable => "could not be checked",
    }
}

fn trend(trend: Trend) -> &'static str {
    match trend {
        Trend::First => "first",
        Trend::Better => "better",
        Trend::Equal => "no better",
        Trend::Worse => "worse",
    }
}

fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Proven => "proven",
        Proof::Unproven => "unproven",
        Proof::Waived => "waived",
    }
}

fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Retry => "retry",
        Verb::Accept => "accept",
        Verb::Recheck => "recheck",
        Verb::Skip => "skip",
        Verb::Option => "option",
        Verb::Abort => "abort",
    }
}

fn trouble(class: Trouble) -> &'static str {
    match class {
        Trouble::Transient => "transient",
        Trouble::RateLimit { .. } => "rate limit",
        Trouble::UsageLimit { .. } => "usage limit",
        Trouble::Authentication => "not logged in",
        Trouble::Billing => "billing",
        Trouble::Model => "model not available",
        Trouble::BadRequest => "bad request",
        Trouble::Refused => "declined",
        Trouble::NoAnswer => "no valid answer",
        Trouble::TimedOut => "timed out",
        Trouble::Crashed => "crashed",
        Trouble::Meddled => "changed what it may only read",
        Trouble::ConversationLost => "conversation lost",
        Trouble::NotStarted => "could not be started",
        Trouble::DiskFull => "disk full",
        Trouble::Internal => "defect of cco",
    }
}
