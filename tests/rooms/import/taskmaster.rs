//! Task Master: tags, subtasks, ids as numbers and texts.

use cco::import::{Dialect, ImportError, Order, Source, import};

use super::*;

fn tasks(value: &Value) -> Imported {
    import_text(Dialect::Taskmaster, "tasks.json", &value.to_string()).unwrap()
}

#[test]
fn the_whole_form_with_a_tag() {
    insta::assert_snapshot!(import_fixtures(Dialect::Taskmaster, &["taskmaster/tagged.json"]));
}

#[test]
fn the_form_before_there_were_tags() {
    insta::assert_snapshot!(import_fixtures(Dialect::Taskmaster, &["taskmaster/old.json"]));
}

#[test]
fn which_tag_is_meant_must_be_said() {
    let text = json!({
        "master": {"tasks": [{"id": 1, "title": "a", "details": "src/a.rs"}]},
        "next": {"tasks": [{"id": 2, "title": "b", "details": "src/b.rs"}]},
    });
    let text = text.to_string();
    let sources = [Source { name: "tasks.json", text: &text }];
    let of = |tag| import(&Order { tag, ..order(Dialect::Taskmaster, &sources) });
    assert_eq!(of(None).unwrap_err().to_string(), "`tasks.json` has 2 tags: `master`, `next`");
    assert_eq!(of(Some("nxt")).unwrap_err().to_string(), "`tasks.json` has no tag `nxt`; it has `master`, `next`");
    let next = of(Some("next")).unwrap();
    assert_eq!(next.components[0].id.as_str(), "2");
    let told = losses(&next, &["tasks.json"]).join("\n");
    assert!(told.contains("the tag `master` with 1 task was not asked for"), "{told}");
    let sources = [Source { name: "tasks.json", text: "{\"tasks\": []}" }];
    let error = import(&Order { tag: Some("a"), ..order(Dialect::Taskmaster, &sources) }).unwrap_err();
    assert!(error.to_string().contains("its tasks have no tags"), "{error}");
}

#[test]
fn subtasks_wait_for_siblings_for_what_their_task_waits_for_and_are_waited_for() {
    let imported = tasks(&json!({"tasks": [
        {"id": 1, "title": "a", "details": "a.rs"},
        {"id": 2, "title": "b", "dependencies": [1], "subtasks": [
            {"id": 1, "title": "b1", "details": "b1.rs"},
            {"id": "2", "title": "b2", "details": "b2.rs", "dependencies": [1]},
            {"id": 3, "title": "b3", "details": "b3.rs", "dependencies": ["2.1", "4"]},
        ]},
        {"id": 3, "title": "c", "details": "c.rs", "dependencies": [2]},
        {"id": 4, "title": "d", "details": "d.rs", "dependencies": ["2.2"]},
    ]}));
    assert_eq!(waits_for(&imported, "2.1"), ["1"]);
    assert_eq!(waits_for(&imported, "2.2"), ["2.1"]);
    assert_eq!(waits_for(&imported, "2.3"), ["4"]);
    assert_eq!(waits_for(&imported, "3"), ["2.3"]);
    assert_eq!(waits_for(&imported, "4"), ["2.2"]);
    let told = losses(&imported, &["tasks.json"]).join("\n");
    assert!(
        told.contains("changed[I204] `2.3` depends on `4`, which is no subtask beside it; read as the task `4`"),
        "{told}"
    );
}

/// `1.10` as a number is not `1.1`.
#[test]
fn ids_are_read_as_they_are_written() {
    let subtasks: Vec<Value> =
        (1..=10).map(|n| json!({"id": n, "title": "x", "details": format!("src/{n}.rs")})).collect();
    let value = json!({"tasks": [
        {"id": 1, "title": "a", "subtasks": subtasks},
        {"id": 2, "title": "b", "details": "b.rs", "dependencies": ["DEP"]},
    ]});
    let text = value.to_string().replace("\"DEP\"", "1.10");
    let imported = import_text(Dialect::Taskmaster, "tasks.json", &text).unwrap();
    assert_eq!(waits_for(&imported, "2"), ["1.10"]);
}

#[test]
fn a_task_whose_subtasks_are_done_is_a_component_itself() {
    let imported = tasks(&json!({"tasks": [
        {"id": 1, "title": "a", "details": "src/a.rs", "subtasks": [{"id": 1, "title": "x", "status": "done"}]},
    ]}));
    assert_eq!(imported.components[0].id.as_str(), "1");
    assert!(
        losses(&imported, &["tasks.json"])
            .iter()
            .any(|line| line.contains("all subtasks of `1` are done, and it is not"))
    );
}

#[test]
fn ids_that_no_directory_can_carry_are_mapped_and_told() {
    let imported = tasks(&json!({"tasks": [
        {"id": "../../etc", "title": "a", "details": "src/a.rs"},
        {"id": "日本", "title": "b", "details": "src/b.rs", "dependencies": ["../../etc"]},
        {"id": "中文", "title": "c", "details": "src/c.rs", "dependencies": ["日本"]},
        {"id": "API", "title": "d", "details": "src/d.rs"},
        {"id": "api", "title": "e", "details": "src/e.rs", "dependencies": ["a\u{1b}[2J"]},
    ]}));
    let ids: Vec<&str> = imported.components.iter().map(|component| component.id.as_str()).collect();
    assert_eq!(ids, ["etc", "unnamed", "unnamed-2", "API", "api-2"]);
    assert_eq!(waits_for(&imported, "unnamed"), ["etc"]);
    assert_eq!(waits_for(&imported, "unnamed-2"), ["unnamed"]);
    let told = losses(&imported, &["tasks.json"]).join("\n");
    assert!(!told.contains('\u{1b}'), "{told}");
    assert_eq!(imported.losses.iter().filter(|loss| loss.code.as_str() == "I102").count(), 3);
    valid_or_told(&imported).unwrap();
}

/// Each subtask carries its task's id: a long one must not be multiplied.
#[test]
fn an_endless_id_is_cut_before_its_subtasks_repeat_it() {
    let id = "x".repeat(1_000_000);
    let subtasks: Vec<Value> = (1..3_000).map(|n| json!({"id": n, "details": "src/a.rs"})).collect();
    let imported = tasks(&json!({"tasks": [
        {"id": id, "title": "a", "subtasks": subtasks}, {"id": 2, "details": "src/b.rs", "dependencies": [id]},
    ]}));
    assert_eq!(imported.components.len(), 3_000);
    assert_eq!(waits_for(&imported, "2").len(), 1);
}

#[test]
fn what_is_no_task_master_file_is_one_clear_error() {
    let of = |text: &str| import_text(Dialect::Taskmaster, "tasks.json", text).unwrap_err();
    for text in ["", "{", "[1,", "{\"tasks\": [}", "- [ ] T001 x"] {
        assert!(matches!(of(text), ImportError::NotJson { .. }), "{text}");
    }
    for text in ["[]", "1", "{}", "{\"tasks\": 1}", "{\"master\": []}"] {
        assert!(matches!(of(text), ImportError::NotTaskmaster { .. }), "{text}");
    }
    assert!(matches!(of("{\"tasks\": [null, 1]}"), ImportError::NoTasks { .. }));
    let deep = format!("{{\"tasks\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(of(&deep), ImportError::TooDeep { file: "tasks.json".to_owned(), line: 1 });
    assert_eq!(of("{\n\n\"tasks\": x}").to_string(), "`tasks.json`, line 3: not JSON: expected value");
}

#[test]
fn keys_that_are_given_twice_are_told() {
    let text = "{\"tasks\": [{\"id\": 1, \"title\": \"a\",\n\"title\": \"b\", \"details\": \"src/a.rs\"}]}";
    let imported = import_text(Dialect::Taskmaster, "tasks.json", text).unwrap();
    let told = losses(&imported, &["tasks.json"]);
    assert!(
        told.iter().any(|line| line.starts_with("tasks.json:2 dropped[I104] `/tasks/0/title` is given twice")),
        "{told:#?}"
    );
}
