//! What can be saved of a damaged journal: its longest valid prefix, and how that takes the journal's place.
//!
//! What stands behind the damage may read well and still proves nothing: each checksum stands on the one before, and a
//! state is a fold without holes.

use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use fs_err::File;
use jiff::Timestamp;

use super::recover::{Damage, Replay, Scanner, Torn};
use super::{Journal, JournalError, SpecPaths, open_regular};
use crate::fsx;
use crate::lifecycle::event::{Author, Event, Record};

/// What can be saved of a journal.
#[derive(Debug)]
pub struct Salvage {
    from: PathBuf,
    /// How many records.
    pub records: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// A last line whose write was never completed, behind records that are whole to their end.
    pub torn: Option<Torn>,
    /// What is wrong with the line behind them; none when the journal is whole or only torn.
    pub damage: Option<Damage>,
}

/// What stands behind the damage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Untrusted {
    /// How many bytes.
    pub bytes: u64,
    /// How many lines, the damaged one counted, one that was never written to its end not.
    pub lines: u64,
    /// How many of them read as records.
    pub readable: u64,
}

/// The record by which a journal says that it was repaired.
#[derive(Debug)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Author,
    /// What, and what follows from it.
    pub events: Vec<Event>,
}

/// Finds the longest valid prefix of the journal at `path`, and gives each record of it to `fold`. Touches nothing.
///
/// # Errors
/// The file cannot be read, it is not damaged but written by a newer cco, or `fold` refuses a record.
pub fn salvage<E: From<JournalError>>(
    path: &Path,
    mut fold: impl FnMut(Record) -> Result<(), E>,
) -> Result<Salvage, E> {
    let mut scanner = Scanner::new(path, open_regular(path).map_err(JournalError::Read)?);
    let damage = loop {
        match scanner.next() {
            Ok(Some(record)) => fold(record)?,
            Ok(None) => break None,
            Err(JournalError::Damaged { damage, .. }) => break Some(damage),
            Err(error) => return Err(error.into()),
        }
    };
    let Replay { records, bytes, torn, .. } = scanner.replay;
    Ok(Salvage { from: path.to_owned(), records, bytes, torn, damage })
}

impl Salvage {
    /// The line behind the records that can be saved, counted from 1: the damaged one, where there is damage.
    pub fn line(&self) -> u64 {
        self.records + 1
    }

    /// Gives what reads as a record behind those that can be saved to `see`: to be told, not to be believed.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn untrusted(&self, mut see: impl FnMut(&Record)) -> Result<Untrusted, JournalError> {
        let mut file = File::open(&self.from).map_err(JournalError::Read)?;
        file.seek(SeekFrom::Start(self.bytes)).map_err(JournalError::Read)?;
        let mut reader = BufReader::new(file);
        let (mut found, mut line) = (Untrusted::default(), Vec::new());
        loop {
            line.clear();
            let bytes = reader.read_until(b'\n', &mut line).map_err(JournalError::Read)?;
            found.bytes += bytes as u64;
            if !line.ends_with(b"\n") {
                return Ok(found);
            }
            found.lines += 1;
            if let Ok(record) = serde_json::from_slice(&line) {
                found.readable += 1;
                see(&record);
            }
        }
    }

    /// Writes the records that can be saved to `to`, which must not exist. The journal stays as it is.
    ///
    /// After a crash `to` is there whole or not at all, after the return whole.
    ///
    /// # Errors
    /// The journal cannot be read, `to` cannot be written, or is there.
    pub fn write(&self, to: &Path) -> Result<(), JournalError> {
        let from = File::open(&self.from).map_err(JournalError::Read)?;
        fsx::write_new(to, from.take(self.bytes)).map(drop).map_err(JournalError::Write)
    }

    /// Whether the file at `path` is what [`Salvage::write`] would write.
    ///
    /// # Errors
    /// One of the two cannot be read.
    pub fn is_written(&self, path: &Path) -> io::Result<bool> {
        if fs_err::metadata(path)?.len() != self.bytes {
            return Ok(false);
        }
        let mut saved = BufReader::new(File::open(path)?).bytes();
        for byte in BufReader::new(File::open(&self.from)?.take(self.bytes)).bytes() {
            if saved.next().transpose()? != Some(byte?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts the records that were written to `saved`, and `note` behind them, in the place of the journal. That one is
    /// copied to the directory `aside`, and `others`, files of `runs/` and `inbox/`, are moved there. The spec's lock
    /// must be held.
    ///
    /// The journal is replaced last and by one rename: until then the damaged one is in force, and can be repaired
    /// again. It is never missing, which would be taken for a new beginning.
    ///
    /// # Errors
    /// Something of it cannot be written; nothing is lost.
    pub fn put_in_place(
        &self,
        paths: &SpecPaths,
        saved: &Path,
        aside: &Path,
        others: &[PathBuf],
        note: Note,
    ) -> Result<(), JournalError> {
        let damaged = File::open(&self.from).map_err(JournalError::Read)?;
        let name = self.from.file_name().unwrap_or("journal.jsonl".as_ref());
        fsx::write_new(&aside.join(name), damaged).map_err(JournalError::Write)?;
        set_apart(others, aside).map_err(JournalError::Write)?;
        let (mut journal, _) = Journal::open(saved, |_| Ok::<_, JournalError>(()))?;
        journal.stage(note.at, note.by, note.events);
        journal.commit()?;
        fsx::rename(saved, &paths.journal()).map_err(JournalError::Write)
    }
}

/// Moves files to directories below `aside` that are called as those they are in. After a crash each is at one place or
/// the other; after the return all are there.
fn set_apart(files: &[PathBuf], aside: &Path) -> io::Result<()> {
    let mut touched: Vec<PathBuf> = Vec::new();
    for file in files {
        let (Some(from), Some(name)) = (file.parent(), file.file_name()) else { continue };
        let to = aside.join(from.file_name().unwrap_or_default());
        if !touched.contains(&to) {
            fsx::create_dir_private(&to)?;
            touched.extend([to.clone(), from.to_owned()]);
        }
        fs_err::rename(file, to.join(name))?;
    }
    touched.iter().try_for_each(|dir| fsx::sync_dir(dir))
}
