//! Reviewers (DESIGN 5.2): all must pass, only those with open issues are asked again, and who is lost is no pass.

use cco::lifecycle::event::{Cause, Event, Proof, Trouble, Verb, Verdict};
use cco::lifecycle::report::{ReviewIssue, Severity};
use cco::lifecycle::subject::Phase;
use cco::plan::{Mode, Policy};

use super::play::{Play, Setup, found};

fn reviewed(count: u8) -> Play {
    reviewed_in(Setup { reviewers: count, ..Setup::default() })
}

fn reviewed_in(setup: Setup) -> Play {
    let mut play = Play::new(setup);
    play.writes("implement", "c0");
    play.passes("tests");
    play
}

#[test]
fn a_pass_needs_every_reviewer() {
    let mut play = reviewed(3);
    assert_eq!(play.open(), ["review:0", "review:1", "review:2"], "side by side");
    play.finds(0, &[]);
    play.finds(2, &[]);
    assert!(!play.component().is_complete());
    play.finds(1, &[]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
}

#[test]
fn reviewers_are_asked_about_what_passes_its_commands_only() {
    let mut play = Play::new(Setup { reviewers: 2, ..Setup::default() });
    play.writes("implement", "c0");
    assert_eq!(play.open(), ["check:tests"]);
    play.fails("tests", &["a"]);
    assert_eq!(play.open(), ["fix"]);
}

#[test]
fn who_has_open_issues_is_asked_first_and_all_others_once_more_on_the_tree_that_would_complete() {
    let mut play = reviewed(4);
    play.finds(0, &[]);
    play.finds(1, &["the error is dropped"]);
    play.finds(2, &[]);
    play.finds(3, &["a secret is logged"]);
    play.writes("fix", "c1");
    play.passes("tests");
    assert_eq!(play.open(), ["review:1", "review:3"]);
    play.finds(1, &[]);
    play.finds(3, &["a secret is logged"]);
    // The one that is not satisfied is alone with its issue; nobody else is asked about a tree that cannot complete.
    assert_eq!(play.open(), ["fix"]);
    play.writes("fix", "c2");
    play.passes("tests");
    assert_eq!(play.open(), ["review:3"]);
    play.finds(3, &[]);
    assert_eq!(play.open(), ["review:0", "review:1", "review:2"], "all others, on the very tree");
    for reviewer in 0..3 {
        play.finds(reviewer, &[]);
    }
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
    assert_eq!(play.verdicts(), [Verdict::Fail, Verdict::Fail, Verdict::Pass], "the last two waves are one validation");
}

#[test]
fn what_one_of_the_last_wave_finds_is_mended_too() {
    let mut play = reviewed(2);
    play.finds(0, &["the error is dropped"]);
    play.finds(1, &[]);
    play.writes("fix", "c1");
    play.passes("tests");
    play.finds(0, &[]);
    play.finds(1, &["a secret is logged"]);
    assert_eq!(play.open(), ["fix"]);
    play.writes("fix", "c2");
    play.passes("tests");
    assert_eq!(play.open(), ["review:1"]);
}

/// The one who found it does not judge whether it is mistaken; the next one does, and its word is enough.
#[test]
fn on_a_disputed_issue_another_reviewer_decides() {
    let mut play = reviewed(3);
    play.finds(0, &[]);
    play.finds(1, &["the error is dropped"]);
    play.finds(2, &[]);
    let id = play.issue_ids().remove(0);
    play.writes_with("fix", "", Vec::new(), vec![id]);
    play.passes("tests");
    assert_eq!(play.open(), ["review:2"]);
    play.finds(2, &[]);
    assert_eq!(play.open(), ["review:0", "review:1"]);
    play.finds(0, &[]);
    // It says so once more: that was decided.
    play.finds(1, &["the error is dropped"]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
}

#[test]
fn a_dispute_that_another_reviewer_does_not_follow_is_an_open_issue() {
    let mut play = reviewed(2);
    play.finds(0, &[]);
    play.finds(1, &["the error is dropped"]);
    let id = play.issue_ids().remove(0);
    play.writes_with("fix", "", Vec::new(), vec![id.clone()]);
    play.passes("tests");
    assert_eq!(play.open(), ["review:0"]);
    let same = ReviewIssue { same_as: Some(id.clone()), ..found(Severity::Major, "I see it too") };
    play.reviews(0, vec![same]);
    assert_eq!(play.issue_ids(), [id], "the same issue, found twice in a row");
    assert_eq!(play.open(), ["vote:fix_strategy:0", "vote:fix_strategy:1", "vote:fix_strategy:2"]);
}

#[test]
fn a_dispute_covers_only_what_it_names() {
    let mut play = reviewed(2);
    play.finds(0, &["the error is dropped", "a lock is held across the call"]);
    play.finds(1, &[]);
    let ids = play.issue_ids();
    play.writes_with("fix", "c1", Vec::new(), vec![ids[0].clone(), "nonsense".into()]);
    play.passes("tests");
    assert_eq!(play.open(), ["review:0", "review:1"], "one decides, the other looks after its second issue");
    play.finds(1, &[]);
    play.finds(0, &["the error is dropped", "a lock is held across the call"]);
    assert_eq!(play.issue_ids(), [ids[1].clone()]);
}

#[test]
fn a_single_reviewer_has_the_last_word() {
    let mut play = reviewed(1);
    play.finds(0, &["the error is dropped"]);
    let id = play.issue_ids().remove(0);
    play.writes_with("fix", "", Vec::new(), vec![id]);
    play.passes("tests");
    play.finds(0, &["the error is dropped"]);
    assert!(!play.component().is_complete());
    assert_eq!(play.verdicts(), [Verdict::Fail, Verdict::Fail]);
}

#[test]
fn small_and_ungrounded_remarks_do_not_block() {
    let mut play = reviewed(2);
    play.reviews(0, vec![found(Severity::Minor, "a name could be better")]);
    play.reviews(1, vec![ReviewIssue { line: None, ..found(Severity::Critical, "it feels wrong") }]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
}

#[test]
fn in_full_mode_small_remarks_block_once() {
    let mut play = reviewed_in(Setup { mode: Mode::Full, reviewers: 1, ..Setup::default() });
    play.reviews(
        0,
        vec![found(Severity::Minor, "a name could be better"), found(Severity::Major, "the error is dropped")],
    );
    assert_eq!(play.issue_ids().len(), 2, "the fix answers for both");
    play.writes("fix", "c1");
    play.passes("tests");
    play.reviews(0, vec![found(Severity::Minor, "a name could be better")]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
}

/// Red tests before it do not take the one time away.
#[test]
fn in_full_mode_small_remarks_block_once_also_after_red_tests() {
    let mut play = Play::new(Setup { mode: Mode::Full, reviewers: 1, ..Setup::default() });
    play.writes("implement", "c0");
    play.fails("tests", &["a"]);
    play.writes("fix", "c1");
    play.passes("tests");
    play.reviews(0, vec![found(Severity::Minor, "a name could be better")]);
    assert_eq!(play.open(), ["fix"]);
    play.writes("fix", "c2");
    play.passes("tests");
    play.reviews(0, vec![found(Severity::Minor, "a name could be better")]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
}

#[test]
fn a_lost_reviewer_is_asked_again_and_then_escalates_as_could_not_be_checked() {
    for class in [Trouble::Crashed, Trouble::TimedOut, Trouble::NoAnswer, Trouble::Meddled, Trouble::Refused] {
        let mut play = reviewed(2);
        play.finds(0, &[]);
        assert_eq!(play.loses("review:1", class), 2, "{class:?}");
        let question = play.question().expect("a question");
        assert_eq!(question.cause, Cause::NotCheckable);
        assert!(question.question.starts_with("could not be checked: review:1 ("), "{}", question.question);
        assert_eq!(play.fixes(), [], "no fix attempt is consumed");
        assert_eq!(play.verdicts(), [Verdict::Unavailable]);
        play.answers(Verb::Retry);
        assert_eq!(play.open(), ["check:tests"], "validated anew");
    }
}

/// A fix is made for what was found; who was lost is asked again with the next round.
#[test]
fn what_was_found_is_mended_before_what_could_not_be_checked_asks() {
    let mut play = reviewed(2);
    play.loses("review:1", Trouble::Crashed);
    play.finds(0, &["the error is dropped"]);
    assert_eq!(play.open(), ["fix"]);
    assert_eq!(play.issue_ids().len(), 1);
}

#[test]
fn doing_without_a_reviewer_is_waived_and_of_this_component_only() {
    let mut play = reviewed_in(Setup { reviewers: 1, whole: vec!["whole"], ..Setup::default() });
    play.loses("review:0", Trouble::Crashed);
    play.answers(Verb::Accept);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Waived));
    play.passes("whole");
    play.loses("review:0", Trouble::Crashed);
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::NotCheckable), "the whole has its own");
}

/// What the user took as it is does not drag small remarks along.
#[test]
fn beside_an_accepted_issue_small_remarks_do_not_block() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let mut play = reviewed_in(Setup { reviewers: 2, policy, ..Setup::default() });
    play.reviews(
        0,
        vec![found(Severity::Major, "the error is dropped"), found(Severity::Minor, "a name could be better")],
    );
    play.finds(1, &[]);
    play.answers(Verb::Accept);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Waived));
}

#[test]
fn after_a_skeleton_reviewers_judge_without_commands() {
    let mut play = Play::new(Setup { mode: Mode::Full, plain: false, reviewers: 1, ..Setup::default() });
    play.writes("skeleton", "sk");
    assert_eq!(play.open(), ["review:0"]);
    play.finds(0, &[]);
    play.writes("implement", "c0");
    assert_eq!(play.open(), ["check:tests"]);
    let settled = play.events().filter(|event| matches!(event, Event::ValidationSettled { .. })).count();
    assert_eq!(settled, 1);
}
