//! What tasks write, as write sets can have it.

use std::collections::{HashMap, HashSet};

use super::Order;
use super::draft::{Found, NamedFile, Task};
use super::loss::{Code, Losses};
use super::names::Names;
use crate::diagnostic::visible;
use crate::spec::writeset::{WriteSet, clean};
use crate::text::elide_middle;

/// Cleans the files of all components, and tells of those that are not there and of tasks that name none.
pub(super) fn settle(order: &Order<'_>, tasks: &mut [Task], names: &Names, losses: &mut Losses) {
    let ids: Vec<String> = (0..tasks.len()).map(|task| visible(names.id(tasks, task)).into_owned()).collect();
    let mut there: HashMap<String, bool> = HashMap::new();
    for (index, task) in tasks.iter_mut().enumerate().filter(|(_, task)| task.is_component()) {
        let id = &ids[index];
        let named = std::mem::take(&mut task.files);
        let mut seen = HashSet::new();
        let (mut missing, mut guessed) = (Vec::new(), Vec::new());
        for file in named {
            let Some(path) = fitting(order, task, id, &file.path, losses) else { continue };
            if !seen.insert(path.clone()) {
                continue;
            }
            let is_there = is_glob(&path) || *there.entry(path.clone()).or_insert_with(|| (order.exists)(&path));
            if !is_there {
                missing.push(path.clone());
            }
            // A path alone would read as one file.
            let path = if file.path.ends_with('/') { format!("{path}/**") } else { path };
            if file.found == Found::Guessed {
                guessed.push(path.clone());
            }
            task.files.push(NamedFile { path, found: file.found });
        }
        if !guessed.is_empty() {
            let message = format!("what `{id}` writes is read out of its text: {}", some(&guessed));
            losses.kept(Code::FileFromProse, task.place, message, "taken as its files");
        }
        if !missing.is_empty() {
            let message = format!("`{id}` names what is not there: {}", some(&missing));
            losses.kept(Code::MissingPath, task.place, message, "it may be to make it");
        }
        if task.files.is_empty() {
            without(order, task, id, losses);
        }
    }
}

/// The path as it may stand in a write set.
fn fitting(order: &Order<'_>, task: &Task, id: &str, path: &str, losses: &mut Losses) -> Option<String> {
    let inside = order.work_dir.and_then(|dir| path.strip_prefix(dir)?.strip_prefix('/'));
    let cleaned = match clean(inside.unwrap_or(path)) {
        Ok(_) if path.contains(char::is_control) => Err("it has control characters".to_owned()),
        Ok(path) if path.is_empty() => Err("it is the work directory itself".to_owned()),
        Ok(path) => WriteSet::new([path.as_str()]).map(|_| path.clone()).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let shown = visible(&elide_middle(path, 80)).into_owned();
    match cleaned {
        Ok(cleaned) => {
            if inside.is_some() {
                let message = format!("`{id}` names `{shown}`, which is absolute");
                losses.changed(Code::BadPath, task.place, message, format!("read as `{}`", visible(&cleaned)));
            }
            Some(cleaned)
        }
        Err(why) => {
            let message = format!("`{id}` cannot write `{shown}`: {}", visible(&elide_middle(&why, 200)));
            losses.dropped(Code::BadPath, task.place, message, "left out");
            None
        }
    }
}

/// A task that names no file.
fn without(order: &Order<'_>, task: &mut Task, id: &str, losses: &mut Losses) {
    let message = format!("`{id}` names no file");
    if order.write_set.is_empty() {
        let action = "it has no write set, and is not valid so: give it `files`, or import with `--write-set GLOB`";
        losses.kept(Code::NoFile, task.place, message, action);
        return;
    }
    losses.changed(
        Code::NoFile,
        task.place,
        message,
        format!("it may write {}, as `--write-set` says", some(order.write_set)),
    );
    task.files.extend(order.write_set.iter().map(|path| NamedFile { path: path.clone(), found: Found::Fallback }));
}

/// Whether a path has wildcards. Brackets alone are names of files somewhere.
pub(super) fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '{'])
}

/// Some of the paths, for a message.
fn some(paths: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = paths.iter().take(SHOWN).map(|path| format!("`{}`", visible(&elide_middle(path, 80))));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if paths.len() > SHOWN {
        text.push_str(&format!(" and {} more", paths.len() - SHOWN));
    }
    text
}
