//! `cco spec`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use cco::cli::commands::install::stamp::stamped;

use crate::env::{TestEnv, small_manifest, write};
use crate::terminal::on_terminal;

/// Says its version; else what it was given, and ends with 23.
const CLAUDE: &str = "#!/bin/sh
case $1 in --version) echo \"VERSION (Claude Code)\"; exit;; esac
echo \"in $PWD, store $CCO_STORE, cco is $(command -v cco)\"
for word; do echo \"word: $word\"; done
exit 23
";

fn with_claude(version: &str) -> TestEnv {
    let env = TestEnv::new();
    env.small_spec("p/small-00000001");
    let program = env.root().join("bin/claude");
    write(&program, &CLAUDE.replace("VERSION", version));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    env
}

/// `cco spec` with the fake claude on the PATH.
fn spec(env: &TestEnv, args: &[&str]) -> Command {
    let mut command = env.command([&["spec"], args].concat());
    command.env("PATH", format!("{}:/usr/bin:/bin", env.root().join("bin").display()));
    command
}

#[test]
fn it_becomes_claude_in_the_work_directory() {
    let env = with_claude("2.1.197");
    let _ = env.cco(["install"]).exits(0);
    let own = std::path::Path::new(env!("CARGO_BIN_EXE_cco")).display();
    let (status, shown) = on_terminal(&env, spec(&env, &["p/small"]).current_dir(env.home()), "");
    let store = "[ROOT]/home/.claude/cc_orchestrations/specs";
    let expected = format!("in [ROOT]/work, store {store}, cco is {own}\nword: /spec p/small-00000001\n");
    assert_eq!((status, shown), (23, expected));
}

#[test]
fn the_conversation_works_on_the_same_store() {
    let env = with_claude("2.1.330");
    let _ = env.cco(["install", "--scope", "project"]).exits(0);
    write(&env.root().join("other/q/far-00000002/manifest.json"), &small_manifest("far", &env.work()));
    let other = env.root().join("other").display().to_string();
    let (status, shown) = on_terminal(&env, &spec(&env, &["q/far", "--store", &other]), "");
    assert_eq!(status, 23, "{shown}");
    assert!(shown.contains("store [ROOT]/other,") && shown.contains("word: /spec q/far-00000002\n"), "{shown}");
}

#[test]
fn a_command_of_another_cco_is_told() {
    let env = with_claude("2.1.330");
    let (text, file) = ("---\ndescription: old\n---\nOld.\n", env.home().join(".claude/commands/spec.md"));
    write(&file, &stamped(text, 0));
    let warning = "warning: `[ROOT]/home/.claude/commands/spec.md` is of another cco than this one; `cco install` brings it up to date\n";
    let (status, shown) = on_terminal(&env, &spec(&env, &[]), "");
    assert!(status == 23 && shown.starts_with(warning), "{shown}");
    // A user's own is as it should be, and so is what this one installs.
    write(&file, text);
    assert!(on_terminal(&env, &spec(&env, &[]), "").1.starts_with("in [ROOT]/work"));
    let _ = env.cco(["install", "--yes"]).exits(0);
    assert!(on_terminal(&env, &spec(&env, &[]), "").1.starts_with("in [ROOT]/work"));
}

#[test]
fn what_is_missing_is_said_with_the_way_to_it() {
    let env = with_claude("2.1.196");
    let terminal = |env: &TestEnv, command: &Command| {
        let (status, shown) = on_terminal(env, command, "");
        format!("exit: {status}\n{shown}")
    };
    insta::assert_snapshot!(terminal(&env, &spec(&env, &[])), @r"
    exit: 7
    error: claude is too old: 2.1.196 (Claude Code); `/spec` needs 2.1.197 or later
      help: `claude update` brings it up to date
    ");
    let env = with_claude("2.1.197");
    insta::assert_snapshot!(terminal(&env, &spec(&env, &[])), @r"
    exit: 7
    error: `/spec` is not installed
      help: `cco install` installs it for you, `cco install --scope project` for a project
    ");
    assert!(!env.home().join(".claude/commands").exists());
    insta::assert_snapshot!(terminal(&env, &env.command(["spec"])), @r"
    exit: 7
    error: `claude` was not found
      help: install claude, or set `agent.command` or CCO_CLAUDE to where it is
      help: `cco doctor` shows what is used and where it comes from
    ");
    insta::assert_snapshot!(terminal(&env, spec(&env, &[]).env("CCO_CLAUDE", "sim")), @r"
    exit: 7
    error: the simulated agent holds no conversation
      help: take the setting `agent` away; `cco doctor` shows where it comes from
    ");
    insta::assert_snapshot!(env.run(&mut spec(&env, &[])), @r"
    exit: 7
    -- stdout
    -- stderr
    error: a conversation needs a terminal
      help: run it in one, or type `/spec p/small-00000001` in a claude that is open
    ");
    fs::remove_dir(env.work()).unwrap();
    insta::assert_snapshot!(env.run(spec(&env, &["p/small"]).current_dir(env.home())), @r"
    exit: 7
    -- stdout
    -- stderr
    error: the work directory `[ROOT]/work` does not exist
      help: create it, or correct `work_dir` in the manifest
    ");
    let output = env.run(spec(&env, &["p/none"]).current_dir(env.home())).exits(2);
    assert!(output.stderr.contains("no spec `p/none`"), "{output}");
}
