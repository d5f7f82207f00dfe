//! The stream, however it is cut and whatever is in it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cco::agent::{Adopted, AnswerKind, Departure, Ending, LiveEvent, Stream, StreamState, adopt, classify};
use cco::lifecycle::event::Trouble;
use cco::redact::{Redactor, Secrets};
use proptest::prelude::*;
use proptest::sample::Index;

fn transcripts() -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/streams/2.1.330");
    ["partial_messages", "denied_dontask", "structured_then_background_second_result", "usage_limit_oauth"]
        .iter()
        .flat_map(|name| fs::read(dir.join(format!("{name}.jsonl"))).unwrap())
        .collect()
}

fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (StreamState, Vec<LiveEvent>) {
    let mut stream = Stream::new();
    let mut seen = Vec::new();
    for chunk in chunks {
        stream.feed(chunk, &mut |event| seen.push(event));
    }
    (stream.finish(), seen)
}

fn notes(output: &[u8]) -> Vec<String> {
    classify(&read([output]).0, &Departure::Unknown, "", AnswerKind::Writer, false, 0).notes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn cuts_change_nothing(cuts in proptest::collection::vec(any::<Index>(), 0..40)) {
        let whole = transcripts();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len())).collect();
        cuts.extend([0, whole.len()]);
        cuts.sort_unstable();
        let chunks = cuts.windows(2).map(|pair| &whole[pair[0]..pair[1]]);
        prop_assert_eq!(read(chunks), read([whole.as_slice()]));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read([bytes.as_slice()]);
    }

    #[test]
    fn no_change_of_a_byte_makes_it_panic(at in any::<Index>(), byte in any::<u8>()) {
        let mut bytes = transcripts();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        read([bytes.as_slice()]);
    }
}

#[test]
fn carriage_returns_and_blank_lines_change_nothing() {
    let whole = String::from_utf8(transcripts()).unwrap();
    let windows = whole.replace('\n', "\r\n\r\n");
    assert_eq!(read([windows.as_bytes()]), read([whole.as_bytes()]));
}

#[test]
fn garbage_is_counted_and_passed_over() {
    let deep = "[".repeat(100_000);
    let lines = ["warning: something", "{\"type\":", "{}", "\"text\"", "\u{0}\u{0}", &deep, "{\"type\":7}"].join("\n");
    assert_eq!(notes(lines.as_bytes()), ["lines of the agent's output that could not be read: 7"]);
    assert_eq!(notes(b"{\"type\":\"result\",\"num_turns\":-1}\n").len(), 1, "a result that cannot be read is none");
    assert_eq!(notes(b"{\"type\":\"novelty\",\"message\":[1],\"subtype\":{},\"event\":3}\n").len(), 0);
    assert_eq!(notes(b"{\"type\":\"assistant\",\"message\":\"text\",\"error\":null}\n").len(), 0);
}

#[test]
fn keys_come_in_any_order_and_names_may_be_escaped() {
    let line = br#"{"num_turns":1,"structured_output":{"summary":"s","status":"nothing_to_do"},"subtype":"suc\u0063ess","is_error":false,"ty\u0070e":"result"}"#;
    let ending = classify(&read([line.as_slice()]).0, &Departure::Exited(0), "", AnswerKind::Writer, false, 0).ending;
    assert!(matches!(ending, Ending::Answered(_)), "{ending:?}");
}

#[test]
fn a_line_of_tens_of_megabytes_is_one_line() {
    let text = "x".repeat(30 << 20);
    let line = format!(
        r#"{{"type":"result","subtype":"success","is_error":true,"num_turns":1,"result":"{text}","api_error_status":500}}"#
    );
    let (state, _) = read(line.as_bytes().chunks(1 << 20));
    let reply = classify(&state, &Departure::Exited(1), "", AnswerKind::Writer, false, 0);
    let Ending::Failed { trouble, message, .. } = reply.ending else { panic!("{:?}", reply.ending) };
    assert_eq!(trouble, Trouble::Transient);
    assert!(message.len() < 1000, "nobody reads {} bytes", message.len());
}

#[test]
fn a_tool_call_is_work_until_its_result_comes() {
    let call = |id: &str, name: &str| {
        format!(
            r#"{{"type":"assistant","message":{{"content":[{{"type":"tool_use","id":"{id}","name":"{name}","input":{{}}}}]}}}}"#
        ) + "\n"
    };
    let result = |id: &str| {
        format!(r#"{{"type":"user","message":{{"content":[{{"type":"tool_result","tool_use_id":"{id}"}}]}}}}"#) + "\n"
    };
    let mut stream = Stream::new();
    let mut running = |line: String| {
        stream.feed(line.as_bytes(), &mut |_| ());
        stream.state().tool_running()
    };
    assert!(running(call("a", "Bash")));
    assert!(running(call("b", "Read")));
    assert!(running(result("a")));
    assert!(!running(result("b")));
    assert!(!running(call("c", "StructuredOutput")), "silence after the answer is a hang");
}

#[test]
fn after_a_result_a_new_turn_may_begin() {
    let mut stream = Stream::new();
    let mut at_rest = |line: &str| {
        stream.feed(format!("{line}\n").as_bytes(), &mut |_| ());
        stream.state().at_rest()
    };
    assert!(!at_rest(r#"{"type":"system","subtype":"init"}"#));
    assert!(at_rest(r#"{"type":"result","subtype":"success"}"#));
    assert!(at_rest(r#"{"type":"system","subtype":"task_updated"}"#), "comes after the result, and is no turn");
    assert!(!at_rest(r#"{"type":"system","subtype":"init"}"#));
}

#[test]
fn no_half_of_a_secret_is_left_where_a_text_is_cut() {
    let mut secrets = Secrets::new();
    secrets.add_variable("DEPLOY_TOKEN", "deploy-9f8e7d6c5b4a");
    let redactor = Arc::new(Redactor::new(secrets).unwrap());
    // The detail of a call and the text of a result are cut at 200 bytes: in the middle of the secret.
    let command = format!("curl -H {} deploy-9f8e7d6c5b4a", "x".repeat(182));
    let call = serde_json::json!({"type": "assistant", "message": {"content": [
        {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": command}},
    ]}});
    let result = serde_json::json!({
        "type": "result", "subtype": "error_during_execution", "is_error": true, "num_turns": 1, "result": command,
        "permission_denials": [{"tool_name": "Bash", "tool_use_id": "t", "tool_input": {"command": command}}],
    });
    let output = format!("{call}\n{result}\n");
    let mut stream = Stream::redacting(redactor.clone());
    let mut seen = Vec::new();
    stream.feed(output.as_bytes(), &mut |event| seen.push(event));
    let reply = classify(&stream.finish(), &Departure::Exited(1), "", AnswerKind::Writer, false, 0);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stream.jsonl");
    fs::write(&path, output).unwrap();
    let Ok(Adopted::Complete(adopted)) = adopt(&path, AnswerKind::Writer, redactor) else { panic!("complete") };
    assert_eq!(adopted.denials, reply.denials);
    let LiveEvent::Tool { detail, .. } = &seen[0] else { panic!("{seen:?}") };
    let Ending::Failed { message, .. } = &reply.ending else { panic!("{reply:?}") };
    for text in [detail, message, &reply.denials[0].call] {
        assert!(text.contains("xxxx") && text.contains("[redact") && !text.contains("deploy"), "{text}");
    }
}
