//! Task lists that other tools wrote, which `cco import` takes.

use super::Directory;

/// Names of task lists in Markdown, in lower case.
const MARKDOWN: [&str; 3] = ["plan.md", "tasks.md", "todo.md"];
/// Where Task Master keeps its tasks.
const TASK_MASTER: &str = ".taskmaster/tasks/tasks.json";

/// A task list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tasks {
    /// What wrote it.
    pub kind: TasksKind,
    /// The file, by its path in the work directory.
    pub path: String,
}

/// What wrote a task list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TasksKind {
    /// GitHub's spec-kit.
    SpecKit,
    /// Task Master.
    TaskMaster,
    /// A person, most likely.
    Markdown,
}

impl TasksKind {
    /// Its name for `cco import --from`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SpecKit => "speckit",
            Self::TaskMaster => "taskmaster",
            Self::Markdown => "markdown",
        }
    }
}

/// Whether a file with this path is a task list.
pub fn is_tasks_file(path: &str) -> bool {
    kind(path).is_some()
}

fn kind(path: &str) -> Option<TasksKind> {
    if path == TASK_MASTER {
        return Some(TasksKind::TaskMaster);
    }
    let spec_kit = |rest: &str| rest.strip_suffix("/tasks.md").is_some_and(|feature| !feature.contains('/'));
    if path.strip_prefix("specs/").is_some_and(spec_kit) {
        return Some(TasksKind::SpecKit);
    }
    MARKDOWN.contains(&path.to_lowercase().as_str()).then_some(TasksKind::Markdown)
}

/// The task lists of a directory. Features are numbered, so that the last one is what is being worked on.
pub(super) fn of(directory: &Directory) -> Vec<Tasks> {
    let named = directory.files.iter().rev().filter_map(|path| Some(Tasks { kind: kind(path)?, path: path.clone() }));
    // A path that a shell would take apart cannot be shown as a part of a command.
    let plain = |tasks: &Tasks| tasks.path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let mut found: Vec<Tasks> = named.filter(plain).collect();
    found.sort_by_key(|tasks| tasks.kind);
    found
}
