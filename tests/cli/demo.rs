//! `cco demo`

use std::fs;
use std::path::Path;

use crate::env::TestEnv;

#[test]
fn it_runs_on_a_machine_that_has_nothing_but_git() {
    let env = TestEnv::new();
    let output = env.run(env.command(["demo", "--dir", "demo"]).env("CCO_SIM_PACE", "0")).exits(0);
    assert!(
        output.stdout.contains("6 of 6 components complete") && output.stdout.contains("was simulated"),
        "{output}"
    );
    assert!(output.stderr.contains("cco status [ROOT]/work/demo/wordfreq"), "{output}");
    let again = env.cco(["run", "demo/wordfreq", "--agent", "sim"]).exits(0);
    assert!(again.stderr.contains("everything is up to date"), "{again}");
}

#[test]
fn every_file_of_the_examples_is_in_it() {
    for name in ["wordfreq", "cli-feature", "python-service", "web-page", "refactoring"] {
        let env = TestEnv::new();
        // Without git it goes no further than its files.
        let _ = env.run(env.command(["demo", name, "--dir", "demo"]).env("PATH", env.home())).exits(7);
        let (demo, example) =
            (env.work().join("demo"), Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name));
        for (from, to) in
            [("spec", name.to_owned()), ("files", format!("{name}/files")), ("project", "project".to_owned())]
        {
            same_files(&example.join(from), &demo.join(to));
        }
        same_file(&example.join("scenario.json"), &demo.join(name).join("scenario.json"));
    }
}

fn same_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() { same_files(&entry.path(), &to) } else { same_file(&entry.path(), &to) }
    }
}

fn same_file(from: &Path, to: &Path) {
    let (from, to) =
        (fs::read_to_string(from).unwrap(), fs::read_to_string(to).unwrap_or_else(|error| panic!("{to:?}: {error}")));
    assert_eq!(from, to);
}

#[test]
fn a_directory_that_is_in_use_is_left_alone() {
    let env = TestEnv::new();
    crate::env::write(&env.work().join("demo/mine.txt"), "");
    assert_output!(env.cco(["demo", "--dir", "demo"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `[ROOT]/work/demo` is not empty
      help: name a new directory; a demo that is there already goes on with `cco run DIR/NAME`
    ");
}

#[test]
fn without_git_it_says_so() {
    let env = TestEnv::new();
    let output = env.run(env.command(["demo", "--dir", "demo"]).env("PATH", env.home())).exits(7);
    assert!(output.stderr.contains("cannot run `git`") && output.stderr.contains("install git"), "{output}");
}
