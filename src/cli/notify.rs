//! The command that is told about escalations and the end of a run, with the event as JSON on its stdin.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use jiff::Timestamp;
use serde::Serialize;

use super::App;
use super::opened::Opened;
use crate::lifecycle::event::{Event, Record};
use crate::lifecycle::observer::{Live, Observer};
use crate::lifecycle::state::RunState;

/// Starts the user's command for each event worth waking somebody. What goes wrong with it is a warning.
pub struct Notifier {
    command: String,
    spec: String,
    vars: Vec<(OsString, OsString)>,
    running: Vec<JoinHandle<()>>,
}

/// What the command reads.
#[derive(Serialize)]
struct Notice<'a> {
    version: u32,
    spec: &'a str,
    at: Timestamp,
    event: &'a Event,
}

impl Notifier {
    /// A notifier for a run of a spec.
    pub fn new(command: String, app: &App, opened: &Opened) -> Self {
        let vars = app.environment.vars.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { command, spec: opened.reference.clone(), vars, running: Vec::new() }
    }

    /// On a thread of its own, so that neither a slow command holds up the run nor the loop's thread gets a child.
    fn tell(&mut self, text: Vec<u8>) {
        let (command, vars) = (self.command.clone(), self.vars.clone());
        self.running.push(std::thread::spawn(move || {
            if let Err(error) = run(&command, vars, &text) {
                tracing::warn!("the notify command `{command}`: {error}");
            }
        }));
    }
}

#[expect(clippy::disallowed_methods, reason = "the user's own command, which is no part of the run")]
fn run(command: &str, vars: Vec<(OsString, OsString)>, text: &[u8]) -> std::io::Result<()> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).env_clear().envs(vars).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = shell.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read is no error.
        let _ = stdin.write_all(text);
    }
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(std::io::Error::other(status.to_string())) }
}

impl Observer for Notifier {
    fn on_record(&mut self, _: &RunState, record: &Record) {
        for event in &record.events {
            if matches!(event, Event::Escalated(_) | Event::RunEnded { .. }) {
                let notice = Notice { version: 1, spec: &self.spec, at: record.at, event };
                match serde_json::to_vec(&notice) {
                    Ok(text) => self.tell(text),
                    Err(error) => tracing::warn!("cannot notify: {error}"),
                }
            }
        }
    }

    fn on_live(&mut self, _: &Live, _: Timestamp) {}

    fn on_tick(&mut self, _: Timestamp) {}

    /// The last notice is delivered before the program ends.
    fn finish(&mut self, _: &RunState) {
        self.running.drain(..).for_each(|thread| drop(thread.join()));
    }
}
