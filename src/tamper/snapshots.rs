//! T501: recorded results that were rewritten instead of reached.

use std::collections::HashMap;

use super::language::file_name;
use super::{Judge, Rule, Side};

/// Runs the rule.
pub(super) fn judge(judge: &mut Judge<'_>) {
    let sources = judge.sources;
    // What moved is still there.
    let mut arrived: HashMap<String, usize> = HashMap::new();
    for source in sources.iter().filter(|source| is_snapshot(&source.change.path)) {
        if let (None, Some(new)) = (&source.change.old, &source.new) {
            *arrived.entry(body(&source.change.path, new.text).join("\n")).or_default() += 1;
        }
    }
    for (file, source) in sources.iter().enumerate() {
        let (path, change) = (source.change.old_path(), source.change);
        if !is_snapshot(path) || change.old.is_none() {
            continue;
        }
        if change.new.is_none() {
            let recorded = source.old.as_ref().map(|old| body(path, old.text).join("\n"));
            match recorded.and_then(|recorded| arrived.get_mut(&recorded)).filter(|count| **count > 0) {
                Some(count) => *count -= 1,
                None => {
                    judge.report(Rule::SnapshotRewritten, file, Side::Old, 1, "the recorded result is gone".to_owned())
                }
            }
            continue;
        }
        let (Some(old), Some(new)) = (&source.old, &source.new) else {
            if change.old != change.new {
                judge.report(Rule::SnapshotRewritten, file, Side::New, 1, "the recorded result is another".to_owned());
            }
            continue;
        };
        judge.work += (old.text.len() + new.text.len()) as u64;
        let (before, after) = (body(path, old.text), body(&change.path, new.text));
        let mut left: HashMap<&str, usize> = HashMap::new();
        for part in &after {
            *left.entry(part).or_default() += 1;
        }
        let lost = before.iter().any(|part| match left.get_mut(part.as_str()).filter(|count| **count > 0) {
            Some(count) => {
                *count -= 1;
                false
            }
            None => true,
        });
        if lost {
            let differs = old.text.lines().zip(new.text.lines()).position(|(old, new)| old != new);
            let line = differs.unwrap_or_else(|| new.text.lines().count().saturating_sub(1)) as u32 + 1;
            judge.report(Rule::SnapshotRewritten, file, Side::New, line, "the recorded result is another".to_owned());
        }
    }
}

/// Whether a path is where results are recorded.
pub(super) fn is_snapshot(path: &str) -> bool {
    let name = file_name(path);
    let recorded =
        [".snap", ".golden", ".ambr", ".approved", ".snapshot", ".snap.svg"].iter().any(|end| name.ends_with(end));
    let below = path.split('/').rev().skip(1).any(|dir| {
        matches!(
            dir,
            "__snapshots__"
                | "snapshots"
                | "golden"
                | "goldens"
                | "goldenfiles"
                | "__image_snapshots__"
                | "__file_snapshots__"
        )
    });
    // A directory of that name outside of tests holds what it likes.
    let code = super::language::Language::of(path).is_some_and(super::language::Language::has_tests);
    recorded || name.contains(".approved.") || name.contains(".golden.") || (below && !code)
}

/// The recorded results of a file, without what is said about them.
fn body(path: &str, text: &str) -> Vec<String> {
    let tidy = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
    if let Some(rest) = text.strip_prefix("---\n") {
        // Insta: a header with the place of the assertion, which moves with the code.
        return vec![tidy(rest.split_once("\n---\n").map_or(rest, |(_, recorded)| recorded))];
    }
    if text.contains("\nexports[`") || text.starts_with("exports[`") {
        // Jest: one entry a test. What counts is the result; its name goes with the test's.
        let entries = text.split("exports[`").skip(1);
        return entries.map(|entry| tidy(entry.split_once("`] = ").map_or(entry, |(_, recorded)| recorded))).collect();
    }
    if path.ends_with(".ambr") {
        return text
            .split("# name: ")
            .skip(1)
            .map(|entry| tidy(entry.split_once('\n').map_or(entry, |(_, recorded)| recorded)))
            .collect();
    }
    vec![tidy(text)]
}
