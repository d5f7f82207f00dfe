//! The actions of a scenario: real files, real processes, and the events that tell of them.

use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use fs_err as fs;
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::json;

use super::scenario::{Action, Wait};
use super::stream::Stream;
use super::tool;
use super::wake::{Interrupt, Wake, Woken};

/// How often it is looked whether a file exists.
const FILE_TICK: Duration = Duration::from_millis(5);

/// Why the actions did not come to their end.
pub enum Stop {
    /// A signal, and the tool call that it interrupted.
    Signal(Interrupt, Option<String>),
    /// The output cannot be written, or a process not started.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where actions happen.
pub struct Stage<'a> {
    /// Tells of them.
    pub stream: &'a mut Stream,
    /// Ends waits.
    pub wake: &'a Wake,
    /// Where the scenario's files lie.
    pub files: &'a Path,
}

impl Stage<'_> {
    /// Does one action. What goes wrong in a tool is told to the model, as the real CLI does, and stops nothing.
    pub fn perform(&mut self, action: &Action) -> Result<(), Stop> {
        match action {
            Action::Write { path, text } => self.write(path, Ok(text.clone())),
            Action::Copy { from, to } => self.write(to, fs::read_to_string(self.files.join(from))),
            Action::Append { path, text } => self.append(path, text),
            Action::Delete { path } => self.delete(path),
            Action::Run { cmd } => return self.run(cmd),
            Action::Text(text) => self.stream.text(text),
            Action::Think(text) => self.stream.think(text),
            Action::Wait(wait) => return self.wait_for(wait),
            Action::LeaveChild { secs, clean_env } => tool::leave_behind(&["sleep", &secs.to_string()], *clean_env)?,
            Action::Garbage { lines } => (1..=*lines).for_each(|n| self.stream.raw(&format!("garbage {n}: {{\"not"))),
            Action::HugeLine { mb } => self.stream.text(&"x".repeat(mb << 20)),
            Action::SlowLines { lines, ms } => {
                for n in 1..=*lines {
                    self.pause(*ms)?;
                    self.stream.text(&format!("line {n}"));
                }
            }
            Action::RateLimitWarning { utilization, resets_in } => self.stream.rate_limit(json!({
                "status": "allowed_warning", "resetsAt": Timestamp::now().as_second() + resets_in,
                "rateLimitType": "five_hour", "utilization": utilization, "surpassedThreshold": 0.9,
                "overageStatus": "rejected", "overageDisabledReason": "org_level_disabled", "isUsingOverage": false,
            })),
        }
        Ok(())
    }

    /// Waits as long as it is said.
    pub fn wait_for(&mut self, wait: &Wait) -> Result<(), Stop> {
        match wait {
            Wait::Ms(ms) => self.pause(*ms),
            Wait::UntilFile(path) => {
                self.stream.flush()?;
                while !path.exists() {
                    self.wait(FILE_TICK)?;
                }
                Ok(())
            }
        }
    }

    /// Waits so many milliseconds at the pace that `CCO_SIM_PACE` sets.
    pub fn pause(&mut self, ms: u64) -> Result<(), Stop> {
        let pace = std::env::var("CCO_SIM_PACE").ok().and_then(|text| text.parse::<f64>().ok()).unwrap_or(1.0);
        self.stream.flush()?;
        self.wait(Duration::try_from_secs_f64(ms as f64 / 1000.0 * pace).unwrap_or_default())
    }

    /// Waits for ever, which only a signal ends.
    pub fn hang(&mut self) -> Stop {
        loop {
            if let Woken::Interrupted(which) = self.wake.forever() {
                return Stop::Signal(which, None);
            }
        }
    }

    fn wait(&self, time: Duration) -> Result<(), Stop> {
        match self.wake.within(time) {
            Some(Woken::Interrupted(which)) => Err(Stop::Signal(which, None)),
            Some(Woken::ToolEnded(_)) | None => Ok(()),
        }
    }

    fn write(&mut self, path: &Path, content: io::Result<String>) {
        let target = absolute(path);
        let text = content.as_deref().unwrap_or_default();
        let call = self.stream.tool_use("Write", &json!({"file_path": target, "content": text}));
        let written = content.and_then(|text| {
            target.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(&target, &text).map(|()| text)
        });
        match written {
            Ok(text) => {
                let told = format!("File created successfully at: {}", target.display());
                let kind = json!({
                    "type": "create", "filePath": target, "content": text, "structuredPatch": [],
                    "originalFile": null,
                });
                self.stream.tool_result(&call, &told, false, kind);
            }
            Err(error) => self.failed(&call, &error.to_string()),
        }
    }

    fn append(&mut self, path: &Path, text: &str) {
        let target = absolute(path);
        let input = json!({"file_path": target, "old_string": "", "new_string": text});
        let call = self.stream.tool_use("Edit", &input);
        let appended = fs::read_to_string(&target).and_then(|old| fs::write(&target, old + text));
        match appended {
            Ok(()) => {
                let told = format!("The file {} has been updated successfully.", target.display());
                self.stream.tool_result(&call, &told, false, json!({"filePath": target, "newString": text}));
            }
            Err(error) => self.failed(&call, &error.to_string()),
        }
    }

    fn delete(&mut self, path: &Path) {
        let call = self.bash_call(&format!("rm -f {}", path.display()));
        match fs::remove_file(absolute(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.failed(&call, &error.to_string()),
            Ok(()) | Err(_) => self.bash_result(&call, Some(0), ""),
        }
    }

    fn run(&mut self, cmd: &str) -> Result<(), Stop> {
        let call = self.bash_call(cmd);
        self.stream.flush()?;
        // A file, not a pipe: what the command leaves in the background must not keep the tool call open.
        let mut output = tempfile::tempfile()?;
        let mut child = tool::in_own_session("bash")?
            .args(["-c", cmd])
            .env("CLAUDECODE", "1")
            .env("CLAUDE_CODE_SESSION_ID", self.stream.session())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output.try_clone()?)
            .spawn()?;
        let pid = Pid::from_child(&child);
        let ended = self.wake.sender();
        thread::spawn(move || ended.send(Woken::ToolEnded(child.wait().map(|status| status.code()))));
        match self.wake.forever() {
            Woken::Interrupted(which) => {
                // The session may not be open yet, so both; that it is gone already is no error.
                let _ = (kill_process_group(pid, Signal::KILL), kill_process(pid, Signal::KILL));
                return Err(Stop::Signal(which, Some(call)));
            }
            Woken::ToolEnded(status) => {
                let (status, mut text) = (status?, Vec::new());
                output.rewind()?;
                output.read_to_end(&mut text)?;
                self.bash_result(&call, status, String::from_utf8_lossy(&text).trim_end());
            }
        }
        Ok(())
    }

    fn bash_call(&mut self, cmd: &str) -> String {
        self.stream.tool_use("Bash", &json!({"command": cmd, "description": "simulated"}))
    }

    fn bash_result(&mut self, call: &str, status: Option<i32>, output: &str) {
        match status {
            Some(0) => {
                let kind = json!({"stdout": output, "stderr": "", "interrupted": false, "isImage": false});
                self.stream.tool_result(call, output, false, kind);
            }
            other => self.failed(call, format!("Exit code {}\n{output}", other.unwrap_or(137)).trim_end()),
        }
    }

    fn failed(&mut self, call: &str, why: &str) {
        self.stream.tool_result(call, why, true, json!(format!("Error: {why}")));
    }
}

/// The real tools name files by absolute path.
fn absolute(path: &Path) -> PathBuf {
    std::env::current_dir().unwrap_or_default().join(path)
}
