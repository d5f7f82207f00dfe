//! A writing step in the directory that all share: what was before it, and what is made of what it left.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::standing::{Charge, Standing, State};
use super::{Common, now};
use crate::executor::change::{self, breached, issue};
use crate::executor::conclude::Kept;
use crate::executor::job::Job;
use crate::executor::owners::Breach;
use crate::executor::untouched::named;
use crate::executor::worker::Worked;
use crate::ids::{AttemptId, Digest, Step as StepName, Subject};
use crate::lifecycle::event::{Change, Issue};
use crate::lifecycle::report::{Claim, WriterReport};
use crate::lifecycle::subject::Origin;
use crate::tamper;
use crate::tree::digests::{Difference, Entry, KEPT, Snapshot, Step, going_back};
use crate::tree::{self, Bounds, Contents, Side, TreeError};

/// How much of files that are nobody's own is kept, in bytes: what the change checks look into at most.
const TOTAL: u64 = 64 << 20;

/// What was known when a writing step began.
#[derive(Debug)]
pub struct Began {
    /// The subject's own files.
    own: Snapshot,
    /// These when work on the subject began.
    base: Snapshot,
    since: SystemTime,
    seat: Seat,
}

/// Somebody who writes, until this is dropped.
#[derive(Debug)]
struct Seat {
    common: Arc<Common>,
    on: Subject,
    left: AtomicBool,
}

impl Seat {
    /// Takes a seat; the directory is looked at once before the first one writes.
    fn take(common: &Arc<Common>, on: &Subject) -> io::Result<Self> {
        let mut standing = common.standing();
        learn(common, &mut standing)?;
        standing.writing += 1;
        Ok(Self { common: common.clone(), on: on.clone(), left: AtomicBool::new(false) })
    }

    fn leave(&self, standing: &mut Standing) {
        if !self.left.swap(true, Ordering::SeqCst) {
            standing.writing -= 1;
            standing.ran.insert(self.on.clone());
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave(&mut self.common.standing());
    }
}

/// Whatever was kept before, is; a directory of too many files is not looked at as a whole.
fn learn(common: &Common, standing: &mut Standing) -> io::Result<()> {
    let now = || {
        let whole = common.whole()?;
        common.objects.keep_for_now(&common.dir, &whole.0, TOTAL)?;
        Ok(whole)
    };
    match standing.learn(now) {
        Err(error) if error.kind() == io::ErrorKind::Other => {
            tracing::warn!("{error}: what steps change beside their own files is not seen");
            standing.blind = true;
            Ok(())
        }
        learnt => learnt,
    }
}

/// Sees what is there before a step, once its files are where it is to begin; with what is worth recording.
///
/// # Errors
/// The disk's own: the step must not begin where nobody could say afterwards what it did.
pub fn begin(
    job: &Job,
    common: &Arc<Common>,
    attempt: &AttemptId,
    origin: Option<&Origin>,
    work: &Worked,
) -> io::Result<(Began, Vec<String>)> {
    let seat = Seat::take(common, &attempt.on)?;
    let since = now();
    let mut own = common.own(job, &attempt.on)?;
    let mut notes = Vec::new();
    if let Some(origin) = origin {
        notes.push(go_back(common, attempt, origin, &own)?);
        own = common.own(job, &attempt.on)?;
    }
    let tip = work.tip.as_deref().map(|tip| Step::get(&common.objects, tip)).transpose()?.flatten();
    let begins = tip.is_none() && work.untried;
    let (mut base, known) = match tip {
        Some(tip) => (common.objects.snapshot(&tip.base)?, common.objects.snapshot(&tip.after)?),
        None => (common.base(&attempt.on, begins.then_some(&own))?, Snapshot::default()),
    };
    add_given(job, common, &attempt.on, &mut base, &known);
    if begins {
        forget(common, &attempt.on)?;
    }
    // What is gone by the end must have been kept before.
    common.objects.keep(&common.dir, &own)?;
    Ok((Began { own, base, since, seat }, notes))
}

/// What a subject was given after its work began was not among its own files then; it was there, as far as was seen, before
/// anybody touched it. `known` is what the subject left last.
fn add_given(job: &Job, common: &Common, on: &Subject, base: &mut Snapshot, known: &Snapshot) {
    let standing = common.standing();
    let Some(state) = &standing.state else { return };
    for path in job.granted_to(on).into_iter().map(PathBuf::from) {
        if base.0.contains_key(&path) || known.0.contains_key(&path) {
            continue;
        }
        let then = state.charges.get(&path).map_or_else(|| state.files.0.get(&path).copied(), |charge| charge.old);
        if let Some(entry) = then {
            base.0.insert(path, entry);
        }
    }
}

/// Forgets what is held against a subject that begins anew: the user has taken it, or had it made again.
fn forget(common: &Common, on: &Subject) -> io::Result<()> {
    let mut standing = common.standing();
    let Some(mut state) = standing.state.clone().filter(|state| state.charges.values().any(|it| it.on == *on)) else {
        return Ok(());
    };
    state.charges.retain(|_, charge| charge.on != *on);
    standing.write(&state)?;
    standing.state = Some(state);
    Ok(())
}

/// Makes a subject's own files what they were; gives what is worth recording.
fn go_back(common: &Common, attempt: &AttemptId, origin: &Origin, own: &Snapshot) -> io::Result<String> {
    let (name, what) = match origin {
        Origin::At(name) => (name, "the best state so far"),
        Origin::Before(name) => (name, "before its implementation"),
    };
    let Some(step) = Step::get(&common.objects, name)? else {
        return Ok(format!("`{name}` is not of this directory: the step begins on its files as they are"));
    };
    let then = common.objects.snapshot(if matches!(origin, Origin::At(_)) { &step.after } else { &step.before })?;
    let kept = common.objects.put_snapshot(&common.dir, own)?;
    let kept = Step { base: step.base, before: kept, after: kept }.put(&common.objects, &attempt.to_string())?;
    let left = going_back(&common.dir, &common.objects, own, &then)?;
    let but = if left.is_empty() {
        String::new()
    } else {
        let left = named(left.iter().map(|path| path.display().to_string()));
        format!(", but for {left}, too large to be kept")
    };
    Ok(format!("its files were set back to {what}{but}; what was there is kept in `state/objects` as {kept}"))
}

/// What is made of a step's work: the change checks, and the name of what it left.
///
/// # Errors
/// The disk's own: what the step did cannot be told.
pub fn compare(
    job: &Job,
    common: &Arc<Common>,
    attempt: &AttemptId,
    report: &WriterReport,
    work: &Worked,
    began: Option<&Began>,
) -> Result<(Kept, Vec<String>), TreeError> {
    let tip = work.tip.as_deref().map(|tip| Step::get(&common.objects, tip)).transpose()?.flatten();
    let known;
    let (base, before) = match (began, &tip) {
        (Some(began), _) => (&began.base, &began.own),
        // The run died since it began.
        (None, tip) => {
            let base = tip.map_or_else(|| common.base(&attempt.on, None), |tip| common.objects.snapshot(&tip.base))?;
            let before = tip.map_or_else(|| Ok(base.clone()), |tip| common.objects.snapshot(&tip.after))?;
            known = (base, before);
            (&known.0, &known.1)
        }
    };
    let own = common.own(job, &attempt.on)?;
    let Still { charged, mut notes } = still(job, common, attempt, began)?;
    let changed = before != &own || (tip.is_none() && !charged.is_empty());
    let commit = if changed {
        let put = |snapshot: &Snapshot| common.objects.put_snapshot(&common.dir, snapshot);
        let step = Step { base: put(base)?, before: put(before)?, after: put(&own)? };
        Some(step.put(&common.objects, &attempt.to_string())?)
    } else {
        None
    };
    let mut findings: Vec<Issue> = Vec::new();
    let mut changes = changes(common, base.differences(&own).into_iter())?;
    let given = job.granted_within(&attempt.on);
    // What is its own by now is among its own changes.
    for (path, charge) in charged.iter().filter(|(path, _)| !given.iter().any(|given| Path::new(given) == path)) {
        match breach(job, &attempt.on, path) {
            Some(breach) => findings.push(charge_of(path, &breach, charge)),
            None => changes.extend(self::changes(common, std::iter::once(difference(path, charge)))?),
        }
    }
    if commit.is_none() && report.status == Claim::Done && !touched_anything(job, common, attempt, began) {
        findings.extend(change::claims_nothing(attempt, work));
    }
    let finished = report.status == Claim::Done && attempt.step != StepName::Skeleton;
    let (found, told) = change::tampering(job, attempt, changes, finished);
    findings.extend(found);
    notes.extend(told);
    let change = Some(Box::new(change_of(base, &own)));
    Ok((Kept { commit, findings, change }, notes))
}

fn change_of(base: &Snapshot, own: &Snapshot) -> Change {
    let name = |digest: Digest| Box::<str>::from(Step::name(digest));
    let differences = base.differences(own);
    let patch = (!differences.is_empty()).then(|| name(Digest::of(format!("{differences:?}").as_bytes())));
    Change { base: name(base.id()), tree: name(own.id()), patch }
}

/// Whether the step changed a file that is not its own and that it may change, as far as the times of files tell.
fn touched_anything(job: &Job, common: &Common, attempt: &AttemptId, began: Option<&Began>) -> bool {
    let Some(began) = began else { return false };
    let others = |path: &Path| job.index_of(&attempt.on).is_some_and(|at| job.owners().others_own(at, path));
    let touched = common.touched(began.since).unwrap_or_default();
    touched.iter().any(|path| breach(job, &attempt.on, path).is_none() && !others(path))
}

/// The directory when nobody writes any more.
struct Still {
    /// What is held against the subject.
    charged: Vec<(PathBuf, Charge)>,
    notes: Vec<String>,
}

/// Looks at the whole directory, if nobody else writes: whoever ends last answers for what is nobody's who wrote.
fn still(job: &Job, common: &Common, attempt: &AttemptId, began: Option<&Began>) -> io::Result<Still> {
    let mut standing = common.standing();
    match began {
        Some(began) => began.seat.leave(&mut standing),
        None => {
            standing.ran.insert(attempt.on.clone());
            learn(common, &mut standing)?;
        }
    }
    let mut notes = Vec::new();
    if standing.writing > 0 || standing.blind {
        return Ok(Still { charged: Vec::new(), notes });
    }
    let whole = common.whole()?;
    let ran = std::mem::take(&mut standing.ran);
    let Some(mut state) = standing.state.clone() else { return Ok(Still { charged: Vec::new(), notes }) };
    let differences = state.files.differences(&whole);
    let new: Vec<(&PathBuf, &Entry)> = differences.iter().filter_map(|it| Some((&it.path, it.new.as_ref()?))).collect();
    common.objects.keep_for_now(&common.dir, new, TOTAL)?;
    let mut made = BTreeSet::new();
    for it in &differences {
        let free = matches!(breach(job, &attempt.on, &it.path), None | Some(Breach::NotOwn));
        if ran.iter().any(|one| may_as_owner(job, one, &it.path)) || (free && state.is_product(&it.path)) {
            continue;
        }
        if free
            && it.old.is_none()
            && !tamper::is_looked_into(&it.path.to_string_lossy())
            && let Some(dir) = state.new_directory(&it.path)
        {
            made.insert(dir);
            continue;
        }
        let others = ran.iter().filter(|one| **one != attempt.on).cloned().collect();
        let charge = Charge { on: attempt.on.clone(), old: it.old, new: it.new, others };
        match state.charges.get_mut(&it.path) {
            Some(known) if known.on == attempt.on => known.new = it.new,
            Some(_) | None => drop(state.charges.insert(it.path.clone(), charge)),
        }
    }
    if !made.is_empty() {
        let dirs = named(made.iter().map(|dir| dir.display().to_string()));
        notes.push(format!("new directories with files that are no code: {dirs}; taken for what commands make"));
        state.products.extend(made);
    }
    state.files = whole;
    let State { files, charges, .. } = &mut state;
    charges.retain(|path, charge| files.0.get(path).copied() != charge.old);
    let charged = charges.iter().filter(|(_, charge)| charge.on == attempt.on);
    let charged = charged.map(|(path, charge)| (path.clone(), charge.clone())).collect();
    if standing.state.as_ref() != Some(&state) {
        standing.write(&state)?;
        standing.state = Some(state);
    }
    Ok(Still { charged, notes })
}

/// Whether a file is one's own, and not protected.
fn may_as_owner(job: &Job, on: &Subject, path: &Path) -> bool {
    let owns = match job.index_of(on) {
        Some(at) => job.owners().owns(at, path),
        None => job.owners().anybody_owns(path),
    };
    owns && breach(job, on, path).is_none()
}

fn breach(job: &Job, on: &Subject, path: &Path) -> Option<Breach> {
    match on {
        Subject::Component(id) => job.plan.index(id).and_then(|at| job.owners().breach(at, path)),
        Subject::Run => job.owners().breach_of_run(path),
    }
}

fn charge_of(path: &Path, why: &Breach, charge: &Charge) -> Issue {
    if charge.others.is_empty() {
        return breached(path, why, "it was not undone, since all share the directory");
    }
    let others = named(charge.others.iter().map(Subject::to_string));
    let text = format!(
        "`{}` changed while the step ran, together with {others}; none of them may change it, and nobody can tell which of \
         them did",
        path.display()
    );
    issue("write_set", Some(path), None, text, Some("make it what it was, whoever changed it"))
}

fn difference(path: &Path, charge: &Charge) -> Difference {
    Difference { path: path.to_owned(), old: charge.old, new: charge.new }
}

/// Changed files with what they held and hold, as far as the change checks look into them.
fn changes(common: &Common, differences: impl Iterator<Item = Difference>) -> io::Result<Vec<tree::Change>> {
    let mut total = Bounds::default().total;
    let mut side = |entry: Option<Entry>, path: &Path, is_new: bool| -> io::Result<Option<Side>> {
        let Some(entry) = entry else { return Ok(None) };
        let contents = if entry.size > total.min(KEPT) {
            None
        } else {
            total -= entry.size;
            match common.objects.contents(&entry)? {
                None if is_new => fs_err::read(common.dir.join(path)).ok(),
                kept => kept,
            }
        };
        let contents = contents.map_or(Contents::TooLarge(entry.size), Contents::Bytes);
        Ok(Some(Side { mode: entry.mode, id: entry.digest.to_string(), contents }))
    };
    let change = |it: Difference| {
        let (old, new) = (side(it.old, &it.path, false)?, side(it.new, &it.path, true)?);
        Ok(tree::Change { path: it.path, old, new })
    };
    differences.map(change).collect()
}
