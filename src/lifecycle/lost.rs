//! Records that were lost: what they told, and what cannot stand without them.

use std::collections::BTreeSet;

use super::apply::subject_of;
use super::event::{AttemptEnd, Event, Record, Redo, StaleReason};
use super::state::RunState;
use super::subject::{Cost, Phase};
use crate::ids::{AttemptId, ComponentId, Step, Subject};
use crate::plan::Leg;
use crate::plan::graph::Index;

/// What records told that can be read and not trusted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lost {
    /// Components that they called complete.
    pub completed: BTreeSet<ComponentId>,
    /// Agent steps that they said had ended, in their order.
    pub steps: Vec<AttemptId>,
    /// What those cost.
    pub cost: Cost,
    /// Questions that they said were answered.
    pub answers: BTreeSet<String>,
    /// Every subject that they spoke of.
    touched: BTreeSet<Subject>,
    /// Their numbers.
    seqs: BTreeSet<u64>,
}

impl Lost {
    /// Takes in what one record told.
    pub fn see(&mut self, record: &Record) {
        self.seqs.insert(record.seq);
        for event in &record.events {
            self.touched.extend(subject_of(event));
            if let Event::ComponentCompleted { on, .. } = event {
                self.completed.insert(on.clone());
            }
            if let Event::Answered(answer) = event {
                self.answers.insert(answer.id.clone());
            }
            if let Event::AttemptEnded { attempt, usage, .. } = event
                && attempt.step.by_agent()
            {
                self.steps.push(attempt.clone());
                self.cost.add(usage.as_deref());
            }
        }
    }

    /// Whether `on` may have been worked on in what stood behind the first `saved` records. Of work at least two records
    /// speak, its start and its end; so where no more than one cannot be read, what is named is all that there was.
    pub fn may_have_touched(&self, on: &Subject, saved: u64) -> bool {
        let count = self.seqs.last().map_or(0, |last| (last + 1).saturating_sub(saved));
        let gaps = count.saturating_sub(self.seqs.range(saved..).count() as u64);
        gaps > 1 || self.touched.contains(on)
    }
}

/// The events by which nothing passes on a tree that the lost records changed: what is complete or being validated, and
/// may have been worked on in them (`touched`), is validated again, and so is the whole. Checks in flight are called
/// off; agents in flight are left to the next run, which adopts their answers.
pub fn doubt(state: &RunState, touched: impl Fn(&Subject) -> bool) -> Vec<Event> {
    (0..=state.run_index()).filter(|&at| stands(state, at)).flat_map(|at| again(state, at, &touched)).collect()
}

/// Whether a validation of the subject says something, or has begun to.
fn stands(state: &RunState, at: Index) -> bool {
    let run = at == state.run_index();
    match (if run { state.run_work() } else { state.component(at) }).phase {
        Phase::Validating(_) | Phase::Voting(_) => true,
        Phase::Complete(_) => {
            let plan = state.plan();
            plan.legs(at).contains(&Leg::Validate) && (plan.reviewers > 0 || !plan.component(at).checks.is_empty())
        }
        Phase::Waiting(_) => run && state.completed().is_some(),
        Phase::Working(_) | Phase::Asking(_) | Phase::Failed | Phase::Skipped => false,
    }
}

fn again(state: &RunState, at: Index, touched: impl Fn(&Subject) -> bool) -> Vec<Event> {
    let on = state.name(at);
    if on != Subject::Run && !touched(&on) {
        return Vec::new();
    }
    let called_off = |(attempt, _): (AttemptId, bool)| {
        let ours = attempt.on == on && matches!(attempt.step, Step::Check(_));
        let end = AttemptEnd::Interrupted { resumable: false };
        ours.then_some(Event::AttemptEnded { attempt, end, ms: 0, usage: None })
    };
    let mut events: Vec<Event> = state.in_flight().into_iter().filter_map(called_off).collect();
    events.push(Event::WentStale { on, why: StaleReason::Asked, redo: Redo::Validate, guidance: None });
    events
}
