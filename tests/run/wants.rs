//! Files that an agent needs beside its write set: given where they are nobody's, else a person is asked.

use std::fs;

use cco::lifecycle::event::{Cause, Event, Verb};
use serde_json::{Value, json};

use crate::env::write;
use crate::world::{World, fault, manifest};

fn strict(id: &str, depends_on: &[&str]) -> Value {
    let file = format!("{id}.txt");
    json!({"id": id, "files": [file], "complexity": "low", "depends_on": depends_on})
}

fn needs(files: &[&str]) -> Value {
    json!({"answer": {"status": "needs_files", "summary": "it does not fit", "needs_files": files}})
}

/// Writes files, and says that it is done.
fn puts(files: &[&str]) -> Value {
    let put = |path: &&str| json!({"write": {"path": path, "text": "mine\n"}});
    json!({"actions": files.iter().map(put).collect::<Vec<_>>()})
}

fn given(world: &World) -> Vec<(String, Vec<String>)> {
    let granted = world.events().into_iter().filter_map(|event| match event {
        Event::FilesGranted { on, files } => Some((on.to_string(), files)),
        _ => None,
    });
    granted.collect()
}

/// The step goes on in its own conversation, the file is part of the work, and of its fix in a later run.
#[test]
fn a_file_that_is_nobodys_is_given_and_stays_given() {
    let mut a = strict("a", &[]);
    a["checks"] = json!([{"name": "a", "run": "grep -q right helper.txt"}]);
    let fix = json!({"actions": [{"write": {"path": "helper.txt", "text": "right\n"}}]});
    let world = World::new(
        manifest(vec![a]),
        json!({"sessions": true, "steps": {
            "a.implement": [needs(&["helper.txt"]), puts(&["a.txt", "helper.txt"])],
            "a.fix": [fault(json!({"hang": "init"})), fix],
        }}),
    );
    let mut run = world.start(&[]);
    run.records(|event| matches!(event, Event::AttemptStarted { attempt, .. } if attempt.step.to_string() == "fix"));
    run.signal("KILL");
    run.end();
    world.ends(&[], 0);
    assert_eq!(given(&world), [("a".to_owned(), vec!["helper.txt".to_owned()])]);
    assert_eq!(world.file("helper.txt"), "right", "{}", world.said());
    let resumed = |event: &Event| match event {
        Event::AttemptStarted { attempt, resumed, .. } => attempt.to_string() == "a.implement-2" && *resumed,
        _ => false,
    };
    assert!(world.has(resumed));
    assert!(world.questions().is_empty());
    let fix = world.prompt("a.fix-2");
    assert!(fix.contains("- `helper.txt`"), "{fix}");
    let status = world.run_status();
    assert!(status.contains("was given helper.txt"), "{status}");
}

/// Without git its change is judged against what it was before anybody touched it.
#[test]
fn in_a_shared_directory_too() {
    let mut a = strict("a", &[]);
    a["files"] = json!(["src/a.py"]);
    let world = World::without_git(
        manifest(vec![a]),
        json!({"steps": {
            "a.implement-1": needs(&["src/helper.py"]),
            "*": {"actions": [
                {"write": {"path": "src/a.py", "text": "A = 1\n"}},
                {"write": {"path": "src/helper.py", "text": "import os  # noqa\n"}},
            ]},
        }}),
    );
    write(&world.env.work().join("src/helper.py"), "import os  # noqa\n\n\ndef help():\n    return 1\n");
    world.ends(&[], 0);
    assert_eq!(given(&world).len(), 1);
    assert_eq!(fs::read_to_string(world.env.work().join("src/helper.py")).unwrap(), "import os  # noqa\n");
    assert!(!world.said().contains("tamper"), "what was there before is not new: {}", world.said());
}

/// What may never be given is told one by one, and what may be is given all the same.
#[test]
fn what_may_not_be_given_is_asked_about() {
    let mut a = strict("a", &[]);
    a["checks"] = json!([{"name": "script", "run": "sh check.sh"}]);
    let mut all = manifest(vec![a, strict("b", &[])]);
    all["execution"]["protected"] = json!(["vital.txt"]);
    all["execution"]["max_parallel"] = json!(1);
    let asked = [
        "b.txt",
        "vital.txt",
        ".git/config",
        "sub/.GIT/hooks/x",
        "../out.txt",
        "/etc/passwd",
        ".github/workflows/ci.yml",
        "check.sh",
        "clippy.toml",
        "Clippy.toml",
        "sub/Claude.md",
        ".CLAUDE/settings.json",
        "conftest.py",
        "dangling",
        "\u{202e}txt.sh",
        "dir",
        "link/x.txt",
        "free.txt",
        "*.rs",
        "",
    ];
    let world = World::new(
        all,
        json!({"steps": {
            "a.implement-1": needs(&asked),
            "a.*": puts(&["a.txt"]),
            "b.*": puts(&["b.txt"]),
        }}),
    );
    write(&world.env.work().join("dir/x.txt"), "x");
    write(&world.env.work().join("check.sh"), "true\n");
    std::os::unix::fs::symlink(world.env.root(), world.env.work().join("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", world.env.work().join("dangling")).unwrap();
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "More"]);
    world.ends(&[], 3);
    assert_eq!(given(&world), [("a".to_owned(), vec!["free.txt".to_owned()])]);
    let questions = world.questions();
    let [question] = questions.as_slice() else { panic!("{questions:?}") };
    assert_eq!(question.cause, Cause::NeedsFiles);
    for (path, why) in [
        ("b.txt", "it belongs to `b`"),
        ("vital.txt", "it is protected"),
        (".git/config", "nobody may change what is git's"),
        ("sub/.GIT/hooks/x", "nobody may change what is git's"),
        ("../out.txt", "it lies outside of the work directory"),
        ("/etc/passwd", "it lies outside of the work directory"),
        (".github/workflows/ci.yml", "it says how checks work"),
        ("check.sh", "a check names it"),
        ("clippy.toml", "it says how checks work"),
        ("Clippy.toml", "it says how checks work"),
        ("sub/Claude.md", "agents or tools do what it says"),
        (".CLAUDE/settings.json", "agents or tools do what it says"),
        ("conftest.py", "agents or tools do what it says"),
        ("dangling", "it is, or lies behind, a link that leads nowhere"),
        ("\\u{202e}txt.sh", "its name has characters that do not show"),
        ("dir", "only single files are given"),
        ("link/x.txt", "it leads out of the work directory by a link"),
        ("*.rs", "only single files are given"),
    ] {
        assert!(question.question.contains(&format!("`{path}` ({why})")), "{path}: {}", question.question);
    }
    assert!(question.question.contains("it was given `free.txt`"), "{}", question.question);
    world.answer("q1", Verb::Retry, Some("do without"));
    world.ends(&[], 0);
}

/// What one was given is another's no more.
#[test]
fn a_file_is_given_once() {
    let world = World::new(
        manifest(vec![strict("a", &[]), strict("b", &["a"])]),
        json!({"steps": {
            "a.implement": [needs(&["both.txt"]), puts(&["a.txt", "both.txt"])],
            "b.implement": [needs(&["both.txt"])],
        }}),
    );
    world.ends(&[], 3);
    let questions = world.questions();
    let [question] = questions.as_slice() else { panic!("{questions:?}") };
    assert!(question.question.contains("`both.txt` (it belongs to `a`)"), "{}", question.question);
}

/// Who asks and asks is stopped by a question, not by the budget.
#[test]
fn who_asks_without_end_asks_a_person() {
    let world = World::new(
        manifest(vec![strict("a", &[])]),
        json!({"steps": {"a.implement": [needs(&["1"]), needs(&["2"]), needs(&["2", "3"]), needs(&["4"])]}}),
    );
    world.ends(&[], 3);
    let questions = world.questions();
    let [question] = questions.as_slice() else { panic!("{questions:?}") };
    assert!(question.question.contains("`2` (it has that one already)"), "{}", question.question);
    world.play(json!({"steps": {"a.implement": [needs(&[])]}}));
    world.answer("q1", Verb::Retry, None);
    world.ends(&[], 3);
    assert!(world.questions()[1].question.contains("names none"), "{:?}", world.questions());
    let endless: Vec<Value> = (0..20).map(|n| needs(&[format!("n{n}").as_str()])).collect();
    world.play(json!({"steps": {"a.implement": endless}}));
    world.answer("q2", Verb::Retry, None);
    world.ends(&[], 3);
    assert!(world.questions()[2].question.contains("given files 3 times already"), "{:?}", world.questions());
}
