//! Runs a small example project, by default with the simulated agent: offline and free.

mod files;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

use crate::agent::AgentEnv;
use crate::cli::App;
use crate::cli::args::{self, Example, SpecArg};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::shell_word;
use crate::process::RUN_MARK;
use crate::tree::Git;

/// The directory of the code.
const PROJECT: &str = "project";
/// The agent that needs no network and no login.
const SIMULATED: &str = "sim";

/// Makes the project and runs it as any other.
pub fn execute(app: &App, args: args::Demo) -> Result<ExitStatus, CliError> {
    let dir = place(app, args.dir.as_deref())?;
    let example = args.example;
    write_files(&dir, example).map_err(CliError::environment)?;
    let project = dir.join(PROJECT);
    commit(app, &project)?;
    app.printer.note(format!("the demo works on {} in `{}`", about(example), project.display()));
    let spec = dir.join(name(example));
    let run =
        args::Run { spec: SpecArg::of(&spec), agent: Some(args.agent.clone()), no_input: true, ..args::Run::default() };
    let status = super::run::execute(app, run)?;
    what_next(app, example, &spec, &args.agent);
    Ok(status)
}

/// The name of an example, its spec and the spec's directory.
fn name(example: Example) -> &'static str {
    match example {
        Example::Wordfreq => "wordfreq",
        Example::CliFeature => "cli-feature",
        Example::PythonService => "python-service",
        Example::WebPage => "web-page",
        Example::Refactoring => "refactoring",
    }
}

/// What its project is.
fn about(example: Example) -> &'static str {
    match example {
        Example::Wordfreq => "a small program of shell scripts",
        Example::CliFeature => "a small Rust program that gets two options",
        Example::PythonService => "a small Python service",
        Example::WebPage => "a web page without a build step",
        Example::Refactoring => "a shell script that is taken apart, in full mode with votes",
    }
}

/// A component whose steps are worth a look.
fn component(example: Example) -> &'static str {
    match example {
        Example::Wordfreq => "rank",
        Example::CliFeature => "json",
        Example::PythonService => "routes",
        Example::WebPage => "render",
        Example::Refactoring => "bill",
    }
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
            .hint("name a new directory; a demo that is there already goes on with `cco run DIR/NAME`"));
    }
    fs_err::canonicalize(&dir).map_err(CliError::environment)
}

/// The scenario lies in the spec, where the simulated agent looks for it.
fn write_files(dir: &Path, example: Example) -> std::io::Result<()> {
    for (path, text) in files::of(example) {
        let path = match (path.strip_prefix("spec/"), path.starts_with(PROJECT)) {
            (Some(rest), _) => dir.join(name(example)).join(rest),
            (None, true) => dir.join(path),
            (None, false) => dir.join(name(example)).join(path),
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

fn what_next(app: &App, example: Example, spec: &Path, agent: &str) {
    let spec = shell_word(&spec.display().to_string());
    let component = component(example);
    let simulated = if agent == SIMULATED { " --agent sim" } else { "" };
    app.printer.note(format!(
        "\nwhat next:
  where everything stands         cco status {spec}
  what one component's steps did  cco logs {component} --spec {spec}
  what depends on what            cco graph {spec}
  again from the start            cco run {spec}{simulated} --fresh
  Stop that in the middle (Ctrl-C, or kill it with -9); the same without --fresh carries on."
    ));
}
