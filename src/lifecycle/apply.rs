//! The fold: one event at a time, mechanical. It decides nothing; decisions were made when the event was written.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Cause, Event, Issue, Pause, Proof, Redo, RunEnd, Scope, Verb, Verdict};
use super::state::{Halt, Illegal, RunState};
use super::subject::{During, FixLoop, Origin, Phase, Question, Review, Running, Slot, Todo, Tries, Validation, Work};
use crate::ids::{Digest, Step, Subject};
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
                self.begun = true;
                self.enter(index, Phase::Working(Box::new(Work::new(step.clone()))));
            }
            Event::StepOpened { on, step } => {
                let index = self.index(event, on)?;
                if *step == Step::Resolve {
                    // What is merged with others' work is another work: all of it is judged.
                    self.go_to_validation(index);
                }
                if *step == Step::Compare && self.is_whole_work(index) {
                    // What the user did in the step's place, or lost records told of, is judged as the whole work.
                    self.go_to_validation(index);
                }
                let over =
                    |fixing: &FixLoop| matches!(step, Step::Skeleton | Step::Implement) && fixing.scope.is_some();
                // What was found so far is mended, or taken as it is.
                self.at_mut(index).fixing.take_if(|fixing| over(fixing));
                let left = matches!(&self.component_or_run(index).phase, Phase::Working(work) if work.left);
                self.enter(index, Phase::Working(Box::new(Work { left, ..Work::new(step.clone()) })));
            }
            Event::AttemptStarted { attempt, session, resumed } => {
                let running = Running { n: attempt.n, session: session.clone(), resumed: *resumed, since: at };
                self.start_attempt(event, attempt, running)?;
            }
            Event::AttemptEnded { attempt, end, usage, .. } => {
                self.end_attempt(event, attempt, end, usage.as_deref())?;
            }
            Event::RetryScheduled { on, step, at: when } => {
                let index = self.index(event, on)?;
                let phase = &mut self.at_mut(index).phase;
                let work = match (step, phase) {
                    (Some(step), phase) => phase.work_of_mut(step),
                    (None, Phase::Working(work)) => Some(&mut **work),
                    (None, _) => None,
                };
                let Some(work) = work else { return Err(Self::illegal(event, "no agent step is under way")) };
                work.not_before = Some(*when);
            }
            Event::ValidationOpened { on, scope, round, checks, reviewers, change_only, merged, strict, set } => {
                let validation = Validation {
                    scope: *scope,
                    round: *round,
                    set: *set,
                    change_only: *change_only,
                    merged: *merged,
                    strict: *strict,
                    findings: Vec::new(),
                    checks: checks.iter().map(|name| (name.clone(), Slot::Wanted(Tries::default()))).collect(),
                    reviews: reviews(reviewers),
                };
                self.open_validation(event, on, validation)?;
            }
            Event::ValidationSettled { on, verdict, issues, .. } => {
                let index = self.index(event, on)?;
                let Phase::Validating(validation) = &self.at_mut(index).phase else {
                    return Err(Self::illegal(event, "no validation is open"));
                };
                let (scope, set, merged) = (validation.scope, validation.set, validation.merged);
                let (partial, strict) = (validation.change_only || validation.merged, validation.strict);
                if !partial {
                    self.at_mut(index).checks = Some(set);
                }
                if merged && *verdict != Verdict::Pass {
                    // What is mended now is judged as a whole again.
                    self.go_to_validation(index);
                }
                match verdict {
                    Verdict::Pass if partial => {}
                    Verdict::Pass => self.pass(index, scope, set),
                    Verdict::Fail => self.fail(index, scope, strict, issues),
                    Verdict::Unavailable => {}
                }
            }
            Event::ValidationWaived { scope } => self.accept_level(*scope),
            Event::FixOpened { on, counted, from, .. } => {
                let index = self.index(event, on)?;
                self.at_mut(index).fixing.get_or_insert_default().open_round(*counted, from.is_some());
                let origin = from.clone().map(Origin::At);
                self.enter(index, Phase::Working(Box::new(Work { origin, ..Work::new(Step::Fix) })));
            }
            Event::BranchAdopted { commit } => {
                self.branch = Some(commit.clone());
                // What was proven was another whole.
                if self.completed.is_some() {
                    self.reopen();
                }
            }
            Event::FilesGranted { on, files } => self.take_grant(event, on, files)?,
            Event::IntegrationOpened { on, proof, scope } => {
                let index = self.index(event, on)?;
                self.open_delivery(index, *proof, *scope);
            }
            Event::SeatLost { on, step, why } => self.lose_seat(event, on, step, why)?,
            Event::VoteOpened(vote) => self.open_vote(event, vote)?,
            Event::VoteSettled(vote) => self.settle_vote(event, vote)?,
            Event::GateSettled { gate, option, act, issues } => self.settle_gate(gate, option, *act, issues),
            Event::Refactored { on, before } => {
                let index = self.index(event, &on.clone().into())?;
                self.refactor(index, before.as_deref());
            }
            Event::Inherited { issues } => self.inherited.extend(issues.iter().map(|issue| issue.fingerprint)),
            Event::Escalated(escalation) => {
                let index = self.index(event, &escalation.on)?;
                let during = self.during(event, index)?;
                self.asked += 1;
                self.questions.insert(escalation.id.clone(), (**escalation).clone());
                let held = match (&during, &self.component_or_run(index).phase) {
                    (During::Step(step), _) => {
                        // Who answered has committed what it did.
                        let left = escalation.cause == Cause::AgentTrouble;
                        Phase::Working(Box::new(Work { left, ..Work::new(step.clone()) }))
                    }
                    (_, phase) => phase.clone(),
                };
                let (id, cause) = (escalation.id.clone(), escalation.cause);
                let question = Question { id, cause, during, held: Box::new(held) };
                self.enter(index, Phase::Asking(Box::new(question)));
            }
            Event::Answered(answer) => self.take_answer(event, answer)?,
            Event::ComponentCompleted { on, proof } => {
                let index = self.index(event, &on.clone().into())?;
                let one_tree = self.plan().one_tree;
                let subject = self.at_mut(index);
                subject.delivered = subject.product;
                if one_tree {
                    // It is where it belongs already; what follows is judged by itself.
                    subject.commits = None;
                }
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
                if self.plan().one_tree {
                    self.at_mut(self.run_index()).commits = None;
                }
                self.enter(self.run_index(), Phase::Waiting(Todo::Fresh));
            }
            Event::StateRebuilt(rebuilt) => self.rebuild(rebuilt),
            Event::WentStale { on, redo, guidance, .. } => {
                let index = self.index(event, on)?;
                self.go_stale(index, *redo, guidance.as_deref());
            }
        }
        Ok(())
    }

    pub(super) fn index(&self, event: &Event, on: &Subject) -> Result<Index, Illegal> {
        self.locate(on).ok_or_else(|| Self::illegal(event, format!("the plan has no `{on}`")))
    }

    fn open_validation(&mut self, event: &Event, on: &Subject, mut validation: Validation) -> Result<(), Illegal> {
        let index = self.index(event, on)?;
        let plan = Arc::clone(self.plan());
        let subject = self.at_mut(index);
        subject.rounds = validation.round;
        validation.findings.clone_from(&subject.findings);
        if *on != Subject::Run && !validation.change_only && !validation.merged {
            let legs = plan.legs(index);
            match legs.get(usize::from(subject.leg)) {
                Some(Leg::Light | Leg::Validate) => {}
                Some(Leg::Step(_)) | None => subject.leg = last_validation(legs),
            }
        }
        if validation.scope == Scope::Baseline {
            self.base_judged = Some(validation.set);
        }
        if validation.scope == Scope::Final && !validation.change_only && !validation.merged {
            self.reviewers_of_whole = u8::try_from(validation.reviews.len()).ok();
        }
        self.enter(index, Phase::Validating(Box::new(validation)));
        Ok(())
    }

    /// Whether what is to be compared now stands for the whole work of a subject.
    fn is_whole_work(&self, index: Index) -> bool {
        let subject = self.component_or_run(index);
        match &subject.phase {
            Phase::Working(work) if work.step != Step::Compare => true,
            // What landed before says nothing of what is written anew.
            _ => subject.is_unseen() && !self.is_writing_due(index),
        }
    }

    /// The next leg of a component is the validation of its whole work.
    pub(super) fn go_to_validation(&mut self, index: Index) {
        if index != self.run_index() {
            let leg = last_validation(self.plan().legs(index));
            self.at_mut(index).leg = leg;
        }
    }

    /// A FAIL leaves its issues to the fix loop, which counts how often each came back.
    fn fail(&mut self, index: Index, scope: Scope, strict: bool, issues: &[Issue]) {
        let subject = self.at_mut(index);
        let tip = subject.tip().map(Box::<str>::from);
        let fixing = subject.fixing.get_or_insert_default();
        fixing.found(scope, issues, tip.as_deref());
        fixing.pressed |= strict && issues.iter().any(|issue| issue.source.starts_with("review:"));
    }

    /// What a PASS makes true; components complete by an event of their own.
    fn pass(&mut self, index: Index, scope: Scope, set: Digest) {
        let proves = self.proves_the_whole();
        let subject = self.at_mut(index);
        subject.fixing = None;
        match scope {
            Scope::Baseline => {
                self.baseline = Some(set);
                self.enter(index, Phase::Waiting(Todo::Fresh));
            }
            Scope::Component => subject.leg += 1,
            Scope::Level(_) => self.accept_level(scope),
            Scope::Final => {
                if !proves {
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

    /// Whether the open validation of the whole proves what was not checked before: it looked, and found nothing that
    /// the user had to take as it is.
    fn proves_the_whole(&self) -> bool {
        let run = self.run_index();
        let Phase::Validating(validation) = &self.run_work().phase else { return false };
        let looked = !validation.checks.is_empty() || !validation.reviews.is_empty();
        looked && !validation.found().any(|issue| self.is_taken(issue, run))
    }

    /// A level or the base is validated, or the user took it as it is: what comes next may start.
    fn accept_level(&mut self, scope: Scope) {
        match scope {
            Scope::Level(level) => self.levels.validated = level + 1,
            // What was taken as it is, is what was judged, whatever today's manifest says.
            Scope::Baseline => self.baseline = self.base_judged,
            Scope::Component | Scope::Final => return,
        }
        let run = self.run_index();
        self.at_mut(run).fixing = None;
        self.enter(self.run_index(), Phase::Waiting(Todo::Fresh));
    }

    fn during(&self, event: &Event, index: Index) -> Result<During, Illegal> {
        let subject = if index == self.run_index() { self.run_work() } else { self.component(index) };
        match &subject.phase {
            Phase::Working(work) => Ok(During::Step(work.step.clone())),
            Phase::Validating(validation) => Ok(During::Validation(validation.scope)),
            Phase::Voting(poll) if self.is_gate_of_the_whole(&poll.gate) => Ok(During::Gate(poll.gate.clone())),
            Phase::Voting(poll) => Ok(During::Validation(poll.scope)),
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
            During::Validation(_) | During::Gate(_) => None,
        };
        if answer.verb == Verb::Accept {
            let named = |issue: &&Issue| answer.issues.is_empty() || answer.issues.contains(&issue.fingerprint);
            self.waived.extend(escalation.issues.iter().filter(named).map(|issue| (issue.fingerprint, index)));
        }
        let open = escalation.issues.iter().any(|issue| !self.is_waived(issue, index));
        let again = answer.verb == Verb::Recheck || (answer.verb == Verb::Accept && open);
        let compared = again && !self.plan().one_tree;
        let subject = self.at_mut(index);
        if compared {
            subject.look_at_all();
        }
        // Whatever the user decides, the voters have thought about it.
        if let (Phase::Voting(poll), Some(fixing)) = (&*question.held, &mut subject.fixing) {
            fixing.advice = poll.reasons(answer.option.as_deref());
        }
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
            fixing.returns.clear();
        }
        if answer.verb == Verb::Accept && !open && escalation.on != Subject::Run {
            subject.leg = accepted.unwrap_or(subject.leg);
        }
        // It stands where the question found it. Who takes the issues of a vote on how to mend as they are goes on with
        // the validation that found them.
        let phase = match (*question.held, question.during) {
            (Phase::Voting(poll), During::Validation(_)) if answer.verb == Verb::Accept => {
                poll.validation.map_or(Phase::Waiting(Todo::Validate), Phase::Validating)
            }
            (held, _) => held,
        };
        self.enter(index, phase);
        Ok(())
    }

    fn go_stale(&mut self, index: Index, redo: Redo, guidance: Option<&str>) {
        self.reopen();
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
        subject.delivery = None;
        if redo == Redo::All {
            subject.leg = 0;
            subject.fixing = None;
            subject.findings.clear();
            subject.refactored = false;
            subject.commits = None;
        }
        if index == run {
            self.levels.validated = 0;
            self.enter(index, Phase::Waiting(Todo::Fresh));
        } else {
            self.enter(index, Phase::Waiting(redo.into()));
        }
    }
}

/// The reviewers of a validation, wave by wave.
fn reviews(waves: &[Vec<u8>]) -> Vec<Review> {
    let review =
        |wave: usize, reviewer: u8| Review { wave: wave as u8, work: Work::new(Step::Review(reviewer)), settled: None };
    waves.iter().enumerate().flat_map(|(wave, of_wave)| of_wave.iter().map(move |&one| review(wave, one))).collect()
}

/// The leg that validates a component's work; past the end where its mode has none.
fn last_validation(legs: &[Leg]) -> u8 {
    legs.iter().rposition(|leg| *leg == Leg::Validate).unwrap_or(legs.len()) as u8
}

/// The leg behind a step, by today's mode: a step that was done in another mode is not done again. None for steps that
/// are no leg of a component's way (fixes, revisions, merges).
pub(super) fn leg_after(plan: &Plan, index: Index, step: &Step) -> Option<u8> {
    if !matches!(step, Step::Skeleton | Step::Implement) || index as usize >= plan.components.len() {
        return None;
    }
    let legs = plan.legs(index);
    let at = legs.iter().position(|leg| matches!(leg, Leg::Step(one) if one == step));
    // A mode without skeletons has the implementation still before it.
    Some(at.map_or(0, |at| at as u8 + 1))
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
        | Event::BranchAdopted { .. }
        | Event::StateRebuilt(_)
        | Event::GateSettled { .. }
        | Event::Inherited { .. }
        | Event::Answered(_) => None,
        Event::ComponentStarted { on, .. }
        | Event::Refactored { on, .. }
        | Event::ComponentCompleted { on, .. }
        | Event::ComponentFailed { on, .. }
        | Event::ComponentSkipped { on } => Some(on.clone().into()),
        Event::AttemptStarted { attempt, .. } | Event::AttemptEnded { attempt, .. } => Some(attempt.on.clone()),
        Event::StepOpened { on, .. }
        | Event::FilesGranted { on, .. }
        | Event::IntegrationOpened { on, .. }
        | Event::RetryScheduled { on, .. }
        | Event::ValidationOpened { on, .. }
        | Event::ValidationSettled { on, .. }
        | Event::FixOpened { on, .. }
        | Event::SeatLost { on, .. }
        | Event::WentStale { on, .. }
        | Event::Noted { on, .. } => Some(on.clone()),
        Event::Escalated(escalation) => Some(escalation.on.clone()),
        Event::VoteOpened(vote) => Some(vote.on.clone()),
        Event::VoteSettled(vote) => Some(vote.on.clone()),
    }
}

/// Pauses end by the clock alone; this says whether one holds at `now`.
pub(super) fn holds(pause: Option<(Timestamp, Pause)>, now: Timestamp) -> bool {
    pause.is_some_and(|(until, _)| now < until)
}
