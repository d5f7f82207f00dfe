//! `cco logs`

use std::fs;

use serde_json::json;

use crate::env::TestEnv;
use crate::simulated::{LiveRun, SPEC, asking_spec, go, scenario};

fn ran() -> TestEnv {
    let env = TestEnv::new();
    let steps = json!({"a.implement": {
        "actions": [
            {"think": "First I look."},
            {"text": "I \u{1b}[2Jbegin.\nNow."},
            {"run": {"cmd": "seq 20"}},
            {"run": {"cmd": "echo broken >&2; exit 3"}},
            {"write": {"path": "ready.txt", "text": ""}},
        ],
        "answer": {"status": "done", "summary": "It is there.", "notes": ["a note"]},
        "cost_usd": 0.02,
    }});
    scenario(&asking_spec(&env), steps);
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(0);
    env
}

/// Times and durations differ from run to run.
fn timeless() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "[TIME]");
    settings.add_filter(r"\b\d+m?s\b", "[MS]");
    settings.bind_to_scope()
}

#[test]
fn a_stream_reads_as_what_was_said_and_done() {
    let env = ran();
    let _guard = timeless();
    assert_output!(env.cco(["logs", "a", "--spec", SPEC]), @r#"
    exit: 0
    -- stdout
    ==> a.implement-1 ([TIME])
    model sonnet
      First I look.
    I \u{1b}[2Jbegin.
    Now.
    ▸ Bash seq 20
      │ 1
      │ 2
      │ 3
      │ 4
      │ 5
      │ 6
      │ 7
      │ 8
      │ 9
      │ 10
      │ 11
      │ 12
      │ … 8 more lines
    ▸ Bash echo broken >&2; exit 3
      │ Exit code 3
      │ broken
    ▸ Write [ROOT]/home/.local/state/cco/worktrees/p/asking-[HASH]/c/a/ready.txt
      │ File created successfully at: [ROOT]/home/.local/state/cco/worktrees/p/asking-[HASH]/c/a/ready.txt
      │ Structured output provided successfully
    result: success, 5 turns, [MS], $0.02
      notes: ["a note"]
      status: done
      summary: It is there.
    implement-1 says done in [MS], $0.02: It is there.
    ==> a.check:a-ok-1 ([TIME])
    check:a-ok-1 passed in [MS]
    -- stderr
    "#);
}

#[test]
fn raw_is_byte_for_byte() {
    let env = ran();
    let raw = env.cco(["logs", "a", "--spec", SPEC, "--raw"]).exits(0);
    let stream = env.store().join("p/asking-00000001/runs/a.implement-1.stream.jsonl");
    assert!(
        raw.stdout.starts_with(&fs::read_to_string(stream).unwrap().replace(env.root().to_str().unwrap(), "[ROOT]"))
    );
}

#[test]
fn everything_there_is_and_where() {
    let env = ran();
    let listing = env.cco(["logs", "--spec", SPEC, "--json"]).exits(0).json();
    let attempts = listing["attempts"].as_array().unwrap();
    let ids: Vec<_> = attempts.iter().filter(|item| item["on"] == "b").map(|item| &item["attempt"]).collect();
    assert_eq!(ids, ["b.implement-1", "b.check:b-ok-1"]);
    let outputs =
        attempts.iter().map(|item| item["output"].as_str().unwrap().replace("[ROOT]", env.root().to_str().unwrap()));
    outputs.for_each(|output| assert!(fs::exists(&output).unwrap(), "{output}"));
}

#[test]
fn a_name_that_nothing_is_known_of() {
    let env = ran();
    let output = env.cco(["logs", "@rum", "--spec", SPEC]).exits(2);
    assert!(output.stderr.contains("invalid value"), "{output}");
    assert_output!(env.cco(["logs", "aa", "--spec", SPEC]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: no step of `aa` has been started yet
      help: did you mean `a`?
    ");
}

#[test]
fn nothing_yet() {
    let env = TestEnv::new();
    env.small_spec("p/small-00000001");
    assert_output!(env.cco(["logs", "--spec", "p/small"]), @r"
    exit: 0
    -- stdout
    -- stderr
    no step of `p/small-[HASH]` has been started yet
    ");
}

#[test]
fn a_live_run_is_followed_to_its_end() {
    let env = TestEnv::new();
    let (go, ready) = (go(&env), json!({"write": {"path": "ready.txt", "text": ""}}));
    let wait = json!([{"text": "before"}, {"wait": {"until_file": go}}, {"text": "after"}, ready]);
    scenario(&asking_spec(&env), json!({"a.implement": {"actions": wait}}));
    let mut run = LiveRun::start(&env);
    run.until("a implement-1 started");
    let mut command = env.command(["logs", "a", "--spec", SPEC, "--follow"]);
    let logs = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    fs::write(go, "").unwrap();
    assert_eq!(run.end().code(), Some(0));
    let seen = String::from_utf8(logs.wait_with_output().unwrap().stdout).unwrap();
    for part in ["==> a.implement-1", "before", "after", "check:a-ok-1 passed"] {
        assert!(seen.contains(part), "{part}\n{seen}");
    }
}
