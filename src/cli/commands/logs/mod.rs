//! Shows what agents and checks have put out, attempt by attempt, in the order in which they began.

mod attempts;
mod render;
mod source;

use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::secrets;
use crate::journal::{LockState, SpecPaths, lock_state};
use crate::redact::Redactor;
use crate::spec::catalog::Entry;
use crate::spec::load::{LoadError, load};
use crate::text::terminal_safe;
use attempts::{Attempt, Attempts, Item};
use source::{Form, Source};

/// How often a live run is looked at.
const GLANCE: Duration = Duration::from_millis(200);

/// Shows what was put out, without secrets. The journal knows every attempt; the manifest is read for the files that hold
/// secrets alone, and need not be good.
pub fn execute(app: &App, args: args::Logs) -> Result<ExitStatus, CliError> {
    let entry = app.find_spec(args.spec.as_deref())?;
    let paths = SpecPaths::new(&entry.path);
    let redactor = redactor(app, &entry)?;
    let mut attempts = Attempts::new(entry.reference(), &paths, args.component);
    attempts.poll()?;
    if !args.follow {
        attempts.check_name()?;
    }
    if app.printer.format() == Format::Json {
        let attempts = attempts.known().iter().map(|attempt| Item::new(attempt, &paths, &redactor)).collect();
        app.printer.document(&Listing { spec: entry.reference(), attempts })?;
    } else if args.prompt {
        prompts(app, &paths, &attempts, &redactor)?;
    } else {
        let (open, begun, shown) = (Vec::new(), 0, None);
        let mut reader = Reader { app, paths: &paths, redactor: &redactor, raw: args.raw, open, begun, shown };
        if args.follow {
            reader.follow(&mut attempts)?;
        } else {
            reader.take_up(&attempts);
            reader.show(&attempts, true)?;
        }
    }
    if attempts.known().is_empty() {
        app.printer.note(format!("no step of `{}` has been started yet", entry.reference()));
    }
    Ok(ExitStatus::Done)
}

/// What must not be shown of the spec's files.
fn redactor(app: &App, entry: &Entry) -> Result<Redactor, CliError> {
    match load(&entry.path) {
        Ok(spec) => secrets::redactor(app, Some(&spec)),
        // Without a work directory there are no files in it.
        Err(LoadError::NoWorkDir(_)) => secrets::redactor(app, None),
        Err(error @ LoadError::Invalid(_)) => {
            app.printer.warning(format!("what copied files hold is not redacted: {error}"));
            secrets::redactor(app, None)
        }
    }
}

/// The JSON document: what there is, and where.
#[derive(Serialize)]
struct Listing {
    spec: String,
    attempts: Vec<Item>,
}

fn prompts(app: &App, paths: &SpecPaths, attempts: &Attempts, redactor: &Redactor) -> Result<(), CliError> {
    for attempt in attempts.known().iter().filter(|attempt| attempt.id.step.by_agent()) {
        let text = match fs_err::read(paths.prompt(&attempt.id)) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            // Written behind the step, so a run that was killed may have left none.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "(its prompt was not kept)\n".to_owned(),
            Err(error) => return Err(CliError::environment(error)),
        };
        let text = redactor.text(text.trim_end());
        app.printer.answer(&format!("{}\n{}\n", attempt.header(), terminal_safe(&text)))?;
    }
    Ok(())
}

/// Shows sources one after the other, or side by side while they grow.
struct Reader<'a> {
    app: &'a App,
    paths: &'a SpecPaths,
    redactor: &'a Redactor,
    raw: bool,
    /// What may still grow, by its place among the attempts.
    open: Vec<(usize, Source<'a>)>,
    /// How many attempts were taken up.
    begun: usize,
    /// Whose output was shown last.
    shown: Option<usize>,
}

impl Reader<'_> {
    /// Shows everything, then what comes, until no run lives.
    fn follow(&mut self, attempts: &mut Attempts) -> Result<(), CliError> {
        loop {
            // In this order: what a run put out before it let go of the lock is seen.
            let lock = lock_state(&self.paths.lock()).context("cannot look at the lock");
            let over = lock.map_err(CliError::environment)? == LockState::Free;
            attempts.poll()?;
            self.take_up(attempts);
            self.show(attempts, over)?;
            if over {
                return Ok(());
            }
            std::thread::sleep(GLANCE);
        }
    }

    fn take_up(&mut self, attempts: &Attempts) {
        let known = attempts.known();
        let form = |attempt: &Attempt| match (self.raw, attempt.id.step.by_agent()) {
            (true, _) => Form::Raw,
            (false, true) => Form::Stream,
            (false, false) => Form::Text,
        };
        let source = |(at, attempt): (usize, &Attempt)| {
            (at, Source::new(attempt.path(self.paths), form(attempt), self.redactor))
        };
        self.open.extend(known.iter().enumerate().skip(self.begun).map(source));
        self.begun = known.len();
    }

    /// Shows what is new; of what has ended, everything. With `all`, nothing more is to come.
    fn show(&mut self, attempts: &Attempts, all: bool) -> Result<(), CliError> {
        for (at, mut source) in std::mem::take(&mut self.open) {
            let attempt = &attempts.known()[at];
            if attempt.gone {
                continue;
            }
            let ended = all || attempt.end.is_some();
            // Piece by piece: an output can be larger than the memory.
            while let Some(piece) = source.read(ended).map_err(CliError::environment)? {
                if self.raw {
                    self.app.printer.raw(&piece)?;
                } else {
                    self.put(at, attempt, &String::from_utf8_lossy(&piece))?;
                }
            }
            if let Some(end) = attempt.end.as_ref().filter(|_| !self.raw) {
                self.put(at, attempt, &render::aside(&self.redactor.text(end)))?;
            }
            if !ended {
                self.open.push((at, source));
            }
        }
        Ok(())
    }

    /// Shows a piece, below a line that says whose it is where another's was shown last.
    fn put(&mut self, at: usize, attempt: &Attempt, text: &str) -> Result<(), CliError> {
        if self.shown.replace(at) != Some(at) {
            self.app.printer.answer(&format!("{}\n", attempt.header()))?;
        }
        self.app.printer.answer(text)
    }
}
