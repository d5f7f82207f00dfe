//! A spec, a project and a scenario to run together, and what a run left of itself: records, trees, processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cco::executor::inbox::{Letter, post};
use cco::ids::Digest;
use cco::journal::{JournalError, SpecPaths, read};
use cco::lifecycle::event::{Answer, AttemptEnd, Escalation, Event, Record, RunEnd, Trend, Trouble, Verb};
use serde_json::{Value, json};

use crate::env::{Output, TestEnv, write};

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);
const REFERENCE: &str = "p/world-00000000";
pub const BRANCH: &str = "cco/world-00000000";

pub struct World {
    pub env: TestEnv,
    pub spec: PathBuf,
}

impl World {
    /// A spec over a git repository with one commit.
    pub fn new(manifest: Value, scenario: Value) -> Self {
        let world = Self::without_git(manifest, scenario);
        write(&world.env.work().join("README"), "a project\n");
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world.git(&["config", "user.name", "tester"]);
        world.git(&["config", "user.email", "tester@localhost"]);
        world.git(&["add", "-A"]);
        world.git(&["commit", "--quiet", "-m", "Begin"]);
        world
    }

    /// A spec over a plain directory.
    pub fn without_git(manifest: Value, scenario: Value) -> Self {
        let env = TestEnv::new();
        let spec = env.store().join(REFERENCE);
        let world = Self { env, spec };
        world.rewrite(manifest);
        world.play(scenario);
        world
    }

    /// Replaces the manifest.
    pub fn rewrite(&self, mut manifest: Value) {
        manifest["name"] = json!("world");
        manifest["project"] = json!("p");
        if manifest["work_dir"].is_null() {
            manifest["work_dir"] = json!(self.env.work());
        }
        if manifest["execution"]["require_tests"].is_null() {
            manifest["execution"]["require_tests"] = json!(false);
        }
        let names = manifest["agent"]["env"].as_array().cloned().unwrap_or_default();
        manifest["agent"]["env"] = names.into_iter().chain([json!("NOTES")]).collect();
        write(&self.spec.join("manifest.json"), &manifest.to_string());
    }

    /// Replaces the scenario.
    pub fn play(&self, scenario: Value) {
        write(&self.scenario(), &scenario.to_string());
    }

    fn scenario(&self) -> PathBuf {
        self.env.root().join("scenario.json")
    }

    /// Where scenarios and checks note what they did, outside of every tree.
    pub fn notes(&self) -> PathBuf {
        self.env.root().join("notes")
    }

    /// The notes, a line each.
    pub fn noted(&self) -> Vec<String> {
        fs::read_to_string(self.notes()).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let agent = format!("sim:{}", self.scenario().display());
        let mut all = vec!["run", REFERENCE, "--agent", &agent, "--no-input"];
        all.extend(args);
        let mut command = self.env.command(all);
        command.env("NOTES", self.notes());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.env.run(&mut self.command(args))
    }

    /// Runs to an end with this exit status.
    #[track_caller]
    pub fn ends(&self, args: &[&str], status: i32) {
        let _ = self.run(args).exits(status);
    }

    /// Starts a run and does not wait for it.
    pub fn start(&self, args: &[&str]) -> Run<'_> {
        self.start_as(&mut self.command(args))
    }

    /// As [`World::start`], of a command of its own.
    pub fn start_as(&self, command: &mut Command) -> Run<'_> {
        let said = fs::File::create(self.env.root().join("said")).unwrap();
        let child = command.stdout(Stdio::null()).stderr(said).spawn().unwrap();
        Run { world: self, child }
    }

    /// What the run that was started last has said.
    pub fn said(&self) -> String {
        fs::read_to_string(self.env.root().join("said")).unwrap_or_default()
    }

    pub fn paths(&self) -> SpecPaths {
        SpecPaths::new(&self.spec)
    }

    /// Everything recorded so far; a journal that does not verify fails the test.
    pub fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let path = self.paths().journal();
        if !path.exists() {
            return records;
        }
        read::<JournalError>(&path, |record| {
            records.push(record);
            Ok(())
        })
        .unwrap();
        records
    }

    pub fn events(&self) -> Vec<Event> {
        self.records().into_iter().flat_map(|record| record.events).collect()
    }

    /// How long the journal is; 0 before there is one.
    pub fn journal_len(&self) -> u64 {
        fs::metadata(self.paths().journal()).map_or(0, |meta| meta.len())
    }

    /// Attempts of agents and commands that were started, in order.
    pub fn started(&self) -> Vec<String> {
        let name = |event| match event {
            Event::AttemptStarted { attempt, .. } if !attempt.step.by_cco() => Some(attempt.to_string()),
            _ => None,
        };
        self.events().into_iter().filter_map(name).collect()
    }

    /// How attempts ended, in order.
    pub fn ended(&self) -> Vec<(String, AttemptEnd)> {
        let end = |event| match event {
            Event::AttemptEnded { attempt, end, .. } if !attempt.step.by_cco() => Some((attempt.to_string(), end)),
            _ => None,
        };
        self.events().into_iter().filter_map(end).collect()
    }

    /// The trouble that attempts ended with, in order.
    pub fn troubles(&self) -> Vec<Trouble> {
        let class = |(_, end)| match end {
            AttemptEnd::Failed { class, .. } => Some(class),
            _ => None,
        };
        self.ended().into_iter().filter_map(class).collect()
    }

    /// The steps whose work was taken, sorted: what was paid for.
    pub fn wrote(&self) -> Vec<String> {
        let step = |event| match event {
            Event::AttemptEnded { attempt, end: AttemptEnd::Wrote { .. }, .. } => {
                Some(format!("{}.{}", attempt.on, attempt.step))
            }
            _ => None,
        };
        let mut steps: Vec<String> = self.events().into_iter().filter_map(step).collect();
        steps.sort();
        steps
    }

    pub fn last_end(&self) -> Option<RunEnd> {
        self.events().into_iter().rev().find_map(|event| match event {
            Event::RunEnded { end } => Some(end),
            _ => None,
        })
    }

    pub fn has(&self, what: impl FnMut(&Event) -> bool) -> bool {
        self.events().iter().any(what)
    }

    /// Puts an answer into the inbox.
    pub fn answer(&self, id: &str, verb: Verb, guidance: Option<&str>) {
        let answer =
            Answer { id: id.into(), verb, guidance: guidance.map(Into::into), issues: Vec::new(), option: None };
        post(&self.paths().inbox(), &Letter { by: "tester".into(), at: jiff::Timestamp::now(), answer }).unwrap();
    }

    /// Answers as a user does, from another process.
    #[track_caller]
    pub fn tells(&self, args: &[&str]) {
        let args: Vec<&str> = ["answer", REFERENCE].iter().chain(args).copied().collect();
        let _ = self.env.cco(args).exits(0);
    }

    /// What `cco status` says.
    #[track_caller]
    pub fn run_status(&self) -> String {
        self.env.cco(["status", REFERENCE]).exits(0).stdout
    }

    /// The open and the answered questions, in order.
    pub fn questions(&self) -> Vec<Escalation> {
        let question = |event| match event {
            Event::Escalated(question) => Some(*question),
            _ => None,
        };
        self.events().into_iter().filter_map(question).collect()
    }

    /// What an attempt was told.
    #[track_caller]
    pub fn prompt(&self, attempt: &str) -> String {
        let path = self.spec.join("runs").join(format!("{}.prompt.md", attempt.replace(':', "-")));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// How fix rounds were opened: of whom, whether counted, and the trend.
    pub fn fixes(&self) -> Vec<(String, bool, Trend)> {
        let fix = |event| match event {
            Event::FixOpened { on, counted, trend, .. } => Some((on.to_string(), counted, trend)),
            _ => None,
        };
        self.events().into_iter().filter_map(fix).collect()
    }

    pub fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.env.work())
            .env_clear()
            .env("HOME", self.env.home())
            .env("PATH", "/usr/bin:/bin")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// The tree of the integration branch.
    pub fn tree(&self) -> String {
        self.git(&["rev-parse", &format!("{BRANCH}^{{tree}}")])
    }

    /// What a file of the integration branch holds.
    pub fn file(&self, path: &str) -> String {
        self.git(&["show", &format!("{BRANCH}:{path}")])
    }

    /// The worktree of a subject, there or not.
    pub fn worktree(&self, on: &str) -> PathBuf {
        let worktrees = self.env.home().join(".local/state/cco/worktrees").join(REFERENCE);
        if on == "@run" { worktrees.join("run") } else { worktrees.join("c").join(on) }
    }

    /// A file as the last step of a component left it that is not on the branch yet.
    pub fn file_of(&self, on: &str, path: &str) -> String {
        self.git(&["show", &format!("refs/cco/{REFERENCE}/tip/{on}:{path}")])
    }

    /// What every process of this spec's runs carries.
    fn mark(&self) -> String {
        let dir = self.spec.canonicalize().unwrap();
        Digest::of(dir.as_os_str().as_encoded_bytes()).to_string().chars().take(16).collect()
    }

    /// Processes that belong to this world, with their command lines; zombies are gone already.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let (root, mark) = (self.env.root(), self.mark());
        let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let root = root.to_str().unwrap();
        let pids =
            fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid: i32| {
            let proc = Path::new("/proc").join(pid.to_string());
            let line = fs::read(proc.join("cmdline")).unwrap_or_default();
            let environ = fs::read(proc.join("environ")).unwrap_or_default();
            let ours = has(&environ, root) || has(&line, root) || has(&line, &mark);
            (ours && !line.is_empty()).then(|| (pid, String::from_utf8_lossy(&line).replace('\0', " ")))
        })
        .collect()
    }

    /// Nothing of this world may be left; tells how long that took. The goal is a second, which a machine that runs all
    /// tests at once cannot be held to.
    #[track_caller]
    pub fn assert_nothing_left(&self) -> Duration {
        let begun = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "left behind: {left:#?}");
            std::thread::yield_now();
        }
    }
}

/// A run under way; killed when the test gives up.
pub struct Run<'a> {
    world: &'a World,
    pub child: Child,
}

impl Run<'_> {
    /// Waits until `there` holds; tells whether it did before the run ended.
    #[track_caller]
    pub fn reaches(&mut self, mut there: impl FnMut(&World) -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if there(self.world) {
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(Instant::now() < deadline, "waited in vain; journal: {:#?}", self.world.events());
            std::thread::yield_now();
        }
    }

    /// Waits until a record says so.
    #[track_caller]
    pub fn records(&mut self, mut what: impl FnMut(&Event) -> bool) {
        let mut seen = 0;
        let told = self.reaches(|world| {
            let len = world.journal_len();
            let grown = len != seen;
            seen = len;
            grown && world.has(&mut what)
        });
        assert!(told, "the run ended before; journal: {:#?}", self.world.events());
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end: the exit status, or 128 and the signal.
    pub fn end(mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt as _;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or_else(|| 128 + status.signal().unwrap());
            }
            assert!(Instant::now() < deadline, "it does not end; journal: {:#?}", self.world.events());
            std::thread::yield_now();
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A component that writes one file, with a check that the file is there.
pub fn component(id: &str, depends_on: &[&str]) -> Value {
    json!({
        "id": id, "file": format!("{id}.txt"), "complexity": "low", "purpose": "Write it.", "depends_on": depends_on,
        "checks": [{"name": id, "run": format!("test -s {id}.txt")}],
    })
}

/// A manifest of these components, without reviewers: what needs some asks for them.
pub fn manifest(components: Vec<Value>) -> Value {
    json!({"execution": {"reviewers": 0}, "components": components})
}

/// Writes `<id>.txt` in every step of that component.
pub fn writes(id: &str, text: &str) -> Value {
    json!({"actions": [{"write": {"path": format!("{id}.txt"), "text": text}}]})
}

/// A behaviour that ends in a fault.
pub fn fault(fault: Value) -> Value {
    json!({"fault": fault})
}

/// A ballot.
pub fn votes(option: &str, confidence: f64, reasoning: &str) -> Value {
    json!({"answer": {"vote": option, "confidence": confidence, "reasoning": reasoning}})
}

/// A review that finds these in `a.txt`.
pub fn finds(texts: &[&str]) -> Value {
    let issue =
        |text: &&str| json!({"severity": "major", "file": "a.txt", "line": 1, "text": text, "how_it_fails": "read it"});
    json!({"answer": {"summary": "read it", "issues": texts.iter().map(issue).collect::<Vec<_>>()}})
}
