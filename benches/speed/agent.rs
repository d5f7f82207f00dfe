//! Programs in place of claude that do nothing, tell of it, or do nothing for ever: static, so that starting one costs little.

use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCE: &str = r##"
use std::io::Write as _;

const INIT: &str = r#"{"type":"system","subtype":"init","session_id":"0","model":"none","tools":["StructuredOutput"]}"#;
const RESULT: &str = concat!(
    r#"{"type":"result","subtype":"success","is_error":false,"num_turns":1,"total_cost_usd":0.0,"session_id":"0","#,
    r#""structured_output":{"status":"nothing_to_do","summary":""}}"#
);

const TELLING: &str = r#"{"status":"nothing_to_do","summary":"Wrote it.","decisions":["It is written."]}"#;
const SILENT: &str = r#"{"status":"nothing_to_do","summary":""}"#;

fn main() {
    let mut words = std::env::args();
    let name = words.next().unwrap_or_default();
    let waits = name.ends_with("waiting-agent");
    let text = match words.next().as_deref() {
        Some("--version") => "2.1.330 (Claude Code)\n".to_owned(),
        Some("auth") => "{\"loggedIn\":true,\"authMethod\":\"api_key\"}\n".to_owned(),
        _ if waits => format!("{INIT}\n"),
        _ if name.ends_with("telling-agent") => format!("{INIT}\n{}\n", RESULT.replace(SILENT, TELLING)),
        _ => format!("{INIT}\n{RESULT}\n"),
    };
    std::io::stdout().write_all(text.as_bytes()).expect("somebody reads");
    while waits && text.starts_with(INIT) {
        std::thread::park();
    }
}
"##;

/// The programs.
pub struct Agents {
    /// Answers at once.
    pub no_op: PathBuf,
    /// As that one, with something to tell the others: a context file for each component.
    pub telling: PathBuf,
    /// Begins and never ends.
    pub waiting: PathBuf,
}

impl Agents {
    /// Compiles them.
    pub fn build(dir: &Path) -> Self {
        let (source, no_op) = (dir.join("agent.rs"), dir.join("no-op-agent"));
        let (telling, waiting) = (dir.join("telling-agent"), dir.join("waiting-agent"));
        std::fs::write(&source, SOURCE).unwrap();
        let options = ["-Ctarget-feature=+crt-static", "-Copt-level=2", "-Cpanic=abort", "-Cstrip=symbols"];
        let built = Command::new("rustc").args(options).arg(&source).arg("-o").arg(&no_op).status().unwrap();
        assert!(built.success(), "rustc made no agent");
        for copy in [&telling, &waiting] {
            std::fs::copy(&no_op, copy).unwrap();
        }
        Self { no_op, telling, waiting }
    }
}
