//! What is said beforehand: who may run together, and what the next run makes of a branch that moved.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::world::{BRANCH, World, component, manifest, writes};

/// Two that meet in one glob, one that waits for the first, and one by itself.
fn meeting() -> Value {
    let mut a = component("a", &[]);
    a["files"] = json!(["src/*.txt"]);
    let mut b = component("b", &[]);
    b["files"] = json!(["src/b.txt", "Cargo.lock"]);
    let mut c = component("c", &["a"]);
    c["files"] = json!(["src/c.txt"]);
    let mut d = component("d", &[]);
    d["files"] = json!(["Cargo.lock"]);
    manifest(vec![a, b, c, d])
}

fn together(text: &str) -> String {
    let starts = ["together", "  level", "  and", "never", "merged", "and they meet"];
    let mut out = String::new();
    for line in text.lines().filter(|line| starts.iter().any(|start| line.starts_with(start))) {
        let _ = writeln!(out, "{line}");
    }
    out
}

#[test]
fn what_may_run_together_is_told() {
    let world = World::new(meeting(), json!({}));
    let dry = |args: &[&str]| world.run(&[&["-n"], args].concat()).exits(0).stdout;
    insta::assert_snapshot!(together(&dry(&["--jobs", "3"])), @"
    together, 3 agents at once at most:
      level 0: a, b, d
      level 1: c
    merged when the later one lands, since they may all write `src/b.txt`: a, b
    ");
    insta::assert_snapshot!(together(&dry(&["--jobs", "3", "--isolation", "shared", "--mode", "quick"])), @"
    together, 3 agents at once at most, each as soon as what it depends on is complete:
      level 0: a, b, d
      level 1: c
    never at the same time, since they may all write `Cargo.lock`: b, d
    never at the same time, since they may all write `src/b.txt`: a, b
    ");
    assert_eq!(together(&dry(&["--mode", "full"])), "", "one at a time");
    assert_eq!(together(&dry(&["--only", "a,c"])), "", "one waits for the other");
    let document = world.run(&["-n", "--json"]).exits(0).json();
    let apart = json!([{"path": "src/b.txt", "components": ["a", "b"], "then": "merged"}]);
    assert_eq!(document["together"]["meeting"], apart);
    assert_eq!(document["together"]["groups"][0], json!({"level": 0, "components": ["a", "b", "d"]}));
    assert!(world.started().is_empty());
}

#[test]
fn of_many_components_the_first_are_named() {
    let of = |at: usize| {
        let mut one = component(&format!("c{at}"), if at < 500 { &[] } else { &["c0"] });
        one["files"] = json!([format!("f{at}.txt"), format!("s{}.txt", at % 400)]);
        one
    };
    let world = World::new(manifest((0..1000).map(of).collect()), json!({}));
    let told = together(&world.run(&["-n"]).exits(0).stdout);
    assert!(told.lines().count() < 20 && told.len() < 4000, "{told}");
    assert!(told.contains("  level 0: c0, c1, c2, c3, c4, c5, c6, c7 and 492 more"), "{told}");
    assert!(told.contains("and they meet at 390 more places"), "{told}");
}

#[test]
fn a_branch_that_moved_is_told_before_the_next_run() {
    let world = World::new(
        manifest(vec![component("a", &[]), component("b", &["a"])]),
        json!({"steps": {"a.*": writes("a", "x\n"), "b.*": writes("b", "x\n")}}),
    );
    let told = |args: &[&str]| {
        let dry = world.run(&[&["-n"], args].concat()).exits(0).stdout;
        (dry, world.run_status())
    };
    let none = |(dry, status): (String, String)| !dry.contains(BRANCH) && !status.contains("instead of");
    assert!(none(told(&[])), "before the first run");
    world.ends(&[], 0);
    let there = world.git(&["rev-parse", BRANCH]);
    assert!(none(told(&[])));
    world.git(&["switch", "--quiet", BRANCH]);
    std::fs::write(world.env.work().join("a.txt"), "the user's\n").unwrap();
    world.git(&["commit", "--quiet", "-am", "By the user"]);
    let further = world.git(&["rev-parse", BRANCH]);
    let says = format!(
        "the branch `{BRANCH}` is 1 commit of yours further, at {} instead of {}, with files of a: the next run takes that \
         in as it is, and validates the whole again",
        &further[..10],
        &there[..10]
    );
    let (dry, status) = told(&[]);
    assert!(dry.contains(&says) && dry.contains("the whole: validate  [the branch goes on: validated again]"), "{dry}");
    assert!(status.contains(&says), "{status}");
    let document = world.run(&["-n", "--json"]).exits(0).json();
    assert_eq!(document["branch_moved"]["how"], "added");
    assert_eq!(document["branch_moved"]["touched"], json!(["a"]));
    world.git(&["switch", "--quiet", "main"]);
    let before = world.started().len();
    world.ends(&[], 0);
    let started = world.started();
    assert!(started.len() > before && started[before..].iter().all(|it| it.starts_with("@run.")), "{started:?}");
    assert!(none(told(&[])), "it is known now");
    world.git(&["branch", "--force", BRANCH, "main"]);
    let (dry, status) = told(&[]);
    let says = format!("the branch `{BRANCH}` was rewritten: it is at {}", &world.git(&["rev-parse", "main"])[..10]);
    assert!(dry.contains(&says) && dry.contains("the next run does not begin"), "{dry}");
    assert!(status.contains(&says), "{status}");
    assert!(!world.run(&["-n", "--fresh"]).exits(0).stdout.contains("rewritten"));
    world.git(&["branch", "-D", BRANCH]);
    let (dry, _) = told(&[]);
    assert!(dry.contains(&format!("is gone: the next run begins it again at {}", &further[..10])), "{dry}");
}
