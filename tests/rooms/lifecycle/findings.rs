//! What the change checks found (DESIGN 5.2, stage 1): it blocks before anything else runs.

use cco::lifecycle::event::{Cause, Event, Proof, Trend, Verb};
use cco::lifecycle::subject::Phase;
use cco::plan::{Mode, Policy};

use super::play::{Play, Setup, change_finding};
use super::world::compared;

fn found(texts: &[&str]) -> Vec<cco::lifecycle::event::Issue> {
    texts.iter().map(|text| change_finding(text)).collect()
}

fn checks_run(play: &Play) -> usize {
    let check = |event: &&Event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.step.to_string().starts_with("check:"));
    play.events().filter(check).count()
}

#[test]
fn a_finding_blocks_before_any_command_runs() {
    let mut play = Play::new(Setup { reviewers: 2, ..Setup::default() });
    play.writes_with("implement", "c0", found(&["a test is gone"]), Vec::new());
    assert_eq!((play.open(), checks_run(&play)), (vec!["fix".to_owned()], 0));
    assert_eq!(play.last_fix(), (true, Trend::First, None));
    play.writes("fix", "c1");
    assert_eq!(play.open(), ["check:tests"]);
    play.passes("tests");
    play.finds(0, &[]);
    play.finds(1, &[]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
}

#[test]
fn after_a_skeleton_the_implementation_follows_once_it_is_mended() {
    for mode in [Mode::Standard, Mode::Full] {
        let mut play = Play::new(Setup { mode, plain: false, ..Setup::default() });
        play.writes_with("skeleton", "sk", found(&["a test is gone"]), Vec::new());
        assert_eq!(play.open(), ["fix"]);
        play.writes("fix", "c1");
        assert_eq!(play.open(), ["implement"], "{mode:?}");
        // What is mended is over: the next failure has the whole budget.
        play.writes("implement", "c2");
        play.fails("tests", &["a"]);
        assert_eq!(play.last_fix(), (true, Trend::First, None));
        assert_eq!(play.component().fixing.as_ref().unwrap().counted, 1);
    }
}

#[test]
fn findings_accepted_after_a_skeleton_leave_the_implementation_to_be_done() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let mut play = Play::new(Setup { plain: false, policy, ..Setup::default() });
    play.writes_with("skeleton", "sk", found(&["a test is gone"]), Vec::new());
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::FixBudget));
    play.answers(Verb::Accept);
    play.writes_with("implement", "c0", found(&["a test is gone"]), Vec::new());
    play.passes("tests");
    assert_eq!(play.component().phase, Phase::Complete(Proof::Waived), "by name, also after the next step");
}

#[test]
fn findings_accepted_after_the_implementation_leave_the_commands_to_be_run() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let mut play = Play::new(Setup { policy, reviewers: 1, ..Setup::default() });
    play.writes_with("implement", "c0", found(&["a test is gone"]), Vec::new());
    play.answers(Verb::Accept);
    assert_eq!(play.open(), ["check:tests"]);
    play.passes("tests");
    play.finds(0, &[]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Waived));
}

#[test]
fn other_findings_than_the_accepted_ones_block() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let mut play = Play::new(Setup { plain: false, policy, ..Setup::default() });
    play.writes_with("skeleton", "sk", found(&["a test is gone"]), Vec::new());
    play.answers(Verb::Accept);
    play.writes_with("implement", "c0", found(&["a test is gone", "a lint is off"]), Vec::new());
    let texts: Vec<String> = play.question().unwrap().issues.into_iter().map(|issue| issue.text).collect();
    assert_eq!(texts, ["a lint is off"]);
}

#[test]
fn a_retry_or_recheck_of_findings_after_a_skeleton_does_not_skip_the_implementation() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let mut play = Play::new(Setup { plain: false, policy, ..Setup::default() });
    play.writes_with("skeleton", "sk", found(&["a test is gone"]), Vec::new());
    // cco looks at the change again: what is still there stands.
    play.own.push_back(compared(found(&["a test is gone"])));
    play.answers(Verb::Recheck);
    assert_eq!(play.question().map(|question| question.id), Some("q2".to_owned()));
    play.answers(Verb::Retry);
    play.writes("fix", "c1");
    assert_eq!(play.open(), ["implement"]);
}

#[test]
fn a_recheck_of_findings_that_the_user_mended_goes_on() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let mut play = Play::new(Setup { plain: false, policy, ..Setup::default() });
    play.writes_with("skeleton", "sk", found(&["a test is gone"]), Vec::new());
    play.answers(Verb::Recheck);
    assert_eq!((play.question(), play.open()), (None, vec!["implement".to_owned()]));
}

#[test]
fn quick_mode_checks_the_change_too() {
    let mut play = Play::new(Setup { mode: Mode::Quick, whole: vec!["whole"], ..Setup::default() });
    play.writes_with("implement", "c0", found(&["a test is gone"]), Vec::new());
    assert_eq!(play.open(), ["fix"]);
    play.writes("fix", "c1");
    assert_eq!(
        (play.component().phase.clone(), play.open()),
        (Phase::Complete(Proof::Unproven), vec!["check:whole".to_owned()])
    );
}

/// Tampering in order to make tests pass is further away than red tests.
#[test]
fn a_fix_that_tampers_is_worse_and_goes_back() {
    let mut play = Play::new(Setup::default());
    play.writes("implement", "c0");
    play.fails("tests", &["a", "b"]);
    play.writes_with("fix", "c1", found(&["a test is gone"]), Vec::new());
    assert_eq!(play.last_fix(), (true, Trend::Worse, Some("c0")));
    play.writes("fix", "c2");
    assert_eq!(play.open(), ["check:tests"]);
}

/// A fix of the whole is checked like any other change.
#[test]
fn findings_of_a_fix_of_the_whole_block() {
    let mut play = Play::new(Setup { whole: vec!["whole"], ..Setup::default() });
    play.writes("implement", "c0");
    play.passes("tests");
    play.fails("whole", &["a"]);
    let before = checks_run(&play);
    play.writes_with("fix", "w1", found(&["a test is gone"]), Vec::new());
    assert_eq!((play.open(), checks_run(&play)), (vec!["fix".to_owned()], before));
    play.writes("fix", "w2");
    play.passes("whole");
    assert_eq!(play.world.state.completed(), Some(Proof::Proven));
}
