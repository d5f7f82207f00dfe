//! After a run: handing its work on, and clearing up.

use clap::Args;

use super::SpecArg;

/// Arguments of `finish`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco finish billing/invoices           print the commands that push the work and open a pull request
  cco finish billing/invoices --merge   fast-forward the branch that you have checked out
  cco finish billing/invoices --json    the same as one JSON document

Nothing is ever pushed: the commands are for you to run. The body of the pull request is a file in the spec's `runs/`.
--merge needs a checkout without uncommitted changes and a branch that holds nothing else; hooks do not run, since no
git call of cco's runs any.

Exit status: 0 done, 1 the work is not complete or your branch cannot be moved, 5 a run of the spec lives.")]
pub struct Finish {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// Fast-forward the branch that is checked out in the work directory.
    #[arg(long)]
    pub merge: bool,
}

/// Arguments of `clean`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco clean billing/invoices            show the worktrees, refs and branch that it left, and what would go
  cco clean billing/invoices -y         remove them
  cco clean billing/invoices -y --branch   the integration branch too, merged or not
  cco clean --all -y                    those of all finished specs, and of specs that are gone

What is not committed, what belongs to a component that is not complete, and commits that nothing else holds stay, unless
--force says otherwise; the integration branch stays until the branch that you have checked out holds it, unless --branch
does. With --all, specs that are not finished keep everything, whatever is forced.

Exit status: 0 listed or removed, 1 something was to be removed and stays, 5 a run of the spec lives.")]
pub struct Clean {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// All specs of the store that are finished, and what specs left that are gone.
    #[arg(long, conflicts_with_all = ["positional", "flag"])]
    pub all: bool,
    /// Remove what is listed, instead of listing it only.
    #[arg(short, long)]
    pub yes: bool,
    /// Also what would be lost: uncommitted changes, components that are not complete.
    #[arg(long)]
    pub force: bool,
    /// Also the integration branch, merged or not.
    #[arg(long)]
    pub branch: bool,
}
