//! What changed between two runs, and what is done again because of it: no more and no less.

use std::fs;

use cco::lifecycle::event::{Event, Redo, StaleReason, Verb};
use serde_json::{Value, json};

use crate::env::write;
use crate::world::{World, component, manifest, writes};

fn steps() -> Value {
    json!({"steps": {"a.*": writes("a", "x"), "b.*": writes("b", "x"), "c.*": writes("c", "x")}})
}

fn chain() -> Value {
    manifest(vec![component("a", &[]), component("b", &["a"]), component("c", &[])])
}

/// A chain of two and one beside it, done.
fn done() -> World {
    let world = World::new(chain(), steps());
    world.ends(&[], 0);
    world
}

/// What was started since, and what had gone stale.
fn again(world: &World, args: &[&str], status: i32) -> (Vec<String>, Vec<(String, StaleReason, Redo)>) {
    let (before, events) = (world.started().len(), world.events().len());
    world.ends(args, status);
    let stale = world.events().into_iter().skip(events).filter_map(|event| match event {
        Event::WentStale { on, why, redo, .. } => Some((on.to_string(), why, redo)),
        _ => None,
    });
    (world.started().into_iter().skip(before).collect(), stale.collect())
}

#[test]
fn nothing_changed_starts_nothing_and_records_nothing() {
    let world = World::new(chain(), steps());
    write(&world.spec.join("components/a.md"), "Mind the gap.");
    write(&world.spec.join("CONTEXT.md"), "All of it is about gaps");
    world.ends(&[], 0);
    let journal = fs::read(world.paths().journal()).unwrap();
    world.ends(&[], 0);
    assert_eq!(fs::read(world.paths().journal()).unwrap(), journal);
}

#[test]
fn a_changed_definition_is_revised_and_validated() {
    let world = done();
    let mut manifest = chain();
    manifest["components"][0]["purpose"] = json!("Write it well.");
    world.rewrite(manifest);
    let (started, stale) = again(&world, &[], 0);
    assert_eq!(stale, [("a".to_owned(), StaleReason::Input, Redo::Revise)]);
    assert_eq!(started[..2], ["a.revise-1", "a.check:a-2"], "{started:?}");
    assert!(started[2..].iter().all(|name| name.starts_with("@run.check:")), "{started:?}");
    assert_eq!(again(&world, &[], 0).0, [""; 0]);
}

#[test]
fn a_changed_product_validates_its_consumers_again() {
    let world = done();
    let mut manifest = chain();
    manifest["components"][0]["purpose"] = json!("Write something else.");
    world.rewrite(manifest);
    world.play(json!({"steps": {"a.*": writes("a", "y")}}));
    let (started, stale) = again(&world, &[], 0);
    assert_eq!(stale.len(), 2, "{stale:?}");
    assert_eq!(stale[1].0, "b");
    assert!(started.contains(&"b.check:b-2".to_owned()), "{started:?}");
    assert!(!started.iter().any(|name| name.starts_with("c.")), "{started:?}");
}

#[test]
fn changed_checks_are_run_and_no_agent() {
    let world = done();
    for (round, checks) in [
        json!([{"name": "a", "run": "test -s a.txt && true"}]),
        json!([{"name": "renamed", "run": "test -e a.txt"}]),
        json!([{"name": "renamed", "run": "test -e a.txt"}, {"name": "more", "run": "true"}]),
        json!([{"name": "more", "run": "true"}]),
        json!(["test -f a.txt"]),
    ]
    .into_iter()
    .enumerate()
    {
        let mut manifest = chain();
        manifest["components"][0]["checks"] = checks.clone();
        world.rewrite(manifest);
        let (started, stale) = again(&world, &[], 0);
        assert_eq!(stale[0], ("a".to_owned(), StaleReason::Checks, Redo::Validate), "{checks}");
        assert!(started.iter().all(|name| name.contains(".check:")), "{checks}: {started:?}");
        assert!(started.iter().any(|name| name.starts_with("a.check:")), "{round} {checks}: {started:?}");
        assert!(!started.iter().any(|name| name.starts_with("b.")), "{checks}: {started:?}");
    }
}

/// Also where no command judges a component: then the reviewers are what judges it.
#[test]
fn another_number_of_reviewers_judges_again() {
    let mut a = component("a", &[]);
    a["checks"] = json!([]);
    let with = |mode: &str, reviewers: u8| {
        let mut manifest = manifest(vec![a.clone()]);
        manifest["execution"]["reviewers"] = json!(reviewers);
        manifest["execution"]["mode"] = json!(mode);
        manifest
    };
    for (mode, on) in [("standard", ["a", "@run"].as_slice()), ("quick", &["@run"])] {
        let world = World::new(with(mode, 0), steps());
        world.ends(&[], 0);
        for reviewers in [1, 2] {
            world.rewrite(with(mode, reviewers));
            let (started, stale) = again(&world, &[], 0);
            let all = on.iter().flat_map(|on| (0..reviewers).map(move |one| format!("{on}.review:{one}-")));
            assert!(all.clone().all(|name| started.iter().any(|it| it.starts_with(&name))), "{mode}: {started:?}");
            assert_eq!(started.len(), all.count(), "{mode}: {started:?}");
            let expected: Vec<_> =
                on.iter().map(|on| ((*on).to_owned(), StaleReason::Checks, Redo::Validate)).collect();
            assert_eq!(stale, expected, "{mode}");
            assert_eq!(again(&world, &[], 0).0, [""; 0], "{mode}");
        }
        // What nobody judges any more stands as it is; the whole is proven by less.
        world.rewrite(with(mode, 0));
        assert_eq!(again(&world, &[], 0).0, [""; 0], "{mode}");
    }
}

#[test]
fn changed_level_and_end_checks_are_run_again() {
    let mut manifest = chain();
    manifest["quality"] = json!({"test_command": "ls README"});
    manifest["validation_command"] = json!("ls b.txt");
    let world = World::new(manifest.clone(), steps());
    world.ends(&[], 0);
    manifest["quality"] = json!({"lint_command": "ls *.txt"});
    manifest["validation_command"] = json!("ls c.txt");
    world.rewrite(manifest);
    let (started, _) = again(&world, &[], 0);
    assert!(!started.is_empty() && started.iter().all(|name| name.contains(".check:")), "{started:?}");
    world.rewrite(chain());
    let _ = again(&world, &[], 0);
}

#[test]
fn an_edit_in_the_middle_of_a_check_does_not_stop_the_next_run() {
    let mut manifest = chain();
    manifest["components"][0]["checks"] = json!([{"name": "slow", "run": "sleep 300"}]);
    let world = World::new(manifest, steps());
    let mut run = world.start(&[]);
    assert!(run.reaches(|world| world.processes().iter().any(|(_, line)| line.starts_with("sleep"))));
    run.signal("KILL");
    let _ = run.end();
    world.assert_nothing_left();
    world.rewrite(chain());
    world.ends(&[], 0);
    assert_eq!(world.wrote(), ["a.implement", "b.implement", "c.implement"]);
}

#[test]
fn gotchas_jobs_and_models_make_nothing_stale() {
    let world = done();
    let mut manifest = chain();
    manifest["gotchas"] = json!(["mind the gap"]);
    manifest["execution"]["max_parallel"] = json!(2);
    manifest["agent"]["model"] = json!("opus");
    world.rewrite(manifest);
    let records = world.records().len();
    assert_eq!(again(&world, &[], 0), (vec![], vec![]));
    assert_eq!(world.records().len(), records);
}

#[test]
fn a_component_that_was_removed_keeps_its_files_and_its_cost() {
    let world = done();
    world.rewrite(manifest(vec![component("a", &[]), component("b", &["a"])]));
    let (started, stale) = again(&world, &[], 0);
    assert!(started.iter().all(|name| name.starts_with("@run.")), "{started:?}");
    assert!(stale.iter().all(|(on, ..)| on == "@run"), "{stale:?}");
    assert_eq!(world.file("c.txt"), "x");
    // It comes back: what it did is still known.
    world.rewrite(chain());
    let (started, _) = again(&world, &[], 0);
    assert!(started.iter().all(|name| name.starts_with("@run.")), "{started:?}");
}

#[test]
fn a_component_that_was_removed_takes_its_questions_along() {
    let asks = json!({"answer": {"status": "blocked", "summary": "stuck", "questions": ["how?"]}});
    let world = World::new(
        chain(),
        json!({"steps": {"a.*": writes("a", "x"), "b.*": asks, "c.implement-1": asks, "c.*": writes("c", "x")}}),
    );
    world.ends(&[], 3);
    world.answer("q1", Verb::Retry, None);
    world.ends(&[], 3);
    world.rewrite(manifest(vec![component("a", &[])]));
    world.ends(&[], 0);
    let mut manifest = chain();
    manifest["components"].as_array_mut().unwrap().remove(1);
    world.rewrite(manifest);
    world.answer("q2", Verb::Retry, None);
    world.answer("q1", Verb::Retry, None);
    let output = world.run(&[]);
    assert!(output.status == 0 || output.status == 3, "{output}");
    world.rewrite(chain());
    let output = world.run(&[]);
    assert_eq!(output.status, 3, "{output}");
}

#[test]
fn a_question_about_what_was_redefined_is_closed() {
    let asks = json!({"answer": {"status": "blocked", "summary": "stuck", "questions": ["how?"]}});
    let world = World::new(manifest(vec![component("a", &[])]), json!({"steps": {"a.*": asks}}));
    world.ends(&[], 3);
    let mut clear = component("a", &[]);
    clear["purpose"] = json!("Write an x.");
    world.rewrite(manifest(vec![clear]));
    world.play(steps());
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output}");
    assert!(!output.to_string().contains("q1 ("), "a question that nobody can answer: {output}");
}

#[test]
fn the_users_text_in_context_files_survives_to_the_byte() {
    let world = World::new(chain(), json!({"steps": {"a.*": told("a"), "b.*": told("b"), "c.*": told("c")}}));
    let text = "First line\r\n\tno line end at the end of this";
    for name in ["CONTEXT.md", "components/a.md"] {
        write(&world.spec.join(name), text);
    }
    world.ends(&[], 0);
    for name in ["CONTEXT.md", "components/a.md"] {
        let now = fs::read_to_string(world.spec.join(name)).unwrap();
        assert!(now.starts_with(text) && now.contains("x it is"), "{name}: {now}");
        write(&world.spec.join(name), &format!("{now}\nand one below"));
    }
    // What was added to the context file of `a` is its input; CONTEXT.md is nobody's.
    let (_, stale) = again(&world, &[], 0);
    assert_eq!(stale, [("a".to_owned(), StaleReason::Input, Redo::Revise)]);
    for name in ["CONTEXT.md", "components/a.md"] {
        let now = fs::read_to_string(world.spec.join(name)).unwrap();
        assert!(now.starts_with(text) && now.ends_with("\nand one below"), "{name}: {now}");
        assert_eq!(now.matches("cco:begin").count(), 1, "{name}: {now}");
    }
}

/// Writes the component's file, and says so.
fn told(id: &str) -> Value {
    let mut steps = writes(id, "x");
    steps["answer"] = json!({"status": "done", "summary": "did it", "decisions": ["x it is"]});
    steps
}

/// Context files that hold nothing of the user's are remembered, and an edit of one is seen all the same.
#[test]
fn an_edit_of_a_context_file_of_ccos_own_is_seen_whatever_its_size_and_time() {
    let world = World::new(chain(), json!({"steps": {"a.*": told("a"), "b.*": told("b"), "c.*": told("c")}}));
    world.ends(&[], 0);
    assert_eq!(again(&world, &[], 0).0, [""; 0]);
    assert!(world.paths().blank_contexts().exists());
    let path = world.spec.join("components/a.md");
    let (text, about) = (fs::read_to_string(&path).unwrap(), fs::metadata(&path).unwrap());
    write(&path, &format!("Mind {}", text.replacen("it is", "", 1)));
    let times = fs::FileTimes::new().set_modified(about.modified().unwrap());
    fs::File::options().write(true).open(&path).unwrap().set_times(times).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), about.len());
    let input = |id: &str| (id.to_owned(), StaleReason::Input, Redo::Revise);
    assert_eq!(again(&world, &[], 0).1, [input("a")]);
    // A file of another name counts instead of the one that is known.
    write(&world.spec.join("notes/c.md"), "Mind the gap.");
    let mut manifest = chain();
    manifest["components"][2]["context_file"] = json!("notes/c.md");
    world.rewrite(manifest);
    assert_eq!(again(&world, &[], 0).1, [input("c")]);
    // And what was damaged is no reason for anything.
    fs::write(world.paths().blank_contexts(), b"\0\xff").unwrap();
    assert_eq!(again(&world, &[], 0), (vec![], vec![]));
}
