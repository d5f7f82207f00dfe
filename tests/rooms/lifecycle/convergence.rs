//! The fix loop by convergence (DESIGN 5.3): recorded sequences of issue sets, and what each step of them costs.

use cco::lifecycle::event::{Cause, Trend, Verb};
use cco::lifecycle::subject::Origin;
use cco::plan::Policy;

use super::play::{Play, Setup};

fn play(setup: Setup) -> Play {
    let mut play = Play::new(setup);
    play.writes("implement", "c0");
    play
}

/// Goes through rounds in which these parts fail, a fix after each; the last validation stays judged.
fn rounds(play: &mut Play, parts: &[&[&str]]) {
    for (at, parts) in parts.iter().enumerate() {
        if at > 0 {
            play.writes("fix", &format!("c{at}"));
        }
        play.fails("tests", parts);
    }
}

const ALL: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];

#[test]
fn what_shrinks_slowly_never_asks_and_is_free_of_charge() {
    let mut play =
        play(Setup { policy: Policy { max_fix_attempts: 3, ..Setup::default().policy }, ..Setup::default() });
    let shrinking: Vec<&[&str]> = (1..=9).rev().map(|count| &ALL[..count]).collect();
    rounds(&mut play, &shrinking);
    assert_eq!(play.question(), None);
    let fixes = play.fixes();
    assert_eq!(fixes[0], (true, Trend::First, None));
    assert!(fixes[1..].iter().all(|fix| *fix == (false, Trend::Better, None)), "{fixes:?}");
    play.writes("fix", "c9");
    play.passes("tests");
    assert!(play.component().is_complete());
    assert_eq!(play.component().fixing, None);
}

#[test]
fn three_times_the_budget_is_the_end_even_of_what_gets_better() {
    let policy = Policy { max_fix_attempts: 2, ..Setup::default().policy };
    let mut play = play(Setup { policy, ..Setup::default() });
    let shrinking: Vec<&[&str]> = (3..=9).rev().map(|count| &ALL[..count]).collect();
    rounds(&mut play, &shrinking);
    assert_eq!(play.fixes().len(), 6);
    let question = play.question().expect("a question");
    assert_eq!((question.cause, question.issues.len(), question.tried.len()), (Cause::FixBudget, 3, 6));
    // The last tree is the best one: the new budget starts from it.
    play.answers(Verb::Retry);
    assert_eq!(play.last_fix(), (true, Trend::First, None));
}

#[test]
fn other_issues_as_many_use_up_the_budget_without_a_vote() {
    let mut play = play(Setup::default());
    rounds(&mut play, &[&["a"], &["b"], &["c"], &["d"]]);
    assert_eq!(play.fixes().iter().map(|fix| fix.1).collect::<Vec<_>>(), [Trend::First, Trend::Equal, Trend::Equal]);
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::FixBudget));
}

#[test]
fn the_same_issue_again_votes_when_the_last_round_did_not_get_better() {
    for (threshold, rounds_before) in [(2, 2), (3, 3)] {
        let policy = Policy { same_issue_threshold: threshold, max_fix_attempts: 5, ..Setup::default().policy };
        let mut play = play(Setup { policy, ..Setup::default() });
        let repeating: Vec<&[&str]> = vec![&["a"]; rounds_before];
        rounds(&mut play, &repeating);
        assert_eq!(play.open(), ["vote:fix_strategy:0", "vote:fix_strategy:1", "vote:fix_strategy:2"], "{threshold}");
    }
    // It comes back, but beside it less and less is wrong.
    let mut play = play(Setup::default());
    rounds(&mut play, &[&["a", "b", "c"], &["a", "b"], &["a"]]);
    assert_eq!(play.open(), ["fix"]);
    // One validation without it starts the count anew.
    let mut play =
        self::play(Setup { policy: Policy { max_fix_attempts: 9, ..Setup::default().policy }, ..Setup::default() });
    rounds(&mut play, &[&["a"], &["b"], &["a"]]);
    assert_eq!(play.open(), ["fix"]);
}

#[test]
fn there_is_no_vote_before_the_first_fix() {
    let policy = Policy { same_issue_threshold: 1, ..Setup::default().policy };
    let mut play = play(Setup { policy, ..Setup::default() });
    rounds(&mut play, &[&["a"]]);
    assert_eq!(play.open(), ["fix"]);
}

#[test]
fn what_turns_worse_counts_and_goes_back_to_the_best_tree() {
    let mut play = play(Setup::default());
    rounds(&mut play, &[&["a", "b"], &["c", "d", "e"]]);
    assert_eq!(play.last_fix(), (true, Trend::Worse, Some("c0")));
    assert_eq!(play.origin("fix"), Some(Origin::At("c0".into())));
    // What is to be mended is what is wrong with that tree.
    let texts = |play: &Play| -> Vec<String> {
        play.component().fixing.as_ref().unwrap().issues.iter().map(|issue| issue.text.clone()).collect()
    };
    assert_eq!(texts(&play), ["`a` fails", "`b` fails"]);
    play.writes("fix", "c2");
    play.fails("tests", &["f"]);
    assert_eq!(play.last_fix(), (false, Trend::Better, None));
    // Now that one is the best.
    play.writes("fix", "c3");
    play.fails("tests", &["a", "b"]);
    assert_eq!(play.last_fix(), (true, Trend::Worse, Some("c2")));
    assert_eq!(texts(&play), ["`f` fails"]);
}

#[test]
fn from_red_tests_to_findings_of_reviewers_is_better() {
    let mut play = play(Setup { reviewers: 1, ..Setup::default() });
    rounds(&mut play, &[&["a"]]);
    play.writes("fix", "c1");
    play.passes("tests");
    play.finds(0, &["one thing", "another matter", "and a third problem"]);
    assert_eq!(play.last_fix(), (false, Trend::Better, None));
    // Back to red tests is worse than any number of findings.
    play.writes("fix", "c2");
    play.fails("tests", &["a"]);
    assert_eq!(play.last_fix(), (true, Trend::Worse, Some("c1")));
    assert_eq!(play.issue_ids().len(), 3);
}

#[test]
fn the_strong_model_fixes_from_the_second_counted_attempt_on() {
    let policy = Policy { max_fix_attempts: 5, ..Setup::default().policy };
    let mut play = play(Setup { policy, ..Setup::default() });
    let mut strong = Vec::new();
    for (at, parts) in [&["a", "b"][..], &["c"], &["d"], &["e"]].into_iter().enumerate() {
        play.fails("tests", parts);
        strong.push(play.talk("fix").1);
        play.writes("fix", &format!("c{}", at + 1));
    }
    // First (counted), better (free), equal (counted), equal (counted).
    assert_eq!(strong, [false, false, true, true]);
}

#[test]
fn a_retry_starts_from_the_best_tree_with_a_new_budget() {
    let policy = Policy { max_fix_attempts: 1, ..Setup::default().policy };
    let mut play = play(Setup { policy, ..Setup::default() });
    rounds(&mut play, &[&["a"], &["b", "c"]]);
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::FixBudget));
    play.answers(Verb::Retry);
    assert_eq!(play.last_fix(), (true, Trend::First, Some("c0")));
    assert_eq!(play.origin("fix"), Some(Origin::At("c0".into())));
    assert!(!play.talk("fix").1);
    let fixing = play.component().fixing.as_ref().unwrap();
    assert_eq!((fixing.rounds, fixing.counted, fixing.tried.len()), (1, 1, 1));
    assert_eq!(fixing.issues[0].text, "`a` fails");
}

#[test]
fn a_retry_keeps_what_was_won_when_the_last_tree_is_as_good() {
    let policy = Policy { max_fix_attempts: 1, ..Setup::default().policy };
    let mut play = play(Setup { policy, ..Setup::default() });
    rounds(&mut play, &[&["a"], &["b"]]);
    play.answers(Verb::Retry);
    assert_eq!(play.last_fix(), (true, Trend::First, None));
}

#[test]
fn without_any_fix_attempt_the_first_failure_asks() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let mut play = play(Setup { policy, ..Setup::default() });
    rounds(&mut play, &[&["a"]]);
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::FixBudget));
    assert_eq!(play.fixes(), []);
}

/// A command that fails and says nothing fails all the same, and can be taken as it is.
#[test]
fn a_failure_without_issues_is_one() {
    let policy = Policy { max_fix_attempts: 1, ..Setup::default().policy };
    let mut play = play(Setup { policy, ..Setup::default() });
    rounds(&mut play, &[&[], &[]]);
    assert_eq!(play.fixes(), [(true, Trend::First, None)]);
    assert_eq!(play.question().map(|question| question.issues.len()), Some(1));
    play.answers(Verb::Accept);
    assert!(play.component().is_complete());
}
