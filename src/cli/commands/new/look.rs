//! Looks at a work directory: names of files and a few texts, of bounded number and size. Nothing is run.

use std::io;
use std::path::Path;

use crate::detect::{Directory, LARGEST, is_looked_into, is_read, is_tasks_file};
use crate::fsx;

/// Entries of one directory that are looked at.
const MOST_ENTRIES: usize = 5_000;
/// Directories of the root that are looked into.
const MOST_DIRS: usize = 100;

/// What is known of `dir`. What cannot be read is left out, and said of the texts.
pub(super) fn at(dir: &Path) -> Directory {
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut directory = Directory { name, ..Directory::default() };
    let mut dirs = Vec::new();
    for (name, is_dir) in entries(dir) {
        if is_dir {
            dirs.push(name);
        } else {
            directory.files.insert(name);
        }
    }
    dirs.sort_unstable();
    for name in dirs.iter().filter(|name| is_looked_into(name)).take(MOST_DIRS) {
        let files = entries(&dir.join(name)).filter(|(_, is_dir)| !is_dir);
        directory.files.extend(files.map(|(file, _)| format!("{name}/{file}")));
    }
    let features = dirs.iter().any(|name| name == "specs").then(|| entries(&dir.join("specs"))).into_iter().flatten();
    let tasks = features.filter(|(_, is_dir)| *is_dir).map(|(feature, _)| format!("specs/{feature}/tasks.md"));
    for path in tasks.chain([".taskmaster/tasks/tasks.json".to_owned()]) {
        if is_tasks_file(&path) && dir.join(&path).is_file() {
            directory.files.insert(path);
        }
    }
    let read: Vec<String> = directory.files.iter().filter(|path| is_read(path)).cloned().collect();
    for path in read {
        let text = text(&dir.join(&path));
        directory.texts.insert(path, text);
    }
    directory
}

/// The names of what a directory holds, and whether each is a directory itself; links to directories are not followed.
fn entries(dir: &Path) -> impl Iterator<Item = (String, bool)> + use<> {
    let listing = fs_err::read_dir(dir).into_iter().flatten().take(MOST_ENTRIES).flatten();
    listing.filter_map(|entry| {
        let kind = entry.file_type().ok()?;
        let is_dir = kind.is_dir();
        (is_dir || entry.path().is_file()).then_some(())?;
        Some((entry.file_name().into_string().ok()?, is_dir))
    })
}

fn text(path: &Path) -> Result<String, String> {
    let bytes = fsx::read_regular(path, LARGEST).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::InvalidInput => "it is larger than 1 MiB".to_owned(),
        _ => error.to_string(),
    })?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
