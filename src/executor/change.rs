//! The change checks: what a writing step left in the tree is compared with what it may change and with what was there
//! before, and the checkout of the user with what it was. What is not the step's to change is undone before the commit.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::job::Job;
use super::owners::Breach;
use crate::fsx;
use crate::ids::{AttemptId, Digest, Step, Subject};
use crate::lifecycle::event::Issue;
use crate::lifecycle::report::Severity;
use crate::plan::graph::Index;
use crate::spec::writeset::WriteSet;
use crate::tamper;
use crate::tree::{Bounds, Change, Contents, Fingerprint, TreeError, Until, Worktree, changed_between};

/// The longest stream that is searched for a path, in bytes: longer ones are searched from their end.
const SEARCHED: u64 = 256 << 20;

/// What was known before a writing step began, as far as it could be had.
#[derive(Debug, Default)]
pub struct Before {
    /// The user's checkout.
    pub checkout: Option<Fingerprint>,
    /// The component's first commit; none while it has none.
    pub first: Option<String>,
    /// Whether the component was worked on before.
    pub worked: bool,
    /// The last commit on the branch.
    pub tip: Option<String>,
    /// What differed from the last commit then: somebody's work that is not finished.
    pub dirty: HashSet<PathBuf>,
}

/// Takes back commits that the agent made by itself, keeping them aside: what it did is then judged like everything else.
pub fn take_back(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    tip: Option<&str>,
) -> Result<Option<String>, TreeError> {
    let Some(tip) = tip else { return Ok(None) };
    let Some(moved) = worktree.moved_since(tip)? else { return Ok(None) };
    worktree.keep(&job.plan.spec, &format!("agent/{}", attempt.file_stem()), &moved.head)?;
    worktree.take_back(tip)?;
    Ok(Some(format!(
        "it made {} by itself, which only cco does; they are kept aside, and what they hold is judged as its work",
        crate::text::plural(moved.new.len().max(1), "commit"),
    )))
}

/// The files that the step changed and may, and an issue for each that it may not: that change is kept as a patch and
/// undone. What `others` are writing is theirs.
pub fn hold_to_write_set(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    others: &dyn Fn() -> Vec<Subject>,
) -> Result<(Vec<PathBuf>, Vec<Issue>), TreeError> {
    let changed = worktree.uncommitted()?;
    let others = WriteSet::new(job.patterns_of(&others()).iter().map(String::as_str)).unwrap_or_default();
    let (mut own, mut undo, mut issues) = (Vec::new(), Vec::new(), Vec::new());
    for path in changed.into_iter().map(|changed| changed.path) {
        if others.matches(intended(&path).as_ref()) {
            continue;
        }
        let breach = match &attempt.on {
            Subject::Component(id) => job.plan.index(id).and_then(|at| job.owners.breach(at, &path)),
            Subject::Run => job.owners.breach_of_run(&path),
        };
        match breach {
            None => own.push(path),
            Some(breach) => {
                issues.push(breached(&path, &breach));
                undo.push(path);
            }
        }
    }
    if !undo.is_empty() {
        let patch = job.paths.runs().join(format!("{}.undone.patch", attempt.file_stem()));
        worktree.undo(&undo, &patch)?;
    }
    Ok((own, issues))
}

/// The agent writes a file under a name of its own beside it, and renames it then.
fn intended(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    PathBuf::from(text.split_once(".tmp.").map_or(&*text, |(file, _)| file))
}

fn breached(path: &Path, breach: &Breach) -> Issue {
    let why = match breach {
        Breach::NotOwn => "it is not in the component's write set".to_owned(),
        Breach::Others(id) => format!("it belongs to the component `{id}`"),
        Breach::Protected => "it is protected: it decides how checks run, or the manifest says so".to_owned(),
    };
    let mend = "do without it, or answer with status `needs_files` and name it";
    let text = format!("the step changed `{}`, which it may not: {why}; the change was undone", path.display());
    issue("write_set", Some(path), None, text, Some(mend))
}

/// What weakens the checks in everything that the subject changed since it began.
pub fn tampering(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    first: Option<&str>,
    commit: Option<&str>,
) -> Result<Vec<Issue>, TreeError> {
    let base = match (first.or(commit), &attempt.on) {
        (_, Subject::Run) => job.tree.branch().map(|(_, base)| base.to_owned()),
        (Some(first), Subject::Component(_)) => Some(format!("{first}^")),
        (None, Subject::Component(_)) => None,
    };
    let Some(base) = base else { return Ok(Vec::new()) };
    let at = job.index_of(&attempt.on);
    let wanted = |path: &Path| at.is_none_or(|at| job.owners.owns(at, path) || !job.owners.others_own(at, path));
    let changes = worktree.changes(&base, Until::Commit("HEAD"), &wanted, Bounds::default())?;
    let mut issues: Vec<Issue> = changes.iter().filter_map(unread).collect();
    let files = changes.into_iter().map(file_of).collect();
    let found = tamper::findings(&tamper::Changes { files }, &context(job, at));
    issues.extend(found.into_iter().map(|found| {
        let text = format!("{} ({}): {}", found.saw, found.rule.code(), found.excerpt);
        issue(&format!("tamper:{}", found.rule.code()), Some(Path::new(&found.path)), Some(found.line), text, None)
    }));
    Ok(issues)
}

/// A file too large to be looked into has not been looked into, which is no pass.
fn unread(change: &Change) -> Option<Issue> {
    let too_large = [&change.old, &change.new].into_iter().flatten().find_map(|side| match side.contents {
        Contents::TooLarge(size) => Some(size),
        Contents::Bytes(_) | Contents::Submodule => None,
    })?;
    // Only what would have been looked into is missed.
    tamper::understands(&change.path.to_string_lossy()).then(|| {
        let text = format!("its {too_large} bytes are too many to be looked into");
        issue("tamper:size", Some(&change.path), None, text, Some("keep sources small, or leave the file as it was"))
    })
}

fn file_of(change: Change) -> tamper::Change {
    let executable = |side: &Option<crate::tree::Side>| side.as_ref().is_some_and(|side| side.mode & 0o111 != 0);
    let (was_executable, is_executable) = (executable(&change.old), executable(&change.new));
    let bytes = |side: Option<crate::tree::Side>| match side?.contents {
        Contents::Bytes(bytes) => Some(bytes),
        Contents::TooLarge(_) | Contents::Submodule => None,
    };
    tamper::Change {
        path: change.path.to_string_lossy().into_owned(),
        renamed_from: None,
        old: bytes(change.old),
        new: bytes(change.new),
        was_executable,
        is_executable,
    }
}

fn context(job: &Job, at: Option<Index>) -> tamper::Context {
    let definition = at.map(|at| &job.manifest.components[at as usize]);
    let set = |patterns: Vec<&str>| WriteSet::new(patterns).unwrap_or_default();
    let all = || job.manifest.components.iter().flat_map(|component| component.write_patterns());
    let own = definition.map_or_else(|| all().collect(), |definition| definition.write_patterns().collect());
    let tests: Vec<&str> =
        job.manifest.components.iter().flat_map(|one| one.tests.iter().map(String::as_str)).collect();
    tamper::Context {
        tests: set(tests),
        write_set: set(own),
        protected: set(job.manifest.execution.protected.iter().map(String::as_str).collect()),
        scripts: set(job.scripts.iter().map(String::as_str).collect()),
        owns_tests: definition.is_none_or(|definition| !definition.tests.is_empty() || definition.files.is_empty()),
    }
}

/// A product that version control does not see would be complete here and missing everywhere else.
pub fn hidden(job: &Job, worktree: &Worktree, attempt: &AttemptId) -> Result<Vec<Issue>, TreeError> {
    let Some(definition) = job.definition_of(&attempt.on) else { return Ok(Vec::new()) };
    let own: Vec<PathBuf> = definition.write_patterns().map(PathBuf::from).collect();
    let ignored = worktree.ignored()?;
    let hidden = own.iter().filter(|path| ignored.iter().any(|ignored| path.starts_with(ignored)));
    let text =
        |path: &Path| format!("`{}` is ignored by version control, so it is not part of the work", path.display());
    Ok(hidden.map(|path| issue("write_set", Some(path), None, text(path), Some("do not ignore it"))).collect())
}

/// A step that says that it is done and changed nothing is not believed.
pub fn claims_nothing(attempt: &AttemptId) -> Option<Issue> {
    let text = "the step says that it is done, and changed nothing; say `nothing_to_do` with the reason if that is so";
    matches!(attempt.step, Step::Skeleton | Step::Implement)
        .then(|| issue("change:nothing", None, None, text.to_owned(), None))
}

/// What changed in the user's checkout meanwhile. Never undone: the user works there. An issue where the conversation
/// named the path, else worth a note.
pub fn checkout(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    before: &Before,
) -> Result<(Vec<Issue>, Vec<String>), TreeError> {
    let Some(fingerprint) = &before.checkout else { return Ok((Vec::new(), Vec::new())) };
    let changed = changed_between(fingerprint, &worktree.main_checkout()?);
    let (mut issues, mut notes) = (Vec::new(), Vec::new());
    if changed.is_empty() {
        return Ok((issues, notes));
    }
    let said = fsx::read_tail(&job.paths.stream(attempt), SEARCHED).unwrap_or_default();
    for path in changed {
        let named = path.to_str().is_some_and(|path| memchr::memmem::find(&said, path.as_bytes()).is_some());
        if named {
            let text = format!(
                "`{}` in the user's own checkout changed while the step ran, and the step speaks of it: it must work in its directory only",
                path.display()
            );
            issues.push(issue("write_set:checkout", Some(&path), None, text, None));
        } else {
            notes.push(format!("`{}` in the user's checkout changed while it ran", path.display()));
        }
    }
    Ok((issues, notes))
}

/// An issue of the change checks; each of them blocks.
fn issue(source: &str, file: Option<&Path>, line: Option<u32>, text: String, mend: Option<&str>) -> Issue {
    let file = file.map(|file| file.to_string_lossy().into_owned());
    let digits = |c: &char| !c.is_ascii_digit();
    let folded: String = text.chars().filter(digits).collect();
    let parts = [source.as_bytes(), file.as_deref().unwrap_or_default().as_bytes(), folded.as_bytes()];
    Issue {
        severity: Severity::Major,
        source: source.to_owned(),
        line,
        fingerprint: Digest::of_parts(&parts),
        file,
        text,
        suggested_fix: mend.map(str::to_owned),
    }
}

/// What differs from the last commit now; nothing where that cannot be told or there is no git.
pub fn dirty(job: &Job) -> HashSet<PathBuf> {
    let changed = job.tree.worktree().and_then(|worktree| worktree.uncommitted().ok()).unwrap_or_default();
    changed.into_iter().map(|changed| changed.path).collect()
}

/// Undoes what differs from the last commit and did not when somebody began who must change nothing; gives the paths,
/// and where they are kept. What was half written before is left alone.
///
/// # Errors
/// Git's own.
pub fn undo_new(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    dirty: &HashSet<PathBuf>,
) -> Result<Option<(String, PathBuf)>, TreeError> {
    let changed = worktree.uncommitted()?.into_iter().map(|changed| changed.path);
    let new: Vec<PathBuf> = changed.filter(|path| !dirty.contains(path)).collect();
    if new.is_empty() {
        return Ok(None);
    }
    let patch = job.paths.runs().join(format!("{}.undone.patch", attempt.file_stem()));
    let undone = worktree.undo(&new, &patch)?;
    let paths: Vec<String> = undone.changes.iter().map(|changed| changed.path.display().to_string()).collect();
    // What git itself cannot check out as it was committed is nobody's change.
    Ok((!paths.is_empty()).then(|| (paths.join(", "), undone.patch.unwrap_or(patch))))
}
