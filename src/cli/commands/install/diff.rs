//! What differs between two texts, line by line, as people know it from git.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::text::printable;

/// How many equal lines are shown around a difference.
const AROUND: usize = 3;
/// Pairs of lines that are compared at most; past that all of one text is shown before all of the other.
const MOST_PAIRS: usize = 4_000_000;

const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();
const PLACE: Style = AnsiColor::Cyan.on_default();

/// A line of the comparison, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    Both(&'a str),
    Old(&'a str),
    New(&'a str),
}

/// The differences from `old` to `new` with some lines around each; nothing where there are none.
pub fn diff(old: &str, new: &str) -> String {
    let lines = compare(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let differs = |line: &Line<'_>| !matches!(line, Line::Both(_));
    let near = |at: usize| {
        let (from, to) = (at.saturating_sub(AROUND), (at + AROUND + 1).min(lines.len()));
        lines[from..to].iter().any(differs)
    };
    let (mut out, mut number, mut shown) = (String::new(), 0, false);
    for (at, line) in lines.iter().enumerate() {
        number += usize::from(!matches!(line, Line::New(_)));
        if !near(at) {
            shown = false;
            continue;
        }
        if !shown {
            let _ = writeln!(out, "{PLACE}@@ line {} @@{PLACE:#}", number.max(1));
            shown = true;
        }
        let _ = match line {
            Line::Both(text) => writeln!(out, "  {}", printable(text)),
            Line::Old(text) => writeln!(out, "{OLD}- {}{OLD:#}", printable(text)),
            Line::New(text) => writeln!(out, "{NEW}+ {}{NEW:#}", printable(text)),
        };
    }
    out
}

/// All lines of both, in order, the longest common part as such.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (from_old, from_new) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut lines: Vec<Line<'a>> = old[..head].iter().map(|line| Line::Both(line)).collect();
    if from_old.len().saturating_mul(from_new.len()) > MOST_PAIRS {
        lines.extend(from_old.iter().map(|line| Line::Old(line)));
        lines.extend(from_new.iter().map(|line| Line::New(line)));
    } else {
        middle(from_old, from_new, &mut lines);
    }
    lines.extend(old[old.len() - tail..].iter().map(|line| Line::Both(line)));
    lines
}

/// The classical table: `longest[i][j]` lines are common to `old[i..]` and `new[j..]`.
fn middle<'a>(old: &[&'a str], new: &[&'a str], lines: &mut Vec<Line<'a>>) {
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Both(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
            lines.push(Line::Old(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
}
