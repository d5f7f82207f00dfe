//! From an action to its outcome: agent steps and check commands, each with what must follow before it can be recorded
//! (the tree compared, the work committed).

mod before;
mod checking;
mod request;
mod worked;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use before::before;
use request::Call;
pub use worked::Worked;

use crate::agent::{self, Ending, PromptInput, Reply, Request, Role, Session};
use crate::executor::archive::Archive;
use crate::executor::compare::compare;
use crate::executor::conclude::conclude;
use crate::executor::fresh::FreshTree;
use crate::executor::integrate::integrate;
use crate::executor::job::Job;
use crate::executor::prepare::NoPlace;
use crate::executor::recover::settle_left;
use crate::executor::site::{Site, Sites};
use crate::ids::{AttemptId, Step, Subject};
use crate::lifecycle::event::{AttemptEnd, Trouble};
use crate::lifecycle::next::{Launch, Task};
use crate::lifecycle::subject::Origin;
use crate::process::Stop;

/// When an ordinary step's prompt is written to its file, unless the step has failed before.
const PROMPT_AFTER: Duration = Duration::from_secs(1);

/// How an attempt ended, before the dispatcher adds what only it knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Which attempt.
    pub attempt: AttemptId,
    /// How.
    pub end: AttemptEnd,
    /// Wall time in milliseconds.
    pub ms: u64,
    /// What it cost.
    pub usage: Option<crate::lifecycle::event::Usage>,
    /// What is worth recording.
    pub notes: Vec<String>,
    /// The commit that the user moved the integration branch to meanwhile.
    pub adopted: Option<Box<str>>,
}

/// What a launch needs beyond itself.
#[derive(Debug)]
pub struct Order {
    /// What is to be started.
    pub launch: Launch,
    /// The template and its input; none for checks.
    pub brief: Option<(Role, Box<PromptInput>)>,
    /// What was done on the subject before.
    pub work: Worked,
}

/// Performs actions by real processes.
pub struct Worker {
    job: Arc<Job>,
    archive: Arc<Archive>,
    /// Where subjects work.
    sites: Sites,
    /// Where the whole is proven.
    fresh: FreshTree,
}

impl Worker {
    /// A worker for a job.
    pub fn new(job: Arc<Job>, archive: Arc<Archive>) -> Self {
        Self { job, archive, sites: Sites::default(), fresh: FreshTree::default() }
    }

    /// Performs one action to its end. Never fails in itself: what went wrong is in the outcome.
    /// No process is started before `started` says that its record is durable.
    pub async fn perform(&self, order: Order, started: oneshot::Receiver<()>, stop: watch::Receiver<Stop>) -> Ended {
        let Order { launch: Launch { attempt, task }, brief, work } = order;
        match (task, brief) {
            (Task::Check(check, scope), _) => match started.await {
                Ok(()) => self.check(attempt, check, scope, &work, stop).await,
                Err(_) => never_started(attempt),
            },
            (Task::Own { recheck }, _) => match started.await {
                Ok(()) => self.own(attempt, &work, recheck, stop).await,
                Err(_) => never_started(attempt),
            },
            (Task::Agent { session, resume, strong, origin }, Some((role, input))) => {
                let session = session.to_string();
                let session = if resume.is_some() { Session::Resume(session) } else { Session::New(session) };
                let call = Call { session, strong, role, input: *input, origin };
                self.agent(attempt, call, work, started, stop).await
            }
            (Task::Agent { .. }, None) => not_started(attempt, "it has no brief".to_owned()),
        }
    }

    /// An agent step. Where all share one directory its call is made ready while the record becomes durable.
    async fn agent(
        &self,
        attempt: AttemptId,
        call: Call,
        work: Worked,
        started: oneshot::Receiver<()>,
        stop: watch::Receiver<Stop>,
    ) -> Ended {
        let origin = call.origin.clone();
        if let Some(site) = self.sites.shared(&self.job, &attempt.on) {
            let request = match self.request(&site, &attempt, call) {
                Ok(request) => request,
                Err(message) => return not_started(attempt, message),
            };
            return match started.await {
                Ok(()) => self.ask(&site, request, origin.as_ref(), work, stop).await,
                Err(_) => never_started(attempt),
            };
        }
        if started.await.is_err() {
            return never_started(attempt);
        }
        let (site, notes) = match self.sites.open(&self.job, &attempt, &work, &stop).await {
            Ok(opened) => opened,
            Err(no_place) => return nowhere(attempt, no_place),
        };
        let asked = match self.request(&site, &attempt, call) {
            Ok(request) => self.ask(&site, request, origin.as_ref(), work, stop).await,
            Err(message) => not_started(attempt, message),
        };
        noting(asked, notes)
    }

    /// A step of cco's own.
    async fn own(&self, attempt: AttemptId, work: &Worked, recheck: bool, stop: watch::Receiver<Stop>) -> Ended {
        let (site, notes) = match self.sites.open(&self.job, &attempt, work, &stop).await {
            Ok(opened) => opened,
            Err(no_place) => return nowhere(attempt, no_place),
        };
        let done = match attempt.step {
            Step::Integrate => integrate(&self.job, &site, attempt, work, recheck, &stop).await,
            _ => tokio::task::block_in_place(|| compare(&self.job, &site, attempt, work)),
        };
        noting(done, notes)
    }

    /// How an attempt in flight ended whose run died.
    pub fn settle_left(&self, attempt: AttemptId, resumed: bool, work: Worked) -> Ended {
        settle_left(&self.job, &self.sites, attempt, resumed, work)
    }

    /// Removes the worktree of a subject whose work is on the branch.
    pub async fn clear(&self, on: &Subject) {
        self.sites.clear(&self.job, on).await;
    }

    async fn ask(
        &self,
        site: &Site,
        request: Request,
        origin: Option<&Origin>,
        work: Worked,
        stop: watch::Receiver<Stop>,
    ) -> Ended {
        let job = &*self.job;
        let attempt = request.attempt.clone();
        let (before, notes) = match tokio::task::block_in_place(|| before(job, site, &attempt, origin, work)) {
            Ok(known) => known,
            Err(error) => return not_started(attempt, format!("its files cannot be set back: {error}")),
        };
        let prompt = request.prompt.clone();
        let mut asked = pin!(agent::ask(&job.program, &job.env, &job.supervisor, request, stop, job.live.clone()));
        // An ordinary step that is answered at once leaves nothing to be looked into, and its prompt would be half of
        // what it costs; what was tried before, or is a fix, is worth its file.
        let ordinary = attempt.n == 1 && matches!(attempt.step, Step::Skeleton | Step::Implement);
        let patience = if ordinary { PROMPT_AFTER } else { Duration::ZERO };
        let early = tokio::time::timeout(patience, &mut asked).await;
        if !matches!(early, Ok(Reply { ending: Ending::Answered(_), .. })) {
            self.archive.whole(job.paths.prompt(&attempt), prompt.into_bytes());
        }
        let reply = match early {
            Ok(reply) => reply,
            Err(_) => asked.await,
        };
        // Git and files take their time; others have theirs meanwhile.
        let ended = tokio::task::block_in_place(|| conclude(job, site, attempt, reply, &before));
        noting(ended, notes)
    }

    /// Takes down what the run needed beside its branch.
    pub async fn finish(&self) {
        self.fresh.discard(&self.job).await;
    }
}

/// An outcome with more that is worth recording, told first.
fn noting(ended: Ended, mut notes: Vec<String>) -> Ended {
    notes.extend(ended.notes);
    Ended { notes, ..ended }
}

fn nowhere(attempt: AttemptId, no_place: NoPlace) -> Ended {
    match no_place {
        NoPlace::Stopped => never_started(attempt),
        NoPlace::Failed(why) => not_started(attempt, why),
    }
}

/// Its record did not become durable.
fn never_started(attempt: AttemptId) -> Ended {
    ended(attempt, AttemptEnd::Interrupted { resumable: false })
}

fn not_started(attempt: AttemptId, message: String) -> Ended {
    ended(attempt, AttemptEnd::Failed { class: Trouble::NotStarted, message, resumable: false })
}

pub(in crate::executor) fn ended(attempt: AttemptId, end: AttemptEnd) -> Ended {
    Ended { attempt, end, ms: 0, usage: None, notes: Vec::new(), adopted: None }
}
