//! Work goes onto the integration branch: it catches up with what is there, and lands as one commit.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;

use super::branch;
use super::conclude::product_of;
use super::job::Job;
use super::prepare::command_run;
use super::site::Site;
use super::worker::{Ended, Worked, ended};
use crate::check::{self, Ran};
use crate::ids::AttemptId;
use crate::lifecycle::delivery::Met;
use crate::lifecycle::event::{AttemptEnd, Integration, Trouble, Verdict};
use crate::process::Stop;
use crate::tree::{Commit, GitError, Landing, Merge, Merged, Repository, TreeError, Worktree};

/// How long a command that makes a shared file anew may take.
const REGENERATE_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// How often the branch may move away under a landing.
const TRIES: usize = 8;

/// Brings a subject's work onto the branch, or a step nearer to it. What was merged with others' work lands at once only
/// where nothing has to be checked again.
pub async fn integrate(
    job: &Job,
    site: &Site,
    attempt: AttemptId,
    work: &Worked,
    recheck: bool,
    stop: &watch::Receiver<Stop>,
) -> Ended {
    let (Some(repository), Some(worktree)) = (job.tree.repository(), site.worktree()) else {
        return failed(attempt, "there is no repository to integrate in".to_owned());
    };
    let mut out = ended(attempt, AttemptEnd::Interrupted { resumable: false });
    let way = Way { job, repository, worktree, site, work };
    for _ in 0..TRIES {
        match way.go(&mut out, recheck, stop).await {
            Ok(Some(integration)) => {
                out.end = AttemptEnd::Integrated(Box::new(integration));
                return out;
            }
            Ok(None) => {}
            Err(Failure::Stopped) => return out,
            Err(Failure::Tree(error)) => return Ended { end: trouble(error.to_string()), ..out },
            Err(Failure::Said(why)) => return Ended { end: trouble(why), ..out },
        }
    }
    Ended { end: trouble("the integration branch is moved by somebody else all the time".to_owned()), ..out }
}

/// What a dead run had landed already before it could say so.
///
/// # Errors
/// Git's own.
pub fn landed(
    job: &Job,
    repository: &Repository,
    attempt: &AttemptId,
    work: &Worked,
) -> Result<Option<Integration>, TreeError> {
    let since = work.branch.as_deref().unwrap_or_else(|| repository.base());
    let Some(commit) = repository.landed(attempt, since)? else { return Ok(None) };
    if let Some(worktree) = repository.worktree(&attempt.on)? {
        worktree.position(&commit)?;
    }
    *job.tips.lock() = Some(repository.tip()?);
    let tree = repository.tree_of(&commit)?.into();
    Ok(Some(Integration::Landed { commit: Some(commit.into()), tree, product: None }))
}

enum Failure {
    Stopped,
    Tree(TreeError),
    Said(String),
}

impl From<TreeError> for Failure {
    fn from(error: TreeError) -> Self {
        Self::Tree(error)
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        Self::Tree(error.into())
    }
}

struct Way<'a> {
    job: &'a Job,
    repository: &'a Repository,
    worktree: &'a Worktree,
    site: &'a Site,
    work: &'a Worked,
}

impl Way<'_> {
    /// One try; none where the branch moved meanwhile.
    async fn go(
        &self,
        out: &mut Ended,
        recheck: bool,
        stop: &watch::Receiver<Stop>,
    ) -> Result<Option<Integration>, Failure> {
        let moved = tokio::task::block_in_place(|| branch::look(self.job, self.repository, None))?;
        if let Some(adopted) = moved.adopted {
            out.adopted = Some(adopted.into());
        }
        let (tip, head) = (self.repository.tip()?, self.worktree.head()?);
        if let Some(known) = &self.work.branch
            && !self.repository.is_ancestor(known, &tip)?
        {
            let name = self.repository.branch();
            return Err(Failure::Said(format!(
                "the integration branch `{name}` was rewritten: it no longer holds {known}, which cco put there\nhelp: `git \
                 branch -f {name} {known}` brings it back"
            )));
        }
        // What is there beside the work that was judged has not been judged.
        let judged = self.work.tip.as_ref() == Some(&head) || self.repository.is_ancestor(&head, &tip)?;
        if recheck && !judged {
            self.keep_tip(&out.attempt, &head)?;
            return Ok(Some(Integration::CaughtUp { commit: head.into() }));
        }
        if self.repository.is_ancestor(&tip, &head)? {
            return Ok(self.land(&out.attempt, &tip, &head)?);
        }
        let (spec, called) = (&*self.job.plan.spec, self.repository.branch());
        let merge = Merge { spec, on: &out.attempt.on, commit: &tip, called };
        match tokio::task::block_in_place(|| self.worktree.merge(&merge))? {
            Merged::UpToDate => Ok(None),
            Merged::Clean { commit } => {
                self.keep_tip(&out.attempt, &commit)?;
                if recheck {
                    return Ok(Some(Integration::CaughtUp { commit: commit.into() }));
                }
                Ok(self.land(&out.attempt, &tip, &commit)?)
            }
            Merged::Conflicts { commit, files } => {
                self.keep_tip(&out.attempt, &commit)?;
                self.settle_conflicts(out, &tip, commit, files, stop).await.map(Some)
            }
        }
    }

    /// One commit on the branch, of what is checked out as `head`; none where the branch is not at `tip` any more.
    fn land(&self, attempt: &AttemptId, tip: &str, head: &str) -> Result<Option<Integration>, TreeError> {
        let tree = self.worktree.tree()?;
        let product = product_of(self.job, self.site);
        if self.repository.tree_of(tip)? == tree {
            self.worktree.position(tip)?;
            return Ok(Some(Integration::Landed { commit: None, tree: tree.into(), product }));
        }
        // What cannot be told of a conflict is no reason not to land.
        let met = |met: &Met| match self.repository.conflict(&met.commit, &met.files) {
            Ok(resolved) => Some(resolved),
            Err(error) => {
                tracing::warn!("which conflict {attempt} resolved is not told: {error}");
                None
            }
        };
        let resolved: Vec<_> = self.work.met.iter().filter_map(met).collect();
        let message = Landing {
            spec: &self.job.plan.spec,
            attempt,
            summary: &self.work.summary,
            base: self.repository.base(),
            onto: tip,
            tip: head,
            tree: &tree,
            input: self.job.input_of(&attempt.on),
            simulated: self.job.program.simulated,
            resolved: &resolved,
        }
        .message();
        let mut known = self.job.tips.lock();
        let Some(commit) = self.repository.land(&tree, tip, &message)? else { return Ok(None) };
        *known = Some(commit.clone());
        drop(known);
        self.worktree.position(&commit)?;
        Ok(Some(Integration::Landed { commit: Some(commit.into()), tree: tree.into(), product }))
    }

    /// Files that a command makes anew are made anew; what is left is for an agent to resolve.
    async fn settle_conflicts(
        &self,
        out: &mut Ended,
        tip: &str,
        commit: String,
        files: Vec<PathBuf>,
        stop: &watch::Receiver<Stop>,
    ) -> Result<Integration, Failure> {
        let mut open = Vec::new();
        for file in files {
            if self.regenerates(&file).is_some() {
                // No command reads a file with the marks of a conflict in it.
                self.worktree.take_from(tip, std::slice::from_ref(&file))?;
            }
            match self.regenerates(&file) {
                Some(command) if self.regenerate(out, &command, stop).await? => {}
                _ => open.push(file),
            }
        }
        let made = self.commit_what_was_made(&out.attempt)?;
        let commit = made.unwrap_or(commit);
        self.keep_tip(&out.attempt, &commit)?;
        let commit = commit.into();
        if open.is_empty() {
            return Ok(Integration::CaughtUp { commit });
        }
        let files = open.iter().map(|file| file.to_string_lossy().into_owned()).collect();
        Ok(Integration::Conflicts { commit, files })
    }

    fn regenerates(&self, file: &Path) -> Option<String> {
        let shared = self.job.manifest.shared_files();
        shared
            .iter()
            .find(|shared| Path::new(&shared.path) == file)?
            .regenerate
            .as_ref()
            .map(|text| text.as_str().to_owned())
    }

    /// Runs a command that makes a file anew; tells whether it did.
    async fn regenerate(&self, out: &mut Ended, command: &str, stop: &watch::Receiver<Stop>) -> Result<bool, Failure> {
        let log = format!("{}.regenerate.log", out.attempt.file_stem());
        let run = command_run(self.job, &self.site.dir, &out.attempt, "regenerate", command, log, REGENERATE_TIMEOUT);
        match check::run(&self.job.supervisor, run, stop.clone()).await {
            Ran::Interrupted => Err(Failure::Stopped),
            Ran::Checked(result) => {
                let made = result.verdict == Verdict::Pass;
                let how = if made { "made a shared file anew" } else { "failed; the conflict is left to an agent" };
                out.notes.push(format!("`{command}` {how}"));
                Ok(made)
            }
        }
    }

    fn commit_what_was_made(&self, attempt: &AttemptId) -> Result<Option<String>, TreeError> {
        let paths: Vec<PathBuf> = self.worktree.uncommitted()?.into_iter().map(|changed| changed.path).collect();
        let summary = "make shared files anew";
        let input = self.job.input_of(&attempt.on);
        Ok(self.worktree.commit(&Commit { spec: &self.job.plan.spec, attempt, summary, input, paths: &paths })?)
    }

    fn keep_tip(&self, attempt: &AttemptId, commit: &str) -> Result<(), TreeError> {
        self.worktree.keep(&format!("tip/{}", attempt.on), commit)
    }
}

fn failed(attempt: AttemptId, why: String) -> Ended {
    ended(attempt, trouble(why))
}

fn trouble(message: String) -> AttemptEnd {
    AttemptEnd::Failed { class: Trouble::NotStarted, message, resumable: false }
}
