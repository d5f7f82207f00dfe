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

#[test]
fn readiness() {
    let bare = json!({"blocks": true, "text": "t"});
    let full = json!({"blocks": false, "text": "t", "suggestion": "s"});
    let said = json!({"summary": "s", "concerns": [bare, full]});
    for answer in offer(AnswerKind::Readiness, &said) {
        let Answer::Judged(report) = answer else { panic!("{answer:?}") };
        assert_eq!(serde_json::to_value(report).expect("JSON"), said);
    }
}

#[test]
fn draft() {
    let bare = json!({"id": "a", "file": "a", "checks": ["true"]});
    let full = json!({
        "id": "b", "file": "b", "files": ["b/**"], "depends_on": ["a"], "complexity": "high", "purpose": "p",
        "notes": ["n", "m"], "checks": [{"name": "c", "run": "true", "when": "end", "timeout": "45m", "env": {"A": "b"}}],
        "tests": ["t"], "model": "opus", "protected": ["x"], "require_tests": false, "unknown": 1,
    });
    let manifest = json!({
        "components": [bare, full], "complexity": 7, "risk_level": "high", "gotchas": ["g"], "validation_command": "true",
        "execution": {
            "mode": "full", "max_parallel": 4, "shared_files": ["a", {"path": "b", "regenerate": "c"}],
            "voting_gates": ["doc_quality"], "step_timeout": "1h",
        },
        "quality": {"lint_command": "true", "test_command": {"run": "true", "junit": "j.xml"}, "coverage_target": 90},
    });
    let context = json!({"component": "a", "text": "t"});
    let said = json!({"summary": "s", "manifest": manifest, "contexts": [context], "assumptions": ["a"]});
    for answer in offer(AnswerKind::Draft, &said) {
        let Answer::Drafted(report) = answer else { panic!("{answer:?}") };
        assert_eq!(serde_json::to_value(report).expect("JSON"), said, "also what no field is known for");
    }
}
