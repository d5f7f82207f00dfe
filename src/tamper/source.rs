//! The two halves of a changed file, read once for all rules.

use std::borrow::Cow;

use super::language::Language;
use super::lex::{Lexed, lex};
use super::{Change, Side};

/// The texts of both halves; nothing for what is no text.
pub(super) struct Texts<'a> {
    old: Option<Cow<'a, str>>,
    new: Option<Cow<'a, str>>,
}

/// Within so many bytes a zero says that a file is no text, as git has it.
const BINARY: usize = 8000;

impl<'a> Texts<'a> {
    pub fn of(change: &'a Change) -> Self {
        let text = |bytes: &'a Option<Vec<u8>>| {
            let bytes = bytes.as_deref()?;
            let binary = memchr::memchr(0, &bytes[..bytes.len().min(BINARY)]).is_some();
            // What is not UTF-8 is read as far as it is: code is ASCII where it matters.
            (!binary).then(|| String::from_utf8_lossy(bytes))
        };
        Texts { old: text(&change.old), new: text(&change.new) }
    }
}

/// One side of a file.
pub(super) struct Half<'a> {
    pub text: &'a str,
    pub language: Option<Language>,
    pub lexed: Lexed<'a>,
    /// Where its lines begin.
    lines: Vec<usize>,
}

/// A changed file.
pub(super) struct Source<'a> {
    pub change: &'a Change,
    pub old: Option<Half<'a>>,
    pub new: Option<Half<'a>>,
}

impl<'a> Source<'a> {
    pub fn read(change: &'a Change, texts: &'a Texts<'a>) -> Self {
        let half = |path: &str, text: &'a Option<Cow<'a, str>>| {
            let text = text.as_deref()?;
            let language = Language::of(path);
            let lexed = language.map(|language| lex(text, language)).unwrap_or_default();
            let lines =
                std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
            Some(Half { text, language, lexed, lines })
        };
        Source { change, old: half(change.old_path(), &texts.old), new: half(&change.path, &texts.new) }
    }

    /// Bytes that were read.
    pub fn work(&self) -> u64 {
        self.old.iter().chain(&self.new).map(|half| half.text.len() as u64 + half.lexed.work).sum()
    }

    /// A line of a side, from 1.
    pub fn line(&self, text: &'a str, side: Side, line: u32) -> Option<&'a str> {
        let half = match side {
            Side::Old => self.old.as_ref(),
            Side::New => self.new.as_ref(),
        }?;
        let from = *half.lines.get((line.max(1) - 1) as usize)?;
        let to = half.lines.get(line.max(1) as usize).copied().unwrap_or(text.len());
        text.get(from..to)
    }
}
