//! The assertions of a piece of code: what each says, how strongly, and a fingerprint to find it again.

mod collect;
mod expression;
mod names;

use std::ops::Range;

pub(super) use collect::{Call, collect, expected};
pub(super) use names::Rank;

use super::lex::{Kind, Lexed};

/// What an assertion is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A value or condition.
    Plain,
    /// Something is thrown.
    Raises,
    /// Compared with a recorded result.
    Snapshot,
    /// The test fails where it comes here.
    Failure,
    /// A function of the project's own, by the fingerprint of its name: where it is not in sight it may assert any number
    /// of things.
    Own(u64),
}

/// A number of an assertion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    pub value: f64,
    /// 1 where a greater value lets more pass, -1 where a smaller one does, 0 where that cannot be told.
    pub looser: i8,
}

/// One assertion.
#[derive(Debug, Clone)]
pub(super) struct Assert {
    pub rank: Rank,
    pub sort: Sort,
    pub line: u32,
    /// Its first token.
    pub at: usize,
    /// Fingerprint of all tokens.
    pub text: u64,
    /// Fingerprint without the values of numbers.
    pub shape: u64,
    /// The names in it, ascending.
    pub words: Vec<u64>,
    /// The values in it, ascending.
    pub literals: Vec<u64>,
    pub numbers: Vec<Number>,
}

/// At most so many names and values of one assertion are compared; what is longer goes by its fingerprint.
const MOST: usize = 256;

/// Fingerprint of a text (FNV-1a): equal texts, equal numbers, on every machine.
pub(super) fn hash(seed: u64, text: &str) -> u64 {
    let start = if seed == 0 { 0xcbf2_9ce4_8422_2325 } else { seed };
    text.bytes().fold(start ^ 0xff, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Fingerprint of the literal at `at`: a text counts without its kind of quotes, a number with its sign.
pub(super) fn literal(lexed: &Lexed<'_>, at: usize) -> u64 {
    let text = lexed.text(at);
    if is_negative(lexed, at) {
        return hash(hash(0, "-"), text);
    }
    let inside = text.trim_start_matches(|c: char| c.is_ascii_alphabetic() && text.ends_with(['"', '\'', '#']));
    hash(0, inside.trim_matches(['"', '\'', '`', '#']))
}

/// Whether the number at `at` has a sign, and is not what something is subtracted by.
fn is_negative(lexed: &Lexed<'_>, at: usize) -> bool {
    if at == 0 || lexed.text(at - 1) != "-" || lexed.kind(at) != Some(Kind::Number) {
        return false;
    }
    at < 2
        || lexed.text(at - 2) == "return"
        || (lexed.kind(at - 2) == Some(Kind::Mark) && !matches!(lexed.text(at - 2), ")" | "]"))
}

/// The value of a number as it is written in any of the languages.
pub(super) fn value(text: &str) -> Option<f64> {
    const LONGEST: usize = 40;
    if text.len() > LONGEST {
        return None;
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let digits = plain.trim_end_matches(['f', 'F', 'd', 'D', 'L', 'l', 'n']);
    let suffix =
        ["f32", "f64", "i32", "i64", "u32", "u64", "usize"].iter().find_map(|suffix| plain.strip_suffix(suffix));
    suffix.unwrap_or(digits).parse().ok()
}

impl Assert {
    /// Reads the tokens of `range`. `flipped` is true where the test fails when the condition holds; `last` says how the last
    /// argument loosens, where it is a number.
    fn read(lexed: &Lexed<'_>, range: Range<usize>, rank: Rank, sort: Sort, flipped: bool, last: i8) -> Assert {
        let mut assert = Assert {
            rank,
            sort,
            line: lexed.line(range.start),
            at: range.start,
            text: 0,
            shape: 0,
            words: Vec::new(),
            literals: Vec::new(),
            numbers: Vec::new(),
        };
        let mut argument = None;
        for at in range.clone() {
            let text = lexed.text(at);
            // A comma behind the last argument is a matter of format.
            if text == "," && matches!(lexed.text(at + 1), ")" | "]" | "}") {
                continue;
            }
            let kind = lexed.kind(at);
            assert.text = hash(assert.text, text);
            assert.shape = hash(assert.shape, if kind == Some(Kind::Number) { "0" } else { text });
            match kind {
                Some(Kind::Word) if assert.words.len() < MOST => assert.words.push(hash(0, text)),
                Some(Kind::Text) if assert.literals.len() < MOST => assert.literals.push(literal(lexed, at)),
                Some(Kind::Number) if assert.literals.len() < MOST => {
                    assert.literals.push(literal(lexed, at));
                    if let Some(value) = value(text) {
                        let negative = is_negative(lexed, at);
                        let value = if negative { -value } else { value };
                        let looser = looser(lexed, at - usize::from(negative), at) * if flipped { -1 } else { 1 };
                        if matches!(lexed.text(at - 1), "," | "(") && matches!(lexed.text(at + 1), ")" | "," | "") {
                            argument = Some(assert.numbers.len());
                        }
                        assert.numbers.push(Number { value, looser });
                    }
                }
                _ => {}
            }
        }
        if let Some(number) = argument.and_then(|at| assert.numbers.get_mut(at)) {
            number.looser = if number.looser == 0 { last } else { number.looser };
        }
        assert.words.sort_unstable();
        assert.words.dedup();
        assert.literals.sort_unstable();
        assert
    }
}

/// Which way the number from `at` to `end` lets more pass, by what stands beside it.
fn looser(lexed: &Lexed<'_>, at: usize, end: usize) -> i8 {
    let before = if at == 0 { "" } else { lexed.text(at - 1) };
    match (before, lexed.text(end + 1)) {
        ("<" | "<=", _) | (_, ">" | ">=") => return 1,
        (">" | ">=", _) | (_, "<" | "<=") => return -1,
        _ => {}
    }
    let named = if at > 1 && matches!(before, "=" | ":") { lexed.text(at - 2) } else { "" };
    match named {
        "rel" | "abs" | "delta" | "atol" | "rtol" | "tolerance" | "tol" | "epsilon" | "max_relative" | "rel_tol"
        | "abs_tol" => 1,
        "places" | "digits" | "precision" | "decimal" => -1,
        _ if matches!(before, "(") && at > 1 && matches!(lexed.text(at - 2), "within" | "offset" | "byLessThan") => 1,
        _ => 0,
    }
}
