//! What is formalized: the documents of the brainstorm, SPEC.md, and what the spec has settled.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::formalize::draft::settled;
use crate::fsx;
use crate::ids::Digest;
use crate::journal::SpecPaths;

/// The documents that `/spec` writes, in the order in which they are read.
const DOCUMENTS: [&str; 4] = ["MISSION.md", "INVESTIGATION.md", "DECISIONS.md", "CONCERNS.md"];

/// What is formalized.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The documents, with the names that they have in the spec directory.
    pub documents: Vec<(String, String)>,
    /// The text of the manifest as it stands.
    pub manifest: String,
    /// What of it no draft decides.
    pub settled: Map<String, Value>,
}

impl Input {
    /// Reads the documents that say something. `base` is the manifest, as text and as JSON.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(paths: &SpecPaths, manifest: String, base: &Map<String, Value>) -> io::Result<Self> {
        let mut documents = Vec::new();
        for path in files(paths)? {
            let bytes = match fsx::read_regular(&path, fsx::LARGEST_TEXT) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read?,
            };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let name = path.strip_prefix(paths.dir()).unwrap_or(&path).display().to_string();
            if !text.trim().is_empty() {
                documents.push((name, text));
            }
        }
        Ok(Self { documents, manifest, settled: settled(base) })
    }

    /// Tells one input from another.
    pub fn digest(&self) -> Digest {
        let settled = Value::Object(self.settled.clone()).to_string();
        let texts = self.documents.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
        let parts: Vec<&[u8]> = std::iter::once(settled.as_bytes()).chain(texts).collect();
        Digest::of_parts(&parts)
    }

    /// The project's name.
    pub fn project(&self) -> &str {
        self.settled.get("project").and_then(Value::as_str).unwrap_or_default()
    }
}

/// The files of the brainstorm, the known ones first, and SPEC.md.
fn files(paths: &SpecPaths) -> io::Result<Vec<PathBuf>> {
    let dir = paths.brainstorm();
    let mut files: Vec<PathBuf> = DOCUMENTS.iter().map(|name| dir.join(name)).collect();
    let mut more: Vec<PathBuf> = match fs_err::read_dir(&dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        entries => entries?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?,
    };
    more.retain(|path| is_markdown(path) && !files.contains(path));
    more.sort();
    files.extend(more);
    files.push(paths.spec_md());
    Ok(files)
}

fn is_markdown(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".md") && !name.starts_with('.')
}
