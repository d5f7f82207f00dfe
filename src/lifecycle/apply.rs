//! The fold: one event at a time, mechanical. It decides nothing; decisions were made when the event was written.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{AttemptEnd, Event, Issue, Pause, Proof, Redo, RunEnd, Scope, Trouble, Usage, Verb, Verdict};
use super::report::Claim;
use super::state::{Halt, Illegal, RunState};
use super::subject::{During, Phase, Question, Running, Slot, Todo, Tries, Validation, Why, Work};
use crate::ids::{AttemptId, Digest, Step, Subject};
use crate::plan::graph::Index;
use crate::plan::{Leg, Plan};

impl RunState {
    /// Applies one event of a record written at `at`.
    ///
    /// Of components that the manifest has no more, only what they cost and asked is kept.
    ///
    /// # Errors
    /// [`Illegal`] when the event contradicts the state; the state may then be half changed and must be dropped.
    pub fn apply(&mut self, event: &Event, at: Timestamp) -> Result<(), Illegal> {
        if let Some(on) = subject_of(event)
            && self.locate(&on).is_none()
        {
            self.note_removed(&on);
            self.keep_of_removed(event);
            return Ok(());
        }
        match event {
            Event::JournalOpened { .. } | Event::Noted { .. } => {}
            Event::RunStarted(started) => {
                self.ended = None;
                self.halt = None;
                self.pause = None;
                self.hold = None;
                self.limited = 0;
                self.jobs = started.jobs;
                self.run = Some((**started).clone());
            }
            Event::RunEnded { end } => self.ended = Some(*end),
            Event::RunAborted => {
                let why = "the user ended it".to_owned();
                self.halt = Some(Halt { end: RunEnd::Incomplete, class: None, why });
            }
            Event::RunPaused { until, why } => {
                self.pause = Some((*until, *why));
                self.limited += 1;
            }
            Event::WindowNearlyUsed { until } => self.hold = Some(*until),
            Event::JobsChanged { jobs } => self.jobs = *jobs,
            Event::ComponentStarted { on, input, step } => {
                let index = self.index(event, &on.clone().into())?;
                let fresh = self.todo(index) == Some(Todo::Fresh);
                let leg = if fresh { 0 } else { last_validation(self.plan().legs(index)) };
                let subject = self.at_mut(index);
                subject.input = Some(*input);
                subject.leg = leg;
                self.completed = None;
                self.enter(index, Phase::Working(Work::new(step.clone())));
            }
            Event::StepOpened { on, step } => {
                let index = self.index(event, on)?;
                self.enter(index, Phase::Working(Work::new(step.clone())));
            }
            Event::AttemptStarted { attempt, session, resumed } => {
                let running = Running { n: attempt.n, session: session.clone(), resumed: *resumed, since: at };
                self.start_attempt(event, attempt, running)?;
            }
            Event::AttemptEnded { attempt, end, usage, .. } => {
                self.end_attempt(event, attempt, end, usage.as_deref())?;
            }
            Event::RetryScheduled { on, at: when } => {
                let index = self.index(event, on)?;
                match &mut self.at_mut(index).phase {
                    Phase::Working(work) => work.not_before = Some(*when),
                    _ => return Err(Self::illegal(event, "no agent step is under way")),
                }
            }
            Event::ValidationOpened { on, scope, round, checks, set } => {
                let wanted = checks.iter().map(|name| (name.clone(), Slot::Wanted(Tries::default()))).collect();
                let validation = Validation { scope: *scope, round: *round, set: *set, checks: wanted };
                self.open_validation(event, on, validation)?;
            }
            Event::ValidationSettled { on, verdict, issues, .. } => {
                let index = self.index(event, on)?;
                let Phase::Validating(validation) = &self.at_mut(index).phase else {
                    return Err(Self::illegal(event, "no validation is open"));
                };
                let (scope, set) = (validation.scope, validation.set);
                self.at_mut(index).checks = Some(set);
                match verdict {
                    Verdict::Pass => self.pass(index, scope),
                    Verdict::Fail => {
                        let fixing = self.at_mut(index).fixing.get_or_insert_default();
                        fixing.scope = Some(scope);
                        fixing.issues = issues.clone();
                    }
                    Verdict::Unavailable => {}
                }
            }
            Event::ValidationWaived { scope } => self.accept_level(*scope),
            Event::FixOpened { on, counted, .. } => {
                let index = self.index(event, on)?;
                let fixing = self.at_mut(index).fixing.get_or_insert_default();
                fixing.rounds += 1;
                fixing.counted += u32::from(*counted);
                let blocking = fixing.issues.len() as u32;
                fixing.best = Some(fixing.best.map_or(blocking, |best| best.min(blocking)));
                self.enter(index, Phase::Working(Work::new(Step::Fix)));
            }
            Event::Escalated(escalation) => {
                let index = self.index(event, &escalation.on)?;
                let during = self.during(event, index)?;
                self.asked += 1;
                self.questions.insert(escalation.id.clone(), (**escalation).clone());
                let question = Question { id: escalation.id.clone(), cause: escalation.cause, during };
                self.enter(index, Phase::Asking(Box::new(question)));
            }
            Event::Answered(answer) => self.take_answer(event, answer)?,
            Event::ComponentCompleted { on, proof } => {
                let index = self.index(event, &on.clone().into())?;
                let subject = self.at_mut(index);
                subject.delivered = subject.product;
                self.enter(index, Phase::Complete(*proof));
            }
            Event::ComponentFailed { on, .. } => {
                let index = self.index(event, &on.clone().into())?;
                self.enter(index, Phase::Failed);
            }
            Event::ComponentSkipped { on } => {
                let index = self.index(event, &on.clone().into())?;
                self.enter(index, Phase::Skipped);
            }
            Event::RunCompleted { proof } => {
                self.completed = Some(*proof);
                self.enter(self.run_index(), Phase::Waiting(Todo::Fresh));
            }
            Event::WentStale { on, redo, guidance, .. } => {
                let index = self.index(event, on)?;
                self.go_stale(index, *redo, guidance.as_deref());
            }
        }
        Ok(())
    }

    fn index(&self, event: &Event, on: &Subject) -> Result<Index, Illegal> {
        self.locate(on).ok_or_else(|| Self::illegal(event, format!("the plan has no `{on}`")))
    }

    fn start_attempt(&mut self, event: &Event, attempt: &AttemptId, running: Running) -> Result<(), Illegal> {
        let index = self.index(event, &attempt.on)?;
        let subject = self.at_mut(index);
        if attempt.n != subject.next_attempt(&attempt.step) {
            return Err(Self::illegal(event, "its number is not the next one"));
        }
        match subject.attempts.iter_mut().find(|(step, _)| *step == attempt.step) {
            Some((_, n)) => *n = attempt.n,
            None => subject.attempts.push((attempt.step.clone(), attempt.n)),
        }
        match (&mut subject.phase, &attempt.step) {
            (Phase::Working(work), step) if work.step == *step && work.running.is_none() => {
                work.running = Some(running);
                work.not_before = None;
                self.counts.agents += 1;
                self.counts.writers += u32::from(attempt.step.writes());
            }
            (Phase::Validating(validation), Step::Check(name)) => {
                let slot = validation.checks.iter_mut().find(|(check, _)| check == name).map(|(_, slot)| slot);
                match slot {
                    Some(slot @ Slot::Wanted(_)) => {
                        let Slot::Wanted(tries) = *slot else { unreachable!("matched above") };
                        *slot = Slot::Running(tries, running);
                        self.counts.checks += 1;
                    }
                    Some(Slot::Running(..) | Slot::Settled(..)) | None => {
                        return Err(Self::illegal(event, "that check is not wanted"));
                    }
                }
            }
            (
                Phase::Working(_)
                | Phase::Validating(_)
                | Phase::Waiting(_)
                | Phase::Asking(_)
                | Phase::Complete(_)
                | Phase::Failed
                | Phase::Skipped,
                _,
            ) => return Err(Self::illegal(event, "that step is not wanted")),
        }
        self.queue(index);
        Ok(())
    }

    /// Adds what an attempt cost; tells whether it can have cost anything.
    fn pay(&mut self, attempt: &AttemptId, end: &AttemptEnd, usage: Option<&Usage>) -> bool {
        // What never ran cost nothing; of everything else an agent did, unknown is not zero.
        let ran = !matches!(end, AttemptEnd::Failed { class: Trouble::NotStarted, .. });
        let paid = attempt.step.by_agent() && ran;
        if paid {
            self.cost.add(usage);
            self.cost_attempts += 1;
        }
        paid
    }

    /// What components that are gone cost was paid all the same, and the numbers of their questions stay theirs.
    fn keep_of_removed(&mut self, event: &Event) {
        if let Event::AttemptEnded { attempt, end, usage, .. } = event {
            self.pay(attempt, end, usage.as_deref());
        }
        if let Event::Escalated(escalation) = event {
            self.asked += 1;
            self.questions.insert(escalation.id.clone(), (**escalation).clone());
        }
    }

    fn end_attempt(
        &mut self,
        event: &Event,
        attempt: &AttemptId,
        end: &AttemptEnd,
        usage: Option<&Usage>,
    ) -> Result<(), Illegal> {
        let index = self.index(event, &attempt.on)?;
        if self.pay(attempt, end, usage) {
            self.at_mut(index).cost.add(usage);
        }
        if let AttemptEnd::Failed { class, message, .. } = end {
            self.halt_on(*class, message);
        }
        let next_leg = leg_after(self.plan(), index, &attempt.step);
        let subject = self.at_mut(index);
        match (&mut subject.phase, &attempt.step) {
            (Phase::Working(work), step)
                if work.step == *step && work.running.as_ref().is_some_and(|running| running.n == attempt.n) =>
            {
                let running = work.running.take();
                let session = running.and_then(|running| running.session);
                retry_from(work, end, session);
                if let AttemptEnd::Wrote { report, product, .. } = end {
                    subject.product = *product;
                    subject.report = says_something(report).then(|| report.clone());
                    if matches!(report.status, Claim::Done | Claim::NothingToDo)
                        && let Some(next) = next_leg
                    {
                        subject.leg = next;
                    }
                    if *step == Step::Fix {
                        let fixing = subject.fixing.get_or_insert_default();
                        fixing.tried.push(report.summary.clone());
                    }
                }
                self.counts.agents -= 1;
                self.counts.writers -= u32::from(attempt.step.writes());
                if matches!(end, AttemptEnd::Wrote { .. } | AttemptEnd::Reviewed { .. } | AttemptEnd::Voted { .. }) {
                    self.limited = 0;
                }
            }
            (Phase::Validating(validation), Step::Check(name)) => {
                let slot = validation.checks.iter_mut().find(|(check, _)| check == name).map(|(_, slot)| slot);
                let Some(slot @ Slot::Running(..)) = slot else {
                    return Err(Self::illegal(event, "that check does not run"));
                };
                end_check(slot, end);
                self.counts.checks -= 1;
            }
            (
                Phase::Working(_)
                | Phase::Validating(_)
                | Phase::Waiting(_)
                | Phase::Asking(_)
                | Phase::Complete(_)
                | Phase::Failed
                | Phase::Skipped,
                _,
            ) => return Err(Self::illegal(event, "that attempt does not run")),
        }
        self.queue(index);
        Ok(())
    }

    /// Trouble that no retry can mend stops the run.
    fn halt_on(&mut self, class: Trouble, message: &str) {
        let halt = |end| Some(Halt { end, class: Some(class), why: message.to_owned() });
        match class {
            Trouble::Authentication
            | Trouble::Billing
            | Trouble::Model
            | Trouble::BadRequest
            | Trouble::NotStarted
            | Trouble::DiskFull
            | Trouble::Internal => self.halt = halt(RunEnd::Environment),
            Trouble::UsageLimit { .. } if self.plan().policy.no_wait => {
                self.halt = halt(RunEnd::UsageLimit);
            }
            Trouble::UsageLimit { .. }
            | Trouble::RateLimit { .. }
            | Trouble::Transient
            | Trouble::Refused
            | Trouble::NoAnswer
            | Trouble::TimedOut
            | Trouble::Crashed
            | Trouble::ConversationLost => {}
        }
    }

    fn open_validation(&mut self, event: &Event, on: &Subject, validation: Validation) -> Result<(), Illegal> {
        let index = self.index(event, on)?;
        let plan = Arc::clone(self.plan());
        let subject = self.at_mut(index);
        subject.rounds = validation.round;
        if *on != Subject::Run {
            let legs = plan.legs(index);
            match legs.get(usize::from(subject.leg)) {
                Some(Leg::Light | Leg::Validate) => {}
                Some(Leg::Step(_)) | None => subject.leg = last_validation(legs),
            }
        }
        self.enter(index, Phase::Validating(Box::new(validation)));
        Ok(())
    }

    /// What a PASS makes true; components complete by an event of their own.
    fn pass(&mut self, index: Index, scope: Scope) {
        let subject = self.at_mut(index);
        subject.fixing = None;
        match scope {
            Scope::Component => subject.leg += 1,
            Scope::Level(_) => self.accept_level(scope),
            Scope::Final => {
                if self.plan().final_checks.is_empty() {
                    return;
                }
                for at in 0..self.run_index() {
                    if self.component(at).phase == Phase::Complete(Proof::Unproven) {
                        self.enter(at, Phase::Complete(Proof::Proven));
                    }
                }
            }
        }
    }

    /// A level is validated, or the user took it as it is: the next one may start.
    fn accept_level(&mut self, scope: Scope) {
        if let Scope::Level(level) = scope {
            self.levels.validated = level + 1;
            self.enter(self.run_index(), Phase::Waiting(Todo::Fresh));
        }
    }

    fn during(&self, event: &Event, index: Index) -> Result<During, Illegal> {
        let subject = if index == self.run_index() { self.run_work() } else { self.component(index) };
        match &subject.phase {
            Phase::Working(work) => Ok(During::Step(work.step.clone())),
            Phase::Validating(validation) => Ok(During::Validation(validation.scope)),
            Phase::Waiting(_) | Phase::Asking(_) | Phase::Complete(_) | Phase::Failed | Phase::Skipped => {
                Err(Self::illegal(event, "nothing of it is under way"))
            }
        }
    }

    /// Takes the question away and adds the guidance; what follows is told by events of their own.
    fn take_answer(&mut self, event: &Event, answer: &super::event::Answer) -> Result<(), Illegal> {
        let Some(escalation) = self.questions.remove(&answer.id) else {
            return Err(Self::illegal(event, "no such question is open"));
        };
        let Some(index) = self.locate(&escalation.on) else { return Ok(()) };
        let Phase::Asking(question) = self.at_mut(index).phase.clone() else {
            return Err(Self::illegal(event, "it does not wait for an answer"));
        };
        let accepted = match &question.during {
            During::Step(step) => leg_after(self.plan(), index, step),
            During::Validation(_) => None,
        };
        if answer.verb == Verb::Accept {
            let named = |issue: &&Issue| answer.issues.is_empty() || answer.issues.contains(&issue.fingerprint);
            self.waived.extend(escalation.issues.iter().filter(named).map(|issue| (issue.fingerprint, index)));
        }
        let open = escalation.issues.iter().any(|issue| !self.is_waived(issue, index));
        let subject = self.at_mut(index);
        if let Some(guidance) = &answer.guidance {
            subject.guidance.push(Arc::from(guidance.as_str()));
        }
        if let Some(option) = &answer.option {
            subject
                .guidance
                .push(Arc::from(format!("To the question «{}» the user chose: {option}", escalation.question)));
        }
        if answer.verb == Verb::Retry
            && let Some(fixing) = &mut subject.fixing
        {
            fixing.rounds = 0;
            fixing.counted = 0;
            fixing.best = None;
        }
        if answer.verb == Verb::Accept && !open && escalation.on != Subject::Run {
            match &question.during {
                During::Step(Step::Fix) | During::Validation(_) => subject.leg += 1,
                During::Step(_) => subject.leg = accepted.unwrap_or(subject.leg),
            }
        }
        // Until the event that tells what follows, it stands where the question found it.
        let phase = match question.during {
            During::Step(step) => Phase::Working(Work::new(step)),
            During::Validation(scope) => {
                let round = self.at_mut(index).rounds;
                Phase::Validating(Box::new(Validation { scope, round, set: Digest::default(), checks: Vec::new() }))
            }
        };
        self.enter(index, phase);
        Ok(())
    }

    fn go_stale(&mut self, index: Index, redo: Redo, guidance: Option<&str>) {
        self.completed = None;
        let run = self.run_index();
        let on = self.name(index);
        self.questions.retain(|_, question| question.on != on);
        if redo == Redo::All {
            self.waived.retain(|(_, of)| *of != index);
        }
        let subject = self.at_mut(index);
        if let Some(text) = guidance {
            subject.guidance.push(Arc::from(text));
        }
        if redo == Redo::All {
            subject.leg = 0;
            subject.fixing = None;
        }
        if index == run {
            self.levels.validated = 0;
            self.enter(index, Phase::Waiting(Todo::Fresh));
        } else {
            self.enter(index, Phase::Waiting(redo.into()));
        }
    }
}

/// The leg that validates a component's work; past the end where its mode has none.
fn last_validation(legs: &[Leg]) -> u8 {
    legs.iter().rposition(|leg| *leg == Leg::Validate).unwrap_or(legs.len()) as u8
}

/// The leg behind a step, by today's mode: a step that was done in another mode is not done again. None for steps that
/// are no leg of a component's way (fixes, revisions, merges).
fn leg_after(plan: &Plan, index: Index, step: &Step) -> Option<u8> {
    if !matches!(step, Step::Skeleton | Step::Implement) || index as usize >= plan.components.len() {
        return None;
    }
    let legs = plan.legs(index);
    let at = legs.iter().position(|leg| matches!(leg, Leg::Step(one) if one == step));
    // A mode without skeletons has the implementation still before it.
    Some(at.map_or(0, |at| at as u8 + 1))
}

/// What the next try of a step starts from.
fn retry_from(work: &mut Work, end: &AttemptEnd, session: Option<Box<str>>) {
    let (resumable, why) = match end {
        AttemptEnd::Wrote { .. } | AttemptEnd::Reviewed { .. } | AttemptEnd::Voted { .. } | AttemptEnd::Checked(_) => {
            return;
        }
        AttemptEnd::Interrupted { resumable } => {
            work.cut_off |= !resumable;
            (*resumable, Why::Interrupted)
        }
        AttemptEnd::Failed { class, resumable, .. } => {
            let why = match class {
                Trouble::Transient => {
                    work.transient += 1;
                    Why::Trouble
                }
                Trouble::RateLimit { .. } | Trouble::UsageLimit { .. } => Why::Trouble,
                Trouble::NoAnswer => {
                    work.lost += 1;
                    Why::NoAnswer
                }
                Trouble::TimedOut => {
                    work.lost += 1;
                    Why::TimedOut
                }
                Trouble::Crashed | Trouble::Refused => {
                    work.lost += 1;
                    Why::Trouble
                }
                // Not counted: the next try begins anew, so that it cannot be lost again.
                Trouble::ConversationLost => {
                    work.cut_off = true;
                    Why::Trouble
                }
                Trouble::Authentication
                | Trouble::Billing
                | Trouble::Model
                | Trouble::BadRequest
                | Trouble::NotStarted
                | Trouble::DiskFull
                | Trouble::Internal => Why::Trouble,
            };
            let usable = *resumable && !matches!(class, Trouble::ConversationLost | Trouble::Refused);
            (usable, why)
        }
    };
    work.resume = session.filter(|_| resumable).map(|session| (session, why));
}

fn end_check(slot: &mut Slot, end: &AttemptEnd) {
    let Slot::Running(tries, _) = slot else { return };
    let mut tries = *tries;
    *slot = match end {
        AttemptEnd::Checked(result) => match result.verdict {
            Verdict::Fail if !tries.failed => {
                tries.failed = true;
                Slot::Wanted(tries)
            }
            Verdict::Unavailable if tries.unavailable == 0 => {
                tries.unavailable += 1;
                Slot::Wanted(tries)
            }
            verdict @ (Verdict::Pass | Verdict::Fail | Verdict::Unavailable) => {
                Slot::Settled(verdict, result.issues.clone())
            }
        },
        AttemptEnd::Interrupted { .. }
        | AttemptEnd::Failed { .. }
        | AttemptEnd::Wrote { .. }
        | AttemptEnd::Reviewed { .. }
        | AttemptEnd::Voted { .. } => Slot::Wanted(tries),
    };
}

fn says_something(report: &super::report::WriterReport) -> bool {
    let lists = [
        &report.discoveries,
        &report.decisions,
        &report.blockers,
        &report.interfaces,
        &report.notes,
        &report.questions,
        &report.needs_files,
    ];
    !report.summary.is_empty() || lists.iter().any(|list| !list.is_empty())
}

/// The subject of an event, where it has one.
pub fn subject_of(event: &Event) -> Option<Subject> {
    match event {
        Event::JournalOpened { .. }
        | Event::RunStarted(_)
        | Event::RunEnded { .. }
        | Event::RunAborted
        | Event::RunPaused { .. }
        | Event::WindowNearlyUsed { .. }
        | Event::JobsChanged { .. }
        | Event::ValidationWaived { .. }
        | Event::RunCompleted { .. }
        | Event::Answered(_) => None,
        Event::ComponentStarted { on, .. }
        | Event::ComponentCompleted { on, .. }
        | Event::ComponentFailed { on, .. }
        | Event::ComponentSkipped { on } => Some(on.clone().into()),
        Event::AttemptStarted { attempt, .. } | Event::AttemptEnded { attempt, .. } => Some(attempt.on.clone()),
        Event::StepOpened { on, .. }
        | Event::RetryScheduled { on, .. }
        | Event::ValidationOpened { on, .. }
        | Event::ValidationSettled { on, .. }
        | Event::FixOpened { on, .. }
        | Event::WentStale { on, .. }
        | Event::Noted { on, .. } => Some(on.clone()),
        Event::Escalated(escalation) => Some(escalation.on.clone()),
    }
}

/// Pauses end by the clock alone; this says whether one holds at `now`.
pub(super) fn holds(pause: Option<(Timestamp, Pause)>, now: Timestamp) -> bool {
    pause.is_some_and(|(until, _)| now < until)
}
