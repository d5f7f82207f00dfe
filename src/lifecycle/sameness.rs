//! When two findings are one: the reviewer says so, or source and file agree and the words nearly do.

use std::collections::HashMap;

use super::event::Issue;
use super::report::{ReviewIssue, ReviewReport, Severity};
use crate::ids::Digest;

/// From this share of common words on two texts say the same (DESIGN 5.4).
const SIMILAR: f64 = 0.6;
/// Digits of a fingerprint by which an issue is called in prompts.
pub const ID_DIGITS: usize = 8;

/// What stands before the way in which a finding fails; and before the requirement that is not met.
const HOW: &str = "\nHow it fails: ";
const REQUIREMENT: &str = "\nRequirement: ";

/// The id by which prompts and reviewers call an issue.
pub fn id_of(issue: &Issue) -> String {
    issue.fingerprint.to_string().chars().take(ID_DIGITS).collect()
}

/// Whether an id that an agent wrote is that of an issue.
pub fn is_id_of(id: &str, issue: &Issue) -> bool {
    let id = id.trim().to_ascii_lowercase();
    id.len() >= ID_DIGITS && issue.fingerprint.to_string().starts_with(&id)
}

/// What cco makes of a review: each finding with the weight that its grounds allow, and with the fingerprint of the
/// earlier issue that it repeats.
///
/// A finding blocks only if it says how it fails, and names a line or a requirement.
pub fn judged(report: &ReviewReport, source: &str, earlier: &[Issue]) -> Vec<Issue> {
    report.issues.iter().map(|found| judge(found, source, earlier)).collect()
}

fn judge(found: &ReviewIssue, source: &str, earlier: &[Issue]) -> Issue {
    let names_line = found.line.is_some() && !found.file.is_empty();
    let names_requirement = found.requirement.as_ref().is_some_and(|text| !text.trim().is_empty());
    let grounded = !found.how_it_fails.trim().is_empty() && (names_line || names_requirement);
    let severity = if grounded { found.severity } else { Severity::Minor };
    let mut text = found.text.clone();
    if !found.how_it_fails.trim().is_empty() {
        text.push_str(&format!("{HOW}{}", found.how_it_fails));
    }
    if let Some(requirement) = &found.requirement {
        text.push_str(&format!("{REQUIREMENT}{requirement}"));
    }
    let file = Some(found.file.clone()).filter(|file| !file.is_empty());
    let named = found.same_as.as_ref().and_then(|id| earlier.iter().find(|issue| is_id_of(id, issue)));
    let alike =
        |issue: &&Issue| issue.source == source && issue.file == file && similar(said(&issue.text), &found.text);
    let known = named.or_else(|| earlier.iter().find(alike));
    let words = normalised(&found.text).join(" ");
    let fingerprint = known.map_or_else(
        || Digest::of_parts(&[source.as_bytes(), found.file.as_bytes(), words.as_bytes()]),
        |issue| issue.fingerprint,
    );
    Issue {
        severity,
        source: source.to_owned(),
        file,
        line: found.line,
        text,
        suggested_fix: found.suggested_fix.clone(),
        fingerprint,
    }
}

/// The finding's own words, without what was put behind them: that would make any two look alike.
fn said(text: &str) -> &str {
    let end = [HOW, REQUIREMENT].iter().filter_map(|mark| text.find(mark)).min();
    end.map_or(text, |end| &text[..end])
}

/// The fingerprint of a command that failed as a whole, since no part of it could be told apart.
pub fn of_command(source: &str) -> Digest {
    Digest::of_parts(&[source.as_bytes(), b""])
}

/// What stands for a command that could not be run. Who takes it as it is has not taken a failure of that command.
pub fn unavailable(source: &str, why: &str) -> Issue {
    Issue {
        severity: Severity::Major,
        source: source.to_owned(),
        file: None,
        line: None,
        text: why.to_owned(),
        suggested_fix: None,
        fingerprint: Digest::of_parts(&[source.as_bytes(), b"", b"could not be checked"]),
    }
}

/// Whether two texts say nearly the same: the share of common words, each as often as it occurs in both.
pub fn similar(one: &str, other: &str) -> bool {
    let (one, other) = (normalised(one), normalised(other));
    if one.is_empty() || other.is_empty() {
        return one.len() == other.len();
    }
    let mut counts: HashMap<&str, i64> = HashMap::new();
    for word in &one {
        *counts.entry(word).or_default() += 1;
    }
    let mut common = 0usize;
    for word in &other {
        if let Some(count) = counts.get_mut(word.as_str()).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    let share = 2.0 * common as f64 / (one.len() + other.len()) as f64;
    share >= SIMILAR
}

/// The words of a text in lower case, with numbers and paths folded: line 12 today is line 14 tomorrow.
fn normalised(text: &str) -> Vec<String> {
    let fold = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '/');
        if word.contains('/') {
            return "PATH".to_owned();
        }
        if word.chars().any(|c| c.is_ascii_digit()) && word.chars().all(|c| c.is_ascii_digit() || ".:,-".contains(c)) {
            return "N".to_owned();
        }
        without_numbers(&word.to_lowercase())
    };
    text.split_whitespace().map(fold).filter(|word| !word.is_empty()).collect()
}

/// `lib.rs:12` is `lib.rs:N`; digits that belong to a name (`u32`) stay.
fn without_numbers(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut last = ' ';
    for c in word.chars() {
        let named = last.is_alphanumeric() || last == '_';
        if !c.is_ascii_digit() || (named && !out.ends_with('N')) {
            out.push(c);
        } else if !out.ends_with('N') {
            out.push('N');
        }
        last = c;
    }
    out
}
