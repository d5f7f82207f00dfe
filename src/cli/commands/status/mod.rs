//! Shows how far a spec has come. Needs no lock, and changes nothing.

mod document;
mod text;
mod watch;

use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::journal::LockState;
use document::{Facts, Report};

pub(super) use document::phase;

/// Shows how far a spec has come.
pub fn execute(app: &App, args: args::Status) -> Result<ExitStatus, CliError> {
    let mut opened = app.open_as_it_runs(args.spec.reference())?;
    if args.watch {
        match opened.lock_state()? {
            LockState::Held(_) => {
                watch::until_it_ends(app, &opened)?;
                opened = app.open_as_it_runs(args.spec.reference())?;
            }
            LockState::Free => app.printer.note("no run is live; this is where the last one left it"),
        }
        // Who watches records has seen them all.
        if app.printer.format() == Format::Json {
            return Ok(ExitStatus::Done);
        }
    }
    show(app, &opened)?;
    Ok(ExitStatus::Done)
}

fn show(app: &App, opened: &Opened) -> Result<(), CliError> {
    let mut facts = Facts::gather(opened)?;
    let state = opened.read_state(|record| facts.see(record))?;
    facts.look(app, opened, &state);
    let report = Report::new(opened, &state, &facts);
    match app.printer.format() {
        Format::Json => app.printer.document(&report),
        Format::Text => app.printer.answer(&text::render(opened, &state, &report)),
    }
}
