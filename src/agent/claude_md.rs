//! The project's own instructions to agents, collected into one text that is handed over with every call.
//!
//! The CLI would read them itself only together with the repository's settings, hooks included, and would skip nested
//! files and imports. AGENTS.md is read in a directory without CLAUDE.md.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// How deep imports may nest; deeper ones stay as they are written.
const IMPORT_DEPTH: usize = 5;

/// More of one file is not handed over: it would crowd out the task.
const MAX_FILE: u64 = 256 * 1024;

/// The names looked for, the first that exists counts.
const NAMES: [&str; 2] = ["CLAUDE.md", "AGENTS.md"];

/// The instructions of `root` and of every directory on the way to `files` (relative to `root`), outermost first, with
/// their imports (`@path`) expanded where they stay inside `root`. None when there are none.
pub fn collect(root: &Path, files: &[PathBuf]) -> io::Result<Option<String>> {
    let mut dirs = BTreeSet::from([PathBuf::new()]);
    for file in files {
        dirs.extend(file.ancestors().skip(1).filter(|dir| stays_inside(dir)).map(Path::to_path_buf));
    }
    // One look at each before anything dear: this is asked before every call, and mostly there is one file or none.
    let mut there: Vec<Vec<PathBuf>> = dirs.iter().map(|dir| NAMES.map(|name| dir.join(name)).into()).collect();
    there.iter_mut().for_each(|names| names.retain(|name| root.join(name).exists()));
    there.retain(|names| !names.is_empty());
    if there.is_empty() {
        return Ok(None);
    }
    let root = fs_err::canonicalize(root)?;
    let mut parts = Vec::new();
    for names in there {
        for relative in names {
            if let Some(text) = (Import { root: &root, open: Vec::new() }).read(&root.join(&relative))? {
                parts.push(format!("# {}\n\n{}\n", relative.display(), text.trim_end()));
                break;
            }
        }
    }
    Ok((!parts.is_empty()).then(|| parts.join("\n")))
}

fn stays_inside(dir: &Path) -> bool {
    dir.components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

/// One descent through imports.
struct Import<'a> {
    root: &'a Path,
    /// The files being expanded, outermost first: an import of one of them would not end.
    open: Vec<PathBuf>,
}

impl Import<'_> {
    /// The file with its imports expanded; none when it is missing, outside the root, too large or no text.
    fn read(&mut self, path: &Path) -> io::Result<Option<String>> {
        let path = match fs_err::canonicalize(path) {
            Ok(path) => path,
            Err(error) if missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        // After symlinks are followed: a link must not hand over what lies outside.
        if !path.starts_with(self.root) || self.open.contains(&path) || self.open.len() > IMPORT_DEPTH {
            return Ok(None);
        }
        let metadata = fs_err::metadata(&path)?;
        if !metadata.is_file() || metadata.len() > MAX_FILE {
            return Ok(None);
        }
        let Ok(text) = String::from_utf8(fs_err::read(&path)?) else { return Ok(None) };
        self.open.push(path);
        let expanded = self.expand(&text);
        self.open.pop();
        expanded.map(Some)
    }

    fn expand(&mut self, text: &str) -> io::Result<String> {
        let mut out = String::with_capacity(text.len());
        let mut fenced = false;
        for line in text.split_inclusive('\n') {
            fenced ^= line.trim_start().starts_with("```");
            match imported(line).filter(|_| !fenced) {
                Some(path) => self.import(line, path, &mut out)?,
                None => out.push_str(line),
            }
        }
        Ok(out)
    }

    fn import(&mut self, line: &str, path: &str, out: &mut String) -> io::Result<()> {
        let beside = self.open.last().and_then(|file| file.parent()).unwrap_or(self.root).join(path);
        match self.read(&beside)? {
            Some(text) => {
                out.push_str(text.trim_end());
                out.push('\n');
            }
            None => out.push_str(line),
        }
        Ok(())
    }
}

/// The path of a line that is nothing but an import.
fn imported(line: &str) -> Option<&str> {
    let path = line.trim().trim_start_matches("- ").strip_prefix('@')?;
    (!path.is_empty() && !path.contains(char::is_whitespace)).then_some(path)
}

fn missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
