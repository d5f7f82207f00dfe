//! How much trouble is borne before it is given up, and how long is waited in between: the same for every call of an
//! agent, whoever makes it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::event::Trouble;

/// Tries of one step that transient trouble may end before a person is asked.
pub const TRANSIENT_TRIES: u8 = 5;
/// Tries that may end without an answer (the first, and one more in the same conversation).
pub const LOST_TRIES: u8 = 2;
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

/// What a try that ended in trouble is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toll {
    /// One of [`TRANSIENT_TRIES`].
    Transient,
    /// One of [`LOST_TRIES`].
    Lost,
    /// Nothing: what ended it is not the call's own affair.
    Nothing,
}

impl Trouble {
    /// What a try is counted as that it ended.
    pub fn toll(self) -> Toll {
        match self {
            Self::Transient => Toll::Transient,
            Self::NoAnswer | Self::TimedOut | Self::Crashed | Self::Refused | Self::Meddled => Toll::Lost,
            // The next try after a lost conversation begins anew, so that it cannot be lost again.
            Self::ConversationLost
            | Self::RateLimit { .. }
            | Self::UsageLimit { .. }
            | Self::Authentication
            | Self::Billing
            | Self::Model
            | Self::BadRequest
            | Self::NotStarted
            | Self::DiskFull
            | Self::Internal => Toll::Nothing,
        }
    }

    /// Whether the next try begins a conversation anew: who was refused, or took liberties, is not gone on with.
    pub fn begins_anew(self) -> bool {
        matches!(self, Self::ConversationLost | Self::Refused | Self::Meddled)
    }
}

/// When a step is tried again after `transient` tries that ended in transient trouble; `dice` is uniform in 0..1.
pub fn backoff(now: Timestamp, transient: u8, dice: f64) -> Timestamp {
    later(now, doubled(BACKOFF, transient.saturating_sub(1).into(), BACKOFF_LIMIT).mul_f64(dice))
}

/// When agents may start again after a rate limit that was the one after `limited` others in a row.
pub fn rate_limit_end(now: Timestamp, until: Option<Timestamp>, limited: u32) -> Timestamp {
    until.filter(|end| *end > now).unwrap_or_else(|| later(now, doubled(PAUSE, limited, PAUSE_LIMIT)))
}

/// When agents may start again after the usage window was used up that resets at `until`.
pub fn usage_limit_end(now: Timestamp, until: Option<Timestamp>) -> Timestamp {
    until.map_or_else(|| later(now, PARK), |reset| later(reset, PARK_MARGIN))
}

fn doubled(first: Duration, times: u32, limit: Duration) -> Duration {
    first.saturating_mul(1u32.checked_shl(times).unwrap_or(u32::MAX)).min(limit)
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| from.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}
