//! What is printed when a run is over: where everything stands, what it cost, and the next command.

use std::fmt::Write as _;

use super::wants_json;
use crate::cli::App;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::cli::questions;
use crate::executor::Finish;
use crate::lifecycle::event::{Proof, RunEnd, Trouble};
use crate::lifecycle::state::RunState;
use crate::lifecycle::subject::Phase;
use crate::text::{cost, one_line, plural};

/// Prints how a run ended, and `with_questions` what it asks. With `--json` the records said it all.
pub fn print(
    app: &App,
    opened: &Opened,
    state: &RunState,
    finish: Finish,
    with_questions: bool,
) -> Result<(), CliError> {
    if !wants_json(app) {
        app.printer.answer(&text(opened, state, Some(finish.end), with_questions))?;
    }
    Ok(())
}

/// Nothing was started: everything is as the manifest wants it.
pub fn nothing_to_do(app: &App, opened: &Opened, state: &RunState) -> Result<ExitStatus, CliError> {
    if !wants_json(app) {
        app.printer.answer(&text(opened, state, None, true))?;
    }
    app.printer.note("everything is up to date; `cco run --redo IDS` makes components anew");
    Ok(ExitStatus::Done)
}

fn text(opened: &Opened, state: &RunState, end: Option<RunEnd>, with_questions: bool) -> String {
    let mut out = String::new();
    let counts = state.counts();
    let total = state.run_index() as usize;
    let _ = write!(out, "{}: {} of {} complete", opened.reference, counts.complete, plural(total, "component"));
    for (count, word) in [
        (unproven(state), "unproven"),
        (waived(state), "waived"),
        (counts.asking, "waiting for an answer"),
        (counts.failed, "failed"),
        (counts.skipped, "skipped"),
        (counts.blocked, "blocked"),
    ] {
        if count > 0 {
            let _ = write!(out, ", {count} {word}");
        }
    }
    let spent = state.cost();
    let _ = writeln!(out, "; {}", cost(spent.usd, spent.unknown > 0));
    if state.run().is_some_and(|run| run.simulated) {
        out.push_str("the agent was simulated: nothing of this comes from a model\n");
    }
    match state.completed() {
        Some(Proof::Proven) => out.push_str("the whole passed its final validation\n"),
        Some(Proof::Waived) => out.push_str("the whole is complete with issues that you waived\n"),
        Some(Proof::Unproven) => out.push_str("nothing checks the whole: it is complete, and unproven\n"),
        None => {}
    }
    if let Some((branch, _)) = state.run().and_then(|run| run.tree.branch()) {
        let next = match state.completed() {
            Some(_) => format!("; `cco finish {}` hands it on", opened.called),
            None => String::new(),
        };
        let _ = writeln!(out, "the work is on branch `{branch}`{next}");
    }
    if let Some(halt) = state.halt() {
        let _ = writeln!(out, "stopped: {}", one_line(&halt.why));
        if let Some(remedy) = halt.class.and_then(remedy) {
            let _ = writeln!(out, "help: {remedy}");
        }
    }
    if with_questions {
        for question in state.questions() {
            let _ = write!(out, "\n{}", questions::brief(&opened.called, question));
        }
    }
    if let Some(next) = end.and_then(next_command) {
        let _ = writeln!(out, "{next}");
    }
    out
}

/// What mends the trouble that stopped a run.
pub(in crate::cli::commands) fn remedy(class: Trouble) -> Option<&'static str> {
    match class {
        Trouble::Authentication => Some("run `claude` once and log in, or set `ANTHROPIC_API_KEY`"),
        Trouble::Billing => Some("add credit to the account, or log in with another one"),
        Trouble::Model => Some("name a model that the account has: `agent.model`, or `model` of the component"),
        Trouble::BadRequest => {
            Some("shorten what goes into the prompt: context files, notes, SPEC.md; see the prompt in `runs/`")
        }
        Trouble::NotStarted => Some("`cco doctor` shows what is used and where it comes from"),
        Trouble::DiskFull => Some("make room; nothing that was recorded is lost"),
        Trouble::Internal => Some("this is a defect of cco: please report it with the files in `runs/`"),
        Trouble::Transient
        | Trouble::RateLimit { .. }
        | Trouble::UsageLimit { .. }
        | Trouble::Refused
        | Trouble::NoAnswer
        | Trouble::TimedOut
        | Trouble::Crashed
        | Trouble::Meddled
        | Trouble::ConversationLost => None,
    }
}

fn next_command(end: RunEnd) -> Option<&'static str> {
    match end {
        RunEnd::Done | RunEnd::NeedsAnswer | RunEnd::FailFast => None,
        RunEnd::Incomplete => Some("`cco status` shows what is not complete and why"),
        RunEnd::Budget => Some("the budget is used up; `cco run --budget-usd X` carries on with more"),
        RunEnd::UsageLimit => Some("the usage limit is reached; `cco run` later carries on"),
        RunEnd::Environment => Some("nothing is lost; once that is mended, `cco run` carries on"),
        RunEnd::Interrupted => Some("stopped; `cco run` carries on"),
    }
}

fn unproven(state: &RunState) -> u32 {
    count(state, Proof::Unproven)
}

fn waived(state: &RunState) -> u32 {
    count(state, Proof::Waived)
}

fn count(state: &RunState, proof: Proof) -> u32 {
    (0..state.run_index()).filter(|&at| state.component(at).phase == Phase::Complete(proof)).count() as u32
}
