//! Tests of Go: functions of `_test.go` files with the names that `go test` looks for.

use super::{Gate, Item, Items, Place, gate_all, open_brace};
use crate::tamper::lex::{Kind, Lexed};

pub(super) fn items(lexed: &Lexed<'_>, place: Place) -> Items {
    let mut found = Items::default();
    if !place.test && !place.collected {
        return found;
    }
    let mut at = 0;
    while at < lexed.tokens.len() {
        if lexed.text(at) != "func" || !lexed.tokens[at].first {
            at += 1;
            continue;
        }
        let name = if lexed.text(at + 1) == "(" { lexed.close(at + 1) + 1 } else { at + 1 };
        let Some(open) = open_brace(lexed, name + 1).filter(|_| lexed.kind(name) == Some(Kind::Word)) else {
            at += 1;
            continue;
        };
        let end = lexed.close(open);
        let word = lexed.text(name);
        let item = Item {
            name: word.to_owned(),
            scope: String::new(),
            line: lexed.line(name),
            test: place.collected && is_test(word),
            attributes: Vec::new(),
            body: open + 1..end,
            gates: Vec::new(),
        };
        found.items.push(item);
        at = end + 1;
    }
    gate_all(&mut found.items, &constraints(lexed));
    found
}

fn is_test(name: &str) -> bool {
    let kinds = ["Test", "Benchmark", "Fuzz", "Example"];
    let rest = kinds.iter().find_map(|kind| name.strip_prefix(kind));
    name != "TestMain" && rest.is_some_and(|rest| !rest.starts_with(char::is_lowercase))
}

/// The build constraints before the package clause.
fn constraints(lexed: &Lexed<'_>) -> Vec<Gate> {
    let package = lexed.line(0);
    let comments = lexed.comments.iter().take_while(|comment| comment.line < package).take(64);
    comments
        .filter_map(|comment| {
            let condition = comment.text.strip_prefix("go:build ").or(comment.text.strip_prefix(" +build "))?.trim();
            let certain = matches!(condition, "ignore" | "never" | "disabled" | "false" | "none");
            Some(Gate { line: comment.line, text: condition.to_owned(), certain, todo: false })
        })
        .collect()
}
