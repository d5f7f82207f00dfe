//! What a run is told to do and not to do: budget, selection, anew, from the start, and one at a time.

use std::fs;

use cco::lifecycle::event::{Event, RunEnd};
use serde_json::{Value, json};

use crate::world::{BRANCH, World, component, fault, manifest, writes};

/// A chain of two and one beside it; each step costs a dollar.
fn world() -> World {
    let costly = |id: &str| {
        let mut behaviour = writes(id, "x");
        behaviour["cost_usd"] = json!(1.0);
        behaviour
    };
    let mut manifest = manifest(vec![component("a", &[]), component("b", &["a"]), component("c", &["b"])]);
    manifest["execution"]["max_parallel"] = json!(1);
    let steps: Value = json!({"a.*": costly("a"), "b.*": costly("b"), "c.*": costly("c")});
    World::new(manifest, json!({"steps": steps}))
}

#[test]
fn a_used_up_budget_ends_the_run_and_more_of_it_carries_on() {
    let world = world();
    world.ends(&["--budget-usd", "1.5"], 4);
    assert_eq!(world.last_end(), Some(RunEnd::Budget));
    assert_eq!(world.wrote(), ["a.implement", "b.implement"]);
    world.ends(&["--budget-usd", "1.5"], 4);
    assert_eq!(world.wrote(), ["a.implement", "b.implement"]);
    world.ends(&["--budget-usd", "10"], 0);
    assert_eq!(world.wrote(), ["a.implement", "b.implement", "c.implement"]);
}

#[test]
fn fail_fast_starts_nothing_after_a_failure() {
    let mut a = component("a", &[]);
    a["checks"] = json!(["false"]);
    let mut manifest = manifest(vec![a, component("b", &[]), component("c", &["b"])]);
    manifest["execution"]["max_fix_attempts"] = json!(0);
    manifest["execution"]["max_parallel"] = json!(1);
    let steps: Value = json!({"a.*": writes("a", "x"), "b.*": writes("b", "x"), "c.*": writes("c", "x")});
    let world = World::new(manifest, json!({"steps": steps}));
    world.ends(&["--fail-fast"], 3);
    assert_eq!(world.last_end(), Some(RunEnd::FailFast));
    assert!(world.wrote().len() < 3, "{:?}", world.wrote());
    world.ends(&[], 3);
    assert_eq!(world.wrote().len(), 3);
}

#[test]
fn only_what_was_named_is_done_and_an_unmet_dependency_is_named() {
    let world = world();
    let output = world.run(&["--only", "b"]);
    assert_eq!(output.status, 2, "{output}");
    assert!(output.stderr.contains("--only a,b"), "{output}");
    assert!(world.started().is_empty());
    world.ends(&["--only", "a,b"], 0);
    assert_eq!(world.wrote(), ["a.implement", "b.implement"]);
    world.ends(&["--only", "a"], 0);
    assert_eq!(world.wrote(), ["a.implement", "b.implement"]);
    world.ends(&[], 0);
    assert_eq!(world.wrote(), ["a.implement", "b.implement", "c.implement"]);
}

#[test]
fn redo_makes_anew_and_tells_why() {
    let world = world();
    world.ends(&[], 0);
    world.ends(&["--redo", "b", "-m", "with more care"], 0);
    assert_eq!(world.wrote(), ["a.implement", "b.implement", "b.implement", "c.implement"]);
    let prompt = fs::read_to_string(world.spec.join("runs/b.implement-2.prompt.md")).unwrap();
    assert!(prompt.contains("with more care"), "{prompt}");
    let output = world.run(&["--redo", "bb"]);
    assert_eq!(output.status, 2, "{output}");
}

#[test]
fn fresh_starts_over_and_deletes_nothing() {
    let world = world();
    world.ends(&[], 0);
    let journal = fs::read(world.paths().journal()).unwrap();
    let tip = world.git(&["rev-parse", BRANCH]);
    world.ends(&["--fresh"], 0);
    assert_eq!(world.wrote(), ["a.implement", "b.implement", "c.implement"], "the new journal knows one run");
    let sets: Vec<_> = fs::read_dir(world.paths().history()).unwrap().flatten().collect();
    let [set] = sets.as_slice() else { panic!("one set in history: {sets:?}") };
    let mut kept = Vec::new();
    find(&set.path(), &mut kept);
    assert!(kept.iter().any(|path| fs::read(path).unwrap() == journal), "{kept:?}");
    assert!(kept.iter().any(|path| path.ends_with("a.implement-1.stream.jsonl")), "{kept:?}");
    let refs = world.git(&["for-each-ref", "--format=%(objectname) %(refname)", "refs/cco"]);
    let branch = refs.lines().find(|line| line.contains("/history/") && line.ends_with("/branch")).unwrap();
    assert!(branch.starts_with(&tip), "{refs}");
    assert_eq!(refs.matches("/history/").count(), 4, "the branch and the tips of three components: {refs}");
    assert_eq!(world.file("c.txt"), "x");
    world.ends(&["--fresh"], 0);
    assert_eq!(fs::read_dir(world.paths().history()).unwrap().count(), 2);
}

fn find(dir: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() { find(&entry.path(), files) } else { files.push(entry.path()) }
    }
}

#[test]
fn a_checkout_that_was_cut_short_is_taken_up_whole() {
    let world = world();
    // As a run leaves it that dies before its first record: a branch, and a worktree without its files.
    let run = world.env.home().join(".local/state/cco/worktrees/p/world-00000000/run");
    world.git(&["worktree", "add", "--quiet", "-b", BRANCH, run.to_str().unwrap()]);
    fs::remove_file(run.join("README")).unwrap();
    fs::remove_file(world.env.work().join(".git/worktrees/run/index")).unwrap();
    fs::write(world.env.work().join(".git/worktrees/run/index.lock"), "").unwrap();
    world.ends(&[], 0);
    assert_eq!(world.file("README"), "a project");
}

#[test]
fn one_run_a_spec_at_a_time() {
    let world = World::new(
        manifest(vec![component("a", &[])]),
        json!({"steps": {"a.implement": [fault(json!({"hang": "init"})), writes("a", "x")]}}),
    );
    let mut first = world.start(&[]);
    first.records(|event| matches!(event, Event::AttemptStarted { .. }));
    let output = world.run(&[]);
    assert_eq!(output.status, 5, "{output}");
    assert!(output.stderr.contains(&first.child.id().to_string()), "who holds it: {output}");
    first.signal("INT");
    assert_eq!(first.end(), 130);
    world.ends(&[], 0);
}

#[test]
fn without_git_the_directory_itself_is_worked_on_one_run_at_a_time() {
    let hangs = fault(json!({"hang": "init"}));
    let mut manifest = manifest(vec![component("a", &[]), component("b", &["a"])]);
    let scenario = json!({"steps": {"a.implement": [hangs, writes("a", "x")], "b.implement": writes("b", "y")}});
    let world = World::without_git(manifest.clone(), scenario);
    let mut first = world.start(&[]);
    first.records(|event| matches!(event, Event::AttemptStarted { .. }));
    // Another spec that works on the same directory.
    manifest["name"] = json!("other");
    manifest["project"] = json!("p");
    manifest["work_dir"] = json!(world.env.work());
    crate::env::write(&world.env.store().join("p/other-00000000/manifest.json"), &manifest.to_string());
    let other = world.env.cco(["run", "p/other-00000000", "--agent", "sim", "--no-input"]);
    assert_eq!(other.status, 5, "{other}");
    first.signal("KILL");
    let _ = first.end();
    world.assert_nothing_left();
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output}");
    assert!(output.stderr.contains("itself"), "it warns: {output}");
    let read = |name: &str| fs::read_to_string(world.env.work().join(name)).unwrap();
    assert_eq!((read("a.txt"), read("b.txt")), ("x".to_owned(), "y".to_owned()));
    let dir: Vec<_> = fs::read_dir(world.env.work()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(dir.len(), 2, "nothing else in the user's directory: {dir:?}");
}

#[test]
fn the_users_checkout_is_not_touched() {
    let world = world();
    fs::write(world.env.work().join("README"), "edited and not committed").unwrap();
    fs::write(world.env.work().join("a.txt"), "the user's own").unwrap();
    let head = world.git(&["rev-parse", "HEAD"]);
    let status = world.git(&["status", "--porcelain"]);
    world.ends(&[], 0);
    assert_eq!(world.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(world.git(&["status", "--porcelain"]), status);
    assert_eq!(fs::read_to_string(world.env.work().join("a.txt")).unwrap(), "the user's own");
}
