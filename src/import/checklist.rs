//! Markdown: checklists, tables, and the lists of "Files to Create/Modify".

use super::draft::{Draft, Found, NamedFile, Need, Standing, Task};
use super::fields::{self, Field};
use super::lines::{self, Kind, Line, bare};
use super::loss::{Code, Losses, Place};
use super::names::quoted;
use super::table::Table;
use super::{ImportError, Order, Source, paths, references};
use crate::diagnostic::visible;
use crate::ids::check_name;
use crate::spec::manifest::{ComponentComplexity, safe_name};
use crate::text::plural;

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

/// Reads one file.
pub(super) fn read(
    order: &Order<'_>,
    index: usize,
    source: &Source<'_>,
    draft: &mut Draft,
    losses: &mut Losses,
) -> Result<(), ImportError> {
    let first = draft.tasks.len();
    let read = lines::read(source.text);
    let mut reader = Reader {
        order,
        index,
        draft,
        losses,
        table: None,
        last_row: 0,
        current: None,
        in_files: false,
        unread: (0, 0),
    };
    for (number, line) in read.lines.iter().enumerate() {
        reader.line(line, read.lines.get(number + 1));
    }
    reader.finish(first, read.unclosed);
    Ok(())
}

/// A table whose head was read.
enum Rows {
    Ours(Table),
    /// It is about something else, and has been told of.
    NotOurs,
}

struct Reader<'o, 'd> {
    order: &'o Order<'o>,
    index: usize,
    draft: &'d mut Draft,
    losses: &'d mut Losses,
    table: Option<Rows>,
    /// The line of its last row.
    last_row: usize,
    /// The number of the task whose lines follow, and its indent.
    current: Option<(usize, usize)>,
    /// Whether files are listed here, without boxes.
    in_files: bool,
    /// How many lines belong to no task, and the first of them.
    unread: (usize, usize),
}

impl Reader<'_, '_> {
    fn place(&self, line: usize) -> Place {
        Place { source: self.index, line }
    }

    fn line(&mut self, line: &Line<'_>, next: Option<&Line<'_>>) {
        let row = match line.kind {
            Kind::Row(row) => Some(row),
            Kind::Heading { .. } | Kind::Item { .. } | Kind::Text(_) => None,
        };
        if let Some(row) = row {
            return self.row(line, row, next);
        }
        self.table = None;
        match line.kind {
            Kind::Heading { text, .. } => {
                self.current = None;
                self.in_files = lists_files(text);
            }
            Kind::Item { ticked, text } => self.item(line, ticked, text),
            Kind::Text(text) => match self.current {
                Some((task, indent)) if line.indent > indent => self.draft.tasks[task].notes.push(text.to_owned()),
                Some(_) | None => {
                    self.current = None;
                    if text.starts_with("**") || text.ends_with(':') {
                        self.in_files = lists_files(text);
                    }
                    self.unread(line.number);
                }
            },
            Kind::Row(_) => {}
        }
    }

    fn unread(&mut self, line: usize) {
        let first = if self.unread.0 == 0 { line } else { self.unread.1 };
        self.unread = (self.unread.0 + 1, first);
    }

    fn row(&mut self, line: &Line<'_>, row: &str, next: Option<&Line<'_>>) {
        self.current = None;
        let place = self.place(line.number);
        if self.last_row + 1 != line.number {
            self.table = None;
        }
        self.last_row = line.number;
        let Some(rows) = &self.table else {
            let ruled =
                next.is_some_and(|next| matches!(next.kind, Kind::Row(row) if lines::is_ruler(&lines::cells(row))));
            if ruled {
                self.table = Some(Table::begin(row, place, self.losses).map_or(Rows::NotOurs, Rows::Ours));
            } else {
                self.unread(line.number);
            }
            return;
        };
        let Rows::Ours(table) = rows else { return };
        if lines::is_ruler(&lines::cells(row)) {
            return;
        }
        let entry = table.row(row, place, self.losses);
        if entry.id.is_empty() && entry.name.is_empty() && entry.files.is_empty() {
            let message = format!("a row that names neither a component nor a file: {}", quoted(row));
            self.losses.dropped(Code::NotATask, place, message, "left out");
            return;
        }
        self.add(entry, place);
    }

    fn item(&mut self, line: &Line<'_>, ticked: Option<bool>, text: &str) {
        let place = self.place(line.number);
        if let Some((task, indent)) = self.current
            && line.indent > indent
        {
            return self.detail(task, ticked, text, place);
        }
        self.current = None;
        let is_task = ticked.is_some() || self.in_files && !paths::mentions(text).is_empty();
        if !is_task {
            return self.unread(line.number);
        }
        let mut entry = Entry { done: ticked == Some(true), in_files_section: self.in_files, ..Entry::default() };
        let rest = self.attributes(&mut entry, text, place);
        name(&mut entry, &rest);
        self.current = Some((self.draft.tasks.len(), line.indent));
        self.add(entry, place);
    }

    /// A line below a task: a field of it, or a note.
    fn detail(&mut self, task: usize, ticked: Option<bool>, text: &str, place: Place) {
        let mut entry = Entry::default();
        if ticked.is_none() && self.attribute(&mut entry, text, place) {
            let task = &mut self.draft.tasks[task];
            fill(task, &mut entry, place);
            // The field is stronger than what the text seemed to name.
            if task.files.iter().any(|file| file.found == Found::Stated) {
                task.files.retain(|file| file.found == Found::Stated);
            }
            return;
        }
        if let Some(done) = ticked {
            let message = format!("a box within a task: {}", quoted(text));
            let action = if done { "kept in its notes, as done" } else { "kept in its notes" };
            self.losses.kept(Code::NotATask, place, message, action);
        }
        let mark = if ticked == Some(true) { "- (done) " } else { "- " };
        self.draft.tasks[task].notes.push(format!("{mark}{text}"));
    }

    /// Takes the fields in parentheses out of a text: `(files: src/a.rs; depends on: model; complexity: low)`.
    fn attributes(&mut self, entry: &mut Entry, text: &str, place: Place) -> String {
        let mut rest = String::new();
        let mut from = 0;
        while let Some(open) = text[from..].find('(').map(|at| from + at) {
            let Some(close) = text[open..].find(')').map(|at| open + at) else { break };
            let inner = &text[open + 1..close];
            let parts: Vec<&str> = inner.split(';').collect();
            let understood = parts.iter().filter(|part| starts_field(part)).count();
            if understood == 0 {
                rest.push_str(&text[from..=close]);
            } else {
                rest.push_str(&text[from..open]);
                for part in parts {
                    if !self.attribute(entry, part, place) {
                        entry.notes.push(part.trim().to_owned());
                    }
                }
            }
            from = close + 1;
        }
        rest.push_str(&text[from..]);
        rest.trim().to_owned()
    }

    /// Takes over one `name: value`, or `depends on x`. Answers whether it is one.
    fn attribute(&mut self, entry: &mut Entry, text: &str, place: Place) -> bool {
        let Some((field, value)) = field_of(text) else { return false };
        set(entry, field, value, place, self.losses);
        true
    }

    fn add(&mut self, mut entry: Entry, place: Place) {
        let mut task = Task { place, ..Task::default() };
        if entry.done && !self.order.with_done {
            task.standing = Standing::Done;
        }
        identify(&mut task, &entry);
        fill(&mut task, &mut entry, place);
        if task.files.is_empty() {
            let prose = format!("{}\n{}", entry.name, task.purpose);
            let found = if entry.in_files_section { Found::Stated } else { Found::Guessed };
            task.files = paths::mentions(&prose).into_iter().map(|file| NamedFile { path: file.path, found }).collect();
        }
        self.draft.tasks.push(task);
    }

    fn finish(self, first: usize, unclosed: Option<usize>) {
        let place = |line| Place { source: self.index, line };
        if let Some(line) = unclosed {
            let message = "a code block or comment that is never closed hides all that follows";
            self.losses.dropped(Code::Text, place(line), message, "not read");
        }
        if self.unread.0 > 0 {
            let message = format!("{} that belong to no task", plural(self.unread.0, "line"));
            self.losses.dropped(Code::Text, place(self.unread.1), message, "not carried over");
        }
        let open: Vec<&Task> = self.draft.tasks[first..].iter().filter(|task| task.is_component()).collect();
        if let Some(task) = open.first().filter(|_| open.len() > 1 && open.iter().all(|task| task.needs.is_empty())) {
            let message = "nothing says what depends on what";
            let action = "no component waits for another; the order of a list is not taken for one";
            self.losses.kept(Code::NoOrder, task.place, message, action);
        }
    }
}

/// Whether a heading or label announces files.
fn lists_files(text: &str) -> bool {
    let text = text.to_lowercase();
    ["create", "modify", "change", "edit", "touch", "update"].iter().any(|verb| text.contains(verb))
        && text.contains("file")
}

fn starts_field(text: &str) -> bool {
    field_of(text).is_some()
}

/// The field that a text is about, and its value.
fn field_of(text: &str) -> Option<(Field, &str)> {
    let text = text.trim();
    if let Some((name, value)) = text.split_once(':')
        && let Some(field) = fields::field(name)
        // Names of components are for columns: `task: do it` is a task with a name.
        && !matches!(field, Field::Id | Field::Name | Field::Action)
    {
        return Some((field, value.trim_start_matches('*').trim()));
    }
    ["depends on ", "depends upon ", "requires ", "after ", "blocked by "].iter().find_map(|words| {
        let behind =
            text.get(..words.len()).filter(|start| start.eq_ignore_ascii_case(words)).map(|_| &text[words.len()..]);
        behind.map(|value| (Field::Depends, value))
    })
}

/// Finds the name at the beginning of an item, and leaves the rest as its purpose.
fn name(entry: &mut Entry, text: &str) {
    let text = action(entry, text);
    for mark in ["**", "`", "__"] {
        if let Some((name, rest)) = text.strip_prefix(mark).and_then(|rest| rest.split_once(mark)) {
            name.trim().trim_end_matches(':').clone_into(&mut entry.name);
            behind(rest).clone_into(&mut entry.purpose);
            return;
        }
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let id = word.trim_end_matches([':', '.', ')']);
    let colon = word.ends_with(':') && check_name(id).is_ok();
    if references::is_id(id) || colon && !rest.trim().is_empty() {
        id.clone_into(&mut entry.id);
        behind(rest).clone_into(&mut entry.purpose);
    } else {
        text.clone_into(&mut entry.purpose);
    }
}

/// Takes a word such as `Create:` off the beginning of an item in a list of files.
fn action<'t>(entry: &mut Entry, text: &'t str) -> &'t str {
    let Some((word, rest)) = text.split_once(':').filter(|_| entry.in_files_section) else { return text };
    let is_action = ["create", "modify", "update", "edit", "add", "new", "delete", "remove", "change", "rename"];
    if !is_action.contains(&bare(word).to_lowercase().as_str()) {
        return text;
    }
    bare(word).clone_into(&mut entry.action);
    rest.trim_start_matches('*').trim_start()
}

/// The text behind a name, without what separates the two.
fn behind(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—'))
}

/// The id of a task: the one that is written, else one made of its name, its file or its text.
fn identify(task: &mut Task, entry: &Entry) {
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
fn fill(task: &mut Task, entry: &mut Entry, place: Place) {
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
