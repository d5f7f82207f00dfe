//! What a reply means for its attempt: a writer's work is compared and committed before it counts, and a reader's word
//! counts only if nobody changed what it read.

use std::path::Path;

use super::branch;
use super::change::{self, Before, Held};
use super::common;
use super::job::Job;
use super::outside::checkout;
use super::put_back::put_back;
use super::site::Site;
use super::untouched::set_right;
use super::worker::Ended;
use crate::agent::{Answer, AnswerKind, Ending, Reply};
use crate::ids::{AttemptId, Digest, Step, Subject};
use crate::lifecycle::event::{AttemptEnd, Change, DENIED, Issue, Trouble};
use crate::lifecycle::report::{Claim, WriterReport};
use crate::spec::manifest::ComponentDef;
use crate::spec::writeset::WriteSet;
use crate::tree::{Commit, Repository, TreeError, Worktree, product};

/// How an attempt ended, by its reply and by what it left in the tree.
pub fn conclude(job: &Job, site: &Site, attempt: AttemptId, reply: Reply, before: &Before) -> Ended {
    let Reply { ending, usage, wall_ms: ms, denials, mut notes } = reply;
    for denial in denials {
        let mend =
            denial.allow.map_or_else(String::new, |rule| format!("; `agent.allow: [\"{rule}\"]` would allow it"));
        notes.push(format!("{DENIED}{}{mend}", denial.call));
    }
    let mut ended =
        Ended { attempt, end: AttemptEnd::Interrupted { resumable: false }, ms, usage, notes, adopted: None };
    ended.end = match ending {
        Ending::Answered(Answer::Wrote(report)) => keep(job, site, &mut ended, report, before),
        Ending::Answered(Answer::Reviewed(report)) => {
            let change = reviewed(job, site);
            AttemptEnd::Reviewed { report: Box::new(report), issues: Vec::new(), change }
        }
        Ending::Answered(Answer::Voted(ballot)) => AttemptEnd::Voted { ballot: Box::new(ballot) },
        Ending::Failed { trouble, message, resumable } => {
            take_back(job, site, &mut ended, before);
            if trouble == Trouble::ConversationLost
                && ended.attempt.step.writes()
                && let Some(worktree) = site.worktree()
            {
                ended.notes.extend(put_back(worktree, &ended.attempt));
            }
            AttemptEnd::Failed { class: trouble, message, resumable }
        }
        Ending::Interrupted { resumable } => {
            take_back(job, site, &mut ended, before);
            AttemptEnd::Interrupted { resumable }
        }
    };
    if !ended.attempt.step.writes() {
        unless_it_meddled(job, site, &mut ended, before);
    }
    ended
}

/// Takes back what was committed by a step that did not come to its end: the next one to commit must not take it along.
fn take_back(job: &Job, site: &Site, ended: &mut Ended, before: &Before) {
    // What a reader did is undone altogether.
    let Some(worktree) = site.worktree().filter(|_| ended.attempt.step.writes()) else { return };
    match change::take_back(job, worktree, &ended.attempt, before.head.as_deref()) {
        Ok(note) => ended.notes.extend(note),
        Err(error) => ended.notes.push(format!("whether it made commits by itself cannot be told: {error}")),
    }
}

/// The word of a reader counts only if its tree stood still: what was changed is kept and undone, also where it came to no
/// word. Of several who read the same tree nobody can say who it was, and all of them may have read what was changed.
fn unless_it_meddled(job: &Job, site: &Site, ended: &mut Ended, before: &Before) {
    let set_right = match (site.worktree(), &job.common, &before.reader) {
        (Some(worktree), _, _) => set_right(job, worktree, &ended.attempt, before.head.as_deref(), &before.dirty),
        (None, Some(common), Some(reader)) => {
            common::unless_it_meddled(job, common, &ended.attempt, reader).map_err(TreeError::from)
        }
        (None, _, _) => return,
    };
    let what = match set_right {
        Ok(None) if site.meddled() == before.meddled => return,
        Ok(None) => {
            "what it read was changed while it ran, by another who may only read; its word does not count".to_owned()
        }
        Ok(Some((what, told))) => {
            site.note_meddled();
            ended.notes.extend(told);
            format!("it may only read, and {what} changed while it ran; that was undone, and its word does not count")
        }
        Err(error) => format!("whether it changed the tree cannot be told: {error}"),
    };
    // A conversation that has written is not gone on with.
    let resumable = false;
    ended.end = match std::mem::replace(&mut ended.end, AttemptEnd::Interrupted { resumable }) {
        // What ended it decides when it is tried again.
        AttemptEnd::Failed { class, message, .. } => {
            ended.notes.push(what);
            AttemptEnd::Failed { class, message, resumable }
        }
        AttemptEnd::Interrupted { .. } => {
            ended.notes.push(what);
            AttemptEnd::Interrupted { resumable }
        }
        _ => AttemptEnd::Failed { class: Trouble::Meddled, message: what, resumable },
    };
}

/// Compares the tree and commits what a writer did; a commit that exists already is taken.
fn keep(job: &Job, site: &Site, ended: &mut Ended, report: WriterReport, before: &Before) -> AttemptEnd {
    match compare_and_commit(job, site, ended, &report, before) {
        Ok(Kept { commit, findings, change }) => {
            let product = product_of(job, site);
            let (report, commit) = (Box::new(report), commit.map(Into::into));
            AttemptEnd::Wrote { report, commit, product, findings, change }
        }
        Err(error) => {
            ended.notes.push("its answer is in its stream file; the work is in the tree, not committed".to_owned());
            AttemptEnd::Failed { class: Trouble::NotStarted, message: error.to_string(), resumable: true }
        }
    }
}

/// What is left of a step's work.
#[derive(Debug, Default)]
pub struct Kept {
    /// The commit that holds it, or its name in `state/objects`.
    pub commit: Option<String>,
    /// What the change checks say of it.
    pub findings: Vec<Issue>,
    /// The change that they judged.
    pub change: Option<Box<Change>>,
}

/// The commit of a step's work and what the change checks say of it.
fn compare_and_commit(
    job: &Job,
    site: &Site,
    ended: &mut Ended,
    report: &WriterReport,
    before: &Before,
) -> Result<Kept, TreeError> {
    let attempt = ended.attempt.clone();
    let (Some(repository), Some(worktree)) = (job.tree.repository(), site.worktree()) else {
        let Some(common) = &job.common else { return Ok(Kept::default()) };
        let (kept, notes) = common::compare(job, common, &attempt, report, &before.work, before.began.as_ref())?;
        ended.notes.extend(notes);
        return Ok(kept);
    };
    let moved = branch::look(job, repository, Some(&attempt))?;
    ended.adopted = moved.adopted.map(Into::into);
    ended.notes.extend(moved.note);
    let taken = change::take_back(job, worktree, &attempt, before.head.as_deref())?;
    ended.notes.extend(taken);
    let Held { own: paths, issues, note } = change::hold_to_write_set(job, worktree, &attempt, &before.work.conflicts)?;
    ended.notes.extend(note);
    let mut findings: Vec<Issue> = moved.issue.into_iter().chain(issues).collect();
    // A commit is made before the report passes the redaction.
    let summary = &job.redactor.text(&report.summary);
    let made = worktree.commit(&Commit { spec: &job.plan.spec, attempt: &attempt, summary, paths: &paths })?;
    // What was committed by a run that died before it could say so.
    let commit = match made {
        Some(made) => Some(made),
        None => worktree.commit_of(&attempt)?,
    };
    if let Some(commit) = &commit {
        worktree.keep(&format!("tip/{}", attempt.on), commit)?;
    }
    if commit.is_none() && report.status == Claim::Done && !repository.holds_work_of(&attempt.on)? {
        findings.extend(change::claims_nothing(&attempt, &before.work));
    }
    let finished = report.status == Claim::Done && attempt.step != Step::Skeleton;
    let judged = judge(job, repository, worktree, &attempt, &before.work, finished)?;
    findings.extend(judged.findings);
    ended.notes.extend(judged.notes);
    let (touched, told) = checkout(job, repository, &attempt, before)?;
    findings.extend(touched);
    ended.notes.extend(told);
    Ok(Kept { commit, findings, change: Some(Box::new(judged.change)) })
}

/// What the change checks say of a subject's work.
pub struct Judged {
    /// What blocks.
    pub findings: Vec<Issue>,
    /// What is worth a note.
    pub notes: Vec<String>,
    /// Which change it was.
    pub change: Change,
}

/// Makes the change checks on all that a subject's worktree holds beyond the branch.
///
/// # Errors
/// Git's own.
pub fn judge(
    job: &Job,
    repository: &Repository,
    worktree: &Worktree,
    attempt: &AttemptId,
    work: &super::worker::Worked,
    finished: bool,
) -> Result<Judged, TreeError> {
    let base = base_of(repository, worktree, &attempt.on)?;
    let (mut findings, notes) = change::tampering(job, attempt, change::since(worktree, &base)?, finished);
    findings.extend(change::hidden(job, worktree, attempt)?);
    findings.extend(change::unresolved(worktree, &work.conflicts)?);
    Ok(Judged { findings, notes, change: change_of(worktree, &base)? })
}

/// What a subject's work is compared with: where it left the branch; of the whole, where the branch began.
pub fn base_of(repository: &Repository, worktree: &Worktree, on: &Subject) -> Result<String, TreeError> {
    match on {
        Subject::Run => Ok(repository.base().to_owned()),
        Subject::Component(_) => {
            let left = repository.merge_base(&worktree.head()?, &repository.tip()?)?;
            Ok(left.unwrap_or_else(|| repository.base().to_owned()))
        }
    }
}

fn change_of(worktree: &Worktree, base: &str) -> Result<Change, TreeError> {
    let patch = worktree.patch_id(base, "HEAD", &|_| true)?;
    Ok(Change { base: base.into(), tree: worktree.tree()?.into(), patch: patch.map(Into::into) })
}

/// The change that a reviewer judged; none where that cannot be told.
fn reviewed(job: &Job, site: &Site) -> Option<Box<Change>> {
    let (repository, worktree) = (job.tree.repository()?, site.worktree()?);
    let base = base_of(repository, worktree, &site.on).ok()?;
    change_of(worktree, &base).ok().map(Box::new)
}

/// The digest of a component's own files, as they are in its place; none of the run itself.
pub fn product_of(job: &Job, site: &Site) -> Option<Digest> {
    let definition = job.definition_of(&site.on)?;
    Some(product_in(&site.dir, definition, &job.granted_to(&site.on)))
}

/// The digest of a component's own files, and of those that it was given, as they are in a work directory.
pub fn product_in(dir: &Path, definition: &ComponentDef, granted: &[String]) -> Digest {
    let patterns = || definition.write_patterns().chain(granted.iter().map(String::as_str));
    let is_glob = |path: &str| path.contains(['*', '?', '[', '{']);
    let literal: Vec<String> = patterns().filter(|path| !is_glob(path)).map(str::to_owned).collect();
    let globs = WriteSet::new(patterns().filter(|path| is_glob(path))).ok().filter(|set| !set.is_empty());
    let owns = |path: &str| globs.as_ref().is_some_and(|set| set.matches(path.as_ref()));
    product(dir, &literal, globs.is_some(), owns)
}

/// What an agent step must answer with.
pub fn kind_of(step: &Step) -> AnswerKind {
    match step {
        Step::Review(_) => AnswerKind::Review,
        Step::Vote { .. } => AnswerKind::Ballot,
        Step::Skeleton
        | Step::Implement
        | Step::Revise
        | Step::Fix
        | Step::Resolve
        | Step::Check(_)
        | Step::Compare
        | Step::Integrate => AnswerKind::Writer,
    }
}
