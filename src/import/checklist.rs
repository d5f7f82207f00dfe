//! Markdown: checklists, tables, and the lists of "Files to Create/Modify".

use super::draft::{Draft, Found, NamedFile, Standing, Task};
use super::entry::{Entry, fill, identify, set};
use super::fields::{self, Field};
use super::lines::{self, Kind, Line, bare};
use super::loss::{Code, Losses, Place};
use super::names::quoted;
use super::table::Table;
use super::{ImportError, Order, Source, paths, references};
use crate::ids::check_name;
use crate::text::plural;

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
