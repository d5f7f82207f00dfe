//! The text of a manifest with what was imported in it.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::Imported;
use crate::spec::manifest::{Check, ComponentDef};

/// The keys that people look for first, in this order; the others follow.
const FIRST: [&str; 9] =
    ["$schema", "$comment", "name", "project", "work_dir", "spec_dir", "created", "complexity", "risk_level"];

/// What a manifest has for the commands that an import may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// `quality.test_command` is there.
    pub test_command: bool,
    /// `quality.lint_command` is there.
    pub lint_command: bool,
}

impl Settled {
    /// What `base` has.
    pub fn of(base: &Map<String, Value>) -> Self {
        let has =
            |key: &str| base.get("quality").and_then(|quality| quality.get(key)).is_some_and(|value| !value.is_null());
        Self { test_command: has("test_command"), lint_command: has("lint_command") }
    }
}

/// The manifest `base` with the components, and with the gotchas and commands that it has not.
///
/// # Errors
/// It cannot be written as JSON.
pub fn text(mut base: Map<String, Value>, imported: &Imported) -> serde_json::Result<String> {
    for (key, check) in [("test_command", &imported.test_command), ("lint_command", &imported.lint_command)] {
        if let Some(check) = check {
            let quality = base.entry("quality").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(quality) = quality {
                quality.entry(key).or_insert_with(|| command(check));
            }
        }
    }
    if !imported.gotchas.is_empty() {
        let gotchas = base.entry("gotchas").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(gotchas) = gotchas {
            for gotcha in imported.gotchas.iter().map(|text| Value::from(text.as_str())) {
                if !gotchas.contains(&gotcha) {
                    gotchas.push(gotcha);
                }
            }
        }
    }
    base.remove("components");
    let document = Document { base: &base, components: &imported.components };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// A command that is nothing but a command is written short.
fn command(check: &Check) -> Value {
    Value::from(check.run.as_str())
}

/// A manifest in the order in which people read it.
struct Document<'d> {
    base: &'d Map<String, Value>,
    components: &'d [ComponentDef],
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in FIRST.iter().filter_map(|key| self.base.get_key_value(*key)) {
            map.serialize_entry(key, value)?;
        }
        if let Some(execution) = self.base.get("execution") {
            map.serialize_entry("execution", execution)?;
        }
        map.serialize_entry("components", self.components)?;
        let rest = self.base.iter().filter(|(key, _)| !FIRST.contains(&key.as_str()) && *key != "execution");
        for (key, value) in rest {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
