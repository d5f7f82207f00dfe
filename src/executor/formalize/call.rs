//! One call of the agent, from what it is told to what is recorded of it.

use std::io;
use std::path::{Path, PathBuf};

use super::brief::brief;
use super::ground::Before;
use super::log::{manifest_file, report_file};
use super::{Desk, stem};
use crate::agent::{self, Adopted, Answer, AnswerKind, Ending, Permissions, Reply, Request, Session, claude_md};
use crate::executor::worker::{FIRST_OUTPUT, GRACE, LINGER};
use crate::formalize::draft::compose;
use crate::formalize::event::{Draft, End};
use crate::formalize::next::Ask;
use crate::formalize::report::DraftReport;
use crate::formalize::rules::{judge, verdict};
use crate::formalize::settle::Outcome;
use crate::formalize::state::{Running, State};
use crate::fsx;
use crate::ids::{AttemptId, Step};
use crate::lifecycle::event::{DENIED, Trouble};
use crate::process::Limits;
use crate::spec::load;

/// What a call must answer with.
fn kind(step: &Step) -> AnswerKind {
    if *step == Step::Draft { AnswerKind::Draft } else { AnswerKind::Readiness }
}

/// The request of a call in `dir`.
///
/// # Errors
/// In words: a template is wrong, or the project's instructions cannot be read.
pub fn request(desk: &Desk, state: &State, ask: &Ask, dir: &Path) -> Result<Request, String> {
    let (role, input) = brief(desk, state, ask);
    let prompt = desk.prompts.render(role, &input).map_err(|error| error.to_string())?;
    let session = ask.session.to_string();
    Ok(Request {
        attempt: ask.attempt.clone(),
        kind: kind(&ask.attempt.step),
        prompt,
        model: desk.models.of(&ask.attempt.on, &ask.attempt.step, true).to_owned(),
        session: if ask.resumed { Session::Resume(session) } else { Session::New(session) },
        dir: dir.to_owned(),
        permissions: Permissions { read: vec![desk.paths.dir().to_owned()], ..Permissions::default() },
        system_prompt_file: instructions(desk, dir).map_err(|error| error.to_string())?,
        stream: stream(desk, &ask.attempt),
        limits: Limits {
            first_output: Some(FIRST_OUTPUT),
            silence: Some(desk.idle_timeout),
            wall: Some(desk.step_timeout),
            linger: Some(LINGER),
            grace: GRACE,
        },
        redactor: desk.redactor.clone(),
    })
}

fn stream(desk: &Desk, attempt: &AttemptId) -> PathBuf {
    desk.paths.formalize_runs().join(format!("{}.stream.jsonl", stem(attempt)))
}

/// The project's instructions in a file, for the system prompt; none where the repository has none.
fn instructions(desk: &Desk, dir: &Path) -> io::Result<Option<PathBuf>> {
    let Some(text) = claude_md::collect(dir, &[])? else { return Ok(None) };
    let path = desk.paths.formalize_runs().join("instructions.md");
    fsx::write_whole(&path, text.as_bytes())?;
    Ok(Some(path))
}

/// How a call ended. A draft is on disk, and checked, before anything is said of it.
///
/// # Errors
/// The draft cannot be kept: the call stays on record as begun, and its answer is found in its stream the next time.
pub fn conclude(
    desk: &Desk,
    attempt: AttemptId,
    reply: Reply,
    before: Option<(&Path, &Before)>,
    dice: f64,
) -> io::Result<Outcome> {
    let Reply { ending, usage, wall_ms: ms, denials, mut notes } = reply;
    for denial in denials {
        notes.push(format!("{DENIED}{}", denial.call));
    }
    let kept = desk.paths.formalize_runs().join(format!("{}.undone", stem(&attempt)));
    let left = before.map(|(dir, before)| desk.ground.put_right(dir, before, &kept)).transpose();
    let meddled = match left {
        Ok(left) => left.and_then(|left| {
            notes.extend(left.notes);
            left.meddled.map(|what| {
                format!(
                    "it may only read, and {what} changed while it ran; that was undone, and its word does not count"
                )
            })
        }),
        Err(error) => Some(format!("whether it changed what it may only read cannot be told: {error}")),
    };
    let end = match (ending, meddled) {
        (Ending::Answered(_), Some(message)) => End::Failed { class: Trouble::Meddled, message, resumable: false },
        (Ending::Answered(Answer::Drafted(report)), None) => {
            let (draft, told) = receive(desk, &attempt, *report)?;
            notes.extend(told);
            End::Drafted(Box::new(draft))
        }
        (Ending::Answered(Answer::Judged(report)), None) => {
            End::Judged { ready: report.is_ready(), report: clean(desk, report)? }
        }
        (Ending::Answered(Answer::Wrote(_) | Answer::Reviewed(_) | Answer::Voted(_)), None) => {
            let message = "the answer is to another question".to_owned();
            End::Failed { class: Trouble::Internal, message, resumable: false }
        }
        // What ended it decides when it is tried again; a conversation that has written is not gone on with.
        (Ending::Failed { trouble: class, message, resumable }, meddled) => {
            let resumable = resumable && meddled.is_none();
            notes.extend(meddled);
            End::Failed { class, message: desk.redactor.text(&message).into_owned(), resumable }
        }
        (Ending::Interrupted { resumable }, meddled) => {
            let resumable = resumable && meddled.is_none();
            notes.extend(meddled);
            End::Interrupted { resumable }
        }
    };
    let notes = notes.into_iter().map(|note| desk.redactor.text(&note).into_owned()).collect();
    Ok(Outcome { attempt, end, ms, usage, notes, dice })
}

/// How a call ended whose cco died: a whole answer is taken, anything else was cut off.
///
/// # Errors
/// As [`conclude`].
pub fn settle_left(desk: &Desk, running: &Running, dice: f64) -> io::Result<Outcome> {
    let attempt = running.attempt.clone();
    let cut_off = |resumable, notes| Outcome {
        attempt: running.attempt.clone(),
        end: End::Interrupted { resumable },
        ms: 0,
        usage: None,
        notes,
        dice,
    };
    match agent::adopt(&stream(desk, &attempt), kind(&attempt.step), desk.redactor.clone()) {
        Ok(Adopted::Complete(reply)) => {
            let then = match desk.ground.look_back() {
                Ok(then) => then,
                Err(error) => return Ok(not_adopted(attempt, *reply, &error, dice)),
            };
            let before = then.as_ref().map(|(dir, before)| (dir.as_path(), before));
            let mut outcome = conclude(desk, attempt, *reply, before, dice)?;
            outcome.notes.push("its result was complete when cco died, and was adopted".to_owned());
            Ok(outcome)
        }
        Ok(Adopted::Interrupted { resumable }) => Ok(cut_off(resumable || running.resumed, Vec::new())),
        Ok(Adopted::Nothing) => Ok(cut_off(running.resumed, Vec::new())),
        Err(error) => Ok(cut_off(running.resumed, vec![format!("its stream cannot be read: {error}")])),
    }
}

/// A whole answer of which nobody can tell whether its author kept to reading: it was paid for, and does not count.
fn not_adopted(attempt: AttemptId, reply: Reply, error: &io::Error, dice: f64) -> Outcome {
    let note = format!("its result was complete when cco died, but what it changed cannot be told: {error}");
    let end = End::Interrupted { resumable: false };
    Outcome { attempt, end, ms: reply.wall_ms, usage: reply.usage, notes: vec![note], dice }
}

/// Checks a draft and makes it durable; gives what is recorded of it, and what is worth a note.
fn receive(desk: &Desk, attempt: &AttemptId, report: DraftReport) -> io::Result<(Draft, Vec<String>)> {
    let report = clean(desk, report)?;
    let composed = compose(&desk.input.settled, &report).map_err(io::Error::other)?;
    let mut diagnostics = judge(&report, &composed.text, desk.spec_in_work.as_deref());
    diagnostics.extend(load::check_text(desk.paths.dir(), composed.text.clone()).diagnostics);
    fsx::write_atomic(
        &report_file(&desk.paths, attempt),
        &serde_json::to_vec_pretty(&report).map_err(io::Error::other)?,
    )?;
    fsx::write_atomic(&manifest_file(&desk.paths, attempt), composed.text.as_bytes())?;
    Ok((verdict(&report, &composed.text, &diagnostics), composed.notes))
}

/// What was said, without secrets.
fn clean<T: serde::Serialize + serde::de::DeserializeOwned>(desk: &Desk, said: T) -> io::Result<T> {
    if desk.redactor.is_empty() {
        return Ok(said);
    }
    let mut value = serde_json::to_value(said).map_err(io::Error::other)?;
    desk.redactor.json(&mut value, &[]);
    serde_json::from_value(value).map_err(io::Error::other)
}
