//! `cco status`

use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use cco::ids::{AttemptId, Step};
use cco::journal::{Holder, Journal, JournalError, RunLock, SpecPaths, set_aside};
use cco::lifecycle::event::{Author, Event, FORMAT};
use jiff::Timestamp;
use serde_json::json;

use crate::env::TestEnv;
use crate::simulated::{LiveRun, SPEC, asking_spec, go, scenario};

#[test]
fn a_spec_that_never_ran() {
    let env = TestEnv::new();
    env.small_spec("p/small-00000001");
    assert_output!(env.cco(["status", "p/small"]), @r"
    exit: 0
    -- stdout
    p/small-[HASH]: 0 of 1 component complete; $0.00
    not run yet; `cco run` begins
      a  waiting
    -- stderr
    ");
}

#[test]
fn a_question_says_what_it_blocks_and_how_to_answer() {
    let env = TestEnv::new();
    scenario(&asking_spec(&env), json!({}));
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(3);
    assert_output!(env.cco(["status", SPEC]), @r#"
    exit: 0
    -- stdout
    p/asking-[HASH]: 1 of 3 components complete, 1 waiting for an answer, 1 blocked; $0.03
    run 1 (standard mode, simulated) ended with a question
    branch `cco/asking-[HASH]`, in `[ROOT]/home/.local/state/cco/worktrees/p/asking-[HASH]`
      a  asking (q1)        $0.02  fix, implement
      b  blocked                   blocked by a
      c  complete (proven)  $0.01  implement

    q1 (a): 1 issue is open after 1 fix round; how shall it go on?
      6d1e4b75 major check:a-ok
        `test -e ready.txt` failed (exit 1)
      tried:
        simulated
      its work is in `[ROOT]/home/.local/state/cco/worktrees/p/asking-[HASH]/c/a`, where you may change it
      answer with one of:
        cco answer p/asking-[HASH] q1 retry -m "…"        try again, with your words for the agent
        cco answer p/asking-[HASH] q1 accept              waive its issues, or those that you name
        cco answer p/asking-[HASH] q1 recheck             validate the work as you left it
        cco answer p/asking-[HASH] q1 skip                leave it and its dependents out
        cco answer p/asking-[HASH] q1 abort               end the run
    -- stderr
    "#);
}

#[test]
fn the_document_says_what_went_stale_and_why() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    scenario(&dir, json!({"a.implement": {"actions": [{"write": {"path": "ready.txt", "text": ""}}]}}));
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(0);
    let manifest = fs::read_to_string(dir.join("manifest.json")).unwrap();
    fs::write(dir.join("manifest.json"), manifest.replace(r#""id":"c""#, r#""id":"c","purpose":"More.""#)).unwrap();
    let status = env.cco(["status", SPEC, "--json"]).exits(0).json();
    assert_eq!((&status["version"], &status["proof"]), (&1.into(), &"proven".into()));
    assert_eq!(status["counts"]["complete"], 3);
    let stale: Vec<_> = status["components"].as_array().unwrap().iter().map(|item| &item["stale"]).collect();
    assert_eq!(stale, [&json!(null), &json!(null), &json!({"why": "input", "redo": "revise"})]);
    let text = env.cco(["status", SPEC]).exits(0);
    assert!(text.stdout.contains("stale: its definition changed; the next run revises it"), "{text}");
}

#[test]
fn a_live_run_is_seen_and_watched_to_its_end() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    scenario(
        &dir,
        json!({"*.implement": {"actions": [
            {"write": {"path": "ready.txt", "text": ""}}, {"wait": {"until_file": go(&env)}},
        ]}}),
    );
    let mut run = LiveRun::start(&env);
    run.until("c implement-1 started");
    let status = env.cco(["status", SPEC, "--json"]).exits(0).json();
    assert!(status["live"]["pid"].is_u64() && status["run"]["ended"].is_null(), "{status}");
    assert_eq!(status["components"][2]["running"], json!(["c.implement-1"]));
    let watch = env.command(["status", SPEC, "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    fs::write(go(&env), "").unwrap();
    assert_eq!(run.end().code(), Some(0));
    let watched = watch.wait_with_output().unwrap();
    let seen = String::from_utf8(watched.stdout).unwrap();
    assert!(seen.contains("3 of 3 components complete"), "{seen}");
}

#[test]
fn a_live_run_is_shown_with_the_settings_that_it_was_started_with() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    let ready = json!({"actions": [{"write": {"path": "ready.txt", "text": ""}}]});
    scenario(&dir, json!({"a.implement": ready}));
    let _ = env.cco(["run", SPEC, "--agent", "sim", "--only", "a"]).exits(0);
    scenario(&dir, json!({"c.implement": {"actions": [{"wait": {"until_file": go(&env)}}]}}));
    let mut run = LiveRun::start_with(&env, &["--mode", "full", "-j2", "--only", "a,c"]);
    // What was checked in another mode is checked again before.
    run.until("c implement-1 started");
    let status = env.cco(["status", SPEC, "--json"]).exits(0).json();
    let settings = ["mode", "jobs", "only"].map(|name| status["run"][name].clone());
    assert_eq!(settings, [json!("full"), json!(2), json!(["a", "c"])], "{status}");
    let shown = |at: usize| ["phase", "detail", "stale"].map(|name| status["components"][at][name].clone());
    assert_eq!(shown(0), [json!("complete"), json!(null), json!(null)], "by the run's mode, not by the manifest's");
    assert_eq!(shown(1), [json!("waiting"), json!("not part of this run"), json!(null)]);
    let text = env.cco(["status", SPEC]).exits(0);
    assert!(text.stdout.contains(", simulated, full mode, 2 agents at once, only a, c\n"), "{text}");

    let manifest = fs::read_to_string(dir.join("manifest.json")).unwrap();
    fs::write(dir.join("manifest.json"), manifest.replace(r#""id":"c""#, r#""id":"d""#)).unwrap();
    let _ = env.cco(["status", SPEC]).exits(0);
    fs::write(go(&env), "").unwrap();
    assert_eq!(run.end().code(), Some(0));
    let after = env.cco(["status", SPEC, "--json"]).exits(0).json();
    assert_eq!(after["components"][0]["stale"]["why"], "checks", "what the next run would do again: {after}");
    assert_eq!(after["components"][1]["detail"], json!(null));
}

/// The lock is held as a run holds it, and the journal written as a run writes it, so that no moment is missed.
#[test]
fn who_follows_meets_a_fresh_start_and_goes_on_with_the_new_journal() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    scenario(&dir, json!({"a.implement": {"actions": [{"write": {"path": "ready.txt", "text": ""}}]}}));
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(0);
    let paths = SpecPaths::new(&dir);
    let journal = || Journal::open::<JournalError>(&paths.journal(), |_| Ok(())).unwrap().0;
    let write = |journal: &mut Journal, events: Vec<Event>| {
        journal.stage(Timestamp::now(), Author::Cco, events);
        journal.commit().unwrap();
    };
    let lock = RunLock::acquire(&paths.lock(), &Holder::this_process(Timestamp::now(), "a test".into())).unwrap();
    let follow = |args: &[&str]| {
        let mut child = env.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        (BufReader::new(child.stdout.take().unwrap()).lines(), child)
    };
    let mut watch = follow(&["status", SPEC, "--watch", "--json"]);
    let mut logs = follow(&["logs", "--spec", SPEC, "--follow"]);
    let saw = |(lines, _): &mut (Lines<BufReader<ChildStdout>>, Child), part: &str| {
        assert!(lines.by_ref().any(|line| line.unwrap().contains(part)), "it ended and never said `{part}`");
    };
    // An attempt that nobody has ended, as after kill -9: its output is set aside, and a new one has its name.
    let attempt = AttemptId { on: "a".parse().unwrap(), step: Step::Implement, n: 7 };
    let begins = || vec![Event::AttemptStarted { attempt: attempt.clone(), session: None, resumed: false }];
    let says = |text: &str| {
        let line = json!({"type": "assistant", "message": {"content": [{"type": "text", "text": text}]}});
        format!("{line}\n")
    };
    let mut old = journal();
    fs::write(paths.stream(&attempt), says("said before")).unwrap();
    write(&mut old, begins());
    saw(&mut logs, "said before");
    // Until it has begun to look it shows nothing of what is there.
    let told = std::thread::scope(|scope| {
        let first = scope.spawn(|| saw(&mut watch, "jobs_changed"));
        while !first.is_finished() {
            write(&mut old, vec![Event::JobsChanged { jobs: 2 }]);
            std::thread::yield_now();
        }
        first.join()
    });
    told.unwrap();
    set_aside(&paths, Timestamp::now()).unwrap();
    let mut new = journal();
    fs::write(paths.stream(&attempt), says("as long as.") + &says("said anew")).unwrap();
    let opened = Event::JournalOpened { format: FORMAT, cco: "0.1.0".into(), spec: "p/asking-00000001".into() };
    write(&mut new, vec![opened]);
    write(&mut new, begins());
    saw(&mut watch, "journal_opened");
    saw(&mut watch, "attempt_started");
    saw(&mut logs, "said anew");
    drop(lock);
    for (lines, mut child) in [watch, logs] {
        let again = lines.map(Result::unwrap).filter(|line| line.contains("said anew")).count();
        assert_eq!((again, child.wait().unwrap().code()), (0, Some(0)));
    }
}

#[test]
fn a_run_that_was_killed_is_told_from_one_that_lives() {
    let env = TestEnv::new();
    scenario(&asking_spec(&env), json!({"*.implement": {"actions": [{"wait": {"until_file": "never.txt"}}]}}));
    let mut run = LiveRun::start(&env);
    run.until("a implement-1 started");
    run.kill();
    let status = env.cco(["status", SPEC]).exits(0);
    assert!(status.stdout.contains("was killed; `cco run` carries on"), "{status}");
    assert!(env.cco(["status", SPEC, "--json"]).exits(0).json()["live"].is_null());
}
