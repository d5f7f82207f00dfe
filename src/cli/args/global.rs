//! What every command understands.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// What every command understands.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Root of the spec store [default: $CCO_STORE, else ~/.claude/cc_orchestrations/specs].
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub store: Option<PathBuf>,
    /// Print JSON on stdout; the same as --output json.
    #[arg(long, global = true)]
    pub json: bool,
    /// Form of what is printed on stdout [default: text].
    #[arg(long, global = true, value_name = "FORMAT", conflicts_with = "json")]
    pub output: Option<Format>,
    /// Say more on stderr; -vv and -vvv say more still.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing on stderr but warnings and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// When to use colours; NO_COLOR is respected [default: auto].
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<Color>,
}

/// Form of what is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: stable and versioned.
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Also in pipes.
    Always,
    /// Nowhere.
    Never,
}
