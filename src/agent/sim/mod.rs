//! The simulated agent, `cco agent-sim`: a process that speaks claude's stream-json protocol from a scenario file.
//!
//! It is a program of its own on purpose: the same spawning, following, stopping and sweeping serves it and the real
//! CLI. It knows which attempt it is by `CCO_ATTEMPT`, refuses what the real CLI refuses, and can fail in every way in
//! which the real one was seen to fail. Without a scenario it gives the smallest valid answer in one write, touching
//! no disk.

#![expect(
    clippy::disallowed_methods,
    reason = "a program of its own: it has an environment, a clock and children like claude"
)]

mod action;
mod arguments;
mod conversation;
mod failure;
pub mod scenario;
mod schema;
mod session;
mod stream;
mod tool;
mod wake;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use arguments::{Invocation, Print};
use scenario::Scenario;
use session::{Session, SessionError};
use stream::{Ending, Spent, Stream};

/// The version that it speaks like.
const VERSION: &str = "2.1.330";

/// The id of a conversation that nobody named.
const NO_SESSION: &str = "00000000-0000-4000-8000-000000000000";

/// Longest prompt on stdin.
const MAX_PROMPT: usize = 10 << 20;

/// Plays the agent; `args` are the words after `agent-sim`.
pub fn main(args: &[OsString]) -> ExitCode {
    if let [first, rest @ ..] = args
        && first == tool::TOOL
    {
        return tool::become_tool(rest);
    }
    play(args).map_or_else(
        |refusal| {
            complain(&refusal);
            ExitCode::from(1)
        },
        ExitCode::from,
    )
}

/// Does what the command line asks for; the error is what the real CLI says on stderr before it exits with 1.
fn play(args: &[OsString]) -> Result<u8, String> {
    let print = match arguments::parse(args)? {
        Invocation::Version => return say(&format!("{VERSION} (Claude Code simulated)")),
        Invocation::AuthStatus(scenario) => return auth_status(&load(scenario.as_deref())?),
        Invocation::Print(print) => print,
    };
    let scenario = load(print.scenario.as_deref())?;
    let attempt = std::env::var("CCO_ATTEMPT").unwrap_or_default();
    let behaviour = scenario.behaviour(&attempt, print.resume.is_some());
    let deaf = std::env::var_os(tool::DEAF).is_some();
    if behaviour.ignore_signals && !deaf {
        return Err(format!("Error: {}", tool::again_without_signals(args)));
    }
    read_prompt(&print)?;

    let id = print.resume.as_deref().or(print.session_id.as_deref()).unwrap_or(NO_SESSION);
    let mut stream = Stream::new(&print, id);
    let session = match scenario.sessions.then(|| Session::open(&print, id)).transpose() {
        Ok(session) => session,
        Err(SessionError::InUse) => return Err(format!("Error: Session ID {id} is already in use.")),
        Err(SessionError::Unknown) => return Err(unknown_session(&mut stream, id)),
        Err(SessionError::Io(error)) => return Err(format!("Error: {error}")),
    };
    stream.before = session.as_ref().map_or_else(Spent::default, |session| session.before);
    stream.spent = Spent { cost_usd: behaviour.cost_usd, tokens: behaviour.tokens };
    let files = print.scenario.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let code =
        conversation::hold(&mut stream, &print, behaviour, files, deaf).map_err(|error| format!("Error: {error}"))?;
    if let Some(session) = session {
        session.close(stream.spent).map_err(|error| format!("Error: {error}"))?;
    }
    Ok(code)
}

fn load(path: Option<&Path>) -> Result<Scenario, String> {
    path.map_or_else(|| Ok(Scenario::default()), |path| Scenario::load(path).map_err(|error| format!("Error: {error}")))
}

fn auth_status(scenario: &Scenario) -> Result<u8, String> {
    let method = if scenario.logged_out { "none" } else { "simulated" };
    say(&json!({"loggedIn": !scenario.logged_out, "authMethod": method, "apiProvider": "firstParty"}).to_string())?;
    Ok(u8::from(scenario.logged_out))
}

/// Reads the prompt, which decides nothing, but is refused where the real CLI refuses it.
fn read_prompt(print: &Print) -> Result<(), String> {
    let mut prompt = print.prompt.clone().unwrap_or_default().into_bytes();
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let limit = MAX_PROMPT as u64 + 1;
        let read = stdin.lock().take(limit).read_to_end(&mut prompt).map_err(|error| format!("Error: {error}"))?;
        if read > MAX_PROMPT {
            return Err("Error: piped stdin input exceeds 10MB. Write it to a file and name that file.".to_owned());
        }
    }
    if prompt.is_empty() {
        return Err(
            "Error: Input must be provided either through stdin or as a prompt argument when using --print".to_owned()
        );
    }
    if prompt.trim_ascii().is_empty() {
        return Err("Error: Input contained only whitespace. Provide a prompt with text through stdin or as a prompt \
                    argument when using --print"
            .to_owned());
    }
    Ok(())
}

/// The result of a conversation that does not exist; what it says on stderr is returned.
fn unknown_session(stream: &mut Stream, id: &str) -> String {
    let text = format!("No conversation found with session ID: {id}");
    stream.result(&Ending {
        subtype: "error_during_execution",
        is_error: true,
        terminal_reason: None,
        stop_reason: None,
        more: json!({"errors": [text], "num_turns": 0}),
    });
    stream.flush().map_or_else(|error| error.to_string(), |()| text)
}

/// One line on stdout; a reader that is gone is no failure.
fn say(line: &str) -> Result<u8, String> {
    let _ = writeln!(io::stdout(), "{line}");
    Ok(0)
}

fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
