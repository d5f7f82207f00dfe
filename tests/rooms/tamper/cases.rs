//! Changes as texts: `=== name`, headers, `<<< path` with the file before, `>>> path` with the file after.

use std::fs;
use std::path::Path;

use cco::spec::writeset::WriteSet;
use cco::tamper::{Change, Changes, Context};

/// One change with what is to be found in it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file of fixtures: a language.
    pub group: String,
    pub name: String,
    pub expected: Vec<String>,
    pub changes: Changes,
    pub context: Context,
}

/// All cases of `kind`: `cheats` or `honest`.
pub fn all(kind: &str) -> Vec<Case> {
    let dir = Path::new("tests/fixtures/tamper").join(kind);
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| read(&fs::read_to_string(file).unwrap(), file.file_stem().unwrap().to_str().unwrap()))
        .collect()
}

fn read(text: &str, group: &str) -> Vec<Case> {
    let cases = text.split("=== ").skip(1);
    cases.map(|case| one(case, group)).collect()
}

fn one(text: &str, group: &str) -> Case {
    let mut lines = text.lines();
    let name = format!("{group}: {}", lines.next().unwrap());
    let mut context = Context { owns_tests: true, ..Context::default() };
    let mut case = Case {
        group: group.to_owned(),
        name,
        expected: Vec::new(),
        changes: Changes::default(),
        context: Context::default(),
    };
    let (mut renamed, mut was_executable) = (None, false);
    let mut part: Option<(bool, String, String)> = None;
    let mut parts = Vec::new();
    for line in lines {
        let (old, new) = (line.strip_prefix("<<< "), line.strip_prefix(">>> "));
        if let Some(path) = old.or(new) {
            parts.extend(part.replace((old.is_some(), path.to_owned(), String::new())));
        } else if let Some((_, _, text)) = &mut part {
            text.push_str(&line.replace("\\0", "\0"));
            text.push('\n');
        } else if let Some((key, value)) = line.split_once(": ") {
            let set = || WriteSet::new(value.split(", ")).unwrap();
            match key {
                "expect" => case.expected = value.split(' ').map(str::to_owned).collect(),
                "owns" => context.owns_tests = value == "true",
                "scripts" => context.scripts = set(),
                "write" => context.write_set = set(),
                "protected" => context.protected = set(),
                "rename" => renamed = value.split_once(' '),
                "mode" => was_executable = true,
                other => panic!("{}: {other}", case.name),
            }
        }
    }
    parts.extend(part);
    for (old, path, text) in parts {
        // The empty line between two cases belongs to neither.
        let contents = Some(format!("{}\n", text.trim_end()).into_bytes());
        let new_path = renamed.filter(|(from, _)| *from == path).map_or(path.as_str(), |(_, to)| to);
        let files = &mut case.changes.files;
        let at = files.iter().position(|change| change.path == new_path).unwrap_or_else(|| {
            files.push(Change { path: new_path.to_owned(), was_executable, ..Change::default() });
            files.len() - 1
        });
        let change = &mut files[at];
        if old {
            change.old = contents;
            change.renamed_from = (new_path != path).then_some(path);
        } else {
            change.new = contents;
        }
    }
    case.context = context;
    case
}
