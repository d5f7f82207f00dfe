//! Shows what can be saved of a damaged journal, or rebuilt from git where there is none, and puts it in place where that
//! is asked for.

mod found;
mod gone;
mod rebuild;
mod report;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::run::runtime;
use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::{FoldError, Opened};
use crate::cli::settings::Layer;
use crate::executor::end_strays;
use crate::executor::inbox::Inbox;
use crate::ids::Subject;
use crate::journal::{Holder, JournalError, LockError, Note, RunLock, Salvage, Untrusted, new_history_dir};
use crate::lifecycle::event::{Author, Event, Record};
use crate::lifecycle::lost::{Lost, doubt};
use crate::lifecycle::state::RunState;
use crate::plan::resolve::Choices;
use crate::text::plural;
use found::FoundReport;
use rebuild::Rebuild;
use report::Report;

/// Shows what can be saved, and puts it in place with `--apply`.
pub fn execute(app: &App, args: args::Repair) -> Result<ExitStatus, CliError> {
    if let Err(error) = app.find_spec(args.spec.reference()) {
        return gone::tell(app, args.spec.reference())?.ok_or(error);
    }
    let opened = app.open(args.spec.reference(), Layer::default(), Choices::default())?;
    if !opened.paths.journal().exists() {
        if let Some(status) = rebuild(app, &opened, None, args.apply)? {
            return Ok(status);
        }
        show(app, &opened, &Report::missing(&opened))?;
        rebuild::without_branch(app, &opened)?.into_iter().for_each(|way| app.printer.help(way));
        return Ok(ExitStatus::Done);
    }
    let found = Found::look(&opened)?;
    // A run that was refused leaves an empty one; of one whose beginning is damaged nothing can be saved.
    if !found.is_worth_saving()
        && let Some(status) = rebuild(app, &opened, Some(&found), args.apply)?
    {
        return Ok(status);
    }
    if found.salvage.damage.is_none() {
        show(app, &opened, &Report::new(&opened, &found))?;
        if !found.is_worth_saving() {
            rebuild::without_branch(app, &opened)?.into_iter().for_each(|way| app.printer.help(way));
        }
        return Ok(ExitStatus::Done);
    }
    let _lock = lock(app, &opened)?;
    // Once more: a run may have ended, or another repair, between the look and the lock.
    let found = Found::look(&opened)?;
    let mut report = Report::new(&opened, &found);
    if found.salvage.damage.is_some() && found.is_worth_saving() {
        let saved = found.save(&opened)?;
        if args.apply {
            report.aside = Some(found.apply(app, &opened, &saved)?.display().to_string());
        } else {
            report.saved = Some(saved.display().to_string());
        }
    }
    show(app, &opened, &report)?;
    Ok(if report.is_in_order() { ExitStatus::Done } else { ExitStatus::Incomplete })
}

/// Shows what git tells where of the journal nothing can be saved, and takes it up with `apply`; none where it tells
/// nothing.
fn rebuild(app: &App, opened: &Opened, journal: Option<&Found>, apply: bool) -> Result<Option<ExitStatus>, CliError> {
    let Some(mut found) = Rebuild::look(app, opened)? else { return Ok(None) };
    let mut aside = None;
    if apply && found.is_worth_it() {
        opened.paths.create().map_err(CliError::environment)?;
        let _lock = lock(app, opened)?;
        end_strays_of(app, opened)?;
        // Once more: a run may have begun between the look and the lock.
        let known = opened.paths.journal().exists() && Found::look(opened)?.is_worth_saving();
        match Rebuild::look(app, opened)?.filter(|_| !known) {
            Some(now) => found = now,
            None => return Ok(None),
        }
        aside = Some(found.apply(app, opened)?);
    }
    let mut report = journal.map_or_else(|| Report::missing(opened), |journal| Report::new(opened, journal));
    let mut git = FoundReport::new(opened, &found);
    git.aside = aside;
    report.git = Some(git);
    show(app, opened, &report)?;
    Ok(Some(if report.is_in_order() { ExitStatus::Done } else { ExitStatus::Incomplete }))
}

/// The next run ends them only where the records say that the last one died, and those may be lost.
fn end_strays_of(app: &App, opened: &Opened) -> Result<(), CliError> {
    let strays = runtime()?.block_on(end_strays(&opened.mark()));
    if strays > 0 {
        app.printer.note(format!("processes that a dead run left and that were ended: {strays}"));
    }
    Ok(())
}

fn show(app: &App, opened: &Opened, report: &Report<'_>) -> Result<(), CliError> {
    match app.printer.format() {
        Format::Json => app.printer.document(report)?,
        Format::Text => app.printer.answer(&report.text())?,
    }
    for way in report.ways(&opened.called) {
        app.printer.help(way);
    }
    Ok(())
}

fn lock(app: &App, opened: &Opened) -> Result<RunLock, CliError> {
    let spec = &opened.called;
    let this = Holder::this_process(app.environment.started, format!("cco repair {spec}"));
    RunLock::acquire(&opened.paths.lock(), &this).map_err(|error| match error {
        LockError::Held { .. } => CliError::new(ExitStatus::Locked, anyhow!("`{spec}` is being worked on: {error}"))
            .hint(format!("`cco stop {spec}` stops it")),
        LockError::Io(_) => CliError::environment(error),
    })
}

/// A journal, taken apart.
struct Found {
    salvage: Salvage,
    /// What the records tell that can be saved.
    state: RunState,
    /// How many events they hold.
    events: u64,
    /// The attempts that they know, by the stem of their files.
    attempts: HashSet<String>,
    /// What stands behind them.
    untrusted: Untrusted,
    /// What that tells.
    lost: Lost,
}

impl Found {
    fn look(opened: &Opened) -> Result<Self, CliError> {
        let (mut events, mut attempts, mut lost) = (0, HashSet::new(), Lost::default());
        let (salvage, state) = opened.salvage(|record: &Record| {
            events += record.events.len() as u64;
            attempts.extend(record.events.iter().filter_map(started));
        })?;
        let untrusted = match salvage.damage {
            Some(_) => salvage.untrusted(|record| lost.see(record)).map_err(|error| unread(opened, error))?,
            None => Untrusted::default(),
        };
        Ok(Self { salvage, state, events, attempts, untrusted, lost })
    }

    /// Without the beginning of a run there is nothing that another could go on from.
    fn is_worth_saving(&self) -> bool {
        self.state.run().is_some()
    }

    /// Writes what can be saved beside the journal, where it is not there already, and returns the file.
    fn save(&self, opened: &Opened) -> Result<PathBuf, CliError> {
        let mut n = 1;
        loop {
            let name = if n == 1 { "journal.saved.jsonl".to_owned() } else { format!("journal.saved-{n}.jsonl") };
            let path = opened.paths.state().join(name);
            if !path.exists() {
                self.salvage.write(&path).map_err(|error| unread(opened, error))?;
                return Ok(path);
            }
            if self.salvage.is_written(&path).map_err(CliError::environment)? {
                return Ok(path);
            }
            n += 1;
        }
    }

    /// Puts what was saved in place; returns where the rest is.
    fn apply(&self, app: &App, opened: &Opened, saved: &Path) -> Result<PathBuf, CliError> {
        end_strays_of(app, opened)?;
        let now = app.environment.started;
        let others = self.strange(opened)?;
        let aside = new_history_dir(&opened.paths, now).map_err(CliError::environment)?;
        let place = aside.file_name().unwrap_or_default().to_string_lossy();
        let damage = self.salvage.damage.as_ref().map(ToString::to_string).unwrap_or_default();
        let text = format!(
            "the journal was damaged in line {}: {damage}; `cco repair` cut off {}, which are in `state/history/{place}`",
            self.salvage.line(),
            plural(self.untrusted.lines as usize, "line"),
        );
        let touched = |on: &Subject| self.lost.may_have_touched(on, self.salvage.records);
        let mut events = vec![Event::Noted { on: Subject::Run, text }];
        events.extend(doubt(&self.state, touched));
        let note = Note { at: now, by: Author::User(app.login().into()), events };
        self.salvage
            .put_in_place(&opened.paths, saved, &aside, &others, note)
            .map_err(|error| unread(opened, error))?;
        Ok(aside)
    }

    /// What attempts left that the saved records do not know, and answers to questions that they do not ask: the next
    /// attempt and the next question of the same name are others.
    fn strange(&self, opened: &Opened) -> Result<Vec<PathBuf>, CliError> {
        let mut files = opened.paths.artefacts_beyond(&self.attempts).map_err(CliError::environment)?;
        let asked = |id: &str| self.state.questions().any(|question| question.id == id);
        let letters = Inbox::new(opened.paths.inbox()).look().into_iter();
        files.extend(letters.filter(|(_, letter)| !asked(&letter.answer.id)).map(|(path, _)| path));
        Ok(files)
    }
}

fn started(event: &Event) -> Option<String> {
    if let Event::AttemptStarted { attempt, .. } = event { Some(attempt.file_stem()) } else { None }
}

fn unread(opened: &Opened, error: JournalError) -> CliError {
    FoldError::from(error).of(&opened.called)
}
