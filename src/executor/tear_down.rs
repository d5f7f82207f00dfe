//! The commands of `teardown` for worktrees that a run left, when no run lives.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use super::bench::TEARDOWN_TIMEOUT;
use super::job::names;
use crate::agent::AgentEnv;
use crate::check::{self, CheckRun, Ran};
use crate::ids::Subject;
use crate::lifecycle::event::Verdict;
use crate::plan::Plan;
use crate::process::{Stop, Supervisor};
use crate::redact::Redactor;

/// What it takes to run them.
pub struct TearDown {
    /// What the commands are told of the component comes from it.
    pub plan: Arc<Plan>,
    /// The commands.
    pub commands: Vec<String>,
    /// Their environment.
    pub env: AgentEnv,
    /// Where their output goes.
    pub runs: PathBuf,
    /// What must not be told of it.
    pub redactor: Arc<Redactor>,
    /// Who runs them.
    pub supervisor: Arc<Supervisor>,
}

impl TearDown {
    /// Runs the commands in the work directory of a worktree; gives those that failed.
    pub async fn run(&self, on: &Subject, dir: &Path) -> Vec<&str> {
        let mut failed = Vec::new();
        for (n, command) in self.commands.iter().enumerate() {
            let name = format!("{on}.teardown-{}", n + 1);
            let run = CheckRun {
                name: Arc::from("teardown"),
                command: command.clone(),
                dir: dir.to_owned(),
                junit: None,
                env: self.env.check.clone(),
                extra_env: names(&self.plan, on),
                timeout: TEARDOWN_TIMEOUT,
                log: self.runs.join(format!("{name}.log")),
                attempt: Arc::from(name),
                tree: None,
                redactor: self.redactor.clone(),
            };
            let never = watch::channel(Stop::Run).1;
            match check::run(&self.supervisor, run, never).await {
                Ran::Checked(result) if result.verdict == Verdict::Pass => {}
                Ran::Checked(_) | Ran::Interrupted => failed.push(command.as_str()),
            }
        }
        failed
    }
}
