//! A state without records: what git tells of the work is taken for written and for nothing more. All of it is compared
//! and validated again before it is complete, and no agent is asked for it a second time.

use std::collections::{BTreeMap, BTreeSet};

use super::delivery::{Commits, Unseen};
use super::event::{AttemptEnd, FoundLanding, FoundTip, FoundWork, Rebuilt};
use super::state::RunState;
use super::subject::{Phase, SubjectState, Todo};
use crate::ids::{AttemptId, Digest, Step, Subject};
use crate::plan::graph::Index;
use crate::plan::{Leg, Plan};

/// What commits tell, read and not judged yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traces {
    /// The last commit of the branch that cco put there; where it began, before the first one.
    pub branch: String,
    /// What landed, in the order of the branch.
    pub landed: Vec<LandedTrace>,
    /// What is kept beside it.
    pub tips: Vec<TipTrace>,
}

/// A landing that is as cco made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandedTrace {
    /// The commit, with the attempt that brought it there.
    pub landing: FoundLanding,
    /// The digest of what the work was made from.
    pub input: Option<Digest>,
}

/// The last commits of a component's own history that the branch does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TipTrace {
    /// Whose they are.
    pub on: Subject,
    /// The first and the last one.
    pub tip: FoundTip,
    /// The attempts whose work they are.
    pub attempts: Vec<AttemptId>,
    /// The digest of what the work was made from.
    pub input: Option<Digest>,
}

/// What the next run goes on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The fact to be recorded.
    pub rebuilt: Rebuilt,
    /// What is not taken up, and why: it stays where it is.
    pub left: Vec<(Subject, &'static str)>,
}

/// What can be rebuilt of the state of a plan.
///
/// What the plan has no more is taken up too, so that it is reported as removed. What does not say from which definition
/// it was made is not: nobody could tell whether that was edited since.
pub fn outlook(plan: &Plan, traces: &Traces) -> Outlook {
    let mut by_subject: BTreeMap<Subject, FoundWork> = BTreeMap::new();
    let mut left = Vec::new();
    for LandedTrace { landing, input } in &traces.landed {
        let on = landing.attempt.on.clone();
        if input.is_none() && on != Subject::Run {
            left.push((on, NO_INPUT));
            continue;
        }
        let work = by_subject.entry(on.clone()).or_insert_with(|| nothing_of(on));
        work.input = *input;
        count(&mut work.attempts, &landing.attempt);
        work.landed.push(landing.clone());
    }
    for TipTrace { on, tip, attempts, input } in &traces.tips {
        if *on == Subject::Run {
            left.push((on.clone(), "what mends the whole is begun anew from the branch"));
            continue;
        }
        let Some(input) = input else {
            left.push((on.clone(), NO_INPUT));
            continue;
        };
        let work = by_subject.entry(on.clone()).or_insert_with(|| nothing_of(on.clone()));
        work.input = Some(*input);
        work.tip = Some(tip.clone());
        attempts.iter().for_each(|attempt| count(&mut work.attempts, attempt));
    }
    let place = |work: &FoundWork| match &work.on {
        Subject::Component(id) => plan.index(id).unwrap_or(u32::MAX - 1),
        Subject::Run => u32::MAX,
    };
    let mut work: Vec<FoundWork> = by_subject.into_values().collect();
    work.sort_by_key(place);
    Outlook { rebuilt: Rebuilt { branch: traces.branch.as_str().into(), work }, left }
}

const NO_INPUT: &str = "its commit does not say from which definition it was made";

fn nothing_of(on: Subject) -> FoundWork {
    FoundWork { on, input: None, attempts: Vec::new(), landed: Vec::new(), tip: None }
}

/// Keeps the last attempt of each step.
fn count(attempts: &mut Vec<AttemptId>, one: &AttemptId) {
    match attempts.iter_mut().find(|known| known.step == one.step) {
        Some(known) => known.n = known.n.max(one.n),
        None => attempts.push(one.clone()),
    }
}

impl RunState {
    /// Takes up what git tells.
    pub(super) fn rebuild(&mut self, rebuilt: &Rebuilt) {
        self.branch = Some(rebuilt.branch.clone());
        for work in &rebuilt.work {
            let Some(at) = self.locate(&work.on) else {
                self.note_removed(&work.on);
                continue;
            };
            let run = self.run_index();
            let subject = self.at_mut(at);
            subject.attempts = work.attempts.iter().map(|attempt| (attempt.step.clone(), attempt.n)).collect();
            if at == run {
                continue;
            }
            subject.input = work.input;
            subject.commits = work.tip.as_ref().map(commits);
            let unfinished = work.tip.as_ref().is_some_and(|tip| tip.implemented.is_none());
            if work.landed.is_empty() && (unfinished || work.tip.is_none()) {
                // A skeleton is where the work begins.
                continue;
            }
            let (landed, wanting) = (work.landed.clone(), Vec::new());
            subject.unseen = Some(Box::new(Unseen { landed, wanting, beyond: work.tip.is_some() }));
            if unfinished && work.attempts.iter().any(|attempt| attempt.step == Step::Skeleton) {
                // It was begun anew after it had landed, and what it began is not written yet.
                continue;
            }
            self.go_to_validation(at);
            self.enter(at, Phase::Waiting(Todo::Validate));
        }
    }
}

fn commits(tip: &FoundTip) -> Box<Commits> {
    let FoundTip { first, last, implemented } = tip.clone();
    Box::new(Commits { implemented, first, last })
}

impl SubjectState {
    /// A change check of what was found without its records ended: what it found comes to what was found before.
    pub(super) fn see_unseen(&mut self, end: &AttemptEnd) {
        let AttemptEnd::Compared { findings, .. } = end else { return };
        let Some(unseen) = &mut self.unseen else {
            self.findings.clone_from(findings);
            return;
        };
        let known: BTreeSet<Digest> = self.findings.iter().map(|issue| issue.fingerprint).collect();
        self.findings.extend(findings.iter().filter(|issue| !known.contains(&issue.fingerprint)).cloned());
        if unseen.landed.is_empty() {
            unseen.beyond = false;
        } else {
            let seen = unseen.landed.remove(0);
            unseen.wanting.extend((!findings.is_empty()).then_some(seen));
        }
        if unseen.landed.is_empty() && unseen.wanting.is_empty() && !unseen.beyond {
            self.unseen = None;
        }
    }

    /// Somebody worked on it: what was found wanting may be mended, and what was not compared yet is judged with the rest.
    pub(super) fn look_again(&mut self) {
        if let Some(unseen) = &mut self.unseen {
            unseen.landed.append(&mut unseen.wanting);
            unseen.beyond = false;
        }
    }

    /// The user may have changed anything of it: all that was found without its records is compared once more, with what
    /// the branch does not hold.
    pub(super) fn look_at_all(&mut self) {
        if self.unseen.is_some() {
            self.look_again();
            self.findings.clear();
        }
        if let Some(unseen) = &mut self.unseen {
            unseen.beyond = true;
        }
    }

    /// Whether work of it is to be compared before it is validated.
    pub(super) fn is_unseen(&self) -> bool {
        self.unseen.as_ref().is_some_and(|unseen| !unseen.landed.is_empty() || unseen.beyond)
    }
}

impl RunState {
    /// Whether a step of a component's way is still to be written: what it has is not the whole work.
    pub(super) fn is_writing_due(&self, at: Index) -> bool {
        let legs = self.plan().legs(at);
        legs.iter().skip(usize::from(self.component(at).leg)).any(|leg| matches!(leg, Leg::Step(_)))
    }
}

/// Whether a step leaves an implementation behind it.
pub fn implements(step: &Step) -> bool {
    match step {
        Step::Implement | Step::Revise | Step::Fix | Step::Resolve => true,
        Step::Skeleton
        | Step::Review(_)
        | Step::Vote { .. }
        | Step::Check(_)
        | Step::Compare
        | Step::Integrate
        | Step::Readiness
        | Step::Draft => false,
    }
}
