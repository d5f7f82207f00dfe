//! cco's blocks, rendered from the state alone: a replay renders the same bytes.

use std::fmt::Write as _;

use crate::lifecycle::report::WriterReport;
use crate::lifecycle::state::RunState;
use crate::plan::graph::Index;

/// The block of `components/<id>.md`; empty while no agent said anything.
pub fn component(state: &RunState, at: Index) -> String {
    let Some(report) = &state.component(at).report else { return String::new() };
    let mut out = String::from("## From its agents\n");
    if !report.summary.trim().is_empty() {
        let _ = writeln!(out, "\n{}", report.summary.trim());
    }
    for (title, lines) in parts(report) {
        list(&mut out, "###", title, lines.iter().map(String::as_str));
    }
    out
}

/// One list of a report.
type Part = fn(&WriterReport) -> &Vec<String>;

/// The block of CONTEXT.md: what concerns all, in manifest order.
pub fn global(state: &RunState) -> String {
    let mut out = String::new();
    let reports: Vec<(&str, &WriterReport)> = (0..state.run_index())
        .filter_map(|at| {
            let report = state.component(at).report.as_deref()?;
            Some((state.plan().component(at).id.as_str(), report))
        })
        .collect();
    let titles: [(&str, Part); 3] = [
        ("Decisions", |report| &report.decisions),
        ("Discoveries", |report| &report.discoveries),
        ("Blockers", |report| &report.blockers),
    ];
    for (title, of) in titles {
        let lines: Vec<String> = reports
            .iter()
            .flat_map(|(id, report)| of(report).iter().map(move |line| format!("{line} ({id})")))
            .collect();
        list(&mut out, "##", title, lines.iter().map(String::as_str));
    }
    out
}

fn parts(report: &WriterReport) -> [(&'static str, &Vec<String>); 5] {
    [
        ("Interfaces", &report.interfaces),
        ("Decisions", &report.decisions),
        ("Discoveries", &report.discoveries),
        ("Blockers", &report.blockers),
        ("Notes for the next agent", &report.notes),
    ]
}

fn list<'a>(out: &mut String, level: &str, title: &str, lines: impl ExactSizeIterator<Item = &'a str>) {
    if lines.len() == 0 {
        return;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{level} {title}\n");
    for line in lines {
        let _ = writeln!(out, "- {}", line.trim().replace('\n', "\n  "));
    }
}
