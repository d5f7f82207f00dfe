//! Checks: what they prove, what they cannot prove, and when they run.

use cco::ids::Step;
use cco::lifecycle::event::{AttemptEnd, Event, Proof, RunEnd, Scope, Verb, Verdict};
use serde_json::{Value, json};

use crate::world::{World, component, manifest, writes};

/// One component with these checks, whose agent writes `x`.
fn world(checks: Value) -> World {
    let mut a = component("a", &[]);
    a["checks"] = checks;
    World::new(manifest(vec![a]), json!({"steps": {"a.*": writes("a", "x")}}))
}

fn verdicts(world: &World) -> Vec<(String, Verdict)> {
    let verdict = |(name, end)| match end {
        AttemptEnd::Checked(result) => Some((name, result.verdict)),
        _ => None,
    };
    world.ended().into_iter().filter_map(verdict).collect()
}

fn settled(world: &World) -> Vec<(String, Verdict)> {
    let settled = |event| match event {
        Event::ValidationSettled { on, verdict, .. } => Some((on.to_string(), verdict)),
        _ => None,
    };
    world.events().into_iter().filter_map(settled).collect()
}

#[test]
fn a_flaky_check_is_noted_and_does_not_block() {
    let world = world(json!([{"name": "coin", "run": "echo x >> $NOTES; test $(wc -l < $NOTES) -ne 1"}]));
    world.ends(&[], 0);
    assert!(world.has(|event| matches!(event, Event::Noted { text, .. } if text.contains("flaky"))));
    assert!(!world.has(|event| matches!(event, Event::FixOpened { .. })));
    assert_eq!(settled(&world), [("a".to_owned(), Verdict::Pass), ("@run".to_owned(), Verdict::Pass)]);
}

#[test]
fn what_cannot_be_checked_is_a_question_and_never_a_pass() {
    for (name, run) in [
        ("zero tests", json!({"name": "t", "run": "echo 'running 0 tests'"})),
        ("no such command", json!({"name": "t", "run": "no-such-command-anywhere"})),
        ("too slow", json!({"name": "t", "run": "sleep 300", "timeout": "1s"})),
        ("killed", json!({"name": "t", "run": "kill -9 $$"})),
        ("no report", json!({"name": "t", "run": "true", "junit": "report.xml"})),
        (
            "an empty report",
            json!({"name": "t", "run": "echo '<testsuites tests=\"0\"/>' > report.xml", "junit": "report.xml"}),
        ),
        ("no such directory", json!({"name": "t", "run": "true", "dir": "nowhere"})),
    ] {
        let world = world(json!([run]));
        let output = world.run(&[]);
        assert_eq!(output.status, 3, "{name}: {output}");
        assert!(verdicts(&world).iter().all(|(_, verdict)| *verdict == Verdict::Unavailable), "{name}");
        assert!(!world.has(|event| matches!(event, Event::FixOpened { .. })), "{name}");
        assert!(!world.has(|event| matches!(event, Event::ComponentCompleted { .. })), "{name}");
        assert_eq!(world.last_end(), Some(RunEnd::NeedsAnswer), "{name}");
        world.assert_nothing_left();
        // Asked again it stays a question; accepted, it is not called proven.
        world.ends(&[], 3);
        world.answer("q1", Verb::Accept, None);
        let output = world.run(&[]);
        assert!(
            world.has(|event| matches!(event, Event::ComponentCompleted { proof: Proof::Waived, .. })),
            "{name}: {output}"
        );
        assert!(!world.has(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })), "{name}");
    }
}

#[test]
fn checks_of_one_lock_never_run_together() {
    let run = "mkdir $NOTES.lock || exit 1; echo x >> $NOTES; i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; rmdir $NOTES.lock";
    let ids = ["a", "b", "c", "d"];
    let with_lock = |id: &&str| {
        let mut component = component(id, &[]);
        component["checks"] = json!([{"name": format!("{id}1"), "run": format!("true {id}; {run}"), "lock": "one"},
                                     {"name": format!("{id}2"), "run": format!("true {id}2; {run}"), "lock": "one"}]);
        component
    };
    let steps: serde_json::Map<String, Value> =
        ids.iter().map(|id| (format!("{id}.implement"), writes(id, "x"))).collect();
    let world = World::new(manifest(ids.iter().map(with_lock).collect()), json!({"steps": steps}));
    world.ends(&[], 0);
    assert!(
        !world.has(|event| matches!(event, Event::Noted { text, .. } if text.contains("flaky"))),
        "two ran together"
    );
    // Eight for the components and eight for the whole; and again for whoever lands after another.
    assert!(world.noted().len() >= 16, "{}", world.noted().len());
}

#[test]
fn what_a_check_leaves_running_is_ended() {
    let world = world(json!([{"name": "leaves", "run": "sleep 300 & setsid sleep 301 & true"}]));
    world.ends(&[], 0);
    world.assert_nothing_left();
}

#[test]
fn each_check_runs_when_it_says() {
    let mut a = component("a", &[]);
    a["checks"] = json!([
        {"name": "now", "run": "true 1"}, {"name": "level", "run": "true 2", "when": "level"},
        {"name": "end", "run": "true 3", "when": "end"},
    ]);
    let b = component("b", &["a"]);
    let world = World::new(
        manifest(vec![a, b]),
        json!({"steps": {"a.implement": writes("a", "x"), "b.implement": writes("b", "x")}}),
    );
    world.ends(&[], 0);
    let mut scope = Vec::new();
    let mut ran = Vec::new();
    for event in world.events() {
        match event {
            Event::ValidationOpened { on, scope: of, .. } => scope.push((on.to_string(), of)),
            Event::AttemptStarted { attempt, .. } if matches!(attempt.step, Step::Check(_)) => {
                ran.push(attempt.to_string())
            }
            _ => {}
        }
    }
    assert_eq!(
        scope,
        [
            ("a".to_owned(), Scope::Component),
            ("@run".to_owned(), Scope::Level(0)),
            ("b".to_owned(), Scope::Component),
            ("@run".to_owned(), Scope::Level(1)),
            ("@run".to_owned(), Scope::Final),
        ]
    );
    assert_eq!(ran[..3], ["a.check:now-1", "@run.check:level-1", "b.check:b-1"], "{ran:?}");
    assert!(ran[3..].contains(&"@run.check:end-1".to_owned()) && !ran[..3].contains(&"@run.check:end-1".to_owned()));
}

#[test]
fn a_fix_loop_that_leads_nowhere_ends_in_a_question_and_guidance_reaches_the_next_prompt() {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "good", "run": "grep -q good a.txt"}]);
    let mut manifest = manifest(vec![a]);
    manifest["execution"]["max_fix_attempts"] = json!(2);
    // Enough not to vote on it.
    manifest["execution"]["same_issue_threshold"] = json!(10);
    let world = World::new(manifest, json!({"steps": {"a.*": writes("a", "bad")}}));
    let output = world.run(&[]);
    assert_eq!(output.status, 3, "{output}");
    assert_eq!(world.wrote(), ["a.fix", "a.fix", "a.implement"]);
    assert!(output.stderr.contains("cco answer") || output.stdout.contains("cco answer"), "{output}");
    world.play(json!({"steps": {"a.*": writes("a", "good")}}));
    world.answer("q1", Verb::Retry, Some("the word is good"));
    world.ends(&[], 0);
    let prompt = std::fs::read_to_string(world.spec.join("runs/a.fix-3.prompt.md")).unwrap();
    assert!(prompt.contains("the word is good") && prompt.contains("grep -q good"), "{prompt}");
    assert_eq!(world.file("a.txt"), "good");
}

#[test]
fn a_component_that_is_stuck_holds_up_only_its_dependents() {
    let mut a = component("a", &[]);
    a["checks"] = json!(["false"]);
    let mut manifest = manifest(vec![a, component("b", &["a"]), component("c", &[]), component("d", &["c"])]);
    manifest["execution"]["max_fix_attempts"] = json!(0);
    let world = World::new(
        manifest,
        json!({"steps": {"a.implement": writes("a", "x"), "b.*": writes("b", "x"), "c.*": writes("c", "x"), "d.*": writes("d", "x")}}),
    );
    world.ends(&[], 3);
    assert_eq!(world.wrote(), ["a.implement", "c.implement", "d.implement"]);
    world.answer("q1", Verb::Skip, None);
    world.ends(&[], 1);
    assert_eq!(world.wrote(), ["a.implement", "c.implement", "d.implement"]);
}

/// The order in which components start and complete.
fn milestones(world: &World) -> Vec<String> {
    let milestone = |event| match event {
        Event::ComponentStarted { on, .. } => Some(format!("+{on}")),
        Event::ComponentCompleted { on, .. } => Some(format!("-{on}")),
        _ => None,
    };
    world.events().into_iter().filter_map(milestone).collect()
}

#[test]
fn mode_and_parallel_components_decide_who_may_start() {
    // Where it may, `slow` ends only when `next`, which stands a level higher, has begun its work.
    let unchecked = |id: &str, depends_on: &[&str]| {
        let mut component = component(id, depends_on);
        component["checks"] = json!([]);
        component
    };
    let graph = || vec![unchecked("fast", &[]), unchecked("slow", &[]), unchecked("next", &["fast"])];
    let slow = |world: &World, waits: bool| {
        let (mut slow, begun) = (writes("slow", "x"), world.env.root().join("begun"));
        if waits {
            slow["actions"].as_array_mut().unwrap().push(json!({"wait": {"until_file": begun}}));
        }
        let mut next = writes("next", "x");
        next["actions"].as_array_mut().unwrap().push(json!({"write": {"path": begun, "text": ""}}));
        let ready = json!({"answer": {"vote": "READY", "confidence": 1.0, "reasoning": "it works"}});
        json!({"steps": {"fast.*": writes("fast", "x"), "slow.*": slow, "next.*": next, "@run.*": ready}})
    };
    for (mode, parallel, free) in [
        ("quick", None, true),
        ("quick", Some(true), true),
        ("standard", Some(true), true),
        ("full", Some(true), true),
        ("standard", None, false),
        ("quick", Some(false), false),
        ("standard", Some(false), false),
        ("full", None, false),
        ("full", Some(false), false),
    ] {
        let mut manifest = manifest(graph());
        manifest["$schema"] = json!("x");
        manifest["execution"]["mode"] = json!(mode);
        manifest["execution"]["max_parallel"] = json!(4);
        if let Some(parallel) = parallel {
            manifest["execution"]["parallel_components"] = json!(parallel);
        }
        let world = World::new(manifest, json!({}));
        world.play(slow(&world, free));
        let output = world.run(&[]);
        assert_eq!(output.status, 0, "{mode} {parallel:?}: {output}");
        let order = milestones(&world);
        let at = |what: &str| order.iter().position(|one| one == what).unwrap();
        if free {
            assert!(at("+next") < at("-slow"), "{mode} {parallel:?}: {order:?}");
        } else {
            assert!(at("-slow") < at("+next"), "{mode} {parallel:?}: {order:?}");
        }
        if parallel == Some(false) || mode == "full" && parallel.is_none() {
            let one_by_one = order.chunks(2).all(|pair| pair[0][1..] == pair[1][1..]);
            assert!(one_by_one, "{mode} {parallel:?}: {order:?}");
        }
    }
}
