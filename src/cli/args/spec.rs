//! Specs: which one, and the commands that make, check and draw them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};

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
  cco new --name invoices                      for the current directory, whose project is detected
  cco new --project billing --name invoices
  cco new --project billing --name invoices --work-dir ~/src/billing

Languages and the commands that most likely lint and test are read out of the work directory (Cargo.toml, package.json,
pyproject.toml, go.mod, pom.xml, Makefile, justfile) and go into the manifest, to be edited. Nothing is run.")]
pub struct New {
    /// The project that the spec belongs to [default: what the work directory says that it is called].
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
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
