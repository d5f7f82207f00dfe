//! T301: linters, type checkers, formatters and coverage tools that are told to look away, in any source file.

use std::collections::HashMap;

use super::language::{Language, is_test_path};
use super::lex::{Kind, Lexed};
use super::{Judge, Rule, Side};

/// One thing that is no longer looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Suppression {
    /// Which tool's, and in which way.
    family: &'static str,
    /// Which of its rules; nothing for all.
    rule: String,
}

/// Runs the rule over all files together, so that what moved is not new.
pub(super) fn judge(judge: &mut Judge<'_>) {
    let mut left: HashMap<Suppression, usize> = HashMap::new();
    // What was switched off altogether may be switched off in part.
    let mut whole: HashMap<(usize, &'static str), usize> = HashMap::new();
    let mut fresh = Vec::new();
    for (file, source) in judge.sources.iter().enumerate() {
        let found = |half: &Option<super::source::Half<'_>>| match half {
            Some(half) => half.language.map(|language| suppressions(&half.lexed, language)).unwrap_or_default(),
            None => Vec::new(),
        };
        let (old, new) = (found(&source.old), found(&source.new));
        judge.work += (old.len() + new.len()) as u64;
        for (_, suppression) in old {
            if suppression.rule.is_empty() {
                *whole.entry((file, suppression.family)).or_default() += 1;
            }
            *left.entry(suppression).or_default() += 1;
        }
        let test = is_test_path(&source.change.path) || judge.context.tests.matches(source.change.path.as_ref());
        let new = new.into_iter().filter(|(_, suppression)| !(test && is_usual_in_tests(suppression)));
        fresh.extend(new.map(|(line, suppression)| (file, line, suppression)));
    }
    let mut rest = Vec::new();
    for (file, line, suppression) in fresh {
        match left.get_mut(&suppression).filter(|count| **count > 0) {
            Some(count) => {
                *count -= 1;
                if suppression.rule.is_empty() {
                    whole.entry((file, suppression.family)).and_modify(|count| *count = count.saturating_sub(1));
                }
            }
            None => rest.push((file, line, suppression)),
        }
    }
    let mut narrowed: Option<(usize, u32)> = None;
    for (file, line, suppression) in rest {
        if !suppression.rule.is_empty() {
            if narrowed == Some((file, line)) {
                continue;
            }
            if let Some(count) = whole.get_mut(&(file, suppression.family)).filter(|count| **count > 0) {
                *count -= 1;
                narrowed = Some((file, line));
                continue;
            }
        }
        let what =
            if suppression.rule.is_empty() { "everything".to_owned() } else { format!("`{}`", suppression.rule) };
        let saw = format!("{} is new and hides {what} from its tool", suppression.family);
        judge.report(Rule::SuppressionAdded, file, Side::New, line, saw);
    }
}

/// What files of tests are allowed everywhere: to panic, to have no docs, to share functions that not all of them use, and to call
/// what they test with values of the wrong type.
fn is_usual_in_tests(suppression: &Suppression) -> bool {
    match suppression.family {
        "`#[allow]`" | "`#![allow]`" => matches!(
            suppression.rule.as_str(),
            "clippy::unwrap_used"
                | "clippy::expect_used"
                | "clippy::panic"
                | "clippy::indexing_slicing"
                | "clippy::missing_panics_doc"
                | "missing_docs"
                | "dead_code"
                | "unused_macros"
                | "unused_imports"
        ),
        "`type: ignore`" => !suppression.rule.is_empty(),
        "`@ts-expect-error`" => true,
        _ => false,
    }
}

fn suppressions(lexed: &Lexed<'_>, language: Language) -> Vec<(u32, Suppression)> {
    let mut found = Vec::new();
    for comment in &lexed.comments {
        for (offset, line) in comment.text.lines().enumerate() {
            let line_number = comment.line + offset as u32;
            match language {
                // Python's tools look for their word behind any `#` of a comment.
                Language::Python | Language::Hash => {
                    line.split("# ").take(8).for_each(|part| directive(part, line_number, &mut found));
                }
                _ => directive(line, line_number, &mut found),
            }
        }
    }
    for at in 0..lexed.tokens.len() {
        match (language, lexed.text(at)) {
            (Language::Rust, "#") => attribute(lexed, at, &mut found),
            (Language::Java, "@")
                if matches!(
                    lexed.text(at + 1),
                    "SuppressWarnings" | "Suppress" | "SuppressFBWarnings" | "SuppressLint"
                ) =>
            {
                annotation(lexed, at, &mut found);
            }
            (Language::C, "#") if lexed.is(at, &["#", "pragma"]) => {
                let off = matches!(lexed.text(at + 3), "disable" | "ignored" | "diagnostic")
                    && (at..at + 8).any(|at| matches!(lexed.text(at), "disable" | "ignored"));
                if off || lexed.is(at + 2, &["warning", "disable"]) {
                    add(&mut found, lexed.line(at), "`#pragma`", lexed.text(at + 4));
                }
            }
            _ => {}
        }
    }
    found
}

fn add(found: &mut Vec<(u32, Suppression)>, line: u32, family: &'static str, rule: &str) {
    const LONGEST: usize = 80;
    let rule = rule.chars().take(LONGEST).collect();
    found.push((line, Suppression { family, rule }));
}

/// `#[allow(…)]`, `#[expect(…)]` without a reason, `#[rustfmt::skip]`, `#[coverage(off)]`.
fn attribute(lexed: &Lexed<'_>, at: usize, found: &mut Vec<(u32, Suppression)>) {
    let inner = usize::from(lexed.text(at + 1) == "!");
    let open = at + 1 + inner;
    if lexed.text(open) != "[" {
        return;
    }
    let end = lexed.close(open).min(lexed.tokens.len());
    let range = open + 1..end;
    for word in range.clone().filter(|word| lexed.text(word + 1) == "(" || *word == open + 1) {
        let family = match lexed.text(word) {
            "allow" if inner == 1 => "`#![allow]`",
            "allow" => "`#[allow]`",
            "expect" if lexed.text(word + 1) == "(" && word < open + 40 => "`#[expect]` without a reason",
            "rustfmt" | "coverage" | "tarpaulin" if word == open + 1 => {
                add(found, lexed.line(at), "`#[skip]`", lexed.text(word));
                continue;
            }
            _ => continue,
        };
        if lexed.text(word + 1) != "(" {
            continue;
        }
        let lints = word + 2..lexed.close(word + 1).min(end);
        let of_tests = stands_at_tests(lexed, at, end);
        let reasoned = lints.clone().any(|at| lexed.is(at, &["reason", "="]));
        if family.starts_with("`#[expect]") && reasoned {
            continue;
        }
        let mut named: Vec<String> = vec![String::new()];
        for at in lints {
            match (lexed.text(at), named.last_mut()) {
                (",", _) => named.push(String::new()),
                ("reason", _) => break,
                (text, Some(lint)) if lint.len() < 80 => lint.push_str(text),
                _ => {}
            }
        }
        for rule in named.into_iter().filter(|lint| !lint.is_empty()) {
            let usual = of_tests && is_usual_in_tests(&Suppression { family, rule: rule.clone() });
            if !usual {
                add(found, lexed.line(at), family, &rule);
            }
        }
    }
}

/// Whether the attribute from `at` to `end` is one of `mod tests`, outside or inside.
fn stands_at_tests(lexed: &Lexed<'_>, at: usize, end: usize) -> bool {
    if at > 2 && lexed.text(at - 1) == "{" {
        return lexed.text(at - 3) == "mod" && matches!(lexed.text(at - 2), "tests" | "test");
    }
    let mut next = end + 1;
    for _ in 0..4 {
        if lexed.text(next) == "#" {
            next = lexed.close(next + 1) + 1;
        }
    }
    lexed.text(next) == "mod" && matches!(lexed.text(next + 1), "tests" | "test")
}

fn annotation(lexed: &Lexed<'_>, at: usize, found: &mut Vec<(u32, Suppression)>) {
    let end = if lexed.text(at + 2) == "(" { lexed.close(at + 2).min(lexed.tokens.len()) } else { at + 2 };
    let rules: Vec<usize> = (at..end).filter(|at| lexed.kind(*at) == Some(Kind::Text)).collect();
    if rules.is_empty() {
        add(found, lexed.line(at), "`@SuppressWarnings`", "");
    }
    for rule in rules {
        add(found, lexed.line(rule), "`@SuppressWarnings`", lexed.text(rule).trim_matches('"'));
    }
}

/// Directives of comments: how they begin, what they are called here, and what stands between them and the rules that they name.
const DIRECTIVES: [(&str, &str, &str); 44] = [
    ("eslint-disable-next-line", "`eslint-disable-next-line`", ""),
    ("eslint-disable-line", "`eslint-disable-line`", ""),
    ("eslint-disable", "`eslint-disable`", ""),
    ("tslint:disable", "`tslint:disable`", ":"),
    ("oxlint-disable", "`oxlint-disable`", ""),
    ("biome-ignore", "`biome-ignore`", ""),
    ("prettier-ignore", "`prettier-ignore`", ""),
    ("@ts-ignore", "`@ts-ignore`", "-"),
    ("@ts-expect-error", "`@ts-expect-error`", "-"),
    ("@ts-nocheck", "`@ts-nocheck`", "-"),
    ("deno-lint-ignore", "`deno-lint-ignore`", ""),
    ("istanbul ignore", "`istanbul ignore`", ""),
    ("c8 ignore", "`c8 ignore`", ""),
    ("v8 ignore", "`v8 ignore`", ""),
    ("noqa", "`noqa`", ":"),
    ("flake8: noqa", "`flake8: noqa`", ":"),
    ("ruff: noqa", "`ruff: noqa`", ":"),
    ("type: ignore", "`type: ignore`", "["),
    ("pyright: ignore", "`pyright: ignore`", "["),
    ("pyright: basic", "`pyright: basic`", "-"),
    ("mypy: ignore-errors", "`mypy: ignore-errors`", "-"),
    ("mypy: disable-error-code", "`mypy: disable-error-code`", "="),
    ("pylint: disable", "`pylint: disable`", "="),
    ("pylint: skip-file", "`pylint: skip-file`", "-"),
    ("pragma: no cover", "`pragma: no cover`", "-"),
    ("pragma: no branch", "`pragma: no branch`", "-"),
    ("nosec", "`nosec`", ""),
    ("fmt: off", "`fmt: off`", "-"),
    ("fmt: skip", "`fmt: skip`", "-"),
    ("isort: skip", "`isort: skip`", "-"),
    ("yapf: disable", "`yapf: disable`", "-"),
    ("nolint", "`nolint`", ":"),
    ("lint:ignore", "`lint:ignore`", ""),
    ("lint:file-ignore", "`lint:file-ignore`", ""),
    ("#nosec", "`nosec`", ""),
    ("NOSONAR", "`NOSONAR`", "-"),
    ("NOLINT", "`NOLINT`", "("),
    ("CHECKSTYLE:OFF", "`CHECKSTYLE:OFF`", "-"),
    ("CHECKSTYLE.OFF", "`CHECKSTYLE:OFF`", "-"),
    ("noinspection", "`noinspection`", ""),
    ("rubocop:disable", "`rubocop:disable`", ""),
    ("shellcheck disable", "`shellcheck disable`", "="),
    ("swiftlint:disable", "`swiftlint:disable`", ""),
    ("codespell:ignore", "`codespell:ignore`", ""),
];

fn directive(text: &str, line: u32, found: &mut Vec<(u32, Suppression)>) {
    let text = text.trim_start_matches(['#', '*', '/', '!']).trim();
    // Those that may be written in either case, as their tools read them.
    let matching = |head: &str| {
        text.get(..head.len())
            .is_some_and(|start| start == head || (head == "noqa" && start.eq_ignore_ascii_case(head)))
    };
    let Some((head, family, separator)) = DIRECTIVES.iter().find(|(head, ..)| matching(head)) else { return };
    let rest = &text[head.len()..];
    // `nolintlint`, `eslint-disabled`: another word.
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return;
    }
    let rules = match *separator {
        "-" => "",
        // Rules only behind the separator: a text behind the word changes nothing about what it does.
        ":" | "=" | "[" | "(" => match rest.trim_start().strip_prefix(separator) {
            Some(rules) => rules.trim().trim_end_matches([']', ')']),
            None if rest.is_empty() || rest.starts_with(char::is_whitespace) => {
                // `nolint is …` is prose about it; for the others a text may follow.
                if *head == "nolint" && !rest.trim().is_empty() {
                    return;
                }
                ""
            }
            None => return,
        },
        _ => rest.trim().trim_start_matches([':', '=']).split(" --").next().unwrap_or_default().trim(),
    };
    let names = rules.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<&str> = names.take_while(|name| is_rule(name)).take(32).collect();
    if names.is_empty() {
        add(found, line, family, "");
    }
    for name in names {
        add(found, line, family, name);
    }
}

/// Whether a word may be the name of a linter's rule, and not the beginning of an explanation.
fn is_rule(name: &str) -> bool {
    let named = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '@' | '.' | ':'));
    named && name.chars().any(|c| matches!(c, '-' | '/' | '@' | '_') || c.is_ascii_digit() || c.is_lowercase())
}
