//! What the help says: it is the first page that people read.

use crate::env::TestEnv;

const COMMANDS: [&str; 13] = [
    "list",
    "new",
    "validate",
    "run",
    "status",
    "answer",
    "stop",
    "logs",
    "graph",
    "doctor",
    "schema",
    "completions",
    "demo",
];

#[test]
fn everyday_commands_come_first() {
    let env = TestEnv::new();
    assert_output!(env.cco(["-h"]), @"");
}

#[test]
fn every_command_ends_its_help_with_examples() {
    let env = TestEnv::new();
    for command in COMMANDS {
        let help = env.cco([command, "--help"]).exits(0);
        let (_, examples) = help.stdout.split_once("\nExamples:\n").unwrap_or_else(|| panic!("`{command}` has none"));
        assert!(examples.contains(&format!("  cco {command}")), "{help}");
    }
}

#[test]
fn hidden_programs_are_not_shown() {
    let help = TestEnv::new().cco(["--help"]).exits(0).stdout;
    assert!(!help.contains("agent-sim") && !help.contains("guard"));
}

#[test]
fn run_says_what_it_takes() {
    assert_output!(TestEnv::new().cco(["run", "-h"]), @"");
}

#[test]
fn answer_says_what_it_takes() {
    assert_output!(TestEnv::new().cco(["answer", "-h"]), @"");
}

#[test]
fn version() {
    let output = TestEnv::new().cco(["--version"]).exits(0);
    assert_eq!(output.stdout, format!("cco {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_command_the_help_is_a_usage_error() {
    let output = TestEnv::new().cco::<&str>([]).exits(2);
    assert!(output.stdout.is_empty() && output.stderr.contains("Usage: cco"), "{output}");
}

#[test]
fn wrong_usage_exits_with_2() {
    let env = TestEnv::new();
    for args in [
        &["frobnicate"][..],
        &["run", "--jobs", "0"],
        &["run", "--jobs", "257"],
        &["run", "--budget-usd", "-1"],
        &["run", "--budget-usd", "NaN"],
        &["run", "--mode", "fast"],
        &["run", "-m", "guidance without --redo"],
        &["run", "a/b", "--spec", "a/b"],
        &["list", "--json", "--output", "text"],
        &["logs", "--prompt", "--follow"],
        &["completions", "tcsh"],
    ] {
        let output = env.cco(args).exits(2);
        assert!(output.stdout.is_empty() && output.stderr.starts_with("error: "), "{args:?}\n{output}");
    }
}

#[test]
fn control_characters_of_the_command_line_do_not_reach_the_terminal() {
    let env = TestEnv::new();
    for id in ["a\u{1b}[2Jb", "a\u{7}b", "a\nb", "a\u{9b}31mb"] {
        let output = env.cco(["run", "--only", id]).exits(2);
        assert!(!output.stderr.contains(|c: char| c.is_control() && c != '\n'), "{output}");
        assert!(output.stderr.contains("use letters, digits"), "{output}");
    }
}
