//! Whole calls, with a script in place of the CLI.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use cco::agent::{
    AgentEnv, AgentProgram, Answer, AnswerKind, Ending, Live, LiveEvent, Permissions, Reply, Request, Session, ask,
};
use cco::ids::AttemptId;
use cco::lifecycle::event::Trouble;
use cco::process::{Limits, Stop, Supervisor};
use tokio::sync::{mpsc, watch};

const ALONE: &str = "CCO_TEST_ALONE";

const INIT: &str = r#"{"type":"system","subtype":"init","tools":["StructuredOutput"],"model":"m"}"#;
const RESULT: &str = r#"{"type":"result","subtype":"success","is_error":false,"num_turns":1,"total_cost_usd":0.5,"structured_output":{"vote":"A","confidence":1,"reasoning":"so"}}"#;

/// Runs one test in a process of its own: a supervisor adopts all orphans of its process.
fn alone<F: Future<Output = ()>>(test: &str, body: impl FnOnce(World) -> F) {
    if std::env::var_os(ALONE).is_none() {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args([&format!("agent::call::{test}"), "--exact", "--nocapture"]).env(ALONE, "1");
        let output = again.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{test} in a process of its own:\n{text}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new();
        let supervisor = Arc::clone(&world.supervisor);
        body(world).await;
        supervisor.finish().await;
    });
}

struct World {
    dir: tempfile::TempDir,
    supervisor: Arc<Supervisor>,
    stop: watch::Sender<Stop>,
    seen: mpsc::UnboundedReceiver<Live>,
    live: mpsc::UnboundedSender<Live>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // A guard that only waits for its dismissal: nothing is killed here behind the supervisor's back.
        let guard = script(dir.path(), "guard", "exec cat >/dev/null");
        let mark = format!("0123456789abcdef-{}", std::process::id());
        let (live, seen) = mpsc::unbounded_channel();
        let supervisor = Supervisor::new(guard, mark.into()).unwrap();
        Self { supervisor, stop: watch::Sender::new(Stop::Run), live, seen, dir }
    }

    /// Calls a script, which finds the lines of a good call in `$INIT` and `$RESULT`.
    async fn call(&self, body: &str, session: Session, limits: Limits) -> Reply {
        let program = script(self.dir.path(), "agent", body);
        self.call_program(program, session, limits).await
    }

    async fn call_program(&self, program: PathBuf, session: Session, limits: Limits) -> Reply {
        let program = AgentProgram { program, prefix: vec!["first".into()], simulated: true };
        let user = [("PATH", "/usr/bin:/bin"), ("INIT", INIT), ("RESULT", RESULT)];
        let user = user.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let env = AgentEnv::new(user, &["INIT".to_owned(), "RESULT".to_owned()], Duration::ZERO);
        let attempt: AttemptId = serde_json::from_str(r#"{"on":"a","step":"vote:g:0","n":1}"#).unwrap();
        let request = Request {
            attempt,
            kind: AnswerKind::Ballot,
            prompt: "Vote!".to_owned(),
            model: "sonnet".to_owned(),
            session,
            dir: self.dir.path().to_owned(),
            permissions: Permissions::default(),
            system_prompt_file: None,
            stream: self.dir.path().join("stream.jsonl"),
            limits,
            redactor: Arc::default(),
        };
        let _ = fs::remove_file(&request.stream);
        ask(&program, &env, &self.supervisor, request, self.stop.subscribe(), self.live.clone()).await
    }
}

fn script(dir: &Path, name: &str, body: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn new() -> Session {
    Session::New("5f3a".to_owned())
}

fn patient() -> Limits {
    let long = Some(Duration::from_secs(60));
    Limits { first_output: long, silence: long, wall: long, linger: long, grace: Duration::from_secs(1) }
}

fn trouble(reply: &Reply) -> (Trouble, bool) {
    match &reply.ending {
        Ending::Failed { trouble, resumable, .. } => (*trouble, *resumable),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_comes_back_with_all_about_it() {
    alone("an_answer_comes_back_with_all_about_it", async |mut world| {
        let body = r#"
            echo "$INIT"; cat >prompt; echo "$@" >arguments; echo "$CCO_ATTEMPT" >attempt; echo "$RESULT""#;
        let reply = world.call(body, new(), patient()).await;
        assert!(matches!(reply.ending, Ending::Answered(Answer::Voted(_))), "{reply:?}");
        assert_eq!(reply.usage.and_then(|usage| usage.cost_usd), Some(0.5));
        let read = |name: &str| fs::read_to_string(world.dir.path().join(name)).unwrap();
        assert_eq!(read("prompt"), "Vote!");
        assert!(read("arguments").starts_with("first -p "), "{}", read("arguments"));
        assert_eq!(read("attempt"), "a.vote:g:0-1\n");
        assert!(matches!(world.seen.try_recv().unwrap().what, LiveEvent::Spoke(_)));
        assert_eq!(world.seen.try_recv().unwrap().what, LiveEvent::Model("m".to_owned()));
        assert!(world.seen.try_recv().is_err(), "it speaks for the first time once");
    });
}

#[test]
fn who_lives_on_after_the_result_is_ended_and_believed() {
    alone("who_lives_on_after_the_result_is_ended_and_believed", async |world| {
        let limits = Limits { linger: Some(Duration::from_millis(100)), ..patient() };
        let reply = world.call(r#"echo "$INIT"; echo "$RESULT"; exec cat /dev/zero >/dev/null"#, new(), limits).await;
        assert!(matches!(reply.ending, Ending::Answered(_)), "{reply:?}");
        assert_eq!(reply.notes, ["the agent lived on after its result and was ended"]);
    });
}

#[test]
fn silence_is_a_time_out_and_can_be_continued() {
    alone("silence_is_a_time_out_and_can_be_continued", async |world| {
        let limits = Limits { silence: Some(Duration::from_millis(100)), ..patient() };
        let reply = world.call(r#"echo "$INIT"; exec cat /dev/zero >/dev/null"#, new(), limits).await;
        assert_eq!(trouble(&reply), (Trouble::TimedOut, true));
        assert_eq!(reply.usage, None);
    });
}

#[test]
fn a_stop_interrupts() {
    alone("a_stop_interrupts", async |mut world| {
        let stop = world.stop.clone();
        let mut seen = std::mem::replace(&mut world.seen, mpsc::unbounded_channel().1);
        let stopping = tokio::spawn(async move {
            seen.recv().await;
            stop.send_replace(Stop::Stop);
        });
        let reply = world.call(r#"echo "$INIT"; exec cat /dev/zero >/dev/null"#, new(), patient()).await;
        assert_eq!(reply.ending, Ending::Interrupted { resumable: true });
        stopping.await.unwrap();
        let reply = world.call("exit 1", Session::Resume("5f3a".to_owned()), patient()).await;
        assert_eq!(reply.ending, Ending::Interrupted { resumable: true }, "not started any more");
    });
}

#[test]
fn a_program_that_is_not_there_says_so() {
    alone("a_program_that_is_not_there_says_so", async |world| {
        let reply = world.call_program(PathBuf::from("/nowhere/claude"), new(), patient()).await;
        assert_eq!(trouble(&reply), (Trouble::NotStarted, false));
        let Ending::Failed { message, .. } = reply.ending else { panic!() };
        assert!(message.starts_with("cannot start `/nowhere/claude`: "), "{message}");
    });
}
