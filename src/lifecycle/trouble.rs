//! Agents that did not answer: what is tried again and when, and what is given up.

use super::apply::holds;
use super::event::{Cause, Event, Pause, Trouble};
use super::patience::{LOST_TRIES, TRANSIENT_TRIES, backoff, rate_limit_end, usage_limit_end};
use super::settle::Settlement;
use super::state::Illegal;
use crate::ids::Step;
use crate::plan::graph::Index;

impl Settlement<'_> {
    /// What follows when the attempt of a step ended in trouble: another try, a pause, or the end of its patience.
    pub(super) fn after_trouble(
        &mut self,
        at: Index,
        step: &Step,
        class: Trouble,
        message: &str,
    ) -> Result<(), Illegal> {
        let Some(work) = self.state.component_or_run(at).phase.work_of(step) else {
            // A command that was given up on is known to be unavailable now.
            return self.conclude_if_settled(at);
        };
        let (transient, lost) = (work.transient, work.lost);
        match class {
            Trouble::Transient if transient >= TRANSIENT_TRIES => {
                let why = format!("the agent cannot be reached after {transient} tries: {message}");
                self.give_up(at, step, why)
            }
            Trouble::Transient => {
                let on = self.state.name(at);
                let when = backoff(self.now, transient, self.dice);
                let step = Some(step).filter(|step| !step.writes()).cloned();
                self.emit(Event::RetryScheduled { on, step, at: when })
            }
            // Who was refused while all pause already was on its way before: one burst of refusals is one limit.
            Trouble::RateLimit { until } if holds(self.state.pause, self.now.max(until.unwrap_or(self.now))) => Ok(()),
            Trouble::RateLimit { until } => {
                let until = rate_limit_end(self.now, until, self.state.limited);
                self.emit(Event::RunPaused { until, why: Pause::RateLimit })?;
                let jobs = (self.state.jobs / 2).max(1);
                if jobs < self.state.jobs { self.emit(Event::JobsChanged { jobs }) } else { Ok(()) }
            }
            Trouble::UsageLimit { until } => {
                let until = usage_limit_end(self.now, until);
                self.emit(Event::RunPaused { until, why: Pause::UsageLimit })
            }
            Trouble::NoAnswer | Trouble::TimedOut | Trouble::Crashed | Trouble::Refused | Trouble::Meddled
                if lost >= LOST_TRIES =>
            {
                self.give_up(at, step, format!("the agent cannot be made to answer: {message}"))
            }
            Trouble::NoAnswer
            | Trouble::TimedOut
            | Trouble::Crashed
            | Trouble::Refused
            | Trouble::Meddled
            | Trouble::ConversationLost
            | Trouble::Authentication
            | Trouble::Billing
            | Trouble::Model
            | Trouble::BadRequest
            | Trouble::NotStarted
            | Trouble::DiskFull
            | Trouble::Internal => Ok(()),
        }
    }

    /// A writer's work cannot go on without a person; of a reader the others may be enough, which its round decides.
    fn give_up(&mut self, at: Index, step: &Step, why: String) -> Result<(), Illegal> {
        if step.writes() {
            return self.escalate(at, Cause::AgentTrouble, why);
        }
        let on = self.state.name(at);
        self.emit(Event::SeatLost { on, step: step.clone(), why })?;
        match step {
            Step::Vote { .. } => self.count_if_settled(at),
            _ => self.conclude_if_settled(at),
        }
    }
}
