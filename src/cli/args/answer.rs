//! Answers to the questions that a run has put.

use clap::{Args, Subcommand};

/// Arguments of `answer`.
#[derive(Debug, Args)]
#[command(subcommand_value_name = "VERB", subcommand_help_heading = "Verbs", disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  cco answer billing/invoices                          list the open questions
  cco answer billing/invoices q1 retry -m \"the API is v2\"
  cco answer billing/invoices q1 accept                waive its issues by name
  cco answer billing/invoices q1 recheck               validate what you changed by hand
  cco answer billing/invoices q2 --option keep-both    one of the question's own options

A live run picks the answer up at once, else the next `cco run` does.")]
pub struct Answer {
    /// Which spec [default: the spec whose work_dir holds the current directory].
    #[arg(value_name = "SPEC")]
    pub spec: Option<String>,
    /// Which question; needed when several are open.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// One of the question's own options.
    #[arg(long, value_name = "X")]
    pub option: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// The answers that every question takes.
#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    /// Try again from the best state so far, with a new budget of fixes
    Retry {
        /// Guidance for the agent.
        #[arg(short, long, value_name = "TEXT")]
        message: Option<String>,
    },
    /// Waive issues by id (default: all) and integrate as waived
    Accept {
        /// The issues.
        #[arg(value_name = "ISSUE")]
        issues: Vec<String>,
    },
    /// Validate the work as you left it, without an agent
    Recheck,
    /// Leave the component and its dependents out
    Skip,
    /// End the run
    Abort,
}
