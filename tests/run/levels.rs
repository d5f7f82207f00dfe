//! What is judged where no agent ever worked: the base, and each level.

use cco::lifecycle::event::{Event, Scope};
use serde_json::json;

use crate::env::write;
use crate::world::{World, component, manifest, writes};

/// What a fix leaves where version control does not look is not there when its level is judged again.
#[test]
fn a_build_product_that_nobody_sees_makes_no_level_pass() {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "built", "run": "test -e build/ok || test -e a.ok", "when": "level"}]);
    a["file"] = json!("a.*");
    let mut all = manifest(vec![a, component("b", &["a"])]);
    all["execution"]["mode"] = json!("standard");
    all["execution"]["same_issue_threshold"] = json!(9);
    let product = json!({"actions": [
        {"write": {"path": "build/ok", "text": "made\n"}}, {"write": {"path": "a.txt", "text": "tried\n"}},
    ]});
    let honest = json!({"actions": [{"write": {"path": "a.ok", "text": "made\n"}}]});
    let world = World::new(
        all,
        json!({"steps": {"a.*": writes("a", "x\n"), "b.*": writes("b", "x\n"), "@run.fix": [product, honest]}}),
    );
    write(&world.env.work().join(".gitignore"), "build/\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "Ignore"]);
    world.ends(&[], 0);
    // The product of the first fix counted for nothing, and not only at the end.
    let started = world.started();
    let wrote: Vec<&str> = started.iter().map(String::as_str).filter(|name| !name.contains("check:")).collect();
    assert_eq!(wrote, ["a.implement-1", "@run.fix-1", "@run.fix-2", "b.implement-1"], "{started:?}");
    assert_eq!(world.file("a.ok"), "made");
    world.assert_nothing_left();
    assert!(!world.worktree("@run").with_file_name("final").exists());
}

/// Until work begins: what was found of the base holds for the environment in which it was found.
#[test]
fn the_base_is_judged_again_where_its_environment_changed() {
    let spec = |setup: &str| {
        let mut all = manifest(vec![component("a", &[])]);
        all["execution"]["setup"] = json!([setup]);
        all["execution"]["copy"] = json!([".env"]);
        all["quality"] = json!({"lint_command": "true", "test_command": "sleep 300"});
        all
    };
    let world = World::new(spec("true"), json!({}));
    write(&world.env.work().join(".gitignore"), ".env\n");
    write(&world.env.work().join(".env"), "A=1\n");
    // Each run is killed in the middle of it.
    let judged = |variables: &[(&str, &str)]| {
        let mut command = world.command(&[]);
        command.envs(variables.iter().copied());
        let mut run = world.start_command(command);
        assert!(run.reaches(|world| world.processes().iter().any(|(_, line)| line.starts_with("sleep"))));
        run.signal("KILL");
        let _ = run.end();
        world.assert_nothing_left();
        let opened = |event: &&Event| matches!(event, Event::ValidationOpened { scope: Scope::Baseline, .. });
        world.events().iter().filter(opened).count()
    };
    assert_eq!(judged(&[]), 1);
    assert_eq!(judged(&[("TERM", "dumb")]), 1, "the same, on another terminal");
    assert_eq!(judged(&[("LANG", "C.UTF-8")]), 2, "another variable");
    assert_eq!(judged(&[("LANG", "C.UTF-8")]), 2);
    write(&world.env.work().join(".env"), "A=2\n");
    assert_eq!(judged(&[("LANG", "C.UTF-8")]), 3, "another file that is copied");
    world.rewrite(spec("true; true"));
    assert_eq!(judged(&[("LANG", "C.UTF-8")]), 4, "another set-up");
}
