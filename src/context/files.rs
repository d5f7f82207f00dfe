//! The user's part of the components' context files.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use super::blank::Blank;
use super::marked;
use crate::fsx;
use crate::ids::ComponentId;

/// What the user wrote into the files of one directory.
#[derive(Debug, Default)]
pub struct ContextFiles {
    /// By the file's name without its ending; files that hold nothing of the user's are missing.
    texts: HashMap<String, io::Result<Vec<u8>>>,
    /// Files that had to be read to see that they hold nothing of the user's.
    unread: usize,
}

impl ContextFiles {
    /// Reads all `.md` files of `dir`, if there is one, but for those that are known to hold nothing of the user's:
    /// `remembered` is where that is remembered.
    ///
    /// # Errors
    /// The directory cannot be listed.
    pub fn read(dir: &Path, remembered: &Path) -> io::Result<Self> {
        let mut files = Self::default();
        let entries = match fs_err::read_dir(dir) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(files);
            }
            entries => entries?,
        };
        let blank = Blank::load(remembered);
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".md")) else { continue };
            // Of the entry itself: a link says nothing about what it leads to.
            if entry.metadata().is_ok_and(|about| blank.has(&about)) {
                continue;
            }
            match read(&entry.path()) {
                Ok(text) if text.is_empty() => files.unread += 1,
                text => drop(files.texts.insert(name.to_owned(), text)),
            }
        }
        Ok(files)
    }

    /// Takes out the user's part of a component's file, without blanks around it; none where there is none.
    ///
    /// # Errors
    /// The file is there and cannot be read. That of other files is nobody's trouble.
    pub fn take(&mut self, id: &ComponentId) -> io::Result<Option<Vec<u8>>> {
        self.texts.remove(id.as_str()).transpose()
    }

    /// How many files had to be read to see that they hold nothing of the user's.
    pub fn unread(&self) -> usize {
        self.unread
    }
}

/// The user's part of a file, without blanks around it.
///
/// # Errors
/// The file cannot be read, or is too large for a text.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let text = fsx::read_regular(path, fsx::LARGEST_TEXT)?;
    Ok(marked::outside(&text).trim_ascii().to_vec())
}
