//! What `cco install` installs, in the real `claude`: it loads, it goes without a trace, and what its front matter allows
//! is enough to save a brainstorm.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::session::{self, Session};
use crate::support::api::{Api, Request};
use crate::support::claude::{Version, claude};
use crate::support::reply::{Reply, Script};

/// A user with a claude, a cco on the PATH, and a home of their own.
struct User {
    env: TestEnv,
    api: Api,
    program: PathBuf,
}

impl User {
    /// `None` where the version cannot be had.
    fn new(version: Version, answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Option<Self> {
        let program = claude(version)?;
        let env = TestEnv::new();
        session::put_on_path(&env);
        fs::create_dir(env.work().join(".git")).unwrap();
        Some(Self { env, api: Api::start(answer), program })
    }

    fn vars(&self) -> Vec<(OsString, OsString)> {
        session::vars(&self.env, &self.api)
    }

    fn says(&self, prompt: &str) -> Session {
        session::says(&self.env, &self.api, &self.program, prompt)
    }
}

impl Session {
    fn lists(&self, what: &str, name: &str) -> bool {
        self.init[what].as_array().unwrap().iter().any(|item| item == name)
    }

    /// Whether the command and the skill are there; they come and go together.
    fn is_installed(&self) -> bool {
        let (spec, skill) = (self.lists("slash_commands", "spec"), self.lists("skills", "orchestration"));
        assert_eq!(spec, skill, "{}", self.init);
        spec
    }

    fn denied(&self) -> Vec<&str> {
        let denials = self.result["permission_denials"].as_array().unwrap();
        denials.iter().map(|denial| denial["tool_input"]["command"].as_str().unwrap()).collect()
    }
}

/// Every path below `dir` with its text, but for what `known` has at the top of it or of its `.claude`.
fn tree(dir: &Path, known: &BTreeSet<PathBuf>) -> BTreeMap<PathBuf, Option<String>> {
    let (mut all, mut open) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(next) = open.pop() {
        for path in entries(&next).into_iter().filter(|path| !known.contains(path)) {
            if path.is_dir() {
                open.push(path.clone());
            }
            let text = path.is_file().then(|| fs::read_to_string(&path).unwrap());
            all.insert(path, text);
        }
    }
    all
}

fn entries(dir: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(dir).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
}

/// What the CLI itself has made in a home by now; it goes on to change that as it likes.
fn of_the_cli(home: &Path) -> BTreeSet<PathBuf> {
    let claude = home.join(".claude");
    let files = entries(home).into_iter().filter(|path| *path != claude);
    files.chain(entries(&claude)).collect()
}

#[test]
fn command_and_skill_load_for_the_user_and_go_without_a_trace() {
    loads_and_goes("user");
}

#[test]
fn command_and_skill_load_for_a_project_and_go_without_a_trace() {
    loads_and_goes("project");
}

fn loads_and_goes(scope: &str) {
    for version in Version::ALL {
        let Some(user) = User::new(version, |_| Reply::text("hello")) else { return };
        assert!(!user.says("hello").is_installed(), "{version}");
        let known = of_the_cli(&user.env.home());
        let look = || (tree(&user.env.home(), &known), tree(&user.env.work(), &known));
        let before = look();

        let _ = user.env.cco(["install", "--scope", scope]).exits(0);
        let changed = look();
        assert_eq!((changed.0 == before.0, changed.1 == before.1), (scope != "user", scope == "user"), "{changed:?}");
        assert!(user.says("hello").is_installed(), "{version}");
        // The model is told when the skill is of use, and nothing of the stamp.
        let body = user.api.requests().last().unwrap().body.to_string();
        assert!(body.contains("Use it when the user speaks of cco") && !body.contains("cco:installed"), "{version}");
        assert_eq!(look(), changed, "{version}: the CLI changed what was installed");

        let _ = user.env.cco(["install", "--scope", scope, "--uninstall"]).exits(0);
        assert_eq!(look(), before, "{version}");
        assert!(!user.says("hello").is_installed(), "{version}");
    }
}

/// What a shell, or a reader of command lines, could stumble over.
const HOSTILE: &str = "# Mission\n\nIt's \"unbalanced' and `rm -rf ./x` && $(touch evil) > out; | tee f\n\
    ```sh\ncargo test | tee log > x\n```\n- don't <b>, \\n, $HOME, *?[a] {a,b}, @file, !ls, /clear\nEOF\n";

fn put(document: &str, text: &str) -> String {
    format!("cco brainstorm put {document} --spec shop/invoices <<'CCO_END'\n{text}CCO_END")
}

#[test]
fn a_brainstorm_is_saved_by_what_the_front_matter_allows_and_nothing_else() {
    for version in Version::ALL {
        let script = |request: &Request| {
            let script = Script::new()
                .bash("cco list --json")
                .bash("cco new --project shop --name invoices")
                .bash(&put("MISSION", HOSTILE))
                .bash(&put("INVESTIGATION", "# Found\n"))
                .bash(&put("DECISIONS", "# First thought\n"))
                .bash(&put("DECISIONS", "# Second thought\n"))
                .bash(&put("CONCERNS", "- one\n- two\n- three\n"))
                .bash("cco brainstorm list --spec shop/invoices --json");
            let denied = script.bash("cco run shop/invoices").bash("touch evil").bash("cco list; touch evil");
            denied.then(Reply::text("saved")).reply(request)
        };
        let Some(user) = User::new(version, script) else { return };
        let _ = user.env.cco(["install"]).exits(0);
        let session = user.says("/spec invoices as PDF");
        assert_eq!(session.init["permissionMode"], "default");
        assert_eq!(session.result["result"], "saved", "{version}: {}", session.result);

        let requests = user.api.requests();
        let asked = requests[0].prompts().join("\n");
        assert!(asked.contains("<command-name>/spec</command-name>"), "{version}: {asked}");
        assert!(asked.contains("<request>\ninvoices as PDF\n</request>") && !asked.contains("$ARGUMENTS"), "{asked}");

        let spec = entries(&user.env.store().join("shop")).into_iter().next().expect("the spec that the model made");
        let brainstorm = spec.join("brainstorm");
        let saved = |file: &str| fs::read_to_string(brainstorm.join(file)).unwrap();
        assert_eq!(saved("MISSION.md"), HOSTILE, "{version}");
        assert_eq!(saved("INVESTIGATION.md"), "# Found\n");
        assert_eq!(saved("DECISIONS.md"), "# Second thought\n");
        assert_eq!(saved("CONCERNS.md"), "- one\n- two\n- three\n");
        assert_eq!(saved("old/DECISIONS-2.md"), "# First thought\n", "after the template");

        // What costs money or writes elsewhere is not allowed by it.
        assert_eq!(session.denied(), ["cco run shop/invoices", "touch evil", "cco list; touch evil"], "{version}");
        assert!(!user.env.work().join("evil").exists() && entries(&spec.join("runs")).len() == 1, "{version}");
        let calls = requests.last().unwrap().calls();
        assert!(calls[..8].iter().all(|call| !call.is_error), "{version}: {calls:?}");
        let listing: Value = serde_json::from_str(calls[7].result.as_deref().unwrap()).unwrap();
        assert_eq!(listing["documents"][3]["bytes"], 20, "{version}: {listing}");
    }
}

/// A command on a terminal, which `script` makes. What it shows is read all the time, so that it never waits for that.
struct Terminal {
    child: Child,
    shown: Receiver<Vec<u8>>,
}

impl Terminal {
    fn open(user: &User, line: &str) -> Self {
        let mut command = Command::new("script");
        command.args(["-qefc", line, "/dev/null"]).current_dir(user.env.work()).env_clear().envs(user.vars());
        command.env("TERM", "xterm-256color").env("SHELL", "/bin/sh");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut stdout, (sender, shown)) = (child.stdout.take().unwrap(), channel());
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut chunk) {
                // Nobody listens any more where a test has failed.
                let _ = sender.send(chunk[..n].to_vec());
            }
        });
        Self { child, shown }
    }

    /// Presses Ctrl-C whenever something was shown, until it ends: with 0, or 130 where one came after the last.
    fn leave(mut self) {
        let mut stdin = self.child.stdin.take().unwrap();
        let _ = stdin.write_all(b"\x03");
        while self.shown.recv().is_ok() {
            let _ = stdin.write_all(b"\x03");
        }
        assert!(matches!(self.child.wait().unwrap().code(), Some(0 | 130)));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The first start in a home asks about colours, the key, and whether the directory is to be trusted.
fn answer_what_is_asked_first(user: &User) {
    let key = user.api.env()[1].1.clone();
    let project = json!({"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true});
    let settings = json!({
        "hasCompletedOnboarding": true,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [key], "rejected": []},
        "projects": {user.env.work().to_str().unwrap(): project},
    });
    fs::write(user.env.home().join(".claude.json"), settings.to_string()).unwrap();
}

#[test]
fn a_conversation_on_a_terminal_opens_with_the_command_and_saves() {
    for version in Version::ALL {
        let script = |request: &Request| {
            let script = Script::new().bash("cco brainstorm put MISSION <<'CCO_END'\n# Mission\nCCO_END");
            script.then(Reply::text("saved")).reply(request)
        };
        let Some(user) = User::new(version, script) else { return };
        answer_what_is_asked_first(&user);
        let _ = user.env.cco(["install"]).exits(0);
        let dir = user.env.small_spec("shop/invoices-00000001");
        symlink(&user.program, user.env.root().join("bin/claude")).unwrap();
        let terminal = Terminal::open(&user, "cco spec shop/invoices");
        let is_answered = |request: &Request| request.calls().first().is_some_and(|call| call.result.is_some());
        let requests = user.api.wait("result of the save", |requests| requests.iter().any(is_answered));
        let asked = requests.iter().find(|request| is_answered(request)).unwrap();
        let prompts = asked.prompts().join("\n");
        assert!(prompts.contains("<request>\nshop/invoices-00000001\n</request>"), "{version}: {prompts}");
        assert!(!asked.calls()[0].is_error, "{version}: {:?}", asked.calls());
        assert_eq!(fs::read_to_string(dir.join("brainstorm/MISSION.md")).unwrap(), "# Mission\n", "{version}");
        terminal.leave();
    }
}
