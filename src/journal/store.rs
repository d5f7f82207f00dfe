//! Where a spec keeps what: the layout of its directory.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::fsx;
use crate::ids::{AttemptId, ComponentId};

/// What each of cco's own directories carries, so that a spec kept in a repository commits none of it.
const GITIGNORE: &str = "*\n";

const STREAM: &str = "stream.jsonl";
const PROMPT: &str = "prompt.md";
const STDERR: &str = "stderr.log";
const LOG: &str = "log";
/// What an attempt can leave. A name that ends another one's comes behind it.
const KINDS: [&str; 4] = [STREAM, PROMPT, STDERR, LOG];

/// The paths of one spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecPaths {
    dir: PathBuf,
    state: PathBuf,
    runs: PathBuf,
}

impl SpecPaths {
    /// Those of the spec directory `dir`. Touches nothing.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        Self { state: dir.join("state"), runs: dir.join("runs"), dir }
    }

    /// Creates what a run needs: `state/` with its parts, `runs/` and `components/`, for their owner only, ignored by git.
    pub fn create(&self) -> io::Result<()> {
        for dir in [&self.inbox(), &self.objects(), &self.history(), &self.runs, &self.components()] {
            fsx::create_dir_private(dir)?;
        }
        for dir in [&self.state, &self.runs] {
            let ignore = dir.join(".gitignore");
            if !ignore.exists() {
                fsx::write_atomic(&ignore, GITIGNORE.as_bytes())?;
            }
        }
        Ok(())
    }

    /// The spec directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The execution config.
    pub fn manifest(&self) -> PathBuf {
        self.dir.join("manifest.json")
    }

    /// The human-readable spec.
    pub fn spec_md(&self) -> PathBuf {
        self.dir.join("SPEC.md")
    }

    /// The accumulated context.
    pub fn context_md(&self) -> PathBuf {
        self.dir.join("CONTEXT.md")
    }

    /// What `/spec` saves.
    pub fn brainstorm(&self) -> PathBuf {
        self.dir.join("brainstorm")
    }

    /// Where the context files of components are.
    pub fn components(&self) -> PathBuf {
        self.dir.join("components")
    }

    /// The context of one component, where the manifest names no other file.
    pub fn component_md(&self, id: &ComponentId) -> PathBuf {
        self.components().join(format!("{id}.md"))
    }

    /// What cco keeps between runs.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The record of all runs.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal.jsonl")
    }

    /// The lock that a run holds.
    pub fn lock(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// Which context files hold nothing of the user's; can be removed at any time.
    pub fn blank_contexts(&self) -> PathBuf {
        self.state.join("blank-contexts")
    }

    /// Answers that no run has taken up yet, a file each.
    pub fn inbox(&self) -> PathBuf {
        self.state.join("inbox")
    }

    /// Contents by digest.
    pub fn objects(&self) -> PathBuf {
        self.state.join("objects")
    }

    /// What `--fresh` and `cco repair` set aside.
    pub fn history(&self) -> PathBuf {
        self.state.join("history")
    }

    /// What `cco formalize` keeps: its records and drafts.
    pub fn formalize_state(&self) -> PathBuf {
        self.state.join("formalize")
    }

    /// What agents of `cco formalize` left: streams, prompts.
    pub fn formalize_runs(&self) -> PathBuf {
        self.runs.join("formalize")
    }

    /// What the steps left: streams, prompts, logs.
    pub fn runs(&self) -> &Path {
        &self.runs
    }

    /// The raw output of an agent.
    pub fn stream(&self, attempt: &AttemptId) -> PathBuf {
        self.artefact(attempt, STREAM)
    }

    /// What an agent was asked.
    pub fn prompt(&self, attempt: &AttemptId) -> PathBuf {
        self.artefact(attempt, PROMPT)
    }

    /// What an agent wrote to stderr.
    pub fn stderr(&self, attempt: &AttemptId) -> PathBuf {
        self.artefact(attempt, STDERR)
    }

    /// The whole output of a check command.
    pub fn log(&self, attempt: &AttemptId) -> PathBuf {
        self.artefact(attempt, LOG)
    }

    /// What attempts left in `runs/` that `known` does not hold, by [`AttemptId::file_stem`]: a new journal would take
    /// it for the work of its own attempts of the same name.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn artefacts_beyond(&self, known: &HashSet<String>) -> io::Result<Vec<PathBuf>> {
        let entries = match fs_err::read_dir(&self.runs) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut beyond = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            let stem = KINDS.iter().find_map(|kind| name.strip_suffix(kind)?.strip_suffix('.'));
            if stem.is_some_and(|stem| !known.contains(stem)) {
                beyond.push(self.runs.join(&*name));
            }
        }
        beyond.sort();
        Ok(beyond)
    }

    fn artefact(&self, attempt: &AttemptId, kind: &str) -> PathBuf {
        self.runs.join(format!("{}.{kind}", attempt.file_stem()))
    }
}

/// Moves what earlier runs left to a directory of its own under `history/`, and makes room for a new beginning. Deletes
/// nothing. Returns that directory; none when there was nothing to move. The spec's lock must be held.
///
/// The journal goes last: after a crash in between, the old state is still in force and the same call finishes the job.
/// The other order could leave old streams and answers for a new journal to mistake for its own.
pub fn set_aside(paths: &SpecPaths, now: Timestamp) -> io::Result<Option<PathBuf>> {
    if !paths.journal().exists() && !has_artefacts(paths.runs())? && !has_artefacts(&paths.inbox())? {
        return Ok(None);
    }
    let aside = new_history_dir(paths, now)?;
    for from in [paths.runs(), &paths.inbox(), &paths.journal()] {
        if let (true, Some(name)) = (from.exists(), from.file_name()) {
            fsx::rename(from, &aside.join(name))?;
        }
    }
    paths.create()?;
    Ok(Some(aside))
}

/// Whether there is a file in `dir` beside the `.gitignore`.
fn has_artefacts(dir: &Path) -> io::Result<bool> {
    let entries = match fs_err::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        if entry?.file_name() != ".gitignore" {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes a directory of its own below `history/`, named after `now`, with a number behind it when that one is taken.
///
/// # Errors
/// It cannot be made.
pub fn new_history_dir(paths: &SpecPaths, now: Timestamp) -> io::Result<PathBuf> {
    let history = paths.history();
    let stamp = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut dir = history.join(&stamp);
    let mut n = 1;
    while dir.exists() {
        n += 1;
        dir = history.join(format!("{stamp}-{n}"));
    }
    fsx::create_dir_private(&dir)?;
    Ok(dir)
}
