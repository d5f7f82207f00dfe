//! From an outcome to the events that follow from it: every decision about retries, fixes, questions and completion.
//!
//! A settlement applies its events to the state as it writes them down, so that each decision sees the one before it;
//! replaying the same events by `apply` gives the same state by construction.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::apply::holds;
use super::event::{
    Answer, AttemptEnd, Cause, Escalation, Event, Issue, Pause, Proof, Redo, Scope, StaleReason, Trend, Trouble, Usage,
    Verb, Verdict,
};
use super::report::{Claim, WriterReport};
use super::state::{Illegal, RunState};
use super::subject::{During, Phase, Slot, Validation};
use crate::ids::{AttemptId, Step, Subject};
use crate::plan::CheckIndex;
use crate::plan::Leg;
use crate::plan::graph::Index;
use crate::text::plural;

/// Tries of one step that transient trouble may end before a person is asked.
const TRANSIENT_TRIES: u8 = 5;
/// Tries that may end without an answer (the first, and one more in the same conversation).
const LOST_TRIES: u8 = 2;
/// The first backoff; each further one doubles it.
const BACKOFF: Duration = Duration::from_secs(2);
/// The longest backoff.
const BACKOFF_LIMIT: Duration = Duration::from_secs(5 * 60);
/// The first pause after a rate limit that names no end; each further one in a row doubles it.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest pause of that kind.
const PAUSE_LIMIT: Duration = Duration::from_secs(10 * 60);
/// The pause after a usage limit that names no end.
const PARK: Duration = Duration::from_secs(15 * 60);
/// What is added to a reset time, since clocks differ.
const PARK_MARGIN: Duration = Duration::from_secs(60);
/// A hard cap on fix rounds, as a multiple of the counted ones.
const ROUNDS_PER_ATTEMPT: u32 = 3;

/// How an attempt ended, with what the shell alone can know.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Which attempt.
    pub attempt: AttemptId,
    /// How it ended.
    pub end: AttemptEnd,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// What it cost.
    pub usage: Option<Usage>,
    /// Things worth recording: strays that were ended, an adopted result.
    pub notes: Vec<String>,
    /// A uniform random number in 0..1, for jitter: the core rolls no dice.
    pub dice: f64,
}

/// Why an answer cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such open question.
    #[error("no question `{0}` is open")]
    Unknown(String),
    /// The question does not have that option.
    #[error("question `{id}` has no option `{option}`; it has: {known}")]
    NoOption {
        /// The question.
        id: String,
        /// What was chosen.
        option: String,
        /// What could be chosen.
        known: String,
    },
    /// The verb makes no sense for the run itself.
    #[error("question `{0}` is about the whole run: it can be retried, rechecked or accepted, not skipped")]
    NotForRun(String),
    /// The state refused what follows: a defect of cco.
    #[error(transparent)]
    Illegal(#[from] Illegal),
}

/// Settles an outcome: the events of one record, already applied to `state`.
///
/// # Errors
/// [`Illegal`] when the outcome does not belong to an attempt in flight.
pub fn settle(state: &mut RunState, outcome: Outcome, now: Timestamp) -> Result<Vec<Event>, Illegal> {
    let Outcome { attempt, end, ms, usage, notes, dice } = outcome;
    let on = attempt.on.clone();
    let step = attempt.step.clone();
    let followup = Followup::of(&end, failed_before(state, &on, &step));
    let mut settlement = Settlement { state, now, dice, events: Vec::with_capacity(3) };
    settlement.emit(Event::AttemptEnded { attempt, end, ms, usage: usage.map(Box::new) })?;
    for text in notes {
        settlement.emit(Event::Noted { on: on.clone(), text })?;
    }
    let Some(at) = settlement.state.locate(&on) else { return Ok(settlement.events) };
    match followup {
        Followup::Wrote(claim, questions) => settlement.after_writer(at, &step, claim, questions)?,
        Followup::Checked { flaky } => settlement.after_check(at, &step, flaky)?,
        Followup::Trouble(class, message) => settlement.after_trouble(at, class, &message)?,
        Followup::Nothing => {}
    }
    Ok(settlement.events)
}

/// Takes an answer of the user: the events of one record, already applied.
///
/// # Errors
/// [`Refusal`] says why the answer cannot be taken; the state is unchanged then.
pub fn answer(state: &mut RunState, answer: Answer, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let Some(escalation) = state.questions.get(&answer.id).cloned() else {
        return Err(Refusal::Unknown(answer.id));
    };
    if let Some(option) = &answer.option
        && !escalation.options.contains(option)
    {
        let known = if escalation.options.is_empty() { "none".to_owned() } else { escalation.options.join(", ") };
        return Err(Refusal::NoOption { id: answer.id, option: option.clone(), known });
    }
    if escalation.on == Subject::Run && answer.verb == Verb::Skip {
        return Err(Refusal::NotForRun(answer.id));
    }
    let at = state.locate(&escalation.on).ok_or_else(|| Refusal::Unknown(answer.id.clone()))?;
    let Phase::Asking(question) = state.at_mut(at).phase.clone() else {
        return Err(Refusal::Unknown(answer.id));
    };
    let verb = answer.verb;
    let whole = answer.issues.is_empty()
        || escalation
            .issues
            .iter()
            .all(|issue| answer.issues.contains(&issue.fingerprint) || state.is_waived(issue, at));
    let mut settlement = Settlement { state, now, dice: 0.5, events: Vec::new() };
    settlement.emit(Event::Answered(Box::new(answer)))?;
    // What was not named of the issues is still open: it is looked for again.
    let verb = if verb == Verb::Accept && !whole { Verb::Recheck } else { verb };
    settlement.after_answer(at, verb, escalation.cause, question.during)?;
    Ok(settlement.events)
}

/// What remains to be decided after an attempt's end, taken out of it so that the end itself can move into the record.
enum Followup {
    Wrote(Claim, Vec<String>),
    Checked { flaky: bool },
    Trouble(Trouble, String),
    Nothing,
}

impl Followup {
    fn of(end: &AttemptEnd, failed_before: bool) -> Self {
        match end {
            AttemptEnd::Wrote { report, .. } => Self::Wrote(report.status, asked(report)),
            AttemptEnd::Checked(result) => Self::Checked { flaky: failed_before && result.verdict == Verdict::Pass },
            AttemptEnd::Failed { class, message, .. } => Self::Trouble(*class, message.clone()),
            AttemptEnd::Interrupted { .. } | AttemptEnd::Reviewed { .. } | AttemptEnd::Voted { .. } => Self::Nothing,
        }
    }
}

/// Whether a running check has failed before in the same round.
fn failed_before(state: &RunState, on: &Subject, step: &Step) -> bool {
    let Step::Check(name) = step else { return false };
    let Some(Phase::Validating(validation)) = state.subject(on).map(|subject| &subject.phase) else { return false };
    validation
        .checks
        .iter()
        .any(|(check, slot)| check == name && matches!(slot, Slot::Running(tries, _) if tries.failed))
}

fn asked(report: &WriterReport) -> Vec<String> {
    match report.status {
        Claim::Done | Claim::NothingToDo => Vec::new(),
        Claim::Blocked => report.questions.clone(),
        Claim::NeedsFiles => report.needs_files.clone(),
    }
}

/// One record in the making.
pub(super) struct Settlement<'a> {
    pub state: &'a mut RunState,
    pub now: Timestamp,
    pub dice: f64,
    pub events: Vec<Event>,
}

impl Settlement<'_> {
    /// Applies an event and writes it down.
    pub fn emit(&mut self, event: Event) -> Result<(), Illegal> {
        self.state.apply(&event, self.now)?;
        self.events.push(event);
        Ok(())
    }

    fn after_writer(&mut self, at: Index, step: &Step, claim: Claim, asked: Vec<String>) -> Result<(), Illegal> {
        self.grow_back()?;
        match claim {
            Claim::Blocked => {
                let question = if asked.is_empty() {
                    "the agent says it is blocked and asks nothing; see its summary".to_owned()
                } else {
                    asked.join("\n")
                };
                self.escalate(at, Cause::AgentBlocked, question)
            }
            Claim::NeedsFiles => {
                let question = format!("the agent needs files that are not its own: {}", asked.join(", "));
                self.escalate(at, Cause::NeedsFiles, question)
            }
            Claim::Done | Claim::NothingToDo => match step {
                Step::Skeleton | Step::Implement => self.proceed(at),
                Step::Revise | Step::Fix | Step::Resolve => self.revalidate(at),
                Step::Review(_) | Step::Vote { .. } | Step::Check(_) => Ok(()),
            },
        }
    }

    /// After a step that answered, one more agent may run again where a limit had lowered their number.
    fn grow_back(&mut self) -> Result<(), Illegal> {
        let full = self.state.run().map_or(self.state.plan().policy.jobs, |run| run.jobs);
        if self.state.jobs < full {
            let jobs = self.state.jobs + 1;
            self.emit(Event::JobsChanged { jobs })?;
        }
        Ok(())
    }

    /// The next leg of a component's way, or its end.
    fn proceed(&mut self, at: Index) -> Result<(), Illegal> {
        let leg = usize::from(self.state.component(at).leg);
        match self.state.plan().legs(at).get(leg) {
            Some(Leg::Step(step)) => {
                let on = self.state.name(at);
                self.emit(Event::StepOpened { on, step: step.clone() })
            }
            Some(Leg::Light | Leg::Validate) => self.open_validation(at, Scope::Component),
            None => self.complete(at),
        }
    }

    /// After a fix or a revision: the validation that it was made for.
    fn revalidate(&mut self, at: Index) -> Result<(), Illegal> {
        if at == self.state.run_index() {
            let scope = self.state.run_work().fixing.as_ref().and_then(|fixing| fixing.scope).unwrap_or(Scope::Final);
            return self.open_validation(at, scope);
        }
        self.proceed(at)
    }

    pub(super) fn open_validation(&mut self, at: Index, scope: Scope) -> Result<(), Illegal> {
        let on = self.state.name(at);
        let round = self.state.at_mut(at).rounds + 1;
        let (checks, set) = (self.commands(at, scope), self.check_set(at));
        self.emit(Event::ValidationOpened { on, scope, round, checks, set })?;
        self.conclude_if_settled(at)
    }

    fn after_check(&mut self, at: Index, step: &Step, flaky: bool) -> Result<(), Illegal> {
        if flaky {
            let on = self.state.name(at);
            let text = format!("{step} is flaky: it failed, then passed on the same tree");
            self.emit(Event::Noted { on, text })?;
        }
        self.conclude_if_settled(at)
    }

    fn phase(&self, at: Index) -> &Phase {
        if at == self.state.run_index() { &self.state.run_work().phase } else { &self.state.component(at).phase }
    }

    fn conclude_if_settled(&mut self, at: Index) -> Result<(), Illegal> {
        let Phase::Validating(validation) = self.phase(at) else { return Ok(()) };
        let waived = |issue: &Issue| self.state.is_waived(issue, at);
        let Some(verdict) = verdict_of(validation, &waived) else { return Ok(()) };
        let (scope, round) = (validation.scope, validation.round);
        let issues = issues_of(validation, verdict, &waived);
        let on = self.state.name(at);
        let (trend, best) = self.trend(at, &issues);
        self.emit(Event::ValidationSettled { on, round, verdict, issues: issues.clone() })?;
        match verdict {
            Verdict::Pass => self.after_pass(at, scope),
            Verdict::Fail => self.after_fail(at, trend, best),
            Verdict::Unavailable => {
                let question = unavailable_question(&issues);
                self.escalate_with(at, Cause::NotCheckable, question, issues)
            }
        }
    }

    /// The commands of a validation. After a skeleton there are none: it promises interfaces, not behaviour.
    fn commands(&self, at: Index, scope: Scope) -> Vec<Arc<str>> {
        let plan = self.state.plan();
        let light = at != self.state.run_index()
            && plan.legs(at).get(usize::from(self.state.component(at).leg)) == Some(&Leg::Light);
        let set: &[CheckIndex] = match scope {
            Scope::Component if light => &[],
            Scope::Component => &plan.component(at).checks,
            Scope::Level(_) => &plan.level_checks,
            Scope::Final => &plan.final_checks,
        };
        let left_out = if scope == Scope::Final { self.checks_left_out() } else { HashSet::new() };
        let set = set.iter().filter(|check| !left_out.contains(check));
        set.map(|&check| plan.check(check).name.clone()).collect()
    }

    /// Checks that only components have which were left out: the whole is proven without them.
    fn checks_left_out(&self) -> HashSet<CheckIndex> {
        let (state, plan) = (&*self.state, self.state.plan());
        if state.counts.complete == state.run_index() {
            return HashSet::new();
        }
        let of = |complete: bool| {
            let components = (0..state.run_index()).filter(move |&at| state.component(at).is_complete() == complete);
            components.flat_map(|at| &plan.component(at).checks).copied()
        };
        let kept: HashSet<CheckIndex> = of(true).chain(plan.level_checks.iter().copied()).collect();
        of(false).filter(|check| !kept.contains(check)).collect()
    }

    fn check_set(&self, at: Index) -> crate::ids::Digest {
        let plan = self.state.plan();
        if at == self.state.run_index() { plan.run_checks } else { plan.component(at).check_set }
    }

    fn after_pass(&mut self, at: Index, scope: Scope) -> Result<(), Illegal> {
        match scope {
            Scope::Component => self.proceed(at),
            Scope::Level(_) => Ok(()),
            Scope::Final => self.complete_run(),
        }
    }

    fn complete_run(&mut self) -> Result<(), Illegal> {
        let plan = self.state.plan();
        let waived = !self.state.waived.is_empty()
            || (0..self.state.run_index()).any(|at| self.state.component(at).phase == Phase::Complete(Proof::Waived));
        let proof = match (waived, plan.final_checks.is_empty()) {
            (true, _) => Proof::Waived,
            (false, true) => Proof::Unproven,
            (false, false) => Proof::Proven,
        };
        self.emit(Event::RunCompleted { proof })
    }

    /// How a failed validation compares with the best so far.
    fn trend(&mut self, at: Index, issues: &[Issue]) -> (Trend, u32) {
        let blocking = issues.len() as u32;
        match self.state.at_mut(at).fixing.as_ref().and_then(|fixing| fixing.best) {
            None => (Trend::First, blocking),
            Some(best) if blocking < best => (Trend::Better, best),
            Some(best) if blocking == best => (Trend::Equal, best),
            Some(best) => (Trend::Worse, best),
        }
    }

    fn after_fail(&mut self, at: Index, trend: Trend, best: u32) -> Result<(), Illegal> {
        let limit = self.state.plan().policy.max_fix_attempts;
        let (rounds, counted) =
            self.state.at_mut(at).fixing.as_ref().map_or((0, 0), |fixing| (fixing.rounds, fixing.counted));
        let counts = trend != Trend::Better;
        if (counts && counted >= limit) || rounds >= limit.saturating_mul(ROUNDS_PER_ATTEMPT) {
            let open = self.state.at_mut(at).fixing.as_ref().map_or_else(Vec::new, |fixing| fixing.issues.clone());
            let question = format!(
                "{} of its checks still {} after {} (best: {best}); how shall it go on?",
                open.len(),
                if open.len() == 1 { "fails" } else { "fail" },
                plural(rounds as usize, "fix round"),
            );
            return self.escalate_with(at, Cause::FixBudget, question, open);
        }
        let on = self.state.name(at);
        self.emit(Event::FixOpened { on, fix: rounds + 1, counted: counts, trend })
    }

    fn complete(&mut self, at: Index) -> Result<(), Illegal> {
        let checked =
            self.state.plan().legs(at).contains(&Leg::Validate) && !self.state.plan().component(at).checks.is_empty();
        let waived = self.state.waived.iter().any(|(_, of)| *of == at);
        self.complete_as(
            at,
            if waived {
                Proof::Waived
            } else if checked {
                Proof::Proven
            } else {
                Proof::Unproven
            },
        )
    }

    /// Completes a component; consumers of files that changed are validated again.
    fn complete_as(&mut self, at: Index, proof: Proof) -> Result<(), Illegal> {
        let subject = self.state.component(at);
        let changed = subject.delivered.is_some() && subject.delivered != subject.product;
        let id = self.state.plan().component(at).id.clone();
        self.emit(Event::ComponentCompleted { on: id.clone(), proof })?;
        if !changed {
            return Ok(());
        }
        let consumers: Vec<Index> = self.state.plan().graph.dependents(at).to_vec();
        for consumer in
            consumers.into_iter().filter(|&consumer| self.state.component(consumer).is_complete()).collect::<Vec<_>>()
        {
            let on = self.state.name(consumer);
            let why = StaleReason::Dependency(id.clone());
            self.emit(Event::WentStale { on, why, redo: Redo::Validate, guidance: None })?;
        }
        Ok(())
    }

    fn after_trouble(&mut self, at: Index, class: Trouble, message: &str) -> Result<(), Illegal> {
        let Phase::Working(work) = self.phase(at) else { return Ok(()) };
        let (transient, lost) = (work.transient, work.lost);
        match class {
            Trouble::Transient if transient >= TRANSIENT_TRIES => {
                let question = format!("the agent cannot be reached after {transient} tries: {message}");
                self.escalate(at, Cause::AgentTrouble, question)
            }
            Trouble::Transient => {
                let ceiling = doubled(BACKOFF, transient.saturating_sub(1).into(), BACKOFF_LIMIT);
                let on = self.state.name(at);
                let when = later(self.now, ceiling.mul_f64(self.dice));
                self.emit(Event::RetryScheduled { on, at: when })
            }
            // Who was refused while all pause already was on its way before: one burst of refusals is one limit.
            Trouble::RateLimit { until } if holds(self.state.pause, self.now.max(until.unwrap_or(self.now))) => Ok(()),
            Trouble::RateLimit { until } => {
                let pause = doubled(PAUSE, self.state.limited, PAUSE_LIMIT);
                let until = until.filter(|end| *end > self.now).unwrap_or_else(|| later(self.now, pause));
                self.emit(Event::RunPaused { until, why: Pause::RateLimit })?;
                let jobs = (self.state.jobs / 2).max(1);
                if jobs < self.state.jobs { self.emit(Event::JobsChanged { jobs }) } else { Ok(()) }
            }
            Trouble::UsageLimit { until } => {
                let end = until.map_or_else(|| later(self.now, PARK), |reset| later(reset, PARK_MARGIN));
                self.emit(Event::RunPaused { until: end, why: Pause::UsageLimit })
            }
            Trouble::NoAnswer | Trouble::TimedOut | Trouble::Crashed | Trouble::Refused if lost >= LOST_TRIES => {
                let question = format!("the agent cannot be made to answer: {message}");
                self.escalate(at, Cause::AgentTrouble, question)
            }
            Trouble::NoAnswer
            | Trouble::TimedOut
            | Trouble::Crashed
            | Trouble::Refused
            | Trouble::ConversationLost
            | Trouble::Authentication
            | Trouble::Billing
            | Trouble::Model
            | Trouble::BadRequest
            | Trouble::NotStarted
            | Trouble::DiskFull
            | Trouble::Internal => Ok(()),
        }
    }

    fn escalate(&mut self, at: Index, cause: Cause, question: String) -> Result<(), Illegal> {
        let issues = self.state.at_mut(at).fixing.as_ref().map_or_else(Vec::new, |fixing| fixing.issues.clone());
        self.escalate_with(at, cause, question, issues)
    }

    fn escalate_with(&mut self, at: Index, cause: Cause, question: String, issues: Vec<Issue>) -> Result<(), Illegal> {
        let on = self.state.name(at);
        let id = format!("q{}", self.state.asked + 1);
        let tried = self.state.at_mut(at).fixing.as_ref().map_or_else(Vec::new, |fixing| fixing.tried.clone());
        let escalation = Escalation { id, on, question, cause, options: Vec::new(), issues, tried };
        self.emit(Event::Escalated(Box::new(escalation)))
    }

    fn after_answer(&mut self, at: Index, verb: Verb, cause: Cause, during: During) -> Result<(), Illegal> {
        let on = self.state.name(at);
        match (verb, during) {
            (Verb::Retry | Verb::Option, During::Step(step)) => self.emit(Event::StepOpened { on, step }),
            (Verb::Retry | Verb::Option, During::Validation(_)) if cause == Cause::FixBudget => {
                self.emit(Event::FixOpened { on, fix: 1, counted: true, trend: Trend::First })
            }
            (Verb::Retry | Verb::Option | Verb::Recheck, During::Validation(scope)) => self.open_validation(at, scope),
            (Verb::Recheck, During::Step(_)) => self.recheck(at),
            (Verb::Accept, during) => self.accept(at, during),
            (Verb::Skip, _) => match on {
                Subject::Component(on) => self.emit(Event::ComponentSkipped { on }),
                Subject::Run => Ok(()),
            },
            (Verb::Abort, _) => {
                let consequence = match on {
                    Subject::Component(on) => Event::ComponentFailed { on, reason: "the user ended it".to_owned() },
                    // The next run validates the whole again.
                    Subject::Run => {
                        Event::WentStale { on, why: StaleReason::Asked, redo: Redo::Validate, guidance: None }
                    }
                };
                self.emit(consequence)?;
                self.emit(Event::RunAborted)
            }
        }
    }

    /// Validates the tree as the user left it.
    fn recheck(&mut self, at: Index) -> Result<(), Illegal> {
        let scope = if at == self.state.run_index() {
            self.state.run_work().fixing.as_ref().and_then(|fixing| fixing.scope).unwrap_or(Scope::Final)
        } else {
            Scope::Component
        };
        self.open_validation(at, scope)
    }

    fn accept(&mut self, at: Index, during: During) -> Result<(), Illegal> {
        if at == self.state.run_index() {
            let scope = match during {
                During::Validation(scope) => scope,
                During::Step(_) => {
                    self.state.run_work().fixing.as_ref().and_then(|fixing| fixing.scope).unwrap_or(Scope::Final)
                }
            };
            self.emit(Event::ValidationWaived { scope })?;
            return match scope {
                Scope::Final => self.emit(Event::RunCompleted { proof: Proof::Waived }),
                Scope::Level(_) | Scope::Component => Ok(()),
            };
        }
        let more = self.state.plan().legs(at).len() > usize::from(self.state.component(at).leg);
        if more { self.proceed(at) } else { self.complete_as(at, Proof::Waived) }
    }
}

/// The verdict of a validation, once every check has one. What failed can be mended, so it comes before what could not be checked.
fn verdict_of(validation: &Validation, waived: &impl Fn(&Issue) -> bool) -> Option<Verdict> {
    let mut verdict = Verdict::Pass;
    for (_, slot) in &validation.checks {
        let Slot::Settled(one, issues) = slot else { return None };
        // What the user took as it is does not block; it is never shown as proven either.
        if !issues.is_empty() && issues.iter().all(waived) {
            continue;
        }
        verdict = match (verdict, one) {
            (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
            (Verdict::Unavailable, _) | (_, Verdict::Unavailable) => Verdict::Unavailable,
            (Verdict::Pass, Verdict::Pass) => Verdict::Pass,
        };
    }
    Some(verdict)
}

fn issues_of(validation: &Validation, verdict: Verdict, waived: &impl Fn(&Issue) -> bool) -> Vec<Issue> {
    let mut issues: Vec<Issue> = validation
        .checks
        .iter()
        .filter_map(|(_, slot)| match slot {
            Slot::Settled(one, issues) if *one == verdict && *one != Verdict::Pass => Some(issues),
            Slot::Settled(..) | Slot::Wanted(_) | Slot::Running(..) => None,
        })
        .flatten()
        .filter(|issue| !waived(issue))
        .cloned()
        .collect();
    issues.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
    issues
}

fn unavailable_question(issues: &[Issue]) -> String {
    let what: Vec<String> = issues.iter().map(|issue| format!("{} ({})", issue.source, issue.text)).collect();
    format!("could not be checked: {}", what.join("; "))
}

fn doubled(first: Duration, times: u32, limit: Duration) -> Duration {
    first.saturating_mul(1u32.checked_shl(times).unwrap_or(u32::MAX)).min(limit)
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| from.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}
