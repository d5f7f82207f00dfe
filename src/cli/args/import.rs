//! What `import` takes.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};

use crate::import::Dialect;

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
