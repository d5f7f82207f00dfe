//! A spec, ready to be worked with: what the user wrote, the plan that follows, and the state that the journal tells.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;

use super::App;
use super::error::{CliError, ExitStatus};
use super::settings::{Layer, Settings};
use crate::agent::AgentEnv;
use crate::context::blank;
use crate::context::files::{self, ContextFiles};
use crate::context::specification::Specification;
use crate::fsx;
use crate::ids::{ComponentId, Digest};
use crate::journal::{self, Journal, JournalError, LockState, Replay, Salvage, SpecPaths};
use crate::lifecycle::event::{Event, Record, RunStarted};
use crate::lifecycle::state::{Illegal, RunState};
use crate::plan::resolve::{Choices, Inputs, ResolveError, resolve};
use crate::plan::{Mode, Plan};
use crate::spec::catalog::Entry;
use crate::spec::load::Spec;
use crate::spec::manifest::{self, Isolation};
use crate::tree::Home;

/// A spec with its plan.
pub struct Opened {
    /// `project/name-hash`.
    pub reference: String,
    /// What a command calls it by: the reference, or its path where it is in no store.
    pub called: String,
    /// What the user wrote.
    pub spec: Spec,
    /// What holds for it.
    pub settings: Settings,
    /// What follows.
    pub plan: Arc<Plan>,
    /// SPEC.md.
    pub specification: Specification,
    /// The user's part of CONTEXT.md.
    pub context: String,
    /// Context files that had to be read to see that the user wrote nothing into them.
    pub unread: usize,
    /// Where its files are.
    pub paths: SpecPaths,
}

/// What the fold of a journal can meet.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its records contradict each other.
    #[error("record {seq} of the journal cannot follow those before it: {illegal}")]
    Illegal {
        /// Which record.
        seq: u64,
        /// Why.
        illegal: Illegal,
    },
}

impl FoldError {
    /// The error that a command on `spec` ends with: a damaged journal has two ways on, both of which keep it.
    pub fn of(self, spec: &str) -> CliError {
        let damaged = matches!(self, Self::Journal(JournalError::Damaged { .. }));
        let illegal = matches!(self, Self::Illegal { .. });
        let mut error = CliError::new(ExitStatus::Journal, self);
        if damaged {
            error = error.hint(format!("nothing was changed; `cco repair {spec}` shows what can be saved"));
        }
        if damaged || illegal {
            error = error.hint(format!("`cco run {spec} --fresh` sets it aside, whole, and starts over"));
        }
        error
    }
}

impl From<ResolveError> for CliError {
    fn from(error: ResolveError) -> Self {
        Self::usage(error)
    }
}

impl App {
    /// What a command calls a spec by: its reference, or its path where it is in no store.
    ///
    /// # Errors
    /// There is no home directory for a store.
    pub fn called(&self, entry: &Entry) -> Result<String, CliError> {
        let in_store = entry.path.starts_with(self.catalog()?.root());
        Ok(if in_store { entry.reference() } else { shell_word(&entry.path.display().to_string()) })
    }

    /// As [`App::called`], without the hash where the name alone means this spec: what people like to type.
    ///
    /// # Errors
    /// There is no home directory for a store.
    pub fn short(&self, entry: &Entry) -> Result<String, CliError> {
        let short = format!("{}/{}", entry.project, entry.name());
        let found = self.catalog()?.find(&short, &self.environment.cwd);
        if found.is_ok_and(|found| found.path == entry.path) { Ok(short) } else { self.called(entry) }
    }

    /// Opens a spec with the user's choices for this command.
    ///
    /// # Errors
    /// No such spec, an invalid one, or settings that cannot be read.
    pub fn open(&self, reference: Option<&str>, flags: Layer, choices: Choices) -> Result<Opened, CliError> {
        let entry = self.find_spec(reference)?;
        let paths = SpecPaths::new(&entry.path);
        let (spec, files) = self.load(&entry, &paths);
        let spec = spec?;
        let settings = self.settings_for(&spec, flags)?;
        let ids: Vec<ComponentId> = spec.manifest.components.iter().map(|component| component.id.clone()).collect();
        let text = or_nothing(fsx::read_regular(&paths.spec_md(), fsx::LARGEST_TEXT));
        let text = text.map_err(CliError::environment)?;
        let specification = Specification::parse(&String::from_utf8_lossy(&text), &ids);
        let files = files.map_err(CliError::environment)?;
        let unread = files.unread();
        let inputs = inputs(&spec, &paths, files, &specification).map_err(CliError::environment)?;
        let context = or_nothing(files::read(&paths.context_md())).map_err(CliError::environment)?;
        let one_tree = Home::is_shared(&spec.work_dir, wanted_worktrees(&settings));
        let environment = self.environment_of(&spec);
        let choices = Choices { environment, ..complete(choices, &settings, entry.reference(), one_tree) };
        let plan = Arc::new(resolve(&spec, &choices, &inputs)?);
        Ok(Opened {
            reference: entry.reference(),
            called: self.called(&entry)?,
            context: String::from_utf8_lossy(&context).trim().to_owned(),
            spec,
            settings,
            plan,
            specification,
            unread,
            paths,
        })
    }
}

impl App {
    /// Opens a spec as the run that lives works on it: with the mode, jobs and components that it was started with.
    /// Where none lives, as the next `cco run` would find it.
    ///
    /// # Errors
    /// As [`App::open`], or the journal cannot be read.
    pub fn open_as_it_runs(&self, reference: Option<&str>) -> Result<Opened, CliError> {
        let opened = self.open(reference, Layer::default(), Choices::default())?;
        let LockState::Held(holder) = opened.lock_state()? else { return Ok(opened) };
        let run = opened.run_since(holder.map(|holder| holder.since)).map_err(|error| error.of(&opened.called))?;
        let Some(run) = run else { return Ok(opened) };
        // The manifest may have been edited meanwhile.
        let only = run.only.into_iter().filter(|id| opened.plan.index(id).is_some()).collect();
        let choices = Choices { mode: Mode::named(&run.mode), jobs: Some(run.jobs), only, ..Choices::default() };
        self.open(reference, Layer::default(), choices)
    }

    /// Digest of what commands run in: the variables, and what prepares a worktree, with the files that are copied there.
    fn environment_of(&self, spec: &Spec) -> Digest {
        /// These say how a terminal looks.
        const LOOKS: [&str; 2] = ["COLORTERM", "TERM"];
        let manifest = &spec.manifest;
        let vars = self.environment.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
        let env = AgentEnv::new(vars, &manifest.agent.env, Duration::ZERO);
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for (name, value) in env.check.iter().filter(|(name, _)| !LOOKS.iter().any(|looks| name == looks)) {
            parts.extend([name.as_encoded_bytes().to_vec(), value.as_encoded_bytes().to_vec()]);
        }
        parts.push(b"setup".to_vec());
        parts.extend(manifest.execution.setup.iter().map(|command| command.as_str().as_bytes().to_vec()));
        for file in &manifest.execution.copy {
            parts.push(file.path.as_bytes().to_vec());
            // What cannot be read is told when it is copied.
            parts.extend(fsx::read_regular(&spec.work_dir.join(&file.path), fsx::LARGEST_TEXT).ok());
        }
        Digest::of_parts(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// Reads the manifest and the context files. Where there are thousands each takes its time, and both are read at once.
    fn load(&self, entry: &Entry, paths: &SpecPaths) -> (Result<Spec, CliError>, std::io::Result<ContextFiles>) {
        let read = || ContextFiles::read(&paths.components(), &paths.blank_contexts());
        if !paths.blank_contexts().exists() {
            // No agent has told anything yet, and with a second thread all that follows is a little slower.
            return (self.load_spec(entry), read());
        }
        thread::scope(|scope| {
            let reading = thread::Builder::new().spawn_scoped(scope, read);
            let spec = self.load_spec(entry);
            let files = match reading {
                Ok(reading) => reading.join().unwrap_or_else(|panic| resume_unwind(panic)),
                // Too many threads on this machine: then one after the other.
                Err(_) => read(),
            };
            (spec, files)
        })
    }
}

impl Opened {
    /// How the run was started that began at or after `since` and has not said that it ended.
    fn run_since(&self, since: Option<Timestamp>) -> Result<Option<RunStarted>, FoldError> {
        let mut found = None;
        if self.paths.journal().exists() {
            journal::read::<FoldError>(&self.paths.journal(), |record| {
                for event in record.events {
                    match event {
                        // A run that was killed before never said that it ended.
                        Event::RunStarted(run) => found = Some(*run).filter(|_| Some(record.at) >= since),
                        Event::RunEnded { .. } => found = None,
                        _ => {}
                    }
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The state that the journal tells, without touching anything; `see` is given each record first.
    ///
    /// # Errors
    /// The journal is damaged, or belongs to something else.
    pub fn read_state(&self, mut see: impl FnMut(&Record)) -> Result<RunState, CliError> {
        let mut state = RunState::new(self.plan.clone());
        if self.paths.journal().exists() {
            let read = journal::read(&self.paths.journal(), |record| {
                see(&record);
                fold(&mut state, &record)
            });
            read.map_err(|error: FoldError| error.of(&self.called))?;
        }
        Ok(state)
    }

    /// As [`Opened::read_state`], with the journal open for writing; the spec's lock must be held.
    ///
    /// # Errors
    /// As [`Opened::read_state`].
    pub fn open_journal(&self, mut see: impl FnMut(&Record)) -> Result<(Journal, Replay, RunState), CliError> {
        let mut state = RunState::new(self.plan.clone());
        let opened = Journal::open(&self.paths.journal(), |record| {
            see(&record);
            fold(&mut state, &record)
        });
        let (journal, replay) = opened.map_err(|error: FoldError| error.of(&self.called))?;
        Ok((journal, replay, state))
    }

    /// What can be saved of the journal, and the state that those records tell; touches nothing.
    ///
    /// # Errors
    /// The journal cannot be read, a newer cco wrote it, or its records contradict each other.
    pub fn salvage(&self, mut see: impl FnMut(&Record)) -> Result<(Salvage, RunState), CliError> {
        let mut state = RunState::new(self.plan.clone());
        let found = journal::salvage(&self.paths.journal(), |record| {
            see(&record);
            fold(&mut state, &record)
        });
        Ok((found.map_err(|error: FoldError| error.of(&self.called))?, state))
    }

    /// Remembers which context files hold nothing of the user's, for the next command; the spec's lock must be held. It
    /// saves time and nothing else, so that a failure is no error.
    pub fn remember_blank(&self) {
        if let Err(error) = blank::remember(&self.paths.blank_contexts(), &self.paths.components()) {
            tracing::debug!("cannot remember which context files are cco's own: {error}");
        }
    }

    /// Whether a run of this spec lives.
    ///
    /// # Errors
    /// The lock cannot be looked at.
    pub fn lock_state(&self) -> Result<LockState, CliError> {
        journal::lock_state(&self.paths.lock()).map_err(CliError::environment)
    }

    /// The home of the spec's worktrees: the same on every run, since a conversation is bound to its directory, and no
    /// other spec's. In the store the reference is unique; elsewhere two directories can have one name.
    ///
    /// # Errors
    /// There is no home directory.
    pub fn worktrees(&self, app: &App) -> Result<PathBuf, CliError> {
        worktrees(app, &self.reference, &self.paths)
    }

    /// What the processes of all runs of this spec carry at the beginning of their mark.
    pub fn mark(&self) -> String {
        mark(&self.paths)
    }
}

/// As [`Opened::worktrees`], of a spec that need not have a plan yet.
///
/// # Errors
/// There is no home directory.
pub fn worktrees(app: &App, reference: &str, paths: &SpecPaths) -> Result<PathBuf, CliError> {
    let state = app.environment.state_dir().context("there is no home directory to hold worktrees");
    let state = state.map_err(|error| CliError::environment(error).hint("set `HOME` or `XDG_STATE_HOME`"))?;
    let in_store = paths.dir().starts_with(app.catalog()?.root());
    let name = if in_store { reference.to_owned() } else { format!("{reference}-{}", mark(paths)) };
    Ok(state.join("worktrees").join(name))
}

/// A text as one word of a command line.
pub fn shell_word(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// What the processes of all runs of a spec carry at the beginning of their mark.
pub fn mark(paths: &SpecPaths) -> String {
    const DIGITS: usize = 16;
    let dir = fs_err::canonicalize(paths.dir()).unwrap_or_else(|_| paths.dir().to_owned());
    Digest::of(dir.as_os_str().as_encoded_bytes()).to_string().chars().take(DIGITS).collect()
}

fn fold(state: &mut RunState, record: &Record) -> Result<(), FoldError> {
    record
        .events
        .iter()
        .try_for_each(|event| state.apply(event, record.at))
        .map_err(|illegal| FoldError::Illegal { seq: record.seq, illegal })
}

/// Adds what the settings say where the command's own flags said nothing.
fn complete(choices: Choices, settings: &Settings, spec: String, one_tree: bool) -> Choices {
    Choices {
        mode: choices.mode.or(settings.mode.value.map(mode_of)),
        jobs: choices.jobs.or(settings.jobs.value),
        budget_usd: choices.budget_usd.or(settings.budget_usd.value),
        step_timeout: choices.step_timeout.or(settings.step_timeout.value.map(|time| time.0)),
        idle_timeout: choices.idle_timeout.or(settings.idle_timeout.value.map(|time| time.0)),
        one_tree,
        spec,
        ..choices
    }
}

/// As the user and the manifest want it: a worktree for each component, none, or as the directory allows.
pub fn wanted_worktrees(settings: &Settings) -> Option<bool> {
    match settings.isolation.value.unwrap_or(Isolation::Auto) {
        Isolation::Auto => None,
        Isolation::Worktree => Some(true),
        Isolation::Shared => Some(false),
    }
}

fn mode_of(mode: manifest::Mode) -> Mode {
    match mode {
        manifest::Mode::Quick => Mode::Quick,
        manifest::Mode::Standard => Mode::Standard,
        manifest::Mode::Full => Mode::Full,
    }
}

/// The digests of what stands beside the manifest: the user's part of context files, and sections of SPEC.md.
fn inputs(
    spec: &Spec,
    paths: &SpecPaths,
    mut files: ContextFiles,
    specification: &Specification,
) -> std::io::Result<Inputs> {
    let mut inputs = Inputs::new();
    for component in &spec.manifest.components {
        let beside = match &component.context_file {
            Some(named) => or_nothing(files::read(&paths.dir().join(named)))?,
            None => files.take(&component.id)?.unwrap_or_default(),
        };
        let section = specification.section(&component.id);
        if !beside.is_empty() || section.is_some() {
            let parts = [beside.as_slice(), section.unwrap_or_default().as_bytes()];
            inputs.insert(component.id.clone(), Digest::of_parts(&parts));
        }
    }
    Ok(inputs)
}

/// What was read; nothing where there is no file.
fn or_nothing(read: std::io::Result<Vec<u8>>) -> std::io::Result<Vec<u8>> {
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}
