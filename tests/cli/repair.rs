//! `cco repair`

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::simulated::{LiveRun, SPEC, asking_spec, scenario};

/// A spec that was run to its end, one component after the other, and its journal.
fn after_a_run() -> (TestEnv, PathBuf) {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    scenario(&dir, json!({"a.implement": {"actions": [{"write": {"path": "ready.txt", "text": ""}}]}}));
    let _ = env.cco(["run", SPEC, "--agent", "sim", "-j", "1"]).exits(0);
    let journal = dir.join("state/journal.jsonl");
    (env, journal)
}

/// Changes one byte of a line, counted from 1, and returns the bytes as they are now.
fn spoil(journal: &Path, line: usize) -> Vec<u8> {
    let mut bytes = fs::read(journal).unwrap();
    let begin: usize = bytes.split_inclusive(|byte| *byte == b'\n').take(line - 1).map(<[u8]>::len).sum();
    bytes[begin + 30] ^= 1;
    fs::write(journal, &bytes).unwrap();
    bytes
}

/// The line of the first record that has `word`, counted from 1.
fn line_with(journal: &Path, word: &str) -> usize {
    fs::read_to_string(journal).unwrap().lines().position(|line| line.contains(word)).unwrap() + 1
}

/// Compares with snapshots that know neither sizes and times nor how records fell into turns.
fn steady(compare: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d+\.\d KiB", "[SIZE]");
    settings.add_filter(r"\b\d+ (records|lines)\b", "[N] $1");
    settings.add_filter(r"\b\d+ of them\b", "[N] of them");
    settings.add_filter(r"\b[0-9a-f]{12}\b", "[COMMIT]");
    settings.add_filter(r"in line \d\d", "in line [N]");
    settings.add_filter(r"history/\d{8}T\d{6}Z", "history/[TIME]");
    settings.bind(compare);
}

#[test]
fn a_spec_that_never_ran_and_one_that_is_whole() {
    let env = TestEnv::new();
    env.small_spec("p/small-00000001");
    assert_output!(env.cco(["repair", "p/small"]), @r"
    exit: 0
    -- stdout
    p/small-[HASH]: there is no journal yet
    -- stderr
    ");
    let (env, journal) = after_a_run();
    let before = fs::read(&journal).unwrap();
    for args in [&["repair", SPEC][..], &["repair", SPEC, "--apply"]] {
        let output = env.cco(args).exits(0);
        assert!(output.stdout.contains("the journal is in order ("), "{output}");
    }
    assert_eq!(fs::read(&journal).unwrap(), before);
}

#[test]
fn a_torn_line_is_left_to_the_next_run() {
    let (env, journal) = after_a_run();
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, &bytes[..bytes.len() - 20]).unwrap();
    let output = env.cco(["repair", SPEC, "--apply"]).exits(0);
    assert!(
        output.stdout.contains("was never written to its end") && output.stdout.contains("the next run cuts it off"),
        "{output}"
    );
    assert_eq!(fs::read(&journal).unwrap(), bytes[..bytes.len() - 20]);
}

#[test]
fn it_shows_what_is_damaged_what_can_be_saved_and_what_is_lost() {
    let (env, journal) = after_a_run();
    let line = line_with(&journal, "attempt_ended\":{\"attempt\":{\"on\":\"b");
    let damaged = spoil(&journal, line);
    steady(|| {
        assert_output!(env.cco(["repair", SPEC]), @r"
        exit: 1
        -- stdout
        p/asking-[HASH]: the journal is damaged in line [N]: its checksum does not fit
        the [N] records before it can be saved: 2 of 3 components complete
          a  complete
          b  working     complete in what is lost
          c  complete
        lost: [N] lines ([SIZE]); [N] of them can be read and cannot be trusted, since each checksum stands on the one before
          steps that had ended ($0.01): b.implement-1
        saved beside it as `[ROOT]/home/.claude/cc_orchestrations/specs/p/asking-[HASH]/state/journal.saved.jsonl`; nothing was changed
        -- stderr
        help: `cco repair p/asking-[HASH] --apply` puts in place what can be saved; what is damaged goes to `state/history/`, and commits stay
        help: `cco run p/asking-[HASH] --fresh` sets it aside, whole, and starts over
        ")
    });
    let saved = journal.with_file_name("journal.saved.jsonl");
    let kept = fs::read(&saved).unwrap();
    assert!(damaged.starts_with(&kept) && kept.ends_with(b"\n"));
    assert_eq!(fs::read(&journal).unwrap(), damaged);
    // What is written already is not written again; what stands there and is something else stays.
    let _ = env.cco(["repair", SPEC]).exits(1);
    fs::write(&saved, "mine").unwrap();
    let again = env.cco(["repair", SPEC]).exits(1);
    assert!(again.stdout.contains("journal.saved-2.jsonl"), "{again}");
    assert_eq!(fs::read_to_string(&saved).unwrap(), "mine");
    assert_eq!(fs::read(journal.with_file_name("journal.saved-2.jsonl")).unwrap(), kept);
}

#[test]
fn applied_it_is_in_order_and_the_damaged_journal_is_in_history() {
    let (env, journal) = after_a_run();
    let line = line_with(&journal, "attempt_ended\":{\"attempt\":{\"on\":\"b");
    let damaged = spoil(&journal, line);
    steady(|| {
        assert_output!(env.cco(["repair", SPEC, "--apply"]), @r"
        exit: 0
        -- stdout
        p/asking-[HASH]: the journal is damaged in line [N]: its checksum does not fit
        the [N] records before it can be saved: 2 of 3 components complete
          a  complete
          b  working     complete in what is lost
          c  complete
        lost: [N] lines ([SIZE]); [N] of them can be read and cannot be trusted, since each checksum stands on the one before
          steps that had ended ($0.01): b.implement-1
        put in place; what was there is in `[ROOT]/home/.claude/cc_orchestrations/specs/p/asking-[HASH]/state/history/[TIME]`
        -- stderr
        help: `cco run p/asking-[HASH]` goes on from there
        ")
    });
    let history = fs::read_dir(journal.with_file_name("history")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read(history.join("journal.jsonl")).unwrap(), damaged);
    assert!(!journal.with_file_name("journal.saved.jsonl").exists());
    let now = fs::read_to_string(&journal).unwrap();
    let last = now.lines().last().unwrap();
    assert!(
        last.contains(&format!("the journal was damaged in line {line}")) && last.contains("state/history/2"),
        "{last}"
    );
    let status = env.cco(["status", SPEC]).exits(0);
    assert!(status.stdout.contains("was killed; `cco run` carries on"), "{status}");
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(0);
}

#[test]
fn every_line_can_be_the_damaged_one() {
    let (env, journal) = after_a_run();
    let whole = fs::read(&journal).unwrap();
    let lines = whole.iter().filter(|byte| **byte == b'\n').count();
    for line in 1..=lines {
        fs::write(&journal, &whole).unwrap();
        let damaged = spoil(&journal, line);
        let told = env.cco(["repair", SPEC, "--json"]).exits(1).json();
        assert_eq!((&told["condition"], &told["damage"]["line"]), (&json!("damaged"), &json!(line)));
        assert_eq!((&told["records"], &told["lost"]["lines"]), (&json!(line - 1), &json!(lines - line + 1)));
        assert_eq!(fs::read(&journal).unwrap(), damaged);
        // Record 0 alone knows of no run.
        assert_eq!(told["can_be_saved"], json!(line > 2));
        if line > 2 {
            let saved = journal.with_file_name("journal.saved.jsonl");
            assert!(told["saved"].as_str().unwrap().ends_with("state/journal.saved.jsonl"));
            let kept: usize = whole.split_inclusive(|byte| *byte == b'\n').take(line - 1).map(<[u8]>::len).sum();
            assert_eq!(fs::read(&saved).unwrap(), whole[..kept]);
            fs::remove_file(saved).unwrap();
        } else {
            assert_eq!((&told["saved"], &told["git"]["can_be_rebuilt"]), (&Value::Null, &json!(true)));
            assert_eq!(fs::read(&journal).unwrap(), damaged);
        }
    }
}

#[test]
fn of_what_knows_of_no_run_nothing_is_put_in_place_but_what_git_tells() {
    let (env, journal) = after_a_run();
    let damaged = spoil(&journal, 2);
    steady(|| {
        assert_output!(env.cco(["repair", SPEC]), @r"
        exit: 1
        -- stdout
        p/asking-[HASH]: the journal is damaged in line 2: its checksum does not fit
        nothing can be saved: no run had begun before it
        lost: [N] lines ([SIZE]); [N] of them can be read and cannot be trusted, since each checksum stands on the one before
          steps that had ended ($0.02): a.implement-1, c.implement-1, b.implement-1
        git tells: branch `cco/asking-[HASH]` at [COMMIT], begun at [COMMIT]
          a  landed as [COMMIT]            written; compared and validated again
          b  landed as [COMMIT]            written; compared and validated again
          c  landed as [COMMIT]            written; compared and validated again
        lost: verdicts and evidence, answers and waivers, votes, costs, what agents said; nothing counts as proven until it is checked again
        nothing was changed
        -- stderr
        help: `cco repair p/asking-[HASH] --apply` takes up what git tells; no agent is asked again for what is written
        help: `cco run p/asking-[HASH] --fresh` sets it aside, whole, and starts over
        ")
    });
    assert_eq!(fs::read(&journal).unwrap(), damaged);
    let applied = env.cco(["repair", SPEC, "--json", "--apply"]).exits(0).json();
    assert!(applied["git"]["aside"].as_str().unwrap().starts_with("refs/cco/p/asking-"), "{applied:#}");
    let history = fs::read_dir(journal.with_file_name("history")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read(history.join("journal.jsonl")).unwrap(), damaged);
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(0);
    let whole = env.cco(["repair", SPEC, "--json"]).exits(0).json();
    assert_eq!((&whole["condition"], &whole["git"]), (&json!("whole"), &Value::Null));
}

#[test]
fn the_document() {
    let (env, journal) = after_a_run();
    spoil(&journal, line_with(&journal, "attempt_ended\":{\"attempt\":{\"on\":\"b"));
    let told = env.cco(["repair", SPEC, "--json"]).exits(1).json();
    assert_eq!(told["version"], 1);
    assert_eq!(told["components"][1], json!({"id": "b", "phase": "working", "lost": true}));
    assert_eq!(told["damage"]["what"], "its checksum does not fit");
    assert!(told["aside"].is_null() && told["torn"].is_null() && told["saved"].is_string(), "{told}");
    let applied = env.cco(["repair", SPEC, "--json", "--apply"]).exits(0).json();
    assert!(applied["aside"].is_string() && applied["saved"].is_null(), "{applied}");
    let whole = env.cco(["repair", SPEC, "--json"]).exits(0).json();
    assert_eq!((&whole["condition"], &whole["lost"], &whole["damage"]), (&json!("whole"), &Value::Null, &Value::Null));
}

#[test]
fn a_live_run_is_not_repaired_behind_its_back() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    scenario(&dir, json!({"*.implement": {"actions": [{"wait": {"until_file": "never.txt"}}]}}));
    let mut run = LiveRun::start(&env);
    run.until("c implement-1 started");
    let whole = env.cco(["repair", SPEC, "--apply"]).exits(0);
    assert!(whole.stdout.contains("in order"), "{whole}");
    let journal = dir.join("state/journal.jsonl");
    let damaged = spoil(&journal, 3);
    let refused = env.cco(["repair", SPEC, "--apply"]).exits(5);
    assert!(
        refused.stderr.contains("is being worked on") && refused.stderr.contains("`cco stop p/asking-"),
        "{refused}"
    );
    assert_eq!(fs::read(&journal).unwrap(), damaged);
    assert!(!dir.join("state/history").read_dir().unwrap().any(|_| true));
    run.kill();
}

#[test]
fn answers_to_questions_that_are_lost_go_to_history() {
    let env = TestEnv::new();
    let dir = asking_spec(&env);
    scenario(&dir, json!({}));
    let _ = env.cco(["run", SPEC, "--agent", "sim"]).exits(3);
    let _ = env.cco(["answer", SPEC, "q1", "skip"]).exits(0);
    let journal = dir.join("state/journal.jsonl");
    let whole = fs::read(&journal).unwrap();
    // Behind the question the answer waits on; before it, another question will be called q1.
    for (line, waits) in [(line_with(&journal, "run_ended"), true), (line_with(&journal, "fix_opened"), false)] {
        fs::write(&journal, &whole).unwrap();
        spoil(&journal, line);
        let _ = env.cco(["repair", SPEC, "--apply"]).exits(0);
        assert_eq!(fs::read_dir(dir.join("state/inbox")).unwrap().count(), usize::from(waits));
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let (env, journal) = after_a_run();
    let text = fs::read_to_string(&journal).unwrap().replacen("\"format\":1", "\"format\":9", 1);
    fs::write(&journal, &text).unwrap();
    let refused = env.cco(["repair", SPEC, "--apply"]).exits(74);
    assert!(refused.stderr.contains("has format 9") && !refused.stderr.contains("--fresh"), "{refused}");
    assert_eq!(fs::read_to_string(&journal).unwrap(), text);
}
