//! Config files and variables.

use crate::env::{TestEnv, write};

#[test]
fn later_places_win() {
    let env = TestEnv::new();
    let store_of = |command: &mut std::process::Command| {
        env.run(command).exits(0).json()["store"].as_str().unwrap().replace("[ROOT]/", "")
    };
    assert_eq!(store_of(&mut env.command(["list", "--json"])), "home/.claude/cc_orchestrations/specs");
    write(&env.home().join(".config/cco/config.toml"), "store = \"~/mine\"\n");
    assert_eq!(store_of(&mut env.command(["list", "--json"])), "home/mine");
    assert_eq!(store_of(env.command(["list", "--json"]).env("CCO_STORE", "variable")), "work/variable");
    let flag = &mut env.command(["list", "--json", "--store", "flag"]);
    assert_eq!(store_of(flag.env("CCO_STORE", "variable")), "work/flag");
}

#[test]
fn an_unknown_key_is_one_clear_error() {
    let env = TestEnv::new();
    write(&env.home().join(".config/cco/config.toml"), "# mine\njobs = 4\nmodle = \"opus\"\n");
    assert_output!(env.cco(["list"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `[ROOT]/home/.config/cco/config.toml`, line 3
      cause: unknown field `modle`, expected one of `store`, `color`, `agent`, `model`, `strong_model`, `models`, `jobs`, `mode`, `isolation`, `budget_usd`, `step_timeout`, `idle_timeout`, `notify`, `bypass_permissions`
    ");
}

#[test]
fn a_file_that_is_no_toml_is_one_clear_error() {
    let env = TestEnv::new();
    write(&env.home().join(".config/cco/config.toml"), "jobs = 4\nmodel = opus\n");
    assert_output!(env.cco(["list"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `[ROOT]/home/.config/cco/config.toml`, line 2
      cause: string values must be quoted, expected literal string
    ");
}

#[test]
fn values_out_of_bounds_name_their_place() {
    let env = TestEnv::new();
    assert_output!(env.run(env.command(["list"]).env("CCO_JOBS", "many")), @r#"
    exit: 2
    -- stdout
    -- stderr
    error: environment variable `CCO_JOBS`: invalid type: string "many", expected u32
    "#);
    assert_output!(env.run(env.command(["list"]).env("CCO_MODE", "fast")), @r"
    exit: 2
    -- stdout
    -- stderr
    error: environment variable `CCO_MODE`: unknown variant `fast`, expected one of `quick`, `standard`, `full`
    ");
    write(&env.home().join(".config/cco/config.toml"), "jobs = 0\n");
    assert_output!(env.cco(["list"]), @r"
    exit: 2
    -- stdout
    -- stderr
    error: `[ROOT]/home/.config/cco/config.toml`: `jobs` must be between 1 and 256
    ");
}

#[test]
fn only_the_users_own_file_may_loosen_permissions() {
    let env = TestEnv::new();
    let _ = env.run(env.command(["list"]).env("CCO_BYPASS_PERMISSIONS", "true")).exits(2);
    write(&env.home().join(".config/cco/config.toml"), "bypass_permissions = true\n");
    let _ = env.cco(["list"]).exits(0);
}
