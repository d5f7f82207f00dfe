//! The only place that writes to the terminal: stdout is the answer, stderr is the conversation.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use serde::Serialize;

use super::args::{Color, Format};
use super::error::{CliError, ExitStatus, StdoutClosed};
use crate::text::terminal_safe;

/// The version of the JSON documents on stdout. Fields may be added within a version, never changed or taken away.
pub const DOCUMENT_VERSION: u32 = 1;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Talk {
    /// Warnings and errors.
    Quiet,
    /// Notes too.
    Normal,
    /// Details too.
    Verbose,
}

/// Writes for the user. Shared by everything that has something to say; each call is written whole.
pub struct Printer {
    stdout: Mutex<Box<dyn Write + Send>>,
    stderr: Mutex<Box<dyn Write + Send>>,
    format: Format,
    talk: Talk,
    /// Whether stderr shows colours.
    colors: bool,
}

impl Printer {
    /// A printer on the process's own streams.
    pub fn new(format: Format, talk: Talk, color: Color) -> Self {
        let color = match color {
            // anstream asks the streams and NO_COLOR.
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        let stdout = AutoStream::new(io::stdout(), color);
        let stderr = AutoStream::new(io::stderr(), color);
        let colors = stderr.current_choice() != anstream::ColorChoice::Never;
        Self { colors, ..Self::with_writers(Box::new(stdout), Box::new(stderr), format, talk) }
    }

    /// A printer on any two writers.
    pub fn with_writers(
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        format: Format,
        talk: Talk,
    ) -> Self {
        Self { stdout: Mutex::new(stdout), stderr: Mutex::new(stderr), format, talk, colors: false }
    }

    /// The form of the answer that the user wants.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How much the user wants to hear.
    pub fn talk(&self) -> Talk {
        self.talk
    }

    /// Whether what is drawn on stderr may have colours.
    pub fn colors_stderr(&self) -> bool {
        self.colors
    }

    /// Writes `text` to stdout as it is.
    ///
    /// # Errors
    /// A reader that has gone away is [`StdoutClosed`], which ends the program with success.
    pub fn answer(&self, text: &str) -> Result<(), CliError> {
        written(&mut *lock(&self.stdout), text.as_bytes())
    }

    /// Writes `bytes` to the process's stdout, untouched: [`Printer::answer`] takes colours out where none are wanted.
    ///
    /// # Errors
    /// As [`Printer::answer`].
    pub fn raw(&self, bytes: &[u8]) -> Result<(), CliError> {
        written(&mut io::stdout(), bytes)
    }

    /// Writes `body` to stdout as one versioned JSON document: `{"version":1, ...}`.
    ///
    /// # Errors
    /// As [`Printer::answer`].
    pub fn document<T: Serialize>(&self, body: &T) -> Result<(), CliError> {
        let document = Document { version: DOCUMENT_VERSION, body };
        let mut text = serde_json::to_string_pretty(&document).context("cannot write the answer as JSON")?;
        text.push('\n');
        self.answer(&text)
    }

    /// Says something that is nice to know.
    pub fn note(&self, text: impl AsRef<str>) {
        if self.talk >= Talk::Normal {
            self.say(text.as_ref());
        }
    }

    /// Says what can be done next.
    pub fn help(&self, text: impl AsRef<str>) {
        self.note(format!("{NOTE}help{NOTE:#}: {}", text.as_ref()));
    }

    /// Says what happened in more detail than most want.
    pub fn detail(&self, text: impl AsRef<str>) {
        if self.talk >= Talk::Verbose {
            self.say(text.as_ref());
        }
    }

    /// Warns. Control characters of what is quoted do not reach the terminal.
    pub fn warning(&self, text: impl AsRef<str>) {
        self.say(&format!("{WARNING}warning{WARNING:#}: {}", terminal_safe(text.as_ref())));
    }

    /// Tells why the command failed and what can be done. Control characters of what is quoted do not reach the terminal.
    pub fn error(&self, error: &CliError) {
        let (mut text, mut remedies, mut told) = (String::new(), Vec::new(), String::new());
        for said in error.error.chain().map(ToString::to_string) {
            // Many an error says its cause itself.
            if told.contains(&said) {
                continue;
            }
            // The rooms' errors bring what can be done on lines of their own.
            let mut lines = said.split("\nhelp: ");
            let what = terminal_safe(lines.next().unwrap_or_default());
            remedies.extend(lines.map(str::to_owned));
            text.push_str(&if text.is_empty() {
                format!("{ERROR}error{ERROR:#}: {what}")
            } else {
                format!("\n  {NOTE}cause{NOTE:#}: {what}")
            });
            told.push_str(&said);
        }
        for remedy in remedies.iter().chain(&error.hints) {
            text.push_str(&format!("\n  {NOTE}help{NOTE:#}: {}", terminal_safe(remedy)));
        }
        self.say(&text);
    }

    /// Writes `text` and a newline to stderr. Nothing can be done where that fails, and nothing depends on it.
    pub fn say(&self, text: &str) {
        let mut stderr = lock(&self.stderr);
        let _ = writeln!(stderr, "{text}").and_then(|()| stderr.flush());
    }
}

/// Writes the whole answer, or says why that was not possible.
fn written(stdout: &mut dyn Write, bytes: &[u8]) -> Result<(), CliError> {
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(CliError::new(ExitStatus::Done, StdoutClosed)),
        Err(error) => Err(CliError::environment(anyhow::Error::new(error).context("cannot write to stdout"))),
    }
}

/// A JSON document on stdout.
#[derive(Serialize)]
struct Document<'a, T> {
    version: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// A writer is as good after a panic elsewhere as before: each call writes whole texts.
fn lock(writer: &Mutex<Box<dyn Write + Send>>) -> MutexGuard<'_, Box<dyn Write + Send>> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which of the process's streams are terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terminals {
    /// Whether questions can be asked.
    pub stdin: bool,
    /// Whether the answer is read by a person.
    pub stdout: bool,
    /// Whether a live picture can be drawn.
    pub stderr: bool,
}

impl Terminals {
    /// Looks at the process's own streams.
    pub fn detect() -> Self {
        Self {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
        }
    }
}

/// Sends the program's own trace to stderr: warnings, and more with each `-v`; `filter` overrides that.
pub fn start_tracing(verbosity: u8, filter: Option<&str>, colors: bool) {
    let level = match verbosity {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(filter.unwrap_or(level));
    // A second subscriber is refused; the first goes on.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colors)
        .log_internal_errors(false)
        .without_time()
        .try_init();
}
