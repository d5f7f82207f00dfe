//! What the records tell of a run beside its state: which checks ran last on what, and what the user waived.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{Step, Subject};
use crate::lifecycle::event::{
    Answer, AttemptEnd, Author, CheckResult, Escalation, Event, Issue, Record, Redo, Scope, Verb, Verdict,
};

/// Gathered record by record.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// What the last validation of each subject ran.
    pub(super) validations: BTreeMap<Subject, Ran>,
    /// What the user took as it is.
    pub(super) waivers: Vec<Waiver>,
    /// How many agent calls were made.
    pub(super) calls: u32,
    questions: BTreeMap<String, Escalation>,
}

/// What one validation ran.
#[derive(Debug, Default)]
pub(super) struct Ran {
    /// Commands by name, with what they came to last, and the tree that it was.
    pub(super) checks: BTreeMap<Arc<str>, (Verdict, Option<String>)>,
    /// Reviewers that answered.
    pub(super) reviewers: BTreeSet<u8>,
}

/// An answer by which the user took something as it is.
#[derive(Debug)]
pub(super) struct Waiver {
    pub(super) on: Subject,
    pub(super) by: String,
    /// The user's words.
    pub(super) why: Option<String>,
    pub(super) question: String,
    pub(super) issues: Vec<Issue>,
}

impl Account {
    /// Takes in a record.
    pub(super) fn see(&mut self, record: &Record) {
        for event in &record.events {
            match event {
                Event::ValidationOpened { on, change_only: false, scope, merged, .. } if *scope != Scope::Baseline => {
                    let before = self.validations.remove(on).unwrap_or_default();
                    // After a merge without conflict only the commands are heard again: what reviewers said holds.
                    let reviewers = if *merged { before.reviewers } else { Default::default() };
                    self.validations.insert(on.clone(), Ran { reviewers, ..Ran::default() });
                }
                Event::AttemptStarted { attempt, .. } => self.calls += u32::from(attempt.step.by_agent()),
                Event::AttemptEnded { attempt, end, .. } => self.ended(&attempt.on, &attempt.step, end),
                Event::Escalated(question) => {
                    self.questions.insert(question.id.clone(), (**question).clone());
                }
                Event::Answered(answer) if answer.verb == Verb::Accept => self.accepted(answer, &record.by),
                Event::WentStale { on, redo: Redo::All, .. } => self.waivers.retain(|waiver| waiver.on != *on),
                _ => {}
            }
        }
    }

    fn ended(&mut self, on: &Subject, step: &Step, end: &AttemptEnd) {
        let Some(ran) = self.validations.get_mut(on) else { return };
        match (step, end) {
            (_, AttemptEnd::Checked(result)) => {
                let CheckResult { check, verdict, evidence, .. } = &**result;
                ran.checks.insert(check.clone(), (*verdict, evidence.tree.clone()));
            }
            (Step::Review(reviewer), AttemptEnd::Reviewed { .. }) => {
                ran.reviewers.insert(*reviewer);
            }
            _ => {}
        }
    }

    fn accepted(&mut self, answer: &Answer, by: &Author) {
        let Some(question) = self.questions.remove(&answer.id) else { return };
        let named = |issue: &Issue| answer.issues.is_empty() || answer.issues.contains(&issue.fingerprint);
        self.waivers.push(Waiver {
            on: question.on,
            by: match by {
                Author::User(name) => name.to_string(),
                Author::Cco => "cco".to_owned(),
            },
            why: answer.guidance.clone(),
            question: question.question,
            issues: question.issues.into_iter().filter(named).collect(),
        });
    }
}
