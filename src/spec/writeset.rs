//! Which files are whose: a set of paths and globs.

use std::path::Path;
use std::sync::OnceLock;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

pub use super::meeting::{Overlap, overlaps};

/// Longest pattern in bytes; keeps what it compiles to small.
const MAX_PATTERN: usize = 1024;

/// Why a text is no pattern of files within a directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It begins with `/` or `~`.
    #[error("`{0}` is absolute; it must count from the work directory")]
    Absolute(String),
    /// It leads out of the directory by `..`.
    #[error("`{0}` leads out of the work directory")]
    Escapes(String),
    /// Not the syntax of a glob.
    #[error("`{0}` is no valid glob: {1}")]
    Syntax(String, String),
    /// Too long to be meant.
    #[error("a pattern is longer than {MAX_PATTERN} bytes")]
    TooLong,
}

/// `path` without `.` and `..` and double slashes; an error if it is absolute or leads out.
pub fn clean(path: &str) -> Result<String, PatternError> {
    if path.len() > MAX_PATTERN {
        return Err(PatternError::TooLong);
    }
    if path.starts_with('/') || path == "~" || path.starts_with("~/") {
        return Err(PatternError::Absolute(path.to_owned()));
    }
    let glob = is_glob(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            // Behind a wildcard nobody can say where `..` leads.
            ".." if glob || parts.pop().is_none() => return Err(PatternError::Escapes(path.to_owned())),
            ".." => {}
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Whether a clean path begins with `..`.
fn leads_out(path: &str) -> bool {
    path.strip_prefix("..").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path has wildcards.
fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// The directory that a glob begins with and that is the same for all it means; none of a path, which is no glob. It ends
/// before a backslash too: what is behind that is not spelt as files are.
pub fn fixed_directory(pattern: &str) -> Option<&str> {
    let is_glob = pattern.contains(['*', '?', '[', '{']);
    let end = pattern.find(['*', '?', '[', '{', '\\']).filter(|_| is_glob)?;
    Some(&pattern[..pattern[..end].rfind('/').unwrap_or(0)])
}

/// One path or glob.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) text: String,
    /// For a glob: how many bytes of `text` are the fixed directory that it begins with.
    pub(super) glob: Option<usize>,
    /// Compiled when first needed; most never are.
    compiled: OnceLock<Option<GlobSet>>,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, PatternError> {
        let text = clean(text)?;
        let glob = fixed_directory(&text).map(str::len);
        if glob.is_some() {
            // Parsing is enough to know the syntax; compiling is what costs.
            builder(&text).build().map_err(|why| PatternError::Syntax(text.clone(), why.kind().to_string()))?;
        }
        Ok(Self { text, glob, compiled: OnceLock::new() })
    }

    /// The fixed directory of a glob.
    pub(super) fn prefix(&self) -> &str {
        &self.text[..self.glob.unwrap_or(self.text.len())]
    }

    /// Whether `path` is meant. A pattern always means the file of its own spelling: `[id].ts` is a file name somewhere.
    pub(super) fn matches(&self, path: &str) -> bool {
        if path == self.text || self.text.is_empty() {
            return true;
        }
        if self.glob.is_none() {
            return path.strip_prefix(&self.text).is_some_and(|rest| rest.starts_with('/'));
        }
        let compiled = self.compiled.get_or_init(|| {
            let glob = builder(&self.text).build().ok()?;
            GlobSetBuilder::new().add(glob).build().ok()
        });
        // Of what cannot be compiled anything may be meant.
        compiled.as_ref().is_none_or(|glob| glob.is_match(path))
    }
}

fn builder(text: &str) -> GlobBuilder<'_> {
    let mut builder = GlobBuilder::new(text);
    builder.literal_separator(true);
    builder
}

/// A set of files, given by paths (a directory means all below it) and globs, relative to one directory.
#[derive(Debug, Clone, Default)]
pub struct WriteSet {
    pub(super) patterns: Vec<Pattern>,
}

impl WriteSet {
    /// The set of `patterns`.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Self, PatternError> {
        Ok(Self { patterns: patterns.into_iter().map(Pattern::new).collect::<Result<_, _>>()? })
    }

    /// Whether the set means `path`, relative to its directory; nothing outside of it (`../x`) is ever meant.
    pub fn matches(&self, path: &Path) -> bool {
        let path = path.to_string_lossy();
        !leads_out(&path) && self.patterns.iter().any(|pattern| pattern.matches(&path))
    }

    /// Whether the set means no file.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns, cleaned.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(|pattern| pattern.text.as_str())
    }
}
