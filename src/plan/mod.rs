//! What we intend: the manifest resolved against settings. Immutable for the length of a run.

pub mod export;
mod gates;
pub mod graph;
pub mod resolve;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::ids::{ComponentId, Digest, Step};
use graph::{Graph, Index};

/// Index of a check in [`Plan::checks`].
pub type CheckIndex = u32;

/// Everything the lifecycle needs to know about a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The spec, as `project/name-hash`.
    pub spec: String,
    /// The mode, for people and prompts; what it means for the schedule is in [`Plan::schedule`].
    pub mode: Mode,
    /// Who may start when.
    pub schedule: Schedule,
    /// All components, in manifest order.
    pub components: Vec<ComponentPlan>,
    /// How they depend on each other.
    pub graph: Graph,
    /// All check commands, each once.
    pub checks: Vec<CheckPlan>,
    /// What runs when a level is done.
    pub level_checks: Vec<CheckIndex>,
    /// What runs at the end, on the whole.
    pub final_checks: Vec<CheckIndex>,
    /// What must hold on the untouched base, before any agent starts.
    pub baseline: Vec<CheckIndex>,
    /// How many reviewers judge a component's work and the whole.
    pub reviewers: u8,
    /// The votes to be held on the whole, in order.
    pub gates: Vec<GatePlan>,
    /// The vote on how to go on when the same issue comes again.
    pub strategy: GatePlan,
    /// Digest of the check sets of the run itself.
    pub run_checks: Digest,
    /// Limits and budgets.
    pub policy: Policy,
    /// Whether all components work in one tree: then checks wait until no writer runs (and writers until no check does).
    pub one_tree: bool,
    /// Only these components are worked on; none: all.
    pub only: Option<HashSet<Index>>,
    by_id: HashMap<ComponentId, Index>,
    by_name: HashMap<Arc<str>, CheckIndex>,
}

/// How thoroughly a run works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Implement, then one validation of the whole.
    Quick,
    /// Level by level, each component validated.
    Standard,
    /// One component at a time, validated after every step.
    Full,
}

impl Mode {
    /// As the manifest spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Full => "full",
        }
    }

    /// The mode of that spelling.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Quick, Self::Standard, Self::Full].into_iter().find(|mode| mode.as_str() == name)
    }
}

/// Who may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Schedule {
    /// Each component the moment its dependencies are done.
    Free,
    /// Level by level.
    Levels,
    /// One component at a time.
    Serial,
}

/// One part of a component's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leg {
    /// An agent step.
    Step(Step),
    /// A validation without commands (after a skeleton: change checks and interface reviewers).
    Light,
    /// A validation with the component's commands.
    Validate,
}

/// A component as it will be worked on.
#[derive(Debug, Clone)]
pub struct ComponentPlan {
    /// Its id.
    pub id: ComponentId,
    /// Whether it goes without a skeleton (complexity low, or quick mode).
    pub plain: bool,
    /// The checks of its validation.
    pub checks: Vec<CheckIndex>,
    /// Digest of what makes a revise step necessary when it changes.
    pub input: Digest,
    /// Digest of what makes a new validation necessary when it changes.
    pub check_set: Digest,
    /// Components that must not write at the same time, since their write sets overlap.
    pub conflicts: Vec<Index>,
}

/// A check command, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPlan {
    /// Unique within the plan.
    pub name: Arc<str>,
    /// The command line, for `sh -c`.
    pub run: String,
    /// Where, relative to the work directory.
    pub dir: Option<String>,
    /// Added to the environment.
    pub env: Vec<(String, String)>,
    /// How long it may take.
    pub timeout: Duration,
    /// The JUnit file that it writes, relative to the work directory.
    pub junit: Option<String>,
    /// Checks with the same lock never run together.
    pub lock: Option<Arc<str>>,
    /// Whether it runs tests, so that a run of zero tests proves nothing.
    pub tests: bool,
}

/// A vote on a closed set of options.
#[derive(Debug, Clone, PartialEq)]
pub struct GatePlan {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it is held before the first component begins, or after the final validation.
    pub before: bool,
    /// What the voters are asked.
    pub question: String,
    /// What they choose from.
    pub options: Vec<OptionPlan>,
    /// How many vote.
    pub voters: u8,
    /// The share of the weight that decides.
    pub threshold: f64,
    /// The voters' models, in turn; empty: the usual one.
    pub models: Vec<String>,
}

/// One option of a vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionPlan {
    /// As voters spell it.
    pub name: Arc<str>,
    /// What it does.
    pub act: GateAct,
    /// What it does, for the voters.
    pub meaning: String,
}

/// What an option of a gate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GateAct {
    /// The run goes on.
    Proceed,
    /// The run goes on, and every prompt says what was decided.
    Decide,
    /// The voters' concerns become issues of a fix round.
    Fix,
    /// A person is asked.
    Escalate,
    /// The next fix follows the voters' reasons.
    FixInPlace,
    /// Back to before the implementation, which is made anew in another way.
    Refactor,
}

/// Limits and budgets.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Agents at once.
    pub jobs: u32,
    /// Checks at once.
    pub check_jobs: u32,
    /// Counted fix attempts until a person is asked.
    pub max_fix_attempts: u32,
    /// How often the same issue may be found before a vote.
    pub same_issue_threshold: u32,
    /// Whether what was red before any work was done, and can be told by name, blocks nothing.
    pub inherit_red: bool,
    /// US dollars for the run.
    pub budget_usd: Option<f64>,
    /// End instead of waiting for a usage window.
    pub no_wait: bool,
    /// Start nothing more after the first failure.
    pub fail_fast: bool,
    /// Wall limit of an agent step.
    pub step_timeout: Duration,
    /// Silence limit of an agent step.
    pub idle_timeout: Duration,
    /// Digest of what commands run in: variables, and what prepares a worktree.
    pub environment: Digest,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            jobs: 4,
            check_jobs: 2,
            max_fix_attempts: 3,
            same_issue_threshold: 2,
            inherit_red: false,
            budget_usd: None,
            no_wait: false,
            fail_fast: false,
            step_timeout: Duration::from_secs(30 * 60),
            idle_timeout: Duration::from_secs(10 * 60),
            environment: Digest::default(),
        }
    }
}

impl GatePlan {
    /// What an option does, if the gate has it.
    pub fn act(&self, option: &str) -> Option<GateAct> {
        self.options.iter().find(|known| &*known.name == option).map(|known| known.act)
    }
}

/// What a plan is made of; [`Plan::new`] adds the graph and the index.
#[derive(Debug, Clone)]
pub struct Parts {
    /// See [`Plan::spec`].
    pub spec: String,
    /// See [`Plan::mode`].
    pub mode: Mode,
    /// See [`Plan::schedule`].
    pub schedule: Schedule,
    /// See [`Plan::components`].
    pub components: Vec<ComponentPlan>,
    /// For each component, what it depends on.
    pub dependencies: Vec<Vec<Index>>,
    /// See [`Plan::checks`].
    pub checks: Vec<CheckPlan>,
    /// See [`Plan::level_checks`].
    pub level_checks: Vec<CheckIndex>,
    /// See [`Plan::final_checks`].
    pub final_checks: Vec<CheckIndex>,
    /// See [`Plan::baseline`].
    pub baseline: Vec<CheckIndex>,
    /// See [`Plan::reviewers`].
    pub reviewers: u8,
    /// See [`Plan::gates`].
    pub gates: Vec<GatePlan>,
    /// See [`Plan::strategy`].
    pub strategy: GatePlan,
    /// See [`Plan::policy`].
    pub policy: Policy,
    /// See [`Plan::one_tree`].
    pub one_tree: bool,
    /// See [`Plan::only`].
    pub only: Option<HashSet<Index>>,
}

impl Plan {
    /// Builds the plan.
    ///
    /// # Errors
    /// [`graph::Cyclic`] when the dependencies have a cycle.
    pub fn new(parts: Parts) -> Result<Self, graph::Cyclic> {
        let graph = Graph::new(&parts.dependencies)?;
        let by_id = parts.components.iter().enumerate().map(|(at, c)| (c.id.clone(), at as Index)).collect();
        let by_name = parts.checks.iter().enumerate().map(|(at, c)| (c.name.clone(), at as CheckIndex)).collect();
        let run_checks = check_set_digest(&parts.checks, parts.level_checks.iter().chain(&parts.final_checks));
        Ok(Self {
            spec: parts.spec,
            mode: parts.mode,
            schedule: parts.schedule,
            components: parts.components,
            graph,
            checks: parts.checks,
            level_checks: parts.level_checks,
            final_checks: parts.final_checks,
            baseline: parts.baseline,
            reviewers: parts.reviewers,
            gates: parts.gates,
            strategy: parts.strategy,
            run_checks,
            policy: parts.policy,
            one_tree: parts.one_tree,
            only: parts.only,
            by_id,
            by_name,
        })
    }

    /// The index of a component, if the manifest has it.
    pub fn index(&self, id: &ComponentId) -> Option<Index> {
        self.by_id.get(id).copied()
    }

    /// The component at an index.
    pub fn component(&self, at: Index) -> &ComponentPlan {
        &self.components[at as usize]
    }

    /// The check at an index.
    pub fn check(&self, at: CheckIndex) -> &CheckPlan {
        &self.checks[at as usize]
    }

    /// The check of a name, if the manifest still has it.
    pub fn check_named(&self, name: &str) -> Option<CheckIndex> {
        self.by_name.get(name).copied()
    }

    /// What the untouched base is judged by: its checks, and what they run in. (Its commit stays the same for all runs.)
    pub fn base_set(&self) -> Digest {
        let parts = [self.run_checks, self.policy.environment].map(|digest| digest.to_string());
        Digest::of_parts(&parts.each_ref().map(|part| part.as_bytes()))
    }

    /// The way of a component, leg by leg.
    pub fn legs(&self, at: Index) -> &'static [Leg] {
        const QUICK: &[Leg] = &[Leg::Step(Step::Implement)];
        const PLAIN: &[Leg] = &[Leg::Step(Step::Implement), Leg::Validate];
        const STANDARD: &[Leg] = &[Leg::Step(Step::Skeleton), Leg::Step(Step::Implement), Leg::Validate];
        const FULL: &[Leg] = &[Leg::Step(Step::Skeleton), Leg::Light, Leg::Step(Step::Implement), Leg::Validate];
        match (self.mode, self.component(at).plain) {
            (Mode::Quick, _) => QUICK,
            (Mode::Standard | Mode::Full, true) => PLAIN,
            (Mode::Standard, false) => STANDARD,
            (Mode::Full, false) => FULL,
        }
    }

    /// The gate of a name, the one on how to mend included.
    pub fn gate(&self, name: &str) -> Option<&GatePlan> {
        self.gates.iter().chain([&self.strategy]).find(|gate| &*gate.name == name)
    }

    /// Whether this run works on a component.
    pub fn selected(&self, at: Index) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&at))
    }
}

/// The digest of a set of checks: everything that decides what they would say about the same tree.
pub fn check_set_digest<'a>(checks: &[CheckPlan], set: impl Iterator<Item = &'a CheckIndex>) -> Digest {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for &at in set {
        let check = &checks[at as usize];
        let mut text =
            format!("{}\0{}\0{:?}\0{:?}", check.run, check.dir.as_deref().unwrap_or(""), check.junit, check.tests);
        for (key, value) in &check.env {
            text.push_str(&format!("\0{key}={value}"));
        }
        parts.push(text.into_bytes());
    }
    let borrowed: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Digest::of_parts(&borrowed)
}
