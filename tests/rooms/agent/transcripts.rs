//! Recorded output of both supported versions of the CLI, judged.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cco::agent::{Adopted, Answer, AnswerKind, Departure, Ending, Reply, Stream, adopt, classify};
use cco::lifecycle::report::{Claim, WriterReport};
use serde_json::{Value, json};

const OLD: &str = "2.1.197";
const NEW: &str = "2.1.330";

/// Each transcript with its class and whether the conversation can go on. Most were recorded without a result schema: to
/// us that is a CLI that dropped ours, however well the call went.
const CLASSES: [(&str, &str, &str, bool); 98] = [
    (OLD, "api_400", "BadRequest", true),
    (OLD, "api_400_credit", "Billing", true),
    (OLD, "api_400_prompt_too_long", "BadRequest", false),
    (OLD, "api_401_default", "Authentication", true),
    (OLD, "api_401_retries0", "Authentication", true),
    (OLD, "api_403", "Authentication", true),
    (OLD, "api_404_fallback_model", "Internal", true),
    (OLD, "api_404_model", "Model", true),
    (OLD, "api_413", "BadRequest", false),
    (OLD, "api_429_default", "RateLimit { until: None }", true),
    (OLD, "api_429_retry_after_3600", "RateLimit { until: None }", true),
    (OLD, "api_429_unified_apikey", "RateLimit { until: None }", true),
    (OLD, "api_500_after_tool", "Transient", true),
    (OLD, "api_500_retries2", "Transient", true),
    (OLD, "api_500_then_ok", "Internal", true),
    (OLD, "api_529_default", "Transient", true),
    (OLD, "background_bash_at_end", "Internal", true),
    (OLD, "big_tool_result", "Internal", true),
    (OLD, "cli_crash_startup", "Crashed", false),
    (OLD, "conn_refused_default", "Transient", true),
    (OLD, "denied_dontask_allow", "NoAnswer", true),
    (OLD, "drop_midstream_fail", "Transient", true),
    (OLD, "drop_midstream_fallback_ok", "Internal", true),
    (OLD, "hang_timeout", "Transient", true),
    (OLD, "malformed_sse", "Transient", true),
    (OLD, "max_budget", "NoAnswer", true),
    (OLD, "max_output_tokens", "NoAnswer", true),
    (OLD, "max_turns", "NoAnswer", true),
    (OLD, "no_credentials", "Authentication", true),
    (OLD, "partial_messages", "Internal", true),
    (OLD, "rate_limit_allowed_oauth", "Internal", true),
    (OLD, "rate_limit_warning_oauth", "Internal", true),
    (OLD, "refusal", "Refused", true),
    (OLD, "resume_unknown", "ConversationLost", false),
    (OLD, "reviewer_dontask", "NoAnswer", true),
    (OLD, "schema_invalid_ignored", "Internal", true),
    (OLD, "session_id_in_use", "Crashed", true),
    (OLD, "sigint_api", "Crashed", true),
    (OLD, "sigint_bash", "Crashed", true),
    (OLD, "sigkill_bash", "Crashed", true),
    (OLD, "sigterm_api", "Crashed", true),
    (OLD, "sigterm_bash", "Crashed", true),
    (OLD, "slash_unknown", "Internal", true),
    (OLD, "stream_json_input", "Internal", true),
    (OLD, "structured_invalid_then_ok", "NoAnswer", true),
    (OLD, "structured_invalid_then_text", "NoAnswer", true),
    (OLD, "structured_max_retries", "NoAnswer", true),
    (OLD, "structured_ok", "NoAnswer", true),
    (OLD, "structured_text_only", "NoAnswer", true),
    (OLD, "subagent_task", "Internal", true),
    (OLD, "success_json", "NoAnswer", false),
    (OLD, "success_stream", "Internal", true),
    (OLD, "throttle_429_oauth", "RateLimit { until: None }", true),
    (OLD, "tool_error_bash_exit3", "Internal", true),
    (OLD, "usage_limit_oauth", "UsageLimit { until: Some(2026-11-22T15:48:25Z) }", true),
    (OLD, "whitespace_prompt", "Crashed", false),
    (NEW, "api_400_six_requests", "BadRequest", true),
    (NEW, "api_401_retries0", "Authentication", true),
    (NEW, "api_500_retries2", "Transient", true),
    (NEW, "api_529_default", "Transient", true),
    (NEW, "background_bash_second_result", "Internal", true),
    (NEW, "blocked_sleep", "Internal", true),
    (NEW, "conn_refused_default", "Transient", true),
    (NEW, "denied_accept_rules", "Internal", true),
    (NEW, "denied_dontask", "NoAnswer", true),
    (NEW, "drop_midstream_default", "Internal", true),
    (NEW, "drop_midstream_tool_not_run", "Internal", true),
    (NEW, "json_api_failure", "BadRequest", false),
    (NEW, "max_budget", "NoAnswer", true),
    (NEW, "max_output_tokens", "NoAnswer", true),
    (NEW, "max_turns", "NoAnswer", true),
    (NEW, "no_credentials", "Authentication", true),
    (NEW, "partial_messages", "Internal", true),
    (NEW, "rate_limit_warning_oauth", "Internal", true),
    (NEW, "refusal", "Refused", true),
    (NEW, "refusal_then_ok", "Internal", true),
    (NEW, "resume_other_cwd", "Internal", true),
    (NEW, "resume_unknown", "ConversationLost", false),
    (NEW, "schema_2020_exit1", "Internal", false),
    (NEW, "schema_invalid_exit1", "Internal", false),
    (NEW, "session_id_in_use", "Crashed", true),
    (NEW, "sigint_api", "Crashed", true),
    (NEW, "sigint_bash", "Crashed", true),
    (NEW, "sigint_stream", "Crashed", true),
    (NEW, "sigterm_bash", "Crashed", true),
    (NEW, "slash_clear", "Internal", true),
    (NEW, "slash_unknown", "Internal", true),
    (NEW, "stall_byte_watchdog", "Transient", true),
    (NEW, "structured_max_retries", "NoAnswer", true),
    (NEW, "structured_ok", "NoAnswer", true),
    (NEW, "structured_text_only", "NoAnswer", true),
    (NEW, "structured_then_background_second_result", "NoAnswer", true),
    (NEW, "subagent_background_two_results", "Internal", true),
    (NEW, "success_stream", "Internal", true),
    (NEW, "success_stream_resume_cost", "Internal", true),
    (NEW, "throttle_429_oauth_retries2", "RateLimit { until: None }", true),
    (NEW, "usage_limit_oauth", "UsageLimit { until: Some(2026-11-22T16:52:00Z) }", true),
    (NEW, "whitespace_prompt", "Crashed", false),
];

/// A recorded call.
struct Recorded {
    output: Vec<u8>,
    departure: Departure,
    stderr: String,
    continued: bool,
}

impl Recorded {
    fn load(version: &str, name: &str) -> Self {
        let dir = fixtures().join(version);
        let read = |file: String| fs::read(dir.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let meta: Value = serde_json::from_slice(&read(format!("{name}.meta.json"))).unwrap();
        let exit = meta["exit"].as_i64().or(meta["exit_code"].as_i64()).unwrap();
        let exit = i32::try_from(exit).unwrap();
        Self {
            output: read(format!("{name}.jsonl")),
            departure: if exit < 0 { Departure::Signalled(-exit) } else { Departure::Exited(exit) },
            stderr: meta["stderr"].as_str().unwrap().to_owned(),
            continued: meta["argv"].as_array().unwrap().iter().any(|argument| argument == "--resume"),
        }
    }

    /// The same with answers that fit our schema.
    fn with_report(version: &str, name: &str) -> Self {
        let mut recorded = Self::load(version, name);
        let lines = String::from_utf8(recorded.output).unwrap();
        let answered = lines.lines().map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            if let Some(answer) = event.get_mut("structured_output") {
                *answer = json!({ "status": "done", "summary": "did it" });
            }
            event.to_string() + "\n"
        });
        recorded.output = answered.collect::<String>().into_bytes();
        recorded
    }

    fn judge(&self) -> Reply {
        self.judge_after(&self.departure)
    }

    fn judge_after(&self, departure: &Departure) -> Reply {
        let mut stream = Stream::new();
        stream.feed(&self.output, &mut |_| ());
        classify(&stream.finish(), departure, &self.stderr, AnswerKind::Writer, self.continued, 7)
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/streams")
}

fn names(version: &str) -> BTreeSet<String> {
    let files = fs::read_dir(fixtures().join(version)).unwrap();
    let name = |file: fs::DirEntry| file.file_name().to_str()?.strip_suffix(".jsonl").map(str::to_owned);
    files.filter_map(|file| name(file.unwrap())).collect()
}

fn is_answer(reply: &Reply) -> bool {
    reply.ending == Ending::Answered(Answer::Wrote(done()))
}

fn done() -> WriterReport {
    WriterReport { status: Claim::Done, summary: "did it".to_owned(), ..WriterReport::default() }
}

#[test]
fn every_transcript_has_its_class() {
    for (version, name, class, can_go_on) in CLASSES {
        let Ending::Failed { trouble, message, resumable } = Recorded::load(version, name).judge().ending else {
            panic!("{version}/{name} is taken for a success, or for stopped");
        };
        assert_eq!((format!("{trouble:?}").as_str(), resumable), (class, can_go_on), "{version}/{name}: {message}");
        assert!(!message.is_empty() && !message.contains('\n'), "{version}/{name}: {message:?}");
    }
}

#[test]
fn no_transcript_is_forgotten() {
    for version in [OLD, NEW] {
        let listed = CLASSES.iter().filter(|row| row.0 == version).map(|row| row.1.to_owned()).collect();
        assert_eq!(names(version), listed, "{version}");
    }
}

#[test]
fn success_takes_all_signs_together() {
    let good = [
        (OLD, "structured_ok"),
        (OLD, "structured_invalid_then_ok"),
        (OLD, "denied_dontask_allow"),
        (OLD, "reviewer_dontask"),
        (NEW, "structured_ok"),
        (NEW, "denied_dontask"),
        // Its second result has no answer: the first counts.
        (NEW, "structured_then_background_second_result"),
    ];
    for (version, name) in good {
        let recorded = Recorded::with_report(version, name);
        for departure in [Departure::Exited(0), Departure::Unknown, Departure::Lingered, Departure::Stopped] {
            assert!(is_answer(&recorded.judge_after(&departure)), "{version}/{name} {departure:?}");
        }
        for departure in [Departure::Exited(1), Departure::Signalled(9)] {
            assert!(!is_answer(&recorded.judge_after(&departure)), "{version}/{name} {departure:?}");
        }
    }
}

#[test]
fn each_sign_alone_is_needed() {
    let spoiled = [
        ("is_error", json!(true)),
        ("is_error", Value::Null),
        ("subtype", json!("error_during_execution")),
        ("num_turns", json!(0)),
        ("num_turns", Value::Null),
        ("structured_output", Value::Null),
        ("structured_output", json!({ "status": "done" })),
        ("structured_output", json!({ "status": "splendid", "summary": "" })),
        ("type", json!("outcome")),
    ];
    for (key, value) in spoiled {
        let mut recorded = Recorded::with_report(NEW, "structured_ok");
        let lines = String::from_utf8(recorded.output).unwrap();
        let changed = lines.lines().map(|line| {
            let mut event: Value = serde_json::from_str(line).unwrap();
            if event["type"] == "result" {
                event[key] = value.clone();
            }
            event.to_string() + "\n"
        });
        recorded.output = changed.collect::<String>().into_bytes();
        assert!(!is_answer(&recorded.judge()), "{key} = {value}");
    }
}

#[test]
fn no_prefix_is_a_success() {
    for (version, name) in [(OLD, "structured_ok"), (NEW, "structured_ok"), (OLD, "structured_invalid_then_ok")] {
        let recorded = Recorded::with_report(version, name);
        let judge =
            |stream: Stream| classify(&stream.finish(), &Departure::Exited(0), "", AnswerKind::Writer, false, 0);
        let mut stream = Stream::new();
        for (length, byte) in recorded.output.trim_ascii_end().iter().enumerate() {
            assert!(!is_answer(&judge(stream.clone())), "{version}/{name}: {length} bytes");
            stream.feed(&[*byte], &mut |_| ());
        }
        assert!(is_answer(&judge(stream)), "{version}/{name}: whole, but for the newline");
    }
}

#[test]
fn a_stop_and_a_time_limit_explain_the_end_they_cause() {
    for (version, name) in [(OLD, "sigint_bash"), (NEW, "sigint_stream"), (NEW, "sigint_api"), (OLD, "sigkill_bash")] {
        let recorded = Recorded::load(version, name);
        let stopped = recorded.judge_after(&Departure::Stopped).ending;
        assert_eq!(stopped, Ending::Interrupted { resumable: true }, "{version}/{name}");
        let late = recorded.judge_after(&Departure::TimedOut("not finished within 1s".to_owned())).ending;
        let Ending::Failed { trouble, resumable: true, .. } = late else { panic!("{version}/{name}: {late:?}") };
        assert_eq!(trouble, cco::lifecycle::event::Trouble::TimedOut, "{version}/{name}");
    }
    let limited = Recorded::load(NEW, "usage_limit_oauth").judge_after(&Departure::Stopped).ending;
    assert!(matches!(limited, Ending::Failed { .. }), "the server had failed before: {limited:?}");
}

#[test]
fn cost_is_that_of_this_call_alone() {
    let cost = |version, name| Recorded::load(version, name).judge().usage.and_then(|usage| usage.cost_usd);
    // The session had cost more before.
    assert_eq!(cost(NEW, "success_stream_resume_cost"), Some(0.30015000000000003));
    // Two result lines, each with its share.
    assert_eq!(cost(NEW, "structured_then_background_second_result"), Some(0.00176));
    assert_eq!(cost(OLD, "structured_ok"), Some(0.00055));
    // A refused request costs nothing; a killed call may have cost anything.
    assert_eq!(cost(NEW, "usage_limit_oauth"), Some(0.0));
    assert_eq!(Recorded::load(OLD, "sigkill_bash").judge().usage, None);
}

#[test]
fn denials_say_what_would_allow_them() {
    let denials = Recorded::load(NEW, "denied_accept_rules").judge().denials;
    let lines: Vec<String> = denials.iter().map(|each| format!("{} <- {:?}", each.call, each.allow)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    Edit(/w/dir/seed.txt) <- None
    Write(/w/outside.txt) <- None
    Bash(echo out > ../outside2.txt) <- None
    Read(/etc/hostname) <- Some("Read(//etc/**)")
    "#);
    let denials = Recorded::load(OLD, "reviewer_dontask").judge().denials;
    assert_eq!(denials[0].call, "Bash(make all)");
    assert_eq!(denials[0].allow.as_deref(), Some("Bash(make:*)"));
}

#[test]
fn what_is_shown_while_it_runs() {
    let shown = |version, name| {
        let mut seen = Vec::new();
        Stream::new().feed(&Recorded::load(version, name).output, &mut |event| seen.push(event));
        seen.iter().map(|event| format!("{event:?}")).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(shown(NEW, "partial_messages"), @r#"
    Model("claude-opus-5-5")
    Text
    Tokens { output: 20 }
    "#);
    insta::assert_snapshot!(shown(OLD, "denied_dontask_allow").lines().take(7).collect::<Vec<_>>().join("\n"), @r#"
    Model("claude-opus-4-8[1m]")
    Tool { name: "Write", detail: "/w/dir/src_new.txt" }
    ToolEnded
    Tool { name: "Read", detail: "/w/dir/seed.txt" }
    ToolEnded
    Tool { name: "Edit", detail: "/w/dir/seed.txt" }
    ToolEnded
    "#);
    insta::assert_snapshot!(shown(OLD, "rate_limit_warning_oauth"), @r#"
    Model("claude-sonnet-5")
    Text
    RateLimit(RateLimit { rejected: false, warning: true, utilization: Some(0.93), resets_at: Some(2026-11-22T15:48:25Z) })
    "#);
    insta::assert_snapshot!(shown(NEW, "api_500_retries2"), @r#"
    Model("claude-opus-5-5")
    Retry { delay_ms: 612 }
    Retry { delay_ms: 1171 }
    Text
    "#);
}

#[test]
fn a_dead_runs_stream_is_adopted_when_it_is_complete() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stream.jsonl");
    let adopted = |recorded: Recorded| {
        fs::write(&path, recorded.output).unwrap();
        adopt(&path, AnswerKind::Writer, Arc::default()).unwrap()
    };
    let Adopted::Complete(reply) = adopted(Recorded::with_report(OLD, "structured_ok")) else { panic!("complete") };
    assert!(is_answer(&reply));
    let Adopted::Complete(reply) = adopted(Recorded::load(NEW, "usage_limit_oauth")) else { panic!("complete") };
    assert!(matches!(reply.ending, Ending::Failed { .. }));
    for name in ["sigkill_bash", "sigint_bash", "sigterm_api"] {
        assert_eq!(adopted(Recorded::load(OLD, name)), Adopted::Interrupted { resumable: true }, "{name}");
    }
    assert_eq!(adopted(Recorded::load(OLD, "session_id_in_use")), Adopted::Nothing);
    assert_eq!(adopt(&dir.path().join("missing"), AnswerKind::Writer, Arc::default()).unwrap(), Adopted::Nothing);
}
