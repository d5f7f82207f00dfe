//! Journals as a user would meet them after a mishap.

use std::fs;
use std::path::{Path, PathBuf};

use super::{chain, says, shell};
use crate::env::{Output, TestEnv};

const RUN: &str = "$CCO run p/s --agent sim";

/// A spec that was run, and its journal.
fn after_a_run() -> (TestEnv, PathBuf) {
    let env = TestEnv::new();
    let dir = chain(&env);
    assert_eq!(shell(&env, RUN).status, 0);
    (env, dir.join("state/journal.jsonl"))
}

/// Spoils the journal, runs, and gives what came of it; the journal must stay as it was.
fn refused(spoil: impl FnOnce(&Path), parts: &[&str]) {
    let (env, journal) = after_a_run();
    spoil(&journal);
    let before = fs::read(&journal).ok();
    for command in [RUN, "$CCO run -n p/s"] {
        says(&shell(&env, command).exits(74), parts);
    }
    assert_eq!(fs::read(&journal).ok(), before);
}

#[test]
fn a_flipped_byte_is_named_and_nothing_is_changed() {
    refused(
        |journal| {
            let mut bytes = fs::read(journal).unwrap();
            let at = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(3).unwrap().0 + 9;
            bytes[at] ^= 1;
            fs::write(journal, bytes).unwrap();
        },
        &[
            "journal.jsonl` is damaged in line 5",
            "help: nothing was changed; `cco repair p/s-00000001` shows what can be saved",
            "help: `cco run p/s-00000001 --fresh` sets it aside",
        ],
    );
}

#[test]
fn what_is_no_journal_is_refused() {
    refused(|journal| fs::write(journal, "{}\n").unwrap(), &["is damaged in line 1"]);
}

#[test]
fn a_newer_format_is_refused_by_name() {
    refused(
        |journal| {
            let text = fs::read_to_string(journal).unwrap();
            fs::write(journal, text.replacen("\"format\":1", "\"format\":9", 1)).unwrap();
        },
        &["has format 9", "this cco reads up to format 1"],
    );
}

#[test]
fn a_journal_that_is_no_file() {
    refused(
        |journal| {
            fs::remove_file(journal).unwrap();
            fs::create_dir(journal).unwrap();
        },
        &["journal.jsonl"],
    );
}

#[test]
fn a_torn_tail_is_cut_off_and_said() {
    let (env, journal) = after_a_run();
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, &bytes[..bytes.len() - 20]).unwrap();
    let output = shell(&env, RUN).exits(0);
    assert!(output.stderr.contains("the journal was recovered: line"), "{output}");
    assert!(output.stdout.contains("3 of 3 components complete"), "{output}");
}

#[test]
fn a_lock_that_cannot_be_taken() {
    let (env, journal) = after_a_run();
    let lock = journal.with_file_name("lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let output: Output = shell(&env, RUN).exits(7);
    says(&output, &["cannot lock", "state/lock"]);
}

#[test]
fn a_file_where_a_directory_must_be() {
    for name in ["state", "runs"] {
        let env = TestEnv::new();
        let dir = chain(&env);
        fs::write(dir.join(name), "").unwrap();
        says(&shell(&env, RUN).exits(7), &["cannot prepare the spec directory", name]);
    }
}
