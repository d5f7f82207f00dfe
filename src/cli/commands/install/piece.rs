//! One file that is installed: what stands in its place, and what becomes of it.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::place::SPEC_COMMAND;
use super::stamp::{Origin, stamped};
use crate::fsx;

/// What is installed: each file below Claude Code's directory, and its text.
pub const PIECES: [(&str, &str); 2] = [
    (SPEC_COMMAND, include_str!("texts/spec.md")),
    ("skills/orchestration/SKILL.md", include_str!("texts/orchestration.md")),
];

/// What stands in a file's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Missing,
    /// A file with a text.
    Text(Origin),
    /// Something that cco neither replaces nor removes: a symbolic link, a directory, what is no text.
    Else(&'static str),
}

/// What is to be done with a file, or was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is new.
    Created,
    /// An earlier text of cco's, that nobody had changed, became this one.
    Updated,
    /// It is as it should be.
    Unchanged,
    /// What the user had changed was replaced, and is kept beside it.
    Replaced,
    /// It is the user's, and stays.
    Kept,
    /// It is gone.
    Removed,
    /// It was not there.
    Missing,
}

impl Outcome {
    /// For people, as done or as it would be done.
    pub fn word(self, done: bool) -> &'static str {
        match (self, done) {
            (Self::Created, true) => "created",
            (Self::Created, false) => "would be created",
            (Self::Updated, true) => "updated",
            (Self::Updated, false) => "would be updated",
            (Self::Replaced, true) => "replaced",
            (Self::Replaced, false) => "would be replaced",
            (Self::Removed, true) => "removed",
            (Self::Removed, false) => "would be removed",
            (Self::Unchanged, _) => "unchanged",
            (Self::Kept, _) => "kept",
            (Self::Missing, _) => "missing",
        }
    }
}

/// A file to be installed or removed.
pub struct Piece {
    /// Where.
    pub path: PathBuf,
    /// How deep it lies below Claude Code's directory, that one counted.
    depth: usize,
    /// What cco installs there, without the stamp.
    pub text: &'static str,
    /// What is there.
    pub standing: Standing,
}

impl Piece {
    /// Looks at the place of one of [`PIECES`].
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn look(dir: &Path, (below, text): (&str, &'static str)) -> io::Result<Self> {
        let path = dir.join(below);
        Ok(Self { standing: look(&path)?, depth: Path::new(below).components().count(), path, text })
    }

    /// What installing does to it. [`Outcome::Replaced`] needs the user's consent.
    pub fn install(&self) -> Outcome {
        match &self.standing {
            Standing::Missing => Outcome::Created,
            Standing::Text(there) if there.untouched && there.text == self.text => Outcome::Unchanged,
            Standing::Text(there) if there.untouched || there.text == self.text => Outcome::Updated,
            Standing::Text(_) | Standing::Else(_) => Outcome::Replaced,
        }
    }

    /// What uninstalling does to it.
    pub fn uninstall(&self) -> Outcome {
        match &self.standing {
            Standing::Missing => Outcome::Missing,
            Standing::Text(there) if there.untouched => Outcome::Removed,
            Standing::Text(_) | Standing::Else(_) => Outcome::Kept,
        }
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self) -> io::Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let made = make(dir)?;
        let before = match &self.standing {
            Standing::Text(there) => there.made,
            Standing::Missing | Standing::Else(_) => 0,
        };
        fsx::write_atomic(&self.path, stamped(self.text, made.max(before)).as_bytes())
    }

    /// Keeps what is there beside it, under the first number that is free. Not as `.md`: that would be a command too.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn keep(&self) -> io::Result<PathBuf> {
        let text = fsx::read_regular(&self.path, fsx::LARGEST_TEXT)?;
        let mut number = 1;
        loop {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".old-{number}"));
            let path = PathBuf::from(name);
            match fsx::write_new(&path, text.as_slice()) {
                Ok(_) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes the file, and the directories that cco made for it where nothing else is in them.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        fs_err::remove_file(&self.path)?;
        let made = match &self.standing {
            Standing::Text(there) => there.made.min(self.depth),
            Standing::Missing | Standing::Else(_) => 0,
        };
        for dir in self.path.ancestors().skip(1).take(made) {
            // One in which something is stays, with those above it.
            if fs_err::remove_dir(dir).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn look(path: &Path) -> io::Result<Standing> {
    let about = match fs_err::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Standing::Missing);
        }
        Err(error) => return Err(error),
    };
    if about.is_symlink() {
        return Ok(Standing::Else("a symbolic link"));
    }
    if !about.is_file() {
        return Ok(Standing::Else("not a regular file"));
    }
    match fsx::read_text(path) {
        Ok(text) => Ok(Standing::Text(Origin::of(&text))),
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            Ok(Standing::Else("not a text of at most 16 MiB"))
        }
        Err(error) => Err(error),
    }
}

/// Makes a directory and those above it, as the user's umask says: a project's are for others too. Returns how many.
fn make(dir: &Path) -> io::Result<usize> {
    if dir.is_dir() {
        return Ok(0);
    }
    let above = match dir.parent() {
        Some(above) => make(above)?,
        None => 0,
    };
    match fs_err::create_dir(dir) {
        Ok(()) => Ok(above + 1),
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(above),
        Err(error) => Err(error),
    }
}
