//! cco itself: what it needs, what it prints of its own, and how it is shown.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::SpecArg;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco doctor                     programs, login, settings and where each came from
  cco doctor billing/invoices    the same with what the spec sets, and what its runs left behind")]
pub struct Doctor {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco schema > manifest.schema.json")]
pub struct Schema {}

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco completions bash > ~/.local/share/bash-completion/completions/cco
  cco completions zsh > ~/.zfunc/_cco
  cco completions fish > ~/.config/fish/completions/cco.fish")]
pub struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco man ~/.local/share/man/man1")]
pub struct Man {
    /// Where to write the pages.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco demo                  offline and free: the simulated agent
  cco demo refactoring      another example, here one in full mode with votes
  cco demo --agent claude   the same project with the real one
  cco demo --dir /tmp/demo  keep the project there")]
pub struct Demo {
    /// Which example.
    #[arg(value_name = "EXAMPLE", default_value = "wordfreq")]
    pub example: Example,
    /// The agent: sim (the simulated one), claude, or the path to a program that speaks the same protocol.
    #[arg(long, value_name = "NAME|PATH", default_value = "sim")]
    pub agent: String,
    /// Where to put the project [default: a new temporary directory].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// An example project that is built into the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Example {
    /// Six shell scripts and a fix.
    Wordfreq,
    /// A feature of a Rust program.
    CliFeature,
    /// A Python service.
    PythonService,
    /// A web page, in quick mode.
    WebPage,
    /// A refactoring, in full mode with votes.
    Refactoring,
}
