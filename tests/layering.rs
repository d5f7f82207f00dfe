//! Which room may know which other, read from the source; and that no test file is forgotten.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The ground that every room stands on.
const GROUND: [&str; 5] = ["ids", "diagnostic", "fsx", "redact", "text"];

/// Each room and the rooms that it may know beside the ground; a path narrows it to that module.
const ROOMS: [(&str, &[&str]); 17] = [
    ("spec", &[]),
    ("detect", &["spec::manifest"]),
    ("import", &["spec"]),
    ("plan", &["spec"]),
    ("lifecycle", &["plan"]),
    ("proof", &["plan", "lifecycle"]),
    ("formalize", &["spec", "lifecycle"]),
    ("journal", &["lifecycle"]),
    ("process", &[]),
    ("agent", &["process", "plan", "lifecycle", "formalize::report"]),
    ("tree", &["process", "lifecycle"]),
    ("check", &["process", "tree", "lifecycle"]),
    ("context", &["plan", "lifecycle"]),
    ("tamper", &["spec::writeset"]),
    (
        "executor",
        &[
            "spec",
            "formalize",
            "lifecycle",
            "plan",
            "journal",
            "process",
            "agent",
            "tree",
            "check",
            "context",
            "tamper",
        ],
    ),
    ("progress", &["lifecycle", "plan", "journal::store"]),
    (
        "cli",
        &[
            "spec",
            "detect",
            "import",
            "formalize",
            "plan",
            "lifecycle",
            "journal",
            "process",
            "agent",
            "tree",
            "check",
            "context",
            "executor",
            "progress",
            "proof",
        ],
    ),
];

/// What the pure core must not so much as name: it is given times and facts as data.
const IMPURE: [&str; 9] =
    ["tokio", "std::fs", "fs_err", "std::process", "std::env", "SystemTime", "Timestamp::now", "tracing", "rand::"];

#[test]
fn rooms_know_only_what_they_may() {
    let mut violations = Vec::new();
    for file in rust_files(Path::new("src")) {
        let code = code_of(&file);
        let room = room_of(&file);
        let allowed = allowed_to(&room).unwrap_or_else(|| panic!("{}: no room of the table", file.display()));
        for known in crate_paths(&code) {
            let head = known.split("::").next().unwrap_or_default();
            let fits = |path: &&str| known == **path || known.starts_with(&format!("{path}::"));
            if head != room && !allowed.iter().any(fits) {
                violations.push(format!("{}: `{room}` must not know `{known}`", file.display()));
            }
        }
    }
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let mut violations = Vec::new();
    let rooms = ["src/lifecycle", "src/proof", "src/tamper", "src/import", "src/detect", "src/formalize"];
    for file in rooms.iter().flat_map(|room| rust_files(Path::new(room))) {
        let code = code_of(&file);
        violations.extend(
            IMPURE.iter().filter(|word| code.contains(*word)).map(|word| format!("{}: names `{word}`", file.display())),
        );
    }
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

/// A file below a test folder that no `mod` names is never compiled, and its tests pass by not being there.
#[test]
fn no_test_file_is_forgotten() {
    let mut forgotten = Vec::new();
    for file in rust_files(Path::new("tests")) {
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let dir = file.parent().unwrap();
        let (name, owners) = match stem.as_str() {
            _ if dir == Path::new("tests") => continue,
            "main" => continue,
            "mod" => (dir.file_name().unwrap().to_str().unwrap().to_owned(), owners_of(dir)),
            _ => (stem, [owners_of(&file), vec![dir.join("main.rs"), dir.join("mod.rs")]].concat()),
        };
        let named = format!("mod {name};");
        // What is shared stands beside the binaries and is mounted by path.
        let mounted = format!("{}\"]", file.strip_prefix("tests").unwrap().display());
        let everywhere = rust_files(Path::new("tests"));
        let is_named = owners.iter().any(|owner| fs::read_to_string(owner).is_ok_and(|text| text.contains(&named)));
        let is_mounted = everywhere.iter().any(|other| fs::read_to_string(other).unwrap().contains(&mounted));
        if !is_named && !is_mounted {
            forgotten.push(format!("{}: no file says `{named}`", file.display()));
        }
    }
    assert!(forgotten.is_empty(), "\n{}", forgotten.join("\n"));
}

/// The file that stands for the directory around `path`: `tests/rooms/journal/cut.rs` belongs to `tests/rooms/journal.rs`.
fn owners_of(path: &Path) -> Vec<PathBuf> {
    let dir = path.parent().unwrap();
    vec![dir.with_extension("rs"), dir.join("main.rs"), dir.join("mod.rs")]
}

fn room_of(file: &Path) -> String {
    let inside = file.strip_prefix("src").unwrap();
    Path::new(inside.iter().next().unwrap()).with_extension("").to_str().unwrap().to_owned()
}

/// The rooms that `room` may know; nothing where the table does not speak of it.
fn allowed_to(room: &str) -> Option<Vec<&'static str>> {
    match room {
        "lib" => Some(ROOMS.iter().map(|(name, _)| *name).collect()),
        "main" => Some(vec!["cli"]),
        _ if GROUND.contains(&room) => Some(GROUND.to_vec()),
        _ => {
            let (_, rooms) = ROOMS.iter().find(|(name, _)| *name == room)?;
            Some(GROUND.iter().chain(rooms.iter()).copied().collect())
        }
    }
}

/// All paths that begin with `crate::`, in `use` trees (each leaf) and in the code; without the `crate::`.
fn crate_paths(code: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (at, marker) in code.match_indices("crate::") {
        // `$crate::` of a macro counts too, `some_crate::` does not.
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            leaves(&code[at + marker.len()..], String::new(), &mut paths);
        }
    }
    paths
}

/// Reads one path or `{...}` tree at the start of `text`, returns what follows it.
fn leaves<'a>(text: &'a str, before: String, paths: &mut BTreeSet<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') && !rest.is_empty() {
            rest = leaves(rest, before.clone(), paths);
            let next = rest.find([',', '}']).unwrap_or(rest.len());
            rest = rest[next..].strip_prefix(',').unwrap_or(&rest[next..]);
        }
        return rest.trim_start().strip_prefix('}').unwrap_or(rest);
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let path = if before.is_empty() { name.to_owned() } else { format!("{before}::{name}") };
    match rest.strip_prefix("::") {
        Some(rest) => leaves(rest, path, paths),
        None => {
            paths.insert(path);
            rest
        }
    }
}

/// The file's text without comments: documentation may speak of any room.
fn code_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn paths_are_read_whole() {
    let code = "use crate::{ids, journal::{self, store::{Paths, Kind as K}}, text::*};\nfn f() { crate::fsx::sync() }";
    let expected = ["fsx::sync", "ids", "journal::self", "journal::store::Kind", "journal::store::Paths", "text::"];
    assert_eq!(crate_paths(code).iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
