//! The argument vector.

use std::path::{Path, PathBuf};

use cco::agent::{AnswerKind, Permissions, Session, allow_program, arguments};

fn shown(session: &Session, permissions: &Permissions, config: Option<&Path>) -> String {
    let system = Path::new("/spec/runs/project.md");
    let all = arguments(AnswerKind::Ballot, session, "sonnet", permissions, Some(system), config);
    let all = all.into_iter().map(|each| each.into_string().unwrap());
    all.map(|each| if each == AnswerKind::Ballot.schema() { "<schema>".to_owned() } else { each })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn of_a_writer_that_begins() {
    let permissions = Permissions {
        writer: true,
        bypass: false,
        allow: vec![allow_program("/runs/a/check"), "Bash(cargo test:*)".to_owned()],
        read: vec![PathBuf::from("/home/u/spec")],
    };
    insta::assert_snapshot!(shown(&Session::New("11".to_owned()), &permissions, None), @r#"
    -p
    --output-format
    stream-json
    --verbose
    --include-partial-messages
    --json-schema
    <schema>
    --tools
    Read,Edit,Write,Bash,Grep,Glob
    --permission-mode
    acceptEdits
    --settings
    {"permissions":{"allow":["Bash(/runs/a/check:*)","Bash(cargo test:*)","Bash(git mv:*)","Bash(git rm:*)","Read(//home/u/spec/**)"],"deny":["Edit(~/.claude/**)"]}}
    --setting-sources

    --strict-mcp-config
    --session-id
    11
    --model
    sonnet
    --append-system-prompt-file
    /spec/runs/project.md
    "#);
}

#[test]
fn of_a_reader_that_goes_on() {
    let session = Session::Resume("11".to_owned());
    let config = Path::new("/home/u/.claude-work");
    insta::assert_snapshot!(shown(&session, &Permissions::default(), Some(config)), @r#"
    -p
    --output-format
    stream-json
    --verbose
    --include-partial-messages
    --json-schema
    <schema>
    --tools
    Read,Grep,Glob,Bash
    --permission-mode
    dontAsk
    --settings
    {"permissions":{"allow":[],"deny":["Edit(~/.claude/**)","Edit(//home/u/.claude-work/**)"]}}
    --setting-sources

    --strict-mcp-config
    --resume
    11
    --model
    sonnet
    --append-system-prompt-file
    /spec/runs/project.md
    "#);
}

#[test]
fn the_prompt_is_no_argument_and_no_option_is_last_without_its_value() {
    let all = arguments(AnswerKind::Writer, &Session::New("1".into()), "m", &Permissions::default(), None, None);
    assert_eq!(all[all.len() - 2], "--model");
}

/// Only writers, and only where the user's own settings say so.
#[test]
fn bypassing_is_for_writers_alone() {
    let mode = |writer| {
        let permissions = Permissions { writer, bypass: true, ..Permissions::default() };
        let all = shown(&Session::New("11".to_owned()), &permissions, None);
        all.lines().skip_while(|line| *line != "--permission-mode").nth(1).map(str::to_owned)
    };
    assert_eq!(mode(true).as_deref(), Some("bypassPermissions"));
    assert_eq!(mode(false).as_deref(), Some("dontAsk"));
}
