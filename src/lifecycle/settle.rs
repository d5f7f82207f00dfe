//! From an outcome to the events that follow from it: every decision about retries, fixes, questions and completion.
//!
//! A settlement applies its events to the state as it writes them down, so that each decision sees the one before it;
//! replaying the same events by `apply` gives the same state by construction.

use jiff::Timestamp;

use super::delivery::Delivery;
use super::event::{
    AttemptEnd, Cause, Escalation, Event, Issue, Proof, Redo, Scope, StaleReason, Trouble, Usage, Verdict,
};
use super::granting::Want;
use super::integration::Arrived;
use super::report::{Claim, Severity, WriterReport};
use super::state::{Illegal, RunState};
use super::subject::{Phase, Slot, SubjectState};
use super::{sameness, tally};
use crate::ids::{AttemptId, Step, Subject};
use crate::plan::Leg;
use crate::plan::graph::Index;

pub use super::answering::{Refusal, answer};

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
    /// What a writer asked for that answered with `needs_files`; else nothing.
    pub wants: Vec<Want>,
    /// A uniform random number in 0..1, for jitter: the core rolls no dice.
    pub dice: f64,
}

/// Settles an outcome: the events of one record, already applied to `state`.
///
/// # Errors
/// [`Illegal`] when the outcome does not belong to an attempt in flight.
pub fn settle(state: &mut RunState, outcome: Outcome, now: Timestamp) -> Result<Vec<Event>, Illegal> {
    let Outcome { attempt, end, ms, usage, notes, wants, dice } = outcome;
    let on = attempt.on.clone();
    let step = attempt.step.clone();
    let end = judged(state, &on, &step, end);
    let delivery = state.subject(&on).and_then(|subject| subject.delivery.as_deref().cloned());
    let followup = Followup::of(&end, failed_before(state, &on, &step), delivery);
    let mut settlement = Settlement { state, now, dice, events: Vec::with_capacity(3) };
    settlement.emit(Event::AttemptEnded { attempt, end, ms, usage: usage.map(Box::new) })?;
    for text in notes {
        settlement.emit(Event::Noted { on: on.clone(), text })?;
    }
    let Some(at) = settlement.state.locate(&on) else { return Ok(settlement.events) };
    match followup {
        Followup::Wrote(claim, questions) => settlement.after_writer(at, &step, claim, questions, wants)?,
        Followup::Checked { flaky } => settlement.after_check(at, &step, flaky)?,
        Followup::Trouble(class, message) => settlement.after_trouble(at, &step, class, &message)?,
        Followup::Reviewed => {
            settlement.grow_back()?;
            settlement.conclude_if_settled(at)?;
        }
        Followup::Voted => {
            settlement.grow_back()?;
            settlement.count_if_settled(at)?;
        }
        Followup::Compared => settlement.revalidate(at)?,
        Followup::Integrated(arrived, delivery) => settlement.after_integration(at, arrived, &delivery)?,
        Followup::Nothing => {}
    }
    Ok(settlement.events)
}

/// What remains to be decided after an attempt's end, taken out of it so that the end itself can move into the record.
enum Followup {
    Wrote(Claim, Vec<String>),
    Checked { flaky: bool },
    Compared,
    Integrated(Arrived, Delivery),
    Reviewed,
    Voted,
    Trouble(Trouble, String),
    Nothing,
}

impl Followup {
    fn of(end: &AttemptEnd, failed_before: bool, delivery: Option<Delivery>) -> Self {
        match end {
            AttemptEnd::Wrote { report, .. } => Self::Wrote(report.status, asked(report)),
            AttemptEnd::Checked(result) => Self::Checked { flaky: failed_before && result.verdict == Verdict::Pass },
            AttemptEnd::Failed { class, message, .. } => Self::Trouble(*class, message.clone()),
            AttemptEnd::Reviewed { .. } => Self::Reviewed,
            AttemptEnd::Voted { .. } => Self::Voted,
            AttemptEnd::Compared { .. } => Self::Compared,
            AttemptEnd::Integrated(step) => {
                delivery.map_or(Self::Nothing, |delivery| Self::Integrated(Arrived::from(&**step), delivery))
            }
            AttemptEnd::Interrupted { .. } => Self::Nothing,
        }
    }
}

/// What cco makes of a reader's answer: findings get their weight and their old names, and a ballot that cannot count
/// is none.
fn judged(state: &RunState, on: &Subject, step: &Step, end: AttemptEnd) -> AttemptEnd {
    let Some(subject) = state.subject(on) else { return end };
    match end {
        AttemptEnd::Reviewed { report, change, .. } => {
            let earlier = subject.fixing.as_ref().map_or(&[][..], |fixing| &fixing.issues);
            let mut issues = sameness::judged(&report, &step.to_string(), earlier);
            issues.iter_mut().filter(|issue| is_for_another(subject, step, issue)).for_each(|issue| {
                issue.severity = Severity::Minor;
            });
            AttemptEnd::Reviewed { report, issues, change }
        }
        AttemptEnd::Checked(mut result) => {
            let source = step.to_string();
            match result.verdict {
                // Nothing fails without an issue that can be mended, or taken as it is.
                Verdict::Fail if result.issues.is_empty() => {
                    let text = result.note.clone().unwrap_or_else(|| format!("{source} failed"));
                    let whole =
                        Issue { fingerprint: sameness::of_command(&source), ..sameness::unavailable(&source, &text) };
                    result.issues.push(whole);
                }
                Verdict::Unavailable => {
                    let why = result.issues.first().map(|issue| issue.text.clone()).or_else(|| result.note.clone());
                    let why = why.unwrap_or_else(|| "it could not be run".to_owned());
                    result.issues = vec![sameness::unavailable(&source, &why)];
                }
                Verdict::Pass | Verdict::Fail => {}
            }
            AttemptEnd::Checked(result)
        }
        AttemptEnd::Voted { ballot } => match &subject.phase {
            Phase::Voting(poll) if !tally::is_valid(&ballot, &poll.options) => {
                let options: Vec<&str> = poll.options.iter().map(|option| &**option).collect();
                let message = format!(
                    "the ballot does not count: `{}` with confidence {}; the options are {}, confidence is 0 to 1",
                    ballot.vote,
                    ballot.confidence,
                    options.join(", "),
                );
                AttemptEnd::Failed { class: Trouble::NoAnswer, message, resumable: true }
            }
            _ => AttemptEnd::Voted { ballot },
        },
        other => other,
    }
}

/// Whether a reviewer repeats an issue of its own that the last fix took for mistaken: another reviewer decides on it.
fn is_for_another(subject: &SubjectState, step: &Step, issue: &Issue) -> bool {
    let Phase::Validating(validation) = &subject.phase else { return false };
    let Some(fixing) = &subject.fixing else { return false };
    let own = |earlier: &Issue| earlier.fingerprint == issue.fingerprint && earlier.source == step.to_string();
    validation.reviews.len() > 1
        && fixing.issues.iter().any(own)
        && fixing.disputes.iter().any(|dispute| sameness::is_id_of(&dispute.issue, issue))
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
        Claim::Done | Claim::NothingToDo | Claim::NeedsFiles => Vec::new(),
        Claim::Blocked => report.questions.clone(),
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

    fn after_writer(
        &mut self,
        at: Index,
        step: &Step,
        claim: Claim,
        asked: Vec<String>,
        wants: Vec<Want>,
    ) -> Result<(), Illegal> {
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
            Claim::NeedsFiles => self.grant_or_ask(at, wants),
            Claim::Done | Claim::NothingToDo => match step {
                Step::Skeleton | Step::Implement => self.proceed(at),
                Step::Revise | Step::Fix | Step::Resolve => self.revalidate(at),
                Step::Review(_)
                | Step::Vote { .. }
                | Step::Check(_)
                | Step::Compare
                | Step::Integrate
                | Step::Readiness
                | Step::Draft => Ok(()),
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
    pub(super) fn proceed(&mut self, at: Index) -> Result<(), Illegal> {
        let subject = self.state.component_or_run(at);
        let comparing = matches!(&subject.phase, Phase::Working(work) if work.step == Step::Compare);
        // What landed before is compared with all that is written anew.
        if subject.is_unseen() && (comparing || !self.state.is_writing_due(at)) {
            let on = self.state.name(at);
            return self.emit(Event::StepOpened { on, step: Step::Compare });
        }
        if self.has_findings(at) {
            return self.open_change_validation(at);
        }
        let leg = usize::from(self.state.component(at).leg);
        match self.state.plan().legs(at).get(leg) {
            Some(Leg::Step(step)) => {
                let on = self.state.name(at);
                self.emit(Event::StepOpened { on, step: step.clone() })
            }
            Some(Leg::Light | Leg::Validate) => self.open_validation(at, Scope::Component),
            None => {
                let proof = self.proof_of(at);
                self.deliver(at, proof)
            }
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

    fn after_check(&mut self, at: Index, step: &Step, flaky: bool) -> Result<(), Illegal> {
        if flaky {
            let on = self.state.name(at);
            let text = format!("{step} is flaky: it failed, then passed on the same tree");
            self.emit(Event::Noted { on, text })?;
        }
        self.conclude_if_settled(at)
    }

    /// The votes on the whole, one after another; then it is complete.
    pub(super) fn conclude_whole(&mut self) -> Result<(), Illegal> {
        match self.next_gate(false) {
            Some(gate) => self.open_vote(self.state.run_index(), &gate, 1),
            None => self.complete_run(),
        }
    }

    fn complete_run(&mut self) -> Result<(), Illegal> {
        let plan = self.state.plan();
        let waived = !self.state.waived.is_empty()
            || (0..self.state.run_index()).any(|at| self.state.component(at).phase == Phase::Complete(Proof::Waived));
        let proof = match (waived, plan.final_checks.is_empty() && plan.reviewers == 0) {
            (true, _) => Proof::Waived,
            (false, true) => Proof::Unproven,
            (false, false) => Proof::Proven,
        };
        self.emit(Event::RunCompleted { proof })
    }

    /// What stands behind a component whose way is at its end.
    pub(super) fn proof_of(&self, at: Index) -> Proof {
        let plan = self.state.plan();
        let checked =
            plan.legs(at).contains(&Leg::Validate) && (!plan.component(at).checks.is_empty() || plan.reviewers > 0);
        let rests_on_it = match &self.state.component(at).phase {
            Phase::Validating(validation) => validation.found().any(|issue| self.state.is_taken(issue, at)),
            _ => false,
        };
        let waived = rests_on_it || self.state.waived.iter().any(|(_, of)| *of == at);
        match (waived, checked) {
            (true, _) => Proof::Waived,
            (false, true) => Proof::Proven,
            (false, false) => Proof::Unproven,
        }
    }

    /// Completes a component; consumers of files that changed are validated again.
    pub(super) fn complete_as(&mut self, at: Index, proof: Proof) -> Result<(), Illegal> {
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

    pub(super) fn escalate(&mut self, at: Index, cause: Cause, question: String) -> Result<(), Illegal> {
        let issues = self.open_issues(at);
        self.escalate_with(at, cause, question, issues)
    }

    /// The issues of the last validation that failed.
    pub(super) fn open_issues(&self, at: Index) -> Vec<Issue> {
        self.state.component_or_run(at).fixing.as_ref().map_or_else(Vec::new, |fixing| fixing.issues.clone())
    }

    pub(super) fn escalate_with(
        &mut self,
        at: Index,
        cause: Cause,
        question: String,
        issues: Vec<Issue>,
    ) -> Result<(), Illegal> {
        self.escalate_asking(at, cause, question, issues, Vec::new())
    }

    pub(super) fn escalate_asking(
        &mut self,
        at: Index,
        cause: Cause,
        question: String,
        issues: Vec<Issue>,
        options: Vec<String>,
    ) -> Result<(), Illegal> {
        let on = self.state.name(at);
        let id = format!("q{}", self.state.asked + 1);
        let subject = self.state.component_or_run(at);
        let mut tried = subject.fixing.as_ref().map_or_else(Vec::new, |fixing| fixing.tried.clone());
        if let Phase::Voting(poll) = &subject.phase
            && !self.state.is_gate_of_the_whole(&poll.gate)
        {
            tried.extend(poll.reasons(None).into_iter().map(|reason| format!("voted {reason}")));
        }
        let escalation = Escalation { id, on, question, cause, options, issues, tried };
        self.emit(Event::Escalated(Box::new(escalation)))
    }
}
