//! What `cco` alone says: where the specs of this directory stand, and the command to type next.

use std::path::Path;

use crate::agent::find_program;
use crate::cli::App;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::help;
use crate::cli::opened::shell_word;
use crate::cli::settings::Layer;
use crate::journal::LockState;
use crate::lifecycle::event::RunEnd;
use crate::lifecycle::state::RunState;
use crate::plan::resolve::Choices;
use crate::spec::catalog::{CatalogError, Entry};
use crate::spec::load;
use crate::text::{elide_end, one_line, plural, printable};

use super::look;

/// Specs of one directory that are shown.
const MOST: usize = 8;
/// Columns of a question that are shown.
const QUESTION: usize = 90;

/// A sentence on how something stands, and the commands that go on from there with what each does; the right one first.
struct Advice {
    stands: String,
    commands: Vec<(String, String)>,
}

/// Says what to do next. A command line without a command is a wrong one all the same, so that a script that lost its words
/// does not go on as if all were done.
pub fn execute(app: &App) -> Result<ExitStatus, CliError> {
    let (catalog, cwd) = (app.catalog()?, &app.environment.cwd);
    let entries = catalog.list(None)?;
    let advices = match catalog.find_here(cwd) {
        Ok(entry) => vec![of_spec(app, &entry)?],
        Err(CatalogError::Ambiguous { candidates, .. }) => {
            let here = entries.iter().filter(|entry| candidates.contains(&entry.reference()));
            here.take(MOST).map(|entry| of_spec(app, entry)).collect::<Result<_, _>>()?
        }
        Err(CatalogError::NoneHere { .. }) if entries.is_empty() => vec![of_nothing(app)],
        Err(CatalogError::NoneHere { .. }) => vec![of_elsewhere(app, &entries)],
        Err(error) => return Err(error.into()),
    };
    let all: Vec<String> = advices.iter().map(Advice::text).collect();
    app.printer.say(&format!("{}\n\n`cco --help` shows all commands.", all.join("\n\n")));
    Ok(ExitStatus::Usage)
}

impl Advice {
    fn new(stands: impl Into<String>) -> Self {
        Self { stands: stands.into(), commands: Vec::new() }
    }

    fn then(mut self, command: impl Into<String>, what: impl Into<String>) -> Self {
        self.commands.push((command.into(), what.into()));
        self
    }

    fn text(&self) -> String {
        // What it does comes first: a command may be as long as a path.
        let width = self.commands.iter().map(|(_, what)| what.chars().count()).max().unwrap_or_default();
        let lines = self.commands.iter().map(|(command, what)| format!("\n  {what:width$}   {command}"));
        format!("{}{}", self.stands, lines.collect::<String>())
    }
}

/// Nobody has made a spec yet.
fn of_nothing(app: &App) -> Advice {
    let mut stands =
        "cco runs multi-component software work through the claude CLI with external enforcement.\nThere is no spec \
                      yet."
            .to_owned();
    if find_program(Path::new("claude"), app.environment.var("PATH")).is_err() {
        stands.push_str(" `claude` is not on the PATH; the demo does without it.");
    }
    let advice = Advice::new(stands).then("cco demo", "see it work, offline and free");
    begin(app, advice).then("cco doctor", "look at what it needs")
}

/// There are specs, and none is for this directory.
fn of_elsewhere(app: &App, entries: &[Entry]) -> Advice {
    let cwd = app.environment.cwd.to_string_lossy();
    let advice =
        Advice::new(format!("No spec works on `{}`; there {} elsewhere.", printable(&cwd), number(entries.len())));
    begin(app, advice).then("cco list", "the specs that there are, and where each works")
}

fn number(specs: usize) -> String {
    format!("{} {}", if specs == 1 { "is" } else { "are" }, plural(specs, "spec"))
}

/// The ways to a spec for the current directory.
fn begin(app: &App, advice: Advice) -> Advice {
    let cwd = &app.environment.cwd;
    let is_home = app.environment.home.as_deref().is_some_and(|home| home == cwd);
    let begun = if is_home { "cco new --name NAME --work-dir DIR" } else { "cco new --name NAME" };
    let has_git = cwd.ancestors().any(|dir| dir.join(".git").exists());
    let advice = match has_git || is_home {
        true => advice,
        false => advice.then("git init", "first make it a git repository"),
    };
    advice.then(begun, if is_home { "begin a spec for the code in DIR" } else { "begin a spec for this directory" })
}

fn of_spec(app: &App, entry: &Entry) -> Result<Advice, CliError> {
    let called = app.short(entry)?;
    let manifest = entry.path.join(load::MANIFEST);
    if !manifest.exists() {
        let advice = Advice::new(format!("`{called}` has no manifest yet."));
        let advice = if help::has("formalize") {
            advice.then(format!("cco formalize {called}"), "make one of what brainstorm/ and SPEC.md say")
        } else {
            advice
        };
        return Ok(advice.then(format!("cco new --name {}", entry.name()), "begin it anew, with a manifest"));
    }
    let report = load::check(&entry.path);
    let Some(spec) = &report.spec else {
        let stands = format!("`{called}` has a manifest that is not valid: {}.", plural(report.errors(), "error"));
        return Ok(
            Advice::new(stands).then(format!("cco validate {called}"), "each problem, its line and what mends it")
        );
    };
    if spec.manifest.components.is_empty() {
        return Ok(without_components(&called, &manifest));
    }
    if !spec.work_dir.is_dir() {
        let shown = spec.work_dir.to_string_lossy();
        let stands =
            format!("`{called}` works on `{}`, which does not exist: create it, or correct", printable(&shown));
        return Ok(Advice::new(format!("{stands} `work_dir` in the manifest."))
            .then(format!("cco validate {called}"), "check it"));
    }
    of_run(app, entry, &called)
}

fn without_components(called: &str, manifest: &Path) -> Advice {
    let manifest = shell_word(&manifest.to_string_lossy());
    let advice = Advice::new(format!("`{called}` has no component yet."));
    let advice = if help::has("spec") {
        advice.then(format!("cco spec {called}"), "think it through with Claude")
    } else {
        advice
    };
    let advice = if help::has("formalize") {
        advice.then(format!("cco formalize {called}"), "make components of what brainstorm/ and SPEC.md say")
    } else {
        advice
    };
    advice
        .then(format!("${{EDITOR:-vi}} {manifest}"), "write the components; an example stands in it")
        .then(format!("cco import --from markdown PLAN.md --into {called} --replace"), "take tasks that are written")
        .then(format!("cco validate {called}"), "then check it")
}

/// A spec that can run: what its journal says.
fn of_run(app: &App, entry: &Entry, called: &str) -> Result<Advice, CliError> {
    let path = entry.path.display().to_string();
    let opened = app.open(Some(&path), Layer::default(), Choices::default())?;
    let run = format!("cco run {called}");
    let state = match opened.read_state(|_| ()) {
        Ok(state) => state,
        Err(_) => {
            let advice =
                Advice::new(format!("`{called}` has a journal that cannot be read whole; nothing was changed."));
            return Ok(advice.then(format!("cco repair {called}"), "what can be saved of it"));
        }
    };
    let status = format!("cco status {called}");
    if matches!(opened.lock_state()?, LockState::Held(_)) {
        let mut advice = Advice::new(format!("`{called}` is running{}", asking(&state)));
        if state.questions().next().is_some() {
            advice = advice.then(format!("cco answer {called}"), "the questions, and the commands that answer");
        }
        return Ok(advice
            .then(format!("{status} --watch"), "watch it")
            .then(format!("cco stop {called}"), "stop it in good order"));
    }
    if state.run().is_none() {
        let count = plural(opened.plan.components.len(), "component");
        let advice = Advice::new(format!("`{called}` is ready to run: {count}."));
        return Ok(advice.then(format!("{run} -n"), "what would run; starts nothing").then(run, "run it"));
    }
    if state.questions().next().is_some() {
        let advice = Advice::new(format!("`{called}` waits{}", asking(&state)));
        return Ok(advice
            .then(format!("cco answer {called}"), "the questions, and the commands that answer")
            .then(run, "go on, once they are answered"));
    }
    if look::is_finished(&state) {
        let advice = Advice::new(format!("`{called}` is complete."));
        return Ok(advice
            .then(format!("cco verify {called}"), "what proves it")
            .then(format!("cco finish {called}"), "what pushes the work, or merges it into your branch")
            .then(format!("{run} -n"), "whether an edit since asks for more")
            .then(format!("cco clean {called}"), "what it left, once its work is merged"));
    }
    let done = format!("{} of {}", state.counts().complete, plural(state.run_index() as usize, "component"));
    let stands = format!("`{called}`: {done} complete; {}.", how_it_ended(&state));
    Ok(Advice::new(stands).then(run, "carry on").then(status, "what is not complete, and why"))
}

fn how_it_ended(state: &RunState) -> &'static str {
    match state.ended() {
        None => "the last run was killed, and nothing is lost",
        Some(RunEnd::Interrupted) => "the last run was stopped",
        Some(RunEnd::Budget) => "the budget was used up (`--budget-usd X` gives more)",
        Some(RunEnd::UsageLimit) => "the usage limit was reached",
        Some(RunEnd::Environment) => "something that it needs was missing (`cco doctor`)",
        Some(RunEnd::Done | RunEnd::Incomplete | RunEnd::NeedsAnswer | RunEnd::FailFast) => "the last run has ended",
    }
}

/// The first open question, and how many there are.
fn asking(state: &RunState) -> String {
    let mut questions = state.questions();
    let Some(first) = questions.next() else { return String::new() };
    let more = match questions.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let text = one_line(&first.question);
    format!(" for an answer: {} ({}) {}{more}", first.id, first.on, elide_end(text.trim_end_matches('.'), QUESTION))
}
