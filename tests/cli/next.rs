//! `cco` alone: what to do next.

use std::fs;
use std::path::Path;
use std::process::Command;

use cco::journal::{Holder, RunLock, SpecPaths};
use serde_json::json;

use crate::env::{Output, TestEnv, small_manifest, write};

const SPEC: &str = "p/small-00000001";

fn alone(env: &TestEnv) -> Output {
    // Whether this machine has a claude is no matter of these tests.
    env.run(env.command::<&str>([]).env("PATH", env.home())).exits(2)
}

/// What is said before the last line, which is always the same.
#[track_caller]
fn said(env: &TestEnv) -> String {
    let output = alone(env);
    assert_eq!(output.stdout, "", "{output}");
    output.stderr.strip_suffix("\n\n`cco --help` shows all commands.\n").expect("it ends so").to_owned()
}

fn git(dir: &Path, args: &[&str]) {
    let status = Command::new("git").args(args).current_dir(dir).env("HOME", dir).status().unwrap();
    assert!(status.success());
}

/// A repository with one commit in the work directory.
fn repository(env: &TestEnv) {
    write(&env.work().join("README"), "x\n");
    git(&env.work(), &["init", "--quiet"]);
    git(&env.work(), &["add", "-A"]);
    git(&env.work(), &["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "-m", "Begin"]);
}

fn ready(env: &TestEnv) {
    repository(env);
    env.small_spec(SPEC);
}

fn scenario(env: &TestEnv, steps: serde_json::Value) {
    write(&env.store().join(SPEC).join("scenario.json"), &json!({"steps": steps}).to_string());
}

#[test]
fn nothing_is_there_yet() {
    let env = TestEnv::new();
    insta::assert_snapshot!(said(&env), @r"
    cco runs multi-component software work through the claude CLI with external enforcement.
    There is no spec yet. `claude` is not on the PATH; the demo does without it.
      see it work, offline and free     cco demo
      first make it a git repository    git init
      begin a spec for this directory   cco new --name NAME
      look at what it needs             cco doctor
    ");
    git(&env.work(), &["init", "--quiet"]);
    assert!(!said(&env).contains("git init"));
}

#[test]
fn specs_are_elsewhere() {
    let env = TestEnv::new();
    git(&env.work(), &["init", "--quiet"]);
    env.spec(SPEC, &small_manifest("small", &env.home().join("elsewhere")));
    insta::assert_snapshot!(said(&env), @r"
    No spec works on `[ROOT]/work`; there is 1 spec elsewhere.
      begin a spec for this directory                  cco new --name NAME
      the specs that there are, and where each works   cco list
    ");
}

#[test]
fn a_spec_without_components() {
    let env = TestEnv::new();
    let _ = env.cco(["new", "--project", "p", "--name", "n"]).exits(0);
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"-[0-9a-f]{8}\b", "-[HASH]");
    settings.bind(|| insta::assert_snapshot!(said(&env), @r"
    `p/n` has no component yet.
      think it through with Claude                          cco spec p/n
      make components of what brainstorm/ and SPEC.md say   cco formalize p/n
      write the components; an example stands in it         ${EDITOR:-vi} [ROOT]/home/.claude/cc_orchestrations/specs/p/n-[HASH]/manifest.json
      take tasks that are written                           cco import --from markdown PLAN.md --into p/n --replace
      then check it                                         cco validate p/n
    "));
}

#[test]
fn a_spec_without_a_manifest_and_one_that_is_invalid() {
    let env = TestEnv::new();
    let dir = env.small_spec(SPEC);
    let inside = |env: &TestEnv| env.run(env.command::<&str>([]).current_dir(&dir)).exits(2).stderr;
    write(&dir.join("manifest.json"), &small_manifest("small", &env.work()).replace("a.txt", "/a.txt"));
    insta::assert_snapshot!(inside(&env), @r"
    `p/small` has a manifest that is not valid: 1 error.
      each problem, its line and what mends it   cco validate p/small

    `cco --help` shows all commands.
    ");
    write(&dir.join("manifest.json"), "{");
    assert!(inside(&env).contains("cco validate p/small"));
    fs::remove_file(dir.join("manifest.json")).unwrap();
    insta::assert_snapshot!(inside(&env), @r"
    `p/small` has no manifest yet.
      make one of what brainstorm/ and SPEC.md say   cco formalize p/small
      begin it anew, with a manifest                 cco new --name small

    `cco --help` shows all commands.
    ");
}

#[test]
fn a_spec_whose_work_directory_is_gone() {
    let env = TestEnv::new();
    let dir = env.spec(SPEC, &small_manifest("small", &env.home().join("gone")));
    let output = env.run(env.command::<&str>([]).current_dir(&dir)).exits(2);
    assert!(output.stderr.contains("which does not exist"), "{output}");
}

#[test]
fn a_spec_that_is_ready_and_one_that_is_done() {
    let env = TestEnv::new();
    ready(&env);
    insta::assert_snapshot!(said(&env), @r"
    `p/small` is ready to run: 1 component.
      what would run; starts nothing   cco run p/small -n
      run it                           cco run p/small
    ");
    scenario(&env, json!({"a.implement": {"actions": [{"write": {"path": "a.txt", "text": "x"}}]}}));
    let _ = env.cco(["run", "--agent", "sim"]).exits(0);
    insta::assert_snapshot!(said(&env), @r"
    `p/small` is complete.
      what proves it                                        cco verify p/small
      what pushes the work, or merges it into your branch   cco finish p/small
      whether an edit since asks for more                   cco run p/small -n
      what it left, once its work is merged                 cco clean p/small
    ");
}

#[test]
fn a_run_that_waits_for_an_answer() {
    let env = TestEnv::new();
    ready(&env);
    let blocked = json!({"answer": {"status": "blocked", "summary": "which?", "questions": ["Which of the two?"]}});
    scenario(&env, json!({"a.implement": blocked}));
    let _ = env.cco(["run", "--agent", "sim"]).exits(3);
    insta::assert_snapshot!(said(&env), @r"
    `p/small` waits for an answer: q1 (a) Which of the two?
      the questions, and the commands that answer   cco answer p/small
      go on, once they are answered                 cco run p/small
    ");
}

#[test]
fn a_run_that_did_not_get_to_its_end() {
    let env = TestEnv::new();
    ready(&env);
    scenario(&env, json!({"a.*": {"fault": {"api": "unauthorized"}}}));
    let _ = env.cco(["run", "--agent", "sim"]).exits(7);
    insta::assert_snapshot!(said(&env), @r"
    `p/small`: 0 of 1 component complete; something that it needs was missing (`cco doctor`).
      carry on                        cco run p/small
      what is not complete, and why   cco status p/small
    ");
}

#[test]
fn a_damaged_journal() {
    let env = TestEnv::new();
    ready(&env);
    scenario(&env, json!({"a.implement": {"actions": [{"write": {"path": "a.txt", "text": "x"}}]}}));
    let _ = env.cco(["run", "--agent", "sim"]).exits(0);
    let journal = env.store().join(SPEC).join("state/journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"seq\":1", "\"seq\":7", 1)).unwrap();
    insta::assert_snapshot!(said(&env), @r"
    `p/small` has a journal that cannot be read whole; nothing was changed.
      what can be saved of it   cco repair p/small
    ");
}

#[test]
fn a_run_that_lives() {
    let env = TestEnv::new();
    ready(&env);
    let paths = SpecPaths::new(env.store().join(SPEC));
    fs::create_dir_all(paths.state()).unwrap();
    let this = Holder::this_process(jiff::Timestamp::now(), "cco run p/small".to_owned());
    let _lock = RunLock::acquire(&paths.lock(), &this).unwrap();
    insta::assert_snapshot!(said(&env), @r"
    `p/small` is running
      watch it                cco status p/small --watch
      stop it in good order   cco stop p/small
    ");
}

#[test]
fn several_specs_of_one_directory() {
    let env = TestEnv::new();
    ready(&env);
    env.small_spec("p/other-00000002");
    insta::assert_snapshot!(said(&env), @r"
    `p/other` is ready to run: 1 component.
      what would run; starts nothing   cco run p/other -n
      run it                           cco run p/other

    `p/small` is ready to run: 1 component.
      what would run; starts nothing   cco run p/small -n
      run it                           cco run p/small
    ");
}

#[test]
fn global_options_hold() {
    let env = TestEnv::new();
    ready(&env);
    let output = env.cco(["--store", "../nowhere"]).exits(2);
    assert!(output.stderr.contains("There is no spec yet"), "{output}");
}
