//! Which agent does the work, and whether it can.

use std::path::Path;

use anyhow::anyhow;

use super::this_program;
use crate::agent::{AgentEnv, AgentProgram, ProbeError, auth_status, find_program, probe_version};
use crate::cli::App;
use crate::cli::error::CliError;
use crate::cli::settings::Settings;

/// The name of the simulated agent.
const SIMULATED: &str = "sim";
/// Its scenario, in the spec directory.
const SCENARIO: &str = "scenario.json";
/// Memory of the first agent, in MiB.
const FIRST_AGENT: u64 = 290;
/// Memory of each further one, in MiB.
const FURTHER_AGENT: u64 = 115;

/// An agent that can work.
pub struct Found {
    /// Its program.
    pub program: AgentProgram,
    /// How it was named.
    pub name: String,
    /// What it says of its version.
    pub version: Option<String>,
}

/// Finds the agent and asks it for its version and login.
///
/// # Errors
/// It is missing, cannot be run, or is not logged in: each in its own words, with the remedy.
pub async fn find(app: &App, settings: &Settings, spec_dir: &Path, env: &AgentEnv) -> Result<Found, CliError> {
    let name = settings.agent.value.clone().unwrap_or_else(|| "claude".to_owned());
    if name == SIMULATED || name.starts_with("sim:") {
        return simulated(app, spec_dir, &name);
    }
    let program = AgentProgram {
        program: find_program(Path::new(&name), app.environment.var("PATH"))?,
        prefix: Vec::new(),
        simulated: false,
    };
    let version = probe_version(&program, env).await?;
    let login = auth_status(&program, env).await?;
    if !login.logged_in {
        return Err(CliError::environment(anyhow!("`{name}` is not logged in"))
            .hint("run `claude` once and log in, or set `ANTHROPIC_API_KEY`"));
    }
    Ok(Found { program, name, version: Some(version.line) })
}

impl From<ProbeError> for CliError {
    fn from(error: ProbeError) -> Self {
        Self::environment(error).hint("`cco doctor` shows what is used and where it comes from")
    }
}

/// The simulated agent is never used unless it was asked for by name; without a scenario it answers the least that is
/// valid and changes nothing.
fn simulated(app: &App, spec_dir: &Path, name: &str) -> Result<Found, CliError> {
    let scenario = match name.strip_prefix("sim:") {
        Some(path) => Some(app.environment.expand(Path::new(path), &app.environment.cwd)),
        None => Some(spec_dir.join(SCENARIO)).filter(|path| path.exists()),
    };
    let scenario = scenario.map(fs_err::canonicalize).transpose().map_err(CliError::environment)?;
    let mut prefix = vec!["agent-sim".into()];
    prefix.extend(scenario.into_iter().flat_map(|path| ["--scenario".into(), path.into_os_string()]));
    app.printer.warning("the agent is simulated: nothing that it says or writes comes from a model");
    Ok(Found {
        program: AgentProgram { program: this_program()?, prefix, simulated: true },
        name: name.to_owned(),
        version: None,
    })
}

/// How many agents may start at once: one takes a core for most of a second, and eight on two cores take four seconds
/// each.
pub fn boots() -> usize {
    const LEAST: usize = 2;
    std::thread::available_parallelism().map_or(LEAST, |cores| cores.get().max(LEAST))
}

/// How many agents fit into the memory that is free now; none where the system does not say.
pub fn jobs_that_fit() -> Option<u32> {
    let text = fs_err::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    let further = (kib / 1024).saturating_sub(FIRST_AGENT) / FURTHER_AGENT;
    u32::try_from(further + 1).ok()
}
