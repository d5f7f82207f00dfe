//! The records as JSON lines, as they stand in the journal but for the checksum.

use std::io::Write;

use super::sink::Sink;
use crate::lifecycle::event::Record;

/// Prints one record a line.
#[derive(Debug)]
pub struct Json<W> {
    sink: Sink<W>,
    line: Vec<u8>,
}

impl<W: Write> Json<W> {
    /// Prints to `out`.
    pub fn new(out: W) -> Self {
        Self { sink: Sink::new(out), line: Vec::new() }
    }

    /// Prints a record.
    pub fn on_record(&mut self, record: &Record) {
        self.line.clear();
        serde_json::to_writer(&mut self.line, record).expect("a record has text keys only and memory takes all bytes");
        self.line.push(b'\n');
        self.sink.write(&self.line);
    }
}
