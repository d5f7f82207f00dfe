//! Ways in which a test's body keeps its assertions from failing: it skips itself, returns early, swallows the failure.

use std::ops::Range;

use super::asserts::Assert;
use super::items::Gate;
use super::language::Language;
use super::lex::{Kind, Lexed};

/// What skips the test from within.
pub(super) fn skips(lexed: &Lexed<'_>, language: Language, body: Range<usize>) -> Vec<Gate> {
    let base = lexed.tokens.get(body.start).map_or(0, |token| token.column);
    let mut found = Vec::new();
    let mut depth = 0_usize;
    for at in body.clone() {
        match lexed.text(at) {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if lexed.kind(at) != Some(Kind::Word) {
            continue;
        }
        let Some(always) = skip(lexed, language, at) else { continue };
        let statement = (body.start..=at).rev().take(16).find(|at| lexed.tokens[*at].first).unwrap_or(at);
        let alone = match language {
            Language::Python => lexed.tokens[statement].column <= base,
            _ => depth == 0,
        };
        let text = format!("{} ( )", lexed.text(at));
        found.push(Gate { line: lexed.line(at), text, certain: always && alone, todo: false });
    }
    found
}

/// Whether a call at `at` skips: always where it is reached, or under its own condition.
fn skip(lexed: &Lexed<'_>, language: Language, at: usize) -> Option<bool> {
    let called = lexed.text(at + 1) == "(";
    let owner = if at > 1 && lexed.text(at - 1) == "." { lexed.text(at - 2) } else { "" };
    match (language, lexed.text(at)) {
        (Language::Python, "skip" | "xfail") if called && owner == "pytest" => Some(true),
        (Language::Python, "importorskip") if called => Some(false),
        (Language::Python, "skipTest") if called && matches!(owner, "self" | "cls") => Some(true),
        (Language::Python, "SkipTest") if called => Some(true),
        (Language::Script, "skip" | "fixme")
            if called && matches!(owner, "this" | "t" | "test" | "it" | "ctx" | "context") =>
        {
            Some(!matches!(lexed.kind(at + 2), Some(Kind::Word)))
        }
        (Language::Script, "pending") if called && owner.is_empty() => Some(true),
        (Language::Go, "Skip" | "Skipf" | "SkipNow") if called && !owner.is_empty() => Some(true),
        (Language::Java, "assumeTrue" | "assumeFalse" | "assumeThat" | "assumingThat") if called => {
            Some(matches!(lexed.text(at + 2), "true" | "false"))
        }
        (Language::Java, "SkipException" | "TestAbortedException" | "AssumptionViolatedException") if called => {
            Some(true)
        }
        _ => None,
    }
}

/// The lines of returns, and of successful exits of the whole process, that an assertion stands behind.
pub(super) fn returns(lexed: &Lexed<'_>, language: Language, body: Range<usize>, asserts: &[Assert]) -> Vec<u32> {
    let last = asserts.iter().map(|assert| assert.at).max().unwrap_or(0);
    let mut found = Vec::new();
    let mut at = body.start;
    while at < body.end {
        match lexed.text(at) {
            // What a function within returns is its own affair.
            "{" if is_function(lexed, at) => {
                at = lexed.close(at).min(body.end);
            }
            "def" if language == Language::Python => {
                let header = at - usize::from(at > body.start && lexed.text(at - 1) == "async");
                let column = lexed.tokens[header].column;
                at += 1;
                while at < body.end && !(lexed.tokens[at].first && lexed.tokens[at].column <= column) {
                    at += 1;
                }
                continue;
            }
            "return" if at < last && lexed.text(at + 1) != "Err" && !failed_before(lexed, at, asserts) => {
                found.push(lexed.line(at));
            }
            "exit" | "Exit" | "_exit" if lexed.is(at + 1, &["(", "0", ")"]) => found.push(lexed.line(at)),
            _ => {}
        }
        at += 1;
    }
    found
}

/// Whether the `{` at `at` opens a function within.
fn is_function(lexed: &Lexed<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    match lexed.text(before) {
        "=>" | "->" | "|" | "||" | "do" => true,
        // `func() {`, `function name(…) {`; of a header with a return type the type stands between.
        ")" => {
            let open = lexed.pair.get(before).map_or(0, |open| *open as usize);
            (1..=2).any(|back| open >= back && matches!(lexed.text(open - back), "func" | "function" | "fn"))
        }
        _ => (1..=4).any(|back| before >= back && lexed.text(before - back) == "func"),
    }
}

/// Whether the statement before a return has made the test fail already.
fn failed_before(lexed: &Lexed<'_>, at: usize, asserts: &[Assert]) -> bool {
    let begin = (at.saturating_sub(96)..at).rev().find(|at| matches!(lexed.text(*at), "{" | "}"));
    let begin = begin.unwrap_or(at.saturating_sub(96));
    let column = lexed.tokens[at].column;
    let in_block = |assert: &Assert| {
        let fails = matches!(lexed.text(assert.at), "t" | "panic" | "fail" | "Fatal" | "Fatalf" | "Error" | "Errorf");
        (begin..at).contains(&assert.at) && (fails || lexed.tokens[assert.at].column == column)
    };
    // In Go the assertion is the condition: the call that fails stands between the bracket and the return.
    let calls =
        (begin..at).any(|at| matches!(lexed.text(at), "Error" | "Errorf" | "Fatal" | "Fatalf" | "panic" | "fail"));
    calls || asserts.iter().rev().skip_while(|assert| assert.at > at).take(4).any(in_block)
}

/// The lines of what catches the failure of an assertion and goes on.
pub(super) fn swallowed(lexed: &Lexed<'_>, language: Language, body: Range<usize>, asserts: &[Assert]) -> Vec<u32> {
    let asserted = |range: Range<usize>| {
        let from = asserts.partition_point(|assert| assert.at < range.start);
        asserts.get(from).is_some_and(|assert| assert.at < range.end)
    };
    let mut found = Vec::new();
    for at in body.clone() {
        let hidden = match (language, lexed.text(at)) {
            (Language::Python, "try") if lexed.text(at + 1) == ":" => python_try(lexed, at, body.end, &asserted),
            (Language::Python, "suppress") if lexed.text(at + 1) == "(" => {
                let behind = lexed.close(at + 1) + 1;
                asserted(behind..block_end(lexed, at, body.end)).then_some(at)
            }
            (Language::Script | Language::Java, "try") => {
                let open = if lexed.text(at + 1) == "(" { lexed.close(at + 1) + 1 } else { at + 1 };
                let end = lexed.close(open);
                let inside = lexed.text(open) == "{" && asserted(open..end);
                inside.then(|| catches(lexed, end + 1, language)).flatten()
            }
            (Language::Script, "catch") if at > 1 && lexed.is(at - 2, &[")", "."]) && lexed.text(at + 1) == "(" => {
                let open = lexed.pair.get(at - 2).map_or(at, |open| *open as usize);
                let range = at + 2..lexed.close(at + 1).min(body.end);
                (open < at && asserted(open..at) && !fails(lexed, range)).then_some(at)
            }
            (Language::Rust, "catch_unwind") if lexed.text(at + 1) == "(" => {
                let dropped = (at.saturating_sub(8)..at).any(|at| lexed.is(at, &["let", "_", "="]));
                (dropped && asserted(at..lexed.close(at + 1))).then_some(at)
            }
            (Language::Go, "recover") if lexed.is(at + 1, &["(", ")"]) => {
                let before = lexed.text(at - 1);
                let dropped = lexed.tokens[at].first || before == "{" || lexed.is(at.saturating_sub(2), &["_", "="]);
                dropped.then_some(at)
            }
            _ => None,
        };
        found.extend(hidden.map(|at| lexed.line(at)));
    }
    found
}

/// The first token behind the block that the statement around `at` heads.
fn block_end(lexed: &Lexed<'_>, at: usize, end: usize) -> usize {
    let header = (at.saturating_sub(16)..=at).rev().find(|at| lexed.tokens[*at].first).unwrap_or(at);
    let column = lexed.tokens[header].column;
    let mut stop = header + 1;
    while stop < end && !(lexed.tokens[stop].first && lexed.tokens[stop].column <= column) {
        stop = lexed.after(stop);
    }
    stop.min(end)
}

/// The handler of `try:` at `at` that lets a failed assertion pass.
fn python_try(lexed: &Lexed<'_>, at: usize, end: usize, asserted: &dyn Fn(Range<usize>) -> bool) -> Option<usize> {
    let mut handler = block_end(lexed, at, end);
    if !asserted(at..handler) {
        return None;
    }
    while lexed.text(handler) == "except" && handler < end {
        let behind = block_end(lexed, handler, end);
        let header = (handler..behind).find(|at| lexed.text(*at) == ":").unwrap_or(behind);
        let types = handler + 1..header;
        let wide = |at: usize| matches!(lexed.text(at), "Exception" | "BaseException" | "AssertionError");
        if (types.is_empty() || types.clone().any(wide)) && !fails(lexed, handler..behind) {
            return Some(handler);
        }
        handler = behind;
    }
    None
}

/// The handler at `at` that lets a failed assertion pass.
fn catches(lexed: &Lexed<'_>, at: usize, language: Language) -> Option<usize> {
    if lexed.text(at) != "catch" {
        return None;
    }
    let typed = lexed.text(at + 1) == "(";
    let open = if typed { lexed.close(at + 1) + 1 } else { at + 1 };
    let wide = ["Throwable", "Exception", "Error", "AssertionError", "AssertionFailedError"];
    let catches_all = language == Language::Script || (at + 1..open).any(|at| wide.contains(&lexed.text(at)));
    (catches_all && !fails(lexed, open..lexed.close(open).min(lexed.tokens.len()))).then_some(at)
}

/// Whether a handler fails the test, or keeps what it caught for someone who looks at it.
fn fails(lexed: &Lexed<'_>, range: Range<usize>) -> bool {
    const WORDS: [&str; 12] =
        ["throw", "raise", "fail", "expect", "done", "reject", "assert", "t", "append", "put", "push", "set_exception"];
    let caught = range.clone().take(16).find(|at| lexed.text(*at) == "as").map_or("", |at| lexed.text(at + 1));
    range.clone().any(|at| {
        let text = lexed.text(at);
        let kept = text == "=" && !caught.is_empty() && lexed.text(at + 1) == caught;
        kept || WORDS.contains(&text) || text.starts_with("assert")
    })
}
