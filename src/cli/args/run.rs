//! Runs: how one is begun, and how it is stopped.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};

use super::SpecArg;
use crate::ids::ComponentId;
use crate::spec::manifest::{Isolation, Mode};

/// Arguments of `run`.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  cco run                                   carry on with the spec of the current directory
  cco run billing/invoices -n               show what would run, and start nothing
  cco run billing/invoices --mode quick -j 8
  cco run billing/invoices --only api,store
  cco run billing/invoices --redo api -m \"keep the old endpoint\"
  cco run billing/invoices --no-input --json --budget-usd 20

Exit status:
  0 done (also: nothing to do)    6 usage limit and --no-wait
  1 not all complete              7 environment: claude or git missing, not logged in
  2 usage                        65 invalid spec
  3 needs an answer              70 internal error
  4 budget used up               74 journal could not be written
  5 locked by another run        130, 143 interrupted, terminated")]
pub struct Run {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// Show what would run and why, and start nothing.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Start over: set the saved state aside (nothing is deleted).
    #[arg(long)]
    pub fresh: bool,
    /// How thorough the run is, instead of what the manifest says.
    #[arg(long, value_name = "MODE")]
    pub mode: Option<Mode>,
    /// How many agents run at once, at most.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub jobs: Option<u32>,
    /// Run just these components.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub only: Vec<ComponentId>,
    /// Make these components anew.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub redo: Vec<ComponentId>,
    /// Guidance for the components of --redo.
    #[arg(short, long, value_name = "TEXT", requires = "redo")]
    pub message: Option<String>,
    /// Start nothing more once a component has failed.
    #[arg(long)]
    pub fail_fast: bool,
    /// Ask nothing on the terminal; questions are left for `cco answer`.
    #[arg(long)]
    pub no_input: bool,
    /// Do not wait for a usage window to reset; exit with 6 instead.
    #[arg(long)]
    pub no_wait: bool,
    /// Run this command on every escalation and at the end, with the event as JSON on stdin.
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    pub notify: Option<String>,
    /// Spend at most this much on the run.
    #[arg(long, value_name = "USD", alias = "max-budget-usd", value_parser = amount)]
    pub budget_usd: Option<f64>,
    /// The agent: claude, sim (the simulated one), or the path to a program that speaks the same protocol.
    #[arg(long, value_name = "NAME|PATH")]
    pub agent: Option<String>,
    /// Where components work, instead of what the manifest says.
    #[arg(long, value_name = "WHERE")]
    pub isolation: Option<Isolation>,
}

impl ValueEnum for Mode {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Quick, Self::Standard, Self::Full]
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Quick => PossibleValue::new("quick").help("Implement only; the final validation proves the whole"),
            Self::Standard => PossibleValue::new("standard").help("Level by level, each component and level validated"),
            Self::Full => PossibleValue::new("full").help("One component at a time, validated after every step"),
        })
    }
}

impl ValueEnum for Isolation {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Worktree, Self::Shared]
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => PossibleValue::new("auto").help("A worktree where there is git, else shared"),
            Self::Worktree => PossibleValue::new("worktree").help("A worktree; your checkout is not touched"),
            Self::Shared => PossibleValue::new("shared").help("The work directory itself"),
        })
    }
}

/// An amount of money: finite and more than nothing.
pub(super) fn amount(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("must be a number above 0"),
    }
}

/// Arguments of `stop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco stop billing/invoices         start nothing more, end what runs, record
  cco stop billing/invoices --now   kill what runs")]
pub struct Stop {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// Kill the running steps instead of letting them end in an orderly way.
    #[arg(long)]
    pub now: bool,
}
