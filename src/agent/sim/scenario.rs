//! The scenario file: what the simulated agent does in which attempt.
//!
//! ```json
//! {
//!   "steps": {
//!     "*.implement": { "actions": [{ "write": { "path": "hello.txt", "text": "hello\n" } }] },
//!     "auth.fix": [{ "fault": { "api": "overloaded" } }, { "answer": { "status": "done", "summary": "mended" } }]
//!   },
//!   "default": { "cost_usd": 0.01 }
//! }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::fsx;

/// What every attempt of a run does.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Free text for readers of the file.
    #[serde(default, rename = "$comment")]
    _comment: Option<Value>,
    /// Whether conversations are kept, so that an id in use and an unknown one are refused as the real CLI does, and
    /// costs add up over a conversation. Costs one small file per conversation; without it every id is accepted.
    #[serde(default)]
    pub sessions: bool,
    /// Whether `auth status` says that nobody is logged in.
    #[serde(default)]
    pub logged_out: bool,
    /// Behaviour by attempt (`auth.fix-2`), step (`auth.fix`) or pattern (`*.fix`, `auth.*`, `*`); the most exact key
    /// that matches is taken.
    #[serde(default)]
    pub steps: BTreeMap<String, Behaviours>,
    /// Behaviour of the attempts that no key matches.
    #[serde(default)]
    pub default: Behaviour,
}

/// One behaviour for all attempts of a step, or one for each: the first for attempt 1, the last for all that follow.
#[derive(Debug)]
pub struct Behaviours(Vec<Behaviour>);

/// What one process does: some actions in order, then an answer or a fault.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// Free text for readers of the file.
    #[serde(rename = "$comment")]
    _comment: Option<Value>,
    /// What it waits for before its first line, one after the other: a real one takes most of a second.
    pub boot: Vec<Wait>,
    /// What is done before the end, in order.
    pub actions: Vec<Action>,
    /// The structured output; absent: the smallest one that the `--json-schema` accepts.
    pub answer: Option<Value>,
    /// How it goes wrong; absent: it does not.
    pub fault: Option<Fault>,
    /// Whether INT, TERM and HUP have no effect.
    pub ignore_signals: bool,
    /// What this process costs, in US dollars.
    pub cost_usd: f64,
    /// Tokens sent and received by this process.
    pub tokens: Tokens,
    /// What is done instead when the conversation is continued (`--resume`).
    pub on_resume: Option<Box<Behaviour>>,
}

/// Tokens sent and received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// Sent.
    pub input: u64,
    /// Received.
    pub output: u64,
}

/// One thing that the agent does before it ends.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Writes a file with the Write tool; directories are made as needed.
    Write {
        /// Relative to the work directory.
        path: PathBuf,
        /// The whole content.
        text: String,
    },
    /// Appends to a file with the Edit tool.
    Append {
        /// Relative to the work directory.
        path: PathBuf,
        /// What is added at the end.
        text: String,
    },
    /// Deletes a file; one that does not exist is no error.
    Delete {
        /// Relative to the work directory.
        path: PathBuf,
    },
    /// Writes a file with the content of one that lies beside the scenario.
    Copy {
        /// Relative to the directory of the scenario file.
        from: PathBuf,
        /// Relative to the work directory.
        to: PathBuf,
    },
    /// Runs a command with the Bash tool: `bash -c` in a session of its own.
    Run {
        /// The command line.
        cmd: String,
    },
    /// Says something.
    Text(String),
    /// Thinks something.
    Think(String),
    /// Waits.
    Wait(Wait),
    /// Leaves a process behind in a session of its own.
    LeaveChild {
        /// How long it lives, in seconds.
        #[serde(default = "ten_minutes")]
        secs: u64,
        /// Whether it has an empty environment, so that no mark in it can be found.
        #[serde(default)]
        clean_env: bool,
    },
    /// Writes lines that are no JSON.
    Garbage {
        /// How many.
        lines: u32,
    },
    /// Says something so long that its line has this size.
    HugeLine {
        /// Size in MiB.
        mb: usize,
    },
    /// Says several things, slowly.
    SlowLines {
        /// How many.
        lines: u32,
        /// Milliseconds before each.
        ms: u64,
    },
    /// Reports that a usage window is nearly used up.
    RateLimitWarning {
        /// The part that is used, 0 to 1.
        utilization: f64,
        /// Seconds from now until the window resets.
        resets_in: i64,
    },
}

fn ten_minutes() -> u64 {
    600
}

/// How long a wait lasts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Wait {
    /// Milliseconds, times `CCO_SIM_PACE` when that is set (0 makes every such wait nothing).
    Ms(u64),
    /// Until this file exists, relative to the work directory.
    UntilFile(PathBuf),
}

/// How a process goes wrong.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Goes on for ever.
    Hang(HangAt),
    /// Stops in the middle of a line, exit 0, as through a pipe that nobody reads.
    CutOutput,
    /// Exits without a result.
    Exit {
        /// The exit status.
        code: u8,
    },
    /// Ends itself by a signal, without a result.
    KillSelf {
        /// Its number.
        signal: i32,
    },
    /// Succeeds without a structured output.
    NoAnswer,
    /// Succeeds with a structured output that no schema of ours accepts.
    InvalidAnswer,
    /// Answers well, but the result says `is_error`, and the exit status is 1.
    ResultIsError,
    /// Answers well; then a background task ends, and a second result without a structured output follows.
    SecondResult,
    /// Answers well, then lives on.
    LingerAfterResult {
        /// For so many milliseconds.
        ms: u64,
    },
    /// The API refuses or breaks off, or a limit is reached.
    Api(ApiFault),
}

/// How the API fails, or which limit is reached; the events are those of the real CLI.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ApiFault {
    /// HTTP 400 of unknown wording.
    BadRequest,
    /// HTTP 400, no credit.
    Billing,
    /// HTTP 400, the prompt is too long.
    PromptTooLong,
    /// HTTP 401.
    Unauthorized,
    /// HTTP 403.
    Forbidden,
    /// HTTP 404, the model does not exist.
    ModelNotFound,
    /// HTTP 413.
    TooLarge,
    /// HTTP 429 for an API key, after all retries.
    RateLimit,
    /// HTTP 429 with a long `retry-after`: given up at once; the time is nowhere in the output.
    RateLimitRetryAfter,
    /// HTTP 429 of a subscription: the usage window is used up.
    UsageLimit {
        /// Seconds from now until the window resets.
        resets_in: i64,
    },
    /// HTTP 429 of a subscription that is no usage limit; no reset time.
    Throttle,
    /// HTTP 500.
    ServerError,
    /// HTTP 529.
    Overloaded,
    /// No server listens.
    ConnectionRefused,
    /// The stream breaks off, every time.
    ConnectionDropped,
    /// The server accepts and never answers.
    RequestTimeout,
    /// The model declines.
    Refusal,
    /// The answer is longer than the output limit.
    MaxOutputTokens,
    /// `--max-turns` is reached.
    MaxTurns,
    /// `--max-budget-usd` is reached.
    MaxBudget,
    /// Nobody is logged in.
    NoCredentials,
    /// The structured output is invalid every time.
    StructuredMaxRetries,
}

/// Where a process hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HangAt {
    /// Before its first line.
    Start,
    /// After its first line, before any action.
    Init,
    /// After all actions.
    End,
}

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read the scenario `{path}`: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no scenario.
    #[error("the scenario `{path}` is invalid: {source}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong and where.
        source: serde_json::Error,
    },
}

impl Scenario {
    /// Reads a scenario file.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = fsx::read_regular(path, fsx::LARGEST_TEXT)
            .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        serde_json::from_slice(&text).map_err(|source| ScenarioError::Parse { path: path.to_owned(), source })
    }

    /// The behaviour of `attempt` (`auth.fix-2`), on a continued conversation if `resumed`.
    pub fn behaviour(&self, attempt: &str, resumed: bool) -> &Behaviour {
        let (step, n) = split_attempt(attempt);
        let best = self
            .steps
            .iter()
            .filter(|(key, _)| matches(key, attempt) || matches(key, step))
            .max_by_key(|(key, _)| (!key.contains('*'), key.replace('*', "").len()));
        let chosen = best.map_or(&self.default, |(_, list)| list.nth(n));
        match &chosen.on_resume {
            Some(other) if resumed => other,
            _ => chosen,
        }
    }
}

impl Behaviour {
    /// Whether it takes time, so that signals can come and events must not be held back.
    pub fn waits(&self) -> bool {
        let slow = |action: &Action| matches!(action, Action::Wait(_) | Action::Run { .. } | Action::SlowLines { .. });
        matches!(self.fault, Some(Fault::Hang(_) | Fault::LingerAfterResult { .. }))
            || !self.boot.is_empty()
            || self.actions.iter().any(slow)
    }
}

impl Behaviours {
    /// The behaviour of attempt `n`, counted from 1.
    fn nth(&self, n: usize) -> &Behaviour {
        let last = self.0.len() - 1; // never empty, see the deserializer
        &self.0[n.saturating_sub(1).min(last)]
    }
}

/// `auth.fix-2` is attempt 2 of the step `auth.fix`; without a number it is the first.
fn split_attempt(attempt: &str) -> (&str, usize) {
    attempt.rsplit_once('-').and_then(|(step, n)| Some((step, n.parse().ok()?))).unwrap_or((attempt, 1))
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..]))
}

impl<'de> Deserialize<'de> for Behaviours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

/// Written by hand: an untagged enum would hide where in the file the mistake is.
struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Behaviours;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a behaviour or a list of behaviours")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Behaviours, A::Error> {
        Behaviour::deserialize(MapAccessDeserializer::new(map)).map(|one| Behaviours(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Behaviours, A::Error> {
        let list = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
        if list.is_empty() {
            return Err(A::Error::custom("a list of behaviours must not be empty"));
        }
        Ok(Behaviours(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(steps: &str, attempt: &str) -> f64 {
        let scenario: Scenario = serde_json::from_str(&format!(r#"{{"steps":{steps}}}"#)).expect("a scenario");
        scenario.behaviour(attempt, false).cost_usd
    }

    #[test]
    fn the_most_exact_key_wins() {
        let steps =
            r#"{"*":{"cost_usd":1},"*.fix":{"cost_usd":2},"auth.fix":{"cost_usd":3},"auth.fix-2":{"cost_usd":4}}"#;
        assert_eq!(chosen(steps, "auth.fix-2"), 4.0);
        assert_eq!(chosen(steps, "auth.fix-1"), 3.0);
        assert_eq!(chosen(steps, "db.fix-1"), 2.0);
        assert_eq!(chosen(steps, "db.review:1-1"), 1.0);
        assert_eq!(chosen(r#"{"auth.fix-*":{"cost_usd":1},"auth.fix":{"cost_usd":2}}"#, "auth.fix-1"), 2.0);
        assert_eq!(chosen(r#"{"x*y*z":{"cost_usd":5}}"#, "x-1y2z"), 5.0);
        assert_eq!(chosen(r#"{"x*y":{"cost_usd":5}}"#, "x.y.z-1"), 0.0);
    }

    #[test]
    fn a_list_goes_by_attempt_and_its_last_repeats() {
        let steps = r#"{"*":[{"cost_usd":1},{"cost_usd":2}]}"#;
        let costs = ["a-1.fix-1", "a-1.fix-2", "a-1.fix-9", "@run.fix"].map(|attempt| chosen(steps, attempt));
        assert_eq!(costs, [1.0, 2.0, 2.0, 1.0]);
    }

    #[test]
    fn a_mistake_is_named() {
        let error = |text| serde_json::from_str::<Scenario>(text).expect_err("a mistake").to_string();
        assert!(error(r#"{"step":{}}"#).starts_with("unknown field `step`"));
        assert!(error(r#"{"steps":{"*":[]}}"#).contains("must not be empty"));
        assert!(error(r#"{"steps":{"*":{"fault":"hung"}}}"#).contains("unknown variant `hung`"));
        assert!(error(r#"{"steps":{"*":[{"cost":1}]}}"#).contains("unknown field `cost`"));
    }
}
