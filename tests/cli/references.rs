//! How a spec is named.

use std::fs;
use std::os::unix::fs::symlink;

use crate::env::{TestEnv, small_manifest, write};

/// `validate` is the command that tells most directly which spec was found.
fn found(env: &TestEnv, reference: &str) -> String {
    let output = env.cco(["validate", "--json", reference]).exits(0).json();
    output["manifest"].as_str().unwrap().to_owned()
}

#[test]
fn by_name_prefix_and_path() {
    let env = TestEnv::new();
    let dir = env.small_spec("billing/invoices-00000001");
    env.small_spec("billing/refunds-00000002");
    env.small_spec("shop/cart-00000003");
    let manifest = "[ROOT]/home/.claude/cc_orchestrations/specs/billing/invoices-00000001/manifest.json";
    let path = dir.to_str().unwrap().to_owned();
    let references = [
        "billing/invoices-00000001",
        "billing/invoices",
        "billing/inv",
        "billing/invoices-0",
        "invoices",
        "inv",
        "billing/invoices-00000001/",
        &path,
    ];
    for reference in references {
        assert_eq!(found(&env, reference), manifest, "{reference}");
    }
    let flag = env.cco(["validate", "--json", "--spec", "billing/inv"]).exits(0).json();
    assert_eq!(flag["manifest"], manifest);
}

#[test]
fn a_whole_name_wins_over_a_beginning() {
    let env = TestEnv::new();
    env.small_spec("p/api-00000001");
    env.small_spec("p/api-v2-00000002");
    assert!(found(&env, "p/api").contains("api-00000001"));
    assert!(found(&env, "p/api-v").contains("api-v2-00000002"));
}

#[test]
fn by_a_path_outside_the_store() {
    let env = TestEnv::new();
    write(&env.work().join("specs/ci/manifest.json"), &small_manifest("ci", &env.work()));
    for reference in ["specs/ci", "./specs/ci", "../work/specs/ci/"] {
        assert_eq!(found(&env, reference), "[ROOT]/work/specs/ci/manifest.json", "{reference}");
    }
}

#[test]
fn by_the_current_directory() {
    let env = TestEnv::new();
    let inner = env.work().join("inner/deep");
    fs::create_dir_all(&inner).unwrap();
    env.small_spec("p/outer-00000001");
    let from = |dir: &std::path::Path| env.run(env.command(["validate", "--json"]).current_dir(dir));
    assert!(from(&inner).exits(0).stdout.contains("outer-00000001"));
    // The innermost work directory wins.
    env.spec("p/inner-00000002", &small_manifest("inner", &env.work().join("inner")));
    assert!(from(&inner).exits(0).stdout.contains("inner-00000002"));
    env.spec("q/inner-00000003", &small_manifest("inner", &env.work().join("inner")));
    assert_output!(from(&inner), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `[ROOT]/work/inner/deep` may mean any of 2 specs
      help: name one of: p/inner-[HASH], q/inner-[HASH]
    ");
    assert_output!(from(&env.home()), @r"
    exit: 2
    -- stdout
    -- stderr
    error: no spec works on `[ROOT]/home`
      help: name a spec; `cco list` shows those that there are, `cco new --name NAME` creates one
    ");
}

#[test]
fn an_empty_store_says_how_to_begin() {
    assert_output!(TestEnv::new().cco(["validate"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: no spec works on `[ROOT]/work`
      help: `cco new --name NAME` creates one for this directory; `cco demo` shows how it goes
    ");
}

#[test]
fn an_unknown_name_suggests_the_nearest() {
    let env = TestEnv::new();
    env.small_spec("billing/invoices-00000001");
    assert_output!(env.cco(["validate", "billing/invocies"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: no spec `billing/invocies` in `[ROOT]/home/.claude/cc_orchestrations/specs`
      help: did you mean `billing/invoices`?
    ");
    assert_output!(env.cco(["validate", "something/else"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: no spec `something/else` in `[ROOT]/home/.claude/cc_orchestrations/specs`
      help: `cco list` shows the specs that there are
    ");
}

#[test]
fn an_ambiguous_name_lists_the_candidates() {
    let env = TestEnv::new();
    env.small_spec("billing/invoices-00000001");
    env.small_spec("billing/inventory-00000002");
    assert_output!(env.cco(["validate", "billing/inv"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `billing/inv` may mean any of 2 specs
      help: name one of: billing/inventory-[HASH], billing/invoices-[HASH]
    ");
}

#[test]
fn what_is_no_name_and_no_spec_directory_is_refused() {
    let env = TestEnv::new();
    env.small_spec("p/n-00000001");
    assert_output!(env.cco(["validate", "p/../p/n"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `p/../p/n` is no spec reference: `..` leads out of the store
      help: a spec is named `<project>/<name>`; a path to a spec directory begins with `/` or `./`
    ");
    assert_output!(env.cco(["validate", "../nowhere"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `[ROOT]/work/../nowhere` is no spec directory: it does not exist
      help: a spec directory holds a `manifest.json`; `cco list` shows those of the store
    ");
    assert_output!(env.cco(["validate", "/"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `/` is no spec directory: it has no `manifest.json`
      help: a spec directory holds a `manifest.json`; `cco list` shows those of the store
    ");
    for reference in ["", "/nowhere/at/all", "..", ".", "~", "p//n", "p/n\0x", "p/\u{1b}[2Jn", "a b", "//"] {
        if reference.contains('\0') {
            continue; // No program can be given one.
        }
        let output = env.cco(["validate", reference]).exits(2);
        assert!(output.stderr.starts_with("error: ") && output.stderr.lines().count() <= 3, "{output}");
        assert!(!output.stderr.contains('\u{1b}'), "{output}");
    }
}

#[test]
fn a_link_out_of_the_store_is_refused() {
    let env = TestEnv::new();
    let outside = env.root().join("outside");
    write(&outside.join("manifest.json"), &small_manifest("out", &env.work()));
    fs::create_dir_all(env.store().join("p")).unwrap();
    let link = env.store().join("p/link-00000001");
    symlink(&outside, &link).unwrap();
    assert_output!(env.cco(["validate", "p/link"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `[ROOT]/home/.claude/cc_orchestrations/specs/p/link-[HASH]` leads out of the spec store
      help: name the directory itself by its path
    ");
    let _ = env.cco(["validate", link.to_str().unwrap()]).exits(2);
    // The directory itself may be named: whoever does so means it.
    assert_eq!(found(&env, "../outside"), "[ROOT]/outside/manifest.json");
}

#[test]
fn the_store_itself_may_be_a_link() {
    let env = TestEnv::new();
    let real = env.root().join("real");
    write(&real.join("p/n-00000001/manifest.json"), &small_manifest("n", &env.work()));
    symlink(&real, env.root().join("link")).unwrap();
    let output = env.cco(["validate", "--store", "../link", "p/n", "--json"]).exits(0);
    assert!(output.stdout.contains("[ROOT]/real/p/n-00000001"), "{output}");
}
