//! What follows from the end of a call.

use jiff::Timestamp;

use super::event::{End, Event};
use super::state::{Illegal, State};
use crate::ids::AttemptId;
use crate::lifecycle::event::{Pause, Trouble, Usage};
use crate::lifecycle::patience::{LOST_TRIES, TRANSIENT_TRIES, Toll, backoff, rate_limit_end, usage_limit_end};

/// How a call ended, with what only the shell knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Which attempt.
    pub attempt: AttemptId,
    /// How.
    pub end: End,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// What it cost.
    pub usage: Option<Usage>,
    /// What is worth recording, a sentence each.
    pub notes: Vec<String>,
    /// Uniform in 0..1, for jitter.
    pub dice: f64,
}

/// The events that follow from an outcome; they are applied already.
///
/// # Errors
/// The attempt does not run.
pub fn settle(state: &mut State, outcome: Outcome, now: Timestamp) -> Result<Vec<Event>, Illegal> {
    let Outcome { attempt, end, ms, usage, notes, dice } = outcome;
    let trouble = match &end {
        End::Failed { class, message, .. } => Some((*class, message.clone())),
        End::Judged { .. } | End::Drafted(_) | End::Interrupted { .. } => None,
    };
    let mut events: Vec<Event> = notes.into_iter().map(|text| Event::Noted { text }).collect();
    events.push(Event::AttemptEnded { attempt, end, ms, usage });
    events.iter().try_for_each(|event| state.apply(event))?;
    if let Some((class, message)) = trouble
        && let Some(event) = after(state, class, &message, dice, now)
    {
        state.apply(&event)?;
        events.push(event);
    }
    Ok(events)
}

fn after(state: &State, class: Trouble, message: &str, dice: f64, now: Timestamp) -> Option<Event> {
    if state.halt().is_some() {
        return None;
    }
    let (transient, lost) = (state.work.transient, state.work.lost);
    match class {
        Trouble::RateLimit { until } => {
            Some(Event::Paused { until: rate_limit_end(now, until, state.limited), why: Pause::RateLimit })
        }
        Trouble::UsageLimit { until } => {
            Some(Event::Paused { until: usage_limit_end(now, until), why: Pause::UsageLimit })
        }
        class => match class.toll() {
            Toll::Transient if transient >= TRANSIENT_TRIES => {
                let why = format!("the agent cannot be reached after {transient} tries: {message}");
                Some(Event::GaveUp { why })
            }
            Toll::Transient => Some(Event::RetryScheduled { at: backoff(now, transient, dice) }),
            Toll::Lost if lost >= LOST_TRIES => {
                Some(Event::GaveUp { why: format!("the agent cannot be made to answer: {message}") })
            }
            Toll::Lost | Toll::Nothing => None,
        },
    }
}
