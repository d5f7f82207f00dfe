//! Tests of Rust: functions with an attribute that ends in `test`, and the functions of test modules.

use std::ops::Range;

use super::{Attached, Gate, Item, Items, Place, Scope, Scopes, gate_all, names, open_brace, spelled};
use crate::tamper::lex::{Kind, Lexed};

pub(super) fn items(lexed: &Lexed<'_>, place: Place) -> Items {
    let mut found = Items::default();
    let mut scopes = Scopes::default();
    let mut attributes: Vec<Range<usize>> = Vec::new();
    let mut whole: Vec<Gate> = Vec::new();
    let mut at = 0;
    while at < lexed.tokens.len() {
        scopes.leave(at);
        let test_code = place.test || scopes.is_test();
        match lexed.text(at) {
            "#" if lexed.text(at + 1) == "[" => {
                let end = lexed.close(at + 1);
                attributes.push(at + 2..end);
                at = end + 1;
            }
            "#" if lexed.is(at, &["#", "!", "["]) => {
                let end = lexed.close(at + 2);
                let gate = gate(lexed, at + 3..end);
                match scopes.stack.last_mut() {
                    Some(scope) => scope.gates.extend(gate),
                    None => whole.extend(gate),
                }
                at = end + 1;
            }
            "mod" if lexed.kind(at + 1) == Some(Kind::Word) => {
                let name = lexed.text(at + 1).to_owned();
                let marked = attributes.iter().any(|range| names(lexed, range.clone(), &["test"]));
                let gates: Vec<Gate> = attributes.drain(..).filter_map(|range| gate(lexed, range)).collect();
                if lexed.text(at + 2) == "{" {
                    let end = lexed.close(at + 2);
                    scopes.stack.push(Scope { name, end, gates, test: test_code || marked });
                } else if lexed.text(at + 2) == ";" && (marked || test_code) && gates.is_empty() {
                    found.attached.push(Attached { name, line: lexed.line(at) });
                }
                at += 3;
            }
            "fn" if lexed.kind(at + 1) == Some(Kind::Word) => {
                let header = std::mem::take(&mut attributes);
                let Some(open) = open_brace(lexed, at + 2) else {
                    at += 2;
                    continue;
                };
                let end = lexed.close(open);
                let test = header.iter().any(|range| is_test(lexed, range.clone()));
                if test || test_code {
                    let mut gates = scopes.gates();
                    gates.extend(header.iter().filter_map(|range| gate(lexed, range.clone())));
                    found.items.push(Item {
                        name: lexed.text(at + 1).to_owned(),
                        scope: scopes.name(),
                        line: lexed.line(at),
                        test,
                        attributes: header,
                        body: open + 1..end,
                        gates,
                    });
                }
                at = end + 1;
            }
            ";" | "{" | "}" | "," => {
                attributes.clear();
                at += 1;
            }
            _ => at += 1,
        }
    }
    gate_all(&mut found.items, &whole);
    found
}

/// Whether an attribute makes a test: its path ends in `test` or a runner's own name.
fn is_test(lexed: &Lexed<'_>, range: Range<usize>) -> bool {
    let path = range.take_while(|at| lexed.kind(*at) == Some(Kind::Word) || lexed.text(*at) == "::");
    let last = path.last().map_or("", |at| lexed.text(at));
    matches!(
        last,
        "test" | "rstest" | "test_case" | "quickcheck" | "wasm_bindgen_test" | "test_matrix" | "parameterized"
    )
}

fn gate(lexed: &Lexed<'_>, range: Range<usize>) -> Option<Gate> {
    let (line, text) = (lexed.line(range.start), spelled(lexed, range.clone()));
    let certain = match lexed.text(range.start) {
        "ignore" => true,
        "cfg" if text == "cfg ( test )" => return None,
        "cfg" => {
            let never = ["cfg ( any ( ) )", "cfg ( FALSE )", "cfg ( false )", "cfg ( not ( test ) )"];
            // `all(test, …)` and `any(test, …)` bring in a condition; an empty `any` within never holds.
            never.contains(&text.as_str()) || text.contains("any ( )") || text.contains("FALSE")
        }
        "cfg_attr" if names(lexed, range.clone(), &["ignore"]) => text.starts_with("cfg_attr ( all ( )"),
        _ => return None,
    };
    Some(Gate { line, text, certain, todo: false })
}
