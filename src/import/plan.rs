//! spec-kit's `plan.md`: what the work is made with, and how its tests are run where that is clearly stated.

use super::Source;
use super::document::Settled;
use super::draft::Draft;
use super::lines::{self, Kind};
use super::loss::{Code, Losses, Place};
use super::names::quoted;
use crate::diagnostic::visible;
use crate::text::elide_end;

/// The fields that every agent should know.
const FIELDS: [&str; 8] = [
    "Language/Version",
    "Primary Dependencies",
    "Storage",
    "Testing",
    "Target Platform",
    "Project Type",
    "Constraints",
    "Structure Decision",
];
/// Longest field that goes into every prompt, in columns.
const LONGEST: usize = 600;

/// How commands begin that run tests, and linters.
const TESTS: [&str; 28] = [
    "cargo test",
    "cargo nextest",
    "npm test",
    "npm run test",
    "npm t",
    "pnpm test",
    "pnpm run test",
    "yarn test",
    "bun test",
    "npx vitest",
    "npx jest",
    "vitest run",
    "pytest",
    "python -m pytest",
    "python3 -m pytest",
    "uv run pytest",
    "poetry run pytest",
    "go test",
    "mvn test",
    "./mvnw test",
    "gradle test",
    "./gradlew test",
    "make test",
    "just test",
    "dotnet test",
    "swift test",
    "mix test",
    "bundle exec rspec",
];
const LINTERS: [&str; 14] = [
    "cargo clippy",
    "npm run lint",
    "pnpm lint",
    "pnpm run lint",
    "yarn lint",
    "npx eslint",
    "eslint .",
    "ruff check",
    "uv run ruff check",
    "golangci-lint run",
    "go vet",
    "make lint",
    "just lint",
    "mypy ",
];

/// Takes the fields of the technical context over, and the whole for SPEC.md.
pub(super) fn read(settled: Settled, index: usize, source: &Source<'_>, draft: &mut Draft, losses: &mut Losses) {
    let read = lines::read(source.text);
    let mut field: Option<(&str, String, Place)> = None;
    let mut tested = None;
    for line in &read.lines {
        let place = Place { source: index, line: line.number };
        let begun = match line.kind {
            Kind::Text(text) => named(text).map(|(name, value)| (name, value.to_owned(), place)),
            Kind::Heading { .. } | Kind::Item { .. } | Kind::Row(_) => None,
        };
        match (line.kind, begun) {
            (_, Some(begun)) => settle(field.replace(begun), settled, draft, losses, &mut tested),
            // The field's list.
            (Kind::Item { text, .. }, None) if field.is_some() => {
                if let Some((_, value, _)) = &mut field {
                    value.push_str(if value.is_empty() { "" } else { "; " });
                    value.push_str(text);
                }
            }
            (Kind::Heading { .. } | Kind::Row(_) | Kind::Text(_) | Kind::Item { .. }, None) => {
                settle(field.take(), settled, draft, losses, &mut tested);
            }
        }
    }
    settle(field, settled, draft, losses, &mut tested);
    if let (Some((value, place)), None) = (tested, &draft.test_command) {
        let message = format!("no command for the tests is clearly stated: {}", quoted(&value));
        losses.dropped(Code::NoCommand, place, message, "give `quality.test_command` by hand");
    }
    draft.specification.push(source.text.to_owned());
}

/// The name and value of `**Name**: value`.
fn named(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.strip_prefix("**")?.split_once("**")?;
    let name = name.trim_end_matches(':').trim();
    let value = value.trim().strip_prefix(':').unwrap_or(value).trim();
    Some((name, value))
}

fn settle(
    field: Option<(&str, String, Place)>,
    settled: Settled,
    draft: &mut Draft,
    losses: &mut Losses,
    tested: &mut Option<(String, Place)>,
) {
    let Some((name, value, place)) = field else { return };
    let is_lint = name.to_lowercase().contains("lint");
    if !(FIELDS.contains(&name) || is_lint) || value.is_empty() || value.eq_ignore_ascii_case("n/a") {
        return;
    }
    // A template that nobody filled in begins with its own example.
    if value.contains("NEEDS CLARIFICATION") || value.starts_with('[') {
        let message = format!("\"{}\" was left open: {}", visible(name), quoted(&value));
        losses.dropped(Code::Open, place, message, "left out");
        return;
    }
    if name == "Testing" {
        let command = stated(&value, &TESTS);
        take(command, settled.test_command, &mut draft.test_command, "quality.test_command", place, losses);
        *tested = Some((value.clone(), place));
    }
    if let Some(command) = stated(&value, &LINTERS) {
        take(Some(command), settled.lint_command, &mut draft.lint_command, "quality.lint_command", place, losses);
    }
    let short = elide_end(&value, LONGEST);
    if short.len() < value.len() {
        let message = format!("\"{}\" is longer than {LONGEST} characters", visible(name));
        losses.changed(Code::Cut, place, message, "its beginning is in `gotchas`, the whole in SPEC.md");
    }
    draft.gotchas.push(format!("{name}: {short}"));
}

fn take(
    command: Option<&str>,
    settled: bool,
    into: &mut Option<String>,
    field: &str,
    place: Place,
    losses: &mut Losses,
) {
    let Some(command) = command else { return };
    match into {
        _ if settled => {
            let message = format!("`{}` is named, and the manifest has `{field}`", visible(command));
            losses.dropped(Code::Command, place, message, "the manifest's stays");
        }
        Some(known) if known == command => {}
        Some(known) => {
            let message = format!("`{}` is a second command; `{}` came first", visible(command), visible(known));
            losses.dropped(Code::Command, place, message, "left out");
        }
        None => {
            losses.kept(
                Code::Command,
                place,
                format!("`{}` is named", visible(command)),
                format!("taken as `{field}`"),
            );
            *into = Some(command.to_owned());
        }
    }
}

/// A command in backticks that begins like one of `known`.
fn stated<'v>(value: &'v str, known: &[&str]) -> Option<&'v str> {
    let codes = value.split('`').skip(1).step_by(2).map(str::trim);
    let mut commands = codes.filter(|code| {
        known.iter().any(|start| {
            code.strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') || start.ends_with(' '))
        })
    });
    // A bare name such as `pytest` is as often the framework as the command.
    commands.find(|code| code.contains(' '))
}
