//! The failing parts of a command, where its output names them: fewer of them is progress.

use std::collections::BTreeSet;

/// Lines of the end of an output that an issue quotes.
const LINES: usize = 40;
/// Bytes of it at most.
const BYTES: usize = 4 * 1024;

/// The names of failing tests in the output of known runners.
pub fn failing(output: &str) -> Vec<String> {
    let names: BTreeSet<&str> = output.lines().filter_map(|line| name(line.trim())).collect();
    names.into_iter().map(str::to_owned).collect()
}

fn name(line: &str) -> Option<&str> {
    let cargo = || line.strip_prefix("test ")?.strip_suffix(" ... FAILED");
    let pytest = || Some(line.strip_prefix("FAILED ")?.split(" - ").next().unwrap_or_default());
    let go = || line.strip_prefix("--- FAIL: ")?.split(' ').next();
    let tap = || Some(line.strip_prefix("not ok ")?.split_once(" - ")?.1);
    cargo().or_else(pytest).or_else(go).or_else(tap).filter(|name| !name.is_empty())
}

/// The last lines of an output, without control characters that could harm who reads them.
pub fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.trim_end().lines().rev().take(LINES).collect();
    let text: String = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
    let mut from = text.len().saturating_sub(BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text[from..].chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::{failing, last_lines};

    #[test]
    fn failing_tests_are_named_once() {
        let output = "test a::b ... FAILED\ntest a::b ... FAILED\nFAILED tests/test_x.py::t - assert 1\n--- FAIL: TestY (0.0s)\nnot ok 3 - sums\n";
        assert_eq!(failing(output), ["TestY", "a::b", "sums", "tests/test_x.py::t"]);
    }

    #[test]
    fn a_long_output_is_cut_at_a_character() {
        let text = "é".repeat(10_000);
        assert!(last_lines(&text).chars().all(|c| c == 'é'));
    }
}
