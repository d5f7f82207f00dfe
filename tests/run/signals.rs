//! Signals: what runs is stopped and recorded, and the next run carries on.

use std::time::{Duration, Instant};

use cco::lifecycle::event::{AttemptEnd, RunEnd};
use serde_json::{Value, json};

use crate::world::{World, component, manifest, writes};

/// Two components; the agent of the first hangs in its first attempt.
fn hanging(ignore_signals: bool) -> World {
    let hangs = json!({
        "actions": [{"run": {"cmd": "setsid sleep 300 &"}}, {"leave_child": {}}, {"write": {"path": "a.txt", "text": "half"}}],
        "fault": {"hang": "end"}, "ignore_signals": ignore_signals,
    });
    let steps: Value = json!({"a.implement": [hangs, writes("a", "whole")], "b.implement": writes("b", "b")});
    World::new(manifest(vec![component("a", &[]), component("b", &["a"])]), json!({"sessions": true, "steps": steps}))
}

fn working(world: &World) -> bool {
    world.processes().iter().filter(|(_, line)| line.starts_with("sleep")).count() == 2
}

fn assert_carries_on(world: &World) {
    assert_eq!(world.last_end(), Some(RunEnd::Interrupted));
    let ended = world.ended();
    assert!(matches!(ended.as_slice(), [(_, AttemptEnd::Interrupted { resumable: true })]), "{ended:#?}");
    world.assert_nothing_left();
    world.ends(&[], 0);
    assert_eq!(world.wrote(), ["a.implement", "b.implement"]);
    assert_eq!(world.file("a.txt"), "whole");
    world.assert_nothing_left();
}

#[test]
fn each_signal_stops_the_run_with_its_own_status() {
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 143)] {
        let world = hanging(false);
        let mut run = world.start(&[]);
        assert!(run.reaches(working));
        run.signal(signal);
        assert_eq!(run.end(), status, "{signal}");
        assert_carries_on(&world);
    }
}

#[test]
fn a_second_signal_kills_at_once_what_does_not_listen() {
    let world = hanging(true);
    let mut run = world.start(&[]);
    assert!(run.reaches(working));
    let begun = Instant::now();
    run.signal("INT");
    run.signal("TERM");
    assert_eq!(run.end(), 130, "the first signal counts");
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_carries_on(&world);
}

#[test]
fn one_signal_ends_in_the_end_what_does_not_listen() {
    let world = hanging(true);
    let mut run = world.start(&[]);
    assert!(run.reaches(working));
    run.signal("INT");
    assert_eq!(run.end(), 130);
    assert_carries_on(&world);
}

#[test]
fn a_check_that_was_stopped_runs_again() {
    let mut slow = component("a", &[]);
    slow["checks"] = json!([{"name": "slow", "run": "echo x >> $NOTES; test $(wc -l < $NOTES) -gt 1 || sleep 300"}]);
    let world = World::new(manifest(vec![slow]), json!({"steps": {"a.implement": writes("a", "x")}}));
    let mut run = world.start(&[]);
    assert!(run.reaches(|world| world.processes().iter().any(|(_, line)| line.starts_with("sleep"))));
    run.signal("INT");
    assert_eq!(run.end(), 130);
    world.assert_nothing_left();
    world.ends(&[], 0);
    assert_eq!(world.wrote(), ["a.implement"]);
    assert!(world.started().contains(&"a.check:slow-2".to_owned()), "{:?}", world.started());
}
