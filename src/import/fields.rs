//! Words and lists of other tools' fields.

use crate::spec::manifest::ComponentComplexity;

/// The complexity that a word or a number from 1 to 10 means, and whether that took some reading.
pub(super) fn complexity(text: &str) -> Option<(ComponentComplexity, bool)> {
    use ComponentComplexity::{High, Low, Medium};
    let word = text.trim().trim_matches(['*', '`', '_']).to_lowercase();
    Some(match word.as_str() {
        "low" => (Low, false),
        "medium" => (Medium, false),
        "high" => (High, false),
        "s" | "xs" | "small" | "simple" | "easy" | "trivial" | "minor" => (Low, true),
        "m" | "med" | "moderate" | "mid" | "normal" => (Medium, true),
        "l" | "xl" | "large" | "hard" | "complex" | "very high" => (High, true),
        number => match number.parse::<f64>().ok()? {
            n if (1.0..5.0).contains(&n) => (Low, true),
            n if (5.0..8.0).contains(&n) => (Medium, true),
            n if (8.0..=10.0).contains(&n) => (High, true),
            _ => return None,
        },
    })
}

/// The parts of a list in a cell or behind a colon; nothing where it says so. A comma in braces belongs to a glob.
pub(super) fn list(text: &str) -> Vec<String> {
    let text = text.replace("<br>", ",").replace("<br/>", ",").replace("<br />", ",").replace(" and ", ",");
    let mut depth = 0_usize;
    let parts = text.split(|c: char| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        matches!(c, ',' | ';' | '&' | '\n') && depth == 0
    });
    let parts = parts.map(|part| part.trim().trim_matches(['`', '*', '"']).trim());
    parts.filter(|part| !is_nothing(part)).map(str::to_owned).collect()
}

/// What a field or a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Name,
    Files,
    Depends,
    Complexity,
    Purpose,
    Action,
    Checks,
    Status,
}

/// What the name of a field or the head of a column means.
pub(super) fn field(name: &str) -> Option<Field> {
    let name = name.trim().trim_matches(['*', '`', '_', ':', ' ']).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    Some(match name.as_str() {
        "id" | "#" | "no" | "no." | "nr" | "key" | "ref" => Field::Id,
        "component" | "components" | "name" | "module" | "task" | "item" | "unit" | "part" | "step" | "service"
        | "title" | "feature" => Field::Name,
        "purpose" | "description" | "detail" | "details" | "change" | "changes" | "what" | "summary"
        | "responsibility" | "notes" | "note" | "reason" | "why" | "scope" | "goal" => Field::Purpose,
        "action" | "operation" | "type" | "create/modify" => Field::Action,
        "check" | "checks" | "command" | "commands" | "verify" | "verification" | "validation" => Field::Checks,
        "status" | "done" | "state" => Field::Status,
        _ if name.len() > 40 => return None,
        _ if has(&["depend", "requires", "blocked by", "prerequisite"])
            || matches!(name.as_str(), "deps" | "after") =>
        {
            Field::Depends
        }
        _ if has(&["file", "path", "location"]) => Field::Files,
        _ if has(&["complexity", "effort", "difficulty", "size"]) => Field::Complexity,
        _ => return None,
    })
}

/// Whether a text stands for nothing.
pub(super) fn is_nothing(text: &str) -> bool {
    let word = text.trim().trim_matches(['*', '`', '_', '(', ')', '.']).to_lowercase();
    matches!(word.as_str(), "" | "-" | "–" | "—" | "none" | "nothing" | "n/a" | "na" | "null" | "no" | "n" | "∅" | "/")
}
