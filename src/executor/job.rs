//! Everything a run works with, resolved once.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::bench::Bench;
use super::common::Common;
use super::owners::Owners;
use crate::agent::{AgentEnv, AgentProgram, LiveSink, Prompts};
use crate::context::specification::Specification;
use crate::ids::{AttemptId, ComponentId, Digest, Step, Subject};
use crate::journal::SpecPaths;
use crate::plan::Plan;
use crate::plan::graph::Index;
use crate::process::Supervisor;
use crate::redact::Redactor;
use crate::spec::manifest::{ComponentDef, Manifest};
use crate::tree::Home;

/// A run's surroundings: shared by all its tasks, changed by none.
pub struct Job {
    /// What is to be done.
    pub plan: Arc<Plan>,
    /// What the user wrote.
    pub manifest: Arc<Manifest>,
    /// SPEC.md.
    pub specification: Specification,
    /// The user's part of CONTEXT.md.
    pub context: String,
    /// Where the spec's files are.
    pub paths: SpecPaths,
    /// The user's own directory.
    pub work_dir: PathBuf,
    /// Where components work.
    pub tree: Home,
    /// What is known of the work directory, where all share it.
    pub common: Option<Arc<Common>>,
    /// The agent.
    pub program: AgentProgram,
    /// The environments of agents and checks.
    pub env: AgentEnv,
    /// The prompts.
    pub prompts: Prompts,
    /// Which model does what.
    pub models: Models,
    /// Permission rules of writers, beyond what every writer gets.
    pub allow: Vec<String>,
    /// Whether writers are asked for nothing at all.
    pub bypass_permissions: bool,
    /// How many agents may be between their start and their first output; not 0.
    pub boots: usize,
    /// Who knows all children.
    pub supervisor: Arc<Supervisor>,
    /// Whose the files are; made when it is first asked, which it is only where there is git.
    pub owners: OnceLock<Owners>,
    /// The files that commands of checks name, as far as that can be told.
    pub scripts: Vec<String>,
    /// Where the integration branch is, as far as cco knows.
    pub tips: Tips,
    /// Where running agents report to.
    pub live: LiveSink,
    /// What must not be told of what processes say.
    pub redactor: Arc<Redactor>,
}

impl Job {
    /// The definition of a component.
    pub fn definition(&self, id: &ComponentId) -> Option<&ComponentDef> {
        self.plan.index(id).map(|at| &self.manifest.components[at as usize])
    }

    /// Whose the files are.
    pub fn owners(&self) -> &Owners {
        self.owners.get_or_init(|| Owners::new(&self.manifest))
    }

    /// The files that were given to anybody whose files are a subject's: of the run itself those are all.
    pub fn granted_within(&self, on: &Subject) -> Vec<String> {
        match on {
            Subject::Component(_) => self.granted_to(on),
            Subject::Run => self.owners.get().map_or_else(Vec::new, Owners::granted),
        }
    }

    /// The files that were given to a subject beside its write set.
    pub fn granted_to(&self, on: &Subject) -> Vec<String> {
        let run = self.plan.components.len() as Index;
        // Nobody was given any before somebody asked, and then they are made.
        self.owners.get().map_or_else(Vec::new, |owners| owners.granted_to(self.index_of(on).unwrap_or(run)))
    }

    /// The index of a component; none for the run itself.
    pub fn index_of(&self, on: &Subject) -> Option<Index> {
        match on {
            Subject::Component(id) => self.plan.index(id),
            Subject::Run => None,
        }
    }

    /// The definition behind a subject; none for the run itself.
    pub fn definition_of(&self, on: &Subject) -> Option<&ComponentDef> {
        match on {
            Subject::Component(id) => self.definition(id),
            Subject::Run => None,
        }
    }

    /// The digest of what a component's work is made from; none of the run itself.
    pub fn input_of(&self, on: &Subject) -> Option<Digest> {
        self.index_of(on).map(|at| self.plan.component(at).input)
    }

    /// A component's context file, which is the user's where it was named.
    pub fn context_file(&self, definition: &ComponentDef) -> PathBuf {
        match &definition.context_file {
            Some(named) => self.paths.dir().join(named),
            None => self.paths.component_md(&definition.id),
        }
    }

    /// The variables that tell a check or an agent whose it is.
    pub fn names(&self, attempt: &AttemptId) -> Vec<(OsString, OsString)> {
        names(&self.plan, &attempt.on)
    }

    /// Where commands of the manifest run for an attempt.
    pub fn bench(&self, attempt: &AttemptId) -> Bench<'_> {
        Bench {
            execution: &self.manifest.execution,
            work_dir: &self.work_dir,
            env: &self.env.check,
            names: self.names(attempt),
            logs: self.paths.runs(),
            supervisor: &self.supervisor,
            redactor: &self.redactor,
        }
    }
}

/// The variables that tell a command whose it is.
pub fn names(plan: &Plan, on: &Subject) -> Vec<(OsString, OsString)> {
    /// The first port of the first block; each subject has a block of 20 of its own.
    const FIRST_PORT: u32 = 20_000;
    const BLOCK: u32 = 20;
    /// Blocks until they repeat: ports end at 65,535.
    const BLOCKS: u32 = 2_000;
    let slot = match on {
        Subject::Component(id) => plan.index(id).unwrap_or(0) + 1,
        Subject::Run => 0,
    };
    let port = FIRST_PORT + (slot % BLOCKS) * BLOCK;
    [("CCO_COMPONENT", on.to_string()), ("CCO_SLOT", slot.to_string()), ("CCO_PORT", port.to_string())]
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec()
}

/// The commit of the integration branch as cco left or found it: where it is now without cco, somebody else moved it.
#[derive(Debug, Default)]
pub struct Tips(Mutex<Option<String>>);

impl Tips {
    /// Begins with the commit that is there when nobody works; none without git.
    pub fn new(tip: Option<String>) -> Self {
        Self(Mutex::new(tip))
    }

    /// The commit, for whoever is about to look at the branch or to add to it.
    pub fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which model does what.
#[derive(Debug, Clone, Default)]
pub struct Models {
    /// Of ordinary steps.
    pub usual: String,
    /// Of steps that need more.
    pub strong: String,
    /// Of single roles, by the role's name.
    pub roles: BTreeMap<String, String>,
    /// Of single components.
    pub components: HashMap<ComponentId, String>,
}

impl Models {
    /// The model of a step. What is named more closely wins; a strong step gets the strong model unless its role has one.
    pub fn of(&self, on: &Subject, step: &Step, strong: bool) -> &str {
        let role = step.to_string();
        let role = role.split(':').next().unwrap_or_default();
        if let Some(model) = self.roles.get(role) {
            return model;
        }
        if strong {
            return &self.strong;
        }
        match on {
            Subject::Component(id) => self.components.get(id).unwrap_or(&self.usual),
            Subject::Run => &self.usual,
        }
    }
}
