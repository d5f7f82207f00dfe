//! `state/objects` keeps what files held before somebody changed them. What no record speaks of any more, and nothing that
//! is known of the directory, is removed from it at the beginning of a run.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};

use super::Common;
use super::standing::Standing;
use crate::fsx;
use crate::ids::Digest;
use crate::tree::digests::{KEPT_AS, Snapshot, Step};

/// Fewer contents than these are not worth a look at the journal.
const FEW: usize = 256;
/// How many contents the last pruning left.
const LEFT: &str = "left";
/// How the notes begin that say what a subject's files were when work on it began.
pub(super) const BASE: &str = "base-";

impl Common {
    /// Removes contents that nothing refers to, once they may be half of all: what the journal in `state`, and those that
    /// were set aside there, name in any record stays with all that belongs to it, and so does what is known of the
    /// directory. Nobody may be at work, nor have been when the last run died. Gives how many went.
    ///
    /// Whoever is killed in the middle leaves fewer of those that nobody needs.
    ///
    /// # Errors
    /// The disk's own: where it cannot be told what is needed, nothing is removed.
    pub fn prune(&self, state: &Path) -> io::Result<usize> {
        let all = self.objects.all()?;
        let left = fs_err::read_to_string(self.objects.beside(LEFT)).ok().and_then(|text| text.trim().parse().ok());
        if all.len() <= FEW.max(left.unwrap_or(0_usize).saturating_mul(2)) {
            return Ok(0);
        }
        let needed = self.needed(state)?;
        let unneeded: Vec<&Digest> = all.iter().filter(|digest| !needed.contains(*digest)).collect();
        for digest in &unneeded {
            self.objects.remove(digest)?;
        }
        fsx::write_whole(&self.objects.beside(LEFT), (all.len() - unneeded.len()).to_string().as_bytes())?;
        Ok(unneeded.len())
    }

    fn needed(&self, state: &Path) -> io::Result<BTreeSet<Digest>> {
        let mut needed = BTreeSet::new();
        for journal in journals(state)? {
            for digest in named_in(&journal)? {
                self.add(digest, &mut needed)?;
            }
        }
        for base in self.objects.notes(BASE)? {
            let digest = fs_err::read_to_string(base)?.trim().parse::<Digest>().map_err(io::Error::other)?;
            self.add(digest, &mut needed)?;
        }
        let standing = Standing::new(self.objects.beside("standing"), false, Vec::new());
        if let Some(known) = standing.read()? {
            needed.extend(known.files.0.values().map(|entry| entry.digest));
            let charged = known.charges.values().flat_map(|charge| [charge.old, charge.new]);
            needed.extend(charged.flatten().map(|entry| entry.digest));
        }
        Ok(needed)
    }

    /// Adds a step with its snapshots, or a snapshot, each with the contents of its files.
    fn add(&self, digest: Digest, needed: &mut BTreeSet<Digest>) -> io::Result<()> {
        if !needed.insert(digest) {
            return Ok(());
        }
        let Some(bytes) = self.objects.get(&digest)? else { return Ok(()) };
        if let Some(Step { base, before, after }) = Step::from_bytes(&bytes) {
            return [base, before, after].into_iter().try_for_each(|snapshot| self.add(snapshot, needed));
        }
        if let Some(snapshot) = Snapshot::from_bytes(&bytes) {
            needed.extend(snapshot.0.values().map(|entry| entry.digest));
        }
        Ok(())
    }
}

/// The journal, what a repair left beside it, and those that were set aside.
fn journals(state: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let history = match fs_err::read_dir(state.join("history")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        entries => entries?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?,
    };
    let dirs = history.into_iter().filter(|path| path.is_dir()).chain([state.to_owned()]);
    for dir in dirs {
        for entry in fs_err::read_dir(dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("journal") && entry.path().is_file() {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// All that a journal calls by a digest, wherever in a record that stands: one too many costs nothing.
fn named_in(journal: &Path) -> io::Result<BTreeSet<Digest>> {
    const DIGITS: usize = 32;
    let mut file = io::BufReader::new(fs_err::File::open(journal)?);
    let (mut line, mut named) = (Vec::new(), BTreeSet::new());
    while file.read_until(b'\n', &mut line)? > 0 {
        for at in memchr::memmem::find_iter(&line, KEPT_AS.as_bytes()) {
            let from = at + KEPT_AS.len();
            let text = line.get(from..from + DIGITS).and_then(|digits| std::str::from_utf8(digits).ok());
            named.extend(text.and_then(|text| text.parse::<Digest>().ok()));
        }
        line.clear();
    }
    Ok(named)
}
