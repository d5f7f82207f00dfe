//! `cco validate`

use crate::env::TestEnv;

#[test]
fn a_valid_spec() {
    let env = TestEnv::new();
    env.small_spec("p/small-00000001");
    assert_output!(env.cco(["validate", "p/small"]), @"");
    assert_output!(env.cco(["validate", "p/small", "--json"]), @"");
}

#[test]
fn all_problems_at_once() {
    let env = TestEnv::new();
    let manifest = r#"{
  "name": "bad", "project": "p", "work_dir": ".",
  "validation_command": "true",
  "components": [
    {"id": "a", "file": "a.txt", "depends_on": ["b"]},
    {"id": "b", "file": "/etc/passwd", "depends_on": ["a", "nobody"]}
  ]
}"#;
    env.spec("p/bad-00000001", manifest);
    assert_output!(env.cco(["validate", "p/bad"]), @"");
    let json = env.cco(["validate", "p/bad", "--json"]).exits(1).json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["valid"], false);
    assert!(json["problems"].as_array().unwrap().len() >= 3, "{json}");
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
