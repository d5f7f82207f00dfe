//! Specs that the simulated agent works on, and runs of them that stay alive for as long as a test needs.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use serde_json::{Value, json};

use crate::env::{TestEnv, write};

/// What every command here is told about.
pub const SPEC: &str = "p/asking";

/// Three components: `a` fails its check until `ready.txt` is there and asks after one fix, `b` needs `a`, and `c` is
/// easy.
pub fn asking_spec(env: &TestEnv) -> PathBuf {
    let component = |id: &str, depends_on: &[&str], check: &str| {
        json!({
            "id": id, "file": format!("{id}.txt"), "complexity": "low", "depends_on": depends_on,
            "checks": [{"name": format!("{id}-ok"), "run": check}],
        })
    };
    let manifest = json!({
        "name": "asking", "project": "p", "work_dir": env.work(),
        "execution": {"require_tests": false, "reviewers": 0, "max_fix_attempts": 1},
        "components": [
            component("a", &[], "test -e ready.txt"), component("b", &["a"], "true"), component("c", &[], "true"),
        ],
        "validation_command": "true",
    });
    git(env, &["init", "--quiet"]);
    git(env, &["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--allow-empty", "-mBegin"]);
    env.spec("p/asking-00000001", &manifest.to_string())
}

/// Sets what the agent does, by step; where nothing is said of a component's, it writes its file.
pub fn scenario(dir: &std::path::Path, mut steps: Value) {
    let said_of_all = steps.as_object().is_some_and(|steps| steps.keys().any(|key| key.starts_with('*')));
    for id in ["a", "b", "c"].into_iter().filter(|_| !said_of_all) {
        let step = &mut steps[format!("{id}.implement")];
        if step.is_null() {
            let action = json!({"write": {"path": format!("{id}.txt"), "text": "made\n"}});
            *step = json!({"cost_usd": 0.01, "actions": [action]});
        }
    }
    write(&dir.join("scenario.json"), &json!({"steps": steps, "default": {"cost_usd": 0.01}}).to_string());
}

/// The file that agents wait for who are told to.
pub fn go(env: &TestEnv) -> PathBuf {
    env.home().join("go")
}

/// Where a component works, as the run made it.
pub fn tree(env: &TestEnv, on: &str) -> PathBuf {
    env.home().join(".local/state/cco/worktrees/p/asking-00000001/c").join(on)
}

fn git(env: &TestEnv, args: &[&str]) {
    let status = Command::new("git").args(args).current_dir(env.work()).env("HOME", env.home()).status().unwrap();
    assert!(status.success(), "git {args:?}");
}

/// A `cco run` that lives, with the lines that it says.
pub struct LiveRun {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

impl LiveRun {
    /// Starts it.
    pub fn start(env: &TestEnv) -> Self {
        Self::start_with(env, &[])
    }

    /// Starts it with further arguments.
    pub fn start_with(env: &TestEnv, args: &[&str]) -> Self {
        let mut command = env.command([&["run", SPEC, "--agent", "sim"], args].concat());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads on until a line has `part`.
    #[track_caller]
    pub fn until(&mut self, part: &str) {
        let found = self.lines.by_ref().map(Result::unwrap).any(|line| line.contains(part));
        assert!(found, "the run ended and never said `{part}`");
    }

    /// Kills it as nobody can refuse.
    pub fn kill(self) {
        drop(self);
    }

    /// Reads to the end.
    pub fn end(mut self) -> ExitStatus {
        self.lines.by_ref().for_each(drop);
        self.child.wait().unwrap()
    }
}

/// What a failed test leaves alive would keep its own pipes open, and whoever reads them waiting.
impl Drop for LiveRun {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
