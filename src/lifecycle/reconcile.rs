//! What no longer stands when a run begins: the plan of today against what the records say the work was made from.

use super::event::{Event, Redo, StaleReason};
use super::state::RunState;
use super::subject::Phase;
use crate::ids::Subject;
use crate::plan::Leg;
use crate::plan::graph::Index;

/// The events that bring the state in line with the plan, in manifest order. Nothing changed gives none.
///
/// A changed *input* asks for a revise step (or for everything, where nothing was written yet), changed *checks* for a
/// validation. Attempts in flight must have been settled before.
pub fn stale(state: &RunState) -> Vec<Event> {
    let components = (0..state.run_index()).filter_map(|at| {
        let (why, redo) = component(state, at)?;
        Some(Event::WentStale { on: state.name(at), why, redo, guidance: None })
    });
    components.chain(whole(state)).collect()
}

/// The events of `--redo`: the named components from their first step, with the user's words for their prompts.
pub fn redo(state: &RunState, asked: &[Index], guidance: Option<&str>) -> Vec<Event> {
    let event = |&at: &Index| Event::WentStale {
        on: state.name(at),
        why: StaleReason::Asked,
        redo: Redo::All,
        guidance: guidance.map(str::to_owned),
    };
    asked.iter().map(event).collect()
}

fn component(state: &RunState, at: Index) -> Option<(StaleReason, Redo)> {
    let plan = state.plan();
    let (subject, today) = (state.component(at), plan.component(at));
    let made_from = subject.input?;
    if made_from != today.input {
        return match subject.phase {
            Phase::Waiting(_) | Phase::Skipped => None,
            Phase::Working(_) | Phase::Asking(_) | Phase::Failed if subject.leg == 0 => {
                Some((StaleReason::Input, Redo::All))
            }
            Phase::Working(_) | Phase::Validating(_) | Phase::Asking(_) | Phase::Complete(_) | Phase::Failed => {
                Some((StaleReason::Input, Redo::Revise))
            }
        };
    }
    if let Phase::Validating(validation) = &subject.phase
        && validation.set != today.check_set
    {
        return Some((StaleReason::Checks, Redo::Validate));
    }
    let validates = plan.legs(at).contains(&Leg::Validate) && !today.checks.is_empty();
    let outdated = subject.is_complete() && subject.checks != Some(today.check_set);
    (validates && outdated).then_some((StaleReason::Checks, Redo::Validate))
}

fn whole(state: &RunState) -> Option<Event> {
    let run = state.run_work();
    let outdated = match &run.phase {
        Phase::Validating(validation) => validation.set != state.plan().run_checks,
        Phase::Waiting(_) => state.completed().is_some() && run.checks != Some(state.plan().run_checks),
        Phase::Working(_) | Phase::Asking(_) | Phase::Complete(_) | Phase::Failed | Phase::Skipped => false,
    };
    outdated.then_some(Event::WentStale {
        on: Subject::Run,
        why: StaleReason::Checks,
        redo: Redo::Validate,
        guidance: None,
    })
}
