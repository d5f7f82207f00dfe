//! What a reply means for its attempt: a writer's work is compared and committed before it counts, and a reader's word
//! counts only if it changed nothing.

use super::change::{self, Before, Held};
use super::job::Job;
use super::outside::checkout;
use super::put_back::put_back;
use super::untouched::set_right;
use super::worker::Ended;
use crate::agent::{Answer, AnswerKind, Ending, Reply};
use crate::ids::{AttemptId, Digest, Step, Subject};
use crate::lifecycle::event::{AttemptEnd, DENIED, Issue, Trouble};
use crate::lifecycle::report::{Claim, WriterReport};
use crate::spec::manifest::ComponentDef;
use crate::spec::writeset::WriteSet;
use crate::tree::{Commit, TreeError, Worktree, product};

/// What else must be known to judge a reply.
pub struct Surroundings<'a> {
    /// Gives the others that are writing now, or left something half written. Asked after the tree was looked at: who
    /// begins later has nothing in it yet.
    pub others: &'a dyn Fn() -> Vec<Subject>,
    /// What was there before the step.
    pub before: Before,
}

/// How an attempt ended, by its reply and by what it left in the tree.
pub fn conclude(job: &Job, attempt: AttemptId, reply: Reply, around: &Surroundings<'_>) -> Ended {
    let Reply { ending, usage, wall_ms: ms, denials, mut notes } = reply;
    for denial in denials {
        let mend =
            denial.allow.map_or_else(String::new, |rule| format!("; `agent.allow: [\"{rule}\"]` would allow it"));
        notes.push(format!("{DENIED}{}{mend}", denial.call));
    }
    let end = match ending {
        Ending::Answered(Answer::Wrote(report)) => keep(job, &attempt, report, around, &mut notes),
        Ending::Answered(Answer::Reviewed(report)) => {
            AttemptEnd::Reviewed { report: Box::new(report), issues: Vec::new() }
        }
        Ending::Answered(Answer::Voted(ballot)) => AttemptEnd::Voted { ballot: Box::new(ballot) },
        Ending::Failed { trouble, message, resumable } => {
            notes.extend(take_back(job, &attempt));
            if trouble == Trouble::ConversationLost && attempt.step.writes() {
                notes.extend(put_back(job, &attempt, &(around.others)()));
            }
            AttemptEnd::Failed { class: trouble, message, resumable }
        }
        Ending::Interrupted { resumable } => {
            notes.extend(take_back(job, &attempt));
            AttemptEnd::Interrupted { resumable }
        }
    };
    let end =
        if attempt.step.writes() { end } else { unless_it_meddled(job, &attempt, &around.before, &mut notes, end) };
    Ended { attempt, end, ms, usage, notes }
}

/// Takes back what was committed by a step that did not come to its end: the next one to commit must not take it along.
fn take_back(job: &Job, attempt: &AttemptId) -> Option<String> {
    // What a reader did is undone altogether.
    let worktree = job.tree.worktree().filter(|_| attempt.step.writes())?;
    let tip = job.tips.lock();
    match change::take_back(job, worktree, attempt, tip.as_deref()) {
        Ok(note) => note,
        Err(error) => Some(format!("whether it made commits by itself cannot be told: {error}")),
    }
}

/// The word of a reader counts only if the tree is as it was: what it changed is kept and undone, also where it came to
/// no word.
fn unless_it_meddled(
    job: &Job,
    attempt: &AttemptId,
    before: &Before,
    notes: &mut Vec<String>,
    end: AttemptEnd,
) -> AttemptEnd {
    let Some(worktree) = job.tree.worktree() else { return end };
    let what = match set_right(job, worktree, attempt, &before.dirty) {
        Ok(None) => return end,
        Ok(Some((what, told))) => {
            notes.extend(told);
            format!("it may only read, and {what} changed while it ran; that was undone, and its word does not count")
        }
        Err(error) => format!("whether it changed the tree cannot be told: {error}"),
    };
    // A conversation that has written is not gone on with.
    let resumable = false;
    match end {
        // What ended it decides when it is tried again.
        AttemptEnd::Failed { class, message, .. } => {
            notes.push(what);
            AttemptEnd::Failed { class, message, resumable }
        }
        AttemptEnd::Interrupted { .. } => {
            notes.push(what);
            AttemptEnd::Interrupted { resumable }
        }
        _ => AttemptEnd::Failed { class: Trouble::Meddled, message: what, resumable },
    }
}

/// Compares the tree and commits what a writer did; a commit that exists already is taken.
fn keep(
    job: &Job,
    attempt: &AttemptId,
    report: WriterReport,
    around: &Surroundings<'_>,
    notes: &mut Vec<String>,
) -> AttemptEnd {
    match compare_and_commit(job, attempt, &report, around, notes) {
        Ok((commit, findings)) => {
            let product = job.definition_of(&attempt.on).map(|definition| product_of(job, definition));
            AttemptEnd::Wrote { report: Box::new(report), commit: commit.map(Into::into), product, findings }
        }
        Err(error) => {
            notes.push("its answer is in its stream file; the work is in the tree, not committed".to_owned());
            AttemptEnd::Failed { class: Trouble::NotStarted, message: error.to_string(), resumable: true }
        }
    }
}

/// The commit of a step's work and what the change checks say of it. Without git nothing can be compared with what was.
fn compare_and_commit(
    job: &Job,
    attempt: &AttemptId,
    report: &WriterReport,
    around: &Surroundings<'_>,
    notes: &mut Vec<String>,
) -> Result<(Option<String>, Vec<Issue>), TreeError> {
    let Some(worktree) = job.tree.worktree() else { return Ok((None, Vec::new())) };
    let before = &around.before;
    // Held to the end of the commit: what another step commits meanwhile must not look like somebody else's.
    let mut tip = job.tips.lock();
    let alone = *tip == before.tip;
    notes.extend(change::take_back(job, worktree, attempt, tip.as_deref())?);
    let Held { own: paths, issues: mut findings, note } =
        change::hold_to_write_set(job, worktree, attempt, around.others)?;
    notes.extend(note);
    // A commit is made before the report is redacted.
    let summary = &job.redactor.text(&report.summary);
    let made = job.tree.commit(&Commit { spec: &job.plan.spec, attempt, summary, paths: &paths })?;
    if let Some(made) = &made {
        *tip = Some(made.clone());
    }
    drop(tip);
    // What was committed by a run that died before it could say so.
    let made = match made {
        Some(made) => Some(made),
        None => job.tree.commit_of(attempt)?,
    };
    // Where others commit meanwhile, files that nobody owns can be in a commit of theirs.
    if made.is_none() && alone && report.status == Claim::Done {
        findings.extend(change::claims_nothing(attempt, &before.work));
    }
    findings.extend(judge(job, worktree, attempt, report, before, made.as_deref(), notes)?);
    Ok((made, findings))
}

fn judge(
    job: &Job,
    worktree: &Worktree,
    attempt: &AttemptId,
    report: &WriterReport,
    before: &Before,
    made: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Vec<Issue>, TreeError> {
    let first = before.work.first.as_deref().or(made);
    let finished = report.status == Claim::Done && attempt.step != Step::Skeleton;
    let (mut findings, untested) = change::tampering(job, worktree, attempt, first, finished)?;
    notes.extend(untested);
    findings.extend(change::hidden(job, worktree, attempt)?);
    let (touched, told) = checkout(job, worktree, attempt, before)?;
    findings.extend(touched);
    notes.extend(told);
    Ok(findings)
}

fn product_of(job: &Job, definition: &ComponentDef) -> Digest {
    let patterns = || definition.write_patterns();
    let is_glob = |path: &str| path.contains(['*', '?', '[', '{']);
    let literal: Vec<String> = patterns().filter(|path| !is_glob(path)).map(str::to_owned).collect();
    let globs = WriteSet::new(patterns().filter(|path| is_glob(path))).ok().filter(|set| !set.is_empty());
    let owns = |path: &str| globs.as_ref().is_some_and(|set| set.matches(path.as_ref()));
    product(job.tree.dir(), &literal, globs.is_some(), owns)
}

/// What an agent step must answer with.
pub fn kind_of(step: &Step) -> AnswerKind {
    match step {
        Step::Skeleton | Step::Implement | Step::Revise | Step::Fix | Step::Resolve | Step::Check(_) => {
            AnswerKind::Writer
        }
        Step::Review(_) => AnswerKind::Review,
        Step::Vote { .. } => AnswerKind::Ballot,
    }
}
