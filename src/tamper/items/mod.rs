//! Which functions a source file has that are tests, or that tests call. A function inside of a test belongs to it, so that
//! each token is in one item at most.

mod go;
mod java;
mod python;
mod rust;
mod script;

use std::ops::Range;

use super::language::{Language, is_collected, is_test_path};
use super::lex::{Kind, Lexed};

/// Something that keeps a test from running, or from failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gate {
    pub line: u32,
    /// What it says, to tell it from another.
    pub text: String,
    /// Whether it always holds: `#[ignore]`, and not `skipif(sys.platform == "win32")`.
    pub certain: bool,
    /// Whether it says that the test is still to be written.
    pub todo: bool,
}

/// A function of a test file.
#[derive(Debug)]
pub(super) struct Item {
    pub name: String,
    /// The modules, classes or groups around it.
    pub scope: String,
    pub line: u32,
    /// Whether a runner runs it by itself.
    pub test: bool,
    /// Attributes, decorators, annotations, or the rows of `each`: ranges of tokens.
    pub attributes: Vec<Range<usize>>,
    /// Its body without the brackets.
    pub body: Range<usize>,
    pub gates: Vec<Gate>,
}

/// A module of tests in another file: `mod name;`.
#[derive(Debug)]
pub(super) struct Attached {
    pub name: String,
    pub line: u32,
}

/// What a file holds for its tests.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub items: Vec<Item>,
    pub attached: Vec<Attached>,
    /// `.only` and its like.
    pub focused: Vec<u32>,
}

/// Where a file stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Whether it holds tests or what they use.
    pub test: bool,
    /// Whether a runner looks for tests in it.
    pub collected: bool,
}

impl Place {
    /// The place of `path`; `given` are paths that the manifest calls tests.
    pub fn of(path: &str, language: Language, given: bool) -> Self {
        let collected = is_collected(path, language) || (given && !matches!(language, Language::Python | Language::Go));
        Place { test: given || is_test_path(path), collected }
    }
}

/// Reads the items of a file.
pub(super) fn items(lexed: &Lexed<'_>, language: Language, place: Place) -> Items {
    match language {
        Language::Rust => rust::items(lexed, place),
        Language::Python => python::items(lexed, place),
        Language::Script => script::items(lexed, place),
        Language::Go => go::items(lexed, place),
        Language::Java => java::items(lexed, place),
        Language::C | Language::Hash => Items::default(),
    }
}

/// The modules, classes or groups around the cursor, innermost last.
#[derive(Debug, Default)]
struct Scopes {
    stack: Vec<Scope>,
}

#[derive(Debug)]
struct Scope {
    name: String,
    /// The first token behind it; for Python the column of its header.
    end: usize,
    gates: Vec<Gate>,
    test: bool,
}

/// Names of more scopes than this are not spelled out: deeper nesting is no test's.
const DEEPEST: usize = 16;

impl Scopes {
    fn name(&self) -> String {
        let names: Vec<&str> = self.stack.iter().take(DEEPEST).map(|scope| short(&scope.name)).collect();
        names.join("::")
    }

    fn gates(&self) -> Vec<Gate> {
        self.stack.iter().take(DEEPEST).flat_map(|scope| scope.gates.iter().take(DEEPEST)).cloned().collect()
    }

    fn is_test(&self) -> bool {
        self.stack.last().is_some_and(|scope| scope.test)
    }

    /// Leaves what ends at or before token `at`.
    fn leave(&mut self, at: usize) {
        while self.stack.last().is_some_and(|scope| scope.end <= at) {
            self.stack.pop();
        }
    }
}

/// The texts of `range` in one line, the first of a long one.
fn spelled(lexed: &Lexed<'_>, range: Range<usize>) -> String {
    const LONGEST: usize = 24;
    let texts: Vec<&str> = range.take(LONGEST).map(|at| short(lexed.text(at))).collect();
    texts.join(" ")
}

/// The beginning of a text that is repeated for many items: a name of a megabyte must not be copied a thousand times.
fn short(text: &str) -> &str {
    const LONGEST: usize = 120;
    let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

/// A header longer than this is none: what looks for its end gives up.
const LONGEST_HEADER: usize = 256;

/// The `{` that opens the body of the header at `from`; nothing where `;` or `}` comes first.
fn open_brace(lexed: &Lexed<'_>, from: usize) -> Option<usize> {
    let mut at = from;
    for _ in 0..LONGEST_HEADER {
        match lexed.text(at) {
            "{" => return Some(at),
            ";" | "}" | "" => return None,
            _ => at = lexed.after(at),
        }
    }
    None
}

/// The inside of a plain string literal.
fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\'', '`'])
}

/// Whether `range` has a word of `words`.
fn names(lexed: &Lexed<'_>, mut range: Range<usize>, words: &[&str]) -> bool {
    range.any(|at| lexed.kind(at) == Some(Kind::Word) && words.contains(&lexed.text(at)))
}

/// Adds `gates` to all items.
fn gate_all(items: &mut [Item], gates: &[Gate]) {
    for item in items {
        item.gates.extend(gates.iter().take(DEEPEST).cloned());
    }
}
