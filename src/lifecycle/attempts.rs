//! Attempts in the fold: where they start, what they cost, and what their end leaves behind.

use super::apply::leg_after;
use super::delivery::{Commits, Met};
use super::event::{AttemptEnd, Event, Integration, Issue, RunEnd, Trouble, Usage, Verdict};
use super::patience::Toll;
use super::report::{Claim, Severity, WriterReport};
use super::sameness;
use super::state::{Halt, Illegal, RunState};
use super::subject::{Phase, Review, Running, Slot, SubjectState, Voter, Why, Work};
use crate::ids::{AttemptId, Digest, Step, Subject};
use crate::plan::graph::Index;

impl RunState {
    pub(super) fn start_attempt(
        &mut self,
        event: &Event,
        attempt: &AttemptId,
        running: Running,
    ) -> Result<(), Illegal> {
        let index = self.index(event, &attempt.on)?;
        let subject = self.at_mut(index);
        if attempt.n != subject.next_attempt(&attempt.step) {
            return Err(Self::illegal(event, "its number is not the next one"));
        }
        match subject.attempts.iter_mut().find(|(step, _)| *step == attempt.step) {
            Some((_, n)) => *n = attempt.n,
            None => {
                // Most have one or two, and there can be thousands of subjects.
                subject.attempts.reserve_exact(1);
                subject.attempts.push((attempt.step.clone(), attempt.n));
            }
        }
        if let Step::Check(name) = &attempt.step {
            let slot = check_slot(&mut subject.phase, name).filter(|slot| matches!(slot, Slot::Wanted(_)));
            let Some(slot) = slot else { return Err(Self::illegal(event, "that check is not wanted")) };
            if let Slot::Wanted(tries) = *slot {
                *slot = Slot::Running(tries, running);
            }
            self.counts.checks += 1;
        } else {
            let work = subject.phase.work_of_mut(&attempt.step).filter(|work| work.running.is_none());
            let Some(work) = work else { return Err(Self::illegal(event, "that step is not wanted")) };
            work.running = Some(running);
            work.not_before = None;
            if attempt.step.by_cco() {
                self.counts.own += 1;
            } else {
                self.counts.agents += 1;
                *(if attempt.step.writes() { &mut self.counts.writers } else { &mut self.counts.readers }) += 1;
            }
        }
        if attempt.step == Step::Integrate {
            self.integrating = Some(index);
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
    pub(super) fn keep_of_removed(&mut self, event: &Event) {
        if let Event::AttemptEnded { attempt, end, usage, .. } = event {
            self.pay(attempt, end, usage.as_deref());
        }
        if let Event::Escalated(escalation) = event {
            self.asked += 1;
            self.questions.insert(escalation.id.clone(), (**escalation).clone());
        }
    }

    pub(super) fn end_attempt(
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
        if let Step::Check(name) = &attempt.step {
            let slot = check_slot(&mut self.at_mut(index).phase, name).filter(|slot| matches!(slot, Slot::Running(..)));
            let Some(slot) = slot else { return Err(Self::illegal(event, "that check does not run")) };
            end_check(slot, &attempt.step, end);
            self.counts.checks -= 1;
        } else {
            self.end_agent(event, index, attempt, end)?;
        }
        self.queue(index);
        Ok(())
    }

    fn end_agent(&mut self, event: &Event, index: Index, attempt: &AttemptId, end: &AttemptEnd) -> Result<(), Illegal> {
        let next_leg = leg_after(self.plan(), index, &attempt.step);
        let implemented = self.is_implemented(index);
        let subject = self.at_mut(index);
        let running = |work: &Work| work.running.as_ref().is_some_and(|running| running.n == attempt.n);
        let Some(work) = subject.phase.work_of_mut(&attempt.step).filter(|work| running(work)) else {
            return Err(Self::illegal(event, "that attempt does not run"));
        };
        let session = work.running.take().and_then(|running| running.session);
        retry_from(work, end, session);
        match end {
            AttemptEnd::Wrote { .. } => wrote(subject, &attempt.step, end, next_leg, implemented),
            AttemptEnd::Compared { commit, product, .. } => {
                subject.product = *product;
                subject.see_unseen(end);
                if let Some(commit) = commit {
                    note_commit(subject, commit, implemented);
                }
            }
            AttemptEnd::Integrated(step) => integrated(subject, step, implemented),
            AttemptEnd::Reviewed { issues, .. } => reviewed(subject, &attempt.step, issues),
            AttemptEnd::Voted { ballot } => {
                if let Some(voter) = voter_of(subject, &attempt.step) {
                    voter.settled = Some(Some((**ballot).clone()));
                }
            }
            AttemptEnd::Checked(_) | AttemptEnd::Failed { .. } | AttemptEnd::Interrupted { .. } => {}
        }
        if attempt.step.by_cco() {
            self.counts.own -= 1;
        } else {
            self.counts.agents -= 1;
            *(if attempt.step.writes() { &mut self.counts.writers } else { &mut self.counts.readers }) -= 1;
        }
        match end {
            AttemptEnd::Integrated(step) => self.note_branch(index, step),
            // Where all shared one worktree, what was written was on the branch.
            AttemptEnd::Wrote { commit: Some(commit), .. } if self.is_on_the_branch() => {
                self.branch = Some(commit.clone());
            }
            _ => {}
        }
        if matches!(end, AttemptEnd::Wrote { .. } | AttemptEnd::Reviewed { .. } | AttemptEnd::Voted { .. }) {
            self.limited = 0;
        }
        Ok(())
    }

    /// A reviewer or voter is given up: what it would have said is not known.
    pub(super) fn lose_seat(&mut self, event: &Event, on: &Subject, step: &Step, why: &str) -> Result<(), Illegal> {
        let index = self.index(event, on)?;
        let subject = self.at_mut(index);
        if let Some(voter) = voter_of(subject, step) {
            voter.settled = Some(None);
        } else if let Some(review) = review_of(subject, step) {
            review.settled = Some((Verdict::Unavailable, vec![lost_issue(on, step, why)]));
        } else {
            return Err(Self::illegal(event, "it is not asked for anything"));
        }
        self.queue(index);
        Ok(())
    }

    /// Trouble that no retry can mend stops the run.
    fn halt_on(&mut self, class: Trouble, message: &str) {
        let halt = |end| Some(Halt { end, class: Some(class), why: message.to_owned() });
        match class {
            Trouble::UsageLimit { .. } if self.plan().policy.no_wait => self.halt = halt(RunEnd::UsageLimit),
            class if class.stops_the_run() => self.halt = halt(RunEnd::Environment),
            _ => {}
        }
    }
}

fn check_slot<'a>(phase: &'a mut Phase, name: &str) -> Option<&'a mut Slot> {
    let Phase::Validating(validation) = phase else { return None };
    validation.checks.iter_mut().find(|(check, _)| **check == *name).map(|(_, slot)| slot)
}

fn voter_of<'a>(subject: &'a mut SubjectState, step: &Step) -> Option<&'a mut Voter> {
    let Phase::Voting(poll) = &mut subject.phase else { return None };
    poll.voters.iter_mut().find(|voter| voter.work.step == *step)
}

fn review_of<'a>(subject: &'a mut SubjectState, step: &Step) -> Option<&'a mut Review> {
    let Phase::Validating(validation) = &mut subject.phase else { return None };
    validation.reviews.iter_mut().find(|review| review.work.step == *step)
}

/// A step of the way onto the integration branch is done.
fn integrated(subject: &mut SubjectState, step: &Integration, implemented: bool) {
    match step {
        Integration::Landed { product, .. } => {
            subject.product = product.or(subject.product);
            // It is the branch's from here on.
            subject.commits = None;
            subject.delivery = None;
        }
        Integration::CaughtUp { commit } => note_commit(subject, commit, implemented),
        Integration::Conflicts { commit, files } => {
            note_commit(subject, commit, implemented);
            if let Some(delivery) = &mut subject.delivery {
                delivery.conflicts.clone_from(files);
                delivery.met.push(Met { commit: commit.clone(), files: files.clone() });
            }
        }
    }
}

/// A writer's work is in the tree: what it said, and where it is.
fn wrote(subject: &mut SubjectState, step: &Step, end: &AttemptEnd, next_leg: Option<u8>, implemented: bool) {
    let AttemptEnd::Wrote { report, commit, product, findings, .. } = end else { return };
    subject.product = *product;
    subject.look_again();
    subject.report = says_something(report).then(|| report.clone());
    subject.findings.clone_from(findings);
    if let Some(commit) = commit {
        note_commit(subject, commit, implemented || *step == Step::Implement);
    }
    if matches!(report.status, Claim::Done | Claim::NothingToDo)
        && let Some(next) = next_leg
    {
        subject.leg = next;
    }
    // What was decided for this step is not meant for the next.
    if let (Step::Implement, Some(fixing)) = (step, &mut subject.fixing) {
        fixing.advice.clear();
    }
    if *step == Step::Resolve
        && matches!(report.status, Claim::Done | Claim::NothingToDo)
        && let Some(delivery) = &mut subject.delivery
    {
        delivery.conflicts.clear();
    }
    if *step == Step::Fix {
        let fixing = subject.fixing.get_or_insert_default();
        fixing.tried.push(report.summary.clone());
        fixing.disputes.clone_from(&report.disputes);
    }
    // Who was to follow it has done so.
    if let Some(fixing) = &mut subject.fixing {
        fixing.advice.clear();
    }
}

fn note_commit(subject: &mut SubjectState, commit: &str, implements: bool) {
    let new = || Commits { implemented: None, first: commit.into(), last: commit.into() };
    let commits = subject.commits.get_or_insert_with(|| Box::new(new()));
    commits.last = commit.into();
    if implements {
        commits.implemented.get_or_insert_with(|| commit.into());
    }
}

fn reviewed(subject: &mut SubjectState, step: &Step, issues: &[Issue]) {
    let strict = matches!(&subject.phase, Phase::Validating(validation) if validation.strict);
    let Some(review) = review_of(subject, step) else { return };
    let blocked = issues.iter().any(|issue| strict || issue.severity.blocks());
    let verdict = if blocked { Verdict::Fail } else { Verdict::Pass };
    review.settled = Some((verdict, issues.to_vec()));
}

/// What stands where a reviewer's findings would.
fn lost_issue(on: &Subject, step: &Step, why: &str) -> Issue {
    // Who does without a reviewer of a component has not said that the whole may do without it.
    let parts = [on.to_string(), step.to_string(), "could not be asked".to_owned()];
    Issue {
        severity: Severity::Major,
        source: step.to_string(),
        file: None,
        line: None,
        text: why.to_owned(),
        suggested_fix: None,
        fingerprint: Digest::of_parts(&parts.each_ref().map(|part| part.as_bytes())),
    }
}

/// What the next try of a step starts from.
fn retry_from(work: &mut Work, end: &AttemptEnd, session: Option<Box<str>>) {
    let (resumable, why) = match end {
        // If it gets them it goes on where it is; if it does not, a person's answer begins anew.
        AttemptEnd::Wrote { report, .. } if report.status == Claim::NeedsFiles => (true, Why::Granted),
        AttemptEnd::Wrote { .. }
        | AttemptEnd::Reviewed { .. }
        | AttemptEnd::Voted { .. }
        | AttemptEnd::Checked(_)
        | AttemptEnd::Compared { .. }
        | AttemptEnd::Integrated(_) => return,
        AttemptEnd::Interrupted { resumable } => {
            work.cut_off |= !resumable;
            (*resumable, Why::Interrupted)
        }
        AttemptEnd::Failed { class, resumable, .. } => {
            match class.toll() {
                Toll::Transient => work.transient += 1,
                Toll::Lost => work.lost += 1,
                Toll::Nothing => work.cut_off |= *class == Trouble::ConversationLost,
            }
            (*resumable && !class.begins_anew(), Why::after(*class))
        }
    };
    work.resume = session.filter(|_| resumable).map(|session| (session, why));
}

fn end_check(slot: &mut Slot, step: &Step, end: &AttemptEnd) {
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
        AttemptEnd::Failed { class, message, .. } if !class.stops_the_run() => {
            tries.unavailable += 1;
            let again = tries.unavailable == 1;
            let issue = || vec![sameness::unavailable(&step.to_string(), message)];
            if again { Slot::Wanted(tries) } else { Slot::Settled(Verdict::Unavailable, issue()) }
        }
        AttemptEnd::Interrupted { .. }
        | AttemptEnd::Failed { .. }
        | AttemptEnd::Wrote { .. }
        | AttemptEnd::Reviewed { .. }
        | AttemptEnd::Voted { .. }
        | AttemptEnd::Compared { .. }
        | AttemptEnd::Integrated(_) => Slot::Wanted(tries),
    };
}

fn says_something(report: &WriterReport) -> bool {
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
