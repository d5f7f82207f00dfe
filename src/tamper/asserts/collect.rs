//! Finds the assertions of a function's body.

use std::ops::Range;

use super::expression::{Judged, equality, judge};
use super::names::{Form, Rank, is_own, matcher, member, named};
use super::{Assert, Sort, hash, literal};
use crate::tamper::language::Language;
use crate::tamper::lex::{Kind, Lexed};

/// What a body asserts and calls.
#[derive(Debug, Default)]
pub(in crate::tamper) struct Found<'a> {
    pub asserts: Vec<Assert>,
    /// The functions that it calls, in order.
    pub calls: Vec<Call<'a>>,
}

/// A call of a function.
#[derive(Debug)]
pub(in crate::tamper) struct Call<'a> {
    pub name: &'a str,
    /// The values among the first arguments.
    pub literals: Vec<u64>,
}

/// So many tokens of the arguments of a call are read: calls nest, and each would be read again.
const ARGUMENTS: usize = 64;

/// Reads a body.
pub(in crate::tamper) fn collect<'a>(lexed: &Lexed<'a>, language: Language, body: Range<usize>) -> Found<'a> {
    let mut collector = Collector { lexed, language, found: Found::default(), conditions: Vec::new() };
    let mut at = body.start;
    while at < body.end {
        at = collector.step(at, body.end).max(at + 1);
    }
    collector.found
}

struct Collector<'l, 'a> {
    lexed: &'l Lexed<'a>,
    language: Language,
    found: Found<'a>,
    /// Go: the conditions around the cursor, each with the end of its block.
    conditions: Vec<(usize, Range<usize>)>,
}

impl<'a> Collector<'_, 'a> {
    /// Looks at the token at `at`; answers where to go on.
    fn step(&mut self, at: usize, end: usize) -> usize {
        let lexed = self.lexed;
        if lexed.kind(at) != Some(Kind::Word) {
            return at + 1;
        }
        let word = lexed.text(at);
        let previous = if at == 0 { "" } else { lexed.text(at - 1) };
        if word == "if" {
            return self.condition(at, end);
        }
        if word == "assert"
            && matches!(self.language, Language::Python | Language::Java)
            && lexed.text(at + 1) != "."
            && previous != "."
        {
            return self.statement(at, end);
        }
        let open = match lexed.text(at + 1) {
            "(" => at + 1,
            "!" if self.language == Language::Rust && matches!(lexed.text(at + 2), "(" | "[" | "{") => at + 2,
            _ => return at + 1,
        };
        let arguments = open + 1..lexed.close(open).min(open + ARGUMENTS).min(end);
        let values = arguments.filter(|at| matches!(lexed.kind(*at), Some(Kind::Text | Kind::Number)));
        let literals = values.map(|at| literal(lexed, at)).collect();
        self.found.calls.push(Call { name: word, literals });
        if matches!(word, "expect" | "assertThat" | "then") && previous != "." && self.language != Language::Rust {
            let hamcrest = self.language == Language::Java && self.arguments(open).len() > 1;
            return if hamcrest { self.hamcrest(open) } else { self.chain(at, open) };
        }
        let Some(form) = self.form(word, at, previous) else {
            let mine = previous != "." || (at > 1 && matches!(lexed.text(at - 2), "self" | "this" | "cls"));
            if is_own(word) && mine {
                let end = lexed.close(open).min(end);
                self.push(at..end, Rank::Exact, Sort::Own(hash(0, word)), false, 0);
                return end;
            }
            return at + 1;
        };
        self.asserted(form, at, open);
        lexed.close(open).min(end)
    }

    fn push(&mut self, range: Range<usize>, rank: Rank, sort: Sort, flipped: bool, last: i8) {
        self.found.asserts.push(Assert::read(self.lexed, range, rank, sort, flipped, last));
    }

    fn form(&self, word: &str, at: usize, previous: &str) -> Option<Form> {
        let owner = if previous == "." && at > 1 { self.lexed.text(at - 2) } else { "" };
        match word {
            "raises" | "warns" | "deprecated_call" if owner == "pytest" => return Some(Form::Raises),
            "fail" if owner == "pytest" || previous != "." => return Some(Form::Fail),
            "panic" | "unreachable" if self.language == Language::Rust => return Some(Form::Fail),
            "Error" | "Errorf" | "Fatal" | "Fatalf" | "Fail" | "FailNow"
                if self.language == Language::Go && matches!(owner, "t" | "b" | "f" | "tb" | ")") =>
            {
                return Some(Form::Fail);
            }
            _ => {}
        }
        let object = matches!(owner, "assert" | "require" | "suite" | "is" | "must" | "chai" | "Assert" | "Assertions");
        let short =
            matches!(owner, "t" | "s" | "a" | "r" | "c") && matches!(self.language, Language::Go | Language::Script);
        let suite = owner == ")" && self.language == Language::Go;
        if object || short || suite { named(word).or_else(|| member(word)) } else { named(word) }
    }

    /// The arguments within the bracket at `open`.
    fn arguments(&self, open: usize) -> Vec<Range<usize>> {
        let end = self.lexed.close(open);
        let mut arguments = Vec::new();
        let mut begin = open + 1;
        let mut at = begin;
        while at < end {
            if self.lexed.text(at) == "," {
                arguments.push(begin..at);
                begin = at + 1;
            }
            at = self.lexed.after(at);
        }
        if begin < end {
            arguments.push(begin..end);
        }
        arguments
    }

    fn asserted(&mut self, form: Form, at: usize, open: usize) {
        let lexed = self.lexed;
        let mut arguments = self.arguments(open);
        // Testify and its like take the test first.
        if self.language == Language::Go && arguments.first().is_some_and(|first| lexed.text(first.start) == "t") {
            arguments.remove(0);
        }
        let whole = at..lexed.close(open).min(lexed.tokens.len());
        match form {
            Form::Equal => {
                let rank = match &arguments[..] {
                    [left, right, ..] => equality(lexed, left.clone(), right.clone(), true),
                    _ => Rank::Exact,
                };
                // JUnit's third argument: how far apart they may be.
                let delta = arguments.len() == 3 && lexed.kind(arguments[2].start) == Some(Kind::Number);
                self.push(whole, rank, Sort::Plain, false, i8::from(delta));
            }
            Form::Expression { holds } => {
                // JUnit 4 and its like take the message first.
                let message = arguments.len() == 2 && lexed.kind(arguments[0].start) == Some(Kind::Text);
                let chosen = arguments.get(usize::from(message)).cloned().unwrap_or(whole.end..whole.end);
                self.expression(chosen, holds, whole);
            }
            Form::Fixed(rank) => self.push(whole, rank, Sort::Plain, false, if rank == Rank::Loose { -1 } else { 0 }),
            Form::Near(last) => self.push(whole, Rank::Loose, Sort::Plain, false, last),
            Form::Raises => {
                // What is thrown, not the code that throws it: that is no part of the expectation.
                let code = arguments.iter().position(|range| is_code(lexed, range)).unwrap_or(arguments.len());
                let rank = raised(lexed, &arguments[..code]);
                let end = arguments.get(code.wrapping_sub(1)).map_or(open + 1, |range| range.end);
                let end = if code == 0 {
                    arguments.last().filter(|_| arguments.len() > 1).map_or(end, |r| r.end)
                } else {
                    end
                };
                let rank = if code == 0 && arguments.len() > 1 { raised(lexed, &arguments[1..]) } else { rank };
                self.push(at..end, rank, Sort::Raises, false, 0);
            }
            Form::Snapshot => self.push(whole, Rank::Exact, Sort::Snapshot, false, 0),
            Form::Fail => self.failed(at, whole),
        }
    }

    fn expression(&mut self, range: Range<usize>, holds: bool, whole: Range<usize>) {
        let mut judged: Vec<Judged> = Vec::new();
        judge(self.lexed, range, holds, &mut judged);
        let alone = judged.len() == 1;
        for (rank, part) in judged {
            let part = if part.is_empty() && alone { whole.clone() } else { part };
            let failure = holds && part.len() == 1 && matches!(self.lexed.text(part.start), "false" | "False" | "0");
            self.push(part, rank, if failure { Sort::Failure } else { Sort::Plain }, !holds, 0);
        }
    }

    /// `assert condition, message`.
    fn statement(&mut self, at: usize, end: usize) -> usize {
        let lexed = self.lexed;
        let python = self.language == Language::Python;
        let mut stop = at + 1;
        let mut message = None;
        while stop < end {
            let token = lexed.tokens[stop];
            if (python && token.first && stop > at + 1) || token.text == ";" {
                break;
            }
            let separates = token.text == if python { "," } else { ":" };
            if separates && message.is_none() {
                message = Some(stop);
            }
            stop = lexed.after(stop);
        }
        let stop = stop.min(end);
        let condition = at + 1..message.unwrap_or(stop).min(stop);
        let tuple =
            python && lexed.text(at + 1) == "(" && lexed.close(at + 1) + 1 == stop && self.arguments(at + 1).len() > 1;
        if tuple {
            // A tuple with something in it is always true.
            self.push(condition, Rank::Nothing, Sort::Plain, false, 0);
        } else {
            self.expression(condition, true, at..stop);
        }
        stop
    }

    /// `expect(subject).not.toBe(value)`: each matcher of the chain is an assertion.
    fn chain(&mut self, at: usize, open: usize) -> usize {
        let lexed = self.lexed;
        let subject = open + 1..lexed.close(open);
        let mut next = lexed.close(open) + 1;
        let (mut negated, mut matched) = (false, false);
        while matches!(lexed.text(next), "." | "?.") && lexed.kind(next + 1) == Some(Kind::Word) {
            let word = lexed.text(next + 1);
            let arguments =
                if lexed.text(next + 2) == "(" { next + 3..lexed.close(next + 2) } else { next + 2..next + 2 };
            let end = if lexed.text(next + 2) == "(" { lexed.close(next + 2) + 1 } else { next + 2 };
            negated |= matches!(word, "not" | "never" | "isNot");
            if let Some(form) = matcher(word) {
                matched = true;
                let (rank, sort, last) = self.matched(form, &subject, &arguments, word);
                let rank = if negated { weaker(rank, word) } else { rank };
                self.push(at..end.min(lexed.tokens.len()), rank, sort, false, last);
            }
            next = end;
        }
        if !matched {
            self.push(at..next.min(lexed.tokens.len()), Rank::Nothing, Sort::Plain, false, 0);
        }
        next.saturating_sub(1)
    }

    fn matched(&self, form: Form, subject: &Range<usize>, arguments: &Range<usize>, word: &str) -> (Rank, Sort, i8) {
        let lexed = self.lexed;
        let constant = subject.len() == 1 && !matches!(lexed.kind(subject.start), Some(Kind::Word));
        let constant = constant
            || (subject.len() == 1 && matches!(lexed.text(subject.start), "true" | "false" | "null" | "undefined"));
        match form {
            Form::Equal => {
                let null = matches!(
                    word,
                    "toBeNull" | "toBeUndefined" | "isNull" | "null" | "undefined" | "toBeNaN" | "isEmpty" | "empty"
                );
                if arguments.is_empty() {
                    return (if constant && null { Rank::Nothing } else { Rank::Exact }, Sort::Plain, 0);
                }
                (equality(lexed, subject.clone(), arguments.clone(), true), Sort::Plain, 0)
            }
            Form::Fixed(Rank::Truth | Rank::Exists) if constant => (Rank::Nothing, Sort::Plain, 0),
            Form::Fixed(rank) => (rank, Sort::Plain, if rank == Rank::Loose { -1 } else { 0 }),
            Form::Near(last) => (Rank::Loose, Sort::Plain, last),
            Form::Raises => {
                let given: Vec<Range<usize>> = if arguments.is_empty() { Vec::new() } else { vec![arguments.clone()] };
                (raised(lexed, &given), Sort::Raises, 0)
            }
            Form::Snapshot => (Rank::Exact, Sort::Snapshot, 0),
            Form::Expression { .. } | Form::Fail => (Rank::Truth, Sort::Plain, 0),
        }
    }

    /// `assertThat(value, is(3))`.
    fn hamcrest(&mut self, open: usize) -> usize {
        let end = self.lexed.close(open).min(self.lexed.tokens.len());
        let words = self.arguments(open).last().cloned().unwrap_or(end..end);
        let rank = words.filter_map(|at| match self.lexed.text(at) {
            "notNullValue" | "instanceOf" | "isA" | "anything" | "any" => Some(Rank::Exists),
            "not" | "containsString" | "hasItem" | "greaterThan" | "lessThan" | "startsWith" | "closeTo" | "anyOf"
            | "hasKey" => Some(Rank::Loose),
            "hasSize" => Some(Rank::Size),
            _ => None,
        });
        let rank = rank.min().unwrap_or(Rank::Exact);
        self.push(open - 1..end, rank, Sort::Plain, false, 0);
        end
    }

    /// `if`: in code that never runs nothing is asserted; in Go the condition is what is asserted.
    fn condition(&mut self, at: usize, end: usize) -> usize {
        let lexed = self.lexed;
        let constant = at + 1 + usize::from(lexed.text(at + 1) == "(");
        let closed = matches!(lexed.text(constant + 1), "{" | ":" | ")" | "&&" | "and");
        if closed && matches!(lexed.text(constant), "false" | "False" | "0") {
            return self.block_of(at, end);
        }
        if self.language == Language::Go {
            let limit = end.min(at + 256);
            let mut open = at + 1;
            let mut begin = open;
            while open < limit && lexed.text(open) != "{" {
                if lexed.text(open) == ";" {
                    begin = open + 1;
                }
                open = if lexed.text(open) == "(" { lexed.after(open) } else { open + 1 };
            }
            self.conditions.push((lexed.close(open), begin..open));
        }
        at + 1
    }

    /// The end of the block of the statement at `at`.
    fn block_of(&self, at: usize, end: usize) -> usize {
        let lexed = self.lexed;
        if self.language == Language::Python {
            let column = lexed.tokens[at].column;
            let mut stop = at + 1;
            while stop < end && !(lexed.tokens[stop].first && lexed.tokens[stop].column <= column) {
                stop += 1;
            }
            return stop;
        }
        let open = (at..end.min(at + 16)).find(|at| lexed.text(*at) == "{");
        open.map_or(at + 1, |open| lexed.close(open).min(end))
    }

    /// The test fails here: in Go because of the condition around it.
    fn failed(&mut self, at: usize, whole: Range<usize>) {
        while self.conditions.last().is_some_and(|(end, _)| *end < at) {
            self.conditions.pop();
        }
        match self.conditions.last().cloned() {
            Some((_, condition)) => self.expression(condition, false, whole),
            None => self.push(whole, Rank::Truth, Sort::Failure, false, 0),
        }
    }
}

/// JUnit's `@Test(expected = Some.class)`.
pub(in crate::tamper) fn expected(lexed: &Lexed<'_>, range: Range<usize>) -> Option<Assert> {
    let at = range
        .clone()
        .take(16)
        .find(|at| lexed.is(*at, &["expected", "="]) || lexed.is(*at, &["expectedExceptions", "="]))?;
    let thrown = at + 2..range.end - 1;
    let rank = raised(lexed, std::slice::from_ref(&thrown));
    Some(Assert::read(lexed, at..range.end, rank, Sort::Raises, false, 0))
}

/// What is left of a matcher that is negated.
fn weaker(rank: Rank, word: &str) -> Rank {
    match rank {
        Rank::Exact
            if matches!(word, "toBeNull" | "toBeUndefined" | "isNull" | "null" | "undefined" | "empty" | "isEmpty") =>
        {
            Rank::Exists
        }
        Rank::Exact | Rank::Size | Rank::Loose => Rank::Loose,
        Rank::Exists => Rank::Exact,
        Rank::Truth | Rank::Nothing => rank,
    }
}

/// Whether an argument is code to be run.
fn is_code(lexed: &Lexed<'_>, range: &Range<usize>) -> bool {
    matches!(lexed.text(range.start), "(" | "lambda" | "async" | "function" | "func" | "|" | "||" | "{")
        && range
            .clone()
            .take(64)
            .any(|at| matches!(lexed.text(at), "=>" | "->" | "lambda" | "function" | "func" | "|" | "||" | "{"))
        || lexed.text(range.start + 1) == "::"
}

/// How much is said about what is thrown.
fn raised(lexed: &Lexed<'_>, arguments: &[Range<usize>]) -> Rank {
    let Some(first) = arguments.first() else { return Rank::Exists };
    let broad = ["Exception", "BaseException", "Throwable", "Error", "AssertionError"];
    let regex = first.start > 1 && lexed.text(first.start - 2).to_ascii_lowercase().contains("regex");
    let more = arguments.iter().skip(1).any(|range| !is_code(lexed, range) && (regex || names_text(lexed, range)));
    let wide = first.clone().any(|at| broad.contains(&lexed.text(at)));
    let several = lexed.text(first.start) == "(" && first.clone().any(|at| lexed.text(at) == ",");
    match lexed.kind(first.start) {
        Some(Kind::Text) => Rank::Size,
        _ if more => Rank::Exact,
        _ if wide => Rank::Exists,
        _ if several || lexed.text(first.start) == "RuntimeException" => Rank::Truth,
        _ => Rank::Loose,
    }
}

fn names_text(lexed: &Lexed<'_>, range: &Range<usize>) -> bool {
    lexed.text(range.start) == "match" || range.clone().any(|at| lexed.kind(at) == Some(Kind::Text))
}
