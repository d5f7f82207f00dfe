//! The examples, each from its files to the proof of the whole: the simulated agent writes what `examples/` holds, and the
//! checks are the real ones, run by cargo, python3, node and sh. What the README's tour shows of each is what is seen here.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::env::{Output, TestEnv};
use crate::tour::{REWRITE, same_everywhere};

/// Each example, its components, and its mode.
const EXAMPLES: [(&str, &[&str], &str); 5] = [
    ("wordfreq", &["tokenize", "filter", "count", "rank", "report", "cli"], "standard"),
    ("cli-feature", &["json", "order", "cli"], "standard"),
    ("python-service", &["store", "routes", "app"], "standard"),
    ("web-page", &["filter", "render", "page"], "quick"),
    ("refactoring", &["money", "rows", "bill"], "full"),
];

struct Demo {
    env: TestEnv,
    name: &'static str,
}

impl Demo {
    /// Runs the example to its end.
    #[track_caller]
    fn of(name: &'static str) -> Self {
        let demo = Self { env: TestEnv::new(), name };
        let output = demo.cco(&["demo", name, "--dir", "demo"]).exits(0);
        assert!(output.stdout.contains("the whole passed its final validation"), "{output}");
        demo
    }

    /// With the programs of this machine, since the checks are real ones. The cargo that runs this test comes first: what
    /// stands on the path may be a switch that looks for its settings in a home directory.
    fn cco(&self, args: &[&str]) -> Output {
        let mut command = self.env.command(args);
        command.env("CCO_SIM_PACE", "0").env("PATH", path());
        self.env.run(&mut command)
    }

    fn on_spec(&self, args: &[&str]) -> Output {
        let spec = format!("demo/{}", self.name);
        self.cco(&[&args[..1], &[spec.as_str()], &args[1..]].concat())
    }

    fn project(&self) -> PathBuf {
        self.env.work().join("demo/project")
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git").args(args).current_dir(self.project()).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn path() -> OsString {
    let of_machine = env::var_os("PATH").unwrap_or_default();
    let cargo = env::var_os("CARGO").map(PathBuf::from);
    let cargo = cargo.as_deref().and_then(Path::parent).map(Path::to_owned);
    env::join_paths(cargo.into_iter().chain(env::split_paths(&of_machine))).unwrap()
}

/// Everything that is said of an example, once it has run to its end.
#[track_caller]
fn runs_to_its_end(name: &'static str) {
    let (_, components, mode) = EXAMPLES.into_iter().find(|(of, ..)| *of == name).unwrap();
    let demo = Demo::of(name);
    let _ = demo.on_spec(&["validate"]).exits(0);
    let graph = demo.on_spec(&["graph"]).exits(0).stdout;
    let status = demo.on_spec(&["status", "--json"]).exits(0).json();
    assert_eq!(status["run"]["mode"], mode, "{status:#}");
    let listed = status["components"].as_array().unwrap();
    assert_eq!(listed.iter().map(|it| it["id"].as_str().unwrap()).collect::<Vec<_>>(), components);
    assert!(components.iter().all(|id| graph.contains(id)), "{graph}");
    if name != "wordfreq" {
        let status = demo.on_spec(&["status"]).exits(0).stdout;
        let shown = format!("$ cco graph demo/{name}\n{graph}\n$ cco status demo/{name}\n{status}");
        let shown = same_everywhere(&shown, &demo.env).replace("[ROOT]/home", "~");
        shown_in_the_readme(name, &shown);
    }
    let _ = demo.on_spec(&["verify"]).exits(0);
    // The same commands once more in a fresh tree: nothing of it was the agent's word.
    let _ = demo.on_spec(&["verify", "--rerun"]).exits(0);
    assert_eq!(demo.git(&["status", "--porcelain"]), "", "the checkout is as it was");
    let again = demo.on_spec(&["run", "--agent", "sim"]).exits(0);
    assert!(again.stderr.contains("everything is up to date"), "{again}");
}

/// The README has one text, and tests run at once.
static README: Mutex<()> = Mutex::new(());

#[track_caller]
fn shown_in_the_readme(name: &str, found: &str) {
    let _one = README.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {name}:begin -->\n```console\n"), format!("```\n<!-- {name}:end -->"));
    let (before, rest) = readme.split_once(&begin).expect("the README has the markers");
    let (shown, after) = rest.split_once(&end).expect("the README has the markers");
    if env::var_os(REWRITE).is_some() {
        std::fs::write(&path, format!("{before}{begin}{found}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(shown, found, "`{REWRITE}=1 cargo test --test run examples` writes what is seen into the README");
}

#[test]
fn a_feature_of_a_rust_program() {
    runs_to_its_end("cli-feature");
}

#[test]
fn a_web_page() {
    runs_to_its_end("web-page");
}

#[test]
fn a_refactoring_in_full_mode_with_gates() {
    runs_to_its_end("refactoring");
}

#[test]
fn six_shell_scripts() {
    runs_to_its_end("wordfreq");
}

/// A machine need not have python3. Then the checks could not be made, and that is what the run must say; it is no pass.
#[test]
fn a_python_service() {
    let has_python = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    if has_python {
        return runs_to_its_end("python-service");
    }
    let demo = Demo { env: TestEnv::new(), name: "python-service" };
    let output = demo.cco(&["demo", "python-service", "--dir", "demo"]).exits(3);
    assert!(output.stdout.contains("could not be checked"), "{output}");
}

/// Each example shows what goes wrong at first, or votes; one that passes at once would show nothing.
#[test]
fn every_example_shows_something() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found: Vec<String> =
        root.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    let mut known = EXAMPLES.map(|(name, ..)| name.to_owned());
    known.sort();
    assert_eq!(found, known, "an example is not tested, or is gone");
    for name in found {
        let scenario = std::fs::read_to_string(root.join(&name).join("scenario.json")).unwrap();
        let scenario: Value = serde_json::from_str(&scenario).unwrap();
        let steps = scenario["steps"].as_object().unwrap();
        assert!(steps.keys().any(|key| key.contains(".fix") || key.contains("vote:")), "{name}");
        // What the agent writes lies beside the scenario, and nothing lies there unused.
        let text = scenario.to_string();
        for file in root.join(&name).join("files").read_dir().unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            assert!(text.contains(&format!("files/{file}")), "{name}: {file} is used nowhere");
        }
    }
}
