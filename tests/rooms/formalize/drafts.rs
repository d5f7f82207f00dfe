//! What drafts become: texts of manifests, verdicts, and what is handed back.

use std::path::Path;

use cco::agent::AnswerKind;
use cco::diagnostic::Diagnostic;
use cco::formalize::draft::{SETTLED, compose, settled};
use cco::formalize::report::{ContextText, DraftReport};
use cco::formalize::rules::{context_files, handed_back, judge, verdict};
use cco::spec::manifest::Manifest;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn report(manifest: Value) -> DraftReport {
    DraftReport { summary: "s".to_owned(), manifest: object(manifest), ..DraftReport::default() }
}

fn base() -> Map<String, Value> {
    object(json!({
        "$comment": "mine", "name": "n", "project": "p", "work_dir": "/w", "created": "then",
        "agent": {"model": "opus"}, "execution": {"mode": "full", "branch": "b", "budget_usd": 5.0},
        "components": [{"id": "old", "file": "old.rs"}], "gotchas": ["old"],
    }))
}

#[test]
fn what_is_settled_stands_and_the_rest_is_the_drafts() {
    let said = json!({
        "work_dir": "/evil", "agent": {"command": "/evil"}, "complexity": 3,
        "components": [{"purpose": "p", "id": "a", "files": ["a/**"], "context_file": "components/a.md"}],
        "execution": {"mode": "quick", "branch": "main", "copy": [".env"]}, "gotchas": ["new"],
    });
    let composed = compose(&settled(&base()), &report(said)).unwrap();
    insta::assert_snapshot!(composed.text, @r#"
    {
      "$schema": "../../manifest.schema.json",
      "name": "n",
      "project": "p",
      "work_dir": "/w",
      "created": "then",
      "complexity": 3,
      "execution": {
        "branch": "b",
        "budget_usd": 5.0,
        "mode": "quick"
      },
      "components": [
        {
          "id": "a",
          "purpose": "p",
          "files": [
            "a/**"
          ]
        }
      ],
      "agent": {
        "model": "opus"
      },
      "gotchas": [
        "new"
      ]
    }
    "#);
    assert_eq!(composed.notes.len(), 4, "{:?}", composed.notes);
    assert!(Manifest::from_json(&composed.text).is_ok());
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~\u{0}\u{1b}ü]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let key = prop_oneof![
            prop::sample::select(vec![
                "components",
                "id",
                "files",
                "file",
                "execution",
                "agent",
                "work_dir",
                "name",
                "context_file",
                "depends_on",
                "checks",
                "$schema",
                "copy",
                "quality"
            ])
            .prop_map(str::to_owned),
            "[a-z$]{0,5}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_draft_says_it_settles_nothing_and_breaks_nothing(
        said in json_values(), components in json_values(), ids in prop::collection::vec("[a-z./\u{0}]{0,12}", 0..4),
    ) {
        let mut manifest = said.as_object().cloned().unwrap_or_default();
        manifest.insert("components".to_owned(), components);
        let contexts = ids.into_iter().map(|component| ContextText { component, text: "t\u{1b}\n".to_owned() }).collect();
        let report = DraftReport { manifest, contexts, ..DraftReport::default() };
        let settled = settled(&base());
        let composed = compose(&settled, &report).unwrap();
        let text: Value = serde_json::from_str(&composed.text).unwrap();
        for name in SETTLED {
            prop_assert_eq!(text.get(name), settled.get(name), "{}", name);
        }
        if let Some(execution) = text["execution"].as_object() {
            prop_assert_eq!(&execution["branch"], "b");
            prop_assert!(!execution.contains_key("copy"));
        }
        let mut found = judge(&report, &composed.text, Some(Path::new("specs/mine")));
        found.extend(cco::spec::load::check_text(Path::new("/nowhere/spec"), composed.text.clone()).diagnostics);
        let draft = verdict(&report, &composed.text, &found);
        prop_assert!(handed_back(&draft, 1_000).len() < 1_100);
        if draft.valid {
            prop_assert!(Manifest::from_json(&composed.text).is_ok_and(|manifest| !manifest.components.is_empty()));
        }
        for (id, text) in context_files(&report) {
            let safe = !id.as_str().contains('/') && !text.contains('\u{1b}');
            prop_assert!(safe);
        }
    }
}

#[test]
fn more_than_a_manifest_may_have_is_said_so() {
    let report = report(json!({"components": [{"id": "a", "file": "a"}]}));
    let found = judge(&report, &"x".repeat((16 << 20) + 1), None);
    let codes: Vec<_> = found.iter().map(|one| one.code).collect();
    assert_eq!(codes, ["F005"]);
    assert_eq!(judge(&report, "", None), []);
}

#[test]
fn errors_are_handed_back_first_and_the_rest_is_counted() {
    let report = report(json!({"components": []}));
    let mut found: Vec<Diagnostic> = (0..150).map(|n| Diagnostic::warning("W101", format!("overlap {n}"))).collect();
    found.push(Diagnostic::error("E015", "a circle").at("/components/0").help("cut it"));
    let draft = verdict(&report, "{}", &found);
    assert!(!draft.valid && draft.problems.len() == 100 && draft.more == 51);
    let told = handed_back(&draft, 10_000);
    assert!(
        told.starts_with("error E015 at /components/0: a circle\n  help: cut it\nwarning W101: overlap 0\n"),
        "{told}"
    );
    assert!(told.ends_with("and 51 more of the same kinds\n"), "{told}");
}

/// The schema offers what a draft may say, and closes no object of the manifest: what is too much is to come to cco.
#[test]
fn the_schema_of_a_draft_leaves_out_what_is_settled() {
    let schema: Value = serde_json::from_str(AnswerKind::Draft.schema()).unwrap();
    let manifest = &schema["properties"]["manifest"];
    assert_eq!(manifest["required"], json!(["components"]));
    let offers = |part: &Value, name: &str| part["properties"].get(name).is_some();
    assert!(SETTLED.iter().all(|name| !offers(manifest, name)), "{manifest}");
    assert!(offers(manifest, "components") && offers(manifest, "gotchas") && offers(manifest, "validation_command"));
    let parts = &schema["$defs"];
    assert!(offers(&parts["Execution"], "shared_files") && !offers(&parts["Execution"], "copy"));
    assert!(offers(&parts["ComponentDef"], "files") && !offers(&parts["ComponentDef"], "context_file"));
    assert!(!parts.to_string().contains("$comment"));
    let closed = parts.as_object().unwrap().iter().filter(|(_, part)| part["additionalProperties"] == json!(false));
    assert_eq!(closed.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["ContextText"]);
    let unknown = json!({"summary": "s", "manifest": {"components": [{"id": "a", "file": "a", "dependson": []}]}});
    assert!(jsonschema::is_valid(&schema, &unknown));
}

/// A code that the README does not speak of cannot be looked up.
#[test]
fn every_rule_of_drafts_is_in_the_readme() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let rules = std::fs::read_to_string("src/formalize/rules.rs").unwrap();
    let codes: std::collections::BTreeSet<&str> =
        rules.match_indices("\"F0").map(|(at, _)| &rules[at + 1..at + 5]).collect();
    assert_eq!(codes.len(), 5);
    for code in codes {
        assert!(readme.contains(&format!("| `{code}` |")), "{code}");
    }
}
