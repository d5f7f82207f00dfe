//! The way onto the integration branch: one subject at a time catches up with what others finished, is checked again
//! where that changed anything, and lands.

use super::delivery::Delivery;
use super::event::{Event, Integration, Proof, Scope, TreeInfo};
use super::settle::Settlement;
use super::state::{Illegal, RunState};
use super::subject::{Phase, Todo, Work};
use crate::ids::Step;
use crate::plan::graph::Index;
use crate::plan::{Leg, Schedule};

impl Settlement<'_> {
    /// What is done goes onto the integration branch; in a common tree it is where it belongs already.
    pub(super) fn deliver(&mut self, at: Index, proof: Proof) -> Result<(), Illegal> {
        if self.state.plan().one_tree {
            return self.complete_as(at, proof);
        }
        self.open_integration(at, proof, Scope::Component)
    }

    /// What mended the whole lands before anything is built on it; tells whether there was anything.
    pub(super) fn deliver_whole(&mut self, scope: Scope) -> Result<bool, Illegal> {
        let run = self.state.run_work();
        if self.state.plan().one_tree || run.commits.is_none() {
            return Ok(false);
        }
        self.open_integration(self.state.run_index(), Proof::Proven, scope)?;
        Ok(true)
    }

    fn open_integration(&mut self, at: Index, proof: Proof, scope: Scope) -> Result<(), Illegal> {
        let on = self.state.name(at);
        self.emit(Event::IntegrationOpened { on, proof, scope })
    }

    /// After a step of that way. `delivery` is what was on its way.
    pub(super) fn after_integration(&mut self, at: Index, step: Arrived, delivery: &Delivery) -> Result<(), Illegal> {
        let run = at == self.state.run_index();
        match (step, delivery.scope) {
            (Arrived::Landed, Scope::Final) => self.conclude_whole(),
            (Arrived::Landed, Scope::Level(_) | Scope::Baseline) => Ok(()),
            (Arrived::Landed, Scope::Component) => self.complete_as(at, delivery.proof),
            // The whole that was judged is another one now.
            (Arrived::CaughtUp, scope) if run => self.open_validation(at, scope),
            (Arrived::CaughtUp, _) if self.state.is_checked_when_merged(at) => self.open_merged_validation(at),
            (Arrived::CaughtUp, scope) => self.open_integration(at, delivery.proof, scope),
            (Arrived::Conflicts, _) => {
                let on = self.state.name(at);
                self.emit(Event::StepOpened { on, step: Step::Resolve })
            }
        }
    }

    /// The commands once more, on the work as it is together with that of others.
    fn open_merged_validation(&mut self, at: Index) -> Result<(), Illegal> {
        let on = self.state.name(at);
        let round = self.state.component(at).rounds + 1;
        let (scope, set) = (Scope::Component, self.state.check_set(at, Scope::Component));
        let (checks, reviewers) = (self.commands(at, scope), Vec::new());
        let (change_only, merged, strict) = (false, true, false);
        self.emit(Event::ValidationOpened { on, scope, round, checks, reviewers, change_only, merged, strict, set })?;
        self.conclude_if_settled(at)
    }

    /// What was merged holds: it goes on to land.
    pub(super) fn after_merged_pass(&mut self, at: Index) -> Result<(), Illegal> {
        let before = self.state.component(at).delivery.as_ref().map(|delivery| delivery.proof);
        let proof = match (before, self.proof_of(at)) {
            (Some(Proof::Waived), _) | (_, Proof::Waived) => Proof::Waived,
            (Some(before), _) => before,
            (None, now) => now,
        };
        self.open_integration(at, proof, Scope::Component)
    }
}

/// How far a step of the way came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    Landed,
    CaughtUp,
    Conflicts,
}

impl From<&Integration> for Arrived {
    fn from(step: &Integration) -> Self {
        match step {
            Integration::Landed { .. } => Self::Landed,
            Integration::CaughtUp { .. } => Self::CaughtUp,
            Integration::Conflicts { .. } => Self::Conflicts,
        }
    }
}

impl RunState {
    /// The last commit that landed on the integration branch; none before the first one.
    pub fn branch_tip(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// Whether the run under way is one in which all worked on the branch itself.
    pub(super) fn is_on_the_branch(&self) -> bool {
        self.run.as_ref().is_some_and(|run| matches!(run.tree, TreeInfo::Worktree { .. }))
    }

    /// Takes in that something is to be brought onto the branch.
    pub(super) fn open_delivery(&mut self, at: Index, proof: Proof, scope: Scope) {
        let subject = self.at_mut(at);
        // What was resolved is validated, and set out again.
        let met = subject.delivery.take().map_or_else(Vec::new, |before| before.met);
        subject.delivery = Some(Box::new(Delivery { proof, scope, conflicts: Vec::new(), met }));
        self.enter(at, Phase::Working(Box::new(Work::new(Step::Integrate))));
    }

    /// Takes in where the branch is.
    pub(super) fn note_branch(&mut self, at: Index, step: &Integration) {
        let Integration::Landed { commit, .. } = step else { return };
        if let Some(commit) = commit {
            self.branch = Some(commit.clone());
        }
        if at == self.run_index() {
            self.enter(at, Phase::Waiting(Todo::Fresh));
        }
    }

    /// Whether the commands of a component are run again on what was merged.
    pub(super) fn is_checked_when_merged(&self, at: Index) -> bool {
        if at == self.run_index() {
            return true;
        }
        let plan = self.plan();
        plan.legs(at).contains(&Leg::Validate) && !plan.component(at).checks.is_empty()
    }

    /// The next step of cco's own that may be done.
    pub(super) fn next_of_cco(&self) -> Option<(Index, &Step)> {
        self.queues.own.iter().map(|&place| self.index_of(place)).find_map(|at| {
            let step = &self.component_or_run(at).phase.wanted_of_cco()?.step;
            (*step != Step::Integrate || self.may_integrate(at)).then_some((at, step))
        })
    }

    /// Whether nobody else is on the way, and nobody is to land before: where levels bind, they land in the plan's order,
    /// so that equal runs give equal histories.
    fn may_integrate(&self, at: Index) -> bool {
        if let Some(holder) = self.integrating {
            return holder == at;
        }
        let place = self.place_of(at);
        let first = self.queues.active.range(1..).next();
        self.plan().schedule != Schedule::Levels || at == self.run_index() || first.is_none_or(|&first| first >= place)
    }

    /// Whether what mended the whole is on its way: who begins now would build on what it mends.
    pub(super) fn is_landing_whole(&self) -> bool {
        self.run_work().delivery.is_some()
    }
}
