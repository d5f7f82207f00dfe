//! A command on a terminal, which `script` makes.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::env::TestEnv;

/// Runs `command` on a terminal on which `typed` was typed ahead. Returns its status and all that was shown.
pub fn on_terminal(env: &TestEnv, command: &Command, typed: &str) -> (i32, String) {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let mut script = Command::new("script");
    script.args(["-qefc", &line.join(" "), "/dev/null"]).current_dir(env.work()).env_clear();
    script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("SHELL", "/bin/sh");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // Kept open to the end: `script` ends what it runs when its own input ends.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(typed.as_bytes()).unwrap();
    let mut shown = String::new();
    child.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    let status = child.wait().unwrap().code().unwrap();
    drop(stdin);
    (status, shown.replace("\r\n", "\n").replace(env.root().to_str().unwrap(), "[ROOT]"))
}
