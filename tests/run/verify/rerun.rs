//! The commands once more, in a fresh worktree that goes again.

use std::fs;

use serde_json::{Value, json};

use super::{everything, manifest, stand, steps, verify};
use crate::env::write;
use crate::world::{World, component};

/// `b` passes as long as nobody says otherwise, and needs what `setup` makes and `copy` brings.
fn world() -> World {
    let world = World::new(json!({"components": []}), steps());
    let root = world.env.root();
    let broken = root.join("broken");
    let mut b = component("b", &["a"]);
    b["checks"] = json!([{
        "name": "b", "run": format!("test -s b.txt && test -e made && grep -q key .env && ! test -e {}", broken.display()),
    }]);
    let mut manifest = manifest(vec![component("a", &[]), b]);
    manifest["execution"]["setup"] = json!(["echo made > made"]);
    manifest["execution"]["copy"] = json!([".env"]);
    manifest["execution"]["teardown"] = json!([format!("echo down >> {}", root.join("down").display())]);
    world.rewrite(manifest);
    write(&world.env.work().join(".env"), "key=value\n");
    write(&world.env.work().join(".gitignore"), ".env\nmade\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "Ignore"]);
    world.ends(&[], 0);
    world
}

fn results(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |one: &Value| (text(&one["check"]), text(&one["verdict"]));
    document["rerun"].as_array().unwrap().iter().map(of).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(check, verdict)| ((*check).to_owned(), (*verdict).to_owned())).collect()
}

#[test]
fn what_passes_still_is_proven_and_the_worktree_goes_again() {
    let world = world();
    // The lock's file stays, so that two never do this at once.
    let _ = verify(&world, &["--rerun"]).exits(0);
    let before = everything(&world);
    let _ = fs::remove_file(world.env.root().join("down"));
    let output = verify(&world, &["--rerun", "--json"]).exits(0);
    assert_eq!(results(&output.json()), pairs(&[("a", "pass"), ("b", "pass")]), "{output}");
    assert_eq!(output.json()["rerun"][0]["same_output"], json!(true), "{output}");
    assert_eq!(everything(&world), before);
    assert_eq!(fs::read_to_string(world.env.root().join("down")).unwrap(), "down\n");
    world.assert_nothing_left();
}

#[test]
fn what_fails_today_is_told_and_whose_it_is() {
    let world = world();
    write(&world.env.root().join("broken"), "");
    stand(&world, 0, &[("a", "proven"), ("b", "proven"), ("@run", "proven")]);
    let output = verify(&world, &["--rerun", "--json"]).exits(1);
    let document = output.json();
    assert_eq!(results(&document), pairs(&[("a", "pass"), ("b", "fail")]), "{output}");
    let standing = |at: usize| document["components"][at]["standing"].as_str().unwrap().to_owned();
    assert_eq!((standing(0), standing(1)), ("proven".to_owned(), "contradicted".to_owned()), "{output}");
    assert_eq!(document["whole"]["standing"], json!("contradicted"), "{output}");
    let text = verify(&world, &["--rerun"]).exits(1).stdout;
    assert!(text.contains("check:b contradicted: run again on the branch, it fails"), "{text}");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn where_it_cannot_be_set_up_that_is_said_and_nothing_stays() {
    let world = world();
    let path = world.spec.join("manifest.json");
    let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    manifest["execution"]["setup"] = json!(["exit 3"]);
    write(&path, &manifest.to_string());
    let output = verify(&world, &["--rerun"]).exits(7);
    assert!(output.stderr.contains("the setup command `exit 3` failed with status 3"), "{output}");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 1);
}
