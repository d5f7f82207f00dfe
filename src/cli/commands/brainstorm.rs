//! Saves and shows the documents of a brainstorm. The agent of `/spec` saves through this: it may not write into the
//! spec store itself.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::App;
use crate::cli::args::{self, BrainstormAction, Format, OfSpec};
use crate::cli::error::{CliError, ExitStatus};
use crate::fsx;
use crate::spec::brainstorm::{self, BrainstormError, Document, LARGEST, Put};
use crate::spec::catalog::Entry;
use crate::text::{printable, size};

/// Saves, prints or lists.
pub fn execute(app: &App, args: args::Brainstorm) -> Result<ExitStatus, CliError> {
    match args.action {
        BrainstormAction::Put { document, spec, from } => put(app, &find(app, &spec)?, document, from.as_deref()),
        BrainstormAction::Show { document, spec } => show(app, &find(app, &spec)?, document),
        BrainstormAction::List { spec } => list(app, &find(app, &spec)?),
    }
}

fn find(app: &App, spec: &OfSpec) -> Result<Entry, CliError> {
    app.find_spec(spec.reference.as_deref())
}

fn put(app: &App, entry: &Entry, document: Document, from: Option<&Path>) -> Result<ExitStatus, CliError> {
    let text = match from {
        Some(file) => {
            let file = app.environment.expand(file, &app.environment.cwd);
            fsx::read_regular(&file, LARGEST).map_err(CliError::usage)?
        }
        None => typed(app)?,
    };
    let (path, spec) = (document.path(&entry.path), app.called(entry)?);
    let put = brainstorm::put(&entry.path, document, &text).map_err(refused)?;
    let (outcome, kept) = match &put {
        Put::Unchanged => ("unchanged", None),
        Put::Saved { kept } => ("saved", kept.as_deref()),
    };
    match app.printer.format() {
        Format::Json => {
            app.printer.document(&Saved { spec: &spec, document: document.name(), path: &path, outcome, kept })?;
        }
        Format::Text => app.printer.answer(&format!("{outcome} {}\n", printable(&path.to_string_lossy())))?,
    }
    if let Some(kept) = kept {
        app.printer.note(format!("the earlier version is `{}`", printable(&kept.to_string_lossy())));
    }
    Ok(ExitStatus::Done)
}

/// All of stdin, but not more than a document may hold and one byte.
fn typed(app: &App) -> Result<Vec<u8>, CliError> {
    if app.environment.terminals.stdin {
        app.printer.note("reading the text from the terminal; Ctrl-D on an empty line ends it");
    }
    let mut text = Vec::new();
    io::stdin().take(LARGEST + 1).read_to_end(&mut text).map_err(CliError::environment)?;
    Ok(text)
}

fn show(app: &App, entry: &Entry, document: Document) -> Result<ExitStatus, CliError> {
    let Some(text) = brainstorm::read(&entry.path, document).map_err(refused)? else {
        let error = CliError::usage(format!("{} has no {document}", app.called(entry)?));
        return Err(error.hint("`cco brainstorm list` shows what is there"));
    };
    let text = String::from_utf8_lossy(&text);
    let path = document.path(&entry.path);
    match app.printer.format() {
        Format::Json => {
            app.printer.document(&Shown {
                spec: &app.called(entry)?,
                document: document.name(),
                path: &path,
                text: &text,
            })?;
        }
        Format::Text => app.printer.answer(&crate::text::terminal_safe(&text))?,
    }
    Ok(ExitStatus::Done)
}

fn list(app: &App, entry: &Entry) -> Result<ExitStatus, CliError> {
    let mut documents = Vec::new();
    for document in Document::ALL {
        let text = brainstorm::read(&entry.path, document).map_err(refused)?;
        documents.push(Listed {
            document: document.name(),
            path: document.path(&entry.path),
            bytes: text.map(|text| text.len() as u64),
        });
    }
    match app.printer.format() {
        Format::Json => app.printer.document(&Listing { spec: &app.called(entry)?, documents })?,
        Format::Text => {
            let line = |item: &Listed| {
                let bytes = item.bytes.map_or_else(|| "missing".to_owned(), size);
                format!("{:<13}  {bytes:>9}  {}\n", item.document, printable(&item.path.to_string_lossy()))
            };
            app.printer.answer(&documents.iter().map(line).collect::<String>())?;
        }
    }
    Ok(ExitStatus::Done)
}

fn refused(error: BrainstormError) -> CliError {
    match &error {
        BrainstormError::Empty(_) => CliError::new(ExitStatus::InvalidSpec, error)
            .hint("give the text on stdin, or name its file: `--from FILE`"),
        BrainstormError::TooLarge { .. } => CliError::new(ExitStatus::InvalidSpec, error)
            .hint("shorten it: say what was found, and name the files that show it"),
        BrainstormError::NotText { .. } => CliError::new(ExitStatus::InvalidSpec, error),
        BrainstormError::InTheWay { .. } => {
            CliError::environment(error).hint("move it away; cco reads and writes only what lies in the spec itself")
        }
        BrainstormError::Io(_) => CliError::environment(error),
    }
}

/// The JSON document of `put`.
#[derive(Serialize)]
struct Saved<'a> {
    spec: &'a str,
    document: &'static str,
    path: &'a Path,
    outcome: &'static str,
    kept: Option<&'a Path>,
}

/// The JSON document of `show`.
#[derive(Serialize)]
struct Shown<'a> {
    spec: &'a str,
    document: &'static str,
    path: &'a Path,
    text: &'a str,
}

/// The JSON document of `list`.
#[derive(Serialize)]
struct Listing<'a> {
    spec: &'a str,
    documents: Vec<Listed>,
}

/// One document; without `bytes` it is not there.
#[derive(Serialize)]
struct Listed {
    document: &'static str,
    path: PathBuf,
    bytes: Option<u64>,
}
