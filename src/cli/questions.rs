//! Open questions, for people and programs: what is asked, what is wrong, and the command that answers.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::ids::Subject;
use crate::lifecycle::event::{Cause, Escalation, Issue, TreeInfo};
use crate::lifecycle::report::Severity;
use crate::lifecycle::state::RunState;
use crate::text::{one_line, terminal_safe};
use crate::tree::worktree_of;

/// How many hex digits name an issue on a command line.
const DIGITS: usize = 8;

/// A question in a JSON document.
#[derive(Serialize)]
pub struct QuestionItem<'a> {
    id: &'a str,
    on: &'a Subject,
    cause: Cause,
    question: &'a str,
    options: &'a [String],
    tried: &'a [String],
    issues: Vec<IssueItem<'a>>,
    /// The command line that begins an answer.
    answer: String,
}

#[derive(Serialize)]
struct IssueItem<'a> {
    id: String,
    severity: Severity,
    source: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    text: &'a str,
    suggested_fix: Option<&'a str>,
}

impl<'a> QuestionItem<'a> {
    /// Of a question of the spec that `reference` names.
    pub fn new(reference: &str, question: &'a Escalation) -> Self {
        let issue = |issue: &'a Issue| IssueItem {
            id: short_id(issue),
            severity: issue.severity,
            source: &issue.source,
            file: issue.file.as_deref(),
            line: issue.line,
            text: &issue.text,
            suggested_fix: issue.suggested_fix.as_deref(),
        };
        Self {
            id: &question.id,
            on: &question.on,
            cause: question.cause,
            question: &question.question,
            options: &question.options,
            tried: &question.tried,
            issues: question.issues.iter().map(issue).collect(),
            answer: command(reference, question),
        }
    }
}

/// The id by which an issue is named on a command line.
pub fn short_id(issue: &Issue) -> String {
    issue.fingerprint.to_string().chars().take(DIGITS).collect()
}

/// The command line that begins an answer.
fn command(reference: &str, question: &Escalation) -> String {
    format!("cco answer {reference} {}", question.id)
}

/// A question as text, with every issue, what was tried, and every way to answer.
pub fn text(reference: &str, question: &Escalation, state: &RunState) -> String {
    let mut out = format!("{} ({}): {}\n", question.id, question.on, terminal_safe(question.question.trim()));
    for found in &question.issues {
        issue(&mut out, found);
    }
    if !question.tried.is_empty() {
        out.push_str("  tried:\n");
        question.tried.iter().for_each(|tried| {
            let _ = writeln!(out, "    {}", one_line(tried));
        });
    }
    if let Some(TreeInfo::Worktrees { dir, .. }) = state.run().map(|run| &run.tree) {
        let dir = worktree_of(Path::new(dir), &question.on);
        let _ = writeln!(out, "  its work is in `{}`, where you may change it", dir.display());
    }
    let command = command(reference, question);
    out.push_str("  answer with one of:\n");
    for (words, what) in ways(question) {
        let _ = writeln!(out, "    {command} {words:<18}  {what}");
    }
    out
}

/// A question in two lines: what is asked, and every way to answer.
pub fn brief(reference: &str, question: &Escalation) -> String {
    let mut ways = ways(question).into_iter().map(|(words, _)| words);
    let first = ways.next().unwrap_or_default();
    format!(
        "{} ({}): {}\n  {} {first}   or: {}\n",
        question.id,
        question.on,
        terminal_safe(question.question.trim()),
        command(reference, question),
        ways.collect::<Vec<_>>().join(", ")
    )
}

fn issue(out: &mut String, issue: &Issue) {
    let severity = match issue.severity {
        Severity::Minor => "minor",
        Severity::Major => "major",
        Severity::Critical => "critical",
    };
    let _ = write!(out, "  {} {severity} {}", short_id(issue), one_line(&issue.source));
    if let Some(file) = &issue.file {
        let line = issue.line.map_or_else(String::new, |line| format!(":{line}"));
        let _ = write!(out, " {}{line}", one_line(file));
    }
    out.push('\n');
    for line in issue.text.trim().lines() {
        let _ = writeln!(out, "    {}", terminal_safe(line));
    }
    if let Some(fix) = &issue.suggested_fix {
        let _ = writeln!(out, "    suggested: {}", one_line(fix));
    }
}

/// How an answer goes on, and what it does. The first is the usual one.
fn ways(question: &Escalation) -> Vec<(String, &'static str)> {
    let accept = if question.issues.is_empty() { "go on as it is" } else { "waive its issues, or those that you name" };
    let mut ways = vec![
        ("retry -m \"…\"".to_owned(), "try again, with your words for the agent"),
        ("accept".to_owned(), accept),
        ("recheck".to_owned(), "validate the work as you left it"),
        ("skip".to_owned(), "leave it and its dependents out"),
        ("abort".to_owned(), "end the run"),
    ];
    ways.retain(|(verb, _)| question.on != Subject::Run || verb != "skip");
    let own = question.options.iter().map(|option| (format!("--option {}", one_line(option)), "its own option"));
    ways.extend(own);
    ways
}
