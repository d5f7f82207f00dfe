//! What `install` takes.

use clap::{Args, ValueEnum};
use serde::Serialize;

/// Arguments of `install`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco install                   for you, in every project: ~/.claude, or $CLAUDE_CONFIG_DIR
  cco install --scope project   for all who work on this project: .claude of its repository
  cco install -n                what would be written
  cco install --uninstall       take away what cco wrote

Running it again brings both up to date. What you changed is shown as a diff and replaced only if you agree; it is kept
beside as `.old-1`. Without a terminal to ask on nothing is written then.

Exit status: 0 installed, 1 a file of yours stays as it is, 3 you would have to be asked.")]
pub struct Install {
    /// For whom.
    #[arg(long, value_name = "SCOPE", default_value = "user")]
    pub scope: Scope,
    /// Remove what cco wrote; what you changed stays and is named.
    #[arg(long)]
    pub uninstall: bool,
    /// Replace what you changed without asking; it is kept beside.
    #[arg(short, long, visible_alias = "force", conflicts_with = "uninstall")]
    pub yes: bool,
    /// Show what would be done, and write nothing.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// For whom something is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// You, in every project.
    User,
    /// All who work on this project.
    Project,
}
