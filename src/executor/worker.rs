//! From an action to its outcome: agent steps and check commands, each with what must follow before it can be recorded
//! (the tree compared, the work committed).

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::archive::Archive;
use super::brief::context_text;
use super::change::{self, Before};
use super::conclude::{Surroundings, conclude, kind_of};
use super::fresh::{FreshTree, NoPlace, Place};
use super::job::Job;
use super::origin::go_back;
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
use crate::tree::{Fingerprint, TreeError};

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

/// What was done on a subject before.
#[derive(Debug, Clone, Default)]
pub struct Worked {
    /// The first commit of its work.
    pub first: Option<String>,
    /// Whether it was worked on at all.
    pub begun: bool,
}

/// Performs actions by real processes.
pub struct Worker {
    job: Arc<Job>,
    archive: Arc<Archive>,
    /// The writers that run: what one commits, or puts back, must not hold what another has half written.
    writing: Mutex<HashSet<AttemptId>>,
    /// Where the whole is proven.
    fresh: FreshTree,
    /// Checks that run in the common tree, and what differed in it before the first of them.
    checking: Mutex<(usize, HashSet<PathBuf>)>,
    /// Whose last writer did not come to its end, so that its work is half written.
    half_written: Mutex<HashSet<Subject>>,
}

impl Worker {
    /// A worker for a job.
    pub fn new(job: Arc<Job>, archive: Arc<Archive>) -> Self {
        Self {
            job,
            archive,
            writing: Mutex::default(),
            fresh: FreshTree::default(),
            checking: Mutex::default(),
            half_written: Mutex::default(),
        }
    }

    /// Performs one action to its end. Never fails in itself: what went wrong is in the outcome.
    /// No process is started before `started` says that its record is durable.
    pub async fn perform(&self, order: Order, started: oneshot::Receiver<()>, stop: watch::Receiver<Stop>) -> Ended {
        let attempt = order.launch.attempt.clone();
        match (&order.launch.task, order.brief) {
            (Task::Check(check, scope), _) => match started.await {
                Ok(()) => self.check(attempt, *check, *scope, stop).await,
                Err(_) => never_started(attempt),
            },
            (Task::Agent { session, resume, strong, origin }, Some((role, input))) => {
                let session = session.to_string();
                let session = if resume.is_some() { Session::Resume(session) } else { Session::New(session) };
                match self.request(&attempt, session, *strong, role, *input, order.work.first.as_deref()) {
                    Ok(request) => match started.await {
                        Ok(()) => self.ask(request, origin.as_ref(), order.work, stop).await,
                        Err(_) => never_started(attempt),
                    },
                    Err(message) => not_started(attempt, message),
                }
            }
            (Task::Agent { .. }, None) => not_started(attempt, "it has no brief".to_owned()),
        }
    }

    fn request(
        &self,
        attempt: &AttemptId,
        session: Session,
        strong: bool,
        role: Role,
        mut input: PromptInput,
        first: Option<&str>,
    ) -> Result<Request, String> {
        let job = &*self.job;
        if let (Step::Review(_), true) = (&attempt.step, input.subject.is_empty()) {
            input.subject = change_text(job, &attempt.on, first).map_err(|error| error.to_string())?;
        }
        if let (Some(definition), Some(part)) = (job.definition_of(&attempt.on), &mut input.component) {
            part.context = context_text(job, definition).map_err(|error| error.to_string())?;
        }
        let script = self.check_script(attempt).map_err(|error| error.to_string())?;
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
            dir: job.tree.dir().to_owned(),
            permissions: Permissions {
                writer: attempt.step.writes(),
                bypass: job.bypass_permissions,
                allow: if attempt.step.writes() { allow } else { Vec::new() },
                read: vec![job.paths.dir().to_owned()],
            },
            system_prompt_file: self.instructions(attempt).map_err(|error| error.to_string())?,
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

    async fn ask(&self, request: Request, origin: Option<&Origin>, work: Worked, stop: watch::Receiver<Stop>) -> Ended {
        let job = &*self.job;
        let attempt = request.attempt.clone();
        self.begin_writing(&attempt);
        let mut notes = Vec::new();
        if let Some(origin) = origin {
            match go_back(job, &attempt, origin, &self.others(&attempt)) {
                Ok(told) => notes = told,
                Err(why) => {
                    self.writing().remove(&attempt);
                    return not_started(attempt, format!("its files cannot be set back: {why}"));
                }
            }
        }
        let dirty = if attempt.step.writes() { HashSet::new() } else { change::dirty(job) };
        let (checkout, tip) = (self.checkout(&attempt), job.tips.lock().clone());
        let before = Before { checkout, work, tip, dirty };
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
        // It is among the writers until its work is committed, or put back: another's commit must not take it along.
        let around = Surroundings { others: &|| self.others(&attempt), before };
        let mut ended = conclude(job, attempt.clone(), reply, &around);
        self.end_writing(&ended);
        notes.append(&mut ended.notes);
        Ended { notes, ..ended }
    }

    /// What the user's checkout is like before a writing step; none where it cannot be told, or is the tree itself.
    fn checkout(&self, attempt: &AttemptId) -> Option<Fingerprint> {
        let worktree = self.job.tree.worktree().filter(|_| attempt.step.writes())?;
        match worktree.main_checkout() {
            Ok(fingerprint) => Some(fingerprint),
            Err(error) => {
                tracing::warn!("the user's checkout cannot be watched: {error}");
                None
            }
        }
    }

    /// Takes down what the run needed beside its tree.
    pub async fn finish(&self) {
        let attempt = AttemptId { on: Subject::Run, step: Step::Check(Arc::from("end")), n: 1 };
        for note in self.only_ccos(&attempt) {
            tracing::warn!("{note}");
        }
        self.fresh.discard(&self.job).await;
    }

    fn begin_writing(&self, attempt: &AttemptId) {
        if attempt.step.writes() {
            self.writing().insert(attempt.clone());
            self.half_written().remove(&attempt.on);
        }
    }

    /// A writer that did not come to its end left its work half written: it stays its own.
    fn end_writing(&self, ended: &Ended) {
        if ended.attempt.step.writes() && !matches!(ended.end, AttemptEnd::Wrote { .. }) {
            self.leave_half_written(ended.attempt.on.clone());
        }
        self.writing().remove(&ended.attempt);
    }

    /// Notes that a subject's work lies half written in the tree, until it is gone on with.
    pub fn leave_half_written(&self, on: Subject) {
        self.half_written().insert(on);
    }

    fn half_written(&self) -> MutexGuard<'_, HashSet<Subject>> {
        self.half_written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those beside `attempt` that write, or have something half written.
    fn others(&self, attempt: &AttemptId) -> Vec<Subject> {
        let writing: Vec<Subject> = self.writing().iter().map(|other| other.on.clone()).collect();
        // What mends the whole goes on from wherever components were given up.
        let left = if attempt.on == Subject::Run { Vec::new() } else { self.half_written().iter().cloned().collect() };
        let mut others: Vec<Subject> = left.into_iter().chain(writing).collect();
        others.retain(|other| *other != attempt.on);
        others
    }

    fn writing(&self) -> MutexGuard<'_, HashSet<AttemptId>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn check(&self, attempt: AttemptId, index: CheckIndex, scope: Scope, stop: watch::Receiver<Stop>) -> Ended {
        let job = &*self.job;
        // The base and the whole are judged by what is committed, wherever agents have worked.
        let apart = matches!(scope, Scope::Baseline | Scope::Final);
        let mut notes = if apart { self.only_ccos(&attempt) } else { Vec::new() };
        let place = if apart {
            self.fresh.place(job, &attempt, &stop).await
        } else {
            let place = |tree| Place { dir: job.tree.dir().to_owned(), tree };
            job.tree.id().map(place).map_err(|error| NoPlace::Failed(error.to_string()))
        };
        let place = match place {
            Ok(place) => place,
            Err(NoPlace::Stopped) => return ended(attempt, AttemptEnd::Interrupted { resumable: false }),
            Err(NoPlace::Failed(why)) => {
                let nowhere = Place { dir: job.tree.dir().to_owned(), tree: None };
                let result = check::unavailable(&self.check_run(&attempt, index, nowhere), why);
                return ended(attempt, AttemptEnd::Checked(Box::new(result)));
            }
        };
        let shared = !apart || job.tree.worktree().is_none();
        if shared {
            self.begin_check();
        }
        let ran = check::run(&job.supervisor, self.check_run(&attempt, index, place), stop).await;
        if shared {
            notes.extend(self.end_check(&attempt));
        }
        match ran {
            Ran::Checked(result) => {
                let ms = result.evidence.ms;
                Ended { attempt, end: AttemptEnd::Checked(Box::new(result)), ms, usage: None, notes }
            }
            Ran::Interrupted => ended(attempt, AttemptEnd::Interrupted { resumable: false }),
        }
    }

    /// The first check looks what is half written; the last one puts back whatever else differs then.
    fn begin_check(&self) {
        let mut checking = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        if checking.0 == 0 {
            checking.1 = change::dirty(&self.job);
        }
        checking.0 += 1;
    }

    fn end_check(&self, attempt: &AttemptId) -> Vec<String> {
        let mut checking = self.checking.lock().unwrap_or_else(PoisonError::into_inner);
        checking.0 -= 1;
        if checking.0 == 0 { restore_after_checks(&self.job, attempt, &checking.1) } else { Vec::new() }
    }

    /// Takes back what somebody else committed on the branch: what is judged as a whole must be what was judged in parts.
    fn only_ccos(&self, attempt: &AttemptId) -> Vec<String> {
        let Some(worktree) = self.job.tree.worktree() else { return Vec::new() };
        let tip = self.job.tips.lock();
        match change::take_back(&self.job, worktree, attempt, tip.as_deref()) {
            Ok(note) => note.into_iter().collect(),
            Err(error) => vec![format!("whether the branch holds commits of others cannot be told: {error}")],
        }
    }

    fn check_run(&self, attempt: &AttemptId, index: CheckIndex, place: Place) -> CheckRun {
        let job = &*self.job;
        let plan = job.plan.check(index);
        let mut extra_env = job.names(attempt);
        extra_env.extend(plan.env.iter().map(|(name, value)| (name.into(), value.into())));
        CheckRun {
            name: plan.name.clone(),
            command: plan.run.clone(),
            dir: plan.dir.as_ref().map_or_else(|| place.dir.clone(), |dir| place.dir.join(dir)),
            junit: plan.junit.as_ref().map(|path| place.dir.join(path)),
            env: job.env.check.clone(),
            extra_env,
            timeout: plan.timeout,
            log: job.paths.log(attempt),
            attempt: Arc::from(attempt.to_string()),
            tree: place.tree,
            redactor: job.redactor.clone(),
        }
    }

    /// A script that runs the subject's checks, for the agent to run as cco will; none where there are none.
    fn check_script(&self, attempt: &AttemptId) -> std::io::Result<Option<PathBuf>> {
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
            let dir = check.dir.as_ref().map_or_else(|| job.tree.dir().to_owned(), |dir| job.tree.dir().join(dir));
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
    fn instructions(&self, attempt: &AttemptId) -> std::io::Result<Option<PathBuf>> {
        let job = &*self.job;
        let files: Vec<PathBuf> = match job.definition_of(&attempt.on) {
            Some(definition) => definition.write_patterns().map(PathBuf::from).collect(),
            None => Vec::new(),
        };
        let Some(text) = claude_md::collect(job.tree.dir(), &files)? else { return Ok(None) };
        let path = job.paths.runs().join(format!("{}.instructions.md", attempt.on));
        // Another reader of the same subject may be reading it.
        fsx::write_whole(&path, text.as_bytes())?;
        Ok(Some(path))
    }
}

/// The change that a reviewer judges: of a component since it began, of the whole since the run began.
fn change_text(job: &Job, on: &Subject, first: Option<&str>) -> Result<String, TreeError> {
    /// As much of a change as a prompt holds, in bytes.
    const LIMIT: u64 = 32 * 1024;
    let Some(worktree) = job.tree.worktree() else {
        let files = job.definition_of(on).map(|definition| definition.write_patterns().collect::<Vec<_>>().join(", "));
        let files = files.unwrap_or_else(|| "all files of the components".to_owned());
        return Ok(format!("There is no version control here to show the change. What belongs to it: {files}."));
    };
    let base = match (on, first) {
        (Subject::Run, _) => job.tree.branch().map(|(_, base)| base.to_owned()),
        (Subject::Component(_), Some(first)) => Some(format!("{first}^")),
        (Subject::Component(_), None) => None,
    };
    let Some(base) = base else { return Ok("The component changed no file.".to_owned()) };
    let at = job.index_of(on);
    let wanted = |path: &Path| at.is_none_or(|at| job.owners().owns(at, path) || !job.owners().others_own(at, path));
    let diff = worktree.diff_text(&base, "HEAD", &wanted, LIMIT)?;
    let rest = if diff.whole { "" } else { "\n(The change goes on; read the files.)" };
    Ok(format!("{}{rest}", job.redactor.text(&diff.text)))
}

/// Puts back what checks changed in the tree that others go on with, once none of them runs any more.
fn restore_after_checks(job: &Job, attempt: &AttemptId, dirty: &HashSet<PathBuf>) -> Vec<String> {
    let Some(worktree) = job.tree.worktree() else { return Vec::new() };
    match set_right(job, worktree, attempt, dirty) {
        Ok(None) => Vec::new(),
        Ok(Some((what, told))) => {
            std::iter::once(format!("{what} changed while checks ran; that was undone")).chain(told).collect()
        }
        Err(error) => vec![format!("what checks changed cannot be undone: {error}")],
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
    Ended { attempt, end, ms: 0, usage: None, notes: Vec::new() }
}
