//! When two findings are one: the reviewer says so, or source and file agree and the words nearly do.

use std::collections::HashMap;

use super::event::Issue;
use super::report::{ReviewIssue, ReviewReport, Severity};
use crate::ids::Digest;

/// From this share of common words on two texts say the same (DESIGN 5.4).
const SIMILAR: f64 = 0.6;
/// Digits of a fingerprint by which an issue is called in prompts.
pub const ID_DIGITS: usize = 8;

/// The id by which prompts and reviewers call an issue.
pub fn id_of(issue: &Issue) -> String {
    issue.fingerprint.to_string().chars().take(ID_DIGITS).collect()
}

/// What cco makes of a review: each finding with the weight that its grounds allow, and with the fingerprint of the
/// earlier issue that it repeats.
///
/// A finding blocks only if it says how it fails, and names a line or a requirement.
pub fn judged(report: &ReviewReport, source: &str, earlier: &[Issue]) -> Vec<Issue> {
    report.issues.iter().map(|found| judge(found, source, earlier)).collect()
}

fn judge(found: &ReviewIssue, source: &str, earlier: &[Issue]) -> Issue {
    let grounded = !found.how_it_fails.trim().is_empty() && (found.line.is_some() || found.requirement.is_some());
    let severity = if grounded { found.severity } else { Severity::Minor };
    let mut text = found.text.clone();
    if !found.how_it_fails.trim().is_empty() {
        text.push_str(&format!("\nHow it fails: {}", found.how_it_fails));
    }
    if let Some(requirement) = &found.requirement {
        text.push_str(&format!("\nRequirement: {requirement}"));
    }
    let file = Some(found.file.clone()).filter(|file| !file.is_empty());
    let known = earlier.iter().find(|issue| match &found.same_as {
        Some(id) if !id.is_empty() => issue.fingerprint.to_string().starts_with(id.as_str()) && id.len() >= ID_DIGITS,
        Some(_) | None => issue.source == source && issue.file == file && similar(&issue.text, &text),
    });
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
        word.to_lowercase()
    };
    text.split_whitespace().map(fold).filter(|word| !word.is_empty()).collect()
}
