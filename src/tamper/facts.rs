//! What one test does, beyond its assertions: whether it skips itself, returns early, swallows failures; its cases.

use std::ops::Range;

use super::asserts::{Assert, Call, collect, expected, hash, literal};
use super::items::{Gate, Item};
use super::language::Language;
use super::lex::{Kind, Lexed};
use super::{cases, escapes};

/// One test, or a function that tests call.
#[derive(Debug)]
pub(super) struct Test<'a> {
    /// The index of its file.
    pub file: usize,
    pub name: String,
    pub scope: String,
    pub line: u32,
    pub test: bool,
    pub gates: Vec<Gate>,
    pub asserts: Vec<Assert>,
    pub calls: Vec<Call<'a>>,
    /// All values in body and attributes, ascending, each as often as it is there.
    pub literals: Vec<u64>,
    /// All names in body and attributes, ascending.
    pub words: Vec<u64>,
    /// Fingerprint of the body.
    pub body: u64,
    /// Whether the body does nothing.
    pub empty: bool,
    /// Whether it runs what it does for several values.
    pub several: bool,
    /// The lines of returns before an assertion.
    pub returns: Vec<u32>,
    /// The lines where the failure of an assertion is caught and forgotten.
    pub swallowed: Vec<u32>,
    /// The values of each case of a parametrised or table-driven test.
    pub cases: Vec<Vec<u64>>,
    /// `should_panic`, and whether it names what is to be said.
    pub panics: Option<(u32, bool)>,
}

/// Reads an item.
pub(super) fn read<'a>(lexed: &Lexed<'a>, language: Language, file: usize, item: Item) -> Test<'a> {
    let body = item.body.start..item.body.end.min(lexed.tokens.len());
    let mut found = collect(lexed, language, body.clone());
    if language == Language::Java {
        found.asserts.extend(item.attributes.iter().find_map(|range| expected(lexed, range.clone())));
    }
    // In Go the assertion is the condition, which stands before what was found inside of it.
    found.asserts.sort_by_key(|assert| assert.at);
    let mut test = Test {
        file,
        name: item.name,
        scope: item.scope,
        line: item.line,
        test: item.test,
        gates: item.gates,
        asserts: found.asserts,
        calls: found.calls,
        literals: Vec::new(),
        words: Vec::new(),
        body: 0,
        empty: body.clone().all(|at| is_nothing(lexed, at)),
        several: body.clone().any(|at| LOOPS.contains(&lexed.text(at))),
        returns: Vec::new(),
        swallowed: Vec::new(),
        cases: Vec::new(),
        panics: None,
    };
    for at in item.attributes.iter().cloned().flatten().chain(body.clone()) {
        match lexed.kind(at) {
            Some(Kind::Word) => test.words.push(hash(0, lexed.text(at))),
            Some(Kind::Text | Kind::Number) => test.literals.push(literal(lexed, at)),
            _ => {}
        }
    }
    test.words.sort_unstable();
    test.words.dedup();
    test.literals.sort_unstable();
    test.body = body.clone().fold(0, |seed, at| hash(seed, lexed.text(at)));
    test.gates.extend(escapes::skips(lexed, language, body.clone()));
    test.returns = escapes::returns(lexed, language, body.clone(), &test.asserts);
    test.swallowed = escapes::swallowed(lexed, language, body.clone(), &test.asserts);
    test.cases = cases::of(lexed, language, &item.attributes, body, test.several);
    test.several |= item.attributes.iter().any(|range| is_parametrised(lexed, language, range.clone()));
    test.panics = item.attributes.iter().find_map(|range| panics(lexed, range.clone()));
    test
}

/// Words that say that code runs more than once.
const LOOPS: [&str; 8] = ["for", "while", "forEach", "each", "map", "iter", "into_iter", "subTest"];

/// Whether an attribute gives a test its values.
fn is_parametrised(lexed: &Lexed<'_>, language: Language, mut range: Range<usize>) -> bool {
    const NAMES: [&str; 8] = [
        "parametrize",
        "MethodSource",
        "CsvSource",
        "ValueSource",
        "EnumSource",
        "ParameterizedTest",
        "case",
        "test_case",
    ];
    language == Language::Script || range.any(|at| NAMES.contains(&lexed.text(at)))
}

/// Whether a token does nothing.
fn is_nothing(lexed: &Lexed<'_>, at: usize) -> bool {
    let text = lexed.text(at);
    matches!(text, "pass" | "..." | ";" | "return" | "{" | "}" | "(" | ")" | "Ok")
        // The text that documents a Python function.
        || (lexed.kind(at) == Some(Kind::Text) && lexed.tokens[at].first)
}

fn panics(lexed: &Lexed<'_>, range: Range<usize>) -> Option<(u32, bool)> {
    let named = range.clone().any(|at| matches!(lexed.text(at), "expected" | "="));
    (lexed.text(range.start) == "should_panic").then(|| (lexed.line(range.start), named))
}
