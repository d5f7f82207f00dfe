//! The files that the commands of checks name or read by custom: whoever changes one changes the check.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::plan::{CheckPlan, Plan};
use crate::spec::manifest::Manifest;
use crate::spec::writeset::{self, WriteSet};
use crate::tamper;

/// The build files that a program reads by itself. One that is not there yet comes before those that are.
const BUILDERS: [(&str, &[&str]); 4] = [
    ("make", &MAKEFILES),
    ("gmake", &MAKEFILES),
    ("just", &["justfile", "Justfile", ".justfile"]),
    ("task", &["Taskfile.yml"]),
];
const MAKEFILES: [&str; 3] = ["Makefile", "makefile", "GNUmakefile"];

/// What runs the file that it is given.
const INTERPRETERS: [&str; 15] = [
    "sh", "bash", "dash", "zsh", "ksh", "fish", "source", ".", "python", "python3", "node", "deno", "bun", "perl",
    "ruby",
];

/// The endings of files that hold commands.
const SCRIPTS: [&str; 10] = ["sh", "bash", "zsh", "ksh", "dash", "fish", "rb", "pl", "mk", "awk"];

/// The files of all checks, relative to the work directory, each once.
pub fn scripts(plan: &Plan, manifest: &Manifest, work_dir: &Path) -> Vec<String> {
    let tests = manifest.components.iter().flat_map(|component| component.tests.iter().map(String::as_str));
    let owned = manifest.components.iter().flat_map(|component| component.write_patterns()).chain(tests);
    let owned = WriteSet::new(owned).unwrap_or_default();
    let mut reader = Reader { work_dir, owned, found: BTreeSet::new() };
    plan.checks.iter().for_each(|check| reader.read(check));
    reader.found.into_iter().collect()
}

struct Reader<'r> {
    work_dir: &'r Path,
    /// What some component may write, and what are tests.
    owned: WriteSet,
    found: BTreeSet<String>,
}

impl Reader<'_> {
    /// Reads the command of a check, as far as it can be read without running it.
    fn read(&mut self, check: &CheckPlan) {
        let base = check.dir.as_deref().and_then(|dir| writeset::clean(dir).ok()).unwrap_or_default();
        // Where the command is, last; a word may be meant from each place where it was.
        let mut dirs = vec![base.clone()];
        for part in check.run.split_inclusive([';', '&', '|', '(', ')', '`', '\n']) {
            self.read_part(part, &mut dirs);
            if part.ends_with(')') {
                dirs.push(base.clone());
            }
        }
    }

    /// Reads one command of a line.
    fn read_part(&mut self, part: &str, dirs: &mut Vec<String>) {
        let part = part.replace('>', " > ").replace('<', " < ");
        let words = part.split(|c: char| c.is_whitespace() || "\"'`;&|()=".contains(c)).filter(|word| !word.is_empty());
        let before = dirs.last().cloned().unwrap_or_default();
        let (mut last, mut runs, mut elsewhere) = ("", false, false);
        let mut builds: Vec<&str> = Vec::new();
        for word in words {
            match last {
                // It is written, not read.
                ">" => {}
                "cd" | "pushd" => enter(word, dirs),
                "-C" | "--directory" | "--prefix" => {
                    elsewhere = true;
                    enter(word, dirs);
                }
                _ => self.take(word, dirs, runs),
            }
            let program = word.rsplit('/').next().unwrap_or(word);
            // What comes behind the script are its arguments.
            runs = INTERPRETERS.contains(&program) || (runs && (word == "<" || word.starts_with('-')));
            builds.extend(BUILDERS.iter().filter(|(name, _)| *name == program).flat_map(|(_, files)| *files));
            last = word;
        }
        let dir = dirs.last().cloned().unwrap_or_default();
        builds.into_iter().filter_map(|file| below(&dir, file)).for_each(|path| self.add(path));
        if elsewhere {
            dirs.push(before);
        }
    }

    /// Takes what a word means in the directories where the command was.
    fn take(&mut self, word: &str, dirs: &[String], runs: bool) {
        let own = Path::new(word).strip_prefix(self.work_dir).ok().and_then(Path::to_str);
        if let Some(path) = own.and_then(|own| writeset::clean(own).ok()) {
            if self.decides(&path, word, runs) {
                self.add(path);
            }
            return;
        }
        for dir in dirs {
            match below(dir, word) {
                Some(path) if self.decides(&path, word, runs) => self.add(path),
                _ => {}
            }
        }
        // A script that is not there yet, or that another command brings.
        if is_spelt_as_script(word)
            && let Ok(path) = writeset::clean(word)
        {
            self.add(path);
        }
    }

    /// Whether a file that is there decides what a check says. Sources and tests do so too, but making those is the work, and
    /// they are judged as such.
    fn decides(&self, path: &str, word: &str, runs: bool) -> bool {
        let file = self.work_dir.join(path);
        let Ok(about) = fs_err::metadata(&file) else { return false };
        if !about.is_file() {
            return false;
        }
        let is_work = || tamper::is_test(path) || self.owned.matches(path.as_ref());
        if is_spelt_as_script(word) || has_commands(path) {
            return true;
        }
        match is_source(path) {
            true => runs && !is_work(),
            // Data that a check compares is what the work is about.
            false => runs || about.permissions().mode() & 0o111 != 0,
        }
    }

    fn add(&mut self, path: String) {
        // One that cannot be a pattern would make the set of all of them unreadable.
        if !path.is_empty() && WriteSet::new([path.as_str()]).is_ok() {
            self.found.insert(path);
        }
    }
}

/// Goes into a directory, from where the command is and from where it began.
fn enter(word: &str, dirs: &mut Vec<String>) {
    let from = dirs.last().cloned().unwrap_or_default();
    if let Some(dir) = below(&from, word)
        && dirs.last() != Some(&dir)
    {
        dirs.push(dir);
    }
}

/// A path from a directory, if it stays in the work directory.
fn below(dir: &str, word: &str) -> Option<String> {
    if word.starts_with(['/', '~', '-']) {
        return None;
    }
    writeset::clean(&if dir.is_empty() { word.to_owned() } else { format!("{dir}/{word}") }).ok()
}

/// Whether a word can hardly mean anything but a file that is run.
fn is_spelt_as_script(word: &str) -> bool {
    word.starts_with("./") || [".sh", ".py", ".js"].iter().any(|end| word.ends_with(end))
}

/// Whether a file holds commands by its ending.
fn has_commands(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| SCRIPTS.contains(&ending))
}

/// Whether a file is code that somebody makes, or what a test recorded.
fn is_source(path: &str) -> bool {
    let data = [".yml", ".yaml", "Makefile", "justfile", "Rakefile", "Dockerfile", "Gemfile"];
    tamper::is_looked_into(path) && !data.iter().any(|end| path.ends_with(end))
}
