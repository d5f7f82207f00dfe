//! Every schema of a result is one that the CLI offers to the model, and an answer in its form comes back.

use cco::agent::{Answer, AnswerKind, Ending};
use serde_json::{Value, json};

use crate::agent::Desk;
use crate::support::api::Api;
use crate::support::claude::Version;
use crate::support::reply::Reply;

/// The model says `said` where `kind` is asked for; what each version makes of it.
fn offer(kind: AnswerKind, said: &Value) -> Vec<Answer> {
    let answers = Version::ALL.into_iter().filter_map(|version| {
        let reply = Reply::answer(said.clone());
        let desk = Desk::new(version, Api::start(move |_| reply.clone()))?;
        let ending = desk.ask(kind, "Answer.").ending;
        let requests = desk.api.requests();
        let offered = requests[0].schema().unwrap_or_else(|| panic!("{version} does not offer the schema of {kind:?}"));
        assert_eq!(offered.to_string(), kind.schema(), "{version} offers another schema");
        match ending {
            Ending::Answered(answer) => Some(answer),
            other => panic!("{version}: {other:?}"),
        }
    });
    answers.collect()
}

#[test]
fn writer() {
    let full = json!({
        "status": "needs_files", "summary": "s", "discoveries": ["d"], "decisions": ["e"], "blockers": ["b"],
        "interfaces": ["i"], "notes": ["n"], "questions": ["q"], "needs_files": ["f"],
    });
    for said in [json!({"status": "done", "summary": "s"}), full] {
        for answer in offer(AnswerKind::Writer, &said) {
            let Answer::Wrote(report) = answer else { panic!("{answer:?}") };
            assert_eq!(serde_json::to_value(report).expect("JSON"), said);
        }
    }
}

#[test]
fn review() {
    let bare = json!({"severity": "minor", "file": "a", "text": "t", "how_it_fails": "h"});
    let full = json!({
        "severity": "critical", "file": "a", "line": 4_000_000_000_u32, "text": "t", "how_it_fails": "h",
        "suggested_fix": "f", "same_as": "1",
    });
    let said = json!({"summary": "s", "issues": [bare, full]});
    for answer in offer(AnswerKind::Review, &said) {
        let Answer::Reviewed(report) = answer else { panic!("{answer:?}") };
        assert_eq!(serde_json::to_value(report).expect("JSON"), said);
    }
}

#[test]
fn ballot() {
    let said = json!({"vote": "a", "confidence": 0.75, "reasoning": "r"});
    for answer in offer(AnswerKind::Ballot, &said) {
        let Answer::Voted(report) = answer else { panic!("{answer:?}") };
        assert_eq!(serde_json::to_value(report).expect("JSON"), said);
    }
}
