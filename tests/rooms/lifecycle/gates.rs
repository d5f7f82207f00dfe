//! Votes on the whole (DESIGN 5.6): at their moments, each option another action.

use cco::lifecycle::event::{Cause, Event, GateAct as Act, Proof, Verb, Verdict};
use cco::lifecycle::subject::{During, Phase};
use cco::plan::{GateAct, GatePlan, Policy};

use super::play::{Play, Setup};
use super::world::gate;

fn impact() -> GatePlan {
    let options =
        [("KEEP", GateAct::Decide), ("GO", GateAct::Proceed), ("MEND", GateAct::Fix), ("STOP", GateAct::Escalate)];
    gate("impact", true, &options)
}

fn ready() -> GatePlan {
    gate("ready", false, &[("READY", GateAct::Proceed), ("MORE", GateAct::Fix), ("RISKY", GateAct::Escalate)])
}

fn docs() -> GatePlan {
    gate("docs", false, &[("FINE", GateAct::Proceed), ("GAPS", GateAct::Fix)])
}

fn play(gates: Vec<GatePlan>) -> Play {
    Play::new(Setup { gates, whole: vec!["whole"], ..Setup::default() })
}

/// A run whose whole is validated: its votes are next.
fn at_the_end(gates: Vec<GatePlan>) -> Play {
    let mut play = play(gates);
    play.writes("implement", "c0");
    play.passes("tests");
    play.passes("whole");
    play
}

fn all(play: &mut Play, gate: &str, option: &str) {
    play.votes(gate, 0, &[(option, 0.9); 3]);
}

fn acts(play: &Play) -> Vec<(String, Act)> {
    let settled = |event: &Event| match event {
        Event::GateSettled { option, act, .. } => Some((option.to_string(), *act)),
        _ => None,
    };
    play.events().filter_map(settled).collect()
}

#[test]
fn before_the_components_a_vote_proceeds_decides_or_asks() {
    let mut run = play(vec![impact()]);
    assert_eq!(run.open(), ["vote:impact:0", "vote:impact:1", "vote:impact:2"], "nothing begins before");
    all(&mut run, "impact", "KEEP");
    assert_eq!(
        (run.world.state.decisions(), run.open()),
        (&["impact: KEEP".to_owned()][..], vec!["implement".to_owned()])
    );

    let mut run = play(vec![impact()]);
    all(&mut run, "impact", "GO");
    assert_eq!((run.world.state.decisions().len(), run.open()), (0, vec!["implement".to_owned()]));

    let mut run = play(vec![impact()]);
    all(&mut run, "impact", "STOP");
    let question = run.question().expect("a question");
    assert_eq!((question.cause, question.options), (Cause::Vote, vec!["KEEP".to_owned(), "GO".to_owned()]));
    assert_eq!(run.open(), [""; 0]);
    run.answers_with(Verb::Option, Some("KEEP"));
    assert_eq!((run.world.state.decisions().len(), run.open()), (1, vec!["implement".to_owned()]));
}

/// There is nothing to fix before there is any work; above all, the whole does not complete over it.
#[test]
fn a_vote_before_the_components_that_asks_for_a_fix_asks_the_user() {
    let mut run = play(vec![impact()]);
    all(&mut run, "impact", "MEND");
    assert_eq!((run.question().map(|question| question.cause), run.open()), (Some(Cause::Vote), vec![]));
    assert_eq!(run.verdicts(), [], "nothing is validated yet");
    run.answers(Verb::Accept);
    assert_eq!(run.open(), ["implement"]);
}

#[test]
fn after_the_whole_is_validated_votes_are_held_one_after_another() {
    let mut run = at_the_end(vec![docs(), ready()]);
    assert_eq!(run.world.state.completed(), None);
    assert_eq!(run.open(), ["vote:docs:0", "vote:docs:1", "vote:docs:2"]);
    all(&mut run, "docs", "FINE");
    all(&mut run, "ready", "READY");
    assert_eq!(run.world.state.completed(), Some(Proof::Proven));
    assert_eq!(acts(&run), [("FINE".to_owned(), Act::Proceed), ("READY".to_owned(), Act::Proceed)]);
}

#[test]
fn concerns_become_a_fix_round_then_all_is_validated_and_that_vote_held_once_more() {
    let mut run = at_the_end(vec![docs(), ready()]);
    all(&mut run, "docs", "FINE");
    run.votes("ready", 0, &[("MORE", 0.9), ("MORE", 0.8), ("READY", 0.1)]);
    assert_eq!(run.open(), ["fix"]);
    let fixing = run.world.state.run_work().fixing.clone().unwrap();
    assert_eq!(
        fixing.issues.iter().map(|issue| &*issue.text).collect::<Vec<_>>(),
        ["MORE: because of 0", "MORE: because of 1"]
    );
    run.writes("fix", "w1");
    assert_eq!(run.open(), ["check:whole"]);
    run.passes("whole");
    assert_eq!(run.open(), ["vote:ready:0", "vote:ready:1", "vote:ready:2"], "that one, not the others");
    all(&mut run, "ready", "READY");
    assert_eq!(run.world.state.completed(), Some(Proof::Proven));
}

#[test]
fn a_second_fix_is_the_user_s_to_decide_and_then_it_is_made() {
    let mut run = at_the_end(vec![ready()]);
    all(&mut run, "ready", "MORE");
    run.writes("fix", "w1");
    run.passes("whole");
    all(&mut run, "ready", "MORE");
    let question = run.question().expect("a question");
    assert_eq!((question.cause, question.options), (Cause::Vote, vec!["READY".to_owned(), "MORE".to_owned()]));
    run.answers_with(Verb::Option, Some("MORE"));
    assert_eq!(run.open(), ["fix"]);
    let issues = run.world.state.run_work().fixing.clone().unwrap().issues;
    assert_eq!(issues.len(), 3, "what the voters miss is what is to be mended");
    run.writes("fix", "w2");
    run.passes("whole");
    all(&mut run, "ready", "READY");
    assert_eq!(run.world.state.completed(), Some(Proof::Proven));
}

#[test]
fn a_fix_for_a_vote_that_breaks_the_whole_is_mended_first() {
    let mut run = at_the_end(vec![ready()]);
    all(&mut run, "ready", "MORE");
    run.writes("fix", "w1");
    run.fails("whole", &["x"]);
    assert_eq!(run.open(), ["fix"]);
    run.writes("fix", "w2");
    run.passes("whole");
    assert_eq!(run.open().len(), 3);
}

#[test]
fn going_on_over_a_risky_whole_is_never_shown_as_proven() {
    let mut run = at_the_end(vec![ready()]);
    all(&mut run, "ready", "RISKY");
    let Phase::Asking(question) = &run.world.state.run_work().phase else { panic!("no question") };
    assert_eq!(question.during, During::Gate("ready".into()));
    assert_eq!(run.question().unwrap().issues.len(), 3, "what the voters said");
    run.answers(Verb::Accept);
    assert_eq!(run.world.state.completed(), Some(Proof::Waived));
}

#[test]
fn a_vote_that_could_not_be_held_is_no_pass() {
    let mut run = at_the_end(vec![ready()]);
    for voter in 0..3 {
        run.loses(&format!("vote:ready:{voter}"), cco::lifecycle::event::Trouble::Crashed);
    }
    assert_eq!((run.world.state.completed(), run.question().map(|question| question.issues.len())), (None, Some(1)));
    run.answers(Verb::Accept);
    assert_eq!(run.world.state.completed(), Some(Proof::Waived));
}

#[test]
fn a_recheck_validates_what_the_user_changed_and_then_votes() {
    let mut run = at_the_end(vec![ready()]);
    all(&mut run, "ready", "RISKY");
    run.answers(Verb::Recheck);
    assert_eq!(run.open(), ["check:whole"]);
    run.passes("whole");
    assert_eq!(run.open(), ["vote:ready:0", "vote:ready:1", "vote:ready:2"]);
}

#[test]
fn a_retry_votes_again() {
    let mut run = at_the_end(vec![ready()]);
    all(&mut run, "ready", "RISKY");
    run.answers(Verb::Retry);
    assert_eq!(run.open(), ["vote:ready:0", "vote:ready:1", "vote:ready:2"]);
    all(&mut run, "ready", "READY");
    assert_eq!(run.world.state.completed(), Some(Proof::Proven));
}

#[test]
fn without_a_majority_twice_the_user_is_asked() {
    let mut run = at_the_end(vec![ready()]);
    run.votes("ready", 0, &[("READY", 0.5), ("MORE", 0.5), ("RISKY", 0.5)]);
    run.votes("ready", 3, &[("READY", 0.5), ("MORE", 0.5), ("RISKY", 0.5)]);
    assert_eq!(run.question().map(|question| question.cause), Some(Cause::Vote));
    run.answers_with(Verb::Option, Some("READY"));
    assert_eq!(run.world.state.completed(), Some(Proof::Proven), "the user chose what the voters were offered");
}

/// Whoever takes the issues of the whole as they are has not held its votes.
#[test]
fn accepting_the_issues_of_the_whole_leaves_the_votes_to_be_held() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    let mut run = Play::new(Setup { gates: vec![ready()], whole: vec!["whole"], policy, ..Setup::default() });
    run.writes("implement", "c0");
    run.passes("tests");
    run.fails("whole", &["x"]);
    run.answers(Verb::Accept);
    assert_eq!(run.open(), ["vote:ready:0", "vote:ready:1", "vote:ready:2"]);
    all(&mut run, "ready", "READY");
    assert_eq!(run.world.state.completed(), Some(Proof::Waived));
    assert_eq!(run.verdicts().last(), Some(&Verdict::Pass));
}

/// In quick mode the whole proves the components, unless something of it was taken as it is.
#[test]
fn an_accepted_whole_proves_no_component() {
    let policy = Policy { max_fix_attempts: 0, ..Setup::default().policy };
    for accepted in [false, true] {
        let setup =
            Setup { mode: cco::plan::Mode::Quick, whole: vec!["whole"], policy: policy.clone(), ..Setup::default() };
        let mut run = Play::new(setup);
        run.writes("implement", "c0");
        if accepted {
            run.fails("whole", &["x"]);
            run.answers(Verb::Accept);
        } else {
            run.passes("whole");
        }
        let proof = if accepted { (Proof::Unproven, Proof::Waived) } else { (Proof::Proven, Proof::Proven) };
        assert_eq!(
            (run.component().phase.clone(), run.world.state.completed()),
            (Phase::Complete(proof.0), Some(proof.1))
        );
    }
}
