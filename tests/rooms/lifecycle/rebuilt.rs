//! A state without records: what git tells is written and nothing more.

use cco::ids::{AttemptId, ComponentId, Digest, Step, Subject};
use cco::lifecycle::event::{
    AttemptEnd, Event, FoundLanding, FoundTip, FoundWork, Proof, Rebuilt, Redo, StaleReason, Verb,
};
use cco::lifecycle::rebuilt::{LandedTrace, TipTrace, Traces, outlook};
use cco::lifecycle::subject::{Phase, Todo};
use cco::plan::{Mode, Policy};

use super::play::{Play, Setup};
use super::world::{compared, start, tampered};

fn on(id: &str) -> Subject {
    Subject::Component(ComponentId::new(id).unwrap())
}

fn attempt(id: &str, step: Step, n: u32) -> AttemptId {
    AttemptId { on: on(id), step, n }
}

fn landing(id: &str, n: u32) -> FoundLanding {
    let attempt = attempt(id, Step::Integrate, n);
    FoundLanding { attempt, commit: "l1".into(), onto: "b0".into(), tree: "t1".into(), conflicts: Vec::new() }
}

fn tip(implemented: bool) -> FoundTip {
    FoundTip { first: "c1".into(), last: "c2".into(), implemented: implemented.then(|| "c2".into()) }
}

/// What git tells of `a`.
fn work(landed: Vec<FoundLanding>, tip: Option<FoundTip>) -> FoundWork {
    let attempts = vec![attempt("a", Step::Implement, 1), attempt("a", Step::Fix, 2)];
    FoundWork { on: on("a"), input: Some(Digest::default()), attempts, landed, tip }
}

fn after(setup: Setup, work: FoundWork) -> Play {
    let rebuilt = Rebuilt { branch: "l1".into(), work: vec![work] };
    Play::after(setup, &[(start(), vec![Event::StateRebuilt(Box::new(rebuilt))])])
}

/// The steps that were started, in order.
fn started(play: &Play) -> Vec<String> {
    let name = |event: &Event| match event {
        Event::AttemptStarted { attempt, .. } if attempt.on != Subject::Run => Some(attempt.to_string()),
        _ => None,
    };
    play.events().filter_map(name).collect()
}

#[test]
fn what_landed_is_compared_and_validated_before_it_is_complete() {
    let mut play = after(Setup { reviewers: 1, ..Setup::default() }, work(vec![landing("a", 3)], None));
    assert_eq!(play.world.state.branch_tip(), Some("l1"));
    play.passes("tests");
    play.finds(0, &[]);
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
    assert_eq!(
        started(&play),
        ["a.compare-1", "a.check:tests-1", "a.review:0-1", "a.integrate-1"],
        "nobody is asked to write it again"
    );
}

#[test]
fn each_landing_is_compared_and_so_is_what_the_branch_does_not_hold() {
    let mut play = after(Setup::default(), work(vec![landing("a", 1), landing("a", 2)], Some(tip(true))));
    assert_eq!(play.component().tip(), Some("c2"));
    play.passes("tests");
    assert_eq!(started(&play)[..3], ["a.compare-1", "a.compare-2", "a.compare-3"]);
}

#[test]
fn what_is_found_wanting_is_mended_and_compared_again() {
    // The baseline first, so that there is time to say what the comparison finds.
    let setup = Setup { baseline: vec!["lint"], ..Setup::default() };
    let mut play = after(setup.clone(), work(vec![landing("a", 1)], None));
    play.own.extend([compared(vec![tampered()])]);
    play.passes("lint");
    assert_eq!(play.open(), ["fix"]);
    play.own.extend([compared(vec![tampered()])]);
    play.writes("fix", "c3");
    // It is wanting still.
    play.votes("fix_strategy", 0, &[("FIX_IN_PLACE", 1.0), ("FIX_IN_PLACE", 1.0), ("FIX_IN_PLACE", 1.0)]);
    assert_eq!(play.open(), ["fix"]);
    play.writes("fix", "c4");
    play.passes("tests");
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
    let fixes: Vec<String> = started(&play).into_iter().filter(|name| name.starts_with("a.fix-")).collect();
    assert_eq!(fixes, ["a.fix-3", "a.fix-4"], "numbers that commits know are not given again");

    // Who takes it as it is goes on with that, once.
    let mut play = after(setup, work(vec![landing("a", 1)], None));
    play.own.extend([compared(vec![tampered()])]);
    play.passes("lint");
    for round in 0.. {
        if play.question().is_some() {
            break;
        }
        assert!(round < 20, "{:?}", play.open());
        play.own.extend([compared(vec![tampered()])]);
        if play.open().contains(&"fix".to_owned()) {
            play.writes("fix", &format!("c{round}"));
        } else {
            play.votes("fix_strategy", 0, &[("ESCALATE", 1.0), ("ESCALATE", 1.0), ("ESCALATE", 1.0)]);
            assert!(play.question().is_some());
        }
    }
    play.own.clear();
    play.answers(Verb::Accept);
    if play.open() == ["check:tests"] {
        play.passes("tests");
    }
    assert_eq!(play.component().phase, Phase::Complete(Proof::Waived));
}

#[test]
fn a_comparison_that_tells_of_no_change_is_not_asked_for_for_ever() {
    // As in a directory without git.
    let end = AttemptEnd::Compared { commit: None, product: None, findings: Vec::new(), change: None };
    let setup = Setup { baseline: vec!["lint"], ..Setup::default() };
    let mut play = after(setup, work(vec![landing("a", 1)], None));
    play.own.push_back(end);
    play.passes("lint");
    assert_eq!(play.open(), ["check:tests"]);
    play.passes("tests");
}

#[test]
fn a_skeleton_is_where_the_work_begins_again() {
    let setup = Setup { plain: false, ..Setup::default() };
    let play = after(setup, work(Vec::new(), Some(tip(false))));
    assert_eq!((play.open(), play.component().tip()), (vec!["skeleton".to_owned()], Some("c2")));
    assert!(play.component().unseen.is_none());
}

#[test]
fn a_skeleton_over_what_landed_is_not_the_work() {
    let begun_anew = |step| {
        let attempts = vec![attempt("a", Step::Integrate, 1), attempt("a", step, 2)];
        FoundWork { attempts, ..work(vec![landing("a", 1)], Some(tip(false))) }
    };
    let setup = Setup { plain: false, ..Setup::default() };
    let mut play = after(setup.clone(), begun_anew(Step::Skeleton));
    assert_eq!((play.open(), play.component().tip()), (vec!["skeleton".to_owned()], Some("c2")));
    play.writes("skeleton", "c3");
    assert_eq!(play.open(), ["implement"]);
    play.writes("implement", "c4");
    play.passes("tests");
    assert_eq!(
        started(&play),
        ["a.skeleton-3", "a.implement-1", "a.compare-1", "a.check:tests-1", "a.integrate-2"],
        "what landed before is compared all the same"
    );
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));

    // What a user left there is no skeleton; it is compared like everything else.
    let mut play = after(setup, begun_anew(Step::Compare));
    assert_eq!(started(&play), ["a.compare-3", "a.compare-4", "a.check:tests-1"]);
    play.passes("tests");
}

#[test]
fn what_is_done_again_is_written_whole() {
    for mode in [Mode::Standard, Mode::Full] {
        let rebuilt = Rebuilt { branch: "l1".into(), work: vec![work(vec![landing("a", 1)], None)] };
        let asked = Event::WentStale { on: on("a"), why: StaleReason::Asked, redo: Redo::All, guidance: None };
        let records = [(start(), vec![Event::StateRebuilt(Box::new(rebuilt)), asked])];
        let mut play = Play::after(Setup { mode, plain: false, ..Setup::default() }, &records);
        play.writes_with("skeleton", "sk", vec![tampered()], Vec::new());
        play.writes("fix", "c0");
        assert_eq!(play.open(), ["implement"], "{mode:?}");
        play.writes("implement", "c1");
        play.passes("tests");
        let steps = started(&play);
        let at = |name: &str| steps.iter().position(|step| step.starts_with(name));
        assert!(at("a.implement") < at("a.compare") && at("a.compare") < at("a.check"), "{steps:?}");
        assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
    }
}

#[test]
fn what_the_user_mended_is_looked_at_again() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let setup = Setup { baseline: vec!["lint"], policy, ..Setup::default() };
    let mut play = after(setup, work(vec![landing("a", 1)], None));
    play.own.extend([compared(vec![tampered()])]);
    play.passes("lint");
    assert!(play.question().is_some());
    // Not mended yet.
    play.own.extend([compared(vec![tampered()])]);
    play.answers(Verb::Recheck);
    assert!(play.question().is_some());
    play.answers(Verb::Recheck);
    assert_eq!(play.question(), None);
    assert!(play.component().unseen.is_none() && play.component().findings.is_empty());
    play.passes("tests");
    let compared = started(&play).iter().filter(|name| name.starts_with("a.compare-")).count();
    assert_eq!(compared, 5, "what landed, and each time what the user left beside it");
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
}

#[test]
fn what_was_edited_since_is_revised() {
    let edited = FoundWork { input: Some(Digest::of(b"then")), ..work(vec![landing("a", 1)], None) };
    let mut play = after(Setup::default(), edited);
    let revised = Event::WentStale { on: on("a"), why: StaleReason::Input, redo: Redo::Revise, guidance: None };
    assert!(play.events().any(|event| *event == revised));
    play.writes("revise", "c3");
    play.passes("tests");
    assert!(started(&play).contains(&"a.compare-1".to_owned()), "what landed before is compared all the same");
    assert_eq!(play.component().phase, Phase::Complete(Proof::Proven));
}

#[test]
fn only_what_says_what_it_was_made_from_is_taken_up() {
    let play = Play::new(Setup::default());
    let plan = play.world.state.plan().clone();
    let input = Some(Digest::default());
    let landed = |id: &str, n, input| LandedTrace { landing: landing(id, n), input };
    let beside = |id: &str, n, input| TipTrace {
        on: if id == "@run" { Subject::Run } else { on(id) },
        tip: tip(true),
        attempts: vec![attempt(id.trim_start_matches('@'), Step::Fix, n)],
        input,
    };
    let traces = Traces {
        branch: "l1".into(),
        landed: vec![landed("gone", 1, input), landed("a", 1, input), landed("a", 2, input), landed("old", 1, None)],
        tips: vec![beside("a", 5, input), beside("older", 1, None), beside("@run", 1, None)],
    };
    let found = outlook(&plan, &traces);
    let names: Vec<String> = found.rebuilt.work.iter().map(|work| work.on.to_string()).collect();
    assert_eq!(names, ["a", "gone"], "in the plan's order, and then what it has no more");
    let a = &found.rebuilt.work[0];
    assert_eq!((a.landed.len(), a.tip.is_some()), (2, true));
    assert_eq!(a.attempts, [attempt("a", Step::Integrate, 2), attempt("a", Step::Fix, 5)]);
    let left: Vec<String> = found.left.iter().map(|(on, _)| on.to_string()).collect();
    assert_eq!(left, ["old", "older", "@run"]);

    let mut state = cco::lifecycle::state::RunState::new(plan);
    state.apply(&Event::StateRebuilt(Box::new(found.rebuilt)), start()).unwrap();
    assert_eq!(state.component(0).phase, Phase::Waiting(Todo::Validate));
    assert_eq!(state.removed().map(ToString::to_string).collect::<Vec<_>>(), ["gone"]);
    assert!(state.completed().is_none() && state.counts().complete == 0);
}
