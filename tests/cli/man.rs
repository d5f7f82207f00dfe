//! `cco man`

use std::fs;

use crate::env::TestEnv;

#[test]
fn a_page_for_each_command() {
    let env = TestEnv::new();
    let output = env.cco(["man", "share/man1"]).exits(0);
    let dir = env.work().join("share/man1");
    let mut pages: Vec<String> =
        fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    pages.sort();
    assert!(output.stderr.contains(&format!("wrote {} pages", pages.len())), "{output}");
    let commands = env.cco(["complete-words", ""]).exits(0).stdout;
    let mut wanted: Vec<String> =
        commands.lines().map(|line| format!("cco-{}.1", line.split('\t').next().unwrap())).collect();
    wanted.push("cco.1".to_owned());
    wanted.sort();
    assert_eq!(pages, wanted);

    for page in &pages {
        let text = fs::read_to_string(dir.join(page)).unwrap();
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS") && text.contains(".SH OPTIONS"), "{page}");
        assert!(!text.contains("agent-sim") && !text.contains('\u{1b}'), "{page}");
        // What stands in columns stays so.
        assert!(text.contains(".SH NOTES\n.nf\nExamples:\n  cco"), "{page}: {text}");
    }
    let run = fs::read_to_string(dir.join("cco-run.1")).unwrap();
    assert!(run.contains("budget\\-usd") && run.contains("cco\\-run") && run.contains("cco run"), "{run}");
    // A second time it writes the same, byte for byte.
    let _ = env.cco(["man", "share/man1"]).exits(0);
    assert_eq!(fs::read_to_string(dir.join("cco-run.1")).unwrap(), run);
}
