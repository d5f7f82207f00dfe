//! A spec whose manifest need not be valid yet: only what says whose it is and where it works.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::{Map, Value};

use crate::agent::AgentEnv;
use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::settings::{Layer, Origin, Settings};
use crate::executor::Models;
use crate::fsx;
use crate::journal::SpecPaths;
use crate::spec::catalog::Entry;
use crate::spec::load::{self, MANIFEST, MAX_BYTES};
use crate::spec::manifest::{AgentSection, Manifest};
use crate::text::printable;

/// A spec before its formalization.
pub struct Unplanned {
    /// `project/name-hash`.
    pub reference: String,
    /// What a command calls it by.
    pub called: String,
    /// Where its files are.
    pub paths: SpecPaths,
    /// The text of its manifest.
    pub text: String,
    /// The same as JSON.
    pub base: Map<String, Value>,
    /// The code that is worked on.
    pub work_dir: PathBuf,
    /// What holds for it.
    pub settings: Settings,
    agent: AgentSection,
}

impl Unplanned {
    /// Reads what is there.
    ///
    /// # Errors
    /// The manifest is no JSON object or names no work directory (65), or that is not there (7).
    pub fn read(app: &App, entry: &Entry, args: &args::Formalize) -> Result<Self, CliError> {
        let manifest = entry.path.join(MANIFEST);
        let shown = manifest.to_string_lossy().into_owned();
        let unfit = |why: String| {
            let message = format!("`{}` {why}", printable(&shown));
            CliError::new(ExitStatus::InvalidSpec, anyhow!(message))
                .hint("it must say `name`, `project` and `work_dir`; `cco new` makes one")
        };
        let bytes = fsx::read_regular(&manifest, MAX_BYTES).map_err(CliError::environment)?;
        let text = String::from_utf8(bytes).map_err(|_| unfit("is not UTF-8".to_owned()))?;
        let base: Map<String, Value> =
            serde_json::from_str(&text).map_err(|error| unfit(format!("is not a JSON object: {error}")))?;
        let named = |key: &str| base.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        for key in ["name", "project"] {
            named(key).ok_or_else(|| unfit(format!("has no text `{key}`")))?;
        }
        let work_dir = named("work_dir").ok_or_else(|| unfit("has no text `work_dir`".to_owned()))?;
        let work_dir = load::resolve_work_dir(&entry.path, work_dir, app.environment.home.as_deref());
        if !work_dir.is_dir() {
            let error = anyhow!("the work directory `{}` does not exist", work_dir.display());
            return Err(CliError::environment(error).hint("create it, or correct `work_dir`"));
        }
        let typed = Manifest::from_json(&text).ok();
        let mut layers = app.layers.clone();
        layers.add_project(&work_dir)?;
        if let Some(manifest) = &typed {
            layers.add(Origin::Manifest, Layer::from_manifest(manifest))?;
        }
        let flags = Layer { agent: args.agent.clone(), budget_usd: args.budget_usd, ..Layer::default() };
        layers.add(Origin::Flag, flags)?;
        Ok(Self {
            reference: entry.reference(),
            called: app.called(entry)?,
            paths: SpecPaths::new(&entry.path),
            text,
            base,
            work_dir,
            settings: layers.resolve(),
            agent: typed.map(|manifest| manifest.agent).unwrap_or_default(),
        })
    }

    /// The environments of its processes.
    pub fn environment(&self, app: &App) -> AgentEnv {
        let vars = app.environment.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
        AgentEnv::new(vars, &self.agent.env, Duration::ZERO)
    }

    /// Which model does what: what is judged and drafted here decides about all that follows, so it is the strong one.
    pub fn models(&self) -> Models {
        let own = |setting: &Option<String>, default: &str| setting.clone().unwrap_or_else(|| default.to_owned());
        Models {
            usual: own(&self.settings.model.value, self.agent.model()),
            strong: own(&self.settings.strong_model.value, self.agent.strong_model()),
            roles: self.settings.models.value.clone().unwrap_or_default(),
            ..Models::default()
        }
    }

    /// The git ref at which a run would begin.
    pub fn git_base(&self) -> Option<String> {
        let base = self.base.get("execution")?.get("base")?.as_str()?;
        Some(base.to_owned()).filter(|base| !base.is_empty())
    }
}
