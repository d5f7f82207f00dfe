//! From an idea to a spec: the conversation of `/spec`, and the documents that it saves.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::SpecArg;
use crate::spec::brainstorm::Document;

impl ValueEnum for Document {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }
    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = match self {
            Self::Mission => {
                PossibleValue::new("MISSION").alias("MISSION.md").help("What is wanted, for whom, and why")
            }
            Self::Investigation => {
                PossibleValue::new("INVESTIGATION").alias("INVESTIGATION.md").help("What was found out, and where")
            }
            Self::Decisions => {
                PossibleValue::new("DECISIONS").alias("DECISIONS.md").help("What was decided, why, and against what")
            }
            Self::Concerns => {
                PossibleValue::new("CONCERNS").alias("CONCERNS.md").help("What may go wrong, and what is done about it")
            }
        };
        Some(value)
    }
}

/// Arguments of `brainstorm`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = false,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  cco brainstorm put MISSION --from mission.md         save a document of the spec of the current directory
  cco brainstorm put CONCERNS --spec billing/invoices  the same from stdin
  cco brainstorm show DECISIONS                        print it
  cco brainstorm list                                  which of them are there

What stood there before is kept in the spec's `brainstorm/old/`."
)]
pub struct Brainstorm {
    /// What to do with the documents.
    #[command(subcommand)]
    pub action: BrainstormAction,
}

/// What can be done with the documents of a brainstorm.
#[derive(Debug, Subcommand)]
pub enum BrainstormAction {
    /// Save a document, from stdin or a file
    Put {
        /// Which document.
        #[arg(value_name = "DOC", ignore_case = true)]
        document: Document,
        /// Which spec.
        #[command(flatten)]
        spec: OfSpec,
        /// Take the text from this file instead of stdin.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        from: Option<PathBuf>,
    },
    /// Print a document
    Show {
        /// Which document.
        #[arg(value_name = "DOC", ignore_case = true)]
        document: Document,
        /// Which spec.
        #[command(flatten)]
        spec: OfSpec,
    },
    /// List the documents that are there
    List {
        /// Which spec.
        #[command(flatten)]
        spec: OfSpec,
    },
}

/// Names the spec by flag, where the first word is something else.
#[derive(Debug, Clone, Default, Args)]
pub struct OfSpec {
    /// `<project>/<name>`, an unambiguous beginning of it, or the path to a spec directory [default: the spec whose
    /// work_dir holds the current directory].
    #[arg(long = "spec", value_name = "SPEC")]
    pub reference: Option<String>,
}

/// Arguments of `spec`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cco spec                     the spec of the current directory
  cco spec billing/invoices    opens claude in the spec's work directory, with /spec

`cco new` makes a spec, `cco install` installs /spec. What you work out there is saved in the spec's `brainstorm/`;
`cco formalize` makes the manifest of it.")]
pub struct Spec {
    /// Which spec.
    #[command(flatten)]
    pub spec: SpecArg,
}
