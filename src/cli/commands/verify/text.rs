//! The document for people.

use std::fmt::Write as _;

use super::document::Report;
use super::rerun::Compared;
use crate::lifecycle::event::Verdict;
use crate::proof::{Claim, Item, Standing, Waiver};
use crate::text::{duration, one_line, plural, width};

/// The digits by which a commit is called.
const SHORT: usize = 10;

/// The whole text.
pub fn render(report: &Report<'_>) -> String {
    let mut out = String::new();
    head(&mut out, report);
    let items: Vec<&Item> = report.components.iter().chain([report.whole]).collect();
    let columns = items.iter().map(|item| width(item.on.as_str())).max().unwrap_or_default();
    for item in items {
        show(&mut out, item, columns);
    }
    for id in &report.removed {
        let _ = writeln!(out, "{id} is no longer in the manifest, and is not judged");
    }
    if let Some(rerun) = report.rerun {
        again(&mut out, rerun);
    }
    out
}

fn head(out: &mut String, report: &Report<'_>) {
    let _ = writeln!(out, "{}: {}", report.spec, verdict(report));
    let torn = if report.journal.torn { ", and one that was never written to its end" } else { "" };
    let records = plural(usize::try_from(report.journal.records).unwrap_or(usize::MAX), "record");
    let simulated = if report.run.as_ref().is_some_and(|run| run.simulated) { "; the agent was simulated" } else { "" };
    let _ = writeln!(out, "{records} with the right checksums{torn}{simulated}");
    match (&report.branch, &report.run) {
        (Some(branch), _) => {
            let at = branch.tip.map_or("gone", short);
            let _ = writeln!(out, "branch `{}`: {at}", branch.name);
        }
        (None, Some(_)) => {
            let _ = writeln!(out, "without git: runs of commands are on record, and nothing binds them to files");
        }
        (None, None) => {}
    }
    if report.live {
        let _ = writeln!(out, "a run is live: this is what holds so far");
    }
}

fn verdict(report: &Report<'_>) -> String {
    if report.run.is_none() {
        return "not run yet, so nothing is proven".to_owned();
    }
    let count = |standing| report.components.iter().filter(|item| item.standing == standing).count();
    let all = plural(report.components.len(), "component");
    let mut text = format!("{} of {all} proven", count(Standing::Proven));
    for standing in [Standing::Waived, Standing::Unproven, Standing::Contradicted] {
        if count(standing) > 0 {
            let _ = write!(text, ", {} {}", count(standing), standing.word());
        }
    }
    format!("{text}; the whole is {}", report.whole.standing.word())
}

fn show(out: &mut String, item: &Item, columns: usize) {
    const STANDING: usize = "contradicted".len();
    let fill = columns - width(item.on.as_str());
    let of = |standing| item.claims.iter().filter(move |claim| claim.standing == standing);
    let mut by: Vec<String> = vec![of(Standing::Proven).map(|claim| &*claim.what).collect::<Vec<_>>().join(", ")];
    by.retain(|text| !text.is_empty());
    by.extend(item.landed.as_ref().map(|commit| format!("commit {}", short(commit))));
    let line = format!("  {}{:fill$}  {:STANDING$}  {}", item.on, "", item.standing.word(), by.join("; "));
    let _ = writeln!(out, "{}", line.trim_end());
    for claim in &item.claims {
        notes(out, claim);
    }
    for waiver in &item.waivers {
        waived(out, waiver);
    }
}

fn notes(out: &mut String, claim: &Claim) {
    for why in &claim.why {
        let standing = if claim.standing == Standing::Proven { "" } else { claim.standing.word() };
        let space = if standing.is_empty() { "" } else { " " };
        let _ = writeln!(out, "      {}{space}{standing}: {}", one_line(&claim.what), one_line(why));
    }
}

fn waived(out: &mut String, waiver: &Waiver) {
    for issue in &waiver.issues {
        let first = issue.text.lines().next().unwrap_or_default();
        let (by, question) = (one_line(&waiver.by), one_line(&waiver.question));
        let _ = writeln!(
            out,
            "      taken as it is by {by} at {:.0} ({question}): {}: {}",
            waiver.at,
            one_line(&issue.source),
            one_line(first),
        );
    }
}

fn again(out: &mut String, rerun: &[Compared]) {
    let _ = writeln!(out, "run again in a fresh worktree:");
    for compared in rerun {
        let how = match compared.verdict {
            Verdict::Pass => "passes",
            Verdict::Fail => "fails",
            Verdict::Unavailable => "could not be run",
        };
        let output = match compared.same_output {
            Some(true) => ", with the same output",
            Some(false) => ", with another output",
            None => "",
        };
        let time = duration(std::time::Duration::from_millis(compared.ms));
        let _ = writeln!(out, "  check:{} {how} in {time}{output}", one_line(&compared.check));
        if let Some(note) = &compared.note {
            for line in note.lines() {
                let _ = writeln!(out, "      {}", one_line(line));
            }
        }
    }
}

fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}
