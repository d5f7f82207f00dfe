//! What the whole directory was when nobody wrote last, and what is held against whom. It outlives the run: what was
//! found and is still there is found again.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fsx;
use crate::ids::Subject;
use crate::tree::digests::{Entry, Snapshot};

/// The directory between steps.
#[derive(Debug)]
pub(super) struct Standing {
    file: PathBuf,
    /// Nothing is known yet, and what an earlier run left does not count.
    anew: bool,
    /// Whether the last run died while somebody wrote.
    died: bool,
    /// How many write now.
    pub(super) writing: usize,
    /// Who wrote since the directory was last looked at.
    pub(super) ran: BTreeSet<Subject>,
    /// Whether there are more files than are looked at.
    pub(super) blind: bool,
    pub(super) state: Option<State>,
}

/// What is known of the directory.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct State {
    /// Its files when nobody wrote last.
    pub(super) files: Snapshot,
    /// Files that somebody changed who does not own them.
    pub(super) charges: BTreeMap<PathBuf, Charge>,
    /// Files and directories that commands make beside their work.
    pub(super) products: BTreeSet<PathBuf>,
}

/// A change of a file by somebody who does not own it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Charge {
    /// Who wrote when it was changed; of several the one that ended last.
    pub(super) on: Subject,
    /// The file before; none if it was new.
    pub(super) old: Option<Entry>,
    /// The file when it was last looked at.
    pub(super) new: Option<Entry>,
    /// Who else wrote at the time.
    pub(super) others: Vec<Subject>,
}

/// As it is written, in the first line, before the files: paths are bytes, not texts.
#[derive(Serialize, Deserialize)]
struct Written {
    charges: Vec<(Vec<u8>, Charge)>,
    products: Vec<Vec<u8>>,
}

impl Standing {
    pub(super) fn new(file: PathBuf, anew: bool, in_flight: Vec<Subject>) -> Self {
        let died = !in_flight.is_empty();
        Self { file, anew, died, writing: 0, ran: in_flight.into_iter().collect(), blind: false, state: None }
    }

    /// Learns what the directory was, the first time that this is asked for; `now` gives what it is, and keeps it. What
    /// the user changed between two runs is held against nobody; what changed since a run died may be the work of those
    /// who ran.
    pub(super) fn learn(&mut self, now: impl FnOnce() -> io::Result<Snapshot>) -> io::Result<()> {
        if self.state.is_some() || self.blind {
            return Ok(());
        }
        let known = if self.anew { None } else { self.read()? };
        let state = match known {
            Some(known) if self.died => known,
            Some(mut known) => {
                known.files = now()?;
                known
            }
            None => State { files: now()?, ..State::default() },
        };
        self.write(&state)?;
        self.state = Some(state);
        Ok(())
    }

    pub(super) fn read(&self) -> io::Result<Option<State>> {
        let bytes = match fs_err::read(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let damaged = || io::Error::other(format!("`{}` is damaged\nhelp: remove it", self.file.display()));
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
        let written: Written = serde_json::from_slice(&bytes[..end]).map_err(|_| damaged())?;
        let path = |bytes: Vec<u8>| PathBuf::from(OsString::from_vec(bytes));
        Ok(Some(State {
            files: Snapshot::from_bytes(&bytes[end + 1..]).ok_or_else(damaged)?,
            charges: written.charges.into_iter().map(|(at, charge)| (path(at), charge)).collect(),
            products: written.products.into_iter().map(path).collect(),
        }))
    }

    /// Writes down what is known, durable. An empty directory of which nothing is held against anybody needs no file.
    pub(super) fn write(&self, state: &State) -> io::Result<()> {
        if *state == State::default() {
            return super::remove(&self.file);
        }
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        let written = Written {
            charges: state.charges.iter().map(|(path, charge)| (bytes(path), charge.clone())).collect(),
            products: state.products.iter().map(|path| bytes(path)).collect(),
        };
        let mut text = serde_json::to_vec(&written).map_err(io::Error::other)?;
        text.push(b'\n');
        text.extend(state.files.to_bytes());
        if let Some(dir) = self.file.parent() {
            fsx::create_dir_private(dir)?;
        }
        fsx::write_atomic(&self.file, &text)
    }
}

impl State {
    /// Whether a file is one that commands make beside their work.
    pub(super) fn is_product(&self, path: &Path) -> bool {
        path.ancestors().any(|above| self.products.contains(above))
    }

    /// The highest directory above `path` in which there was no file; none where each had one.
    pub(super) fn new_directory(&self, path: &Path) -> Option<PathBuf> {
        let holds_any = |dir: &Path| {
            let mut from = self.files.0.range::<Path, _>((std::ops::Bound::Excluded(dir), std::ops::Bound::Unbounded));
            from.next().is_some_and(|(next, _)| next.starts_with(dir))
        };
        let above = path.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty());
        above.take_while(|dir| !holds_any(dir)).last().map(Path::to_owned)
    }
}
