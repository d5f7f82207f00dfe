//! A hermetic place to run the real binary in: its own home, store and work directory, nothing of the machine's.
//! Several test binaries take it in and use the part that they need, hence the allowances.
#![allow(dead_code, unused_macros)]

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A home directory, a work directory and a spec store below one temporary root.
pub struct TestEnv {
    root: TempDir,
}

/// How a command ended, with the paths and hashes of this very run replaced.
#[must_use]
#[derive(Debug)]
pub struct Output {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl TestEnv {
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("cco-test-").tempdir().unwrap();
        let env = Self { root };
        for dir in [env.home(), env.work()] {
            fs::create_dir_all(dir).unwrap();
        }
        env
    }

    /// The root, without symbolic links (macOS keeps its temporary files behind one).
    pub fn root(&self) -> PathBuf {
        self.root.path().canonicalize().unwrap()
    }

    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    pub fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// Where the store is by default.
    pub fn store(&self) -> PathBuf {
        self.home().join(".claude/cc_orchestrations/specs")
    }

    /// A command in the work directory that knows nothing of the machine's environment.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cco"));
        command
            .args(args)
            .current_dir(self.work())
            .env_clear()
            .env("HOME", self.home())
            .env("PATH", "/usr/bin:/bin")
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    /// Runs `cco` with `args`.
    pub fn cco<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.run(&mut self.command(args))
    }

    /// Runs a prepared command.
    pub fn run(&self, command: &mut Command) -> Output {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(self.root().to_str().unwrap(), "[ROOT]");
        Output {
            status: output.status.code().expect("ended by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Makes a spec of the default store by hand and returns its directory.
    pub fn spec(&self, reference: &str, manifest: &str) -> PathBuf {
        let dir = self.store().join(reference);
        write(&dir.join("manifest.json"), manifest);
        dir
    }

    /// A spec with one component that works on the work directory.
    pub fn small_spec(&self, reference: &str) -> PathBuf {
        self.spec(reference, &small_manifest("small", &self.work()))
    }
}

/// A valid manifest with one component.
pub fn small_manifest(name: &str, work_dir: &Path) -> String {
    serde_json::json!({
        "name": name,
        "project": "p",
        "work_dir": work_dir,
        "execution": {"require_tests": false},
        "components": [{"id": "a", "file": "a.txt", "purpose": "Write it."}],
        "validation_command": "true",
    })
    .to_string()
}

/// Writes a file and the directories above it.
pub fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

impl Output {
    /// The status must be `status`; the text is the whole output.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit: {}\n-- stdout\n{}-- stderr\n{}", self.status, self.stdout, self.stderr)
    }
}

/// Compares a whole output with an inline snapshot.
#[macro_export]
macro_rules! assert_output {
    ($output:expr, @$expected:literal) => {{
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r"-[0-9a-f]{8}\b", "-[HASH]");
        settings.bind(|| insta::assert_snapshot!($output.to_string(), @$expected));
    }};
}
