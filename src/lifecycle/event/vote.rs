//! A vote, how it came out, and what follows from it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::Subject;

/// A vote on a closed set of options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteOpened {
    /// Whose matter it is.
    pub on: Subject,
    /// The gate.
    pub gate: Arc<str>,
    /// 1, or 2 when the voters see each other's reasons.
    pub round: u8,
    /// How many vote.
    pub voters: u8,
    /// What they choose from.
    pub options: Vec<Arc<str>>,
    /// The share of the weight that decides.
    pub threshold: f64,
}

/// How a vote came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoteSettled {
    /// Whose matter it is.
    pub on: Subject,
    /// The gate.
    pub gate: Arc<str>,
    /// Which round.
    pub round: u8,
    /// The weight of each option, in the order in which they were offered.
    pub tally: Vec<Share>,
    /// Ballots that count.
    pub valid: u8,
    /// What won, if anything did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<Arc<str>>,
}

/// What one option got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The option.
    pub option: Arc<str>,
    /// How many chose it.
    pub votes: u8,
    /// The sum of their confidence.
    pub weight: f64,
}

/// What an option of a gate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateAct {
    /// The run goes on.
    Proceed,
    /// The run goes on, and every prompt says what was decided.
    Decide,
    /// The voters' concerns become issues of a fix round.
    Fix,
    /// A person is asked.
    Escalate,
}
