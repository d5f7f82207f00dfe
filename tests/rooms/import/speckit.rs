//! spec-kit: phases, marks, sentences about order, the plan.

use cco::import::{Dialect, ImportError, Order, Source, import};

use super::*;

fn tasks(text: &str) -> Imported {
    import_text(Dialect::Speckit, "tasks.md", text).unwrap()
}

#[test]
fn the_whole_form() {
    insta::assert_snapshot!(import_fixtures(Dialect::Speckit, &["speckit/tasks.md", "speckit/plan.md"]));
}

#[test]
fn the_plan_goes_to_the_specification_whole() {
    let text = fixture("speckit/plan.md");
    let sources =
        [Source { name: "a/tasks.md", text: "- [ ] T001 Write src/a.rs" }, Source { name: "a/plan.md", text: &text }];
    let imported = import(&order(Dialect::Speckit, &sources)).unwrap();
    assert_eq!(imported.specification.unwrap(), text);
}

#[test]
fn user_stories_wait_for_the_foundation_and_not_for_each_other() {
    let imported = tasks(
        "## Phase 1: Setup\n- [ ] T001 Make a/one.rs\n## Phase 2: Foundational\n- [ ] T002 [P] Make a/two.rs\n- [ ] T003 [P] Make \
         a/three.rs\n## Phase 3: User Story 1\n- [ ] T004 [US1] Make a/four.rs\n- [ ] T005 [US1] Make a/five.rs\n## Phase 4: User \
         Story 2\n- [ ] T006 [US2] Make a/six.rs\n## Phase 5: Polish\n- [ ] T007 Make a/seven.rs\n",
    );
    assert_eq!(waits_for(&imported, "T002"), ["T001"]);
    assert_eq!(waits_for(&imported, "T003"), ["T001"]);
    assert_eq!(waits_for(&imported, "T004"), ["T002", "T003"]);
    assert_eq!(waits_for(&imported, "T005"), ["T004"]);
    assert_eq!(waits_for(&imported, "T006"), ["T002", "T003"]);
    assert_eq!(waits_for(&imported, "T007"), ["T005", "T006"]);
}

#[test]
fn marked_tasks_that_write_the_same_file_are_told_and_wait() {
    let imported = tasks(
        "- [ ] T001 [P] One in src/a.rs\n- [ ] T002 [P] Two in src/b.rs\n- [ ] T003 [P] Three in src/a.rs and src/b.rs\n- [ ] T004 [P] \
         All of src/\n",
    );
    assert_eq!(waits_for(&imported, "T003"), ["T001", "T002"]);
    assert_eq!(waits_for(&imported, "T004"), ["T003"]);
    let told: Vec<_> = imported.losses.iter().filter(|loss| loss.code.as_str() == "I301").collect();
    let told: Vec<_> = told.iter().map(|loss| (loss.place.line, loss.message.as_str(), loss.action.as_str())).collect();
    assert_eq!(
        told,
        [
            (3, "`T001` and `T003` are marked [P] and both write `src/a.rs`", "`T003` waits for `T001`"),
            (3, "`T002` and `T003` are marked [P] and both write `src/b.rs`", "`T003` waits for `T002`"),
            (4, "`T001` and `T004` are marked [P] and both write `src/**`", "`T004` waits for `T001`"),
            (4, "`T002` and `T004` are marked [P] and both write `src/**`", "`T004` waits for `T002`"),
            (4, "`T003` and `T004` are marked [P] and both write `src/**`", "`T004` waits for `T003`"),
        ]
    );
}

#[test]
fn sentences_about_order_are_read_or_told() {
    let head =
        "- [ ] T001 [P] a/1.rs\n- [ ] T002 [P] a/2.rs\n- [ ] T003 [P] a/3.rs\n- [ ] T004 [P] a/4.rs\n## Dependencies\n";
    let of = |sentence: &str| tasks(&format!("{head}- {sentence}\n"));
    assert_eq!(waits_for(&of("T001 blocks T003, T004"), "T004"), ["T001"]);
    assert_eq!(waits_for(&of("Tests (T001-T003) before implementation (T004)"), "T004"), ["T001", "T002", "T003"]);
    assert_eq!(waits_for(&of("T004 depends on T001–T002"), "T004"), ["T001", "T002"]);
    assert_eq!(waits_for(&of("T002 → T003"), "T003"), ["T002"]);
    let row = of("T001→T002 → T003, then T004");
    assert_eq!(["T002", "T003", "T004"].map(|id| waits_for(&row, id)), [["T001"], ["T002"], ["T003"]]);
    for unclear in ["T001, T002: the models", "T001 → T002 after T003", "T001 before the rest"] {
        assert!(codes(&of(unclear)).contains(&"I205"), "{unclear}");
    }
    for dangling in ["T004 depends on T050", "T050 depends on T001", "T001 blocks T050"] {
        assert!(codes(&of(dangling)).contains(&"I201"), "{dangling}");
    }
}

#[test]
fn done_tasks_are_left_out_unless_they_are_asked_for() {
    let sources = [Source { name: "tasks.md", text: "- [x] T001 a/1.rs\n- [ ] T002 a/2.rs (depends on T001)\n" }];
    let without = import(&order(Dialect::Speckit, &sources)).unwrap();
    assert_eq!(without.components.len(), 1);
    assert!(waits_for(&without, "T002").is_empty());
    assert!(losses(&without, &["tasks.md"])[0].contains("I401"));
    let with = import(&Order { with_done: true, ..order(Dialect::Speckit, &sources) }).unwrap();
    assert_eq!(waits_for(&with, "T002"), ["T001"]);
}

#[test]
fn a_cycle_is_spelled_out_and_the_manifest_says_why_it_is_not_valid() {
    let imported = tasks("- [ ] T001 a/1.rs (depends on T003)\n- [ ] T002 a/2.rs\n- [ ] T003 a/3.rs\n");
    let told = losses(&imported, &["tasks.md"]);
    assert!(
        told.iter().any(|line| line.starts_with("tasks.md:1 kept[I203] a cycle: T001 -> T003 -> T002 -> T001")),
        "{told:#?}"
    );
    assert!(validated(&imported).diagnostics.iter().any(|problem| problem.code == "E015"));
}

#[test]
fn what_is_hidden_by_what_is_never_closed_is_told() {
    for open in ["```", "<!--", "~~~~"] {
        let imported = tasks(&format!("- [ ] T001 a/1.rs\n{open}\n- [ ] T002 a/2.rs\n"));
        assert_eq!(imported.components.len(), 1);
        let told = losses(&imported, &["tasks.md"]).join("\n");
        assert!(told.contains("tasks.md:2 dropped[I503] a code block or comment that is never closed"), "{told}");
    }
}

#[test]
fn files_of_several_features_keep_their_references_apart() {
    let text = "- [ ] T001 [P] a/1.rs\n- [ ] T002 [P] a/2.rs (depends on T001)\n";
    let other = text.replace("a/", "b/");
    let sources = [Source { name: "a/tasks.md", text }, Source { name: "b/tasks.md", text: &other }];
    let imported = import(&order(Dialect::Speckit, &sources)).unwrap();
    assert_eq!(waits_for(&imported, "T002"), ["T001"]);
    assert_eq!(waits_for(&imported, "T002-2"), ["T001-2"]);
}

#[test]
fn absolute_paths_of_the_work_directory_become_relative() {
    let imported =
        tasks("- [ ] T001 Write /home/ada/billing/src/lib.rs\n- [ ] T002 Write /etc/passwd.conf and ../x/y.rs\n");
    assert_eq!(imported.components[0].file.as_deref(), Some("src/lib.rs"));
    assert!(imported.components[1].write_patterns().next().is_none());
    assert_eq!(imported.losses.iter().filter(|loss| loss.code.as_str() == "I303").count(), 3);
}

#[test]
fn ids_may_be_bold_and_followed_by_a_colon() {
    for line in ["**T001** [P] Make it", "**T001 [P]** Make it", "T001: [P] Make it", "`T001` [P] [US1] Make it"] {
        let component = &tasks(&format!("- [ ] {line}\n")).components[0];
        assert_eq!((component.id.as_str(), component.purpose.as_deref()), ("T001", Some("Make it")), "{line}");
    }
}

#[test]
fn windows_line_ends_change_nothing() {
    let text = fixture("speckit/tasks.md");
    let unix = import_text(Dialect::Speckit, "tasks.md", &text).unwrap();
    assert_eq!(import_text(Dialect::Speckit, "tasks.md", &text.replace('\n', "\r\n")).unwrap(), unix);
}

#[test]
fn what_has_no_tasks_is_one_clear_error() {
    for text in ["", "# A title\n", "{\"tasks\": []}", "- [ ] no id\n"] {
        let error = import_text(Dialect::Speckit, "tasks.md", text).unwrap_err();
        assert!(matches!(error, ImportError::NoTasks { .. }), "{error}");
    }
}

/// Each of a long row waits for the first through all others: that is seen without walking the row anew for each.
#[test]
fn a_long_row_below_one_directory_has_no_collisions() {
    let row: String = (1..20_000).map(|n| format!("- [ ] T{n} Make src/f{n}.rs\n")).collect();
    let imported = tasks(&format!("- [ ] T0 Make src/\n{row}"));
    assert_eq!(imported.components.len(), 20_000);
    assert!(!codes(&imported).contains(&"I301"));
    assert_eq!(waits_for(&imported, "T19999"), ["T19998"]);
}

#[test]
fn more_dependencies_than_a_manifest_can_hold_are_one_clear_error() {
    let phase = |phase: usize, from: usize| {
        let tasks: String = (from..from + 1100).map(|n| format!("- [ ] T{n} [P] a/{n}.rs\n")).collect();
        format!("## Phase {phase}\n{tasks}")
    };
    let text = format!("{}{}", phase(1, 10_000), phase(2, 20_000));
    assert_eq!(import_text(Dialect::Speckit, "tasks.md", &text), Err(ImportError::TooDense));
}
