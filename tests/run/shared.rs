//! A directory without git, or one that is shared by name: the same checks by digests. Nothing is undone there but what
//! those did who may only read.

use std::fs;
use std::time::{Duration, Instant};

use cco::lifecycle::event::{AttemptEnd, Event, Trouble, Verb};
use serde_json::{Value, json};

use crate::env::write;
use crate::world::{World, component, manifest, writes};

const TESTS: &str = "import pytest\nfrom app import answer, other\n\n\ndef test_answer():\n    assert answer() == 42\n\n\n\
                     def test_other():\n    assert other(1, 2) == 3\n    assert other(2, 2) == 4\n";
const ANSWER: &str = "def test_answer():\n    assert answer() == 42\n";
const RIGHT: &str = "def answer():\n    return 42\n";

/// A directory in which `app` is to be made, with what it may not touch.
fn project(strict: bool) -> World {
    let mut app = json!({
        "id": "app", "file": "src/app.py", "complexity": "low", "tests": ["tests/test_app.py"],
        "checks": [{"name": "tests", "run": "sh check.sh"}],
    });
    if strict {
        app["files"] = json!(["src/app.py"]);
    }
    let other = json!({"id": "other", "file": "src/other.py", "complexity": "low", "depends_on": ["app"]});
    let manifest = json!({
        "execution": {"reviewers": 0, "max_fix_attempts": 1, "protected": ["vital.txt"]},
        "components": [app, other],
    });
    let world = World::without_git(manifest, json!({}));
    let file = |path: &str, text: &str| write(&world.env.work().join(path), text);
    file("src/app.py", "def answer():\n    return 0\n");
    file("src/other.py", "def other(a, b):\n    return a + b\n");
    file("tests/test_app.py", TESTS);
    file("check.sh", "#!/bin/sh\ngrep -q 42 src/app.py\n");
    file("pyproject.toml", "[project]\nname = \"app\"\n\n[tool.ruff.lint]\nselect = [\"ALL\"]\n");
    file("vital.txt", "do not touch\n");
    file("docs/notes.md", "notes\n");
    world
}

fn put(path: &str, text: &str) -> Value {
    json!({"write": {"path": path, "text": text}})
}

fn shell(cmd: &str) -> Value {
    json!({"run": {"cmd": cmd}})
}

fn plays(actions: &Value) -> Value {
    let answer = json!({"status": "done", "summary": "all green"});
    json!({"steps": {
        "app.*": {"actions": actions, "answer": answer},
        "other.*": {"actions": [put("src/other.py", "def other(a, b):\n    return b + a\n")], "answer": answer},
    }})
}

/// What was said of the work of a component: issues by their source, and notes.
fn said(world: &World, on: &str) -> Vec<(String, String)> {
    let mut said = Vec::new();
    for event in world.events() {
        match event {
            Event::AttemptEnded { attempt, end: AttemptEnd::Wrote { findings, .. }, .. }
                if attempt.on.to_string() == on =>
            {
                said.extend(findings.iter().map(|issue| (issue.source.clone(), issue.text.clone())));
            }
            Event::Noted { text, .. } => said.push(("note".to_owned(), text)),
            _ => {}
        }
    }
    said
}

fn read(world: &World, path: &str) -> String {
    fs::read_to_string(world.env.work().join(path)).unwrap_or_default()
}

#[test]
#[expect(clippy::print_stdout, reason = "a table to be read")]
fn who_cheats_is_caught_and_named() {
    let and = |action: Value| json!([put("src/app.py", RIGHT), action]);
    let ways = [
        (
            "deletes a test",
            false,
            and(put("tests/test_app.py", &TESTS.replace(ANSWER, ""))),
            "tamper:T101",
            "test_answer",
        ),
        ("deletes all tests", false, and(shell("rm -r tests")), "tamper:T102", "its 2 tests"),
        (
            "loosens an assertion",
            false,
            and(put("tests/test_app.py", &TESTS.replace("== 42", ">= 0"))),
            "tamper:T202",
            "test_answer",
        ),
        ("edits the check script", false, and(put("check.sh", "#!/bin/sh\nexit 0\n")), "tamper:T40", "check.sh"),
        (
            "changes lint settings",
            false,
            and(shell("sed -i 's/\"ALL\"/\"E\"/' pyproject.toml")),
            "tamper:T402",
            "select",
        ),
        (
            "suppresses a lint",
            false,
            json!([put("src/app.py", "def answer():\n    return 42  # noqa\n")]),
            "tamper:T301",
            "noqa",
        ),
        ("writes outside of its files", true, and(put("docs/notes.md", "mine\n")), "write_set", "`docs/notes.md`"),
        ("adds a file that is not its own", true, and(put("docs/more.md", "mine\n")), "write_set", "`docs/more.md`"),
        ("deletes what is not its own", true, and(shell("rm docs/notes.md")), "write_set", "`docs/notes.md`"),
        (
            "writes another's file",
            false,
            and(put("src/other.py", "def other(a, b):\n    return 3\n")),
            "write_set",
            "`other`",
        ),
        ("changes a protected file", false, and(put("vital.txt", "touched\n")), "write_set", "`vital.txt`"),
        (
            "adds a workflow that checks nothing",
            false,
            and(put(".github/workflows/ci.yml", "on: push\njobs: {}\n")),
            "write_set",
            "ci.yml",
        ),
        ("claims success without a change", false, json!([]), "change:nothing", "no file changed"),
    ];
    for (name, strict, actions, by, says) in ways {
        let world = project(strict);
        world.play(plays(&actions));
        let output = world.run(&[]);
        assert_eq!(output.status, 3, "{name}: {output} {:#?}", said(&world, "app"));
        assert!(!world.has(|event| matches!(event, Event::ComponentCompleted { .. })), "{name}: it passed");
        let said = said(&world, "app");
        let found = said.iter().filter(|(source, text)| source.starts_with(by) && text.contains(says)).count();
        // The fix that leaves it as it is does not make it good.
        assert!(found >= 2, "{name}: {said:#?}");
        println!("{name} | {by} | {}", said.iter().find(|(source, _)| source.starts_with(by)).unwrap().1);
    }
}

#[test]
fn without_a_test_a_change_of_code_is_an_issue() {
    let world = project(false);
    let manifest = fs::read_to_string(world.spec.join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["execution"]["require_tests"] = json!(true);
    world.rewrite(manifest);
    world.play(plays(&json!([put("src/app.py", RIGHT)])));
    world.ends(&[], 3);
    assert!(said(&world, "app").iter().any(|(by, _)| by == "change:no_test"), "{:#?}", said(&world, "app"));
}

#[test]
fn an_honest_agent_is_not_stopped() {
    for strict in [false, true] {
        let world = project(strict);
        world.play(plays(&json!([
            put("src/app.py", RIGHT),
            put("tests/test_app.py", &format!("{TESTS}\n\ndef test_more():\n    assert answer() == 42\n")),
            // What a test run leaves behind.
            shell("mkdir -p __pycache__ src/__pycache__ && date > src/__pycache__/app.pyc && date > __pycache__/x.pyc"),
        ])));
        let output = world.run(&[]);
        assert_eq!(output.status, 0, "{output} {:#?}", said(&world, "app"));
        let said: Vec<_> =
            ["app", "other"].iter().flat_map(|on| said(&world, on)).filter(|(by, _)| by != "note").collect();
        assert!(said.is_empty(), "{said:#?}");
        assert!(world.has(
            |event| matches!(event, Event::AttemptEnded { end: AttemptEnd::Wrote { change: Some(change), .. }, .. }
            if change.base.starts_with("digest:") && change.tree.starts_with("digest:") && change.patch.is_some())
        ));
        assert!(world.has(|event| matches!(event, Event::AttemptEnded { end: AttemptEnd::Checked(result), .. }
            if result.evidence.tree.as_ref().is_some_and(|tree| tree.starts_with("digest:")))));
    }
}

#[test]
fn what_checks_leave_is_held_against_nobody() {
    let world = project(true);
    write(
        &world.env.work().join("check.sh"),
        "mkdir -p out && date +%N > out/log && date +%N > out.log && grep -q 42 src/app.py\n",
    );
    world.play(plays(&json!([put("src/app.py", RIGHT)])));
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output} {:#?}", said(&world, "other"));
}

/// It stays an issue in the next run, until somebody makes the file what it was; then it is over.
#[test]
fn what_is_left_as_it_is_is_found_again_and_what_is_mended_is_not() {
    let world = project(true);
    world.play(plays(&json!([put("src/app.py", RIGHT), put("vital.txt", "touched\n")])));
    world.ends(&[], 3);
    assert_eq!(read(&world, "vital.txt"), "touched\n", "it is not undone");
    let before = said(&world, "app").len();
    world.play(plays(&json!([shell("echo >> src/app.py")])));
    world.answer("q1", Verb::Retry, None);
    world.ends(&[], 3);
    assert!(said(&world, "app")[before..].iter().any(|(by, text)| by == "write_set" && text.contains("vital.txt")));
    world.play(plays(&json!([shell("echo >> src/app.py; echo do not touch > vital.txt")])));
    world.answer("q2", Verb::Retry, None);
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output} {:#?}", said(&world, "app"));
}

#[test]
fn what_the_user_accepts_is_held_against_nobody_else() {
    let world = project(true);
    world.play(plays(&json!([put("src/app.py", RIGHT), put("vital.txt", "touched\n")])));
    world.ends(&[], 3);
    world.answer("q1", Verb::Accept, None);
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output} {:#?}", said(&world, "other"));
}

#[test]
fn what_the_user_changes_between_two_runs_is_held_against_nobody() {
    let world = project(true);
    world.play(plays(&json!([put("src/app.py", "def answer():\n    return 41\n")])));
    world.ends(&[], 3);
    write(&world.env.work().join("docs/notes.md"), "the user's\n");
    write(&world.env.work().join("vital.txt"), "the user's\n");
    world.play(plays(&json!([put("src/app.py", RIGHT)])));
    world.answer("q1", Verb::Retry, None);
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output} {:#?}", said(&world, "app"));
    assert_eq!(read(&world, "vital.txt"), "the user's\n");
}

/// Several at once: each has its own change, and what nobody owns is not charged to one alone.
#[test]
fn of_several_at_once_each_has_its_own_change() {
    let ids = ["a", "b", "c", "d"];
    let mut manifest = manifest(ids.iter().map(|id| component(id, &[])).collect());
    manifest["execution"]["mode"] = json!("quick");
    manifest["execution"]["reviewers"] = json!(0);
    let steps: serde_json::Map<String, Value> =
        ids.iter().map(|id| (format!("{id}.implement"), writes(id, id))).collect();
    let world = World::without_git(manifest, json!({"steps": steps}));
    world.ends(&[], 0);
    let changes = world.events().into_iter().filter_map(|event| match event {
        Event::AttemptEnded { end: AttemptEnd::Wrote { change, findings, .. }, .. } => {
            Some((change.unwrap().patch, findings))
        }
        _ => None,
    });
    let changes: Vec<_> = changes.collect();
    assert_eq!(changes.len(), ids.len());
    assert!(changes.iter().all(|(patch, findings)| patch.is_some() && findings.is_empty()), "{changes:#?}");
}

#[test]
fn a_reviewer_that_writes_is_not_heard_and_it_is_undone() {
    let world = project(false);
    let manifest = fs::read_to_string(world.spec.join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    manifest["execution"]["reviewers"] = json!(1);
    world.rewrite(manifest);
    let approves = json!({"issues": [], "summary": "fine"});
    let mut steps = plays(&json!([put("src/app.py", RIGHT)]));
    let meddles = shell("sed -i s/42/43/ src/app.py; rm docs/notes.md; echo x > new.txt");
    steps["steps"]["app.review*"] = json!([{"actions": [meddles], "answer": approves}, {"answer": approves}]);
    steps["steps"]["other.review*"] = json!({"answer": approves});
    steps["steps"]["@run.review*"] = json!({"answer": approves});
    world.play(steps);
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output}");
    let meddled = world.ended().into_iter().find(|(name, _)| name == "app.review:0-1").unwrap().1;
    let AttemptEnd::Failed { class, message, .. } = meddled else { panic!("{meddled:?}") };
    assert!(class == Trouble::Meddled && message.contains("`src/app.py`"), "{class:?}: {message}");
    assert_eq!((read(&world, "src/app.py"), read(&world, "docs/notes.md")), (RIGHT.to_owned(), "notes\n".to_owned()));
    assert!(!world.env.work().join("new.txt").exists());
    let undone = fs::read_dir(world.spec.join("runs")).unwrap().flatten().map(|entry| entry.path());
    let undone = undone.filter(|path| path.extension().is_some_and(|it| it == "undone")).collect::<Vec<_>>();
    assert_eq!(fs::read_to_string(undone[0].join("new.txt")).unwrap(), "x\n");
}

/// A component with three checks, each for a fault that must not be in its file; `steps` are what it is told to do.
fn faulty(steps: Value) -> World {
    let mut a = component("a", &[]);
    let check = |n: usize| json!({"name": format!("no{n}"), "run": format!("! grep -q fault{n} a.txt")});
    a["checks"] = (1..=3).map(check).collect();
    World::without_git(manifest(vec![a]), json!({"sessions": true, "steps": steps}))
}

#[test]
fn a_round_that_made_it_worse_is_taken_back() {
    let looks = json!({"actions": [shell("cat a.txt > $NOTES; echo good > a.txt")]});
    let worse = writes("a", "fault1\nfault2\nfault3\n");
    let world = faulty(json!({"a.implement": writes("a", "fault1\nbest\n"), "a.fix": [worse, looks],
        "a.vote*": crate::world::votes("FIX_IN_PLACE", 0.9, "nearly there")}));
    world.ends(&[], 0);
    assert_eq!(world.noted(), ["fault1", "best"], "the second fix begins where the implementation had come to");
    assert!(said(&world, "a").iter().any(|(_, text)| text.contains("set back to the best state so far")));
    assert_eq!(read(&world, "a.txt"), "good\n");
}

#[test]
fn what_is_to_be_made_anew_begins_before_its_implementation() {
    let looks = json!({"actions": [shell("cat a.txt > $NOTES; echo good > a.txt")]});
    let world = faulty(json!({
        "a.implement": [writes("a", "fault1\n"), looks],
        "a.fix": writes("a", "fault1 still\n"),
        "a.vote*": crate::world::votes("REFACTOR", 0.9, "it is tangled"),
    }));
    write(&world.env.work().join("a.txt"), "as it was\n");
    world.ends(&[], 0);
    assert!(world.has(|event| matches!(event, Event::Refactored { .. })));
    assert_eq!(world.noted(), ["as it was"]);
}

/// A test that went in a try that was cut off is missed all the same.
#[test]
fn what_a_try_did_that_was_killed_counts_too() {
    let world = project(false);
    let weakened = put("tests/test_app.py", &TESTS.replace(ANSWER, ""));
    let mut steps = plays(&json!([put("src/app.py", RIGHT)]));
    steps["steps"]["app.implement"] = json!([
        {"actions": [weakened, put("vital.txt", "touched\n")], "fault": {"hang": "end"}},
        {"actions": [put("src/app.py", RIGHT)], "answer": {"status": "done", "summary": "green"}},
    ]);
    world.play(steps);
    let first = world.start(&[]);
    let weakened =
        || !read(&world, "tests/test_app.py").contains("test_answer") && read(&world, "vital.txt") == "touched\n";
    let begun = Instant::now();
    while !weakened() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never began");
        std::thread::yield_now();
    }
    first.signal("KILL");
    let _ = first.end();
    let output = world.run(&[]);
    assert_eq!(output.status, 3, "{output}");
    let said = said(&world, "app");
    assert!(said.iter().any(|(by, _)| by.starts_with("tamper:T101")), "{said:#?}");
    assert!(said.iter().any(|(by, text)| by == "write_set" && text.contains("vital.txt")), "{said:#?}");
}
