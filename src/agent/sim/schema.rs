//! The schema of the structured output: the forms that the real CLI refuses, and the smallest answer that it accepts.

use serde_json::{Map, Value, json};

/// The keywords that every supported version of the CLI accepts. `format` and others make one of them drop the schema
/// in silence, so the simulated agent refuses them: `cco` must not pass them.
const KEYWORDS: &[&str] = &[
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "$comment",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "type",
    "enum",
    "const",
    "nullable",
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
];

const TYPES: &[&str] = &["string", "number", "integer", "boolean", "object", "array", "null"];

/// Parses and checks a schema; the error is the line that the CLI writes to stderr.
pub fn parse(text: &str) -> Result<Value, String> {
    let schema: Value =
        serde_json::from_str(text).map_err(|error| format!("Error: --json-schema is not valid JSON: {error}"))?;
    if !schema.is_object() {
        return Err("Error: --json-schema must be a JSON object".to_owned());
    }
    check(&schema).map_err(|why| format!("Error: --json-schema is not a valid JSON Schema: {why}"))?;
    Ok(schema)
}

fn check(schema: &Value) -> Result<(), String> {
    let Value::Object(fields) = schema else { return Ok(()) };
    for (keyword, value) in fields {
        if !KEYWORDS.contains(&keyword.as_str()) {
            return Err(format!("strict mode: unknown keyword: \"{keyword}\""));
        }
        match (keyword.as_str(), value) {
            ("$schema", Value::String(uri)) if !uri.contains("draft-07") => {
                return Err(format!("no schema with key or ref \"{uri}\""));
            }
            ("type", Value::String(name)) if !TYPES.contains(&name.as_str()) => {
                return Err("data/type must be equal to one of the allowed values".to_owned());
            }
            ("properties" | "patternProperties" | "$defs" | "definitions", Value::Object(parts)) => {
                parts.values().try_for_each(check)?;
            }
            ("allOf" | "anyOf" | "oneOf" | "items", Value::Array(parts)) => parts.iter().try_for_each(check)?,
            ("items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains", part) => check(part)?,
            _ => {}
        }
    }
    Ok(())
}

/// How deep a recursive schema is followed; past it, null.
const DEPTH: u32 = 16;

/// The smallest answer that `schema` accepts: required fields only, the first of every choice.
pub fn smallest_answer(schema: &Value) -> Value {
    answer(schema, schema, DEPTH)
}

fn answer(root: &Value, schema: &Value, depth: u32) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return Value::Null };
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
        return answer(root, target, depth);
    }
    if let Some(fixed) = schema.get("const") {
        return fixed.clone();
    }
    let first = |keyword: &str| schema[keyword].as_array().and_then(|choices| choices.first());
    if let Some(choice) = first("enum") {
        return choice.clone();
    }
    if let Some(choice) = ["oneOf", "anyOf", "allOf"].into_iter().find_map(first) {
        return answer(root, choice, depth);
    }
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    match kind {
        Some("string") => json!("simulated"),
        Some("number" | "integer") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => {
            let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let fields: Map<String, Value> =
                names.map(|name| (name.to_owned(), answer(root, &schema["properties"][name], depth))).collect();
            Value::Object(fields)
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_version_drops_is_refused() {
        for bad in [
            "[]",
            "{",
            r#"{"type":"banana"}"#,
            r#"{"$schema":"https://json-schema.org/draft/2020-12/schema"}"#,
            r#"{"properties":{"n":{"type":"integer","format":"uint8"}}}"#,
            r#"{"$defs":{"a":{"x-note":1}}}"#,
        ] {
            assert!(parse(bad).expect_err("refused").starts_with("Error: --json-schema"), "{bad}");
        }
        assert!(parse(r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}"#).is_ok());
    }

    #[test]
    fn the_smallest_answer_takes_the_first_choices_and_required_fields_only() {
        let schema = json!({"type": "object", "required": ["status", "list", "n"],
            "properties": {"status": {"$ref": "#/$defs/S"}, "list": {"type": "array"}, "n": {"type": ["integer", "null"]},
                "more": {"type": "string"}},
            "$defs": {"S": {"oneOf": [{"const": "done"}, {"const": "blocked"}]}}});
        assert_eq!(smallest_answer(&schema), json!({"status": "done", "list": [], "n": 1}));
        let endless = json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}});
        assert!(smallest_answer(&endless).is_object());
    }
}
