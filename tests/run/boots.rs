//! How many agents are between their start and their first word.

use std::fs;

use cco::lifecycle::event::RunEnd;
use serde_json::{Map, Value, json};

use crate::env::write;
use crate::world::{Run, World, fault, manifest, writes};

/// As many as there are cores, and two at least.
fn most() -> usize {
    std::thread::available_parallelism().unwrap().get().max(2)
}

fn id(at: usize) -> String {
    format!("c{at:03}")
}

/// More components than may start at once, none of which waits for another, and what each of their agents does.
fn world(count: usize, behaviour: impl Fn(&World, usize) -> Value) -> World {
    let component = |at| json!({"id": id(at), "file": format!("{}.txt", id(at)), "complexity": "low"});
    let mut manifest = manifest((0..count).map(component).collect());
    manifest["execution"]["step_timeout"] = json!("30s");
    let world = World::new(manifest, json!({}));
    let steps: Map<String, Value> = (0..count).map(|at| (format!("{}.*", id(at)), behaviour(&world, at))).collect();
    world.play(json!({"sessions": true, "steps": steps}));
    world
}

/// Waits until so many agents were started; more must never be.
#[track_caller]
fn reaches(run: &mut Run<'_>, count: usize) {
    let reached = run.reaches(|world| {
        let started = world.started();
        assert!(started.len() <= count, "{count} may have been started: {started:?}");
        started.len() == count
    });
    assert!(reached, "the run ended before");
}

fn jobs(count: usize) -> [String; 2] {
    ["--jobs".to_owned(), count.to_string()]
}

#[test]
fn the_next_agent_starts_when_one_has_spoken() {
    let count = most() + 3;
    let world = world(count, |world, at| {
        let mut behaviour = writes(&id(at), "x");
        // Never at once, so that starts go on to be counted.
        behaviour["boot"] = json!([{"ms": 300}, {"until_file": world.env.root().join(format!("go-{at}"))}]);
        // What it does after its first word takes no place from others.
        let wait = json!({"wait": {"until_file": world.env.root().join("finish")}});
        behaviour["actions"].as_array_mut().unwrap().push(wait);
        behaviour
    });
    let [flag, number] = jobs(count);
    let mut run = world.start(&[&flag, &number]);
    reaches(&mut run, most());
    // Who waits for its start is shown as waiting.
    let status: Value = serde_json::from_str(&world.env.cco(["status", "p/world", "--json"]).stdout).unwrap();
    let phases: Vec<&str> =
        status["components"].as_array().unwrap().iter().map(|part| part["phase"].as_str().unwrap()).collect();
    assert_eq!(phases.iter().filter(|phase| **phase == "working").count(), most(), "{phases:?}");
    for at in 0..3 {
        write(&world.env.root().join(format!("go-{at}")), "");
        reaches(&mut run, most() + at + 1);
    }
    assert_eq!(world.ended().len(), 0);
    (3..count).for_each(|at| write(&world.env.root().join(format!("go-{at}")), ""));
    write(&world.env.root().join("finish"), "");
    assert_eq!(run.end(), 0);
    assert_eq!(world.wrote().len(), count);
}

#[test]
fn agents_that_never_speak_hold_up_nobody_for_ever() {
    let count = most() + 2;
    let world = world(count, |_, at| {
        let well = writes(&id(at), "x");
        // Deaf, so that they say nothing when they are stopped either.
        let silent = json!({"fault": {"hang": "start"}, "ignore_signals": true});
        if at < most() { json!([silent, well]) } else { well }
    });
    let mut manifest: Value = serde_json::from_slice(&fs::read(world.paths().manifest()).unwrap()).unwrap();
    manifest["execution"]["step_timeout"] = json!("3s");
    world.rewrite(manifest);
    let [flag, number] = jobs(count);
    world.ends(&[&flag, &number], 0);
    assert_eq!(world.wrote().len(), count);
    let first_end = world.ended().remove(0).0;
    assert!((0..most()).any(|at| first_end == format!("{}.implement-1", id(at))), "{first_end}");
    world.assert_nothing_left();
}

#[test]
fn a_stop_ends_the_silent_and_starts_nobody_who_waits() {
    let count = most() + 2;
    let world = world(count, |_, at| {
        let well = writes(&id(at), "x");
        if at < most() { json!([fault(json!({"hang": "start"})), well]) } else { well }
    });
    let [flag, number] = jobs(count);
    let mut run = world.start(&[&flag, &number]);
    reaches(&mut run, most());
    run.signal("INT");
    assert_eq!(run.end(), 130);
    assert_eq!(world.started().len(), most());
    assert_eq!(world.last_end(), Some(RunEnd::Interrupted));
    world.assert_nothing_left();
    world.ends(&[&flag, &number], 0);
    assert_eq!(world.wrote().len(), count);
}
