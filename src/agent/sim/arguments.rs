//! The command line of `claude` as far as `cco` and its users pass it, with the refusals of the real one.

use std::ffi::OsString;
use std::path::PathBuf;

use serde_json::Value;

/// What is asked for.
#[derive(Debug)]
pub enum Invocation {
    /// `--version`.
    Version,
    /// `auth status`.
    AuthStatus(Option<PathBuf>),
    /// `-p`: one answer to one prompt.
    Print(Box<Print>),
}

/// The options of one answer.
#[derive(Debug, Default)]
pub struct Print {
    /// Our own option: what to do.
    pub scenario: Option<PathBuf>,
    /// What is written.
    pub format: Format,
    /// Whether the parts of a message are written as they come.
    pub partial: bool,
    /// The conversation's id, where the caller names it.
    pub session_id: Option<String>,
    /// The conversation to continue.
    pub resume: Option<String>,
    /// The schema of the structured output.
    pub schema: Option<Value>,
    /// The model.
    pub model: Option<String>,
    /// The permission mode.
    pub permission_mode: Option<String>,
    /// The tools, where they are named.
    pub tools: Option<Vec<String>>,
    /// The turn limit.
    pub max_turns: Option<u32>,
    /// The budget as it was written.
    pub max_budget: Option<String>,
    /// The prompt's part from the command line.
    pub prompt: Option<String>,
}

/// `--output-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The final text.
    #[default]
    Text,
    /// The result event.
    Json,
    /// All events, a line each.
    StreamJson,
}

/// Options without a value.
const FLAGS: &[&str] = &[
    "-p",
    "--print",
    "--verbose",
    "--strict-mcp-config",
    "--include-partial-messages",
    "--disable-slash-commands",
    "--no-session-persistence",
    "--fork-session",
    "--bare",
    "--safe-mode",
    "--dangerously-skip-permissions",
];

/// Options with one value.
const VALUES: &[&str] = &[
    "--scenario",
    "--output-format",
    "--input-format",
    "--model",
    "--fallback-model",
    "--effort",
    "--session-id",
    "--resume",
    "-r",
    "--json-schema",
    "--permission-mode",
    "--setting-sources",
    "--settings",
    "--system-prompt",
    "--system-prompt-file",
    "--append-system-prompt",
    "--append-system-prompt-file",
    "--max-turns",
    "--max-budget-usd",
];

/// Options that take all words up to the next option.
const LISTS: &[&str] = &[
    "--tools",
    "--allowedTools",
    "--allowed-tools",
    "--disallowedTools",
    "--disallowed-tools",
    "--add-dir",
    "--mcp-config",
    "--betas",
];

const PERMISSION_MODES: &[&str] = &["acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "manual", "plan"];

/// Reads the command line; the error is the line that the real CLI writes to stderr before it exits with 1.
pub fn parse(args: &[OsString]) -> Result<Invocation, String> {
    let mut seen = Seen::default();
    let mut words = args.iter().map(|word| word.to_string_lossy().into_owned()).peekable();
    let mut positional = Vec::new();
    while let Some(word) = words.next() {
        if word == "--" {
            positional.extend(words.by_ref());
            break;
        }
        if matches!(word.as_str(), "--version" | "-v") {
            return Ok(Invocation::Version);
        }
        if !word.starts_with('-') || word == "-" {
            positional.push(word);
            continue;
        }
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        if FLAGS.contains(&name.as_str()) {
            seen.flags.push(name);
        } else if VALUES.contains(&name.as_str()) {
            let missing = || format!("error: option '{name}' argument missing");
            let value = inline.or_else(|| words.next()).ok_or_else(missing)?;
            seen.take(&name, value)?;
        } else if LISTS.contains(&name.as_str()) {
            let mut list: Vec<String> = inline.into_iter().collect();
            while let Some(more) = words.next_if(|word| !word.starts_with('-')) {
                list.push(more);
            }
            if name == "--tools" {
                seen.print.tools = Some(split_list(&list));
            }
        } else {
            return Err(format!("error: unknown option '{name}'"));
        }
    }
    if positional == ["auth", "status"] {
        return Ok(Invocation::AuthStatus(seen.print.scenario));
    }
    seen.print.prompt = (!positional.is_empty()).then(|| positional.join(" "));
    seen.finish().map(|print| Invocation::Print(Box::new(print)))
}

/// What was read so far.
#[derive(Default)]
struct Seen {
    print: Print,
    flags: Vec<String>,
}

impl Seen {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|seen| seen == flag)
    }

    /// Stores the value of an option; options that change nothing here are only checked.
    fn take(&mut self, name: &str, value: String) -> Result<(), String> {
        let print = &mut self.print;
        match name {
            "--scenario" => print.scenario = Some(value.into()),
            "--output-format" => {
                print.format = match value.as_str() {
                    "text" => Format::Text,
                    "json" => Format::Json,
                    "stream-json" => Format::StreamJson,
                    _ => return Err(bad_choice("--output-format <format>", &value, &["text", "json", "stream-json"])),
                }
            }
            "--session-id" => print.session_id = Some(value),
            "--resume" | "-r" => print.resume = Some(value),
            "--json-schema" => print.schema = Some(super::schema::parse(&value)?),
            "--model" => print.model = Some(value),
            "--permission-mode" if !PERMISSION_MODES.contains(&value.as_str()) => {
                return Err(bad_choice("--permission-mode <mode>", &value, PERMISSION_MODES));
            }
            "--permission-mode" => print.permission_mode = Some(value),
            "--max-turns" => print.max_turns = value.parse().ok(),
            "--max-budget-usd" => print.max_budget = Some(value),
            "--append-system-prompt-file" if !PathBuf::from(&value).exists() => {
                return Err(format!("Error: Append system prompt file not found: {value}"));
            }
            "--system-prompt-file" if !PathBuf::from(&value).exists() => {
                return Err(format!("Error: System prompt file not found: {value}"));
            }
            "--settings" if serde_json::from_str::<Value>(&value).is_err() && !PathBuf::from(&value).exists() => {
                return Err(format!("Error: Settings file not found: {value}"));
            }
            _ => {}
        }
        Ok(())
    }

    /// The rules between options.
    fn finish(mut self) -> Result<Print, String> {
        if !self.has("-p") && !self.has("--print") {
            return Err("Error: the simulated agent only answers with -p/--print".to_owned());
        }
        let print = &self.print;
        if print.format == Format::StreamJson && !self.has("--verbose") {
            return Err("Error: When using --print, --output-format=stream-json requires --verbose".to_owned());
        }
        if print.session_id.as_deref().is_some_and(|id| uuid::Uuid::try_parse(id).is_err()) {
            return Err("Error: Invalid session ID. Must be a valid UUID.".to_owned());
        }
        if print.session_id.is_some() && print.resume.is_some() && !self.has("--fork-session") {
            return Err("Error: --session-id can only be used with --continue or --resume if --fork-session is also \
                        specified."
                .to_owned());
        }
        let bypass =
            self.has("--dangerously-skip-permissions") || print.permission_mode.as_deref() == Some("bypassPermissions");
        let sandbox = std::env::var_os("IS_SANDBOX").is_some_and(|value| value == "1");
        if bypass && !sandbox && rustix::process::geteuid().is_root() {
            return Err("--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons"
                .to_owned());
        }
        self.print.partial = self.has("--include-partial-messages");
        Ok(self.print)
    }
}

fn bad_choice(option: &str, value: &str, choices: &[&str]) -> String {
    format!("error: option '{option}' argument '{value}' is invalid. Allowed choices are {}.", choices.join(", "))
}

/// `A B`, `A,B` and separate words are the same list.
fn split_list(words: &[String]) -> Vec<String> {
    words.iter().flat_map(|word| word.split([',', ' '])).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
