//! `cco stop`

use serde_json::json;

use crate::env::TestEnv;
use crate::simulated::{LiveRun, SPEC, asking_spec, scenario};

#[test]
fn nothing_to_stop_is_no_error() {
    let env = TestEnv::new();
    env.small_spec("p/small-00000001");
    assert_output!(env.cco(["stop", "p/small"]), @r"
    exit: 0
    -- stdout
    no run of `p/small-[HASH]` is live
    -- stderr
    ");
}

#[test]
fn a_live_run_is_stopped_and_carries_on() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    scenario(&dir, json!({"*.implement": {"actions": [{"wait": {"until_file": "never.txt"}}]}}));
    let mut run = LiveRun::start(&env);
    run.until("a implement-1 started");
    let stopped = env.cco(["stop", SPEC]).exits(0);
    assert!(stopped.stdout.starts_with("stopped (process "), "{stopped}");
    assert_eq!(run.end().code(), Some(130));
    let status = env.cco(["status", SPEC]).exits(0);
    assert!(status.stdout.contains("was interrupted; `cco run` carries on"), "{status}");
    scenario(&dir, json!({}));
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(3);
}

#[test]
fn an_agent_that_will_not_stop_is_killed() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    let stubborn = json!({"ignore_signals": true, "actions": [{"wait": {"until_file": "never.txt"}}]});
    scenario(&dir, json!({"*.implement": stubborn}));
    let mut run = LiveRun::start(&env);
    run.until("c implement-1 started");
    let stopped = env.cco(["stop", SPEC, "--now", "--json"]).exits(0).json();
    assert_eq!(stopped["killed"], false, "the run itself ended in order");
    assert_eq!(run.end().code(), Some(130));
}

#[test]
fn a_manifest_that_was_broken_meanwhile_is_no_hindrance() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    scenario(&dir, json!({"*.implement": {"actions": [{"wait": {"until_file": "never.txt"}}]}}));
    let mut run = LiveRun::start(&env);
    run.until("a implement-1 started");
    crate::env::write(&dir.join("manifest.json"), "{");
    let _ = env.cco(["stop", dir.to_str().unwrap()]).exits(0);
    assert_eq!(run.end().code(), Some(130));
}
