//! `cco new`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::env::TestEnv;

/// The one spec of the store.
fn made(env: &TestEnv) -> PathBuf {
    let output = env.cco(["list", "--json"]).json();
    let path = output["specs"][0]["path"].as_str().unwrap().replace("[ROOT]", env.root().to_str().unwrap());
    PathBuf::from(path)
}

fn files_below(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path)
            } else {
                files.push(path.strip_prefix(dir).unwrap().display().to_string())
            }
        }
    }
    files.sort();
    files
}

#[test]
fn makes_the_whole_directory() {
    let env = TestEnv::new();
    assert_output!(env.cco(["new", "--project", "billing", "--name", "invoices"]), @r"
    exit: 0
    -- stdout
    [ROOT]/home/.claude/cc_orchestrations/specs/billing/invoices-[HASH]
    -- stderr
    created `billing/invoices-[HASH]`
    nothing told how this is built and checked (no Cargo.toml, package.json, pyproject.toml, go.mod, pom.xml, Makefile, justfile): the manifest names no checks yet
    warning: `[ROOT]/work` is in no git repository, so agents would work in it directly; `git init [ROOT]/work` and a first commit give each component a worktree of its own
    next, one of:
      think it through with Claude  cco spec billing/invoices
      take tasks that are written   cco import --from markdown PLAN.md --into billing/invoices --replace
      write the components          ${EDITOR:-vi} [ROOT]/home/.claude/cc_orchestrations/specs/billing/invoices-[HASH]/manifest.json
    then `cco validate billing/invoices`
    ");
    let spec = made(&env);
    insta::assert_snapshot!(files_below(&spec).join("\n"), @r"
    CONTEXT.md
    SPEC.md
    brainstorm/CONCERNS.md
    brainstorm/DECISIONS.md
    brainstorm/INVESTIGATION.md
    brainstorm/MISSION.md
    manifest.json
    runs/.gitignore
    state/.gitignore
    ");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&spec), 0o700);
    assert_eq!(mode(&spec.join("state")), 0o700);
    // Nothing of the building is left.
    assert_eq!(files_below(&env.store().join("billing")).len(), files_below(&spec).len());
}

#[test]
fn the_manifest_is_valid_as_it_is_and_with_components() {
    let env = TestEnv::new();
    let _ = env.cco(["new", "--project", "billing", "--name", "invoices", "--work-dir", "."]).exits(0);
    let path = made(&env).join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(manifest["work_dir"], env.work().to_str().unwrap());
    let schema = path.parent().unwrap().join(manifest["$schema"].as_str().unwrap());
    assert_eq!(fs::read_to_string(schema).unwrap(), env.cco(["schema"]).stdout);

    let _ = env.cco(["validate"]).exits(0);
    manifest["components"] = serde_json::json!([{"id": "api", "files": ["src/api/**"], "checks": ["true"]}]);
    fs::write(&path, manifest.to_string()).unwrap();
    let _ = env.cco(["validate"]).exits(0);
}

#[test]
fn json_names_the_spec() {
    let env = TestEnv::new();
    assert_output!(env.cco(["new", "--project", "p", "--name", "n", "--json", "-q"]), @r#"
    exit: 0
    -- stdout
    {
      "version": 1,
      "spec": "p/n-[HASH]",
      "path": "[ROOT]/home/.claude/cc_orchestrations/specs/p/n-[HASH]",
      "detected": {
        "project": "work",
        "found": [],
        "lint": null,
        "test": null,
        "setup": [],
        "tasks": [],
        "remarks": []
      }
    }
    -- stderr
    warning: `[ROOT]/work` is in no git repository, so agents would work in it directly; `git init [ROOT]/work` and a first commit give each component a worktree of its own
    "#);
}

/// A spec of that work directory, as it is printed.
fn made_in(env: &TestEnv, files: &[(&str, &str)]) -> crate::env::Output {
    for (path, text) in files {
        crate::env::write(&env.work().join(path), text);
    }
    fs::create_dir_all(env.work().join(".git")).unwrap();
    env.cco(["new", "--name", "invoices"]).exits(0)
}

#[test]
fn what_is_detected_is_said_and_stands_in_the_manifest() {
    let env = TestEnv::new();
    let package = r#"{"scripts": {"test": "node --test"}, "dependencies": {"left-pad": "1"}}"#;
    let output = made_in(
        &env,
        &[
            ("Cargo.toml", "[package]\nname = \"shop\"\n"),
            ("web/package.json", package),
            ("web/package-lock.json", "{}"),
            ("node_modules/x/package.json", "{"),
            ("specs/001-till/tasks.md", "- [ ] T001 x\n"),
        ],
    );
    assert_output!(output, @r"
    exit: 0
    -- stdout
    [ROOT]/home/.claude/cc_orchestrations/specs/shop/invoices-[HASH]
    -- stderr
    created `shop/invoices-[HASH]`
    detected: Rust (`Cargo.toml`), JavaScript (`web/package.json`)
      lint   cargo clippy --all-targets -- -D warnings
      tests  cargo test && (cd web && npm test)
      setup  (cd web && npm ci)
    next, one of:
      take the tasks of `specs/001-till/tasks.md`  cco import --from speckit specs/001-till/tasks.md --into shop/invoices --replace
      think it through with Claude                 cco spec shop/invoices
      write the components                         ${EDITOR:-vi} [ROOT]/home/.claude/cc_orchestrations/specs/shop/invoices-[HASH]/manifest.json
    then `cco validate shop/invoices`
    ");
    let _ = env.cco(["validate"]).exits(0);
    let manifest = fs::read_to_string(made(&env).join("manifest.json")).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(&regex_of(&env), "[ROOT]");
    settings.add_filter(r#""created": "[^"]*""#, r#""created": "[TIME]""#);
    settings.bind(|| insta::assert_snapshot!(manifest, @r#"
    {
      "$schema": "../../manifest.schema.json",
      "$comment": [
        "What a run works by. `cco validate` checks it, `cco schema` prints all fields, $schema completes them in editors. Any $comment may be removed.",
        "quality: commands that cco runs by itself and whose exit status decides, read out of Cargo.toml, web/package.json; edit them. What is red before any work stops the run.",
        "components: the pieces of work, each with the files that it may write. Those that do not depend on each other are built at once. Begin with one like this (depends_on takes ids):",
        {
          "id": "parser",
          "file": "src/parser.rs",
          "files": [
            "tests/parser.rs"
          ],
          "depends_on": [],
          "purpose": "Reads the input.",
          "checks": [
            "cargo test parser"
          ]
        }
      ],
      "name": "invoices",
      "project": "shop",
      "work_dir": "[ROOT]/work",
      "created": "[TIME]",
      "execution": {
        "$comment": "mode: quick (the whole is checked once, at the end), standard (each component is), full (after every step, one component at a time)",
        "mode": "standard",
        "setup": [
          "(cd web && npm ci)"
        ]
      },
      "components": [],
      "quality": {
        "lint_command": "cargo clippy --all-targets -- -D warnings",
        "test_command": "cargo test && (cd web && npm test)"
      },
      "gotchas": [],
      "agent": {
        "allow": [
          "Bash(npm:*)"
        ]
      }
    }
    "#));
}

/// What is read as a pattern is the root's path itself.
fn regex_of(env: &TestEnv) -> String {
    env.root().to_str().unwrap().replace('.', r"\.")
}

#[test]
fn every_kind_of_directory_gives_a_valid_manifest() {
    let package = r#"{"scripts": {"test": "x", "lint": "y"}, "devDependencies": {"x": "1"}}"#;
    let kinds: [&[(&str, &str)]; 8] = [
        &[("Cargo.toml", "[workspace]")],
        &[("package.json", package)],
        &[("pyproject.toml", "[tool.ruff]\n[tool.pytest]\n"), ("poetry.lock", "")],
        &[("go.mod", "module x")],
        &[("pom.xml", "")],
        &[("Makefile", "test:\nlint:\n")],
        &[("justfile", "test:\n  x\n")],
        &[("api/go.mod", "module x"), ("web/package.json", package)],
    ];
    for files in kinds {
        let env = TestEnv::new();
        let _ = made_in(&env, files);
        let verdict = env.cco(["validate"]).exits(0);
        let manifest: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(made(&env).join("manifest.json")).unwrap()).unwrap();
        assert!(manifest["quality"]["test_command"] != serde_json::Value::Null, "{files:?}: {manifest:#}");
        assert!(verdict.stdout.trim_end().ends_with("is valid"), "{files:?}: {verdict}");
    }
}

#[test]
fn hostile_files_are_said_and_nothing_waits_for_them() {
    let env = TestEnv::new();
    let huge = format!("{{\"scripts\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    crate::env::write(&env.work().join("package.json"), &huge);
    fs::write(env.work().join("Makefile"), b"test:\n\xff\xfe\n").unwrap();
    // A pipe would be waited for.
    let made_pipe = std::process::Command::new("mkfifo").arg(env.work().join("pyproject.toml")).status().unwrap();
    assert!(made_pipe.success());
    std::os::unix::fs::symlink("/", env.work().join("everything")).unwrap();
    let output = made_in(&env, &[("go.mod", "module \u{1b}[31m")]);
    assert_output!(output, @r"
    exit: 0
    -- stdout
    [ROOT]/home/.claude/cc_orchestrations/specs/31m/invoices-[HASH]
    -- stderr
    created `31m/invoices-[HASH]`
    detected: JavaScript (`package.json`), Go (`go.mod`), make (`Makefile`)
      lint   go vet ./...
      tests  go test ./...
    warning: `package.json` could not be read: it is larger than 1 MiB
    warning: `Makefile` could not be read: it is not UTF-8
    next, one of:
      think it through with Claude  cco spec 31m/invoices
      take tasks that are written   cco import --from markdown PLAN.md --into 31m/invoices --replace
      write the components          ${EDITOR:-vi} [ROOT]/home/.claude/cc_orchestrations/specs/31m/invoices-[HASH]/manifest.json
    then `cco validate 31m/invoices`
    ");
    let _ = env.cco(["validate"]).exits(0);
}

#[test]
fn a_directory_without_a_name_is_asked_for_one() {
    let env = TestEnv::new();
    let output = env.cco(["new", "--name", "n", "--work-dir", "/"]).exits(2);
    assert!(output.stderr.contains("--project PROJECT"), "{output}");
    assert!(!env.store().exists());
}

#[test]
fn two_specs_of_one_name_are_told_apart_by_their_hash() {
    let env = TestEnv::new();
    for _ in 0..2 {
        let _ = env.cco(["new", "--project", "p", "--name", "n"]).exits(0);
    }
    let ambiguous = env.cco(["validate", "p/n"]).exits(2);
    assert!(ambiguous.stderr.contains("`p/n` may mean any of 2 specs"), "{ambiguous}");
}

#[test]
fn bad_names_are_refused_and_leave_nothing() {
    let env = TestEnv::new();
    let long = "n".repeat(65);
    for name in ["", "..", "a..b", "a/b", "/abs", ".hidden", "a.lock", "a.", "a b", "a\u{1b}[2Jb", "ä", &long] {
        for (project, name) in [("p", name), (name, "n")] {
            let output = env.cco(["new", "--project", project, "--name", name]).exits(2);
            assert!(output.stderr.starts_with("error: the "), "{output}");
            assert!(!output.stderr.contains('\u{1b}'), "{output}");
        }
    }
    assert!(!env.store().exists());
}

#[test]
fn the_longest_name_can_be_used() {
    let env = TestEnv::new();
    let name = "n".repeat(64);
    let _ = env.cco(["new", "--project", "p", "--name", &name]).exits(0);
    assert_eq!(env.cco(["list"]).exits(0).stdout.lines().count(), 1);
    let _ = env.cco(["validate", &format!("p/{name}")]).exits(0);
    let dir_name = made(&env).file_name().unwrap().to_str().unwrap().to_owned();
    let _ = env.cco(["validate", &dir_name]).exits(0);
}

#[test]
fn projects_that_differ_in_case_only_are_refused() {
    let env = TestEnv::new();
    let _ = env.cco(["new", "--project", "Billing", "--name", "n"]).exits(0);
    assert_output!(env.cco(["new", "--project", "billing", "--name", "n"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: there is a project `Billing`, which differs in upper and lower case only
      help: `--project Billing` is that one
    ");
}

#[test]
fn a_missing_work_directory_is_a_warning() {
    let env = TestEnv::new();
    let output = env.cco(["new", "--project", "p", "--name", "n", "--work-dir", "~/later"]).exits(0);
    assert!(output.stderr.contains("warning: the work directory `[ROOT]/home/later` does not exist"), "{output}");
}

#[test]
fn a_store_that_cannot_be_written_is_an_error_of_the_environment() {
    let env = TestEnv::new();
    fs::write(env.root().join("file"), "").unwrap();
    let output = env.cco(["new", "--store", "../file/store", "--project", "p", "--name", "n"]).exits(7);
    assert!(output.stderr.starts_with("error: cannot create the spec\n  cause: "), "{output}");
    // A file system that is mounted read-only, where there is one to be had without privileges.
    if Path::new("/proc/self").exists() {
        let output = env.cco(["new", "--store", "/proc/store", "--project", "p", "--name", "n"]).exits(7);
        assert!(output.stderr.contains("help: another place for the store: `--store DIR`"), "{output}");
    }
}
