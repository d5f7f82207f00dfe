//! What a dead run left: its processes are ended, its attempts settled from the first stage that is missing.

use super::change::Before;
use super::conclude::{Surroundings, conclude, kind_of};
use super::job::Job;
use super::put_back::put_back;
use super::worker::{Ended, Worked, ended};
use crate::agent::{self, Adopted};
use crate::ids::{AttemptId, Step, Subject};
use crate::lifecycle::event::AttemptEnd;
use crate::process::orphans;

/// Ends every process that carries the mark of an earlier run of this spec; tells how many there were.
pub async fn end_strays(spec_mark: &str) -> usize {
    orphans::end_all(spec_mark, 1).await.len()
}

/// How an attempt in flight ended whose run died: a complete answer is adopted and its work committed (or the commit
/// found that exists already); anything else was interrupted, and begins again from the last commit where its
/// conversation cannot be gone on with. A check without a reaped status runs again.
///
/// `others` are the other attempts in flight: they may have left their own half written.
pub fn settle_left(job: &Job, attempt: AttemptId, resumed: bool, others: &[Subject], work: Worked) -> Ended {
    if matches!(attempt.step, Step::Check(_)) {
        return ended(attempt, AttemptEnd::Interrupted { resumable: false });
    }
    let stream = job.paths.stream(&attempt);
    let (resumable, trouble) = match agent::adopt(&stream, kind_of(&attempt.step), job.redactor.clone()) {
        Ok(Adopted::Complete(reply)) => {
            let mut adopted = adopt(job, attempt, *reply, others, work);
            adopted.notes.push("its result was complete when the run died, and was adopted".to_owned());
            return adopted;
        }
        Ok(Adopted::Interrupted { resumable }) => (resumable || resumed, None),
        Ok(Adopted::Nothing) => (resumed, None),
        Err(error) => (resumed, Some(format!("its stream cannot be read: {error}"))),
    };
    let mut left = ended(attempt, AttemptEnd::Interrupted { resumable });
    left.notes.extend(trouble);
    if !resumable && left.attempt.step.writes() {
        left.notes.extend(put_back(job, &left.attempt, others));
    }
    left
}

fn adopt(job: &Job, attempt: AttemptId, reply: agent::Reply, others: &[Subject], work: Worked) -> Ended {
    let known = job.tree.commit_of(&attempt);
    // What was there before it is not known any more.
    let before = Before { work, ..Before::default() };
    let around = Surroundings { others: &|| others.to_vec(), before };
    let mut adopted = conclude(job, attempt, reply, &around);
    if let (AttemptEnd::Wrote { commit, .. }, Ok(Some(found))) = (&mut adopted.end, known)
        && commit.is_none()
    {
        *commit = Some(found.into());
    }
    adopted
}
