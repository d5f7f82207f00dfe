//! Markdown: tables, checklists, lists of files.

use cco::import::{Dialect, ImportError, Order, Source, import};

use super::*;

fn tasks(text: &str) -> Imported {
    import_text(Dialect::Markdown, "PLAN.md", text).unwrap()
}

#[test]
fn a_table_of_components() {
    insta::assert_snapshot!(import_fixtures(Dialect::Markdown, &["markdown/table.md"]));
}

#[test]
fn a_table_of_files_alone() {
    insta::assert_snapshot!(import_fixtures(Dialect::Markdown, &["markdown/files.md"]));
}

#[test]
fn a_checklist() {
    insta::assert_snapshot!(import_fixtures(Dialect::Markdown, &["markdown/checklist.md"]));
}

#[test]
fn references_may_be_ids_names_numbers_and_files() {
    let imported = tasks(
        "| # | Component | File | Depends on |\n|---|---|---|---|\n| 1 | model | src/model.rs | |\n| 2 | Web API | src/api.rs | #1 |\n| 3 \
         | page | src/page.rs | Web API, 1 |\n| 4 | tour | src/tour.rs | `page` and 2 |\n",
    );
    assert_eq!(waits_for(&imported, "web-api"), ["model"]);
    assert_eq!(waits_for(&imported, "page"), ["web-api"]);
    assert_eq!(waits_for(&imported, "tour"), ["page"]);
    let files =
        tasks("| File | Depends on |\n|---|---|\n| src/a.rs | |\n| src/b.rs | `src/a.rs` |\n| src/c.rs | b.rs |\n");
    assert_eq!((waits_for(&files, "b"), waits_for(&files, "c")), (vec!["a"], vec!["b"]));
}

#[test]
fn a_name_that_two_go_by_is_told_and_means_neither() {
    let imported = tasks("| File | Depends on |\n|---|---|\n| a/x.rs | |\n| b/x.rs | |\n| src/c.rs | x.rs |\n");
    assert!(waits_for(&imported, "c").is_empty());
    assert!(codes(&imported).contains(&"I204"));
}

#[test]
fn write_sets_for_tasks_without_files_are_the_users_choice() {
    let sources = [Source { name: "PLAN.md", text: "- [ ] one: think\n- [ ] two: write src/lib.rs\n" }];
    let without = import(&order(Dialect::Markdown, &sources)).unwrap();
    assert!(validated(&without).spec.is_none());
    valid_or_told(&without).unwrap();
    let write_set = ["src/**".to_owned()];
    let with = import(&Order { write_set: &write_set, ..order(Dialect::Markdown, &sources) }).unwrap();
    assert_eq!(with.components[0].files, ["src/**"]);
    assert_eq!(with.components[1].file.as_deref(), Some("src/lib.rs"));
    // Both may write `src/lib.rs` now.
    assert_eq!(waits_for(&with, "two"), ["one"]);
    assert!(validated(&with).spec.is_some());
}

#[test]
fn software_versions_addresses_and_routes_are_no_files() {
    let text = "- [ ] use: Node.js and Next.js 14.2 with input/output, see https://example.com/a.html, POST /api/users, v1.2.3, \
                @scope/pkg, and/or github.com/a/b.git\n";
    assert!(codes(&tasks(text)).contains(&"I304"));
}

#[test]
fn rows_with_escaped_bars_and_code_have_the_cells_that_people_see() {
    let imported = tasks("| Component | Files | Purpose |\n|:--|:-:|--:|\n| a | src/a.rs | `x | y` or z \\| w |\n");
    assert_eq!(imported.components[0].purpose.as_deref(), Some("`x | y` or z | w"));
}

#[test]
fn what_has_no_tasks_is_one_clear_error() {
    for text in ["", "# Title\n\nWords.\n", "- a\n- b\n", "| a | b |\n|---|---|\n| 1 | 2 |\n"] {
        let error = import_text(Dialect::Markdown, "PLAN.md", text).unwrap_err();
        assert!(matches!(error, ImportError::NoTasks { .. }), "{text}: {error}");
    }
}

#[test]
fn control_characters_stay_out_of_the_manifest_and_the_report() {
    let imported = tasks("- [ ] a\u{1b}[2Jb: make \u{202e}src/x.rs\n- [ ] `src/\u{7}y.rs`: no\n");
    let text = document::text(Map::new(), &imported).unwrap();
    let told = losses(&imported, &["PLAN.md"]).join("");
    for bad in ['\u{1b}', '\u{202e}', '\u{7}'] {
        assert!(!text.contains(bad) && !told.contains(bad), "{bad:?}\n{text}\n{told}");
    }
    assert!(codes(&imported).contains(&"I506"));
}
