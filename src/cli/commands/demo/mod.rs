//! Runs a small example project, by default with the simulated agent: offline and free.

mod files;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use crate::agent::AgentEnv;
use crate::cli::App;
use crate::cli::args::{self, SpecArg};
use crate::cli::error::{CliError, ExitStatus};
use crate::process::RUN_MARK;
use crate::tree::Git;

/// The directory of the spec, and its name.
const SPEC: &str = "wordfreq";
/// The directory of the code.
const PROJECT: &str = "project";
/// The agent that needs no network and no login.
const SIMULATED: &str = "sim";

/// Makes the project and runs it as any other.
pub fn execute(app: &App, args: args::Demo) -> Result<ExitStatus, CliError> {
    let dir = place(app, args.dir.as_deref())?;
    write_files(&dir).map_err(CliError::environment)?;
    let project = dir.join(PROJECT);
    commit(app, &project)?;
    app.printer.note(format!("the demo works on a small program of shell scripts in `{}`", project.display()));
    let spec = dir.join(SPEC);
    let run =
        args::Run { spec: SpecArg::of(&spec), agent: Some(args.agent.clone()), no_input: true, ..args::Run::default() };
    let status = super::run::execute(app, run)?;
    what_next(app, &spec, &args.agent);
    Ok(status)
}

/// An empty directory for it.
fn place(app: &App, wanted: Option<&Path>) -> Result<PathBuf, CliError> {
    let Some(wanted) = wanted else {
        let dir = tempfile::Builder::new().prefix("cco-demo-").tempdir().context("cannot make a directory");
        return Ok(dir.map_err(|error| CliError::environment(error).hint("name one with `--dir DIR`"))?.keep());
    };
    let dir = app.environment.expand(wanted, &app.environment.cwd);
    fs_err::create_dir_all(&dir).map_err(CliError::environment)?;
    if fs_err::read_dir(&dir).map_err(CliError::environment)?.next().is_some() {
        return Err(CliError::usage(format!("`{}` is not empty", dir.display()))
            .hint("name a new directory; a demo that is there already goes on with `cco run DIR/wordfreq`"));
    }
    fs_err::canonicalize(&dir).map_err(CliError::environment)
}

/// The scenario lies in the spec, where the simulated agent looks for it.
fn write_files(dir: &Path) -> std::io::Result<()> {
    for (path, text) in files::FILES {
        let path = match (path.strip_prefix("spec/"), path.starts_with(PROJECT)) {
            (Some(rest), _) => dir.join(SPEC).join(rest),
            (None, true) => dir.join(path),
            (None, false) => dir.join(SPEC).join(path),
        };
        fs_err::create_dir_all(path.parent().unwrap_or(dir))?;
        fs_err::write(path, text)?;
    }
    Ok(())
}

/// Makes the project a repository of one commit. The identity is ours: a machine need not have one.
fn commit(app: &App, project: &Path) -> Result<(), CliError> {
    let vars = app.environment.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
    let env = AgentEnv::new(vars, &[], std::time::Duration::ZERO).check;
    let git = Git::new(env, (RUN_MARK.into(), "demo".into()));
    let calls: [&[&str]; 3] = [
        &["init", "--quiet", "--initial-branch=main"],
        &["add", "--all"],
        &["-c", "user.name=cco demo", "-c", "user.email=demo@localhost", "commit", "--quiet", "--message=Begin"],
    ];
    for call in calls {
        git.run(project, call).map_err(|error| CliError::environment(anyhow!(error)))?;
    }
    Ok(())
}

fn what_next(app: &App, spec: &Path, agent: &str) {
    let spec = spec.display();
    let simulated = if agent == SIMULATED { " --agent sim" } else { "" };
    app.printer.note(format!(
        "\nnext:
  cco status {spec}                where everything stands
  cco logs rank --spec {spec}      what the agents of one component said and did
  cco graph {spec}                 what depends on what
  cco run {spec}{simulated} --fresh    again from the start; interrupt it, or kill it with -9,
                                   and the same without --fresh carries on"
    ));
}
