//! The untouched base (DESIGN 5.2, stage 0): red there, nothing begins.

use cco::lifecycle::event::{Cause, Event, Proof, Scope, Trend, Verb};
use cco::lifecycle::subject::Phase;
use cco::plan::{Mode, Policy};

use super::play::{Play, Setup};

fn base(inherit_red: bool) -> Setup {
    let policy = Policy { inherit_red, ..Setup::default().policy };
    Setup { baseline: vec!["lint", "tests"], policy, ..Setup::default() }
}

fn begun(play: &Play) -> bool {
    play.events().any(|event| matches!(event, Event::ComponentStarted { .. }))
}

#[test]
fn a_green_base_is_followed_by_the_work() {
    let mut play = Play::new(base(false));
    assert_eq!(play.open(), ["check:lint", "check:tests"], "nothing else before it is known");
    play.passes("lint");
    play.passes("tests");
    assert_eq!(play.open(), ["implement"]);
}

#[test]
fn a_red_base_stops_before_anything_is_paid() {
    let mut play = Play::new(base(false));
    play.passes("lint");
    play.fails("tests", &["x", "y"]);
    let question = play.question().expect("a question");
    assert_eq!((question.cause, question.issues.len(), begun(&play)), (Cause::RedBase, 2, false));
    assert!(question.question.starts_with("check:tests is red on the untouched base"), "{}", question.question);
    assert_eq!(play.open(), [""; 0]);
    // Mended and asked again.
    play.answers(Verb::Recheck);
    play.passes("lint");
    play.passes("tests");
    assert_eq!(play.open(), ["implement"]);
}

#[test]
fn a_base_that_cannot_be_checked_is_no_green_one() {
    let mut play = Play::new(base(true));
    play.passes("tests");
    play.loses("check:lint", cco::lifecycle::event::Trouble::TimedOut);
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::NotCheckable));
    assert!(!begun(&play));
}

#[test]
fn what_was_accepted_of_the_base_is_waived_wherever_it_is_found() {
    let mut play = Play::new(Setup { reviewers: 1, mode: Mode::Full, whole: vec!["tests"], ..base(false) });
    play.passes("lint");
    play.fails("tests", &["x"]);
    play.answers(Verb::Accept);
    assert!(play.world.state.run_work().fixing.is_none(), "no fix loop is left behind");
    play.writes("implement", "c0");
    play.fails("tests", &["x"]);
    assert_eq!(play.open(), ["review:0"], "it is not the component's");
    play.finds(0, &[]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Waived));
    play.fails("tests", &["x"]);
    play.finds(0, &[]);
    assert_eq!(play.world.state.completed(), Some(Proof::Waived));
}

#[test]
fn what_else_fails_than_was_accepted_of_the_base_blocks() {
    let mut play = Play::new(base(false));
    play.passes("lint");
    play.fails("tests", &["x"]);
    play.answers(Verb::Accept);
    play.writes("implement", "c0");
    play.fails("tests", &["x", "z"]);
    assert_eq!(play.open(), ["fix"]);
    assert_eq!(play.issue_ids().len(), 1);
}

#[test]
fn named_failures_are_inherited_and_what_else_fails_blocks() {
    let mut play = Play::new(Setup { whole: vec!["tests"], ..base(true) });
    play.passes("lint");
    play.fails("tests", &["x", "y"]);
    assert!(play.events().any(|event| matches!(event, Event::Inherited { issues } if issues.len() == 2)));
    assert_eq!((play.question(), play.open()), (None, vec!["implement".to_owned()]));
    play.writes("implement", "c0");
    play.fails("tests", &["x", "y", "z"]);
    assert_eq!(play.last_fix(), (true, Trend::First, None));
    assert_eq!(play.component().fixing.as_ref().unwrap().issues[0].text, "`z` fails");
    play.writes("fix", "c1");
    play.fails("tests", &["x"]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven), "what was red before proves nothing against it");
    play.fails("tests", &["y"]);
    assert_eq!(play.world.state.completed(), Some(Proof::Proven));
}

#[test]
fn a_red_command_without_names_must_become_green() {
    let mut play = Play::new(base(true));
    play.fails("lint", &["looks like a name"]);
    play.fails("tests", &["x"]);
    let question = play.question().expect("lint has no report: its parts are no tests");
    assert_eq!((question.cause, begun(&play)), (Cause::RedBase, false));
    assert_eq!(
        question.issues.iter().map(|issue| &*issue.source).collect::<Vec<_>>(),
        ["check:lint"],
        "x is inherited"
    );
    // The report may name nothing: then the command is red as a whole.
    let mut play = Play::new(base(true));
    play.passes("lint");
    play.fails("tests", &[""]);
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::RedBase));
    assert!(!play.events().any(|event| matches!(event, Event::Inherited { .. })));
}

#[test]
fn nothing_of_the_base_is_looked_at_again_once_work_began() {
    let mut play = Play::new(base(false));
    play.passes("lint");
    play.passes("tests");
    play.writes("implement", "c0");
    play.passes("tests");
    let opened = play.events().filter(|event| matches!(event, Event::ValidationOpened { scope: Scope::Baseline, .. }));
    assert_eq!(opened.count(), 1);
}

/// The run was killed when the base was good and nothing had begun; then the checks were edited.
#[test]
fn a_base_that_is_looked_at_again_and_red_is_asked_about_too() {
    let mut play = Play::new(base(false));
    play.passes("lint");
    play.passes("tests");
    let settled = |events: &[Event]| events.iter().any(|event| matches!(event, Event::ValidationSettled { .. }));
    let good = play.world.records.iter().position(|(_, events)| settled(events)).unwrap();
    let edited = Setup { whole: vec!["whole"], ..base(false) };
    let mut play = Play::after(edited, &play.world.records[..=good]);
    assert_eq!(play.open(), ["check:lint", "check:tests"]);
    play.passes("lint");
    play.fails("tests", &["x"]);
    assert_eq!(play.question().map(|question| question.cause), Some(Cause::RedBase));
    assert_eq!(play.open(), [""; 0], "no agent is set on it");
}
