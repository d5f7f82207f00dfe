//! How much a condition says: `a == b` more than `a.contains(b)`, that more than `a.is_some()`.

use std::ops::Range;

use super::names::Rank;
use crate::tamper::lex::{Kind, Lexed};

/// A condition with its strength.
pub(super) type Judged = (Rank, Range<usize>);

/// Judges a condition: each part of a conjunction is an assertion of its own. `holds` is false where the test passes when the
/// condition does not hold.
pub(super) fn judge(lexed: &Lexed<'_>, range: Range<usize>, holds: bool, out: &mut Vec<Judged>) {
    let (range, holds) = bare(lexed, range, holds);
    let joint: &[&str] = if holds { &["&&", "and"] } else { &["||", "or"] };
    let mut begin = range.start;
    let mut at = range.start;
    while at < range.end {
        if joint.contains(&lexed.text(at)) {
            out.push(part(lexed, begin..at, holds));
            begin = at + 1;
        }
        at = lexed.after(at);
    }
    out.push(part(lexed, begin..range.end, holds));
}

/// Strips brackets around the whole and negations in front of it.
fn bare(lexed: &Lexed<'_>, mut range: Range<usize>, mut holds: bool) -> (Range<usize>, bool) {
    loop {
        let whole = |at: usize| lexed.text(at) == "(" && lexed.close(at) + 1 == range.end;
        if !range.is_empty() && whole(range.start) {
            range = range.start + 1..range.end - 1;
        } else if lexed.text(range.start) == "!" && whole(range.start + 1) {
            range.start += 1;
            holds = !holds;
        } else {
            return (range, holds);
        }
        if range.start >= range.end {
            return (range.end..range.end, holds);
        }
    }
}

fn part(lexed: &Lexed<'_>, range: Range<usize>, holds: bool) -> Judged {
    let (mut range, mut holds) = bare(lexed, range, holds);
    while range.start < range.end && matches!(lexed.text(range.start), "!" | "not") {
        range.start += 1;
        holds = !holds;
    }
    (rank(lexed, range.clone(), holds), range)
}

fn rank(lexed: &Lexed<'_>, range: Range<usize>, holds: bool) -> Rank {
    if range.len() <= 1 {
        return single(lexed, range.start, holds);
    }
    let mut compared = None;
    let mut at = range.start;
    while at < range.end {
        match lexed.text(at) {
            "||" | "or" => {
                let constant = [at.wrapping_sub(1), at + 1].iter().any(|side| is_true(lexed.text(*side)));
                return if constant { Rank::Nothing } else { Rank::Loose };
            }
            // The angle of a type argument compares nothing.
            "<" | ">" if at > 0 && lexed.text(at - 1) == "::" => {}
            "==" | "===" | "!=" | "!==" | "<" | ">" | "<=" | ">=" | "in" | "is" if compared.is_none() => {
                compared = Some(at)
            }
            _ => {}
        }
        at = lexed.after(at);
    }
    match compared {
        Some(operator) => comparison(lexed, range, operator, holds),
        None => call(lexed, range, holds),
    }
}

fn single(lexed: &Lexed<'_>, at: usize, holds: bool) -> Rank {
    let text = lexed.text(at);
    let truth = match lexed.kind(at) {
        Some(Kind::Word) if is_true(text) => Some(true),
        Some(Kind::Word) if matches!(text, "false" | "False" | "None" | "null") => Some(false),
        Some(Kind::Number) => Some(text != "0"),
        Some(Kind::Text) => Some(text.len() > 2),
        None => Some(holds),
        _ => None,
    };
    if truth == Some(holds) { Rank::Nothing } else { Rank::Truth }
}

fn is_true(text: &str) -> bool {
    matches!(text, "true" | "True")
}

fn comparison(lexed: &Lexed<'_>, range: Range<usize>, operator: usize, holds: bool) -> Rank {
    let negated = matches!(lexed.text(operator), "!=" | "!==")
        || lexed.is(operator, &["is", "not"])
        || (lexed.text(operator) == "in" && operator > 0 && lexed.text(operator - 1) == "not");
    let same = matches!(lexed.text(operator), "==" | "===" | "!=" | "!==" | "is");
    if !same {
        return Rank::Loose;
    }
    let right = operator + 1 + usize::from(lexed.is(operator, &["is", "not"]));
    equality(lexed, range.start..operator, right..range.end, negated != holds)
}

/// How much it says that two values are the same, or that they are not.
pub(super) fn equality(lexed: &Lexed<'_>, left: Range<usize>, right: Range<usize>, same: bool) -> Rank {
    let one = |range: &Range<usize>| if range.len() == 1 { lexed.text(range.start) } else { "" };
    let sides = [one(&left), one(&right)];
    if same && left.len() == right.len() && left.clone().zip(right.clone()).all(|(a, b)| lexed.text(a) == lexed.text(b))
    {
        return Rank::Nothing;
    }
    if sides.iter().any(|side| matches!(*side, "true" | "false" | "True" | "False")) {
        return Rank::Truth;
    }
    if !same {
        let nothing = |side: &&str| matches!(*side, "None" | "null" | "nil" | "undefined" | "\"\"" | "''" | "0");
        return if sides.iter().any(nothing) { Rank::Exists } else { Rank::Loose };
    }
    let near =
        |range: &Range<usize>| matches!(lexed.text(range.start), "pytest" | "approx" | "isclose") && range.len() > 3;
    if near(&left) || near(&right) {
        return Rank::Loose;
    }
    if is_size(lexed, &left) || is_size(lexed, &right) { Rank::Size } else { Rank::Exact }
}

/// Whether a value is the number of something's parts.
fn is_size(lexed: &Lexed<'_>, range: &Range<usize>) -> bool {
    if range.len() < 2 {
        return false;
    }
    if lexed.text(range.start) == "len" && lexed.text(range.start + 1) == "(" {
        return lexed.close(range.start + 1) + 1 == range.end;
    }
    let last = if lexed.text(range.end - 1) == ")" { range.end.saturating_sub(3) } else { range.end - 1 };
    last > range.start && matches!(lexed.text(last), "len" | "length" | "size" | "count") && lexed.text(last - 1) == "."
}

/// A condition without an operator: by the name of what is called last.
fn call(lexed: &Lexed<'_>, range: Range<usize>, holds: bool) -> Rank {
    let mut last = "";
    let mut open = range.end;
    let mut at = range.start;
    while at < range.end {
        if lexed.kind(at) == Some(Kind::Word) {
            last = lexed.text(at);
        } else if lexed.text(at) == "(" {
            open = at;
        }
        at = lexed.after(at);
    }
    match last {
        "is_some" | "is_ok" | "is_err" | "isPresent" | "isinstance" | "hasattr" | "callable" => Rank::Exists,
        "is_none" | "is_empty" | "isEmpty" | "equals" | "eq" | "Equal" | "DeepEqual" | "EqualFold" | "Diff"
        | "isNaN" => {
            if holds {
                Rank::Exact
            } else {
                Rank::Exists
            }
        }
        "contains" | "starts_with" | "ends_with" | "any" | "has" | "includes" | "startsWith" | "endsWith"
        | "startswith" | "endswith" | "contains_key" | "containsKey" | "is_match" | "match" | "HasPrefix"
        | "HasSuffix" | "Contains" => Rank::Loose,
        // The value is matched exactly unless a part of the pattern stands for anything.
        "matches" => {
            let open_pattern = |at: usize| matches!(lexed.text(at), "_" | "..");
            let end = lexed.close(open).min(range.end);
            if (open..end).any(open_pattern) { Rank::Loose } else { Rank::Exact }
        }
        _ => Rank::Truth,
    }
}
