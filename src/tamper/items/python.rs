//! Tests of Python: functions and methods named `test…` in files that runners collect, by indentation.

use std::ops::Range;

use super::{Gate, Item, Items, Place, Scope, Scopes, gate_all, names, spelled};
use crate::tamper::lex::{Kind, Lexed};

pub(super) fn items(lexed: &Lexed<'_>, place: Place) -> Items {
    let mut found = Items::default();
    if !place.test {
        return found;
    }
    let mut scopes = Scopes::default();
    let mut decorators: Vec<Range<usize>> = Vec::new();
    let mut whole: Vec<Gate> = Vec::new();
    let mut at = 0;
    while at < lexed.tokens.len() {
        let token = &lexed.tokens[at];
        if !token.first {
            at = lexed.after(at);
            continue;
        }
        let column = token.column as usize;
        // A scope's end is the column of its header here: what stands as far left is behind it.
        while scopes.stack.last().is_some_and(|scope| column <= scope.end) {
            scopes.stack.pop();
        }
        let line_end = statement(lexed, at);
        let header = if token.text == "async" { at + 1 } else { at };
        match lexed.text(header) {
            "@" => {
                decorators.push(at + 1..line_end);
                at = line_end;
            }
            "class" => {
                let gates = decorators.drain(..).filter_map(|range| gate(lexed, range)).collect();
                let name = lexed.text(at + 1).to_owned();
                scopes.stack.push(Scope { name, end: column, gates, test: true });
                at = line_end;
            }
            "def" => {
                let end = block(lexed, header, column);
                let name = lexed.text(header + 1).to_owned();
                let attributes = std::mem::take(&mut decorators);
                let mut gates = scopes.gates();
                gates.extend(attributes.iter().filter_map(|range| gate(lexed, range.clone())));
                let test = place.collected && name.starts_with("test");
                let line = lexed.line(header);
                let body = colon(lexed, header).min(end)..end;
                found.items.push(Item { name, scope: scopes.name(), line, test, attributes, body, gates });
                at = end;
            }
            _ => {
                decorators.clear();
                if let Some(gate) = statement_gate(lexed, at..line_end) {
                    match scopes.stack.last_mut() {
                        Some(scope) => scope.gates.push(gate),
                        None => whole.push(gate),
                    }
                }
                at += 1;
            }
        }
    }
    gate_all(&mut found.items, &whole);
    found
}

/// The first token of the next statement's line.
fn statement(lexed: &Lexed<'_>, from: usize) -> usize {
    let mut at = lexed.after(from);
    while at < lexed.tokens.len() && !lexed.tokens[at].first {
        at = lexed.after(at);
    }
    at.min(lexed.tokens.len())
}

/// The first token behind the block whose header stands at `column`.
fn block(lexed: &Lexed<'_>, from: usize, column: usize) -> usize {
    let mut at = lexed.after(from);
    while at < lexed.tokens.len() && !(lexed.tokens[at].first && lexed.tokens[at].column as usize <= column) {
        at = lexed.after(at);
    }
    at.min(lexed.tokens.len())
}

/// The token behind the colon that ends a function's header.
fn colon(lexed: &Lexed<'_>, from: usize) -> usize {
    let mut at = from;
    while at < lexed.tokens.len() && lexed.text(at) != ":" {
        at = lexed.after(at);
    }
    at + 1
}

const SKIPS: [&str; 7] = ["skip", "skipif", "skipIf", "skipUnless", "xfail", "expectedFailure", "importorskip"];

fn gate(lexed: &Lexed<'_>, range: Range<usize>) -> Option<Gate> {
    if !names(
        lexed,
        range.clone().take_while(|at| lexed.text(*at) != "(").fold(range.start..range.start, |r, at| r.start..at + 1),
        &SKIPS,
    ) {
        return None;
    }
    Some(Gate {
        line: lexed.line(range.start),
        text: spelled(lexed, range.clone()),
        certain: is_certain(lexed, range),
        todo: false,
    })
}

/// Whether a mark holds without a condition: `skip`, and `skipif` with a constant that is true.
fn is_certain(lexed: &Lexed<'_>, range: Range<usize>) -> bool {
    let Some(word) = range.clone().find(|at| SKIPS.contains(&lexed.text(*at))) else { return false };
    let first = lexed.text(word + 2);
    let constant = matches!(first, "True" | "1") && matches!(lexed.text(word + 3), "," | ")");
    match lexed.text(word) {
        "skip" | "expectedFailure" => true,
        "skipif" | "skipIf" => constant,
        "skipUnless" => matches!(first, "False" | "0"),
        // Without arguments, or with named ones only, it expects a failure everywhere.
        "xfail" => lexed.text(word + 1) != "(" || constant || lexed.text(word + 3) == "=" || first == ")",
        _ => false,
    }
}

/// What a statement outside of functions says about all tests around it.
fn statement_gate(lexed: &Lexed<'_>, range: Range<usize>) -> Option<Gate> {
    let line = lexed.line(range.start);
    let gate = |certain| Some(Gate { line, text: spelled(lexed, range.clone()), certain, todo: false });
    match lexed.text(range.start) {
        "pytestmark" if names(lexed, range.clone(), &SKIPS) => gate(is_certain(lexed, range.clone())),
        "__test__" if lexed.is(range.start + 1, &["=", "False"]) => gate(true),
        "pytest" if lexed.is(range.start + 1, &[".", "skip", "("]) => gate(lexed.tokens[range.start].column == 0),
        "raise" if names(lexed, range.clone(), &["SkipTest"]) && lexed.kind(range.start + 1) == Some(Kind::Word) => {
            gate(lexed.tokens[range.start].column == 0)
        }
        _ => None,
    }
}
