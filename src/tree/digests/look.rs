//! Looking at files: what was read once is not read again while the file system says that it is the same file.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::snapshot::{Entry, Snapshot};
use super::walk::Scope;
use crate::ids::Digest;

/// Files of more bytes are told by what the file system says of them: 64 MiB.
pub const LARGEST: u64 = 64 << 20;

/// Two changes within this time can leave the same times behind: file systems take theirs from a clock that ticks.
const TICK: Duration = Duration::from_millis(20);

/// How git has a link.
pub(super) const LINK: u32 = 0o120_000;
/// How git has a directory.
const DIRECTORY: u32 = 0o040_000;

/// What files were when they were last looked at.
#[derive(Debug, Default)]
pub struct Look {
    known: HashMap<PathBuf, Known>,
    /// How many files were read so far.
    pub reads: u64,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    stamp: Stamp,
    /// Whether the file had stood still long enough that a further change would show.
    sure: bool,
    entry: Entry,
}

/// What the file system says of a file: the same as long as nobody wrote to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    mode: u32,
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(about: &std::fs::Metadata) -> Self {
        Self {
            place: (about.dev(), about.ino()),
            mode: about.mode(),
            size: about.size(),
            written: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        }
    }

    /// Whether the last change was made well before `now`.
    fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(now) = now.duration_since(SystemTime::UNIX_EPOCH) else { return false };
        let time = |(seconds, nanos): (i64, i64)| {
            let nanos = u32::try_from(nanos).unwrap_or(0);
            u64::try_from(seconds).map_or(Duration::ZERO, |seconds| Duration::new(seconds, nanos))
        };
        time(self.changed).max(time(self.written)) + TICK < now
    }
}

impl Look {
    /// The files of `scope` in `dir` as they are `now`. What is neither a file nor a link is none; what may not be read is
    /// told by what the file system says of it. A file that goes away meanwhile is not there.
    ///
    /// # Errors
    /// The disk's own, and more than [`super::MOST_FILES`] files.
    pub fn snapshot(&mut self, dir: &Path, scope: &Scope<'_>, now: SystemTime) -> io::Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        for path in scope.files(dir)? {
            if let Some(entry) = self.entry(dir, &path, now)? {
                snapshot.0.insert(path, entry);
            }
        }
        Ok(snapshot)
    }

    /// One file, relative to `dir`.
    fn entry(&mut self, dir: &Path, path: &Path, now: SystemTime) -> io::Result<Option<Entry>> {
        let whole = dir.join(path);
        let Some(about) = unless_gone(fs_err::symlink_metadata(&whole))? else {
            self.known.remove(path);
            return Ok(None);
        };
        let stamp = Stamp::of(&about);
        if let Some(known) = self.known.get(path)
            && known.sure
            && known.stamp == stamp
        {
            return Ok(Some(known.entry));
        }
        let Some((digest, mode)) = self.read(&whole, &about, &stamp)? else { return Ok(None) };
        let entry = Entry { digest, mode, size: stamp.size };
        self.known.insert(path.to_owned(), Known { stamp, sure: stamp.is_settled(now), entry });
        Ok(Some(entry))
    }

    fn read(&mut self, path: &Path, about: &std::fs::Metadata, stamp: &Stamp) -> io::Result<Option<(Digest, u32)>> {
        if about.is_symlink() {
            let target = unless_gone(fs_err::read_link(path))?;
            return Ok(target.map(|target| (Digest::of(target.as_os_str().as_bytes()), LINK)));
        }
        let told = || Digest::of(format!("{:?} {} {:?}", stamp.place, stamp.size, stamp.written).as_bytes());
        if about.is_dir() {
            // The walk names one only if it may not look into it.
            return Ok(Some((told(), DIRECTORY)));
        }
        if !about.is_file() {
            return Ok(None);
        }
        let mode = if stamp.mode & 0o111 == 0 { 0o100_644 } else { 0o100_755 };
        if stamp.size > LARGEST {
            return Ok(Some((told(), mode)));
        }
        self.reads += 1;
        match digest_of(path, stamp.size) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Some((told(), mode))),
            read => Ok(read?.map(|digest| (digest, mode))),
        }
    }
}

/// As [`Digest::of`] the contents, without holding all of them.
fn digest_of(path: &Path, size: u64) -> io::Result<Option<Digest>> {
    const AT_ONCE: usize = 64 * 1024;
    let Some(mut file) = unless_gone(fs_err::File::open(path))? else { return Ok(None) };
    let mut hash = Sha256::new();
    hash.update(size.to_le_bytes());
    let mut piece = vec![0; AT_ONCE.min(usize::try_from(size).unwrap_or(AT_ONCE).saturating_add(1))];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => hash.update(&piece[..read]),
        }
    }
    Ok(Some(Digest::from_sha256(hash)))
}

/// What is gone is not there; anything else that goes wrong is an error.
pub(super) fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}
