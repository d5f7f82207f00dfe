//! Installs `/spec` and the skill `orchestration` for Claude Code, and takes them away again.

pub mod diff;
mod piece;
mod place;
pub mod stamp;

use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde::Serialize;

use super::run::this_program;
use crate::agent::find_program;
use crate::cli::App;
use crate::cli::args::{self, Format, Scope};
use crate::cli::error::{CliError, ExitStatus};
use crate::fsx;
use crate::text::printable;
use piece::{Outcome, PIECES, Piece, Standing};
use place::Place;
use stamp::Origin;

pub use place::find_spec_command;

/// The texts that are installed, each with its file below Claude Code's directory.
pub fn texts() -> [(&'static str, &'static str); 2] {
    PIECES
}

/// Whether `file` is a `/spec` of cco's that nobody changed, and not the one of this cco.
pub fn is_outdated(file: &Path) -> bool {
    let there = fsx::read_text(file).map(|text| Origin::of(&text));
    there.is_ok_and(|there| there.untouched && PIECES.iter().all(|(_, text)| there.text != *text))
}

/// Installs, or uninstalls.
pub fn execute(app: &App, args: args::Install) -> Result<ExitStatus, CliError> {
    let place = Place::of(app, args.scope)?;
    place.check(app, PIECES.iter().map(|(below, _)| place.dir.join(below)))?;
    let mut pieces = Vec::new();
    for piece in PIECES {
        pieces.push(Piece::look(&place.dir, piece).map_err(|error| place.refused(error))?);
    }
    let done = if args.uninstall { uninstall(&place, &pieces, &args)? } else { install(app, &place, &pieces, &args)? };
    let report = Report { scope: args.scope, directory: &place.dir, dry_run: args.dry_run, files: &done };
    match app.printer.format() {
        Format::Json => app.printer.document(&report)?,
        Format::Text => app.printer.answer(&report.text())?,
    }
    advise(app, &args, &pieces, &done);
    let stays = done.iter().any(|file| file.outcome == Outcome::Kept);
    Ok(if stays { ExitStatus::Incomplete } else { ExitStatus::Done })
}

fn install(app: &App, place: &Place, pieces: &[Piece], args: &args::Install) -> Result<Vec<Done>, CliError> {
    let planned: Vec<(&Piece, Outcome)> = pieces.iter().map(|piece| (piece, piece.install())).collect();
    let agreed = agree(app, planned, args)?;
    let mut done = Vec::new();
    for (piece, outcome) in agreed {
        let mut old = None;
        if !args.dry_run {
            if outcome == Outcome::Replaced {
                old = Some(piece.keep().map_err(|error| place.refused(error))?);
            }
            if matches!(outcome, Outcome::Created | Outcome::Updated | Outcome::Replaced) {
                piece.write().map_err(|error| place.refused(error))?;
            }
        }
        done.push(Done { path: piece.path.clone(), outcome, old });
    }
    Ok(done)
}

/// Shows what the user changed and asks for each such file; nothing is written before all is said.
///
/// # Errors
/// Nobody can be asked, or something that is no text is in the way.
fn agree<'a>(
    app: &App,
    planned: Vec<(&'a Piece, Outcome)>,
    args: &args::Install,
) -> Result<Vec<(&'a Piece, Outcome)>, CliError> {
    let terminals = app.environment.terminals;
    let can_ask = terminals.stdin && terminals.stderr && app.printer.format() == Format::Text;
    let mut refused = Vec::new();
    let mut agreed = Vec::new();
    for (piece, outcome) in planned {
        let shown = printable(&piece.path.to_string_lossy()).into_owned();
        let there = match (&piece.standing, outcome) {
            (Standing::Text(there), Outcome::Replaced) => there,
            (Standing::Else(what), _) => {
                let error = CliError::new(ExitStatus::Environment, anyhow!("`{shown}` is {what}"));
                return Err(error.hint("cco does not write there; move it away and install again"));
            }
            (Standing::Missing | Standing::Text(_), _) => {
                agreed.push((piece, outcome));
                continue;
            }
        };
        let whose = if there.ours { "was changed since cco installed it" } else { "is not from cco" };
        app.printer.say(&format!("`{shown}` {whose}; to install would change it so:"));
        app.printer.say(diff::diff(&there.text, piece.text).trim_end());
        if args.yes || args.dry_run {
            agreed.push((piece, outcome));
        } else if can_ask {
            app.printer.say("replace it? what is there is kept beside it [y/N]");
            agreed.push((piece, if yes().map_err(CliError::environment)? { outcome } else { Outcome::Kept }));
        } else {
            refused.push(shown);
        }
    }
    if refused.is_empty() {
        return Ok(agreed);
    }
    let (files, verb) = (refused.join("`, `"), if refused.len() == 1 { "is" } else { "are" });
    Err(CliError::new(ExitStatus::NeedsAnswer, anyhow!("`{files}` {verb} yours, and there is no terminal to ask on"))
        .hint("nothing was written; `--yes` replaces and keeps what is there beside it"))
}

/// A line from the terminal that agrees.
fn yes() -> io::Result<bool> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn uninstall(place: &Place, pieces: &[Piece], args: &args::Install) -> Result<Vec<Done>, CliError> {
    let mut done = Vec::new();
    // Backwards: the first file is the one for which the directory of all was made.
    for piece in pieces.iter().rev() {
        let outcome = piece.uninstall();
        if outcome == Outcome::Removed && !args.dry_run {
            piece.remove().map_err(|error| place.refused(error))?;
        }
        done.push(Done { path: piece.path.clone(), outcome, old: None });
    }
    done.reverse();
    Ok(done)
}

/// Says what was kept where and what to do next.
fn advise(app: &App, args: &args::Install, pieces: &[Piece], done: &[Done]) {
    for (piece, file) in pieces.iter().zip(done) {
        if let Some(old) = &file.old {
            app.printer.note(format!("what was there is `{}`", printable(&old.to_string_lossy())));
        }
        if file.outcome == Outcome::Kept && args.uninstall {
            let why = match &piece.standing {
                Standing::Text(there) if there.ours => "you changed it",
                Standing::Text(_) => "it is not from cco",
                Standing::Else(what) => what,
                Standing::Missing => continue,
            };
            let path = printable(&piece.path.to_string_lossy()).into_owned();
            app.printer.note(format!("`{path}` stays: {why}; remove it yourself if you do not want it"));
        }
    }
    if args.uninstall || args.dry_run {
        return;
    }
    match (find_program(Path::new("cco"), app.environment.var("PATH")), this_program()) {
        (Err(_), _) => app.printer.warning("`cco` is not on your PATH: `/spec` cannot save through it"),
        (Ok(found), Ok(this)) if fs_err::canonicalize(&found).ok() != fs_err::canonicalize(&this).ok() => {
            let shown = printable(&found.to_string_lossy()).into_owned();
            app.printer.warning(format!("`/spec` will call another cco than this one: `{shown}`"));
        }
        (Ok(_), _) => {}
    }
    app.printer.help("type `/spec` in claude, or `cco spec SPEC` for a spec that is there");
}

/// What became of a file.
#[derive(Serialize)]
struct Done {
    path: PathBuf,
    outcome: Outcome,
    /// Where the user's version is now.
    old: Option<PathBuf>,
}

/// The JSON document.
#[derive(Serialize)]
struct Report<'a> {
    scope: Scope,
    directory: &'a Path,
    dry_run: bool,
    files: &'a [Done],
}

impl Report<'_> {
    fn text(&self) -> String {
        let word = |file: &Done| file.outcome.word(!self.dry_run);
        let width = self.files.iter().map(|file| word(file).len()).max().unwrap_or_default();
        let line = |file: &Done| format!("{:width$}  {}\n", word(file), printable(&file.path.to_string_lossy()));
        self.files.iter().map(line).collect()
    }
}
