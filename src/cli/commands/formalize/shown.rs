//! Where a formalization stands: what was judged, drafted and found, what it cost, and the next command.

use std::fmt::Write as _;

use serde::Serialize;

use super::super::run::remedy;
use super::wants_json;
use crate::cli::App;
use crate::cli::error::{CliError, ExitStatus};
use crate::executor::formalize::manifest_file;
use crate::formalize::event::{Draft, Over, Problem, Written};
use crate::formalize::report::{Concern, ReadinessReport};
use crate::formalize::rules::weight;
use crate::formalize::state::{Stage, State};
use crate::journal::SpecPaths;
use crate::text::{cost, one_line, plural, terminal_safe};

/// Problems of a draft that are shown as text.
const MOST: usize = 30;

/// Shows where it stands, and starts nothing.
pub fn show(
    app: &App,
    reference: &str,
    called: &str,
    paths: &SpecPaths,
    state: &State,
) -> Result<ExitStatus, CliError> {
    if wants_json(app) {
        app.printer.document(&Document::of(reference, paths, state))?;
        return Ok(ExitStatus::Done);
    }
    if state.begun().is_none() {
        app.printer.answer(&format!("`{called}` was not formalized\n"))?;
        app.printer.help(format!("`cco formalize {called}` makes its manifest of brainstorm/ and SPEC.md"));
        return Ok(ExitStatus::Done);
    }
    app.printer.answer(&text(called, paths, state))?;
    Ok(ExitStatus::Done)
}

/// Prints how it ended, and what can be done. With `--json` the records said it all.
pub fn print(app: &App, called: &str, paths: &SpecPaths, state: &State, status: ExitStatus) -> Result<(), CliError> {
    if !wants_json(app) {
        app.printer.answer(&text(called, paths, state))?;
    }
    for help in helps(called, state, status) {
        app.printer.help(help);
    }
    Ok(())
}

fn text(called: &str, paths: &SpecPaths, state: &State) -> String {
    let mut out = String::new();
    let spent = state.cost();
    let drafts = plural(state.drafts().len(), "draft");
    let _ = writeln!(out, "{called}: {}; {drafts}, {}", standing(state), cost(spent.usd, spent.unknown > 0));
    if state.begun().is_some_and(|begun| begun.simulated) {
        out.push_str("the agent was simulated: nothing of this comes from a model\n");
    }
    if let Some((report, ready)) = state.judged() {
        judged(&mut out, report, ready);
    }
    if let Some((attempt, draft)) = state.last_draft() {
        if draft.valid {
            let _ = writeln!(out, "{}: {}", plural(draft.components as usize, "component"), one_line(&draft.summary));
            for assumption in &draft.assumptions {
                let _ = writeln!(out, "assumed: {}", one_line(assumption));
            }
        }
        problems(&mut out, draft);
        if !draft.valid && state.kept_draft().is_none() {
            let _ = writeln!(out, "the last draft is `{}`", manifest_file(paths, attempt).display());
        }
    }
    if let Some(written) = state.written() {
        for kept in &written.kept {
            let _ = writeln!(out, "what was there before is kept as `{kept}`");
        }
    }
    if let Some(kept) = state.kept_draft() {
        let _ = writeln!(out, "the last draft is kept as `{kept}`; the manifest is as it was");
    }
    if let Some(halt) = state.halt() {
        let _ = writeln!(out, "stopped: {}", one_line(&halt.why));
    }
    if let Some(why) = state.gave_up() {
        let _ = writeln!(out, "stopped: {}", one_line(why));
    }
    out
}

fn standing(state: &State) -> String {
    match (state.stage(), state.over()) {
        (Stage::Written, _) => "the manifest is in place".to_owned(),
        (Stage::NotReady, _) => "the brainstorm is not ready".to_owned(),
        (Stage::Exhausted, _) => "no draft was valid".to_owned(),
        (Stage::Writing, _) => "a valid draft is not in place yet".to_owned(),
        (Stage::Judging, _) => "the brainstorm is not judged yet".to_owned(),
        (Stage::Drafting(round), _) => format!("draft {round} of {} is due", crate::formalize::ROUNDS),
    }
}

fn judged(out: &mut String, report: &ReadinessReport, ready: bool) {
    if !ready || !report.concerns.is_empty() {
        let _ = writeln!(out, "of the brainstorm: {}", one_line(&report.summary));
    }
    for Concern { blocks, text, suggestion } in &report.concerns {
        let _ = writeln!(out, "{}: {}", if *blocks { "blocks" } else { "concern" }, one_line(text));
        if let Some(suggestion) = suggestion {
            let _ = writeln!(out, "  would settle it: {}", one_line(suggestion));
        }
    }
}

fn problems(out: &mut String, draft: &Draft) {
    for problem in draft.problems.iter().take(MOST) {
        let place = problem.path.as_deref().map_or_else(String::new, |path| format!(" at {path}"));
        let line = format!("{}[{}]{place}: {}", weight(problem), problem.code, problem.message);
        let _ = writeln!(out, "{}", terminal_safe(&line).replace('\n', " "));
        for help in &problem.help {
            let _ = writeln!(out, "  help: {}", one_line(help));
        }
    }
    let more = draft.problems.len().saturating_sub(MOST) + draft.more as usize;
    if more > 0 {
        let _ = writeln!(out, "{more} more");
    }
}

fn helps(called: &str, state: &State, status: ExitStatus) -> Vec<String> {
    let again = format!("`cco formalize {called}`");
    if matches!(status, ExitStatus::Interrupted | ExitStatus::Terminated) {
        return vec![format!("stopped; {again} carries on")];
    }
    let mut helps = Vec::new();
    helps.extend(state.halt().and_then(|halt| remedy(halt.class)).map(str::to_owned));
    match state.over() {
        Some(Over::Done) => helps.push(format!("`cco run {called} -n` shows what would run")),
        Some(Over::NotReady) => {
            helps.push(format!("settle what blocks in brainstorm/, then {again}; `--no-gate` goes on as it is"));
        }
        Some(Over::Invalid) => {
            helps.push(format!("mend the last draft by hand, or say more in brainstorm/; {again} drafts anew"))
        }
        Some(Over::GaveUp) => helps.push(format!("nothing is lost; {again} tries again")),
        Some(Over::Budget) => {
            helps.push(format!("the budget is used up; {again} with `--budget-usd X` carries on with more"))
        }
        Some(Over::UsageLimit) => helps.push(format!("the usage limit is reached; {again} later carries on")),
        Some(Over::Environment) => helps.push(format!("nothing is lost; once that is mended, {again} carries on")),
        Some(Over::Interrupted) | None => {}
    }
    helps
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    spec: &'a str,
    /// What stands, in a sentence.
    standing: String,
    /// How the last one ended; null while it is on, or was killed.
    over: Option<Over>,
    readiness: Option<Readiness<'a>>,
    drafts: Vec<Round<'a>>,
    written: Option<&'a Written>,
    /// Where the last draft is kept that was not valid.
    kept_draft: Option<&'a str>,
    stopped: Option<&'a str>,
    /// As far as it is known.
    cost_usd: f64,
    /// Calls whose cost is not known.
    cost_unknown: u32,
    simulated: bool,
}

#[derive(Serialize)]
struct Readiness<'a> {
    ready: bool,
    summary: &'a str,
    concerns: &'a [Concern],
}

#[derive(Serialize)]
struct Round<'a> {
    attempt: String,
    valid: bool,
    components: u32,
    summary: &'a str,
    assumptions: &'a [String],
    problems: &'a [Problem],
    /// Problems that are not listed.
    more: u32,
    file: String,
}

impl<'a> Document<'a> {
    fn of(spec: &'a str, paths: &SpecPaths, state: &'a State) -> Self {
        let readiness = |(report, ready): (&'a ReadinessReport, bool)| Readiness {
            ready,
            summary: &report.summary,
            concerns: &report.concerns,
        };
        let spent = state.cost();
        Self {
            spec,
            standing: if state.begun().is_some() { standing(state) } else { "not formalized".to_owned() },
            over: state.over(),
            readiness: state.judged().map(readiness),
            drafts: state
                .drafts()
                .map(|(attempt, draft)| Round {
                    attempt: format!("{}-{}", attempt.step, attempt.n),
                    valid: draft.valid,
                    components: draft.components,
                    summary: &draft.summary,
                    assumptions: &draft.assumptions,
                    problems: &draft.problems,
                    more: draft.more,
                    file: manifest_file(paths, attempt).display().to_string(),
                })
                .collect(),
            written: state.written(),
            kept_draft: state.kept_draft(),
            stopped: state.halt().map(|halt| halt.why.as_str()).or(state.gave_up()),
            cost_usd: spent.usd,
            cost_unknown: spent.unknown,
            simulated: state.begun().is_some_and(|begun| begun.simulated),
        }
    }
}
