//! JSON pointer -> byte span in the source text, and members that are given twice.
//!
//! One pass over the text serves all pointers that are asked for, without recursion. The text has been parsed before, so the
//! scanner only needs to be safe on what is not JSON, not to explain it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Range;

use super::forms::COMMENT;

/// Where a member stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its key with the quotes; array elements have none.
    pub key: Option<Range<usize>>,
    /// Its value; of an object or array the opening bracket only, as that is what a caret can show.
    pub value: Range<usize>,
}

/// A key that an object has twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// JSON pointer of the member.
    pub path: String,
    /// The key as first given.
    pub first: Range<usize>,
    /// The key as given again.
    pub again: Range<usize>,
}

/// Appends `key` to a JSON pointer.
pub fn push_key(pointer: &mut String, key: &str) {
    pointer.push('/');
    for c in key.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// The depth of the deepest array or object, and where it begins, stopping at the first that is deeper than `limit`.
pub fn too_deep(text: &str, limit: usize) -> Option<usize> {
    let mut depth = 0;
    Scanner::new(text).find_map(|token| match token {
        Token::Open { at, .. } => {
            depth += 1;
            (depth > limit).then_some(at)
        }
        Token::Close => {
            depth -= 1;
            None
        }
        Token::Key(_) | Token::Scalar(_) => None,
    })
}

/// Finds the places of `pointers`; what is not there is left out. Of members given twice the last counts.
pub fn locate<'p>(text: &str, pointers: impl IntoIterator<Item = &'p str>) -> HashMap<&'p str, Place> {
    let wanted: HashSet<&str> = pointers.into_iter().collect();
    let mut on_the_way: HashSet<&str> = HashSet::new();
    for pointer in &wanted {
        let mut rest = *pointer;
        while let Some((parent, _)) = rest.rsplit_once('/') {
            if !on_the_way.insert(parent) {
                break;
            }
            rest = parent;
        }
    }
    let mut places = HashMap::new();
    let mut walk = Walk::default();
    for token in Scanner::new(text) {
        let value = match token {
            Token::Open { at, .. } => at..at + 1,
            Token::Scalar(ref span) => span.clone(),
            Token::Key(span) => {
                walk.key(text, span);
                continue;
            }
            Token::Close => {
                walk.close();
                continue;
            }
        };
        walk.value();
        if let Some(pointer) = walk.pointer().and_then(|pointer| wanted.get(pointer)) {
            places.insert(*pointer, Place { key: walk.key.clone(), value });
        }
        if let Token::Open { object, .. } = token {
            walk.open(object, &on_the_way);
        }
    }
    places
}

/// One object or array that is open.
struct Level {
    object: bool,
    /// Length of the pointer of the container itself; `None` where no wanted pointer leads through.
    pointer: Option<usize>,
    /// Elements seen, in an array.
    elements: usize,
}

/// Where the scan is, as a JSON pointer, kept only on the way to what is wanted.
#[derive(Default)]
struct Walk {
    levels: Vec<Level>,
    text: String,
    key: Option<Range<usize>>,
}

impl Walk {
    /// The pointer of the value at hand, unless nothing wanted lies here.
    fn pointer(&self) -> Option<&str> {
        self.levels.last().is_none_or(|level| level.pointer.is_some()).then_some(self.text.as_str())
    }

    fn key(&mut self, source: &str, span: Range<usize>) {
        if let Some(length) = self.levels.last().and_then(|level| level.pointer) {
            self.text.truncate(length);
            push_key(&mut self.text, &decoded(&source[span.clone()]));
        }
        self.key = Some(span);
    }

    fn value(&mut self) {
        if let Some(level) = self.levels.last_mut().filter(|level| !level.object) {
            self.key = None;
            if let Some(length) = level.pointer {
                self.text.truncate(length);
                // Writing to a String cannot fail.
                let _ = write!(self.text, "/{}", level.elements);
            }
            level.elements += 1;
        }
    }

    fn open(&mut self, object: bool, on_the_way: &HashSet<&str>) {
        let pointer = self.pointer().filter(|pointer| on_the_way.contains(pointer)).map(str::len);
        self.levels.push(Level { object, pointer, elements: 0 });
    }

    fn close(&mut self) {
        self.levels.pop();
    }
}

/// Finds members that an object has twice, outside of `$comment`s.
pub fn duplicates(text: &str) -> Vec<Duplicate> {
    struct Open<'t> {
        seen: HashMap<Cow<'t, str>, Range<usize>>,
        key: Option<Range<usize>>,
        elements: usize,
        object: bool,
    }
    let mut found = Vec::new();
    let mut levels: Vec<Open> = Vec::new();
    for token in Scanner::new(text) {
        if let (Token::Open { .. } | Token::Scalar(_), Some(level)) = (&token, levels.last_mut()) {
            level.elements += 1;
        }
        match token {
            Token::Open { object, .. } => {
                levels.push(Open { seen: HashMap::new(), key: None, elements: 0, object });
            }
            Token::Close => {
                levels.pop();
            }
            Token::Scalar(_) => {}
            Token::Key(again) => {
                let Some(level) = levels.last_mut() else { break };
                level.key = Some(again.clone());
                let key = decoded(&text[again.clone()]);
                if let Some(first) = level.seen.insert(key, again.clone()) {
                    let mut path = String::new();
                    for level in &levels {
                        match &level.key {
                            Some(key) if level.object => push_key(&mut path, &decoded(&text[key.clone()])),
                            _ => push_key(&mut path, &level.elements.saturating_sub(1).to_string()),
                        }
                    }
                    if !path.split('/').rev().skip(1).any(|part| part == COMMENT) {
                        found.push(Duplicate { path, first, again });
                    }
                }
            }
        }
    }
    found
}

/// The text of a JSON string with its quotes.
fn decoded(quoted: &str) -> Cow<'_, str> {
    if quoted.contains('\\') {
        return serde_json::from_str::<String>(quoted).map_or(Cow::Borrowed(quoted), Cow::Owned);
    }
    Cow::Borrowed(quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(quoted))
}

/// A piece of JSON.
enum Token {
    /// `{` or `[`.
    Open { object: bool, at: usize },
    /// `}` or `]`.
    Close,
    /// A member's name, with quotes.
    Key(Range<usize>),
    /// A string, number or literal.
    Scalar(Range<usize>),
}

/// Splits JSON into tokens; ends at the first byte that cannot be JSON.
struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    /// For each open container whether it is an object.
    open: Vec<bool>,
    key_next: bool,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, open: Vec::new(), key_next: false }
    }

    /// The offset behind the string that begins here.
    fn string_end(&self) -> usize {
        let mut at = self.at + 1;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'"' => return at + 1,
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        self.bytes.len()
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let start = self.at;
            match *self.bytes.get(start)? {
                b' ' | b'\t' | b'\r' | b'\n' | b':' => self.at += 1,
                b',' => {
                    self.at += 1;
                    self.key_next = self.open.last().copied().unwrap_or(false);
                }
                byte @ (b'{' | b'[') => {
                    self.at += 1;
                    let object = byte == b'{';
                    self.open.push(object);
                    self.key_next = object;
                    return Some(Token::Open { object, at: start });
                }
                b'}' | b']' => {
                    self.at += 1;
                    self.open.pop()?;
                    self.key_next = false;
                    return Some(Token::Close);
                }
                b'"' => {
                    self.at = self.string_end();
                    let key = std::mem::take(&mut self.key_next);
                    return Some(if key { Token::Key(start..self.at) } else { Token::Scalar(start..self.at) });
                }
                b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                    let length = self.bytes[start..]
                        .iter()
                        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-'))
                        .count();
                    self.at += length;
                    return Some(Token::Scalar(start..self.at));
                }
                _ => return None,
            }
        }
    }
}
