//! How things are before an agent begins, once its files are where it is to begin.

use std::collections::HashSet;

use super::Worked;
use crate::executor::change::{self, Before};
use crate::executor::common;
use crate::executor::job::Job;
use crate::executor::origin::go_back;
use crate::executor::site::Site;
use crate::ids::AttemptId;
use crate::lifecycle::subject::Origin;
use crate::tree::{Fingerprint, Repository, TreeError};

/// What is known before an agent begins, once its files are where it is to begin; with what is worth recording.
pub(super) fn before(
    job: &Job,
    site: &Site,
    attempt: &AttemptId,
    origin: Option<&Origin>,
    work: Worked,
) -> Result<(Before, Vec<String>), TreeError> {
    let (Some(repository), Some(worktree)) = (job.tree.repository(), site.worktree()) else {
        return before_in_common(job, site, attempt, origin, work);
    };
    let notes = match origin {
        Some(origin) => go_back(job, repository, worktree, attempt, origin)?,
        None => Vec::new(),
    };
    let writes = attempt.step.writes();
    let before = Before {
        checkout: if writes { checkout(repository) } else { None },
        work,
        head: Some(worktree.head()?),
        dirty: if writes { HashSet::new() } else { change::dirty(Some(worktree)) },
        meddled: site.meddled(),
        began: None,
        reader: None,
    };
    Ok((before, notes))
}

/// As [`before`], in the directory that all share.
fn before_in_common(
    job: &Job,
    site: &Site,
    attempt: &AttemptId,
    origin: Option<&Origin>,
    work: Worked,
) -> Result<(Before, Vec<String>), TreeError> {
    let mut before = Before { meddled: site.meddled(), ..Before::default() };
    let mut notes = Vec::new();
    if let Some(common) = &job.common {
        if attempt.step.writes() {
            let (began, told) = common::begin(job, common, attempt, origin, &work)?;
            before.began = Some(began);
            notes = told;
        } else {
            let checking = site.checking().count > 0;
            before.reader = Some(common::begin_reading(common, checking)?);
        }
    }
    Ok((Before { work, ..before }, notes))
}

/// What the user's checkout is like; none where it cannot be told.
fn checkout(repository: &Repository) -> Option<Fingerprint> {
    let fingerprint = repository.main_checkout();
    fingerprint.map_err(|error| tracing::warn!("the user's checkout cannot be watched: {error}")).ok()
}
