//! One call: start the CLI under the supervisor, follow its stream, and judge what came of it. And the same judgement
//! for a stream that a dead run left behind.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{
    Adopted, AgentEnv, AgentProgram, AnswerKind, Departure, Ending, Live, LiveEvent, LiveSink, Permissions, Reply,
    Session, Stream, arguments, classify, prompt,
};
use crate::fsx;
use crate::ids::AttemptId;
use crate::lifecycle::event::Trouble;
use crate::process::{
    Activity, CommandSpec, EndedBy, Exit, Finished, Limits, Output, SpawnError, Stdin, Stop, Supervisor, Watcher,
};
use crate::redact::Redactor;

/// How much of a stream is read at once when it is adopted.
const CHUNK: usize = 256 * 1024;

/// One call of the agent.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which attempt it is.
    pub attempt: AttemptId,
    /// What it must answer with.
    pub kind: AnswerKind,
    /// What it is asked, not blank and not beginning with `/`.
    pub prompt: String,
    /// Which model.
    pub model: String,
    /// Which conversation.
    pub session: Session,
    /// Where it works; the same directory on every call of a conversation.
    pub dir: PathBuf,
    /// What it may do.
    pub permissions: Permissions,
    /// The project's instructions: the same text on every call of a conversation.
    pub system_prompt_file: Option<PathBuf>,
    /// Where its output goes.
    pub stream: PathBuf,
    /// When it is ended.
    pub limits: Limits,
    /// What must not be told of it.
    pub redactor: Arc<Redactor>,
}

/// Makes one call and waits for its end, with everything it started. Never fails in itself: what went wrong is in the
/// reply.
pub async fn ask(
    program: &AgentProgram,
    env: &AgentEnv,
    supervisor: &Supervisor,
    request: Request,
    stop: watch::Receiver<Stop>,
    live: LiveSink,
) -> Reply {
    if let Err(what) = prompt::check_sendable(&request.prompt) {
        return not_made(Trouble::Internal, format!("the prompt {what}"));
    }
    let continued = matches!(request.session, Session::Resume(_));
    let (kind, limits, errors) = (request.kind, request.limits.clone(), errors_file(&request.stream));
    let (stream, redactor) = (request.stream.clone(), request.redactor.clone());
    let mut follower = Follower {
        stream: Stream::redacting(redactor.clone()),
        attempt: request.attempt.clone(),
        live,
        silent_since: Some(Instant::now()),
    };
    match supervisor.run(&command(program, env, request), &limits, stop, &mut follower).await {
        Ok(finished) => {
            let departure = departure(&finished, &limits);
            let stderr = String::from_utf8_lossy(&finished.stderr);
            let wall_ms = u64::try_from(finished.wall.as_millis()).unwrap_or(u64::MAX);
            let state = std::mem::take(&mut follower.stream).finish();
            let mut reply = classify(&state, &departure, &stderr, kind, continued, wall_ms);
            blame_disk(&mut reply.ending, &stream);
            // What it complained of is kept beside what it said; most complain of nothing, and leave no file.
            if !finished.stderr.is_empty()
                && let Err(error) = fs_err::write(&errors, &finished.stderr)
            {
                tracing::warn!("cannot keep what the agent complained of: {error}");
            }
            let strays = finished.strays.len();
            if strays > 0 {
                reply.notes.push(format!("processes that the agent left running and that were ended: {strays}"));
            }
            let ending = || redactor.text(&format!("{:?}", reply.ending)).into_owned();
            tracing::debug!(attempt = %follower.attempt, ?departure, ending = %ending(), "the agent's call ended");
            reply
        }
        Err(SpawnError::Stopped) => Reply {
            ending: Ending::Interrupted { resumable: continued },
            ..not_made(Trouble::NotStarted, String::new())
        },
        Err(error) => not_made(Trouble::NotStarted, with_causes(&error)),
    }
}

/// An answer that is missing where there was no room to write it is no failure of the agent's.
fn blame_disk(ending: &mut Ending, stream: &Path) {
    if let Ending::Failed { trouble: trouble @ (Trouble::Crashed | Trouble::NoAnswer), message, .. } = ending
        && fsx::is_full(stream)
    {
        *trouble = Trouble::DiskFull;
        *message = format!("no room is left on the disk of `{}`: {message}", stream.display());
    }
}

/// The file beside a stream for what comes on standard error: `x.stream.jsonl` has `x.stderr.log`.
fn errors_file(stream: &Path) -> PathBuf {
    let name = stream.file_name().unwrap_or_default().to_string_lossy();
    stream.with_file_name(format!("{}.stderr.log", name.strip_suffix(".stream.jsonl").unwrap_or(&name)))
}

/// What the stream of an attempt holds whose end nobody saw.
pub fn adopt(stream: &Path, kind: AnswerKind, redactor: Arc<Redactor>) -> io::Result<Adopted> {
    let mut file = match fs_err::File::open(stream) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Adopted::Nothing),
        Err(error) => return Err(error),
    };
    let mut parser = Stream::redacting(redactor);
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            read => parser.feed(&chunk[..read], &mut |_| ()),
        }
    }
    let state = parser.finish();
    let complete = state.result.is_some();
    // A conversation that had been continued exists whatever the stream says, and one that was begun has said so.
    let reply = classify(&state, &Departure::Unknown, "", kind, false, 0);
    Ok(match reply.ending {
        Ending::Answered(_) => Adopted::Complete(reply.into()),
        // What stopped it was the end of the run.
        Ending::Failed { trouble: Trouble::Crashed, resumable, .. } if state.opened => {
            Adopted::Interrupted { resumable }
        }
        Ending::Failed { .. } if complete => Adopted::Complete(reply.into()),
        Ending::Failed { .. } | Ending::Interrupted { .. } => Adopted::Nothing,
    })
}

fn command(program: &AgentProgram, env: &AgentEnv, request: Request) -> CommandSpec {
    let mut args = program.prefix.clone();
    args.extend(arguments(
        request.kind,
        &request.session,
        &request.model,
        &request.permissions,
        request.system_prompt_file.as_deref(),
        env.config_dir(),
    ));
    CommandSpec {
        program: program.program.clone(),
        args,
        dir: request.dir,
        env: env.agent.clone(),
        extra_env: Vec::new(),
        stdin: Stdin::Text(request.prompt.into_bytes()),
        output: Output { path: request.stream, both: false },
        attempt: request.attempt.to_string().into(),
    }
}

fn departure(finished: &Finished, limits: &Limits) -> Departure {
    let limit = |what: &str, limit: Option<std::time::Duration>| format!("{what} {:?}", limit.unwrap_or_default());
    match finished.ended_by {
        EndedBy::Itself => match finished.exit {
            Exit::Code(status) => Departure::Exited(status),
            Exit::Signal(signal) => Departure::Signalled(signal),
            Exit::Unknown => Departure::Unknown,
        },
        EndedBy::FirstOutput => Departure::TimedOut(limit("no output within", limits.first_output)),
        EndedBy::Silence => Departure::TimedOut(limit("no sign of life for", limits.silence)),
        EndedBy::Wall => Departure::TimedOut(limit("not finished within", limits.wall)),
        EndedBy::Linger => Departure::Lingered,
        EndedBy::Stopped => Departure::Stopped,
    }
}

/// The reply of a call that was never made.
fn not_made(trouble: Trouble, message: String) -> Reply {
    Reply {
        ending: Ending::Failed { trouble, message, resumable: false },
        usage: None,
        wall_ms: 0,
        denials: Vec::new(),
        notes: Vec::new(),
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text = format!("{text}: {deeper}");
        cause = deeper.source();
    }
    text
}

/// Reads the stream while the call runs.
struct Follower {
    stream: Stream,
    attempt: AttemptId,
    live: LiveSink,
    /// When the call began; none once there was output.
    silent_since: Option<Instant>,
}

impl Watcher for Follower {
    fn bytes(&mut self, chunk: &[u8]) {
        let Self { stream, attempt, live, silent_since } = self;
        let mut tell = |what| {
            // Nobody may be watching any more; the call goes on.
            let _ = live.send(Live { attempt: attempt.clone(), what });
        };
        if let Some(since) = silent_since.take() {
            tell(LiveEvent::Spoke(since.elapsed()));
        }
        stream.feed(chunk, &mut tell);
    }

    fn state(&self) -> Activity {
        let state = self.stream.state();
        if state.at_rest() {
            Activity::Done
        } else if state.tool_running() {
            Activity::Busy
        } else {
            Activity::Quiet
        }
    }
}
