//! Undoing what must not be there, once it is kept: nothing that an agent wrote is lost.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::disk::OnDisk;
use super::git::Git;
use super::patch::DIFF;
use super::path::{below, is_within};
use super::status::{Changed, Entry, Kind, SUBMODULE, listed, set_entries};
use super::{TreeError, Worktree};
use crate::fsx;

/// What became of changes that were to be undone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// What was undone, by path: what was asked for, and what stood in the way of a file that had to come back.
    pub changes: Vec<Changed>,
    /// The patch that does it again (`git apply --binary`); none where a patch has nothing to say.
    pub patch: Option<PathBuf>,
    /// Repositories within the worktree, which no patch can hold: where each was, and where it was moved.
    pub aside: Vec<(PathBuf, PathBuf)>,
    /// What differs still: submodules at another commit, which are never touched, and files that git itself cannot
    /// check out as they were committed.
    pub left: Vec<Changed>,
}

/// What is to be done about each path.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Files of the last commit that come back.
    restored: Vec<Entry>,
    /// Files that go.
    removed: BTreeSet<Vec<u8>>,
    /// Repositories that go elsewhere.
    repositories: BTreeSet<Vec<u8>>,
}

impl Worktree {
    /// Undoes the uncommitted changes of `paths` (a directory stands for all in it): they are first kept as a patch in
    /// `patch_file`, or beside it under a further number if it exists, which is durable before anything changes. Then
    /// files are as in the last commit, and new ones are gone. What stands in the way of a file that comes back (a new
    /// file where its directory was, all in a directory where it was, ignored files too) is kept and goes with it;
    /// nothing else is touched.
    ///
    /// If this is cut short, the patch is whole, and another call does the rest, with a patch of its own.
    ///
    /// # Errors
    /// Git's own, [`TreeError::NotInside`], or that the patch cannot be written; then nothing was undone.
    pub fn undo(&self, paths: &[PathBuf], patch_file: &Path) -> Result<Undone, TreeError> {
        let paths = paths.iter().map(|path| self.prefix.top_path(path)).collect::<Result<Vec<_>, _>>()?;
        self.undo_those(&|path| paths.iter().any(|dir| is_within(path, dir)), patch_file)
    }

    fn undo_those(&self, chosen: &dyn Fn(&[u8]) -> bool, patch_file: &Path) -> Result<Undone, TreeError> {
        let _one = self.lock();
        self.undo_now(chosen, patch_file)
    }

    /// As [`Worktree::undo`]; the caller holds the lock.
    pub(super) fn undo_now(&self, chosen: &dyn Fn(&[u8]) -> bool, patch_file: &Path) -> Result<Undone, TreeError> {
        let git = self.own_index()?;
        let mut found = self.entries(&git)?;
        found.retain(|entry| chosen(&entry.path));
        let (untouchable, found): (Vec<_>, Vec<_>) = found.into_iter().partition(|entry| entry.kind == Kind::Submodule);
        let mut undone = Undone { left: self.shown(&untouchable), ..Undone::default() };
        if found.is_empty() {
            return Ok(undone);
        }
        let work = self.work(&found)?;
        undone.patch = self.keep_as_patch(&git, &work, patch_file)?;
        undone.aside = self.carry_out(&work, patch_file.file_stem().unwrap_or(OsStr::new("repository")))?;
        let differing: BTreeSet<_> = self.entries(&git)?.into_iter().map(|entry| entry.path).collect();
        let (left, gone): (Vec<_>, Vec<_>) = work.all().into_iter().partition(|entry| differing.contains(&entry.path));
        undone.changes = self.shown(&gone);
        undone.left.extend(self.shown(&left));
        undone.left.sort();
        Ok(undone)
    }

    /// Makes files and index what they were, once what they hold is kept. Gives the repositories that were moved: where
    /// each was, and where it is now, under the name `called`.
    pub(super) fn carry_out(&self, work: &Work, called: &OsStr) -> Result<Vec<(PathBuf, PathBuf)>, TreeError> {
        set_entries(&self.git, &self.root, work.restored.iter().map(|entry| (&entry.path[..], entry.old.as_ref())))?;
        set_entries(&self.git, &self.root, work.removed.iter().map(|path| (&path[..], None)))?;
        let mut aside = Vec::new();
        for path in &work.repositories {
            aside.push((self.prefix.relative(path), self.move_aside(path, called)?));
        }
        for path in &work.removed {
            self.remove(path)?;
        }
        self.check_out(&self.own_index()?, &work.restored)?;
        fs_err::create_dir_all(&self.dir)?;
        Ok(aside)
    }

    /// What has to be done for `found` to be undone.
    pub(super) fn work(&self, found: &[Entry]) -> Result<Work, TreeError> {
        let mut work = Work::default();
        for entry in found {
            match entry.kind {
                Kind::Added => drop(work.removed.insert(entry.path.clone())),
                Kind::Repository => drop(work.repositories.insert(entry.path.clone())),
                Kind::Modified | Kind::Deleted | Kind::TypeChanged => {
                    match self.look_at(&entry.path)? {
                        OnDisk::Free | OnDisk::Taken => {}
                        OnDisk::Blocked(path) => drop(work.removed.insert(path)),
                        // A submodule has to be a directory, with whatever is in it.
                        OnDisk::Directory { .. } if entry.is_submodule() => {}
                        OnDisk::Directory { files, repositories } => {
                            work.removed.extend(files);
                            work.repositories.extend(repositories);
                        }
                    }
                    work.restored.push(entry.clone());
                }
                Kind::Submodule => {}
            }
        }
        Ok(work)
    }

    /// Puts what will be undone, as it is on disk now, into the index that `git` has.
    pub(super) fn stage_work(&self, git: &Git, work: &Work) -> Result<(), TreeError> {
        let kept = work.removed.iter().filter(|path| self.is_kept_by_git(path)).map(Vec::as_slice);
        self.stage(git, &work.restored, kept)
    }

    /// Writes down what will be undone; no file where git sees no difference.
    fn keep_as_patch(&self, git: &Git, work: &Work, patch_file: &Path) -> Result<Option<PathBuf>, TreeError> {
        self.stage_work(git, work)?;
        let dir = patch_file.parent().unwrap_or(Path::new("."));
        fsx::create_dir_private(dir)?;
        let file = tempfile::Builder::new().prefix(".cco-").tempfile_in(dir)?;
        let mut output = OsString::from("--output=");
        output.push(file.path());
        let diff = DIFF.iter().copied().chain(["--binary", "--cached"]).map(OsStr::new);
        git.bytes(&self.root, &diff.chain([output.as_os_str(), "HEAD".as_ref()]).collect::<Vec<_>>(), &[])?;
        // Git may have put another file under that name.
        let written = fs_err::File::open(file.path())?;
        if written.metadata()?.len() == 0 {
            return Ok(None);
        }
        written.sync_all()?;
        put_beside(file.into_temp_path(), patch_file).map(Some)
    }

    /// Puts what is on disk now into the index that `git` has: for `entries`, and for files that are there.
    pub(super) fn stage<'p>(
        &self,
        git: &Git,
        entries: &'p [Entry],
        files: impl IntoIterator<Item = &'p [u8]>,
    ) -> Result<(), TreeError> {
        let (gone, there): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| entry.kind == Kind::Deleted);
        set_entries(git, &self.root, gone.iter().map(|entry| (&entry.path[..], None)))?;
        let there = there.iter().filter(|entry| entry.kind != Kind::Repository);
        let there = listed(there.map(|entry| entry.path.as_slice()).chain(files));
        if !there.is_empty() {
            git.bytes(&self.root, &["update-index", "-z", "--add", "--remove", "--replace", "--stdin"], &there)?;
        }
        Ok(())
    }

    /// Files and links are; pipes and sockets are not.
    fn is_kept_by_git(&self, path: &[u8]) -> bool {
        fs_err::symlink_metadata(below(&self.root, path)).is_ok_and(|about| about.is_file() || about.is_symlink())
    }

    /// Moves a repository to where no agent works: in the same file system, so that it is either here or there.
    fn move_aside(&self, path: &[u8], called: &OsStr) -> Result<PathBuf, TreeError> {
        let aside = self.source.worktrees.join(".aside");
        fsx::create_dir_private(&aside)?;
        let place = numbered(&aside, called, OsStr::new("")).find(|place| fs_err::symlink_metadata(place).is_err());
        let place = place.unwrap_or_else(|| aside.join(called));
        fsx::rename(&below(&self.root, path), &place)?;
        Ok(place)
    }

    /// Makes files what the index that `git` has says of them.
    pub(super) fn check_out(&self, git: &Git, entries: &[Entry]) -> Result<(), TreeError> {
        for entry in entries.iter().filter(|entry| !entry.is_submodule()) {
            let at = below(&self.root, &entry.path);
            // What is left there are directories of nothing, and pipes, which hold nothing either.
            if fs_err::symlink_metadata(&at).is_ok_and(|about| about.is_dir()) {
                fs_err::remove_dir_all(&at)?;
            }
        }
        // Git asks the attributes that are on disk how a file is to be written, and an agent may have changed them.
        let (attributes, files): (Vec<_>, Vec<_>) = entries.iter().partition(|entry| is_attributes(&entry.path));
        for batch in [attributes, files] {
            let paths = listed(batch.iter().map(|entry| entry.path.as_slice()));
            if !paths.is_empty() {
                git.bytes(&self.root, &["checkout-index", "-q", "-f", "-u", "-z", "--stdin"], &paths)?;
            }
        }
        Ok(())
    }
}

fn is_attributes(path: &[u8]) -> bool {
    path.rsplit(|byte| *byte == b'/').next() == Some(b".gitattributes")
}

impl Work {
    /// Every path that changes.
    fn all(&self) -> Vec<Entry> {
        let new = |path: &Vec<u8>, kind| Entry { path: path.clone(), kind, old: None };
        let removed = self.removed.iter().map(|path| new(path, Kind::Added));
        let repositories = self.repositories.iter().map(|path| new(path, Kind::Repository));
        self.restored.iter().cloned().chain(removed).chain(repositories).collect()
    }
}

impl Entry {
    fn is_submodule(&self) -> bool {
        self.old.as_ref().is_some_and(|old| old.mode == SUBMODULE)
    }
}

/// Gives a finished file its name, or the next one that is free; the name is durable from the return on.
fn put_beside(mut file: tempfile::TempPath, wanted: &Path) -> Result<PathBuf, TreeError> {
    let dir = wanted.parent().unwrap_or(Path::new("."));
    let (stem, end) = (wanted.file_stem().unwrap_or_default(), wanted.extension().unwrap_or_default());
    for place in numbered(dir, stem, end) {
        match file.persist_noclobber(&place) {
            Ok(()) => {
                fsx::sync_dir(dir)?;
                return Ok(place);
            }
            Err(failed) if failed.error.kind() == std::io::ErrorKind::AlreadyExists => file = failed.path,
            Err(failed) => return Err(failed.error.into()),
        }
    }
    Err(std::io::Error::from(std::io::ErrorKind::AlreadyExists).into())
}

/// `stem.end`, `stem-2.end`, `stem-3.end` and so on.
pub(super) fn numbered(dir: &Path, stem: &OsStr, end: &OsStr) -> impl Iterator<Item = PathBuf> {
    (1..u32::MAX).map(move |n| {
        let mut name = stem.to_owned();
        if n > 1 {
            name.push(format!("-{n}"));
        }
        if !end.is_empty() {
            name.push(".");
            name.push(end);
        }
        dir.join(name)
    })
}
