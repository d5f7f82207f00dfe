//! Tasks as a dialect's reader found them, before anything is made of them.

use super::loss::{Code, Losses, Place};
use crate::diagnostic::visible;
use crate::spec::manifest::ComponentComplexity;

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// In the order of the files.
    pub tasks: Vec<Task>,
    /// For every prompt.
    pub gotchas: Vec<String>,
    /// How the tests are run.
    pub test_command: Option<String>,
    /// How the linter is run.
    pub lint_command: Option<String>,
    /// Texts for SPEC.md.
    pub specification: Vec<String>,
}

/// One task.
#[derive(Debug, Default)]
pub(super) struct Task {
    /// Where it begins.
    pub place: Place,
    /// Its id as it is written, or one that was made for it.
    pub id: String,
    /// Whether the id was made, and of what.
    pub made_of: Option<&'static str>,
    /// What is to be done.
    pub purpose: String,
    /// What else is said about it, in paragraphs.
    pub notes: Vec<String>,
    /// What it writes.
    pub files: Vec<NamedFile>,
    /// What it says that it waits for.
    pub needs: Vec<Need>,
    /// Tasks that it waits for by the dialect's own order.
    pub after: Vec<usize>,
    /// How hard it is.
    pub complexity: Option<ComponentComplexity>,
    /// Whether it is to be done.
    pub standing: Standing,
    /// Whether it says of itself that it may run beside others.
    pub parallel: bool,
    /// Other names that references may use.
    pub aliases: Vec<String>,
    /// The tasks that stand for it; then it is no component itself.
    pub parts: Vec<usize>,
    /// The task that it is a part of, and waits for whatever that waits for.
    pub within: Option<usize>,
    /// Commands that must succeed for it to be done.
    pub checks: Vec<String>,
}

/// Whether a task is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    #[default]
    Open,
    Done,
    Cancelled,
}

/// A file that a task names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedFile {
    pub path: String,
    /// How it was found.
    pub found: Found,
}

/// How a file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// In a field or column of files.
    Stated,
    /// In prose, in the form that the dialect asks for.
    InForm,
    /// In prose, and it may be something else.
    Guessed,
    /// The user gave it for tasks without files.
    Fallback,
}

/// What a task says that it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub place: Place,
    /// As it is written.
    pub text: String,
}

impl Task {
    /// Whether it becomes a component.
    pub(super) fn is_component(&self) -> bool {
        self.standing == Standing::Open && self.parts.is_empty()
    }

    /// Whether its files were listed as such, so that they are all that it may write.
    pub(super) fn states_files(&self) -> bool {
        self.files.iter().all(|file| matches!(file.found, Found::Stated | Found::Fallback))
    }
}

impl Draft {
    /// Tells which tasks become no components.
    pub(super) fn report_standing(&self, losses: &mut Losses) {
        for task in &self.tasks {
            let id = visible(&task.id);
            match task.standing {
                Standing::Open => {}
                Standing::Done => losses.dropped(
                    Code::Done,
                    task.place,
                    format!("`{id}` is done"),
                    "left out, and nothing waits for it",
                ),
                Standing::Cancelled => losses.dropped(
                    Code::Cancelled,
                    task.place,
                    format!("`{id}` is cancelled"),
                    "left out, and nothing waits for it",
                ),
            }
        }
    }
}
