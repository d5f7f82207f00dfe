//! The result schemas keep to what every supported CLI accepts.

use cco::agent::AnswerKind;
use cco::formalize::report::ReadinessReport;
use cco::lifecycle::report::{BallotReport, ReviewIssue, ReviewReport, Severity, WriterReport};
use serde_json::{Value, json};

const KINDS: [AnswerKind; 5] =
    [AnswerKind::Writer, AnswerKind::Review, AnswerKind::Ballot, AnswerKind::Readiness, AnswerKind::Draft];

fn schema(kind: AnswerKind) -> Value {
    serde_json::from_str(kind.schema()).unwrap()
}

/// Calls `visit` with every keyword of a schema, leaving out the names of properties and definitions.
fn keywords(schema: &Value, visit: &mut impl FnMut(&str)) {
    match schema {
        Value::Object(object) => {
            for (keyword, value) in object {
                visit(keyword);
                match (keyword.as_str(), value) {
                    ("properties" | "$defs", Value::Object(named)) => {
                        named.values().for_each(|each| keywords(each, visit))
                    }
                    ("default" | "const" | "enum", _) => {}
                    _ => keywords(value, visit),
                }
            }
        }
        Value::Array(each) => each.iter().for_each(|each| keywords(each, visit)),
        _ => {}
    }
}

#[test]
fn no_keyword_that_a_version_drops_or_refuses() {
    for kind in KINDS {
        keywords(&schema(kind), &mut |keyword| {
            let refused = ["$schema", "format", "prefixItems", "discriminator", "unevaluatedProperties"];
            assert!(!refused.contains(&keyword) && !keyword.starts_with("x-"), "{kind:?}: {keyword}");
        });
    }
}

#[test]
fn the_root_is_a_closed_object_and_fits_into_an_argument() {
    for kind in KINDS {
        let schema = schema(kind);
        assert_eq!(schema["type"], "object", "{kind:?}");
        assert_eq!(schema["additionalProperties"], false, "{kind:?}");
        assert!(kind.schema().len() < 100_000, "one argument holds less than 128 KiB");
    }
}

#[test]
fn what_the_types_write_the_schema_accepts() {
    let review = ReviewReport {
        summary: "read it".to_owned(),
        issues: vec![ReviewIssue {
            severity: Severity::Major,
            file: "a.rs".to_owned(),
            line: Some(7),
            text: "wrong".to_owned(),
            how_it_fails: "always".to_owned(),
            requirement: None,
            suggested_fix: None,
            same_as: Some("i1".to_owned()),
        }],
    };
    let ballot = BallotReport { vote: "A".to_owned(), confidence: 0.5, reasoning: "so".to_owned() };
    let answers = [
        (AnswerKind::Writer, serde_json::to_value(WriterReport::default()).unwrap()),
        (AnswerKind::Review, serde_json::to_value(review).unwrap()),
        (AnswerKind::Ballot, serde_json::to_value(ballot).unwrap()),
        (AnswerKind::Readiness, serde_json::to_value(ReadinessReport::default()).unwrap()),
        (AnswerKind::Draft, json!({"summary": "s", "manifest": {"components": []}})),
    ];
    for (kind, answer) in answers {
        assert!(jsonschema::is_valid(&schema(kind), &answer), "{kind:?}: {answer}");
        assert!(!jsonschema::is_valid(&schema(kind), &json!({ "ok": true })), "{kind:?}");
    }
}

#[test]
fn the_writers_schema() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema(AnswerKind::Writer)).unwrap());
}
