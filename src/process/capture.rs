//! What a child writes: the output file, which is followed, and the tail of its errors.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::process::Stdio;

use rustix::fs::OFlags;

use super::{Output, SpawnError, Watcher, os};

/// How much of standard error is returned, in bytes.
const TAIL: u64 = 64 * 1024;
/// How much standard error may hold in memory before its head is given back, in bytes.
const HELD: u64 = 1024 * 1024;
/// How much is read between two chances for other tasks of the thread, in bytes.
const TURN: u64 = 1024 * 1024;

/// The files that a running child writes to.
pub(super) struct Capture {
    out: File,
    /// How far `out` has been read.
    read: u64,
    err: Option<File>,
    /// How much of `err` has been forgotten.
    forgotten: u64,
}

impl Capture {
    /// Makes the files. An output file that exists is emptied: attempts are never numbered twice, so it can only be
    /// one of which no record was written.
    pub(super) fn create(output: &Output) -> Result<Self, SpawnError> {
        let out = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .custom_flags(OFlags::TRUNC.bits().cast_signed())
            .mode(0o600)
            .open(&output.path)
            .map_err(|source| SpawnError::Output { path: output.path.clone(), source })?;
        let err = if output.both { None } else { Some(os::unnamed_file().map_err(SpawnError::Temporary)?) };
        Ok(Self { out, read: 0, err, forgotten: 0 })
    }

    /// The child's standard output and standard error.
    pub(super) fn stdio(&self) -> io::Result<(Stdio, Stdio)> {
        let err = self.err.as_ref().unwrap_or(&self.out);
        Ok((self.out.try_clone()?.into(), err.try_clone()?.into()))
    }

    /// Hands what is new to `watcher`; says whether there was anything. Costs one `fstat` when there was not.
    pub(super) async fn follow(&mut self, watcher: &mut impl Watcher) -> bool {
        self.forget_errors();
        let before = self.read;
        // A file that cannot be read any more (its disk is gone) looks like silence, which has its own limit.
        while self.out.metadata().is_ok_and(|data| data.len() > self.read) && self.turn(watcher) {
            tokio::task::yield_now().await;
        }
        self.read > before
    }

    /// Reads for one turn; says whether it got anything.
    fn turn(&mut self, watcher: &mut impl Watcher) -> bool {
        let mut chunk = [0; 32 * 1024];
        let begin = self.read;
        while self.read < begin + TURN {
            match self.out.read_at(&mut chunk, self.read) {
                Ok(0) => break,
                Ok(n) => {
                    watcher.bytes(&chunk[..n]);
                    self.read += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.read > begin
    }

    /// Gives back the memory of errors that are older than the tail.
    fn forget_errors(&mut self) {
        let Some(err) = &self.err else { return };
        let written = err.metadata().map_or(0, |data| data.len());
        if written > self.forgotten + HELD {
            self.forgotten = written - TAIL;
            os::forget_head(err, self.forgotten);
        }
    }

    /// The last bytes of standard error.
    pub(super) fn errors(&self) -> Vec<u8> {
        let Some(err) = &self.err else { return Vec::new() };
        let written = err.metadata().map_or(0, |data| data.len());
        if written == 0 {
            return Vec::new();
        }
        let mut tail = vec![0; written.min(TAIL) as usize];
        match err.read_exact_at(&mut tail, written.saturating_sub(TAIL)) {
            Ok(()) => tail,
            Err(_) => Vec::new(),
        }
    }
}
