//! What a work directory is made of, and the commands that most likely check it: names of files and a few texts in, a
//! proposal out. Nothing is run, and what a text claims is believed only as far as a command is there to be named.

mod ecosystem;
mod javascript;
mod plans;
mod propose;
mod python;
mod runners;

use std::collections::{BTreeMap, BTreeSet};

pub use plans::{Tasks, TasksKind};
pub use propose::{Command, Proposal};

use crate::ids;
use crate::spec::manifest::safe_name;
use crate::text::printable;

/// The largest text that is looked into, in bytes; a file that says how a project is built is far smaller.
pub const LARGEST: u64 = 1024 * 1024;

/// Directories that hold no code of the project's own, or code that is no part of it.
const PASSED_OVER: [&str; 12] = [
    "node_modules",
    "target",
    "vendor",
    "third_party",
    "dist",
    "build",
    "out",
    "venv",
    "env",
    "testdata",
    "fixtures",
    "examples",
];

/// The files whose text is looked into.
const READ: [&str; 14] = [
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
    "setup.cfg",
    "tox.ini",
    "requirements.txt",
    "requirements-dev.txt",
    "go.mod",
    "GNUmakefile",
    "makefile",
    "Makefile",
    "justfile",
    "Justfile",
    ".justfile",
];

/// What is known of a work directory.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// Its own name; empty where it has none.
    pub name: String,
    /// The files below it that were listed, by their path with `/`: its own, those of directories in it that
    /// [`is_looked_into`], and what [`is_tasks_file`] says.
    pub files: BTreeSet<String>,
    /// The texts of those that [`is_read`], or why one could not be had.
    pub texts: BTreeMap<String, Result<String, String>>,
}

/// Whether the files of this directory of the root are of interest. Its name becomes a part of commands, so that one
/// which a shell could misread is left alone.
pub fn is_looked_into(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    plain && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && !PASSED_OVER.contains(&name)
}

/// Whether the text of the file with this path is needed.
pub fn is_read(path: &str) -> bool {
    READ.contains(&path.rsplit('/').next().unwrap_or(path))
}

pub use plans::is_tasks_file;

/// One way in which a directory is built and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// The file that tells, by its path.
    pub marker: String,
    /// Where it stands: empty for the work directory itself.
    pub dir: String,
    /// The command that lints.
    pub lint: Option<String>,
    /// The command that tests.
    pub test: Option<String>,
    /// The command that makes a fresh copy ready: what git does not keep, such as installed packages.
    pub setup: Option<String>,
}

/// A language with its tools, or a runner of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Cargo.
    Rust,
    /// npm, pnpm, yarn, bun.
    JavaScript,
    /// pytest and what lints.
    Python,
    /// The go command.
    Go,
    /// Maven.
    Java,
    /// Targets of a makefile.
    Make,
    /// Recipes of a justfile.
    Just,
}

impl Kind {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::Make => "make",
            Self::Just => "just",
        }
    }

    /// Whether it runs what its author named, of whatever language.
    pub fn is_runner(self) -> bool {
        matches!(self, Self::Make | Self::Just)
    }
}

/// What was found in a work directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detected {
    /// What the project is called, as a name that a spec's project can have.
    pub project: Option<String>,
    /// The ways in which it is built and checked, those of the root first.
    pub found: Vec<Found>,
    /// Task lists of other tools, the likeliest first.
    pub tasks: Vec<Tasks>,
    /// What was passed over and why, a sentence each.
    pub remarks: Vec<String>,
}

impl Detected {
    /// What can be told of this directory.
    pub fn of(directory: &Directory) -> Self {
        let mut remarks = Vec::new();
        let mut found = ecosystem::of(&Place { directory, dir: "" }, &mut remarks);
        found.extend(runners::of(&Place { directory, dir: "" }, &mut remarks));
        for (kind, more) in below(directory, &found, &mut remarks) {
            match more.len() {
                0..=MOST_OF_A_KIND => found.extend(more),
                many => {
                    let name = kind.name();
                    remarks.push(format!("{many} directories hold {name}: none was taken, name their checks yourself"));
                }
            }
        }
        Self { project: project(directory), found, tasks: plans::of(directory), remarks }
    }
}

/// More directories of one language than these are a collection rather than the parts of one project.
const MOST_OF_A_KIND: usize = 3;

/// What stands in directories of the root, of kinds that the root itself does not have: it speaks for what is below it.
fn below(directory: &Directory, root: &[Found], remarks: &mut Vec<String>) -> BTreeMap<Kind, Vec<Found>> {
    let mut of_kind: BTreeMap<Kind, Vec<Found>> = BTreeMap::new();
    let dirs: BTreeSet<&str> =
        directory.files.iter().filter_map(|path| path.split_once('/')).map(|(dir, _)| dir).collect();
    for dir in dirs.into_iter().filter(|dir| is_looked_into(dir)) {
        for found in ecosystem::of(&Place { directory, dir }, remarks) {
            if root.iter().all(|other| other.kind != found.kind) {
                of_kind.entry(found.kind).or_default().push(found);
            }
        }
    }
    of_kind
}

/// What the root says that it is called, else the name of the directory.
fn project(directory: &Directory) -> Option<String> {
    let root = Place { directory, dir: "" };
    let named = ecosystem::names(&root).into_iter().find(|name| !name.trim().is_empty());
    let name = named.unwrap_or_else(|| directory.name.clone());
    let name = safe_name(&name);
    (ids::check_name(&name).is_ok() && name != "unnamed").then_some(name)
}

/// One directory of those that are known.
struct Place<'a> {
    directory: &'a Directory,
    dir: &'a str,
}

impl<'a> Place<'a> {
    /// The path of a file that stands here.
    fn path(&self, name: &str) -> String {
        if self.dir.is_empty() { name.to_owned() } else { format!("{}/{name}", self.dir) }
    }

    fn has(&self, name: &str) -> bool {
        self.directory.files.contains(&self.path(name))
    }

    /// The first of these names that stands here.
    fn first<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// The names of the files here.
    fn names(&self) -> impl Iterator<Item = &'a str> {
        self.names_in("")
    }

    /// The names of the files in a directory here.
    fn names_in(&self, dir: &str) -> impl Iterator<Item = &'a str> {
        let inside = if dir.is_empty() { self.path("") } else { self.path(&format!("{dir}/")) };
        let all = self.directory.files.iter();
        all.filter_map(move |path| path.strip_prefix(inside.as_str())).filter(|name| !name.contains('/'))
    }

    /// The text of a file that stands here; nothing where it is missing or could not be read.
    fn text(&self, name: &str) -> Option<&'a str> {
        self.directory.texts.get(&self.path(name))?.as_deref().ok()
    }

    /// As [`Place::text`], and why a text that should be there could not be had is remarked.
    fn text_or_remark(&self, name: &str, remarks: &mut Vec<String>) -> Option<&'a str> {
        let path = self.path(name);
        match self.directory.texts.get(&path)? {
            Ok(text) => Some(text),
            Err(why) => {
                remarks.push(format!("`{}` could not be read: {}", printable(&path), printable(why)));
                None
            }
        }
    }
}
