//! The questions that ended a run, asked on the terminal: what is answered here the run goes on with at once.

use std::io;

use tokio::sync::oneshot;

use crate::cli::App;
use crate::cli::commands::answer::{Words, give};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::opened::Opened;
use crate::cli::questions;
use crate::executor::{Asked, Signals};
use crate::lifecycle::event::{Escalation, Verb};
use crate::lifecycle::state::RunState;

/// What became of the questions.
pub enum Outcome {
    /// At least one was answered.
    Answered,
    /// All of them were left for later.
    Left,
    /// A signal came instead of an answer.
    Stopped(ExitStatus),
}

/// Asks every open question in turn. An empty line leaves it for `cco answer`.
///
/// # Errors
/// The terminal cannot be read, or an answer cannot be put into the inbox.
pub fn ask(app: &App, opened: &Opened, state: &RunState) -> Result<Outcome, CliError> {
    let mut answered = false;
    for question in state.questions() {
        app.printer.say(&format!("\n{}", questions::text(&opened.called, question, state).trim_end()));
        loop {
            app.printer.say(&format!("your answer to {} (an empty line leaves it for later):", question.id));
            let line = match read_line()? {
                Line::Typed(line) => line,
                Line::Stopped(Asked::Interrupt) => return Ok(Outcome::Stopped(ExitStatus::Interrupted)),
                Line::Stopped(Asked::Terminate) => return Ok(Outcome::Stopped(ExitStatus::Terminated)),
            };
            if line.trim().is_empty() {
                break;
            }
            match take(app, opened, state, question, &line) {
                Ok(()) => {
                    answered = true;
                    break;
                }
                Err(error) if error.exit == ExitStatus::Usage => app.printer.error(&error),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(if answered { Outcome::Answered } else { Outcome::Left })
}

fn take(app: &App, opened: &Opened, state: &RunState, question: &Escalation, line: &str) -> Result<(), CliError> {
    let Some((verb, words)) = parse(line) else {
        let error = CliError::usage(format!("`{}` is no answer", line.trim()));
        return Err(error.hint("type one of: retry WORDS, accept [ISSUE…], recheck, skip, abort, option X"));
    };
    give(app, opened, state, question, verb, words).map(drop)
}

/// The verb and what comes with it; the words after `retry` are for the agent as they stand.
fn parse(line: &str) -> Option<(Verb, Words)> {
    let (verb, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
    let rest = rest.trim();
    let said = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
    let words = Words::default();
    match verb {
        "retry" => Some((Verb::Retry, Words { guidance: said, ..words })),
        "accept" => {
            Some((Verb::Accept, Words { issues: rest.split_whitespace().map(str::to_owned).collect(), ..words }))
        }
        "option" | "--option" => said.map(|option| (Verb::Option, Words { option: Some(option), ..words })),
        "recheck" if rest.is_empty() => Some((Verb::Recheck, words)),
        "skip" if rest.is_empty() => Some((Verb::Skip, words)),
        "abort" if rest.is_empty() => Some((Verb::Abort, words)),
        _ => None,
    }
}

enum Line {
    /// What was typed; nothing at the end of the input.
    Typed(String),
    /// A signal came first.
    Stopped(Asked),
}

/// Reads a line. The run took the signals over for good, so they are listened for here too.
fn read_line() -> Result<Line, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::environment)?;
    let (sender, typed) = oneshot::channel();
    // Not waited for: if a signal comes first, it ends with the program.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).map(|_| line);
        let _ = sender.send(read);
    });
    runtime.block_on(async {
        let mut signals = Signals::new().map_err(CliError::environment)?;
        tokio::select! {
            biased;
            asked = signals.next() => Ok(Line::Stopped(asked)),
            line = typed => {
                let line = line.unwrap_or_else(|_| Ok(String::new()));
                line.map(Line::Typed).map_err(CliError::environment)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_verb_and_its_words() {
        let words = |guidance: Option<&str>, issues: &[&str], option: Option<&str>| Words {
            guidance: guidance.map(str::to_owned),
            issues: issues.iter().map(|&id| id.to_owned()).collect(),
            option: option.map(str::to_owned),
        };
        let plain = || words(None, &[], None);
        for (line, verb, said) in [
            ("retry\n", Verb::Retry, plain()),
            ("  retry use  the 'v2' API \n", Verb::Retry, words(Some("use  the 'v2' API"), &[], None)),
            ("accept", Verb::Accept, plain()),
            ("accept 6d1e 77aa", Verb::Accept, words(None, &["6d1e", "77aa"], None)),
            ("option KEEP", Verb::Option, words(None, &[], Some("KEEP"))),
            ("--option KEEP", Verb::Option, words(None, &[], Some("KEEP"))),
            ("recheck", Verb::Recheck, plain()),
            ("skip", Verb::Skip, plain()),
            ("abort", Verb::Abort, plain()),
        ] {
            assert_eq!(parse(line), Some((verb, said)), "{line}");
        }
        for line in ["yes", "skip it", "abort now", "option", "retrying"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
