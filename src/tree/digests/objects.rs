//! Contents by their digests: what files held before somebody changed them.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::look::{LINK, unless_gone};
use super::snapshot::{Entry, Snapshot};
use crate::fsx;
use crate::ids::Digest;

/// Files of more bytes are not kept, and not looked into: 1 MiB.
pub const KEPT: u64 = 1 << 20;

/// A directory of contents. Whoever reads one is given it whole and right, or not at all.
#[derive(Debug, Clone)]
pub struct Objects {
    dir: PathBuf,
}

impl Objects {
    /// The contents in `dir`, which is made when it is first needed.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// A file of that name beside the contents.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The files beside the contents whose names begin with `name`.
    ///
    /// # Errors
    /// The disk's own.
    pub fn notes(&self, name: &str) -> io::Result<Vec<PathBuf>> {
        Ok(self.names()?.into_iter().filter(|it| it.starts_with(name)).map(|it| self.dir.join(it)).collect())
    }

    /// All contents that are kept.
    ///
    /// # Errors
    /// The disk's own.
    pub fn all(&self) -> io::Result<Vec<Digest>> {
        Ok(self.names()?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs_err::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let name = |entry: io::Result<fs_err::DirEntry>| Ok(entry?.file_name().into_string().ok());
        entries.map(name).filter_map(Result::transpose).collect()
    }

    /// Keeps contents no longer.
    ///
    /// # Errors
    /// The disk's own.
    pub fn remove(&self, digest: &Digest) -> io::Result<()> {
        unless_gone(fs_err::remove_file(self.path(digest))).map(drop)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(digest.to_string())
    }

    /// Keeps `bytes`; from the return on they survive a crash of the machine.
    ///
    /// # Errors
    /// The disk's own.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        if self.get(&digest)?.is_none() {
            fsx::create_dir_private(&self.dir)?;
            fsx::write_atomic(&self.path(&digest), bytes)?;
        }
        Ok(digest)
    }

    /// What was kept; none where it never was, or where a crash has left something else of it.
    ///
    /// # Errors
    /// The disk's own.
    pub fn get(&self, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
        let bytes = unless_gone(fs_err::read(self.path(digest)))?;
        Ok(bytes.filter(|bytes| Digest::of(bytes) == *digest))
    }

    /// Keeps what the files of `snapshot` hold, which was just taken of `dir`: of each that is not too large, and that
    /// nobody has changed since. Survives a crash of the machine from the return on.
    ///
    /// # Errors
    /// The disk's own.
    pub fn keep(&self, dir: &Path, snapshot: &Snapshot) -> io::Result<()> {
        for (path, entry) in &snapshot.0 {
            if let Some(contents) = self.unkept(dir, path, entry)? {
                self.put(&contents)?;
            }
        }
        Ok(())
    }

    /// As [`Objects::keep`] for what is only of use while this machine runs, of at most `total` bytes: costs a tenth.
    ///
    /// # Errors
    /// The disk's own.
    pub fn keep_for_now<'a>(
        &self,
        dir: &Path,
        files: impl IntoIterator<Item = (&'a PathBuf, &'a Entry)>,
        mut total: u64,
    ) -> io::Result<()> {
        for (path, entry) in files {
            if entry.size <= total
                && let Some(contents) = self.unkept(dir, path, entry)?
            {
                total -= entry.size;
                fsx::create_dir_private(&self.dir)?;
                fsx::write_whole(&self.path(&entry.digest), &contents)?;
            }
        }
        Ok(())
    }

    /// What a file holds, if that is to be kept and is not yet.
    fn unkept(&self, dir: &Path, path: &Path, entry: &Entry) -> io::Result<Option<Vec<u8>>> {
        if entry.size > KEPT || self.path(&entry.digest).exists() {
            return Ok(None);
        }
        let whole = dir.join(path);
        let contents = match entry.mode {
            LINK => unless_gone(fs_err::read_link(&whole))?.map(|target| target.as_os_str().as_bytes().to_vec()),
            // What cannot be read is told by what the file system says of it, and has no contents.
            _ => fsx::read_regular(&whole, KEPT).ok(),
        };
        Ok(contents.filter(|contents| Digest::of(contents) == entry.digest))
    }

    /// What a file held; none where it was not kept.
    ///
    /// # Errors
    /// The disk's own.
    pub fn contents(&self, entry: &Entry) -> io::Result<Option<Vec<u8>>> {
        if entry.size > KEPT { Ok(None) } else { self.get(&entry.digest) }
    }

    /// Keeps which files there were, with their contents.
    ///
    /// # Errors
    /// The disk's own.
    pub fn put_snapshot(&self, dir: &Path, snapshot: &Snapshot) -> io::Result<Digest> {
        self.keep(dir, snapshot)?;
        self.put(&snapshot.to_bytes())
    }

    /// The files that were kept under a digest.
    ///
    /// # Errors
    /// The disk's own; among it that this was never kept.
    pub fn snapshot(&self, digest: &Digest) -> io::Result<Snapshot> {
        let bytes = self.get(digest)?;
        bytes.and_then(|bytes| Snapshot::from_bytes(&bytes)).ok_or_else(|| {
            io::Error::other(format!(
                "`{}` is missing or damaged, and with it what files were",
                self.path(digest).display()
            ))
        })
    }
}
