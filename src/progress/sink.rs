//! Where lines go. A display that fails falls silent with one warning; it never stops a run.

use std::io::Write;

/// A writer that is given up at its first error.
#[derive(Debug)]
pub(super) struct Sink<W> {
    out: Option<W>,
}

impl<W: Write> Sink<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out: Some(out) }
    }

    /// Writes whole lines and hands them on at once: somebody watches.
    pub(super) fn write(&mut self, lines: &[u8]) {
        let Some(out) = &mut self.out else { return };
        if let Err(error) = out.write_all(lines).and_then(|()| out.flush()) {
            tracing::warn!("progress is not shown any more: {error}");
            self.out = None;
        }
    }
}
