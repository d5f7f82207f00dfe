//! The manifest as types. The doc comments of fields are the descriptions in the JSON Schema that `cco schema` prints, so they
//! speak to the person who writes a manifest.
//!
//! What is not given stays `None` or empty here; methods answer with the default, so that rules can tell a choice from silence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::execution::{
    CopyFile, Execution, GateAction, GateOption, GateWhen, Isolation, Mode, RedBase, SharedFile, VotingGate,
};
use super::forms::{
    Bounded, Comment, HumanDuration, Object, Shorthand, Text, TextMap, object, objects, optional, or_default, short,
    short_list, text_map, text_map_schema,
};
use crate::ids::{ComponentId, MAX_NAME, check_name};

/// The execution config of one piece of work, run by `cco`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Where the schema of this file is found, for completion in editors. With it, unknown fields are errors.
    #[serde(rename = "$schema", default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// The name of this piece of work.
    pub name: String,
    /// The project it belongs to.
    pub project: String,
    /// The directory that is worked on, in one repository. `~` is expanded; a relative path counts from the spec directory.
    pub work_dir: String,
    /// Informational: the spec directory.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub spec_dir: Option<String>,
    /// Informational: when the spec was made.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Informational: how hard the whole is, 1 to 10.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub complexity: Option<Bounded<1, 10>>,
    /// How much a mistake would cost: sets the number of reviewers and the model. Default: medium.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub risk_level: Option<RiskLevel>,
    /// How the work is run.
    #[serde(default, deserialize_with = "object")]
    pub execution: Execution,
    /// The parts of the work and how they depend on each other.
    #[serde(default, deserialize_with = "objects")]
    pub components: Vec<ComponentDef>,
    /// What the result must hold.
    #[serde(default, deserialize_with = "object")]
    pub quality: Quality,
    /// Warnings that go into every prompt.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub gotchas: Vec<Text>,
    /// The command that must succeed for the whole to be done.
    #[serde(default, deserialize_with = "short", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Shorthand<Check>>")]
    pub validation_command: Option<Check>,
    /// How agents are called.
    #[serde(default, deserialize_with = "object")]
    pub agent: AgentSection,
}

impl Manifest {
    /// The manifest that `text` spells, without schema and rules; errors speak to programs, not to people.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(|Object(manifest)| manifest)
    }

    /// The risk level, medium if not given.
    pub fn risk(&self) -> RiskLevel {
        self.risk_level.unwrap_or_default()
    }

    /// Reviewer agents per validation: the explicit number, else the one of the risk level.
    pub fn reviewers(&self) -> u32 {
        self.execution.reviewers.map_or(self.risk().reviewers(), Bounded::get)
    }

    /// The files that any component may change: the given ones, else the lock files of known ecosystems.
    pub fn shared_files(&self) -> Vec<SharedFile> {
        let default = || SharedFile::LOCK_FILES.iter().map(|name| Text::from(format!("**/{name}")).into()).collect();
        self.execution.shared_files.clone().unwrap_or_else(default)
    }

    /// Takes empty texts out of lists: they count as absent.
    pub(super) fn drop_empty_texts(&mut self) {
        self.gotchas.retain(|text| !text.is_empty());
        let execution = &mut self.execution;
        execution.setup.retain(|text| !text.is_empty());
        execution.teardown.retain(|text| !text.is_empty());
        for list in [&mut execution.warm, &mut execution.protected, &mut self.agent.allow, &mut self.agent.env] {
            list.retain(|text| !text.is_empty());
        }
        for component in &mut self.components {
            for list in
                [&mut component.files, &mut component.depends_on, &mut component.tests, &mut component.protected]
            {
                list.retain(|text| !text.is_empty());
            }
        }
    }

    /// All checks, wherever they stand.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        let Quality { lint_command, test_command, coverage_command, security_command, .. } = &self.quality;
        let whole = [lint_command, test_command, coverage_command, security_command, &self.validation_command];
        self.components.iter().flat_map(|component| &component.checks).chain(whole.into_iter().flatten())
    }

    /// Whether `component` must add or change a test when it changes code.
    pub fn requires_tests(&self, component: &ComponentDef) -> bool {
        component.require_tests.or(self.execution.require_tests).unwrap_or(true)
    }
}

/// How much a mistake would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RiskLevel {
    /// Easily undone.
    Low,
    /// The usual.
    #[default]
    Medium,
    /// Costly.
    High,
    /// Must not go wrong.
    Critical,
}

impl RiskLevel {
    /// How many reviewers this risk calls for.
    pub fn reviewers(self) -> u32 {
        match self {
            Self::Low | Self::Medium => 2,
            Self::High => 4,
            Self::Critical => 6,
        }
    }
}

/// One node of the dependency graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComponentDef {
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// The name of the component, unique ignoring case.
    #[schemars(with = "IdForm")]
    pub id: ComponentId,
    /// The file that the component is about. Alone, it leaves the write set advisory.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The write set: files and globs that the component may change.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Ids of the components that must be done before.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// How hard it is. At low, no skeleton is made. Default: medium.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub complexity: Option<ComponentComplexity>,
    /// What the component is for.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Text>,
    /// A file for the prompt, counted from the spec directory. Default: `components/<id>.md`.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub context_file: Option<String>,
    /// Notes for the prompt.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub notes: Option<Text>,
    /// Commands that must succeed for the component to be done.
    #[serde(default, deserialize_with = "short_list", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Shorthand<Check>>")]
    pub checks: Vec<Check>,
    /// Globs of the component's tests.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<String>,
    /// The model that works on it. Default: by complexity and risk.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Globs of files that this component may not change.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<String>,
    /// Overrides `execution.require_tests`.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub require_tests: Option<bool>,
}

impl ComponentDef {
    /// A component with nothing but its name.
    pub fn new(id: ComponentId) -> Self {
        Self {
            comment: Comment,
            id,
            file: None,
            files: Vec::new(),
            depends_on: Vec::new(),
            complexity: None,
            purpose: None,
            context_file: None,
            notes: None,
            checks: Vec::new(),
            tests: Vec::new(),
            model: None,
            protected: Vec::new(),
            require_tests: None,
        }
    }

    /// The complexity, medium if not given.
    pub fn complexity(&self) -> ComponentComplexity {
        self.complexity.unwrap_or_default()
    }

    /// The paths and globs that make up the write set: `file` and `files`.
    pub fn write_patterns(&self) -> impl Iterator<Item = &str> {
        self.file.iter().chain(&self.files).map(String::as_str).filter(|path| !path.is_empty())
    }
}

/// Stands for [`ComponentId`] in the schema.
#[derive(JsonSchema)]
#[schemars(inline)]
struct IdForm(
    #[expect(dead_code, reason = "only its schema is used")]
    #[schemars(regex(pattern = super::schema::ID_PATTERN))]
    String,
);

/// How hard a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ComponentComplexity {
    /// Straightforward: no skeleton is made.
    Low,
    /// The usual.
    #[default]
    Medium,
    /// Hard.
    High,
}

/// A command whose exit status decides.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// How it is called in reports. Default: its command.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The command, run by `sh -c`.
    pub run: Text,
    /// After each component, after each level, or at the end.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Where it runs, counted from the work directory.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// Environment variables.
    #[serde(default, deserialize_with = "text_map", skip_serializing_if = "TextMap::is_empty")]
    #[schemars(schema_with = "text_map_schema")]
    pub env: TextMap,
    /// How long it may take.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<HumanDuration>,
    /// The JUnit XML that it writes, counted from the work directory.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub junit: Option<String>,
    /// Checks that name the same lock never run at the same time.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
}

impl From<Text> for Check {
    fn from(run: Text) -> Self {
        Self { run, ..Self::default() }
    }
}

/// When a check runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// As part of each component's validation.
    Component,
    /// When all components of a level are done.
    Level,
    /// When all is done.
    End,
}

/// What the result must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// The coverage in percent that `coverage_command` must reach; it finds it in `CCO_COVERAGE_TARGET`. Default: 80.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub coverage_target: Option<Bounded<0, 100>>,
    /// Whether `lint_command` must succeed. Default: true.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub lint_required: Option<bool>,
    /// Whether `security_command` must succeed. Default: false.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub security_scan: Option<bool>,
    /// The linter.
    #[serde(default, deserialize_with = "short", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Shorthand<Check>>")]
    pub lint_command: Option<Check>,
    /// The tests.
    #[serde(default, deserialize_with = "short", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Shorthand<Check>>")]
    pub test_command: Option<Check>,
    /// The coverage measurement.
    #[serde(default, deserialize_with = "short", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Shorthand<Check>>")]
    pub coverage_command: Option<Check>,
    /// The security scan.
    #[serde(default, deserialize_with = "short", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Shorthand<Check>>")]
    pub security_command: Option<Check>,
}

impl Quality {
    /// The coverage to reach, in percent.
    pub fn coverage_target(&self) -> u32 {
        self.coverage_target.map_or(80, Bounded::get)
    }

    /// Whether the linter must succeed.
    pub fn lint_required(&self) -> bool {
        self.lint_required.unwrap_or(true)
    }

    /// Whether the security scan must succeed.
    pub fn security_scan(&self) -> bool {
        self.security_scan.unwrap_or(false)
    }
}

/// How agents are called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSection {
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// The program. Default: `claude`.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The model for most work. Default: sonnet.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The model for what is hard or risky. Default: opus.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub strong_model: Option<String>,
    /// Models by role, such as `review`.
    #[serde(default, deserialize_with = "text_map", skip_serializing_if = "TextMap::is_empty")]
    #[schemars(schema_with = "text_map_schema")]
    pub models: TextMap,
    /// Permission rules for agents, such as `Bash(make:*)`.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Names of environment variables that agents may see.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
}

impl AgentSection {
    /// The model for most work.
    pub fn model(&self) -> &str {
        self.model.as_deref().unwrap_or("sonnet")
    }

    /// The model for what is hard or risky.
    pub fn strong_model(&self) -> &str {
        self.strong_model.as_deref().unwrap_or("opus")
    }
}

/// The directory name for a free name of an older manifest; a valid name stays as it is.
pub fn safe_name(text: &str) -> String {
    if check_name(text).is_ok() {
        return text.to_owned();
    }
    let words: Vec<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-").trim_start_matches(['_', '-']).to_owned();
    name.truncate(MAX_NAME);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() }
}
