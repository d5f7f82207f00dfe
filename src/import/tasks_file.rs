//! What of a `tasks.json` is meant, and where in the file it stands.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use super::loss::{Code, Losses, Place};
use super::{ImportError, Order, Source};
use crate::diagnostic::visible;
use crate::spec::load::MAX_DEPTH;
use crate::spec::locate::{self, push_key};
use crate::text::{elide_end, plural};

/// The file as JSON that is not too deep.
pub(super) fn parse(source: &Source<'_>) -> Result<Value, ImportError> {
    let file = || source.name.to_owned();
    let line_of = |at: usize| source.text[..at.min(source.text.len())].matches('\n').count() + 1;
    if let Some(at) = locate::too_deep(source.text, MAX_DEPTH) {
        return Err(ImportError::TooDeep { file: file(), line: line_of(at) });
    }
    serde_json::from_str(source.text).map_err(|error| {
        let why = error.to_string();
        let why = visible(why.rsplit_once(" at line ").map_or(why.as_str(), |(why, _)| why)).into_owned();
        ImportError::NotJson { file: file(), line: error.line().max(1), why }
    })
}

/// The list of tasks that is meant, and where it stands.
pub(super) fn chosen<'v>(
    value: &'v Value,
    order: &Order<'_>,
    source: &Source<'_>,
) -> Result<(String, &'v [Value]), ImportError> {
    let file = || source.name.to_owned();
    let Value::Object(top) = value else {
        let why = "it must be an object with `tasks`, or with a tag that has `tasks`".to_owned();
        return Err(ImportError::NotTaskmaster { file: file(), why });
    };
    let mut tags: Vec<(&String, &Vec<Value>)> =
        top.iter().filter_map(|(tag, value)| Some((tag, value.get("tasks")?.as_array()?))).collect();
    if let (Some(Value::Array(tasks)), None) = (top.get("tasks"), order.tag) {
        return Ok(("/tasks".to_owned(), tasks));
    }
    let names = || tags.iter().map(|(tag, _)| (*tag).clone()).collect::<Vec<_>>();
    let found = match (order.tag, tags.len()) {
        (Some(_), 0) if top.get("tasks").is_some_and(Value::is_array) => {
            let why = "its tasks have no tags; leave `--tag` out".to_owned();
            return Err(ImportError::NotTaskmaster { file: file(), why });
        }
        (_, 0) => {
            let why = "there is no list `tasks`, neither at the top nor in a tag".to_owned();
            return Err(ImportError::NotTaskmaster { file: file(), why });
        }
        (Some(wanted), _) => tags.iter().position(|(tag, _)| *tag == wanted).ok_or_else(|| ImportError::NoSuchTag {
            file: file(),
            tag: wanted.to_owned(),
            tags: names(),
        })?,
        (None, 1) => 0,
        (None, _) => return Err(ImportError::SeveralTags { file: file(), tags: names() }),
    };
    let (tag, tasks) = tags.swap_remove(found);
    let mut pointer = String::new();
    push_key(&mut pointer, tag);
    pointer.push_str("/tasks");
    Ok((pointer, tasks))
}

/// What stands beside the list at `pointer` and above it: pointer, key and value of each.
fn beside<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = (String, &'v str, &'v Value)> {
    let members = |at: &str, value: &'v Value| {
        let at = at.to_owned();
        value.as_object().into_iter().flatten().map(move |(key, value)| {
            let mut pointer = at.clone();
            push_key(&mut pointer, key);
            (pointer, key.as_str(), value)
        })
    };
    let above = pointer.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
    let of_tag = value.pointer(&above).filter(|_| !above.is_empty()).into_iter().flat_map({
        let above = above.clone();
        move |tag| members(&above, tag).collect::<Vec<_>>()
    });
    let list = pointer.to_owned();
    members("", value).chain(of_tag).filter(move |(pointer, ..)| *pointer != list && *pointer != above)
}

/// Tells of other tags and of what is known about the file.
pub(super) fn report_beside(value: &Value, pointer: &str, places: &Places, losses: &mut Losses) {
    for (pointer, key, value) in beside(value, pointer) {
        let key = visible(&elide_end(key, 60)).into_owned();
        let message = match value.get("tasks").and_then(Value::as_array) {
            Some(tasks) => format!("the tag `{key}` with {} was not asked for", plural(tasks.len(), "task")),
            None => format!("`{key}` has no home"),
        };
        losses.dropped(Code::NoHome, places.of(&pointer), message, "left out");
    }
}

/// Where the values of the file stand.
pub(super) struct Places {
    index: usize,
    lines: Vec<usize>,
    /// By JSON pointer.
    pub(super) spans: HashMap<String, Range<usize>>,
}

impl Places {
    pub(super) fn find(text: &str, index: usize, value: &Value, pointer: &str, tasks: &[Value]) -> Self {
        let mut pointers = vec![pointer.to_owned()];
        pointers.extend(beside(value, pointer).map(|(pointer, ..)| pointer));
        walk(tasks, &mut pointer.to_owned(), &mut pointers);
        let spans = locate::locate(text, pointers.iter().map(String::as_str));
        let spans = spans.into_iter().map(|(pointer, place)| (pointer.to_owned(), place.value)).collect();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { index, lines, spans }
    }

    pub(super) fn at(&self, offset: usize) -> Place {
        Place { source: self.index, line: self.lines.partition_point(|start| *start <= offset) }
    }

    pub(super) fn of(&self, pointer: &str) -> Place {
        self.at(self.spans.get(pointer).map_or(0, |span| span.start))
    }
}

/// The pointers of everything that may be spoken of: tasks, their fields, their dependencies. As deep as the file, which is
/// not deep.
fn walk(tasks: &[Value], at: &mut String, pointers: &mut Vec<String>) {
    let length = at.len();
    for (position, task) in tasks.iter().enumerate() {
        push_key(at, &position.to_string());
        let of_task = at.len();
        for (key, value) in task.as_object().into_iter().flatten() {
            push_key(at, key);
            pointers.push(at.clone());
            match (key.as_str(), value) {
                ("subtasks", Value::Array(subtasks)) => walk(subtasks, at, pointers),
                ("dependencies", Value::Array(list)) => {
                    pointers.extend((0..list.len()).map(|position| format!("{at}/{position}")));
                }
                _ => {}
            }
            at.truncate(of_task);
        }
        if task.is_object() {
            pointers.push(at.clone());
        }
        at.truncate(length);
    }
}

/// How many dependencies are written down.
pub(super) fn count_dependencies(tasks: &[Value]) -> usize {
    let own = |task: &Value| {
        let dependencies = task.get("dependencies").and_then(Value::as_array).map_or(0, Vec::len);
        let subtasks = task.get("subtasks").and_then(Value::as_array).map_or(0, |tasks| count_dependencies(tasks));
        dependencies + subtasks
    };
    tasks.iter().map(own).sum()
}
