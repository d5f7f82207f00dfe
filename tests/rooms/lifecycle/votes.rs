//! Votes on how to mend (DESIGN 5.4–5.6): each option is another action.

use cco::ids::Step;
use cco::lifecycle::event::{Cause, Event, Trend, Trouble, Verb, VoteSettled};
use cco::lifecycle::subject::{During, Origin, Phase};
use cco::plan::Policy;

use super::play::{Play, Setup, ballot};

const GATE: &str = "fix_strategy";

/// A component that is voted on: the same part fails in a second validation. Its commits: the implementation c0, a fix c1.
fn voting() -> Play {
    voting_in(Setup::default())
}

fn voting_in(setup: Setup) -> Play {
    let plain = setup.plain;
    let mut play = Play::new(setup);
    if !plain {
        play.writes("skeleton", "sk");
    }
    play.writes("implement", "c0");
    play.fails("tests", &["a"]);
    play.writes("fix", "c1");
    play.fails("tests", &["a"]);
    assert_eq!(play.open(), ["vote:fix_strategy:0", "vote:fix_strategy:1", "vote:fix_strategy:2"]);
    play
}

fn settled(play: &Play) -> Vec<&VoteSettled> {
    let votes = play.events().filter_map(|event| match event {
        Event::VoteSettled(vote) => Some(&**vote),
        _ => None,
    });
    votes.collect()
}

fn advice(play: &Play) -> Vec<String> {
    play.component().fixing.as_ref().unwrap().advice.clone()
}

#[test]
fn fix_in_place_goes_on_with_the_voters_reasons() {
    let mut play = voting();
    play.votes(GATE, 0, &[("FIX_IN_PLACE", 0.9), ("REFACTOR", 0.3), ("FIX_IN_PLACE", 0.8)]);
    assert_eq!(play.last_fix(), (true, Trend::Equal, None));
    assert_eq!(play.open(), ["fix"]);
    assert_eq!(advice(&play), ["FIX_IN_PLACE: because of 0", "FIX_IN_PLACE: because of 2"]);
    // The count of returns begins anew; the advice was for one fix.
    play.writes("fix", "c2");
    assert_eq!(advice(&play), [""; 0]);
    play.fails("tests", &["a"]);
    assert_eq!(play.open(), ["fix"], "once is not twice");
}

#[test]
fn fix_in_place_of_what_got_worse_starts_from_the_best_tree() {
    let mut play = Play::new(Setup::default());
    play.writes("implement", "c0");
    play.fails("tests", &["a"]);
    play.writes("fix", "c1");
    play.fails("tests", &["a", "b"]);
    play.votes(GATE, 0, &[("FIX_IN_PLACE", 0.9); 3]);
    assert_eq!(play.last_fix(), (true, Trend::Worse, Some("c0")));
}

#[test]
fn refactor_makes_it_anew_once() {
    let mut play = voting_in(Setup { plain: false, ..Setup::default() });
    let before = play.talk("vote:fix_strategy:0").0;
    play.votes(GATE, 0, &[("REFACTOR", 0.9), ("REFACTOR", 0.3), ("FIX_IN_PLACE", 0.1)]);
    // Another implementation, from where the first one began, in a conversation of its own, with the reasons.
    assert_eq!(play.open(), ["implement"]);
    assert_eq!(play.origin("implement"), Some(Origin::Before("c0".into())));
    assert_ne!(play.talk("implement").0, before);
    assert_eq!(play.launch("implement").attempt.n, 2);
    assert_eq!(advice(&play), ["REFACTOR: because of 0", "REFACTOR: because of 1"]);
    let fixing = play.component().fixing.clone().unwrap();
    assert_eq!((fixing.rounds, fixing.counted, fixing.best, fixing.tried), (0, 0, None, vec!["tried c1".to_owned()]));
    assert!(
        play.events().any(|event| matches!(event, Event::Refactored { before: Some(before), .. } if **before == *"c0"))
    );
    // It is judged like the first, with a new budget, and not offered again.
    play.writes("implement", "d0");
    play.fails("tests", &["a"]);
    assert_eq!(play.last_fix(), (true, Trend::First, None));
    play.writes("fix", "d1");
    play.fails("tests", &["a"]);
    let Phase::Voting(poll) = &play.component().phase else { panic!("no vote") };
    assert_eq!(poll.options.iter().map(|option| &**option).collect::<Vec<_>>(), ["FIX_IN_PLACE", "ESCALATE"]);
    // A ballot for what is not offered counts no more.
    play.end("vote:fix_strategy:0", ballot("REFACTOR", 0.9, "again"));
    assert_eq!(play.launch("vote:fix_strategy:0").attempt.n, 3);
}

/// An implementation that wrote nothing is given up with the fixes that followed it.
#[test]
fn refactor_goes_back_to_before_the_first_commit_of_the_work() {
    let mut play = Play::new(Setup { plain: false, ..Setup::default() });
    play.writes("skeleton", "sk");
    play.writes("implement", "");
    play.fails("tests", &["a"]);
    play.writes("fix", "c1");
    play.fails("tests", &["a"]);
    play.votes(GATE, 0, &[("REFACTOR", 0.9); 3]);
    assert_eq!(play.origin("implement"), Some(Origin::Before("c1".into())));
    // What was given up is the best tree of nothing.
    play.writes("implement", "");
    play.fails("tests", &["a"]);
    assert_eq!(play.component().tip(), Some("sk"));
}

#[test]
fn escalate_asks_and_the_user_may_choose_what_the_voters_did_not() {
    let mut play = voting();
    play.votes(GATE, 0, &[("ESCALATE", 0.9), ("ESCALATE", 0.9), ("REFACTOR", 0.1)]);
    let question = play.question().expect("a question");
    assert_eq!(
        (question.cause, question.options),
        (Cause::Vote, vec!["FIX_IN_PLACE".to_owned(), "REFACTOR".to_owned()])
    );
    assert_eq!((question.issues.len(), question.tried.len()), (1, 4), "{:?}", question.tried);
    assert!(question.tried[3].contains("because of 2"), "what the voters said is part of what was tried");
    play.answers_with(Verb::Option, Some("REFACTOR"));
    assert_eq!(play.open(), ["implement"]);
    assert_eq!(play.origin("implement"), Some(Origin::Before("c0".into())));
    assert_eq!(advice(&play), ["REFACTOR: because of 2"], "what was said for it is known to who does it");

    let mut play = voting();
    play.votes(GATE, 0, &[("ESCALATE", 0.9); 3]);
    play.answers_with(Verb::Option, Some("FIX_IN_PLACE"));
    assert_eq!((play.last_fix(), play.open()), ((true, Trend::Equal, None), vec!["fix".to_owned()]));
}

#[test]
fn a_retry_of_a_vote_that_asked_fixes_with_a_new_budget() {
    let mut play = voting();
    play.votes(GATE, 0, &[("ESCALATE", 0.9); 3]);
    play.answers(Verb::Retry);
    assert_eq!(play.last_fix(), (true, Trend::First, None));
    assert_eq!(play.component().fixing.as_ref().unwrap().counted, 1);
    assert_eq!(advice(&play).len(), 3);
}

#[test]
fn taking_the_issues_of_a_vote_as_they_are_goes_on_to_the_reviewers() {
    let mut play = voting_in(Setup { reviewers: 1, ..Setup::default() });
    play.votes(GATE, 0, &[("ESCALATE", 0.9); 3]);
    play.answers(Verb::Accept);
    assert_eq!(play.open(), ["review:0"], "the command is waived, the reviewer is not");
    play.finds(0, &[]);
    assert_eq!(play.component().phase, Phase::Complete(cco::lifecycle::event::Proof::Waived));
}

#[test]
fn a_second_round_sees_the_reasons_and_then_a_person_is_asked() {
    let mut play = voting();
    play.votes(GATE, 0, &[("FIX_IN_PLACE", 0.5), ("REFACTOR", 0.5), ("ESCALATE", 0.5)]);
    assert_eq!(play.open(), ["vote:fix_strategy:3", "vote:fix_strategy:4", "vote:fix_strategy:5"], "new conversations");
    let Phase::Voting(poll) = &play.component().phase else { panic!("no vote") };
    let reasons = ["FIX_IN_PLACE: because of 0", "REFACTOR: because of 1", "ESCALATE: because of 2"];
    assert_eq!((poll.round, &poll.earlier[..]), (2, &reasons.map(str::to_owned)[..]));
    play.votes(GATE, 3, &[("FIX_IN_PLACE", 0.5), ("REFACTOR", 0.5), ("REFACTOR", 0.1)]);
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::Vote));
    let winners: Vec<_> = settled(&play).iter().map(|vote| (vote.round, vote.winner.clone())).collect();
    assert_eq!(winners, [(1, None), (2, None)]);
}

#[test]
fn a_second_round_may_decide() {
    let mut play = voting();
    play.votes(GATE, 0, &[("FIX_IN_PLACE", 0.5), ("REFACTOR", 0.5), ("ESCALATE", 0.5)]);
    play.votes(GATE, 3, &[("FIX_IN_PLACE", 0.9), ("FIX_IN_PLACE", 0.9), ("ESCALATE", 0.5)]);
    assert_eq!(play.open(), ["fix"]);
    assert_eq!(advice(&play), ["FIX_IN_PLACE: because of 3", "FIX_IN_PLACE: because of 4"]);
}

/// The Python tool let one survivor decide: here it decides nothing, however sure it is.
#[test]
fn one_surviving_voter_of_three_decides_nothing() {
    for confidence in [0.2, 1.0] {
        let mut play = voting();
        play.loses("vote:fix_strategy:0", Trouble::Crashed);
        play.loses("vote:fix_strategy:2", Trouble::TimedOut);
        play.votes(GATE, 1, &[("REFACTOR", confidence)]);
        let question = play.question().expect("a question");
        assert_eq!(question.cause, Cause::Vote);
        assert!(question.question.ends_with("has no quorum: 1 of 3 voters answered"), "{}", question.question);
        assert_eq!(settled(&play)[0].winner, None);
        assert!(!play.component().refactored);
        let lost = play.events().filter(|event| matches!(event, Event::SeatLost { .. })).count();
        assert_eq!(lost, 2);
    }
}

#[test]
fn two_of_three_are_a_quorum() {
    let mut play = voting();
    let tries = play.loses("vote:fix_strategy:0", Trouble::Crashed);
    assert_eq!(tries, 2, "a lost voter is asked again, once");
    play.votes(GATE, 1, &[("FIX_IN_PLACE", 0.2), ("FIX_IN_PLACE", 0.2)]);
    assert_eq!(play.open(), ["fix"]);
    assert_eq!(settled(&play)[0].valid, 2);
}

#[test]
fn a_ballot_that_cannot_count_is_asked_for_again() {
    for (vote, confidence) in [("NONSENSE", 0.9), ("REFACTOR", f64::NAN), ("REFACTOR", -1.0), ("REFACTOR", 2.0)] {
        let mut play = voting();
        play.end("vote:fix_strategy:0", ballot(vote, confidence, "so"));
        assert_eq!(play.launch("vote:fix_strategy:0").attempt.n, 2);
        let Phase::Voting(poll) = &play.component().phase else { panic!("no vote") };
        assert!(poll.voters.iter().all(|voter| voter.settled.is_none()));
        play.end("vote:fix_strategy:0", ballot(vote, confidence, "so"));
        assert_eq!(play.open(), ["vote:fix_strategy:1", "vote:fix_strategy:2"], "twice is given up");
        play.votes(GATE, 1, &[("ESCALATE", 0.1), ("ESCALATE", 0.1)]);
        assert_eq!(settled(&play)[0].valid, 2);
    }
}

#[test]
fn no_weight_decides_nothing() {
    let mut play = voting();
    play.votes(GATE, 0, &[("REFACTOR", 0.0); 3]);
    assert_eq!(settled(&play)[0].winner, None);
    assert_eq!(play.open().len(), 3, "a second round");
}

/// A vote is no way around the budget.
#[test]
fn what_voters_chose_counts_and_the_budget_ends() {
    let policy = Policy { max_fix_attempts: 2, ..Setup::default().policy };
    let mut play = voting_in(Setup { policy, ..Setup::default() });
    play.votes(GATE, 0, &[("FIX_IN_PLACE", 0.9); 3]);
    play.writes("fix", "c2");
    play.fails("tests", &["a"]);
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::FixBudget));
}

/// Before there is an implementation, there is nothing to make anew.
#[test]
fn refactor_is_not_offered_for_a_skeleton() {
    let mut play = Play::new(Setup { plain: false, ..Setup::default() });
    let finding = || vec![super::play::change_finding("a test is gone")];
    play.writes_with("skeleton", "sk", finding(), Vec::new());
    play.writes_with("fix", "c1", finding(), Vec::new());
    let Phase::Voting(poll) = &play.component().phase else { panic!("no vote: {:?}", play.open()) };
    assert_eq!(poll.options.iter().map(|option| &**option).collect::<Vec<_>>(), ["FIX_IN_PLACE", "ESCALATE"]);
    play.votes(GATE, 0, &[("ESCALATE", 0.9); 3]);
    let Phase::Asking(question) = &play.component().phase else { panic!("no question") };
    assert_eq!(question.during, During::Validation(cco::lifecycle::event::Scope::Component));
    play.answers(Verb::Accept);
    assert_eq!(play.launch("implement").attempt.step, Step::Implement);
}
