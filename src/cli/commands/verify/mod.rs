//! Says what of the work is proven: from records, kept outputs and git alone. Needs no lock, and changes nothing.

mod document;
mod gather;
mod look;
mod rerun;
mod text;

use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::proof::{Standing, judge};
use document::Report;
use gather::Gathered;

pub(super) use look::git;

/// Says what is proven, what is not, and why.
pub fn execute(app: &App, args: args::Verify) -> Result<ExitStatus, CliError> {
    let gathered = Gathered::read(app, args.spec.reference())?;
    let mut judgement = judge(&gathered.opened.plan, &gathered.ledger, &gathered.facts);
    let again = if args.rerun { Some(rerun::rerun(app, &gathered, &mut judgement)?) } else { None };
    let report = Report::new(&gathered, &judgement, again.as_deref());
    match app.printer.format() {
        Format::Json => app.printer.document(&report)?,
        Format::Text => app.printer.answer(&text::render(&report))?,
    }
    Ok(match judgement.standing() {
        Standing::Proven | Standing::Waived => ExitStatus::Done,
        Standing::Unproven | Standing::Contradicted => ExitStatus::Incomplete,
    })
}
