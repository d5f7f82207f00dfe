//! What happens, on one line each, as `cco run` says it; or the records themselves.

use std::io::{Write, stderr, stdout};
use std::time::Duration;

use jiff::Timestamp;

use super::wants_json;
use crate::cli::App;
use crate::cli::output::Talk;
use crate::executor::formalize::Watch;
use crate::formalize::ROUNDS;
use crate::formalize::event::{Draft, End, Event, Over, Record};
use crate::formalize::report::ReadinessReport;
use crate::formalize::state::State;
use crate::lifecycle::event::{Pause, Usage};
use crate::lifecycle::observer::{Live, LiveEvent};
use crate::text::{cost, duration, elide_end, one_line, plural};

/// Who watches, as the user wants it.
pub fn watch(app: &App) -> Box<dyn Watch> {
    match app.printer.talk() {
        _ if wants_json(app) => Box::new(Records),
        Talk::Quiet => Box::new(Nobody),
        // On a terminal somebody sits and waits, who wants to see that it is alive.
        talk => Box::new(Lines { tools: talk == Talk::Verbose || app.environment.terminals.stderr }),
    }
}

struct Nobody;

impl Watch for Nobody {
    fn on_record(&mut self, _: &State, _: &Record) {}
    fn on_live(&mut self, _: &Live) {}
}

/// A record a line, for programs.
struct Records;

impl Watch for Records {
    fn on_record(&mut self, _: &State, record: &Record) {
        if let Ok(mut line) = serde_json::to_vec(record) {
            line.push(b'\n');
            say(stdout(), &line);
        }
    }

    fn on_live(&mut self, _: &Live) {}
}

/// An event a line, for people.
struct Lines {
    /// Whether tool calls are told too.
    tools: bool,
}

impl Watch for Lines {
    fn on_record(&mut self, state: &State, record: &Record) {
        // Whole seconds, which is all that a reader wants.
        let at = Timestamp::from_second(record.at.as_second()).unwrap_or(record.at);
        let lines: String =
            record.events.iter().map(|event| format!("{at} formalize {}\n", words(event, state))).collect();
        say(stderr(), lines.as_bytes());
    }

    fn on_live(&mut self, live: &Live) {
        if let (true, LiveEvent::Tool { name, detail }) = (self.tools, &live.what) {
            say(stderr(), format!("  {} {}\n", one_line(name), one_line(detail)).as_bytes());
        }
    }
}

/// A display that fails is its own affair.
fn say(mut to: impl Write, text: &[u8]) {
    let _ = to.write_all(text).and_then(|()| to.flush());
}

/// Columns that a text of others may take.
const BRIEF: usize = 160;

fn brief(text: &str) -> String {
    elide_end(&one_line(text), BRIEF).into_owned()
}

/// One event in words, safe for a terminal.
fn words(event: &Event, state: &State) -> String {
    match event {
        Event::Begun(begun) => {
            let agent = if begun.simulated {
                "the simulated agent"
            } else {
                begun.agent_version.as_deref().unwrap_or(&begun.agent)
            };
            format!("started: {}", one_line(agent))
        }
        Event::AttemptStarted { attempt, resumed, .. } => {
            format!("{}-{} {}", attempt.step, attempt.n, if *resumed { "continued" } else { "started" })
        }
        Event::AttemptEnded { attempt, end, ms, usage } => {
            let what = match end {
                End::Judged { report, ready } => judged(report, *ready),
                End::Drafted(draft) => drafted(draft, state.drafts().len()),
                End::Failed { message, .. } => format!("failed: {}", brief(message)),
                End::Interrupted { .. } => "was interrupted".to_owned(),
            };
            format!("{}-{} {what}{}", attempt.step, attempt.n, spent(*ms, usage.as_ref()))
        }
        Event::RetryScheduled { at } => format!("tries again at {at:.0}"),
        Event::Paused { until, why: Pause::RateLimit } => format!("paused until {until:.0}: rate limit"),
        Event::Paused { until, why: Pause::UsageLimit } => format!("paused until {until:.0}: usage limit"),
        Event::GaveUp { why } => format!("gives up: {}", brief(why)),
        Event::Written(written) => {
            let kept = written.kept.last().map_or_else(String::new, |kept| format!("; what was there is `{kept}`"));
            format!("wrote the manifest and {}{kept}", plural(written.contexts.len(), "context file"))
        }
        Event::DraftKept { path } => format!("kept the last draft as `{path}`"),
        Event::Noted { text } => format!("note: {}", brief(text)),
        Event::Ended { over } => format!("ended: {}", ended(*over)),
    }
}

fn judged(report: &ReadinessReport, ready: bool) -> String {
    let concerns = plural(report.concerns.len(), "concern");
    if ready { format!("says ready, {concerns}") } else { format!("says not ready, {concerns}") }
}

fn drafted(draft: &Draft, round: usize) -> String {
    let found = match (draft.valid, draft.errors()) {
        (true, _) => "valid".to_owned(),
        (false, errors) => plural(errors, "error"),
    };
    format!("(draft {round} of {ROUNDS}): {}, {found}", plural(draft.components as usize, "component"))
}

fn spent(ms: u64, usage: Option<&Usage>) -> String {
    let time = format!(" in {}", duration(Duration::from_millis(ms)));
    usage.and_then(|usage| usage.cost_usd).map_or(time.clone(), |usd| format!("{time}, {}", cost(usd, false)))
}

fn ended(over: Over) -> &'static str {
    match over {
        Over::Done => "the manifest is in place",
        Over::NotReady => "the brainstorm is not ready",
        Over::Invalid => "no draft was valid",
        Over::GaveUp => "the agent did not answer",
        Over::Budget => "the budget is used up",
        Over::UsageLimit => "the usage limit is reached",
        Over::Environment => "the environment is not as needed",
        Over::Interrupted => "interrupted",
    }
}
