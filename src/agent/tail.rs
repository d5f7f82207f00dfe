//! Calls seen from outside: whoever watches a run of another process reads along in the streams of its calls.

use std::collections::HashMap;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use fs_err::File;
use jiff::Timestamp;

use super::{Live, LiveEvent, Stream};
use crate::fsx::{self, FileId};
use crate::ids::AttemptId;

/// How much is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// The streams of calls that run.
#[derive(Debug, Default)]
pub struct Tails(HashMap<AttemptId, Tail>);

#[derive(Debug)]
struct Tail {
    file: FileId,
    read: u64,
    stream: Stream,
}

impl Tails {
    /// Reads on in the streams of the calls that run now. Gives the last tool call of each, where it is new, with the
    /// time at which the stream was last written: a stream has no times of its own.
    pub fn poll(&mut self, running: &[(AttemptId, PathBuf)]) -> Vec<(Live, Timestamp)> {
        self.0.retain(|attempt, _| running.iter().any(|(on, _)| on == attempt));
        let mut seen = Vec::new();
        for (attempt, path) in running {
            match self.read(attempt, path) {
                Ok(Some((what, at))) => seen.push((Live { attempt: attempt.clone(), what }, at)),
                Ok(None) => {}
                // A picture lacks a line then.
                Err(error) => tracing::debug!("cannot read along in a stream: {error}"),
            }
        }
        seen
    }

    fn read(&mut self, attempt: &AttemptId, path: &Path) -> io::Result<Option<(LiveEvent, Timestamp)>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let about = file.metadata()?;
        let id = fsx::file_id(&about);
        let new = || Tail { file: id, read: 0, stream: Stream::new() };
        let tail = self.0.entry(attempt.clone()).or_insert_with(new);
        if tail.file != id || about.len() < tail.read {
            *tail = new();
        }
        file.seek(SeekFrom::Start(tail.read))?;
        let mut last = None;
        let mut chunk = vec![0; CHUNK.min(usize::try_from(about.len().saturating_sub(tail.read)).unwrap_or(CHUNK))];
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                break;
            }
            tail.read += read as u64;
            tail.stream.feed(&chunk[..read], &mut |what| {
                if matches!(what, LiveEvent::Tool { .. }) {
                    last = Some(what);
                }
            });
        }
        let at = Timestamp::try_from(about.modified()?).map_err(io::Error::other)?;
        Ok(last.map(|what| (what, at)))
    }
}
