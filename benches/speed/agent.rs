//! Programs in place of claude that do nothing, tell of it, write a file, or do nothing for ever, and one in place of git:
//! static, so that starting one costs little.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::replay;

const SOURCE: &str = r##"
use std::io::{Read as _, Write as _};

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
    if name == "git" {
        std::process::exit(git());
    }
    let waits = name.ends_with("waiting-agent");
    let text = match words.next().as_deref() {
        Some("--version") => "2.1.330 (Claude Code)\n".to_owned(),
        Some("auth") => "{\"loggedIn\":true,\"authMethod\":\"api_key\"}\n".to_owned(),
        _ if waits => format!("{INIT}\n"),
        _ if name.ends_with("writing-agent") => write_file(),
        _ if name.ends_with("telling-agent") => format!("{INIT}\n{}\n", RESULT.replace(SILENT, TELLING)),
        _ => format!("{INIT}\n{RESULT}\n"),
    };
    std::io::stdout().write_all(text.as_bytes()).expect("somebody reads");
    while waits && text.starts_with(INIT) {
        std::thread::park();
    }
}

/// Writes the file of the component whose worktree this is.
fn write_file() -> String {
    note("agent", &[], &[], b"");
    let dir = std::env::current_dir().expect("there is one");
    let name = dir.file_name().expect("it has a name").to_string_lossy().into_owned();
    std::fs::create_dir_all("out").expect("it can be made");
    std::fs::write(format!("out/{name}.txt"), format!("made by {name}\n")).expect("it can be written");
    let done = r#"{"status":"done","summary":"Wrote it."}"#;
    format!("{INIT}\n{}\n", RESULT.replace(SILENT, done))
}

/// Writes a call down and lets the git that comes next do it, with fixed dates.
fn git() -> i32 {
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input).expect("it can be read");
    let args: Vec<String> = std::env::args().skip(1).collect();
    let env: Vec<String> = std::env::vars().filter(|(name, _)| name.starts_with("GIT_")).map(|(name, value)| format!("{name}={value}")).collect();
    note("git", &env, &args, &input);
    let here = std::env::current_exe().expect("it is known");
    let path = std::env::var("PATH").expect("there is one");
    let mut next = path.split(':').map(|dir| std::path::Path::new(dir).join("git")).filter(|git| git.is_file());
    let real = next.find(|git| git.canonicalize().ok() != here.canonicalize().ok()).expect("there is a git");
    let mut command = std::process::Command::new(real);
    command.args(&args).env("GIT_AUTHOR_DATE", DATE).env("GIT_COMMITTER_DATE", DATE).stdin(std::process::Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // It need not read all of it.
    let _ = child.stdin.take().expect("it is a pipe").write_all(&input);
    child.wait().expect("it ends").code().unwrap_or(128)
}

/// Adds a call to what is written down beside this program, if anything is.
fn note(program: &str, env: &[String], args: &[String], input: &[u8]) {
    let log = std::env::current_exe().expect("it is known").with_file_name("calls");
    let Ok(mut log) = std::fs::OpenOptions::new().append(true).open(log) else { return };
    let dir = std::env::current_dir().expect("there is one");
    let mut text = format!("{BEGIN}{program}\0{}\0", dir.display());
    for list in [env, args] {
        text.push_str(&format!("{}\0", list.len()));
        list.iter().for_each(|word| text.push_str(&format!("{word}\0")));
    }
    log.write_all(&[text.as_bytes(), input].concat()).expect("it can be written");
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
    /// Writes its component's file.
    pub writing: PathBuf,
    /// The directory of a program in place of git that writes down what it is asked in [`Agents::calls`].
    pub noting_git: PathBuf,
    /// Where calls are written down, if that file is there.
    pub calls: PathBuf,
}

impl Agents {
    /// Compiles them.
    pub fn build(dir: &Path) -> Self {
        let (source, no_op) = (dir.join("agent.rs"), dir.join("no-op-agent"));
        let (telling, waiting) = (dir.join("telling-agent"), dir.join("waiting-agent"));
        let writing = dir.join("writing-agent");
        let more = format!("const BEGIN: &str = {:?};\nconst DATE: &str = {:?};\n", replay::BEGIN, replay::DATE);
        std::fs::write(&source, SOURCE.to_owned() + &more).unwrap();
        let options = ["-Ctarget-feature=+crt-static", "-Copt-level=2", "-Cpanic=abort", "-Cstrip=symbols"];
        let built = Command::new("rustc").args(options).arg(&source).arg("-o").arg(&no_op).status().unwrap();
        assert!(built.success(), "rustc made no agent");
        let noting_git = dir.join("noting");
        std::fs::create_dir(&noting_git).unwrap();
        for copy in [&telling, &waiting, &writing, &noting_git.join("git"), &noting_git.join("writing-agent")] {
            std::fs::copy(&no_op, copy).unwrap();
        }
        let calls = noting_git.join("calls");
        Self { no_op, telling, waiting, writing, noting_git, calls }
    }
}
