//! Hands on what a run has done: the commands that push it and open a pull request, or a fast-forward of the user's own
//! branch. Nothing is ever pushed.

mod account;
mod body;
mod merge;
mod ways;

use anyhow::anyhow;
use serde::Serialize;

use super::look;
use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::cli::settings::Layer;
use crate::fsx;
use crate::journal::SpecPaths;
use crate::lifecycle::event::Proof;
use crate::lifecycle::reconcile;
use crate::lifecycle::state::RunState;
use crate::plan::resolve::Choices;
use crate::text::{elide_end, one_line, plural};
use crate::tree::Repository;
use account::Account;
use ways::Way;

/// The name of the pull request's body in `runs/`.
const BODY: &str = "pull-request.md";

/// Hands on the work of a spec.
pub fn execute(app: &App, args: args::Finish) -> Result<ExitStatus, CliError> {
    let entry = app.find_spec(args.spec.reference())?;
    let _lock = look::hold(app, &SpecPaths::new(&entry.path), &entry.reference(), "finish")?;
    let opened = app.open(args.spec.reference(), Layer::default(), Choices::default())?;
    let mut account = Account::default();
    let state = opened.read_state(|record| account.see(record))?;
    let mut warnings = check(&opened, &state)?;
    if look::is_shared(&opened, &state) {
        return Err(nothing_to_hand_on(&opened));
    }
    let repository = look::repository(app, &opened, &state)?;
    let work = Work::find(&opened, &state, &repository, &mut warnings)?;
    for warning in &warnings {
        app.printer.warning(warning);
    }
    if work.commits == 0 {
        app.printer.note(format!("`{}` holds nothing that its base does not", repository.branch()));
    }
    let mut outcome = Outcome::new(&opened, &state, &repository, &work, &warnings);
    if args.merge {
        work.must_be_checked(&opened.called, repository.branch())?;
        outcome.merged = Some(merge::merge(app, &opened.called, &repository, &work.tip)?);
    } else if work.commits > 0 {
        hand_on(&opened, &state, &account, &repository, &work, &mut outcome)?;
    }
    match app.printer.format() {
        Format::Json => app.printer.document(&outcome)?,
        Format::Text => app.printer.answer(&outcome.text())?,
    }
    if let Some(merged) = &outcome.merged {
        app.printer.help(format!("`cco clean {} -y` removes what the runs left, `{}` too", opened.called, merged.of));
    }
    Ok(ExitStatus::Done)
}

/// What is to be handed on.
pub(super) struct Work {
    /// Where the branch is.
    pub(super) tip: String,
    /// How many commits it has beyond its base.
    pub(super) commits: u32,
    /// How many of them no run has checked.
    pub(super) unchecked: u32,
}

impl Work {
    fn find(
        opened: &Opened,
        state: &RunState,
        repository: &Repository,
        warnings: &mut Vec<String>,
    ) -> Result<Self, CliError> {
        let spec = &opened.called;
        let branch = repository.branch();
        let tip = repository.known_tip().map_err(CliError::environment)?;
        let Some(tip) = tip else {
            let error = refused(anyhow!("the branch `{branch}` is gone"));
            return Err(match state.branch_tip() {
                Some(known) => error.hint(format!(
                    "if you removed it after a merge, all is done; else `git -C {} branch {branch} {known}` brings it back",
                    ways::quoted(&repository.top().to_string_lossy())
                )),
                None => error.hint(format!("`cco run {spec} --fresh` starts over")),
            });
        };
        let known = state.branch_tip().unwrap_or_else(|| repository.base());
        if !repository.is_ancestor(known, &tip).map_err(CliError::environment)? {
            return Err(refused(anyhow!("`{branch}` was rewritten: it no longer holds {known}, which was checked"))
                .hint(format!("`cco run {spec}` says what can be done")));
        }
        let unchecked = repository.commits_between(known, &tip).map_err(CliError::environment)?;
        if unchecked > 0 {
            let what = plural(unchecked as usize, "commit");
            warnings
                .push(format!("{what} on `{branch}` since the last run: not checked; `cco run {spec}` takes them in"));
        }
        let commits = repository.commits_between(repository.base(), &tip).map_err(CliError::environment)?;
        Ok(Self { tip, commits, unchecked })
    }

    /// What cco itself brings into the user's branch was checked, all of it.
    fn must_be_checked(&self, spec: &str, branch: &str) -> Result<(), CliError> {
        if self.unchecked == 0 {
            return Ok(());
        }
        let what = plural(self.unchecked as usize, "commit");
        Err(refused(anyhow!("{what} on `{branch}` since the last run: not checked, so not merged"))
            .hint(format!("`cco run {spec}` takes them in and checks the whole")))
    }
}

/// Whether the work is complete; what is to be known of it nevertheless.
fn check(opened: &Opened, state: &RunState) -> Result<Vec<String>, CliError> {
    let spec = &opened.called;
    let run = format!("`cco run {spec}` carries on");
    if state.run().is_none() {
        return Err(refused(anyhow!("`{spec}` was not run yet")).hint(format!("`cco run {spec}` begins")));
    }
    let open: Vec<String> =
        look::unfinished(state).map(|(it, name)| format!("{name} ({})", super::status::phase(it))).collect();
    if !open.is_empty() {
        let error = refused(anyhow!("`{spec}` is not complete: {}", some_of(&open)));
        return Err(if state.questions().next().is_some() {
            error.hint(format!("`cco answer {spec}` shows what it asks"))
        } else {
            error.hint(format!("`cco status {spec}` says more; {run}"))
        });
    }
    if state.completed().is_none() {
        return Err(refused(anyhow!("`{spec}` is not complete: the whole has not passed its final validation"))
            .hint(format!("`cco status {spec}` says more; {run}")));
    }
    if state.ended().is_none() {
        return Err(refused(anyhow!("the last run of `{spec}` was killed")).hint(run));
    }
    let mut warnings = Vec::new();
    let out = (0..state.run_index()).filter(|&at| !state.component(at).is_complete());
    let out: Vec<String> = out.map(|at| state.name(at).to_string()).collect();
    if !out.is_empty() {
        warnings.push(format!("left out: {}", some_of(&out)));
    }
    match state.completed() {
        Some(Proof::Waived) => warnings.push("the whole is complete with issues that you waived".to_owned()),
        Some(Proof::Unproven) => warnings.push("nothing checks the whole: it is complete, and unproven".to_owned()),
        Some(Proof::Proven) | None => {}
    }
    let stale = reconcile::stale(state).len();
    if stale > 0 {
        warnings.push(format!("the spec was edited since; the next `cco run {spec}` works on it again"));
    }
    if state.run().is_some_and(|run| run.simulated) {
        warnings.push("the agent was simulated: nothing of this comes from a model".to_owned());
    }
    Ok(warnings)
}

fn refused(error: anyhow::Error) -> CliError {
    CliError::new(ExitStatus::Incomplete, error)
}

fn nothing_to_hand_on(opened: &Opened) -> CliError {
    let dir = opened.spec.work_dir.display();
    refused(anyhow!("the components worked in `{dir}` itself: there is no branch to hand on"))
        .hint("look at the changes there and commit them yourself")
}

/// The first few of many names.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Writes the body, and says what is to be run.
fn hand_on(
    opened: &Opened,
    state: &RunState,
    account: &Account,
    repository: &Repository,
    work: &Work,
    outcome: &mut Outcome<'_>,
) -> Result<(), CliError> {
    let path = opened.paths.runs().join(BODY);
    let body = body::render(opened, state, account, work, repository.base());
    fsx::write_whole(&path, body.as_bytes()).map_err(CliError::environment)?;
    let remote = repository.remote().map_err(CliError::environment)?;
    let base = opened.spec.manifest.execution.base.as_deref();
    let target = remote.as_ref().map(|remote| repository.target(base, remote)).transpose();
    let target = target.map_err(CliError::environment)?.flatten();
    let request = ways::Request {
        dir: repository.top(),
        branch: repository.branch(),
        target: target.as_deref(),
        title: &outcome.title,
        body: &path,
    };
    outcome.commands = request.ways(remote.as_ref());
    outcome.remote = remote.map(|remote| remote.name);
    outcome.body = Some(path.display().to_string());
    Ok(())
}

/// The first heading of SPEC.md, else the spec's name.
fn title(opened: &Opened) -> String {
    const COLUMNS: usize = 100;
    let text = fsx::read_regular(&opened.paths.spec_md(), fsx::LARGEST_TEXT).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let heading = text.lines().find_map(|line| line.strip_prefix("# ")).map(one_line);
    let heading = heading.filter(|heading| !heading.is_empty());
    elide_end(&heading.unwrap_or_else(|| one_line(&opened.spec.manifest.name)), COLUMNS).into_owned()
}

/// The answer, and the JSON document.
#[derive(Serialize)]
struct Outcome<'a> {
    spec: &'a str,
    branch: &'a str,
    /// The commit that the branch began at.
    base: &'a str,
    /// The commit of the branch.
    tip: &'a str,
    commits: u32,
    proof: Option<Proof>,
    title: String,
    /// The file with the body; null with --merge, and where there is nothing to hand on.
    body: Option<String>,
    /// Where it is pushed to; null: the repository names no remote.
    remote: Option<String>,
    /// What is to be run, in order.
    commands: Vec<Way>,
    /// What became of --merge; null without it.
    merged: Option<merge::Merged>,
    warnings: &'a [String],
}

impl<'a> Outcome<'a> {
    fn new(
        opened: &'a Opened,
        state: &RunState,
        repository: &'a Repository,
        work: &'a Work,
        warnings: &'a [String],
    ) -> Self {
        Self {
            spec: &opened.reference,
            branch: repository.branch(),
            base: repository.base(),
            tip: &work.tip,
            commits: work.commits,
            proof: state.completed(),
            title: title(opened),
            body: None,
            remote: None,
            commands: Vec::new(),
            merged: None,
            warnings,
        }
    }

    fn text(&self) -> String {
        if let Some(merged) = &self.merged {
            return merged.text();
        }
        let mut out = format!("{}: {} on `{}`\n", self.spec, plural(self.commits as usize, "commit"), self.branch);
        for way in &self.commands {
            out.push_str(&format!("\n# {}\n{}\n", way.what, way.command));
        }
        if let Some(body) = &self.body {
            out.push_str(&format!("\n# the body, to be read before\n# {}\n", one_line(body)));
        }
        out
    }
}
