//! The change checks: what a writing step left in the tree is compared with what it may change and with what was there
//! before, and the checkout of the user with what it was. What is not the step's to change is undone before the commit.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::common::{Began, Reader};
use super::job::Job;
use super::owners::Breach;
use super::worker::Worked;
use crate::ids::{AttemptId, Digest, Step, Subject};
use crate::lifecycle::event::Issue;
use crate::lifecycle::report::Severity;
use crate::plan::graph::Index;
use crate::spec::manifest::ComponentDef;
use crate::spec::writeset::WriteSet;
use crate::tamper;
use crate::tree::{Bounds, Change, Contents, Fingerprint, TreeError, Until, Worktree};

/// What was known before a step began, as far as it could be had.
#[derive(Debug, Default)]
pub struct Before {
    /// The user's checkout.
    pub checkout: Option<Fingerprint>,
    /// What was done on the subject before.
    pub work: Worked,
    /// The commit that its worktree was at.
    pub head: Option<String>,
    /// What differed from that commit then: somebody's work that is not finished.
    pub dirty: HashSet<PathBuf>,
    /// How often what may only be read had been changed there.
    pub meddled: u64,
    /// What was in the directory that all share, where they do and it is a writer who begins.
    pub began: Option<Began>,
    /// As `began`, where it is one who may only read.
    pub reader: Option<Reader>,
}

/// Takes back commits that the agent made by itself since its worktree was at `head`, keeping them aside: what it did is
/// then judged like everything else.
pub fn take_back(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    head: Option<&str>,
) -> Result<Option<String>, TreeError> {
    let Some(head) = head else { return Ok(None) };
    let Some(moved) = worktree.moved_since(head)? else { return Ok(None) };
    let kept = format!("agent/{}", attempt.file_stem());
    worktree.keep(&kept, &moved.head)?;
    worktree.take_back(head)?;
    let made = match moved.new.len() {
        0 => "what is checked out was changed".to_owned(),
        1 => "a commit was made".to_owned(),
        more => format!("{more} commits were made"),
    };
    Ok(Some(format!(
        "{made} while it ran, which only cco does: taken back and kept as `refs/cco/{}/{kept}`; what it holds is judged as \
         its work",
        job.plan.spec
    )))
}

/// So many files are named one by one; of more, their number is told.
const NAMED: usize = 20;

/// The files that the step changed and may; an issue for each that it may not, whose change is undone, and a note that
/// says where it is kept. Files in `conflicts` are its to resolve, whosever they are.
pub fn hold_to_write_set(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    conflicts: &[PathBuf],
) -> Result<Held, TreeError> {
    let (mut own, mut breaches) = (Vec::new(), Vec::new());
    for path in worktree.uncommitted()?.into_iter().map(|changed| changed.path) {
        let breach = match &attempt.on {
            _ if conflicts.contains(&path) => None,
            Subject::Component(id) => job.plan.index(id).and_then(|at| job.owners().breach(at, &path)),
            Subject::Run => job.owners().breach_of_run(&path),
        };
        match breach {
            None => own.push(path),
            Some(breach) => breaches.push((path, breach)),
        }
    }
    if breaches.is_empty() {
        return Ok(Held { own, issues: Vec::new(), note: None });
    }
    let paths: Vec<PathBuf> = breaches.iter().map(|(path, _)| path.clone()).collect();
    let patch = job.paths.runs().join(format!("{}.undone.patch", attempt.file_stem()));
    let undone = worktree.undo(&paths, &patch)?;
    // Where it is kept differs from step to step, and the issue must not.
    let note = undone.patch.map(|patch| format!("what was undone is kept as `{}`", patch.display()));
    let mut issues: Vec<Issue> =
        breaches.iter().take(NAMED).map(|(path, breach)| breached(path, breach, "the change was undone")).collect();
    if let Some((path, _)) = breaches.get(NAMED) {
        let more = crate::text::plural(breaches.len() - NAMED, "more file");
        let text = format!("the step changed {more} that it may not, `{}` the first; that was undone", path.display());
        issues.push(issue("write_set", None, None, text, Some("keep to the write set")));
    }
    Ok(Held { own, issues, note })
}

/// What of a step's changes is the step's own, and what was not.
#[derive(Debug)]
pub struct Held {
    /// The files that it may change.
    pub own: Vec<PathBuf>,
    /// An issue for each other.
    pub issues: Vec<Issue>,
    /// Where these changes are kept.
    pub note: Option<String>,
}

/// An issue for a change that the step may not make; `then` says what became of it.
pub(super) fn breached(path: &Path, breach: &Breach, then: &str) -> Issue {
    let why = match breach {
        Breach::NotOwn => "it is not in the write set of the component".to_owned(),
        Breach::Outside => "it lies outside of the work directory".to_owned(),
        Breach::Others(id) => format!("it belongs to the component `{id}`"),
        Breach::Protected => "it is protected, since it decides how checks run or the manifest says so".to_owned(),
    };
    let mend = "do without it, or answer with status `needs_files` and name it";
    let text = format!("the step changed `{}`, which it may not ({why}); {then}", path.display());
    issue("write_set", Some(path), None, text, Some(mend))
}

/// Everything that the subject changed since `base`.
pub fn since(worktree: &Worktree, base: &str) -> Result<Vec<Change>, TreeError> {
    worktree.changes(base, Until::Commit("HEAD"), &|_| true, Bounds::default())
}

/// What weakens the checks in the changes of a subject, and code that it left untested. `finished` says whether its
/// tests are due.
///
/// Gives the issues, and what is worth a note.
pub fn tampering(job: &Job, attempt: &AttemptId, changes: Vec<Change>, finished: bool) -> (Vec<Issue>, Vec<String>) {
    let at = job.index_of(&attempt.on);
    let mut issues: Vec<Issue> = changes.iter().filter_map(unread).collect();
    let changes = tamper::Changes { files: changes.into_iter().map(file_of).collect() };
    let context = context(job, at);
    let mut seen: HashMap<Digest, u32> = HashMap::new();
    for found in tamper::findings(&changes, &context) {
        let text = format!("{} ({}): {}", found.saw, found.rule.code(), found.excerpt);
        let source = format!("tamper:{}", found.rule.code());
        let mut issue = issue(&source, Some(Path::new(&found.path)), Some(found.line), text, Some(MEND));
        // Whoever takes one of two that look alike has not taken the other.
        let before = seen.entry(issue.fingerprint).or_default();
        *before += 1;
        if *before > 1 {
            let parts = [&issue.fingerprint.to_string().into_bytes()[..], &before.to_le_bytes()];
            issue.fingerprint = Digest::of_parts(&parts);
        }
        issues.push(issue);
    }
    let mut notes = Vec::new();
    if let Some(definition) = job.definition_of(&attempt.on)
        && finished
        && job.manifest.requires_tests(definition)
        && let Some(code) = tamper::untested(&changes, &context)
    {
        if may_write_tests(definition, &code) {
            issues.push(untested(&code));
        } else {
            notes.push(format!("`{code}` changed without a test, which is not asked for: its write set holds none"));
        }
    }
    (issues, notes)
}

/// What is to be done about a check that was weakened.
const MEND: &str = "undo it, and mend the code instead";

/// A component that must be tested and was not.
fn untested(code: &str) -> Issue {
    let text = format!("`{code}` changed, and no test was added or changed (`require_tests`)");
    issue("change:no_test", Some(Path::new(code)), None, text, Some("add a test that fails without the change"))
}

/// Whether any test could be written within the write set: Rust has them in the file itself.
fn may_write_tests(definition: &ComponentDef, code: &str) -> bool {
    let strict = !definition.files.is_empty();
    let may_hold_one = |pattern: &str| pattern.contains(['*', '?', '[', '{']) || tamper::is_test(pattern);
    !strict || !definition.tests.is_empty() || code.ends_with(".rs") || definition.write_patterns().any(may_hold_one)
}

/// A file too large to be looked into has not been looked into, which is no pass.
fn unread(change: &Change) -> Option<Issue> {
    let too_large = [&change.old, &change.new].into_iter().flatten().find_map(|side| match side.contents {
        Contents::TooLarge(size) => Some(size),
        Contents::Bytes(_) | Contents::Submodule => None,
    })?;
    // Only what would have been looked into is missed.
    tamper::is_looked_into(&change.path.to_string_lossy()).then(|| {
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
    // Not what was given beside it: that says nothing of who may set how checks work.
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
    let granted = job.granted_to(&attempt.on);
    let own = definition.write_patterns().chain(granted.iter().map(String::as_str));
    let own: Vec<PathBuf> = own.map(PathBuf::from).collect();
    let ignored = worktree.ignored()?;
    let hidden = own.iter().filter(|path| ignored.iter().any(|ignored| path.starts_with(ignored)));
    let text =
        |path: &Path| format!("`{}` is ignored by version control, so it is not part of the work", path.display());
    Ok(hidden.map(|path| issue("write_set", Some(path), None, text(path), Some("do not ignore it"))).collect())
}

/// A step that says that it is done and changed nothing is not believed.
pub fn claims_nothing(attempt: &AttemptId, work: &Worked) -> Option<Issue> {
    // There may be nothing to revise; a fix of what was never made has made nothing either.
    let component = matches!(attempt.on, Subject::Component(_));
    let nothing = component && matches!(attempt.step, Step::Skeleton | Step::Implement | Step::Fix) && !work.begun;
    let text = "the step says that it is done, but no file changed";
    let mend = "do the work; if there is nothing to do, answer with status `nothing_to_do` and the reason";
    nothing.then(|| issue("change:nothing", None, None, text.to_owned(), Some(mend)))
}

/// An issue of the change checks; each of them blocks.
pub(super) fn issue(source: &str, file: Option<&Path>, line: Option<u32>, text: String, mend: Option<&str>) -> Issue {
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
pub fn dirty(worktree: Option<&Worktree>) -> HashSet<PathBuf> {
    let changed = worktree.and_then(|worktree| worktree.uncommitted().ok()).unwrap_or_default();
    changed.into_iter().map(|changed| changed.path).collect()
}

/// Files of a conflict in which its marks still stand.
pub fn unresolved(worktree: &Worktree, conflicts: &[PathBuf]) -> Result<Vec<Issue>, TreeError> {
    let marked = worktree.marked(conflicts)?;
    let text = |path: &Path| format!("`{}` still holds the marks of a merge conflict", path.display());
    let mend = "keep what both sides meant, and remove the marks";
    Ok(marked.iter().map(|path| issue("write_set:conflict", Some(path), None, text(path), Some(mend))).collect())
}
