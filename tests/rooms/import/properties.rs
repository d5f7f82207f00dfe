//! Any text: no panic, and a manifest that is valid or whose report says why it is not.

use std::collections::{BTreeMap, BTreeSet};

use cco::import::Dialect;
use proptest::prelude::*;

use super::*;

const DIALECTS: [Dialect; 3] = [Dialect::Speckit, Dialect::Taskmaster, Dialect::Markdown];

/// Lines as the dialects have them, and others.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..30_u32, any::<bool>(), 0..6_u32, 0..30_u32)
            .prop_map(|(id, mark, file, need)| {
                let mark = if mark { "[P] " } else { "" };
                format!("- [ ] T{id:03} {mark}Make src/f{file}.rs (depends on T{need:03})")
            }),
        2 => (0..30_u32).prop_map(|id| format!("- [x] T{id:03} done in src/")),
        1 => (0..9_u32).prop_map(|phase| format!("## Phase {phase}: User Story {phase}")),
        1 => Just("## Dependencies".to_owned()),
        1 => (0..30_u32, 0..30_u32).prop_map(|(a, b)| format!("- T{a:03}-T{b:03} before T{b:03}")),
        1 => Just("| Component | Files | Depends on | Complexity |\n|---|---|---|---|".to_owned()),
        2 => ("[a-e]{1,3}", "[a-e]{1,3}", 0..6_u32).prop_map(|(a, b, file)| format!("| {a} | src/f{file}.rs | {b} | low |")),
        1 => "[-*+|#>`~ \\[\\]()xTP0-9a-e:;,./\\\\\u{1b}é日\r\t]{0,40}",
        1 => any::<String>(),
    ]
}

/// JSON that is nearly what Task Master writes.
fn task() -> impl Strategy<Value = Value> {
    let id = prop_oneof![
        (0..9_u32).prop_map(Value::from),
        "[0-9.]{1,3}".prop_map(Value::from),
        Just(Value::Null),
        any::<f64>().prop_map(Value::from)
    ];
    let ids = proptest::collection::vec(id.clone(), 0..4).prop_map(Value::from);
    let status = prop_oneof![Just("done"), Just("pending"), Just("cancelled"), Just("odd")];
    let leaf = (id, ids, status, any::<String>(), 0..6_u32).prop_map(|(id, ids, status, title, file)| {
        json!({"id": id, "title": title, "dependencies": ids, "status": status, "details": format!("src/f{file}.rs")})
    });
    leaf.prop_recursive(3, 12, 4, |inner| {
        (inner.clone(), proptest::collection::vec(inner, 0..4)).prop_map(|(mut task, subtasks)| {
            task["subtasks"] = Value::from(subtasks);
            task
        })
    })
}

fn holds(dialect: Dialect, text: &str) -> Result<(), TestCaseError> {
    let Ok(imported) = import_text(dialect, "x", text) else { return Ok(()) };
    if let Err(error) = valid_or_told(&imported) {
        return Err(TestCaseError::fail(format!("{dialect:?}: {error}\n{text}")));
    }
    prop_assert_eq!(&import_text(dialect, "x", text).unwrap(), &imported);
    let told = losses(&imported, &["x"]).join("\n");
    prop_assert!(!told.contains(|c: char| c.is_control() && c != '\n'), "{}", told);
    no_two_write_at_once(&imported)
}

/// Of any two components that name the same file one waits for the other, unless there is a cycle.
fn no_two_write_at_once(imported: &Imported) -> Result<(), TestCaseError> {
    if codes(imported).contains(&"I203") {
        return Ok(());
    }
    let direct: BTreeMap<&str, Vec<&str>> = imported
        .components
        .iter()
        .map(|component| (component.id.as_str(), component.depends_on.iter().map(String::as_str).collect()))
        .collect();
    let behind = |id: &str| {
        let mut seen = BTreeSet::new();
        let mut open = direct[id].clone();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(&direct[next]);
            }
        }
        seen
    };
    for (at, one) in imported.components.iter().enumerate() {
        let before_one = behind(one.id.as_str());
        for other in &imported.components[at + 1..] {
            let same = one.write_patterns().any(|path| other.write_patterns().any(|known| known == path));
            let ordered = before_one.contains(other.id.as_str()) || behind(other.id.as_str()).contains(one.id.as_str());
            prop_assert!(!same || ordered, "{} and {}", one.id, other.id);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn lines_of_any_kind_become_a_valid_manifest_or_say_why_not(lines in proptest::collection::vec(line(), 0..40)) {
        let text = lines.join("\n");
        for dialect in DIALECTS {
            holds(dialect, &text)?;
        }
    }

    #[test]
    fn tasks_of_any_kind_become_a_valid_manifest_or_say_why_not(tasks in proptest::collection::vec(task(), 0..8)) {
        holds(Dialect::Taskmaster, &json!({"tasks": tasks}).to_string())?;
        holds(Dialect::Taskmaster, &json!({"a": {"tasks": tasks, "metadata": {}}}).to_string())?;
    }

    #[test]
    fn every_prefix_of_a_file_is_read_or_refused(cut in 0.0..1.0_f64, fixture_number in 0..6_usize) {
        let (dialect, name) = [
            (Dialect::Speckit, "speckit/tasks.md"),
            (Dialect::Taskmaster, "taskmaster/tagged.json"),
            (Dialect::Taskmaster, "taskmaster/old.json"),
            (Dialect::Markdown, "markdown/table.md"),
            (Dialect::Markdown, "markdown/checklist.md"),
            (Dialect::Markdown, "markdown/files.md"),
        ][fixture_number];
        let text = fixture(name);
        let end = text.floor_char_boundary((text.len() as f64 * cut) as usize);
        holds(dialect, &text[..end])?;
    }

    /// Against an oracle that reads nothing but what was put in.
    #[test]
    fn every_dangling_id_duplicate_and_collision_is_told(
        tasks in proptest::collection::vec((0..12_u32, 0..3_u32, 0..15_u32), 1..20)
    ) {
        let text: String = tasks
            .iter()
            .map(|(id, file, need)| format!("- [ ] T{id:03} [P] Make src/f{file}.rs (depends on T{need:03})\n"))
            .collect();
        let imported = import_text(Dialect::Speckit, "tasks.md", &text).unwrap();
        let ids: BTreeSet<u32> = tasks.iter().map(|(id, ..)| *id).collect();
        let first = |id: u32| tasks.iter().position(|(other, ..)| *other == id);
        let count = |code: &str| imported.losses.iter().filter(|loss| loss.code.as_str() == code).count();
        prop_assert_eq!(imported.components.len(), tasks.len());
        prop_assert_eq!(count("I101"), tasks.len() - ids.len());
        prop_assert_eq!(count("I201"), tasks.iter().filter(|(_, _, need)| !ids.contains(need)).count());
        let selves = tasks.iter().enumerate().filter(|(at, (_, _, need))| first(*need) == Some(*at)).count();
        prop_assert_eq!(count("I202"), selves);
        // Each line of the report about a file has its dependency, and each dependency that nobody wrote its line.
        let told = count("I301");
        let written = tasks.iter().enumerate().filter(|(at, (_, _, need))| first(*need).is_some_and(|first| first != *at)).count();
        let edges: usize = imported.components.iter().map(|component| component.depends_on.len()).sum();
        prop_assert!(edges <= written + told);
        no_two_write_at_once(&imported)?;
    }
}
