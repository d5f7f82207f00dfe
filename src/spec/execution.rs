//! The `execution` section of the manifest: modes, isolation, gates, files that are shared and copied.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::forms::{Bounded, Comment, HumanDuration, Shorthand, Text, objects, optional, or_default, short_list};

/// How thoroughly the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Implement each component the moment it can start; validate the whole at the end.
    Quick,
    /// Level by level, with validation of each component, each level and the whole.
    #[default]
    Standard,
    /// One component at a time, validated after every step.
    Full,
}

/// Where components are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// Worktrees where there is git, else the work directory.
    #[default]
    Auto,
    /// Worktrees; without git an error.
    Worktree,
    /// The work directory itself.
    Shared,
}

/// What to do when an invariant is red before any work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RedBase {
    /// Stop the run and say so.
    #[default]
    Stop,
    /// Go on: failures that were there before do not count.
    Inherit,
}

/// How the work is run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// How thoroughly the work is done. Default: standard.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// true: each component starts the moment its dependencies are done, in any mode; false: one at a time; absent: as the mode says.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub parallel_components: Option<bool>,
    /// Reviewer agents per validation. Default: by risk level.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub reviewers: Option<Bounded<0, 8>>,
    /// Whether a component that changes code must add or change a test. Default: true.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub require_tests: Option<bool>,
    /// Votes to hold: names of known gates, or your own.
    #[serde(default, deserialize_with = "short_list", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Shorthand<VotingGate>>")]
    pub voting_gates: Vec<VotingGate>,
    /// How many components are worked on at once, at most.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<Bounded<1, 256>>,
    /// How many fixes are tried before a person is asked. Default: 3.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub max_fix_attempts: Option<Bounded<0, 20>>,
    /// How often the same issue may come back before the fix strategy is voted on. Default: 2.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub same_issue_threshold: Option<Bounded<1, 10>>,
    /// Where components are worked on. Default: auto.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// The git revision to start from. Default: HEAD.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The branch that collects the work. Default: `cco/<name>-<hash>`.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Commands that make a new worktree ready.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<Text>,
    /// Ignored directories that each worktree gets a copy of from that of the base, such as `node_modules`.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub warm: Vec<String>,
    /// Untracked files to bring along into worktrees.
    #[serde(default, deserialize_with = "short_list", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Shorthand<CopyFile>>")]
    pub copy: Vec<CopyFile>,
    /// Commands that undo `setup` before a worktree is removed.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub teardown: Vec<Text>,
    /// Files that any component may change. Default: the lock files of known ecosystems.
    #[serde(default, deserialize_with = "optional_list", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Shorthand<SharedFile>>>")]
    pub shared_files: Option<Vec<SharedFile>>,
    /// Globs of files that no worker may change.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<String>,
    /// What to do when an invariant is red before any work is done. Default: stop.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub red_base: Option<RedBase>,
    /// What the run may cost at most, in US dollars.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<f64>,
    /// How long one step may take.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub step_timeout: Option<HumanDuration>,
    /// How long an agent may be silent.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<HumanDuration>,
}

/// `shared_files`: an empty list is a choice (none), its absence means the default.
fn optional_list<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<SharedFile>>, D::Error> {
    let list: Option<Vec<Shorthand<SharedFile>>> = optional(deserializer)?;
    Ok(list.map(|list| list.into_iter().map(Shorthand::into_inner).collect()))
}

impl Execution {
    /// The mode, standard if not given.
    pub fn mode(&self) -> Mode {
        self.mode.unwrap_or_default()
    }

    /// Fixes before a person is asked.
    pub fn max_fix_attempts(&self) -> u32 {
        self.max_fix_attempts.map_or(3, Bounded::get)
    }

    /// Returns of the same issue before a vote.
    pub fn same_issue_threshold(&self) -> u32 {
        self.same_issue_threshold.map_or(2, Bounded::get)
    }

    /// The isolation, auto if not given.
    pub fn isolation(&self) -> Isolation {
        self.isolation.unwrap_or_default()
    }

    /// What a red base means, stop if not given.
    pub fn red_base(&self) -> RedBase {
        self.red_base.unwrap_or_default()
    }
}

/// A vote of several agents on a closed set of options.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VotingGate {
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// A known gate (fix_strategy, impact_strategy, test_adequacy, doc_quality, production_ready), or the name of your own.
    pub name: String,
    /// What the voters are asked.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub question: Option<Text>,
    /// What they choose from. A gate of your own needs them; a known gate has its own.
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<GateOption>,
    /// When your own gate is held. Default: after.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub when: Option<GateWhen>,
    /// How many agents vote. Default: 3.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub voters: Option<Bounded<1, 9>>,
    /// The share of the weight that decides, more than 0 and at most 1. Default: 2/3.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The models of the voters, in turn.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
}

impl VotingGate {
    /// The gates that need no definition.
    pub const KNOWN: [&str; 5] =
        ["fix_strategy", "impact_strategy", "test_adequacy", "doc_quality", "production_ready"];
}

impl From<Text> for VotingGate {
    fn from(name: Text) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// One option of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateOption {
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// What a voter answers, such as `READY`.
    pub name: String,
    /// What happens when it wins. Default: proceed.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub action: Option<GateAction>,
}

/// What an option of your own gate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GateAction {
    /// Go on.
    #[default]
    Proceed,
    /// The voters' concerns become issues of a fix round.
    Fix,
    /// A person is asked.
    Escalate,
}

/// When your own gate is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GateWhen {
    /// Before the first component.
    Before,
    /// After the final validation.
    #[default]
    After,
}

/// A file that any component may change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedFile {
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// The file, or a glob, counted from the work directory.
    pub path: String,
    /// The command that makes it anew; runs on a conflict instead of an agent.
    #[serde(default, deserialize_with = "optional", skip_serializing_if = "Option::is_none")]
    pub regenerate: Option<Text>,
}

impl SharedFile {
    /// Files that package managers write, whichever component made them do it.
    pub const LOCK_FILES: [&str; 15] = [
        "Cargo.lock",
        "Gemfile.lock",
        "Pipfile.lock",
        "Podfile.lock",
        "bun.lock",
        "bun.lockb",
        "composer.lock",
        "flake.lock",
        "go.sum",
        "mix.lock",
        "package-lock.json",
        "pnpm-lock.yaml",
        "poetry.lock",
        "uv.lock",
        "yarn.lock",
    ];
}

impl From<Text> for SharedFile {
    fn from(path: Text) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}

/// An untracked file to bring along into worktrees.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyFile {
    /// Anything; read over.
    #[serde(rename = "$comment", default, skip_serializing)]
    pub comment: Comment,
    /// The file, counted from the work directory.
    pub path: String,
    /// Whether agents may read it too; without it only checks may.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "std::ops::Not::not")]
    pub agent: bool,
}

impl From<Text> for CopyFile {
    fn from(path: Text) -> Self {
        Self { path: path.into(), ..Self::default() }
    }
}
