//! What files there are, by their digests; and what differs between two such states.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ids::Digest;

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Of its contents; of a link, of where it leads.
    pub digest: Digest,
    /// As git has it: 0o100644, 0o100755, 0o120000 for a link.
    pub mode: u32,
    /// In bytes.
    pub size: u64,
}

/// Files by their paths, relative to the work directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot(pub BTreeMap<PathBuf, Entry>);

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where.
    pub path: PathBuf,
    /// The file before; none if it is new.
    pub old: Option<Entry>,
    /// The file after; none if it is gone.
    pub new: Option<Entry>,
}

impl Snapshot {
    /// What differs in `new`, by path.
    pub fn differences(&self, new: &Self) -> Vec<Difference> {
        let paths: BTreeSet<&PathBuf> = self.0.keys().chain(new.0.keys()).collect();
        let difference = |path: &PathBuf| {
            let (old, new) = (self.0.get(path).copied(), new.0.get(path).copied());
            (old != new).then(|| Difference { path: path.clone(), old, new })
        };
        paths.into_iter().filter_map(difference).collect()
    }

    /// As bytes from which it can be read again, the same for the same files: `MODE DIGEST SIZE PATH`, each ended by a 0.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (path, entry) in &self.0 {
            bytes.extend_from_slice(format!("{:o} {} {} ", entry.mode, entry.digest, entry.size).as_bytes());
            bytes.extend_from_slice(path.as_os_str().as_bytes());
            bytes.push(0);
        }
        bytes
    }

    /// Reads what [`Snapshot::to_bytes`] gave; none if it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let records = bytes.split(|byte| *byte == 0).filter(|record| !record.is_empty());
        records.map(record).collect::<Option<BTreeMap<_, _>>>().map(Self)
    }

    /// The digest of all of it.
    pub fn id(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }
}

fn record(record: &[u8]) -> Option<(PathBuf, Entry)> {
    const FIELDS: usize = 4;
    let mut fields = record.splitn(FIELDS, |byte| *byte == b' ');
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let mode = u32::from_str_radix(text()?, 8).ok()?;
    let digest = text()?.parse().ok()?;
    let size = text()?.parse().ok()?;
    let path = Path::new(OsStr::from_bytes(fields.next()?)).to_owned();
    Some((path, Entry { digest, mode, size }))
}
