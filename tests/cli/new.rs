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
    help: describe the components in `[ROOT]/home/.claude/cc_orchestrations/specs/billing/invoices-[HASH]/manifest.json`, then `cco validate billing/invoices-[HASH]`
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
      "path": "[ROOT]/home/.claude/cc_orchestrations/specs/p/n-[HASH]"
    }
    -- stderr
    "#);
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
