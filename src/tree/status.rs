//! What differs from the last commit in the worktree now, seen through an index of our own: an agent may have told
//! git's to overlook files, or staged some.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::git::{Git, GitError};
use super::{TreeError, Worktree};

/// A file that differs from the last commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// Relative to the work directory; `../x` outside of it.
    pub path: PathBuf,
    /// How it differs.
    pub kind: Kind,
}

/// How a file differs from the last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is new.
    Added,
    /// Its contents or its mode changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It was a file and is a symbolic link, or the like.
    TypeChanged,
    /// A new directory that is a git repository of its own; git does not look into it.
    Repository,
    /// A submodule is at another commit. What is within it is never looked at.
    Submodule,
}

/// As [`Changed`], as git tells it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// From the top of the work tree.
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    /// The file in the last commit; of a new one none.
    pub(super) old: Option<Blob>,
}

/// A file in a commit, as git writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) mode: String,
    pub(super) id: String,
}

/// The index of our own, beside git's.
pub(super) const OWN_INDEX: &str = "cco-index";

/// The mode of a submodule.
pub(super) const SUBMODULE: &str = "160000";

/// Nothing but a file's own contents, mode and times says whether it changed; and nothing of such a look is kept.
const STRICT: [&str; 7] = [
    "core.ignoreStat=false",
    "core.trustctime=true",
    "core.checkStat=default",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "index.sparse=false",
    "core.fsync=none",
];

/// How `git status` is asked everywhere: each file by itself, no guesses, no look into submodules (git would run there,
/// with settings of theirs).
pub(super) const STATUS: [&str; 7] = [
    "status",
    "--porcelain=v2",
    "-z",
    "--untracked-files=all",
    "--no-renames",
    "--no-show-stash",
    "--ignore-submodules=dirty",
];

impl Worktree {
    /// What differs from the last commit now, by path; new files that git ignores are not among it.
    ///
    /// # Errors
    /// Git's own.
    pub fn uncommitted(&self) -> Result<Vec<Changed>, TreeError> {
        let _one = self.lock();
        let git = self.own_index()?;
        Ok(self.shown(&self.entries(&git)?))
    }

    /// The files that git ignores, by path; a directory that is ignored as a whole is one entry.
    ///
    /// # Errors
    /// Git's own.
    pub fn ignored(&self) -> Result<Vec<PathBuf>, TreeError> {
        let _one = self.lock();
        let git = self.own_index()?;
        let args = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
        let said = git.bytes(&self.root, &args, &[])?;
        let mut paths: Vec<_> = records(&said).map(|path| self.prefix.relative(path)).collect();
        paths.sort();
        Ok(paths)
    }

    /// Git with an index of our own, which holds the last commit and is kept, so that files are not read each time. The
    /// caller holds the lock.
    pub(super) fn own_index(&self) -> Result<Git, TreeError> {
        let index = self.git_dir.join(OWN_INDEX);
        let git = self.git.with("GIT_INDEX_FILE", index.as_os_str()).set(&STRICT);
        // Nobody else writes it, so a lock is that of a git that was killed.
        remove_if_there(&self.git_dir.join("cco-index.lock"))?;
        let read = ["read-tree", "--reset", "-i", "HEAD"];
        if git.ask(&self.root, &read)?.is_none() {
            remove_if_there(&index)?;
            git.run(&self.root, &read)?;
        }
        self.leave_out_what_is_not_checked_out(&git)?;
        Ok(git)
    }

    /// In a sparse checkout files are missing that nobody deleted; git's own index says which. One that is there all the
    /// same git looks at nevertheless, so nothing can be hidden that would become part of a commit.
    fn leave_out_what_is_not_checked_out(&self, git: &Git) -> Result<(), TreeError> {
        let sparse = ["config", "--type=bool", "--get", "core.sparseCheckout"];
        if self.git.ask(&self.root, &sparse)?.as_deref() != Some("true") {
            return Ok(());
        }
        let said = self.git.bytes(&self.root, &["ls-files", "-t", "-z"], &[])?;
        let missing = listed(records(&said).filter_map(|record| record.strip_prefix(b"S ")));
        if !missing.is_empty() {
            git.bytes(&self.root, &["update-index", "-z", "--skip-worktree", "--stdin"], &missing)?;
        }
        Ok(())
    }

    /// What differs from the last commit, by path. `git` is that of [`Worktree::own_index`].
    pub(super) fn entries(&self, git: &Git) -> Result<Vec<Entry>, GitError> {
        // It may write what it learnt into our own index.
        let said = git.with("GIT_OPTIONAL_LOCKS", "1".as_ref()).bytes(&self.root, &STATUS, &[])?;
        let mut entries = records(&said).map(entry).collect::<Result<Vec<_>, _>>()?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    pub(super) fn shown(&self, entries: &[Entry]) -> Vec<Changed> {
        let mut shown: Vec<_> =
            entries.iter().map(|entry| Changed { path: self.prefix.relative(&entry.path), kind: entry.kind }).collect();
        shown.sort();
        shown
    }
}

/// What stands between zero bytes.
pub(super) fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0).filter(|record| !record.is_empty())
}

/// Removes a file, if it is there.
pub(super) fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// `1 XY SUB MODE_HEAD MODE_INDEX MODE_WORKTREE ID_HEAD ID_INDEX PATH`, or `? PATH`.
fn entry(record: &[u8]) -> Result<Entry, GitError> {
    let unclear = || GitError::Unclear { call: "status", said: String::from_utf8_lossy(record).into_owned() };
    if let Some(path) = record.strip_prefix(b"? ") {
        let (path, kind) = match path.strip_suffix(b"/") {
            Some(path) => (path, Kind::Repository),
            None => (path, Kind::Added),
        };
        return Ok(Entry { path: path.to_vec(), kind, old: None });
    }
    let mut fields = record.splitn(9, |byte| *byte == b' ');
    let mut field = || fields.next().ok_or_else(unclear);
    let (form, what, submodule) = (field()?, field()?, field()?);
    let (mode, _, _, id, _, path) = (field()?, field()?, field()?, field()?, field()?, field()?);
    let kind = match (form, what.get(1)) {
        (b"1", Some(b'M')) if submodule.starts_with(b"S") => Kind::Submodule,
        (b"1", Some(b'M')) => Kind::Modified,
        (b"1", Some(b'D')) => Kind::Deleted,
        (b"1", Some(b'T')) => Kind::TypeChanged,
        _ => return Err(unclear()),
    };
    let old = Blob { mode: String::from_utf8_lossy(mode).into_owned(), id: String::from_utf8_lossy(id).into_owned() };
    Ok(Entry { path: path.to_vec(), kind, old: Some(old) })
}

/// Paths as git reads them from its input.
pub(super) fn listed<'p>(paths: impl IntoIterator<Item = &'p [u8]>) -> Vec<u8> {
    paths.into_iter().flat_map(|path| [path, &[0]]).flatten().copied().collect()
}

/// Sets entries of the index that `git` has, without a look at the files; none takes an entry away.
pub(super) fn set_entries<'p>(
    git: &Git,
    root: &Path,
    entries: impl IntoIterator<Item = (&'p [u8], Option<&'p Blob>)>,
) -> Result<(), GitError> {
    let mut entries: Vec<_> = entries.into_iter().collect();
    if entries.is_empty() {
        return Ok(());
    }
    // Those that go come first, so that none is in the way of one that comes.
    entries.sort_by_key(|(_, blob)| blob.is_some());
    let width = entries.iter().find_map(|(_, blob)| blob.map(|blob| blob.id.len()));
    let nothing = "0".repeat(match width {
        Some(width) => width,
        None => git.run(root, &["rev-parse", "--verify", "HEAD"])?.len(),
    });
    let mut input = Vec::new();
    for (path, blob) in entries {
        let (mode, id) = blob.map_or(("0", nothing.as_str()), |blob| (&blob.mode, &blob.id));
        input.extend_from_slice(format!("{mode} {id}\t").as_bytes());
        input.extend_from_slice(path);
        input.push(0);
    }
    git.bytes(root, &["update-index", "-z", "--index-info"], &input).map(drop)
}

/// A path as bytes.
pub(super) fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
