//! Processes in sessions of their own, as the Bash tool of the real CLI starts them.
//!
//! A process can only put itself into a new session, so the program starts itself as `agent-sim @tool …`, which does
//! that and then becomes the command.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, Stdio};

/// The first argument that asks for [`become_tool`].
pub const TOOL: &str = "@tool";

/// The option that cuts the command off from the files of its parent.
const DETACH: &str = "--detach";

/// The option that empties the environment.
const CLEAN: &str = "--clean-env";

/// A command that runs `program` in a session of its own.
pub fn in_own_session(program: &str) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["agent-sim", TOOL, program]);
    Ok(command)
}

/// Starts a process that outlives this one, without the marks of its environment if `clean_env`; returns when it is
/// what it is to be.
pub fn leave_behind(words: &[&str], clean_env: bool) -> io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["agent-sim", TOOL, DETACH]).args(clean_env.then_some(CLEAN)).args(words);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    // Nothing is written: the end of the stream says that the command has begun. It is never waited for.
    child.stdout.take().map_or(Ok(0), |mut stream| stream.read_to_end(&mut Vec::new())).map(drop)
}

/// Opens a session and becomes the command in `args`.
pub fn become_tool(args: &[OsString]) -> ExitCode {
    let options = args.iter().take_while(|word| *word == DETACH || *word == CLEAN).count();
    let (options, words) = args.split_at(options);
    let [program, words @ ..] = words else { return ExitCode::from(2) };
    if rustix::process::setsid().is_err() {
        return ExitCode::from(126);
    }
    let mut command = Command::new(program);
    if options.iter().any(|word| word == CLEAN) {
        command.env_clear();
    }
    // A copy that is closed by the very exec that makes this process the command.
    let _begun = io::stdout().as_fd().try_clone_to_owned();
    if options.iter().any(|word| word == DETACH) {
        command.stdout(Stdio::null());
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
