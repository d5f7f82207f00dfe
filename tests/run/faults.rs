//! Every way in which an agent can go wrong, and what a run makes of it.

use cco::lifecycle::event::{AttemptEnd, Event, Pause, RunEnd, Trouble};
use serde_json::{Value, json};

use crate::world::{World, component, fault, manifest, writes};

fn api(error: Value) -> Value {
    fault(json!({"api": error}))
}

/// One component whose attempts behave as listed; limits are short.
fn world(attempts: Vec<Value>) -> World {
    let mut manifest = manifest(vec![component("a", &[])]);
    manifest["execution"]["idle_timeout"] = json!("1s");
    manifest["execution"]["step_timeout"] = json!("3s");
    World::new(manifest, json!({"sessions": true, "steps": {"a.implement": attempts}}))
}

fn well() -> Value {
    writes("a", "x")
}

/// No fix was opened, and a component is complete only with a passed validation.
#[track_caller]
fn assert_nothing_passed_unchecked(world: &World) {
    assert!(!world.has(|event| matches!(event, Event::FixOpened { .. })), "a fix attempt was used");
    let complete = world.has(|event| matches!(event, Event::ComponentCompleted { .. }));
    let checked = world.ended().iter().any(|(name, _)| name == "a.check:a-1");
    assert!(!complete || checked, "complete without a check");
    world.assert_nothing_left();
}

#[test]
fn trouble_of_one_attempt_is_mended_by_the_next() {
    let cases: Vec<(&str, Value, Trouble)> = vec![
        ("hang at start", fault(json!({"hang": "start"})), Trouble::TimedOut),
        ("hang at init", fault(json!({"hang": "init"})), Trouble::TimedOut),
        ("hang at end", fault(json!({"hang": "end"})), Trouble::TimedOut),
        ("cut output", fault(json!("cut_output")), Trouble::Crashed),
        ("exit 3", fault(json!({"exit": {"code": 3}})), Trouble::Crashed),
        ("killed", fault(json!({"kill_self": {"signal": 9}})), Trouble::Crashed),
        ("no answer", fault(json!("no_answer")), Trouble::NoAnswer),
        ("invalid answer", fault(json!("invalid_answer")), Trouble::NoAnswer),
        ("max turns", api(json!("max_turns")), Trouble::NoAnswer),
        ("max output", api(json!("max_output_tokens")), Trouble::NoAnswer),
        ("max retries", api(json!("structured_max_retries")), Trouble::NoAnswer),
        ("refusal", api(json!("refusal")), Trouble::Refused),
        (
            "deaf, with children",
            json!({"actions": [{"leave_child": {}}], "fault": {"hang": "end"}, "ignore_signals": true}),
            Trouble::TimedOut,
        ),
        ("a result that contradicts its exit status", fault(json!("result_is_error")), Trouble::Transient),
    ];
    for (name, behaviour, class) in cases {
        let world = world(vec![behaviour, well()]);
        let output = world.run(&[]);
        assert_eq!(output.status, 0, "{name}: {output}");
        assert_eq!(world.troubles(), [class], "{name}");
        assert_eq!(world.wrote(), ["a.implement"], "{name}");
        assert_nothing_passed_unchecked(&world);
    }
}

#[test]
fn what_is_strange_but_complete_is_taken() {
    let cases = [
        json!({"actions": [{"garbage": {"lines": 3}}, {"write": {"path": "a.txt", "text": "x"}}]}),
        json!({"actions": [{"leave_child": {}}, {"write": {"path": "a.txt", "text": "x"}}]}),
        json!({"actions": [{"huge_line": {"mb": 2}}, {"write": {"path": "a.txt", "text": "x"}}]}),
        json!({"actions": [{"write": {"path": "a.txt", "text": "x"}}], "fault": "second_result"}),
        json!({"actions": [{"write": {"path": "a.txt", "text": "x"}}], "fault": {"linger_after_result": {"ms": 300}}}),
    ];
    for behaviour in cases {
        let world = world(vec![behaviour.clone()]);
        let output = world.run(&[]);
        assert_eq!(output.status, 0, "{behaviour}: {output}");
        assert_eq!(world.troubles(), [], "{behaviour}");
        assert_nothing_passed_unchecked(&world);
    }
}

#[test]
fn trouble_that_lasts_becomes_a_question() {
    for (behaviour, cause) in [
        (fault(json!("no_answer")), Trouble::NoAnswer),
        (fault(json!({"exit": {"code": 1}})), Trouble::Crashed),
        (fault(json!({"hang": "init"})), Trouble::TimedOut),
    ] {
        let world = world(vec![behaviour]);
        world.ends(&[], 3);
        assert_eq!(world.troubles(), [cause, cause]);
        assert!(world.has(|event| matches!(event, Event::Escalated(_))));
        assert_nothing_passed_unchecked(&world);
    }
}

#[test]
fn what_no_retry_can_mend_stops_the_run_with_cause_and_remedy() {
    for (error, class) in [
        ("unauthorized", Trouble::Authentication),
        ("forbidden", Trouble::Authentication),
        ("no_credentials", Trouble::Authentication),
        ("billing", Trouble::Billing),
        ("model_not_found", Trouble::Model),
        ("bad_request", Trouble::BadRequest),
        ("prompt_too_long", Trouble::BadRequest),
        ("too_large", Trouble::BadRequest),
    ] {
        let world = world(vec![api(json!(error)), well()]);
        let output = world.run(&[]);
        assert_eq!(output.status, 7, "{error}: {output}");
        assert_eq!(world.troubles(), [class], "{error}");
        assert_eq!(world.last_end(), Some(RunEnd::Environment));
        assert!(output.to_string().contains("`cco run` carries on"), "{error}: {output}");
        assert!(output.to_string().contains("\nhelp: "), "{error}: {output}");
        assert_nothing_passed_unchecked(&world);
        // Mended, it goes on where it stopped.
        world.ends(&[], 0);
        assert_eq!(world.wrote(), ["a.implement"]);
    }
}

#[test]
fn a_used_up_window_parks_the_run() {
    let world = world(vec![api(json!({"usage_limit": {"resets_in": 3600}})), well()]);
    let mut run = world.start(&[]);
    run.records(|event| matches!(event, Event::RunPaused { why: Pause::UsageLimit, .. }));
    run.signal("INT");
    assert_eq!(run.end(), 130);
    let paused = world.records().into_iter().find_map(|record| {
        let pause = |event: &Event| match event {
            Event::RunPaused { until, .. } => Some(until.duration_since(record.at).as_secs()),
            _ => None,
        };
        record.events.iter().find_map(pause)
    });
    assert!((3600..=3661).contains(&paused.unwrap()), "the reset and a minute: {paused:?}");
    assert!(matches!(world.troubles().as_slice(), [Trouble::UsageLimit { until: Some(_) }]));
    assert_nothing_passed_unchecked(&world);
    world.ends(&[], 0);
}

#[test]
fn without_patience_a_used_up_window_ends_the_run() {
    let world = world(vec![api(json!({"usage_limit": {"resets_in": 3600}})), well()]);
    world.ends(&["--no-wait"], 6);
    assert_eq!(world.last_end(), Some(RunEnd::UsageLimit));
    assert_nothing_passed_unchecked(&world);
    world.ends(&["--no-wait"], 0);
}

#[test]
fn a_rate_limit_pauses_all_agents_and_halves_their_number_once() {
    for error in ["rate_limit", "rate_limit_retry_after", "throttle"] {
        let ids = ["a", "b", "c", "d"];
        let mut manifest = manifest(ids.iter().map(|id| component(id, &[])).collect());
        manifest["execution"]["max_parallel"] = json!(4);
        let world = World::new(manifest, json!({}));
        // All four are at work before the first is refused.
        let mut refused = api(json!(error));
        let go = world.env.root().join("go");
        refused["actions"] = json!([{"wait": {"until_file": go}}]);
        world.play(json!({"steps": {"*": refused}}));
        let mut run = world.start(&[]);
        assert!(run.reaches(|world| world.started().len() == 4));
        crate::env::write(&go, "");
        assert!(run.reaches(|world| world.troubles().len() == 4));
        run.signal("INT");
        assert_eq!(run.end(), 130);
        let jobs: Vec<u32> = world
            .events()
            .iter()
            .filter_map(|event| match event {
                Event::JobsChanged { jobs } => Some(*jobs),
                _ => None,
            })
            .collect();
        assert_eq!(jobs, [2], "{error}: one burst of refusals is one limit");
        let pauses = world.events().iter().filter(|event| matches!(event, Event::RunPaused { .. })).count();
        assert_eq!(pauses, 1, "{error}");
        assert!(world.troubles().iter().all(|class| matches!(class, Trouble::RateLimit { .. })), "{error}");
    }
}

#[test]
fn an_outage_is_waited_out() {
    for error in ["server_error", "overloaded", "connection_refused", "connection_dropped", "request_timeout"] {
        let world = world(vec![api(json!(error)), well()]);
        world.ends(&[], 0);
        assert_eq!(world.troubles(), [Trouble::Transient], "{error}");
        assert!(world.has(|event| matches!(event, Event::RetryScheduled { .. })), "{error}");
        assert_nothing_passed_unchecked(&world);
    }
}

#[test]
fn an_agent_that_asks_gets_its_answer() {
    let asks = json!({"answer": {"status": "blocked", "summary": "stuck", "questions": ["which colour?"]}});
    let world = world(vec![asks, well()]);
    let output = world.run(&[]);
    assert_eq!(output.status, 3, "{output}");
    assert!(output.stderr.contains("which colour?") || output.stdout.contains("which colour?"), "{output}");
    world.answer("q1", cco::lifecycle::event::Verb::Retry, Some("green, as the grass"));
    world.ends(&[], 0);
    let prompt = std::fs::read_to_string(world.spec.join("runs/a.implement-2.prompt.md")).unwrap();
    assert!(prompt.contains("green, as the grass"), "{prompt}");
    assert_nothing_passed_unchecked(&world);
}

#[test]
fn what_was_interrupted_is_not_held_against_the_next_attempt() {
    let world = world(vec![fault(json!({"hang": "init"}))]);
    for _ in 0..3 {
        let mut run = world.start(&[]);
        assert!(run.reaches(|world| world.processes().iter().any(|(_, line)| line.contains("agent-sim"))));
        run.signal("TERM");
        assert_eq!(run.end(), 143);
    }
    world.play(json!({"sessions": true, "steps": {"a.implement": well()}}));
    world.ends(&[], 0);
    assert!(world.ended().iter().all(|(_, end)| !matches!(end, AttemptEnd::Failed { .. })));
}

/// What an agent complains of on standard error is kept beside its stream; one that does not complain leaves no file.
#[test]
fn what_an_agent_complains_of_is_kept() {
    let world = world(vec![well()]);
    world.play(json!({"nonsense": 1}));
    assert_eq!(world.run(&[]).status, 3);
    let kept = std::fs::read_to_string(world.spec.join("runs/a.implement-1.stderr.log")).unwrap();
    assert!(kept.contains("nonsense"), "{kept}");
    world.play(json!({"steps": {"a.implement": well()}}));
    world.answer("q1", cco::lifecycle::event::Verb::Retry, None);
    world.ends(&[], 0);
    assert!(!world.spec.join("runs/a.implement-3.stderr.log").exists());
}
