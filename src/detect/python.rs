//! Python: tests by pytest where anything speaks of it, and the linters that are set up.

use toml::{Table, Value};

use super::ecosystem::table;
use super::{Found, Kind, Place};

/// Files that make a directory a Python project.
const MARKERS: [&str; 4] = ["pyproject.toml", "setup.py", "setup.cfg", "requirements.txt"];
/// Texts that may name pytest as something to be installed or run.
const SPEAKING: [&str; 5] = ["pyproject.toml", "setup.cfg", "tox.ini", "requirements.txt", "requirements-dev.txt"];

/// The project that stands here.
pub(super) fn of(place: &Place<'_>, remarks: &mut Vec<String>) -> Option<Found> {
    let marker = place.first(&MARKERS)?;
    let project = table(place, "pyproject.toml", remarks).unwrap_or_default();
    let tool = |name: &str| {
        project.get("tool").and_then(Value::as_table).is_some_and(|tools: &Table| tools.contains_key(name))
    };
    let within = Within::of(place);

    let speaks = SPEAKING.iter().any(|file| place.text(file).is_some_and(|text| text.contains("pytest")));
    let tests = speaks
        || place.first(&["pytest.ini", "conftest.py"]).is_some()
        || place.names().chain(place.names_in("tests")).any(is_test);
    let mut lints = Vec::new();
    if tool("ruff") || place.first(&["ruff.toml", ".ruff.toml"]).is_some() {
        lints.push(within.command("ruff check ."));
    } else if place.has(".flake8") {
        lints.push(within.command("flake8"));
    }
    if tool("mypy") || place.has("mypy.ini") {
        lints.push(within.command("mypy ."));
    }
    Some(Found {
        kind: Kind::Python,
        marker: place.path(marker),
        dir: place.dir.to_owned(),
        lint: (!lints.is_empty()).then(|| lints.join(" && ")),
        test: tests.then(|| within.command("pytest")),
        setup: matches!(within, Within::Poetry).then(|| "poetry install".to_owned()),
    })
}

/// Whether pytest would collect this file.
fn is_test(file: &str) -> bool {
    file.ends_with(".py") && (file.starts_with("test_") || file.ends_with("_test.py"))
}

/// What holds the project's packages, known by its lock file.
enum Within {
    Uv,
    Poetry,
    Nothing,
}

impl Within {
    fn of(place: &Place<'_>) -> Self {
        if place.has("uv.lock") {
            Self::Uv
        } else if place.has("poetry.lock") {
            Self::Poetry
        } else {
            Self::Nothing
        }
    }

    fn command(&self, command: &str) -> String {
        match self {
            Self::Uv => format!("uv run {command}"),
            Self::Poetry => format!("poetry run {command}"),
            Self::Nothing => command.to_owned(),
        }
    }
}
