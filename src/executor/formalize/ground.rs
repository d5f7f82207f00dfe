//! Where the code is read that a manifest is to be made for: in a git repository a worktree of its own, of the commit at
//! which a run would begin; else the work directory itself. Whatever changes there while it may only be read is undone.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::executor::untouched::named;
use crate::fsx;
use crate::journal::SpecPaths;
use crate::tree::digests::{Difference, Look, Objects, Scope, Snapshot, going_back};
use crate::tree::{Fingerprint, Git, Home, Place, Repository, TreeError, changed_between};

/// The name of the worktree.
const NAME: &str = "formalize";
/// How much is kept of what the agent sees, in bytes.
const TOTAL: u64 = 64 << 20;

/// Where the agent reads.
#[derive(Debug)]
pub struct Ground {
    place: Where,
    /// What files held is kept here.
    objects: Objects,
    /// What was there when the last call began.
    note: PathBuf,
    /// What files were when they were last looked at: what stood still since is not read again.
    look: Mutex<Look>,
    /// The worktree, once this process has made it and as long as nobody changed it.
    made: Mutex<Option<PathBuf>>,
}

#[derive(Debug)]
enum Where {
    /// The repository, and the commit to be read.
    Worktree(Box<Repository>, String),
    Directory(PathBuf),
}

/// What was there when a call began.
#[derive(Debug)]
pub struct Before {
    snapshot: Snapshot,
    checkout: Option<Fingerprint>,
}

/// What a call left behind that may only read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// What it changed where it reads, in words; it was undone.
    pub meddled: Option<String>,
    /// What is worth recording.
    pub notes: Vec<String>,
}

impl Ground {
    /// Finds it; `worktrees` is whether a worktree is wanted, absent as the directory allows.
    ///
    /// # Errors
    /// Git's own.
    pub fn open(
        git: Git,
        place: &Place,
        spec: &str,
        worktrees: Option<bool>,
        paths: &SpecPaths,
    ) -> Result<Self, TreeError> {
        let commit = place.base.clone().unwrap_or_else(|| "HEAD".to_owned());
        let shared = Home::is_shared(&place.work_dir, worktrees);
        let verify = ["rev-parse", "--verify", "--quiet", &format!("{commit}^{{commit}}")];
        // A repository without a commit has no files yet but those that are there.
        let found = if shared { None } else { git.ask(&place.work_dir, &verify)? };
        let place = match found {
            Some(commit) => Where::Worktree(Box::new(Repository::look(git, place, spec)?), commit),
            None => Where::Directory(place.work_dir.clone()),
        };
        let state = paths.formalize_state();
        let objects = Objects::new(state.join("objects"));
        Ok(Self {
            place,
            objects,
            note: super::log::ground_file(paths),
            look: Mutex::default(),
            made: Mutex::default(),
        })
    }

    /// Makes the place ready; the same directory on every call, since a conversation is bound to it.
    ///
    /// # Errors
    /// Git's own.
    pub fn ready(&self) -> Result<PathBuf, TreeError> {
        match &self.place {
            Where::Directory(dir) => Ok(dir.clone()),
            Where::Worktree(repository, commit) => {
                let mut made = self.made();
                if let Some(dir) = &*made {
                    return Ok(dir.clone());
                }
                let dir = repository.fresh(NAME, commit)?.dir;
                *made = Some(dir.clone());
                Ok(dir)
            }
        }
    }

    fn made(&self) -> MutexGuard<'_, Option<PathBuf>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is the user's own directory.
    pub fn is_users_own(&self) -> bool {
        matches!(self.place, Where::Directory(_))
    }

    /// Looks at what is there before a call.
    ///
    /// # Errors
    /// The disk's own, and more files than are looked at.
    pub fn look(&self, dir: &Path) -> io::Result<Before> {
        let snapshot = self.whole(dir)?;
        if self.is_users_own() {
            self.objects.keep_for_now(dir, &snapshot.0, TOTAL)?;
        }
        // For whoever finds a whole answer of a cco that was killed.
        fsx::write_atomic(&self.note, &snapshot.to_bytes())?;
        Ok(Before { snapshot, checkout: self.checkout() })
    }

    /// What was there when the call of a dead cco began, and where; none in the user's own directory, where nobody can
    /// tell by now whose changes these are.
    ///
    /// # Errors
    /// It cannot be told any more what was there: the note or the worktree is missing, or is not what was made.
    pub fn look_back(&self) -> io::Result<Option<(PathBuf, Before)>> {
        let Where::Worktree(repository, _) = &self.place else { return Ok(None) };
        let note = fs_err::read(&self.note)?;
        let snapshot = Snapshot::from_bytes(&note).filter(|_| !note.is_empty());
        let snapshot = snapshot.ok_or_else(|| io::Error::other("the note of what was there says nothing"))?;
        let dir = repository.fresh_dir(NAME).ok_or_else(|| io::Error::other("the worktree that it read is gone"))?;
        Ok(Some((dir, Before { snapshot, checkout: None })))
    }

    /// Puts right what a call changed; what it had changed is kept below `kept`.
    ///
    /// # Errors
    /// The disk's own: whether something changed cannot be told.
    pub fn put_right(&self, dir: &Path, before: &Before, kept: &Path) -> io::Result<Left> {
        let mut left = Left::default();
        let now = self.whole(dir)?;
        let changed = before.snapshot.differences(&now);
        if !changed.is_empty() {
            keep(dir, &changed, kept)?;
            left.notes.push(format!("what was changed is kept below `{}`", kept.display()));
            left.meddled = Some(named(changed.iter().map(|it| it.path.display().to_string())));
            // A worktree of cco's own is made anew before the next call.
            *self.made() = None;
            if self.is_users_own() {
                let paths: BTreeSet<&PathBuf> = changed.iter().map(|it| &it.path).collect();
                let only = |snapshot: &Snapshot| {
                    let files = snapshot.0.iter().filter(|(path, _)| paths.contains(path));
                    Snapshot(files.map(|(path, entry)| (path.clone(), *entry)).collect())
                };
                let stays = going_back(dir, &self.objects, &only(&now), &only(&before.snapshot))?;
                if !stays.is_empty() {
                    let stays = named(stays.iter().map(|path| path.display().to_string()));
                    left.notes.push(format!("{stays} could not be put back, since what was there was not kept"));
                }
            }
        }
        if let (Some(then), Some(now)) = (&before.checkout, self.checkout()) {
            let touched = changed_between(then, &now);
            if !touched.is_empty() {
                let touched = named(touched.iter().map(|path| path.display().to_string()));
                left.notes.push(format!("changed in your own checkout while it ran, and left as it is: {touched}"));
            }
        }
        Ok(left)
    }

    #[expect(clippy::disallowed_methods, reason = "the shell: how old a file's times are decides if they are trusted")]
    fn whole(&self, dir: &Path) -> io::Result<Snapshot> {
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        look.snapshot(dir, &Scope::whole(), SystemTime::now())
    }

    /// Takes it down.
    pub fn discard(&self) {
        if let Where::Worktree(repository, _) = &self.place
            && let Err(error) = repository.discard_fresh(NAME)
        {
            tracing::warn!("the worktree of the formalization stays: {error}");
        }
    }

    /// What the user's checkout is like; none where it is what is read, or cannot be told.
    fn checkout(&self) -> Option<Fingerprint> {
        let Where::Worktree(repository, _) = &self.place else { return None };
        let seen = repository.main_checkout();
        seen.map_err(|error| tracing::warn!("the user's checkout cannot be watched: {error}")).ok()
    }
}

fn keep(dir: &Path, changed: &[Difference], kept: &Path) -> io::Result<()> {
    for it in changed.iter().filter(|it| it.new.is_some()) {
        let (from, to) = (dir.join(&it.path), kept.join(&it.path));
        if let Some(parent) = to.parent() {
            fs_err::create_dir_all(parent)?;
        }
        if from.is_file() {
            fs_err::copy(from, to)?;
        }
    }
    Ok(())
}
