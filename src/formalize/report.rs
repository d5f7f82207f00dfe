//! What is answered when a brainstorm is judged and when a manifest is drafted.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::draft::{SETTLED, SETTLED_EXECUTION};
use crate::spec::schema::manifest_schema;

/// The judgement of a brainstorm. Whether it is ready is computed from the concerns, never taken from the agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadinessReport {
    /// What was looked at and how.
    pub summary: String,
    /// What stands against it, worst first; empty when there is nothing.
    pub concerns: Vec<Concern>,
}

impl ReadinessReport {
    /// Whether nothing stands against it that blocks.
    pub fn is_ready(&self) -> bool {
        !self.concerns.iter().any(|concern| concern.blocks)
    }
}

/// One thing that stands against a brainstorm.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concern {
    /// Whether no good manifest can be made before a person has settled it.
    pub blocks: bool,
    /// What is missing, contradictory or wrong, and where.
    pub text: String,
    /// What would settle it: the question to answer, the spike to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// A draft of a manifest. That it is good is a claim: it is checked as `cco validate` does.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftReport {
    /// How the work was cut into components and why so, in a few sentences.
    pub summary: String,
    /// The manifest.
    #[schemars(schema_with = "draft_schema")]
    pub manifest: Map<String, Value>,
    /// What agents who work on single components must know and cannot see from the manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<ContextText>,
    /// What was taken for granted although the brainstorm does not say it, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<String>,
}

/// The context of one component; it becomes `components/<id>.md`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextText {
    /// The component's id.
    pub component: String,
    /// The text, in Markdown.
    pub text: String,
}

/// The schema of the manifest without what the spec has settled. Objects are left open: what a draft has too much is to
/// come to cco, which says what may have been meant, and not to be refused before it.
fn draft_schema(generator: &mut SchemaGenerator) -> Schema {
    let mut whole = manifest_schema();
    open(&mut whole);
    remove(&mut whole, "/properties", &SETTLED);
    remove(&mut whole, "/$defs/Execution/properties", &SETTLED_EXECUTION);
    remove(&mut whole, "/$defs/ComponentDef/properties", &["context_file"]);
    let Value::Object(mut root) = whole else { return Schema::default() };
    if let Some(Value::Object(parts)) = root.remove("$defs") {
        generator.definitions_mut().extend(parts);
    }
    root.remove("$schema");
    root.insert("required".to_owned(), Value::from(vec!["components"]));
    Schema::from(root)
}

/// Takes away what closes objects, and the remarks that may stand in each of them.
fn open(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("additionalProperties") == Some(&Value::Bool(false)) {
                map.remove("additionalProperties");
            }
            if let Some(Value::Object(properties)) = map.get_mut("properties") {
                properties.remove("$comment");
            }
            map.values_mut().for_each(open);
        }
        Value::Array(items) => items.iter_mut().for_each(open),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn remove(schema: &mut Value, pointer: &str, names: &[&str]) {
    if let Some(Value::Object(properties)) = schema.pointer_mut(pointer) {
        properties.retain(|name, _| !names.contains(&name.as_str()));
    }
}
