//! Those who may only read, and checks: nothing that is anybody's work may change meanwhile.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::Common;
use crate::executor::job::Job;
use crate::executor::owners::Breach;
use crate::executor::untouched::named;
use crate::ids::AttemptId;
use crate::tamper;
use crate::tree::digests::{Difference, Snapshot, going_back};

/// How much is kept of what a reader sees, in bytes.
const TOTAL: u64 = 64 << 20;

/// What was there when somebody began who may only read.
#[derive(Debug)]
pub struct Reader {
    whole: Snapshot,
    /// Rounds of checks that were begun until then.
    checks: u64,
    /// Whether one of them was not over.
    checking: bool,
}

/// Sees what is there before a reader begins.
///
/// # Errors
/// The disk's own, and more files than are looked at.
pub fn begin_reading(common: &Common, checking: bool) -> io::Result<Reader> {
    let checks = common.checks_begun();
    let whole = common.whole()?;
    common.objects.keep_for_now(&common.dir, &whole.0, TOTAL)?;
    Ok(Reader { whole, checks, checking })
}

/// Makes what changed since what it was; gives what changed, in words, and what is worth recording. While checks run, only
/// files that a component owns are compared: what else changes is theirs. None where all is as it was.
///
/// # Errors
/// The disk's own: whether something changed cannot be told.
pub fn unless_it_meddled(
    job: &Job,
    common: &Common,
    attempt: &AttemptId,
    reader: &Reader,
) -> io::Result<Option<(String, Vec<String>)>> {
    let checked = reader.checking || common.checks_begun() != reader.checks;
    let now = common.whole()?;
    let counts = |it: &Difference| !checked || job.owners().anybody_owns(&it.path);
    let changed: Vec<Difference> = reader.whole.differences(&now).into_iter().filter(counts).collect();
    if changed.is_empty() {
        return Ok(None);
    }
    let kept = job.paths.runs().join(format!("{}.undone", attempt.file_stem()));
    for it in changed.iter().filter(|it| it.new.is_some()) {
        let (from, to) = (common.dir.join(&it.path), kept.join(&it.path));
        if let Some(parent) = to.parent() {
            fs_err::create_dir_all(parent)?;
        }
        if from.is_file() {
            fs_err::copy(from, to)?;
        }
    }
    let paths: BTreeSet<&PathBuf> = changed.iter().map(|it| &it.path).collect();
    let only = |snapshot: &Snapshot| {
        let files = snapshot.0.iter().filter(|(path, _)| paths.contains(path));
        Snapshot(files.map(|(path, entry)| (path.clone(), *entry)).collect())
    };
    let left = going_back(&common.dir, &common.objects, &only(&now), &only(&reader.whole))?;
    let mut notes = vec![format!("what was changed is kept below `{}`", kept.display())];
    if !left.is_empty() {
        let left = named(left.iter().map(|path| path.display().to_string()));
        notes.push(format!("{left} could not be put back, since what was there was not kept"));
    }
    Ok(Some((named(changed.iter().map(|it| it.path.display().to_string())), notes)))
}

/// Sees what is there before the first of some checks; none where that cannot be told.
pub fn begin_checks(common: &Common) -> Option<Snapshot> {
    common.checks.fetch_add(1, Ordering::SeqCst);
    common.whole().ok()
}

/// What checks changed is held against nobody who writes later. Gives what is worth recording: they changed somebody's
/// work.
pub fn end_checks(job: &Job, common: &Common, before: &Snapshot) -> Option<String> {
    let after = common.whole().ok()?;
    let differences = before.differences(&after);
    if differences.is_empty() {
        return None;
    }
    let mut standing = common.standing();
    if let Some(mut state) = standing.state.clone() {
        for it in &differences {
            let new = it.old.is_none();
            if new || !matters(job, &it.path) {
                let dir = if new { state.new_directory(&it.path) } else { None };
                state.products.insert(dir.unwrap_or_else(|| it.path.clone()));
            }
        }
        for it in &differences {
            match it.new {
                Some(entry) => drop(state.files.0.insert(it.path.clone(), entry)),
                None => drop(state.files.0.remove(&it.path)),
            }
        }
        if let Err(error) = standing.write(&state) {
            tracing::warn!("what checks changed cannot be written down: {error}");
        }
        standing.state = Some(state);
    }
    let worth = differences.iter().filter(|it| it.old.is_some() && matters(job, &it.path));
    let worth: Vec<String> = worth.map(|it| it.path.display().to_string()).collect();
    let worth = (!worth.is_empty()).then(|| named(worth.into_iter()))?;
    Some(format!("{worth} changed while checks ran; that was not undone, since all share the directory"))
}

/// Whether a file is somebody's work, or decides what checks say.
fn matters(job: &Job, path: &Path) -> bool {
    let text = path.to_string_lossy();
    job.owners().anybody_owns(path)
        || job.owners().breach_of_run(path) == Some(Breach::Protected)
        || tamper::is_looked_into(&text)
        || job.scripts.iter().any(|script| **script == *text)
}
