//! `cco doctor`

use crate::env::TestEnv;

#[test]
fn a_missing_agent_is_told_with_its_remedy() {
    let output = TestEnv::new().cco(["doctor"]).exits(7);
    for part in
        ["fail  agent      `claude` was not found", "help: install claude", "ok    git", "ok    strays     none"]
    {
        assert!(output.stdout.contains(part), "{part}\n{output}");
    }
}

#[test]
fn every_setting_says_who_set_it() {
    let env = TestEnv::new();
    env.small_spec("p/small-00000001");
    crate::env::write(&env.work().join(".cco.toml"), "jobs = 3");
    let mut command = env.command(["doctor", "p/small", "--json"]);
    let report = env.run(command.env("CCO_CLAUDE", "sim")).exits(0).json();
    assert_eq!((&report["version"], &report["healthy"]), (&1.into(), &true.into()));
    let row = |name: &str| report["settings"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
    assert_eq!((&row("agent")["value"], &row("agent")["origin"]), (&"sim".into(), &"environment".into()));
    assert_eq!(row("jobs")["value"], 3);
    assert!(row("jobs")["origin"]["project"].as_str().unwrap().ends_with(".cco.toml"), "{report}");
    let agent = report["findings"].as_array().unwrap().iter().find(|finding| finding["what"] == "agent").unwrap();
    assert_eq!(agent["health"], "warn");
}

#[test]
fn an_invalid_spec_is_told() {
    let env = TestEnv::new();
    env.spec("p/bad-00000001", "{}");
    let output = env.run(env.command(["doctor", "p/bad"]).env("CCO_CLAUDE", "sim")).exits(7);
    assert!(output.stdout.contains("fail  spec") && output.stdout.contains("`cco validate p/bad-"), "{output}");
}
