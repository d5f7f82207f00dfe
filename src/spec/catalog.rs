//! The spec store: which specs there are, and which one a reference means.
//!
//! Only a manifest's name, project and work directory are read here, so that a broken one is listed as such and harms
//! no other.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::load::{MANIFEST, MAX_BYTES, resolve_work_dir};
use super::nearest;
use crate::ids;

/// How many hex digits of the digest end a spec's directory name.
pub(super) const HASH_DIGITS: usize = 8;

/// A store of specs: `<root>/<project>/<name>-<hash>/`. The root need not exist; then the store is empty.
#[derive(Debug, Clone)]
pub struct Catalog {
    root: PathBuf,
    home: Option<PathBuf>,
}

/// One spec of the store, or a spec directory named by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The directory above the spec's own: its project.
    pub project: String,
    /// The name of the spec's own directory: name and hash.
    pub dir_name: String,
    /// The spec's directory, without symbolic links.
    pub path: PathBuf,
    /// What the manifest says of itself, or why that could not be told.
    pub facts: Result<Facts, String>,
}

/// What a manifest says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The spec's name.
    pub name: String,
    /// The spec's project.
    pub project: String,
    /// The code that is worked on: absolute, and without symbolic links where it exists.
    pub work_dir: PathBuf,
}

impl Entry {
    /// How the spec is named on a command line.
    pub fn reference(&self) -> String {
        format!("{}/{}", self.project, self.dir_name)
    }

    /// The directory's name without the hash.
    pub fn name(&self) -> &str {
        without_hash(&self.dir_name)
    }
}

/// Why no spec was found.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The reference can be no name of a spec.
    #[error("`{reference}` is no spec reference: {reason}")]
    Malformed {
        /// What was asked for.
        reference: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No spec is named so.
    #[error("no spec `{reference}` in `{}`", root.display())]
    Unknown {
        /// What was asked for.
        reference: String,
        /// Where it was looked for.
        root: PathBuf,
        /// The reference that is nearest to it.
        nearest: Option<String>,
    },
    /// Several specs are named so.
    #[error("`{reference}` may mean any of {} specs", candidates.len())]
    Ambiguous {
        /// What was asked for.
        reference: String,
        /// Their full references.
        candidates: Vec<String>,
    },
    /// No spec works on the current directory.
    #[error("no spec works on `{}`", cwd.display())]
    NoneHere {
        /// The current directory.
        cwd: PathBuf,
        /// Whether the store has any spec at all.
        empty_store: bool,
    },
    /// The path leads to no spec directory.
    #[error("`{}` is no spec directory: {reason}", path.display())]
    NoSpecDir {
        /// The path.
        path: PathBuf,
        /// What is missing there.
        reason: String,
    },
    /// An entry of the store is a symbolic link to somewhere outside it.
    #[error("`{}` leads out of the spec store", path.display())]
    Escapes {
        /// The entry.
        path: PathBuf,
    },
    /// The store could not be read.
    #[error("cannot read the spec store")]
    Io(#[from] io::Error),
}

impl Catalog {
    /// The store at `root`. `home` stands for `~` in manifests.
    pub fn new(root: PathBuf, home: Option<PathBuf>) -> Self {
        Self { root, home }
    }

    /// The store's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All specs, ordered by project and directory name; of one `project` if it is given.
    ///
    /// # Errors
    /// A directory of the store that cannot be read.
    pub fn list(&self, project: Option<&str>) -> Result<Vec<Entry>, CatalogError> {
        let mut entries = Vec::new();
        for name in subdirectories(&self.root)?.into_iter().filter(|name| project.is_none_or(|only| only == name)) {
            for dir_name in subdirectories(&self.root.join(&name))? {
                entries.push(self.entry(&name, dir_name));
            }
        }
        Ok(entries)
    }

    /// The names of all specs, without their hashes where the name alone is clear. No manifest is read.
    ///
    /// # Errors
    /// A directory of the store that cannot be read.
    pub fn names(&self) -> Result<Vec<String>, CatalogError> {
        let mut names = Vec::new();
        for project in subdirectories(&self.root)? {
            let dirs = subdirectories(&self.root.join(&project))?;
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            dirs.iter().for_each(|dir| *counts.entry(without_hash(dir)).or_default() += 1);
            for dir in &dirs {
                let name = without_hash(dir);
                let clear = counts.get(name) == Some(&1);
                names.push(format!("{project}/{}", if clear { name } else { dir }));
            }
        }
        Ok(names)
    }

    /// The spec that `reference` means: a path to a spec directory, `<project>/<name>-<hash>`, or an unambiguous
    /// beginning of that, the project included or not. Relative paths count from `cwd`.
    ///
    /// # Errors
    /// Every way in which that is not exactly one spec.
    pub fn find(&self, reference: &str, cwd: &Path) -> Result<Entry, CatalogError> {
        let path = Path::new(reference);
        let is_path = matches!(
            path.components().next(),
            Some(Component::RootDir | Component::Prefix(_) | Component::CurDir | Component::ParentDir)
        );
        if is_path {
            return self.at_path(&cwd.join(path));
        }
        check_reference(reference)?;
        let entries = self.list(None)?;
        let found = matching(&entries, reference.trim_end_matches('/'));
        match found.as_slice() {
            [] if cwd.join(path).join(MANIFEST).is_file() => self.at_path(&cwd.join(path)),
            [] => Err(CatalogError::Unknown {
                nearest: nearest(&entries, reference),
                reference: reference.to_owned(),
                root: self.root.clone(),
            }),
            [one] => self.contained((*one).clone()),
            several => Err(ambiguous(reference, several)),
        }
    }

    /// The spec whose work directory holds `cwd`, the innermost where several nest; or that `cwd` itself lies in.
    ///
    /// # Errors
    /// There is none, or several work on the same directory.
    pub fn find_here(&self, cwd: &Path) -> Result<Entry, CatalogError> {
        let cwd = canonical(cwd);
        let entries = self.list(None)?;
        let depth = |entry: &Entry| {
            let work_dir = entry.facts.as_ref().ok().map(|facts| facts.work_dir.as_path());
            let holders = [Some(entry.path.as_path()), work_dir].into_iter().flatten();
            holders.filter(|dir| cwd.starts_with(dir)).map(|dir| dir.components().count()).max()
        };
        let deepest = entries.iter().filter_map(depth).max();
        let found: Vec<&Entry> = entries.iter().filter(|entry| deepest.is_some() && depth(entry) == deepest).collect();
        match found.as_slice() {
            [] => Err(CatalogError::NoneHere { cwd, empty_store: entries.is_empty() }),
            [one] => self.contained((*one).clone()),
            several => Err(ambiguous(&cwd.display().to_string(), several)),
        }
    }

    /// The spec directory at `path`, in the store or anywhere else.
    fn at_path(&self, path: &Path) -> Result<Entry, CatalogError> {
        let no_spec = |reason: String| CatalogError::NoSpecDir { path: path.to_owned(), reason };
        let resolved = fs_err::canonicalize(path).map_err(|error| no_spec(reason(&error)))?;
        if path.starts_with(&self.root) && !resolved.starts_with(canonical(&self.root)) {
            return Err(CatalogError::Escapes { path: path.to_owned() });
        }
        if !resolved.join(MANIFEST).is_file() {
            return Err(no_spec(format!("it has no `{MANIFEST}`")));
        }
        let name = |path: Option<&Path>| {
            let name = path.and_then(Path::file_name).unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let facts = self.facts(&resolved);
        Ok(Entry { project: name(resolved.parent()), dir_name: name(Some(&resolved)), path: resolved, facts })
    }

    fn entry(&self, project: &str, dir_name: String) -> Entry {
        let path = canonical(&self.root.join(project).join(&dir_name));
        let facts = if path.starts_with(canonical(&self.root)) {
            self.facts(&path)
        } else {
            Err("leads out of the spec store".to_owned())
        };
        Entry { project: project.to_owned(), dir_name, path, facts }
    }

    /// Refuses an entry whose directory is elsewhere: what is reached through the store lies in the store.
    fn contained(&self, entry: Entry) -> Result<Entry, CatalogError> {
        if entry.path.starts_with(canonical(&self.root)) {
            Ok(entry)
        } else {
            Err(CatalogError::Escapes { path: self.root.join(&entry.project).join(&entry.dir_name) })
        }
    }

    fn facts(&self, dir: &Path) -> Result<Facts, String> {
        /// As much of the manifest as is needed; the rest may be anything.
        #[derive(Deserialize)]
        struct Head {
            name: String,
            project: String,
            work_dir: String,
        }
        let path = dir.join(MANIFEST);
        let metadata = match fs_err::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(format!("has no `{MANIFEST}`")),
            Err(error) => return Err(reason(&error)),
        };
        // A pipe would be waited for, and a huge file read, for a mere list.
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            return Err(format!("`{MANIFEST}` is no regular file of at most 16 MiB"));
        }
        let bytes = fs_err::read(&path).map_err(|error| reason(&error))?;
        let head: Head = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let work_dir = resolve_work_dir(dir, &head.work_dir, self.home.as_deref());
        Ok(Facts { name: head.name, project: head.project, work_dir: canonical(&work_dir) })
    }
}

/// The specs that `reference` means, by the first of these rules that any spec meets.
fn matching<'a>(entries: &'a [Entry], reference: &str) -> Vec<&'a Entry> {
    let (project, rest) = match reference.split_once('/') {
        Some((project, rest)) => (Some(project), rest),
        None => (None, reference),
    };
    let in_project = |entry: &Entry| project.is_none_or(|project| project == entry.project);
    let rules: [&dyn Fn(&Entry) -> bool; 4] = [
        &|entry| in_project(entry) && entry.dir_name == rest,
        &|entry| in_project(entry) && entry.name() == rest,
        &|entry| in_project(entry) && entry.dir_name.starts_with(rest),
        &|entry| entry.reference().starts_with(reference),
    ];
    let mut found = rules.iter().map(|rule| entries.iter().filter(|entry| rule(entry)).collect::<Vec<_>>());
    found.find(|specs| !specs.is_empty()).unwrap_or_default()
}

/// What no spec can be named by; anything else is looked for and found or not.
fn check_reference(reference: &str) -> Result<(), CatalogError> {
    let parts = || reference.trim_end_matches('/').split('/');
    let reason = if parts().any(str::is_empty) {
        "a part of it is empty"
    } else if parts().any(|part| part == "..") {
        "`..` leads out of the store"
    } else if reference.contains(char::is_control) {
        "it has control characters"
    } else {
        return Ok(());
    };
    Err(CatalogError::Malformed { reference: reference.to_owned(), reason })
}

/// Whether a spec's directory may be called so: a name, with or without a hash behind it.
fn is_dir_name(text: &str) -> bool {
    ids::check_name(without_hash(text)).is_ok()
}

/// The name in the name of a spec's directory; the whole where it carries no hash.
fn without_hash(dir_name: &str) -> &str {
    match dir_name.rsplit_once('-') {
        Some((name, hash)) if hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name,
        _ => dir_name,
    }
}

fn nearest(entries: &[Entry], reference: &str) -> Option<String> {
    let full = entries.iter().map(Entry::reference);
    let short = entries.iter().map(|entry| format!("{}/{}", entry.project, entry.name()));
    let bare = entries.iter().map(|entry| entry.name().to_owned());
    let spellings: Vec<String> = full.chain(short).chain(bare).collect();
    nearest::nearest(reference, spellings.iter().map(String::as_str)).map(str::to_owned)
}

fn ambiguous(reference: &str, candidates: &[&Entry]) -> CatalogError {
    let candidates = candidates.iter().map(|entry| entry.reference()).collect();
    CatalogError::Ambiguous { reference: reference.to_owned(), candidates }
}

/// The names of the directories in `dir` (links to directories too), sorted. Hidden ones are no specs: `new` builds in
/// one. A directory that does not exist is empty.
fn subdirectories(dir: &Path) -> io::Result<Vec<String>> {
    let listing = match fs_err::read_dir(dir) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in listing {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().filter(|name| is_dir_name(name));
        if let Some(name) = name.filter(|_| entry.path().is_dir()) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// `path` without symbolic links; as it is where it does not exist.
fn canonical(path: &Path) -> PathBuf {
    fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Why a file could not be read, without the path that the message names already.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
