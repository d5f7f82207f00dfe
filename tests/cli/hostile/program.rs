//! What stands in the place of `claude`, and a `git` that is not there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{chain, says, shell};
use crate::env::{TestEnv, write};

/// Puts a program into the home directory; without the first line of a script it is none.
fn program(env: &TestEnv, text: &str, mode: u32) {
    let path = env.home().join("claude");
    write(&path, text);
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A `claude` that is logged in and runs `body` when it is asked to work.
fn logged_in(body: &str) -> String {
    format!(
        "#!/bin/sh\ncase $1 in --version) echo '2.1.330 (Claude Code)';;\nauth) echo '{{\"loggedIn\":true}}';;\n*) {body};; esac\n"
    )
}

#[test]
fn a_program_that_is_not_claude_starts_nothing() {
    let cases: &[(&str, u32, &[&str])] = &[
        (&logged_in(":"), 0o644, &["`[ROOT]/home/claude` is not executable", "chmod +x"]),
        ("\x7fELF", 0o755, &["could not be started: Exec format error"]),
        ("#!/no/such/shell\n", 0o755, &["was not found"]),
        ("#!/bin/sh\necho garbage\n", 0o755, &["does not answer like claude: \"garbage\""]),
        ("#!/bin/sh\nprintf '\\033]0;evil\\007'\n", 0o755, &[r#""\u{1b}]0;evil\u{7}""#]),
        ("#!/bin/sh\n", 0o755, &["does not answer like claude: \"\""]),
        ("#!/bin/sh\nexec yes\n", 0o755, &["does not answer like claude: \"y\""]),
        ("#!/bin/sh\nexec tr '\\0' x < /dev/zero >&2\n", 0o755, &["does not answer like claude"]),
        (
            "#!/bin/sh\n[ $1 = auth ] && echo '{\"loggedIn\":false}' || echo '2.1.330 (Claude Code)'\n",
            0o755,
            &["is not logged in", "ANTHROPIC_API_KEY"],
        ),
    ];
    for (text, mode, parts) in cases {
        let env = TestEnv::new();
        let dir = chain(&env);
        program(&env, text, *mode);
        let output = shell(&env, "ulimit -v 4000000; CCO_CLAUDE=$HOME/claude $CCO run p/s").exits(7);
        says(&output, parts);
        assert!(output.stderr.len() < 4096, "{output}");
        assert_eq!(fs::read(dir.join("state/journal.jsonl")).unwrap_or_default(), b"", "{text}");
    }
}

#[test]
fn no_claude_and_no_git() {
    let env = TestEnv::new();
    chain(&env);
    says(&shell(&env, "$CCO run p/s").exits(7), &["`claude` was not found", "install claude"]);
    says(&shell(&env, "CCO_CLAUDE=$HOME $CCO run p/s").exits(7), &["`[ROOT]/home` was not found"]);
    says(
        &shell(&env, "PATH=/nowhere $CCO run p/s --agent sim").exits(7),
        &["cannot run `git`: it was not found", "install git"],
    );
}

#[test]
fn an_agent_that_says_nothing_of_use_is_asked_about() {
    for body in
        ["exit 0", "exit 1", "head -c 5000000 /dev/zero", "yes '{}' | head -n 100000", "echo '{\"type\":\"result\"}'"]
    {
        let env = TestEnv::new();
        let dir = chain(&env);
        program(&env, &logged_in(body), 0o755);
        let output = shell(&env, "CCO_CLAUDE=$HOME/claude $CCO run p/s").exits(3);
        assert!(output.stdout.contains("cco answer p/s-00000001 q1"), "{body}: {output}");
        assert!(output.stderr.len() < 16 << 10, "{body}: {}", output.stderr.len());
        assert!(fs::metadata(dir.join("runs/a.implement-1.stream.jsonl")).is_ok(), "{body}");
    }
}
