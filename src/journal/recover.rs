//! What a journal's bytes are worth: records, a torn tail, or damage.
//!
//! A last line without its newline is *torn*: its write was never completed, so nothing was built on it. That includes
//! the zeros that some file systems leave behind after a power loss. A line that has its newline was written whole; if
//! its checksum does not fit, it is *damaged*, wherever it stands.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use super::JournalError;
use super::codec::{self, Chain, DecodeError};
use crate::lifecycle::event::{Event, FORMAT, Record};

/// How much is read at a time, in bytes.
const CHUNK: usize = 256 * 1024;

/// What a journal held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// How many records.
    pub records: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// What stood behind them.
    pub torn: Option<Torn>,
    pub(crate) chain: Chain,
}

/// A last line whose write was never completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// Counted from 1.
    pub line: u64,
    /// How long it is.
    pub bytes: u64,
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} was never written to its end ({} bytes); it was left out", self.line, self.bytes)
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It does not end as a record does.
    #[error("it does not end in a checksum")]
    Shape,
    /// Its bytes, or those of a line before it, are not those that were written.
    #[error("its checksum does not fit")]
    Checksum,
    /// The checksum fits but it is no record.
    #[error("it is no record: {0}")]
    Json(String),
    /// A record is missing or is there twice.
    #[error("it has number {found} where {expected} was due")]
    Sequence {
        /// The number that it has.
        found: u64,
        /// The number that follows from the line before it.
        expected: u64,
    },
    /// The first record is not the one that every journal begins with.
    #[error("it does not say which cco wrote this journal")]
    NoHeader,
}

/// Takes a journal apart, line by line. Memory follows the longest line.
pub(crate) struct Scanner<'p, R> {
    path: &'p Path,
    reader: BufReader<R>,
    line: Vec<u8>,
    /// What was found so far.
    pub(crate) replay: Replay,
}

impl<'p, R: Read> Scanner<'p, R> {
    /// At the beginning of the journal that `path` names in errors.
    pub(crate) fn new(path: &'p Path, reader: R) -> Self {
        Self::behind(path, reader, Replay::default())
    }

    /// Behind what `replay` tells of, where `reader` stands.
    pub(crate) fn behind(path: &'p Path, reader: R, replay: Replay) -> Self {
        Self { path, reader: BufReader::with_capacity(CHUNK, reader), line: Vec::new(), replay }
    }

    /// The next record; none at the end, of which `replay` says what it was.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, JournalError> {
        self.line.clear();
        let bytes = self.reader.read_until(b'\n', &mut self.line).map_err(JournalError::Read)? as u64;
        if bytes == 0 {
            return Ok(None);
        }
        let Some(text) = self.line.strip_suffix(b"\n") else {
            self.replay.torn = Some(Torn { line: self.replay.records + 1, bytes });
            return Ok(None);
        };
        if self.replay.records == 0 {
            self.check_format(text)?;
        }
        let (record, chain) =
            codec::decode(text, self.replay.records, self.replay.chain).map_err(|error| self.name(error))?;
        if self.replay.records == 0 && !matches!(record.events.first(), Some(Event::JournalOpened { .. })) {
            return Err(self.name(DecodeError::Damage(Damage::NoHeader)));
        }
        self.replay.records += 1;
        self.replay.bytes += bytes;
        self.replay.chain = chain;
        Ok(Some(record))
    }

    /// Refuses a newer format by name. Comes before the checksum, which may be another one there.
    fn check_format(&self, text: &[u8]) -> Result<(), JournalError> {
        match codec::header(text) {
            Some((found, cco)) if found > FORMAT => {
                Err(JournalError::NewerFormat { path: self.path.to_owned(), found, cco, known: FORMAT })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Says where it is.
    fn name(&self, error: DecodeError) -> JournalError {
        let (path, line) = (self.path.to_owned(), self.replay.records + 1);
        match error {
            DecodeError::Damage(damage) => JournalError::Damaged { path, line, damage },
            DecodeError::Unknown { event, reason } => JournalError::UnknownEvent { path, line, event, reason },
        }
    }
}

/// Reads all records from `reader` and gives each to `fold`; `path` names the journal in errors.
pub(crate) fn scan<E: From<JournalError>>(
    path: &Path,
    reader: impl Read,
    mut fold: impl FnMut(Record) -> Result<(), E>,
) -> Result<Replay, E> {
    let mut scanner = Scanner::new(path, reader);
    while let Some(record) = scanner.next()? {
        fold(record)?;
    }
    Ok(scanner.replay)
}
