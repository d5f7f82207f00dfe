//! Which checks run when: read from the journals of a run in each mode, and held against the table in the README.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use cco::ids::{Step, Subject};
use cco::lifecycle::event::{AttemptEnd, Event, Scope};
use serde_json::json;

use crate::world::{World, component, manifest, votes, writes};

const BEGIN: &str = "<!-- checks:begin -->\n";
const END: &str = "<!-- checks:end -->";

/// Set to write the table that was found into the README.
const REWRITE: &str = "CCO_REWRITE_README";

/// The columns.
const MODES: [&str; 3] = ["quick", "standard", "full"];

/// Two components, of which the second has a skeleton and builds on the first; every kind of check, two lenses, a gate.
fn world(mode: &str) -> World {
    let mut a = component("a", &[]);
    a["files"] = json!(["a.py"]);
    a["checks"] =
        json!([{"name": "own", "run": "test -s a.txt"}, {"name": "late", "run": "true late", "when": "level"}]);
    let mut b = component("b", &["a"]);
    b["complexity"] = json!("medium");
    b["checks"] = json!([{"name": "own", "run": "test -s b.txt"}]);
    let mut manifest = manifest(vec![a, b]);
    manifest["execution"] = json!({
        "mode": mode, "reviewers": 2, "voting_gates": ["impact_strategy", "test_adequacy"],
    });
    manifest["quality"] = json!({
        "lint_command": {"name": "lint", "run": "true 1"}, "test_command": {"name": "tests", "run": "true 2"},
        "coverage_command": {"name": "coverage", "run": "true 3"},
        "security_scan": true, "security_command": {"name": "security", "run": "true 4"},
    });
    manifest["validation_command"] = json!({"name": "goal", "run": "true 5"});
    let acts = |text: &str, stray: &str| {
        json!({"actions": [
            {"write": {"path": "a.txt", "text": "x"}}, {"write": {"path": "a.py", "text": text}},
            {"run": {"cmd": format!("echo x > {stray}")}},
        ]})
    };
    // What the change checks find is recorded; that they found nothing is not.
    let (cheats, honest) = (acts("import os  # noqa\n", "stray.txt"), acts("import os\n", "a.txt"));
    World::new(
        manifest,
        json!({"steps": {
            "a.implement": cheats, "a.fix": honest, "b.implement": writes("b", "xy"), "b.skeleton": writes("b", "x"),
            "@run.vote:impact_strategy:*": votes("BACKWARD_COMPATIBLE", 0.9, "y"),
            "@run.vote:test_adequacy:*": votes("ADEQUATE", 0.9, "y"),
            "@run.vote:production_ready:*": votes("READY", 0.9, "y"),
        }}),
    )
}

/// The kind of a check by its name.
fn kind(check: &str) -> &str {
    match check {
        "goal" => "`validation_command`",
        "late" => "own checks of `when: level`",
        "own" | "b.own" => "own checks",
        other => other,
    }
}

/// Where in a run something is checked, in the order of the rows.
const MOMENTS: [&str; 8] = [
    "before any work, on the base",
    "before the first component",
    "after every writing step",
    "after a skeleton",
    "when a component is implemented",
    "when a level is done",
    "at the end, in a fresh worktree",
    "after that, on the whole",
];

/// What a run checked, by moment, in the order in which it came.
fn checked(world: &World) -> BTreeMap<usize, Vec<String>> {
    let mut seen: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    let mut moment: BTreeMap<Subject, usize> = BTreeMap::new();
    let mut last: BTreeMap<Subject, Step> = BTreeMap::new();
    let mut add = |at: usize, what: String| {
        let row = seen.entry(at).or_default();
        if !row.contains(&what) {
            row.push(what);
        }
    };
    for event in world.events() {
        match event {
            Event::ValidationOpened { on, scope, .. } => {
                let at = match scope {
                    Scope::Baseline => 0,
                    Scope::Component if last.get(&on) == Some(&Step::Skeleton) => 3,
                    Scope::Component => 4,
                    Scope::Level(_) => 5,
                    Scope::Final => 6,
                };
                moment.insert(on, at);
            }
            Event::AttemptStarted { attempt, .. } => match &attempt.step {
                Step::Check(name) => add(moment[&attempt.on], kind(name).to_owned()),
                Step::Review(_) => add(moment[&attempt.on], "reviewers".to_owned()),
                Step::Vote { gate, .. } => {
                    let at = if last.is_empty() { 1 } else { 7 };
                    add(at, format!("vote `{gate}`"));
                }
                step => drop(last.insert(attempt.on, step.clone())),
            },
            Event::AttemptEnded { end: AttemptEnd::Wrote { findings, .. }, .. } => {
                for found in findings {
                    let tampers = found.source.starts_with("tamper:");
                    add(2, if tampers { "tampering".to_owned() } else { found.source.replace('_', " ") });
                }
            }
            _ => {}
        }
    }
    seen
}

fn table() -> String {
    let columns = MODES.map(|mode| {
        let world = world(mode);
        let output = world.run(&[]);
        assert_eq!(output.status, 0, "{mode}: {output}");
        checked(&world)
    });
    let mut text =
        format!("| when | {} |\n| --- | --- | --- | --- |\n", MODES.map(|mode| format!("`{mode}`")).join(" | "));
    for (at, moment) in MOMENTS.iter().enumerate() {
        let cell =
            |column: &BTreeMap<usize, Vec<String>>| column.get(&at).map_or("–".to_owned(), |row| row.join(", "));
        writeln!(text, "| {moment} | {} |", columns.iter().map(cell).collect::<Vec<_>>().join(" | ")).unwrap();
    }
    text
}

#[test]
fn the_readme_says_which_checks_run_when() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the markers");
    let (shown, after) = rest.split_once(END).expect("the README has the markers");
    let found = table();
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{found}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(shown, found, "`{REWRITE}=1 cargo test --test run table` writes what runs did into the README");
}
