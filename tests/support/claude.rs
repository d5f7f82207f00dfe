//! The real `claude`: pinned versions from npm, kept in `target/claude/<version>/claude`, fetched on first use.
//!
//! ```ignore
//! for version in Version::ALL {
//!     let Some(program) = claude(version) else { return };
//!     let answer = ask(&program, api.env(), dir.path(), &["--model", "claude-sonnet-4-5"], "Say hello.");
//! }
//! ```
//!
//! A machine that cannot fetch them skips these tests: each prints a line `SKIPPED: <test>: <why>` past the harness's
//! capture. With `CCO_REQUIRE_E2E` set (continuous integration sets it) the same is a failure.

use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::OnceLock;
use std::{env, fmt, io, thread};

use serde_json::Value;

const PACKAGE: &str = "@anthropic-ai/claude-code";

/// The two versions that `cco` is tested with; users have either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 2.1.197
    Old,
    /// 2.1.330
    New,
}

impl Version {
    pub const ALL: [Self; 2] = [Self::Old, Self::New];
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Old => "2.1.197",
            Self::New => "2.1.330",
        })
    }
}

/// The executable of `version`, installed if need be; `None` (with the reason printed) when it cannot be had, which is
/// a failure where `CCO_REQUIRE_E2E` is set.
pub fn claude(version: Version) -> Option<PathBuf> {
    // One try a process: a machine without a network shall not pay npm's timeouts once a test.
    static TRIED: [OnceLock<Result<PathBuf, String>>; 2] = [OnceLock::new(), OnceLock::new()];
    match TRIED[version as usize].get_or_init(|| installed(version)) {
        Ok(program) => Some(program.clone()),
        Err(why) => {
            assert!(env::var_os("CCO_REQUIRE_E2E").is_none(), "the real claude {version} is required: {why}");
            let test = thread::current().name().unwrap_or("?").to_owned();
            writeln!(io::stderr(), "SKIPPED: {test}: claude {version}: {why}").expect("stderr is open");
            None
        }
    }
}

/// `target/`, wherever cargo keeps it.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's tmp is below target")
}

fn installed(version: Version) -> Result<PathBuf, String> {
    let root = target().join("claude");
    let home = root.join(version.to_string());
    let program = home.join("claude");
    fs::create_dir_all(&home).map_err(|e| format!("cannot create `{}`: {e}", home.display()))?;
    // Test processes may come here at the same time; the first one fetches, the others wait. The rename at the end of
    // `fetch` is what makes the program appear, so that an install that was cut short does not count.
    let lock = File::create(root.join(format!("{version}.lock"))).map_err(|e| e.to_string())?;
    lock.lock().map_err(|e| format!("cannot lock: {e}"))?;
    if !program.exists() {
        fetch(version, &root, &program)?;
    }
    Ok(program)
}

/// npm picks the package with the binary of this system among the optional dependencies. The binary needs neither node
/// nor the rest of the package, so only it is kept.
fn fetch(version: Version, root: &Path, program: &Path) -> Result<(), String> {
    let staging = tempfile::tempdir_in(root).map_err(|e| e.to_string())?;
    let npm = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--no-package-lock"])
        .args(["--prefer-offline", "--loglevel=error", "--include=optional"])
        // npm's own patience is a minute a package on a machine without a network.
        .args(["--fetch-retries=3", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000", "--prefix"])
        .arg(staging.path())
        .arg(format!("{PACKAGE}@{version}"))
        .output()
        .map_err(|e| format!("cannot run `npm`: {e}; install Node.js 18 or later with npm (package `npm`)"))?;
    if !npm.status.success() {
        // The first lines name the fault, the rest is a trace of npm's.
        let said: Vec<_> = String::from_utf8_lossy(&npm.stderr).lines().take(4).map(str::to_owned).collect();
        return Err(format!("`npm install {PACKAGE}@{version}` failed ({}): {}", npm.status, said.join("; ")));
    }
    let binary = binary(&staging.path().join("node_modules/@anthropic-ai"))
        .ok_or_else(|| format!("{PACKAGE}@{version} has no binary for {} {}", env::consts::OS, env::consts::ARCH))?;
    let said = Command::new(&binary).arg("--version").output().map_err(|e| format!("it does not start: {e}"))?;
    let said = String::from_utf8_lossy(&said.stdout);
    if said.split_whitespace().next() != Some(&version.to_string()) {
        return Err(format!("npm brought a claude that calls itself `{}`", said.trim()));
    }
    fs::rename(&binary, program).map_err(|e| format!("cannot create `{}`: {e}", program.display()))
}

/// `claude-code-<system>/claude` below npm's folder of the scope.
fn binary(scope: &Path) -> Option<PathBuf> {
    let packages = fs::read_dir(scope).ok()?;
    packages.filter_map(|entry| Some(entry.ok()?.path().join("claude"))).find(|path| path.is_file())
}

/// What one call of the CLI left.
#[derive(Debug)]
pub struct Answer {
    pub status: ExitStatus,
    /// The lines of stream-json.
    pub events: Vec<Value>,
    pub stderr: String,
}

impl Answer {
    /// The event `system/init`.
    pub fn init(&self) -> Option<&Value> {
        self.events.iter().find(|e| e["type"] == "system" && e["subtype"] == "init")
    }

    /// The last event `result`.
    pub fn result(&self) -> Option<&Value> {
        self.events.iter().rfind(|e| e["type"] == "result")
    }
}

/// One bare call of the CLI in `dir`, its home in `dir/home`, without `cco`: prompt from a file, output to a file, its
/// own process group, nothing of the caller's environment but `PATH`. `env` says where the API is and who asks.
pub fn ask(program: &Path, env: Vec<(&'static str, String)>, dir: &Path, args: &[&str], prompt: &str) -> Answer {
    start(program, env, dir, args, prompt).wait()
}

/// [`ask`], not waited for.
pub fn start(program: &Path, env: Vec<(&'static str, String)>, dir: &Path, args: &[&str], prompt: &str) -> Call {
    let home = dir.join("home");
    fs::create_dir_all(&home).expect("a home");
    let mut stdin = tempfile::tempfile().expect("a file for the prompt");
    stdin.write_all(prompt.as_bytes()).expect("the prompt");
    stdin.rewind().expect("a seekable file");
    let [stdout, stderr] = [(); 2].map(|()| tempfile::tempfile().expect("a file for the output"));
    let child = Command::new(program)
        .args(["-p", "--output-format", "stream-json", "--verbose", "--include-partial-messages"])
        .args(["--setting-sources", "", "--strict-mcp-config", "--permission-mode", "acceptEdits"])
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &home)
        .env("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1")
        .env("CLAUDE_CODE_MAX_RETRIES", "0")
        .env("MAX_STRUCTURED_OUTPUT_RETRIES", "2")
        .envs(env)
        .process_group(0)
        .stdin(stdin)
        .stdout(stdout.try_clone().expect("a second handle"))
        .stderr(stderr.try_clone().expect("a second handle"))
        .spawn()
        .expect("claude starts");
    Call { child, stdout, stderr }
}

/// A call under way. Dropped unwaited (a test failed), it is killed.
pub struct Call {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Call {
    /// SIGKILL, as a crash of the machine would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
    }

    pub fn wait(mut self) -> Answer {
        let status = self.child.wait().expect("claude ends");
        let [stdout, stderr] = [&mut self.stdout, &mut self.stderr].map(|file| {
            file.rewind().expect("a seekable file");
            io::read_to_string(file).expect("text")
        });
        // A killed process leaves its last line cut.
        let events = stdout.lines().map_while(|line| serde_json::from_str(line).ok()).collect();
        Answer { status, events, stderr }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
