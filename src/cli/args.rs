//! The command line as clap types: no logic, no defaults that depend on anything but the command line.
//!
//! Doc comments here are the help texts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::ids::ComponentId;
use crate::import::Dialect;
use crate::process::guard;
use crate::spec::manifest::{Isolation, Mode};

/// Runs multi-component software work through the claude CLI with external enforcement.
///
/// The program controls the flow, the model only executes steps; a step that says it is done is not done until cco has
/// checked it.
#[derive(Debug, Parser)]
#[command(name = "cco", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(arg_required_else_help = true, subcommand_required = true)]
pub struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

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

impl ValueEnum for Dialect {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Speckit, Self::Taskmaster, Self::Markdown]
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Speckit => {
                PossibleValue::new("speckit").help("tasks.md of GitHub's spec-kit, with plan.md and spec.md beside it")
            }
            Self::Taskmaster => PossibleValue::new("taskmaster").help("tasks.json of Task Master"),
            Self::Markdown => PossibleValue::new("markdown").help("A checklist, or a table of files"),
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

/// Everything `cco` can be asked. The order is the order of the help.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the specs of the store
    List(List),
    /// Create a spec
    New(New),
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
    /// Make a spec of the tasks that another tool wrote
    Import(Box<Import>),
    /// Draw the components and what they depend on
    Graph(Graph),
    /// Look at what cco needs: programs, login, settings, strays
    Doctor(Doctor),
    /// Show what can be saved of a damaged journal, and put it in place
    Repair(Repair),
    /// Print the JSON Schema of the manifest
    Schema(Schema),
    /// Print the completions for a shell
    Completions(Completions),
    /// Run a small example project with the simulated agent
    Demo(Demo),
}

/// Names the spec: positional or by flag.
#[derive(Debug, Clone, Default, Args)]
pub struct SpecArg {
    /// `<project>/<name>`, an unambiguous beginning of it, or the path to a spec directory [default: the spec whose
    /// work_dir holds the current directory].
    #[arg(value_name = "SPEC")]
    positional: Option<String>,
    /// The same as the positional SPEC.
    #[arg(long = "spec", value_name = "SPEC", conflicts_with = "positional")]
    flag: Option<String>,
}

impl SpecArg {
    /// The spec in a directory.
    pub fn of(dir: &Path) -> Self {
        Self { positional: Some(dir.display().to_string()), flag: None }
    }

    /// The reference, if one was given.
    pub fn reference(&self) -> Option<&str> {
        self.positional.as_deref().or(self.flag.as_deref())
    }
}

/// Arguments of `list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco list                     all specs
  cco list --project billing   those of one project
  cco list --json              one JSON document")]
pub struct List {
    /// Only the specs of this project.
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco new --project billing --name invoices
  cco new --project billing --name invoices --work-dir ~/src/billing")]
pub struct New {
    /// The project that the spec belongs to.
    #[arg(long, value_name = "PROJECT")]
    pub project: String,
    /// The name of the spec.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// The code that is worked on [default: the current directory].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub work_dir: Option<PathBuf>,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco validate                      the spec of the current directory
  cco validate billing/invoices
  cco validate ./specs/invoices     a spec directory kept in a repository
  cco validate --json               all problems as one JSON document

Exit status: 0 valid (warnings allowed), 1 invalid.")]
pub struct Validate {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
}

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
    pub component: Option<crate::ids::Subject>,
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

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco import --from speckit specs/001-login/tasks.md --project shop --name login
  cco import --from taskmaster .taskmaster/tasks/tasks.json --tag master --project shop --name mvp -n
  cco import --from markdown PLAN.md --into shop/login --replace

What could not be taken over as it stood is reported line by line: what it was, and what was done about it. Nothing is
guessed silently. A task that names no file has no write set, and the manifest is not valid until it has one; `--write-set`
gives one to all of them.

Exit status: 0 imported and valid, 1 imported and not valid yet, 65 the files cannot be read as what --from says.")]
pub struct Import {
    /// What wrote the files.
    #[arg(long, value_name = "DIALECT")]
    pub from: Dialect,
    /// The files with the tasks.
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// The project of the new spec.
    #[arg(long, value_name = "PROJECT", required_unless_present = "into", conflicts_with = "into")]
    pub project: Option<String>,
    /// The name of the new spec.
    #[arg(long, value_name = "NAME", required_unless_present = "into", conflicts_with = "into")]
    pub name: Option<String>,
    /// The code that the new spec works on [default: the current directory].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "into")]
    pub work_dir: Option<PathBuf>,
    /// Put the components into this spec instead of a new one; the rest of its manifest stays.
    #[arg(long, value_name = "SPEC")]
    pub into: Option<String>,
    /// Replace the manifest of --into; the old one is kept beside it.
    #[arg(long, requires = "into")]
    pub replace: bool,
    /// Which tag of Task Master's, where the file has several.
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// What tasks that name no file may write; can be given more than once.
    #[arg(long, value_name = "GLOB")]
    pub write_set: Vec<String>,
    /// Take tasks over that are done, too.
    #[arg(long)]
    pub with_done: bool,
    /// Print the manifest (stdout) and the report (stderr), and write nothing.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// Arguments of `graph`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco graph billing/invoices
  cco graph billing/invoices --format mermaid
  cco graph billing/invoices --format dot | dot -Tsvg > graph.svg")]
pub struct Graph {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// Form of the drawing.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: GraphFormat,
}

/// Form of a drawn graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Levels, as indented text.
    Text,
    /// A Mermaid flow chart.
    Mermaid,
    /// The language of Graphviz.
    Dot,
}

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

/// Arguments of `repair`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco repair billing/invoices           show what is damaged, what can be saved, what is lost
  cco repair billing/invoices --apply   go on from there with the next run

Nothing is deleted: the damaged journal goes to the spec's `state/history/`. What is lost are records: commits stay on
the branch, and steps that were paid for may have to be paid again.

Exit status: 0 the journal is in order, 1 it is damaged still.")]
pub struct Repair {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
    /// Put what can be saved in the journal's place.
    #[arg(long)]
    pub apply: bool,
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

/// Arguments of `demo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco demo                  offline and free: the simulated agent
  cco demo --agent claude   the same project with the real one
  cco demo --dir /tmp/demo  keep the project there")]
pub struct Demo {
    /// The agent: sim (the simulated one), claude, or the path to a program that speaks the same protocol.
    #[arg(long, value_name = "NAME|PATH", default_value = "sim")]
    pub agent: String,
    /// Where to put the project [default: a new temporary directory].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Programs of cco's own that it starts as child processes. Their arguments are not clap's to read: the simulated agent
/// takes those of `claude`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden<'a> {
    /// Ends what a run leaves when cco dies.
    Guard {
        /// What the run's processes carry.
        run_mark: &'a str,
    },
    /// Speaks the agent's protocol from a scenario file.
    AgentSim {
        /// The words after `agent-sim`.
        args: &'a [OsString],
    },
}

impl<'a> Hidden<'a> {
    /// Recognises the hidden commands in the whole command line, the program's name included.
    pub fn from_argv(argv: &'a [OsString]) -> Option<Self> {
        match argv {
            [_, command, run_mark] if command == guard::SUBCOMMAND => {
                Some(Self::Guard { run_mark: run_mark.to_str()? })
            }
            [_, command, args @ ..] if command == "agent-sim" => Some(Self::AgentSim { args }),
            _ => None,
        }
    }
}

/// An amount of money: finite and more than nothing.
fn amount(text: &str) -> Result<f64, &'static str> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err("must be a number above 0"),
    }
}
