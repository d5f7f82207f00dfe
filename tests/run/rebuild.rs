//! The state of a spec is lost and its commits are there: it is rebuilt from what they tell, comes to the same end, pays
//! no agent twice for what is written, and proves nothing from memory.

use std::fs;

use cco::lifecycle::event::{Event, Proof};
use serde_json::{Value, json};

use crate::env::Output;
use crate::world::{BRANCH, World, manifest};

/// Three in a row, one of whose checks fails first, and one that stands by itself.
fn project() -> World {
    let component = |id: &str, depends_on: &[&str]| {
        json!({
            "id": id, "file": format!("{id}.txt"), "complexity": "low", "depends_on": depends_on,
            "checks": [{"name": format!("{id}-good"), "run": format!("echo check-{id} >> $NOTES; grep -q good {id}.txt")}],
        })
    };
    let components = vec![component("a", &[]), component("b", &["a"]), component("c", &["b"]), component("d", &[])];
    let mut manifest = manifest(components);
    manifest["validation_command"] = json!("echo whole >> $NOTES; cat a.txt b.txt c.txt d.txt");
    World::new(manifest, json!({"steps": steps()}))
}

fn steps() -> serde_json::Map<String, Value> {
    let mut steps = serde_json::Map::new();
    for id in ["a", "b", "c", "d"] {
        steps.insert(format!("{id}.*"), works(id, "good"));
    }
    steps.insert("b.implement".to_owned(), works("b", "bad"));
    steps
}

fn works(id: &str, word: &str) -> Value {
    json!({"actions": [
        {"run": {"cmd": "echo $CCO_ATTEMPT >> $NOTES"}},
        {"write": {"path": format!("{id}.txt"), "text": format!("{id} is {word}\n")}},
    ]})
}

fn repair(world: &World, args: &[&str]) -> Output {
    world.env.cco(["repair", "p/world"].iter().chain(args).copied().collect::<Vec<_>>())
}

fn lose_state(world: &World) {
    fs::remove_dir_all(world.spec.join("state")).unwrap();
}

/// What agents were asked for, among the notes.
fn asked(notes: &[String]) -> Vec<&str> {
    notes.iter().map(String::as_str).filter(|note| !note.starts_with("check-") && *note != "whole").collect()
}

#[test]
fn lost_after_the_end_it_is_checked_again_and_nobody_is_asked_again() {
    let world = project();
    world.ends(&[], 0);
    let (tree, tip) = (world.tree(), world.git(&["rev-parse", BRANCH]));
    lose_state(&world);
    let refused = world.run(&[]).exits(7);
    assert!(refused.stderr.contains("`cco repair p/world-"), "{refused}");

    let shown = repair(&world, &[]).exits(1);
    for id in ["a", "b", "c", "d"] {
        assert!(shown.stdout.contains(&format!("  {id}  landed as ")), "{shown}");
    }
    assert!(world.records().is_empty(), "a look writes nothing");
    let _ = repair(&world, &["--apply"]).exits(0);
    let status = world.env.cco(["status", "p/world", "--json"]).json();
    assert_eq!((&status["proof"], &status["counts"]["complete"]), (&Value::Null, &json!(0)), "{status:#}");
    let verify = world.env.cco(["verify", "p/world"]).exits(1);
    assert!(verify.stdout.contains("0 of 4 components proven, 4 unproven; the whole is unproven"), "{verify}");
    assert!(verify.stdout.contains("no change check of what landed as"), "{verify}");

    let paid = world.noted().len();
    world.ends(&[], 0);
    let notes = world.noted().split_off(paid);
    assert_eq!(asked(&notes), Vec::<&str>::new());
    let mut checked: Vec<&String> = notes.iter().collect();
    checked.sort();
    checked.dedup();
    assert_eq!(checked, ["check-a", "check-b", "check-c", "check-d", "whole"]);
    assert_eq!((world.tree(), world.git(&["rev-parse", BRANCH])), (tree, tip));
    assert!(world.has(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })));
    let proven = world.env.cco(["verify", "p/world"]).exits(0);
    assert!(proven.stdout.contains("4 of 4 components proven; the whole is proven"), "{proven}");
}

/// The components whose implementation is committed: on the branch, or kept beside it.
fn written(world: &World) -> Vec<String> {
    let format = "--format=%(refname:lstrip=5)";
    let tips = world.git(&["for-each-ref", format, "refs/cco/p/world-00000000/tip/"]);
    tips.lines().map(str::to_owned).collect()
}

#[test]
fn lost_in_the_middle_it_comes_to_the_same_end() {
    let whole = project();
    whole.ends(&[], 0);
    let (tree, lines) = (whole.tree(), whole.records().len());
    for cut in (3..lines).step_by(5) {
        let world = project();
        let mut run = world.start(&[]);
        run.reaches(|world| world.records().len() >= cut);
        run.signal("KILL");
        let _ = run.end();
        world.assert_nothing_left();
        let written = written(&world);
        lose_state(&world);
        let _ = repair(&world, &["--apply"]).exits(0);
        let paid = world.noted().len();
        world.ends(&[], 0);
        assert_eq!(world.tree(), tree, "lost after {cut} records");
        let notes = world.noted().split_off(paid);
        for id in &written {
            let again = format!("{id}.implement-");
            assert!(asked(&notes).iter().all(|attempt| !attempt.starts_with(&again)), "cut {cut}: {notes:?}");
        }
        assert!(notes.contains(&"whole".to_owned()));
        let _ = world.env.cco(["verify", "p/world"]).exits(0);
        let left = world.git(&["for-each-ref", "--format=%(refname)", "refs/cco/"]);
        for reference in left.lines() {
            let name = reference.strip_prefix("refs/cco/p/world-00000000/").unwrap();
            assert!(name.starts_with("tip/") || name.starts_with("history/"), "{reference}");
        }
    }
}
