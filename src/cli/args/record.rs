//! What is on record of a spec's runs: how far it is, what was put out, and what of it can be saved.

use clap::Args;

use super::SpecArg;
use crate::ids::Subject;

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco status                     the spec of the current directory
  cco status billing/invoices --watch
  cco status --json              one JSON document")]
pub struct Status {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// Keep the picture current until the run ends.
    #[arg(short, long)]
    pub watch: bool,
}

/// Arguments of `logs`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco logs                              every step of the spec of the current directory
  cco logs api --spec billing/invoices  the steps of one component
  cco logs api --follow                 as it happens
  cco logs api --raw                    the agent's own events, one JSON value a line
  cco logs api --prompt                 what the agent was told")]
pub struct Logs {
    /// Only this component; @run for the checks of the whole.
    #[arg(value_name = "COMPONENT")]
    pub component: Option<Subject>,
    /// `<project>/<name>`, an unambiguous beginning of it, or the path to a spec directory [default: the spec whose
    /// work_dir holds the current directory].
    #[arg(long, value_name = "SPEC")]
    pub spec: Option<String>,
    /// Go on as more is put out, until the run ends.
    #[arg(short, long)]
    pub follow: bool,
    /// The bytes as they were put out, but for secrets.
    #[arg(long)]
    pub raw: bool,
    /// The prompts instead of the output.
    #[arg(long, conflicts_with_all = ["raw", "follow"])]
    pub prompt: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco verify billing/invoices           from records and git alone; starts nothing, changes nothing
  cco verify billing/invoices --rerun   the commands once more, in a fresh worktree that goes again
  cco verify --json                     one JSON document

Exit status: 0 all is proven, or waived by a person, 1 something is unproven or contradicted, 74 the journal is damaged.")]
pub struct Verify {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// Run the commands that prove the whole again, on the commit of the branch, and compare.
    #[arg(long)]
    pub rerun: bool,
}

/// Arguments of `repair`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco repair billing/invoices           show what is damaged, what can be saved, what is lost
  cco repair billing/invoices --apply   go on from there with the next run

Nothing is deleted: the damaged journal goes to the spec's `state/history/`. What is lost are records: commits stay on
the branch, and steps that were paid for may have to be paid again. Where no records are left, git is asked: what its
commits tell is not paid again, and is checked again.

Exit status: 0 the journal is in order, 1 it is damaged still, or gone and can be rebuilt.")]
pub struct Repair {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// Put what can be saved or rebuilt in the journal's place.
    #[arg(long)]
    pub apply: bool,
}
