//! The tamper guard: cheats are caught and named, honest changes are left alone, hostile input costs what its size says.

mod cases;
mod properties;
mod readme;
mod work;

use std::collections::BTreeMap;

use cases::{Case, all};
use cco::tamper::{Change, Changes, Context, Finding, Rule, findings};

fn rules(case: &Case) -> Vec<&'static str> {
    let mut rules: Vec<&str> = found(case).iter().map(|finding| finding.rule.code()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn found(case: &Case) -> Vec<Finding> {
    findings(&case.changes, &case.context)
}

/// What was expected, what was found; printed, so that a reader sees where the guard stands.
#[derive(Default)]
struct Row {
    caught: usize,
    cheats: usize,
    false_alarms: usize,
}

#[test]
fn cheats_are_caught_and_named_and_honest_changes_are_left_alone() {
    let mut table: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in all("cheats") {
        let found = rules(&case);
        for rule in &case.expected {
            let row = table.entry((case.group.clone(), rule.clone())).or_default();
            row.cheats += 1;
            row.caught += usize::from(found.contains(&rule.as_str()));
        }
        if found != case.expected {
            wrong.push(format!("cheat {}: expected {:?}, found {:#?}", case.name, case.expected, self::found(&case)));
        }
    }
    let mut honest = 0;
    for case in all("honest") {
        honest += 1;
        for rule in rules(&case) {
            table.entry((case.group.clone(), rule.to_owned())).or_default().false_alarms += 1;
        }
        if !rules(&case).is_empty() {
            wrong.push(format!("honest {}: found {:#?}", case.name, found(&case)));
        }
    }
    print(&table, honest);
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
}

#[expect(clippy::print_stdout, reason = "the table is for whoever runs it with --nocapture")]
fn print(table: &BTreeMap<(String, String), Row>, honest: usize) {
    println!("{:8} {:5} {:>7} {:>7} {:>13}", "language", "rule", "caught", "missed", "false alarms");
    for ((group, rule), row) in table {
        println!("{group:8} {rule:5} {:>7} {:>7} {:>13}", row.caught, row.cheats - row.caught, row.false_alarms);
    }
    let sum = |of: fn(&Row) -> usize| table.values().map(of).sum::<usize>();
    let (caught, cheats) = (sum(|row| row.caught), sum(|row| row.cheats));
    println!("{caught} of {cheats} caught; {} false alarms in {honest} honest changes", sum(|row| row.false_alarms));
}

/// The fixtures are only as good as what they cover.
#[test]
fn every_rule_has_a_cheat_and_every_language_both_kinds() {
    let cheats = all("cheats");
    for rule in Rule::ALL {
        assert!(cheats.iter().any(|case| case.expected.iter().any(|code| code == rule.code())), "no cheat for {rule}");
    }
    for group in ["rust", "python", "script", "go", "java", "checks"] {
        for kind in ["cheats", "honest"] {
            assert!(all(kind).iter().any(|case| case.group == group), "{kind} of {group}");
        }
    }
    assert!(cheats.len() >= 60 && all("honest").len() >= 60);
}

/// A file that is all suppressions fills neither journal nor prompt.
#[test]
fn many_findings_of_a_kind_are_counted() {
    let new = (0..500).map(|at| format!("x = {at}  # noqa: E{at}\n")).collect::<String>();
    let change = Change { path: "src/a.py".to_owned(), new: Some(new.into_bytes()), ..Change::default() };
    let found = findings(&Changes { files: vec![change] }, &Context::default());
    assert_eq!(found.len(), 50);
    assert!(found[49].saw.ends_with("and 450 more findings like it in this file"), "{}", found[49].saw);
}

/// A finding names a line that is there, and quotes it.
#[test]
fn findings_point_at_what_they_saw() {
    for case in all("cheats") {
        for finding in found(&case) {
            let side = |change: &&Change| match finding.side {
                cco::tamper::Side::Old => change.renamed_from.as_ref().unwrap_or(&change.path) == &finding.path,
                cco::tamper::Side::New => change.path == finding.path,
            };
            let change = case.changes.files.iter().find(side).unwrap_or_else(|| panic!("{}: {finding:?}", case.name));
            let contents = match finding.side {
                cco::tamper::Side::Old => change.old.as_deref(),
                cco::tamper::Side::New => change.new.as_deref(),
            };
            let text = String::from_utf8_lossy(contents.unwrap_or_default()).into_owned();
            let line = text.lines().nth(finding.line as usize - 1).unwrap_or_default();
            assert_eq!(
                finding.excerpt,
                line.split_whitespace().collect::<Vec<_>>().join(" "),
                "{}: {finding:?}",
                case.name
            );
        }
    }
}
