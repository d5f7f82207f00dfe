//! The records of a formalization on disk, and the drafts that they speak of.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::formalize::codec::{self, CodecError};
use crate::formalize::event::{Event, Record};
use crate::formalize::state::{Illegal, State};
use crate::fsx;
use crate::ids::AttemptId;
use crate::journal::{SpecPaths, new_history_dir};

/// The largest file of records that is read, in bytes: a thousand times what one has.
const LARGEST: u64 = 64 << 20;

/// Why the records could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system refused to give them.
    #[error("cannot read the records of the formalization: {0}")]
    Read(#[source] io::Error),
    /// The operating system refused to take them.
    #[error("cannot write the records of the formalization: {0}")]
    Write(#[source] io::Error),
    /// They are not what was written.
    #[error("`{}` is damaged: {error}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: CodecError,
    },
    /// They contradict each other.
    #[error("`{}` contradicts itself: {illegal}", path.display())]
    Illegal {
        /// The file.
        path: PathBuf,
        /// Why.
        illegal: Illegal,
    },
}

/// The records, open for writing; the spec's lock must be held.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    spec: String,
    records: Vec<Record>,
}

impl Log {
    /// The records of a spec and the state that they tell; none where nothing was formalized. Touches nothing.
    ///
    /// # Errors
    /// See [`LogError`].
    pub fn open(paths: &SpecPaths, spec: &str) -> Result<(Self, State), LogError> {
        let path = path(paths);
        let bytes = match fsx::read_regular(&path, LARGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            read => Some(read.map_err(LogError::Read)?),
        };
        let records = bytes.map_or_else(|| Ok(Vec::new()), |bytes| codec::decode(&bytes));
        let records = records.map_err(|error| LogError::Damaged { path: path.clone(), error })?;
        let mut state = State::default();
        let folded = records.iter().try_for_each(|record| state.take(record));
        folded.map_err(|illegal| LogError::Illegal { path: path.clone(), illegal })?;
        Ok((Self { path, spec: spec.to_owned(), records }, state))
    }

    /// Makes a record durable and hands it back.
    ///
    /// # Errors
    /// [`LogError::Write`]; what was there before is there still.
    pub fn append(&mut self, at: Timestamp, events: Vec<Event>) -> Result<&Record, LogError> {
        self.records.push(Record { at, events });
        let written = codec::encode(env!("CARGO_PKG_VERSION"), &self.spec, &self.records)
            .map_err(io::Error::other)
            .and_then(|bytes| fsx::write_atomic(&self.path, &bytes));
        match written {
            Ok(()) => Ok(&self.records[self.records.len() - 1]),
            Err(error) => {
                self.records.pop();
                Err(LogError::Write(error))
            }
        }
    }
}

fn path(paths: &SpecPaths) -> PathBuf {
    paths.formalize_state().join("journal.jsonl")
}

/// What the agent answered in an attempt, without secrets.
pub fn report_file(paths: &SpecPaths, attempt: &AttemptId) -> PathBuf {
    paths.formalize_state().join(format!("{}-{}.report.json", attempt.step, attempt.n))
}

/// The manifest that its draft makes.
pub fn manifest_file(paths: &SpecPaths, attempt: &AttemptId) -> PathBuf {
    paths.formalize_state().join(format!("{}-{}.manifest.json", attempt.step, attempt.n))
}

/// What is remembered of the files that the agent reads.
pub fn ground_file(paths: &SpecPaths) -> PathBuf {
    paths.formalize_state().join("ground")
}

/// Makes the directories.
///
/// # Errors
/// They cannot be made.
pub fn create(paths: &SpecPaths) -> io::Result<()> {
    fsx::create_dir_private(&paths.formalize_state())?;
    fsx::create_dir_private(&paths.formalize_runs())
}

/// Moves what was formalized before to `history/`; deletes nothing. Gives the directory; none where there was nothing.
/// The records go last: after a crash in between they are in force still.
///
/// # Errors
/// It cannot be moved.
pub fn set_aside(paths: &SpecPaths, now: Timestamp) -> io::Result<Option<PathBuf>> {
    if !path(paths).exists() && !paths.formalize_runs().exists() {
        return Ok(None);
    }
    let aside = new_history_dir(paths, now)?;
    for (from, name) in [(paths.formalize_runs(), "formalize-runs"), (paths.formalize_state(), "formalize")] {
        if from.exists() {
            fsx::rename(&from, &aside.join(name))?;
        }
    }
    Ok(Some(aside))
}
