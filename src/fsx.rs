//! Files: durable writes, each with what survives a crash. Every error names its path.

use std::fs::Metadata;
use std::io::{self, Read, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fs_err::os::unix::fs::OpenOptionsExt as _;
use fs_err::{File, OpenOptions};
use tempfile::NamedTempFile;

/// The most that is read of a file that a person wrote, in bytes: 16 MiB.
pub const LARGEST_TEXT: u64 = 16 * 1024 * 1024;

/// Reads a regular file of at most `limit` bytes.
///
/// Anything else is an error: a pipe could be waited for for ever, and a device read without end.
pub fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` {why}", path.display())));
    let about = fs_err::metadata(path)?;
    if !about.is_file() {
        return refuse("is not a regular file".to_owned());
    }
    let mut contents = Vec::with_capacity(usize::try_from(about.len().min(limit)).unwrap_or(0));
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut contents)?;
    if contents.len() as u64 > limit {
        return refuse(format!("has {} bytes; the limit is {limit}", about.len().max(limit.saturating_add(1))));
    }
    Ok(contents)
}

/// As [`read_regular`] with the limit of texts, as text.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_regular(path, LARGEST_TEXT)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("`{}` is not UTF-8", path.display())))
}

/// The last `limit` bytes of a regular file.
pub fn read_tail(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut file = fs_err::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(io::SeekFrom::Start(length.saturating_sub(limit)))?;
    let mut contents = Vec::new();
    file.take(limit).read_to_end(&mut contents)?;
    Ok(contents)
}

/// Which file something is, whatever its name is by now. Once it is deleted, another may get the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId(u64, u64);

/// Which file `about` is about.
pub fn file_id(about: &std::fs::Metadata) -> FileId {
    FileId(about.dev(), about.ino())
}

/// Whether the file system of `path` has no room left. Where that cannot be told, it has.
pub fn is_full(path: &Path) -> bool {
    /// A file may end a little before the disk does.
    const LITTLE: u64 = 64 * 1024;
    rustix::fs::statvfs(path).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < LITTLE)
}

/// Makes names in `dir` durable: files that were created, renamed or removed there.
///
/// After a crash the names are as they were at the return of this call, or later. It says nothing about the contents of
/// the files; those need a sync of their own, before this one.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Replaces the contents of `path`, or creates it.
///
/// After a crash the file holds either the old contents or the new ones, whole; after the return always the new ones. A
/// temporary file may be left beside it. Readers never see half a file.
pub fn write_atomic(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut draft = Draft::begin(path)?;
    draft.write(contents)?;
    // The contents before the name: else a crash could leave the new name on an empty file.
    draft.file.as_file().sync_data().map_err(|error| unwritten(path, &error))?;
    draft.put_in_place()?;
    sync_dir(parent_of(path))
}

/// As [`write_atomic`] for what can be made again: readers never see half a file, also when this process is killed; but
/// after a crash of the machine it may be empty or missing. Costs a tenth.
pub fn write_whole(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut draft = Draft::begin(path)?;
    draft.write(contents)?;
    draft.put_in_place()
}

/// A file in the making, under another name in its directory. Gone when it is dropped before it is put in place.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// An empty one for `path`.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let file = tempfile::Builder::new()
            .prefix(".cco-")
            // Narrowed by the user's umask, as for any other new file.
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(parent_of(path))
            .map_err(|error| unwritten(path, &error))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// What the file system says of it.
    pub fn about(&self) -> io::Result<Metadata> {
        self.file.as_file().metadata().map_err(|error| unwritten(&self.path, &error))
    }

    /// Adds to its contents.
    pub fn write(&mut self, contents: &[u8]) -> io::Result<()> {
        self.file.write_all(contents).map_err(|error| unwritten(&self.path, &error))
    }

    /// Gives it its name. What survives a crash of the machine is as with [`write_whole`].
    pub fn put_in_place(self) -> io::Result<()> {
        let Self { file, path } = self;
        file.persist(&path).map(drop).map_err(|failed| unwritten(&path, &failed.error))
    }
}

fn unwritten(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write `{}`: {error}", path.display()))
}

/// Opens `path` for reading and for writing at its end, creating it (mode 0600) if it is missing.
///
/// The name survives a crash from the return on. What is written survives from the next `sync_data` on; until then any
/// part of it may be lost.
pub fn open_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let file = options.create(true).open(path)?;
            sync_dir(parent_of(path))?;
            Ok(file)
        }
        opened => opened,
    }
}

/// Writes all that `from` gives to `path`, for its owner only (mode 0600); an error if `path` exists. Returns how much
/// that was, in bytes.
///
/// After a crash the file is there whole or not at all, after the return whole; a temporary file may be left beside it.
pub fn write_new(path: &Path, mut from: impl Read) -> io::Result<u64> {
    let written = tempfile::Builder::new().prefix(".cco-").tempfile_in(parent_of(path)).and_then(|mut file| {
        let bytes = io::copy(&mut from, &mut file)?;
        file.as_file().sync_data()?;
        file.persist_noclobber(path).map_err(|failed| failed.error)?;
        Ok(bytes)
    });
    let bytes = written.map_err(|error| unwritten(path, &error))?;
    sync_dir(parent_of(path))?;
    Ok(bytes)
}

/// Creates `dir` and the directories above it that are missing, readable by their owner only (mode 0700).
///
/// The names survive a crash from the return on. A directory that exists keeps its mode.
pub fn create_dir_private(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = parent_of(dir);
    create_dir_private(above)?;
    match std::fs::DirBuilder::new().mode(0o700).create(dir) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        Err(error) => {
            return Err(io::Error::new(error.kind(), format!("cannot create directory `{}`: {error}", dir.display())));
        }
        Ok(()) => {}
    }
    sync_dir(above)
}

/// Moves `from` to `to` in the same file system.
///
/// After a crash it is at one place or the other, never at both or none; after the return at the new one.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs_err::rename(from, to)?;
    let (old, new) = (parent_of(from), parent_of(to));
    // The new name first: of two directories the file system may write either one earlier.
    sync_dir(new)?;
    if old == new { Ok(()) } else { sync_dir(old) }
}

/// The directory that holds `path`'s name; of a bare name the current one.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        Some(_) => Path::new("."),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("CONTEXT.md");
        for contents in ["a longer first text", "second"] {
            write_atomic(&path, contents.as_bytes())?;
            assert_eq!(fs_err::read_to_string(&path)?, contents);
        }
        assert_eq!(fs_err::read_dir(dir.path())?.count(), 1);
        Ok(())
    }

    #[test]
    fn errors_name_the_path() -> io::Result<()> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("file");
        write_atomic(&file, b"")?;
        let below = file.join("below");
        let errors = [
            write_atomic(&below, b"").err(),
            create_dir_private(&below).err(),
            open_append(&below).err(),
            write_new(&file, io::empty()).err(),
            rename(&dir.path().join("none"), &file).err(),
            sync_dir(&below).err(),
        ];
        for (n, error) in errors.into_iter().enumerate() {
            let text = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(text.contains(&dir.path().display().to_string()), "{n}: {text}");
        }
        Ok(())
    }
}
