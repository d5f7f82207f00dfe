//! From a draft to the text of a manifest. What the spec has settled already stays as it is, whatever the draft says of
//! it: who it is, where it works, how agents are called and what they may do, what it may cost.

use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::report::DraftReport;

/// What of a manifest no draft decides.
pub const SETTLED: [&str; 7] = ["$schema", "name", "project", "work_dir", "spec_dir", "created", "agent"];
/// What of its `execution` no draft decides.
pub const SETTLED_EXECUTION: [&str; 5] = ["base", "branch", "isolation", "copy", "budget_usd"];

/// Where the schema of the manifest lies, counted from a spec of the store. With it, unknown fields are errors.
const SCHEMA: &str = "../../manifest.schema.json";

/// The order in which people read a manifest; what is not named here follows.
const ORDER: [&str; 12] = [
    "$schema",
    "$comment",
    "name",
    "project",
    "work_dir",
    "spec_dir",
    "created",
    "complexity",
    "risk_level",
    "execution",
    "components",
    "quality",
];
/// The order in which people read a component.
const COMPONENT_ORDER: [&str; 9] =
    ["id", "purpose", "file", "files", "depends_on", "complexity", "tests", "checks", "notes"];

/// A manifest that a draft makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// Its text.
    pub text: String,
    /// What of the draft was not taken, a sentence each.
    pub notes: Vec<String>,
}

/// What of the manifest `base` stands, whatever a draft says.
pub fn settled(base: &Map<String, Value>) -> Map<String, Value> {
    let mut settled = pick(base, &SETTLED);
    settled.entry("$schema").or_insert_with(|| SCHEMA.into());
    if let Some(Value::Object(execution)) = base.get("execution") {
        let execution = pick(execution, &SETTLED_EXECUTION);
        if !execution.is_empty() {
            settled.insert("execution".to_owned(), Value::Object(execution));
        }
    }
    settled
}

fn pick(from: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let named = from.iter().filter(|(name, _)| names.contains(&name.as_str()));
    named.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The manifest that `report` makes of a spec with these settled members.
///
/// # Errors
/// It cannot be written as JSON.
pub fn compose(settled: &Map<String, Value>, report: &DraftReport) -> serde_json::Result<Composed> {
    let mut notes = Vec::new();
    let mut manifest = report.manifest.clone();
    let own = settled.get("execution").and_then(Value::as_object);
    settle(&mut manifest, settled, &SETTLED, "", &mut notes);
    match (manifest.get_mut("execution"), own) {
        (Some(Value::Object(execution)), own) => {
            settle(execution, own.unwrap_or(&Map::new()), &SETTLED_EXECUTION, "execution.", &mut notes);
        }
        (None, Some(own)) => drop(manifest.insert("execution".to_owned(), Value::Object(own.clone()))),
        // What is no object has its diagnostic.
        (Some(_), _) | (None, None) => {}
    }
    if let Some(Value::Array(components)) = manifest.get_mut("components") {
        components.iter_mut().filter_map(Value::as_object_mut).for_each(drop_default_context);
    }
    let text = serde_json::to_string_pretty(&Document(&manifest))? + "\n";
    Ok(Composed { text, notes })
}

/// Puts the settled members in place of the draft's.
fn settle(
    draft: &mut Map<String, Value>,
    settled: &Map<String, Value>,
    names: &[&str],
    above: &str,
    notes: &mut Vec<String>,
) {
    for name in names {
        let said = draft.remove(*name);
        let stands = settled.get(*name);
        if said.is_some() && said.as_ref() != stands && *name != "$schema" {
            notes.push(format!("what the draft says of `{above}{name}` was not taken: the spec has settled it"));
        }
        if let Some(stands) = stands {
            draft.insert((*name).to_owned(), stands.clone());
        }
    }
}

/// The file that cco writes the context to need not be named.
fn drop_default_context(component: &mut Map<String, Value>) {
    if names_default_context(component) {
        component.remove("context_file");
    }
}

/// Whether a component names the context file that it has anyway.
pub(super) fn names_default_context(component: &Map<String, Value>) -> bool {
    let text = |key: &str| component.get(key).and_then(Value::as_str);
    text("id").zip(text("context_file")).is_some_and(|(id, named)| named == format!("components/{id}.md"))
}

/// A manifest in the order in which people read it.
struct Document<'a>(&'a Map<String, Value>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in in_order(self.0, &ORDER) {
            match value {
                Value::Array(components) if name == "components" => {
                    map.serialize_entry(name, &Components(components))?;
                }
                value => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

struct Components<'a>(&'a [Value]);

impl Serialize for Components<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for component in self.0 {
            match component {
                Value::Object(component) => list.serialize_element(&Component(component))?,
                other => list.serialize_element(other)?,
            }
        }
        list.end()
    }
}

struct Component<'a>(&'a Map<String, Value>);

impl Serialize for Component<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(in_order(self.0, &COMPONENT_ORDER))
    }
}

/// The members that are named, in that order, then the others.
fn in_order<'a>(
    map: &'a Map<String, Value>,
    names: &'static [&'static str],
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let first = names.iter().filter_map(|name| map.get_key_value(*name));
    first.chain(map.iter().filter(|(name, _)| !names.contains(&name.as_str())))
}
