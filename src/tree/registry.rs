//! Which worktrees of a spec the repository knows. Read once; from then on only this program makes or removes any, so
//! that the cost of one does not depend on how many there are.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::TreeError;
use super::fresh::remove_all;
use super::source::resolved;
use super::status::remove_if_there;

/// The worktrees by name: where they are, below the directory that holds those of the spec.
#[derive(Debug)]
pub(super) struct Registry {
    /// Where the repository keeps what belongs to each.
    git_dirs: Mutex<BTreeMap<PathBuf, PathBuf>>,
    /// One for each, however often it is opened.
    locks: Mutex<BTreeMap<PathBuf, Arc<Mutex<()>>>>,
    /// Git looks at all worktrees when it makes one, and does not bear it when others come and go meanwhile.
    pub(super) changing: Mutex<()>,
    /// The directory that holds them, and where the repository keeps what belongs to them, both without links.
    worktrees: PathBuf,
    kept_in: PathBuf,
}

impl Registry {
    /// Reads what the repository knows.
    pub(super) fn read(common: &Path, worktrees: &Path) -> Result<Self, TreeError> {
        let (worktrees, kept_in) = (resolved(worktrees), resolved(&common.join("worktrees")));
        let mut git_dirs = BTreeMap::new();
        let entries = match fs_err::read_dir(&kept_in) {
            Ok(entries) => entries.collect::<Result<Vec<_>, _>>()?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let git_dir = entry.path();
            // One that is being made, or was left half made, does not say yet where it is.
            let Some(link) = read_path(&git_dir.join("gitdir"), b"") else { continue };
            let root = git_dir.join(link).parent().map(resolved);
            if let Some(name) = root.as_ref().and_then(|root| root.strip_prefix(&worktrees).ok()) {
                git_dirs.insert(name.to_owned(), git_dir);
            }
        }
        Ok(Self {
            git_dirs: Mutex::new(git_dirs),
            locks: Mutex::default(),
            changing: Mutex::default(),
            worktrees,
            kept_in,
        })
    }

    /// The lock of a worktree.
    pub(super) fn lock_of(&self, name: &Path) -> Arc<Mutex<()>> {
        Arc::clone(held(&self.locks).entry(name.to_owned()).or_default())
    }

    /// Where the repository keeps what belongs to a worktree that it knows.
    pub(super) fn git_dir(&self, name: &Path) -> Option<PathBuf> {
        held(&self.git_dirs).get(name).cloned()
    }

    /// All of them.
    pub(super) fn all(&self) -> BTreeMap<PathBuf, PathBuf> {
        held(&self.git_dirs).clone()
    }

    pub(super) fn forget(&self, name: &Path) {
        held(&self.git_dirs).remove(name);
    }

    /// Takes in a worktree that git just made, and says where the repository keeps what belongs to it.
    pub(super) fn learn(&self, name: &Path, root: &Path) -> Result<PathBuf, TreeError> {
        let git_dir = self.linked(root).ok_or_else(|| TreeError::InTheWay(root.to_owned()))?;
        held(&self.git_dirs).insert(name.to_owned(), git_dir.clone());
        Ok(git_dir)
    }

    /// Where a worktree's own link leads, if that is where the repository keeps worktrees.
    pub(super) fn linked(&self, root: &Path) -> Option<PathBuf> {
        let link = resolved(&root.join(read_path(&root.join(".git"), b"gitdir: ")?));
        (link.parent() == Some(&self.kept_in)).then_some(link)
    }

    /// Notes what git is about to make or remove, so that what a killed one leaves half done can be told from a user's
    /// own: until git has said where a worktree is, nothing else tells whose that is. What an earlier change left goes.
    ///
    /// The caller holds [`Registry::changing`].
    pub(super) fn begin_change(&self, git_dir: &Path) -> Result<(), TreeError> {
        self.sweep()?;
        Ok(fs_err::write(self.note(), git_dir.as_os_str().as_bytes())?)
    }

    /// The change is done.
    pub(super) fn end_change(&self) -> Result<(), TreeError> {
        Ok(remove_if_there(&self.note())?)
    }

    /// Removes what a change that was cut short left with the repository and that no worktree belongs to.
    pub(super) fn sweep(&self) -> Result<(), TreeError> {
        let Ok(path) = fs_err::read(self.note()) else { return Ok(()) };
        let git_dir = PathBuf::from(OsString::from_vec(path));
        // Nothing was done in it yet, or everything is gone already. The name may have become somebody else's meanwhile.
        let root = read_path(&git_dir.join("gitdir"), b"").and_then(|link| git_dir.join(link).parent().map(resolved));
        if git_dir.parent() == Some(&self.kept_in) && root.is_none_or(|root| root.starts_with(&self.worktrees)) {
            remove_all(&git_dir)?;
            held(&self.git_dirs).retain(|_, known| *known != git_dir);
        }
        self.end_change()
    }

    /// Where git will keep what belongs to a worktree that is to be made: it numbers names that are taken.
    pub(super) fn free_git_dir(&self, root: &Path) -> PathBuf {
        let name = root.file_name().unwrap_or_default();
        let free = |n: u32| {
            let mut numbered = name.to_owned();
            if n > 0 {
                numbered.push(n.to_string());
            }
            self.kept_in.join(numbered)
        };
        (0..).map(free).find(|dir| fs_err::symlink_metadata(dir).is_err()).unwrap_or_else(|| free(0))
    }

    fn note(&self) -> PathBuf {
        self.worktrees.join(".changing")
    }

    /// Whether a directory is one of the spec's worktrees, or in one.
    pub(super) fn holds(&self, dir: &Path) -> bool {
        resolved(dir).starts_with(&self.worktrees)
    }
}

/// A path in a file of git's, behind `before`; none where there is no such file, or it says something else.
fn read_path(file: &Path, before: &[u8]) -> Option<PathBuf> {
    if !fs_err::symlink_metadata(file).ok()?.is_file() {
        return None;
    }
    let contents = fs_err::read(file).ok()?;
    let path = contents.strip_prefix(before)?.strip_suffix(b"\n")?;
    Some(PathBuf::from(OsString::from_vec(path.to_vec())))
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
