//! What `cco` relies upon in the CLI, asked of the CLI alone; and that the scripted API is one that it understands.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::api::{Api, Request};
use crate::support::claude::{Answer, Version, ask, claude, start};
use crate::support::reply::{Reply, Script};

const ARGS: [&str; 6] = ["--model", "claude-sonnet-4-5", "--tools", "Read,Edit,Write,Bash", "--json-schema", SCHEMA];
const SCHEMA: &str = r#"{"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"]}"#;

/// One call of each version; `check` sees what it left.
fn each(answer: impl Fn(&Request) -> Reply + Send + Sync + Clone + 'static, check: impl Fn(&Answer, &Api, &Path)) {
    for version in Version::ALL {
        let Some(program) = claude(version) else { return };
        let dir = tempfile::tempdir().expect("a directory");
        let api = Api::start(answer.clone());
        let got = ask(&program, api.env(), dir.path(), &ARGS, "Write the file of `a`.");
        check(&got, &api, dir.path());
    }
}

fn good() -> Reply {
    Reply::answer(json!({"ok": true}))
}

fn output(answer: &Answer) -> Option<&Value> {
    answer.result()?.get("structured_output")
}

/// The class of failure that the CLI names.
fn failure(answer: &Answer) -> Option<&str> {
    answer.events.iter().rev().find_map(|event| event["error"].as_str())
}

#[test]
fn tool_calls_do_real_work() {
    let script = |request: &Request| {
        let write = Reply::thinking("hm").and_tool("Write", json!({"file_path": "a", "content": "1"}));
        Script::new().then(write).rewrite("a", "2").bash("cat a").then(good()).reply(request)
    };
    each(script, |got, api, dir| {
        assert_eq!(output(got), Some(&json!({"ok": true})), "{got:?}");
        assert_eq!(fs::read_to_string(dir.join("a")).expect("the file"), "2");
        let requests = api.requests();
        assert_eq!(requests.iter().map(|r| r.nth).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(
            requests.iter().all(|r| r.conversation == requests[0].conversation && r.model() == "claude-sonnet-4-5")
        );
        assert!(requests.iter().all(|r| r.asks(&["`a`"]) && r.prompts().len() == 1));
        let calls = requests[3].calls();
        assert_eq!(calls.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["Write", "Read", "Write", "Bash"]);
        assert_eq!(calls[3].result.as_deref(), Some("2"));
        assert!(calls.iter().all(|call| !call.is_error));
    });
}

#[test]
fn a_cut_stream_is_asked_again_unstreamed() {
    let script = |request: &Request| if request.nth == 0 { good().cut() } else { good() };
    each(script, |got, api, _| {
        assert_eq!(output(got), Some(&json!({"ok": true})), "{got:?}");
        assert_eq!(api.requests().iter().map(Request::streams).collect::<Vec<_>>(), [true, false]);
    });
}

#[test]
fn faults_of_the_api_are_named() {
    let faults = [
        (Reply::unauthorized(), "authentication_failed", 401, 1),
        (Reply::rate_limited(), "rate_limit", 429, 1),
        (Reply::rate_limited().header("retry-after", "3600"), "rate_limit", 429, 1),
        (Reply::server_error(), "server_error", 500, 1),
        (Reply::Drop, "server_error", 0, 1),
        // The older version does not name this status.
        (Reply::overloaded(), "server_error", 529, 1),
    ];
    for (fault, name, status, requests) in faults {
        let reply = fault.clone();
        each(
            move |_| reply.clone(),
            |got, api, _| {
                assert_eq!(failure(got), Some(name), "{fault:?}: {got:?}");
                let result = got.result().expect("a result event");
                assert_eq!((&result["is_error"], &result["subtype"]), (&json!(true), &json!("success")));
                let said = result["api_error_status"].as_u64();
                assert!(said == Some(status) || (said.is_none() && matches!(status, 0 | 529)), "{fault:?}: {said:?}");
                assert_eq!(got.status.code(), Some(1));
                assert_eq!(api.requests().len(), requests, "{fault:?}");
            },
        );
    }
}

#[test]
fn a_usage_limit_tells_when_it_ends() {
    const RESETS_AT: u64 = 4_000_000_000;
    for version in Version::ALL {
        let Some(program) = claude(version) else { return };
        let dir = tempfile::tempdir().expect("a directory");
        let api = Api::start(|_| Reply::usage_limit(RESETS_AT));
        let got = ask(&program, api.token_env(), dir.path(), &ARGS, "Write the file of `a`.");
        assert_eq!(failure(&got), Some("rate_limit"), "{got:?}");
        let limit = got.events.iter().find(|event| event["type"] == "rate_limit_event").expect("the event");
        assert_eq!(limit["rate_limit_info"]["status"], "rejected");
        assert_eq!(limit["rate_limit_info"]["resetsAt"], RESETS_AT);
    }
}

#[test]
fn an_answer_without_the_structured_form_is_a_success_that_lacks_it() {
    each(
        |_| Reply::text("done"),
        |got, api, _| {
            assert!(got.status.success() && output(got).is_none(), "{got:?}");
            assert_eq!(api.requests().len(), 2);
        },
    );
}

#[test]
fn an_answer_that_never_fits_the_schema_ends_the_call() {
    each(
        |_| Reply::answer(json!({"ok": "maybe"})),
        |got, api, _| {
            assert_eq!(
                got.result().expect("a result event")["subtype"],
                "error_max_structured_output_retries",
                "{got:?}"
            );
            let refused = &api.requests()[1].calls()[0];
            assert!(
                refused.is_error && refused.result.as_deref().is_some_and(|text| text.contains("/ok")),
                "{refused:?}"
            );
        },
    );
}

/// The model is not asked again for what it did before the kill, and the script goes on where the conversation stands.
#[test]
fn a_killed_conversation_goes_on() {
    for version in Version::ALL {
        let Some(program) = claude(version) else { return };
        let dir = tempfile::tempdir().expect("a directory");
        let script = Script::new().write("a", "1").bash("cat a").then(good());
        let api = Api::start(move |request| if request.nth == 1 { Reply::Hang } else { script.reply(request) });
        let session = uuid::Uuid::new_v4().to_string();
        let args = |how| [&ARGS[..], &[how, &session]].concat();
        let mut call = start(&program, api.env(), dir.path(), &args("--session-id"), "Write the file of `a`.");
        api.wait("the request that hangs", |requests| requests.len() == 2);
        call.kill();
        assert!(call.wait().result().is_none(), "{version}");

        let got = ask(&program, api.env(), dir.path(), &args("--resume"), "Go on.");
        assert_eq!(output(&got), Some(&json!({"ok": true})), "{version}: {got:?}");
        let requests = api.requests();
        assert_eq!(requests.len(), 4, "{version}");
        assert!(requests.iter().all(|request| request.conversation == session));
        let last = &requests[3];
        assert_eq!(
            last.calls().iter().map(|call| call.name.as_str()).collect::<Vec<_>>(),
            ["Write", "Bash"],
            "{version}"
        );
        assert_eq!(last.prompts().last(), Some(&"Go on."), "{version}: {:?}", last.prompts());
    }
}
