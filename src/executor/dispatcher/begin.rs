//! How a run begins: what must be on record before its first step.

use std::time::Duration;

use jiff::Timestamp;

use super::{Dispatcher, RunError};
use crate::executor::worker::Worked;
use crate::ids::{Step, Subject};
use crate::lifecycle::event::{Event, FORMAT, RunEnd, RunStarted};
use crate::lifecycle::reconcile;
use crate::lifecycle::subject::SubjectState;
use crate::plan::graph::Index;

/// How a run begins.
pub struct Start {
    /// The settings in force.
    pub run: RunStarted,
    /// Components to make anew.
    pub redo: Vec<Index>,
    /// The user's words for them.
    pub guidance: Option<String>,
    /// Things worth recording before the first step: a torn journal, strays that were ended.
    pub notes: Vec<String>,
    /// How often displays are asked to redraw; none where nothing is drawn.
    pub redraw: Option<Duration>,
}

impl Dispatcher {
    /// The records before the first step: the run itself, what a dead run left, and what no longer stands.
    pub(super) fn begin(&mut self, start: Start) -> Result<(), RunError> {
        let now = Timestamp::now();
        if self.journal.next_seq() == 0 {
            let spec = self.job.plan.spec.clone();
            let cco = env!("CARGO_PKG_VERSION").to_owned();
            self.apply(vec![Event::JournalOpened { format: FORMAT, cco, spec }], now)?;
        }
        let notes = start.notes.into_iter().map(|text| Event::Noted { on: Subject::Run, text });
        if self.state.ended() != Some(RunEnd::Done) {
            // A run that died, or met a full disk, may not have rendered what its agents said.
            let told = |&at: &Index| self.state.component(at).report.is_some();
            self.untold = (0..self.state.run_index()).filter(told).collect();
        }
        if self.state.granted().next().is_some() {
            self.job.owners().grant(self.state.granted());
        }
        let begun = std::iter::once(Event::RunStarted(Box::new(start.run))).chain(notes).collect();
        self.apply(begun, now)?;
        self.take_in_branch(now)?;
        let in_flight = self.state.in_flight();
        for (attempt, resumed) in &in_flight {
            let work = Worked::of(&self.state, attempt);
            let left = self.worker.settle_left(attempt.clone(), *resumed, work);
            self.settle(left)?;
        }
        let guidance = start.guidance.as_deref().map(|text| self.job.redactor.text(text));
        let redo = reconcile::redo(&self.state, &start.redo, guidance.as_deref());
        self.apply_unless_empty(redo, now)?;
        let stale = reconcile::stale(&self.state);
        self.apply_unless_empty(stale, now)
    }

    /// What the user did with the integration branch while no run lived, and worktrees that a dead run had done with.
    fn take_in_branch(&mut self, now: Timestamp) -> Result<(), RunError> {
        let Some(repository) = self.job.tree.repository() else { return Ok(()) };
        let tip = repository.tip()?;
        let known = self.state.branch_tip().unwrap_or_else(|| repository.base()).to_owned();
        if tip != known && !repository.is_ancestor(&known, &tip)? {
            return Err(RunError::Rewritten { branch: repository.branch().to_owned(), known });
        }
        let done = |on: &Subject| self.state.subject(on).is_some_and(SubjectState::is_complete);
        self.landed.extend(repository.subjects().into_iter().filter(done));
        if tip != known {
            // Of a landing that was in flight it is known in a moment that it is cco's own.
            let landing = self.state.in_flight().iter().any(|(attempt, _)| attempt.step == Step::Integrate);
            if !landing {
                self.apply(vec![Event::BranchAdopted { commit: tip.into() }], now)?;
            }
        }
        Ok(())
    }
}
