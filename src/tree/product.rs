//! A digest of a component's own files: what its consumers were built on.

use std::path::{Path, PathBuf};

use crate::fsx;
use crate::ids::Digest;

/// The digest of the files that `owns` accepts. `literal` paths are read directly; with `walk`, the whole directory is
/// searched for further ones (needed only where a write set has globs). A file that is missing or cannot be read
/// counts as absent. Paths are relative to `dir`.
pub fn product(dir: &Path, literal: &[String], walk: bool, owns: impl Fn(&str) -> bool) -> Digest {
    let mut paths: Vec<String> = literal.to_vec();
    if walk {
        paths.extend(files_below(dir).into_iter().filter(|path| owns(path)));
    }
    paths.sort();
    paths.dedup();
    let mut parts: Vec<Vec<u8>> = Vec::with_capacity(paths.len() * 2);
    for path in paths {
        if let Ok(contents) = fsx::read_regular(&dir.join(&path), u64::MAX) {
            parts.push(path.into_bytes());
            parts.push(contents);
        }
    }
    let borrowed: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Digest::of_parts(&borrowed)
}

/// All regular files below a directory, as `/`-separated relative paths, without `.git` and without following links.
fn files_below(dir: &Path) -> Vec<String> {
    let mut out = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let Ok(entries) = fs_err::read_dir(dir.join(&below)) else { continue };
        for entry in entries.flatten() {
            let path = below.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && entry.file_name() != ".git" => open.push(path),
                Ok(kind) if kind.is_file() => out.push(path.to_string_lossy().replace('\\', "/")),
                Ok(_) | Err(_) => {}
            }
        }
    }
    out
}
