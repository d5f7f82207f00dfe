//! The JSON Schema of the manifest, and what it has to say about an instance. The only file that knows the validator.

use std::sync::LazyLock;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Map, Value};

use super::forms::{COMMENT, HumanDuration};
use super::locate::push_key;
use super::manifest::{Manifest, safe_name};
use super::nearest::nearest;
use crate::diagnostic::{Diagnostic, visible};
use crate::ids::check_name;

/// What [`check_name`] accepts, as a regular expression.
pub const ID_PATTERN: &str = r"^(?!.*\.\.)(?!.*\.(lock)?$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$";

/// The dialect that the schema is written in.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = schemars::schema_for!(Manifest).to_value();
    tidy(&mut schema);
    if let Some(root) = schema.as_object_mut() {
        root.insert("$schema".to_owned(), DIALECT.into());
        root.insert("title".to_owned(), "cco manifest".into());
    }
    schema
});

static VALIDATOR: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&SCHEMA).expect("the derived schema is a valid schema"));

/// The JSON Schema of the manifest.
pub fn manifest_schema() -> Value {
    SCHEMA.clone()
}

/// Takes `null` out of the types: files may have it, for tools that write every field, but nobody should be offered it.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(branches)) = map.get_mut("anyOf") {
                branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
                if let [Value::Object(only)] = branches.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How an instance is made good enough for the semantic rules to go on past a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Leave out the value at this pointer.
    Drop(String),
    /// Put a text in place of a missing member: pointer of the object, key.
    Insert(String, String),
}

/// A problem that the schema sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In words.
    pub diagnostic: Diagnostic,
    /// How to go on.
    pub repair: Repair,
}

/// Checks `instance` against the schema. Unknown fields are errors if `strict` or if they look like a known one, else warnings.
pub fn validate(instance: &Value, strict: bool) -> Vec<Finding> {
    VALIDATOR.iter_errors(instance).flat_map(|error| findings(&error, strict)).collect()
}

/// The findings of one validation error; several for several unknown fields.
fn findings(error: &ValidationError<'_>, strict: bool) -> Vec<Finding> {
    let path = error.instance_path().as_str().to_owned();
    let value = error.instance();
    let at = |diagnostic: Diagnostic| {
        vec![Finding { diagnostic: diagnostic.at(path.clone()), repair: Repair::Drop(path.clone()) }]
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_fields(error);
            unexpected.iter().map(|key| unknown_field(&path, key, &known, strict)).collect()
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            vec![Finding { diagnostic: missing_field(&path, key), repair: Repair::Insert(path, key.to_owned()) }]
        }
        ValidationErrorKind::AnyOf { context } => branches(error, context, strict),
        ValidationErrorKind::OneOfNotValid { .. } => at(wrong_choice(&path, value, &choices(error))),
        ValidationErrorKind::Type { kind } => at(wrong_type(&path, value, &type_names(kind))),
        ValidationErrorKind::Pattern { pattern } if pattern == ID_PATTERN => at(bad_id(value)),
        ValidationErrorKind::Pattern { pattern } if pattern == HumanDuration::PATTERN => {
            at(Diagnostic::error("E005", format!("{} is no duration: {}", member(&path), shown(value)))
                .help("write it like `45m`, `1h 30m` or `90s`"))
        }
        ValidationErrorKind::Minimum { .. } | ValidationErrorKind::Maximum { .. } => {
            at(out_of_range(&path, value, error))
        }
        // The schema uses no other keyword today; should it, the validator's own words serve.
        _ => at(Diagnostic::error("E005", visible(&error.to_string()).into_owned())),
    }
}

/// The schema object that holds the keyword which failed.
fn failed_schema(error: &ValidationError<'_>) -> Option<&'static Map<String, Value>> {
    let (parent, _) = error.schema_path().as_str().rsplit_once('/')?;
    SCHEMA.pointer(parent)?.as_object()
}

/// The fields that the object at hand may have.
fn known_fields(error: &ValidationError<'_>) -> Vec<&'static str> {
    let properties = failed_schema(error).and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    properties.into_iter().flat_map(Map::keys).map(String::as_str).filter(|key| *key != COMMENT).collect()
}

/// The values that a choice offers.
fn choices(error: &ValidationError<'_>) -> Vec<&'static str> {
    let options = failed_schema(error).and_then(|schema| schema.get("oneOf")).and_then(Value::as_array);
    options.into_iter().flatten().filter_map(|option| option.get("const")?.as_str()).collect()
}

fn unknown_field(object: &str, key: &str, known: &[&str], strict: bool) -> Finding {
    let mut path = object.to_owned();
    push_key(&mut path, key);
    let meant = nearest(key, known.iter().copied());
    let message = format!("unknown field `{}`", visible(key));
    let diagnostic = match meant {
        Some(meant) => Diagnostic::error("E007", message).help(format!("did you mean `{meant}`?")),
        None if strict => {
            Diagnostic::error("E007", message).help(format!("fields that are known here: {}", listed(known)))
        }
        None => Diagnostic::warning("W109", message).help("it has no effect; for remarks use `$comment`"),
    };
    Finding { diagnostic: diagnostic.at_key(path.clone()), repair: Repair::Drop(path) }
}

/// That a required field is missing (or empty) in the object at `object`.
pub(super) fn missing_field(object: &str, key: &str) -> Diagnostic {
    Diagnostic::error("E006", format!("`{key}` is missing")).at(object).help(format!("add a text `{key}`"))
}

/// What is wrong with a value that fits none of several forms: the problems within the form that it was meant to have.
fn branches(error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>], strict: bool) -> Vec<Finding> {
    let path = error.instance_path().as_str();
    let mut expected = Vec::new();
    for branch in context {
        let wrong = branch.iter().find_map(|inner| match inner.kind() {
            ValidationErrorKind::Type { kind } if inner.instance_path().as_str() == path => Some(kind),
            _ => None,
        });
        match wrong {
            Some(kind) => expected.extend(type_names(kind)),
            None => return branch.iter().flat_map(|inner| findings(inner, strict)).collect(),
        }
    }
    let diagnostic = wrong_type(path, error.instance(), &expected).at(path);
    vec![Finding { diagnostic, repair: Repair::Drop(path.to_owned()) }]
}

fn wrong_type(path: &str, value: &Value, expected: &[&str]) -> Diagnostic {
    let expected = expected.join(" or ");
    Diagnostic::error("E005", format!("{} must be {expected}, not {}", member(path), shown(value)))
}

fn wrong_choice(path: &str, value: &Value, choices: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::error("E005", format!("{} cannot be {}", member(path), shown(value)));
    match value.as_str().and_then(|word| nearest(word, choices.iter().copied())) {
        Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
        None => diagnostic,
    }
    .help(format!("it can be: {}", listed(choices)))
}

fn out_of_range(path: &str, value: &Value, error: &ValidationError<'_>) -> Diagnostic {
    let bound = |key| failed_schema(error).and_then(|schema| schema.get(key)).map(Value::to_string).unwrap_or_default();
    let (low, high) = (bound("minimum"), bound("maximum"));
    Diagnostic::error("E005", format!("{} must be from {low} to {high}, not {}", member(path), shown(value)))
}

/// An id that no directory or git ref could carry.
fn bad_id(value: &Value) -> Diagnostic {
    let id = value.as_str().unwrap_or_default();
    let why = check_name(id).err().map_or_else(String::new, |why| format!(" {why}"));
    let diagnostic = Diagnostic::error("E011", format!("the id `{}`{why}", visible(&elided(id))));
    diagnostic.help(format!("for example `{}`", safe_name(id)))
}

/// The member that a pointer ends in, as messages name it.
fn member(path: &str) -> String {
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
    let decode = |part: &str| visible(&part.replace("~1", "/").replace("~0", "~")).into_owned();
    match (parts.next(), parts.next()) {
        (Some(index), Some(list)) if index.bytes().all(|b| b.is_ascii_digit()) => {
            format!("`{}[{index}]`", decode(list))
        }
        (Some(name), _) => format!("`{}`", decode(name)),
        (None, _) => "the manifest".to_owned(),
    }
}

/// A value, short and visible.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{value}`"),
        Value::String(text) => format!("`{}`", visible(&elided(text))),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// At most 80 characters of a text.
fn elided(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// What a type is called in messages.
fn type_names(kind: &TypeKind) -> Vec<&'static str> {
    use jsonschema::JsonType;
    let name = |json: JsonType| match json {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a text",
    };
    match kind {
        TypeKind::Single(json) => vec![name(*json)],
        TypeKind::Multiple(set) => set.iter().map(name).collect(),
    }
}
