//! The manifest that a new spec begins with: it says what it is, proposes the checks, and has no component yet, so that no
//! run can start by accident.

use serde::Serialize;
use serde_json::{Map, Value};

use super::manifest::Mode;

/// What a new manifest proposes.
#[derive(Debug, Clone, Default)]
pub struct Starter {
    /// The linter, in the manifest's form of a check.
    pub lint: Option<Value>,
    /// The tests, in the same form.
    pub test: Option<Value>,
    /// What makes a worktree ready.
    pub setup: Vec<String>,
    /// Permission rules for agents.
    pub allow: Vec<String>,
    /// Files whose words these commands are, for the reader.
    pub from: Vec<String>,
    /// A component as it might look in this project.
    pub example: Option<Example>,
}

/// A component as it might look.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// Its id.
    pub id: &'static str,
    /// Its file.
    pub file: &'static str,
    /// Its tests.
    pub files: [&'static str; 1],
    /// The components that it needs.
    pub depends_on: [&'static str; 0],
    /// What it is for.
    pub purpose: &'static str,
    /// What checks it.
    pub checks: [&'static str; 1],
}

/// The manifest in the order in which it is read.
#[derive(Serialize)]
struct Begun<'a> {
    #[serde(rename = "$schema")]
    schema: &'a Value,
    #[serde(rename = "$comment")]
    comment: Vec<Line>,
    name: &'a Value,
    project: &'a Value,
    work_dir: &'a Value,
    created: &'a Value,
    execution: Execution<'a>,
    components: [(); 0],
    #[serde(skip_serializing_if = "Map::is_empty")]
    quality: Map<String, Value>,
    gotchas: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<Agent<'a>>,
}

/// One element of the comment. Only ever written, so that its form need not be told when it is read.
#[derive(Serialize)]
#[serde(untagged)]
enum Line {
    Text(String),
    Example(Example),
}

#[derive(Serialize)]
struct Execution<'a> {
    #[serde(rename = "$comment")]
    comment: &'static str,
    mode: Mode,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    setup: &'a [String],
}

#[derive(Serialize)]
struct Agent<'a> {
    allow: &'a [String],
}

const MODES: &str = "mode: quick (the whole is checked once, at the end), standard (each component is), full (after \
                     every step, one component at a time)";

impl Starter {
    /// The text of a manifest that has the members of `blank`.
    pub(super) fn text(&self, blank: &Map<String, Value>) -> String {
        let member = |name: &str| blank.get(name).unwrap_or(&Value::Null);
        let commands = [("lint_command", &self.lint), ("test_command", &self.test)];
        let quality = commands.into_iter().filter_map(|(name, check)| Some((name.to_owned(), check.clone()?)));
        let begun = Begun {
            schema: member("$schema"),
            comment: self.comment(),
            name: member("name"),
            project: member("project"),
            work_dir: member("work_dir"),
            created: member("created"),
            execution: Execution { comment: MODES, mode: Mode::Standard, setup: &self.setup },
            components: [],
            quality: quality.collect(),
            gotchas: [],
            agent: (!self.allow.is_empty()).then_some(Agent { allow: &self.allow }),
        };
        let text = serde_json::to_string_pretty(&begun).unwrap_or_else(|_| Value::Object(blank.clone()).to_string());
        format!("{text}\n")
    }

    fn comment(&self) -> Vec<Line> {
        let checks = if self.from.is_empty() {
            "quality: nothing here told how the code is checked; name a lint_command and a test_command, which cco runs by \
             itself and whose exit status decides."
                .to_owned()
        } else {
            format!(
                "quality: commands that cco runs by itself and whose exit status decides, read out of {}; edit them. What \
                 is red before any work stops the run.",
                self.from.join(", ")
            )
        };
        let example = self.example.clone().unwrap_or(Example {
            id: "parser",
            file: "src/parser",
            files: ["tests/parser/**"],
            depends_on: [],
            purpose: "Reads the input.",
            checks: ["sh tests/parser/run.sh"],
        });
        let text = |text: &str| Line::Text(text.to_owned());
        vec![
            text(
                "What a run works by. `cco validate` checks it, `cco schema` prints all fields, $schema completes them in \
             editors. Any $comment may be removed.",
            ),
            Line::Text(checks),
            text(
                "components: the pieces of work, each with the files that it may write. Those that do not depend on each other \
             are built at once. Begin with one like this (depends_on takes ids):",
            ),
            Line::Example(example),
        ]
    }
}
