//! Who else may not work here while a run lives.

use std::path::Path;

use anyhow::{Context as _, anyhow};

use crate::cli::App;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::ids::Digest;
use crate::journal::{Holder, LockError, RunLock};

/// The lock of the spec, held for the whole run.
pub fn lock(app: &App, opened: &Opened) -> Result<RunLock, CliError> {
    acquire(app, opened, &opened.paths.lock(), &opened.reference)
}

/// The lock of the work directory, where components work in it: one run at a time, whichever spec it is of.
pub fn lock_work_dir(app: &App, opened: &Opened, dir: &Path) -> Result<RunLock, CliError> {
    let dir = fs_err::canonicalize(dir).map_err(CliError::environment)?;
    let state = app.environment.state_dir().context("there is no home directory").map_err(CliError::environment)?;
    let locks = state.join("locks");
    crate::fsx::create_dir_private(&locks).map_err(CliError::environment)?;
    let path = locks.join(Digest::of(dir.as_os_str().as_encoded_bytes()).to_string());
    acquire(app, opened, &path, &dir.display().to_string())
}

fn acquire(app: &App, opened: &Opened, path: &Path, what: &str) -> Result<RunLock, CliError> {
    let holder = Holder::this_process(app.environment.started, format!("cco run {}", opened.reference));
    RunLock::acquire(path, &holder).map_err(|error| match error {
        LockError::Held { .. } => CliError::new(ExitStatus::Locked, anyhow!("`{what}` is being worked on: {error}")),
        LockError::Io(_) => CliError::environment(error),
    })
}
