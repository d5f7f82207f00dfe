//! One line per transition, for pipes and CI: the time, whom it is about, what happened.

use std::io::Write;

use jiff::Timestamp;

use super::sink::Sink;
use super::words::{Words, subject};
use crate::lifecycle::event::Record;

/// Prints `2026-11-22T15:04:05Z auth implement-1 started`: the first two words are for tools, the rest for people.
#[derive(Debug)]
pub struct Plain<W> {
    sink: Sink<W>,
    lines: Vec<u8>,
}

impl<W: Write> Plain<W> {
    /// Prints to `out`.
    pub fn new(out: W) -> Self {
        Self { sink: Sink::new(out), lines: Vec::new() }
    }

    /// Prints what a record says, with one write.
    pub fn on_record(&mut self, record: &Record) {
        self.lines.clear();
        // Whole seconds, which is all that a reader wants.
        let at = Timestamp::from_second(record.at.as_second()).unwrap_or(record.at);
        for event in &record.events {
            // Memory takes all bytes.
            let _ = writeln!(self.lines, "{at} {} {}", subject(event), Words(event));
        }
        self.sink.write(&self.lines);
    }
}
