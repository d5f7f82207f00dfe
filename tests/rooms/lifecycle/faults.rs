//! Trouble of the infrastructure, in the core: whatever happens to whoever checks, nothing passes and no fix is used up.

use cco::lifecycle::event::{AttemptEnd, Cause, Event, Trouble, Verb, Verdict};
use cco::lifecycle::subject::Phase;

use super::play::{Play, Setup, checked};

const FAULTS: [Trouble; 7] = [
    Trouble::Crashed,
    Trouble::TimedOut,
    Trouble::RateLimit { until: None },
    Trouble::UsageLimit { until: None },
    Trouble::Transient,
    Trouble::NoAnswer,
    Trouble::Meddled,
];

/// How often a fault may come before its step is given up; none: pauses are waited for as long as it takes.
fn patience(class: Trouble) -> Option<u32> {
    match class {
        Trouble::RateLimit { .. } | Trouble::UsageLimit { .. } => None,
        Trouble::Transient => Some(5),
        _ => Some(2),
    }
}

/// A validation with all that can be lost in it: a command, then two reviewers.
fn validating() -> Play {
    let mut play = Play::new(Setup { reviewers: 2, ..Setup::default() });
    play.writes("implement", "c0");
    play
}

fn voting() -> Play {
    let mut play = Play::new(Setup::default());
    play.writes("implement", "c0");
    play.fails("tests", &["a"]);
    play.writes("fix", "c1");
    play.fails("tests", &["a"]);
    play
}

fn fail(play: &mut Play, step: &str, class: Trouble) {
    play.end(step, AttemptEnd::Failed { class, message: "trouble".into(), resumable: false });
}

fn passes_and_fixes(play: &Play) -> (usize, u32) {
    let passes = play.verdicts().into_iter().filter(|verdict| *verdict == Verdict::Pass).count();
    let fixing = play.component().fixing.as_ref();
    (passes, fixing.map_or(0, |fixing| fixing.counted))
}

#[test]
fn no_fault_of_a_reviewer_passes_or_costs_a_fix() {
    for class in FAULTS {
        for reviewer in [0, 1] {
            let step = format!("review:{reviewer}");
            let mut play = validating();
            play.passes("tests");
            play.finds(1 - reviewer, &[]);
            for _ in 0..patience(class).unwrap_or(12) {
                assert_eq!(play.question(), None);
                fail(&mut play, &step, class);
            }
            assert_eq!(passes_and_fixes(&play), (0, 0), "{class:?} of {step}");
            assert_eq!(play.fixes(), []);
            match patience(class) {
                Some(_) => assert_eq!(play.question().map(|question| question.cause), Some(Cause::NotCheckable)),
                // Asked again and again, with pauses.
                None => assert_eq!(play.open(), [step]),
            }
        }
    }
}

#[test]
fn no_fault_of_a_voter_decides_or_costs_a_fix() {
    for class in FAULTS {
        let mut play = voting();
        let before = passes_and_fixes(&play);
        for _ in 0..12 {
            // Limits let fewer run at once.
            if let Some(step) = play.open().first() {
                fail(&mut play, &step.clone(), class);
            } else if play.question().is_none() {
                play.waits();
            }
        }
        while patience(class).is_some() && play.question().is_none() {
            let step = play.open().remove(0);
            fail(&mut play, &step, class);
        }
        assert_eq!(passes_and_fixes(&play), before, "{class:?}");
        assert_eq!(play.fixes().len(), 1);
        match patience(class) {
            Some(_) => assert_eq!(play.question().map(|question| question.cause), Some(Cause::Vote)),
            None => assert!(matches!(play.component().phase, Phase::Voting(_))),
        }
    }
}

/// A command cannot be limited or meddle, but whatever the shell reports of it, it is no verdict on the work.
#[test]
fn no_fault_of_a_command_passes_or_costs_a_fix() {
    let faults = FAULTS.map(|class| AttemptEnd::Failed { class, message: "trouble".into(), resumable: false });
    let unavailable = [checked("tests", Verdict::Unavailable, &[""]), checked("tests", Verdict::Unavailable, &[])];
    for end in faults.into_iter().chain(unavailable) {
        let mut play = validating();
        for _ in 0..2 {
            assert_eq!(play.question(), None);
            play.end("check:tests", end.clone());
        }
        assert_eq!((passes_and_fixes(&play), play.fixes()), ((0, 0), vec![]), "{end:?}");
        let question = play.question().expect("a question");
        assert_eq!((question.cause, question.issues.len()), (Cause::NotCheckable, 1));
        assert!(question.question.starts_with("could not be checked: check:tests ("), "{}", question.question);
    }
}

#[test]
fn what_was_interrupted_is_done_again_for_ever_and_counts_for_nothing() {
    for resumable in [false, true] {
        let mut play = validating();
        for _ in 0..20 {
            play.end("check:tests", AttemptEnd::Interrupted { resumable: false });
        }
        play.passes("tests");
        for reviewer in [0, 1] {
            for _ in 0..20 {
                play.end(&format!("review:{reviewer}"), AttemptEnd::Interrupted { resumable });
            }
        }
        assert_eq!((passes_and_fixes(&play), play.open().len()), ((0, 0), 2));
        let mut play = voting();
        for _ in 0..20 {
            play.end("vote:fix_strategy:0", AttemptEnd::Interrupted { resumable });
        }
        assert_eq!(play.open().len(), 3);
    }
}

/// Trouble that no retry can mend stops the run before anybody is given up.
#[test]
fn what_stops_the_run_settles_nothing() {
    for class in [Trouble::Authentication, Trouble::Billing, Trouble::Model, Trouble::NotStarted, Trouble::DiskFull] {
        for step in ["check:tests", "review:0"] {
            let mut play = validating();
            if step != "check:tests" {
                play.passes("tests");
            }
            fail(&mut play, step, class);
            assert!(play.world.state.halt().is_some());
            assert_eq!((play.verdicts(), play.question()), (vec![], None), "{class:?} of {step}");
        }
    }
}

/// Who goes on although a command could not be run has not said that it may fail.
#[test]
fn an_accepted_command_that_could_not_be_run_may_not_fail_later() {
    let mut play = Play::new(Setup { whole: vec!["tests"], ..Setup::default() });
    play.writes("implement", "c0");
    for _ in 0..2 {
        play.end("check:tests", checked("tests", Verdict::Unavailable, &[""]));
    }
    play.answers(Verb::Accept);
    assert!(play.component().is_complete());
    play.fails("tests", &[""]);
    assert_eq!(play.open(), ["fix"], "the whole is red");
}

/// One who meddled begins anew: its conversation is spoilt.
#[test]
fn who_meddled_or_was_refused_is_asked_in_a_new_conversation() {
    for (class, anew) in [(Trouble::Meddled, true), (Trouble::Refused, true), (Trouble::NoAnswer, false)] {
        let mut play = validating();
        play.passes("tests");
        let before = play.talk("review:0").0;
        play.end("review:0", AttemptEnd::Failed { class, message: "trouble".into(), resumable: true });
        assert_eq!(play.talk("review:0").0 != before, anew, "{class:?}");
    }
}

/// A flaky command is reported and does not block.
#[test]
fn a_failure_that_passes_on_the_same_tree_is_flaky() {
    let mut play = Play::new(Setup::default());
    play.writes("implement", "c0");
    play.end("check:tests", checked("tests", Verdict::Fail, &["a"]));
    play.passes("tests");
    assert!(play.component().is_complete());
    assert!(play.events().any(|event| matches!(event, Event::Noted { text, .. } if text.contains("flaky"))));
}
