//! What the agent room relies upon in the CLI, one call at a time: its arguments are understood, its environment holds,
//! and every way to fail ends in the right class.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cco::agent::{
    AgentEnv, AgentProgram, Answer, AnswerKind, Departure, Ending, Permissions, Reply as Outcome, Session, Stream,
    allow_program, arguments, auth_status, classify, probe_version,
};
use cco::lifecycle::event::Trouble;
use serde_json::json;

use crate::support::api::{Api, Request};
use crate::support::claude::{Call, Version, claude};
use crate::support::reply::{Reply, Script};

const MODEL: &str = "claude-sonnet-4-5";

const SETTLED: &str =
    "#!/bin/sh\nuntil grep -qs tool_result \"$HOME\"/.claude/projects/*/*.jsonl; do sleep 0.01; done\n";

/// One version of the CLI with an API, a home and a work directory of its own.
pub struct Desk {
    pub api: Api,
    program: PathBuf,
    dir: tempfile::TempDir,
    env: AgentEnv,
}

impl Desk {
    /// Logged in with an API key; `None` where the version cannot be had.
    pub fn new(version: Version, api: Api) -> Option<Self> {
        let login = api.env();
        Self::with_login(version, api, login)
    }

    fn with_login(version: Version, api: Api, login: [(&'static str, String); 2]) -> Option<Self> {
        let program = claude(version)?;
        let dir = tempfile::tempdir().expect("a directory");
        for part in ["home", "work"] {
            fs::create_dir(dir.path().join(part)).expect("a directory");
        }
        let home = ("HOME".into(), dir.path().join("home").into());
        let path = ("PATH".into(), std::env::var_os("PATH").unwrap_or_default());
        let login = login.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let env = AgentEnv::new([home, path].into_iter().chain(login), &[], Duration::ZERO);
        let desk = Self { api, program, dir, env };
        fs::write(desk.settled(), SETTLED).expect("a program");
        fs::set_permissions(desk.settled(), fs::Permissions::from_mode(0o755)).expect("an executable file");
        Some(desk)
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// A program that returns when the CLI has written the result of a tool call into its file of the conversation.
    fn settled(&self) -> String {
        self.dir.path().join("settled").display().to_string()
    }

    fn start(&self, kind: AnswerKind, session: &Session, prompt: &str) -> Call {
        let writer = kind == AnswerKind::Writer;
        let allow = vec![allow_program("touch"), allow_program(&self.settled())];
        let permissions = Permissions { writer, allow, ..Permissions::default() };
        let arguments = arguments(kind, session, MODEL, &permissions, None, None);
        Call::start(&self.program, &self.work(), &self.env.agent, &arguments, prompt)
    }

    fn finish(&self, kind: AnswerKind, session: &Session, call: Call) -> Outcome {
        let left = call.wait();
        let mut stream = Stream::new();
        stream.feed(left.stdout.as_bytes(), &mut |_| ());
        let departure = left.status.code().map_or(Departure::Signalled(9), Departure::Exited);
        let continued = matches!(session, Session::Resume(_));
        classify(&stream.finish(), &departure, &left.stderr, kind, continued, 0)
    }

    /// One call in a new conversation.
    pub fn ask(&self, kind: AnswerKind, prompt: &str) -> Outcome {
        let session = Session::New(uuid::Uuid::new_v4().to_string());
        self.finish(kind, &session, self.start(kind, &session, prompt))
    }
}

fn good() -> Reply {
    Reply::answer(json!({"status": "done", "summary": "s"}))
}

/// One writer's call of each version; `check` sees what came of it.
fn each(answer: impl Fn(&Request) -> Reply + Send + Sync + Clone + 'static, check: impl Fn(Version, &Desk, &Outcome)) {
    for version in Version::ALL {
        once(version, answer.clone(), &check);
    }
}

fn once(
    version: Version,
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    check: impl Fn(Version, &Desk, &Outcome),
) {
    let Some(desk) = Desk::new(version, Api::start(answer)) else { return };
    let outcome = desk.ask(AnswerKind::Writer, "Write the file of `a`.");
    check(version, &desk, &outcome);
}

#[track_caller]
fn assert_answered(version: Version, outcome: &Outcome) {
    assert!(matches!(outcome.ending, Ending::Answered(Answer::Wrote(_))), "{version}: {outcome:?}");
}

#[track_caller]
fn assert_trouble(version: Version, outcome: &Outcome, expected: Trouble) {
    let Ending::Failed { trouble, .. } = outcome.ending else { panic!("{version}: {outcome:?}") };
    assert_eq!(trouble, expected, "{version}: {outcome:?}");
}

#[test]
fn tool_calls_do_real_work() {
    let script = |request: &Request| {
        let write = Reply::thinking("hm").and_tool("Write", json!({"file_path": "a", "content": "1"}));
        Script::new().then(write).rewrite("a", "2").bash("touch b && cat a").then(good()).reply(request)
    };
    each(script, |version, desk, outcome| {
        assert_answered(version, outcome);
        assert!(outcome.denials.is_empty(), "{version}: {outcome:?}");
        assert_eq!(fs::read_to_string(desk.work().join("a")).expect("the file"), "2");
        assert!(desk.work().join("b").exists());
        let requests = desk.api.requests();
        assert_eq!(requests.iter().map(|r| r.nth).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(requests.iter().all(|r| r.conversation == requests[0].conversation && r.model() == MODEL));
        assert!(requests.iter().all(|r| r.asks(&["`a`"]) && r.prompts().len() == 1));
        let calls = requests[3].calls();
        assert_eq!(calls.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["Write", "Read", "Write", "Bash"]);
        assert_eq!(calls[3].result.as_deref(), Some("2"));
        assert!(calls.iter().all(|call| !call.is_error));
    });
}

#[test]
fn a_writer_stays_in_its_directory() {
    let script = |request: &Request| {
        let script = Script::new().write("../outside", "1").write("../home/.claude/memory.md", "1");
        script.bash("curl http://127.0.0.1/").then(good()).reply(request)
    };
    each(script, |version, desk, outcome| {
        assert_answered(version, outcome);
        assert!(!desk.dir.path().join("outside").exists());
        assert!(!desk.dir.path().join("home/.claude/memory.md").exists());
        // The older version does not list what a deny rule refused.
        assert!(outcome.denials.len() >= 2, "{version}: {outcome:?}");
        assert_eq!(outcome.denials.last().expect("a denial").allow.as_deref(), Some("Bash(curl:*)"));
    });
}

#[test]
fn a_cut_stream_is_asked_again() {
    let script = |request: &Request| if request.nth == 0 { good().cut() } else { good() };
    each(script, |version, desk, outcome| {
        assert_answered(version, outcome);
        assert_eq!(desk.api.requests().len(), 2, "{version}");
    });
}

#[test]
fn faults_of_the_api_have_their_class_old() {
    faults_of_the_api(Version::Old);
}

#[test]
fn faults_of_the_api_have_their_class_new() {
    faults_of_the_api(Version::New);
}

fn faults_of_the_api(version: Version) {
    let faults = [
        (Reply::unauthorized(), Trouble::Authentication),
        (Reply::error(400, "invalid_request_error", "Your credit balance is too low"), Trouble::Billing),
        (Reply::error(404, "not_found_error", "model: nonesuch"), Trouble::Model),
        (Reply::error(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), Trouble::BadRequest),
        (Reply::rate_limited(), Trouble::RateLimit { until: None }),
        (Reply::rate_limited().header("retry-after", "3600"), Trouble::RateLimit { until: None }),
        (Reply::server_error(), Trouble::Transient),
        (Reply::overloaded(), Trouble::Transient),
        (Reply::Drop, Trouble::Transient),
        (good().cut(), Trouble::Transient),
    ];
    for (fault, trouble) in faults {
        let reply = fault.clone();
        once(version, move |_| reply.clone(), |version, _, outcome| assert_trouble(version, outcome, trouble));
    }
}

#[test]
fn a_usage_limit_tells_when_it_ends() {
    let end = jiff::Timestamp::from_second(4_000_000_000).expect("a time");
    for version in Version::ALL {
        let api = Api::start(|_| Reply::usage_limit(4_000_000_000));
        let login = api.token_env();
        let Some(desk) = Desk::with_login(version, api, login) else { continue };
        let outcome = desk.ask(AnswerKind::Writer, "Write the file of `a`.");
        assert_trouble(version, &outcome, Trouble::UsageLimit { until: Some(end) });
    }
}

#[test]
fn an_answer_out_of_form_is_none() {
    for said in [Reply::text("done"), Reply::answer(json!({"status": "perhaps"}))] {
        let reply = said.clone();
        each(move |_| reply.clone(), |version, _, outcome| assert_trouble(version, outcome, Trouble::NoAnswer));
    }
}

#[test]
fn an_answer_out_of_form_can_be_mended() {
    let script = |request: &Request| match request.turns_since(None) {
        0 => Reply::text("done"),
        1 => Reply::answer(json!({"status": "perhaps", "summary": "s"})),
        _ => good(),
    };
    each(script, |version, desk, outcome| {
        assert_answered(version, outcome);
        let calls = desk.api.requests().last().expect("a request").calls();
        assert!(
            calls[0].is_error && calls[0].result.as_deref().is_some_and(|text| text.contains("/status")),
            "{calls:?}"
        );
    });
}

/// What the CLI has written down before a kill is not done again, and the script goes on where the conversation stands.
/// The CLI writes up to a tenth of a second behind what it does, so the second step waits for the first to be on file;
/// whether the second one itself is remembered is a race, as it is for every step of a user whose machine dies.
#[test]
fn a_killed_conversation_goes_on() {
    for version in Version::ALL {
        let (api, settled) = killed_at_the_third_request();
        let Some(desk) = Desk::new(version, api) else { continue };
        settled.set(desk.settled()).expect("set once");
        let id = uuid::Uuid::new_v4().to_string();
        let (new, resumed) = (Session::New(id.clone()), Session::Resume(id.clone()));
        let mut call = desk.start(AnswerKind::Writer, &new, "Write the file of `a`.");
        desk.api.wait("request that hangs", |requests| requests.len() == 3);
        call.kill();
        let outcome = desk.finish(AnswerKind::Writer, &new, call);
        assert!(
            matches!(outcome.ending, Ending::Failed { trouble: Trouble::Crashed, resumable: true, .. }),
            "{outcome:?}"
        );

        let call = desk.start(AnswerKind::Writer, &resumed, "Go on.");
        assert_answered(version, &desk.finish(AnswerKind::Writer, &resumed, call));
        let requests = desk.api.requests();
        assert!(requests.iter().all(|request| request.conversation == id));
        let last = requests.last().expect("a request");
        let calls = last.calls();
        assert_eq!(calls.iter().map(|call| call.name.as_str()).collect::<Vec<_>>(), ["Write", "Bash"], "{version}");
        // Written a second time, it would be refused as a file that was not read.
        assert!(!calls[0].is_error, "{version}: {calls:?}");
        assert_eq!(last.prompts().last(), Some(&"Go on."), "{version}");
    }
}

/// Writes, waits for that to be on file with the program that the test sets, hangs once, answers.
fn killed_at_the_third_request() -> (Api, Arc<OnceLock<String>>) {
    let settled = Arc::new(OnceLock::new());
    let program = Arc::clone(&settled);
    let api = Api::start(move |request| {
        let wait = program.get().map(String::as_str).unwrap_or_default();
        let script = Script::new().write("a", "1").bash(wait).then(good());
        if request.nth == 2 { Reply::Hang } else { script.reply(request) }
    });
    (api, settled)
}

#[test]
fn a_conversation_that_is_gone_is_told_from_a_crash() {
    for version in Version::ALL {
        let Some(desk) = Desk::new(version, Api::start(|_| good())) else { continue };
        let gone = Session::Resume(uuid::Uuid::new_v4().to_string());
        let call = desk.start(AnswerKind::Writer, &gone, "Go on.");
        assert_trouble(version, &desk.finish(AnswerKind::Writer, &gone, call), Trouble::ConversationLost);
    }
}

#[tokio::test]
async fn it_says_who_it_is_and_whether_somebody_is_logged_in() {
    for version in Version::ALL {
        let Some(desk) = Desk::new(version, Api::start(|_| good())) else { continue };
        let program = AgentProgram { program: desk.program.clone(), prefix: Vec::new(), simulated: false };
        let line = probe_version(&program, &desk.env).await.expect("a version").line;
        assert_eq!(line, format!("{version} (Claude Code)"));
        assert!(auth_status(&program, &desk.env).await.expect("a status").logged_in);
        let nobody = AgentEnv { agent: desk.env.check.clone(), ..desk.env.clone() };
        assert!(!auth_status(&program, &nobody).await.expect("a status").logged_in);
    }
}
