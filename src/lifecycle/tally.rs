//! Counting a vote: weight is confidence, and too few valid ballots decide nothing.

use std::sync::Arc;

use super::event::Share;
use super::report::BallotReport;

/// Weights are sums of fractions: what is this close, as a share of the whole weight, counts as equal.
const EPSILON: f64 = 1e-9;

/// How a vote came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The options in the order in which they were offered.
    pub shares: Vec<Share>,
    /// Ballots that count.
    pub valid: u8,
    /// What won, if anything did.
    pub winner: Option<Arc<str>>,
    /// Whether enough voters gave a valid ballot.
    pub quorum: bool,
}

/// Whether a ballot counts: it names an option, and its confidence is a number from 0 to 1.
pub fn is_valid(ballot: &BallotReport, options: &[Arc<str>]) -> bool {
    options.iter().any(|option| **option == *ballot.vote) && (0.0..=1.0).contains(&ballot.confidence)
}

/// Counts the ballots of `voters` voters. An option wins with at least `threshold` of the weight, provided that two
/// thirds of the voters gave a valid ballot; without weight nothing wins.
pub fn count(ballots: &[&BallotReport], voters: usize, options: &[Arc<str>], threshold: f64) -> Tally {
    let valid: Vec<&&BallotReport> = ballots.iter().filter(|ballot| is_valid(ballot, options)).collect();
    let share = |option: &Arc<str>| {
        let chosen = valid.iter().filter(|ballot| *ballot.vote == **option);
        Share {
            option: option.clone(),
            votes: u8::try_from(chosen.clone().count()).unwrap_or(u8::MAX),
            weight: chosen.map(|ballot| ballot.confidence).sum(),
        }
    };
    let shares: Vec<Share> = options.iter().map(share).collect();
    let total: f64 = shares.iter().map(|share| share.weight).sum();
    let quorum = valid.len() * 3 >= voters * 2 && !valid.is_empty();
    let best = shares.iter().max_by(|one, other| one.weight.total_cmp(&other.weight));
    let close = EPSILON * total;
    let tied = |best: &Share| shares.iter().filter(|share| (share.weight - best.weight).abs() <= close).count() > 1;
    let wins = |best: &&Share| quorum && total > EPSILON && best.weight + close >= threshold * total && !tied(best);
    let winner = best.filter(wins).map(|share| share.option.clone());
    Tally { valid: u8::try_from(valid.len()).unwrap_or(u8::MAX), winner, quorum, shares }
}
