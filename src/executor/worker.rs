//! From an action to its outcome: agent steps and check commands, each with what must follow before it can be recorded
//! (the tree compared, the work committed).

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::archive::Archive;
use super::brief::context_text;
use super::change::{self, Before};
use super::common;
use super::compare::compare;
use super::conclude::{base_of, conclude, kind_of};
use super::fresh::{FreshTree, Place};
use super::integrate::integrate;
use super::job::Job;
use super::origin::go_back;
use super::prepare::NoPlace;
use super::recover::settle_left;
use super::site::{Checking, Site, Sites};
use super::untouched::set_right;
use crate::agent::{self, Ending, Permissions, PromptInput, Reply, Request, Role, Session, claude_md};
use crate::check::{self, CheckRun, Ran};
use crate::fsx;
use crate::ids::{AttemptId, Step, Subject};
use crate::lifecycle::event::{AttemptEnd, Scope, Trouble};
use crate::lifecycle::next::{Launch, Task};
use crate::lifecycle::subject::Origin;
use crate::plan::CheckIndex;
use crate::process::{Limits, Stop};
use crate::tree::{Fingerprint, Repository, TreeError, Worktree};

/// Until an agent must have printed something: it starts in a second, and many at once in a minute.
const FIRST_OUTPUT: Duration = Duration::from_secs(180);
/// How long an agent may live on after its result.
const LINGER: Duration = Duration::from_secs(15);
/// When an ordinary step's prompt is written to its file, unless the step has failed before.
const PROMPT_AFTER: Duration = Duration::from_secs(1);
/// From INT to KILL: the slower version takes 1.6 s to end its children.
const GRACE: Duration = Duration::from_secs(4);

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

/// What the journal says of a subject before an attempt of it.
#[derive(Debug, Clone, Default)]
pub struct Worked {
    /// The last commit of its work that the branch does not hold.
    pub tip: Option<String>,
    /// Whether it was worked on at all.
    pub begun: bool,
    /// Whether this is the first try of its step: nothing of an earlier one can be in the tree.
    pub untried: bool,
    /// Whether an earlier try was cut off whose conversation cannot be gone on with.
    pub cut_off: bool,
    /// The files in which it contradicts the branch.
    pub conflicts: Vec<PathBuf>,
    /// The last commit that landed on the branch.
    pub branch: Option<String>,
    /// What its last writer said in one line.
    pub summary: String,
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

    fn request(&self, site: &Site, attempt: &AttemptId, call: Call) -> Result<Request, String> {
        let job = &*self.job;
        let Call { session, strong, role, mut input, .. } = call;
        if let (Step::Review(_), true) = (&attempt.step, input.subject.is_empty()) {
            input.subject = change_text(job, site).map_err(|error| error.to_string())?;
        }
        if let (Some(definition), Some(part)) = (job.definition_of(&attempt.on), &mut input.component) {
            part.context = context_text(job, definition).map_err(|error| error.to_string())?;
        }
        let script = self.check_script(site, attempt).map_err(|error| error.to_string())?;
        input.check_script = script.as_ref().map(|path| path.display().to_string());
        let prompt = job.prompts.render(role, &input).map_err(|error| error.to_string())?;
        let mut allow = job.allow.clone();
        allow.extend(input.check_script.as_deref().map(agent::allow_program));
        let policy = &job.plan.policy;
        Ok(Request {
            attempt: attempt.clone(),
            kind: kind_of(&attempt.step),
            prompt,
            model: self.model(attempt, strong),
            session,
            dir: site.dir.clone(),
            permissions: Permissions {
                writer: attempt.step.writes(),
                bypass: job.bypass_permissions,
                allow: if attempt.step.writes() { allow } else { Vec::new() },
                read: vec![job.paths.dir().to_owned()],
            },
            system_prompt_file: self.instructions(site, attempt).map_err(|error| error.to_string())?,
            stream: job.paths.stream(attempt),
            limits: Limits {
                first_output: Some(FIRST_OUTPUT),
                silence: Some(policy.idle_timeout),
                wall: Some(policy.step_timeout),
                linger: Some(LINGER),
                grace: GRACE,
            },
            redactor: job.redactor.clone(),
        })
    }

    /// A vote's own models come before all others, in turn.
    fn model(&self, attempt: &AttemptId, strong: bool) -> String {
        let job = &*self.job;
        let own = match &attempt.step {
            Step::Vote { gate, voter } => job.plan.gate(gate).and_then(|gate| {
                let turn = usize::from(*voter).checked_rem(gate.models.len())?;
                gate.models.get(turn)
            }),
            _ => None,
        };
        own.cloned().unwrap_or_else(|| job.models.of(&attempt.on, &attempt.step, strong).to_owned())
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

    async fn check(
        &self,
        attempt: AttemptId,
        index: CheckIndex,
        scope: Scope,
        work: &Worked,
        stop: watch::Receiver<Stop>,
    ) -> Ended {
        let job = &*self.job;
        // The base, a level and the whole are judged by what is committed, where no agent ever worked.
        if let (Some(repository), Scope::Baseline | Scope::Level(_) | Scope::Final) = (job.tree.repository(), scope) {
            let commit = if scope == Scope::Baseline { Some(repository.base()) } else { work.tip.as_deref() };
            return match self.fresh.place(job, commit, scope, &attempt, &stop).await {
                Ok(place) => self.run_check(attempt, index, place, stop).await,
                Err(no_place) => self.unchecked(attempt, index, no_place),
            };
        }
        let (site, notes) = match self.sites.open(job, &attempt, work, &stop).await {
            Ok(opened) => opened,
            Err(no_place) => return self.unchecked(attempt, index, no_place),
        };
        let tree = match site.worktree().map(Worktree::tree).transpose() {
            Ok(None) => tokio::task::block_in_place(|| job.common.as_ref().and_then(|common| common.tree())),
            Ok(tree) => tree,
            Err(error) => return self.unchecked(attempt, index, NoPlace::Failed(error.to_string())),
        };
        tokio::task::block_in_place(|| begin_check(job, &site));
        let ran = self.run_check(attempt, index, Place { dir: site.dir.clone(), tree }, stop).await;
        let undone = tokio::task::block_in_place(|| end_check(job, &site, &ran.attempt));
        noting(ran, notes.into_iter().chain(undone).collect())
    }

    async fn run_check(
        &self,
        attempt: AttemptId,
        index: CheckIndex,
        place: Place,
        stop: watch::Receiver<Stop>,
    ) -> Ended {
        match check::run(&self.job.supervisor, self.check_run(&attempt, index, place), stop).await {
            Ran::Checked(result) => {
                let ms = result.evidence.ms;
                Ended { ms, ..ended(attempt, AttemptEnd::Checked(Box::new(result))) }
            }
            Ran::Interrupted => ended(attempt, AttemptEnd::Interrupted { resumable: false }),
        }
    }

    /// A check that has no place to run in.
    fn unchecked(&self, attempt: AttemptId, index: CheckIndex, no_place: NoPlace) -> Ended {
        match no_place {
            NoPlace::Stopped => ended(attempt, AttemptEnd::Interrupted { resumable: false }),
            NoPlace::Failed(why) => {
                let nowhere = Place { dir: self.job.work_dir.clone(), tree: None };
                let result = check::unavailable(&self.check_run(&attempt, index, nowhere), why);
                ended(attempt, AttemptEnd::Checked(Box::new(result)))
            }
        }
    }

    fn check_run(&self, attempt: &AttemptId, index: CheckIndex, place: Place) -> CheckRun {
        let job = &*self.job;
        job.bench(attempt).check(job.plan.check(index), attempt, &place, job.paths.log(attempt))
    }

    /// A script that runs the subject's checks, for the agent to run as cco will; none where there are none.
    fn check_script(&self, site: &Site, attempt: &AttemptId) -> std::io::Result<Option<PathBuf>> {
        let job = &*self.job;
        let checks = match &attempt.on {
            Subject::Component(id) => job.plan.index(id).map_or(&[][..], |at| &job.plan.component(at).checks),
            Subject::Run => &job.plan.final_checks,
        };
        if checks.is_empty() || !attempt.step.writes() {
            return Ok(None);
        }
        let mut text = String::from("#!/bin/sh\n# The checks of this component, as cco runs them.\nstatus=0\n");
        for (name, value) in job.names(attempt) {
            text.push_str(&format!("export {}={}\n", name.display(), quoted(&value.to_string_lossy())));
        }
        for &check in checks {
            let check = job.plan.check(check);
            let dir = check.dir.as_ref().map_or_else(|| site.dir.clone(), |dir| site.dir.join(dir));
            let env: String =
                check.env.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value))).collect();
            text.push_str(&format!(
                "echo {}\n(\ncd {} || exit 1\n{env}{}\n) || {{ echo {}; status=1; }}\n",
                quoted(&format!("== {}", check.name)),
                quoted(&dir.display().to_string()),
                check.run,
                quoted(&format!("== {} FAILED", check.name)),
            ));
        }
        text.push_str("exit $status\n");
        let path = job.paths.runs().join(format!("{}.check", attempt.on));
        fs_err::write(&path, text)?;
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o700))?;
        Ok(Some(path))
    }

    /// The project's instructions in a file, for the system prompt; none where the repository has none.
    fn instructions(&self, site: &Site, attempt: &AttemptId) -> std::io::Result<Option<PathBuf>> {
        let job = &*self.job;
        let files: Vec<PathBuf> = match job.definition_of(&attempt.on) {
            Some(definition) => definition.write_patterns().map(PathBuf::from).collect(),
            None => Vec::new(),
        };
        let Some(text) = claude_md::collect(&site.dir, &files)? else { return Ok(None) };
        let path = job.paths.runs().join(format!("{}.instructions.md", attempt.on));
        // Another reader of the same subject may be reading it.
        fsx::write_whole(&path, text.as_bytes())?;
        Ok(Some(path))
    }
}

/// An agent's call, before it is known where it is made.
struct Call {
    session: Session,
    strong: bool,
    role: Role,
    input: PromptInput,
    origin: Option<Origin>,
}

/// What is known before an agent begins, once its files are where it is to begin; with what is worth recording.
fn before(
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

/// The first check looks what is half written; the last one puts back whatever else differs then.
fn begin_check(job: &Job, site: &Site) {
    let mut checking = site.checking();
    if checking.count == 0 {
        checking.head = site.worktree().and_then(|worktree| worktree.head().ok());
        checking.dirty = change::dirty(site.worktree());
        checking.whole = job.common.as_ref().and_then(|common| common::begin_checks(common));
    }
    checking.count += 1;
}

fn end_check(job: &Job, site: &Site, attempt: &AttemptId) -> Vec<String> {
    let mut checking = site.checking();
    checking.count -= 1;
    match site.worktree() {
        Some(worktree) if checking.count == 0 => restore_after_checks(job, worktree, attempt, &checking),
        None if checking.count == 0 => match (&job.common, checking.whole.take()) {
            (Some(common), Some(whole)) => common::end_checks(job, common, &whole).into_iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The change that a reviewer judges: what its subject has beyond the branch, of the whole since the run began.
fn change_text(job: &Job, site: &Site) -> Result<String, TreeError> {
    /// As much of a change as a prompt holds, in bytes.
    const LIMIT: u64 = 32 * 1024;
    let (Some(repository), Some(worktree)) = (job.tree.repository(), site.worktree()) else {
        let files = job.definition_of(&site.on).map(|one| one.write_patterns().collect::<Vec<_>>().join(", "));
        let files = files.unwrap_or_else(|| "all files of the components".to_owned());
        return Ok(format!("There is no version control here to show the change. What belongs to it: {files}."));
    };
    let base = base_of(repository, worktree, &site.on)?;
    let diff = worktree.diff_text(&base, "HEAD", &|_| true, LIMIT)?;
    if diff.text.is_empty() {
        return Ok("The component changed no file since it was last brought onto the branch.".to_owned());
    }
    let rest = if diff.whole { "" } else { "\n(The change goes on; read the files.)" };
    Ok(format!("{}{rest}", job.redactor.text(&diff.text)))
}

/// Puts back what checks changed in the tree that others go on with, once none of them runs any more.
fn restore_after_checks(job: &Job, worktree: &Worktree, attempt: &AttemptId, before: &Checking) -> Vec<String> {
    match set_right(job, worktree, attempt, before.head.as_deref(), &before.dirty) {
        Ok(None) => Vec::new(),
        Ok(Some((what, told))) => {
            std::iter::once(format!("{what} changed while checks ran; that was undone")).chain(told).collect()
        }
        Err(error) => vec![format!("what checks changed cannot be undone: {error}")],
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

/// A text as one word for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Its record did not become durable.
fn never_started(attempt: AttemptId) -> Ended {
    ended(attempt, AttemptEnd::Interrupted { resumable: false })
}

fn not_started(attempt: AttemptId, message: String) -> Ended {
    ended(attempt, AttemptEnd::Failed { class: Trouble::NotStarted, message, resumable: false })
}

pub(super) fn ended(attempt: AttemptId, end: AttemptEnd) -> Ended {
    Ended { attempt, end, ms: 0, usage: None, notes: Vec::new(), adopted: None }
}
