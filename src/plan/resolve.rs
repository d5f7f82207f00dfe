//! From the manifest and the user's choices to a plan: which checks, in which order, with which limits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::graph::{Cyclic, Index};
use super::{CheckIndex, CheckPlan, ComponentPlan, Mode, Parts, Plan, Policy, Schedule, check_set_digest, gates};
use crate::ids::{ComponentId, Digest};
use crate::spec::load::Spec;
use crate::spec::manifest::{self, Check, ComponentComplexity, ComponentDef, Manifest, RedBase, When};
use crate::spec::writeset::{WriteSet, overlaps};

/// How long a check may take when it does not say.
const CHECK_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// What the user chose for this run, over what the manifest says. Absent: as the manifest says, else the default.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// The mode.
    pub mode: Option<Mode>,
    /// Agents at once.
    pub jobs: Option<u32>,
    /// How many agents fit into free memory; the default number of jobs is lowered to it.
    pub jobs_that_fit: Option<u32>,
    /// Checks at once.
    pub check_jobs: Option<u32>,
    /// US dollars for the run.
    pub budget_usd: Option<f64>,
    /// Wall limit of an agent step.
    pub step_timeout: Option<Duration>,
    /// Silence limit of an agent step.
    pub idle_timeout: Option<Duration>,
    /// End instead of waiting for a usage window.
    pub no_wait: bool,
    /// Start nothing more after the first failure.
    pub fail_fast: bool,
    /// Only these components.
    pub only: Vec<ComponentId>,
    /// Whether all components work in one tree.
    pub one_tree: bool,
    /// The spec, as `project/name-hash`.
    pub spec: String,
    /// Digest of what commands run in.
    pub environment: Digest,
}

/// Texts beside the manifest that a component's work is made from, as digests: its context file and its part of SPEC.md.
/// Components without an entry have neither.
pub type Inputs = HashMap<ComponentId, Digest>;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The manifest's own rules forbid it; a plan is never made of an unchecked manifest.
    #[error(transparent)]
    Cyclic(#[from] Cyclic),
    /// `--only` names what is not there.
    #[error("the manifest has no component `{id}`{}", near(.nearest))]
    Unknown {
        /// What was named.
        id: ComponentId,
        /// The nearest id that exists.
        nearest: Option<String>,
    },
}

fn near(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |id| format!("\nhelp: did you mean `{id}`?"))
}

/// Makes the plan of a run.
///
/// # Errors
/// See [`ResolveError`].
pub fn resolve(spec: &Spec, choices: &Choices, inputs: &Inputs) -> Result<Plan, ResolveError> {
    let manifest = &spec.manifest;
    let mode = choices.mode.unwrap_or_else(|| mode_of(manifest.execution.mode()));
    let mut table = CheckTable::default();
    let mut sets = CheckSets::of(manifest, mode, &mut table);
    let components: Vec<ComponentPlan> = manifest
        .components
        .iter()
        .zip(sets.components.drain(..))
        .map(|(component, checks)| ComponentPlan {
            id: component.id.clone(),
            plain: component.complexity() == ComponentComplexity::Low,
            input: input_digest(component, inputs.get(&component.id)),
            check_set: check_digest(manifest, mode, &table.checks, &checks),
            conflicts: Vec::new(),
            checks,
        })
        .collect();
    let only = only(manifest, &choices.only)?;
    let mut parts = Parts {
        spec: choices.spec.clone(),
        mode,
        schedule: schedule(mode, manifest.execution.parallel_components),
        components,
        dependencies: spec.dependencies.clone(),
        final_checks: (0..table.checks.len() as CheckIndex).collect(),
        checks: table.checks,
        level_checks: sets.level,
        baseline: sets.invariants,
        reviewers: u8::try_from(manifest.reviewers()).unwrap_or(u8::MAX),
        gates: gates::of_the_whole(manifest, mode),
        strategy: gates::strategy(manifest),
        policy: policy(manifest, mode, choices),
        one_tree: choices.one_tree,
        only,
    };
    if choices.one_tree {
        add_conflicts(manifest, &mut parts.components);
    }
    Ok(Plan::new(parts)?)
}

fn mode_of(mode: manifest::Mode) -> Mode {
    match mode {
        manifest::Mode::Quick => Mode::Quick,
        manifest::Mode::Standard => Mode::Standard,
        manifest::Mode::Full => Mode::Full,
    }
}

fn schedule(mode: Mode, parallel: Option<bool>) -> Schedule {
    match (parallel, mode) {
        (Some(true), _) | (None, Mode::Quick) => Schedule::Free,
        (Some(false), _) | (None, Mode::Full) => Schedule::Serial,
        (None, Mode::Standard) => Schedule::Levels,
    }
}

fn policy(manifest: &Manifest, mode: Mode, choices: &Choices) -> Policy {
    let execution = &manifest.execution;
    let usual = match mode {
        Mode::Quick => 8,
        Mode::Standard => 4,
        Mode::Full => 1,
    };
    let asked = choices.jobs.or_else(|| execution.max_parallel.map(|jobs| jobs.get()));
    let jobs = asked.unwrap_or_else(|| choices.jobs_that_fit.map_or(usual, |fit| usual.min(fit)).max(1));
    let default = Policy::default();
    Policy {
        jobs,
        check_jobs: choices.check_jobs.unwrap_or(default.check_jobs),
        max_fix_attempts: execution.max_fix_attempts(),
        same_issue_threshold: execution.same_issue_threshold(),
        inherit_red: execution.red_base() == RedBase::Inherit,
        budget_usd: choices.budget_usd.or(execution.budget_usd),
        no_wait: choices.no_wait,
        fail_fast: choices.fail_fast,
        step_timeout: choices.step_timeout.or(execution.step_timeout.map(|t| t.0)).unwrap_or(default.step_timeout),
        idle_timeout: choices.idle_timeout.or(execution.idle_timeout.map(|t| t.0)).unwrap_or(default.idle_timeout),
        environment: choices.environment,
    }
}

fn only(manifest: &Manifest, ids: &[ComponentId]) -> Result<Option<HashSet<Index>>, ResolveError> {
    if ids.is_empty() {
        return Ok(None);
    }
    let places: HashMap<&ComponentId, Index> =
        manifest.components.iter().enumerate().map(|(at, component)| (&component.id, at as Index)).collect();
    let find = |id: &ComponentId| {
        places.get(id).copied().ok_or_else(|| {
            let known = manifest.components.iter().map(|component| component.id.as_str());
            let nearest = crate::spec::nearest::nearest(id.as_str(), known).map(str::to_owned);
            ResolveError::Unknown { id: id.clone(), nearest }
        })
    };
    ids.iter().map(find).collect::<Result<HashSet<_>, _>>().map(Some)
}

/// All commands of a plan, each once, however many components name it.
#[derive(Default)]
struct CheckTable {
    checks: Vec<CheckPlan>,
    /// By command line.
    known: HashMap<String, Vec<(Check, CheckIndex)>>,
    names: HashSet<String>,
}

impl CheckTable {
    fn add(&mut self, check: &Check, tests: bool, of: Option<&ComponentDef>) -> CheckIndex {
        if let Some(known) =
            self.known.get(check.run.as_str()).and_then(|same| same.iter().find(|one| is_same(&one.0, check)))
        {
            return known.1;
        }
        let name = self.name(check, of);
        self.checks.push(CheckPlan {
            name: Arc::from(name),
            run: check.run.as_str().to_owned(),
            dir: check.dir.clone(),
            env: check.env.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            timeout: check.timeout.map_or(CHECK_TIMEOUT, |timeout| timeout.0),
            junit: check.junit.clone(),
            lock: check.lock.as_deref().map(Arc::from),
            tests,
        });
        let index = (self.checks.len() - 1) as CheckIndex;
        self.known.entry(check.run.as_str().to_owned()).or_default().push((check.clone(), index));
        index
    }

    /// A name that no other command has: the given one, else the first words of the command.
    fn name(&mut self, check: &Check, of: Option<&ComponentDef>) -> String {
        let wanted = match &check.name {
            Some(name) => safe(name),
            None => safe(&check.run.as_str().split_whitespace().take(3).collect::<Vec<_>>().join("-")),
        };
        let scoped = of.map(|component| format!("{}.{wanted}", component.id));
        let numbered = (2..).map(|n| format!("{wanted}-{n}"));
        let name = std::iter::once(wanted.clone())
            .chain(scoped)
            .chain(numbered)
            .find(|name| !self.names.contains(name))
            .expect("there are infinitely many numbers");
        self.names.insert(name.clone());
        name
    }
}

/// A component's command that asks for the component's name means that one also where the whole is validated, and is
/// another command than that of its neighbour with the same words.
fn about(component: &ComponentDef, check: &Check) -> Check {
    const NAME: &str = "CCO_COMPONENT";
    let mut check = check.clone();
    if check.run.contains(NAME) {
        check.env.entry(NAME.to_owned()).or_insert_with(|| component.id.to_string());
    }
    check
}

/// The coverage command with the percentage that it must reach: only the command can tell what it measured.
fn measuring(coverage: &Check, target: u32) -> Check {
    let mut check = coverage.clone();
    check.env.entry("CCO_COVERAGE_TARGET".to_owned()).or_insert_with(|| target.to_string());
    check
}

/// Whether two entries mean one command: `when` says where it belongs, not what it is.
fn is_same(one: &Check, other: &Check) -> bool {
    Check { when: other.when, ..one.clone() } == *other
}

/// A name that is safe in file names and marks.
fn safe(text: &str) -> String {
    const LENGTH: usize = 40;
    let mapped: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' }).collect();
    let trimmed = mapped.trim_matches(['-', '.']);
    let short: String = trimmed.chars().take(LENGTH).collect();
    let short = short.trim_end_matches(['-', '.']);
    if short.is_empty() { "check".to_owned() } else { short.to_owned() }
}

/// Which commands run when.
struct CheckSets {
    components: Vec<Vec<CheckIndex>>,
    level: Vec<CheckIndex>,
    /// Lint and tests, which hold on the untouched base too.
    invariants: Vec<CheckIndex>,
}

impl CheckSets {
    fn of(manifest: &Manifest, mode: Mode, table: &mut CheckTable) -> Self {
        let quality = &manifest.quality;
        let lint = quality.lint_command.as_ref().filter(|_| quality.lint_required()).map(|c| table.add(c, false, None));
        let lint_when = quality.lint_command.as_ref().and_then(|check| check.when).unwrap_or(When::Component);
        let tests = quality.test_command.as_ref().map(|check| table.add(check, true, None));
        let tests_when = quality.test_command.as_ref().and_then(|check| check.when);
        let mut level: Vec<CheckIndex> = Vec::new();
        let mut components = Vec::with_capacity(manifest.components.len());
        for component in &manifest.components {
            let mut own: Vec<CheckIndex> = lint.filter(|_| lint_when == When::Component).into_iter().collect();
            for check in &component.checks {
                let index = table.add(&about(component, check), false, Some(component));
                match check.when.unwrap_or(When::Component) {
                    When::Component => push_new(&mut own, index),
                    When::Level => push_new(&mut level, index),
                    When::End => {}
                }
            }
            if let Some(tests) = tests {
                let usual = if component.checks.is_empty() { When::Component } else { When::Level };
                match tests_when.unwrap_or(usual) {
                    When::Component => push_new(&mut own, tests),
                    When::Level => push_new(&mut level, tests),
                    When::End => {}
                }
            }
            components.push(own);
        }
        if lint_when == When::Level {
            level.extend(lint.filter(|lint| !level.contains(lint)));
        }
        let coverage = quality.coverage_command.as_ref().map(|check| measuring(check, quality.coverage_target()));
        for check in [&coverage, &manifest.validation_command].into_iter().flatten() {
            add_end(table, check, &mut level);
        }
        if let Some(check) = quality.security_command.as_ref().filter(|_| quality.security_scan()) {
            add_end(table, check, &mut level);
        }
        if mode == Mode::Full {
            // One component at a time has no levels: what would run at the end of one runs after each component.
            components.iter_mut().for_each(|own| level.iter().for_each(|&check| push_new(own, check)));
        }
        let invariants = lint.into_iter().chain(tests).collect();
        Self { components, level, invariants }
    }
}

/// A command of the whole: at the end, unless it says otherwise.
fn add_end(table: &mut CheckTable, check: &Check, level: &mut Vec<CheckIndex>) {
    let index = table.add(check, false, None);
    match check.when.unwrap_or(When::End) {
        When::Component | When::Level => push_new(level, index),
        When::End => {}
    }
}

fn push_new(list: &mut Vec<CheckIndex>, index: CheckIndex) {
    if !list.contains(&index) {
        list.push(index);
    }
}

/// Everything that a component's work is made from.
fn input_digest(component: &ComponentDef, beside: Option<&Digest>) -> Digest {
    let beside = beside.map(ToString::to_string).unwrap_or_default();
    let complexity = format!("{:?}", component.complexity());
    let lists = [&component.files, &component.depends_on, &component.tests, &component.protected];
    let counts: Vec<[u8; 8]> = lists.iter().map(|list| (list.len() as u64).to_le_bytes()).collect();
    let mut parts: Vec<&[u8]> = vec![
        component.id.as_str().as_bytes(),
        component.file.as_deref().unwrap_or_default().as_bytes(),
        component.purpose.as_ref().map_or("", |text| text.as_str()).as_bytes(),
        component.notes.as_ref().map_or("", |text| text.as_str()).as_bytes(),
        complexity.as_bytes(),
        beside.as_bytes(),
    ];
    for (list, count) in lists.iter().zip(&counts) {
        parts.push(count);
        parts.extend(list.iter().map(|text| text.as_bytes()));
    }
    Digest::of_parts(&parts)
}

/// Everything that decides whether a component passes.
fn check_digest(manifest: &Manifest, mode: Mode, checks: &[CheckPlan], set: &[CheckIndex]) -> Digest {
    let commands = check_set_digest(checks, set.iter()).to_string();
    let rest = format!("{} {:?} {}", mode.as_str(), manifest.risk(), manifest.reviewers());
    Digest::of_parts(&[commands.as_bytes(), rest.as_bytes()])
}

/// Components whose write sets meet never write at the same time in a common tree.
fn add_conflicts(manifest: &Manifest, components: &mut [ComponentPlan]) {
    let sets: Vec<WriteSet> = manifest
        .components
        .iter()
        .map(|component| WriteSet::new(component.write_patterns()).unwrap_or_else(|_| everything()))
        .collect();
    for overlap in overlaps(&sets) {
        for &one in &overlap.sets {
            let others = overlap.sets.iter().filter(|&&other| other != one).map(|&other| other as Index);
            let conflicts = &mut components[one].conflicts;
            conflicts.extend(others);
            conflicts.sort_unstable();
            conflicts.dedup();
        }
    }
}

/// The set of a component whose patterns the rules would have refused: it meets every other.
fn everything() -> WriteSet {
    WriteSet::new(["**"]).expect("a valid glob")
}
