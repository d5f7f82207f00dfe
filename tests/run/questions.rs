//! Answers from another process, to the questions that enforcement asks: while a run lives, and afterwards. Only what
//! depends on the answer waits.

use cco::lifecycle::event::{Author, Cause, Event, Proof};
use serde_json::{Value, json};

use crate::env::write;
use crate::world::{World, component, fault, manifest, votes, writes};

/// `a` asks by `seats`; `b` depends on it, `d` depends on `c`, which does not and is written only once [`go`] lets it
/// be.
fn world(seats: &Value) -> World {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "good", "run": "grep -q good a.txt"}]);
    let mut manifest = manifest(vec![a, component("b", &["a"]), component("c", &[]), component("d", &["c"])]);
    manifest["execution"] = json!({"reviewers": 0, "max_parallel": 2, "parallel_components": true});
    let world = World::new(manifest, json!({}));
    play(&world, seats);
    world
}

fn play(world: &World, seats: &Value) {
    let mut slow = writes("c", "x");
    slow["actions"].as_array_mut().unwrap().push(json!({"wait": {"until_file": world.env.root().join("go")}}));
    let mut steps = json!({
        "a.implement": writes("a", "bad"), "a.fix": writes("a", "still bad"),
        "b.*": writes("b", "x"), "c.implement": slow, "d.*": writes("d", "x"),
    });
    for (key, value) in seats.as_object().unwrap() {
        steps[key] = value.clone();
    }
    world.play(json!({"sessions": true, "steps": steps}));
}

fn go(world: &World) {
    write(&world.env.root().join("go"), "");
}

/// A question of each new kind, with an answer and what it then plays.
fn kinds() -> Vec<(&'static str, Value, Cause, Vec<&'static str>, Value)> {
    let good = json!({"a.implement": writes("a", "good"), "a.fix": writes("a", "good")});
    vec![
        (
            "a vote that chose to ask",
            json!({"a.vote:fix_strategy:*": votes("ESCALATE", 0.9, "two requirements contradict each other")}),
            Cause::Vote,
            vec!["--option", "REFACTOR"],
            good.clone(),
        ),
        (
            "a vote without a quorum",
            json!({"a.vote:fix_strategy:*": fault(json!("no_answer"))}),
            Cause::Vote,
            vec!["--option", "FIX_IN_PLACE"],
            good.clone(),
        ),
        (
            "a vote without a quorum, retried with a word",
            json!({"a.vote:fix_strategy:*": fault(json!("no_answer"))}),
            Cause::Vote,
            vec!["retry", "-m", "the word is good"],
            good.clone(),
        ),
        (
            "an agent that is blocked",
            json!({"a.implement": {"answer": {"status": "blocked", "summary": "s", "questions": ["which colour?"]}}}),
            Cause::AgentBlocked,
            vec!["retry", "-m", "green"],
            good,
        ),
    ]
}

#[test]
fn a_question_is_answered_from_another_process_while_the_run_goes_on() {
    for (kind, seats, cause, answer, then) in kinds() {
        let world = world(&seats);
        let mut run = world.start(&[]);
        run.records(|event| matches!(event, Event::Escalated(_)));
        assert_eq!(world.questions()[0].cause, cause, "{kind}");
        play(&world, &then);
        world.tells(&[&["q1"], &answer[..]].concat());
        // Taken up by the live run, while `c` is still at work.
        run.records(|event| matches!(event, Event::Answered(_)));
        assert!(
            !world.has(|event| matches!(event, Event::ComponentCompleted { on, .. } if on.as_str() == "c")),
            "{kind}"
        );
        go(&world);
        assert_eq!(run.end(), 0, "{kind}: {:#?}", world.events());
        assert!(world.has(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })), "{kind}");
        let answered = world
            .records()
            .into_iter()
            .find(|record| record.events.iter().any(|event| matches!(event, Event::Answered(_))));
        assert!(matches!(answered.unwrap().by, Author::User(_)), "{kind}: who answered is not recorded");
        world.assert_nothing_left();
    }
}

#[test]
fn only_what_depends_on_the_answer_waits_and_the_next_run_takes_it_up() {
    for (kind, seats, cause, answer, then) in kinds() {
        let world = world(&seats);
        go(&world);
        let output = world.run(&[]);
        assert_eq!(output.status, 3, "{kind}: {output}");
        assert!(output.to_string().contains("cco answer p/world-00000000 q1"), "{kind}: {output}");
        let own = if cause == Cause::Vote { ", --option FIX_IN_PLACE, --option REFACTOR\n" } else { "\n" };
        let ways = format!("retry -m \"…\"   or: accept, recheck, skip, abort{own}");
        assert!(output.to_string().contains(&ways), "{kind}: {output}");
        assert_eq!(world.questions()[0].cause, cause, "{kind}");
        let complete =
            |id: &str| world.has(|event| matches!(event, Event::ComponentCompleted { on, .. } if on.as_str() == id));
        assert!(complete("c") && complete("d"), "{kind}: what does not depend on it goes on");
        assert!(!complete("a") && !complete("b"), "{kind}");
        assert!(!world.started().iter().any(|name| name.starts_with("b.")), "{kind}");
        // Nothing happens by itself.
        let before = world.started().len();
        world.ends(&[], 3);
        assert_eq!(world.started().len(), before, "{kind}");

        play(&world, &then);
        world.tells(&[&["q1"], &answer[..]].concat());
        world.ends(&[], 0);
        assert!(complete("a") && complete("b"), "{kind}");
        if let Some(at) = answer.iter().position(|word| *word == "-m") {
            let written = world.wrote();
            assert!(
                written.contains(&"a.fix".to_owned()) || written.contains(&"a.implement".to_owned()),
                "{written:?}"
            );
            let names = world.started();
            let prompts: Vec<String> = names
                .iter()
                .filter(|name| name.starts_with("a.fix") || name.starts_with("a.implement-2"))
                .cloned()
                .collect();
            let last = prompts.last().unwrap();
            assert!(world.prompt(last).contains(answer[at + 1]), "{kind}: {last}");
        }
        world.assert_nothing_left();
    }
}

/// A question on the whole: nothing more depends on it, and each way out is another.
#[test]
fn a_gate_that_asks_is_answered_while_the_run_lives() {
    let mut manifest = manifest(vec![component("a", &[]), component("b", &["a"])]);
    manifest["execution"]["voting_gates"] = json!([
        "production_ready",
        {"name": "legal", "question": "May we?", "when": "before", "voters": 1, "options": [
            {"name": "YES", "action": "proceed"}, {"name": "ASK", "action": "escalate"},
        ]},
    ]);
    let world = World::new(
        manifest,
        json!({"sessions": true, "steps": {
            "a.*": writes("a", "x"), "b.*": writes("b", "x"),
            "@run.vote:legal:*": votes("ASK", 0.9, "no idea"),
            "@run.vote:production_ready:*": votes("READY", 0.9, "it is"),
        }}),
    );
    // Before the components all depend on it: the run ends, and the next one goes on.
    world.ends(&[], 3);
    assert_eq!(world.wrote(), [""; 0]);
    world.tells(&["q1", "--option", "YES"]);
    world.ends(&[], 0);
    assert!(world.has(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })));
    let refused = world.env.cco(["answer", "p/world-00000000", "q1", "--option", "YES"]);
    assert_eq!(refused.status, 2, "an answered question takes no second answer: {refused}");
}
