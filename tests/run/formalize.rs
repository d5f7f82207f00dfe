//! From a brainstorm to a manifest, with real processes and the simulated agent.

mod faults;
mod hostile;
mod killed;

use std::fs;
use std::path::PathBuf;

use cco::formalize::codec;
use cco::formalize::event::{End, Event, Record};
use serde_json::{Value, json};

use crate::env::{Output, write};
use crate::world::{World, component};

/// A component with a check.
fn part(id: &str, depends_on: &[&str]) -> Value {
    component(id, depends_on)
}

/// What an agent answers that drafts these components; each draft leaves a note that it was made.
fn drafts(components: Vec<Value>) -> Value {
    json!({
        "actions": [{"run": {"cmd": "echo $CCO_ATTEMPT >> $NOTES"}}],
        "answer": {"summary": "cut by file", "manifest": {"components": components, "validation_command": "true"}},
        "cost_usd": 0.1,
    })
}

fn cycle() -> Value {
    drafts(vec![part("a", &["b"]), part("b", &["a"])])
}

fn unknown_field() -> Value {
    let mut a = part("a", &[]);
    a["dependson"] = json!(["b"]);
    drafts(vec![a, part("b", &[])])
}

fn good() -> Value {
    let mut good = drafts(vec![part("a", &["b"]), part("b", &[])]);
    good["answer"]["contexts"] = json!([{"component": "a", "text": "`b` has the interface."}]);
    good["answer"]["assumptions"] = json!(["plain text will do"]);
    good
}

fn judges(concerns: Value) -> Value {
    json!({
        "actions": [{"run": {"cmd": "echo $CCO_ATTEMPT >> $NOTES"}}],
        "answer": {"summary": "read all of it", "concerns": concerns}, "cost_usd": 0.01,
    })
}

fn ready() -> Value {
    judges(json!([{"blocks": false, "text": "the name is long"}]))
}

fn not_ready() -> Value {
    judges(json!([{"blocks": true, "text": "nobody says which database", "suggestion": "ask the owner"}]))
}

fn scenario(readiness: Value, drafts: Value) -> Value {
    json!({"steps": {"@run.readiness": readiness, "@run.draft": drafts}})
}

/// A spec without components, whose brainstorm says something.
fn brainstorm(scenario: Value) -> World {
    let world = World::new(json!({"components": []}), scenario);
    say(&world, "Write two files.");
    world
}

fn say(world: &World, text: &str) {
    write(&world.spec.join("brainstorm/MISSION.md"), text);
}

fn formalize(world: &World, args: &[&str]) -> Output {
    world.env.run(&mut world.formalizing(args))
}

fn manifest(world: &World) -> String {
    fs::read_to_string(world.spec.join("manifest.json")).unwrap()
}

fn of_spec(world: &World, name: &str) -> PathBuf {
    world.spec.join(name)
}

fn prompt(world: &World, attempt: &str) -> String {
    fs::read_to_string(world.spec.join(format!("runs/formalize/{attempt}.prompt.md"))).unwrap()
}

fn records(world: &World) -> Vec<Record> {
    match fs::read(world.spec.join("state/formalize/journal.jsonl")) {
        Ok(bytes) => codec::decode(&bytes).unwrap(),
        Err(_) => Vec::new(),
    }
}

fn events(world: &World) -> Vec<Event> {
    records(world).into_iter().flat_map(|record| record.events).collect()
}

/// The conversations of the attempts, and whether each existed before.
fn conversations(world: &World) -> Vec<(String, String, bool)> {
    let started = events(world).into_iter().filter_map(|event| match event {
        Event::AttemptStarted { attempt, session, resumed } => {
            Some((format!("{}-{}", attempt.step, attempt.n), session.to_string(), resumed))
        }
        _ => None,
    });
    started.collect()
}

fn notes(world: &World) -> Vec<String> {
    let noted = events(world).into_iter().filter_map(|event| match event {
        Event::Noted { text } => Some(text),
        _ => None,
    });
    noted.collect()
}

fn drafted(world: &World) -> usize {
    let drafted = |event: &&Event| matches!(event, Event::AttemptEnded { end: End::Drafted(_), .. });
    events(world).iter().filter(drafted).count()
}

#[test]
fn what_was_found_in_a_draft_comes_back_until_it_is_valid() {
    let world = brainstorm(scenario(ready(), json!([cycle(), unknown_field(), good()])));
    let before = manifest(&world);
    write(&of_spec(&world, "components/a.md"), "Mine.\n");
    let output = formalize(&world, &[]).exits(0);
    assert!(output.stdout.contains("the manifest is in place; 3 drafts, $0.31"), "{output}");
    assert!(output.stdout.contains("concern: the name is long"), "{output}");
    assert!(output.stdout.contains("assumed: plain text will do"), "{output}");
    assert_eq!(world.noted(), ["@run.readiness-1", "@run.draft-1", "@run.draft-2", "@run.draft-3"]);

    let second = prompt(&world, "draft-2");
    assert!(second.contains("E015 at /components/0/depends_on: 2 components depend on each other"), "{second}");
    let third = prompt(&world, "draft-3");
    assert!(third.contains("E007 at /components/0/dependson: unknown field `dependson`"), "{third}");
    assert!(third.contains("did you mean `depends_on`?") && third.contains("This is the last draft"), "{third}");
    let spoken = conversations(&world);
    assert!(spoken[0].1 != spoken[1].1 && spoken[1].1 == spoken[2].1 && spoken[2].1 == spoken[3].1, "{spoken:?}");

    assert_eq!(fs::read_to_string(of_spec(&world, "manifest.old-1.json")).unwrap(), before);
    assert_eq!(fs::read_to_string(of_spec(&world, "components/a.md")).unwrap(), "`b` has the interface.\n");
    assert_eq!(fs::read_to_string(of_spec(&world, "components/a.md.old-1")).unwrap(), "Mine.\n");
    let written: Value = serde_json::from_str(&manifest(&world)).unwrap();
    assert_eq!((&written["name"], &written["work_dir"]), (&json!("world"), &json!(world.env.work())));
    assert_eq!(written["agent"]["env"], json!(["NOTES"]), "the spec had settled it");
    let _ = world.env.cco(["validate", "p/world"]).exits(0);
    let plan = world.run(&["-n"]).exits(0);
    assert!(plan.stdout.contains("a") && plan.stdout.contains("b"), "{plan}");
    assert!(!world.git(&["branch", "--list"]).contains("cco/"), "no branch is begun");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1, "what it read in is gone");
    world.assert_nothing_left();

    // Once more there is nothing to pay for.
    let again = formalize(&world, &[]).exits(0);
    assert!(again.stderr.contains("made of this brainstorm already"), "{again}");
    assert_eq!(world.noted().len(), 4);
}

#[test]
fn the_spec_that_it_makes_runs_to_the_end() {
    let mut play = scenario(ready(), json!([cycle(), good()]));
    play["steps"]["a.implement"] = crate::world::writes("a", "x");
    play["steps"]["b.implement"] = crate::world::writes("b", "y");
    let mut draft = good();
    draft["answer"]["manifest"]["execution"] = json!({"reviewers": 0, "require_tests": false});
    play["steps"]["@run.draft"] = json!([cycle(), draft]);
    let world = brainstorm(play);
    let _ = formalize(&world, &[]).exits(0);
    world.ends(&[], 0);
    assert_eq!(world.file("a.txt"), "x");
}

#[test]
fn after_three_bad_drafts_the_manifest_is_as_it_was() {
    let world = brainstorm(scenario(ready(), json!([cycle(), unknown_field(), cycle(), cycle()])));
    let before = manifest(&world);
    let output = formalize(&world, &[]).exits(1);
    assert!(output.stdout.contains("no draft was valid; 3 drafts"), "{output}");
    assert!(output.stdout.contains("error[E015] at /components/0/depends_on"), "{output}");
    assert!(output.stdout.contains("kept as `manifest.failed-1.json`; the manifest is as it was"), "{output}");
    assert_eq!(manifest(&world), before);
    assert!(!of_spec(&world, "manifest.old-1.json").exists() && !of_spec(&world, "components/a.md").exists());
    let failed = fs::read_to_string(of_spec(&world, "manifest.failed-1.json")).unwrap();
    assert!(failed.contains("\"depends_on\""), "{failed}");

    // The next one begins anew, and what was there is kept.
    let again = formalize(&world, &[]).exits(1);
    assert!(again.stderr.contains("starting over; what was there is in"), "{again}");
    assert_eq!(drafted(&world), 3);
    let judged = world.noted().iter().filter(|line| line.contains("readiness")).count();
    assert_eq!(judged, 1, "the brainstorm is the one that was judged");
    let history: Vec<_> = fs::read_dir(of_spec(&world, "state/history")).unwrap().collect();
    assert_eq!(history.len(), 1);
    assert_eq!(manifest(&world), before);
}

#[test]
fn a_brainstorm_that_is_not_ready_is_not_drafted() {
    let world = brainstorm(scenario(not_ready(), json!([good()])));
    let before = manifest(&world);
    let output = formalize(&world, &[]).exits(3);
    assert!(output.stdout.contains("blocks: nobody says which database"), "{output}");
    assert!(output.stdout.contains("would settle it: ask the owner"), "{output}");
    assert!(output.stderr.contains("`--no-gate` goes on as it is"), "{output}");
    assert_eq!((world.noted(), manifest(&world)), (vec!["@run.readiness-1".to_owned()], before));

    // Unchanged, it is not paid for again; changed, it is.
    let again = formalize(&world, &[]).exits(3);
    assert!(again.stdout.contains("blocks: nobody says which database"), "{again}");
    assert_eq!(world.noted().len(), 1);
    say(&world, "Write two files, without a database.");
    let _ = formalize(&world, &[]).exits(3);
    assert_eq!(world.noted().len(), 2);

    let _ = formalize(&world, &["--no-gate"]).exits(0);
    assert_eq!(world.noted()[2..], ["@run.draft-1"]);
}

#[test]
fn a_changed_brainstorm_is_formalized_anew_and_fresh_does_so_unasked() {
    let world = brainstorm(scenario(ready(), json!([good()])));
    let _ = formalize(&world, &["--no-gate"]).exits(0);
    say(&world, "Write three files.");
    let output = formalize(&world, &["--no-gate"]).exits(0);
    assert!(output.stderr.contains("the brainstorm changed since: starting over"), "{output}");
    assert!(prompt(&world, "draft-1").contains("> Write three files."));
    let _ = formalize(&world, &["--fresh"]).exits(0);
    assert_eq!(world.noted().len(), 4, "two drafts, then a judgement and a third one: {:?}", world.noted());
    assert!(!of_spec(&world, "manifest.old-2.json").exists(), "the same manifest is not kept twice");
}

#[test]
fn what_there_is_can_be_shown() {
    let world = brainstorm(scenario(ready(), json!([cycle(), good()])));
    let nothing = world.env.cco(["formalize", "p/world", "--show"]).exits(0);
    assert!(nothing.stdout.contains("was not formalized"), "{nothing}");
    let told = formalize(&world, &["--json"]).exits(0);
    let lines: Vec<Value> = told.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), records(&world).len(), "a record a line");
    let shown = world.env.cco(["formalize", "p/world", "--show", "--json"]).exits(0);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&shown["over"], &shown["readiness"]["ready"]), (&json!("done"), &json!(true)));
    assert_eq!((&shown["drafts"][0]["valid"], &shown["drafts"][1]["valid"]), (&json!(false), &json!(true)));
    assert_eq!(shown["drafts"][0]["problems"][0]["code"], "E015");
    assert_eq!(shown["written"]["kept"], json!(["manifest.old-1.json"]));
    assert!((shown["cost_usd"].as_f64().unwrap() - 0.21).abs() < 1e-9, "{shown}");
}

#[test]
fn without_words_there_is_nothing_to_pay_for() {
    let world = World::new(json!({"components": []}), scenario(ready(), json!([good()])));
    let output = formalize(&world, &[]).exits(3);
    assert!(output.stderr.contains("brainstorm/ and SPEC.md of `p/world-00000000` say nothing"), "{output}");
    write(&of_spec(&world, "SPEC.md"), "# Two files\n");
    let _ = formalize(&world, &[]).exits(0);
    assert!(prompt(&world, "draft-1").contains("## `SPEC.md`"));
}

#[test]
fn a_manifest_that_cannot_be_read_is_left_alone() {
    let world = brainstorm(scenario(ready(), json!([good()])));
    for bad in ["", "[]", "{", "{\"name\": \"world\", \"project\": \"p\"}"] {
        write(&of_spec(&world, "manifest.json"), bad);
        let output = world.env.run(&mut world.formalizing(&[]));
        assert!(output.status == 65 || output.status == 2, "{bad}: {output}");
        assert_eq!(manifest(&world), bad);
    }
    assert_eq!(world.noted(), Vec::<String>::new());
    // What is invalid otherwise may be replaced: that is what it is for.
    let invalid =
        json!({"name": "world", "project": "p", "work_dir": world.env.work(), "components": [{"id": "../x"}]});
    write(&of_spec(&world, "manifest.json"), &invalid.to_string());
    let mut command = world.formalizing(&["--no-gate"]);
    let _ = world.env.run(&mut command).exits(0);
    assert_eq!(fs::read_to_string(of_spec(&world, "manifest.old-1.json")).unwrap(), invalid.to_string());
}
