//! Ids that directories and branches can carry, each used once; and what references mean.

use std::collections::{HashMap, HashSet};

use super::draft::{Need, Task};
use super::loss::{Code, Losses};
use crate::diagnostic::visible;
use crate::ids::{ComponentId, MAX_NAME, check_name};
use crate::spec::manifest::safe_name;

/// The names of all tasks.
pub(super) struct Names {
    /// For each task its id, if it becomes a component.
    ids: Vec<Option<ComponentId>>,
    /// Ids as they are written, by source.
    written: HashMap<(usize, String), usize>,
    /// Ids, as written and as they are now, over all sources; of several tasks with one the first counts, as is reported.
    known: HashMap<String, usize>,
    /// Other names; `None` where several go by one.
    aliases: HashMap<String, Option<usize>>,
}

/// What a reference means.
pub(super) enum Meaning {
    /// One task.
    Task(usize),
    /// Several go by that name.
    Several,
    /// None does.
    Nothing,
}

impl Names {
    /// The id of a task that becomes a component; else as it is written.
    pub(super) fn id<'n>(&'n self, tasks: &'n [Task], task: usize) -> &'n str {
        self.ids[task].as_ref().map_or(tasks[task].id.as_str(), ComponentId::as_str)
    }

    /// The id of a task that becomes a component.
    pub(super) fn component(&self, task: usize) -> Option<&ComponentId> {
        self.ids[task].as_ref()
    }

    /// What `need` means: an id of the same file first, then any id or other name.
    pub(super) fn resolve(&self, need: &Need) -> Meaning {
        let key = key(&need.text);
        if let Some(task) = self.written.get(&(need.place.source, key.clone())) {
            return Meaning::Task(*task);
        }
        if let Some(task) = self.known.get(&key) {
            return Meaning::Task(*task);
        }
        match self.aliases.get(&key) {
            Some(Some(task)) => Meaning::Task(*task),
            Some(None) => Meaning::Several,
            None => Meaning::Nothing,
        }
    }
}

/// What is compared: without case, space and marks around it.
fn key(text: &str) -> String {
    let bare = text.trim().trim_matches(['`', '*', '"', '\'']).trim_start_matches('#').trim();
    bare.to_lowercase()
}

/// Gives every task that becomes a component an id of its own.
pub(super) fn assign(tasks: &[Task], losses: &mut Losses) -> Names {
    let mut ids = Vec::with_capacity(tasks.len());
    let (mut written, mut known) = (HashMap::new(), HashMap::new());
    let mut aliases: HashMap<String, Option<usize>> = HashMap::new();
    let mut taken = Taken::default();
    for (index, task) in tasks.iter().enumerate() {
        let again = written.insert_first((task.place.source, key(&task.id)), index);
        known.insert_first(key(&task.id), index);
        let id = match (task.is_component(), again) {
            (true, _) => named(tasks, task, again, &mut taken, losses),
            (false, Some(first)) => {
                report_twice(tasks, first, task, None, losses);
                None
            }
            (false, None) => None,
        };
        ids.push(id);
    }
    for (index, task) in tasks.iter().enumerate() {
        if let Some(id) = &ids[index] {
            known.insert_first(key(ComponentId::as_str(id)), index);
        }
        for alias in task.aliases.iter().map(|alias| key(alias)).filter(|alias| !alias.is_empty()) {
            let meant = aliases.entry(alias).or_insert(Some(index));
            *meant = meant.filter(|meant| *meant == index);
        }
    }
    Names { ids, written, known, aliases }
}

/// A map in which the first value for a key stays.
trait First<K> {
    /// Enters `value` unless there is one; answers with the one that is there.
    fn insert_first(&mut self, key: K, value: usize) -> Option<usize>;
}

impl<K: std::hash::Hash + Eq> First<K> for HashMap<K, usize> {
    fn insert_first(&mut self, key: K, value: usize) -> Option<usize> {
        let known = *self.entry(key).or_insert(value);
        (known != value).then_some(known)
    }
}

/// The id of a task that becomes a component.
fn named(
    tasks: &[Task],
    task: &Task,
    again: Option<usize>,
    taken: &mut Taken,
    losses: &mut Losses,
) -> Option<ComponentId> {
    let safe = safe_name(&task.id);
    let name = taken.free(&safe);
    report_name(tasks, task, again, &safe, &name, losses);
    // A safe name is a name; should the two ever disagree, the task stays out and the report has it.
    ComponentId::new(&name).ok()
}

fn report_name(tasks: &[Task], task: &Task, again: Option<usize>, safe: &str, name: &str, losses: &mut Losses) {
    let written = visible(&task.id);
    if let Some(of) = task.made_of {
        losses.changed(Code::MadeId, task.place, format!("a task without an id: {}", quoted(&task.purpose)), {
            format!("its id is `{name}`, made of {of}")
        });
    } else if let Some(first) = again {
        report_twice(tasks, first, task, Some(name), losses);
    } else if check_name(&task.id).is_err() {
        losses.changed(Code::RenamedId, task.place, format!("the id `{written}` cannot name files and branches"), {
            format!("its id is `{name}`; references to it mean that")
        });
    } else if safe != name {
        losses.changed(
            Code::DuplicateId,
            task.place,
            format!("the id `{written}` is that of another but for case or file"),
            format!("its id is `{name}`"),
        );
    }
}

fn report_twice(tasks: &[Task], first: usize, task: &Task, name: Option<&str>, losses: &mut Losses) {
    let message = format!("the id `{}` is used again; line {} has it too", visible(&task.id), tasks[first].place.line);
    match name {
        Some(name) => {
            let action = format!("this one is `{name}`; references mean the first");
            losses.changed(Code::DuplicateId, task.place, message, action);
        }
        None => losses.dropped(Code::DuplicateId, task.place, message, "references mean the first"),
    }
}

/// The beginning of a text, for a message.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", visible(&crate::text::elide_end(text.lines().next().unwrap_or_default(), 60)))
}

/// Names that are in use, ignoring case.
#[derive(Default)]
struct Taken {
    names: HashSet<String>,
    /// The number that was tried last behind the beginning of a name: looking for the next goes on from there.
    last: HashMap<String, usize>,
}

impl Taken {
    fn free(&mut self, name: &str) -> String {
        /// Room for a hyphen and the number of any of the tasks that a manifest may have.
        const SUFFIX: usize = 8;
        let lower = name.to_ascii_lowercase();
        let stem = name[..name.len().min(MAX_NAME - SUFFIX)].trim_end_matches(['.', '-']);
        if self.names.insert(lower) {
            return name.to_owned();
        }
        let last = self.last.entry(stem.to_ascii_lowercase()).or_insert(1);
        loop {
            *last += 1;
            let numbered = format!("{stem}-{last}");
            if self.names.insert(numbered.to_ascii_lowercase()) {
                return numbered;
            }
        }
    }
}
