//! Completion of a command line that is being typed: one hidden command that every shell's script asks, so that specs and
//! components complete too, and so that what completes is what clap would take.

mod line;
pub mod scripts;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Command;
use serde::Deserialize;

pub use line::{Candidate, Known, Offer, offers};

use super::args::Global;
use super::error::{CliError, ExitStatus};
use super::help;
use super::output::Printer;
use super::settings::{Environment, Layers};
use crate::fsx;
use crate::ids::ComponentId;
use crate::spec::catalog::Catalog;
use crate::spec::load::{MANIFEST, MAX_BYTES};
use crate::text::one_line;

/// The hidden command: the words after the program's name up to the cursor are its arguments.
pub const SUBCOMMAND: &str = "complete-words";
/// The line that asks the shell for names of files.
const FILES: &str = ":files";
/// The line that asks the shell for names of directories.
const DIRS: &str = ":dirs";

/// Prints what the last word may become, one candidate a line, with a tab before what it is. What goes wrong completes to
/// nothing: nobody wants an error in the middle of typing.
pub fn execute(printer: &Printer, words: &[OsString]) -> Result<ExitStatus, CliError> {
    let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut text = String::new();
    for offer in offers(&whole_command(), &words, &Store) {
        let _ = match offer {
            Offer::Files => writeln!(text, "{FILES}"),
            Offer::Directories => writeln!(text, "{DIRS}"),
            Offer::Word(Candidate { word, what }) if what.is_empty() => writeln!(text, "{word}"),
            Offer::Word(Candidate { word, what }) => writeln!(text, "{word}\t{}", one_line(&what)),
        };
    }
    printer.answer(&text)?;
    Ok(ExitStatus::Done)
}

/// The command line with what clap adds to it.
fn whole_command() -> Command {
    let mut command = help::command();
    command.build();
    command
}

/// What the spec store and manifests know.
struct Store;

impl Store {
    fn catalog(store: Option<&str>) -> Option<(Catalog, Environment)> {
        let environment = Environment::snapshot().ok()?;
        let global = Global { store: store.map(PathBuf::from), ..Global::default() };
        let root = Layers::gather(&environment, &global).ok()?.resolve().store_root(&environment).ok()?;
        Some((Catalog::new(root, environment.home.clone()), environment))
    }
}

impl Known for Store {
    fn specs(&self, store: Option<&str>) -> Vec<String> {
        let names = Self::catalog(store).and_then(|(catalog, _)| catalog.names().ok());
        names.unwrap_or_default()
    }

    fn projects(&self, store: Option<&str>) -> Vec<String> {
        let mut projects: Vec<String> =
            self.specs(store).iter().filter_map(|spec| Some(spec.split_once('/')?.0.to_owned())).collect();
        projects.dedup();
        projects
    }

    fn components(&self, store: Option<&str>, spec: Option<&str>) -> Vec<(String, String)> {
        /// As much of a manifest as is needed; the rest may be anything.
        #[derive(Deserialize)]
        struct Head {
            components: Vec<Component>,
        }
        #[derive(Deserialize)]
        struct Component {
            id: String,
            #[serde(default)]
            purpose: serde_json::Value,
        }
        let read = || {
            let (catalog, environment) = Self::catalog(store)?;
            let entry = match spec {
                Some(reference) => catalog.find(reference, &environment.cwd),
                None => catalog.find_here(&environment.cwd),
            };
            let bytes = fsx::read_regular(&entry.ok()?.path.join(MANIFEST), MAX_BYTES).ok()?;
            serde_json::from_slice::<Head>(&bytes).ok()
        };
        let components = read().map(|head| head.components).unwrap_or_default();
        let valid = components.into_iter().filter(|component| ComponentId::new(&component.id).is_ok());
        valid.map(|component| (component.id, component.purpose.as_str().unwrap_or_default().to_owned())).collect()
    }
}
