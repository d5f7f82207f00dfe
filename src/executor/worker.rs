//! From an action to its outcome: agent steps and check commands, each with what must follow before it can be recorded
//! (the tree compared, the work committed).

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::archive::Archive;
use super::brief::context_text;
use super::job::Job;
use super::put_back::put_back;
use crate::agent::{
    self, Answer, AnswerKind, Ending, Permissions, PromptInput, Reply, Request, Role, Session, claude_md,
};
use crate::check::{self, CheckRun, Ran};
use crate::ids::{AttemptId, Digest, Step, Subject};
use crate::lifecycle::event::{AttemptEnd, DENIED, Trouble};
use crate::lifecycle::next::{Launch, Task};
use crate::lifecycle::report::WriterReport;
use crate::plan::CheckIndex;
use crate::process::{Limits, Stop};
use crate::spec::writeset::WriteSet;
use crate::tree::{Commit, product};

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
}

/// Performs actions by real processes.
pub struct Worker {
    job: Arc<Job>,
    archive: Arc<Archive>,
    /// The writers that run: what one commits, or puts back, must not hold what another has half written.
    writing: Mutex<HashSet<AttemptId>>,
}

impl Worker {
    /// A worker for a job.
    pub fn new(job: Arc<Job>, archive: Arc<Archive>) -> Self {
        Self { job, archive, writing: Mutex::default() }
    }

    /// Performs one action to its end. Never fails in itself: what went wrong is in the outcome.
    /// No process is started before `started` says that its record is durable.
    pub async fn perform(&self, order: Order, started: oneshot::Receiver<()>, stop: watch::Receiver<Stop>) -> Ended {
        let attempt = order.launch.attempt.clone();
        match (&order.launch.task, order.brief) {
            (Task::Check(check, _), _) => match started.await {
                Ok(()) => self.check(attempt, *check, stop).await,
                Err(_) => never_started(attempt),
            },
            (Task::Agent { session, resume, strong, .. }, Some((role, input))) => {
                let session = session.to_string();
                let session = if resume.is_some() { Session::Resume(session) } else { Session::New(session) };
                match self.request(&attempt, session, *strong, role, *input) {
                    Ok(request) => match started.await {
                        Ok(()) => self.ask(request, stop).await,
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
    ) -> Result<Request, String> {
        let job = &*self.job;
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
            model: job.models.of(&attempt.on, &attempt.step, strong).to_owned(),
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

    async fn ask(&self, request: Request, stop: watch::Receiver<Stop>) -> Ended {
        let job = &*self.job;
        let attempt = request.attempt.clone();
        self.begin_writing(&attempt);
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
        let others = self.others(&attempt);
        let ended = conclude(job, attempt, reply, &others);
        self.writing().remove(&ended.attempt);
        ended
    }

    fn begin_writing(&self, attempt: &AttemptId) {
        if attempt.step.writes() {
            self.writing().insert(attempt.clone());
        }
    }

    /// Those beside `attempt` that write.
    fn others(&self, attempt: &AttemptId) -> Vec<Subject> {
        self.writing().iter().filter(|other| *other != attempt).map(|other| other.on.clone()).collect()
    }

    fn writing(&self) -> MutexGuard<'_, HashSet<AttemptId>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn check(&self, attempt: AttemptId, index: CheckIndex, stop: watch::Receiver<Stop>) -> Ended {
        let job = &*self.job;
        let plan = job.plan.check(index);
        let tree = match job.tree.id() {
            Ok(tree) => tree,
            Err(error) => return not_started(attempt, error.to_string()),
        };
        let mut extra_env = job.names(&attempt);
        extra_env.extend(plan.env.iter().map(|(name, value)| (name.into(), value.into())));
        let run = CheckRun {
            name: plan.name.clone(),
            command: plan.run.clone(),
            dir: plan.dir.as_ref().map_or_else(|| job.tree.dir().to_owned(), |dir| job.tree.dir().join(dir)),
            junit: plan.junit.as_ref().map(|path| job.tree.dir().join(path)),
            env: job.env.check.clone(),
            extra_env,
            timeout: plan.timeout,
            log: job.paths.log(&attempt),
            attempt: Arc::from(attempt.to_string()),
            tree,
            redactor: job.redactor.clone(),
        };
        match check::run(&job.supervisor, run, stop).await {
            Ran::Checked(result) => {
                let ms = result.evidence.ms;
                Ended { attempt, end: AttemptEnd::Checked(Box::new(result)), ms, usage: None, notes: Vec::new() }
            }
            Ran::Interrupted => ended(attempt, AttemptEnd::Interrupted { resumable: false }),
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
        fs_err::write(&path, text)?;
        Ok(Some(path))
    }
}

/// What a reply means for the attempt: a writer's work is compared and committed before it counts, and what cannot be
/// gone on with is put back. `others` are writing, or may have left something half written.
pub(super) fn conclude(job: &Job, attempt: AttemptId, reply: Reply, others: &[Subject]) -> Ended {
    let Reply { ending, usage, wall_ms: ms, denials, mut notes } = reply;
    for denial in denials {
        let mend =
            denial.allow.map_or_else(String::new, |rule| format!("; `agent.allow: [\"{rule}\"]` would allow it"));
        notes.push(format!("{DENIED}{}{mend}", denial.call));
    }
    let end = match ending {
        Ending::Answered(Answer::Wrote(report)) => keep(job, &attempt, report, others, &mut notes),
        Ending::Answered(Answer::Reviewed(report)) => {
            AttemptEnd::Reviewed { report: Box::new(report), issues: Vec::new() }
        }
        Ending::Answered(Answer::Voted(ballot)) => AttemptEnd::Voted { ballot: Box::new(ballot) },
        Ending::Failed { trouble, message, resumable } => {
            if trouble == Trouble::ConversationLost && attempt.step.writes() {
                notes.extend(put_back(job, &attempt, others));
            }
            AttemptEnd::Failed { class: trouble, message, resumable }
        }
        Ending::Interrupted { resumable } => AttemptEnd::Interrupted { resumable },
    };
    Ended { attempt, end, ms, usage, notes }
}

/// Compares the tree and commits what a writer did; a commit that exists already is taken.
fn keep(
    job: &Job,
    attempt: &AttemptId,
    report: WriterReport,
    others: &[Subject],
    notes: &mut Vec<String>,
) -> AttemptEnd {
    // A commit is made before the report passes the gate.
    let summary = &job.redactor.text(&report.summary);
    let others = others.iter().filter_map(|other| job.definition_of(other));
    let others: Vec<String> = others.flat_map(|other| other.write_patterns().map(str::to_owned)).collect();
    let commit = Commit { spec: &job.plan.spec, attempt, summary, others: &others };
    match job.tree.commit(&commit) {
        Ok(commit) => {
            let product = job.definition_of(&attempt.on).map(|definition| product_of(job, definition));
            AttemptEnd::Wrote {
                report: Box::new(report),
                commit: commit.map(Into::into),
                product,
                findings: Vec::new(),
            }
        }
        Err(error) => {
            notes.push("its answer is in its stream file; the work is in the tree, not committed".to_owned());
            AttemptEnd::Failed { class: Trouble::NotStarted, message: error.to_string(), resumable: true }
        }
    }
}

fn product_of(job: &Job, definition: &crate::spec::manifest::ComponentDef) -> Digest {
    let patterns = || definition.write_patterns();
    let is_glob = |path: &str| path.contains(['*', '?', '[', '{']);
    let literal: Vec<String> = patterns().filter(|path| !is_glob(path)).map(str::to_owned).collect();
    let globs = WriteSet::new(patterns().filter(|path| is_glob(path))).ok().filter(|set| !set.is_empty());
    let owns = |path: &str| globs.as_ref().is_some_and(|set| set.matches(path.as_ref()));
    product(job.tree.dir(), &literal, globs.is_some(), owns)
}

/// What an agent step must answer with.
pub(super) fn kind_of(step: &Step) -> AnswerKind {
    match step {
        Step::Skeleton | Step::Implement | Step::Revise | Step::Fix | Step::Resolve | Step::Check(_) => {
            AnswerKind::Writer
        }
        Step::Review(_) => AnswerKind::Review,
        Step::Vote { .. } => AnswerKind::Ballot,
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
