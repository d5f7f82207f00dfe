//! Tests of JavaScript and TypeScript: calls of `it`, `test` and their like with a name and a function.

use std::ops::Range;

use super::{Gate, Item, Items, Place, Scope, Scopes, open_brace, spelled, unquoted};
use crate::tamper::lex::{Kind, Lexed};

pub(super) fn items(lexed: &Lexed<'_>, place: Place) -> Items {
    let mut found = Items::default();
    if !place.test {
        return found;
    }
    let mut scopes = Scopes::default();
    let mut at = 0;
    while at < lexed.tokens.len() {
        scopes.leave(at);
        if let Some(call) = call(lexed, at) {
            if call.focused {
                found.focused.push(lexed.line(at));
            }
            let (args, end) = (call.open + 1, lexed.close(call.open));
            let name = unquoted(lexed.text(args)).to_owned();
            let mut gates: Vec<Gate> = call.gate(lexed, at).into_iter().collect();
            if call.group {
                scopes.stack.push(Scope { name, end, gates, test: true });
                at = args;
                continue;
            }
            gates.splice(0..0, scopes.gates());
            let body = function_in(lexed, args, end).unwrap_or(end..end);
            if body.is_empty() && lexed.text(args + 1) == ")" && gates.is_empty() {
                let text = "no function".to_owned();
                gates.push(Gate { line: lexed.line(at), text, certain: true, todo: true });
            }
            let (line, scope) = (lexed.line(at), scopes.name());
            let test = place.collected;
            found.items.push(Item {
                name,
                scope,
                line,
                test,
                attributes: call.rows.into_iter().collect(),
                body,
                gates,
            });
            at = end + 1;
        } else if let Some((name, body)) = function(lexed, at) {
            let end = body.end;
            let (line, scope, gates) = (lexed.line(at), scopes.name(), Vec::new());
            found.items.push(Item { name, scope, line, test: false, attributes: Vec::new(), body, gates });
            at = end.max(at + 1);
        } else {
            at += 1;
        }
    }
    found
}

/// A call that declares a test or a group of tests.
struct Call {
    group: bool,
    focused: bool,
    /// What says that it does not run.
    skip: Option<Skip>,
    /// The arguments of `each`.
    rows: Option<Range<usize>>,
    /// The bracket of the arguments.
    open: usize,
}

#[derive(Clone, Copy)]
enum Skip {
    Always,
    Sometimes,
    Todo,
}

impl Call {
    fn gate(&self, lexed: &Lexed<'_>, at: usize) -> Option<Gate> {
        let skip = self.skip?;
        let text = spelled(lexed, at..self.open);
        let (certain, todo) = (!matches!(skip, Skip::Sometimes), matches!(skip, Skip::Todo));
        Some(Gate { line: lexed.line(at), text, certain, todo })
    }
}

fn call(lexed: &Lexed<'_>, at: usize) -> Option<Call> {
    if lexed.kind(at) != Some(Kind::Word) {
        return None;
    }
    let member = at > 0 && lexed.text(at - 1) == "." && lexed.text(at.wrapping_sub(2)) != "Deno";
    let word = lexed.text(at);
    let plain = word.trim_start_matches(['x', 'f']);
    let (group, short) = match plain {
        "describe" | "suite" | "context" => (true, word.len() > plain.len()),
        "it" | "test" | "specify" => (false, word.len() > plain.len()),
        _ => return None,
    };
    if member || (short && word.len() != plain.len() + 1) {
        return None;
    }
    let mut skip = (short && word.starts_with('x')).then_some(Skip::Always);
    let mut call = Call { group, focused: short && word.starts_with('f'), skip: None, rows: None, open: 0 };
    let mut next = at + 1;
    while lexed.text(next) == "." {
        match lexed.text(next + 1) {
            "skip" | "failing" | "fails" | "fixme" | "fail" => skip = Some(Skip::Always),
            "todo" => skip = Some(Skip::Todo),
            "only" => call.focused = true,
            "skipIf" | "runIf" | "if" => {
                let condition = (lexed.text(next + 3), lexed.text(next + 4));
                let constant = condition == ("true", ")") || condition == ("false", ")");
                skip = skip.or(Some(if constant { Skip::Always } else { Skip::Sometimes }));
                next = lexed.close(next + 2).saturating_sub(1);
            }
            "each" | "for" => {
                let end = if lexed.text(next + 2) == "(" { lexed.close(next + 2) } else { next + 2 };
                call.rows = Some(next + 2..end + 1);
                next = end.saturating_sub(1);
            }
            "describe" => call.group = true,
            "concurrent" | "sequential" | "serial" | "parallel" | "shuffle" => {}
            _ => return None,
        }
        next += 2;
    }
    let named =
        matches!(lexed.kind(next + 1), Some(Kind::Text)) || (call.rows.is_some() && lexed.kind(next + 1).is_some());
    if lexed.text(next) != "(" || !(named || (lexed.kind(next + 1) == Some(Kind::Word) && lexed.text(next + 2) == ","))
    {
        return None;
    }
    call.open = next;
    call.skip = skip.or_else(|| option(lexed, next + 2, lexed.close(next)));
    Some(call)
}

/// `{ skip: true }` between the name and the function.
fn option(lexed: &Lexed<'_>, from: usize, end: usize) -> Option<Skip> {
    if !lexed.is(from, &[",", "{"]) {
        return None;
    }
    let within = from + 2..lexed.close(from + 1).min(end).min(from + 32);
    within.clone().find_map(|at| match (lexed.text(at), lexed.text(at + 1), lexed.text(at + 2)) {
        ("skip", ":", "false") | ("todo", ":", "false") => None,
        ("skip", ":", value) if value == "true" || value.starts_with(['"', '\'']) => Some(Skip::Always),
        ("skip", ":", _) => Some(Skip::Sometimes),
        ("todo", ":", _) => Some(Skip::Todo),
        _ => None,
    })
}

/// The body of the first function among the arguments `from..end`.
fn function_in(lexed: &Lexed<'_>, from: usize, end: usize) -> Option<Range<usize>> {
    let mut at = from;
    while at < end {
        match lexed.text(at) {
            "=>" if lexed.text(at + 1) == "{" => return Some(at + 2..lexed.close(at + 1).min(end)),
            "=>" => return Some(at + 1..end),
            "function" => {
                let open = (at..end.min(at + 8)).find(|at| lexed.text(*at) == "(")?;
                let open = lexed.close(open) + 1;
                return (lexed.text(open) == "{").then(|| open + 1..lexed.close(open).min(end));
            }
            _ => at = lexed.after(at),
        }
    }
    None
}

/// A function with a name: `function name(…) {…}`, `const name = (…) => …`.
fn function(lexed: &Lexed<'_>, at: usize) -> Option<(String, Range<usize>)> {
    let name = lexed.text(at + 1);
    match lexed.text(at) {
        "function" if lexed.kind(at + 1) == Some(Kind::Word) => {
            let open = open_brace(lexed, at + 2)?;
            Some((name.to_owned(), open + 1..lexed.close(open)))
        }
        "const" | "let" | "var" if lexed.text(at + 2) == "=" => {
            let value = at + 3 + usize::from(lexed.text(at + 3) == "async");
            let behind = lexed.after(value);
            let arrow = (behind..behind + 4).find(|at| lexed.text(*at) == "=>");
            match (lexed.text(value), arrow) {
                ("function", _) => {
                    let open = (value + 1..value + 3).find(|at| lexed.text(*at) == "(")?;
                    let open = lexed.close(open) + 1;
                    (lexed.text(open) == "{").then(|| (name.to_owned(), open + 1..lexed.close(open)))
                }
                ("(", Some(arrow)) if lexed.text(arrow + 1) == "{" => {
                    Some((name.to_owned(), arrow + 2..lexed.close(arrow + 1)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}
