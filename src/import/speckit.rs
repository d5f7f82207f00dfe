//! GitHub's spec-kit: `tasks.md` with phases and lines such as `- [ ] T012 [P] [US1] Create the model in src/models/user.py`.

use std::collections::{BTreeMap, HashMap};

use super::batches::Batches;
use super::draft::{Draft, Found, NamedFile, Need, Standing, Task};
use super::lines::{self, Kind, Line, bare};
use super::loss::{Code, Losses, Place};
use super::names::quoted;
use super::references::{self, Known};
use super::{Dialect, ImportError, MAX_DEPENDENCIES, Order, Source, paths, plan};
use crate::diagnostic::visible;
use crate::text::{elide_end, plural};

/// What spec-kit itself writes; tasks read these and seldom write them.
const OWN_DOCUMENTS: [&str; 6] = ["plan.md", "spec.md", "tasks.md", "research.md", "data-model.md", "quickstart.md"];

/// Longest text about a phase that goes into the notes of each of its tasks, in bytes.
const LONGEST_ABOUT: usize = 2_000;

/// Reads one file: the tasks, or what stands beside them.
pub(super) fn read(
    order: &Order<'_>,
    index: usize,
    source: &Source<'_>,
    draft: &mut Draft,
    losses: &mut Losses,
) -> Result<(), ImportError> {
    match source.name.rsplit('/').next().unwrap_or_default() {
        "plan.md" => plan::read(order.settled, index, source, draft, losses),
        "spec.md" => draft.specification.push(source.text.to_owned()),
        _ => return Reader::new(order, index, source, draft, losses).read(source),
    }
    Ok(())
}

/// The files together must have tasks.
pub(super) fn expect_tasks(order: &Order<'_>, draft: &Draft) -> Result<(), ImportError> {
    if !draft.tasks.is_empty() {
        return Ok(());
    }
    let expected = match order.dialect {
        Dialect::Speckit => "a task of spec-kit is a line such as `- [ ] T001 [P] [US1] Create src/model.rs`",
        Dialect::Taskmaster => "its lists of tasks are empty",
        Dialect::Markdown => {
            "a task is `- [ ] name: what (files: src/a.rs; depends on: other)`, or a row of a table with a column of files"
        }
    };
    let file = order.sources.first().map_or("", |source| source.name).to_owned();
    Err(ImportError::NoTasks { file, expected })
}

/// A part of the file, to its next heading of the same level.
#[derive(Default)]
struct Section<'a> {
    title: &'a str,
    line: usize,
    has_tasks: bool,
    /// Title, goal, purpose and test of the phase: they go into the notes of its tasks.
    about: String,
    /// Lines that go nowhere.
    unread: usize,
    /// Whether it tells what depends on what.
    tells_order: bool,
}

struct Reader<'o, 'd, 'a> {
    order: &'o Order<'o>,
    index: usize,
    known: Known<'a>,
    draft: &'d mut Draft,
    losses: &'d mut Losses,
    batches: Batches,
    section: Section<'a>,
    level: usize,
    /// The number of the task whose lines follow, and its indent.
    current: Option<(usize, usize)>,
    /// The tasks of this file by id, the first of each.
    by_id: HashMap<&'a str, usize>,
    /// What sentences of the file say: earlier, later, where.
    told: Vec<(String, String, Place)>,
    labels: BTreeMap<String, (usize, Place)>,
    needs: usize,
}

impl<'o, 'd, 'a> Reader<'o, 'd, 'a> {
    fn new(
        order: &'o Order<'o>,
        index: usize,
        source: &Source<'a>,
        draft: &'d mut Draft,
        losses: &'d mut Losses,
    ) -> Self {
        let ids = source.text.lines().filter_map(|line| {
            let line = line.trim_start().get(1..)?.trim_start();
            let (_, rest) = line.split_once(']')?;
            rest.split_whitespace().next().map(bare).filter(|word| references::is_task_id(word))
        });
        let known = Known::new(ids);
        Self {
            order,
            index,
            known,
            draft,
            losses,
            batches: Batches::default(),
            section: Section::default(),
            level: 2,
            current: None,
            by_id: HashMap::new(),
            told: Vec::new(),
            labels: BTreeMap::new(),
            needs: 0,
        }
    }

    fn read(mut self, source: &Source<'a>) -> Result<(), ImportError> {
        let first = self.draft.tasks.len();
        let read = lines::read(source.text);
        for line in &read.lines {
            match line.kind {
                Kind::Heading { level, text } => self.heading(line.number, level, text),
                Kind::Item { ticked, text } => self.item(line, ticked, text)?,
                Kind::Row(text) | Kind::Text(text) => self.text(line, text)?,
            }
        }
        self.close_section();
        if let Some(line) = read.unclosed {
            let message = "a code block or comment that is never closed hides all that follows";
            self.losses.dropped(Code::Text, self.place(line), message, "not read");
        }
        self.finish(first)
    }

    fn place(&self, line: usize) -> Place {
        Place { source: self.index, line }
    }

    fn heading(&mut self, number: usize, level: usize, text: &'a str) {
        self.current = None;
        let lower = text.to_lowercase();
        let is_phase = lower.starts_with("phase");
        if !is_phase && level > self.level {
            // "Tests for User Story 1", then "Implementation": what is marked `[P]` in one is not beside the other.
            self.batches.boundary();
            return;
        }
        if is_phase {
            self.level = level;
        }
        self.close_section();
        self.section = Section {
            title: text,
            line: number,
            about: elide_end(text, LONGEST_ABOUT / 10).into_owned(),
            tells_order: lower.contains("dependenc"),
            ..Section::default()
        };
        self.batches.phase(lower.contains("user story"));
    }

    /// Tells of what in the section goes nowhere.
    fn close_section(&mut self) {
        let section = std::mem::take(&mut self.section);
        if section.unread == 0 {
            return;
        }
        let lines = plural(section.unread, "line");
        let message = if section.title.is_empty() {
            format!("{lines} before the first phase")
        } else if section.has_tasks {
            format!("{lines} of text in {} beside its tasks", quoted(section.title))
        } else {
            format!("the section {} has no tasks ({lines})", quoted(section.title))
        };
        self.losses.dropped(Code::Text, self.place(section.line.max(1)), message, "not carried over");
    }

    fn item(&mut self, line: &Line<'a>, ticked: Option<bool>, text: &'a str) -> Result<(), ImportError> {
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let id = bare(word).trim_end_matches([':', '.']);
        if let Some(done) = ticked
            && references::is_task_id(id)
        {
            return self.task(line, id, done, rest.trim());
        }
        if let Some((task, indent)) = self.current
            && line.indent > indent
        {
            return self.detail(task, line, text);
        }
        self.current = None;
        if ticked.is_some() {
            let message = format!("a box without the id of a task: {}", quoted(text));
            self.losses.dropped(Code::NotATask, self.place(line.number), message, "left out");
            return Ok(());
        }
        self.prose(line, text)
    }

    fn text(&mut self, line: &Line<'a>, text: &'a str) -> Result<(), ImportError> {
        match self.current {
            Some((task, indent)) if line.indent > indent => self.detail(task, line, text),
            Some(_) | None => {
                self.current = None;
                self.prose(line, text)
            }
        }
    }

    /// A line below a task.
    fn detail(&mut self, task: usize, line: &Line<'a>, text: &'a str) -> Result<(), ImportError> {
        let place = self.place(line.number);
        self.need(task, references::own_needs(text, &self.known), place)?;
        let lower = text.to_lowercase();
        let names_files = ["file", "files", "path", "paths"].iter().any(|word| {
            bare(&lower).strip_prefix(word).is_some_and(|rest| rest.trim_start_matches(['*', '`']).starts_with(':'))
        });
        let task = &mut self.draft.tasks[task];
        if names_files {
            let named =
                paths::mentions(text).into_iter().map(|mention| NamedFile { path: mention.path, found: Found::Stated });
            task.files.extend(named);
        }
        task.notes.push(text.to_owned());
        Ok(())
    }

    /// A line that belongs to no task.
    fn prose(&mut self, line: &Line<'a>, text: &'a str) -> Result<(), ImportError> {
        if self.section.tells_order && references::names_tasks(text) {
            return self.sentence(line, text);
        }
        if matches!(text, "---" | "***" | "___") {
            return Ok(());
        }
        let lower = text.trim_start_matches('*').to_lowercase();
        let tells = ["goal", "purpose", "independent test"].iter().any(|word| lower.starts_with(word));
        let about = &mut self.section.about;
        if tells && !about.is_empty() && about.len() + text.len() <= LONGEST_ABOUT {
            about.push('\n');
            about.push_str(&text.replace("**", ""));
        } else {
            self.section.unread += 1;
        }
        Ok(())
    }

    /// A sentence of the section that tells what depends on what.
    fn sentence(&mut self, line: &Line<'a>, text: &str) -> Result<(), ImportError> {
        let place = self.place(line.number);
        let Some(steps) = references::order(text, &self.known)? else {
            let message = format!("not clear who waits for whom: {}", quoted(text));
            self.losses.dropped(Code::UnclearOrder, place, message, "left out; the order of the phases holds");
            return Ok(());
        };
        for (earlier, later) in steps {
            self.needs = self.needs.saturating_add(earlier.len().saturating_mul(later.len()));
            if self.needs > MAX_DEPENDENCIES {
                return Err(ImportError::TooDense);
            }
            for later in &later {
                self.told.extend(earlier.iter().map(|earlier| (earlier.clone(), later.clone(), place)));
            }
        }
        Ok(())
    }

    fn need(&mut self, task: usize, needs: Vec<String>, place: Place) -> Result<(), ImportError> {
        self.needs = self.needs.saturating_add(needs.len());
        if self.needs > MAX_DEPENDENCIES {
            return Err(ImportError::TooDense);
        }
        self.draft.tasks[task].needs.extend(needs.into_iter().map(|text| Need { place, text }));
        Ok(())
    }

    fn task(&mut self, line: &Line<'a>, id: &'a str, done: bool, text: &'a str) -> Result<(), ImportError> {
        let place = self.place(line.number);
        let number = self.draft.tasks.len();
        let (labels, text) = labels(text);
        // The rest of `**T001 [P]** Do it`.
        let text = text.trim_start_matches("**").trim_start();
        let mut task = Task {
            place,
            id: id.to_owned(),
            purpose: text.to_owned(),
            parallel: labels.contains(&"P"),
            standing: if done && !self.order.with_done { Standing::Done } else { Standing::Open },
            files: files(text),
            ..Task::default()
        };
        if !self.section.about.is_empty() {
            task.notes.push(self.section.about.clone());
        }
        for label in labels.into_iter().filter(|label| *label != "P" && !is_story(label)) {
            task.notes.push(format!("Label: {label}"));
            self.labels.entry(label.to_owned()).or_insert((0, place)).0 += 1;
        }
        self.section.has_tasks = true;
        self.by_id.entry(id).or_insert(number);
        self.current = Some((number, line.indent));
        if task.standing == Standing::Open {
            self.batches.task(number, &mut task)?;
        }
        self.draft.tasks.push(task);
        self.need(number, references::own_needs(text, &self.known), place)
    }

    /// What can only be told when the whole file is known.
    fn finish(mut self, first: usize) -> Result<(), ImportError> {
        for (earlier, later, place) in std::mem::take(&mut self.told) {
            match self.by_id.get(later.as_str()) {
                Some(&task) => self.draft.tasks[task].needs.push(Need { place, text: earlier }),
                None => {
                    let message =
                        format!("`{}` is said to wait for `{}`, but is not there", visible(&later), visible(&earlier));
                    self.losses.dropped(Code::Dangling, place, message, "left out");
                }
            }
        }
        for (label, (count, place)) in self.labels {
            let message = format!("the label `[{}]` of {} has no home", visible(&label), plural(count, "task"));
            self.losses.kept(Code::NoHome, place, message, "kept in the notes");
        }
        let open: Vec<&Task> =
            self.draft.tasks[first..].iter().filter(|task| task.standing == Standing::Open).collect();
        if let Some(task) = open.first().filter(|_| open.len() > 1) {
            let message = "no task says all that it waits for";
            let action = "read from the phases: a task waits for the one before it, tasks marked [P] in a row wait together, what \
                          stands under a heading for what stands before it, user stories not for each other";
            self.losses.changed(Code::DerivedOrder, task.place, message, action);
        }
        let tests = |task: &&&Task| !task.files.is_empty() && task.files.iter().all(|file| is_test(&file.path));
        if let Some(task) = open.iter().find(tests) {
            let message = "tests are tasks of their own, and cco wants each change of code to come with a test";
            let action = "set `execution.require_tests` to false where that is not wanted";
            self.losses.kept(Code::OwnTests, task.place, message, action);
        }
        Ok(())
    }
}

/// `US1` and what templates say for it.
fn is_story(label: &str) -> bool {
    label
        .strip_prefix("US")
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        || label == "Story"
}

/// Whether a path is one of tests.
fn is_test(path: &str) -> bool {
    path.split('/').rev().skip(1).any(|directory| matches!(directory, "tests" | "test" | "__tests__" | "e2e" | "spec"))
}

/// The labels in brackets at the beginning of a task, and what follows them.
fn labels(text: &str) -> (Vec<&str>, &str) {
    let mut labels = Vec::new();
    let mut rest = text;
    while let Some((label, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        // `[text](link)` is a link.
        if behind.starts_with('(') || label.is_empty() || label.len() > 24 || label.contains('[') {
            break;
        }
        labels.push(label);
        rest = behind.trim_start();
    }
    (labels, rest)
}

/// The files of a task: the format asks for exact paths in its text.
fn files(text: &str) -> Vec<NamedFile> {
    let mentions = paths::mentions(text).into_iter().filter(|mention| !OWN_DOCUMENTS.contains(&mention.path.as_str()));
    let named = |mention: paths::Mention| NamedFile {
        path: mention.path,
        found: if mention.sure { Found::InForm } else { Found::Guessed },
    };
    mentions.map(named).collect()
}
