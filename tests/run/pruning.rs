//! What `state/objects` keeps, and what it does not.

use std::collections::BTreeSet;
use std::fs;

use cco::lifecycle::event::Verb;
use serde_json::{Value, json};

use crate::env::write;
use crate::world::{World, manifest};

const JUNK: usize = 700;

fn junk(n: usize) -> String {
    format!("{n:032x}")
}

/// A component whose fix made it worse, so that a person is asked; its first state is the best.
fn asking() -> World {
    let checks = [("p1", "grep -q one a.txt"), ("p2", "grep -q two a.txt")];
    let checks = checks.map(|(name, run)| json!({"name": name, "run": run}));
    let mut all = manifest(vec![json!({"id": "a", "files": ["a.txt"], "complexity": "low", "checks": checks})]);
    all["execution"]["max_fix_attempts"] = json!(1);
    let puts = |text: &str| json!({"actions": [{"write": {"path": "a.txt", "text": text}}]});
    let notes: Value = json!({"run": {"cmd": "cat a.txt >> $NOTES"}});
    let mends = json!({"actions": [notes, {"write": {"path": "a.txt", "text": "one two\n"}}]});
    let world =
        World::without_git(all, json!({"steps": {"a.implement": puts("one\n"), "a.fix": [puts("zero\n"), mends]}}));
    world.ends(&[], 3);
    world
}

fn kept(world: &World) -> BTreeSet<String> {
    let entries = fs::read_dir(world.paths().objects()).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn what_no_record_speaks_of_goes_and_the_best_state_stays() {
    let world = asking();
    let before = kept(&world);
    (0..JUNK).for_each(|n| write(&world.paths().objects().join(junk(n)), "of nobody"));
    write(&world.paths().objects().join("of-the-user"), "a file that is no content");
    world.ends(&[], 3);
    let after = kept(&world);
    assert!((0..JUNK).all(|n| !after.contains(&junk(n))), "{} are left", after.len());
    assert!(after.contains("of-the-user"));
    assert!(after.iter().any(|name| name == "left") && after.is_superset(&before), "{before:?} {after:?}");
    world.answer("q1", Verb::Retry, None);
    world.ends(&[], 0);
    assert_eq!(world.noted(), ["one"], "the fix began on the best state");
}

/// What cannot be told is not removed; and a journal that was set aside counts as well.
#[test]
fn what_cannot_be_told_stays() {
    let world = asking();
    (0..JUNK).for_each(|n| write(&world.paths().objects().join(junk(n)), "of nobody"));
    let standing = world.paths().objects().join("standing");
    let known = fs::read(&standing).unwrap();
    fs::write(&standing, "nonsense").unwrap();
    world.ends(&[], 3);
    assert!(kept(&world).contains(&junk(1)));
    fs::write(&standing, known).unwrap();
    let aside = world.paths().history().join("20260101T000000Z");
    write(&aside.join("journal.jsonl"), &format!("{{\"commit\":\"digest:{}\"}}\n", junk(7)));
    world.ends(&[], 3);
    let after = kept(&world);
    assert!(after.contains(&junk(7)) && !after.contains(&junk(1)), "{} are left", after.len());
}
