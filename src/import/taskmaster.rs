//! Task Master's `tasks.json`: a list of tasks, or one for each tag; subtasks; ids as numbers or texts.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use super::draft::{Draft, Found, NamedFile, Need, Standing, Task};
use super::loss::{Code, Losses, Place};
use super::tasks_file::{Places, chosen, count_dependencies, parse, report_beside};
use super::{ImportError, MAX_DEPENDENCIES, Order, Source, fields, paths};
use crate::diagnostic::visible;
use crate::spec::locate::{self, push_key};
use crate::text::{elide_end, plural};

/// Longest id that is told from others, in bytes; a component's has at most 64.
const LONGEST_ID: usize = 256;
/// Longest text of a task that goes into the notes of each of its subtasks, in columns.
const LONGEST_ABOUT: usize = 2_000;
/// Most of it in the notes of all its subtasks together.
const MOST_ABOUT: usize = 256 * 1024;

/// Reads one file.
pub(super) fn read(
    order: &Order<'_>,
    index: usize,
    source: &Source<'_>,
    draft: &mut Draft,
    losses: &mut Losses,
) -> Result<(), ImportError> {
    let value = parse(source)?;
    let (pointer, tasks) = chosen(&value, order, source)?;
    if count_dependencies(tasks) > MAX_DEPENDENCIES {
        return Err(ImportError::TooDense);
    }
    let places = Places::find(source.text, index, &value, &pointer, tasks);
    report_beside(&value, &pointer, &places, losses);
    for duplicate in locate::duplicates(source.text) {
        let key = visible(&duplicate.path).into_owned();
        losses.dropped(Code::DuplicateKey, places.at(duplicate.again.start), format!("`{key}` is given twice"), {
            "the last counts".to_owned()
        });
    }
    let mut reader = Reader {
        order,
        places,
        source,
        draft,
        losses,
        top: HashSet::new(),
        homeless: BTreeMap::new(),
        read_complexity: None,
    };
    reader.top = reader.ids(&pointer, tasks);
    reader.tasks(&pointer, tasks, None);
    reader.finish();
    Ok(())
}

/// A task whose subtasks are read.
struct Parent<'p> {
    number: usize,
    id: &'p str,
    /// The ids of its subtasks as they are written, with those that they go by.
    siblings: HashMap<String, String>,
    /// What it says about all of them.
    about: String,
}

struct Reader<'o, 'd, 's> {
    order: &'o Order<'o>,
    places: Places,
    source: &'o Source<'s>,
    draft: &'d mut Draft,
    losses: &'d mut Losses,
    /// The ids of the tasks that are no subtasks.
    top: HashSet<String>,
    /// Fields that manifests do not have: how often, and where first.
    homeless: BTreeMap<String, (usize, Place)>,
    read_complexity: Option<(usize, Place)>,
}

impl Reader<'_, '_, '_> {
    /// Reads a list of tasks; answers with those that are to be done, subtasks for the tasks that have some.
    fn tasks(&mut self, pointer: &str, tasks: &[Value], parent: Option<&Parent<'_>>) -> Vec<usize> {
        let mut open = Vec::new();
        let mut strange = 0;
        for (position, value) in tasks.iter().enumerate() {
            match value {
                Value::Object(fields) => {
                    open.extend(self.task(&format!("{pointer}/{position}"), position, fields, parent));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => strange += 1,
            }
        }
        if strange > 0 {
            let message = format!("entries of the list that are no objects: {strange}");
            self.losses.dropped(Code::NotATask, self.places.of(pointer), message, "left out");
        }
        open
    }

    fn task(
        &mut self,
        at: &str,
        position: usize,
        fields: &Map<String, Value>,
        parent: Option<&Parent<'_>>,
    ) -> Vec<usize> {
        let place = self.places.of(at);
        let number = self.draft.tasks.len();
        let written = self.scalar(&format!("{at}/id"), fields.get("id"));
        let mut task = Task { place, purpose: text(fields, "title"), ..Task::default() };
        task.id = match (&written, parent) {
            (Some(written), parent) => own_id(written, parent),
            (None, Some(parent)) => format!("{}.{}", parent.id, position + 1),
            (None, None) => format!("task-{}", position + 1),
        };
        task.made_of = written.is_none().then_some("its place in the list");
        task.within = parent.map(|parent| parent.number);
        if let Some(written) = &written {
            task.aliases.extend(parent.map(|parent| format!("{}.{written}", parent.id)));
            task.aliases.push(format!("task {written}"));
        }
        task.aliases.push(task.purpose.clone());
        self.read_texts(fields, parent, &mut task);
        self.status(at, fields, &mut task);
        self.complexity(at, fields, &mut task);
        self.dependencies(at, fields, parent, &mut task);
        self.count_homeless(at, fields);
        let (id, standing) = (task.id.clone(), task.standing);
        let subtasks = fields.get("subtasks").and_then(Value::as_array).filter(|list| !list.is_empty());
        let mut own = Parent { number, id: &id, siblings: HashMap::new(), about: String::new() };
        if let Some(subtasks) = subtasks {
            let whole = about(&task);
            own.about = elide_end(&whole, (MOST_ABOUT / subtasks.len()).clamp(80, LONGEST_ABOUT)).into_owned();
            if own.about.len() < whole.len() {
                let message = format!("the text of `{}` is too long for the notes of its subtasks", visible(&id));
                self.losses.changed(Code::Cut, place, message, "they have its beginning");
            }
        }
        self.draft.tasks.push(task);
        match subtasks {
            Some(subtasks) if standing == Standing::Open => self.subtasks(at, subtasks, own),
            Some(subtasks) => {
                let message = format!("{} of `{}`", plural(subtasks.len(), "subtask"), visible(&id));
                self.losses.dropped(Code::Done, place, message, "left out with it");
                Vec::new()
            }
            None if standing == Standing::Open => vec![number],
            None => Vec::new(),
        }
    }

    /// Reads the subtasks of an open task. They stand for it, unless all of them are done.
    fn subtasks(&mut self, at: &str, subtasks: &[Value], mut parent: Parent<'_>) -> Vec<usize> {
        let list = format!("{at}/subtasks");
        for (position, subtask) in subtasks.iter().enumerate() {
            if let Some(written) = self.scalar(&format!("{list}/{position}/id"), subtask.get("id")) {
                let own = own_id(&written, Some(&parent));
                parent.siblings.entry(written).or_insert(own);
            }
        }
        let open = self.tasks(&list, subtasks, Some(&parent));
        let place = self.draft.tasks[parent.number].place;
        let id = visible(parent.id).into_owned();
        if open.is_empty() {
            self.losses.kept(Code::Done, place, format!("all subtasks of `{id}` are done, and it is not"), {
                "it is a component of its own"
            });
            return vec![parent.number];
        }
        let count = plural(open.len(), "open subtask");
        self.losses.changed(Code::Value, place, format!("`{id}` has {count}"), {
            "these are components, with its text in their notes; they wait for what it depends on, and what depends on it waits for \
             all of them"
        });
        self.report_own(parent.number, &id);
        self.draft.tasks[parent.number].parts.clone_from(&open);
        open
    }

    /// Tells what a task says of itself that its subtasks do not get.
    fn report_own(&mut self, number: usize, id: &str) {
        let task = &self.draft.tasks[number];
        if task.complexity.is_some() {
            let message = format!("the complexity of `{id}` is not that of each of its subtasks");
            self.losses.dropped(Code::Value, task.place, message, "left out");
        }
        if !task.files.is_empty() {
            let files: Vec<&str> = task.files.iter().take(5).map(|file| file.path.as_str()).collect();
            let message = format!("the text of `{id}` names files: {}", visible(&files.join(", ")));
            self.losses.dropped(Code::FileFromProse, task.place, message, "none of its subtasks gets them");
        }
    }

    /// The ids of a list of tasks, as they are written.
    fn ids(&self, pointer: &str, tasks: &[Value]) -> HashSet<String> {
        let ids = tasks.iter().enumerate();
        ids.filter_map(|(position, task)| self.scalar(&format!("{pointer}/{position}/id"), task.get("id"))).collect()
    }

    /// A number or text as it is written: `1.10` is not `1.1`. Of what is too long for an id the beginning: subtasks repeat it.
    fn scalar(&self, pointer: &str, value: Option<&Value>) -> Option<String> {
        let short = |text: &str| text[..text.floor_char_boundary(LONGEST_ID)].to_owned();
        match value? {
            Value::String(text) if !text.trim().is_empty() => Some(short(text.trim())),
            Value::Number(number) => {
                let span = self.places.spans.get(pointer).cloned();
                let raw = span.and_then(|span| self.source.text.get(span));
                Some(raw.map_or_else(|| number.to_string(), short))
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn read_texts(&mut self, fields: &Map<String, Value>, parent: Option<&Parent<'_>>, task: &mut Task) {
        let description = text(fields, "description");
        match (task.purpose.is_empty(), description.is_empty()) {
            (true, _) => task.purpose = description,
            (false, false) => task.notes.push(description),
            (false, true) => {}
        }
        for (key, title) in
            [("details", "Details"), ("testStrategy", "Test strategy"), ("acceptanceCriteria", "Acceptance")]
        {
            let text = text(fields, key);
            if !text.is_empty() {
                task.notes.push(format!("{title}: {text}"));
            }
        }
        let prose = [task.purpose.as_str()].into_iter().chain(task.notes.iter().map(String::as_str));
        let prose = prose.filter(|text| !text.starts_with("Test strategy: ")).collect::<Vec<_>>().join("\n");
        for file in paths::mentions(&prose) {
            task.files.push(NamedFile { path: file.path, found: Found::Guessed });
        }
        if let Some(parent) = parent {
            task.notes.push(parent.about.clone());
        }
    }

    fn status(&mut self, at: &str, fields: &Map<String, Value>, task: &mut Task) {
        let status = text(fields, "status").to_lowercase().replace('_', "-");
        task.standing = match status.as_str() {
            "done" | "completed" if !self.order.with_done => Standing::Done,
            "cancelled" | "canceled" => Standing::Cancelled,
            _ => Standing::Open,
        };
        if task.standing == Standing::Open && !matches!(status.as_str(), "" | "pending" | "todo" | "done" | "completed")
        {
            let message = format!("`{}` is `{}`, which components cannot be", visible(&task.id), visible(&status));
            self.losses.changed(
                Code::Status,
                self.places.of(&format!("{at}/status")),
                message,
                "it is done like any other",
            );
        }
    }

    fn complexity(&mut self, at: &str, fields: &Map<String, Value>, task: &mut Task) {
        for key in ["complexity", "complexityScore"] {
            let pointer = format!("{at}/{key}");
            let Some(written) = self.scalar(&pointer, fields.get(key)) else { continue };
            let place = self.places.of(&pointer);
            match fields::complexity(&written) {
                Some((complexity, read)) => {
                    task.complexity = Some(complexity);
                    if read {
                        self.read_complexity.get_or_insert((0, place)).0 += 1;
                    }
                }
                None => {
                    let message = format!("`{}` is no complexity", visible(&elide_end(&written, 60)));
                    self.losses.dropped(Code::Value, place, message, "left out; it counts as medium");
                }
            }
        }
    }

    fn dependencies(&mut self, at: &str, fields: &Map<String, Value>, parent: Option<&Parent<'_>>, task: &mut Task) {
        let pointer = format!("{at}/dependencies");
        let list = match fields.get("dependencies") {
            None | Some(Value::Null) => return,
            Some(Value::Array(list)) => list,
            Some(_) => {
                let message = format!("the dependencies of `{}` are no list", visible(&task.id));
                self.losses.dropped(Code::Value, self.places.of(&pointer), message, "left out");
                return;
            }
        };
        for (position, value) in list.iter().enumerate() {
            let pointer = format!("{pointer}/{position}");
            let place = self.places.of(&pointer);
            let Some(written) = self.scalar(&pointer, Some(value)) else {
                let message = format!("a dependency of `{}` is neither a number nor a text", visible(&task.id));
                self.losses.dropped(Code::Value, place, message, "left out");
                continue;
            };
            // Within a task, the bare number of a subtask means the sibling.
            let sibling = parent.and_then(|parent| parent.siblings.get(&written));
            let meant = sibling.cloned();
            if parent.is_some() && meant.is_none() && is_number(&written) && self.top.contains(&written) {
                let message = format!("`{}` depends on `{written}`, which is no subtask beside it", visible(&task.id));
                self.losses.changed(Code::Ambiguous, place, message, format!("read as the task `{written}`"));
            }
            task.needs.push(Need { place, text: meant.unwrap_or(written) });
        }
    }

    fn count_homeless(&mut self, at: &str, fields: &Map<String, Value>) {
        const READ: [&str; 11] = [
            "id",
            "title",
            "description",
            "details",
            "testStrategy",
            "acceptanceCriteria",
            "status",
            "dependencies",
            "subtasks",
            "complexity",
            "complexityScore",
        ];
        for (key, _) in fields.iter().filter(|(key, value)| !READ.contains(&key.as_str()) && !is_empty(value)) {
            // What Task Master keeps for itself.
            if matches!(key.as_str(), "updatedAt" | "createdAt" | "parentId" | "parentTaskId") {
                continue;
            }
            let mut pointer = at.to_owned();
            push_key(&mut pointer, key);
            let place = self.places.of(&pointer);
            self.homeless.entry(key.clone()).or_insert((0, place)).0 += 1;
        }
    }

    fn finish(self) {
        for (field, (count, place)) in self.homeless {
            let field = visible(&elide_end(&field, 60)).into_owned();
            let message = format!("the field `{field}` of {} has no home", plural(count, "task"));
            self.losses.dropped(Code::NoHome, place, message, "left out");
        }
        if let Some((count, place)) = self.read_complexity {
            let message = format!("the complexity of {} is a number or another word", plural(count, "task"));
            self.losses.changed(
                Code::Value,
                place,
                message,
                "1 to 4 is read as low, 5 to 7 as medium, 8 to 10 as high",
            );
        }
    }
}

/// The id of a task: a subtask's number behind its task's.
fn own_id(written: &str, parent: Option<&Parent<'_>>) -> String {
    match parent {
        Some(parent) if is_number(written) => format!("{}.{written}", parent.id),
        Some(_) | None => written.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a task says about its subtasks.
fn about(task: &Task) -> String {
    let whole = format!("Part of {}: {}\n{}", task.id, task.purpose, task.notes.join("\n"));
    whole.trim().to_owned()
}

fn text(fields: &Map<String, Value>, key: &str) -> String {
    match fields.get(key) {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Array(lines)) => {
            let lines = lines.iter().filter_map(Value::as_str);
            lines.map(|line| format!("- {}", line.trim())).collect::<Vec<_>>().join("\n")
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => String::new(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
