//! The README's list of rules is the program's.

use std::fs;

use cco::tamper::Rule;

#[test]
fn the_readme_lists_the_rules_as_they_are() {
    let rows: Vec<String> =
        Rule::ALL.iter().map(|rule| format!("| `{}` | {} |", rule.code(), rule.meaning())).collect();
    let table = format!("| code | what it finds |\n| --- | --- |\n{}\n", rows.join("\n"));
    let readme = fs::read_to_string("README.md").unwrap();
    assert!(readme.contains(&table), "the README should have this table:\n\n{table}");
}

#[test]
fn codes_are_unique_and_in_order() {
    let codes: Vec<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
    assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
}
