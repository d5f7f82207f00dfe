//! Worktrees that begin with what was built in that of the base: from there only, whole, and each with its own.

use std::fs;

use serde_json::{Value, json};

use crate::belongings::{Belongings, assert_untouched};
use crate::env::write;
use crate::world::{World, component, manifest, writes};

/// Builds `cache/` where it is not there, and notes that it had to.
const BUILD: &str = "test -e cache/big || {
    echo cold >> $NOTES; mkdir -p cache/closed; seq 500 > cache/big; ln cache/big cache/same
    ln -s big cache/near; ln -s \"$PWD/cache/big\" cache/own; ln -s OUTSIDE cache/far; ln -s ../../../.. cache/up
    echo x > cache/closed/x; chmod 555 cache/closed; }";

/// `a` writes over what it was given; its check, which runs before, is to see that all of it was there.
fn project(setup: &str, more: &[&str]) -> World {
    let poison = json!({"write": {"path": "cache/big", "text": "poison\n"}});
    let mut a = writes("a", "x\n");
    a["actions"].as_array_mut().unwrap().push(poison);
    let steps = json!({"steps": {"a.*": a, "b.*": writes("b", "x\n")}});
    let world = World::new(two(), steps);
    let outside = world.env.root().join("outside");
    write(&outside.join("x"), "x\n");
    let work = world.env.work();
    write(&work.join(".gitignore"), "cache/\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "Ignore"]);
    write(&work.join("cache/big"), "the user's own\n");
    let build = BUILD.replace("OUTSIDE", outside.to_str().unwrap());
    let warm: Vec<_> = ["cache"].iter().chain(more).collect();
    let mut manifest = two();
    manifest["execution"]["warm"] = json!(warm);
    manifest["execution"]["setup"] = json!([setup, build, "cd cache && cksum big near | cut -d' ' -f1 >> $NOTES"]);
    manifest["validation_command"] = json!("! grep -q poison cache/big");
    world.rewrite(manifest);
    world
}

fn two() -> Value {
    manifest(vec![component("a", &[]), component("b", &["a"])])
}

/// What a set-up notes that sees the whole cache: the sum of the file, twice.
fn sums() -> Vec<String> {
    vec!["2064939059".to_owned(); 2]
}

#[test]
fn what_was_built_in_the_base_is_there_and_each_has_its_own() {
    let world = project("true", &["none", "README"]);
    let before = Belongings::of(&world);
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output}");
    assert_untouched(&world, &before);
    // The base builds it, the components find it, and the whole is proven with nothing that lay about.
    let cold = || vec!["cold".to_owned()];
    assert_eq!(world.noted(), [cold(), sums(), sums(), sums(), cold(), sums()].concat());
    for text in ["`none` of `warm` is not there", "`README` of `warm` is not copied", "`cache/far`, `cache/up`"] {
        assert!(output.stderr.contains(text), "{text}: {output}");
    }
    assert!(!world.worktree("@run").with_file_name("base").exists());
}

#[test]
fn links_lead_into_the_copy_or_nowhere() {
    let look = "case $PWD in */c/*)
        test \"$(readlink cache/own)\" = \"$PWD/cache/big\" && test cache/same -ef cache/big &&
        ! test -L cache/far && ! test -L cache/up && ! test -w cache/closed -a $(id -u) != 0 &&
        test $(stat -c %a cache/closed) = 555 && echo right >> $NOTES;; esac";
    let world = project(look, &[]);
    world.ends(&[], 0);
    assert_eq!(world.noted().iter().filter(|line| *line == "right").count(), 2);
    assert_eq!(fs::read_to_string(world.env.root().join("outside/x")).unwrap(), "x\n");
}

/// The note that a worktree is ready comes after all of it: what is there before counts for nothing.
#[test]
fn half_warmed_when_it_was_killed_it_is_warmed_anew() {
    let root = "echo here >> $NOTES; until test -e \"$HOME/../go\"; do sleep 0.01; done";
    let world = project(&format!("case $PWD in */c/a) {root};; esac"), &[]);
    let mut run = world.start(&[]);
    assert!(run.reaches(|world| world.noted().contains(&"here".to_owned())));
    run.child.kill().unwrap();
    let _ = run.end();
    world.assert_nothing_left();
    let cache = world.worktree("a").join("cache");
    fs::remove_file(cache.join("near")).unwrap();
    write(&cache.join("big"), "half");
    write(&cache.join(".cco-warm"), "half");
    fs::remove_file(world.notes()).unwrap();
    write(&world.env.home().join("../go"), "");
    world.ends(&[], 0);
    let (cold, here) = (vec!["cold".to_owned()], vec!["here".to_owned()]);
    assert_eq!(world.noted(), [cold.clone(), sums(), here, sums(), sums(), cold, sums()].concat());
}

/// A base that cannot be prepared is told; nothing is paid for a component that would have to begin cold.
#[test]
fn a_base_that_cannot_be_prepared_is_told() {
    let world = project("case $PWD in */base) exit 3;; esac", &[]);
    let output = world.run(&[]).exits(7);
    assert!(output.to_string().contains("the worktree of the base, for `warm`: the setup command"), "{output}");
    assert_eq!(world.wrote(), [""; 0]);
}

/// The checks of the base run in the same tree, so what they build is there too.
#[test]
fn what_a_check_of_the_base_built_is_there_too() {
    let world = World::new(two(), json!({"steps": {"a.*": writes("a", "x\n"), "b.*": writes("b", "x\n")}}));
    write(&world.env.work().join(".gitignore"), "cache/\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "Ignore"]);
    let mut manifest = two();
    manifest["execution"]["warm"] = json!(["**/cache"]);
    manifest["execution"]["setup"] = json!(["ls -d cache/* >> $NOTES || echo cold >> $NOTES"]);
    manifest["quality"] = json!({"test_command": "mkdir -p cache && touch cache/by-a-check"});
    world.rewrite(manifest);
    world.ends(&[], 0);
    // The base, `a`, what its level is proven in, `b`.
    assert_eq!(world.noted()[..4], ["cold", "cache/by-a-check", "cold", "cache/by-a-check"]);
}

#[test]
fn in_a_directory_of_a_repository_links_may_lead_to_its_others() {
    let world = World::new(two(), json!({"steps": {"a.*": writes("a", "x\n"), "b.*": writes("b", "x\n")}}));
    let work = world.env.work();
    for (path, text) in [(".gitignore", "cache/\n"), ("lib/l", "library\n"), ("package/p", "p\n")] {
        write(&work.join(path), text);
    }
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "Packages"]);
    let mut manifest = two();
    manifest["work_dir"] = json!(work.join("package"));
    manifest["execution"]["warm"] = json!(["cache/deep"]);
    let build =
        "test -L cache/deep/lib || { echo cold >> $NOTES; mkdir -p cache/deep; ln -s ../../../lib cache/deep/lib; }";
    manifest["execution"]["setup"] = json!([build, "cat cache/deep/lib/l >> $NOTES"]);
    world.rewrite(manifest);
    world.ends(&[], 0);
    assert_eq!(world.noted()[..4], ["cold", "library", "library", "library"]);
}
