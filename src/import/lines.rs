//! Markdown as lines: headings, list items with their boxes, rows of tables. What stands in code blocks, comments and the
//! front matter is no task.
//!
//! No Markdown parser: what is wanted stands in lines that begin with their mark, and each needs its number for the report.

/// One line that is not blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// From 1.
    pub number: usize,
    /// Columns before the text.
    pub indent: usize,
    pub kind: Kind<'a>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Heading {
        level: usize,
        text: &'a str,
    },
    Item {
        /// Whether the box is ticked, if there is one.
        ticked: Option<bool>,
        text: &'a str,
    },
    /// A row of a table, with its bars.
    Row(&'a str),
    Text(&'a str),
}

/// The lines of a text.
#[derive(Debug, Default)]
pub(super) struct Lines<'a> {
    pub lines: Vec<Line<'a>>,
    /// The line of a code block, comment or front matter that is never closed: all that follows is hidden.
    pub unclosed: Option<usize>,
}

/// What hides lines.
enum Hidden {
    /// Until a fence of at least so many of these.
    Code(char, usize),
    Comment,
    FrontMatter,
}

/// Reads the lines of `text`.
pub(super) fn read(text: &str) -> Lines<'_> {
    let mut out = Lines::default();
    let mut hidden: Option<(Hidden, usize)> = None;
    for (index, raw) in text.lines().enumerate() {
        let (number, line) = (index + 1, raw.trim());
        if let Some((what, _)) = &hidden {
            if ends(what, line) {
                hidden = None;
            }
            continue;
        }
        if let Some(what) = begins(line, number) {
            hidden = Some((what, number));
            continue;
        }
        if !line.is_empty() && !line.starts_with("<!--") {
            let indent = raw.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum();
            out.lines.push(Line { number, indent, kind: kind(line.trim_start_matches('>').trim_start()) });
        }
    }
    out.unclosed = hidden.map(|(_, number)| number);
    out
}

fn begins(line: &str, number: usize) -> Option<Hidden> {
    for mark in ['`', '~'] {
        let length = line.chars().take_while(|c| *c == mark).count();
        // A fence of backticks has none behind it: else it is code within a line.
        if length >= 3 && !(mark == '`' && line[length..].contains('`')) {
            return Some(Hidden::Code(mark, length));
        }
    }
    if number == 1 && line == "---" {
        return Some(Hidden::FrontMatter);
    }
    (line.starts_with("<!--") && !line.contains("-->")).then_some(Hidden::Comment)
}

fn ends(hidden: &Hidden, line: &str) -> bool {
    match hidden {
        Hidden::Code(mark, length) => line.len() >= *length && line.chars().all(|c| c == *mark),
        Hidden::Comment => line.contains("-->"),
        Hidden::FrontMatter => line == "---" || line == "...",
    }
}

fn kind(line: &str) -> Kind<'_> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&level) && line[level..].starts_with([' ', '\t']) {
        return Kind::Heading { level, text: line[level..].trim().trim_end_matches('#').trim_end() };
    }
    if line.starts_with('|') {
        return Kind::Row(line);
    }
    match item(line) {
        Some(text) => {
            let (ticked, text) = tick(text);
            Kind::Item { ticked, text }
        }
        None => Kind::Text(line),
    }
}

/// What stands behind the mark of a list item: `-`, `*`, `+`, `1.`, `1)`.
fn item(line: &str) -> Option<&str> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match digits {
        0 => 1,
        1..=9 => digits + 1,
        _ => return None,
    };
    let (mark, rest) = line.split_at_checked(mark)?;
    let is_mark = if digits == 0 { matches!(mark, "-" | "*" | "+") } else { mark.ends_with(['.', ')']) };
    (is_mark && rest.starts_with([' ', '\t'])).then(|| rest.trim_start())
}

/// The box at the beginning of an item: `[ ]`, `[]`, `[x]`, `[X]`. Anything else in brackets is text.
fn tick(text: &str) -> (Option<bool>, &str) {
    let boxes = [("[ ]", false), ("[]", false), ("[x]", true), ("[X]", true)];
    let found = boxes.iter().find_map(|(mark, ticked)| Some((*ticked, text.strip_prefix(mark)?)));
    match found {
        Some((ticked, rest)) if rest.is_empty() || rest.starts_with([' ', '\t']) => (Some(ticked), rest.trim_start()),
        Some(_) | None => (None, text),
    }
}

/// The cells of a row. A bar behind a backslash or in code is none.
pub(super) fn cells(row: &str) -> Vec<String> {
    let inner = row.trim().strip_prefix('|').unwrap_or(row);
    let mut cells = vec![String::new()];
    let mut code = false;
    let mut characters = inner.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' if characters.peek() == Some(&'|') => {
                characters.next();
                push(&mut cells, '|');
            }
            '`' => {
                code = !code;
                push(&mut cells, c);
            }
            '|' if !code => cells.push(String::new()),
            c => push(&mut cells, c),
        }
    }
    // What follows the last bar is no cell.
    if cells.len() > 1 && cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    cells.iter_mut().for_each(|cell| *cell = cell.trim().to_owned());
    cells
}

fn push(cells: &mut [String], c: char) {
    if let Some(cell) = cells.last_mut() {
        cell.push(c);
    }
}

/// Whether a row only separates the head of a table from its body.
pub(super) fn is_ruler(cells: &[String]) -> bool {
    !cells.is_empty()
        && cells.iter().all(|cell| cell.contains('-') && cell.chars().all(|c| matches!(c, '-' | ':' | ' ')))
}

/// `text` without the marks of emphasis and code at its ends.
pub(super) fn bare(text: &str) -> &str {
    text.trim().trim_matches(['*', '`', '_']).trim()
}
