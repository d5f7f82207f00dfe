//! Texts for people: counts, durations, sizes, and texts of others made safe for a terminal.

use std::borrow::Cow;
use std::time::Duration;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

const ELLIPSIS: &str = "…";

/// `1 component`, `2 components`: `noun` takes an `s` unless there is exactly one.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// How many columns `text` takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `columns` columns, its middle left out where it is longer: ids and paths differ at both ends.
pub fn elide_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return text.into();
    }
    let Some(room) = columns.checked_sub(1) else { return "".into() };
    let head = prefix(text, room.div_ceil(2));
    let tail = suffix(text, room / 2);
    format!("{head}{ELLIPSIS}{tail}").into()
}

/// `text` in at most `columns` columns, its end left out where it is longer.
pub fn elide_end(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return text.into();
    }
    match columns.checked_sub(1) {
        Some(room) => format!("{}{ELLIPSIS}", prefix(text, room)).into(),
        None => "".into(),
    }
}

/// The columns that a character may add: one for the selector that makes the character before it an emoji, which has
/// no width of its own.
fn columns_of(character: char) -> usize {
    if character == '\u{fe0f}' { 1 } else { character.width().unwrap_or(0) }
}

fn prefix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, character)| {
        used += columns_of(*character);
        used > columns
    });
    end.map_or(text, |(at, _)| &text[..at])
}

fn suffix(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let before = text.char_indices().rev().find(|(_, character)| {
        used += columns_of(*character);
        used > columns
    });
    before.map_or(text, |(at, character)| &text[at + character.len_utf8()..])
}

/// Two units at most: `850ms`, `12s`, `2m 30s`, `1h 05m`, `3d 04h`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0 if time.is_zero() => "0s".to_owned(),
        0 => format!("{}ms", time.as_millis()),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m {:02}s", seconds % 60),
        3600..86_400 => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{days}d {:02}h", hours % 24),
    }
}

/// `512 B`, `1.5 KiB`, `30.0 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// `$1.23`; `≥ $1.23` where a part of the cost is not known. Below a cent with four digits, so that little is not 0.
pub fn cost(usd: f64, at_least: bool) -> String {
    let sign = if at_least { "≥ " } else { "" };
    let digits = if usd > 0.0 && usd < 0.01 { 4 } else { 2 };
    format!("{sign}${usd:.digits$}")
}

/// `text` with every character that could steer a terminal, or make it show something else than is there, replaced by
/// its escape. Line ends and tabs stay; where one line is all there may be, use [`one_line`].
pub fn terminal_safe(text: &str) -> Cow<'_, str> {
    escape(text, |character| steers(character) && !matches!(character, '\n' | '\t'))
}

/// As [`terminal_safe`] with line ends and tabs escaped too: what was written stays recognisable, on its line.
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, steers)
}

/// As [`terminal_safe`] on a single line: whitespace of any kind and length becomes one space.
pub fn one_line(text: &str) -> Cow<'_, str> {
    let plain = |text: &str| !text.contains(|c: char| c.is_whitespace() && c != ' ') && !text.contains("  ");
    if plain(text) && text.trim().len() == text.len() {
        return escape(text, steers);
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    escape(&words, steers).into_owned().into()
}

fn escape(text: &str, unwanted: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unwanted) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if unwanted(character) { out.extend(character.escape_default()) } else { out.push(character) }
    }
    out.into()
}

/// Control characters, those that turn the direction of writing, line ends of Unicode's own, and the invisible ones
/// that can carry a hidden text. The joiner that builds emoji stays.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_durations_sizes_and_costs_read_well() {
        assert_eq!([plural(0, "issue"), plural(1, "issue"), plural(2, "issue")], ["0 issues", "1 issue", "2 issues"]);
        let times = [0, 850, 12_999, 150_000, 3_900_000, 270_000_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(times, ["0s", "850ms", "12s", "2m 30s", "1h 05m", "3d 03h"]);
        assert_eq!([0, 1023, 1536, 31_457_280].map(size), ["0 B", "1023 B", "1.5 KiB", "30.0 MiB"]);
        assert_eq!(size(u64::MAX), "16777216.0 TiB");
        let costs = [(1.234, false), (1.235, true), (0.0, false), (0.0042, true)].map(|(usd, least)| cost(usd, least));
        assert_eq!(costs, ["$1.23", "≥ $1.24", "$0.00", "≥ $0.0042"]);
    }

    #[test]
    fn long_texts_are_cut_by_columns() {
        assert_eq!(elide_middle("checkout-service", 16), "checkout-service");
        assert_eq!(elide_middle("checkout-service", 9), "chec…vice");
        assert_eq!(elide_middle("日本語の名前", 8), "日本…前");
        assert_eq!(elide_end("checkout-service", 9), "checkout…");
        assert_eq!((elide_middle("abc", 1), elide_middle("abc", 0)), ("…".into(), "".into()));
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(terminal_safe("a\u{1b}[31mred\u{7}\n\tb"), "a\\u{1b}[31mred\\u{7}\n\tb");
        assert_eq!(terminal_safe("user\u{202e}gpj.exe\u{9b}2J"), "user\\u{202e}gpj.exe\\u{9b}2J");
        assert!(matches!(terminal_safe("日本語 ü ❤️ 👩‍👩‍👧"), Cow::Borrowed(_)));
        assert_eq!(one_line(" a \r\n\n12:00 auth complete\u{2028}b\u{0}"), "a 12:00 auth complete b\\u{0}");
        assert!(matches!(one_line("plain words"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_asked(text in any::<String>(), columns in 0_usize..40) {
            let text = one_line(&text);
            prop_assert!(!text.contains(steers));
            prop_assert!(width(&elide_middle(&text, columns)) <= columns);
            prop_assert!(width(&elide_end(&text, columns)) <= columns);
        }
    }
}
