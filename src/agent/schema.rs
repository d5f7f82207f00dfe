//! The result schemas in the form that every supported CLI accepts.
//!
//! An older CLI silently drops a schema that has `$schema`, `format`, `prefixItems` or a keyword that it does not know,
//! and then there is no structured answer at all; a newer one refuses to start. So only the keywords below pass.

use std::sync::LazyLock;

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use super::AnswerKind;
use crate::formalize::report::{DraftReport, ReadinessReport};
use crate::lifecycle::report::{BallotReport, ReviewReport, WriterReport};

/// The keywords that are kept.
const KEYWORDS: [&str; 16] = [
    "$defs",
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "description",
    "enum",
    "items",
    "maximum",
    "minimum",
    "oneOf",
    "properties",
    "required",
    "title",
    "type",
];

impl AnswerKind {
    /// The JSON Schema of the answer, for `--json-schema`.
    pub fn schema(self) -> &'static str {
        static WRITER: LazyLock<String> = LazyLock::new(schema_of::<WriterReport>);
        static REVIEW: LazyLock<String> = LazyLock::new(schema_of::<ReviewReport>);
        static BALLOT: LazyLock<String> = LazyLock::new(schema_of::<BallotReport>);
        static READINESS: LazyLock<String> = LazyLock::new(schema_of::<ReadinessReport>);
        static DRAFT: LazyLock<String> = LazyLock::new(schema_of::<DraftReport>);
        match self {
            Self::Writer => &WRITER,
            Self::Review => &REVIEW,
            Self::Ballot => &BALLOT,
            Self::Readiness => &READINESS,
            Self::Draft => &DRAFT,
        }
    }
}

fn schema_of<T: JsonSchema>() -> String {
    let mut schema = SchemaGenerator::new(SchemaSettings::default()).into_root_schema_for::<T>().to_value();
    strip(&mut schema);
    schema.to_string()
}

/// Removes all keywords but [`KEYWORDS`]. Below `properties` and `$defs` the keys are names, not keywords.
fn strip(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    object.retain(|key, _| KEYWORDS.contains(&key.as_str()));
    for (key, value) in object.iter_mut() {
        match (key.as_str(), value) {
            ("properties" | "$defs", Value::Object(named)) => named.values_mut().for_each(strip),
            ("anyOf" | "oneOf", Value::Array(schemas)) => schemas.iter_mut().for_each(strip),
            ("items" | "additionalProperties", value) => strip(value),
            _ => {}
        }
    }
}
