//! What was detected as the beginning of a manifest, and as something to be read.

use serde::Serialize;
use serde_json::{Value, json};

use crate::detect::{Command, Detected, Kind, Proposal};
use crate::spec::starter::{Example, Starter};
use crate::text::printable;

/// The manifest's beginning.
pub(super) fn of(detected: &Detected, proposal: &Proposal) -> Starter {
    let has_checks = proposal.lint.is_some() || proposal.test.is_some();
    let from = detected.found.iter().filter(|found| found.lint.is_some() || found.test.is_some());
    Starter {
        lint: proposal.lint.as_ref().map(check),
        test: proposal.test.as_ref().map(check),
        setup: proposal.setup.iter().map(Command::line).collect(),
        allow: proposal.programs.iter().map(|program| format!("Bash({program}:*)")).collect(),
        from: if has_checks { from.map(|found| found.marker.clone()).collect() } else { Vec::new() },
        example: detected.found.iter().find_map(|found| example(found.kind)),
    }
}

fn check(command: &Command) -> Value {
    match command.dir.as_str() {
        "" => json!(command.run),
        dir => json!({"run": command.run, "dir": dir}),
    }
}

fn example(kind: Kind) -> Option<Example> {
    let (file, tests, check) = match kind {
        Kind::Rust => ("src/parser.rs", "tests/parser.rs", "cargo test parser"),
        Kind::JavaScript => ("src/parser.js", "test/parser.test.js", "npm test"),
        Kind::Python => ("src/parser.py", "tests/test_parser.py", "pytest tests/test_parser.py"),
        Kind::Go => ("parser/parser.go", "parser/parser_test.go", "go test ./parser"),
        Kind::Java => {
            ("src/main/java/Parser.java", "src/test/java/ParserTest.java", "mvn --batch-mode test -Dtest=ParserTest")
        }
        Kind::Make | Kind::Just => return None,
    };
    Some(Example { id: "parser", file, files: [tests], depends_on: [], purpose: "Reads the input.", checks: [check] })
}

/// What was detected, a line each, for people.
pub(super) fn said(detected: &Detected, proposal: &Proposal) -> Vec<String> {
    if detected.found.is_empty() {
        let nothing = "nothing told how this is built and checked (no Cargo.toml, package.json, pyproject.toml, go.mod, \
                       pom.xml, Makefile, justfile): the manifest names no checks yet";
        return vec![nothing.to_owned()];
    }
    let kinds = detected.found.iter().map(|found| format!("{} (`{}`)", found.kind.name(), printable(&found.marker)));
    let mut lines = vec![format!("detected: {}", kinds.collect::<Vec<_>>().join(", "))];
    let mut row = |what: &str, command: Option<String>| {
        lines.push(format!(
            "  {what:5}  {}",
            command.map_or("none found".to_owned(), |command| printable(&command).into_owned())
        ));
    };
    row("lint", proposal.lint.as_ref().map(Command::line));
    row("tests", proposal.test.as_ref().map(Command::line));
    for setup in &proposal.setup {
        row("setup", Some(setup.line()));
    }
    let passed_over: Vec<String> = detected
        .found
        .iter()
        .flat_map(|found| [(&found.lint, &proposal.lint), (&found.test, &proposal.test)])
        .filter_map(|(command, taken)| command.as_ref().filter(|command| !is_in(command, taken.as_ref())))
        .map(|command| format!("`{}`", printable(command)))
        .collect();
    if !passed_over.is_empty() {
        lines.push(format!("  passed over, since these are the project's own: {}", passed_over.join(", ")));
    }
    lines
}

fn is_in(command: &str, taken: Option<&Command>) -> bool {
    taken.is_some_and(|taken| taken.run.contains(command))
}

/// The same for programs.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    project: Option<&'a str>,
    found: Vec<DocumentFound<'a>>,
    lint: Option<String>,
    test: Option<String>,
    setup: Vec<String>,
    tasks: Vec<&'a str>,
    remarks: &'a [String],
}

#[derive(Serialize)]
struct DocumentFound<'a> {
    kind: &'static str,
    marker: &'a str,
}

impl<'a> Document<'a> {
    pub(super) fn new(detected: &'a Detected, proposal: &Proposal) -> Self {
        let found = detected.found.iter();
        Self {
            project: detected.project.as_deref(),
            found: found.map(|found| DocumentFound { kind: found.kind.name(), marker: &found.marker }).collect(),
            lint: proposal.lint.as_ref().map(Command::line),
            test: proposal.test.as_ref().map(Command::line),
            setup: proposal.setup.iter().map(Command::line).collect(),
            tasks: detected.tasks.iter().map(|tasks| tasks.path.as_str()).collect(),
            remarks: &detected.remarks,
        }
    }
}
