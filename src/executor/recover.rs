//! What a dead run left: its processes are ended, its attempts settled from the first stage that is missing.

use super::job::Job;
use super::worker::{Ended, conclude, ended, kind_of};
use crate::agent::{self, Adopted};
use crate::ids::{AttemptId, Step};
use crate::lifecycle::event::AttemptEnd;
use crate::process::orphans;

/// Ends every process that carries the mark of an earlier run of this spec; tells how many there were.
pub async fn end_strays(spec_mark: &str) -> usize {
    orphans::end_all(spec_mark, 1).await.len()
}

/// How an attempt in flight ended whose run died: a complete answer is adopted and its work committed (or the commit
/// found that exists already); anything else was interrupted. A check without a reaped status runs again.
///
/// `others` is what the other attempts in flight own: they may have left it half written.
pub fn settle_left(job: &Job, attempt: AttemptId, resumed: bool, others: &[String]) -> Ended {
    if matches!(attempt.step, Step::Check(_)) {
        return ended(attempt, AttemptEnd::Interrupted { resumable: false });
    }
    match agent::adopt(&job.paths.stream(&attempt), kind_of(&attempt.step), job.redactor.clone()) {
        Ok(Adopted::Complete(reply)) => {
            let mut adopted = adopt(job, attempt, *reply, others);
            adopted.notes.push("its result was complete when the run died, and was adopted".to_owned());
            adopted
        }
        Ok(Adopted::Interrupted { resumable }) => {
            ended(attempt, AttemptEnd::Interrupted { resumable: resumable || resumed })
        }
        Ok(Adopted::Nothing) => ended(attempt, AttemptEnd::Interrupted { resumable: resumed }),
        Err(error) => {
            let mut left = ended(attempt, AttemptEnd::Interrupted { resumable: resumed });
            left.notes.push(format!("its stream cannot be read: {error}"));
            left
        }
    }
}

fn adopt(job: &Job, attempt: AttemptId, reply: agent::Reply, others: &[String]) -> Ended {
    let known = job.tree.commit_of(&attempt);
    let mut adopted = conclude(job, attempt, reply, others);
    if let (AttemptEnd::Wrote { commit, .. }, Ok(Some(found))) = (&mut adopted.end, known)
        && commit.is_none()
    {
        *commit = Some(found.into());
    }
    adopted
}
