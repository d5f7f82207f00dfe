//! From an outcome to the events that follow from it: every decision about retries, fixes, questions and completion.
//!
//! A settlement applies its events to the state as it writes them down, so that each decision sees the one before it;
//! replaying the same events by `apply` gives the same state by construction.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::event::{
    AttemptEnd, Cause, Escalation, Event, Issue, Proof, Redo, Scope, StaleReason, Trend, Trouble, Usage, Verdict,
};
use super::report::{Claim, Severity, WriterReport};
use super::state::{Illegal, RunState};
use super::subject::{Phase, Slot, Standing, SubjectState};
use super::{sameness, tally};
use crate::ids::{AttemptId, Step, Subject};
use crate::plan::graph::Index;
use crate::plan::{CheckIndex, Leg, Mode};
use crate::text::plural;

pub use super::answering::{Refusal, answer};

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

/// Settles an outcome: the events of one record, already applied to `state`.
///
/// # Errors
/// [`Illegal`] when the outcome does not belong to an attempt in flight.
pub fn settle(state: &mut RunState, outcome: Outcome, now: Timestamp) -> Result<Vec<Event>, Illegal> {
    let Outcome { attempt, end, ms, usage, notes, dice } = outcome;
    let on = attempt.on.clone();
    let step = attempt.step.clone();
    let end = judged(state, &on, &step, end);
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
        Followup::Trouble(class, message) => settlement.after_trouble(at, &step, class, &message)?,
        Followup::Reviewed => {
            settlement.grow_back()?;
            settlement.conclude_if_settled(at)?;
        }
        Followup::Voted => {
            settlement.grow_back()?;
            settlement.count_if_settled(at)?;
        }
        Followup::Nothing => {}
    }
    Ok(settlement.events)
}

/// What remains to be decided after an attempt's end, taken out of it so that the end itself can move into the record.
enum Followup {
    Wrote(Claim, Vec<String>),
    Checked { flaky: bool },
    Reviewed,
    Voted,
    Trouble(Trouble, String),
    Nothing,
}

impl Followup {
    fn of(end: &AttemptEnd, failed_before: bool) -> Self {
        match end {
            AttemptEnd::Wrote { report, .. } => Self::Wrote(report.status, asked(report)),
            AttemptEnd::Checked(result) => Self::Checked { flaky: failed_before && result.verdict == Verdict::Pass },
            AttemptEnd::Failed { class, message, .. } => Self::Trouble(*class, message.clone()),
            AttemptEnd::Reviewed { .. } => Self::Reviewed,
            AttemptEnd::Voted { .. } => Self::Voted,
            AttemptEnd::Interrupted { .. } => Self::Nothing,
        }
    }
}

/// What cco makes of a reader's answer: findings get their weight and their old names, and a ballot that cannot count
/// is none.
fn judged(state: &RunState, on: &Subject, step: &Step, end: AttemptEnd) -> AttemptEnd {
    let Some(subject) = state.subject(on) else { return end };
    match end {
        AttemptEnd::Reviewed { report, .. } => {
            let earlier = subject.fixing.as_ref().map_or(&[][..], |fixing| &fixing.issues);
            let mut issues = sameness::judged(&report, &step.to_string(), earlier);
            issues.iter_mut().filter(|issue| is_for_another(subject, step, issue)).for_each(|issue| {
                issue.severity = Severity::Minor;
            });
            AttemptEnd::Reviewed { report, issues }
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
    pub(super) fn proceed(&mut self, at: Index) -> Result<(), Illegal> {
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
        let reviewers = self.reviewers(at, scope);
        // In full mode small remarks block once: what is left of them after a fix does not.
        let pressed = self.state.component_or_run(at).fixing.as_ref().is_some_and(|fixing| fixing.pressed);
        let strict = !pressed && !reviewers.is_empty() && self.state.plan().mode == Mode::Full;
        self.emit(Event::ValidationOpened { on, scope, round, checks, reviewers, change_only: false, strict, set })?;
        self.conclude_if_settled(at)
    }

    /// Judges the last change alone: its findings are mended before the component goes on its way.
    fn open_change_validation(&mut self, at: Index) -> Result<(), Illegal> {
        let on = self.state.name(at);
        let round = self.state.at_mut(at).rounds + 1;
        let (scope, set) = (Scope::Component, self.check_set(at));
        let (checks, reviewers, strict) = (Vec::new(), Vec::new(), false);
        self.emit(Event::ValidationOpened { on, scope, round, checks, reviewers, change_only: true, strict, set })?;
        self.conclude_if_settled(at)
    }

    /// Whether the last change has findings that the user did not take as they are.
    pub(super) fn has_findings(&self, at: Index) -> bool {
        self.state.component_or_run(at).findings.iter().any(|issue| !self.state.is_waived(issue, at))
    }

    /// The reviewers of a validation in waves: who found what is open, or decides what is disputed; then all others.
    fn reviewers(&self, at: Index, scope: Scope) -> Vec<Vec<u8>> {
        let all = self.state.plan().reviewers;
        let wanted = match scope {
            Scope::Component | Scope::Final => all,
            // A level's members were reviewed one by one; the base is nobody's change.
            Scope::Level(_) | Scope::Baseline => 0,
        };
        if wanted == 0 {
            return Vec::new();
        }
        let first = self.open_reviewers(at, wanted);
        let rest: Vec<u8> = (0..wanted).filter(|one| !first.contains(one)).collect();
        [first, rest].into_iter().filter(|wave| !wave.is_empty()).collect()
    }

    /// Reviewers with open issues; on one that is disputed the next reviewer decides.
    fn open_reviewers(&self, at: Index, count: u8) -> Vec<u8> {
        let Some(fixing) = &self.state.component_or_run(at).fixing else { return Vec::new() };
        let disputed = |issue: &Issue| fixing.disputes.iter().any(|dispute| sameness::is_id_of(&dispute.issue, issue));
        let mut open = std::collections::BTreeSet::new();
        for reviewer in 0..count {
            let source = Step::Review(reviewer).to_string();
            let own = fixing.issues.iter().filter(|issue| issue.source == source);
            open.extend(own.map(|issue| if disputed(issue) { (reviewer + 1) % count } else { reviewer }));
        }
        open.into_iter().collect()
    }

    fn after_check(&mut self, at: Index, step: &Step, flaky: bool) -> Result<(), Illegal> {
        if flaky {
            let on = self.state.name(at);
            let text = format!("{step} is flaky: it failed, then passed on the same tree");
            self.emit(Event::Noted { on, text })?;
        }
        self.conclude_if_settled(at)
    }

    pub(super) fn conclude_if_settled(&mut self, at: Index) -> Result<(), Illegal> {
        let Phase::Validating(validation) = &self.state.component_or_run(at).phase else { return Ok(()) };
        let waived = |issue: &Issue| self.state.is_waived(issue, at);
        let Some(verdict) = validation.verdict(&waived) else { return Ok(()) };
        let (scope, round, change_only) = (validation.scope, validation.round, validation.change_only);
        let issues = validation.issues(verdict, &waived);
        if verdict == Verdict::Fail && scope == Scope::Baseline && self.inherit(&issues)? {
            return self.conclude_if_settled(at);
        }
        let on = self.state.name(at);
        let best = self.state.component_or_run(at).fixing.as_ref().and_then(|fixing| fixing.best);
        let trend = Standing::of(&issues).against(best);
        self.emit(Event::ValidationSettled { on, round, verdict, issues: issues.clone() })?;
        match verdict {
            Verdict::Pass if change_only => self.proceed(at),
            Verdict::Pass => self.after_pass(at, scope),
            Verdict::Fail if scope == Scope::Baseline => self.after_red_base(at, issues),
            Verdict::Fail => self.after_fail(at, trend),
            Verdict::Unavailable => {
                let question = unavailable_question(&issues);
                self.escalate_with(at, Cause::NotCheckable, question, issues)
            }
        }
    }

    /// Where the user allows it, tests that are red before any work block nothing; tells whether there were any. They
    /// are known by the name that a report gives them: of a command that is red as a whole nobody can say what in it.
    fn inherit(&mut self, issues: &[Issue]) -> Result<bool, Illegal> {
        let plan = self.state.plan();
        let reports = |source: &str| {
            let check = source.strip_prefix("check:").and_then(|name| plan.check_named(name));
            check.is_some_and(|check| plan.check(check).junit.is_some())
        };
        let named = |issue: &&Issue| {
            reports(&issue.source) && issue.fingerprint != sameness::of_command(&issue.source) && issue.file.is_none()
        };
        let issues: Vec<Issue> = issues.iter().filter(named).cloned().collect();
        if !plan.policy.inherit_red || issues.is_empty() {
            return Ok(false);
        }
        self.emit(Event::Inherited { issues })?;
        Ok(true)
    }

    /// The base is red before any work: that is the user's to mend.
    fn after_red_base(&mut self, at: Index, issues: Vec<Issue>) -> Result<(), Illegal> {
        let mut what: Vec<&str> = issues.iter().map(|issue| issue.source.as_str()).collect();
        what.dedup();
        let question = format!(
            "{} on the untouched base, before any work: mend it, commit, and `run --fresh`; or take it as it is",
            if let [one] = what[..] { format!("{one} is red") } else { format!("{} are red", what.join(", ")) },
        );
        self.escalate_with(at, Cause::RedBase, question, issues)
    }

    /// The commands of a validation. After a skeleton there are none: it promises interfaces, not behaviour.
    fn commands(&self, at: Index, scope: Scope) -> Vec<Arc<str>> {
        let plan = self.state.plan();
        let light = at != self.state.run_index()
            && plan.legs(at).get(usize::from(self.state.component(at).leg)) == Some(&Leg::Light);
        let set: &[CheckIndex] = match scope {
            Scope::Baseline => &plan.baseline,
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

    pub(super) fn check_set(&self, at: Index) -> crate::ids::Digest {
        let plan = self.state.plan();
        if at == self.state.run_index() { plan.run_checks } else { plan.component(at).check_set }
    }

    fn after_pass(&mut self, at: Index, scope: Scope) -> Result<(), Illegal> {
        match scope {
            Scope::Component => self.proceed(at),
            Scope::Level(_) | Scope::Baseline => Ok(()),
            Scope::Final => self.conclude_whole(),
        }
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

    fn after_fail(&mut self, at: Index, trend: Trend) -> Result<(), Illegal> {
        let policy = &self.state.plan().policy;
        let (limit, threshold) = (policy.max_fix_attempts, policy.same_issue_threshold);
        let fixing = self.state.component_or_run(at).fixing.as_deref().cloned().unwrap_or_default();
        let counted = trend != Trend::Better;
        if (counted && fixing.counted >= limit) || fixing.rounds >= limit.saturating_mul(ROUNDS_PER_ATTEMPT) {
            let question = format!(
                "{} {} open after {}; how shall it go on?",
                plural(fixing.issues.len(), "issue"),
                if fixing.issues.len() == 1 { "is" } else { "are" },
                plural(fixing.rounds as usize, "fix round"),
            );
            return self.escalate_with(at, Cause::FixBudget, question, fixing.issues);
        }
        if matches!(trend, Trend::Equal | Trend::Worse) && fixing.returned(threshold) {
            return self.ask_for_strategy(at);
        }
        let from = self.state.best_tree(at);
        let on = self.state.name(at);
        self.emit(Event::FixOpened { on, fix: fixing.rounds + 1, counted, trend, from })
    }

    fn complete(&mut self, at: Index) -> Result<(), Illegal> {
        let plan = self.state.plan();
        let checked =
            plan.legs(at).contains(&Leg::Validate) && (!plan.component(at).checks.is_empty() || plan.reviewers > 0);
        let rests_on_it = match &self.state.component(at).phase {
            Phase::Validating(validation) => validation.found().any(|issue| self.state.is_taken(issue, at)),
            _ => false,
        };
        let waived = rests_on_it || self.state.waived.iter().any(|(_, of)| *of == at);
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

    fn escalate_with(&mut self, at: Index, cause: Cause, question: String, issues: Vec<Issue>) -> Result<(), Illegal> {
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

fn unavailable_question(issues: &[Issue]) -> String {
    let what: Vec<String> = issues.iter().map(|issue| format!("{} ({})", issue.source, issue.text)).collect();
    format!("could not be checked: {}", what.join("; "))
}
