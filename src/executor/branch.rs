//! Who moved the integration branch: cco alone does, or the user. What an agent put there is taken back, what the user
//! put there is taken in.

use super::change::issue;
use super::job::Job;
use super::outside::names;
use crate::fsx;
use crate::ids::AttemptId;
use crate::lifecycle::event::Issue;
use crate::tree::{Repository, TreeError};

/// The longest stream that is searched, in bytes: longer ones are searched from their end.
const SEARCHED: u64 = 256 << 20;

/// What became of the branch without cco.
#[derive(Debug, Default)]
pub struct Moved {
    /// The commit that the user moved it to, which is taken in.
    pub adopted: Option<String>,
    /// What the agent did to it.
    pub issue: Option<Issue>,
    /// Where that is kept.
    pub note: Option<String>,
}

/// Looks whether the branch moved since cco last looked. After a step of an agent `attempt` says whose conversation is to
/// be asked.
///
/// # Errors
/// Git's own; among it that the branch is gone.
pub fn look(job: &Job, repository: &Repository, attempt: Option<&AttemptId>) -> Result<Moved, TreeError> {
    let mut known = job.tips.lock();
    let tip = repository.tip()?;
    let Some(before) = known.clone().filter(|known| *known != tip) else { return Ok(Moved::default()) };
    if let Some(attempt) = attempt.filter(|attempt| speaks_of_it(job, repository, attempt)) {
        let kept = format!("agent/{}-branch", attempt.file_stem());
        repository.keep(&kept, &tip)?;
        repository.reset_branch(&tip, &before)?;
        let branch = repository.branch();
        let text = format!("the step moved the branch `{branch}`, which only cco does; that was taken back");
        let mend = "leave branches alone; cco brings the work there once it is checked";
        return Ok(Moved {
            adopted: None,
            issue: Some(issue("write_set:branch", None, None, text, Some(mend))),
            note: Some(format!("what it put there is kept as `refs/cco/{}/{kept}`", job.plan.spec)),
        });
    }
    *known = Some(tip.clone());
    Ok(Moved { adopted: Some(tip), ..Moved::default() })
}

fn speaks_of_it(job: &Job, repository: &Repository, attempt: &AttemptId) -> bool {
    let said = fsx::read_tail(&job.paths.stream(attempt), SEARCHED).unwrap_or_default();
    let moves = |call: &str| memchr::memmem::find(&said, call.as_bytes()).is_some();
    names(&said, repository.branch()) || moves("update-ref") || moves("git branch") || moves("refs/heads")
}
