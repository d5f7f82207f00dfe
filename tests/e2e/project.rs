//! A repository with a spec in a home of its own, and `cco run` over it with the real `claude`.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cco::journal::{self, JournalError, SpecPaths};
use cco::lifecycle::event::{AttemptEnd, Event, Record};
use serde_json::Value;

use crate::env::{Output, TestEnv, write};
use crate::support::api::{Api, Request};
use crate::support::claude::{Version, claude};

/// How long anything may take before the test has failed. What is waited for takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// The name of the spec in the store.
pub const SPEC: &str = "p/work-00000000";

/// A spec whose `work_dir` is a repository with one commit.
pub struct Project {
    pub api: Api,
    pub env: TestEnv,
    pub paths: SpecPaths,
    /// The program.
    pub agent: PathBuf,
    login: [(&'static str, String); 2],
}

impl Project {
    /// Logged in with an API key; `None` where the version cannot be had. The manifest gets its `work_dir` here.
    pub fn new(version: Version, manifest: Value, api: Api) -> Option<Self> {
        let login = api.env();
        Self::with_login(version, manifest, api, login)
    }

    /// Logged in with the token of a subscription.
    pub fn with_token(version: Version, manifest: Value, api: Api) -> Option<Self> {
        let login = api.token_env();
        Self::with_login(version, manifest, api, login)
    }

    fn with_login(version: Version, mut manifest: Value, api: Api, login: [(&'static str, String); 2]) -> Option<Self> {
        let agent = claude(version)?;
        let env = TestEnv::new();
        manifest["work_dir"] = env.work().to_str().unwrap().into();
        let paths = SpecPaths::new(env.spec(SPEC, &manifest.to_string()));
        let project = Self { api, env, paths, agent, login };
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.git(&["config", "user.name", "User"]);
        project.git(&["config", "user.email", "user@localhost"]);
        project.commit("README.md", "A project.\n");
        Some(project)
    }

    /// Adds a file to the repository.
    pub fn commit(&self, path: &str, content: &str) {
        write(&self.env.work().join(path), content);
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "-m", path]);
    }

    /// What a git command in the user's checkout prints.
    pub fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.env.work())
            .env_clear()
            .envs([("HOME", self.env.home()), ("PATH", "/usr/bin:/bin".into())])
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The integration branch.
    pub fn branch(&self) -> String {
        format!("cco/{}", SPEC.rsplit('/').next().unwrap())
    }

    /// `cco run` with more arguments.
    pub fn command(&self, more: &[&str]) -> Command {
        let mut command = self.env.command([&["run", SPEC][..], more].concat());
        command.env("CCO_CLAUDE", &self.agent).envs(self.login.clone());
        command
    }

    /// Runs to the end.
    pub fn run(&self, more: &[&str]) -> Output {
        self.env.run(&mut self.command(more))
    }

    /// `cco formalize` to the end.
    pub fn formalize(&self, more: &[&str]) -> Output {
        self.env.run(&mut self.formalizing(more))
    }

    /// `cco formalize` until the test kills it.
    pub fn start_formalizing(&self, more: &[&str]) -> Running {
        Running(self.formalizing(more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn formalizing(&self, more: &[&str]) -> Command {
        let mut command = self.env.command([&["formalize", SPEC][..], more].concat());
        command.env("CCO_CLAUDE", &self.agent).envs(self.login.clone());
        command
    }

    /// What every process of the spec carries at the beginning of its mark.
    pub fn mark(&self) -> String {
        cco::cli::opened::mark(&self.paths)
    }

    /// Runs until the test kills it.
    pub fn start(&self, more: &[&str]) -> Running {
        Running(self.command(more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// The journal as it is now.
    pub fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let read = journal::read(&self.paths.journal(), |record| {
            records.push(record);
            Ok::<_, JournalError>(())
        });
        read.unwrap();
        records
    }

    /// The events of the journal, in order.
    pub fn events(&self) -> Vec<Event> {
        self.records().into_iter().flat_map(|record| record.events).collect()
    }

    /// How the attempts ended, by the names of the attempts.
    pub fn ends(&self) -> Vec<(String, AttemptEnd)> {
        let ended = self.events().into_iter().filter_map(|event| match event {
            Event::AttemptEnded { attempt, end, .. } => Some((attempt.to_string(), end)),
            _ => None,
        });
        ended.collect()
    }

    /// What the journal remarks.
    pub fn notes(&self) -> Vec<String> {
        let noted = self.events().into_iter().filter_map(|event| match event {
            Event::Noted { text, .. } => Some(text),
            _ => None,
        });
        noted.collect()
    }

    /// Where the CLI keeps its conversations.
    pub fn conversations(&self) -> PathBuf {
        self.env.home().join(".claude/projects")
    }

    /// Whether the CLI has written down the prompt of a conversation.
    pub fn has_conversation(&self, id: &str) -> bool {
        let dirs = fs::read_dir(self.conversations()).into_iter().flatten().flatten();
        let mut files = dirs.map(|dir| dir.path().join(format!("{id}.jsonl")));
        files.any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains("Your task")))
    }

    /// A place at which the commands of the work (`sh hold.sh NAME`) stop.
    pub fn gate(&self, name: &str) -> Gate {
        let path = self.gates().join(name);
        fs::create_dir_all(self.gates()).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Gate(path)
    }

    /// The program that stops at gates, to be committed to the repository as `hold.sh`.
    pub fn hold_script(&self) -> String {
        format!("gate='{}'/$1\nif [ -p \"$gate\" ]; then echo >\"$gate\"; cat \"$gate\"; fi\n", self.gates().display())
    }

    fn gates(&self) -> PathBuf {
        self.env.root().join("gates")
    }
}

/// A command of the work stops at it until it is killed.
#[must_use]
pub struct Gate(PathBuf);

impl Gate {
    /// Waits until a command stands there; the next one passes.
    pub fn reached(self) {
        let (tell, told) = mpsc::channel();
        let path = self.0.clone();
        thread::spawn(move || tell.send(fs::read(path)));
        told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("nothing came to {}", self.0.display())).unwrap();
        fs::remove_file(&self.0).unwrap();
    }
}

/// A run under way. Dropped (a test failed), it is killed.
pub struct Running(Child);

impl Running {
    /// Stops it as a whole, so that its children get on and it does not see it.
    pub fn freeze(&self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    }

    /// The exit status, once it has ended by itself.
    pub fn wait(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }

    /// SIGINT, and the exit status.
    pub fn interrupt(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.0.wait().unwrap().code()
    }

    /// SIGKILL to `cco` alone.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Holds answers of the model back.
#[derive(Clone, Default)]
pub struct Holds(Arc<(Mutex<HashSet<&'static str>>, Condvar)>);

impl Holds {
    /// From now on [`Self::pass`] waits for a component's requests.
    pub fn hold(&self, component: &'static str) {
        self.0.0.lock().unwrap().insert(component);
    }

    /// Lets them go.
    pub fn release(&self, component: &'static str) {
        self.0.0.lock().unwrap().remove(component);
        self.0.1.notify_all();
    }

    /// Returns when the component is not held.
    pub fn pass(&self, component: &str) {
        let (held, changed) = &*self.0;
        drop(changed.wait_while(held.lock().unwrap(), |held| held.contains(component)).unwrap());
    }
}

/// Looks at something that tells nobody of its change until it is as wanted.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "not in {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a stream file ends with the result of the call.
pub fn has_result(stream: &Path) -> bool {
    let text = fs::read_to_string(stream).unwrap_or_default();
    let last = text.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
    last.is_some_and(|event| event["type"] == "result")
}

/// The component that a request is about; `@run` where it is about the whole.
pub fn component(request: &Request) -> String {
    const TITLE: &str = "## The component `";
    if request.asks(&[TITLE]) { between(request, TITLE, "`") } else { "@run".to_owned() }
}

/// The task that a request is about.
pub fn task(request: &Request) -> &'static str {
    const TASKS: [(&str, &str); 5] = [
        ("skeleton", "the skeleton"),
        ("implement", "implement"),
        ("fix", "mend these issues"),
        ("review", "review"),
        ("vote", "vote"),
    ];
    let asked = TASKS.into_iter().find(|(_, title)| request.asks(&[&format!("\n## Your task: {title}\n")]));
    asked.unwrap_or_else(|| panic!("no task in {:?}", request.prompts())).0
}

/// The program that runs a component's checks, as the prompt names it.
pub fn check_script(request: &Request) -> String {
    between(request, "- Run `", "`")
}

/// What stands between two texts in the first prompt.
pub fn between(request: &Request, before: &str, after: &str) -> String {
    let prompts = request.prompts();
    let rest = prompts[0].split_once(before).unwrap_or_else(|| panic!("no {before:?} in {}", prompts[0])).1;
    rest.split_once(after).unwrap().0.to_owned()
}

/// Makes a file that can be run.
pub fn program(path: &Path, text: &str) {
    write(path, text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
