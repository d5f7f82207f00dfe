//! The real `claude`: pinned versions from npm, kept in `target/claude/<version>/claude`, fetched on first use.
//!
//! ```ignore
//! for version in Version::ALL {
//!     let Some(program) = claude(version) else { return };
//!     let left = Call::start(&program, dir.path(), &env, &arguments, "Say hello.").wait();
//! }
//! ```
//!
//! A machine that cannot fetch them skips these tests: each prints a line `SKIPPED: <test>: <why>` past the harness's
//! capture. With `CCO_REQUIRE_E2E` set (continuous integration sets it) the same is a failure.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::OnceLock;
use std::{env, fmt, io, thread};

use cco::agent::env::Vars;

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
pub struct Left {
    pub status: ExitStatus,
    /// Stream-json.
    pub stdout: String,
    pub stderr: String,
}

/// A call of the CLI by itself, without `cco` around it. Dropped unwaited (a test failed), it is killed.
pub struct Call {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Call {
    /// Starts the CLI in `dir`, in a process group of its own, with nothing but `env` in its environment; prompt and
    /// output are files.
    pub fn start(program: &Path, dir: &Path, env: &Vars, arguments: &[OsString], prompt: &str) -> Self {
        let mut stdin = tempfile::tempfile().expect("a file for the prompt");
        stdin.write_all(prompt.as_bytes()).expect("the prompt");
        stdin.rewind().expect("a seekable file");
        let [stdout, stderr] = [(); 2].map(|()| tempfile::tempfile().expect("a file for the output"));
        let child = Command::new(program)
            .args(arguments)
            .current_dir(dir)
            .env_clear()
            .envs(env.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdin(stdin)
            .stdout(stdout.try_clone().expect("a second handle"))
            .stderr(stderr.try_clone().expect("a second handle"))
            .spawn()
            .expect("claude starts");
        Self { child, stdout, stderr }
    }

    /// SIGKILL to the CLI, not to what it started.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
    }

    pub fn wait(mut self) -> Left {
        let status = self.child.wait().expect("claude ends");
        let [stdout, stderr] = [&mut self.stdout, &mut self.stderr].map(|file| {
            file.rewind().expect("a seekable file");
            io::read_to_string(file).expect("text")
        });
        Left { status, stdout, stderr }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
