//! From what a call left behind to how it ended.
//!
//! Success takes all signs together, because each alone is known to lie: API failures come as `subtype: "success"`, and
//! an interrupted call can exit with 0. Failures are told apart by fields only; the CLI's prose changes between versions.

use serde::de::DeserializeOwned;

use super::stream::{ResultEvent, StreamState};
use super::{Answer, AnswerKind, Denial, Ending, Reply};
use crate::lifecycle::event::Trouble;

/// How the process went, as far as the answer depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    /// It exited with this status.
    Exited(i32),
    /// A signal that cco did not send ended it.
    Signalled(i32),
    /// It ended while nobody watched.
    Unknown,
    /// It lived on after its result, and cco ended it.
    Lingered,
    /// cco ended it because of a time limit; the text says which.
    TimedOut(String),
    /// cco ended it because it stops.
    Stopped,
}

impl Departure {
    /// Whether the exit status speaks against a complete result. Where cco ended the process itself, or did not see the
    /// end, there is no status of the process's own.
    fn contradicts_success(&self) -> bool {
        match self {
            Self::Exited(status) => *status != 0,
            Self::Signalled(_) => true,
            Self::Unknown | Self::Lingered | Self::TimedOut(_) | Self::Stopped => false,
        }
    }
}

/// Decides how the call ended. `continued` says whether it went on with a conversation that existed before.
pub fn classify(
    state: &StreamState,
    departure: &Departure,
    stderr: &str,
    kind: AnswerKind,
    continued: bool,
    wall_ms: u64,
) -> Reply {
    let result = state.result.as_ref();
    let denials: Vec<Denial> = result.iter().flat_map(|result| &result.denials).map(Denial::from).collect();
    let mut notes = Vec::new();
    if state.garbage > 0 {
        notes.push(format!("lines of the agent's output that could not be read: {}", state.garbage));
    }
    if *departure == Departure::Lingered {
        notes.push("the agent lived on after its result and was ended".to_owned());
    }
    Reply {
        ending: ending(state, departure, stderr, kind, continued),
        usage: state.tally.usage(denials.len()),
        wall_ms,
        denials,
        notes,
    }
}

fn ending(state: &StreamState, departure: &Departure, stderr: &str, kind: AnswerKind, continued: bool) -> Ending {
    let exists = continued || state.opened;
    let judged = match &state.result {
        Some(result) => answer(state, result, departure, kind),
        None => Err(without_result(departure, stderr)),
    };
    let (trouble, message) = match judged {
        Ok(answer) => return Ending::Answered(answer),
        Err(failure) => failure,
    };
    // Whatever the stream says about its end: it was cco that brought it about, unless the server had failed before.
    let caused = matches!(trouble, Trouble::Crashed | Trouble::NoAnswer);
    match departure {
        Departure::Stopped if caused => Ending::Interrupted { resumable: exists },
        Departure::TimedOut(limit) if caused => {
            Ending::Failed { trouble: Trouble::TimedOut, message: limit.clone(), resumable: exists }
        }
        _ => Ending::Failed { resumable: exists && can_continue(state, trouble) || in_use(stderr), trouble, message },
    }
}

type Failure = (Trouble, String);

/// The answer, if every sign of success is there.
fn answer(
    state: &StreamState,
    result: &ResultEvent,
    departure: &Departure,
    kind: AnswerKind,
) -> Result<Answer, Failure> {
    if result.is_error != Some(false) || result.subtype != "success" {
        return Err(reported_failure(state, result));
    }
    if departure.contradicts_success() {
        return Err((Trouble::Crashed, format!("the agent reported success but {}", described(departure))));
    }
    if result.num_turns.unwrap_or(0) == 0 {
        return Err((Trouble::Internal, "the prompt did not reach the model".to_owned()));
    }
    match &result.structured_output {
        Some(raw) => kind.parse(raw).map_err(|why| (Trouble::NoAnswer, format!("the answer does not validate: {why}"))),
        None if state.lacks_answer_tool => Err((
            Trouble::Internal,
            "the agent did not take the result schema: a defect of cco, or a claude that it does not know".to_owned(),
        )),
        None => Err((Trouble::NoAnswer, "the agent ended without a structured answer".to_owned())),
    }
}

impl AnswerKind {
    fn parse(self, raw: &str) -> Result<Answer, String> {
        fn strictly<T: DeserializeOwned>(raw: &str) -> Result<T, String> {
            serde_json::from_str(raw).map_err(|error| error.to_string())
        }
        match self {
            Self::Writer => strictly(raw).map(Answer::Wrote),
            Self::Review => strictly(raw).map(Answer::Reviewed),
            Self::Readiness => strictly(raw).map(Answer::Judged),
            Self::Draft => strictly(raw).map(Box::new).map(Answer::Drafted),
            Self::Ballot => strictly(raw).and_then(|ballot: crate::lifecycle::report::BallotReport| {
                let confidence = ballot.confidence;
                let valid = (0.0..=1.0).contains(&confidence);
                if valid { Ok(Answer::Voted(ballot)) } else { Err(format!("confidence {confidence} is not in 0..1")) }
            }),
        }
    }
}

/// The class of a failure that the CLI reported with a result.
fn reported_failure(state: &StreamState, result: &ResultEvent) -> Failure {
    let trouble = match result.subtype.as_str() {
        "success" => api_failure(state, result),
        "error_max_structured_output_retries" | "error_max_turns" | "error_max_budget_usd" => Trouble::NoAnswer,
        // Nothing was asked and no conversation opened: there is none of that id.
        "error_during_execution" if result.num_turns == Some(0) && !state.opened => Trouble::ConversationLost,
        _ => Trouble::Crashed,
    };
    let said = if result.text.is_empty() { result.subtype.clone() } else { result.text.clone() };
    (trouble, said)
}

/// The class of a failure of the API, from the fields that name it: the CLI's own class first, then the status.
fn api_failure(state: &StreamState, result: &ResultEvent) -> Trouble {
    if result.stop_reason.as_deref() == Some("refusal") {
        return Trouble::Refused;
    }
    match state.error.as_deref() {
        Some("rate_limit") => limit(state, result),
        Some("authentication_failed" | "oauth_org_not_allowed") => Trouble::Authentication,
        Some("billing_error") => Trouble::Billing,
        Some("model_not_found") => Trouble::Model,
        Some("invalid_request") => Trouble::BadRequest,
        Some("server_error" | "overloaded") => Trouble::Transient,
        Some("max_output_tokens") => Trouble::NoAnswer,
        _ => match result.api_error_status {
            Some(401 | 403) => Trouble::Authentication,
            Some(402) => Trouble::Billing,
            Some(404) => Trouble::Model,
            Some(429) => limit(state, result),
            Some(408 | 409) => Trouble::Transient,
            Some(400..=499) => Trouble::BadRequest,
            // No status at all: the request did not get through.
            _ => Trouble::Transient,
        },
    }
}

/// A used-up window names its end, or is named; anything else is a limit on the rate.
fn limit(state: &StreamState, result: &ResultEvent) -> Trouble {
    let until = state.rate_limit.as_ref().filter(|limit| limit.rejected).and_then(|limit| limit.resets_at);
    if until.is_some() || result.api_error.as_deref() == Some("usage_limit_reached") {
        Trouble::UsageLimit { until }
    } else {
        Trouble::RateLimit { until: None }
    }
}

fn without_result(departure: &Departure, stderr: &str) -> Failure {
    if stderr.starts_with("Error: --json-schema") {
        return (Trouble::Internal, format!("the agent refused the result schema: {}", last_words(stderr)));
    }
    let what = described(departure);
    let words = last_words(stderr);
    let message = if words.is_empty() {
        format!("the agent ended without a result: {what}")
    } else {
        format!("the agent ended without a result: {what}: {words}")
    };
    (Trouble::Crashed, message)
}

/// Whether the CLI refused a new conversation because its id exists: then it can be continued. Only stderr says it.
fn in_use(stderr: &str) -> bool {
    stderr.starts_with("Error: Session ID ") && stderr.contains("already in use")
}

/// Whether going on with the conversation can help: not where it is lost, or is itself too long.
fn can_continue(state: &StreamState, trouble: Trouble) -> bool {
    let too_long = |result: &ResultEvent| {
        matches!(result.terminal_reason.as_deref(), Some("prompt_too_long" | "image_error" | "blocking_limit"))
    };
    trouble != Trouble::ConversationLost && !state.result.as_ref().is_some_and(too_long)
}

fn described(departure: &Departure) -> String {
    match departure {
        Departure::Exited(status) => format!("exit status {status}"),
        Departure::Signalled(signal) => format!("ended by signal {signal}"),
        Departure::Unknown => "exit status unknown".to_owned(),
        Departure::Lingered => "ended after its result".to_owned(),
        Departure::TimedOut(limit) => limit.clone(),
        Departure::Stopped => "stopped".to_owned(),
    }
}

/// The line of stderr that names the error: a crash prints its source first and its stack after it.
fn last_words(stderr: &str) -> &str {
    let lines = || stderr.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let names_error = |line: &&str| line.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("error:"));
    lines().find(names_error).or_else(|| lines().next()).unwrap_or("")
}
