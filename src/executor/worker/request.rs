//! What an agent is asked, and with which means.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::Worker;
use crate::agent::{self, Permissions, PromptInput, Request, Role, Session, claude_md};
use crate::executor::brief::context_text;
use crate::executor::conclude::{base_of, kind_of};
use crate::executor::job::Job;
use crate::executor::site::Site;
use crate::fsx;
use crate::ids::{AttemptId, Step, Subject};
use crate::lifecycle::subject::Origin;
use crate::process::Limits;
use crate::tree::TreeError;

/// Until an agent must have printed something: it starts in a second, and many at once in a minute.
const FIRST_OUTPUT: Duration = Duration::from_secs(180);
/// How long an agent may live on after its result.
const LINGER: Duration = Duration::from_secs(15);
/// From INT to KILL: the slower version takes 1.6 s to end its children.
const GRACE: Duration = Duration::from_secs(4);

impl Worker {
    pub(super) fn request(&self, site: &Site, attempt: &AttemptId, call: Call) -> Result<Request, String> {
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
pub(super) struct Call {
    pub(super) session: Session,
    pub(super) strong: bool,
    pub(super) role: Role,
    pub(super) input: PromptInput,
    pub(super) origin: Option<Origin>,
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

/// A text as one word for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
