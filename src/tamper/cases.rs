//! The cases of a test: the rows of `parametrize`, `#[case]`, `it.each`, `@CsvSource`, or of a table that its body goes through.

use std::ops::Range;

use super::asserts::{hash, literal};
use super::language::Language;
use super::lex::{Kind, Lexed};

/// The values of each case.
pub(super) fn of(
    lexed: &Lexed<'_>,
    language: Language,
    attributes: &[Range<usize>],
    body: Range<usize>,
    loops: bool,
) -> Vec<Vec<u64>> {
    let mut rows = Vec::new();
    for range in attributes {
        rows.extend(attribute(lexed, language, range.clone()));
    }
    if rows.is_empty() && loops {
        rows = table(lexed, body);
    }
    rows
}

/// A table that stands beside the tests.
#[derive(Debug)]
pub(super) struct Table {
    /// Fingerprint of its name.
    pub name: u64,
    pub line: u32,
    pub rows: Vec<Vec<u64>>,
}

/// So far from its `=` are the name and the bracket of a table looked for.
const NEAR: usize = 24;

/// The tables outside of `bodies`, which are in order.
pub(super) fn tables(lexed: &Lexed<'_>, bodies: &[Range<usize>]) -> Vec<Table> {
    let mut bodies = bodies.iter().peekable();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lexed.tokens.len() {
        while bodies.next_if(|body| body.end <= at).is_some() {}
        if let Some(body) = bodies.peek().filter(|body| body.contains(&at)) {
            at = body.end;
            continue;
        }
        let list = if lexed.text(at) == "=" { list_behind(lexed, at + 1) } else { None };
        let Some(open) = list else {
            at += 1;
            continue;
        };
        let rows = elements(lexed, open);
        let from = (at.saturating_sub(NEAR)..at).rev().find(|at| lexed.tokens[*at].first).unwrap_or(at);
        // A constant, and not an argument or a variable of some function.
        let constant = lexed.tokens[from].column == 0 || matches!(lexed.text(from), "const" | "static" | "pub");
        if rows.len() > 1 && constant {
            let keywords = ["const", "let", "var", "static", "pub", "export", "final", "private"];
            let name =
                (from..at).find(|at| lexed.kind(*at) == Some(Kind::Word) && !keywords.contains(&lexed.text(*at)));
            let name = name.unwrap_or(from);
            found.push(Table { name: hash(0, lexed.text(name)), line: lexed.line(name), rows });
        }
        at = lexed.close(open).max(at + 1);
    }
    found
}

/// The bracket of the list whose value begins at `from`: past `&`, and past a type that is written before it.
fn list_behind(lexed: &Lexed<'_>, from: usize) -> Option<usize> {
    let mut at = from;
    for _ in 0..NEAR {
        match lexed.text(at) {
            "[" | "(" | "{" => {
                let next = lexed.close(at) + 1;
                let typed =
                    lexed.text(next) == "{" || (lexed.kind(next) == Some(Kind::Word) && !lexed.tokens[next].first);
                if !typed {
                    return Some(at);
                }
                at = next;
            }
            "&" | "struct" | "vec" | "!" => at += 1,
            _ if lexed.kind(at) == Some(Kind::Word) && lexed.text(at + 1) == "{" => at += 1,
            _ => return None,
        }
    }
    None
}

fn attribute(lexed: &Lexed<'_>, language: Language, range: Range<usize>) -> Vec<Vec<u64>> {
    let first = lexed.text(range.start);
    match language {
        Language::Rust if matches!(first, "case" | "test_case") => vec![values(lexed, range)],
        Language::Rust => Vec::new(),
        Language::Python if range.clone().take(8).any(|at| lexed.text(at) == "parametrize") => {
            let Some(comma) = range.clone().skip_while(|at| lexed.text(*at) != "(").find(|at| lexed.text(*at) == ",")
            else {
                return Vec::new();
            };
            let list = range.clone().find(|at| *at > comma && matches!(lexed.text(*at), "[" | "("));
            list.map(|open| elements(lexed, open)).unwrap_or_default()
        }
        Language::Script if lexed.kind(range.start) == Some(Kind::Text) => {
            // The rows of a tagged template, behind its header.
            lexed
                .text(range.start)
                .lines()
                .skip(1)
                .filter(|line| line.contains("${"))
                .map(|line| vec![hash(0, line.trim())])
                .skip(1)
                .collect()
        }
        Language::Script | Language::Java => {
            let list = range.clone().find(|at| matches!(lexed.text(*at), "[" | "{"));
            list.map(|open| elements(lexed, open)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The parts of the list that opens at `open`.
fn elements(lexed: &Lexed<'_>, open: usize) -> Vec<Vec<u64>> {
    let end = lexed.close(open).min(lexed.tokens.len());
    let mut found = Vec::new();
    let mut begin = open + 1;
    let mut at = begin;
    while at < end {
        if lexed.text(at) == "," {
            found.push(values(lexed, begin..at));
            begin = at + 1;
        }
        at = lexed.after(at);
    }
    if begin < end {
        found.push(values(lexed, begin..end));
    }
    found
}

/// The values of a case, ascending; its names where it has no values.
fn values(lexed: &Lexed<'_>, range: Range<usize>) -> Vec<u64> {
    let of = |kinds: &[Kind]| {
        let chosen = range.clone().filter(|at| lexed.kind(*at).is_some_and(|kind| kinds.contains(&kind)));
        chosen.map(|at| literal(lexed, at)).collect::<Vec<u64>>()
    };
    let mut values = of(&[Kind::Text, Kind::Number]);
    if values.is_empty() {
        values = of(&[Kind::Word]);
    }
    values.sort_unstable();
    values
}

/// The rows of the longest list of values in a body.
fn table(lexed: &Lexed<'_>, body: Range<usize>) -> Vec<Vec<u64>> {
    struct Open {
        at: usize,
        commas: usize,
        values: usize,
        /// Brackets directly in it that hold values: rows of several columns.
        rows: usize,
        code: bool,
    }
    let mut stack: Vec<Open> = Vec::new();
    let mut best: Option<((bool, usize), usize)> = None;
    for at in body.clone() {
        match lexed.text(at) {
            "(" | "[" | "{" if lexed.close(at) < body.end => {
                stack.push(Open { at, commas: 0, values: 0, rows: 0, code: false })
            }
            ")" | "]" | "}" if stack.last().is_some_and(|open| lexed.close(open.at) == at) => {
                let Some(open) = stack.pop() else { continue };
                if let Some(around) = stack.last_mut() {
                    around.values += open.values;
                    around.rows += usize::from(open.values > 0);
                }
                let trailing = usize::from(lexed.text(at - 1) == ",");
                let rows = open.commas + 1 - trailing;
                let list = lexed.text(open.at) != "(" || is_list_call(lexed, open.at);
                // Of a table and its longest row the table is meant.
                let size = (open.rows >= rows, rows);
                if list && !open.code && rows > 1 && open.values >= rows && best.is_none_or(|(most, _)| size > most) {
                    best = Some((size, open.at));
                }
            }
            text => {
                if let Some(open) = stack.last_mut() {
                    open.commas += usize::from(text == ",");
                    open.code |= text == ";";
                    open.values += usize::from(matches!(lexed.kind(at), Some(Kind::Text | Kind::Number)));
                }
            }
        }
    }
    best.map(|(_, open)| elements(lexed, open)).unwrap_or_default()
}

/// `List.of(`, `asList(`, or a bracket that no name stands before.
fn is_list_call(lexed: &Lexed<'_>, open: usize) -> bool {
    let before = open.checked_sub(1);
    before.is_none_or(|before| match lexed.kind(before) {
        Some(Kind::Word) => matches!(lexed.text(before), "of" | "asList" | "listOf" | "in"),
        _ => matches!(lexed.text(before), "=" | "("),
    })
}
