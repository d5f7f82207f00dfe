//! Languages that are known by one file, and what the commands of their own tools are.

use toml::{Table, Value};

use super::{Found, Kind, Place, javascript, python};
use crate::text::{elide_end, one_line};

/// Every language that stands in this directory.
pub(super) fn of(place: &Place<'_>, remarks: &mut Vec<String>) -> Vec<Found> {
    let found =
        [rust(place, remarks), javascript::of(place, remarks), python::of(place, remarks), go(place), java(place)];
    found.into_iter().flatten().collect()
}

/// What the files of this directory say that the project is called.
pub(super) fn names(place: &Place<'_>) -> Vec<String> {
    let name_in = |file: &str, section: &str| {
        let table = place.text(file)?.parse::<Table>().ok()?;
        Some(table.get(section)?.get("name")?.as_str()?.to_owned())
    };
    let module = || {
        let line = place.text("go.mod")?.lines().find_map(|line| line.trim().strip_prefix("module "))?;
        // `example.org/shop/v2` is version 2 of shop.
        let mut parts = line.trim().trim_matches('"').rsplit('/');
        let is_version = |part: &str| part.strip_prefix('v').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        Some(parts.find(|part| !is_version(part))?.to_owned())
    };
    let names =
        [name_in("Cargo.toml", "package"), javascript::name(place), name_in("pyproject.toml", "project"), module()];
    names.into_iter().flatten().collect()
}

/// The table that a file holds; one that holds none is remarked.
pub(super) fn table(place: &Place<'_>, file: &str, remarks: &mut Vec<String>) -> Option<Table> {
    match place.text_or_remark(file, remarks)?.parse() {
        Ok(table) => Some(table),
        Err(error) => {
            remarks.push(format!("`{}` is not TOML: {}", place.path(file), short(error.message())));
            None
        }
    }
}

/// What a parser complains about, on one line and of bounded length: it may quote the file.
pub(super) fn short(message: &str) -> String {
    elide_end(&one_line(message), 100).into_owned()
}

fn rust(place: &Place<'_>, remarks: &mut Vec<String>) -> Option<Found> {
    const MARKER: &str = "Cargo.toml";
    place.has(MARKER).then_some(())?;
    let workspace =
        table(place, MARKER, remarks).is_some_and(|table| table.get("workspace").is_some_and(Value::is_table));
    let all = if workspace { " --workspace" } else { "" };
    Some(Found {
        kind: Kind::Rust,
        marker: place.path(MARKER),
        dir: place.dir.to_owned(),
        lint: Some(format!("cargo clippy{all} --all-targets -- -D warnings")),
        test: Some(format!("cargo test{all}")),
        setup: None,
    })
}

fn go(place: &Place<'_>) -> Option<Found> {
    const MARKER: &str = "go.mod";
    place.has(MARKER).then(|| Found {
        kind: Kind::Go,
        marker: place.path(MARKER),
        dir: place.dir.to_owned(),
        lint: Some("go vet ./...".to_owned()),
        test: Some("go test ./...".to_owned()),
        setup: None,
    })
}

fn java(place: &Place<'_>) -> Option<Found> {
    const MARKER: &str = "pom.xml";
    // A project brings its own Maven where it has the wrapper.
    let maven = if place.has("mvnw") { "./mvnw" } else { "mvn" };
    place.has(MARKER).then(|| Found {
        kind: Kind::Java,
        marker: place.path(MARKER),
        dir: place.dir.to_owned(),
        lint: None,
        test: Some(format!("{maven} --batch-mode test")),
        setup: None,
    })
}
