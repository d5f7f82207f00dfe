//! Tests of the simulated agent: it is a stand-in only as far as it is like the real CLI, so what it writes is compared
//! with recorded streams of that.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use cco::lifecycle::report::{BallotReport, Claim, ReviewReport, WriterReport};

/// A scenario in a directory of its own, and how the agent is called there.
struct Sim {
    dir: TempDir,
    args: Vec<String>,
}

/// What one process showed.
struct Shown {
    stdout: String,
    stderr: String,
    code: Option<i32>,
}

impl Sim {
    fn new(scenario: &Value) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("scenario.json"), scenario.to_string()).expect("a scenario");
        let args = ["--scenario", "scenario.json", "-p", "--output-format", "stream-json", "--verbose"];
        Self { dir, args: args.map(str::to_owned).to_vec() }
    }

    /// Every attempt does the same.
    fn always(behaviour: &Value) -> Self {
        Self::new(&json!({"steps": {"*": behaviour}}))
    }

    fn with(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|&arg| arg.to_owned()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, attempt: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cco"));
        command.arg("agent-sim").args(&self.args).args(args).current_dir(self.dir.path());
        command.env("CCO_ATTEMPT", attempt).env("CCO_SIM_HOME", self.path("home")).env("CCO_SIM_PACE", "0");
        command.env("CLAUDE_CODE_MAX_RETRIES", "2").env_remove("IS_SANDBOX");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn start(&self, attempt: &str) -> Running {
        let mut child = self.command(attempt, &[]).spawn().expect("the agent starts");
        child.stdin.take().expect("a pipe").write_all(b"do it").expect("the prompt is taken");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Running { child, stdout }
    }

    fn run_with(&self, attempt: &str, args: &[&str], prompt: &[u8]) -> Shown {
        let mut child = self.command(attempt, args).spawn().expect("the agent starts");
        // It may refuse its arguments and be gone before it reads.
        let _ = child.stdin.take().expect("a pipe").write_all(prompt);
        let output = child.wait_with_output().expect("the agent ends");
        Shown {
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
            code: output.status.code(),
        }
    }

    fn run(&self, attempt: &str) -> Shown {
        self.run_with(attempt, &[], b"do it")
    }
}

impl Shown {
    fn events(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    fn result(&self) -> Value {
        self.events().pop().expect("a last event")
    }
}

/// A process that still runs.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Reads events until one matches.
    fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.stdout.read_line(&mut line).expect("a line"), 0, "ended too early");
            if wanted(&serde_json::from_str(&line).expect("a line of JSON")) {
                return;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it lives");
    }

    /// The events that are left, and how it ended.
    fn finish(mut self) -> (Vec<Value>, ExitStatus) {
        let rest =
            self.stdout.lines().map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON")).collect();
        (rest, self.child.wait().expect("it ends"))
    }
}

fn is_tool_use(event: &Value) -> bool {
    event["message"]["content"][0]["type"] == "tool_use"
}

/// The events of a recorded stream, `2.1.330/refusal`.
fn recorded(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/streams/{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// The keys of events of one kind, with those of objects inside that have fixed fields.
fn keys(events: &[Value], kind: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for event in events.iter().filter(|event| kind(event)) {
        let object = event.as_object().expect("an object");
        keys.extend(object.keys().cloned());
        for inner in ["message", "rate_limit_info", "usage"] {
            keys.extend(
                event[inner].as_object().into_iter().flat_map(|part| part.keys().map(|key| format!("{inner}.{key}"))),
            );
        }
        for used in event["modelUsage"].as_object().into_iter().flat_map(|models| models.values()) {
            keys.extend(used.as_object().expect("an object").keys().map(|key| format!("modelUsage.{key}")));
        }
    }
    keys
}

/// Nothing is written that the real CLI does not write, for each kind of event.
fn assert_shapes(shown: &[Value], real: &[Value], what: &str) {
    let kind = |event: &Value| (event["type"].clone(), event["subtype"].clone(), event["error"].is_string());
    for event in shown {
        let of_kind =
            |other: &Value| kind(other) == kind(event) || (event["type"] == "result" && other["type"] == "result");
        let (ours, theirs) = (keys(std::slice::from_ref(event), |_| true), keys(real, of_kind));
        assert!(!theirs.is_empty(), "{what}: the real CLI has no {} {}", event["type"], event["subtype"]);
        let more: Vec<_> = ours.difference(&theirs).collect();
        assert!(more.is_empty(), "{what}: {} has keys that the real one lacks: {more:?}", event["type"]);
    }
}

const SCHEMA: &str = r#"{"type":"object","properties":{"status":{"type":"string","enum":["done","blocked"]},
    "summary":{"type":"string"}},"required":["status","summary"]}"#;

#[test]
fn without_a_scenario_every_result_type_gets_a_valid_answer() {
    fn answer<T: schemars::JsonSchema + serde::de::DeserializeOwned>() -> T {
        let settings = schemars::generate::SchemaSettings::draft07().with(|settings| settings.meta_schema = None);
        let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
        strip_format(&mut schema);
        let sim = Sim::new(&json!({})).with(&["--json-schema", &schema.to_string()]);
        let shown = sim.run("auth.implement-1");
        assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
        assert_shapes(&shown.events(), &recorded("2.1.330/structured_ok"), "no-op");
        serde_json::from_value(shown.result()["structured_output"].clone()).expect("a valid answer")
    }
    fn strip_format(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("format");
                fields.values_mut().for_each(strip_format);
            }
            Value::Array(items) => items.iter_mut().for_each(strip_format),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let writer: WriterReport = answer();
    let review: ReviewReport = answer();
    let ballot: BallotReport = answer();
    let nothing = Claim::NothingToDo;
    assert_eq!(writer, WriterReport { status: nothing, summary: "simulated".to_owned(), ..WriterReport::default() });
    assert!(review.issues.is_empty());
    assert!((0.0..=1.0).contains(&ballot.confidence));
}

#[test]
fn what_the_real_cli_refuses_is_refused() {
    let sim = Sim::new(&json!({}));
    let refused = |args: &[&str], prompt: &[u8]| {
        let shown = sim.run_with("a.fix-1", args, prompt);
        assert_eq!((shown.code, shown.stdout.as_str()), (Some(1), ""), "{args:?}");
        shown.stderr
    };
    for (args, said) in [
        (&["--json-schema", "{"] as &[_], "Error: --json-schema is not valid JSON"),
        (&["--json-schema", r#"{"type":"banana"}"#], "Error: --json-schema is not a valid JSON Schema"),
        (&["--session-id", "x"], "Error: Invalid session ID. Must be a valid UUID."),
        (&["--nonsense"], "error: unknown option '--nonsense'"),
        (&["--permission-mode", "any"], "error: option '--permission-mode <mode>' argument 'any' is invalid"),
        (&["--append-system-prompt-file", "none.md"], "Error: Append system prompt file not found: none.md"),
        (&["--settings", "{bad"], "Error: Settings file not found"),
        (&["--resume", "a", "--session-id", "00000000-0000-4000-8000-000000000001"], "Error: --session-id can only"),
    ] {
        let stderr = refused(args, b"do it");
        assert!(stderr.starts_with(said), "{args:?}: {stderr}");
    }
    assert!(refused(&[], b" \n").starts_with("Error: Input contained only whitespace"));
    assert!(refused(&[], b"").starts_with("Error: Input must be provided"));
    // A list takes every word that follows it, the prompt too.
    assert!(refused(&["--tools", "Read", "do it"], b"").starts_with("Error: Input must be provided"));
    let mut quiet = Sim::new(&json!({}));
    quiet.args.retain(|arg| arg != "--verbose");
    assert!(quiet.run("a.fix-1").stderr.contains("requires --verbose"));
}

#[test]
fn conversations_are_kept_where_the_scenario_asks() {
    let sim = Sim::new(&json!({"sessions": true, "steps": {"*": {
        "cost_usd": 0.5, "tokens": {"input": 10, "output": 2}, "answer": "first",
        "on_resume": {"cost_usd": 0.25, "answer": "again"}}}}));
    let id = "0a0a0a0a-0000-4000-8000-000000000001";
    let unknown = sim.run_with("a.fix-1", &["--resume", id], b"go on");
    assert_eq!(
        (unknown.code, unknown.stderr.trim()),
        (Some(1), format!("No conversation found with session ID: {id}").as_str())
    );
    assert_eq!(unknown.result()["num_turns"], 0);
    assert_shapes(&unknown.events(), &recorded("2.1.330/resume_unknown"), "resume of an unknown id");

    let first = sim.run_with("a.fix-1", &["--session-id", id], b"do it");
    assert_eq!((&first.result()["result"], &first.result()["session_id"]), (&json!("first"), &json!(id)));
    let taken = sim.run_with("a.fix-1", &["--session-id", id], b"do it");
    assert_eq!(taken.stderr.trim(), format!("Error: Session ID {id} is already in use."));
    assert_eq!((taken.code, taken.stdout.as_str()), (Some(1), ""));

    let again = sim.run_with("a.fix-1", &["--resume", id], b"go on").result();
    assert_eq!(again["result"], "again");
    assert_eq!(again["total_cost_usd"], 0.75, "of the whole conversation");
    assert_eq!(again["model_usage_since_last_result"]["claude-sonnet-5-5"]["costUSD"], 0.25, "of this process");
}

#[test]
fn a_step_without_sessions_leaves_no_files() {
    let sim = Sim::new(&json!({}));
    assert_eq!(sim.run("a.fix-1").code, Some(0));
    let left: Vec<_> = std::fs::read_dir(sim.dir.path()).expect("a directory").collect();
    assert_eq!(left.len(), 1, "only the scenario: {left:?}");
}

#[test]
fn api_failures_have_the_shapes_of_the_real_ones() {
    // Newer versions add the same fields to every failure, so a recording of an older one is read together with this.
    let newer = recorded("2.1.330/api_401_retries0");
    for (fault, name, error, status) in [
        (json!("bad_request"), "2.1.330/api_400_six_requests", "unknown", json!(400)),
        (json!("billing"), "2.1.197/api_400_credit", "billing_error", json!(400)),
        (json!("prompt_too_long"), "2.1.197/api_400_prompt_too_long", "invalid_request", json!(400)),
        (json!("unauthorized"), "2.1.330/api_401_retries0", "authentication_failed", json!(401)),
        (json!("forbidden"), "2.1.197/api_403", "authentication_failed", json!(403)),
        (json!("model_not_found"), "2.1.197/api_404_model", "model_not_found", json!(404)),
        (json!("too_large"), "2.1.197/api_413", "invalid_request", json!(413)),
        (json!("rate_limit"), "2.1.197/api_429_default", "rate_limit", json!(429)),
        (json!("rate_limit_retry_after"), "2.1.197/api_429_retry_after_3600", "rate_limit", json!(429)),
        (json!({"usage_limit": {"resets_in": 60}}), "2.1.330/usage_limit_oauth", "rate_limit", json!(429)),
        (json!("throttle"), "2.1.330/throttle_429_oauth_retries2", "rate_limit", json!(429)),
        (json!("server_error"), "2.1.330/api_500_retries2", "server_error", json!(500)),
        (json!("overloaded"), "2.1.330/api_529_default", "server_error", json!(529)),
        (json!("connection_refused"), "2.1.330/conn_refused_default", "server_error", Value::Null),
        (json!("connection_dropped"), "2.1.330/stall_byte_watchdog", "server_error", Value::Null),
        (json!("request_timeout"), "2.1.197/hang_timeout", "server_error", Value::Null),
        (json!("max_output_tokens"), "2.1.330/max_output_tokens", "max_output_tokens", Value::Null),
        (json!("refusal"), "2.1.330/refusal", "invalid_request", Value::Null),
        (json!("no_credentials"), "2.1.330/no_credentials", "authentication_failed", Value::Null),
    ] {
        let shown = Sim::always(&json!({"fault": {"api": fault}})).run("a.fix-1");
        let (events, result, mut real) = (shown.events(), shown.result(), recorded(name));
        let said = |events: &[Value]| {
            events.iter().rfind(|event| event["error"].is_string() && event["type"] == "assistant").cloned()
        };
        let (ours, theirs) = (said(&events).expect("a message"), said(&real).expect("a message"));
        assert_eq!(ours["error"], error, "{name}");
        assert_eq!(ours["error"], theirs["error"], "{name}");
        assert_eq!(ours["message"]["model"], "<synthetic>");
        let last = real.last().expect("a result").clone();
        for key in ["subtype", "is_error", "api_error_status", "stop_reason", "api_error"] {
            if last.get(key).is_some() {
                assert_eq!(result[key], last[key], "{name}: {key}");
            }
        }
        assert_eq!((shown.code, &result["api_error_status"]), (Some(1), &status), "{name}");
        let retries = |events: &[Value]| events.iter().any(|event| event["subtype"] == "api_retry");
        if name != "2.1.330/api_401_retries0" && name != "2.1.330/stall_byte_watchdog" {
            assert_eq!(retries(&events), retries(&real), "{name}");
        }
        real.extend(newer.clone());
        real.extend(recorded("2.1.330/api_500_retries2").into_iter().filter(|event| event["subtype"] == "api_retry"));
        assert_shapes(&events, &real, name);
    }
}

#[test]
fn limits_have_the_shapes_of_the_real_ones() {
    for (fault, name) in [
        ("max_turns", "2.1.330/max_turns"),
        ("max_budget", "2.1.330/max_budget"),
        ("structured_max_retries", "2.1.330/structured_max_retries"),
    ] {
        let shown =
            Sim::always(&json!({"fault": {"api": fault}, "cost_usd": 0.1})).with(&["--max-turns", "2"]).run("a.fix-1");
        let (result, real) = (shown.result(), recorded(name));
        assert_eq!(shown.code, Some(1));
        for key in ["subtype", "is_error", "terminal_reason", "result"] {
            assert_eq!(result.get(key), real.last().expect("a result").get(key), "{name}: {key}");
        }
        assert_shapes(&shown.events(), &real, name);
    }
    let sim = Sim::always(&json!({"actions": [{"rate_limit_warning": {"utilization": 0.93, "resets_in": 60}}]}));
    let shown = sim.run("a.fix-1");
    assert_eq!(shown.code, Some(0));
    assert_shapes(&shown.events(), &recorded("2.1.330/rate_limit_warning_oauth"), "warning");
}

#[test]
fn actions_are_real_and_told_as_tool_calls() {
    let sim = Sim::always(&json!({"actions": [
        {"write": {"path": "a/b.txt", "text": "one\n"}}, {"append": {"path": "a/b.txt", "text": "two\n"}},
        {"copy": {"from": "scenario.json", "to": "copy.json"}}, {"copy": {"from": "nowhere", "to": "no"}},
        {"write": {"path": "gone", "text": ""}}, {"delete": {"path": "gone"}},
        {"run": {"cmd": "cat a/b.txt"}}, {"run": {"cmd": "echo no >&2; exit 3"}},
        {"think": "hm"}, {"text": "well"}, {"wait": {"ms": 3_600_000}}, {"wait": {"until_file": "copy.json"}},
    ]}))
    .with(&["--json-schema", SCHEMA]);
    let shown = sim.run("a.implement-1");
    assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(sim.path("a/b.txt")).expect("written"), "one\ntwo\n");
    assert!(sim.path("copy.json").exists() && !sim.path("gone").exists() && !sim.path("no").exists());

    let content = |event: &Value| event["message"]["content"][0].clone();
    let blocks: Vec<Value> = shown.events().iter().map(content).collect();
    let calls: Vec<&Value> = blocks.iter().filter(|block| block["type"] == "tool_use").collect();
    let results: Vec<&Value> = blocks.iter().filter(|block| block["type"] == "tool_result").collect();
    let tools: Vec<_> = calls.iter().filter_map(|call| call["name"].as_str()).collect();
    assert_eq!(tools, ["Write", "Edit", "Write", "Write", "Write", "Bash", "Bash", "Bash", "StructuredOutput"]);
    assert!(calls.iter().map(|call| &call["id"]).eq(results.iter().map(|result| &result["tool_use_id"])));
    let failed: Vec<usize> = (0..results.len()).filter(|&at| results[at]["is_error"] == true).collect();
    assert_eq!(failed, [3, 7]);
    assert_eq!((&results[6]["content"], &results[7]["content"]), (&json!("one\ntwo"), &json!("Exit code 3\nno")));
}

#[test]
fn partial_messages_come_when_they_are_asked_for() {
    let behaviour = json!({"actions": [{"think": "hm"}], "answer": "Hello."});
    let plain = Sim::always(&behaviour).run("a.fix-1").events();
    assert!(plain.iter().all(|event| event["type"] != "stream_event"));
    let shown = Sim::always(&behaviour).with(&["--include-partial-messages"]).run("a.fix-1").events();
    assert_shapes(&shown, &recorded("2.1.330/partial_messages"), "partial messages");
    let parts: Vec<_> = shown.iter().filter_map(|event| event["event"]["type"].as_str()).collect();
    let message = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    assert_eq!(parts, [message, message].concat());
    let delta = shown.iter().find(|event| event["event"]["type"] == "message_delta").expect("one");
    assert!(delta["event"]["usage"]["output_tokens"].as_u64() > Some(0));
}

#[test]
fn answers_can_go_wrong_in_every_way() {
    let run = |fault: Value| Sim::always(&json!({"fault": fault})).with(&["--json-schema", SCHEMA]).run("a.fix-1");
    let results = |shown: &Shown| -> Vec<Value> {
        shown.events().into_iter().filter(|event| event["type"] == "result").collect()
    };
    let none = run(json!("no_answer"));
    assert_eq!((none.code, none.result().get("structured_output")), (Some(0), None));
    assert_shapes(&none.events(), &recorded("2.1.330/structured_text_only"), "no answer");
    assert_eq!(run(json!("invalid_answer")).result()["structured_output"], json!({"nonsense": true}));
    let error = run(json!("result_is_error"));
    assert_eq!((error.code, &error.result()["is_error"]), (Some(1), &json!(true)));
    let second = run(json!("second_result"));
    let both = results(&second);
    assert_eq!(both.len(), 2);
    assert!(both[0].get("structured_output").is_some() && both[1].get("structured_output").is_none());
    assert_shapes(&second.events(), &recorded("2.1.330/structured_then_background_second_result"), "second result");
    assert_eq!(results(&run(json!({"linger_after_result": {"ms": 3_600_000}}))).len(), 1);

    let cut = run(json!("cut_output"));
    assert!(cut.code == Some(0) && !cut.stdout.ends_with('\n'));
    let last = cut.stdout.lines().last().expect("a line");
    assert!(serde_json::from_str::<Value>(last).is_err() && last.starts_with('{'));
    let exit = run(json!({"exit": {"code": 9}}));
    assert_eq!((exit.code, results(&exit).len()), (Some(9), 0));
    let killed = run(json!({"kill_self": {"signal": 9}}));
    assert_eq!((killed.code, killed.events().len()), (None, 1));

    let noisy = Sim::always(&json!({"actions": [{"garbage": {"lines": 2}}, {"huge_line": {"mb": 1}}]})).run("a.fix-1");
    assert_eq!(noisy.stdout.lines().filter(|line| serde_json::from_str::<Value>(line).is_err()).count(), 2);
    assert!(noisy.stdout.lines().any(|line| line.len() > 1 << 20));
}

#[test]
fn signals_end_it_as_they_end_the_real_one() {
    let sim = Sim::new(&json!({"steps": {
        "tool.fix": {"actions": [{"run": {"cmd": "sleep 600"}}]},
        "idle.fix": {"fault": {"hang": "init"}},
        "deaf.fix": {"ignore_signals": true, "fault": {"hang": "init"}},
    }}));
    for (signal, code, result) in [(Signal::INT, 0, true), (Signal::TERM, 143, false), (Signal::HUP, 129, false)] {
        let mut running = sim.start("tool.fix-1");
        running.wait_for(is_tool_use);
        running.signal(signal);
        let (rest, status) = running.finish();
        assert_eq!(status.code(), Some(code), "{signal:?}");
        assert_eq!(rest.iter().any(|event| event["terminal_reason"] == "aborted_tools"), result, "{signal:?}");
        assert_shapes(&rest, &recorded("2.1.330/sigint_bash"), "a signal in a tool call");
    }
    let mut running = sim.start("idle.fix-1");
    running.wait_for(|event| event["subtype"] == "init");
    running.signal(Signal::INT);
    let (rest, status) = running.finish();
    assert!(status.success() && rest.iter().all(|event| event["type"] == "user"), "no result");

    let mut running = sim.start("deaf.fix-1");
    running.wait_for(|event| event["subtype"] == "init");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        running.signal(signal);
    }
    let (_, status) = running.finish();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "only KILL ended it");
}

#[cfg(target_os = "linux")]
#[test]
fn tools_and_what_they_leave_have_sessions_of_their_own() {
    let tool = Sim::always(&json!({"actions": [{"run": {"cmd": "read -r pid _ _ _ group session _ < /proc/self/stat; \
        echo $((pid == group && pid == session))"}}]}));
    let shown = tool.run("a.fix-1");
    assert!(shown.events().iter().any(|event| event["message"]["content"][0]["content"] == "1"), "{}", shown.stdout);

    // So long nobody else sleeps, not even this test elsewhere at the same time.
    let secs = 600 + std::process::id() % 3000;
    for (clean_env, marked) in [(false, true), (true, false)] {
        let child = json!({"leave_child": {"secs": secs, "clean_env": clean_env}});
        let attempt = format!("left-{}-{clean_env}.fix-1", std::process::id());
        let before = sleepers(secs);
        assert_eq!(Sim::always(&json!({"actions": [child]})).run(&attempt).code, Some(0));
        let left: Vec<_> = sleepers(secs).into_iter().filter(|pid| !before.contains(pid)).collect();
        assert_eq!(left.len(), 1, "one is left behind");
        let environment = std::fs::read(format!("/proc/{}/environ", left[0])).expect("it lives");
        kill_process(Pid::from_raw(left[0]).expect("a pid"), Signal::KILL).expect("it lives");
        assert_eq!(String::from_utf8_lossy(&environment).contains(&attempt), marked);
    }

    /// The processes that sleep so long.
    fn sleepers(secs: u32) -> Vec<i32> {
        let wanted = format!("sleep\0{secs}\0");
        let pids = std::fs::read_dir("/proc")
            .expect("proc")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter(|pid| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == wanted.as_bytes()))
            .collect()
    }
}

#[test]
fn a_mistake_in_the_scenario_is_named_with_its_place() {
    let shown = Sim::new(&json!({"steps": {"*.fix": {"fault": "hung"}}})).run("a.fix-1");
    assert_eq!((shown.code, shown.stdout.as_str()), (Some(1), ""));
    assert!(shown.stderr.contains("`scenario.json` is invalid: unknown variant `hung`"), "{}", shown.stderr);
    assert!(shown.stderr.contains("line 1 column"), "{}", shown.stderr);
}

#[test]
fn version_and_login_are_told() {
    let tell = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cco")).arg("agent-sim").args(args).output().expect("it runs");
        (String::from_utf8(output.stdout).expect("text"), output.status.code())
    };
    assert_eq!(tell(&["--version"]), ("2.1.330 (Claude Code simulated)\n".to_owned(), Some(0)));
    let (text, code) = tell(&["auth", "status"]);
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON")["loggedIn"], true);
    assert_eq!(code, Some(0));
}

/// The example of the demo, step by step with its own checks: they hold, but for the one that is to fail first.
#[test]
fn the_example_tells_its_story() {
    let dir = tempfile::tempdir().expect("a directory");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/wordfreq/.");
    assert!(Command::new("cp").arg("-R").arg(example).arg(dir.path()).status().expect("cp").success());
    let project = dir.path().join("project");
    let holds = |check: &str| {
        let output = Command::new("sh").args(["-c", check]).current_dir(&project).output().expect("sh");
        output.status.success()
    };
    let step = |attempt: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cco"));
        command.args(["agent-sim", "--scenario", "../scenario.json", "-p", "--output-format", "json", "go"]);
        command.env("CCO_ATTEMPT", attempt).env("CCO_SIM_PACE", "0").current_dir(&project).stdin(Stdio::null());
        let result: Value = serde_json::from_slice(&command.output().expect("it runs").stdout).expect("a result");
        assert_eq!(result["is_error"], false, "{attempt}");
        let report: Value = serde_json::from_str(result["result"].as_str().expect("text")).expect("a report");
        serde_json::from_value::<WriterReport>(report).expect("a report of a writer");
    };
    assert!(holds("sh tests/lint.sh && sh tests/run.sh"), "the base is green");
    assert!(!holds("sh tests/end_to_end.sh"), "the goal is not reached yet");
    for component in ["tokenize", "filter", "count", "rank", "report", "cli"] {
        if component == "rank" {
            step("rank.skeleton-1");
        }
        step(&format!("{component}.implement-1"));
        assert!(holds("sh tests/lint.sh"), "{component}");
        let check = format!("sh tests/run.sh {component}");
        if component == "rank" {
            assert!(!holds(&check), "the first version is wrong");
            step("rank.fix-1");
        }
        assert!(holds(&check), "{component}");
    }
    assert!(holds("sh tests/run.sh && sh tests/end_to_end.sh"), "the whole is right");
}
