//! The one way in which cco moves the user's own branch: asked for by name, and only forward.

use anyhow::anyhow;
use serde::Serialize;

use super::{refused, some_of, ways};
use crate::cli::App;
use crate::cli::error::CliError;
use crate::text::plural;
use crate::tree::{Forward, Repository};

/// What became of the user's branch.
#[derive(Debug, Serialize)]
pub(super) struct Merged {
    /// The integration branch.
    pub(super) of: String,
    /// The user's branch.
    pub(super) branch: String,
    /// The commit it was at; null: it held all of it already.
    pub(super) from: Option<String>,
    /// The commit it is at.
    pub(super) to: String,
    /// How many commits it gained.
    pub(super) commits: u32,
}

impl Merged {
    pub(super) fn text(&self) -> String {
        let Self { branch, of, .. } = self;
        if self.from.is_none() {
            return format!("`{branch}` holds all of `{of}` already\n");
        }
        format!("`{branch}` is at {}: {} of `{of}`\n", self.to, plural(self.commits as usize, "commit"))
    }
}

/// Fast-forwards the user's branch.
///
/// # Errors
/// It cannot be moved (1): nothing was changed, and the error says what can be done.
pub(super) fn merge(app: &App, spec: &str, repository: &Repository, tip: &str) -> Result<Merged, CliError> {
    let of = repository.branch().to_owned();
    let top = repository.top().display();
    let git = format!("git -C {}", ways::quoted(&repository.top().to_string_lossy()));
    let again = format!("then `cco finish {spec} --merge` again");
    match repository.fast_forward(tip).map_err(CliError::environment)? {
        Forward::Moved { branch, from, to } => {
            let commits = repository.commits_between(&from, &to).map_err(CliError::environment)?;
            app.printer.detail("no hook of the repository was run");
            Ok(Merged { of, branch, from: Some(from), to, commits })
        }
        Forward::Already { branch } => Ok(Merged { of, branch, from: None, to: tip.to_owned(), commits: 0 }),
        Forward::Detached => Err(refused(anyhow!("no branch is checked out in `{top}`: there is none to move"))
            .hint(format!("switch to one: `{git} switch BRANCH`; {again}"))),
        Forward::Dirty(paths) => {
            let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            Err(refused(anyhow!("`{top}` has changes that are not committed: {}", some_of(&paths)))
                .hint(format!("commit or stash them; {again}")))
        }
        Forward::Diverged { branch } => {
            Err(refused(anyhow!("`{branch}` holds commits that `{of}` does not: it cannot be fast-forwarded"))
                .hint(format!("merge it yourself, with a look at the result: `{git} merge {}`", ways::quoted(&of))))
        }
        Forward::Refused { branch, why } => Err(refused(anyhow!("git does not fast-forward `{branch}`: {why}"))
            .hint(format!("nothing was changed; mend that, {again}"))),
    }
}
