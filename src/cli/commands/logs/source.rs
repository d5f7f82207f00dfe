//! One output file, read as it grows.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use fs_err::File;

use super::render;
use crate::redact::{Redacting, Redactor};
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
pub struct Source<'a> {
    path: PathBuf,
    form: Form,
    redactor: &'a Redactor,
    /// What of raw bytes is not known yet to be no secret.
    raw: Redacting<'a>,
    read: u64,
    /// The beginning of a line whose end has not come yet.
    pending: Vec<u8>,
}

impl<'a> Source<'a> {
    /// The file at `path`, from its beginning.
    pub fn new(path: PathBuf, form: Form, redactor: &'a Redactor) -> Self {
        Self { path, form, redactor, raw: Redacting::new(redactor), read: 0, pending: Vec::new() }
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
                let shown = match (at_end, ended) {
                    (false, _) => self.raw.push(piece),
                    (true, true) => self.raw.finish(),
                    (true, false) => Vec::new(),
                };
                if at_end || !shown.is_empty() {
                    return Ok((!shown.is_empty()).then_some(shown));
                }
                continue;
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
            Form::Raw | Form::Text => {
                let text = String::from_utf8_lossy(lines).replace("\r\n", "\n");
                terminal_safe(&self.redactor.text(&text)).into_owned()
            }
            Form::Stream => lines.split(|byte| *byte == b'\n').map(|line| render::line(line, self.redactor)).collect(),
        }
    }
}
