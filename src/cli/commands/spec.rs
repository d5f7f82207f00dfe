//! Opens an interactive claude on a spec, with `/spec`. It is the user's own session, with their settings and keys.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;

use super::install::{find_spec_command, is_outdated};
use super::run::{runtime, this_program};
use crate::agent::{AgentEnv, AgentProgram, find_program, probe_version};
use crate::cli::App;
use crate::cli::args;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::settings::Layer;
use crate::process::Replacement;
use crate::spec::catalog::Entry;
use crate::spec::load;
use crate::text::printable;

/// The oldest claude that `/spec` was seen to work with.
const OLDEST: (u32, u32, u32) = (2, 1, 197);

/// Becomes claude, or says what is missing. Nothing is created.
pub fn execute(app: &App, args: args::Spec) -> Result<ExitStatus, CliError> {
    let entry = app.find_spec(args.spec.reference())?;
    let called = app.called(&entry)?;
    let work_dir = work_dir(&entry, &called)?;
    let terminals = app.environment.terminals;
    if !(terminals.stdin && terminals.stdout) {
        return Err(CliError::environment(anyhow!("a conversation needs a terminal"))
            .hint(format!("run it in one, or type `/spec {called}` in a claude that is open")));
    }
    let program = claude(app, &entry, &work_dir)?;
    let Some(command) = find_spec_command(app, &work_dir) else {
        return Err(CliError::environment(anyhow!("`/spec` is not installed"))
            .hint("`cco install` installs it for you, `cco install --scope project` for a project"));
    };
    if is_outdated(&command) {
        let shown = printable(&command.to_string_lossy()).into_owned();
        app.printer.warning(format!("`{shown}` is of another cco than this one; `cco install` brings it up to date"));
    }
    app.printer.detail(format!("opening `{}` in `{}`", program.display(), work_dir.display()));
    let conversation = Replacement {
        program,
        // Without `--add-dir`: newer versions ask first whether the spec directory is to be trusted to run commands. What
        // is in it is read through `cco brainstorm show`.
        arguments: vec![format!("/spec {called}").into()],
        env: environment(app)?,
    };
    Err(CliError::environment(conversation.begin(&work_dir)))
}

fn work_dir(entry: &Entry, called: &str) -> Result<PathBuf, CliError> {
    let facts = entry.facts.as_ref().map_err(|why| {
        CliError::new(ExitStatus::InvalidSpec, anyhow!("the manifest of {called} cannot be read: {why}"))
            .hint(format!("`cco validate {called}` shows what is wrong"))
    })?;
    let dir = facts.work_dir.clone();
    if !dir.is_dir() {
        let shown = printable(&dir.to_string_lossy()).into_owned();
        return Err(CliError::environment(anyhow!("the work directory `{shown}` does not exist"))
            .hint("create it, or correct `work_dir` in the manifest"));
    }
    Ok(dir)
}

/// The claude that holds the conversation.
fn claude(app: &App, entry: &Entry, work_dir: &Path) -> Result<PathBuf, CliError> {
    let settings = match load::check(&entry.path).spec {
        Some(spec) => app.settings_for(&spec, Layer::default())?,
        // A manifest that is not ready is what a conversation is for.
        None => {
            let mut layers = app.layers.clone();
            layers.add_project(work_dir)?;
            layers.resolve()
        }
    };
    let name = settings.agent.value.unwrap_or_else(|| "claude".to_owned());
    if name == "sim" || name.starts_with("sim:") {
        return Err(CliError::environment(anyhow!("the simulated agent holds no conversation"))
            .hint("take the setting `agent` away; `cco doctor` shows where it comes from"));
    }
    let program = AgentProgram {
        program: find_program(Path::new(&name), app.environment.var("PATH"))?,
        prefix: Vec::new(),
        simulated: false,
    };
    let vars = app.environment.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
    let version = runtime()?.block_on(probe_version(&program, &AgentEnv::new(vars, &[], Duration::ZERO)))?;
    if version.number < OLDEST {
        let (major, minor, patch) = OLDEST;
        let error = anyhow!("claude is too old: {version}; `/spec` needs {major}.{minor}.{patch} or later");
        return Err(CliError::environment(error).hint("`claude update` brings it up to date"));
    }
    Ok(program.program)
}

/// The same store and the same cco in the conversation as here.
fn environment(app: &App) -> Result<Vec<(OsString, OsString)>, CliError> {
    let store = app.environment.cwd.join(app.catalog()?.root());
    let mut env = vec![("CCO_STORE".into(), store.into_os_string())];
    let path = app.environment.var("PATH");
    if find_program(Path::new("cco"), path).is_err() {
        let this = this_program()?;
        let own = this.parent().map(Path::to_owned);
        let dirs = own.into_iter().chain(path.map(std::env::split_paths).into_iter().flatten());
        // A directory whose name cannot stand in PATH: then it stays as it is.
        env.extend(std::env::join_paths(dirs).ok().map(|path| ("PATH".into(), path)));
    }
    Ok(env)
}
