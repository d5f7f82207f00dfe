//! Tests of the room `plan`.

use std::fs;

use cco::plan::resolve::{Choices, Inputs, resolve};
use cco::plan::{CheckPlan, Plan};
use cco::spec::load::load;
use serde_json::{Value, json};

/// The plan of one component with this `quality`.
fn plan(quality: &Value) -> Plan {
    let dir = tempfile::tempdir().unwrap();
    let manifest = json!({
        "name": "shop", "project": "web", "work_dir": ".",
        "components": [{"id": "model", "file": "model.rs"}],
        "quality": quality,
    });
    fs::write(dir.path().join("manifest.json"), manifest.to_string()).unwrap();
    resolve(&load(dir.path()).unwrap(), &Choices::default(), &Inputs::new()).unwrap()
}

/// The environment of a plan's check.
fn env_of(plan: &Plan, name: &str) -> Vec<(String, String)> {
    let named = |check: &&CheckPlan| &*check.name == name;
    plan.checks.iter().find(named).unwrap_or_else(|| panic!("no check `{name}`")).env.clone()
}

#[test]
fn the_coverage_command_is_told_what_it_must_reach() {
    let measure = json!({"name": "coverage", "run": "./measure"});
    let own = json!({"name": "coverage", "run": "./measure", "env": {"CCO_COVERAGE_TARGET": "50"}});
    for (quality, target) in [
        (json!({"coverage_command": measure, "coverage_target": 93}), "93"),
        (json!({"coverage_command": measure}), "80"),
        (json!({"coverage_command": own, "coverage_target": 93}), "50"),
    ] {
        let expected = [("CCO_COVERAGE_TARGET".to_owned(), target.to_owned())];
        assert_eq!(env_of(&plan(&quality), "coverage"), expected, "{quality}");
    }
    let quality = json!({"test_command": {"name": "tests", "run": "./test"}, "coverage_target": 93});
    assert_eq!(env_of(&plan(&quality), "tests"), []);
}
