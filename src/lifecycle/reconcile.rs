//! What no longer stands when a run begins: the plan of today against what the records say the work was made from.

use std::collections::BTreeMap;

use super::event::{Event, Redo, StaleReason};
use super::state::RunState;
use super::subject::{Phase, Todo, Validation};
use crate::ids::{Digest, Step, Subject};
use crate::plan::Leg;
use crate::plan::graph::Index;

/// The events that bring the state in line with the plan, in manifest order. Nothing changed gives none.
///
/// A changed *input* asks for a revise step (or for everything, where nothing was written yet), changed *checks* for a
/// validation. Attempts in flight must have been settled before.
pub fn stale(state: &RunState) -> Vec<Event> {
    let own: BTreeMap<Index, _> =
        (0..state.run_index()).filter_map(|at| component(state, at).map(|found| (at, found))).collect();
    let held = state.active().filter_map(|(on, _)| {
        let at = state.locate(&on).filter(|at| *at != state.run_index() && !own.contains_key(at))?;
        held(state, at, &own).map(|found| (at, found))
    });
    let mut all: Vec<(Index, (StaleReason, Redo))> = held.collect();
    all.extend(own.iter().map(|(&at, found)| (at, found.clone())));
    all.sort_by_key(|(at, _)| *at);
    let event = |(at, (why, redo))| Event::WentStale { on: state.name(at), why, redo, guidance: None };
    all.into_iter().map(event).chain(whole(state)).collect()
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
    if subject.phase == Phase::Waiting(Todo::Validate) && subject.unseen.is_some() && made_from != today.input {
        return Some((StaleReason::Input, Redo::Revise));
    }
    if matches!(subject.phase, Phase::Waiting(_) | Phase::Skipped) {
        return None;
    }
    if made_from != today.input {
        return Some((StaleReason::Input, if is_implemented(state, at) { Redo::Revise } else { Redo::All }));
    }
    if let Phase::Validating(validation) = &subject.phase
        && is_outdated(state, validation, today.check_set)
    {
        return Some((StaleReason::Checks, Redo::Validate));
    }
    let judged = !today.checks.is_empty() || plan.reviewers > 0;
    let validates = plan.legs(at).contains(&Leg::Validate) && judged;
    let outdated = subject.is_complete() && subject.checks != Some(today.check_set);
    (validates && outdated).then_some((StaleReason::Checks, Redo::Validate))
}

/// What was begun before a dependency was added, or whose dependency is about to be done again, waits for it.
fn held(state: &RunState, at: Index, stale: &BTreeMap<Index, (StaleReason, Redo)>) -> Option<(StaleReason, Redo)> {
    let plan = state.plan();
    let open = |below: &&Index| !state.component(**below).is_complete() || stale.contains_key(below);
    let below = plan.graph.dependencies(at).iter().find(open)?;
    let redo = match (matches!(state.component(at).phase, Phase::Validating(_)), is_implemented(state, at)) {
        (true, _) => Redo::Validate,
        (false, true) => Redo::Revise,
        (false, false) => Redo::All,
    };
    Some((StaleReason::Dependency(plan.component(*below).id.clone()), redo))
}

/// Whether an open validation would go on with other commands than today's.
fn is_outdated(state: &RunState, validation: &Validation, today: Digest) -> bool {
    validation.set != today || validation.checks.iter().any(|(name, _)| state.plan().check_named(name).is_none())
}

/// Whether the implementation is behind it, by today's mode: there is something to revise.
fn is_implemented(state: &RunState, at: Index) -> bool {
    let implement = state.plan().legs(at).iter().position(|leg| *leg == Leg::Step(Step::Implement));
    implement.is_some_and(|implement| usize::from(state.component(at).leg) > implement)
}

fn whole(state: &RunState) -> Option<Event> {
    let run = state.run_work();
    let outdated = match &run.phase {
        Phase::Validating(validation) => {
            is_outdated(state, validation, state.check_set(state.run_index(), validation.scope))
        }
        Phase::Waiting(_) => {
            let other = run.checks != Some(state.plan().run_checks);
            let reviewed = state.reviewers_of_whole.is_some_and(|reviewers| reviewers != state.plan().reviewers);
            state.completed().is_some() && (other || reviewed)
        }
        Phase::Working(_)
        | Phase::Voting(_)
        | Phase::Asking(_)
        | Phase::Complete(_)
        | Phase::Failed
        | Phase::Skipped => false,
    };
    outdated.then_some(Event::WentStale {
        on: Subject::Run,
        why: StaleReason::Checks,
        redo: Redo::Validate,
        guidance: None,
    })
}
