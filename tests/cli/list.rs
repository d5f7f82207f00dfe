//! `cco list`

use std::fs;

use crate::env::TestEnv;

#[test]
fn an_empty_store_says_how_to_begin() {
    assert_output!(TestEnv::new().cco(["list"]), @r"
    exit: 0
    -- stdout
    -- stderr
    no spec in `[ROOT]/home/.claude/cc_orchestrations/specs`
    help: `cco new --name NAME` creates one for the current directory
    ");
}

#[test]
fn quiet_says_nothing() {
    let output = TestEnv::new().cco(["list", "-q"]).exits(0);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
}

#[test]
fn a_broken_manifest_is_shown_and_harms_no_other() {
    let env = TestEnv::new();
    env.small_spec("p/good-00000001");
    env.spec("p/truncated-00000002", "{\"name\": \"x\"");
    env.spec("q/evil-00000003", "{\"name\": \"\\u001b[2J\"}");
    fs::create_dir_all(env.store().join("q/empty-00000004")).unwrap();
    fs::create_dir_all(env.store().join("q/.new-x")).unwrap();
    fs::write(env.store().join("stray.txt"), "").unwrap();
    assert_output!(env.cco(["list"]), @r"
    exit: 0
    -- stdout
    p/good-[HASH]       [ROOT]/work
    p/truncated-[HASH]  invalid: EOF while parsing an object at line 1 column 12
    q/empty-[HASH]      invalid: has no `manifest.json`
    q/evil-[HASH]       invalid: missing field `project` at line 1 column 21
    -- stderr
    ");
    let one = env.cco(["list", "--project", "q"]).exits(0);
    assert_eq!(one.stdout.lines().count(), 2, "{one}");
}

#[test]
fn json_is_one_versioned_document() {
    let env = TestEnv::new();
    env.small_spec("p/good-00000001");
    env.spec("p/truncated-00000002", "{");
    assert_output!(env.cco(["list", "--json"]), @r#"
    exit: 0
    -- stdout
    {
      "version": 1,
      "store": "[ROOT]/home/.claude/cc_orchestrations/specs",
      "specs": [
        {
          "spec": "p/good-[HASH]",
          "project": "p",
          "name": "small",
          "path": "[ROOT]/home/.claude/cc_orchestrations/specs/p/good-[HASH]",
          "work_dir": "[ROOT]/work",
          "problem": null
        },
        {
          "spec": "p/truncated-[HASH]",
          "project": "p",
          "name": null,
          "path": "[ROOT]/home/.claude/cc_orchestrations/specs/p/truncated-[HASH]",
          "work_dir": null,
          "problem": "EOF while parsing an object at line 1 column 1"
        }
      ]
    }
    -- stderr
    "#);
    assert_eq!(env.cco(["list", "--output", "json"]).json(), env.cco(["--json", "list"]).json());
}

#[test]
fn a_link_out_of_the_store_is_shown_as_invalid() {
    let env = TestEnv::new();
    env.small_spec("p/good-00000001");
    let outside = env.root().join("outside");
    crate::env::write(&outside.join("manifest.json"), &crate::env::small_manifest("out", &env.work()));
    std::os::unix::fs::symlink(&outside, env.store().join("p/link-00000002")).unwrap();
    let listing = env.cco(["list"]).exits(0);
    assert!(listing.stdout.contains("p/link-00000002  invalid: leads out of the spec store"), "{listing}");
}

#[test]
fn a_store_that_is_no_directory_is_an_error_of_the_environment() {
    let env = TestEnv::new();
    fs::write(env.root().join("file"), "").unwrap();
    assert_output!(env.cco(["list", "--store", "../file"]), @r"
    exit: 7
    -- stdout
    -- stderr
    error: cannot read the spec store
      cause: failed to read directory `[ROOT]/work/../file`: Not a directory (os error 20)
    ");
}
