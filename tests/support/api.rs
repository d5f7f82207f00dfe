//! A Messages API on loopback that says what a test tells it to: threads of `std::net`, nothing else.
//!
//! ```ignore
//! let api = Api::start(|request| {
//!     if request.asks(&["implement", "`parser`"]) {
//!         Script::new().write("parser.txt", "hi\n").bash("cat parser.txt").answer(json!({...})).reply(request)
//!     } else if request.nth == 0 {
//!         Reply::overloaded()          // the first request of any other conversation
//!     } else {
//!         Reply::answer(json!({...}))
//!     }
//! });
//! run_cco().envs(api.env());
//! api.wait("the parser's first tool result", |all| all.iter().any(|r| r.asks(&["`parser`"]) && !r.calls().is_empty()));
//! ```
//!
//! The closure is called from one thread a connection, at the same time: state that it keeps is behind a lock or an
//! atomic. It may block (on a channel, a barrier) to hold an answer back; only its own conversation waits.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::reply::{Reply, send_json};

/// How long [`Api::wait`] waits before it calls the test failed. Real runs of the CLI take seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// The running server; dropping it stops it (conversations that hang go with their clients).
pub struct Api {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Box<dyn Fn(&Request) -> Reply + Send + Sync>,
    log: Mutex<Log>,
    logged: Condvar,
    closed: AtomicBool,
}

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    of_conversation: HashMap<String, usize>,
}

impl Api {
    /// Serves on a free port; `answer` is asked for each request for a message.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("a bound port");
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            log: Mutex::default(),
            logged: Condvar::new(),
            closed: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if serving.closed.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&serving);
                // A client that leaves in the middle is no news: tests kill them.
                thread::spawn(move || shared.serve(client).ok());
            }
        });
        Self { address, shared }
    }

    /// The environment that sends `claude` here, logged in with an API key.
    pub fn env(&self) -> [(&'static str, String); 2] {
        self.login("ANTHROPIC_API_KEY", "sk-ant-test")
    }

    /// The same, logged in with the token of a subscription: only then does the CLI know usage limits.
    pub fn token_env(&self) -> [(&'static str, String); 2] {
        self.login("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-test")
    }

    fn login(&self, name: &'static str, secret: &str) -> [(&'static str, String); 2] {
        [("ANTHROPIC_BASE_URL", format!("http://{}", self.address)), (name, secret.to_owned())]
    }

    /// The requests for messages until now, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log().requests.clone()
    }

    /// Waits until the requests are as `enough` says, and returns them; `what` names it if that never comes.
    pub fn wait(&self, what: &str, enough: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        let deadline = Instant::now() + PATIENCE;
        let mut log = self.shared.log();
        while !enough(&log.requests) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what} in {PATIENCE:?}; {} requests came", log.requests.len());
            log = self.shared.logged.wait_timeout(log, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        log.requests.clone()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts; should this fail, it ends with the process.
        TcpStream::connect(self.address).ok();
    }
}

impl Shared {
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request a connection: every answer says `connection: close`.
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let call = HttpCall::read(&mut BufReader::new(&client))?;
        match call.path.split('?').next() {
            Some("/v1/messages") => {}
            Some("/v1/messages/count_tokens") => return send_json(&mut client, 200, &[], r#"{"input_tokens":10}"#),
            _ => return send_json(&mut client, 200, &[], if call.method == "HEAD" { "" } else { "{}" }),
        }
        let (request, serial) = self.record(call)?;
        (self.answer)(&request).send(&mut client, &request, serial)
    }

    fn record(&self, call: HttpCall) -> io::Result<(Request, usize)> {
        let mut request = Request {
            conversation: call.header("x-claude-code-session-id").unwrap_or_default().to_owned(),
            nth: 0,
            body: Arc::new(serde_json::from_slice(&call.body)?),
            headers: call.headers.into(),
        };
        let mut log = self.log();
        let seen = log.of_conversation.entry(request.conversation.clone()).or_default();
        request.nth = *seen;
        *seen += 1;
        log.requests.push(request.clone());
        self.logged.notify_all();
        Ok((request, log.requests.len()))
    }
}

/// One request as it came, before anything is made of it.
struct HttpCall {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl HttpCall {
    fn read(from: &mut BufReader<&TcpStream>) -> io::Result<Self> {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = Vec::new();
        loop {
            line.clear();
            from.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut call = Self { method, path, headers, body: Vec::new() };
        let length = call.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        call.body.resize(length, 0);
        from.read_exact(&mut call.body)?;
        Ok(call)
    }

    fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// One request for a message. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Request {
    /// The CLI's session id: one conversation, also across `--resume`.
    pub conversation: String,
    /// How many requests of this conversation came before, failed ones and those of an earlier process counted.
    pub nth: usize,
    /// The body as sent.
    pub body: Arc<Value>,
    headers: Arc<[(String, String)]>,
}

/// One call of a tool in the history, with what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub name: String,
    pub input: Value,
    /// The text of the result; `None` while there is none.
    pub result: Option<String>,
    pub is_error: bool,
}

impl Request {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    pub fn model(&self) -> &str {
        self.body["model"].as_str().unwrap_or_default()
    }

    /// False for the CLI's second way, the whole message at once.
    pub fn streams(&self) -> bool {
        self.body["stream"] == true
    }

    /// The names of the tools offered.
    pub fn tools(&self) -> Vec<&str> {
        list(&self.body["tools"]).iter().filter_map(|tool| tool["name"].as_str()).collect()
    }

    /// The schema of the structured answer, if the CLI offers that tool.
    pub fn schema(&self) -> Option<&Value> {
        list(&self.body["tools"])
            .iter()
            .find(|tool| tool["name"] == "StructuredOutput")
            .map(|tool| &tool["input_schema"])
    }

    /// The system prompt.
    pub fn system(&self) -> String {
        texts(&self.body["system"]).join("\n")
    }

    /// What was asked of the model, in order: the prompts of this conversation without the reminders that the CLI adds.
    pub fn prompts(&self) -> Vec<&str> {
        let users = self.messages().filter(|message| message["role"] == "user");
        users
            .flat_map(|message| texts(&message["content"]))
            .filter(|text| !text.starts_with("<system-reminder>"))
            .collect()
    }

    /// Whether each of `words` occurs in the first prompt.
    pub fn asks(&self, words: &[&str]) -> bool {
        self.prompts().first().is_some_and(|prompt| words.iter().all(|word| prompt.contains(word)))
    }

    /// The tool calls of the conversation with their results.
    pub fn calls(&self) -> Vec<Call> {
        let blocks = || self.messages().flat_map(|message| list(&message["content"]));
        let results: HashMap<&str, &Value> =
            blocks().filter_map(|block| Some((block["tool_use_id"].as_str()?, block))).collect();
        let calls = blocks().filter(|block| block["type"] == "tool_use").map(|call| {
            let result = call["id"].as_str().and_then(|id| results.get(id));
            Call {
                name: call["name"].as_str().unwrap_or_default().to_owned(),
                input: call["input"].clone(),
                result: result.map(|result| without_reminder(&texts(&result["content"]).join("\n")).to_owned()),
                is_error: result.is_some_and(|result| result["is_error"] == true),
            }
        });
        calls.collect()
    }

    /// How many answers the model gave since the last prompt in which `text` occurs (`None`: since the beginning).
    pub fn turns_since(&self, text: Option<&str>) -> usize {
        let messages: Vec<&Value> = self.messages().collect();
        let opens = |message: &&Value| {
            message["role"] == "user"
                && text.is_some_and(|text| texts(&message["content"]).iter().any(|said| said.contains(text)))
        };
        let start = messages.iter().rposition(opens).unwrap_or(0);
        messages[start..].iter().filter(|message| is_answer(message)).count()
    }

    fn messages(&self) -> impl Iterator<Item = &Value> {
        list(&self.body["messages"]).iter()
    }
}

/// What the model said; not the line that the CLI puts in its mouth when it resumes an interrupted conversation.
fn is_answer(message: &Value) -> bool {
    message["role"] == "assistant" && texts(&message["content"]) != ["No response requested."]
}

/// 2.1.330 appends reminders to the results of tools.
fn without_reminder(text: &str) -> &str {
    text.split("\n\n<system-reminder>").next().unwrap_or(text)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The texts of a content, which is one text or a list of blocks.
fn texts(content: &Value) -> Vec<&str> {
    match content {
        Value::String(text) => vec![text],
        content => list(content).iter().filter_map(|block| block["text"].as_str()).collect(),
    }
}
