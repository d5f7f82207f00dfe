//! The hostile user and the unlucky machine: each gets one clear message and the right exit status, and loses nothing.

mod disk;
mod journal;
mod machine;
mod manifest;
mod program;
mod repository;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::env::{Output, TestEnv, write};

/// What `timeout` exits with: the command hung.
const HUNG: i32 = 124;
/// What a panic exits with, and an abort.
const BROKEN: [i32; 2] = [101, 134];

/// A spec of three components in a row on a repository with one commit.
fn chain(env: &TestEnv) -> std::path::PathBuf {
    repository(&env.work());
    env.spec("p/s-00000001", &manifest(env, &["a", "b", "c"]))
}

/// The manifest of a row of components, each depending on the one before.
fn manifest(env: &TestEnv, ids: &[&str]) -> String {
    let component = |(n, id): (usize, &&str)| {
        let before: Vec<&str> = n.checked_sub(1).map(|before| ids[before]).into_iter().collect();
        serde_json::json!({"id": id, "file": format!("{id}.txt"), "purpose": "Write it.", "depends_on": before})
    };
    serde_json::json!({
        "name": "s", "project": "p", "work_dir": env.work(),
        "execution": {"require_tests": false, "reviewers": 0, "mode": "quick"},
        "components": ids.iter().enumerate().map(component).collect::<Vec<_>>(),
        "validation_command": "true",
    })
    .to_string()
}

/// A scenario in which every component notes in `~/made` that it was made, and runs `also`.
fn scenario(env: &TestEnv, also: &str) -> std::path::PathBuf {
    let path = env.home().join("sim.json");
    let cmd =
        format!("echo \"$CCO_ATTEMPT\" >> {}; echo > \"$CCO_ATTEMPT.txt\"; {also}", env.home().join("made").display());
    write(&path, &serde_json::json!({"steps": {"*": {"actions": [{"run": {"cmd": cmd}}]}}}).to_string());
    path
}

/// The steps that were made, each as often as it was.
fn made(env: &TestEnv) -> Vec<String> {
    let text = fs::read_to_string(env.home().join("made")).unwrap_or_default();
    let mut made: Vec<String> = text.lines().map(|line| line.rsplit_once('-').unwrap().0.to_owned()).collect();
    made.sort();
    made
}

/// Makes a repository with one commit.
fn repository(dir: &Path) {
    write(&dir.join("first"), "first\n");
    git(dir, &["init", "--quiet", "."]);
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "--quiet", "-m", "first"]);
}

fn git(dir: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
    let ended = Command::new("git").args(identity).args(args).current_dir(dir).stdin(Stdio::null()).status().unwrap();
    assert!(ended.success(), "git {args:?}");
}

/// Runs a shell script in the work directory; `$CCO` is the program. Ends with [`HUNG`] instead of hanging.
fn shell(env: &TestEnv, script: &str) -> Output {
    let cco = env!("CARGO_BIN_EXE_cco");
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "120", "/bin/sh", "-c", script]).current_dir(env.work()).stdin(Stdio::null());
    command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("CCO", cco), ("CCO_SIM_PACE", "0"), ("COLUMNS", "100")]);
    command.env("HOME", env.home()).env("STORE", env.store());
    let output = env.run(&mut command);
    assert!(output.status != HUNG && !BROKEN.contains(&output.status), "{script}\n{output}");
    output
}

/// As [`shell`], where the script may mount what it likes. None, and said so, where the system does not allow it.
fn mounting(env: &TestEnv, script: &str) -> Option<Output> {
    let allowed = Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !allowed.is_ok_and(|tried| tried.status.success()) {
        let why = "this system gives no mount namespaces";
        assert!(std::env::var_os("CCO_REQUIRE_E2E").is_none(), "a test may not be skipped here: {why}");
        // Past the harness, which keeps what a test that passes prints to itself.
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {why}");
        return None;
    }
    Some(shell(env, &format!("exec unshare --mount /bin/sh -c '{}'", script.replace('\'', r"'\''"))))
}

/// The message is one: `error: ...` with what belongs to it indented below, and says `parts`.
#[track_caller]
fn says(output: &Output, parts: &[&str]) {
    let errors = output.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{output}");
    for part in parts {
        assert!(output.stderr.contains(part), "`{part}` is missing\n{output}");
    }
    assert!(!output.stderr.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{output}");
}
