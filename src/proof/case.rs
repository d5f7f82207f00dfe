//! One validation as the records tell it: what it was to run and to ask, and what each of that came to.

use std::sync::Arc;

use crate::ids::{AttemptId, Step};
use crate::lifecycle::event::{Change, CheckResult, Evidence, Issue, Scope, Verdict};

/// One validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The record that opened it.
    pub record: u64,
    /// How far it reaches.
    pub scope: Scope,
    /// Which round.
    pub round: u32,
    /// Whether it judges the last change alone.
    pub change_only: bool,
    /// Whether it judges what was merged on the way onto the branch.
    pub merged: bool,
    /// Whether small remarks block too.
    pub strict: bool,
    /// What the change checks had found.
    pub findings: Vec<Issue>,
    /// Its commands, and what each came to last.
    pub checks: Vec<(Arc<str>, Option<Ran>)>,
    /// Its reviewers, and what each came to last.
    pub reviews: Vec<(u8, Option<Seat>)>,
    /// What was written down of it.
    pub verdict: Option<Verdict>,
}

/// A command that ran to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Ran {
    /// The attempt.
    pub attempt: AttemptId,
    /// The record of its end.
    pub record: u64,
    /// What cco made of it.
    pub verdict: Verdict,
    /// What proves that.
    pub evidence: Evidence,
    /// What it found.
    pub issues: Vec<Issue>,
}

/// What a reviewer came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Seat {
    /// It answered.
    Reviewed {
        /// The attempt.
        attempt: AttemptId,
        /// The record of its end.
        record: u64,
        /// What it found.
        issues: Vec<Issue>,
        /// The change that it saw.
        change: Option<Change>,
    },
    /// It is not asked again.
    Lost {
        /// The record that says so.
        record: u64,
        /// Why.
        why: String,
    },
}

impl Case {
    /// Takes in how a command ended.
    pub(super) fn ran(&mut self, attempt: &AttemptId, record: u64, result: &CheckResult) {
        let Some((_, slot)) = self.checks.iter_mut().find(|(name, _)| *name == result.check) else { return };
        *slot = Some(Ran {
            attempt: attempt.clone(),
            record,
            verdict: result.verdict,
            evidence: result.evidence.clone(),
            issues: result.issues.clone(),
        });
    }

    /// Takes in what a reviewer came to.
    pub(super) fn sat(&mut self, step: &Step, seat: Seat) {
        let Step::Review(number) = step else { return };
        if let Some((_, slot)) = self.reviews.iter_mut().find(|(reviewer, _)| reviewer == number) {
            *slot = Some(seat);
        }
    }

    /// The command of a name, if it ran.
    pub fn check(&self, name: &str) -> Option<&Ran> {
        self.checks.iter().find(|(check, _)| **check == *name)?.1.as_ref()
    }

    /// A reviewer, if it was asked and came to anything.
    pub fn review(&self, number: u8) -> Option<&Seat> {
        self.reviews.iter().find(|(reviewer, _)| *reviewer == number)?.1.as_ref()
    }

    /// What keeps it from having passed: each command and reviewer that a PASS claims and that did not come to one, with
    /// what is not taken as it is (`waived`, and for what was never said `excused`).
    pub(super) fn unsupported(
        &self,
        waived: &dyn Fn(&Issue) -> bool,
        excused: &dyn Fn(&str) -> bool,
    ) -> Vec<(String, String)> {
        let mut gaps = Vec::new();
        for issue in self.findings.iter().filter(|issue| !waived(issue)) {
            gaps.push(("change".to_owned(), format!("{} is open: {}", issue.source, first_line(&issue.text))));
        }
        for (name, ran) in &self.checks {
            let what = format!("check:{name}");
            match ran {
                None => gaps.push((what, "it is claimed to have passed, and no run of it is on record".to_owned())),
                Some(ran) if !ran.holds(waived) => {
                    gaps.push((
                        what,
                        format!("it is claimed to have passed, and record {} says otherwise", ran.record),
                    ));
                }
                Some(_) => {}
            }
        }
        for (number, seat) in &self.reviews {
            let what = Step::Review(*number).to_string();
            match seat {
                None => gaps.push((what, "it is claimed to have passed, and no answer of it is on record".to_owned())),
                Some(Seat::Lost { record, .. }) if !excused(&what) => {
                    gaps.push((what, format!("it is claimed to have passed, and it was given up in record {record}")));
                }
                Some(Seat::Reviewed { issues, record, .. })
                    if issues.iter().any(|issue| self.blocks(issue, waived)) =>
                {
                    gaps.push((what, format!("it is claimed to have passed, and record {record} says otherwise")));
                }
                Some(_) => {}
            }
        }
        gaps
    }

    fn blocks(&self, issue: &Issue, waived: &dyn Fn(&Issue) -> bool) -> bool {
        !waived(issue) && (self.strict || issue.severity.blocks())
    }
}

impl Ran {
    /// Whether it passed, or all that it found is taken as it is.
    pub(super) fn holds(&self, waived: &dyn Fn(&Issue) -> bool) -> bool {
        self.verdict == Verdict::Pass || (!self.issues.is_empty() && self.issues.iter().all(waived))
    }
}

pub(super) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
