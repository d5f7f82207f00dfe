//! The events of claude's stream-json output, in the shapes of version 2.1.330.
//!
//! Lines are gathered and written together: an answer without actions is one `write`. Whoever is about to wait calls
//! [`Stream::flush`] first.

use std::io::{self, Write as _};
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::VERSION;
use super::arguments::{Format, Print};
use super::scenario::Tokens;

/// The tools that are offered when the command line names none.
const TOOLS: &[&str] = &["Bash", "Edit", "Read", "WebFetch", "WebSearch", "Write"];

/// The model of those who name none.
const DEFAULT_MODEL: &str = "claude-sonnet-5-5";

/// What one process, or one whole conversation, has used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// US dollars.
    pub cost_usd: f64,
    /// Tokens.
    pub tokens: Tokens,
}

/// The output of one process.
pub struct Stream {
    buffer: Vec<u8>,
    format: Format,
    partial: bool,
    began: Instant,
    session: String,
    model: String,
    permission_mode: String,
    tools: Vec<String>,
    events: u64,
    messages: u64,
    results: u64,
    tool_results: u64,
    /// What the conversation had used before this process.
    pub before: Spent,
    /// What this process uses.
    pub spent: Spent,
}

/// What varies between `result` events.
pub struct Ending<'a> {
    /// `success`, or the name of a limit.
    pub subtype: &'a str,
    /// Whether it is no answer.
    pub is_error: bool,
    /// Why the turn ended; absent for a conversation that does not exist.
    pub terminal_reason: Option<&'a str>,
    /// The API's reason.
    pub stop_reason: Option<&'a str>,
    /// Fields of this ending only.
    pub more: Value,
}

impl Stream {
    /// The stream of conversation `session`, not begun.
    pub fn new(print: &Print, session: &str) -> Self {
        let mut tools = print.tools.clone().unwrap_or_else(|| TOOLS.iter().map(|&tool| tool.to_owned()).collect());
        if print.schema.is_some() {
            tools.push("StructuredOutput".to_owned());
        }
        Self {
            buffer: Vec::with_capacity(4096),
            format: print.format,
            partial: print.partial,
            began: Instant::now(),
            session: session.to_owned(),
            model: print.model.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned()),
            permission_mode: print.permission_mode.clone().unwrap_or_else(|| "default".to_owned()),
            tools,
            events: 0,
            messages: 0,
            results: 0,
            tool_results: 0,
            before: Spent::default(),
            spent: Spent::default(),
        }
    }

    /// The conversation's id.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// The model that answers.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Writes out what was gathered.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&self.buffer)?;
        self.buffer.clear();
        stdout.flush()
    }

    /// A line as it is, JSON or not.
    pub fn raw(&mut self, line: &str) {
        self.buffer.extend_from_slice(line.as_bytes());
        self.buffer.push(b'\n');
    }

    /// Leaves the last line without its second half.
    pub fn cut_last_line(&mut self) {
        let body = self.buffer.trim_ascii_end();
        let start = body.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        self.buffer.truncate(start + (body.len() - start) / 2);
    }

    /// One event; the fields that all events have are added.
    fn event(&mut self, mut event: Value) {
        self.events += 1;
        if self.format != Format::StreamJson {
            return;
        }
        event["session_id"] = json!(self.session);
        event["uuid"] = json!(self.uuid());
        self.line(&event);
    }

    fn line(&mut self, event: &Value) {
        serde_json::to_writer(&mut self.buffer, event).expect("values serialise, and a Vec takes all bytes");
        self.buffer.push(b'\n');
    }

    /// Unique within the process, which is enough: nothing joins events of several processes by it.
    fn uuid(&self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.events)
    }

    /// The first line.
    pub fn init(&mut self) {
        let cwd = std::env::current_dir().unwrap_or_default();
        self.event(json!({
            "type": "system", "subtype": "init", "cwd": cwd.to_string_lossy(), "tools": self.tools, "mcp_servers": [],
            "model": self.model, "permissionMode": self.permission_mode, "slash_commands": [], "apiKeySource": "none",
            "claude_code_version": VERSION, "output_style": "default", "agents": [], "skills": [], "plugins": [],
        }));
    }

    /// A system event of another kind.
    pub fn system(&mut self, subtype: &str, mut fields: Value) {
        fields["type"] = json!("system");
        fields["subtype"] = json!(subtype);
        self.event(fields);
    }

    /// The state of the subscription's limits.
    pub fn rate_limit(&mut self, info: Value) {
        self.event(json!({"type": "rate_limit_event", "rate_limit_info": info}));
    }

    /// The model says something.
    pub fn text(&mut self, text: &str) {
        self.block(&json!({"type": "text", "text": text}), &json!({"type": "text_delta", "text": text}), "end_turn");
    }

    /// The model thinks something.
    pub fn think(&mut self, text: &str) {
        let block = json!({"type": "thinking", "thinking": text, "signature": "c2lt"});
        self.block(&block, &json!({"type": "thinking_delta", "thinking": text}), "end_turn");
    }

    /// The model calls a tool; the call's id is returned.
    pub fn tool_use(&mut self, name: &str, input: &Value) -> String {
        let id = format!("toolu_{:04}_0", self.messages + 1);
        let block = json!({"type": "tool_use", "id": id, "name": name, "input": input});
        self.block(&block, &json!({"type": "input_json_delta", "partial_json": input.to_string()}), "tool_use");
        id
    }

    /// The tool's result: the text that the model sees, and its structured form.
    pub fn tool_result(&mut self, id: &str, content: &str, is_error: bool, structured: Value) {
        self.tool_results += 1;
        let result = json!({"type": "tool_result", "tool_use_id": id, "content": content, "is_error": is_error});
        self.event(json!({
            "type": "user", "message": {"role": "user", "content": [result]}, "parent_tool_use_id": null,
            "tool_use_result": structured,
        }));
    }

    /// A text that the CLI puts into the conversation by itself.
    pub fn injected(&mut self, text: &str) {
        let message = json!({"role": "user", "content": [{"type": "text", "text": text}]});
        self.event(json!({"type": "user", "message": message, "parent_tool_use_id": null}));
    }

    /// The message that stands for an API failure.
    pub fn synthetic(&mut self, text: &str, stop_reason: &str, fields: &Value) {
        self.messages += 1;
        let message = json!({
            "id": self.uuid(), "type": "message", "role": "assistant", "model": "<synthetic>",
            "content": [{"type": "text", "text": text}], "stop_reason": stop_reason, "stop_sequence": "",
            "usage": usage(Tokens::default()), "context_management": null,
        });
        let mut event = json!({"type": "assistant", "message": message, "parent_tool_use_id": null});
        merge(&mut event, fields);
        self.event(event);
    }

    /// One message with one content block, with its parts before it when they were asked for.
    fn block(&mut self, block: &Value, delta: &Value, stop_reason: &str) {
        self.messages += 1;
        let id = format!("msg_{:04}", self.messages);
        let message = |content: &[&Value]| {
            json!({
                "id": id, "type": "message", "role": "assistant", "model": self.model, "content": content,
                "stop_reason": null, "stop_sequence": null, "usage": usage(Tokens { input: 10, output: 1 }),
            })
        };
        let (start, mut whole) = (message(&[]), message(&[block]));
        whole["context_management"] = Value::Null;
        let assistant = json!({"type": "assistant", "message": whole, "parent_tool_use_id": null});
        if !self.partial {
            return self.event(assistant);
        }
        let output = 1 + delta.to_string().len() / 4; // about four characters a token
        self.part(&json!({"type": "message_start", "message": start}));
        self.part(&json!({"type": "content_block_start", "index": 0, "content_block": empty(block)}));
        self.part(&json!({"type": "content_block_delta", "index": 0, "delta": delta}));
        self.event(assistant);
        self.part(&json!({"type": "content_block_stop", "index": 0}));
        let delta = json!({"stop_reason": stop_reason, "stop_sequence": null});
        self.part(&json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": output}}));
        self.part(&json!({"type": "message_stop"}));
    }

    fn part(&mut self, event: &Value) {
        self.event(json!({"type": "stream_event", "event": event, "parent_tool_use_id": null}));
    }

    /// The last line of a turn, in the format that was asked for.
    pub fn result(&mut self, ending: &Ending<'_>) {
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut event = json!({
            "type": "result", "subtype": ending.subtype, "is_error": ending.is_error, "duration_ms": ms,
            "duration_api_ms": ms, "num_turns": self.tool_results + 1, "stop_reason": ending.stop_reason,
            "total_cost_usd": self.before.cost_usd + self.spent.cost_usd, "usage": usage(self.spent.tokens),
            "modelUsage": self.model_usage(true), "permission_denials": [], "result_index": self.results,
        });
        if let Some(reason) = ending.terminal_reason {
            event["terminal_reason"] = json!(reason);
            event["model_usage_since_last_result"] = self.model_usage(false);
        }
        merge(&mut event, &ending.more);
        self.results += 1;
        match self.format {
            Format::StreamJson => self.event(event),
            Format::Json => {
                event["session_id"] = json!(self.session);
                self.line(&event);
            }
            Format::Text => {
                let text = event["result"].as_str().or(event["errors"][0].as_str()).unwrap_or_default().to_owned();
                self.raw(&text);
            }
        }
    }

    /// Use by model: of the conversation with what came before, or of this process since its last result.
    fn model_usage(&self, whole: bool) -> Value {
        let before = if whole { self.before } else { Spent::default() };
        let spent = if whole || self.results == 0 { self.spent } else { Spent::default() };
        let (cost, input, output) = (
            before.cost_usd + spent.cost_usd,
            before.tokens.input + spent.tokens.input,
            before.tokens.output + spent.tokens.output,
        );
        if cost == 0.0 && input + output == 0 {
            return json!({});
        }
        let usage = json!({
            "inputTokens": input, "outputTokens": output, "cacheReadInputTokens": 0, "cacheCreationInputTokens": 0,
            "webSearchRequests": 0, "costUSD": cost, "contextWindow": 200_000, "maxOutputTokens": 64_000,
        });
        Value::Object(Map::from_iter([(self.model.clone(), usage)]))
    }
}

/// The start of a content block, before its first part.
fn empty(block: &Value) -> Value {
    let mut start = block.clone();
    for text in ["text", "thinking", "signature"] {
        if let Some(value) = start.get_mut(text) {
            *value = json!("");
        }
    }
    if let Some(input) = start.get_mut("input") {
        *input = json!({});
    }
    start
}

fn usage(tokens: Tokens) -> Value {
    json!({
        "input_tokens": tokens.input, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "output_tokens": tokens.output,
    })
}

/// Adds the fields of `more` to `event`.
fn merge(event: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
}
