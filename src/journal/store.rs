//! Where a spec keeps what: the layout of its directory.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::fsx;
use crate::ids::{AttemptId, ComponentId};

/// What each of cco's own directories carries, so that a spec kept in a repository commits none of it.
const GITIGNORE: &str = "*\n";

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

    /// What `--fresh` set aside.
    pub fn history(&self) -> PathBuf {
        self.state.join("history")
    }

    /// What the steps left: streams, prompts, logs.
    pub fn runs(&self) -> &Path {
        &self.runs
    }

    /// The raw output of an agent.
    pub fn stream(&self, attempt: &AttemptId) -> PathBuf {
        self.artefact(attempt, "stream.jsonl")
    }

    /// What an agent was asked.
    pub fn prompt(&self, attempt: &AttemptId) -> PathBuf {
        self.artefact(attempt, "prompt.md")
    }

    /// What an agent wrote to stderr.
    pub fn stderr(&self, attempt: &AttemptId) -> PathBuf {
        self.artefact(attempt, "stderr.log")
    }

    /// The whole output of a check command.
    pub fn log(&self, attempt: &AttemptId) -> PathBuf {
        self.artefact(attempt, "log")
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
    let aside = new_history_dir(&paths.history(), now)?;
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

/// A directory named after `now`, with a number behind it when that one is taken.
fn new_history_dir(history: &Path, now: Timestamp) -> io::Result<PathBuf> {
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
