//! A draft becomes files: the context files first, then the manifest, whole or not at all. What was there is kept as a
//! copy beside it, once.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Desk;
use super::log::{manifest_file, report_file};
use crate::context::marked;
use crate::diagnostic::Severity;
use crate::formalize::draft::{compose, settled};
use crate::formalize::event::{Draft, Written};
use crate::formalize::report::DraftReport;
use crate::formalize::rules::context_files;
use crate::fsx;
use crate::ids::{AttemptId, Digest};
use crate::spec::load;

/// Puts a valid draft in place, and gives what is worth a note. After a crash at any point it can be called again.
///
/// # Errors
/// The disk's own; among it that the draft is not any more what was checked, and that it does not fit what the user
/// settled meanwhile.
pub fn put_in_place(desk: &Desk, attempt: &AttemptId, draft: &Draft) -> io::Result<(Written, Option<String>)> {
    let paths = &desk.paths;
    let text = fsx::read_regular(&manifest_file(paths, attempt), fsx::LARGEST_TEXT)?;
    if Digest::of(&text) != draft.manifest {
        let path = manifest_file(paths, attempt);
        return Err(io::Error::other(format!("`{}` is not the draft any more that was checked", path.display())));
    }
    let report = fsx::read_regular(&report_file(paths, attempt), u64::MAX)?;
    let report: DraftReport = serde_json::from_slice(&report).map_err(io::Error::other)?;
    let manifest = paths.manifest();
    // Before anything is written: what cannot be put in place leaves all as it is.
    over(desk, &fsx::read_regular(&manifest, fsx::LARGEST_TEXT)?, &report)?;
    let mut written = Written { manifest: draft.manifest, contexts: Vec::new(), kept: Vec::new() };
    fsx::create_dir_private(&paths.components())?;
    for (id, text) in context_files(&report) {
        let path = paths.component_md(&id);
        written.kept.extend(put_context(&path, &text)?.map(|copy| relative(desk, &copy)));
        written.contexts.push(relative(desk, &path));
    }
    let old = fsx::read_regular(&manifest, fsx::LARGEST_TEXT)?;
    let fitted = over(desk, &old, &report)?;
    let note = fitted.is_some().then(|| {
        "what the spec settles was changed in `manifest.json` while the draft was made; the draft was put in place \
         with what it says now"
            .to_owned()
    });
    let text = fitted.unwrap_or(text);
    if old != text {
        written
            .kept
            .push(relative(desk, &copy_beside(&old, |n| manifest.with_file_name(format!("manifest.old-{n}.json")))?));
        fsx::write_atomic(&manifest, &text)?;
    }
    Ok((written, note))
}

/// The draft's text over the manifest `old`, where that settles something else by now than when the draft was made: a
/// permission that the user took away meanwhile must not come back. None where it settles the same.
fn over(desk: &Desk, old: &[u8], report: &DraftReport) -> io::Result<Option<Vec<u8>>> {
    let changed = |why: String| {
        io::Error::other(format!("`manifest.json` was changed while the draft was made, and is left as it is: {why}"))
    };
    let base: Map<String, Value> = serde_json::from_slice(old).map_err(|error| changed(error.to_string()))?;
    let present = settled(&base);
    if present == desk.input.settled {
        return Ok(None);
    }
    let text = compose(&present, report).map_err(io::Error::other)?.text;
    let found = load::check_text(desk.paths.dir(), text.clone()).diagnostics;
    match found.iter().find(|it| it.severity == Severity::Error) {
        Some(error) => Err(changed(format!("with it the draft is not valid: {}", error.message))),
        None => Ok(Some(text.into_bytes())),
    }
}

/// Keeps the last draft beside the manifest, which stays as it is.
///
/// # Errors
/// The disk's own.
pub fn keep_draft(desk: &Desk, attempt: &AttemptId) -> io::Result<String> {
    let text = fsx::read_regular(&manifest_file(&desk.paths, attempt), u64::MAX)?;
    let manifest = desk.paths.manifest();
    copy_beside(&text, |n| manifest.with_file_name(format!("manifest.failed-{n}.json")))
        .map(|path| relative(desk, &path))
}

/// Makes `text` the user's part of a context file; cco's own block stays. Gives the copy of what the user's part was.
fn put_context(path: &Path, text: &str) -> io::Result<Option<PathBuf>> {
    let old = match fsx::read_regular(path, fsx::LARGEST_TEXT) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let outside = marked::outside(&old);
    if outside.trim_ascii() == text.as_bytes().trim_ascii() {
        return Ok(None);
    }
    let copy = if outside.trim_ascii().is_empty() {
        None
    } else {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Without `.md` at its end, so that it is no component's context.
        Some(copy_beside(&old, |n| path.with_file_name(format!("{name}.old-{n}")))?)
    };
    let mut new = text.as_bytes().to_vec();
    if let Some(block) = marked::block(&old) {
        new.push(b'\n');
        new.extend_from_slice(block);
        new.push(b'\n');
    }
    fsx::write_atomic(path, &new)?;
    Ok(copy)
}

/// Writes a copy under the first name that is free, or finds the one that is there.
fn copy_beside(bytes: &[u8], name: impl Fn(u32) -> PathBuf) -> io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let path = name(number);
        match fs_err::read(&path) {
            Ok(there) if there == bytes => return Ok(path),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return fsx::write_new(&path, bytes).map(|_| path);
            }
            Err(error) => return Err(error),
        }
        number += 1;
    }
}

fn relative(desk: &Desk, path: &Path) -> String {
    path.strip_prefix(desk.paths.dir()).unwrap_or(path).display().to_string()
}
