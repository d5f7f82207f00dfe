//! Killed and stopped at any moment, it goes on with the round that it was in.

use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::world::Run;

/// Hangs, after its note, until it is killed; gone on with, it answers as `then` does.
fn hangs(then: Value) -> Value {
    json!({
        "actions": [{"run": {"cmd": "echo $CCO_ATTEMPT hangs >> $NOTES"}}], "fault": {"hang": "end"},
        "on_resume": then,
    })
}

fn kill(mut run: Run<'_>, world: &World, when: impl FnMut(&World) -> bool) {
    assert!(run.reaches(when), "it ended before: {}", world.said());
    run.signal("KILL");
    let _ = run.end();
    world.assert_nothing_left();
}

fn noted(line: &'static str) -> impl FnMut(&World) -> bool {
    move |world| world.noted().iter().any(|noted| noted == line)
}

#[test]
fn in_the_second_round_the_first_draft_is_not_paid_for_again() {
    let mut second = hangs(json!(null));
    second.as_object_mut().unwrap().remove("on_resume");
    let world = brainstorm(scenario(ready(), json!([cycle(), second])));
    kill(world.start_command(world.formalizing(&[])), &world, noted("@run.draft-2 hangs"));
    world.play(scenario(not_ready(), json!([cycle(), cycle(), good()])));
    let _ = formalize(&world, &[]).exits(0);
    assert_eq!(world.noted(), ["@run.readiness-1", "@run.draft-1", "@run.draft-2 hangs", "@run.draft-3"]);
    let spoken = conversations(&world);
    assert!(spoken[1..].iter().all(|(_, id, _)| *id == spoken[1].1), "one conversation: {spoken:?}");
    let prompt = prompt(&world, "draft-3");
    assert!(prompt.starts_with("The step was cut off from outside") && prompt.contains("E015"), "{prompt}");
    assert_eq!(drafted(&world), 2);
}

#[test]
fn a_whole_answer_that_nobody_recorded_is_adopted() {
    let mut lingers = good();
    lingers["fault"] = json!({"linger_after_result": {"ms": 60_000}});
    let world = brainstorm(scenario(ready(), json!([cycle(), lingers])));
    let stream = of_spec(&world, "runs/formalize/draft-2.stream.jsonl");
    kill(world.start_command(world.formalizing(&[])), &world, |_| {
        let told = fs::read_to_string(&stream).unwrap_or_default();
        told.ends_with('\n') && told.contains("\"type\":\"result\"")
    });
    world.play(scenario(not_ready(), json!([cycle()])));
    let _ = formalize(&world, &[]).exits(0);
    assert_eq!(world.noted(), ["@run.readiness-1", "@run.draft-1", "@run.draft-2"], "it was not asked again");
    assert!(notes(&world).iter().any(|note| note.contains("was adopted")), "{:?}", notes(&world));
    assert!(manifest(&world).contains("\"depends_on\""));
}

#[test]
fn a_whole_answer_of_one_who_wrote_is_not_adopted() {
    let mut lingers = good();
    lingers["actions"] = json!([{"write": {"path": "new.txt", "text": "evil"}}]);
    lingers["fault"] = json!({"linger_after_result": {"ms": 60_000}});
    let world = brainstorm(scenario(ready(), lingers));
    let stream = of_spec(&world, "runs/formalize/draft-1.stream.jsonl");
    kill(world.start_command(world.formalizing(&["--no-gate"])), &world, |_| {
        let told = fs::read_to_string(&stream).unwrap_or_default();
        told.ends_with('\n') && told.contains("\"type\":\"result\"")
    });
    world.play(scenario(ready(), json!([good()])));
    let output = formalize(&world, &["--no-gate"]).exits(0);
    assert!(output.stderr.contains("it may only read, and `new.txt` changed"), "{output}");
    assert_eq!((world.noted(), drafted(&world)), (vec!["@run.draft-2".to_owned()], 1));
}

/// The records may say less than what is in the spec directory, never more: as if it had been killed behind any of them.
#[test]
fn behind_every_record_it_comes_to_the_same_end() {
    let world = brainstorm(scenario(ready(), json!([cycle(), unknown_field(), good(), good()])));
    let before = manifest(&world);
    let _ = formalize(&world, &[]).exits(0);
    let (all, expected) = (records(&world), manifest(&world));
    for cut in 1..all.len() {
        let bytes = codec::encode("0.1.0", "p/world-00000000", &all[..cut]).unwrap();
        fs::write(of_spec(&world, "state/formalize/journal.jsonl"), bytes).unwrap();
        let written = all[..cut].iter().flat_map(|record| &record.events).any(|it| matches!(it, Event::Written(_)));
        if !written {
            let _ = fs::remove_file(of_spec(&world, "manifest.old-1.json"));
            fs::write(of_spec(&world, "manifest.json"), &before).unwrap();
        }
        let paid = world.noted().len();
        let _ = formalize(&world, &[]).exits(0);
        let received = all[..cut].iter().flat_map(|record| &record.events);
        let received = received.filter(|event| matches!(event, Event::AttemptEnded { .. })).count();
        assert!(world.noted().len() - paid <= 4 - received, "behind {cut}: {:?}", world.noted());
        // What was in flight left a whole answer, but no worktree that shows that it only read: it is asked for anew.
        assert!(drafted(&world) <= 3, "behind {cut}");
        assert_eq!(manifest(&world), expected, "behind {cut}");
        assert_eq!(fs::read_to_string(of_spec(&world, "manifest.old-1.json")).unwrap(), before);
        assert!(!of_spec(&world, "manifest.old-2.json").exists());
    }
}

/// Killed at moments that fall where they fall, also within files and git: nothing is lost, received twice, or left over.
#[test]
fn killed_at_any_moment_it_comes_to_an_end_of_its_own() {
    let journal_of =
        |world: &World| fs::metadata(of_spec(world, "state/formalize/journal.jsonl")).map_or(0, |about| about.len());
    let (mut kills, mut dice) = (0, 7_u64);
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    while kills < 24 {
        let world = brainstorm(scenario(ready(), json!([cycle(), unknown_field(), good()])));
        let before = manifest(&world);
        loop {
            let mut run = world.start_command(world.formalizing(&[]));
            let (by, goal) = (roll(3), journal_of(&world) + 1 + roll(900));
            let lived = run.reaches(|world| match by {
                0 => world.processes().iter().any(|(_, line)| line.contains("agent-sim")),
                1 => world.processes().iter().any(|(_, line)| line.starts_with("git ")),
                _ => journal_of(world) >= goal,
            });
            for _ in 0..roll(40) * 1_000 {
                std::thread::yield_now();
            }
            if !lived {
                assert_eq!(run.end(), 0, "{}", world.said());
                break;
            }
            run.signal("KILL");
            let _ = run.end();
            world.assert_nothing_left();
            kills += 1;
        }
        // Once the end is on record there is nothing more to do, and nothing is left.
        let _ = formalize(&world, &[]).exits(0);
        let mut made = world.noted();
        let all = made.len();
        made.dedup();
        assert_eq!(made.len(), all, "no attempt was made twice: {made:?}");
        assert!(drafted(&world) <= 3 && !world.git(&["worktree", "list"]).contains("formalize"));
        assert_eq!(fs::read_to_string(of_spec(&world, "manifest.old-1.json")).unwrap(), before);
        assert!(!of_spec(&world, "manifest.old-2.json").exists());
        let _ = world.env.cco(["validate", "p/world"]).exits(0);
    }
}

#[test]
fn ctrl_c_stops_in_good_order_and_the_next_one_carries_on() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let world = brainstorm(scenario(ready(), json!([hangs(good())])));
        let mut run = world.start_command(world.formalizing(&[]));
        assert!(run.reaches(noted("@run.draft-1 hangs")));
        run.signal(signal);
        assert_eq!(run.end(), status);
        world.assert_nothing_left();
        assert!(world.said().contains("stopped; `cco formalize p/world-00000000` carries on"), "{}", world.said());
        let last = events(&world).pop();
        assert!(matches!(last, Some(Event::Ended { over: cco::formalize::event::Over::Interrupted })), "{last:?}");
        world.play(scenario(ready(), json!([good()])));
        let _ = formalize(&world, &[]).exits(0);
        assert_eq!(world.noted(), ["@run.readiness-1", "@run.draft-1 hangs", "@run.draft-2"]);
    }
}

#[test]
fn what_was_changed_by_hand_is_refused_and_fresh_sets_it_aside() {
    let world = brainstorm(scenario(ready(), json!([cycle(), good()])));
    let _ = formalize(&world, &[]).exits(0);
    let journal = of_spec(&world, "state/formalize/journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replace("cut by file", "cut by hand")).unwrap();
    let output = formalize(&world, &[]).exits(74);
    assert!(output.stderr.contains("its checksum does not fit") && output.stderr.contains("--fresh"), "{output}");
    let _ = formalize(&world, &["--fresh"]).exits(0);
    assert!(fs::read_dir(of_spec(&world, "state/history")).unwrap().count() == 1);
}

#[test]
fn only_one_at_a_time_and_no_run_meanwhile() {
    // With a component, so that there is something to run.
    let components = crate::world::manifest(vec![component("a", &[])]);
    let world = World::new(components, scenario(ready(), json!([hangs(good())])));
    say(&world, "Write two files.");
    let mut first = world.start_command(world.formalizing(&[]));
    assert!(first.reaches(noted("@run.draft-1 hangs")));
    let second = formalize(&world, &[]).exits(5);
    assert!(second.stderr.contains("is being worked on") && second.stderr.contains("cco formalize"), "{second}");
    let _ = world.run(&[]).exits(5);
    assert_eq!(world.noted().len(), 2);
    // Seen from outside meanwhile.
    let shown = world.env.cco(["formalize", "p/world", "--show"]).exits(0);
    assert!(shown.stdout.contains("draft 1 of 3 is due"), "{shown}");
    let stopped = world.env.cco(["stop", "p/world"]).exits(0);
    assert!(stopped.stdout.contains("`cco formalize p/world-00000000` carries on"), "{stopped}");
    assert_eq!(first.end(), 130);
}

#[test]
fn without_an_agent_nothing_is_set_aside() {
    let world = brainstorm(scenario(ready(), json!([good()])));
    let _ = formalize(&world, &["--no-gate"]).exits(0);
    let before = records(&world).len();
    let reference = "p/world-00000000";
    let _ = world.env.cco(["formalize", reference, "--fresh", "--agent", "nobody-has-this-agent"]).exits(7);
    assert_eq!(records(&world).len(), before);
    assert_eq!(fs::read_dir(of_spec(&world, "state/history")).unwrap().count(), 0);
}

#[test]
fn a_whole_answer_is_not_adopted_where_its_changes_cannot_be_told() {
    for note in [None, Some("")] {
        let mut lingers = good();
        lingers["actions"] = json!([{"write": {"path": "new.txt", "text": "evil"}}]);
        lingers["fault"] = json!({"linger_after_result": {"ms": 60_000}});
        let world = brainstorm(scenario(ready(), lingers));
        let stream = of_spec(&world, "runs/formalize/draft-1.stream.jsonl");
        kill(world.start_command(world.formalizing(&["--no-gate"])), &world, |_| {
            let told = fs::read_to_string(&stream).unwrap_or_default();
            told.ends_with('\n') && told.contains("\"type\":\"result\"")
        });
        let file = of_spec(&world, "state/formalize/ground");
        note.map_or_else(|| fs::remove_file(&file), |text| fs::write(&file, text)).unwrap();
        world.play(scenario(ready(), json!([good()])));
        let _ = formalize(&world, &["--no-gate"]).exits(0);
        assert_eq!((world.noted(), drafted(&world)), (vec!["@run.draft-2".to_owned()], 1));
        let told = notes(&world);
        assert!(told.iter().any(|note| note.contains("what it changed cannot be told")), "{told:?}");
    }
}

#[test]
fn a_live_run_is_not_disturbed() {
    let components = vec![component("a", &[])];
    let hangs = json!({"actions": [{"run": {"cmd": "echo on >> $NOTES"}}], "fault": {"hang": "end"}});
    let world = World::new(crate::world::manifest(components), json!({"steps": {"a.implement": hangs}}));
    say(&world, "Write more.");
    let before = manifest(&world);
    let mut run = world.start(&[]);
    assert!(run.reaches(noted("on")));
    let _ = formalize(&world, &["--fresh"]).exits(5);
    assert_eq!((manifest(&world), records(&world).len()), (before, 0));
    assert!(!of_spec(&world, "state/formalize").exists());
    run.signal("INT");
    assert_eq!(run.end(), 130);
}
