//! What the user set, and where: user config, project config, manifest, environment, flags; the later wins.
//!
//! The environment is read here and nowhere else: [`Environment`] is a snapshot that is handed down.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Serialize};

use super::args::{self, Color};
use super::error::{CliError, ExitStatus};
use super::output::Terminals;
use crate::fsx;
use crate::spec::forms::{Bounded, HumanDuration};
use crate::spec::manifest::{Isolation, Manifest, Mode};

/// The file name of a project's own settings, in its work directory.
pub const PROJECT_FILE: &str = ".cco.toml";

/// What the process was given: read once, then passed down as data.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The current directory.
    pub cwd: PathBuf,
    /// The user's home directory.
    pub home: Option<PathBuf>,
    /// All environment variables.
    pub vars: BTreeMap<OsString, OsString>,
    /// Which of the three streams are terminals.
    pub terminals: Terminals,
    /// When the program began.
    pub started: Timestamp,
}

impl Environment {
    /// Takes the snapshot.
    ///
    /// # Errors
    /// The current directory cannot be told (it was removed, or may not be read).
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn snapshot() -> Result<Self, CliError> {
        let cwd = std::env::current_dir().context("cannot tell the current directory");
        Ok(Self {
            cwd: cwd.map_err(|error| CliError::environment(error).hint("change to a directory that exists"))?,
            // A relative one would move with the current directory.
            home: dirs::home_dir().filter(|home| home.is_absolute()),
            vars: std::env::vars_os().collect(),
            terminals: Terminals::detect(),
            started: Timestamp::now(),
        })
    }

    /// A variable's value; an empty one counts as not set.
    pub fn var(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The user's config file, which need not exist.
    pub fn config_file(&self) -> Option<PathBuf> {
        Some(self.xdg("XDG_CONFIG_HOME", ".config")?.join("cco/config.toml"))
    }

    /// Where cco keeps what is no part of a spec, such as worktrees.
    pub fn state_dir(&self) -> Option<PathBuf> {
        Some(self.xdg("XDG_STATE_HOME", ".local/state")?.join("cco"))
    }

    /// `path` with a leading `~` replaced by the home directory, counted from `base` if it is relative.
    pub fn expand(&self, path: &Path, base: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            // Collected by components, so that messages show no `/./`.
            _ => base.join(path).components().collect(),
        }
    }

    /// A base directory; the standard says that a relative one is to be ignored.
    fn xdg(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        let set = self.var(name).map(PathBuf::from).filter(|path| path.is_absolute());
        set.or_else(|| Some(self.home.as_ref()?.join(below_home)))
    }
}

/// Where a value came from, weakest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The user's config file.
    User(PathBuf),
    /// The work directory's [`PROJECT_FILE`].
    Project(PathBuf),
    /// The manifest.
    Manifest,
    /// A `CCO_*` variable.
    Environment,
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::User(path) | Self::Project(path) => write!(f, "`{}`", path.display()),
            Self::Manifest => f.write_str("manifest"),
            Self::Environment => f.write_str("environment"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// One setting: its value, if anybody set one, and who did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting<T> {
    /// The value; absent: the default of whoever uses it.
    pub value: Option<T>,
    /// Who set it.
    pub origin: Origin,
}

/// One line of what `doctor` shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The setting's name, as in the config files.
    pub name: &'static str,
    /// The environment variable that sets it.
    pub variable: &'static str,
    /// The value; null: the default.
    pub value: serde_json::Value,
    /// Who set it.
    pub origin: Origin,
}

/// Makes the three forms of the one table of settings below: what one place may set, what holds, and the rows to show.
macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $variable:literal;)*) => {
        /// What one place sets.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Layer {
            $($(#[$doc])* pub $name: Option<$type>,)*
        }

        /// What holds.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $($(#[$doc])* pub $name: Setting<$type>,)*
        }

        impl Layer {
            /// What the `CCO_*` variables set.
            fn from_environment(environment: &Environment) -> Result<Self, CliError> {
                Ok(Self { $($name: parse_variable(environment, $variable)?,)* })
            }
        }

        impl Layers {
            /// Takes each setting from the strongest place that has it.
            pub fn resolve(&self) -> Settings {
                Settings { $($name: self.strongest(|layer| layer.$name.clone()),)* }
            }
        }

        impl Settings {
            /// Every setting with its value and origin.
            pub fn rows(&self) -> Vec<Row> {
                vec![$(Row {
                    name: stringify!($name),
                    variable: $variable,
                    value: serde_json::to_value(&self.$name.value).unwrap_or_default(),
                    origin: self.$name.origin.clone(),
                },)*]
            }
        }
    };
}

settings! {
    /// Root of the spec store.
    store: PathBuf = "CCO_STORE";
    /// When to use colours.
    color: Color = "CCO_COLOR";
    /// The agent's program: `claude`, `sim`, or a path.
    agent: String = "CCO_CLAUDE";
    /// The model of ordinary steps.
    model: String = "CCO_MODEL";
    /// The model of steps that need more.
    strong_model: String = "CCO_STRONG_MODEL";
    /// The model of single roles, by the role's name.
    models: BTreeMap<String, String> = "CCO_MODELS";
    /// How many agents run at once, at most: 1 to 256.
    jobs: u32 = "CCO_JOBS";
    /// How thorough a run is.
    mode: Mode = "CCO_MODE";
    /// Where components work.
    isolation: Isolation = "CCO_ISOLATION";
    /// What a run may cost, in US dollars.
    budget_usd: f64 = "CCO_BUDGET_USD";
    /// The longest that one step may take.
    step_timeout: HumanDuration = "CCO_STEP_TIMEOUT";
    /// The longest that an agent may be silent.
    idle_timeout: HumanDuration = "CCO_IDLE_TIMEOUT";
    /// The command that is told about escalations and the end.
    notify: String = "CCO_NOTIFY";
    /// Let agents do anything without asking. Only the user's own config file may say so.
    bypass_permissions: bool = "CCO_BYPASS_PERMISSIONS";
}

impl Layer {
    /// Reads a config file; one that does not exist sets nothing.
    fn from_file(path: &Path) -> Result<Self, CliError> {
        let text = match fsx::read_text(path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(error) => return Err(CliError::environment(error)),
        };
        toml::from_str(&text).map_err(|error| {
            let line =
                error.span().map_or(1, |span| 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count());
            invalid(anyhow!("{}", error.message().trim_end()).context(format!("`{}`, line {line}", path.display())))
        })
    }

    /// What a manifest sets.
    pub fn from_manifest(manifest: &Manifest) -> Self {
        let (execution, agent) = (&manifest.execution, &manifest.agent);
        Self {
            agent: agent.command.clone(),
            model: agent.model.clone(),
            strong_model: agent.strong_model.clone(),
            models: (!agent.models.is_empty()).then(|| agent.models.clone()),
            jobs: execution.max_parallel.map(Bounded::get),
            mode: execution.mode,
            isolation: execution.isolation,
            budget_usd: execution.budget_usd,
            step_timeout: execution.step_timeout,
            idle_timeout: execution.idle_timeout,
            ..Self::default()
        }
    }

    /// What the flags of `run` set.
    pub fn from_run(run: &args::Run) -> Self {
        Self {
            agent: run.agent.clone(),
            jobs: run.jobs,
            mode: run.mode,
            isolation: run.isolation,
            budget_usd: run.budget_usd,
            notify: run.notify.clone(),
            ..Self::default()
        }
    }

    /// Refuses values that no place may set.
    fn check(&self, origin: &Origin) -> Result<(), CliError> {
        let wrong = |name: &str, rule: &str| Err(invalid(anyhow!("{origin}: `{name}` {rule}")));
        if self.jobs.is_some_and(|jobs| !(1..=256).contains(&jobs)) {
            return wrong("jobs", "must be between 1 and 256");
        }
        if self.budget_usd.is_some_and(|budget| !(budget.is_finite() && budget > 0.0)) {
            return wrong("budget_usd", "must be a number above 0");
        }
        let timeouts = [("step_timeout", self.step_timeout), ("idle_timeout", self.idle_timeout)];
        if let Some((name, _)) = timeouts.iter().find(|(_, time)| time.is_some_and(|time| time.0.is_zero())) {
            return wrong(name, "must be longer than nothing");
        }
        let bypass = ("bypass_permissions", self.bypass_permissions.is_some());
        let users_alone: &[(&str, bool)] = match origin {
            // It comes with a repository: it must not loosen what protects the user from that.
            Origin::Project(_) => &[("store", self.store.is_some()), ("color", self.color.is_some()), bypass],
            Origin::Environment | Origin::Manifest | Origin::Flag => &[bypass],
            Origin::User(_) | Origin::Default => &[],
        };
        match users_alone.iter().find(|(_, set)| *set) {
            Some((name, _)) => wrong(name, "can be set in your own config file only"),
            None => Ok(()),
        }
    }
}

/// The places that set something, weakest first.
#[derive(Debug, Clone)]
pub struct Layers(Vec<(Origin, Layer)>);

impl Layers {
    /// What is known before a spec is: user config, environment and global flags.
    ///
    /// # Errors
    /// A config file or variable that cannot be read or understood.
    pub fn gather(environment: &Environment, global: &args::Global) -> Result<Self, CliError> {
        let mut layers = Self(Vec::new());
        if let Some(path) = environment.config_file() {
            let mut layer = Layer::from_file(&path)?;
            let base = path.parent().unwrap_or(&environment.cwd);
            layer.store = layer.store.map(|store| environment.expand(&store, base));
            layers.add(Origin::User(path), layer)?;
        }
        let mut variables = Layer::from_environment(environment)?;
        variables.store = variables.store.map(|store| environment.expand(&store, &environment.cwd));
        layers.add(Origin::Environment, variables)?;
        let store = global.store.as_ref().map(|store| environment.expand(store, &environment.cwd));
        layers.add(Origin::Flag, Layer { store, color: global.color, ..Layer::default() })?;
        Ok(layers)
    }

    /// Adds what a work directory's own file sets.
    ///
    /// # Errors
    /// The file cannot be read or understood, or sets what only the user may set.
    pub fn add_project(&mut self, work_dir: &Path) -> Result<(), CliError> {
        let path = work_dir.join(PROJECT_FILE);
        let layer = Layer::from_file(&path)?;
        self.add(Origin::Project(path), layer)
    }

    /// Adds what one more place sets.
    ///
    /// # Errors
    /// A value that is out of bounds, or that this place may not set.
    pub fn add(&mut self, origin: Origin, layer: Layer) -> Result<(), CliError> {
        layer.check(&origin)?;
        self.0.push((origin, layer));
        // Stable: of two layers of one origin the later stays the stronger.
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(())
    }

    fn strongest<T>(&self, get: impl Fn(&Layer) -> Option<T>) -> Setting<T> {
        let found = self.0.iter().rev().find_map(|(origin, layer)| Some((get(layer)?, origin.clone())));
        match found {
            Some((value, origin)) => Setting { value: Some(value), origin },
            None => Setting { value: None, origin: Origin::Default },
        }
    }
}

impl Settings {
    /// The root of the spec store.
    ///
    /// # Errors
    /// Nobody set one and there is no home directory to hold the default.
    pub fn store_root(&self, environment: &Environment) -> Result<PathBuf, CliError> {
        let default = || Some(environment.home.as_ref()?.join(".claude/cc_orchestrations/specs"));
        self.store.value.clone().or_else(default).ok_or_else(|| {
            CliError::environment(anyhow!("there is no home directory to hold the spec store"))
                .hint("set `HOME`, or name the store with `--store DIR`")
        })
    }
}

/// Reads one variable, written as in the config file (texts without quotes).
fn parse_variable<T: for<'de> Deserialize<'de>>(environment: &Environment, name: &str) -> Result<Option<T>, CliError> {
    let Some(value) = environment.var(name) else { return Ok(None) };
    let wrong = |why: String| invalid(anyhow!("environment variable `{name}`: {why}"));
    let text = value.to_str().ok_or_else(|| wrong("is not UTF-8".to_owned()))?;
    let as_text = T::deserialize(text.into_deserializer());
    as_text
        .or_else(|error: serde::de::value::Error| serde_json::from_str(text).map_err(|_| error))
        .map(Some)
        .map_err(|error| wrong(error.to_string()))
}

/// A setting that is wrong is a wrong use of the program.
fn invalid(error: anyhow::Error) -> CliError {
    CliError::new(ExitStatus::Usage, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(model: &str) -> Layer {
        Layer { model: Some(model.to_owned()), ..Layer::default() }
    }

    fn environment(home: &Path) -> Environment {
        Environment { home: Some(home.to_owned()), cwd: home.to_owned(), ..Environment::default() }
    }

    #[test]
    fn the_strongest_place_wins_whatever_the_order() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut layers = Layers::gather(&environment(home.path()), &args::Global::default()).expect("nothing is wrong");
        let places = [
            (Origin::Flag, "flag"),
            (Origin::Environment, "environment"),
            (Origin::User("user".into()), "user"),
            (Origin::Manifest, "manifest"),
            (Origin::Project("project".into()), "project"),
        ];
        assert_eq!(layers.resolve().model, Setting { value: None, origin: Origin::Default });
        for (origin, model) in places {
            layers.add(origin, layer(model)).expect("each may set a model");
            assert_eq!(layers.resolve().model, Setting { value: Some("flag".to_owned()), origin: Origin::Flag });
        }
        let order: Vec<_> = layers.0.iter().filter_map(|(_, layer)| layer.model.as_deref()).collect();
        assert_eq!(order, ["user", "project", "manifest", "environment", "flag"]);
    }

    #[test]
    fn a_project_may_not_loosen_what_protects_from_it() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut layers = Layers::gather(&environment(dir.path()), &args::Global::default()).expect("nothing is wrong");
        for line in ["bypass_permissions = true", "store = \"/elsewhere\"", "color = \"always\""] {
            fs_err::write(dir.path().join(PROJECT_FILE), line).expect("can be written");
            let error = layers.add_project(dir.path()).expect_err("only the user may");
            assert_eq!(error.exit, ExitStatus::Usage);
        }
        fs_err::write(dir.path().join(PROJECT_FILE), "jobs = 3\nstep_timeout = \"45m\"").expect("can be written");
        layers.add_project(dir.path()).expect("this it may");
        assert_eq!(layers.resolve().jobs.value, Some(3));
    }

    #[test]
    fn every_setting_has_its_own_variable() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let layers = Layers::gather(&environment(home.path()), &args::Global::default()).expect("nothing is wrong");
        let mut variables: Vec<_> = layers.resolve().rows().into_iter().map(|row| row.variable).collect();
        let all = variables.len();
        variables.sort_unstable();
        variables.dedup();
        assert_eq!(variables.len(), all);
    }
}
