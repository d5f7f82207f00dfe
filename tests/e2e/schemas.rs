//! Every schema of a result is offered to the model by the real CLI, and its answer comes back validated.

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::claude::{Version, ask, claude};
use crate::support::reply::Reply;

fn offered(version: Version, schema: &Value, answer: &Value) {
    let Some(program) = claude(version) else { return };
    let dir = tempfile::tempdir().expect("a directory");
    let said = answer.clone();
    let api = Api::start(move |_| Reply::answer(said.clone()));
    let schema_text = schema.to_string();
    let got = ask(&program, api.env(), dir.path(), &["--tools", "Read", "--json-schema", &schema_text], "Answer.");
    let tools = &got.init().expect("an init event")["tools"];
    assert!(tools.as_array().is_some_and(|t| t.contains(&json!("StructuredOutput"))), "{version} offers {tools}");
    assert_eq!(api.requests()[0].schema(), Some(schema), "{version}");
    let result = got.result().expect("a result event");
    assert_eq!(&result["structured_output"], answer, "{version}: {result}");
    assert!(got.status.success());
}

#[test]
fn writer() {
    let schema = json!({
        "type": "object",
        "properties": {"status": {"enum": ["done", "blocked"]}, "summary": {"type": "string"}},
        "required": ["status", "summary"],
        "additionalProperties": false,
    });
    for version in Version::ALL {
        offered(version, &schema, &json!({"status": "done", "summary": "it works"}));
    }
}
