//! Secrets taken out of texts: what is hidden is decided in [`secrets`], this finds and replaces it.
//!
//! No needle holds a line end, so a text may be given whole or line by line with the same result; what is cut anywhere
//! else goes through [`Redacting`].

pub mod dotenv;
pub mod secrets;

use std::borrow::Cow;
use std::fmt;

use aho_corasick::{AhoCorasick, BuildError};
use serde_json::Value;

pub use secrets::Secrets;

/// Replaces every occurrence of a known secret by `[redacted NAME]`, in time linear in the text.
#[derive(Default)]
pub struct Redactor {
    /// Sorted by text.
    needles: Vec<Needle>,
    /// None where there is nothing to look for.
    automaton: Option<AhoCorasick>,
    /// The length of the longest needle, in bytes.
    longest: usize,
}

/// A text that must not be shown.
#[derive(PartialEq, Eq)]
struct Needle {
    text: Box<[u8]>,
    /// What stands in its place.
    marker: Box<str>,
}

/// A stretch of a text that is covered by one or more overlapping secrets.
struct Found {
    start: usize,
    end: usize,
    /// The one that begins first; of several, the longest.
    needle: usize,
}

impl Redactor {
    /// A redactor of these secrets.
    ///
    /// # Errors
    /// There are more than a search can hold, far beyond what files of the permitted size can name.
    pub fn new(secrets: Secrets) -> Result<Self, BuildError> {
        let mut needles: Vec<Needle> = Vec::new();
        for (text, name) in secrets.into_texts() {
            // As it stands in a line of JSON.
            let quoted = Value::from(text.as_str()).to_string();
            let quoted = &quoted[1..quoted.len() - 1];
            let texts = std::iter::once(text.as_str()).chain((quoted != text).then_some(quoted));
            needles.extend(texts.map(|text| Needle { text: text.as_bytes().into(), marker: marker(&name) }));
        }
        needles.sort_by(|a, b| a.text.cmp(&b.text));
        needles.dedup_by(|a, b| a.text == b.text);
        if needles.is_empty() {
            return Ok(Self::default());
        }
        let automaton = AhoCorasick::new(needles.iter().map(|needle| &*needle.text))?;
        for needle in &mut needles {
            // A name can be another one's value.
            if automaton.is_match(&*needle.marker) {
                needle.marker = "[redacted]".into();
            }
        }
        let longest = needles.iter().map(|needle| needle.text.len()).max().unwrap_or(0);
        Ok(Self { needles, automaton: Some(automaton), longest })
    }

    /// Whether it changes no text at all.
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    /// `text` without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.find(text.as_bytes());
        if found.is_empty() {
            return text.into();
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for Found { start, end, needle } in found {
            // Needles are whole characters, so these are borders of characters.
            out.push_str(&text[from..start]);
            out.push_str(&self.needles[needle].marker);
            from = end;
        }
        out.push_str(&text[from..]);
        out.into()
    }

    /// As [`Redactor::text`] for bytes of any kind.
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let found = self.find(bytes);
        if found.is_empty() {
            return bytes.into();
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for Found { start, end, needle } in found {
            out.extend_from_slice(&bytes[from..start]);
            out.extend_from_slice(self.needles[needle].marker.as_bytes());
            from = end;
        }
        out.extend_from_slice(&bytes[from..]);
        out.into()
    }

    /// Takes secrets out of all texts of a value, except what members called one of `kept` hold.
    pub fn json(&self, value: &mut Value, kept: &[&str]) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(clean) = self.text(text) {
                    *text = clean;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item, kept)),
            Value::Object(members) => {
                let open = members.iter_mut().filter(|(name, _)| !kept.contains(&name.as_str()));
                open.for_each(|(_, member)| self.json(member, kept));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Everything to be replaced, in order. Secrets that overlap are covered together: cutting one out must not leave the
    /// rest of the other.
    fn find(&self, bytes: &[u8]) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let Some(automaton) = &self.automaton else { return found };
        // In the order of their ends.
        for hit in automaton.find_overlapping_iter(bytes) {
            let mut new = Found { start: hit.start(), end: hit.end(), needle: hit.pattern().as_usize() };
            while let Some(last) = found.pop_if(|last| last.end > new.start) {
                if last.start < new.start {
                    (new.start, new.needle) = (last.start, last.needle);
                }
            }
            found.push(new);
        }
        found
    }

    /// How much of the beginning of `bytes` comes out the same whatever follows.
    fn settled(&self, bytes: &[u8]) -> usize {
        let from = (bytes.len() + 1).saturating_sub(self.longest.max(1));
        let end = (from..bytes.len()).find(|&at| self.may_begin(&bytes[at..])).unwrap_or(bytes.len());
        let across = self.find(bytes).into_iter().find(|found| found.start < end && end < found.end);
        across.map_or(end, |found| found.start)
    }

    /// Whether a secret begins with `tail` and goes on.
    fn may_begin(&self, tail: &[u8]) -> bool {
        let at = self.needles.partition_point(|needle| &*needle.text < tail);
        // The first is `tail` itself where that is a secret too.
        self.needles[at..].iter().take(2).any(|needle| needle.text.len() > tail.len() && needle.text.starts_with(tail))
    }
}

/// Names only: a trace must not show what is to be hidden.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.needles.iter().map(|needle| &needle.marker)).finish()
    }
}

/// Two are equal that hide the same.
impl PartialEq for Redactor {
    fn eq(&self, other: &Self) -> bool {
        self.needles == other.needles
    }
}

/// A name comes from outside, and goes into JSON and onto terminals.
fn marker(name: &str) -> Box<str> {
    const LONGEST: usize = 64;
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let name: String = name.chars().filter(fits).take(LONGEST).collect();
    format!("[redacted {name}]").into()
}

/// A redactor over a text that comes in pieces, however they are cut: gives on at once all that no later piece can
/// change.
#[derive(Debug)]
pub struct Redacting<'a> {
    redactor: &'a Redactor,
    held: Vec<u8>,
}

impl<'a> Redacting<'a> {
    /// Of a text whose beginning comes next.
    pub fn new(redactor: &'a Redactor) -> Self {
        Self { redactor, held: Vec::new() }
    }

    /// Takes the next piece; gives what can be shown.
    pub fn push(&mut self, piece: Vec<u8>) -> Vec<u8> {
        if self.redactor.is_empty() {
            return piece;
        }
        self.held.extend(piece);
        let rest = self.held.split_off(self.redactor.settled(&self.held));
        let settled = std::mem::replace(&mut self.held, rest);
        self.redactor.bytes(&settled).into_owned()
    }

    /// The rest, when nothing more comes.
    pub fn finish(&mut self) -> Vec<u8> {
        let rest = std::mem::take(&mut self.held);
        self.redactor.bytes(&rest).into_owned()
    }
}
