//! Tests of the room `spec`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cco::diagnostic::{Severity, Source, render};
use cco::spec::load::{self, LoadError, Report, check, load};
use cco::spec::{cycles, locate, manifest, schema, writeset};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A spec directory with this manifest and a work directory `code`.
fn spec_dir(manifest: impl AsRef<[u8]>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("temp dir");
    fs::create_dir(dir.path().join("code")).expect("work dir");
    fs::write(dir.path().join("manifest.json"), manifest).expect("manifest");
    dir
}

/// All that `cco validate` would print about this manifest.
fn report(manifest: impl AsRef<[u8]>) -> String {
    let dir = spec_dir(manifest);
    shown(dir.path(), &check(dir.path()))
}

fn shown(dir: &Path, report: &Report) -> String {
    let all: Vec<String> = report.diagnostics.iter().map(|d| render(d, &report.source, false)).collect();
    all.join("\n\n").replace(&dir.display().to_string(), "SPEC")
}

/// The codes of all that is reported, errors and others.
fn codes(manifest: impl AsRef<[u8]>) -> Vec<&'static str> {
    let dir = spec_dir(manifest);
    check(dir.path()).diagnostics.iter().map(|d| d.code).collect()
}

/// A manifest without problems, as a value to be changed.
fn good() -> Value {
    json!({
        "$schema": "cco.schema.json",
        "name": "shop", "project": "web", "work_dir": "code",
        "components": [
            { "id": "model", "file": "src/model.rs" },
            { "id": "api", "files": ["src/api/**"], "depends_on": ["model"], "checks": ["true"] },
        ],
        "quality": { "test_command": "make test", "lint_command": ["make \\", "lint"] },
    })
}

fn text(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value is JSON")
}

/// `good` with `change` made to it.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut value = good();
    change(&mut value);
    text(&value)
}

mod messages {
    use super::*;

    #[test]
    fn a_good_manifest_has_no_problems() {
        assert_eq!(report(text(&good())), "");
    }

    #[test]
    fn all_problems_at_once() {
        insta::assert_snapshot!(report(r#"{
  "$schema": "x",
  "name": "shop", "project": "web", "work_dir": "code",
  "risk_levle": "high",
  "execution": { "mode": "fulll", "max_parallel": 0, "step_timeout": "1 hour", "voting_gates": ["doc_qualty"] },
  "components": [
    { "id": "model", "file": "/etc/passwd" },
    { "id": "api", "files": ["../x"], "depends_on": ["modle", "api"] },
    { "id": "Model", "complexity": 5, "checks": [{ "nam": "lint", "run": "make" }] }
  ]
}"#), @r#"
        error[E007]: unknown field `risk_levle`
         --> SPEC/manifest.json:4:3
          |
        4 |   "risk_levle": "high",
          |   ^^^^^^^^^^^^
          |
          = help: did you mean `risk_level`?

        warning[W103]: tests are required, but no command runs those of `model`, `api`
         --> SPEC/manifest.json:5:3
          |
        5 |   "execution": { "mode": "fulll", "max_parallel": 0, "step_timeout": "1 hour", "voting_gates": ["doc_qualty"] },
          |   ^^^^^^^^^^^
          |
          = help: add `quality.test_command`, or `checks` to the components

        error[E005]: `mode` cannot be `fulll`
         --> SPEC/manifest.json:5:26
          |
        5 |   "execution": { "mode": "fulll", "max_parallel": 0, "step_timeout": "1 hour", "voting_gates": ["doc_qualty"] },
          |                          ^^^^^^^
          |
          = help: did you mean `full`?
          = help: it can be: `quick`, `standard`, `full`

        error[E005]: `max_parallel` must be from 1 to 256, not `0`
         --> SPEC/manifest.json:5:51
          |
        5 |   "execution": { "mode": "fulll", "max_parallel": 0, "step_timeout": "1 hour", "voting_gates": ["doc_qualty"] },
          |                                                   ^

        error[E005]: `step_timeout` is no duration: `1 hour`
         --> SPEC/manifest.json:5:70
          |
        5 |   "execution": { "mode": "fulll", "max_parallel": 0, "step_timeout": "1 hour", "voting_gates": ["doc_qualty"] },
          |                                                                      ^^^^^^^^
          |
          = help: write it like `45m`, `1h 30m` or `90s`

        error[E020]: unknown gate `doc_qualty`
         --> SPEC/manifest.json:5:97
          |
        5 |   "execution": { "mode": "fulll", "max_parallel": 0, "step_timeout": "1 hour", "voting_gates": ["doc_qualty"] },
          |                                                                                                 ^^^^^^^^^^^^
          |
          = help: did you mean `doc_quality`?

        warning[W104]: no command checks `model`, `api` before the end
         --> SPEC/manifest.json:6:3
          |
        6 |   "components": [
          |   ^^^^^^^^^^^^
          |
          = help: add `checks` to them, or `quality.test_command` or `quality.lint_command`

        error[E017]: `/etc/passwd` is absolute; it must count from the work directory
         --> SPEC/manifest.json:7:30
          |
        7 |     { "id": "model", "file": "/etc/passwd" },
          |                              ^^^^^^^^^^^^^
          |
          = help: all files that are worked on lie in the work directory

        error[E017]: `../x` leads out of the work directory
         --> SPEC/manifest.json:8:30
          |
        8 |     { "id": "api", "files": ["../x"], "depends_on": ["modle", "api"] },
          |                              ^^^^^^
          |
          = help: all files that are worked on lie in the work directory

        error[E012]: `api` depends on `modle`, which is no component
         --> SPEC/manifest.json:8:54
          |
        8 |     { "id": "api", "files": ["../x"], "depends_on": ["modle", "api"] },
          |                                                      ^^^^^^^
          |
          = help: did you mean `model`?

        error[E014]: `api` depends on itself
         --> SPEC/manifest.json:8:63
          |
        8 |     { "id": "api", "files": ["../x"], "depends_on": ["modle", "api"] },
          |                                                               ^^^^^
          |
          = help: remove it

        error[E016]: `Model` has neither `file` nor `files`
         --> SPEC/manifest.json:9:5
          |
        9 |     { "id": "Model", "complexity": 5, "checks": [{ "nam": "lint", "run": "make" }] }
          |     ^
          |
          = help: say which files it may change: `"files": ["src/…"]`

        error[E013]: two components have the id `Model` but for case
         --> SPEC/manifest.json:9:13
          |
        9 |     { "id": "Model", "complexity": 5, "checks": [{ "nam": "lint", "run": "make" }] }
          |             ^^^^^^^
          |
         ::: SPEC/manifest.json:7:13
          |
        7 |     { "id": "model", "file": "/etc/passwd" },
          |             ------- first used here
          |
          = help: give one of them another id

        error[E005]: `complexity` cannot be `5`
         --> SPEC/manifest.json:9:36
          |
        9 |     { "id": "Model", "complexity": 5, "checks": [{ "nam": "lint", "run": "make" }] }
          |                                    ^
          |
          = help: it can be: `low`, `medium`, `high`

        error[E007]: unknown field `nam`
         --> SPEC/manifest.json:9:52
          |
        9 |     { "id": "Model", "complexity": 5, "checks": [{ "nam": "lint", "run": "make" }] }
          |                                                    ^^^^^
          |
          = help: did you mean `name`?
        "#);
    }

    #[test]
    fn cycles_are_spelled_out() {
        insta::assert_snapshot!(report(r#"{
  "name": "n", "project": "p", "work_dir": "code",
  "quality": {"test_command": "t"},
  "components": [
    { "id": "a", "file": "a", "depends_on": ["b"] },
    { "id": "b", "file": "b", "depends_on": ["c"] },
    { "id": "c", "file": "c", "depends_on": ["a"] }
  ]
}"#), @r#"
        error[E015]: 3 components depend on each other in a circle: a -> b -> c -> a
         --> SPEC/manifest.json:5:45
          |
        5 |     { "id": "a", "file": "a", "depends_on": ["b"] },
          |                                             ^
          |
          = help: remove one of these dependencies, or make one component of two
        "#);
    }

    #[test]
    fn a_key_given_twice_shows_both() {
        insta::assert_snapshot!(report("{\n  \"name\": \"a\",\n  \"project\": \"p\", \"work_dir\": \"code\",\n  \"name\": \"b\"\n}"), @r#"
        error[E004]: `name` is given twice
         --> SPEC/manifest.json:4:3
          |
        4 |   "name": "b"
          |   ^^^^^^
          |
         ::: SPEC/manifest.json:2:3
          |
        2 |   "name": "a",
          |   ------ first given here
          |
          = help: remove one of the two
        "#);
    }

    #[test]
    fn unfit_files() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let huge = format!("{{\"name\": \"{}\"", "x".repeat(10_000_000));
        let cases: [&[u8]; 9] = [
            b"",
            b" \n",
            b"{\"name\": \"a\",\n \"proj",
            b"{\"name\": \"a\",}",
            b"{\"a\xff\": 1}",
            b"\xef\xbb\xbf{}",
            b"[1]",
            deep.as_bytes(),
            huge.as_bytes(),
        ];
        let all: Vec<String> = cases.iter().map(report).collect();
        insta::assert_snapshot!(all.join("\n----\n"), @r#"
        error[E003]: the manifest is empty
        --> SPEC/manifest.json
         = help: it needs at least `name`, `project`, `work_dir` and `components`
        ----
        error[E003]: the manifest is empty
        --> SPEC/manifest.json
         = help: it needs at least `name`, `project`, `work_dir` and `components`
        ----
        error[E003]: the manifest ends too early
         --> SPEC/manifest.json:2:6
          |
        2 |  "proj
          |      ^ nothing follows
          |
          = help: the file seems to be cut off; restore it, or close what is open
        ----
        error[E003]: the manifest is not JSON: trailing comma
         --> SPEC/manifest.json:1:14
          |
        1 | {"name": "a",}
          |              ^
        ----
        error[E003]: the manifest is not UTF-8: byte 0xff at offset 3
         --> SPEC/manifest.json:1:4
          |
        1 | {"a�": 1}
          |    ^
          |
          = help: save the file as UTF-8
        ----
        error[E003]: the manifest begins with a byte order mark
         --> SPEC/manifest.json:1:1
          |
        1 | ﻿{}
          | ^
          |
          = help: save the file as UTF-8 without BOM
        ----
        error[E005]: the manifest must be an object, not a list
         --> SPEC/manifest.json:1:1
          |
        1 | [1]
          | ^

        note[N203]: the rules about dependencies and paths were not checked
        --> SPEC/manifest.json
         = help: mend the errors above first
        ----
        error[E002]: the manifest is nested deeper than 64 levels
         --> SPEC/manifest.json:1:65
          |
         ::: 
        1 | …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
          |                                                       ^
        ----
        error[E003]: the manifest ends too early
         --> SPEC/manifest.json:1:10000011
          |
         ::: 
        1 | …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          |                                                       ^ nothing follows
          |
          = help: the file seems to be cut off; restore it, or close what is open
        "#);
    }

    #[test]
    fn ids_are_shown_escaped() {
        insta::assert_snapshot!(report(changed(|m| m["components"][0]["id"] = "mo\u{1b}[31mdel\u{202e}".into())), @r#"
        error[E011]: the id `mo\u{1b}[31mdel\u{202e}` has the character '\u{1b}'; use letters, digits, '.', '_' and '-'
         --> SPEC/manifest.json:6:13
          |
        6 |       "id": "mo\u001b[31mdel�"
          |             ^^^^^^^^^^^^^^^^^^
          |
          = help: for example `mo-31mdel`

        error[E012]: `api` depends on `model`, which is no component
          --> SPEC/manifest.json:13:9
           |
        13 |         "model"
           |         ^^^^^^^
           |
           = help: add the component, or remove the dependency
        "#);
    }

    #[test]
    fn for_programs() {
        let dir = spec_dir(changed(|m| m["components"][1]["depends_on"][0] = "modl".into()));
        let report = check(dir.path());
        let all: Vec<_> = report.diagnostics.iter().map(|d| d.to_json(&report.source)).collect();
        insta::assert_snapshot!(serde_json::to_string_pretty(&all).expect("JSON"), @r#"
        [
          {
            "code": "E012",
            "severity": "error",
            "message": "`api` depends on `modl`, which is no component",
            "path": "/components/1/depends_on/0",
            "line": 13,
            "column": 9,
            "help": [
              "did you mean `model`?"
            ]
          }
        ]
        "#);
    }

    #[test]
    fn a_manifest_of_the_python_tool() {
        insta::assert_snapshot!(report(PYTHON), @r#"
        note[N202]: the name `User Accounts` is `User-Accounts` in paths
         --> SPEC/manifest.json:2:11
          |
        2 |   "name": "User Accounts", "project": "web", "work_dir": "code", "spec_dir": "~/.claude/x", "created": "2025-01-01T00:00:00",
          |           ^^^^^^^^^^^^^^^

        note[N201]: `parallel_components: false` is an old default and counts as absent
         --> SPEC/manifest.json:4:61
          |
        4 |   "execution": { "mode": "standard", "parallel_components": false, "reviewers": 2, "require_tests": true, "voting_gates": ["impact_st...
          |                                                             ^^^^^
          |
          = help: to have one component at a time, give the manifest its `$schema` too

        warning[W102]: 2 reviewer(s) are fewer than the 4 of this risk level
         --> SPEC/manifest.json:4:81
          |
        4 |   "execution": { "mode": "standard", "parallel_components": false, "reviewers": 2, "require_tests": true, "voting_gates": ["impact_st...
          |                                                                                 ^
          |
          = help: remove `reviewers` to have as many as the risk calls for

        warning[W103]: tests are required, but no command runs those of `model`, `auth-service`
         --> SPEC/manifest.json:4:84
          |
        4 |   "execution": { "mode": "standard", "parallel_components": false, "reviewers": 2, "require_tests": true, "voting_gates": ["impact_st...
          |                                                                                    ^^^^^^^^^^^^^^^
          |
          = help: add `quality.test_command`, or `checks` to the components

        warning[W104]: no command checks `model`, `auth-service` before the end
         --> SPEC/manifest.json:5:3
          |
        5 |   "components": [
          |   ^^^^^^^^^^^^
          |
          = help: add `checks` to them, or `quality.test_command` or `quality.lint_command`

        warning[W110]: the id `auth service` is read as `auth-service`
         --> SPEC/manifest.json:7:13
          |
        7 |     { "id": "auth service", "file": "src/auth.py", "depends_on": ["model"], "complexity": "", "purpose": null }
          |             ^^^^^^^^^^^^^^

        warning[W108]: `coverage_target` cannot be enforced: there is no `coverage_command`
         --> SPEC/manifest.json:9:16
          |
        9 |   "quality": { "coverage_target": 80, "lint_required": true, "security_scan": false },
          |                ^^^^^^^^^^^^^^^^^
          |
          = help: add `quality.coverage_command`

        warning[W108]: `lint_required` cannot be enforced: there is no `lint_command`
         --> SPEC/manifest.json:9:39
          |
        9 |   "quality": { "coverage_target": 80, "lint_required": true, "security_scan": false },
          |                                       ^^^^^^^^^^^^^^^
          |
          = help: add `quality.lint_command`

        warning[W109]: unknown field `owner`
          --> SPEC/manifest.json:12:3
           |
        12 |   "owner": "me"
           |   ^^^^^^^
           |
           = help: it has no effect; for remarks use `$comment`
        "#);
    }
}

/// As the tool before this one wrote them: all fields, empty ones too.
const PYTHON: &str = r#"{
  "name": "User Accounts", "project": "web", "work_dir": "code", "spec_dir": "~/.claude/x", "created": "2025-01-01T00:00:00",
  "complexity": 5, "risk_level": "high",
  "execution": { "mode": "standard", "parallel_components": false, "reviewers": 2, "require_tests": true, "voting_gates": ["impact_strategy"] },
  "components": [
    { "id": "model", "file": "src/model.py", "complexity": "low", "purpose": "data", "context_file": "", "notes": "" },
    { "id": "auth service", "file": "src/auth.py", "depends_on": ["model"], "complexity": "", "purpose": null }
  ],
  "quality": { "coverage_target": 80, "lint_required": true, "security_scan": false },
  "gotchas": ["no ORM", ""],
  "validation_command": "pytest",
  "owner": "me"
}"#;

/// What keeps a manifest from running, and what does not.
mod rules {
    use super::*;

    #[test]
    fn each_rule_has_its_code() {
        let with = |change: fn(&mut Value)| codes(changed(change));
        assert_eq!(with(|m| m["name"] = "a b".into()), ["E010"]);
        assert_eq!(with(|m| m["name"] = "".into()), ["E006"]);
        assert_eq!(with(|m| m["components"][1]["id"] = "a/b".into()), ["E011"]);
        assert_eq!(with(|m| m["components"][1]["depends_on"] = json!(["nowhere"])), ["E012"]);
        assert_eq!(with(|m| m["components"][1]["id"] = "MODEL".into()), ["E013"]);
        assert_eq!(with(|m| m["components"][0]["depends_on"] = json!(["model"])), ["E014"]);
        assert_eq!(with(|m| m["components"][0]["depends_on"] = json!(["api"])), ["E015"]);
        assert_eq!(with(|m| m["components"][0]["file"] = "".into()), ["E016"]);
        assert_eq!(with(|m| m["components"][0]["file"] = "a/../../b".into()), ["E017"]);
        assert_eq!(with(|m| m["components"][0]["context_file"] = "none.md".into()), ["E018"]);
        assert_eq!(with(|m| m["components"][1]["files"] = json!(["src/{a"])), ["E019"]);
        assert_eq!(with(|m| m["execution"]["voting_gates"] = json!(["mine"])), ["E020"]);
        assert_eq!(with(|m| m["execution"]["voting_gates"] = json!([{"name": "mine", "question": "?"}])), ["E021"]);
        assert_eq!(
            with(|m| m["components"][1]["checks"] = json!([{"name": "t", "run": "a"}, {"name": "t", "run": "b"}])),
            ["E022"]
        );
        assert_eq!(with(|m| m["components"][1]["checks"] = json!([""])), ["E023"]);
        assert_eq!(with(|m| m["execution"]["step_timeout"] = "0s".into()), ["E024"]);
        assert_eq!(with(|m| m["components"][1]["files"] = json!(["src/model.rs"])), [""; 0], "ordered: no race");
        assert_eq!(with(|m| m["components"][1] = json!({"id": "api", "files": ["src/*.rs"]})), ["W101"]);
        assert_eq!(with(|m| m["components"][1] = json!({"id": "api", "files": ["src/*.py"]})), [""; 0]);
        assert_eq!(with(|m| m["execution"]["reviewers"] = 1.into()), ["W102"]);
        assert_eq!(with(|m| m["quality"] = json!({"lint_command": "l"})), ["W103"]);
        assert_eq!(with(|m| m["quality"] = json!({"test_command": {"run": "t", "when": "end"}})), ["W104"]);
        assert_eq!(with(|m| m["work_dir"] = "code/.claude/x".into()), ["W106", "W107"]);
        assert_eq!(with(|m| m["quality"]["coverage_target"] = 90.into()), ["W108"]);
        assert_eq!(with(|m| m["colour"] = "red".into()), ["E007"], "strict with `$schema`");
    }

    #[test]
    fn a_dependency_implied_by_another() {
        let manifest = changed(|m| {
            let components = m["components"].as_array_mut().expect("a list");
            components.push(json!({ "id": "ui", "file": "ui.rs", "depends_on": ["model", "api"] }));
        });
        assert_eq!(codes(manifest), ["W105"]);
    }

    #[test]
    fn lock_files_are_shared() {
        let two =
            |path: &str| changed(|m| m["components"] = json!([{"id": "a", "file": path}, {"id": "b", "file": path}]));
        assert_eq!(codes(two("Cargo.lock")), [""; 0]);
        assert_eq!(codes(two("Cargo.toml")), ["W101"]);
    }

    #[test]
    fn a_path_may_not_leave_through_a_symlink() {
        let dir = spec_dir(changed(|m| m["components"][0]["file"] = "out/secret".into()));
        std::os::unix::fs::symlink("/etc", dir.path().join("code/out")).expect("symlink");
        let report = check(dir.path());
        assert_eq!(report.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["E017"]);
        assert!(report.diagnostics[0].message.contains("through a symlink, to `/etc`"));
        let inside = spec_dir(changed(|m| m["components"][0]["file"] = "in/model.rs".into()));
        fs::create_dir(inside.path().join("code/src")).expect("directory");
        std::os::unix::fs::symlink("src", inside.path().join("code/in")).expect("symlink");
        assert_eq!(check(inside.path()).errors(), 0);
    }

    #[test]
    fn a_work_dir_that_is_missing_stops_a_run_only() {
        let dir = spec_dir(changed(|m| m["work_dir"] = "gone".into()));
        let report = check(dir.path());
        assert_eq!((report.errors(), report.diagnostics[0].code), (0, "W107"));
        assert!(matches!(load(dir.path()), Err(LoadError::NoWorkDir(path)) if path == dir.path().join("gone")));
    }

    #[test]
    fn comments_go_anywhere() {
        let manifest = changed(|m| {
            m["$comment"] = json!({ "deep": [1, { "deeper": null }] });
            m["execution"] = json!({ "$comment": 1 });
            m["components"][0]["$comment"] = "why".into();
            m["components"][1]["checks"] = json!([{ "run": "x", "$comment": [], "env": { "$comment": 3, "A": "" } }]);
        });
        let dir = spec_dir(&manifest);
        assert_eq!(codes(&manifest), [""; 0]);
        let spec = load(dir.path()).expect("valid");
        assert_eq!(spec.manifest.components[1].checks[0].env.keys().collect::<Vec<_>>(), ["A"]);
    }

    #[test]
    fn old_manifests_load_unchanged() {
        let dir = spec_dir(PYTHON);
        let spec = load(dir.path()).expect("warnings only");
        assert_eq!(spec.manifest.execution.parallel_components, None);
        assert_eq!(spec.manifest.components[1].id.as_str(), "auth-service");
        assert_eq!(spec.manifest.gotchas.len(), 1);
        assert_eq!(spec.dependencies, [vec![], vec![0]]);
        assert_eq!(spec.work_dir, dir.path().join("code"));
    }

    #[test]
    fn free_names_become_safe_ones() {
        for (free, safe) in [
            ("User Accounts", "User-Accounts"),
            ("shop", "shop"),
            ("../etc", "etc"),
            ("a.lock", "a-lock"),
            ("日本", "unnamed"),
            (&"x".repeat(70), &"x".repeat(64)),
        ] {
            assert_eq!(manifest::safe_name(free), safe);
        }
    }
}

/// Sizes and shapes at the edge.
mod limits {
    use super::*;

    fn chain(count: usize, closed: bool) -> String {
        let mut text = String::from(r#"{"name":"n","project":"p","work_dir":"code","components":["#);
        for i in 0..count {
            let comma = if i > 0 { "," } else { "" };
            let next = (i + 1) % count;
            let depends = if closed || next > 0 { format!(r#","depends_on":["c{next}"]"#) } else { String::new() };
            write!(text, r#"{comma}{{"id":"c{i}","file":"f{i}"{depends}}}"#).expect("writes to a text");
        }
        text + "]}"
    }

    fn errors(manifest: String) -> Vec<String> {
        let dir = spec_dir(manifest);
        let report = check(dir.path());
        let errors = report.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        errors.map(|d| format!("{} {}", d.code, d.message)).collect()
    }

    #[test]
    fn cycles_of_any_length() {
        assert_eq!(errors(chain(1, true)), ["E014 `c0` depends on itself"]);
        assert_eq!(errors(chain(2, true)), ["E015 2 components depend on each other in a circle: c0 -> c1 -> c0"]);
        assert_eq!(
            errors(chain(1000, true)),
            ["E015 1000 components depend on each other in a circle: \
              c0 -> c1 -> c2 -> c3 -> c4 -> c5 -> … 991 more … -> c997 -> c998 -> c999 -> c0"]
        );
    }

    #[test]
    fn a_hundred_thousand_components_and_not_one_more() {
        let dir = spec_dir(chain(100_000, false));
        assert_eq!(load(dir.path()).expect("valid").manifest.components.len(), 100_000);
        assert_eq!(errors(chain(100_000, true)).len(), 1);
        assert_eq!(errors(chain(100_001, false)), ["E002 there are 100001 components; the limit is 100000"]);
    }

    #[test]
    fn too_many_bytes() {
        let text = format!("{}{}", text(&good()), " ".repeat(20_000_000));
        assert!(errors(text)[0].starts_with("E002 the manifest has 20000"));
    }

    #[test]
    fn a_directory_or_nothing_for_a_manifest() {
        let dir = tempfile::tempdir().expect("temp dir");
        assert_eq!(
            shown(dir.path(), &check(dir.path())).lines().next().map(str::to_owned),
            Some("error[E001]: cannot read the manifest: no such file or directory".to_owned())
        );
        fs::create_dir(dir.path().join("manifest.json")).expect("directory");
        assert_eq!(check(dir.path()).diagnostics[0].message, "the manifest is not a regular file");
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let line = format!("{}é\u{7}{}", "a".repeat(1_000_000), "b".repeat(1_000_000));
        let source = Source::new("f", line);
        let diagnostic = cco::diagnostic::Diagnostic::error("E000", "x").spanning(1_000_000..1_500_000);
        let shown = render(&diagnostic, &source, false);
        assert!(shown.len() < 1_000 && shown.contains("f:1:1000001"), "{shown}");
        assert!(!shown.contains('\u{7}'));
    }
}

mod graphs {
    use super::*;

    #[test]
    fn a_knot_gives_each_of_its_cycles_back_edge() {
        let found = cycles::find(&[vec![1], vec![0, 2], vec![1], vec![3]]);
        assert_eq!(found.paths, [vec![0, 1], vec![1, 2], vec![3]]);
        assert_eq!(found.more, 0);
    }

    #[test]
    fn depths_are_longest_paths() {
        assert_eq!(
            cycles::depths(&[vec![], vec![0], vec![0, 1], vec![4], vec![3]]),
            [Some(0), Some(1), Some(2), None, None]
        );
    }

    #[test]
    fn sets_meet_in_paths_directories_and_globs() {
        let set = |patterns: &[&str]| writeset::WriteSet::new(patterns.iter().copied()).expect("valid patterns");
        let meet = |a: &[&str], b: &[&str]| !writeset::overlaps(&[set(a), set(b)]).is_empty();
        assert!(meet(&["a/b.rs"], &["./a//b.rs"]));
        assert!(meet(&["a"], &["a/b.rs"]) && meet(&["a/"], &["a/*.rs"]) && meet(&["a/**"], &["a/b/c"]));
        assert!(meet(&["a/**/x"], &["a/b/*"]) && meet(&["**/*.rs"], &["src/[a-z].rs"]));
        assert!(!meet(&["a/b"], &["a/bc"]) && !meet(&["a/*.rs"], &["a/*.ts"]) && !meet(&["a/*"], &["a/b/c"]));
        assert!(set(&["app/[id]/page.ts"]).matches(Path::new("app/[id]/page.ts")));
        assert!(set(&["."]).matches(Path::new("..x")) && !set(&["."]).matches(Path::new("../x")));
        assert!(!set(&["**", "*/x"]).matches(Path::new("../x")));
        assert_eq!(writeset::overlaps(&[set(&["x"]), set(&["y"]), set(&["x"]), set(&["x"])])[0].sets, [0, 2, 3]);
        assert!(writeset::WriteSet::new(["a/*/../../../x"]).is_err());
    }
}

/// Any JSON of small depth.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof!["[a-z~/\"\\\\é]{0,3}", Just("id".to_owned())];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f32>().prop_map(|n| json!(n)),
        "[ -~é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A value for a manifest field: mostly of the right kind, sometimes of any.
fn any_field() -> impl Strategy<Value = Value> {
    prop_oneof![
        any_json(),
        Just(json!("")),
        Just(json!(3.0)),
        Just(json!(["x", ["y", "z"], { "run": "x", "when": "end" }, { "name": "x", "options": [{ "name": "A" }] }])),
        Just(json!([{ "path": "x", "agent": true }, "y"])),
        Just(json!([{ "path": "x", "regenerate": ["a", "b"] }, { "path": "" }])),
        Just(json!(["model", ""])),
        Just(json!({ "run": ["a", "b"], "env": { "A": "" }, "timeout": "5m" })),
        Just(json!({ "review": "opus" })),
        prop::sample::select(vec![
            "low",
            "standard",
            "auto",
            "stop",
            "end",
            "45m",
            "1h 30m",
            "999999d 1ms",
            "5 m",
            "x"
        ])
        .prop_map(Value::from),
        (-1..300i32).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

/// Every place of the schema where a field stands: the object's pointer in `full`, and the field.
fn fields() -> Vec<(&'static str, String)> {
    let schema = schema::manifest_schema();
    let objects = [
        ("", "/properties"),
        ("/execution", "/$defs/Execution/properties"),
        ("/components/1", "/$defs/ComponentDef/properties"),
        ("/components/1/checks/0", "/$defs/Check/properties"),
        ("/quality", "/$defs/Quality/properties"),
        ("/agent", "/$defs/AgentSection/properties"),
        ("/execution/voting_gates/0", "/$defs/VotingGate/properties"),
        ("/execution/copy/0", "/$defs/CopyFile/properties"),
        ("/execution/shared_files/0", "/$defs/SharedFile/properties"),
    ];
    let known = |(at, properties): (&'static str, &str)| {
        let keys: Vec<String> = schema
            .pointer(properties)
            .and_then(Value::as_object)
            .expect("an object of the schema")
            .keys()
            .cloned()
            .collect();
        keys.into_iter().map(move |key| (at, key))
    };
    objects.into_iter().flat_map(known).collect()
}

/// A manifest in which every kind of object occurs.
fn full() -> Value {
    let mut full = good();
    full["components"][1]["checks"] = json!([{ "run": "true" }]);
    full["agent"] = json!({});
    full["execution"] = json!({
        "voting_gates": [{ "name": "mine", "options": [{ "name": "A" }] }], "copy": [{ "path": ".env" }],
        "shared_files": [{ "path": "x" }],
    });
    full
}

/// Whether the types take it as it stands, and whether it is valid. What only the thorough way takes (fields that are unknown,
/// ids that are free texts) counts as taken by both.
fn both_ways(manifest: &[u8]) -> (bool, bool) {
    let dir = spec_dir(manifest);
    let quick = std::str::from_utf8(manifest).is_ok_and(|text| manifest::Manifest::from_json(text).is_ok());
    let report = check(dir.path());
    let thorough = report.spec.is_some();
    let loaded = match load(dir.path()) {
        Ok(_) | Err(LoadError::NoWorkDir(_)) => true,
        Err(LoadError::Invalid(_)) => false,
    };
    assert_eq!(
        loaded,
        thorough,
        "both entrances agree: {}\n{}",
        String::from_utf8_lossy(manifest),
        shown(dir.path(), &report)
    );
    for diagnostic in &report.diagnostics {
        render(diagnostic, &report.source, true);
        diagnostic.to_json(&report.source);
    }
    let explained = report.diagnostics.iter().any(|d| matches!(d.code, "W109" | "W110"));
    (quick || explained, thorough)
}

proptest! {
    /// What the schema accepts deserialises; what deserialisation rejects, the schema or a rule rejects.
    #[test]
    fn schema_and_types_agree(changes in prop::collection::vec((prop::sample::select(fields()), any_field()), 1..4)) {
        let mut manifest = full();
        for ((object, key), value) in changes {
            if let Some(Value::Object(map)) = manifest.pointer_mut(object) {
                map.insert(key, value);
            }
        }
        let (quick, thorough) = both_ways(text(&manifest).as_bytes());
        prop_assert!(quick || !thorough, "accepted by the schema, rejected by the types: {manifest}");
    }

    /// No change of bytes makes it panic, and none makes the two ways differ.
    #[test]
    fn any_bytes(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..6)) {
        let mut bytes = text(&full()).into_bytes();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        both_ways(&bytes);
    }

    #[test]
    fn every_prefix_is_refused(cut in any::<prop::sample::Index>()) {
        let bytes = text(&full()).into_bytes();
        let (_, thorough) = both_ways(&bytes[..cut.index(bytes.len())]);
        prop_assert!(!thorough);
    }

    /// Every pointer of any JSON is found, and its span is its value.
    #[test]
    fn every_place_is_found(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { text(&value) } else { value.to_string() };
        let mut pointers = vec![(String::new(), &value)];
        let mut next = 0;
        while let Some((pointer, value)) = pointers.get(next).cloned() {
            let inner: Vec<(String, &Value)> = match value {
                Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
                Value::Array(items) => items.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
                _ => Vec::new(),
            };
            for (key, value) in inner {
                let mut pointer = pointer.clone();
                locate::push_key(&mut pointer, &key);
                pointers.push((pointer, value));
            }
            next += 1;
        }
        let places = locate::locate(&text, pointers.iter().map(|(pointer, _)| pointer.as_str()));
        for (pointer, value) in &pointers {
            let place = &places[pointer.as_str()];
            let found = &text[place.value.clone()];
            match value {
                Value::Object(_) => prop_assert_eq!(found, "{"),
                Value::Array(_) => prop_assert_eq!(found, "["),
                scalar => prop_assert_eq!(&serde_json::from_str::<Value>(found).expect("a scalar"), *scalar),
            }
        }
        prop_assert!(locate::duplicates(&text).is_empty());
    }
}

#[test]
fn the_schema_describes_every_field() {
    let schema = schema::manifest_schema();
    for (_, key) in fields() {
        let described = [&schema["properties"]].into_iter().chain(
            schema["$defs"].as_object().into_iter().flat_map(|defs| defs.values()).map(|def| &def["properties"]),
        );
        for field in described.filter_map(|properties| properties.get(&key)) {
            assert!(field.get("description").is_some() || field == &json!(true), "`{key}` has no description");
        }
    }
    assert!(!schema.to_string().contains("\"null\""));
}

#[test]
fn a_manifest_survives_being_written_and_read() {
    let dir = spec_dir(text(&good()));
    let spec = load(dir.path()).expect("valid");
    assert_eq!(spec.digest, load(dir.path()).expect("valid").digest);
    let again: manifest::Manifest =
        serde_json::from_value(serde_json::to_value(&spec.manifest).expect("serialises")).expect("deserialises");
    assert_eq!(again, *spec.manifest);
    assert_eq!(load::source(dir.path()).text(), text(&good()));
}

proptest! {
    /// However long its line is: a place is found without counting from the line's beginning.
    #[test]
    fn a_place_is_its_line_and_its_characters(
        parts in proptest::collection::vec(("[a\\n]|é|言|🙂", 1_usize..700), 1..12), at in any::<proptest::sample::Index>(),
    ) {
        let text: String = parts.iter().map(|(part, times)| part.repeat(*times)).collect();
        let offset = at.index(text.len() + 1);
        let before = &text[..text.floor_char_boundary(offset)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        prop_assert_eq!(Source::new("f", text.clone()).position(offset), (line, column));
    }
}
