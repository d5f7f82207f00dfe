//! Agents that did not answer: what is tried again and when, and what is given up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::apply::holds;
use super::event::{Cause, Event, Pause, Trouble};
use super::settle::Settlement;
use super::state::Illegal;
use crate::ids::Step;
use crate::plan::graph::Index;

/// Tries of one step that transient trouble may end before a person is asked.
const TRANSIENT_TRIES: u8 = 5;
/// Tries that may end without an answer (the first, and one more in the same conversation).
const LOST_TRIES: u8 = 2;
/// The first backoff; each further one doubles it.
const BACKOFF: Duration = Duration::from_secs(2);
/// The longest backoff.
const BACKOFF_LIMIT: Duration = Duration::from_secs(5 * 60);
/// The first pause after a rate limit that names no end; each further one in a row doubles it.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest pause of that kind.
const PAUSE_LIMIT: Duration = Duration::from_secs(10 * 60);
/// The pause after a usage limit that names no end.
const PARK: Duration = Duration::from_secs(15 * 60);
/// What is added to a reset time, since clocks differ.
const PARK_MARGIN: Duration = Duration::from_secs(60);

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
                let ceiling = doubled(BACKOFF, transient.saturating_sub(1).into(), BACKOFF_LIMIT);
                let on = self.state.name(at);
                let when = later(self.now, ceiling.mul_f64(self.dice));
                let step = Some(step).filter(|step| !step.writes()).cloned();
                self.emit(Event::RetryScheduled { on, step, at: when })
            }
            // Who was refused while all pause already was on its way before: one burst of refusals is one limit.
            Trouble::RateLimit { until } if holds(self.state.pause, self.now.max(until.unwrap_or(self.now))) => Ok(()),
            Trouble::RateLimit { until } => {
                let pause = doubled(PAUSE, self.state.limited, PAUSE_LIMIT);
                let until = until.filter(|end| *end > self.now).unwrap_or_else(|| later(self.now, pause));
                self.emit(Event::RunPaused { until, why: Pause::RateLimit })?;
                let jobs = (self.state.jobs / 2).max(1);
                if jobs < self.state.jobs { self.emit(Event::JobsChanged { jobs }) } else { Ok(()) }
            }
            Trouble::UsageLimit { until } => {
                let end = until.map_or_else(|| later(self.now, PARK), |reset| later(reset, PARK_MARGIN));
                self.emit(Event::RunPaused { until: end, why: Pause::UsageLimit })
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

fn doubled(first: Duration, times: u32, limit: Duration) -> Duration {
    first.saturating_mul(1u32.checked_shl(times).unwrap_or(u32::MAX)).min(limit)
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| from.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}
