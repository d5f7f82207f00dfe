//! Processes in sessions of their own, as the Bash tool of the real CLI starts them.
//!
//! A process can only put itself into a new session, so the program starts itself as `agent-sim @tool …`, which does
//! that and then becomes the command.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// The first argument that asks for [`become_tool`].
pub const TOOL: &str = "@tool";

/// The option that empties the environment.
const CLEAN: &str = "--clean-env";

/// A command that runs `program` in a session of its own.
pub fn in_own_session(program: &str, clean_env: bool) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["agent-sim", TOOL]).args(clean_env.then_some(CLEAN)).arg(program);
    Ok(command)
}

/// Opens a session and becomes the command in `args`.
pub fn become_tool(args: &[OsString]) -> ExitCode {
    let (clean, words) = match args {
        [first, rest @ ..] if first == CLEAN => (true, rest),
        all => (false, all),
    };
    let [program, words @ ..] = words else { return ExitCode::from(2) };
    if rustix::process::setsid().is_err() {
        return ExitCode::from(126);
    }
    let mut command = Command::new(program);
    if clean {
        command.env_clear();
    }
    let _why_not = command.args(words).exec(); // returns only when it failed
    ExitCode::from(127)
}

/// Starts this program once more with INT, TERM and HUP ignored: that is inherited, and needs no handler of ours.
pub fn again_without_signals(args: &[OsString]) -> io::Error {
    let script = r#"trap "" INT TERM HUP; exec "$0" "$@""#;
    let exe = match std::env::current_exe() {
        Ok(exe) => exe,
        Err(error) => return error,
    };
    let mut command = Command::new("sh");
    command.args([OsStr::new("-c"), OsStr::new(script), exe.as_os_str(), OsStr::new("agent-sim")]);
    command.args(args).env(DEAF, "1").exec()
}

/// Set in a process that was started by [`again_without_signals`].
pub const DEAF: &str = "CCO_SIM_DEAF";
