//! Work directories and repositories in every state: an answer each, and the user's checkout as it was to the byte.

use std::fs;
use std::path::{Path, PathBuf};

use super::{git, repository, shell};
use crate::env::{TestEnv, write};

/// What is the user's in a checkout: its files, index, branch and state.
const LOOK: &str = "find . -path ./.git -prune -o -type f -exec sha256sum {} + | sort
    git status --porcelain=v2 --branch 2>&1; cat .git/HEAD; sha256sum < .git/index";

/// Runs a spec that writes `a.txt` on `dir`; says how it ended. The checkout must stay as it was.
fn run_on(env: &TestEnv, dir: &Path) -> crate::env::Output {
    let manifest = serde_json::json!({
        "name": "s", "project": "p", "work_dir": dir,
        "execution": {"require_tests": false, "mode": "quick"},
        "components": [{"id": "a", "file": "a.txt", "purpose": "Write it.", "checks": ["test -f a.txt"]}],
        "validation_command": "true",
    });
    env.spec("p/s-00000001", &manifest.to_string());
    let scenario = env.home().join("sim.json");
    write(&scenario, r#"{"steps": {"a.*": {"actions": [{"write": {"path": "a.txt", "text": "a\n"}}]}}}"#);
    let look = || {
        let looked = std::process::Command::new("sh").args(["-c", LOOK]).current_dir(dir).output();
        looked.map(|looked| String::from_utf8_lossy(&looked.stdout).into_owned()).unwrap_or_default()
    };
    let before = look();
    let output = shell(env, &format!("$CCO run p/s --agent sim:{}", scenario.display()));
    assert_eq!(look(), before, "{output}");
    output
}

#[test]
fn names_that_need_care() {
    for name in ["with space", "it's \"quoted\"", "two\nlines", "-dash", "ünï", "$HOME `x`", "a:b,c"] {
        let env = TestEnv::new();
        let dir = env.root().join(name);
        repository(&dir);
        let output = run_on(&env, &dir).exits(0);
        assert!(output.stdout.contains("1 of 1 component complete"), "{name}: {output}");
        git(&dir, &["cat-file", "-e", "cco/s-00000001:a.txt"]);
    }
}

/// A repository in some state: how it gets there, how a run ends, what is said.
type Case = (&'static str, fn(&Path), i32, &'static str);

const CASES: &[Case] = &[
    ("detached", |dir| git(dir, &["checkout", "--quiet", "--detach"]), 0, "1 of 1 component complete"),
    ("hooks that fail", failing_hooks, 0, "1 of 1 component complete"),
    ("signing", sign, 0, "1 of 1 component complete"),
    ("uncommitted", |dir| write(&dir.join("first"), "changed\n"), 0, "1 change in"),
    ("index locked", |dir| write(&dir.join(".git/index.lock"), ""), 0, "1 of 1 component complete"),
    ("branch there", |dir| git(dir, &["branch", "cco/s-00000001"]), 0, "1 of 1 component complete"),
    ("branch checked out", |dir| git(dir, &["checkout", "--quiet", "-b", "cco/s-00000001"]), 7, "is checked out in"),
    ("branch of others", others, 7, "exists already and is not of this spec's runs"),
    ("branch named cco", |dir| git(dir, &["branch", "cco"]), 7, "'refs/heads/cco' exists"),
    ("broken", |dir| write(&dir.join(".git/HEAD"), "nonsense"), 7, "git cannot work with the repository"),
    ("no objects", |dir| fs::remove_dir_all(dir.join(".git/objects")).unwrap(), 7, "[ROOT]/work"),
    ("unborn", unborn, 7, "has no commit yet"),
    ("bare", bare, 7, "is in a bare repository"),
];

fn failing_hooks(dir: &Path) {
    for hook in ["pre-commit", "commit-msg", "prepare-commit-msg", "post-checkout", "reference-transaction"] {
        let path = dir.join(".git/hooks").join(hook);
        write(&path, "#!/bin/sh\necho hooked >> first\nexit 1\n");
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
}

fn sign(dir: &Path) {
    git(dir, &["config", "commit.gpgsign", "true"]);
    git(dir, &["config", "gpg.program", "/bin/false"]);
}

fn others(dir: &Path) {
    git(dir, &["checkout", "--quiet", "-b", "cco/s-00000001"]);
    git(dir, &["commit", "--quiet", "--allow-empty", "-m", "theirs"]);
    git(dir, &["checkout", "--quiet", "-"]);
}

fn unborn(dir: &Path) {
    fs::remove_dir_all(dir.join(".git")).unwrap();
    git(dir, &["init", "--quiet", "."]);
}

fn bare(dir: &Path) {
    fs::remove_dir_all(dir.join(".git")).unwrap();
    git(dir, &["init", "--quiet", "--bare", "."]);
}

#[test]
fn a_repository_in_every_state() {
    for (name, make, status, part) in CASES {
        let env = TestEnv::new();
        repository(&env.work());
        make(&env.work());
        let output = run_on(&env, &env.work()).exits(*status);
        assert!(format!("{output}").contains(part), "{name}: {output}");
    }
}

#[test]
fn directories_within_a_repository() {
    let within: [fn(&Path) -> PathBuf; 3] = [
        |top| {
            write(&top.join("sub/file"), "tracked\n");
            git(top, &["add", "-A"]);
            git(top, &["commit", "--quiet", "-m", "sub"]);
            top.join("sub")
        },
        |top| {
            fs::create_dir(top.join("untracked")).unwrap();
            top.join("untracked")
        },
        |top| {
            git(top, &["worktree", "add", "--quiet", "../other"]);
            top.join("../other")
        },
    ];
    for make in within {
        let env = TestEnv::new();
        repository(&env.work());
        let dir = make(&env.work());
        let output = run_on(&env, &dir).exits(0);
        assert!(output.stdout.contains("1 of 1 component complete"), "{output}");
        assert!(!dir.join("a.txt").exists(), "{output}");
    }
}

#[test]
fn no_directory_to_work_in() {
    let env = TestEnv::new();
    write(&env.root().join("file"), "");
    super::says(&run_on(&env, &env.root().join("none")).exits(7), &["`[ROOT]/none` does not exist"]);
    super::says(&run_on(&env, &env.root().join("file")).exits(7), &["`[ROOT]/file` is no directory"]);
}
