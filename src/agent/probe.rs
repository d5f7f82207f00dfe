//! Questions to the program itself that need no model: which version it is, whether somebody is logged in.

#![expect(
    clippy::disallowed_methods,
    reason = "short questions that end before a run begins; nothing can be left behind"
)]

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use super::{AgentEnv, AgentProgram};

/// How long the program may take to answer; it needs a tenth of a second on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much of an answer is read, in bytes.
const ANSWER: u64 = 64 * 1024;

/// A version of the CLI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Major, minor and patch number.
    pub number: (u32, u32, u32),
    /// The line as printed: `2.1.330 (Claude Code)`.
    pub line: String,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Whether there are credentials at all; the server is not asked whether it takes them.
    pub logged_in: bool,
    /// `api_key`, `oauth_token`, …; `none` without credentials.
    pub method: String,
}

/// Why the program could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// There is no such program.
    #[error("`{0}` was not found\nhelp: install claude, or set `agent.command` or CCO_CLAUDE to where it is")]
    Missing(String),
    /// It is there and must not be run.
    #[error("`{0}` is not executable\nhelp: `chmod +x` it, or set `agent.command` or CCO_CLAUDE to another program")]
    NotExecutable(String),
    /// The system refused to start it.
    #[error("`{program}` could not be started: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It did not answer in time.
    #[error("`{0}` did not answer within {PATIENCE:?}")]
    Silent(String),
    /// It answered with something else.
    #[error("`{program}` does not answer like claude: {answer:?}\nhelp: set `agent.command` or CCO_CLAUDE to claude")]
    Unlike {
        /// The program.
        program: String,
        /// The first line that it printed.
        answer: String,
    },
}

/// The program that `command` names: a path as it is, a bare name looked up in `path` (the value of `PATH`).
pub fn find_program(command: &Path, path: Option<&OsStr>) -> Result<PathBuf, ProbeError> {
    let name = || command.display().to_string();
    let candidates: Vec<PathBuf> = if command.components().count() > 1 || command.is_absolute() {
        vec![std::path::absolute(command).map_err(|source| ProbeError::Start { program: name(), source })?]
    } else {
        path.map(|path| {
            std::env::split_paths(path).filter(|dir| dir.is_absolute()).map(|dir| dir.join(command)).collect()
        })
        .unwrap_or_default()
    };
    let files: Vec<(PathBuf, u32)> = candidates
        .into_iter()
        .filter_map(|path| {
            let metadata = fs_err::metadata(&path).ok().filter(std::fs::Metadata::is_file)?;
            Some((path, metadata.permissions().mode()))
        })
        .collect();
    match files.iter().find(|(_, mode)| mode & 0o111 != 0) {
        Some((path, _)) => Ok(path.clone()),
        None if files.is_empty() => Err(ProbeError::Missing(name())),
        None => Err(ProbeError::NotExecutable(name())),
    }
}

/// Asks the program for its version. No network is used.
pub async fn probe_version(program: &AgentProgram, env: &AgentEnv) -> Result<Version, ProbeError> {
    let output = ask(program, env, &["--version"]).await?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let line = printed.lines().next().unwrap_or_default().trim();
    let number = line.split([' ', '-', '+']).next().and_then(|number| {
        let mut parts = number.split('.').map(str::parse::<u32>);
        Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
    });
    match number {
        Some(number) if output.status.success() => Ok(Version { number, line: line.to_owned() }),
        _ => Err(unlike(program, &output)),
    }
}

/// Asks the program whether somebody is logged in. No network is used.
pub async fn auth_status(program: &AgentProgram, env: &AgentEnv) -> Result<Login, ProbeError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        logged_in: bool,
        auth_method: Option<String>,
    }
    let output = ask(program, env, &["auth", "status"]).await?;
    let status: Status = serde_json::from_slice(&output.stdout).map_err(|_| unlike(program, &output))?;
    Ok(Login { logged_in: status.logged_in, method: status.auth_method.unwrap_or_else(|| "none".to_owned()) })
}

async fn ask(program: &AgentProgram, env: &AgentEnv, arguments: &[&str]) -> Result<Output, ProbeError> {
    let name = || program.program.display().to_string();
    let mut command = Command::new(&program.program);
    command
        .args(&program.prefix)
        .args(arguments)
        .env_clear()
        .envs(env.agent.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let child = command.spawn().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ProbeError::Missing(name()),
        io::ErrorKind::PermissionDenied => ProbeError::NotExecutable(name()),
        _ => ProbeError::Start { program: name(), source },
    })?;
    let mut child = Asked(child);
    match tokio::time::timeout(PATIENCE, child.answer()).await {
        Ok(output) => output.map_err(|source| ProbeError::Start { program: name(), source }),
        Err(_) => Err(ProbeError::Silent(name())),
    }
}

/// A program that was asked something. Its whole group ends with this: what it started is no business of ours.
struct Asked(Child);

impl Asked {
    /// What it says, as far as anybody would read it, and how it ends.
    async fn answer(&mut self) -> io::Result<Output> {
        let (stdout, stderr) = tokio::try_join!(head(self.0.stdout.take()), head(self.0.stderr.take()))?;
        Ok(Output { status: self.0.wait().await?, stdout, stderr })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(group) = self.0.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }
}

/// The first [`ANSWER`] bytes of a stream. The pipe is closed behind them, which ends who goes on writing.
async fn head(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    if let Some(stream) = stream {
        stream.take(ANSWER).read_to_end(&mut head).await?;
    }
    Ok(head)
}

fn unlike(program: &AgentProgram, output: &Output) -> ProbeError {
    let printed = if output.stdout.trim_ascii().is_empty() { &output.stderr } else { &output.stdout };
    let answer = String::from_utf8_lossy(printed).lines().next().unwrap_or_default().chars().take(200).collect();
    ProbeError::Unlike { program: program.program.display().to_string(), answer }
}
