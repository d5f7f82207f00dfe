//! The body of a pull request: what was done, what stands behind it, what it cost.

use std::fmt::Write as _;

use super::Work;
use super::account::{Account, Ran, Waiver};
use crate::cli::opened::Opened;
use crate::ids::Subject;
use crate::lifecycle::event::{Proof, Verdict};
use crate::lifecycle::state::RunState;
use crate::lifecycle::subject::{Phase, SubjectState};
use crate::text::{cost, elide_end, one_line, plural};

/// What is said of one thing, at most, in columns.
const LONGEST: usize = 600;
/// How long a list may become, in bytes: a server takes no more than 65,536 characters in all.
const LIST: usize = 24 * 1024;

/// The whole text, in Markdown. `base` is the commit that the branch began at.
pub(super) fn render(opened: &Opened, state: &RunState, account: &Account, work: &Work, base: &str) -> String {
    let mut out = String::from("## What was done\n\n");
    let lines = (0..state.run_index()).map(|at| component(state.component(at), &state.name(at), account));
    list(&mut out, lines);
    out.push_str("\n## What stands behind it\n\n");
    out.push_str(match state.completed() {
        Some(Proof::Proven) => "The whole passed its final validation, in a fresh worktree.\n",
        Some(Proof::Waived) => "The whole is complete with issues that were waived (below).\n",
        Some(Proof::Unproven) => "Nothing checks the whole: it is complete, and **unproven**.\n",
        None => "The whole has not passed its final validation.\n",
    });
    if work.unchecked > 0 {
        let what = plural(work.unchecked as usize, "commit");
        let _ = writeln!(out, "\n**Not checked**: the last {what} on the branch, made after the last run.");
    }
    proofs(&mut out, state);
    waivers(&mut out, state, account);
    if let Some(ran) = account.validations.get(&Subject::Run).filter(|ran| !ran.checks.is_empty()) {
        out.push_str("\n## Checks of the whole\n\n| check | result | tree |\n| --- | --- | --- |\n");
        for (check, (verdict, tree)) in &ran.checks {
            let tree = tree.as_deref().map_or_else(String::new, |tree| format!("`{}`", short(tree)));
            let _ = writeln!(out, "| `{}` | {} | {tree} |", cell(check), word(*verdict));
        }
        if !ran.reviewers.is_empty() {
            let _ = writeln!(out, "\n{} looked at the whole.", plural(ran.reviewers.len(), "reviewer"));
        }
    }
    let spent = state.cost();
    let simulated = state.run().is_some_and(|run| run.simulated);
    let agent = if simulated { "; **the agent was simulated**, nothing of this comes from a model" } else { "" };
    let _ = writeln!(
        out,
        "\n## Cost\n\n{} (API-equivalent) for {}{agent}.",
        cost(spent.usd, spent.unknown > 0),
        plural(account.calls as usize, "agent call"),
    );
    let _ = writeln!(
        out,
        "\n---\nSpec `{}`, from {} to {}; made with cco {}.",
        opened.reference,
        short(base),
        short(&work.tip),
        env!("CARGO_PKG_VERSION")
    );
    out
}

/// Items, a line each, as many as there is room for.
fn list(out: &mut String, lines: impl Iterator<Item = String>) {
    let begin = out.len();
    let mut left = 0;
    for line in lines {
        if out.len() + line.len() - begin > LIST {
            left += 1;
        } else {
            let _ = writeln!(out, "- {line}");
        }
    }
    if left > 0 {
        let _ = writeln!(out, "- and {left} more; `cco status` has them all");
    }
}

fn component(subject: &SubjectState, name: &Subject, account: &Account) -> String {
    let said = subject.report.as_ref().map(|report| data(&report.summary)).filter(|said| !said.is_empty());
    let said = match (&subject.phase, said) {
        (Phase::Skipped, _) => "left out".to_owned(),
        (Phase::Complete(_), said) => said.unwrap_or_else(|| "done".to_owned()),
        (_, _) => "not done: it needs what was left out".to_owned(),
    };
    let mut line = format!("**{name}**: {said}");
    if let Some(Ran { checks, reviewers }) = account.validations.get(name).filter(|_| subject.is_complete()) {
        let mut ran: Vec<String> = checks
            .iter()
            .map(|(check, (verdict, _))| match verdict {
                Verdict::Pass => format!("`{}`", cell(check)),
                Verdict::Fail | Verdict::Unavailable => format!("`{}` ({})", cell(check), word(*verdict)),
            })
            .collect();
        if !reviewers.is_empty() {
            ran.push(plural(reviewers.len(), "reviewer"));
        }
        if !ran.is_empty() {
            let _ = write!(line, " — checked by {}", ran.join(", "));
        }
    }
    line
}

/// Who is proven, and who is not.
fn proofs(out: &mut String, state: &RunState) {
    let of = |proof: Proof| {
        let all = (0..state.run_index()).filter(move |&at| state.component(at).phase == Phase::Complete(proof));
        all.map(|at| format!("`{}`", state.name(at))).collect::<Vec<_>>()
    };
    let what = [
        (Proof::Proven, "Proven, each by its own checks"),
        (Proof::Unproven, "Unproven by themselves"),
        (Proof::Waived, "Waived"),
    ];
    let mut lines =
        what.map(|(proof, what)| (of(proof), what)).into_iter().filter(|(ids, _)| !ids.is_empty()).peekable();
    if lines.peek().is_some() {
        out.push('\n');
    }
    for (ids, what) in lines {
        const SHOWN: usize = 100;
        let more = ids.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "- {what}: {}{more}", ids.into_iter().take(SHOWN).collect::<Vec<_>>().join(", "));
    }
}

/// What the user took as it is, of all that is not proven because of it.
fn waivers(out: &mut String, state: &RunState, account: &Account) {
    let counts = |waiver: &&Waiver| match &waiver.on {
        Subject::Run => state.completed() == Some(Proof::Waived),
        on => state.subject(on).is_some_and(|it| it.phase == Phase::Complete(Proof::Waived)),
    };
    let lines: Vec<String> = account.waivers.iter().filter(counts).flat_map(waived).collect();
    if !lines.is_empty() {
        out.push_str("\n### Waived\n\n");
        list(out, lines.into_iter());
    }
}

fn waived(waiver: &Waiver) -> Vec<String> {
    let on = match &waiver.on {
        Subject::Component(id) => id.as_str(),
        // Its own name would call somebody.
        Subject::Run => "the whole",
    };
    let why = waiver.why.as_deref().map_or_else(String::new, |why| format!(": {}", data(why)));
    let by = format!("waived by {}{why}", data(&waiver.by));
    if waiver.issues.is_empty() {
        return vec![format!("**{on}**: {} ({by})", data(&waiver.question))];
    }
    let line = |issue: &crate::lifecycle::event::Issue| {
        let at = match (&issue.file, issue.line) {
            (Some(file), Some(line)) => format!(" {}:{line}", data(file)),
            (Some(file), None) => format!(" {}", data(file)),
            (None, _) => String::new(),
        };
        format!("**{on}** `{}`{at}: {} ({by})", cell(&issue.source), data(&issue.text))
    };
    waiver.issues.iter().map(line).collect()
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unavailable => "could not be checked",
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// What others said, as data: on one line, without markup, and without what a server acts on when it reads a pull request
/// (`Fixes #1` closes an issue, `@name` calls somebody).
fn data(text: &str) -> String {
    let text = one_line(text);
    let text = elide_end(&text, LONGEST);
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '#' | '@' => {
                out.push(character);
                out.push_str("<!-- -->");
            }
            _ => out.push(character),
        }
    }
    out
}

/// A name between backticks in a table.
fn cell(text: &str) -> String {
    one_line(text).replace('`', "'").replace('|', "/")
}
