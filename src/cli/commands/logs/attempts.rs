//! The attempts of a spec as its journal tells of them.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::error::CliError;
use crate::cli::opened::FoldError;
use crate::ids::{AttemptId, Subject};
use crate::journal::{Follower, SpecPaths};
use crate::lifecycle::event::Event;
use crate::progress::Words;
use crate::redact::Redactor;
use crate::spec::nearest::nearest;
use crate::text::one_line;

/// One attempt.
pub struct Attempt {
    /// Which.
    pub id: AttemptId,
    since: Timestamp,
    /// How it ended, in words; none: more may come of it.
    pub end: Option<String>,
    /// Whether its output was set aside, with the journal that told of it.
    pub gone: bool,
}

impl Attempt {
    /// The line above what it has put out.
    pub fn header(&self) -> String {
        format!("==> {} ({:.0})", one_line(&self.id.to_string()), self.since)
    }

    /// The file of its output.
    pub fn path(&self, paths: &SpecPaths) -> PathBuf {
        if self.id.step.by_agent() { paths.stream(&self.id) } else { paths.log(&self.id) }
    }
}

/// An attempt in the JSON document.
#[derive(Serialize)]
pub struct Item {
    attempt: String,
    on: Subject,
    step: String,
    n: u32,
    since: Timestamp,
    /// How it ended, in words; null: it has not.
    end: Option<String>,
    output: PathBuf,
    prompt: Option<PathBuf>,
}

impl Item {
    /// Of an attempt of the spec with these paths.
    pub fn new(attempt: &Attempt, paths: &SpecPaths, redactor: &Redactor) -> Self {
        let AttemptId { on, step, n } = &attempt.id;
        Self {
            attempt: attempt.id.to_string(),
            on: on.clone(),
            step: step.to_string(),
            n: *n,
            since: attempt.since,
            end: attempt.end.as_ref().map(|end| redactor.text(end).into_owned()),
            output: attempt.path(paths),
            prompt: step.by_agent().then(|| paths.prompt(&attempt.id)),
        }
    }
}

/// The attempts that are wanted, in the order of their starts.
pub struct Attempts {
    /// Which spec, for errors.
    spec: String,
    follower: Follower,
    only: Option<Subject>,
    known: Vec<Attempt>,
    others: Vec<Subject>,
}

impl Attempts {
    /// Of the spec with these paths: all, or those of one subject.
    pub fn new(spec: String, paths: &SpecPaths, only: Option<Subject>) -> Self {
        Self { spec, follower: Follower::new(paths.journal()), only, known: Vec::new(), others: Vec::new() }
    }

    /// Those that were found so far.
    pub fn known(&self) -> &[Attempt] {
        &self.known
    }

    /// Looks for new ones, and for the ends of those that are known.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn poll(&mut self) -> Result<(), CliError> {
        let Self { spec, follower, only, known, others } = self;
        follower
            .poll(|record| {
                for event in &record.events {
                    take(event, record.at, only.as_ref(), known, others);
                }
            })
            .map_err(|error| FoldError::from(error).of(spec))
    }

    /// A subject that nothing was done for is most likely misspelt.
    ///
    /// # Errors
    /// Nothing is known of the subject that is wanted, while something is of others.
    pub fn check_name(&self) -> Result<(), CliError> {
        let Some(only) = self.only.as_ref().filter(|_| self.known.is_empty() && !self.others.is_empty()) else {
            return Ok(());
        };
        let error = CliError::usage(format!("no step of `{only}` has been started yet"));
        Err(match nearest(only.as_str(), self.others.iter().map(Subject::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`cco status` shows the components and how far each is"),
        })
    }
}

fn take(event: &Event, at: Timestamp, only: Option<&Subject>, known: &mut Vec<Attempt>, others: &mut Vec<Subject>) {
    match event {
        // What cco does itself puts out nothing.
        Event::AttemptStarted { attempt, .. } if attempt.step.by_cco() => {}
        Event::AttemptStarted { attempt, .. } if only.is_none_or(|only| *only == attempt.on) => {
            known.push(Attempt { id: attempt.clone(), since: at, end: None, gone: false });
        }
        Event::AttemptStarted { attempt, .. } if !others.contains(&attempt.on) => others.push(attempt.on.clone()),
        Event::AttemptEnded { attempt, .. } => {
            // The last ones are those that end.
            if let Some(known) = known.iter_mut().rev().find(|known| known.id == *attempt && !known.gone) {
                known.end = Some(Words(event).to_string());
            }
        }
        Event::JournalOpened { .. } => known.iter_mut().for_each(|known| known.gone = true),
        _ => {}
    }
}
