//! What `formalize` takes.

use clap::Args;

use super::SpecArg;
use super::run::amount;

/// Arguments of `formalize`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco formalize billing/invoices            judge the brainstorm, draft the manifest, check it, mend it
  cco formalize billing/invoices --no-gate  draft it whatever stands against the brainstorm
  cco formalize billing/invoices --show     what was judged, drafted and found; starts nothing
  cco formalize billing/invoices --fresh    start over

It reads brainstorm/ and SPEC.md and looks at the work directory without changing it. A draft that is not valid goes back
with everything that `cco validate` says, at most twice. The earlier manifest is kept as manifest.old-1.json, the last
draft of three that are not valid as manifest.failed-1.json. Killed or stopped, the same command carries on.

Exit status:
  0 the manifest is in place      5 locked by another run
  1 no draft was valid, or the    6 usage limit and --no-wait
    agent did not answer          7 environment: claude missing, not logged in
  2 usage                        65 the manifest that is there cannot be read
  3 the brainstorm is not ready  74 the records could not be written
  4 budget used up              130, 143 interrupted, terminated")]
pub struct Formalize {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// Do not judge first whether the brainstorm is ready.
    #[arg(long)]
    pub no_gate: bool,
    /// Start over: set aside what was judged and drafted (nothing is deleted).
    #[arg(long)]
    pub fresh: bool,
    /// Show what was judged, drafted and found, and start nothing.
    #[arg(long, conflicts_with_all = ["fresh", "no_gate", "budget_usd", "no_wait", "agent"])]
    pub show: bool,
    /// Do not wait for a usage window to reset; exit with 6 instead.
    #[arg(long)]
    pub no_wait: bool,
    /// Spend at most this much on it.
    #[arg(long, value_name = "USD", alias = "max-budget-usd", value_parser = amount)]
    pub budget_usd: Option<f64>,
    /// The agent: claude, sim (the simulated one), or the path to a program that speaks the same protocol.
    #[arg(long, value_name = "NAME|PATH")]
    pub agent: Option<String>,
}
