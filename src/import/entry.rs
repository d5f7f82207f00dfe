//! What an item of a checklist or a row of a table says, and the task that it becomes.

use super::draft::{Found, NamedFile, Need, Task};
use super::fields::{self, Field};
use super::lines::bare;
use super::loss::{Code, Losses, Place};
use super::names::quoted;
use super::paths;
use crate::diagnostic::visible;
use crate::ids::check_name;
use crate::spec::manifest::{ComponentComplexity, safe_name};

/// What an item or a row says.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub id: String,
    pub name: String,
    pub purpose: String,
    pub action: String,
    pub files: Vec<String>,
    pub depends: Vec<String>,
    pub complexity: Option<ComponentComplexity>,
    pub checks: Vec<String>,
    pub notes: Vec<String>,
    pub done: bool,
    /// Whether it stands where files are listed.
    pub in_files_section: bool,
}

/// Takes over what a field or a cell says.
pub(super) fn set(entry: &mut Entry, field: Field, value: &str, place: Place, losses: &mut Losses) {
    let said = !fields::is_nothing(value);
    match field {
        Field::Id => bare(value).clone_into(&mut entry.id),
        Field::Name => value.trim().clone_into(&mut entry.name),
        Field::Purpose if said && entry.purpose.is_empty() => value.trim().clone_into(&mut entry.purpose),
        Field::Purpose if said => entry.notes.push(value.trim().to_owned()),
        Field::Action if said => bare(value).clone_into(&mut entry.action),
        Field::Files => {
            let parts = fields::list(value);
            if parts.iter().any(|part| part.contains(char::is_whitespace)) {
                // `src/a.rs (new)` says more than a path.
                entry.notes.push(format!("Files: {}", value.trim()));
            }
            entry.files.extend(listed_files(&parts, place, losses));
        }
        Field::Depends => entry.depends.extend(fields::list(value)),
        Field::Complexity if said => match fields::complexity(value) {
            Some((complexity, read)) => {
                entry.complexity = Some(complexity);
                if read {
                    let message = format!("the complexity {} is another word", quoted(value));
                    losses.changed(Code::Value, place, message, format!("read as {}", word(complexity)));
                }
            }
            None => {
                let message = format!("{} is no complexity", quoted(value));
                losses.dropped(Code::Value, place, message, "left out; it counts as medium");
            }
        },
        Field::Checks if said => match value.split('`').nth(1).filter(|_| value.matches('`').count() >= 2) {
            Some(command) => {
                let message = format!("the command `{}` is named", visible(command));
                losses.kept(Code::Command, place, message, "taken as a check of the component");
                entry.checks.push(command.to_owned());
            }
            None => {
                let message = format!("{} names no command in backticks", quoted(value));
                losses.kept(Code::NoCommand, place, message, "kept in the notes");
                entry.notes.push(format!("Check: {value}"));
            }
        },
        Field::Status => status(entry, value, place, losses),
        Field::Purpose | Field::Action | Field::Complexity | Field::Checks => {}
    }
}

fn word(complexity: ComponentComplexity) -> &'static str {
    match complexity {
        ComponentComplexity::Low => "low",
        ComponentComplexity::Medium => "medium",
        ComponentComplexity::High => "high",
    }
}

fn status(entry: &mut Entry, value: &str, place: Place, losses: &mut Losses) {
    match bare(value).to_lowercase().trim_matches(['[', ']']) {
        "done" | "complete" | "completed" | "finished" | "x" | "yes" | "✅" | "✓" | "✔" => entry.done = true,
        "" | " " | "todo" | "to do" | "open" | "pending" | "no" | "-" | "planned" | "⬜" | "☐" | "not started"
        | "new" => {}
        _ => {
            let message = format!("the status {} has no home", quoted(value));
            losses.changed(Code::Status, place, message, "it is done like any other");
        }
    }
}

/// The paths of a list; a part with words in it is read as prose.
fn listed_files(parts: &[String], place: Place, losses: &mut Losses) -> Vec<String> {
    let mut files = Vec::new();
    for part in parts {
        if !part.contains(char::is_whitespace) {
            files.push(part.clone());
            continue;
        }
        let named = paths::mentions(part);
        if named.is_empty() {
            let message = format!("{} names no file", quoted(part));
            losses.dropped(Code::Value, place, message, "left out");
        }
        files.extend(named.into_iter().map(|mention| mention.path));
    }
    files
}

/// The id of a task: the one that is written, else one made of its name, its file or its text.
pub(super) fn identify(task: &mut Task, entry: &Entry) {
    let name = bare(&entry.name);
    let counted = entry.id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !entry.id.is_empty() && (!counted || name.is_empty()) {
        task.id.clone_from(&entry.id);
        task.aliases.push(name.to_owned());
    } else if !name.is_empty() && !is_path(name) {
        task.id = name.to_owned();
        task.aliases.push(entry.id.clone());
        if check_name(name).is_err() {
            task.id = made(name);
            task.made_of = Some("its name");
            task.aliases.push(name.to_owned());
        }
    } else if let Some(file) = Some(name).filter(|name| is_path(name)).or(entry.files.first().map(String::as_str)) {
        task.id = of_file(file);
        task.made_of = Some("its file");
        task.aliases.extend([file.to_owned(), file.rsplit('/').next().unwrap_or_default().to_owned()]);
    } else {
        task.id = made(&entry.purpose);
        task.made_of = Some("its text");
        task.aliases.push(entry.purpose.clone());
    }
}

fn is_path(name: &str) -> bool {
    !name.contains(char::is_whitespace) && !paths::mentions(name).is_empty()
}

/// An id of the first words of a text.
fn made(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(6).collect();
    let mut name = safe_name(&words.join("-")).to_ascii_lowercase();
    name.truncate(40);
    name.trim_end_matches(['-', '_', '.']).to_owned()
}

/// An id of a path: the file's name, with its directory where many files are called so.
fn of_file(path: &str) -> String {
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let file = parts.next().unwrap_or_default();
    let stem = file.split('.').find(|part| !part.is_empty()).unwrap_or(file);
    match (stem, parts.next()) {
        ("mod" | "lib" | "main" | "index" | "__init__" | "page" | "route", Some(directory)) => {
            safe_name(&format!("{directory}-{stem}"))
        }
        _ => safe_name(stem),
    }
}

/// Moves what was found into the task.
pub(super) fn fill(task: &mut Task, entry: &mut Entry, place: Place) {
    if task.purpose.is_empty() {
        let purpose = if entry.purpose.is_empty() { bare(&entry.name) } else { &entry.purpose };
        task.purpose = match entry.action.as_str() {
            "" => purpose.to_owned(),
            action => format!("{action}: {purpose}"),
        };
    } else if !entry.purpose.is_empty() {
        task.notes.push(std::mem::take(&mut entry.purpose));
    }
    let stated = entry.files.drain(..).map(|path| NamedFile { path, found: Found::Stated });
    task.files.extend(stated);
    task.needs.extend(entry.depends.drain(..).map(|text| Need { place, text }));
    task.complexity = entry.complexity.or(task.complexity);
    task.checks.append(&mut entry.checks);
    task.notes.append(&mut entry.notes);
}
