//! The argument vector, built from what all supported versions of the CLI understand.

use std::ffi::OsString;
use std::path::Path;

use serde_json::json;

use super::{AnswerKind, Denial, Permissions, Session};
use crate::agent::stream::DeniedCall;

/// Tools of a writer. Named, so that no subagents, web access or scheduling come along, and so that Grep and Glob exist.
const WRITER_TOOLS: &str = "Read,Edit,Write,Bash,Grep,Glob";

/// Tools of a reader; its shell runs read-only commands only, by the CLI's own analysis.
const READER_TOOLS: &str = "Read,Grep,Glob,Bash";

/// What a writer may always run: moving and removing tracked files.
const WRITER_COMMANDS: [&str; 2] = ["git mv", "git rm"];

/// The arguments of one call. The prompt is none of them: it goes to stdin, where no option swallows it and no limit on
/// the length of an argument applies.
///
/// `config_dir` is the CLI's own directory where the user moved it away from `~/.claude`.
pub fn arguments(
    kind: AnswerKind,
    session: &Session,
    model: &str,
    permissions: &Permissions,
    system_prompt: Option<&Path>,
    config_dir: Option<&Path>,
) -> Vec<OsString> {
    let (tools, mode) = match (permissions.writer, permissions.bypass) {
        (true, true) => (WRITER_TOOLS, "bypassPermissions"),
        (true, false) => (WRITER_TOOLS, "acceptEdits"),
        (false, _) => (READER_TOOLS, "dontAsk"),
    };
    let (session_option, session) = match session {
        Session::New(id) => ("--session-id", id),
        Session::Resume(id) => ("--resume", id),
    };
    let settings = settings(permissions, config_dir);
    let mut arguments: Vec<OsString> = [
        "-p",
        "--output-format",
        "stream-json",
        "--verbose",
        // Shows life between the tool calls, and counts tokens while the call runs.
        "--include-partial-messages",
        "--json-schema",
        kind.schema(),
        "--tools",
        tools,
        "--permission-mode",
        mode,
        "--settings",
        &settings,
        // Without these two the repository's hooks and MCP servers would run, unasked.
        "--setting-sources",
        "",
        "--strict-mcp-config",
        session_option,
        session,
        "--model",
        model,
    ]
    .map(OsString::from)
    .into();
    if let Some(file) = system_prompt {
        arguments.extend([OsString::from("--append-system-prompt-file"), file.into()]);
    }
    arguments
}

fn settings(permissions: &Permissions, config_dir: Option<&Path>) -> String {
    let commands = WRITER_COMMANDS.iter().filter(|_| permissions.writer).map(|command| super::allow_program(command));
    let reading = permissions.read.iter().map(|dir| format!("Read({})", below(dir)));
    let allow: Vec<String> = permissions.allow.iter().cloned().chain(commands).chain(reading).collect();
    // The agent's own memory and settings outlive the call; writing them needs no permission unless it is denied.
    let mut deny = vec!["Edit(~/.claude/**)".to_owned()];
    deny.extend(config_dir.map(|dir| format!("Edit({})", below(dir))));
    json!({ "permissions": { "allow": allow, "deny": deny } }).to_string()
}

/// The pattern of everything below an absolute directory, which the CLI wants with two slashes in front.
fn below(dir: &Path) -> String {
    format!("/{}/**", dir.display())
}

impl From<&DeniedCall> for Denial {
    fn from(call: &DeniedCall) -> Self {
        let DeniedCall { tool, subject } = call;
        let written = if subject.is_empty() { tool.clone() } else { format!("{tool}({subject})") };
        let allow = match tool.as_str() {
            "Bash" => program(subject).map(super::allow_program),
            "Read" | "Grep" | "Glob" => {
                Path::new(subject).parent().filter(|dir| dir.is_absolute()).map(|dir| format!("Read({})", below(dir)))
            }
            _ => None,
        };
        Self { call: written, allow }
    }
}

/// The program of a plain command. A rule matches no command with a pipe into another program, a redirection, a
/// substitution or an assignment in front, so none is offered for those.
fn program(command: &str) -> Option<&str> {
    let first = command.split_whitespace().next()?;
    let plain = !command.contains(['|', '&', ';', '<', '>', '$', '`', '(', '\n']) && !first.contains('=');
    plain.then_some(first)
}
