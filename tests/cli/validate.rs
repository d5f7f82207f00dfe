//! `cco validate`

use crate::env::TestEnv;

/// A manifest with three errors: a cycle, a path outside, an unknown dependency.
const BAD: &str = r#"{
  "name": "bad", "project": "p", "work_dir": "/",
  "validation_command": "true",
  "components": [
    {"id": "a", "file": "a.txt", "depends_on": ["b"]},
    {"id": "b", "file": "/etc/passwd", "depends_on": ["a", "nobody"]}
  ]
}"#;

#[test]
fn a_valid_spec() {
    let env = TestEnv::new();
    let manifest = serde_json::json!({
        "name": "good", "project": "p", "work_dir": env.work(),
        "execution": {"require_tests": false},
        "components": [{"id": "a", "file": "a.txt", "checks": ["true"]}],
    });
    env.spec("p/good-00000001", &manifest.to_string());
    assert_output!(env.cco(["validate", "p/good"]), @r"
    exit: 0
    -- stdout
    `[ROOT]/home/.claude/cc_orchestrations/specs/p/good-[HASH]/manifest.json` is valid
    -- stderr
    help: `cco run p/good -n` shows what would run
    ");
    assert_output!(env.cco(["validate", "p/good", "--json"]), @r#"
    exit: 0
    -- stdout
    {
      "version": 1,
      "spec": "p/good-[HASH]",
      "manifest": "[ROOT]/home/.claude/cc_orchestrations/specs/p/good-[HASH]/manifest.json",
      "valid": true,
      "problems": []
    }
    -- stderr
    "#);
}

#[test]
fn all_problems_at_once() {
    let env = TestEnv::new();
    env.spec("p/bad-00000001", BAD);
    let output = env.cco(["validate", "p/bad"]).exits(1);
    for part in ["a -> b -> a", "manifest.json:6:25", "`/etc/passwd`", "`nobody`", "is invalid: 3 errors"] {
        assert!(output.stdout.contains(part), "{part}\n{output}");
    }
    assert_eq!(output.stderr, "");

    let json = env.cco(["validate", "p/bad", "--json"]).exits(1).json();
    assert_eq!((&json["version"], &json["valid"]), (&1.into(), &false.into()));
    let errors = json["problems"].as_array().unwrap().iter().filter(|problem| problem["severity"] == "error");
    let places: Vec<_> = errors.map(|problem| (problem["path"].as_str().unwrap(), &problem["line"])).collect();
    assert_eq!(places.len(), 3, "{json}");
    assert!(places.contains(&("/components/1/file", &6.into())), "{places:?}");
}

#[test]
fn hostile_manifests_end_in_one_clear_message() {
    let env = TestEnv::new();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (name, text) in [("empty", ""), ("truncated", "{\"name\": \"x"), ("deep", &deep), ("list", "[]")] {
        env.spec(&format!("p/{name}-00000001"), text);
        let output = env.cco(["validate", &format!("p/{name}")]).exits(1);
        assert!(!output.stdout.is_empty() && output.stdout.lines().count() < 40, "{output}");
    }
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let env = TestEnv::new();
    let manifest =
        r#"{"name": "x", "project": "p", "work_dir": ".", "components": [{"id": "a\u001b[2Jb", "file": "a"}]}"#;
    env.spec("p/evil-00000001", manifest);
    env.spec("p/raw-00000002", &manifest.replace("\\u001b", "\u{1b}"));
    for spec in ["p/evil", "p/raw"] {
        let output = env.cco(["validate", spec, "--color", "never"]).exits(1);
        assert!(!output.stdout.contains(|c: char| c.is_control() && c != '\n'), "{output}");
    }
}
