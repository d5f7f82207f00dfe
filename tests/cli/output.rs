//! Streams, colours and pipes.

use std::process::Stdio;

use crate::env::TestEnv;

#[test]
fn colours_only_where_they_are_wanted() {
    let env = TestEnv::new();
    let colored = |args: &[&str], no_color: bool| {
        let mut command = env.command(args);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        env.run(&mut command).stderr.contains('\u{1b}')
    };
    assert!(!colored(&["validate", "nothing"], false), "stderr is a pipe");
    assert!(colored(&["validate", "nothing", "--color", "always"], false));
    assert!(!colored(&["validate", "nothing", "--color", "never"], false));
    assert!(!colored(&["validate", "nothing"], true));
}

#[test]
fn what_is_quoted_cannot_steer_the_terminal() {
    let env = TestEnv::new();
    for reference in ["/x\u{1b}[2Jy", "x\u{1b}[2Jy", "p/x\u{9b}2J"] {
        let output = env.cco(["validate", "--color", "always", reference]).exits(2);
        assert!(!output.stderr.contains("\u{1b}[2J") && !output.stderr.contains('\u{9b}'), "{output:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let env = TestEnv::new();
    for args in [&["completions", "bash"][..], &["schema"], &["--help"], &["list", "--json"]] {
        // Both ends of the pipe exist only for a moment: whatever is written meets a closed one.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = env.command(args).stdout(Stdio::from(writer)).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("error"));
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let env = TestEnv::new();
    let output = env.command(["schema"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout"));
}

#[test]
fn a_current_directory_that_is_gone_is_an_error_of_the_environment() {
    let env = TestEnv::new();
    let mut command = std::process::Command::new("sh");
    let script = "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" list";
    command.args(["-c", script, env!("CARGO_BIN_EXE_cco")]).current_dir(env.work()).env("HOME", env.home());
    let output = env.run(&mut command).exits(7);
    assert!(output.stderr.contains("cannot tell the current directory"), "{output}");
}

#[test]
fn a_named_store_needs_no_home() {
    let env = TestEnv::new();
    // Without the variable the user database knows the home, so that case cannot be had here.
    let output = env.run(env.command(["list", "--json", "--store", "."]).env_remove("HOME")).exits(0);
    assert_eq!(output.json()["store"], "[ROOT]/work");
}
