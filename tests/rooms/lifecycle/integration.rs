//! The way onto the integration branch: who lands when, and what is judged again on the way.

use cco::lifecycle::event::{AttemptEnd, Event, Integration, Proof, Verb, Verdict};
use cco::lifecycle::subject::Phase;

use super::play::{Play, Setup};

fn arrives(step: Integration) -> AttemptEnd {
    AttemptEnd::Integrated(Box::new(step))
}

fn caught_up() -> AttemptEnd {
    arrives(Integration::CaughtUp { commit: "m1".into() })
}

fn conflicts() -> AttemptEnd {
    arrives(Integration::Conflicts { commit: "x1".into(), files: vec!["a.rs".into()] })
}

fn complete(play: &Play) -> bool {
    play.component().phase == Phase::Complete(Proof::Proven)
}

#[test]
fn what_is_merged_with_others_work_is_checked_again_before_it_lands() {
    let mut play = Play::new(Setup { reviewers: 1, ..Setup::default() });
    play.writes("implement", "c1");
    play.passes("tests");
    play.own.push_back(caught_up());
    play.finds(0, &[]);
    // The commands once more, and no reviewer: the change is the same.
    assert_eq!((play.open(), complete(&play)), (vec!["check:tests".to_owned()], false));
    play.passes("tests");
    assert!(complete(&play));
    assert_eq!(play.verdicts(), [Verdict::Pass, Verdict::Pass]);
}

#[test]
fn what_is_red_once_merged_is_mended_and_judged_as_a_whole() {
    let mut play = Play::new(Setup { reviewers: 1, ..Setup::default() });
    play.writes("implement", "c1");
    play.passes("tests");
    play.own.push_back(caught_up());
    play.finds(0, &[]);
    play.fails("tests", &["together"]);
    assert_eq!(play.open(), ["fix"]);
    play.writes("fix", "c2");
    play.passes("tests");
    assert_eq!(play.open(), ["review:0"], "reviewers see the tree that would complete");
    play.finds(0, &[]);
    assert!(complete(&play));
}

#[test]
fn what_cannot_be_checked_once_merged_never_lands() {
    let mut play = Play::new(Setup::default());
    play.writes("implement", "c1");
    play.own.push_back(caught_up());
    play.passes("tests");
    for _ in 0..2 {
        play.end("check:tests", super::play::checked("tests", Verdict::Unavailable, &[]));
    }
    assert!(play.question().is_some() && !complete(&play));
    // Looked at again it is validated again, all of it.
    play.answers(Verb::Recheck);
    assert_eq!(play.open(), ["check:tests"]);
    play.passes("tests");
    assert!(complete(&play));
}

#[test]
fn a_conflict_is_resolved_by_an_agent_and_its_work_is_validated() {
    let mut play = Play::new(Setup::default());
    play.writes("implement", "c1");
    play.own.push_back(conflicts());
    play.passes("tests");
    assert_eq!(play.open(), ["resolve"]);
    assert_eq!(play.component().delivery.as_ref().unwrap().conflicts, ["a.rs"]);
    play.writes("resolve", "c2");
    assert_eq!(play.open(), ["check:tests"]);
    play.passes("tests");
    assert!(complete(&play));
    assert!(play.component().commits.is_none(), "what the branch holds is nobody's own any more");
}

#[test]
fn what_was_waived_lands_as_waived() {
    let policy = cco::plan::Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let mut play = Play::new(Setup { policy, ..Setup::default() });
    play.writes("implement", "c1");
    play.fails("tests", &["one"]);
    play.own.push_back(caught_up());
    play.answers(Verb::Accept);
    // Red in the very same part: that is what was taken as it is.
    play.fails("tests", &["one"]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Waived));
}

#[test]
fn a_landing_that_was_cut_off_is_tried_again() {
    let mut play = Play::new(Setup::default());
    play.writes("implement", "c1");
    play.own.push_back(AttemptEnd::Interrupted { resumable: false });
    play.passes("tests");
    assert!(complete(&play));
    let tries = play.events().filter(
        |event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.step == cco::ids::Step::Integrate),
    );
    assert_eq!(tries.count(), 2);
}

#[test]
fn what_mended_the_whole_lands_before_it_is_called_complete() {
    let mut play = Play::new(Setup { whole: vec!["whole"], ..Setup::default() });
    play.writes("implement", "c1");
    play.passes("tests");
    play.fails("whole", &["together"]);
    play.writes("fix", "c2");
    // The user had moved the branch: what was judged is not what would land.
    play.own.push_back(caught_up());
    play.passes("whole");
    assert_eq!((play.open(), play.world.state.completed()), (vec!["check:whole".to_owned()], None));
    play.passes("whole");
    assert_eq!(play.world.state.completed(), Some(Proof::Proven));
    assert!(play.world.state.run_work().commits.is_none());
}
