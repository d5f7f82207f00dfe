//! What other tools wrote, as components: GitHub's spec-kit, Task Master, and Markdown checklists and tables.
//!
//! Pure: texts go in; components and a report of losses come out. A dialect's reader fills a `Draft` with tasks as they
//! are written; what all dialects share comes after it, in this order: names, files, order, collisions, components. Nothing
//! is guessed silently: whatever could not be taken over as it stands is a [`Loss`] with its place and what was done about it.
//! Everything is near-linear in the texts; what would not be (as many dependencies as pairs of tasks) has a limit and an error.

mod batches;
mod checklist;
mod collide;
mod convert;
pub mod document;
mod draft;
mod entry;
mod fields;
mod files;
mod lines;
mod loss;
mod names;
mod order;
mod paths;
mod plan;
mod references;
mod speckit;
mod table;
mod taskmaster;
mod tasks_file;

use crate::diagnostic::visible;
use crate::spec::forms::Text;
use crate::spec::load::{MAX_COMPONENTS, MAX_DEPTH};
use crate::spec::manifest::{Check, ComponentDef};

use draft::Draft;
use loss::Losses;
pub use loss::{Code, Effect, Loss, Place};

/// Largest file that is read, in bytes: a manifest may have 16 MiB, and what is imported becomes longer.
pub const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Most dependencies of all components together: as many fill a manifest of 16 MiB.
pub const MAX_DEPENDENCIES: usize = 1_000_000;

/// A way of writing tasks down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `tasks.md` of GitHub's spec-kit, with `plan.md` and `spec.md`.
    Speckit,
    /// `tasks.json` of Task Master.
    Taskmaster,
    /// Checklists, and tables of files with what depends on what.
    Markdown,
}

impl Dialect {
    /// How it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Speckit => "speckit",
            Self::Taskmaster => "taskmaster",
            Self::Markdown => "markdown",
        }
    }
}

/// One file, read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// How it is called in messages: its path.
    pub name: &'a str,
    /// What is in it.
    pub text: &'a str,
}

/// What is to be imported, and how.
pub struct Order<'a> {
    /// The way in which the files are written.
    pub dialect: Dialect,
    /// The files, in the order in which they were named.
    pub sources: &'a [Source<'a>],
    /// Which tag of Task Master's; needed where a file has several.
    pub tag: Option<&'a str>,
    /// Whether tasks that are done become components too.
    pub with_done: bool,
    /// The write set of tasks that name no file.
    pub write_set: &'a [String],
    /// What the manifest has already.
    pub settled: document::Settled,
    /// The work directory, to make absolute paths relative.
    pub work_dir: Option<&'a str>,
    /// Whether there is something at a path of the work directory. Where nobody can tell, the answer is yes.
    pub exists: &'a dyn Fn(&str) -> bool,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// The components, in the order of the files.
    pub components: Vec<ComponentDef>,
    /// For every prompt.
    pub gotchas: Vec<Text>,
    /// The tests, where the files clearly say how they are run.
    pub test_command: Option<Check>,
    /// The linter, where the files clearly say how it is run.
    pub lint_command: Option<Check>,
    /// For SPEC.md.
    pub specification: Option<String>,
    /// What could not be taken over as it stood, in the order of the files.
    pub losses: Vec<Loss>,
}

/// Why nothing can be imported. Each names the file, and where it can the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Not text.
    #[error("`{file}`, line {line}: {why}")]
    NotText {
        /// The file.
        file: String,
        /// Where.
        line: usize,
        /// What is there instead.
        why: String,
    },
    /// Not JSON.
    #[error("`{file}`, line {line}: not JSON: {why}")]
    NotJson {
        /// The file.
        file: String,
        /// Where.
        line: usize,
        /// What the parser says.
        why: String,
    },
    /// JSON in JSON in JSON.
    #[error("`{file}`, line {line}: nested deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// The file.
        file: String,
        /// Where it becomes too deep.
        line: usize,
    },
    /// JSON, but not what Task Master writes.
    #[error("`{file}` is not a `tasks.json` of Task Master: {why}")]
    NotTaskmaster {
        /// The file.
        file: String,
        /// What is missing or wrong.
        why: String,
    },
    /// Which tag is meant must be said.
    #[error("`{file}` has {} tags: {}", .tags.len(), some(.tags))]
    SeveralTags {
        /// The file.
        file: String,
        /// Those it has.
        tags: Vec<String>,
    },
    /// The tag is not there.
    #[error("`{file}` has no tag `{}`; it has {}", visible(.tag), some(.tags))]
    NoSuchTag {
        /// The file.
        file: String,
        /// What was asked for.
        tag: String,
        /// Those it has.
        tags: Vec<String>,
    },
    /// Nothing in it is a task in this dialect.
    #[error("`{file}` has no task that could be read: {expected}")]
    NoTasks {
        /// The file.
        file: String,
        /// What a task looks like.
        expected: &'static str,
    },
    /// More than a manifest may have.
    #[error("there are {0} tasks to be done; a manifest has at most {MAX_COMPONENTS} components")]
    TooMany(usize),
    /// More than a manifest can hold.
    #[error(
        "the tasks have more than {MAX_DEPENDENCIES} dependencies, more than a manifest can hold; divide them into smaller files"
    )]
    TooDense,
}

/// Some of the tags, for a message.
fn some(tags: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text = tags.iter().take(SHOWN).map(|tag| format!("`{}`", visible(tag))).collect::<Vec<_>>().join(", ");
    if tags.len() > SHOWN {
        text.push_str(&format!(" and {} more", tags.len() - SHOWN));
    }
    text
}

/// The text in a file's bytes, without the mark of its byte order.
///
/// # Errors
/// It is not UTF-8.
pub fn decode(file: &str, bytes: Vec<u8>) -> Result<String, ImportError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let why = "the file is UTF-16; save it as UTF-8".to_owned();
        return Err(ImportError::NotText { file: file.to_owned(), line: 1, why });
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..at];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let byte = error.as_bytes().get(at).copied().unwrap_or_default();
            let why = format!("not UTF-8: byte {byte:#04x} at offset {at}; save the file as UTF-8");
            Err(ImportError::NotText { file: file.to_owned(), line, why })
        }
    }
}

/// Reads the files and makes components of their tasks.
///
/// # Errors
/// A file that is not of this dialect at all, or more of it than a manifest can hold. What is wrong within one is no error but
/// a loss.
pub fn import(order: &Order<'_>) -> Result<Imported, ImportError> {
    let mut draft = Draft::default();
    let mut losses = Losses::default();
    for (index, source) in order.sources.iter().enumerate() {
        match order.dialect {
            Dialect::Speckit => speckit::read(order, index, source, &mut draft, &mut losses)?,
            Dialect::Taskmaster => taskmaster::read(order, index, source, &mut draft, &mut losses)?,
            Dialect::Markdown => checklist::read(order, index, source, &mut draft, &mut losses)?,
        }
    }
    speckit::expect_tasks(order, &draft)?;
    let open = draft.tasks.iter().filter(|task| task.is_component()).count();
    if open > MAX_COMPONENTS {
        return Err(ImportError::TooMany(open));
    }
    draft.report_standing(&mut losses);
    let names = names::assign(&draft.tasks, &mut losses);
    files::settle(order, &mut draft.tasks, &names, &mut losses);
    let mut graph = order::build(&draft.tasks, &names, &mut losses)?;
    collide::serialise(&draft.tasks, &names, &mut graph, &mut losses);
    order::reduce(&mut graph);
    Ok(convert::components(draft, &names, &graph, losses))
}
