//! `cco answer`

use std::fs;

use serde_json::json;

use crate::env::TestEnv;
use crate::simulated::{LiveRun, SPEC, asking_spec, scenario, tree};

fn asked() -> TestEnv {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    scenario(&dir, json!({}));
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(3);
    env
}

#[test]
fn the_list_says_what_is_wrong_and_how_to_answer() {
    let env = asked();
    assert_output!(env.cco(["answer", SPEC]), @r#"
    exit: 0
    -- stdout
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
    assert_output!(env.cco(["answer", SPEC, "q1", "--json"]), @r#"
    exit: 0
    -- stdout
    {
      "version": 1,
      "spec": "p/asking-[HASH]",
      "questions": [
        {
          "id": "q1",
          "on": "a",
          "cause": "fix_budget",
          "question": "1 issue is open after 1 fix round; how shall it go on?",
          "options": [],
          "tried": [
            "simulated"
          ],
          "issues": [
            {
              "id": "6d1e4b75",
              "severity": "major",
              "source": "check:a-ok",
              "file": null,
              "line": null,
              "text": "`test -e ready.txt` failed (exit 1)\n",
              "suggested_fix": null
            }
          ],
          "answer": "cco answer p/asking-[HASH] q1"
        }
      ]
    }
    -- stderr
    "#);
}

#[test]
fn an_answer_is_taken_up_by_the_next_run() {
    let env = asked();
    assert_output!(env.cco(["answer", SPEC, "q1", "accept"]), @r"
    exit: 0
    -- stdout
    q1 is answered; the next run takes it up: cco run p/asking-[HASH]
    -- stderr
    ");
    let second = env.cco(["answer", SPEC, "q1", "skip"]).exits(2);
    assert!(second.stderr.contains("waits to be taken up"), "{second}");
    let status = env.cco(["status", SPEC]).exits(0);
    assert!(status.stdout.contains("an answer to q1 waits"), "{status}");
    // The whole has the same issue, which is waived with it.
    let run = env.cco(["run", SPEC, "--agent", "sim"]).exits(0);
    assert!(run.stdout.contains("3 of 3 components complete, 1 waived"), "{run}");
    assert!(run.stdout.contains("the whole is complete with issues that you waived"), "{run}");
    assert_output!(env.cco(["answer", SPEC, "q1", "accept"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: question `q1` was answered, and is not open any more
      help: `cco answer p/asking-[HASH]` lists what is open
    ");
}

#[test]
fn the_work_is_checked_again_as_the_user_left_it() {
    let env = asked();
    fs::write(tree(&env, "a").join("ready.txt"), "").unwrap();
    let _ = env.cco(["answer", SPEC, "recheck"]).exits(0);
    let run = env.cco(["run", SPEC, "--agent", "sim"]).exits(0);
    assert!(run.stderr.contains("a complete (proven)"), "{run}");
}

#[test]
fn the_words_of_a_retry_reach_the_agent() {
    let env = asked();
    let _ = env.cco(["answer", SPEC, "q1", "retry", "-m", "make ready.txt"]).exits(0);
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(3);
    let prompts = env.cco(["logs", "a", "--spec", SPEC, "--prompt"]).exits(0);
    assert!(prompts.stdout.contains("make ready.txt"), "{prompts}");
}

#[test]
fn a_live_run_takes_an_answer_up_at_once() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    // A check would wait until nobody writes any more.
    let blocked = json!({"answer": {"status": "blocked", "summary": "-", "questions": ["Which?"]}});
    let busy = json!({"actions": [{"wait": {"until_file": "go.txt"}}]});
    scenario(&dir, json!({"a.implement": blocked, "c.implement": busy}));
    let mut run = LiveRun::start(&env);
    run.until("a asks q1: Which?");
    let taken = env.cco(["answer", SPEC, "q1", "skip", "--json"]).exits(0).json();
    assert_eq!((&taken["live"], &taken["verb"]), (&true.into(), &"skip".into()));
    run.until("a skipped");
}

#[test]
fn what_cannot_be_taken_is_refused() {
    let env = asked();
    for (args, part) in [
        (&["q2", "retry"][..], "did you mean `q1`?"),
        (&["q1", "--option", "x"], "question `q1` has no option `x`"),
        (&["q1", "--option", "x", "retry"], "leave the verb out"),
        (&["q1", "accept", "beef"], "question `q1` has no issue `beef`"),
    ] {
        let output = env.cco(["answer", SPEC].iter().chain(args)).exits(2);
        assert!(output.stderr.contains(part), "{output}");
    }
    assert_eq!(fs::read_dir(env.store().join("p/asking-00000001/state/inbox")).unwrap().count(), 0);
}

#[test]
fn a_spec_outside_of_the_store_is_answered_by_its_path() {
    let env = TestEnv::new();
    let path = env.home().join("kept");
    fs::rename(asking_spec(&env), &path).unwrap();
    scenario(&path, json!({}));
    let spec = path.to_str().unwrap();
    let run = env.cco(["run", spec, "--agent", "sim"]).exits(3);
    assert!(run.to_string().contains("cco answer [ROOT]/home/kept q1 retry"), "{run}");
    let status = env.cco(["status", spec]).exits(0);
    assert!(status.stdout.contains("cco answer [ROOT]/home/kept q1 recheck"), "{status}");
    let taken = env.cco(["answer", spec, "q1", "skip"]).exits(0);
    assert!(taken.stdout.contains("cco run [ROOT]/home/kept"), "{taken}");
    let finish = env.cco(["finish", spec]).exits(1);
    assert!(finish.stderr.contains("`cco answer [ROOT]/home/kept`"), "{finish}");
}
