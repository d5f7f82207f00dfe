//! The command line as clap types: no logic, no defaults that depend on anything but the command line.
//!
//! Doc comments here are the help texts.

mod answer;
mod brainstorm;
mod finish;
mod formalize;
mod global;
mod hidden;
mod import;
mod install;
mod program;
mod record;
mod run;
mod spec;

use clap::{Parser, Subcommand};

pub use answer::{Answer, Verb};
pub use brainstorm::{Brainstorm, BrainstormAction, OfSpec, Spec};
pub use finish::{Clean, Finish};
pub use formalize::Formalize;
pub use global::{Color, Format, Global};
pub use hidden::Hidden;
pub use import::Import;
pub use install::{Install, Scope};
pub use program::{Completions, Demo, Doctor, Example, Man, Schema};
pub use record::{Logs, Repair, Status, Verify};
pub use run::{Run, Stop};
pub use spec::{Graph, GraphFormat, List, New, SpecArg, Validate};

/// Runs multi-component software work through the claude CLI with external enforcement.
///
/// The program controls the flow, the model only executes steps; a step that says it is done is not done until cco has
/// checked it.
#[derive(Debug, Parser)]
#[command(name = "cco", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(override_usage = "cco [OPTIONS] <COMMAND>")]
pub struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// The command; without one, what to do next is said.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Everything `cco` can be asked. The order is the order of the help.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the specs of the store
    List(List),
    /// Create a spec
    New(New),
    /// Work a spec out in a conversation with claude
    Spec(Spec),
    /// Check a spec's manifest and report every problem
    Validate(Validate),
    /// Run a spec, or carry on where the last run stopped
    Run(Box<Run>),
    /// Show how far a spec has come
    Status(Status),
    /// Answer a question that a run has put to you
    Answer(Answer),
    /// Stop the live run of a spec
    Stop(Stop),
    /// Show what the agents and checks of a spec have put out
    Logs(Logs),
    /// Print the commands that hand the work on, or merge it into your branch
    Finish(Finish),
    /// Save or show what a brainstorm with /spec found out
    Brainstorm(Brainstorm),
    /// Make the manifest of a brainstorm
    Formalize(Formalize),
    /// Make a spec of the tasks that another tool wrote
    Import(Box<Import>),
    /// Draw the components and what they depend on
    Graph(Graph),
    /// Look at what cco needs: programs, login, settings, strays
    Doctor(Doctor),
    /// Show and remove the worktrees and refs that finished specs left
    Clean(Clean),
    /// Say what of the work is proven, what is not, and why
    Verify(Verify),
    /// Show what can be saved of a damaged journal, and put it in place
    Repair(Repair),
    /// Install /spec and the skill `orchestration` for Claude Code
    Install(Install),
    /// Print the JSON Schema of the manifest
    Schema(Schema),
    /// Print the completions for a shell
    Completions(Completions),
    /// Write the manual pages into a directory
    #[command(hide = true)]
    Man(Man),
    /// Run a small example project with the simulated agent
    Demo(Demo),
}
