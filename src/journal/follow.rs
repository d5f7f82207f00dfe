//! Reading along while another process writes.

use std::io::{Seek as _, SeekFrom};
use std::path::PathBuf;

use fs_err::File;

use super::JournalError;
use super::recover::{Replay, Scanner};
use crate::fsx::{self, FileId};
use crate::lifecycle::event::Record;

/// Gives the records of a journal as they come. Needs no lock: a record that is not wholly written yet comes the next
/// time.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    file: Option<FileId>,
    seen: Replay,
}

impl Follower {
    /// From the beginning of the journal at `path`, which need not exist yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, seen: Replay::default() }
    }

    /// Gives each record that is new to `see`. A journal that took the place of the one before is read from its
    /// beginning: its first record, which opens it, tells that all the others are forgotten.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn poll(&mut self, mut see: impl FnMut(&Record)) -> Result<(), JournalError> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(JournalError::Read)?,
        };
        let about = file.metadata().map_err(JournalError::Read)?;
        let id = fsx::file_id(&about);
        // A shorter one is another, or what could not be made durable was taken back.
        if self.file.replace(id) != Some(id) || about.len() < self.seen.bytes {
            self.seen = Replay::default();
        }
        file.seek(SeekFrom::Start(self.seen.bytes)).map_err(JournalError::Read)?;
        let mut scanner = Scanner::behind(&self.path, file, std::mem::take(&mut self.seen));
        let end = loop {
            match scanner.next() {
                Ok(Some(record)) => see(&record),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.seen = Replay { torn: None, ..scanner.replay };
        end
    }
}
