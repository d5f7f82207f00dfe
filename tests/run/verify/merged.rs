//! Work that met other work on its way: carried over where the change is the same, and by what it became where it is not.

use serde_json::{Value, json};

use super::{says, stand, verify};
use crate::world::{World, component, manifest, votes};

/// Two that write one shared file, each in its own way, and that must both have begun before either ends.
fn shared(world_of: Value, steps: Value) -> World {
    let world = World::new(json!({"components": []}), json!({}));
    let mut manifest = manifest(vec![component("a", &[]), component("b", &[])]);
    manifest["execution"]["reviewers"] = json!(1);
    manifest["execution"]["shared_files"] = json!([world_of]);
    world.rewrite(manifest);
    let begun = |id: &str| world.env.root().join(format!("begun-{id}"));
    let writes = |id: &str, other: &str| {
        json!({"actions": [
            {"run": {"cmd": format!("echo > {}", begun(id).display())}},
            {"wait": {"until_file": begun(other)}},
            {"write": {"path": format!("{id}.txt"), "text": format!("{id}\n")}},
            {"write": {"path": "all.lock", "text": format!("{id}\n")}},
        ]})
    };
    let mut all = json!({"a.implement": writes("a", "b"), "b.implement": writes("b", "a")});
    for (key, value) in steps.as_object().unwrap() {
        all[key] = value.clone();
    }
    world.play(json!({"steps": all}));
    world.ends(&[], 0);
    world
}

#[test]
fn what_a_command_made_anew_at_the_merge_is_left_out_and_named() {
    let world = shared(json!({"path": "all.lock", "regenerate": "cat a.txt b.txt > all.lock"}), json!({}));
    assert_eq!(world.file("all.lock"), "a\nb");
    let reasons = stand(&world, 0, &[("a", "proven"), ("b", "proven"), ("@run", "proven")]);
    says(&reasons, &["change: but for what a command made anew at the merge: all.lock"]);
    says(&reasons, &["review:0: but for what a command made anew at the merge: all.lock"]);
}

#[test]
fn what_an_agent_resolved_is_checked_as_it_became() {
    let both = json!({"actions": [{"write": {"path": "all.lock", "text": "a\nb\n"}}]});
    let world = shared(json!("all.lock"), json!({"a.resolve": both, "b.resolve": both}));
    assert!(world.started().iter().any(|attempt| attempt.contains("resolve")), "{:?}", world.started());
    let reasons = stand(&world, 0, &[("a", "proven"), ("b", "proven"), ("@run", "proven")]);
    assert_eq!(reasons, [""; 0]);
}

#[test]
fn a_vote_that_was_held_is_part_of_the_proof_and_one_that_was_not_is_missed() {
    let mut manifest = manifest(vec![component("a", &[])]);
    manifest["execution"]["voting_gates"] = json!(["test_adequacy"]);
    let steps = json!({"steps": {
        "a.*": {"actions": [{"write": {"path": "a.txt", "text": "x\n"}}]},
        "@run.vote:test_adequacy:*": votes("ADEQUATE", 0.9, "they are enough"),
    }});
    let world = World::new(manifest, steps);
    world.ends(&[], 0);
    says(&stand(&world, 0, &[("@run", "proven")]), &["@run gate:test_adequacy: the voters chose ADEQUATE"]);
    super::forge(&world, |events| {
        events.retain(|event| !matches!(event, cco::lifecycle::event::Event::GateSettled { .. }));
    });
    says(&stand(&world, 1, &[("@run", "unproven")]), &["@run gate:test_adequacy: no vote of it is on record"]);
    assert!(verify(&world, &[]).exits(1).stdout.contains("the whole is unproven"));
}
