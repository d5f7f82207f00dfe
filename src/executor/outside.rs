//! What changed in the user's own checkout while a step ran. Never undone: the user works there. An issue where the step
//! spoke of the file, else worth a note.

use std::path::Path;

use super::change::{Before, issue};
use super::job::Job;
use super::untouched::named;
use crate::fsx;
use crate::ids::AttemptId;
use crate::lifecycle::event::Issue;
use crate::tree::{Repository, TreeError, changed_between};

/// The longest stream that is searched for a path, in bytes: longer ones are searched from their end.
const SEARCHED: u64 = 256 << 20;

/// The issues and notes about the user's checkout.
///
/// # Errors
/// Git's own.
pub fn checkout(
    job: &Job,
    repository: &Repository,
    attempt: &AttemptId,
    before: &Before,
) -> Result<(Vec<Issue>, Vec<String>), TreeError> {
    let Some(fingerprint) = &before.checkout else { return Ok((Vec::new(), Vec::new())) };
    let changed = changed_between(fingerprint, &repository.main_checkout()?);
    if changed.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let said = fsx::read_tail(&job.paths.stream(attempt), SEARCHED).unwrap_or_default();
    let (by_step, by_others): (Vec<_>, Vec<_>) = changed.into_iter().partition(|path| speaks_of(&said, path));
    let issues = by_step.iter().map(|path| touched(path)).collect();
    let mut notes = Vec::new();
    if !by_others.is_empty() {
        let paths = by_others.iter().map(|path| path.display().to_string());
        notes.push(format!("changed in your own checkout while it ran, and left as it is: {}", named(paths)));
    }
    Ok((issues, notes))
}

fn touched(path: &Path) -> Issue {
    let text = format!(
        "`{}` in your own checkout changed while the step ran, and the step speaks of it; it was not undone, since you may \
         have changed it yourself",
        path.display()
    );
    let mend = "work in the directory of the step only; the user looks after that file";
    issue("write_set:checkout", Some(path), None, text, Some(mend))
}

/// Whether a conversation names a file: by its whole path, or, of what tells git what to do, by what reaches it.
fn speaks_of(said: &[u8], path: &Path) -> bool {
    let Some(whole) = path.to_str() else { return false };
    if names(said, whole) {
        return true;
    }
    let Some((_, of_git)) = whole.rsplit_once("/.git/") else { return false };
    match of_git.rsplit_once('/') {
        Some((dir, name)) if dir.ends_with("hooks") => names(said, "hooks") && names(said, name),
        Some((dir, name)) if dir.ends_with("info") => names(said, &format!("info/{name}")),
        None if of_git.starts_with("config") => names(said, ".git/config") || sets_config(said),
        _ => false,
    }
}

/// Whether `path` stands there, and not only as the beginning of a longer one.
pub(super) fn names(said: &[u8], path: &str) -> bool {
    memchr::memmem::find_iter(said, path.as_bytes()).any(|at| {
        let mut rest = said[at + path.len()..].iter();
        match rest.next() {
            // The end of a sentence, or of a name with an extension.
            Some(b'.') => !rest.next().is_some_and(u8::is_ascii_alphanumeric),
            Some(next) => !(next.is_ascii_alphanumeric() || b"_-".contains(next)),
            None => true,
        }
    })
}

/// Whether `git config` was called for more than a look.
fn sets_config(said: &[u8]) -> bool {
    const CALL: &[u8] = b"git config ";
    const LOOKS: [&[u8]; 5] = [b"--get", b"--list", b"-l", b"get ", b"list"];
    memchr::memmem::find_iter(said, CALL).any(|at| {
        let rest = &said[at + CALL.len()..];
        !LOOKS.iter().any(|look| rest.starts_with(look))
    })
}
