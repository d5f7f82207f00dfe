//! A damaged journal, repaired: the run goes on from what was saved, loses no work, and pays again only for what the
//! lost records told.

use std::collections::BTreeSet;
use std::fs;

use cco::lifecycle::event::{AttemptEnd, Event, Proof, Record};
use serde_json::{Value, json};

use crate::env::Output;
use crate::world::{BRANCH, World, manifest};

/// Three in a row, one of whose checks fails first, and one that stands by itself.
fn project() -> World {
    let component = |id: &str, depends_on: &[&str]| {
        json!({
            "id": id, "file": format!("{id}.txt"), "complexity": "low", "depends_on": depends_on,
            "checks": [{"name": format!("{id}-good"), "run": format!("grep -q good {id}.txt")}],
        })
    };
    let components = vec![component("a", &[]), component("b", &["a"]), component("c", &["b"]), component("d", &[])];
    let mut manifest = manifest(components);
    manifest["validation_command"] = json!("echo whole >> $NOTES; cat a.txt c.txt");
    let mut steps = serde_json::Map::new();
    for id in ["a", "b", "c", "d"] {
        steps.insert(format!("{id}.*"), works(id, "good"));
    }
    steps.insert("b.implement".to_owned(), works("b", "bad"));
    World::new(manifest, json!({"steps": steps}))
}

fn works(id: &str, word: &str) -> Value {
    json!({"actions": [
        {"run": {"cmd": "echo $CCO_ATTEMPT >> $NOTES"}},
        {"write": {"path": format!("{id}.txt"), "text": format!("{id} is {word}\n")}},
    ]})
}

fn repair(world: &World) -> Output {
    world.env.cco(["repair", "p/world", "--apply"])
}

/// Changes a byte of the line of a record.
fn spoil(world: &World, record: usize) {
    let bytes = fs::read(world.paths().journal()).unwrap();
    let begin: usize = bytes.split_inclusive(|byte| *byte == b'\n').take(record).map(<[u8]>::len).sum();
    let mut changed = bytes;
    changed[begin + 30] ^= 1;
    fs::write(world.paths().journal(), changed).unwrap();
}

/// Attempts of agents in these records: those that began, and those whose work was taken.
fn agents(records: &[Record]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut began, mut wrote) = (BTreeSet::new(), BTreeSet::new());
    for event in records.iter().flat_map(|record| &record.events) {
        match event {
            Event::AttemptStarted { attempt, .. } if attempt.step.by_agent() => {
                began.insert(attempt.to_string());
            }
            Event::AttemptEnded { attempt, end: AttemptEnd::Wrote { .. }, .. } => {
                wrote.insert(attempt.to_string());
            }
            _ => {}
        }
    }
    (began, wrote)
}

#[test]
fn damaged_in_any_part_it_comes_to_the_same_end() {
    let whole = project();
    whole.ends(&[], 0);
    let (tree, lines) = (whole.tree(), whole.records().len());
    // Not a multiple of two: starts and ends alternate.
    for record in (2..lines).step_by(3) {
        let world = project();
        world.ends(&[], 0);
        let (tip, records) = (world.git(&["rev-parse", BRANCH]), world.records());
        // Two runs do not interleave alike; each has its own lines.
        let record = record.min(records.len() - 1);
        let (began, wrote) = agents(&records[..record]);
        spoil(&world, record);
        let refused = world.run(&[]).exits(74);
        assert!(refused.stderr.contains("`cco repair p/world-"), "{refused}");
        let _ = repair(&world).exits(0);
        let paid = world.noted();
        let saved = world.records();
        assert_eq!(saved[..record], records[..record]);
        assert_eq!(saved.len(), record + 1);

        world.ends(&[], 0);
        assert_eq!(world.tree(), tree, "damaged in record {record}");
        world.git(&["merge-base", "--is-ancestor", &tip, BRANCH]);
        let all = world.noted();
        let again: Vec<&String> = all[paid.len()..].iter().filter(|word| *word != "whole").collect();
        for attempt in &again {
            assert!(
                !wrote.contains(*attempt),
                "{attempt} was recorded, and paid again after damage in record {record}"
            );
            // What was in flight had answered: its stream is adopted.
            assert!(!began.contains(*attempt), "{attempt} was asked again after damage in record {record}");
        }
        assert!(all[paid.len()..].contains(&"whole".to_owned()), "the whole was not validated on the tree of today");
        let last = world.events();
        assert!(last.iter().any(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })), "{last:#?}");
        let before = world.records().len();
        world.ends(&[], 0);
        assert_eq!(world.records().len(), before, "there was nothing left to do");
    }
}

#[test]
fn what_lost_steps_left_is_in_history_and_not_taken_for_the_work_of_later_ones() {
    let world = project();
    world.ends(&[], 0);
    let records = world.records();
    let began = |name: &str| {
        let started =
            |event: &Event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.to_string() == name);
        records.iter().position(|record| record.events.iter().any(started)).unwrap()
    };
    let stream = world.spec.join("runs/c.implement-1.stream.jsonl");
    let said = fs::read(&stream).unwrap();
    spoil(&world, began("c.implement-1"));
    let _ = repair(&world).exits(0);
    let aside = fs::read_dir(world.paths().history()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read(aside.join("runs/c.implement-1.stream.jsonl")).unwrap(), said);
    assert!(!stream.exists() && world.spec.join("runs/b.implement-1.stream.jsonl").exists());
    world.ends(&[], 0);
    assert_ne!(fs::read(&stream).unwrap(), said);
}

#[test]
fn work_that_only_lost_records_know_of_proves_nothing_until_it_is_checked() {
    let world = project();
    world.ends(&[], 0);
    let done = world.records().len();
    // The second run spoils `d`, and its end says so; then the record of it is lost.
    world.play(json!({"steps": {"d.*": works("d", "bad")}}));
    world.ends(&["--redo", "d"], 3);
    spoil(&world, done);
    let _ = repair(&world).exits(0);
    assert_eq!(world.records().len(), done + 1);
    let status = world.env.cco(["status", "p/world", "--json"]).json();
    assert_eq!((&status["proof"], &status["counts"]["complete"]), (&Value::Null, &json!(3)), "{status:#}");
    let paid = world.noted().len();
    world.play(json!({"steps": {"d.*": works("d", "good again")}}));
    world.ends(&[], 0);
    assert_eq!(world.noted()[paid..], ["d.fix-1", "whole"]);
    assert_eq!(world.file("d.txt"), "d is good again");
}

#[test]
fn in_the_work_directory_itself_too() {
    let world = project();
    world.ends(&["--isolation", "shared"], 0);
    let records = world.records();
    spoil(&world, records.len() / 2);
    let _ = repair(&world).exits(0);
    world.ends(&["--isolation", "shared"], 0);
    let text = fs::read_to_string(world.env.work().join("c.txt")).unwrap();
    assert_eq!(text, "c is good\n");
}

#[test]
fn what_a_dead_run_left_is_ended_though_no_record_tells_of_it() {
    let world = project();
    world.ends(&[], 0);
    let done = world.records().len();
    let stays = json!({"actions": [{"run": {"cmd": "setsid sleep 300 &"}}], "fault": {"hang": "end"}});
    world.play(json!({"steps": {"d.*": stays}}));
    let mut run = world.start(&["--redo", "d"]);
    assert!(run.reaches(|world| world.processes().iter().any(|(_, line)| line.starts_with("sleep"))));
    let guard = world.processes().into_iter().find(|(_, line)| line.contains(" guard ")).unwrap();
    std::process::Command::new("kill").args(["-9", &guard.0.to_string()]).status().unwrap();
    run.signal("KILL");
    let _ = run.end();
    spoil(&world, done);
    let repaired = repair(&world).exits(0);
    assert!(repaired.stderr.contains("processes that a dead run left and that were ended"), "{repaired}");
    world.assert_nothing_left();
}
