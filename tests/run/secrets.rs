//! What agents and checks print of secrets goes no further than their own files.

use std::fs;
use std::path::Path;

use cco::lifecycle::event::{AttemptEnd, Event, Verb};
use serde_json::{Value, json};

use crate::env::write;
use crate::world::{World, component, fault, manifest};

/// In the environment that agents and checks get.
const TOKEN: &str = "deploy-9f8e7d6c5b4a";
/// In a file that the manifest names to be copied, under a name that says nothing.
const COPIED: &str = "sk_live_51HxYzAbCdEf";
/// Alone in an address.
const PASSWORD: &str = "s3cr3t!pw";

/// `a`: its check prints everything and fails until the fix, and its agent repeats it all. `b` needs it, and its agent
/// fails once. `c` asks.
fn world() -> World {
    let mut a = component("a", &[]);
    let db = json!({"DB": format!("db://app:{PASSWORD}@host/db")});
    a["checks"] = json!([
        {"name": "says", "env": db, "run": "echo $DEPLOY_TOKEN $DB; cat $ENV_FILE; grep -q good a.txt"},
        // An issue quotes the last 4096 bytes, which begin in the middle of the token.
        {"name": "cut", "run": "printf '%s%04085d\\n' $DEPLOY_TOKEN 0; grep -q good a.txt"},
    ]);
    let mut manifest = manifest(vec![a, component("b", &["a"]), component("c", &[])]);
    manifest["agent"]["env"] = json!(["DEPLOY_TOKEN", "ENV_FILE"]);
    manifest["execution"]["copy"] = json!([".env"]);
    let all = format!("{TOKEN} and {COPIED} and {PASSWORD}");
    let told = |text: &str| {
        json!({
            "actions": [
                {"text": all}, {"run": {"cmd": "echo $DEPLOY_TOKEN; cat $ENV_FILE"}},
                {"write": {"path": "a.txt", "text": text}},
            ],
            "answer": {
                "status": "done", "summary": format!("It needs {all}."), "decisions": [&all], "interfaces": [&all],
                "discoveries": [&all], "notes": [&all], "blockers": [&all],
            },
        })
    };
    let b = json!({"actions": [{"write": {"path": "b.txt", "text": "x"}}]});
    let c = json!({"answer": {"status": "blocked", "summary": "I ask.", "questions": [format!("Is {all} right?")]}});
    let b = json!([fault(json!({"exit": {"code": 1}})), b]);
    let steps = json!({"a.implement": told("bad"), "a.fix": told("good"), "b.implement": b, "c.*": c});
    let world = World::new(manifest, json!({"steps": steps}));
    write(&world.env.work().join(".env"), &format!("PORT=5432\nSTRIPE={COPIED}\n"));
    world
}

fn cco(world: &World, args: &[&str]) -> std::process::Command {
    let mut command = world.env.command(args);
    with_secrets(world, &mut command);
    command
}

fn with_secrets(world: &World, command: &mut std::process::Command) {
    command.env("DEPLOY_TOKEN", TOKEN).env("ENV_FILE", world.env.work().join(".env"));
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    // The beginning of each is enough: half a secret is one too.
    for secret in [&TOKEN[7..13], &COPIED[8..14], &PASSWORD[..6], &TOKEN[13..]] {
        assert!(!text.contains(secret), "`{secret}` in {what}:\n{text}");
    }
}

/// Clean, and not because nothing was said.
#[track_caller]
fn assert_redacted(what: &str, text: &str) {
    assert_clean(what, text);
    assert!(text.contains("[redacted DEPLOY_TOKEN]") && text.contains("[redacted STRIPE]"), "{what}:\n{text}");
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).into_owned()
}

#[test]
fn no_secret_is_told_to_anyone() {
    let world = world();
    let notified = world.env.root().join("notified");
    let notify = format!("cat >> {}", notified.display());
    let mut command = world.command(&["--notify", &notify, "-vv"]);
    with_secrets(&world, &mut command);
    let output = world.env.run(&mut command).exits(3);
    assert_redacted("what run prints", &output.to_string());
    assert!(world.has(|event| matches!(event, Event::FixOpened { .. })), "the check never failed");
    for file in [
        "state/journal.jsonl",
        "CONTEXT.md",
        "components/a.md",
        "runs/a.fix-1.prompt.md",
        "runs/b.implement-1.prompt.md",
    ] {
        assert_redacted(file, &read(&world.spec.join(file)));
    }
    assert!(read(&world.spec.join("state/journal.jsonl")).contains("[redacted DB]"));
    assert_redacted("the notice", &read(&notified));
    assert_redacted("the commits", &world.git(&["log", "--all", "--format=%B"]));
    let spec = world.spec.to_str().unwrap();
    // What the user wrote goes into prompts as it is, and is hidden only where they are shown.
    let prompt = world.spec.join("runs/b.implement-1.prompt.md");
    write(&prompt, &format!("{}\n{TOKEN}\n", read(&prompt)));
    for args in [
        &["status", spec][..],
        &["status", spec, "--json"],
        &["answer", spec],
        &["answer", spec, "--json"],
        &["logs", "--spec", spec],
        &["logs", "--spec", spec, "--raw"],
        &["logs", "--spec", spec, "--prompt"],
    ] {
        let output = world.env.run(&mut cco(&world, args)).exits(0);
        assert_redacted(&args.join(" "), &output.to_string());
    }
    let output = world.env.run(&mut cco(&world, &["logs", "--spec", spec, "--json"])).exits(0);
    assert_clean("the listing of logs", &output.to_string());
    // What they wrote themselves stays as it is: a conversation is continued from it, a check proved by it.
    let said = |event| match event {
        Event::AttemptStarted { attempt, .. } if attempt.to_string() == "a.check:says-1" => Some(attempt),
        _ => None,
    };
    let log = world.paths().log(&world.events().into_iter().find_map(said).unwrap());
    for path in [world.spec.join("runs/a.implement-1.stream.jsonl"), log] {
        let text = read(&path);
        assert!(text.contains(TOKEN) && text.contains(COPIED), "{}:\n{text}", path.display());
    }
}

#[test]
fn records_on_stdout_and_the_users_words_hold_no_secret() {
    let world = world();
    let run = |args: &[&str], status: i32| {
        let mut command = world.command(args);
        with_secrets(&world, &mut command);
        world.env.run(&mut command).exits(status).stdout
    };
    assert_redacted("the records", &run(&["--json"], 3));
    world.play(json!({"steps": {"c.*": {"actions": [{"write": {"path": "c.txt", "text": "x"}}]}}}));
    world.answer("q1", Verb::Retry, Some(&format!("it is {TOKEN}")));
    run(&[], 0);
    let guidance = |event: &Event| match event {
        Event::Answered(answer) => answer.guidance.clone(),
        _ => None,
    };
    assert_eq!(world.events().iter().find_map(guidance).unwrap(), "it is [redacted DEPLOY_TOKEN]");
    run(&["--redo", "c", "-m", &format!("with {COPIED}")], 0);
    assert_redacted("the journal", &read(&world.paths().journal()));
}

#[test]
fn logs_hide_what_became_a_secret_after_it_was_recorded() {
    let answer = json!({"status": "done", "summary": format!("I made {TOKEN} and {COPIED}.")});
    let mut manifest = manifest(vec![component("a", &[])]);
    manifest["components"][0]["checks"] = json!([]);
    manifest["execution"]["copy"] = json!([".env"]);
    let actions = json!([{"write": {"path": "a.txt", "text": "x"}}]);
    let world = World::new(manifest, json!({"steps": {"a.*": {"actions": actions, "answer": answer}}}));
    world.ends(&[], 0);
    write(&world.env.work().join(".env"), &format!("STRIPE={COPIED}\n"));
    let spec = world.spec.to_str().unwrap();
    let logs = |args: &[&str]| world.env.run(&mut cco(&world, args)).exits(0).to_string();
    assert_redacted("the logs", &logs(&["logs", "--spec", spec]));
    assert_redacted("the listing", &logs(&["logs", "--spec", spec, "--json"]));
    // What cannot be known is said, and the rest is hidden all the same.
    write(&world.spec.join("manifest.json"), "{");
    let blind = logs(&["logs", "--spec", spec]);
    assert!(blind.contains("warning: what copied files hold is not redacted") && !blind.contains(TOKEN), "{blind}");
}

/// A value of the copied file that is also the name of a check is hidden in texts, and goes on being the check's name.
#[test]
fn names_that_the_plan_gives_are_never_replaced() {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "shop-x9f8a7b6", "run": "echo shop-x9f8a7b6; exit 1"}]);
    let mut manifest = manifest(vec![a]);
    manifest["execution"]["copy"] = json!([".env"]);
    manifest["execution"]["max_fix_attempts"] = json!(0);
    let world = World::new(manifest, json!({"steps": {"a.*": crate::world::writes("a", "x")}}));
    write(&world.env.work().join(".env"), "SUITE=shop-x9f8a7b6\n");
    world.ends(&[], 3);
    let issues: Vec<Value> = world
        .ended()
        .into_iter()
        .filter_map(|(_, end)| match end {
            AttemptEnd::Checked(result) => Some(json!([result.check, result.issues[0].source, result.issues[0].text])),
            _ => None,
        })
        .collect();
    assert_eq!(issues[0][0], "shop-x9f8a7b6");
    assert_eq!(issues[0][1], "check:shop-x9f8a7b6");
    assert!(issues[0][2].as_str().unwrap().ends_with("\n[redacted SUITE]"), "{issues:?}");
}
