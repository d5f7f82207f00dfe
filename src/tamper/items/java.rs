//! Tests of Java and Kotlin: methods with the annotation of a test.

use std::ops::Range;

use super::{Gate, Item, Items, Place, Scope, Scopes, names, open_brace, spelled};
use crate::tamper::lex::{Kind, Lexed};

pub(super) fn items(lexed: &Lexed<'_>, place: Place) -> Items {
    let mut found = Items::default();
    if !place.test {
        return found;
    }
    let mut scopes = Scopes::default();
    let mut annotations: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < lexed.tokens.len() {
        scopes.leave(at);
        match lexed.text(at) {
            "@" if lexed.kind(at + 1) == Some(Kind::Word) && lexed.text(at + 1) != "interface" => {
                let mut end = at + 2;
                while lexed.text(end) == "." {
                    end += 2;
                }
                if lexed.text(end) == "(" {
                    end = lexed.close(end) + 1;
                }
                annotations.push(at + 1..end);
                at = end;
            }
            "class" | "interface" | "object" | "record" | "enum" if lexed.kind(at + 1) == Some(Kind::Word) => {
                let gates = annotations.drain(..).filter_map(|range| gate(lexed, range)).collect();
                let name = lexed.text(at + 1).to_owned();
                let open = open_brace(lexed, at + 2);
                if let Some(open) = open {
                    scopes.stack.push(Scope { name, end: lexed.close(open), gates, test: true });
                }
                at = open.unwrap_or(at + 1) + 1;
            }
            ";" | "{" | "}" => {
                annotations.clear();
                at += 1;
            }
            _ => match method(lexed, at) {
                Some(body) => {
                    let end = body.end;
                    let attributes = std::mem::take(&mut annotations);
                    let old_style =
                        attributes.is_empty() && lexed.text(at).starts_with("test") && lexed.text(at - 1) == "void";
                    let mut gates = scopes.gates();
                    gates.extend(attributes.iter().filter_map(|range| gate(lexed, range.clone())));
                    found.items.push(Item {
                        name: lexed.text(at).trim_matches('`').to_owned(),
                        scope: scopes.name(),
                        line: lexed.line(at),
                        test: old_style || attributes.iter().any(|range| TESTS.contains(&last(lexed, range.clone()))),
                        attributes,
                        body,
                        gates,
                    });
                    at = end.max(at + 1);
                }
                None => at += 1,
            },
        }
    }
    found
}

const TESTS: [&str; 9] = [
    "Test",
    "ParameterizedTest",
    "RepeatedTest",
    "TestFactory",
    "TestTemplate",
    "Property",
    "Theory",
    "Scenario",
    "ArchTest",
];

/// The body of the method whose name stands at `at`.
fn method(lexed: &Lexed<'_>, at: usize) -> Option<Range<usize>> {
    if at == 0 || lexed.kind(at) != Some(Kind::Word) || lexed.text(at + 1) != "(" {
        return None;
    }
    let before = lexed.tokens[at - 1];
    let typed = match before.kind {
        Kind::Word => !matches!(before.text, "new" | "return" | "throw" | "else" | "assert" | "in" | "case"),
        _ => matches!(before.text, ">" | "]"),
    };
    if !typed || matches!(lexed.text(at), "if" | "for" | "while" | "switch" | "catch" | "synchronized" | "when") {
        return None;
    }
    let mut open = lexed.close(at + 1) + 1;
    // A return type or `throws` may come before the body; of a call neither does.
    while matches!(lexed.text(open), "throws" | "," | "." | ":" | "?" | "=")
        || (lexed.kind(open) == Some(Kind::Word) && lexed.kind(open - 1).is_some())
    {
        if open > at + 64 || lexed.tokens[open].text == ";" {
            return None;
        }
        open += 1;
    }
    (lexed.text(open) == "{").then(|| open + 1..lexed.close(open))
}

/// The last name of an annotation.
fn last<'a>(lexed: &Lexed<'a>, range: Range<usize>) -> &'a str {
    let path = range.take_while(|at| lexed.text(*at) != "(");
    path.filter(|at| lexed.kind(*at) == Some(Kind::Word)).last().map_or("", |at| lexed.text(at))
}

fn gate(lexed: &Lexed<'_>, range: Range<usize>) -> Option<Gate> {
    let name = last(lexed, range.clone());
    let certain = match name {
        "Disabled" | "Ignore" | "Ignored" => true,
        "Test" if names(lexed, range.clone(), &["enabled"]) && names(lexed, range.clone(), &["false"]) => true,
        _ if name.starts_with("Disabled") || name.starts_with("Enabled") => false,
        _ => return None,
    };
    Some(Gate { line: lexed.line(range.start), text: spelled(lexed, range), certain, todo: false })
}
