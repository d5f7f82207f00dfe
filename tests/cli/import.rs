//! `cco import`

use std::fs;
use std::path::{Path, PathBuf};

use crate::env::{Output, TestEnv, write};

/// Two tasks that are all that a manifest needs, and a plan.
const TASKS: &str =
    "## Phase 1: Setup\n\n- [ ] T001 Make the model in src/model.rs\n- [ ] T002 [P] Make the page in src/page.rs\n";
const PLAN: &str = "# Plan\n\n**Language/Version**: Rust\n**Testing**: `cargo test --all`\n";

/// A work directory with these files of spec-kit.
fn speckit(tasks: &str) -> TestEnv {
    let env = TestEnv::new();
    write(&env.work().join("specs/001/tasks.md"), tasks);
    write(&env.work().join("specs/001/plan.md"), PLAN);
    env
}

/// Imports them as a new spec, with further words.
fn import(env: &TestEnv, further: &[&str]) -> Output {
    let words = ["import", "--from", "speckit", "specs/001/tasks.md", "--project", "shop", "--name", "page"];
    env.cco(words.iter().chain(further))
}

/// The one spec of the store.
fn made(env: &TestEnv) -> PathBuf {
    let output = env.cco(["list", "--json"]).json();
    PathBuf::from(output["specs"][0]["path"].as_str().unwrap().replace("[ROOT]", env.root().to_str().unwrap()))
}

fn manifest(spec: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(spec.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn makes_a_spec_and_says_what_was_lost() {
    let env = speckit(TASKS);
    assert_output!(import(&env, &[]), @r"
    exit: 0
    -- stdout
    specs/001/tasks.md:3: changed[I206]: no task says all that it waits for; read from the phases: a task waits for the one before it, tasks marked [P] in a row wait together, what stands under a heading for what stands before it, user stories not for each other
    specs/001/tasks.md:3: kept[I302]: `T001` names what is not there: `src/model.rs`; it may be to make it
    specs/001/tasks.md:4: kept[I302]: `T002` names what is not there: `src/page.rs`; it may be to make it
    specs/001/plan.md:4: kept[I601]: `cargo test --all` is named; taken as `quality.test_command`
    2 components; 0 dropped, 1 changed, 3 kept to be looked at

    `[ROOT]/home/.claude/cc_orchestrations/specs/shop/page-[HASH]/manifest.json` is valid
    -- stderr
    `specs/001/plan.md` is read too
    created `shop/page-[HASH]` with 2 components
    help: `cco run shop/page-[HASH] -n` shows what would run
    ");
    let spec = made(&env);
    assert_eq!(fs::read_to_string(spec.join("SPEC.md")).unwrap(), PLAN);
    let manifest = manifest(&spec);
    assert_eq!(manifest["work_dir"], env.work().to_str().unwrap());
    assert_eq!(manifest["quality"]["test_command"], "cargo test --all");
    // It is as good as one that was made by hand.
    let _ = env.cco(["validate", "shop/page"]).exits(0);
    let _ = env.cco(["graph", "shop/page"]).exits(0);
    assert!(spec.join("state/.gitignore").is_file() && spec.join("brainstorm/MISSION.md").is_file());
}

#[test]
fn a_dry_run_prints_the_manifest_alone_on_stdout_and_writes_nothing() {
    let env = speckit(TASKS);
    let output = import(&env, &["-n"]).exits(0);
    let manifest = output.json();
    assert_eq!(manifest["components"][1]["depends_on"][0], "T001");
    assert!(output.stderr.contains("specs/001/plan.md:4: kept[I601]: `cargo test --all` is named"), "{output}");
    assert!(output.stderr.ends_with("`manifest.json` is valid\n"), "{output}");
    assert!(!env.store().exists());
    // Quiet is for what is nice to know.
    assert!(import(&env, &["-n", "-q"]).stderr.contains("I601"));
}

#[test]
fn what_does_not_validate_is_written_and_says_why() {
    let env = speckit("- [ ] T001 Think\n- [ ] T002 Make src/a.rs (depends on T003)\n- [ ] T003 Make src/b.rs\n");
    let output = import(&env, &[]).exits(1);
    for part in
        ["kept[I203]: a cycle: T002 -> T003 -> T002", "error[E015]", "kept[I304]: `T001` names no file", "error[E016]"]
    {
        assert!(output.stdout.contains(part), "{part}\n{output}");
    }
    assert!(output.stderr.contains("help: mend `[ROOT]/home/"), "{output}");
    assert_eq!(manifest(&made(&env))["components"].as_array().unwrap().len(), 3);
    let _ = env.cco(["validate", "shop/page"]).exits(1);
}

/// From the other tool's file to the finished work: nothing has to be mended between the two.
#[test]
fn what_was_imported_runs_to_its_end() {
    let env = TestEnv::new();
    let table = "| Component | Files | Depends on | Complexity | Check |\n|---|---|---|---|---|\n\
                 | a | a.txt | | low | `test -e a.txt` |\n| b | b.txt | a | low | `test -e b.txt` |\n";
    write(&env.work().join("PLAN.md"), table);
    let _ = env.cco(["import", "--from", "markdown", "PLAN.md", "--project", "p", "--name", "n"]).exits(0);
    let write_own =
        |id: &str| serde_json::json!({"actions": [{"write": {"path": format!("{id}.txt"), "text": "made\n"}}]});
    let steps =
        serde_json::json!({"steps": {"a.implement": write_own("a"), "b.implement": write_own("b")}, "default": {}});
    write(&made(&env).join("scenario.json"), &steps.to_string());
    let words = ["run", "p/n", "--agent", "sim", "--isolation", "shared", "--mode", "quick", "--no-input"];
    let _ = env.cco(words).exits(0);
    assert_eq!(fs::read_to_string(env.work().join("b.txt")).unwrap(), "made\n");
}

#[test]
fn json_is_one_document() {
    let env = speckit(TASKS);
    let document = import(&env, &["--json", "-n"]).exits(0).json();
    assert_eq!(document["version"], 1);
    assert_eq!((&document["dry_run"], &document["valid"], &document["spec"]), (&true.into(), &true.into(), &().into()));
    assert_eq!(document["manifest"]["components"][0]["id"], "T001");
    let loss = &document["losses"][0];
    assert_eq!((&loss["code"], &loss["effect"], &loss["line"]), (&"I206".into(), &"changed".into(), &3.into()));
    assert_eq!(loss["file"], "specs/001/tasks.md");

    let document = import(&env, &["--json"]).exits(0).json();
    assert_eq!((&document["dry_run"], &document["components"]), (&false.into(), &2.into()));
    assert!(document["spec"].as_str().unwrap().starts_with("shop/page-") && document.get("manifest").is_none());
}

#[test]
fn a_manifest_that_is_there_is_replaced_only_if_asked_and_kept() {
    let env = speckit(TASKS);
    let old = serde_json::json!({
        "name": "mine", "project": "p", "work_dir": env.work(), "agent": {"model": "opus"}, "quality": {"test_command": "make"},
        "components": [{"id": "a", "file": "a.txt"}],
    });
    let spec = env.spec("p/mine-00000001", &old.to_string());
    let words = ["import", "--from", "speckit", "specs/001/tasks.md", "--into", "p/mine"];
    assert_output!(env.cco(words), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `p/mine-[HASH]` has a manifest
      help: `--replace` puts the import in its place and keeps the old one beside it; `-n` shows it
    ");
    assert_eq!(manifest(&spec), old);
    let _ = env.cco(words.iter().chain(&["-n"])).exits(0);
    assert_eq!(manifest(&spec), old);

    let output = env.cco(words.iter().chain(&["--replace"])).exits(0);
    let note = "the old manifest is `[ROOT]/home/.claude/cc_orchestrations/specs/p/mine-00000001/manifest.old-1.json`";
    assert!(output.stderr.contains(note), "{output}");
    assert_eq!(fs::read_to_string(spec.join("manifest.old-1.json")).unwrap(), old.to_string());
    let new = manifest(&spec);
    assert_eq!((&new["agent"], &new["quality"], &new["name"]), (&old["agent"], &old["quality"], &old["name"]));
    assert_eq!(new["components"][0]["id"], "T001");
    // The next one keeps both.
    let _ = env.cco(words.iter().chain(&["--replace"])).exits(0);
    assert_eq!(fs::read_to_string(spec.join("manifest.old-1.json")).unwrap(), old.to_string());
    assert!(spec.join("manifest.old-2.json").is_file());
    let leftovers = fs::read_dir(&spec)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".cco-"));
    assert_eq!(leftovers.count(), 0);
}

#[test]
fn a_manifest_that_cannot_be_read_is_not_replaced() {
    let env = speckit(TASKS);
    let spec = env.spec("p/torn-00000001", "{\"name\": ");
    let output =
        env.cco(["import", "--from", "speckit", "specs/001/tasks.md", "--into", "p/torn-00000001", "--replace"]);
    let output = output.exits(65);
    assert!(output.stderr.contains("is not a JSON object") && output.stderr.contains("help: mend it"), "{output}");
    assert_eq!(fs::read_to_string(spec.join("manifest.json")).unwrap(), "{\"name\": ");
}

#[test]
fn files_that_cannot_be_imported_are_one_clear_error_and_leave_nothing() {
    let env = TestEnv::new();
    fs::write(env.work().join("huge.md"), "- [ ] T001 src/a.rs\n".repeat(520_000)).unwrap();
    fs::write(env.work().join("latin.md"), b"- [ ] T001 caf\xe9 in src/a.rs\n").unwrap();
    fs::write(env.work().join("empty.md"), "").unwrap();
    fs::write(env.work().join("torn.json"), "{\"tasks\": [").unwrap();
    fs::write(env.work().join("deep.json"), format!("{{\"tasks\": {}", "[".repeat(100_000))).unwrap();
    fs::write(env.work().join("many.md"), (0..100_001).map(|n| format!("- [ ] T{n} src/a.rs\n")).collect::<String>())
        .unwrap();
    fs::write(env.work().join("tags.json"), "{\"a\": {\"tasks\": []}, \"b\": {\"tasks\": []}}").unwrap();
    for (from, file, status, part) in [
        ("speckit", "huge.md", 65, "bytes; the limit is 8388608"),
        ("markdown", "latin.md", 65, "line 1: not UTF-8: byte 0xe9 at offset 14"),
        ("markdown", "empty.md", 65, "has no task that could be read"),
        ("speckit", "torn.json", 65, "has no task that could be read"),
        ("taskmaster", "torn.json", 65, "line 1: not JSON: EOF"),
        ("taskmaster", "deep.json", 65, "nested deeper than 64 levels"),
        ("speckit", "many.md", 65, "there are 100001 tasks to be done; a manifest has at most 100000 components"),
        ("taskmaster", "tags.json", 2, "has 2 tags: `a`, `b`"),
        ("speckit", "none.md", 2, "`none.md` does not exist"),
        ("speckit", ".", 2, "is a directory"),
    ] {
        let output = env.cco(["import", "--from", from, file, "--project", "p", "--name", "n"]).exits(status);
        assert_eq!(output.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{output}");
        assert!(output.stderr.contains(part) && output.stdout.is_empty(), "{part}\n{output}");
        assert!(!env.store().exists(), "{output}");
    }
}

#[test]
fn words_that_do_not_fit_are_usage_errors() {
    let env = speckit(TASKS);
    let import = |words: &[&str]| env.cco(["import", "--from", "speckit", "specs/001/tasks.md"].iter().chain(words));
    let both = import(&["--into", "p/n", "--project", "p"]).exits(2);
    assert!(both.stderr.contains("cannot be used with"), "{both}");
    let neither = import(&[]).exits(2);
    assert!(neither.stderr.contains("--project <PROJECT>"), "{neither}");
    let tag = import(&["--project", "p", "--name", "n", "--tag", "x"]).exits(2);
    assert!(tag.stderr.contains("nothing else has tags"), "{tag}");
    let set = import(&["--project", "p", "--name", "n", "--write-set", "../x"]).exits(2);
    assert!(set.stderr.contains("error: `--write-set`: `../x` leads out of the work directory"), "{set}");
    let name = import(&["--project", "p", "--name", "a/b", "-n"]).exits(2);
    assert!(name.stderr.starts_with("`specs/001/plan.md` is read too\nerror: the spec's name"), "{name}");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let env =
        speckit("- [ ] T001 Make \u{1b}[2Jsrc/a.rs (depends on T9\u{1b}[31m)\n- [ ] \u{1b}[2J\n## \u{9b}31m\ntext\n");
    for further in [&["-n"][..], &[], &["--json"]] {
        let output = import(&env, further);
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{output}");
        }
    }
}
