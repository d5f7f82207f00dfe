//! Answers that arrive while a run lives, or waited for it: files dropped by rename into `state/inbox/`.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fsx;
use crate::lifecycle::event::Answer;

/// One letter: an answer, and who wrote it when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The login name.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The answer.
    pub answer: Answer,
}

/// Puts a letter into the inbox: it is there whole or not at all, and survives a crash.
///
/// # Errors
/// The file cannot be written.
pub fn post(inbox: &Path, letter: &Letter) -> std::io::Result<()> {
    fsx::create_dir_private(inbox)?;
    let name = format!("{}-{}.json", letter.at.as_microsecond(), letter.answer.id);
    let text = serde_json::to_vec_pretty(letter).map_err(std::io::Error::other)?;
    fsx::write_atomic(&inbox.join(name), &text)
}

/// Letters as they lie in the inbox, oldest first. What is no letter is left there and told once.
#[derive(Debug)]
pub struct Inbox {
    dir: PathBuf,
    seen: Option<SystemTime>,
    strange: Vec<PathBuf>,
}

impl Inbox {
    /// The inbox of a spec.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, seen: None, strange: Vec::new() }
    }

    /// The letters, if anything changed since the last look: one `stat` where nothing did.
    pub fn look(&mut self) -> Vec<(PathBuf, Letter)> {
        let changed = fs_err::metadata(&self.dir).and_then(|meta| meta.modified()).ok();
        if changed.is_none() || changed == self.seen {
            return Vec::new();
        }
        self.seen = changed;
        let Ok(entries) = fs_err::read_dir(&self.dir) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ext| ext == "json"));
        paths.sort();
        paths.into_iter().filter_map(|path| self.read(path)).collect()
    }

    fn read(&mut self, path: PathBuf) -> Option<(PathBuf, Letter)> {
        let letter = fsx::read_regular(&path, fsx::LARGEST_TEXT).map_err(|error| error.to_string());
        match letter.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string())) {
            Ok(letter) => Some((path, letter)),
            Err(error) => {
                if !self.strange.contains(&path) {
                    tracing::warn!("`{}` is no answer: {error}", path.display());
                    self.strange.push(path);
                }
                None
            }
        }
    }
}

/// Takes a letter away once its answer is recorded (or refused). One that stays is refused the next time, since its
/// question is not open any more.
pub fn discard(path: &Path) {
    if let Err(error) = fs_err::remove_file(path) {
        tracing::warn!("cannot take an answer out of the inbox: {error}");
    }
}
