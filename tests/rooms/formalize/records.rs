//! The records as bytes: what was changed anywhere is refused, and nothing is ever silently different.

use cco::formalize::codec::{CodecError, decode, encode};
use cco::formalize::event::{Begun, Draft, End, Event, Over, Problem, Record, Weight, Written};
use cco::formalize::report::ReadinessReport;
use cco::ids::Digest;
use cco::lifecycle::event::{Pause, Trouble, Usage};
use jiff::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn attempt(step: &str, n: u32) -> cco::ids::AttemptId {
    cco::ids::AttemptId { on: cco::ids::Subject::Run, step: step.parse().unwrap(), n }
}

/// One of every event.
fn sample() -> Vec<Record> {
    let begun = Begun {
        input: Digest::of(b"x"),
        gate: true,
        agent: "claude".to_owned(),
        agent_version: Some("2.1.330".to_owned()),
        simulated: false,
        budget_usd: Some(0.1 + 0.2),
        no_wait: true,
    };
    let problem = Problem {
        code: "E015".to_owned(),
        severity: Weight::Error,
        message: "a \u{0} b\n".to_owned(),
        path: Some("/components/0".to_owned()),
        help: vec!["mend it".to_owned()],
    };
    let draft = Draft {
        summary: "ü".to_owned(),
        assumptions: vec!["a".to_owned()],
        components: 2,
        manifest: Digest::of(b"m"),
        valid: false,
        problems: vec![problem],
        more: 7,
    };
    let usage = Some(Usage { cost_usd: Some(0.123_456_789), input_tokens: 1, output_tokens: 2, turns: 3, denials: 4 });
    let ended = |step: &str, end| Event::AttemptEnded { attempt: attempt(step, 1), end, ms: 5, usage };
    let failed =
        End::Failed { class: Trouble::UsageLimit { until: Some(at(9)) }, message: "m".into(), resumable: true };
    let events = vec![
        Event::Begun(Box::new(begun)),
        Event::AttemptStarted { attempt: attempt("draft", 1), session: "s".into(), resumed: true },
        ended("readiness", End::Judged { report: ReadinessReport::default(), ready: true }),
        ended("draft", End::Drafted(Box::new(draft))),
        ended("draft", failed),
        ended("draft", End::Interrupted { resumable: false }),
        Event::RetryScheduled { at: at(1) },
        Event::Paused { until: at(2), why: Pause::RateLimit },
        Event::GaveUp { why: "w".to_owned() },
        Event::Written(Box::new(Written {
            manifest: Digest::of(b"m"),
            contexts: vec!["c".into()],
            kept: vec!["k".into()],
        })),
        Event::DraftKept { path: "p".to_owned() },
        Event::Noted { text: "n".to_owned() },
        Event::Ended { over: Over::Done },
    ];
    events.into_iter().enumerate().map(|(n, event)| Record { at: at(n as i64), events: vec![event] }).collect()
}

#[test]
fn what_was_written_is_read() {
    let records = sample();
    assert_eq!(decode(&encode("0.1.0", "p/s", &records).unwrap()).unwrap(), records);
    assert_eq!(decode(&encode("0.1.0", "p/s", &[]).unwrap()).unwrap(), []);
}

#[test]
fn cut_anywhere_it_is_refused() {
    let bytes = encode("0.1.0", "p/s", &sample()).unwrap();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "{length} of {} bytes", bytes.len());
    }
}

#[test]
fn changed_anywhere_it_is_refused_or_says_the_same() {
    let records = sample();
    let bytes = encode("0.1.0", "p/s", &records).unwrap();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        if let Ok(read) = decode(&flipped) {
            // The first line's other words are for people.
            assert_eq!(read, records, "byte {at}");
        }
    }
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let text = String::from_utf8(encode("0.1.0", "p/s", &[]).unwrap()).unwrap();
    let newer = text.replace("\"format\":1", "\"format\":2").replace("0.1.0", "9.0.0");
    assert_eq!(decode(newer.as_bytes()), Err(CodecError::Newer { found: 2, cco: "9.0.0".to_owned() }));
}

/// The form on disk is an interface: this is what a cco of format 1 wrote.
#[test]
fn records_of_this_format_are_always_read() {
    let body = concat!(
        r#"{"at":"2026-11-23T01:16:56Z","events":[{"begun":{"input":"0673ccc44b834df48f9272d3c02d1351","gate":true,"agent":"claude"}}]}"#,
        "\n",
        r#"{"at":"2026-11-23T01:16:57Z","events":[{"attempt_started":{"attempt":{"on":"@run","step":"draft","n":1},"session":"s"}}]}"#,
        "\n",
        r#"{"at":"2026-11-23T01:16:58Z","events":[{"attempt_ended":{"attempt":{"on":"@run","step":"draft","n":1},"end":{"drafted":{"summary":"two","components":2,"manifest":"91ca2cca3eaaccb8d9b969d49597dc50","valid":true}},"ms":7,"usage":{"cost_usd":0.1}}},{"written":{"manifest":"91ca2cca3eaaccb8d9b969d49597dc50"}},{"ended":{"over":"done"}}]}"#,
        "\n",
    );
    let header = format!(r#"{{"format":1,"cco":"0.1.0","sum":"{}"}}"#, Digest::of(body.as_bytes()));
    let records = decode(format!("{header}\n{body}").as_bytes()).unwrap();
    assert_eq!(records.iter().map(|record| record.events.len()).sum::<usize>(), 5);
}
