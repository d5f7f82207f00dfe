//! The four documents of a brainstorm, in the spec's `brainstorm/`: what `/spec` saves and `cco formalize` reads.
//!
//! A document is replaced whole or not at all, and what stood there before is kept in `brainstorm/old/`.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::fsx;

/// The directory of the documents, in the spec's.
pub const DIR: &str = "brainstorm";
/// Where earlier versions are kept, in [`DIR`]: apart, so that nobody takes one for a document.
const OLD: &str = "old";
/// The most that a document may hold, in bytes: 1 MiB. All four go into one prompt.
pub const LARGEST: u64 = 1024 * 1024;

/// One of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Document {
    /// What is wanted, for whom, why, and how one can tell that it is done.
    Mission,
    /// What was found out, and where.
    Investigation,
    /// What was decided, why, and what was turned down.
    Decisions,
    /// What may go wrong, and what is done about it.
    Concerns,
}

impl Document {
    /// All of them, in the order in which they are read.
    pub const ALL: [Self; 4] = [Self::Mission, Self::Investigation, Self::Decisions, Self::Concerns];

    /// Its name: `MISSION`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mission => "MISSION",
            Self::Investigation => "INVESTIGATION",
            Self::Decisions => "DECISIONS",
            Self::Concerns => "CONCERNS",
        }
    }

    /// Its file: `MISSION.md`.
    pub fn file(self) -> String {
        format!("{}.md", self.name())
    }

    /// Its file in the spec directory `dir`.
    pub fn path(self, dir: &Path) -> PathBuf {
        dir.join(DIR).join(self.file())
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It stood there already.
    Unchanged,
    /// It stands there now.
    Saved {
        /// Where the earlier version is, if there was one.
        kept: Option<PathBuf>,
    },
}

/// Why a document cannot be saved or read. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BrainstormError {
    /// It says nothing.
    #[error("the text of {0} is empty")]
    Empty(Document),
    /// It is too large.
    #[error("the text of {document} has more than {LARGEST} bytes")]
    TooLarge {
        /// Which one.
        document: Document,
    },
    /// It is no text.
    #[error("the text of {document} is not UTF-8, from byte {at} on")]
    NotText {
        /// Which one.
        document: Document,
        /// How many bytes before it are.
        at: usize,
    },
    /// A symbolic link, a directory or the like stands in its place.
    #[error("`{}` is {what}", path.display())]
    InTheWay {
        /// Where.
        path: PathBuf,
        /// What stands there.
        what: &'static str,
    },
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Saves `text` as `document` of the spec in `dir`, whole or not at all, and keeps what stood there before.
///
/// # Errors
/// The text is none, or too long; or it cannot be written.
pub fn put(dir: &Path, document: Document, text: &[u8]) -> Result<Put, BrainstormError> {
    let text = checked(document, text)?;
    let (home, path) = (dir.join(DIR), document.path(dir));
    read(dir, document)?;
    fsx::create_dir_private(&home)?;
    // Of two at once the second keeps what the first has written.
    let alone = fs_err::File::open(&home)?;
    alone.file().lock()?;
    let old = read(dir, document)?;
    if old.as_deref() == Some(text.as_bytes()) {
        return Ok(Put::Unchanged);
    }
    let kept = match old {
        Some(old) => Some(keep(&home.join(OLD), document, &old)?),
        None => None,
    };
    fsx::write_atomic(&path, text.as_bytes())?;
    Ok(Put::Saved { kept })
}

/// The bytes of a `document` of the spec in `dir`; nothing where there is none.
///
/// # Errors
/// It cannot be read, or is no regular file: a link could lead anywhere, and writing would cut it.
pub fn read(dir: &Path, document: Document) -> Result<Option<Vec<u8>>, BrainstormError> {
    let (home, path) = (dir.join(DIR), document.path(dir));
    if !stands(&home, std::fs::FileType::is_dir, "not a directory")?
        || !stands(&path, std::fs::FileType::is_file, "not a regular file")?
    {
        return Ok(None);
    }
    Ok(Some(fsx::read_regular(&path, fsx::LARGEST_TEXT)?))
}

/// Whether something stands at `path`, which must be of the `right` kind itself.
fn stands(
    path: &Path,
    right: impl Fn(&std::fs::FileType) -> bool,
    wrong: &'static str,
) -> Result<bool, BrainstormError> {
    match fs_err::symlink_metadata(path) {
        Ok(about) if right(&about.file_type()) => Ok(true),
        Ok(about) => {
            let what = if about.is_symlink() { "a symbolic link" } else { wrong };
            Err(BrainstormError::InTheWay { path: path.to_owned(), what })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The text as it is saved: with a line end behind it.
fn checked(document: Document, bytes: &[u8]) -> Result<String, BrainstormError> {
    if bytes.len() as u64 > LARGEST {
        return Err(BrainstormError::TooLarge { document });
    }
    let text =
        std::str::from_utf8(bytes).map_err(|error| BrainstormError::NotText { document, at: error.valid_up_to() })?;
    if text.trim().is_empty() {
        return Err(BrainstormError::Empty(document));
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{text}{end}"))
}

/// Writes an earlier version under the first number that is free.
fn keep(dir: &Path, document: Document, old: &[u8]) -> Result<PathBuf, BrainstormError> {
    stands(dir, std::fs::FileType::is_dir, "not a directory")?;
    fsx::create_dir_private(dir)?;
    let mut number = 1;
    loop {
        let path = dir.join(format!("{document}-{number}.md"));
        match fsx::write_new(&path, old) {
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error.into()),
        }
    }
}
