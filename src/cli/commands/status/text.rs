//! The document for people.

use std::fmt::Write as _;

use super::document::{Component, Report, Run};
use crate::cli::opened::Opened;
use crate::cli::questions;
use crate::lifecycle::event::{Pause, Proof, Redo, RunEnd, StaleReason, TreeInfo};
use crate::lifecycle::state::RunState;
use crate::text::{cost, one_line, plural, width};

/// The whole text.
pub fn render(opened: &Opened, state: &RunState, report: &Report<'_>) -> String {
    let mut out = String::new();
    head(&mut out, report);
    table(&mut out, report);
    let line = |out: &mut String, text: &str| {
        let _ = writeln!(out, "{text}");
    };
    for id in &report.removed {
        line(&mut out, &format!("{id} is no longer in the manifest; its files stay"));
    }
    for question in state.questions() {
        line(&mut out, "");
        out.push_str(&questions::text(&opened.called, question, state));
    }
    for answer in &report.answers {
        line(&mut out, &format!("an answer to {} waits to be taken up by a run", one_line(answer.id)));
    }
    if !report.denials.is_empty() {
        line(&mut out, "\ndenied to agents:");
    }
    for denied in &report.denials {
        line(&mut out, &format!("  {}: {}", denied.on, one_line(denied.call)));
    }
    if !report.strays.is_empty() {
        line(&mut out, "\nleft running by a dead run (`cco stop` or the next run ends them):");
    }
    for stray in &report.strays {
        line(&mut out, &format!("  {} {}", stray.pid, one_line(stray.command)));
    }
    out
}

fn head(out: &mut String, report: &Report<'_>) {
    let counts = &report.counts;
    let _ = write!(
        out,
        "{}: {} of {} complete",
        report.spec,
        counts.complete,
        plural(counts.components as usize, "component")
    );
    let others = [
        (counts.asking, "waiting for an answer"),
        (counts.failed, "failed"),
        (counts.skipped, "skipped"),
        (counts.blocked, "blocked"),
    ];
    for (count, word) in others.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(out, ", {count} {word}");
    }
    let _ = writeln!(out, "; {}", cost(report.cost.usd, report.cost.unknown > 0));
    let _ = writeln!(out, "{}", run(report));
    if let Some(paused) = &report.paused {
        let why = match paused.why {
            Pause::RateLimit => "the server limits the rate",
            Pause::UsageLimit => "the usage limit is reached",
        };
        let _ = writeln!(out, "agents wait until {:.0}: {why}", paused.until);
    }
    if let Some(why) = report.stopped {
        let _ = writeln!(out, "stopped: {}", one_line(why));
    }
    match report.run.as_ref().map(|run| run.tree) {
        Some(TreeInfo::Worktree { branch, dir, .. } | TreeInfo::Worktrees { branch, dir, .. }) => {
            let _ = writeln!(out, "branch `{branch}`, in `{dir}`");
        }
        Some(TreeInfo::Shared { dir }) => {
            let _ = writeln!(out, "work in `{dir}` itself");
        }
        None => {}
    }
    if let Some(moved) = report.branch_moved {
        let _ = writeln!(out, "{moved}");
    }
}

fn run(report: &Report<'_>) -> String {
    let simulated = if report.run.as_ref().is_some_and(|run| run.simulated) { ", simulated" } else { "" };
    if let Some(live) = &report.live {
        let since = live.since.map_or_else(String::new, |since| format!(" since {since:.0}"));
        let settings = report.run.as_ref().filter(|run| run.ended.is_none()).map_or_else(String::new, settings);
        return match live.pid {
            Some(pid) => format!("live: process {pid}{since}{simulated}{settings}"),
            None => format!("live{simulated}{settings}"),
        };
    }
    let Some(run) = &report.run else { return "not run yet; `cco run` begins".to_owned() };
    let how = match run.ended {
        Some(RunEnd::Done) => "is done",
        Some(RunEnd::Incomplete) => "ended with not all complete",
        Some(RunEnd::NeedsAnswer) => "ended with a question",
        Some(RunEnd::Budget) => "ended at the budget",
        Some(RunEnd::UsageLimit) => "ended at the usage limit",
        Some(RunEnd::Environment) => "ended since the environment is not as needed",
        Some(RunEnd::Interrupted) => "was interrupted; `cco run` carries on",
        Some(RunEnd::FailFast) => "ended at the first failure",
        None => "was killed; `cco run` carries on",
    };
    format!("run {} ({} mode{simulated}) {how}", run.number, run.mode)
}

/// What a run was started with.
fn settings(run: &Run<'_>) -> String {
    let only: Vec<&str> = run.only.iter().map(|id| id.as_str()).collect();
    let only = if only.is_empty() { String::new() } else { format!(", only {}", only.join(", ")) };
    format!(", {} mode, {} at once{only}", one_line(run.mode), plural(run.jobs as usize, "agent"))
}

fn table(out: &mut String, report: &Report<'_>) {
    let whole = (report.whole.phase != "waiting" || report.whole.stale.is_some()).then_some(&report.whole);
    let rows: Vec<[String; 4]> = report.components.iter().chain(whole).map(row).collect();
    let widths: Vec<usize> = (0..3).map(|at| rows.iter().map(|row| width(&row[at])).max().unwrap_or(0)).collect();
    for row in &rows {
        let mut line = String::from(" ");
        for (cell, columns) in row.iter().zip(&widths) {
            let _ = write!(line, " {cell}{:fill$} ", "", fill = columns - width(cell));
        }
        let _ = writeln!(out, "{}", format!("{line} {}", row[3]).trim_end());
    }
    if let Some(proof) = report.proof {
        let _ = writeln!(out, "the whole is {}", proof_word(proof));
    }
}

/// Id, phase, cost, and the rest.
fn row(component: &Component) -> [String; 4] {
    let phase = match (component.proof, &component.detail) {
        (Some(proof), _) => format!("{} ({})", component.phase, proof_word(proof)),
        (None, Some(detail)) => format!("{} ({})", component.phase, one_line(detail)),
        (None, None) => component.phase.to_owned(),
    };
    let money = if component.cost.usd > 0.0 || component.cost.unknown > 0 {
        cost(component.cost.usd, component.cost.unknown > 0)
    } else {
        String::new()
    };
    let mut rest = Vec::new();
    if !component.running.is_empty() {
        rest.push(format!("running {}", component.running.join(", ")));
    }
    let names = |ids: &[crate::ids::ComponentId]| ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    if !component.blocked_by.is_empty() {
        rest.push(format!("blocked by {}", names(&component.blocked_by)));
    } else if component.phase == "waiting" && !component.waits_for.is_empty() {
        rest.push(format!("waits for {}", names(&component.waits_for)));
    }
    let attempts: Vec<String> = component
        .attempts
        .iter()
        .filter(|(step, _)| !step.starts_with("check:"))
        .map(|(step, n)| if *n == 1 { step.clone() } else { format!("{step} ×{n}") })
        .collect();
    if !attempts.is_empty() {
        rest.push(attempts.join(", "));
    }
    if !component.granted.is_empty() {
        let files: Vec<_> = component.granted.iter().map(|path| one_line(path)).collect();
        rest.push(format!("was given {}", files.join(", ")));
    }
    if let Some(stale) = &component.stale {
        rest.push(format!("stale: {}; the next run {} it", reason(&stale.why), again(stale.redo)));
    }
    [component.id.to_string(), phase, money, rest.join("; ")]
}

fn reason(why: &StaleReason) -> String {
    match why {
        StaleReason::Input => "its definition changed".to_owned(),
        StaleReason::Checks => "its checks changed".to_owned(),
        StaleReason::Dependency(id) => format!("files of `{id}` changed"),
        StaleReason::Asked => "it was asked for".to_owned(),
    }
}

fn again(redo: Redo) -> &'static str {
    match redo {
        Redo::Revise => "revises",
        Redo::Validate => "validates",
        Redo::All => "makes",
    }
}

fn proof_word(proof: Proof) -> &'static str {
    match proof {
        Proof::Proven => "proven",
        Proof::Unproven => "unproven",
        Proof::Waived => "waived",
    }
}
