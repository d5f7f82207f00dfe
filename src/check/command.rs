//! One run of a check command, and what its end says.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::{junit, parts, zero};
use crate::fsx;
use crate::ids::Digest;
use crate::lifecycle::event::{CheckResult, Evidence, Issue, Verdict};
use crate::lifecycle::report::Severity;
use crate::process::{
    Activity, CommandSpec, EndedBy, Exit, Finished, Limits, Output, SpawnError, Stdin, Stop, Supervisor, Watcher,
};
use crate::redact::Redactor;

/// How much of the end of the output is kept for issues and patterns.
const TAIL: usize = 256 * 1024;
/// From INT to KILL.
const GRACE: Duration = Duration::from_secs(3);
/// The shell's word for "no such command" and "not executable".
const NOT_RUN: [i32; 2] = [126, 127];
/// How a shell reports that its child was killed (by the out-of-memory killer, as a rule).
const KILLED: i32 = 128 + 9;

/// A check to be run once.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// Its name.
    pub name: Arc<str>,
    /// The command line, for `sh -c`.
    pub command: String,
    /// Where.
    pub dir: PathBuf,
    /// The JUnit file that it writes, absolute.
    pub junit: Option<PathBuf>,
    /// The work environment.
    pub env: Arc<[(OsString, OsString)]>,
    /// What comes on top of it.
    pub extra_env: Vec<(OsString, OsString)>,
    /// How long it may take.
    pub timeout: Duration,
    /// Where its output goes.
    pub log: PathBuf,
    /// The attempt's mark.
    pub attempt: Arc<str>,
    /// The tree that it runs on.
    pub tree: Option<String>,
    /// What must not be told of its output.
    pub redactor: Arc<Redactor>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ran {
    /// A verdict.
    Checked(CheckResult),
    /// cco stopped it.
    Interrupted,
}

/// Runs a check and judges its end. Never fails in itself: what cannot be run is UNAVAILABLE.
pub async fn run(supervisor: &Supervisor, check: CheckRun, stop: watch::Receiver<Stop>) -> Ran {
    // A report of an earlier run must not speak for this one.
    if let Some(report) = &check.junit {
        match fs_err::remove_file(report) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Ran::Checked(unavailable(&check, format!("cannot clear its report: {error}"))),
        }
    }
    let limits = Limits { first_output: None, silence: None, wall: Some(check.timeout), linger: None, grace: GRACE };
    let spec = CommandSpec {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), (&check.command).into()],
        dir: check.dir.clone(),
        env: check.env.clone(),
        extra_env: check.extra_env.clone(),
        stdin: Stdin::Null,
        output: Output { path: check.log.clone(), both: true },
        attempt: check.attempt.clone(),
    };
    let mut listener = Listener::default();
    match supervisor.run(&spec, &limits, stop, &mut listener).await {
        Ok(finished) if finished.ended_by == EndedBy::Stopped => Ran::Interrupted,
        Ok(finished) => Ran::Checked(judge(&check, &finished, listener)),
        Err(SpawnError::Stopped) => Ran::Interrupted,
        Err(error) => Ran::Checked(unavailable(&check, format!("cannot be started: {error}"))),
    }
}

/// Digests the whole output and keeps its end.
#[derive(Default)]
struct Listener {
    hash: Sha256,
    tail: Vec<u8>,
}

impl Watcher for Listener {
    fn bytes(&mut self, chunk: &[u8]) {
        self.hash.update(chunk);
        self.tail.extend_from_slice(chunk);
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
    }

    fn state(&self) -> Activity {
        Activity::Quiet
    }
}

fn judge(check: &CheckRun, finished: &Finished, listener: Listener) -> CheckResult {
    let output = String::from_utf8_lossy(&listener.tail).into_owned();
    let exit = match finished.exit {
        Exit::Code(code) => Some(code),
        Exit::Signal(_) | Exit::Unknown => None,
    };
    let report = check.junit.as_deref().map(junit::read);
    let (verdict, note) = verdict(check, finished, exit, &output, report.as_ref());
    let issues = match verdict {
        Verdict::Pass => Vec::new(),
        // Before anything is cut out of it: half a secret could not be told any more.
        Verdict::Fail => failures(check, exit, &check.redactor.text(&output), report.and_then(Result::ok)),
        Verdict::Unavailable => vec![issue(check, "", note.clone().unwrap_or_default())],
    };
    let ms = u64::try_from(finished.wall.as_millis()).unwrap_or(u64::MAX);
    let digest = Digest::from_sha256(listener.hash);
    CheckResult { check: check.name.clone(), verdict, evidence: evidence(check, exit, digest, ms), issues, note }
}

fn verdict(
    check: &CheckRun,
    finished: &Finished,
    exit: Option<i32>,
    output: &str,
    report: Option<&Result<junit::Report, String>>,
) -> (Verdict, Option<String>) {
    let unavailable = |why: String| (Verdict::Unavailable, Some(why));
    if finished.ended_by != EndedBy::Itself {
        return unavailable(format!("did not end within {} s", check.timeout.as_secs()));
    }
    match exit {
        None | Some(KILLED) => unavailable("was killed from outside".to_owned()),
        Some(code) if NOT_RUN.contains(&code) => {
            unavailable(format!("its command was not found or is not executable (exit {code})"))
        }
        Some(0) => match report {
            Some(Err(why)) => unavailable(format!("passed, but its report cannot be read: {why}")),
            Some(Ok(report)) if report.tests == 0 => unavailable("its report says that no test ran".to_owned()),
            Some(Ok(_)) => (Verdict::Pass, None),
            None if zero::ran_no_test(output) => unavailable("passed without running a test".to_owned()),
            None => (Verdict::Pass, None),
        },
        Some(code) if zero::ran_no_test(output) && code == zero::PYTEST_NO_TESTS => {
            unavailable("ran no test".to_owned())
        }
        // A command whose output cannot be written fails for no fault of the code.
        Some(_) if fsx::is_full(&check.log) => {
            unavailable(format!("failed, with no room left on the disk of `{}`", check.log.display()))
        }
        Some(_) => (Verdict::Fail, None),
    }
}

/// The failing parts where they can be told apart, else one issue for the command.
fn failures(check: &CheckRun, exit: Option<i32>, output: &str, report: Option<junit::Report>) -> Vec<Issue> {
    let named = match report {
        Some(report) if !report.failed.is_empty() => report.failed,
        Some(_) | None => parts::failing(output),
    };
    let tail = parts::last_lines(output);
    let status = exit.map_or_else(|| "no exit status".to_owned(), |code| format!("exit {code}"));
    if named.is_empty() {
        return vec![issue(check, "", format!("`{}` failed ({status})\n{tail}", check.command))];
    }
    let mut issues: Vec<Issue> = named.iter().map(|part| issue(check, part, format!("`{part}` fails"))).collect();
    if let Some(first) = issues.first_mut() {
        first.text.push_str(&format!(" ({status}); the end of the output:\n{tail}"));
    }
    issues
}

/// The result of a check that could not be made, for this reason.
pub fn unavailable(check: &CheckRun, why: String) -> CheckResult {
    CheckResult {
        check: check.name.clone(),
        verdict: Verdict::Unavailable,
        evidence: evidence(check, None, Digest::of(b""), 0),
        issues: vec![issue(check, "", why.clone())],
        note: Some(why),
    }
}

fn evidence(check: &CheckRun, exit: Option<i32>, output: Digest, ms: u64) -> Evidence {
    let argv = vec!["/bin/sh".to_owned(), "-c".to_owned(), check.command.clone()];
    Evidence { argv, tree: check.tree.clone(), exit, output, ms }
}

fn issue(check: &CheckRun, part: &str, text: String) -> Issue {
    let source = format!("check:{}", check.name);
    let fingerprint = Digest::of_parts(&[source.as_bytes(), part.as_bytes()]);
    Issue { severity: Severity::Major, source, file: None, line: None, text, suggested_fix: None, fingerprint }
}
