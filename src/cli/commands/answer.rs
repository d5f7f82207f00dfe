//! Lists the open questions of a spec, and takes an answer to one of them.

use std::collections::BTreeSet;

use anyhow::anyhow;
use serde::Serialize;

use crate::cli::App;
use crate::cli::args::{self, Format};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::cli::questions::{self, QuestionItem};
use crate::cli::settings::Layer;
use crate::executor::inbox::{Inbox, Letter, post};
use crate::ids::Digest;
use crate::journal::LockState;
use crate::lifecycle::event::{Answer, Escalation, Event, Verb};
use crate::lifecycle::settle::{self, Refusal};
use crate::lifecycle::state::RunState;
use crate::plan::resolve::Choices;
use crate::spec::nearest::nearest;

/// Lists the open questions, or answers one.
pub fn execute(app: &App, args: args::Answer) -> Result<ExitStatus, CliError> {
    let Place { spec, id } = Place::of(&args);
    let opened = app.open(spec, Layer::default(), Choices::default())?;
    let mut asked = BTreeSet::new();
    let state = opened.read_state(|record| asked.extend(record.events.iter().filter_map(question_id)))?;
    let Some((verb, words)) = verb(&args)? else {
        let shown = match id {
            Some(id) => vec![find(&opened, &state, &asked, id)?],
            None => state.questions().collect(),
        };
        list(app, &opened, &state, &shown)?;
        return Ok(ExitStatus::Done);
    };
    let question = match id {
        Some(id) => find(&opened, &state, &asked, id)?,
        None => only_one(&opened, &state)?,
    };
    let letter = give(app, &opened, &state, question, verb, words)?;
    confirm(app, &opened, &letter)?;
    Ok(ExitStatus::Done)
}

/// Puts the answer to a question into the inbox.
///
/// # Errors
/// The run would refuse it, or another one waits already; then nothing was put there.
pub(super) fn give(
    app: &App,
    opened: &Opened,
    state: &RunState,
    question: &Escalation,
    verb: Verb,
    words: Words,
) -> Result<Letter, CliError> {
    let answer = Answer {
        id: question.id.clone(),
        verb,
        guidance: words.guidance,
        issues: issues(question, &words.issues)?,
        option: words.option,
    };
    refuse_second(opened, &answer.id)?;
    // The same rules by which the run will take it, on a copy of the state.
    settle::answer(&mut state.clone(), answer.clone(), app.environment.started)?;
    let letter = Letter { by: app.login(), at: app.environment.started, answer };
    post(&opened.paths.inbox(), &letter).map_err(CliError::environment)?;
    Ok(letter)
}

/// Which question of which spec. A lone `q1` names a question of the spec that is found without a name.
struct Place<'a> {
    spec: Option<&'a str>,
    id: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(args: &'a args::Answer) -> Self {
        let is_id = |text: &&str| text.strip_prefix('q').is_some_and(|number| number.parse::<u32>().is_ok());
        match (args.spec.as_deref(), args.id.as_deref()) {
            (Some(lone), None) if is_id(&lone) => Self { spec: None, id: Some(lone) },
            (spec, id) => Self { spec, id },
        }
    }
}

/// What comes with a verb.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// With `retry`: what the next agent is told.
    pub guidance: Option<String>,
    /// With `accept`: the beginnings of the ids of issues; none means all.
    pub issues: Vec<String>,
    /// With `option`: which.
    pub option: Option<String>,
}

fn verb(args: &args::Answer) -> Result<Option<(Verb, Words)>, CliError> {
    let words = Words::default();
    Ok(match (args.verb.clone(), args.option.clone()) {
        (None, None) => None,
        (None, option @ Some(_)) => Some((Verb::Option, Words { option, ..words })),
        (Some(_), Some(_)) => return Err(CliError::usage("`--option` is an answer of its own; leave the verb out")),
        (Some(args::Verb::Retry { message }), None) => Some((Verb::Retry, Words { guidance: message, ..words })),
        (Some(args::Verb::Accept { issues }), None) => Some((Verb::Accept, Words { issues, ..words })),
        (Some(args::Verb::Recheck), None) => Some((Verb::Recheck, words)),
        (Some(args::Verb::Skip), None) => Some((Verb::Skip, words)),
        (Some(args::Verb::Abort), None) => Some((Verb::Abort, words)),
    })
}

fn question_id(event: &Event) -> Option<String> {
    if let Event::Escalated(question) = event { Some(question.id.clone()) } else { None }
}

fn find<'a>(
    opened: &Opened,
    state: &'a RunState,
    asked: &BTreeSet<String>,
    id: &str,
) -> Result<&'a Escalation, CliError> {
    if let Some(question) = state.questions().find(|question| question.id == id) {
        return Ok(question);
    }
    if asked.contains(id) {
        return Err(CliError::usage(format!("question `{id}` was answered, and is not open any more"))
            .hint(format!("`cco answer {}` lists what is open", opened.called)));
    }
    let error = CliError::usage(format!("no question `{id}` is open"));
    let open: Vec<&str> = state.questions().map(|question| question.id.as_str()).collect();
    Err(match (nearest(id, open.iter().copied()), open.as_slice()) {
        (_, []) => error.hint(format!("`{0}` asks nothing; `cco status {0}` shows how far it is", opened.called)),
        (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
        (None, open) => error.hint(format!("open are: {}", open.join(", "))),
    })
}

fn only_one<'a>(opened: &Opened, state: &'a RunState) -> Result<&'a Escalation, CliError> {
    let open: Vec<&Escalation> = state.questions().collect();
    match open.as_slice() {
        [question] => Ok(question),
        [] => Err(CliError::usage(format!("`{}` asks nothing", opened.reference))
            .hint(format!("`cco status {}` shows how far it is", opened.called))),
        several => {
            let ids: Vec<&str> = several.iter().map(|question| question.id.as_str()).collect();
            Err(CliError::usage("several questions are open").hint(format!("name one of: {}", ids.join(", "))))
        }
    }
}

/// The issues that `wanted` names by the beginnings of their ids.
fn issues(question: &Escalation, wanted: &[String]) -> Result<Vec<Digest>, CliError> {
    let ids = || question.issues.iter().map(questions::short_id);
    let find = |wanted: &String| {
        let fits = |print: &Digest| !wanted.is_empty() && print.to_string().starts_with(&wanted.to_lowercase());
        let mut found: Vec<Digest> = question.issues.iter().map(|issue| issue.fingerprint).filter(fits).collect();
        found.dedup();
        match found.as_slice() {
            [one] => Ok(*one),
            [] => Err(CliError::usage(format!("question `{}` has no issue `{wanted}`", question.id))
                .hint(format!("its issues are: {}", ids().collect::<Vec<_>>().join(", ")))),
            _ => Err(CliError::usage(format!("`{wanted}` begins several issues of question `{}`", question.id))
                .hint("give more digits")),
        }
    };
    wanted.iter().map(find).collect()
}

/// An answer that no run has taken up yet would make the second one a stranger.
fn refuse_second(opened: &Opened, id: &str) -> Result<(), CliError> {
    let letters = Inbox::new(opened.paths.inbox()).look();
    match letters.iter().find(|(_, letter)| letter.answer.id == id) {
        None => Ok(()),
        Some((path, letter)) => {
            Err(CliError::usage(format!("an answer to `{id}` of {} waits to be taken up by a run", letter.by))
                .hint(format!("to take it back, remove `{}`", path.display())))
        }
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown(_) | Refusal::NoOption { .. } | Refusal::NotForRun(_) => Self::usage(refusal),
            Refusal::Illegal(illegal) => Self::internal(anyhow!(illegal)),
        }
    }
}

fn list(app: &App, opened: &Opened, state: &RunState, open: &[&Escalation]) -> Result<(), CliError> {
    match app.printer.format() {
        Format::Json => {
            let questions = open.iter().map(|question| QuestionItem::new(&opened.called, question)).collect();
            app.printer.document(&Questions { spec: &opened.reference, questions })
        }
        Format::Text if open.is_empty() => {
            app.printer.note(format!("`{}` asks nothing", opened.reference));
            Ok(())
        }
        Format::Text => {
            let texts: Vec<String> =
                open.iter().map(|question| questions::text(&opened.called, question, state)).collect();
            app.printer.answer(&texts.join("\n"))
        }
    }
}

fn confirm(app: &App, opened: &Opened, letter: &Letter) -> Result<(), CliError> {
    let live = opened.lock_state()? != LockState::Free;
    let (spec, id) = (&opened.reference, &letter.answer.id);
    match app.printer.format() {
        Format::Json => {
            app.printer.document(&Taken { spec, id, verb: letter.answer.verb, by: &letter.by, live })?;
        }
        Format::Text if live => app.printer.answer(&format!("{id} is answered; the live run takes it up at once\n"))?,
        Format::Text => {
            app.printer.answer(&format!("{id} is answered; the next run takes it up: cco run {}\n", opened.called))?;
        }
    }
    Ok(())
}

/// The JSON document of the list.
#[derive(Serialize)]
struct Questions<'a> {
    spec: &'a str,
    questions: Vec<QuestionItem<'a>>,
}

/// The JSON document of an answer that was taken.
#[derive(Serialize)]
struct Taken<'a> {
    spec: &'a str,
    id: &'a str,
    verb: Verb,
    by: &'a str,
    /// Whether a live run takes it up; else the next one does.
    live: bool,
}
