//! One output file, read as it grows.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use fs_err::File;

use super::render;
use crate::text::terminal_safe;

/// How much is read at a time, in bytes.
const PIECE: u64 = 1 << 20;

/// How the bytes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Raw,
    /// As text, fit for a terminal.
    Text,
    /// As an agent's stream: what it said and did.
    Stream,
}

/// An output file and how far it was read. One that does not exist is empty: not every attempt got as far as that.
pub struct Source {
    path: PathBuf,
    form: Form,
    read: u64,
    /// The beginning of a line whose end has not come yet.
    pending: Vec<u8>,
}

impl Source {
    /// The file at `path`, from its beginning.
    pub fn new(path: PathBuf, form: Form) -> Self {
        Self { path, form, read: 0, pending: Vec::new() }
    }

    /// The next that there is to be shown; none when there is no more for now. With `ended`, a last line without its
    /// end counts too.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&mut self, ended: bool) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut piece = self.piece()?;
            let at_end = piece.is_empty();
            if self.form == Form::Raw {
                return Ok((!at_end).then_some(piece));
            }
            if !at_end {
                self.pending.append(&mut piece);
            } else if !ended || self.pending.is_empty() {
                return Ok(None);
            } else {
                self.pending.push(b'\n');
            }
            let Some(end) = self.pending.iter().rposition(|byte| *byte == b'\n') else { continue };
            let rest = self.pending.split_off(end + 1);
            let lines = std::mem::replace(&mut self.pending, rest);
            let shown = self.show(&lines);
            if !shown.is_empty() {
                return Ok(Some(shown.into_bytes()));
            }
        }
    }

    fn piece(&mut self) -> io::Result<Vec<u8>> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut piece = Vec::new();
        file.take(PIECE).read_to_end(&mut piece)?;
        self.read += piece.len() as u64;
        Ok(piece)
    }

    fn show(&self, lines: &[u8]) -> String {
        match self.form {
            Form::Raw | Form::Text => terminal_safe(&String::from_utf8_lossy(lines).replace("\r\n", "\n")).into_owned(),
            Form::Stream => lines.split(|byte| *byte == b'\n').map(render::line).collect(),
        }
    }
}
