//! One tokeniser for all languages, so that comments and strings are never mistaken for code. Linear: every byte is
//! looked at a bounded number of times, whatever it is.

use super::language::Language;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Word,
    /// A number.
    Number,
    /// A string, character or pattern literal, with its quotes.
    Text,
    /// An operator or bracket.
    Mark,
}

/// One token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// From 1.
    pub line: u32,
    /// Bytes before it on its line.
    pub column: u32,
    /// Whether it begins a line that does not continue the one before.
    pub first: bool,
}

/// A comment without its markers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comment<'a> {
    pub text: &'a str,
    pub line: u32,
}

/// A text cut into tokens.
#[derive(Debug, Default)]
pub(super) struct Lexed<'a> {
    pub tokens: Vec<Token<'a>>,
    pub comments: Vec<Comment<'a>>,
    /// For each bracket the index of its partner; for one without, and all other tokens, the number of tokens.
    pub pair: Vec<u32>,
    /// Bytes that were looked at.
    pub work: u64,
}

impl<'a> Lexed<'a> {
    /// The text of token `at`; empty behind the end.
    pub fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    /// The kind of token `at`.
    pub fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    /// The line of token `at`; that of the last token behind the end.
    pub fn line(&self, at: usize) -> u32 {
        self.tokens.get(at).or(self.tokens.last()).map_or(1, |token| token.line)
    }

    /// The partner of the bracket at `at`, never before `at`.
    pub fn close(&self, at: usize) -> usize {
        self.pair.get(at).map_or(self.tokens.len(), |end| *end as usize).max(at)
    }

    /// The token after `at`, past a whole bracket where `at` opens one.
    pub fn after(&self, at: usize) -> usize {
        if matches!(self.text(at), "(" | "[" | "{") { self.close(at) + 1 } else { at + 1 }
    }

    /// Whether the texts at `at` are `wanted`.
    pub fn is(&self, at: usize, wanted: &[&str]) -> bool {
        wanted.iter().enumerate().all(|(offset, text)| self.text(at + offset) == *text)
    }
}

/// Cuts `text`.
pub(super) fn lex(text: &str, language: Language) -> Lexed<'_> {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        line_start: 0,
        first: true,
        no_pattern_before: 0,
        language,
        out: Lexed::default(),
    };
    lexer.run();
    let mut out = lexer.out;
    out.work += text.len() as u64;
    out.pair = pairs(&out.tokens);
    out
}

fn pairs(tokens: &[Token<'_>]) -> Vec<u32> {
    let none = tokens.len() as u32;
    let mut pair = vec![none; tokens.len()];
    let mut open: Vec<(usize, u8)> = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Mark) {
        match token.text {
            "(" => open.push((at, b')')),
            "[" => open.push((at, b']')),
            "{" => open.push((at, b'}')),
            ")" | "]" | "}" => {
                // A bracket of another kind closes nothing: what is unbalanced stays open to the end.
                if let Some(&(begin, _)) = open.last().filter(|(_, close)| token.text.as_bytes() == [*close]) {
                    open.pop();
                    pair[begin] = at as u32;
                    pair[at] = begin as u32;
                }
            }
            _ => {}
        }
    }
    pair
}

/// Operators of more than one character, the longest first.
const OPERATORS: [&str; 18] =
    ["===", "!==", "...", "..=", "==", "!=", ">=", "<=", "=>", "->", "&&", "||", "::", ":=", "..", "?.", "??", "+="];

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
    first: bool,
    /// Up to here an attempt to read a pattern literal has failed already.
    no_pattern_before: usize,
    language: Language,
    out: Lexed<'a>,
}

impl<'a> Lexer<'a> {
    fn run(&mut self) {
        if self.text.starts_with("#!") && !self.text.starts_with("#![") {
            self.at = self.until(0, b'\n');
        }
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.new_line(true);
                }
                b'\\' if self.bytes.get(self.at + 1) == Some(&b'\n') => {
                    self.at += 2;
                    self.new_line(false);
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => self.at += 1,
                _ if self.comment() || self.literal(byte) => {}
                b'0'..=b'9' => self.number(),
                _ if is_word(byte) || (byte == b'$' && self.language == Language::Script) => self.word(),
                _ => self.operator(),
            }
        }
    }

    fn new_line(&mut self, first: bool) {
        self.line += 1;
        self.line_start = self.at;
        self.first = first;
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// Where `byte` next stands at or after `from`, or the end.
    fn until(&self, from: usize, byte: u8) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        memchr::memchr(byte, rest).map_or(self.bytes.len(), |found| from + found)
    }

    /// Takes all up to `end` as one token.
    fn take(&mut self, kind: Kind, end: usize) {
        let end = end.clamp(self.at + 1, self.bytes.len());
        let text = self.text.get(self.at..end).unwrap_or_default();
        let column = (self.at - self.line_start) as u32;
        self.out.tokens.push(Token { kind, text, line: self.line, column, first: self.first });
        self.first = false;
        self.pass(end);
    }

    /// Goes on at `end`, counting the lines in between.
    fn pass(&mut self, end: usize) {
        for at in memchr::memchr_iter(b'\n', &self.bytes[self.at..end]) {
            self.line += 1;
            self.line_start = self.at + at + 1;
        }
        self.at = end;
    }

    fn comment(&mut self) -> bool {
        let hash = matches!(self.language, Language::Python | Language::Hash);
        if hash {
            let alone = self.at == 0 || self.bytes[self.at - 1].is_ascii_whitespace();
            if self.peek(0) != b'#' || !(alone || self.language == Language::Python) {
                return false;
            }
            let end = self.until(self.at, b'\n');
            self.note(1, end, end);
            return true;
        }
        match self.rest() {
            [b'/', b'/', ..] => {
                let end = self.until(self.at, b'\n');
                self.note(2, end, end);
                true
            }
            [b'/', b'*', ..] => {
                let end = self.block_end();
                self.note(2, end.saturating_sub(2).max(self.at + 2), end);
                true
            }
            _ => false,
        }
    }

    /// The end of the block comment at the cursor; Rust's nest.
    fn block_end(&self) -> usize {
        let mut depth = 1;
        let mut at = self.at + 2;
        while at < self.bytes.len() {
            match self.bytes.get(at..at + 2) {
                Some(b"*/") => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return at;
                    }
                }
                Some(b"/*") if self.language == Language::Rust => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        self.bytes.len()
    }

    fn note(&mut self, skip: usize, until: usize, end: usize) {
        let from = (self.at + skip).min(until);
        let text = self.text.get(from..until.min(self.bytes.len())).unwrap_or_default();
        self.out.comments.push(Comment { text, line: self.line });
        self.pass(end.min(self.bytes.len()));
    }

    /// Takes a string, character or pattern literal, if one stands here.
    fn literal(&mut self, byte: u8) -> bool {
        let end = match (self.language, byte) {
            (Language::Rust, b'"') => self.quoted(self.at, b'"', true),
            (Language::Rust, b'\'') => match self.character() {
                Some(end) => end,
                None => {
                    let end = (self.at + 1..self.bytes.len()).find(|at| !is_word_part(self.bytes[*at]));
                    self.take(Kind::Word, end.unwrap_or(self.bytes.len()));
                    return true;
                }
            },
            (Language::Rust, b'r' | b'b' | b'c') if !self.inside_word() => match self.rust_prefixed() {
                Some(end) => end,
                None => return false,
            },
            (Language::Python, b'"' | b'\'') => self.python(self.at, byte),
            (Language::Python, b'r' | b'R' | b'b' | b'B' | b'f' | b'F' | b'u' | b'U') => {
                let prefix = self.rest().iter().take(3).take_while(|b| b.is_ascii_alphabetic()).count();
                match self.peek(prefix) {
                    quote @ (b'"' | b'\'') if prefix < 3 => self.python(self.at + prefix, quote),
                    _ => return false,
                }
            }
            (Language::Script, b'`') => self.template(),
            (Language::Script, b'/') => match self.pattern() {
                Some(end) => end,
                None => return false,
            },
            (Language::Go, b'`') => self.until(self.at + 1, b'`') + 1,
            (Language::Java, b'`') => {
                let end = self.until(self.at + 1, b'`').min(self.until(self.at, b'\n'));
                self.take(Kind::Word, end + 1);
                return true;
            }
            (Language::Java, b'"') if self.rest().starts_with(b"\"\"\"") => {
                memchr::memmem::find(&self.bytes[self.at + 3..], b"\"\"\"")
                    .map_or(self.bytes.len(), |found| self.at + 3 + found + 3)
            }
            (_, b'"' | b'\'') => self.quoted(self.at, byte, false),
            _ => return false,
        };
        self.take(Kind::Text, end);
        true
    }

    fn inside_word(&self) -> bool {
        self.at > 0 && is_word_part(self.bytes[self.at - 1])
    }

    /// The end of a literal with escapes; one that may not span lines ends at the line's end at the latest.
    fn quoted(&self, from: usize, quote: u8, lines: bool) -> usize {
        let mut at = from + 1;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                b'\n' if !lines => return at,
                _ if byte == quote => return at + 1,
                _ => at += 1,
            }
        }
        self.bytes.len()
    }

    fn python(&self, from: usize, quote: u8) -> usize {
        let triple = [quote; 3];
        if !self.bytes[from..].starts_with(&triple) {
            return self.quoted(from, quote, false);
        }
        let mut at = from + 3;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                _ if byte == quote && self.bytes[at..].starts_with(&triple) => return at + 3,
                _ => at += 1,
            }
        }
        self.bytes.len()
    }

    /// The end of a Rust character literal; nothing for a lifetime.
    fn character(&self) -> Option<usize> {
        if self.peek(1) == b'\\' {
            return Some(self.quoted(self.at, b'\'', false));
        }
        let next = self.text.get(self.at + 1..)?.chars().next()?;
        let end = self.at + 1 + next.len_utf8();
        (self.bytes.get(end) == Some(&b'\'')).then_some(end + 1)
    }

    /// The end of `b".."`, `r#".."#` and their like; nothing for a name.
    fn rust_prefixed(&self) -> Option<usize> {
        let letters = self.rest().iter().take(2).take_while(|b| matches!(b, b'r' | b'b' | b'c')).count();
        let raw = self.rest()[..letters].contains(&b'r');
        if !raw {
            return match self.peek(letters) {
                b'"' => Some(self.quoted(self.at + letters, b'"', true)),
                b'\'' if self.peek(0) == b'b' => Some(self.quoted(self.at + letters, b'\'', false)),
                _ => None,
            };
        }
        let from = self.at + letters;
        let hashes = self.bytes[from..].iter().take_while(|b| **b == b'#').count();
        if self.bytes.get(from + hashes) != Some(&b'"') {
            return None;
        }
        let mut at = from + hashes + 1;
        loop {
            at = self.until(at, b'"') + 1;
            if at > self.bytes.len() {
                return Some(self.bytes.len());
            }
            let closing = self.bytes[at..].iter().take(hashes).take_while(|b| **b == b'#').count();
            at += closing;
            if closing == hashes {
                return Some(at);
            }
        }
    }

    /// The end of a template literal, with what is nested in it.
    fn template(&self) -> usize {
        // Innermost last: `true` for template text, `false` for code in braces.
        let mut inside = vec![true];
        let mut at = self.at + 1;
        while let (Some(&byte), Some(&text)) = (self.bytes.get(at), inside.last()) {
            at += 1;
            match (byte, text) {
                (b'\\', true) => at += 1,
                (b'`', true) => {
                    inside.pop();
                }
                (b'$', true) if self.bytes.get(at) == Some(&b'{') => {
                    at += 1;
                    inside.push(false);
                }
                (b'`', false) => inside.push(true),
                (b'{', false) => inside.push(false),
                (b'}', false) => {
                    inside.pop();
                }
                (b'"' | b'\'', false) => at = self.quoted(at - 1, byte, false),
                _ => {}
            }
        }
        at.min(self.bytes.len())
    }

    /// The end of a pattern literal, where an expression may begin.
    fn pattern(&mut self) -> Option<usize> {
        if self.at < self.no_pattern_before {
            return None;
        }
        let begins = self.out.tokens.last().is_none_or(|last| match last.kind {
            Kind::Mark => !matches!(last.text, ")" | "]" | "}"),
            Kind::Word => matches!(
                last.text,
                "return" | "typeof" | "case" | "in" | "of" | "do" | "else" | "void" | "await" | "yield"
            ),
            Kind::Number | Kind::Text => false,
        });
        if !begins {
            return None;
        }
        let mut class = false;
        let mut at = self.at + 1;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\n' => break,
                b'\\' => at += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    let flags = self.bytes[at + 1..].iter().take_while(|b| b.is_ascii_alphabetic()).count();
                    return Some(at + 1 + flags);
                }
                _ => {}
            }
            at += 1;
        }
        self.no_pattern_before = at;
        None
    }

    fn number(&mut self) {
        let mut end = self.at + 1;
        let hex = self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X');
        while let Some(&byte) = self.bytes.get(end) {
            let digit_next = self.bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            let exponent = !hex && matches!(self.bytes[end - 1], b'e' | b'E') && digit_next;
            match byte {
                _ if byte.is_ascii_alphanumeric() || byte == b'_' => end += 1,
                b'.' if digit_next => end += 1,
                b'+' | b'-' if exponent => end += 1,
                _ => break,
            }
        }
        self.take(Kind::Number, end);
    }

    fn word(&mut self) {
        let script = self.language == Language::Script;
        let mut end = self.at + 1;
        while self.bytes.get(end).is_some_and(|b| is_word_part(*b) || (script && *b == b'$')) {
            end += 1;
        }
        self.take(Kind::Word, end);
    }

    fn operator(&mut self) {
        let length = OPERATORS.iter().find(|operator| self.rest().starts_with(operator.as_bytes()));
        self.take(Kind::Mark, self.at + length.map_or(1, |operator| operator.len()));
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word_part(byte: u8) -> bool {
    is_word(byte) || byte.is_ascii_digit()
}
