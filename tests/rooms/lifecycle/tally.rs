//! Counting a vote (DESIGN 5.5), by property.

use std::sync::Arc;

use cco::lifecycle::report::BallotReport;
use cco::lifecycle::tally::{Tally, count, is_valid};
use proptest::prelude::*;

const THRESHOLD: f64 = 2.0 / 3.0;

fn options() -> Vec<Arc<str>> {
    ["A", "B", "C"].map(Arc::from).to_vec()
}

fn ballot((vote, confidence): &(&str, f64)) -> BallotReport {
    BallotReport { vote: (*vote).to_owned(), confidence: *confidence, reasoning: String::new() }
}

fn counted(ballots: &[(&str, f64)], voters: usize, threshold: f64) -> Tally {
    let ballots: Vec<BallotReport> = ballots.iter().map(ballot).collect();
    count(&ballots.iter().collect::<Vec<_>>(), voters, &options(), threshold)
}

fn winner(ballots: &[(&str, f64)], voters: usize) -> Option<String> {
    counted(ballots, voters, THRESHOLD).winner.map(|winner| winner.to_string())
}

#[test]
fn two_thirds_of_the_weight_decide() {
    assert_eq!(winner(&[("A", 0.9), ("A", 0.9), ("B", 0.9)], 3).as_deref(), Some("A"), "by a hair: 2/3");
    assert_eq!(winner(&[("A", 0.1), ("A", 0.1), ("B", 0.1)], 3).as_deref(), Some("A"), "0.1 + 0.1 is not 0.2 of 0.3");
    assert_eq!(winner(&[("A", 0.8), ("A", 0.8), ("B", 0.9)], 3), None);
    assert_eq!(winner(&[("A", 0.1), ("B", 0.9), ("B", 0.0)], 3).as_deref(), Some("B"), "weight, not heads");
}

#[test]
fn one_survivor_of_three_decides_nothing() {
    let tally = counted(&[("A", 0.2)], 3, THRESHOLD);
    assert_eq!((tally.winner, tally.quorum, tally.valid), (None, false, 1));
    assert_eq!(winner(&[("A", 1.0), ("A", 1.0)], 3).as_deref(), Some("A"), "two of three are two thirds");
    assert_eq!(winner(&[("A", 1.0), ("A", 1.0)], 4), None);
    assert_eq!(winner(&[], 0), None);
}

#[test]
fn no_weight_and_a_tie_win_nothing() {
    assert_eq!(winner(&[("A", 0.0), ("A", 0.0), ("A", 0.0)], 3), None);
    let half = counted(&[("A", 0.5), ("B", 0.5)], 2, 0.5);
    assert_eq!((half.winner, half.quorum), (None, true));
    let split = counted(&[("A", 0.1), ("A", 0.2), ("B", 0.3)], 3, 0.5);
    assert_eq!(split.winner, None, "0.1 + 0.2 is as much as 0.3");
}

#[test]
fn a_ballot_needs_an_option_and_a_confidence() {
    for (vote, confidence) in [
        ("D", 0.5),
        ("a", 0.5),
        ("", 0.5),
        ("A", f64::NAN),
        ("A", -1.0),
        ("A", 2.0),
        ("A", f64::INFINITY),
        ("A", -1e-9),
    ] {
        assert!(!is_valid(&ballot(&(vote, confidence)), &options()), "{vote} {confidence}");
        assert_eq!(winner(&[("A", 1.0), (vote, confidence), (vote, confidence)], 3), None, "{vote} {confidence}");
    }
    assert!(is_valid(&ballot(&("A", 0.0)), &options()) && is_valid(&ballot(&("A", 1.0)), &options()));
}

fn ballots() -> impl Strategy<Value = Vec<(&'static str, f64)>> {
    let vote = prop::sample::select(vec!["A", "B", "C", "D"]);
    let confidence = prop_oneof![0.0..=1.0, (0u8..=10).prop_map(|tenth| f64::from(tenth) / 10.0), Just(f64::NAN)];
    prop::collection::vec((vote, confidence), 0..9)
}

proptest! {
    #[test]
    fn the_order_of_ballots_does_not_matter(
        (ballots, shuffled) in ballots().prop_flat_map(|ballots| (Just(ballots.clone()), Just(ballots).prop_shuffle())),
        voters in 1usize..9,
    ) {
        let (one, other) = (counted(&ballots, voters, THRESHOLD), counted(&shuffled, voters, THRESHOLD));
        prop_assert_eq!((one.winner, one.valid, one.quorum), (other.winner, other.valid, other.quorum));
    }

    #[test]
    fn only_proportions_of_confidence_matter(ballots in ballots(), voters in 1usize..9, exponent in 0i32..20) {
        let scale = 0.5f64.powi(exponent);
        let scaled: Vec<_> = ballots.iter().map(|&(vote, confidence)| (vote, confidence * scale)).collect();
        prop_assert_eq!(counted(&ballots, voters, THRESHOLD).winner, counted(&scaled, voters, THRESHOLD).winner);
    }

    #[test]
    fn a_higher_threshold_never_makes_a_winner(ballots in ballots(), voters in 1usize..9, low in 0.0..=1.0, high in 0.0..=1.0) {
        let (low, high): (f64, f64) = if low <= high { (low, high) } else { (high, low) };
        if let Some(winner) = counted(&ballots, voters, high).winner {
            prop_assert_eq!(counted(&ballots, voters, low).winner, Some(winner));
        }
    }

    #[test]
    fn a_winner_has_a_quorum_weight_and_more_than_any_other(ballots in ballots(), voters in 1usize..9) {
        let tally = counted(&ballots, voters, THRESHOLD);
        let valid = ballots.iter().filter(|one| is_valid(&ballot(one), &options())).count();
        prop_assert_eq!(usize::from(tally.valid), valid);
        if let Some(winner) = tally.winner {
            prop_assert!(valid * 3 >= voters * 2);
            let weight = |name: &str| tally.shares.iter().find(|share| *share.option == *name).unwrap().weight;
            prop_assert!(weight(&winner) > 0.0);
            for other in options().iter().filter(|other| **other != winner) {
                prop_assert!(weight(&winner) > weight(other));
            }
        }
    }

    /// What one more voter for the winner says changes nothing.
    #[test]
    fn more_of_the_same_opinion_does_not_turn_a_vote(ballots in ballots(), voters in 1usize..9, confidence in 0.0..=1.0f64) {
        if let Some(winner) = counted(&ballots, voters, THRESHOLD).winner {
            let mut more = ballots.clone();
            let vote = ["A", "B", "C"].into_iter().find(|option| **option == *winner).unwrap();
            more.push((vote, confidence));
            prop_assert_eq!(counted(&more, voters, THRESHOLD).winner, Some(winner));
        }
    }
}
