//! Lists the specs of the store.

use serde::Serialize;

use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::spec::catalog::Entry;
use crate::text::printable;

/// Lists the specs of the store; one with a broken manifest is shown as such.
pub fn execute(app: &App, args: args::List) -> Result<ExitStatus, CliError> {
    let catalog = app.catalog()?;
    let entries = catalog.list(args.project.as_deref())?;
    match app.printer.format() {
        Format::Json => {
            let specs = entries.iter().map(Item::from).collect();
            app.printer.document(&Listing { store: catalog.root().display().to_string(), specs })?;
        }
        Format::Text => app.printer.answer(&table(&entries))?,
    }
    if entries.is_empty() {
        let root = catalog.root().display();
        app.printer.note(match &args.project {
            Some(project) => format!("no spec of project `{}` in `{root}`", printable(project)),
            None => format!("no spec in `{root}`"),
        });
        app.printer.help("`cco new --name NAME` creates one for the current directory");
    }
    Ok(ExitStatus::Done)
}

fn table(entries: &[Entry]) -> String {
    let width = entries.iter().map(|entry| entry.reference().len()).max().unwrap_or_default();
    let line = |entry: &Entry| {
        let facts = match &entry.facts {
            Ok(facts) => facts.work_dir.display().to_string(),
            Err(problem) => format!("invalid: {problem}"),
        };
        format!("{:width$}  {}\n", entry.reference(), printable(&facts))
    };
    entries.iter().map(line).collect()
}

/// The JSON document.
#[derive(Serialize)]
struct Listing<'a> {
    store: String,
    specs: Vec<Item<'a>>,
}

/// One spec. Of a broken one only the directory is known.
#[derive(Serialize)]
struct Item<'a> {
    spec: String,
    project: &'a str,
    name: Option<&'a str>,
    path: String,
    work_dir: Option<String>,
    problem: Option<&'a str>,
}

impl<'a> From<&'a Entry> for Item<'a> {
    fn from(entry: &'a Entry) -> Self {
        let facts = entry.facts.as_ref();
        Self {
            spec: entry.reference(),
            project: &entry.project,
            name: facts.ok().map(|facts| facts.name.as_str()),
            path: entry.path.display().to_string(),
            work_dir: facts.ok().map(|facts| facts.work_dir.display().to_string()),
            problem: facts.err().map(String::as_str),
        }
    }
}
