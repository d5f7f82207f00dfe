//! Context files in which the user wrote nothing: remembered, since a large plan has thousands of them, and reading them
//! all is most of what a run does that finds everything up to date.
//!
//! Nothing is believed but this: a file whose inode, size and times are those that it had when it was read holds the
//! same. The time of a file's last change (ctime) is set by the file system alone, from its own clock. A file is
//! remembered only if that time had passed on the same clock before it was read: every change after that gives it a
//! later one, also within the same tick of the clock.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::files;
use crate::fsx::{self, Draft};
use crate::ids::Digest;

/// What the file of this very version begins with: another one may cut cco's block elsewhere.
const HEAD: &str = concat!("blank contexts, cco ", env!("CARGO_PKG_VERSION"), "\n");

/// A file's state, as the file system tells it without reading. Times in nanoseconds of its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: i64,
    changed: i64,
}

impl Stamp {
    /// None for what is no regular file, or has times that nobody can mean.
    fn of(about: &Metadata) -> Option<Self> {
        let nanos = |seconds: i64, rest: i64| seconds.checked_mul(1_000_000_000)?.checked_add(rest);
        about.is_file().then_some(())?;
        Some(Self {
            inode: about.ino(),
            size: about.size(),
            modified: nanos(about.mtime(), about.mtime_nsec())?,
            changed: nanos(about.ctime(), about.ctime_nsec())?,
        })
    }
}

/// A moment on the clock of one file system.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    device: u64,
    nanos: i64,
}

impl Moment {
    /// When a file was last changed; none for what is no regular file.
    pub fn of(about: &Metadata) -> Option<Self> {
        Some(Self { device: about.dev(), nanos: Stamp::of(about)?.changed })
    }
}

/// Files of one file system that are known to hold nothing of the user's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blank {
    device: u64,
    stamps: BTreeSet<Stamp>,
}

impl Blank {
    /// What was remembered in `path`. Of a file that is missing, damaged or of another version: nothing.
    pub fn load(path: &Path) -> Self {
        let text = fsx::read_text(path).unwrap_or_default();
        Self::parse(&text).unwrap_or_default()
    }

    /// Whether the file that `about` describes (itself, not what it links to) is known to hold nothing of the user's.
    pub fn has(&self, about: &Metadata) -> bool {
        about.dev() == self.device && Stamp::of(about).is_some_and(|stamp| self.stamps.contains(&stamp))
    }

    /// Looks through the files of `dir`, of which those that are known already are not read. Files of another file
    /// system than `now`, and those that were changed at `now` or later, are left out.
    ///
    /// # Errors
    /// `dir` cannot be listed. A file that cannot be read is left out.
    pub fn look(&self, dir: &Path, now: Moment) -> io::Result<Self> {
        let mut seen = Self { device: now.device, stamps: BTreeSet::new() };
        for entry in fs_err::read_dir(dir)? {
            let entry = entry?;
            let Ok(about) = entry.metadata() else { continue };
            let Some(stamp) = Stamp::of(&about).filter(|stamp| stamp.changed < now.nanos) else { continue };
            if about.dev() == now.device
                && (self.has(&about) || files::read(&entry.path()).is_ok_and(|text| text.is_empty()))
            {
                seen.stamps.insert(stamp);
            }
        }
        Ok(seen)
    }

    fn parse(text: &str) -> Option<Self> {
        let (digest, body) = text.strip_prefix(HEAD)?.split_once('\n')?;
        if digest.parse() != Ok(Digest::of(body.as_bytes())) {
            return None;
        }
        let (device, lines) = body.split_once('\n')?;
        let stamps = lines.lines().map(|line| {
            let mut words = line.split(' ');
            let stamp = Stamp {
                inode: words.next()?.parse().ok()?,
                size: words.next()?.parse().ok()?,
                modified: words.next()?.parse().ok()?,
                changed: words.next()?.parse().ok()?,
            };
            words.next().is_none().then_some(stamp)
        });
        Some(Self { device: device.parse().ok()?, stamps: stamps.collect::<Option<_>>()? })
    }

    fn render(&self) -> String {
        let mut body = format!("{}\n", self.device);
        for Stamp { inode, size, modified, changed } in &self.stamps {
            let _ = writeln!(body, "{inode} {size} {modified} {changed}");
        }
        format!("{HEAD}{}\n{body}", Digest::of(body.as_bytes()))
    }
}

/// Looks through the files of `dir` and remembers in `path` those in which the user wrote nothing.
///
/// # Errors
/// `dir` cannot be listed, or `path` not be written: then what was remembered before is left, and is as true as it was.
pub fn remember(path: &Path, dir: &Path) -> io::Result<()> {
    let mut draft = Draft::begin(path)?;
    let Some(now) = Moment::of(&draft.about()?) else { return Ok(()) };
    let known = Blank::load(path);
    let seen = known.look(dir, now)?;
    if seen == known || (seen.stamps.is_empty() && known.stamps.is_empty()) {
        return Ok(());
    }
    draft.write(seen.render().as_bytes())?;
    draft.put_in_place()
}
