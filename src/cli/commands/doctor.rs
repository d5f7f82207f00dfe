//! Looks at what cco needs: programs, login, directories, settings, and what earlier runs left.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use rustix::fs::Access;
use serde::Serialize;

use super::run;
use crate::agent::{AgentEnv, AgentProgram, ProbeError, auth_status, find_program, probe_version};
use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::mark;
use crate::cli::settings::{Layer, Row, Settings};
use crate::journal::{LockState, SpecPaths, lock_state};
use crate::process::{RUN_MARK, orphans};
use crate::spec::catalog::Entry;
use crate::spec::load::Spec;
use crate::text::{plural, printable, terminal_safe};
use crate::tree::Git;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    /// As it should be.
    Ok,
    /// It works, but.
    Warn,
    /// A run would not begin.
    Fail,
}

/// What was found of one thing.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    health: Health,
    text: String,
    /// The remedy.
    help: Option<String>,
}

impl Finding {
    fn ok(what: &'static str, text: impl Into<String>) -> Self {
        Self { what, health: Health::Ok, text: text.into(), help: None }
    }

    fn warn(what: &'static str, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what, health: Health::Warn, text: text.into(), help: Some(help.into()) }
    }

    fn fail(what: &'static str, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what, health: Health::Fail, text: text.into(), help: Some(help.into()) }
    }
}

/// The JSON document.
#[derive(Serialize)]
struct Report {
    healthy: bool,
    findings: Vec<Finding>,
    settings: Vec<Row>,
}

/// Looks at everything, and tells what is missing.
pub fn execute(app: &App, args: args::Doctor) -> Result<ExitStatus, CliError> {
    let mut findings = vec![Finding::ok("cco", env!("CARGO_PKG_VERSION"))];
    let entry = match args.spec.reference() {
        Some(reference) => Some(app.find_spec(Some(reference))?),
        None => app.find_spec(None).ok(),
    };
    let spec = entry.as_ref().map(|entry| app.load_spec(entry));
    findings.extend(entry.iter().zip(&spec).map(|(entry, spec)| manifest(entry, spec)));
    let spec = spec.and_then(Result::ok);
    let settings = match &spec {
        Some(spec) => app.settings_for(spec, Layer::default())?,
        None => app.layers.resolve(),
    };
    let env = environment(app, spec.as_ref());
    findings.push(git(app, &env));
    findings.extend(run::runtime()?.block_on(agent(app, &settings, &env)));
    findings.push(store(&settings.store_root(&app.environment)?));
    findings.extend(memory());
    findings.push(processes());
    findings.push(strays(app, entry.as_ref()));

    let healthy = findings.iter().all(|finding| finding.health != Health::Fail);
    let report = Report { healthy, findings, settings: settings.rows() };
    match app.printer.format() {
        Format::Json => app.printer.document(&report)?,
        Format::Text => app.printer.answer(&text(&report))?,
    }
    Ok(if healthy { ExitStatus::Done } else { ExitStatus::Environment })
}

fn environment(app: &App, spec: Option<&Spec>) -> AgentEnv {
    let vars = app.environment.vars.iter().map(|(name, value)| (name.clone(), value.clone()));
    AgentEnv::new(vars, spec.map_or(&[][..], |spec| &spec.manifest.agent.env), Duration::ZERO)
}

fn manifest(entry: &Entry, spec: &Result<Spec, CliError>) -> Finding {
    let reference = entry.reference();
    match spec {
        Ok(_) => Finding::ok("spec", format!("{reference} is valid")),
        Err(error) => Finding::fail("spec", error.error.to_string(), format!("`cco validate {reference}` shows it")),
    }
}

fn git(app: &App, env: &AgentEnv) -> Finding {
    let git = Git::new(env.check.clone(), (RUN_MARK.into(), "doctor".into()));
    match git.run(&app.environment.cwd, &["--version"]) {
        Ok(line) => Finding::ok("git", line),
        Err(_) => Finding::fail("git", "was not found", "install git; without it only `--isolation shared` works"),
    }
}

async fn agent(app: &App, settings: &Settings, env: &AgentEnv) -> Vec<Finding> {
    let name = settings.agent.value.clone().unwrap_or_else(|| "claude".to_owned());
    if name == "sim" || name.starts_with("sim:") {
        let text = format!("`{name}` is the simulated agent, set by: {}", settings.agent.origin);
        return vec![Finding::warn("agent", text, "take that setting away to work with claude")];
    }
    let program = match find_program(Path::new(&name), app.environment.var("PATH")) {
        Ok(program) => AgentProgram { program, prefix: Vec::new(), simulated: false },
        Err(error) => return vec![unusable(&error)],
    };
    let at = program.program.display().to_string();
    match probe_version(&program, env).await {
        Ok(version) => vec![Finding::ok("agent", format!("{version}, `{at}`")), login(&program, env).await],
        Err(error) => vec![unusable(&error)],
    }
}

async fn login(program: &AgentProgram, env: &AgentEnv) -> Finding {
    match auth_status(program, env).await {
        Ok(login) if login.logged_in => Finding::ok("login", format!("by {}", login.method)),
        Ok(_) => {
            Finding::fail("login", "nobody is logged in", "run `claude` once and log in, or set `ANTHROPIC_API_KEY`")
        }
        Err(error) => Finding { what: "login", ..unusable(&error) },
    }
}

/// The remedy stands on a line of its own in the error.
fn unusable(error: &ProbeError) -> Finding {
    let said = error.to_string();
    let (text, help) = said.split_once("\nhelp: ").unwrap_or((&said, "try it by hand"));
    Finding::fail("agent", text, help)
}

fn store(root: &Path) -> Finding {
    let shown = printable(&root.to_string_lossy()).into_owned();
    if !root.exists() {
        return Finding::ok("store", format!("`{shown}` does not exist yet; `cco new` makes it"));
    }
    match rustix::fs::access(root, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::ok("store", format!("`{shown}`")),
        Err(error) => {
            Finding::fail("store", format!("`{shown}`: {error}"), "make it yours, or name another with `--store DIR`")
        }
    }
}

fn memory() -> Option<Finding> {
    let jobs = run::jobs_that_fit()? as usize;
    let text = format!("room for {} at once", plural(jobs, "agent"));
    Some(if jobs > 1 {
        Finding::ok("memory", text)
    } else {
        Finding::warn("memory", text, "close something, or runs take long")
    })
}

/// Whether what an agent leaves behind can be found.
fn processes() -> Finding {
    if Path::new("/proc/self/environ").exists() {
        return Finding::ok("processes", "what a run starts is found and ended by its mark in /proc");
    }
    Finding::warn(
        "processes",
        "this system does not show the environment of processes: what an agent puts into a session of its own can outlive a run",
        "after a run that was killed, look for what is left by hand",
    )
}

/// What dead runs left: of the spec in question, else of every spec of the store.
fn strays(app: &App, entry: Option<&Entry>) -> Finding {
    let entries = match entry {
        Some(entry) => vec![entry.clone()],
        // One look tells most that there is nothing; whose it is costs a look for each spec.
        None if orphans::find("").is_empty() => Vec::new(),
        None => app.catalog().ok().and_then(|catalog| catalog.list(None).ok()).unwrap_or_default(),
    };
    let mut left = Vec::new();
    for entry in entries {
        let paths = SpecPaths::new(&entry.path);
        // What a live run has started is no stray.
        if matches!(lock_state(&paths.lock()), Ok(LockState::Free)) {
            let count = orphans::find(&mark(&paths)).len();
            left.extend((count > 0).then(|| (entry.reference(), count)));
        }
    }
    match left.as_slice() {
        [] => Finding::ok("strays", "none"),
        [(spec, count), ..] => {
            let all: Vec<String> = left.iter().map(|(spec, count)| format!("{count} of {spec}")).collect();
            let text = format!("left running by dead runs: {}", all.join(", "));
            let ends = if *count == 1 { "it" } else { "them" };
            Finding::warn("strays", text, format!("`cco stop {spec}` ends {ends}"))
        }
    }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let (color, word) = match finding.health {
            Health::Ok => (AnsiColor::Green, "ok"),
            Health::Warn => (AnsiColor::Yellow, "warn"),
            Health::Fail => (AnsiColor::Red, "fail"),
        };
        let style: Style = color.on_default();
        let _ = writeln!(out, "{style}{word:<4}{style:#}  {:<9}  {}", finding.what, terminal_safe(&finding.text));
        if let Some(help) = &finding.help {
            let _ = writeln!(out, "                 help: {}", terminal_safe(help));
        }
    }
    out.push_str("\nsettings:\n");
    for row in &report.settings {
        let value = match &row.value {
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::String(text) => printable(text).into_owned(),
            other => other.to_string(),
        };
        let _ = writeln!(out, "  {:<18}  {value:<24}  {}  [{}]", row.name, row.origin, row.variable);
    }
    out
}
