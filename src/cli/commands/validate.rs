//! Checks a spec's manifest.

use serde::Serialize;

use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::diagnostic::{self, DiagnosticJson};
use crate::spec::catalog::Entry;
use crate::spec::load::{self, Report, Spec};
use crate::text::{plural, printable};

/// How many problems are shown as text.
const MOST: usize = 500;

/// Reports every problem of a manifest. They are the answer, so they go to stdout.
pub fn execute(app: &App, args: args::Validate) -> Result<ExitStatus, CliError> {
    let entry = app.find_spec(args.spec.reference())?;
    let report = load::check(&entry.path);
    match app.printer.format() {
        Format::Json => app.printer.document(&Verdict::of(&entry.reference(), &report))?,
        Format::Text => {
            app.printer.answer(&text(&report))?;
            if let Some(spec) = &report.spec {
                advise(app, &entry, spec)?;
            }
        }
    }
    Ok(if report.spec.is_some() { ExitStatus::Done } else { ExitStatus::Incomplete })
}

/// Says what a valid spec is good for.
fn advise(app: &App, entry: &Entry, spec: &Spec) -> Result<(), CliError> {
    let called = app.short(entry)?;
    app.printer.help(if spec.manifest.components.is_empty() {
        "it has no component yet; an example stands in it".to_owned()
    } else {
        format!("`cco run {called} -n` shows what would run")
    });
    Ok(())
}

/// The problems and the verdict, for people.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let (problems, left) = diagnostic::shown(&report.diagnostics, MOST);
    for problem in problems {
        // The printer takes the colours away where they are not wanted.
        text.push_str(diagnostic::render(problem, &report.source, true).trim_end());
        text.push_str("\n\n");
    }
    if left > 0 {
        text.push_str(&format!("{left} more; `cco validate --json` has them all\n\n"));
    }
    let errors = report.errors();
    let others = report.diagnostics.len() - errors;
    let verdict = if report.spec.is_some() { "valid" } else { "invalid" };
    text.push_str(&format!("`{}` is {verdict}", printable(&report.source.name)));
    match (errors, others) {
        (0, 0) => {}
        (0, others) => text.push_str(&format!(", with {}", plural(others, "remark"))),
        (errors, 0) => text.push_str(&format!(": {}", plural(errors, "error"))),
        (errors, others) => text.push_str(&format!(": {}, {}", plural(errors, "error"), plural(others, "remark"))),
    }
    text.push('\n');
    text
}

/// The JSON document.
#[derive(Serialize)]
struct Verdict<'a> {
    spec: &'a str,
    manifest: &'a str,
    valid: bool,
    problems: Vec<DiagnosticJson<'a>>,
}

impl<'a> Verdict<'a> {
    fn of(spec: &'a str, report: &'a Report) -> Self {
        Self {
            spec,
            manifest: &report.source.name,
            valid: report.spec.is_some(),
            problems: report.diagnostics.iter().map(|problem| problem.to_json(&report.source)).collect(),
        }
    }
}
