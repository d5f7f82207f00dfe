//! Surroundings: streams, limits, home and current directory.

use super::{chain, says, shell};
use crate::env::TestEnv;

#[test]
fn a_run_needs_nobody_who_listens() {
    let streams =
        ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full", ">/dev/full --json", "| true", "--json | head -n 1"];
    for redirected in streams {
        let env = TestEnv::new();
        chain(&env);
        let _ = shell(&env, &format!("$CCO run p/s --agent sim {redirected}"));
        let again = shell(&env, "$CCO run p/s --agent sim").exits(0);
        assert!(again.stderr.contains("everything is up to date"), "{redirected}: {again}");
    }
}

#[test]
fn an_answer_that_cannot_be_given_is_a_failure() {
    let env = TestEnv::new();
    chain(&env);
    for command in ["list", "validate p/s", "run -n p/s", "schema", "--help"] {
        let output = shell(&env, &format!("$CCO {command} >/dev/full")).exits(7);
        says(&output, &["cannot write to stdout", "make room on that disk"]);
        let _ = shell(&env, &format!("$CCO {command} 2>/dev/full | true")).exits(0);
    }
}

#[test]
fn home_and_current_directory() {
    let env = TestEnv::new();
    chain(&env);
    says(&shell(&env, "mkdir x; cd x; rmdir ../x; $CCO list").exits(7), &["cannot tell the current directory"]);
    // The store is where the password file says, or there is none: nothing is made in the current directory.
    for home in ["unset HOME", "HOME=", "HOME=relative"] {
        let output = shell(&env, &format!("{home}; $CCO --store $STORE validate p/s && $CCO list; ls")).exits(0);
        assert!(!output.stdout.contains("relative"), "{output}");
    }
    let _ = shell(&env, "TMPDIR=/nowhere LC_ALL=C $CCO run p/s --agent sim").exits(0);
}

#[test]
fn few_open_files_are_too_few_or_enough() {
    let env = TestEnv::new();
    chain(&env);
    for files in [5, 8, 12, 20, 39] {
        let output = shell(&env, &format!("ulimit -n {files}; $CCO run p/s --agent sim -j 1")).exits(7);
        says(&output, &["ulimit -n 1024"]);
    }
    // The soft limit is ours to raise.
    let _ = shell(&env, "ulimit -S -n 20; $CCO run p/s --agent sim -j 1").exits(0);
    let _ = shell(&env, "ulimit -n 40; $CCO run p/s --agent sim -j 1 --redo a").exits(0);
}
