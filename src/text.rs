//! Texts for people: counts, and texts of others made safe for a terminal.

use std::borrow::Cow;

use crate::diagnostic::visible;

/// `text` on one line, with every control character as a visible escape.
pub fn one_line(text: &str) -> Cow<'_, str> {
    match visible(text) {
        safe if safe.contains('\n') => Cow::Owned(safe.replace('\n', "\\n")),
        safe => safe,
    }
}

/// `1 error`, `2 errors`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
