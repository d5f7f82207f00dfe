//! Durable truth: the append-only record of a spec's runs.
//!
//! One JSON line a record, each with a checksum that is chained over the record before it. All that one turn of the
//! loop settles is staged and then committed with one write and one sync; a record is believed only after that. Reading
//! streams: memory follows the longest line, not the number of records.
//!
//! The invariant: a file that was cut anywhere reads as a valid prefix of what was written; a file that was changed
//! anywhere is refused. Nothing is ever silently different.

mod codec;
mod follow;
mod lock;
mod recover;
mod salvage;
mod store;

use std::io::{self, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::fsx;
use crate::lifecycle::event::{Author, Event, Record};
use codec::Chain;

pub use follow::Follower;
pub use lock::{Holder, LockError, LockState, RunLock, lock_state};
pub use recover::{Damage, Replay, Torn};
pub use salvage::{Note, Salvage, Untrusted, salvage};
pub use store::{SpecPaths, new_history_dir, set_aside};

/// Why a journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused to give it.
    #[error("cannot read the journal: {0}")]
    Read(#[source] io::Error),
    /// The operating system refused to take it: disk full, read-only, failing.
    #[error("cannot write the journal: {0}")]
    Write(#[source] io::Error),
    /// It is not what was written.
    #[error("`{}` is damaged in line {line}: {damage}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// A newer cco wrote it in a format of its own.
    #[error(
        "`{}` has format {found}, written by cco {cco}; this cco reads up to format {known}\nhelp: install cco {cco} or later",
        path.display()
    )]
    NewerFormat {
        /// The journal.
        path: PathBuf,
        /// The format in record 0.
        found: u32,
        /// The version of cco that wrote it.
        cco: String,
        /// The newest format that can be read.
        known: u32,
    },
    /// A newer cco wrote an event, or a part of one, that this one does not know.
    #[error(
        "line {line} of `{}` has an event `{event}` that this cco cannot read: {reason}\nhelp: a newer cco wrote it; install that one",
        path.display()
    )]
    UnknownEvent {
        /// The journal.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// The event's name.
        event: String,
        /// What the reader said.
        reason: String,
    },
    /// An earlier commit failed: what is on disk is not known, so nothing more is written to it.
    #[error("the journal takes nothing more since an earlier write to it failed")]
    Poisoned,
}

/// What the journal needs of its file. The one on disk is [`DiskFile`]; tests give one that fails.
pub trait JournalFile {
    /// Writes all of `bytes` at the end. After an error any prefix of them may be there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended survive a crash.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to `len` bytes.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Reads from the beginning.
    fn reader(&mut self) -> io::Result<impl Read>;
}

/// A journal file on disk.
#[derive(Debug)]
pub struct DiskFile(fs_err::File);

impl JournalFile for DiskFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()?;
        // What is durable in a file that nobody finds any more is lost all the same.
        let (ours, there) = (self.0.metadata()?, fs_err::symlink_metadata(self.0.path()));
        match there {
            Ok(there) if fsx::file_id(&there) == fsx::file_id(&ours) => Ok(()),
            Ok(_) => Err(gone(self.0.path())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(gone(self.0.path())),
            Err(error) => Err(error),
        }
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn reader(&mut self) -> io::Result<impl Read> {
        self.0.rewind()?;
        Ok(&mut self.0)
    }
}

fn gone(path: &Path) -> io::Error {
    let path = path.display();
    io::Error::new(io::ErrorKind::NotFound, format!("`{path}` was removed or replaced while it was written"))
}

/// A journal that is open for writing. Its spec's [`RunLock`] must be held.
#[derive(Debug)]
pub struct Journal<F: JournalFile = DiskFile> {
    file: F,
    /// How much of the file is known to be durable, in bytes.
    durable: u64,
    next_seq: u64,
    chain: Chain,
    /// The encoded form of `batch`, kept between turns for its capacity.
    staged: Vec<u8>,
    batch: Vec<Record>,
    poisoned: bool,
}

impl Journal {
    /// Opens the journal at `path`, or creates an empty one, and gives each record in it to `fold`.
    ///
    /// A torn last line is cut off and reported in the [`Replay`]. On damage anywhere else, and when `fold` refuses a
    /// record, nothing is changed. A new journal's first record must hold [`Event::JournalOpened`].
    pub fn open<E: From<JournalError>>(
        path: &Path,
        fold: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(Self, Replay), E> {
        let file = fsx::open_append(path).map_err(JournalError::Read)?;
        Self::over(DiskFile(file), path, fold)
    }
}

/// Gives each record of the journal at `path` to `fold`; a torn last line is left alone. Needs no lock: a run that
/// lives may append meanwhile, and what it has not finished writing counts as torn.
pub fn read<E: From<JournalError>>(path: &Path, fold: impl FnMut(Record) -> Result<(), E>) -> Result<Replay, E> {
    let file = open_regular(path).map_err(JournalError::Read)?;
    recover::scan(path, file, fold)
}

/// Opens what is a file: a pipe would be waited for.
fn open_regular(path: &Path) -> io::Result<fs_err::File> {
    if fs_err::metadata(path)?.is_file() {
        fs_err::File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` is not a regular file", path.display())))
    }
}

impl<F: JournalFile> Journal<F> {
    /// As [`Journal::open`] over any file; `path` only names it in errors.
    pub fn over<E: From<JournalError>>(
        mut file: F,
        path: &Path,
        fold: impl FnMut(Record) -> Result<(), E>,
    ) -> Result<(Self, Replay), E> {
        let replay = recover::scan(path, file.reader().map_err(JournalError::Read)?, fold)?;
        if replay.torn.is_some() {
            file.truncate(replay.bytes).and_then(|()| file.sync()).map_err(JournalError::Write)?;
        }
        let journal = Self {
            file,
            durable: replay.bytes,
            next_seq: replay.records,
            chain: replay.chain,
            staged: Vec::new(),
            batch: Vec::new(),
            poisoned: false,
        };
        Ok((journal, replay))
    }

    /// The number that the next staged record gets; 0 while the journal is empty.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Adds a record to the batch. It is not to be shown or acted on before [`commit`](Self::commit) succeeded.
    pub fn stage(&mut self, at: Timestamp, by: Author, events: Vec<Event>) -> &Record {
        let record = Record { seq: self.next_seq, at, by, events };
        self.chain = codec::encode(&record, self.chain, &mut self.staged);
        self.next_seq += 1;
        self.batch.push(record);
        self.batch.last().expect("just pushed")
    }

    /// Makes the batch durable with one write and one sync, and hands it back. An empty batch costs nothing.
    ///
    /// After an error the journal takes nothing more. What of the batch is in the file then is a valid prefix of it,
    /// with at most a torn line behind.
    pub fn commit(&mut self) -> Result<Vec<Record>, JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        if self.batch.is_empty() {
            return Ok(Vec::new());
        }
        if let Err(error) = self.file.append(&self.staged) {
            self.poisoned = true;
            return Err(JournalError::Write(error));
        }
        if let Err(error) = self.file.sync() {
            self.poisoned = true;
            // The system may go on to show bytes that never reach the disk, and a later sync may well succeed. Taken
            // back as far as it can be, so that the next run does not build on them.
            let _ = self.file.truncate(self.durable);
            return Err(JournalError::Write(error));
        }
        self.durable += self.staged.len() as u64;
        self.staged.clear();
        Ok(std::mem::take(&mut self.batch))
    }
}
