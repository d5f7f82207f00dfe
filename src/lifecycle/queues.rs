//! Ready queue, counts and levels, kept by the fold, so that what one turn costs does not depend on the number of
//! components. Every change of phase goes through `RunState::enter`, the one place that keeps them true.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::state::RunState;
use super::subject::{Phase, Slot, SubjectState};
use crate::plan::Schedule;
use crate::plan::graph::Index;

/// The place of a subject in queues: 0 is the run itself, then components by rank.
type Place = u32;

/// Who wants what, in the order in which slots are given.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Queues {
    /// Components that may start.
    pub ready: BTreeSet<Place>,
    /// Subjects with an agent step to be started.
    pub agents: BTreeSet<Place>,
    /// Subjects with a reviewer or voter to be started; they are among `agents` too.
    pub readers: BTreeSet<Place>,
    /// Subjects with a check to be started.
    pub checks: BTreeSet<Place>,
    /// Subjects with a step of cco's own to be done.
    pub own: BTreeSet<Place>,
    /// Subjects with anything wanted or running.
    pub active: BTreeSet<Place>,
}

/// Counts over all components, and of what is in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Complete components.
    pub complete: u32,
    /// Components given up.
    pub failed: u32,
    /// Components left out by the user.
    pub skipped: u32,
    /// Subjects that wait for an answer.
    pub asking: u32,
    /// Components blocked by another.
    pub blocked: u32,
    /// Agents that run.
    pub agents: u32,
    /// Agents that run and may write.
    pub writers: u32,
    /// Agents that run and only read.
    pub readers: u32,
    /// Checks that run.
    pub checks: u32,
    /// Steps of cco's own that are being done.
    pub own: u32,
}

/// How far the levels are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Levels {
    /// Components of each level that are not settled.
    pub open: Vec<u32>,
    /// The first level that is not done; components of higher levels wait where levels bind.
    pub current: u32,
    /// Levels below this one are validated.
    pub validated: u32,
}

impl RunState {
    pub(super) fn place_of(&self, at: Index) -> Place {
        if at == self.run_index() { 0 } else { self.plan().graph.rank(at) + 1 }
    }

    pub(super) fn index_of(&self, place: Place) -> Index {
        if place == 0 { self.run_index() } else { self.plan().graph.order()[place as usize - 1] }
    }

    /// Changes a subject's phase and keeps everything that depends on it true.
    pub(super) fn enter(&mut self, at: Index, phase: Phase) {
        if self.integrating == Some(at) && !phase.is_integrating() {
            self.integrating = None;
        }
        self.change(at, |subject| subject.phase = phase);
        self.advance_levels();
    }

    /// Applies a change to a subject and carries what follows to its dependents, as far as it reaches.
    fn change(&mut self, at: Index, change: impl FnOnce(&mut SubjectState)) {
        let plan = Arc::clone(self.plan());
        let mut changed = vec![self.recount(at, change)];
        while let Some((at, before, now)) = changed.pop() {
            if at == self.run_index() || (before.complete == now.complete && before.stuck == now.stuck) {
                continue;
            }
            for &above in plan.graph.dependents(at) {
                changed.push(self.recount(above, |subject| {
                    step(&mut subject.open_dependencies, !before.complete, !now.complete);
                    step(&mut subject.stuck_dependencies, before.stuck, now.stuck);
                }));
            }
        }
    }

    /// Applies a change to one subject and keeps counts and queues true; tells what it was and is.
    fn recount(&mut self, at: Index, change: impl FnOnce(&mut SubjectState)) -> (Index, Class, Class) {
        let before = self.class(at);
        self.count(at, before, false);
        change(self.at_mut(at));
        let now = self.class(at);
        self.count(at, now, true);
        self.queue(at);
        (at, before, now)
    }

    /// What the counters need to know of a subject.
    fn class(&self, at: Index) -> Class {
        let state = self.component_or_run(at);
        let component = at != self.run_index();
        let complete = state.is_complete();
        let stuck = state.is_stuck();
        let idle = component && matches!(state.phase, Phase::Waiting(_)) && !self.plan().selected(at);
        Class {
            complete,
            stuck,
            settled: complete || stuck || idle,
            asking: matches!(state.phase, Phase::Asking(_)),
            failed: matches!(state.phase, Phase::Failed),
            skipped: matches!(state.phase, Phase::Skipped),
            blocked: stuck && matches!(state.phase, Phase::Waiting(_)),
        }
    }

    /// Adds a subject's class to the counts, or takes it away.
    fn count(&mut self, at: Index, class: Class, add: bool) {
        step(&mut self.counts.asking, class.asking && !add, class.asking && add);
        if at == self.run_index() {
            return;
        }
        let counts = &mut self.counts;
        for (counter, holds) in [
            (&mut counts.complete, class.complete),
            (&mut counts.failed, class.failed),
            (&mut counts.skipped, class.skipped),
            (&mut counts.blocked, class.blocked),
        ] {
            step(counter, holds && !add, holds && add);
        }
        if self.plan().selected(at) {
            let level = self.plan().graph.level(at) as usize;
            let open = &mut self.levels.open[level];
            step(open, !class.settled && !add, !class.settled && add);
        }
    }

    /// Puts a subject into the queues that its state asks for.
    pub(super) fn queue(&mut self, at: Index) {
        let place = self.place_of(at);
        let Wants { agent, reader, check, own } = self.wants(at);
        let ready = self.may_start(at);
        let active = self.component_or_run(at).is_active();
        let queues = &mut self.queues;
        for (queue, member) in [
            (&mut queues.ready, ready),
            (&mut queues.agents, agent),
            (&mut queues.readers, reader),
            (&mut queues.checks, check),
            (&mut queues.own, own),
            (&mut queues.active, active),
        ] {
            if member {
                queue.insert(place);
            } else {
                queue.remove(&place);
            }
        }
    }

    fn wants(&self, at: Index) -> Wants {
        let phase = &self.component_or_run(at).phase;
        let wanted = phase.wanted(&|issue| self.is_waived(issue, at));
        let check = match phase {
            Phase::Validating(validation) => validation.checks.iter().any(|(_, slot)| matches!(slot, Slot::Wanted(_))),
            _ => false,
        };
        let own = phase.wanted_of_cco().is_some();
        Wants { agent: !wanted.is_empty(), reader: wanted.iter().any(|work| !work.step.writes()), check, own }
    }

    fn may_start(&self, at: Index) -> bool {
        if at == self.run_index() {
            return false;
        }
        let state = self.component_or_run(at);
        matches!(state.phase, Phase::Waiting(_))
            && state.open_dependencies == 0
            && self.plan().selected(at)
            && (self.plan().schedule != Schedule::Levels || self.plan().graph.level(at) <= self.levels.current)
    }

    /// Whether a level's own checks are due before the next level may start.
    pub(super) fn level_needs_validation(&self, level: u32) -> bool {
        self.plan().schedule == Schedule::Levels
            // A part of a level proves nothing of the level.
            && self.plan().only.is_none()
            && !self.plan().level_checks.is_empty()
            && level >= self.levels.validated
            && self.plan().graph.members(level).iter().any(|&at| self.component(at).is_complete())
    }

    /// Opens levels as long as the one below is done.
    pub(super) fn advance_levels(&mut self) {
        while self.levels.current < self.plan().graph.depth()
            && self.levels.open[self.levels.current as usize] == 0
            && !self.level_needs_validation(self.levels.current)
        {
            self.levels.current += 1;
            if self.plan().schedule == Schedule::Levels && self.levels.current < self.plan().graph.depth() {
                let plan = Arc::clone(self.plan());
                for &at in plan.graph.members(self.levels.current) {
                    self.queue(at);
                }
            }
        }
    }
}

/// What a subject wants to be started.
struct Wants {
    agent: bool,
    reader: bool,
    check: bool,
    own: bool,
}

/// What the counters need to know of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Class {
    complete: bool,
    stuck: bool,
    settled: bool,
    asking: bool,
    failed: bool,
    skipped: bool,
    blocked: bool,
}

/// Moves a counter when what it counts stops or starts to hold.
fn step(counter: &mut u32, before: bool, now: bool) {
    match (before, now) {
        (true, false) => *counter -= 1,
        (false, true) => *counter += 1,
        (true, true) | (false, false) => {}
    }
}
