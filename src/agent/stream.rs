//! The CLI's output, one JSON object a line, followed while it grows.
//!
//! Tolerant of everything that a newer CLI may add: unknown events and keys are skipped, a line that is no JSON is
//! counted and logged. Keys come in any order, and a line can be tens of megabytes; memory stays below the longest line.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::usage::{ModelUsage, Tally};
use super::{LiveEvent, RateLimit};
use crate::redact::Redactor;

/// The tool by which the CLI takes the structured answer.
pub(super) const ANSWER_TOOL: &str = "StructuredOutput";

/// A buffer that held a huge line is given back above this many bytes.
const KEEP_BUFFER: usize = 1 << 20;

/// The longest detail of a tool call that is passed on, in bytes.
const DETAIL: usize = 200;
/// How much of a line that could not be read is looked through before its beginning is told, in bytes.
const LOOKED_AT: usize = 64 * 1024;
/// How many lines that could not be read are told in full; the rest are counted. A stream can be nothing else.
const REJECTS_TOLD: u64 = 5;

/// Splits growing output into lines and keeps what they said.
#[derive(Debug, Default, Clone)]
pub struct Stream {
    /// The beginning of a line whose end has not come yet.
    pending: Vec<u8>,
    state: StreamState,
}

impl Stream {
    /// A stream of which nothing was read.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`Stream::new`], without secrets in whatever it cuts short: half of one could not be told any more.
    pub fn redacting(redactor: Arc<Redactor>) -> Self {
        Self { pending: Vec::new(), state: StreamState { redactor, ..StreamState::default() } }
    }

    /// Takes the next bytes, however they are cut, and reports what happened in them.
    pub fn feed(&mut self, mut bytes: &[u8], seen: &mut impl FnMut(LiveEvent)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (head, tail) = bytes.split_at(end);
            bytes = &tail[1..];
            if self.pending.is_empty() {
                self.state.line(head, seen);
            } else {
                self.pending.extend_from_slice(head);
                self.flush(seen);
            }
        }
        self.pending.extend_from_slice(bytes);
    }

    /// What the stream said so far.
    pub fn state(&self) -> &StreamState {
        &self.state
    }

    /// What the whole stream said, when no more bytes will come. A last line without its newline counts if it is whole.
    pub fn finish(mut self) -> StreamState {
        self.flush(&mut |_| ());
        self.state
    }

    fn flush(&mut self, seen: &mut impl FnMut(LiveEvent)) {
        self.state.line(&self.pending, seen);
        self.pending.clear();
        self.pending.shrink_to(KEEP_BUFFER);
    }
}

/// What a stream has said.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct StreamState {
    /// Whether the conversation was opened.
    pub(super) opened: bool,
    /// Whether the opened conversation has no way to give a structured answer.
    pub(super) lacks_answer_tool: bool,
    /// The class of the last failure that the CLI named.
    pub(super) error: Option<String>,
    /// The last that the server said about the usage window.
    pub(super) rate_limit: Option<RateLimit>,
    /// The result that counts: the last with a structured answer, else the last that is not a mere afterthought.
    pub(super) result: Option<ResultEvent>,
    pub(super) tally: Tally,
    /// Lines that were no JSON objects.
    pub(super) garbage: u64,
    /// Whether the last event of the main conversation was a result.
    at_rest: bool,
    /// Ids of the tool calls without a result.
    open_tools: Vec<String>,
    output_tokens: u64,
    in_text: bool,
    redactor: Arc<Redactor>,
}

/// One `result` line, reduced to what is decided by it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ResultEvent {
    pub(super) subtype: String,
    /// None when the key is missing: that is no success either.
    pub(super) is_error: Option<bool>,
    pub(super) num_turns: Option<u64>,
    pub(super) api_error_status: Option<u16>,
    pub(super) api_error: Option<String>,
    pub(super) stop_reason: Option<String>,
    pub(super) terminal_reason: Option<String>,
    /// The beginning of the text, for people.
    pub(super) text: String,
    /// JSON text that was not interpreted yet.
    pub(super) structured_output: Option<Box<str>>,
    pub(super) denials: Vec<DeniedCall>,
    /// Whether something other than our prompt caused the turn.
    afterthought: bool,
}

/// A refused call, as the CLI lists it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DeniedCall {
    pub(super) tool: String,
    /// The command, path, pattern or address; empty where there is none.
    pub(super) subject: String,
}

impl StreamState {
    /// Whether a tool call is in progress: then silence is no sign of a hang.
    pub fn tool_running(&self) -> bool {
        !self.open_tools.is_empty()
    }

    /// Whether a result was read and nothing began after it: the process has no reason to live on.
    pub fn at_rest(&self) -> bool {
        self.at_rest
    }

    /// Tokens received so far: an estimate of the cost while there is no result.
    pub fn output_tokens(&self) -> u64 {
        self.output_tokens
    }

    fn line(&mut self, bytes: &[u8], seen: &mut impl FnMut(LiveEvent)) {
        if bytes.trim_ascii().is_empty() {
            return;
        }
        match serde_json::from_slice::<Line<'_>>(bytes) {
            Ok(line) => self.event(&line, bytes, seen),
            Err(error) => self.reject(bytes, &error),
        }
    }

    fn reject(&mut self, bytes: &[u8], error: &serde_json::Error) {
        self.garbage += 1;
        if self.garbage > REJECTS_TOLD {
            return;
        }
        let start = self.redactor.bytes(&bytes[..bytes.len().min(LOOKED_AT)]);
        let start = String::from_utf8_lossy(&start[..start.len().min(DETAIL)]);
        tracing::warn!(%error, bytes = bytes.len(), ?start, "a line of the agent's output could not be read");
    }

    fn event(&mut self, line: &Line<'_>, bytes: &[u8], seen: &mut impl FnMut(LiveEvent)) {
        match &*line.kind {
            "stream_event" => self.partial(line.event, seen),
            "assistant" => self.assistant(line, seen),
            "user" => self.tool_results(line.message, seen),
            "system" => match text_of(line.subtype).as_deref() {
                Some("init") => self.init(bytes, seen),
                Some("api_retry") => self.retry(bytes, seen),
                Some("thinking_tokens") => self.text(seen),
                _ => {}
            },
            "rate_limit_event" => self.rate_limit(bytes, seen),
            "result" => match serde_json::from_slice::<ResultLine<'_>>(bytes) {
                Ok(result) => self.result(result),
                Err(error) => self.reject(bytes, &error),
            },
            _ => {}
        }
    }

    fn init(&mut self, bytes: &[u8], seen: &mut impl FnMut(LiveEvent)) {
        self.opened = true;
        self.at_rest = false;
        let Ok(init) = serde_json::from_slice::<InitLine<'_>>(bytes) else { return };
        self.lacks_answer_tool = init.tools.is_some_and(|tools| !tools.iter().any(|tool| tool == ANSWER_TOOL));
        if let Some(model) = init.model {
            self.show(LiveEvent::Model(model), seen);
        }
    }

    fn retry(&mut self, bytes: &[u8], seen: &mut impl FnMut(LiveEvent)) {
        if let Ok(RetryLine { retry_delay_ms }) = serde_json::from_slice(bytes) {
            self.show(LiveEvent::Retry { delay_ms: retry_delay_ms as u64 }, seen);
        }
    }

    fn rate_limit(&mut self, bytes: &[u8], seen: &mut impl FnMut(LiveEvent)) {
        let Ok(RateLimitLine { rate_limit_info: info }) = serde_json::from_slice(bytes) else { return };
        let limit = RateLimit {
            rejected: info.status == "rejected",
            warning: info.status == "allowed_warning",
            utilization: info.utilization,
            resets_at: info.resets_at.and_then(|at| Timestamp::from_second(at as i64).ok()),
        };
        self.rate_limit = Some(limit.clone());
        self.show(LiveEvent::RateLimit(limit), seen);
    }

    /// An event of the API's own stream: it shows that the model is alive, and counts tokens.
    fn partial(&mut self, event: Option<&RawValue>, seen: &mut impl FnMut(LiveEvent)) {
        self.at_rest = false;
        let Some(Partial { kind, usage }) = event.and_then(parse) else { return };
        match &*kind {
            "content_block_delta" => self.text(seen),
            // Each response ends with one of these, which has the final count of that response.
            "message_delta" => {
                self.output_tokens += usage.map_or(0, |usage| usage.output_tokens);
                self.show(LiveEvent::Tokens { output: self.output_tokens }, seen);
            }
            _ => {}
        }
    }

    fn assistant(&mut self, line: &Line<'_>, seen: &mut impl FnMut(LiveEvent)) {
        self.at_rest = false;
        if line.parent_tool_use_id.is_none()
            && let Some(error) = text_of(line.error)
        {
            self.error = Some(error.into_owned());
        }
        for block in blocks(line.message) {
            match (&*block.kind, block.name, block.id) {
                // The call that ends the conversation is not work in progress: silence after it is a hang.
                ("tool_use", Some(name), Some(id)) if name != ANSWER_TOOL => {
                    self.open_tools.push(id.into_owned());
                    let detail = block.input.map(|input| subject(input, &self.redactor)).unwrap_or_default();
                    self.show(LiveEvent::Tool { name: name.into_owned(), detail }, seen);
                }
                ("text" | "thinking", ..) => self.text(seen),
                _ => {}
            }
        }
    }

    fn tool_results(&mut self, message: Option<&RawValue>, seen: &mut impl FnMut(LiveEvent)) {
        self.at_rest = false;
        if self.open_tools.is_empty() {
            return;
        }
        for id in blocks(message).into_iter().filter_map(|block| block.tool_use_id) {
            self.open_tools.retain(|open| *open != id);
        }
        if self.open_tools.is_empty() {
            self.show(LiveEvent::ToolEnded, seen);
        }
    }

    fn result(&mut self, line: ResultLine<'_>) {
        self.at_rest = true;
        self.open_tools.clear();
        self.tally.add(
            line.model_usage_since_last_result.and_then(parse::<ModelUsage>),
            line.model_usage.and_then(parse::<ModelUsage>).unwrap_or_default(),
            line.total_cost_usd,
            line.num_turns.unwrap_or(0),
        );
        let new = ResultEvent::new(line, &self.redactor);
        let takes_over = match &self.result {
            None => true,
            Some(old) if new.structured_output.is_some() == old.structured_output.is_some() => {
                !new.afterthought || old.afterthought
            }
            Some(_) => new.structured_output.is_some(),
        };
        if takes_over {
            self.result = Some(new);
        }
    }

    fn text(&mut self, seen: &mut impl FnMut(LiveEvent)) {
        if !self.in_text {
            self.in_text = true;
            seen(LiveEvent::Text);
        }
    }

    fn show(&mut self, event: LiveEvent, seen: &mut impl FnMut(LiveEvent)) {
        self.in_text = false;
        seen(event);
    }
}

/// The keys by which a line is told from others. Their values stay raw, so that a key of another type in an event that
/// we do not know makes no line unreadable, and so that large values are passed over once.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    subtype: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    parent_tool_use_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct InitLine<'a> {
    #[serde(borrow)]
    tools: Option<Vec<Cow<'a, str>>>,
    model: Option<String>,
}

#[derive(Deserialize)]
struct RetryLine {
    retry_delay_ms: f64,
}

#[derive(Deserialize)]
struct RateLimitLine<'a> {
    #[serde(borrow)]
    rate_limit_info: RateLimitInfo<'a>,
}

#[derive(Deserialize)]
struct RateLimitInfo<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(rename = "resetsAt")]
    resets_at: Option<f64>,
    utilization: Option<f64>,
}

#[derive(Deserialize)]
struct Partial<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    usage: Option<PartialUsage>,
}

#[derive(Deserialize)]
struct PartialUsage {
    #[serde(default)]
    output_tokens: u64,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tool_use_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ToolInput<'a> {
    #[serde(borrow)]
    command: Option<Cow<'a, str>>,
    #[serde(borrow)]
    file_path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pattern: Option<Cow<'a, str>>,
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ResultLine<'a> {
    #[serde(borrow)]
    subtype: Cow<'a, str>,
    is_error: Option<bool>,
    num_turns: Option<u64>,
    api_error_status: Option<u16>,
    api_error: Option<String>,
    stop_reason: Option<String>,
    terminal_reason: Option<String>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    errors: Option<&'a RawValue>,
    #[serde(borrow)]
    structured_output: Option<&'a RawValue>,
    #[serde(borrow)]
    permission_denials: Option<&'a RawValue>,
    total_cost_usd: Option<f64>,
    #[serde(borrow, rename = "modelUsage")]
    model_usage: Option<&'a RawValue>,
    #[serde(borrow)]
    model_usage_since_last_result: Option<&'a RawValue>,
    #[serde(borrow)]
    origin: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct DeniedLine<'a> {
    tool_name: String,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
}

impl ResultEvent {
    fn new(line: ResultLine<'_>, redactor: &Redactor) -> Self {
        let errors = || line.errors.and_then(parse::<Vec<String>>).map(|errors| errors.join("; "));
        let denials = line.permission_denials.and_then(parse::<Vec<DeniedLine<'_>>>).unwrap_or_default();
        Self {
            subtype: line.subtype.into_owned(),
            is_error: line.is_error,
            num_turns: line.num_turns,
            api_error_status: line.api_error_status,
            api_error: line.api_error,
            stop_reason: line.stop_reason,
            terminal_reason: line.terminal_reason,
            text: text_of(line.result).map(|text| one_line(&redactor.text(&text))).or_else(errors).unwrap_or_default(),
            structured_output: line.structured_output.map(|raw| Box::from(raw.get())),
            denials: denials.into_iter().map(|denied| DeniedCall::new(denied, redactor)).collect(),
            afterthought: line.origin.is_some(),
        }
    }
}

impl DeniedCall {
    fn new(line: DeniedLine<'_>, redactor: &Redactor) -> Self {
        let subject = line.tool_input.map(|input| subject(input, redactor)).unwrap_or_default();
        Self { tool: line.tool_name, subject }
    }
}

/// The value, if it has the form that we know: a newer CLI may change what we only show.
fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn text_of(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    /// Keeps the borrow, which a bare `Cow` would give up.
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    raw.and_then(parse::<Text<'_>>).map(|text| text.0)
}

/// The content blocks of a message; none when the content is a plain text.
fn blocks(message: Option<&RawValue>) -> Vec<Block<'_>> {
    message.and_then(parse::<Message<'_>>).and_then(|message| message.content).and_then(parse).unwrap_or_default()
}

/// What a tool call is about, on one short line.
fn subject(input: &RawValue, redactor: &Redactor) -> String {
    parse::<ToolInput<'_>>(input)
        .and_then(|input| input.command.or(input.file_path).or(input.pattern).or(input.url))
        .map(|text| one_line(&redactor.text(&text)))
        .unwrap_or_default()
}

/// The text with white space folded, cut to [`DETAIL`] bytes.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > DETAIL {
            line.truncate(line.floor_char_boundary(DETAIL));
            line.push('…');
            break;
        }
    }
    line
}
