//! `cco brainstorm`

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::env::{Output, TestEnv, write};

/// Runs `cco` with `text` on stdin.
fn with_stdin(env: &TestEnv, args: &[&str], text: &[u8]) -> Output {
    // From a file, so that nobody waits for a reader that does not read.
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    env.run(env.command(args).stdin(Stdio::from(file)))
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_document_is_saved_and_what_stood_there_is_kept() {
    let env = TestEnv::new();
    let dir = env.small_spec("p/small-00000001").join("brainstorm");
    assert_output!(with_stdin(&env, &["brainstorm", "put", "MISSION"], b"# One\n\nIt's `x` and $HOME.\n"), @r"
    exit: 0
    -- stdout
    saved [ROOT]/home/.claude/cc_orchestrations/specs/p/small-[HASH]/brainstorm/MISSION.md
    -- stderr
    ");
    assert_eq!(fs::read_to_string(dir.join("MISSION.md")).unwrap(), "# One\n\nIt's `x` and $HOME.\n");
    assert_eq!(names(&dir), ["MISSION.md"]);

    // The name may be written as the file's, in any case; a missing line end is added.
    assert_output!(with_stdin(&env, &["brainstorm", "put", "mission.md", "--spec", "p/small"], b"# Two"), @r"
    exit: 0
    -- stdout
    saved [ROOT]/home/.claude/cc_orchestrations/specs/p/small-[HASH]/brainstorm/MISSION.md
    -- stderr
    the earlier version is `[ROOT]/home/.claude/cc_orchestrations/specs/p/small-[HASH]/brainstorm/old/MISSION-1.md`
    ");
    assert_eq!(fs::read_to_string(dir.join("MISSION.md")).unwrap(), "# Two\n");
    assert_eq!(fs::read_to_string(dir.join("old/MISSION-1.md")).unwrap(), "# One\n\nIt's `x` and $HOME.\n");

    let output = with_stdin(&env, &["brainstorm", "put", "MISSION"], b"# Two\n").exits(0);
    assert!(output.stdout.starts_with("unchanged "), "{output}");
    assert_eq!(names(&dir.join("old")), ["MISSION-1.md"]);

    write(&env.work().join("notes.md"), "# Three\n");
    let output = env.cco(["brainstorm", "put", "MISSION", "--from", "notes.md", "--json"]).exits(0).json();
    assert_eq!(
        (&output["version"], &output["outcome"], &output["document"]),
        (&1.into(), &"saved".into(), &"MISSION".into())
    );
    assert!(output["kept"].as_str().unwrap().ends_with("old/MISSION-2.md"), "{output}");
    assert_eq!(fs::read_to_string(dir.join("old/MISSION-2.md")).unwrap(), "# Two\n");
    assert_eq!(names(&dir), ["MISSION.md", "old"]);
}

#[test]
fn it_can_be_read_back() {
    let env = TestEnv::new();
    env.small_spec("p/small-00000001");
    let _ = with_stdin(&env, &["brainstorm", "put", "CONCERNS"], b"- one\x1b[2J\n").exits(0);
    assert_output!(env.cco(["brainstorm", "show", "concerns"]), @r"
    exit: 0
    -- stdout
    - one\u{1b}[2J
    -- stderr
    ");
    assert_eq!(env.cco(["brainstorm", "show", "CONCERNS", "--json"]).json()["text"], "- one\u{1b}[2J\n");
    assert_output!(env.cco(["brainstorm", "show", "DECISIONS"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: p/small-[HASH] has no DECISIONS
      help: `cco brainstorm list` shows what is there
    ");
    assert_output!(env.cco(["brainstorm", "list"]), @r"
    exit: 0
    -- stdout
    MISSION          missing  [ROOT]/home/.claude/cc_orchestrations/specs/p/small-[HASH]/brainstorm/MISSION.md
    INVESTIGATION    missing  [ROOT]/home/.claude/cc_orchestrations/specs/p/small-[HASH]/brainstorm/INVESTIGATION.md
    DECISIONS        missing  [ROOT]/home/.claude/cc_orchestrations/specs/p/small-[HASH]/brainstorm/DECISIONS.md
    CONCERNS            10 B  [ROOT]/home/.claude/cc_orchestrations/specs/p/small-[HASH]/brainstorm/CONCERNS.md
    -- stderr
    ");
    let listing = env.cco(["brainstorm", "list", "--json"]).json();
    assert_eq!((&listing["documents"][3]["bytes"], &listing["documents"][0]["bytes"]), (&10.into(), &().into()));
}

#[test]
fn what_is_no_document_is_refused_and_changes_nothing() {
    let env = TestEnv::new();
    let dir = env.small_spec("p/small-00000001").join("brainstorm");
    let _ = with_stdin(&env, &["brainstorm", "put", "MISSION"], b"kept\n").exits(0);
    let large = vec![b'x'; 1024 * 1024 + 1];
    for (text, said) in [
        (&b" \n\t\n"[..], "error: the text of MISSION is empty"),
        (b"", "error: the text of MISSION is empty"),
        (b"a\xffb", "error: the text of MISSION is not UTF-8, from byte 1 on"),
        (&large, "error: the text of MISSION has more than 1048576 bytes"),
    ] {
        let output = with_stdin(&env, &["brainstorm", "put", "MISSION"], text).exits(65);
        assert!(output.stderr.starts_with(said), "{output}");
    }
    for (args, said) in [
        (&["put", "SPEC"][..], "invalid value 'SPEC' for '<DOC>'"),
        (&["put", "../manifest"], "invalid value '../manifest' for '<DOC>'"),
        (&["put"], "<DOC>"),
        (&["put", "MISSION", "--spec", "q/none"], "no spec `q/none`"),
        (&["put", "MISSION", "--from", "none.md"], "none.md`"),
    ] {
        let output = with_stdin(&env, &[&["brainstorm"], args].concat(), b"new\n").exits(2);
        assert!(output.stderr.contains(said), "{output}");
    }
    assert_eq!(fs::read_to_string(dir.join("MISSION.md")).unwrap(), "kept\n");
    assert_eq!(names(&dir), ["MISSION.md"]);
}

#[test]
fn nothing_is_written_through_a_link() {
    let env = TestEnv::new();
    let dir = env.small_spec("p/small-00000001");
    let (outside, brainstorm) = (env.root().join("outside"), dir.join("brainstorm"));
    write(&outside.join("MISSION.md"), "the user's\n");
    std::os::unix::fs::symlink(&outside, &brainstorm).unwrap();
    assert_output!(with_stdin(&env, &["brainstorm", "put", "MISSION"], b"new\n"), @r"
    exit: 7
    -- stdout
    -- stderr
    error: `[ROOT]/home/.claude/cc_orchestrations/specs/p/small-[HASH]/brainstorm` is a symbolic link
      help: move it away; cco reads and writes only what lies in the spec itself
    ");
    fs::remove_file(&brainstorm).unwrap();
    fs::create_dir(&brainstorm).unwrap();
    std::os::unix::fs::symlink(outside.join("MISSION.md"), brainstorm.join("MISSION.md")).unwrap();
    for args in [&["put", "MISSION"][..], &["show", "MISSION"], &["list"]] {
        let output = with_stdin(&env, &[&["brainstorm"], args].concat(), b"new\n").exits(7);
        assert!(output.stderr.contains("MISSION.md` is a symbolic link"), "{output}");
    }
    assert_eq!(fs::read_to_string(outside.join("MISSION.md")).unwrap(), "the user's\n");
    assert_eq!(names(&outside), ["MISSION.md"]);
}
