//! What the scripted Messages API says: one [`Reply`] a request, or a [`Script`] of them for a conversation.

use std::io::{self, Read as _, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::api::Request;

/// One answer to one request for a message.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A message of the model, streamed if the request asks for it.
    Message(Message),
    /// An HTTP error.
    Error { status: u16, headers: Vec<(String, String)>, body: String },
    /// The connection is closed without a byte.
    Drop,
    /// Nothing, until the client leaves.
    Hang,
}

/// What the model says, block by block.
#[derive(Debug, Clone, Default)]
pub struct Message {
    blocks: Vec<Block>,
    headers: Vec<(String, String)>,
    fault: Option<Fault>,
}

#[derive(Debug, Clone)]
enum Block {
    Text(String),
    Thinking(String),
    Tool { name: String, input: Value },
}

/// What goes wrong after the first half of a message.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Cut,
    Stall,
}

/// # Messages. Each constructor has a builder of the same name below, which adds a block.
impl Reply {
    pub fn text(text: &str) -> Self {
        Self::message().and(Block::Text(text.into()))
    }

    pub fn thinking(text: &str) -> Self {
        Self::message().and(Block::Thinking(text.into()))
    }

    /// A call of the tool `name`. Several calls in one message: `Reply::read("a").and_tool("Write", ...)`.
    pub fn tool(name: &str, input: Value) -> Self {
        Self::message().and_tool(name, input)
    }

    /// Creates a file; `path` may be relative to the work directory. A file that exists must have been read before.
    pub fn write(path: &str, content: &str) -> Self {
        Self::tool("Write", json!({"file_path": path, "content": content}))
    }

    /// Reads a file and writes it anew, in one message: for files that exist already.
    pub fn rewrite(path: &str, content: &str) -> Self {
        Self::read(path).and_tool("Write", json!({"file_path": path, "content": content}))
    }

    pub fn read(path: &str) -> Self {
        Self::tool("Read", json!({"file_path": path}))
    }

    pub fn bash(command: &str) -> Self {
        Self::tool("Bash", json!({"command": command, "description": "as the test says"}))
    }

    /// The structured answer, valid or not, that ends a step.
    pub fn answer(output: Value) -> Self {
        Self::tool("StructuredOutput", output)
    }

    pub fn and_text(self, text: &str) -> Self {
        self.and(Block::Text(text.into()))
    }

    pub fn and_tool(self, name: &str, input: Value) -> Self {
        self.and(Block::Tool { name: name.into(), input })
    }

    /// The connection breaks in the middle of the message.
    pub fn cut(self) -> Self {
        self.fault(Fault::Cut)
    }

    /// The message stops in its middle and the connection stays open until the client leaves.
    pub fn stalled(self) -> Self {
        self.fault(Fault::Stall)
    }

    fn message() -> Self {
        Self::Message(Message::default())
    }

    fn and(mut self, block: Block) -> Self {
        self.as_message().blocks.push(block);
        self
    }

    fn fault(mut self, fault: Fault) -> Self {
        self.as_message().fault = Some(fault);
        self
    }

    fn as_message(&mut self) -> &mut Message {
        match self {
            Self::Message(message) => message,
            other => panic!("{other:?} is no message"),
        }
    }
}

/// # Errors, each in the form of the real API.
impl Reply {
    pub fn error(status: u16, kind: &str, message: &str) -> Self {
        let body = json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_test"});
        Self::Error { status, headers: Vec::new(), body: body.to_string() }
    }

    /// 401: the key is wrong.
    pub fn unauthorized() -> Self {
        Self::error(401, "authentication_error", "invalid x-api-key")
    }

    /// 429 without a word about when to come back.
    pub fn rate_limited() -> Self {
        Self::error(429, "rate_limit_error", "This request would exceed your rate limit")
    }

    /// 429 of a subscription whose limit of five hours is used up; it opens again at `resets_at` (Unix seconds). The
    /// CLI reads these headers only when it is logged in with a token ([`super::api::Api::token_env`]).
    pub fn usage_limit(resets_at: u64) -> Self {
        let at = resets_at.to_string();
        Self::rate_limited()
            .header("anthropic-ratelimit-unified-status", "rejected")
            .header("anthropic-ratelimit-unified-reset", &at)
            .header("anthropic-ratelimit-unified-representative-claim", "five_hour")
            .header("anthropic-ratelimit-unified-5h-utilization", "1.0")
            .header("anthropic-ratelimit-unified-5h-reset", &at)
            .header("anthropic-ratelimit-unified-overage-status", "rejected")
    }

    /// 500: a fault of the server.
    pub fn server_error() -> Self {
        Self::error(500, "api_error", "Internal server error")
    }

    /// 529: too much load.
    pub fn overloaded() -> Self {
        Self::error(529, "overloaded_error", "Overloaded")
    }

    /// One more header of the response, e.g. `retry-after`.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match &mut self {
            Self::Message(Message { headers, .. }) | Self::Error { headers, .. } => {
                headers.push((name.into(), value.into()));
            }
            Self::Drop | Self::Hang => panic!("a connection without an answer has no headers"),
        }
        self
    }
}

/// # On the wire. `serial` makes the ids of messages and tool calls unique.
impl Reply {
    pub(super) fn send(&self, to: &mut TcpStream, request: &Request, serial: usize) -> io::Result<()> {
        match self {
            Self::Message(message) if request.streams() => message.stream(to, request.model(), serial),
            Self::Message(message) => message.send_whole(to, request.model(), serial),
            Self::Error { status, headers, body } => send_json(to, *status, headers, body),
            Self::Drop => Ok(()),
            Self::Hang => wait_until_gone(to),
        }
    }
}

impl Message {
    fn stop_reason(&self) -> &'static str {
        let calls = self.blocks.iter().any(|block| matches!(block, Block::Tool { .. }));
        if calls { "tool_use" } else { "end_turn" }
    }

    fn stream(&self, to: &mut TcpStream, model: &str, serial: usize) -> io::Result<()> {
        let events = self.events(model, serial);
        send_head(to, 200, &self.headers, "text/event-stream", "transfer-encoding: chunked")?;
        let sent = if self.fault.is_some() { events.len() / 2 } else { events.len() };
        for event in &events[..sent] {
            let kind = event["type"].as_str().expect("every event has a type");
            let text = format!("event: {kind}\ndata: {event}\n\n");
            write!(to, "{:x}\r\n{text}\r\n", text.len())?;
        }
        match self.fault {
            None => write!(to, "0\r\n\r\n"),
            // Without the last chunk the close counts as a broken connection.
            Some(Fault::Cut) => Ok(()),
            Some(Fault::Stall) => wait_until_gone(to),
        }
    }

    fn events(&self, model: &str, serial: usize) -> Vec<Value> {
        let mut events = vec![json!({"type": "message_start", "message": {
            "id": format!("msg_{serial}"), "type": "message", "role": "assistant", "model": model, "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": usage(1),
        }})];
        for (index, block) in self.blocks.iter().enumerate() {
            let (start, deltas) = block.parts(serial, index);
            events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
            for delta in deltas {
                events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
            }
            events.push(json!({"type": "content_block_stop", "index": index}));
        }
        let delta = json!({"stop_reason": self.stop_reason(), "stop_sequence": null});
        events.push(json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 20}}));
        events.push(json!({"type": "message_stop"}));
        events
    }

    /// The form for requests without `stream`: the CLI's second try after a broken stream.
    fn send_whole(&self, to: &mut TcpStream, model: &str, serial: usize) -> io::Result<()> {
        match self.fault {
            None => {}
            Some(Fault::Cut) => return Ok(()),
            Some(Fault::Stall) => return wait_until_gone(to),
        }
        let content: Vec<Value> = self.blocks.iter().enumerate().map(|(i, block)| block.whole(serial, i)).collect();
        let body = json!({
            "id": format!("msg_{serial}"), "type": "message", "role": "assistant", "model": model, "content": content,
            "stop_reason": self.stop_reason(), "stop_sequence": null, "usage": usage(20),
        });
        send_json(to, 200, &self.headers, &body.to_string())
    }
}

impl Block {
    /// The empty block that opens the stream of this one, and the deltas that fill it.
    fn parts(&self, serial: usize, index: usize) -> (Value, Vec<Value>) {
        match self {
            Self::Text(text) => {
                (json!({"type": "text", "text": ""}), vec![json!({"type": "text_delta", "text": text})])
            }
            Self::Thinking(text) => (
                json!({"type": "thinking", "thinking": "", "signature": ""}),
                vec![
                    json!({"type": "thinking_delta", "thinking": text}),
                    json!({"type": "signature_delta", "signature": "dGVzdA=="}),
                ],
            ),
            Self::Tool { name, input } => (
                json!({"type": "tool_use", "id": tool_id(serial, index), "name": name, "input": {}}),
                vec![json!({"type": "input_json_delta", "partial_json": input.to_string()})],
            ),
        }
    }

    fn whole(&self, serial: usize, index: usize) -> Value {
        match self {
            Self::Text(text) => json!({"type": "text", "text": text}),
            Self::Thinking(text) => json!({"type": "thinking", "thinking": text, "signature": "dGVzdA=="}),
            Self::Tool { name, input } => {
                json!({"type": "tool_use", "id": tool_id(serial, index), "name": name, "input": input})
            }
        }
    }
}

fn tool_id(serial: usize, index: usize) -> String {
    format!("toolu_{serial}_{index}")
}

fn usage(output: u32) -> Value {
    json!({
        "input_tokens": 100, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": output,
    })
}

pub(super) fn send_json(to: &mut TcpStream, status: u16, headers: &[(String, String)], body: &str) -> io::Result<()> {
    send_head(to, status, headers, "application/json", &format!("content-length: {}", body.len()))?;
    to.write_all(body.as_bytes())
}

fn send_head(
    to: &mut TcpStream,
    status: u16,
    headers: &[(String, String)],
    kind: &str,
    framing: &str,
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Test\r\nconnection: close\r\nrequest-id: req_test\r\n");
    head += &format!("content-type: {kind}\r\n{framing}\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    write!(to, "{head}\r\n")
}

/// Returns when the client has closed its side: the server never ends these by itself, so nothing is timed.
fn wait_until_gone(client: &mut TcpStream) -> io::Result<()> {
    while client.read(&mut [0; 64])? > 0 {}
    Ok(())
}

/// The replies of one conversation, in order; the last one is repeated.
///
/// Where the conversation stands is read from the messages that it sends, not counted by the server: a request that
/// comes a second time (after a fault, or after a kill and `--resume`) gets the same reply, and a resumed conversation
/// goes on where it was.
#[derive(Debug, Clone, Default)]
pub struct Script {
    steps: Vec<Reply>,
    since: Option<String>,
}

impl Script {
    pub fn new() -> Self {
        Self::default()
    }

    /// A script for the part of a conversation that follows the last prompt in which `text` occurs.
    pub fn since(text: &str) -> Self {
        Self { steps: Vec::new(), since: Some(text.into()) }
    }

    #[must_use]
    pub fn then(mut self, reply: Reply) -> Self {
        self.steps.push(reply);
        self
    }

    #[must_use]
    pub fn write(self, path: &str, content: &str) -> Self {
        self.then(Reply::write(path, content))
    }

    #[must_use]
    pub fn rewrite(self, path: &str, content: &str) -> Self {
        self.then(Reply::rewrite(path, content))
    }

    #[must_use]
    pub fn bash(self, command: &str) -> Self {
        self.then(Reply::bash(command))
    }

    #[must_use]
    pub fn answer(self, output: Value) -> Self {
        self.then(Reply::answer(output))
    }

    /// The reply to `request`.
    pub fn reply(&self, request: &Request) -> Reply {
        let step = request.turns_since(self.since.as_deref()).min(self.steps.len().saturating_sub(1));
        self.steps.get(step).cloned().expect("a script has a step")
    }
}
