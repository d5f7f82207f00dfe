//! Problems in what the user wrote: code, place, words, help.
//!
//! A [`Diagnostic`] names its place by JSON pointer; the room that knows the text fills in the byte spans. Rendering shows the
//! source line with a caret, also when the "line" is a file of 20 MB: only a window around the place is looked at.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::text::elide_middle;

/// The longest message that is shown, in columns.
const LONGEST: usize = 800;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing can be run until it is mended.
    Error,
    /// It runs, but probably not as meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// Which part of a JSON member a place means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Anchor {
    /// The value; of an object or array its opening bracket.
    #[default]
    Value,
    /// The key, where there is one.
    Key,
}

/// A further place that belongs to a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// JSON pointer of the place.
    pub path: String,
    /// Byte range in the source, once located.
    pub span: Option<Range<usize>>,
    /// What is to be seen there.
    pub text: String,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, such as `E012`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// JSON pointer of the place, if it has one.
    pub path: Option<String>,
    /// Which part of the member is meant.
    pub anchor: Anchor,
    /// Byte range in the source, once located.
    pub span: Option<Range<usize>>,
    /// Words at the caret, if the message does not say it all.
    pub caret: Option<String>,
    /// Further places.
    pub labels: Vec<Label>,
    /// What to do, a line each.
    pub help: Vec<String>,
}

impl Diagnostic {
    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            path: None,
            anchor: Anchor::Value,
            span: None,
            caret: None,
            labels: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A problem that must be mended.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A problem that can be lived with.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// Something worth knowing.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    /// Places it at the value that the JSON pointer `path` names.
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Places it at the key that the JSON pointer `path` names.
    pub fn at_key(mut self, path: impl Into<String>) -> Self {
        self.anchor = Anchor::Key;
        self.at(path)
    }

    /// Places it at a byte range of the source.
    pub fn spanning(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// Says something at the caret.
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        self.caret = Some(text.into());
        self
    }

    /// Points to a further place.
    pub fn label(mut self, path: impl Into<String>, text: impl Into<String>) -> Self {
        self.labels.push(Label { path: path.into(), span: None, text: text.into() });
        self
    }

    /// Says what to do.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// The form for programs.
    pub fn to_json(&self, source: &Source) -> DiagnosticJson<'_> {
        let place = self.span.as_ref().map(|span| source.position(span.start));
        DiagnosticJson {
            code: self.code,
            severity: self.severity,
            message: &self.message,
            path: self.path.as_deref(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            help: &self.help,
        }
    }
}

/// A diagnostic for programs. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiagnosticJson<'a> {
    /// Stable code.
    pub code: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: &'a str,
    /// JSON pointer of the place.
    pub path: Option<&'a str>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// What to do.
    pub help: &'a [String],
}

/// A text that diagnostics point into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// How it is called in messages: its path.
    pub name: String,
    text: String,
    /// Byte offset of each line's first byte.
    lines: Vec<usize>,
    /// How many characters begin before each [`STRIDE`] bytes: a whole file can be one line, with a problem in each word.
    counts: Vec<usize>,
}

/// How many bytes are counted through at most to tell a column.
const STRIDE: usize = 512;

/// How many characters begin in `bytes`.
fn characters(bytes: &[u8]) -> usize {
    const CONTINUES: u8 = 0b1000_0000;
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != CONTINUES).count()
}

impl Source {
    /// A source with its lines found.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut counts = vec![0];
        for stride in text.as_bytes().chunks(STRIDE) {
            counts.push(counts.last().copied().unwrap_or_default() + characters(stride));
        }
        Self { name: name.into(), text, lines, counts }
    }

    /// How many characters begin before a byte offset.
    fn characters_before(&self, offset: usize) -> usize {
        let stride = offset / STRIDE;
        self.counts[stride] + characters(&self.text.as_bytes()[stride * STRIDE..offset])
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column (in characters) of a byte offset, both from 1.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.lines.partition_point(|&start| start <= offset);
        let start = self.lines[line - 1];
        (line, self.characters_before(offset) - self.characters_before(start) + 1)
    }

    /// The byte range of the line that holds `offset`, without its end.
    fn line_at(&self, offset: usize) -> Range<usize> {
        let line = self.lines.partition_point(|&start| start <= offset);
        let start = self.lines[line - 1];
        let end = self.lines.get(line).map_or(self.text.len(), |next| next - 1);
        start..end
    }
}

/// Longest part of a source line that is shown, in bytes, around the place.
const WINDOW: usize = 160;

/// One line of the source, or a window of it, with a span within.
struct Excerpt {
    text: String,
    span: Range<usize>,
    line: usize,
    column: usize,
    /// Whether `text` is the whole line.
    whole: bool,
}

/// Cuts out the line that holds the start of `span`; of a long line only a window.
fn excerpt(source: &Source, span: &Range<usize>) -> Excerpt {
    let text = source.text();
    let start = text.floor_char_boundary(span.start);
    let line = source.line_at(start);
    let end = text.ceil_char_boundary(span.end.clamp(start, line.end.max(start)));
    let (number, column) = source.position(start);
    let (mut from, mut to) = (line.start, line.end);
    if line.len() > WINDOW {
        from = text.ceil_char_boundary(start.saturating_sub(WINDOW / 3).max(line.start));
        to = text.floor_char_boundary((from + WINDOW).min(line.end)).max(start);
    }
    let end = end.min(to);
    let cut = |cut: bool| if cut { "…" } else { "" };
    let lead = cut(from > line.start);
    let shown = format!("{lead}{}{}", &text[from..to], cut(to < line.end));
    let shift = |offset: usize| offset - from + lead.len();
    let whole = from == line.start && to == line.end;
    Excerpt { text: shown, span: shift(start)..shift(end), line: number, column, whole }
}

/// `text` with control characters (and those that turn the direction of writing) as visible escapes.
pub fn visible(text: &str) -> Cow<'_, str> {
    fn hidden(c: char) -> bool {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    }
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// The diagnostics that a person is shown, and how many are left out: so many fill a screen many times over, and tens of
/// thousands take minutes. Where not all are shown, errors come first.
pub fn shown(diagnostics: &[Diagnostic], most: usize) -> (Vec<&Diagnostic>, usize) {
    let mut shown: Vec<&Diagnostic> = diagnostics.iter().collect();
    if shown.len() > most {
        shown.sort_by_key(|diagnostic| diagnostic.severity != Severity::Error);
        shown.truncate(most);
    }
    let left = diagnostics.len() - shown.len();
    (shown, left)
}

/// `diagnostic` for people: message, source line, caret, help.
pub fn render(diagnostic: &Diagnostic, source: &Source, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    // What it quotes may be as long as the file.
    let message = visible(&diagnostic.message);
    let message = elide_middle(&message, LONGEST);
    let mut group = Group::with_title(level.primary_title(message.as_ref()).id(diagnostic.code));
    match &diagnostic.span {
        Some(span) => {
            let caret = diagnostic.caret.as_deref().map(visible);
            group = placed(group, source, span, AnnotationKind::Primary, caret.as_deref());
        }
        None => group = group.element(Origin::path(visible(&source.name).into_owned())),
    }
    for label in &diagnostic.labels {
        if let Some(span) = &label.span {
            group = placed(group, source, span, AnnotationKind::Context, Some(&visible(&label.text)));
        }
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(visible(help).into_owned()));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

/// Adds one place to a group: where, the line, the mark.
fn placed<'a>(
    group: Group<'a>,
    source: &Source,
    span: &Range<usize>,
    kind: AnnotationKind,
    text: Option<&str>,
) -> Group<'a> {
    let excerpt = excerpt(source, span);
    let mut mark = kind.span(excerpt.span);
    if let Some(text) = text {
        mark = mark.label(text.to_owned());
    }
    let name = visible(&source.name).into_owned();
    let snippet = Snippet::source(excerpt.text).line_start(excerpt.line).annotation(mark);
    if excerpt.whole {
        return group.element(snippet.path(name));
    }
    // A snippet would count the column within the window.
    group.element(Origin::path(name).line(excerpt.line).char_column(excerpt.column)).element(snippet)
}
