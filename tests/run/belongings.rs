//! What is the user's in a repository, to the byte: the checkout, the index, what is stashed, branches, settings, hooks.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::world::World;

/// Every file below the work directory and of the repository that is not cco's, by path, with its mode and contents.
#[derive(PartialEq)]
pub struct Belongings(BTreeMap<PathBuf, Vec<u8>>);

/// What of a repository is not the user's own: objects are only ever added, and these names are cco's.
const CCOS: [&str; 7] =
    ["objects", "refs/cco", "refs/heads/cco", "logs/refs/heads/cco", "logs/refs/cco", "worktrees", "cco"];

impl Belongings {
    pub fn of(world: &World) -> Self {
        Self::below(&world.env.work())
    }

    /// Those of a repository whose checkout is `top`.
    pub fn below(top: &Path) -> Self {
        let mut files = BTreeMap::new();
        collect(top, Path::new(""), &mut files);
        Self(files)
    }

    /// The names of files that differ, came or went.
    pub fn other_than(&self, before: &Self) -> Vec<PathBuf> {
        let mut names: Vec<_> = self.0.keys().chain(before.0.keys()).cloned().collect();
        names.sort();
        names.dedup();
        names.retain(|name| self.0.get(name) != before.0.get(name));
        names
    }
}

impl fmt::Debug for Belongings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Nothing of the user's may be other than before.
#[track_caller]
pub fn assert_untouched(world: &World, before: &Belongings) {
    let changed = Belongings::of(world).other_than(before);
    assert!(changed.is_empty(), "of the user's own: {changed:#?}");
}

fn collect(top: &Path, within: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let of_git = within.strip_prefix(".git").ok();
    if of_git.is_some_and(|name| CCOS.iter().any(|its| name == Path::new(its))) {
        return;
    }
    let path = top.join(within);
    let about = fs::symlink_metadata(&path).unwrap();
    let mut bytes = format!("{:o} ", about.permissions().mode()).into_bytes();
    if about.is_symlink() {
        bytes.extend(fs::read_link(&path).unwrap().as_os_str().as_bytes());
    } else if about.is_file() {
        bytes.extend(fs::read(&path).unwrap());
    }
    // Of git's directories only what is in them counts: it makes and removes empty ones by itself.
    if !about.is_dir() || of_git.is_none() {
        files.insert(within.to_owned(), bytes);
    }
    if about.is_dir() {
        for entry in fs::read_dir(&path).unwrap() {
            collect(top, &within.join(entry.unwrap().file_name()), files);
        }
    }
}
