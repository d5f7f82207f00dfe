//! Directory -> [`Spec`], or all that is wrong with it.

#![expect(clippy::disallowed_methods, reason = "its diagnostics name the path themselves")]

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::forms::COMMENT;
use super::locate::{self, push_key};
use super::manifest::{Manifest, safe_name};
use super::rules::{self, Ground};
use super::schema::{self, Finding, Repair};
use crate::diagnostic::{Anchor, Diagnostic, Severity, Source, visible};
use crate::ids::{Digest, check_name};

/// The manifest's name within the spec directory.
pub const MANIFEST: &str = "manifest.json";
/// Largest manifest, in bytes.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Deepest nesting of JSON.
pub const MAX_DEPTH: usize = 64;
/// Most components.
pub const MAX_COMPONENTS: usize = 100_000;

/// A piece of work that can be run.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The spec directory.
    pub dir: PathBuf,
    /// What is to be done; there can be thousands of components in it, so that it is shared and not copied.
    pub manifest: Arc<Manifest>,
    /// For each component the indices of those it depends on, each once, ascending; free of cycles.
    pub dependencies: Vec<Vec<u32>>,
    /// Digest of the manifest's bytes.
    pub digest: Digest,
    /// The directory that is worked on: `~` expanded, absolute if the spec directory is.
    pub work_dir: PathBuf,
    /// Warnings and notes. [`source`] gives the text that their spans point into.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is to be said about a manifest.
#[derive(Debug, Clone)]
pub struct Report {
    /// The text that spans point into.
    pub source: Source,
    /// All problems, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The spec, if there is no error.
    pub spec: Option<Spec>,
}

impl Report {
    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.severity == Severity::Error).count()
    }
}

/// Why there is no spec to run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The manifest has errors, or could not be read.
    #[error("the manifest `{}` has {} error(s)", .0.source.name, .0.errors())]
    Invalid(Box<Report>),
    /// The manifest is good, but the directory to work on is not there.
    #[error("the work directory `{}` {}", .0.display(), if .0.exists() { "is no directory" } else { "does not exist" })]
    NoWorkDir(PathBuf),
}

/// Loads a spec to run it. Takes the short way (bytes to types, rules) and the long one only when there is something to explain.
pub fn load(spec_dir: &Path) -> Result<Spec, LoadError> {
    let spec = match quick(spec_dir) {
        Some(spec) => spec,
        None => {
            let mut report = check(spec_dir);
            match report.spec.take() {
                Some(spec) => spec,
                None => return Err(LoadError::Invalid(Box::new(report))),
            }
        }
    };
    if spec.work_dir.is_dir() { Ok(spec) } else { Err(LoadError::NoWorkDir(spec.work_dir)) }
}

/// Says all that is wrong with a spec, by schema and rules.
pub fn check(spec_dir: &Path) -> Report {
    match read(spec_dir) {
        Ok(text) => check_text(spec_dir, text),
        Err(unread) => {
            let name = spec_dir.join(MANIFEST).display().to_string();
            Report { source: Source::new(name, unread.text), diagnostics: vec![unread.diagnostic], spec: None }
        }
    }
}

/// Says all that would be wrong with a spec whose manifest had this text.
pub fn check_text(spec_dir: &Path, text: String) -> Report {
    let source = Source::new(spec_dir.join(MANIFEST).display().to_string(), text);
    let (diagnostics, spec) = examine(spec_dir, source.text());
    Report { source, diagnostics, spec }
}

/// The manifest's text, to show diagnostics of a loaded spec in.
pub fn source(spec_dir: &Path) -> Source {
    let text = read(spec_dir).unwrap_or_else(|unread| unread.text);
    Source::new(spec_dir.join(MANIFEST).display().to_string(), text)
}

/// The directory that `work_dir` names: `~` is `home`, a relative path counts from the spec directory.
pub fn resolve_work_dir(spec_dir: &Path, work_dir: &str, home: Option<&Path>) -> PathBuf {
    let path = match (work_dir.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => spec_dir.join(work_dir),
    };
    // `..` directly below a name is taken back here, so that messages show the path that people mean.
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

/// A file that gave no text to look at; `text` is what can be shown of it.
struct Unread {
    text: String,
    diagnostic: Diagnostic,
}

impl From<Diagnostic> for Box<Unread> {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::new(Unread { text: String::new(), diagnostic })
    }
}

/// Reads the manifest as text.
fn read(spec_dir: &Path) -> Result<String, Box<Unread>> {
    let path = spec_dir.join(MANIFEST);
    let unreadable = |why: std::io::Error| {
        let diagnostic = Diagnostic::error("E001", format!("cannot read the manifest: {}", io_reason(&why)));
        match why.kind() {
            std::io::ErrorKind::NotFound => diagnostic.help("a spec is a directory with a `manifest.json`"),
            _ => diagnostic,
        }
    };
    let about = std::fs::metadata(&path).map_err(unreadable)?;
    if !about.is_file() {
        // Reading from a pipe could wait for ever.
        return Err(Diagnostic::error("E001", "the manifest is not a regular file").into());
    }
    let mut bytes = Vec::with_capacity(about.len().min(MAX_BYTES) as usize + 1);
    std::fs::File::open(&path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        let size = about.len().max(bytes.len() as u64);
        let message = format!("the manifest has {size} bytes; the limit is {MAX_BYTES} (16 MiB)");
        return Err(Diagnostic::error("E002", message).into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        Box::new(Unread {
            text: String::from_utf8_lossy(error.as_bytes()).into_owned(),
            diagnostic: Diagnostic::error(
                "E003",
                format!("the manifest is not UTF-8: byte {byte:#04x} at offset {at}"),
            )
            .spanning(at..at + 1)
            .help("save the file as UTF-8"),
        })
    })
}

/// The reason alone, without the number that the system gives it.
fn io_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// What keeps a text from being looked at as JSON at all.
fn unfit(text: &str) -> Option<Diagnostic> {
    if text.starts_with('\u{feff}') {
        let diagnostic = Diagnostic::error("E003", "the manifest begins with a byte order mark").spanning(0..3);
        return Some(diagnostic.help("save the file as UTF-8 without BOM"));
    }
    if text.trim_ascii().is_empty() {
        let diagnostic = Diagnostic::error("E003", "the manifest is empty");
        return Some(diagnostic.help("it needs at least `name`, `project`, `work_dir` and `components`"));
    }
    locate::too_deep(text, MAX_DEPTH).map(|at| {
        Diagnostic::error("E002", format!("the manifest is nested deeper than {MAX_DEPTH} levels")).spanning(at..at + 1)
    })
}

/// The short way: no JSON tree, no schema. `None` if there is an error to be explained.
fn quick(spec_dir: &Path) -> Option<Spec> {
    let text = read(spec_dir).ok()?;
    if unfit(&text).is_some() {
        return None;
    }
    let manifest = Manifest::from_json(&text).ok()?;
    let (mut diagnostics, dependencies) = judge(spec_dir, &manifest);
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return None;
    }
    place(&text, &mut diagnostics);
    Some(assemble(spec_dir, manifest, dependencies, &text, diagnostics))
}

/// Runs the rules on a manifest of this directory.
fn judge(spec_dir: &Path, manifest: &Manifest) -> (Vec<Diagnostic>, Vec<Vec<u32>>) {
    let work_dir = resolve_work_dir(spec_dir, &manifest.work_dir, dirs::home_dir().as_deref());
    rules::judge(&Ground { manifest, spec_dir, work_dir: &work_dir })
}

/// Puts a spec together; what older manifests mean otherwise is settled here.
fn assemble(
    spec_dir: &Path,
    mut manifest: Manifest,
    dependencies: Vec<Vec<u32>>,
    text: &str,
    diagnostics: Vec<Diagnostic>,
) -> Spec {
    if rules::old_default(&manifest) {
        manifest.execution.parallel_components = None;
    }
    manifest.drop_empty_texts();
    // Kept for a whole night, with nothing added: the reserve of reading it is memory for nothing.
    manifest.components.shrink_to_fit();
    let work_dir = resolve_work_dir(spec_dir, &manifest.work_dir, dirs::home_dir().as_deref());
    let digest = Digest::of(text.as_bytes());
    Spec { dir: spec_dir.to_owned(), manifest: Arc::new(manifest), dependencies, digest, work_dir, diagnostics }
}

/// The thorough way: everything that is wrong, each with its place.
fn examine(spec_dir: &Path, text: &str) -> (Vec<Diagnostic>, Option<Spec>) {
    if let Some(diagnostic) = unfit(text) {
        return (vec![diagnostic], None);
    }
    let mut value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return (vec![not_json(text, &error)], None),
    };
    let mut diagnostics: Vec<Diagnostic> = locate::duplicates(text).iter().map(given_twice).collect();
    drop_absent(&mut value);
    let strict = value.get("$schema").is_some();
    if !strict {
        diagnostics.extend(adopt_free_ids(&mut value));
    }
    let findings = schema::validate(&value, strict);
    let repaired = repair(&mut value, &findings);
    let sound = findings.iter().all(|finding| finding.diagnostic.severity != Severity::Error);
    let (places, typed) = match repaired {
        Some(places) => (places, Some(serde_json::from_value::<Manifest>(value))),
        None => (BTreeSet::new(), None),
    };
    diagnostics.extend(findings.into_iter().map(|finding| finding.diagnostic));
    let mut judged = None;
    match typed {
        Some(Ok(manifest)) => {
            let (found, dependencies) = judge(spec_dir, &manifest);
            // What was put in for a missing text is not to be judged.
            diagnostics.extend(found.into_iter().filter(|d| d.path.as_ref().is_none_or(|at| !places.contains(at))));
            judged = Some((manifest, dependencies));
        }
        // The schema and the types agree, so this is for the day they do not: never let it pass.
        Some(Err(error)) if sound => diagnostics.push(Diagnostic::error("E005", visible(&error.to_string()))),
        Some(Err(_)) | None => diagnostics.push(
            Diagnostic::note("N203", "the rules about dependencies and paths were not checked")
                .help("mend the errors above first"),
        ),
    }
    place(text, &mut diagnostics);
    let valid = diagnostics.iter().all(|d| d.severity != Severity::Error);
    let spec = judged
        .filter(|_| valid)
        .map(|(manifest, dependencies)| assemble(spec_dir, manifest, dependencies, text, diagnostics.clone()));
    (diagnostics, spec)
}

/// What the JSON parser has to say, at its place.
fn not_json(text: &str, error: &serde_json::Error) -> Diagnostic {
    let start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (start + error.column().saturating_sub(1)).min(text.len());
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    if error.is_eof() {
        let end = text.trim_end().len();
        return Diagnostic::error("E003", "the manifest ends too early")
            .spanning(end.saturating_sub(1)..end)
            .saying("nothing follows")
            .help("the file seems to be cut off; restore it, or close what is open");
    }
    Diagnostic::error("E003", format!("the manifest is not JSON: {message}")).spanning(at..at + 1)
}

fn given_twice(duplicate: &locate::Duplicate) -> Diagnostic {
    let name = duplicate.path.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
    let mut diagnostic = Diagnostic::error("E004", format!("`{}` is given twice", visible(&name)))
        .at_key(duplicate.path.clone())
        .spanning(duplicate.again.clone())
        .label(duplicate.path.clone(), "first given here")
        .help("remove one of the two");
    diagnostic.labels[0].span = Some(duplicate.first.clone());
    diagnostic
}

/// Takes out members that count as absent: `null` and empty texts, except where texts have names of the user's.
fn drop_absent(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, member| !member.is_null() && member.as_str() != Some(""));
            for (key, member) in map.iter_mut() {
                if !matches!(key.as_str(), COMMENT | "env" | "models") {
                    drop_absent(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(drop_absent),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Gives components of older manifests, whose ids were free texts, ids that a directory and a branch can carry.
fn adopt_free_ids(manifest: &mut Value) -> Vec<Diagnostic> {
    let Some(components) = manifest.get_mut("components").and_then(Value::as_array_mut) else { return Vec::new() };
    let mut renamed = std::collections::HashMap::new();
    let mut diagnostics = Vec::new();
    for (index, component) in components.iter_mut().enumerate() {
        let Some(Value::String(id)) = component.get_mut("id") else { continue };
        if check_name(id).is_ok() || !id.contains(char::is_alphanumeric) || id.contains(char::is_control) {
            continue;
        }
        let safe = safe_name(id);
        let message = format!("the id `{}` is read as `{safe}`", visible(id));
        diagnostics.push(Diagnostic::warning("W110", message).at(format!("/components/{index}/id")));
        renamed.insert(std::mem::replace(id, safe.clone()), safe);
    }
    if renamed.is_empty() {
        return diagnostics;
    }
    let lists = components.iter_mut().filter_map(|component| component.get_mut("depends_on")?.as_array_mut());
    for dependency in lists.flatten() {
        if let Some(safe) = dependency.as_str().and_then(|id| renamed.get(id)) {
            *dependency = safe.clone().into();
        }
    }
    diagnostics
}

/// Mends `value` so that the rules can look at the rest; answers with the pointers it touched. `None` if it cannot be mended
/// without moving elements of a list, whose numbers would then mislead.
fn repair(value: &mut Value, findings: &[Finding]) -> Option<BTreeSet<String>> {
    let mut touched = BTreeSet::new();
    for finding in findings {
        match &finding.repair {
            Repair::Drop(pointer) => {
                let (parent, key) = pointer.rsplit_once('/')?;
                let key = key.replace("~1", "/").replace("~0", "~");
                match value.pointer_mut(parent) {
                    Some(Value::Object(map)) => {
                        map.remove(&key);
                    }
                    Some(Value::Array(_)) => return None,
                    // Left out already, together with what it was in.
                    Some(_) | None => {}
                }
                touched.insert(pointer.clone());
            }
            Repair::Insert(object, key) => {
                let name = format!("unnamed{}", object.replace('/', "-"));
                if let Some(Value::Object(map)) = value.pointer_mut(object) {
                    map.insert(key.clone(), name.into());
                }
                let mut pointer = object.clone();
                push_key(&mut pointer, key);
                touched.insert(pointer);
            }
        }
        // An id that was left out leaves a component that cannot be named.
        if let Repair::Drop(pointer) = &finding.repair
            && let Some(object) = pointer.strip_suffix("/id")
            && let Some(Value::Object(map)) = value.pointer_mut(object)
        {
            map.insert("id".to_owned(), format!("unnamed{}", object.replace('/', "-")).into());
        }
    }
    Some(touched)
}

/// Finds the spans of all places in one pass, and puts the problems in the order of the file. A member that is not in the text is shown at what it would be in.
fn place(text: &str, diagnostics: &mut [Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    let mut wanted: Vec<String> = Vec::new();
    for diagnostic in diagnostics.iter() {
        let labels = diagnostic.labels.iter().filter(|label| label.span.is_none()).map(|label| &label.path);
        wanted.extend(diagnostic.path.iter().filter(|_| diagnostic.span.is_none()).chain(labels).cloned());
    }
    let places = locate::locate(text, wanted.iter().flat_map(|pointer| up(pointer)));
    for diagnostic in diagnostics.iter_mut() {
        let find = |path: &str, anchor: Anchor| {
            let place = up(path).find_map(|pointer| places.get(pointer))?;
            Some(match (anchor, &place.key) {
                (Anchor::Key, Some(key)) => key.clone(),
                (Anchor::Key, None) | (Anchor::Value, _) => place.value.clone(),
            })
        };
        if let (None, Some(path)) = (&diagnostic.span, &diagnostic.path) {
            diagnostic.span = find(path, diagnostic.anchor);
        }
        for label in diagnostic.labels.iter_mut().filter(|label| label.span.is_none()) {
            label.span = find(&label.path, Anchor::Value);
        }
    }
    diagnostics.sort_by_key(|d| (d.span.is_none(), d.span.as_ref().map(|span| span.start)));
}

/// A pointer and those above it.
fn up(pointer: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(pointer), |pointer| pointer.rsplit_once('/').map(|(above, _)| above))
}
