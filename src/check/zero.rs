//! Runs of zero tests: an exit status of 0 that proves nothing.

/// Pytest's exit status for "no tests were collected".
pub const PYTEST_NO_TESTS: i32 = 5;

/// What runners print at the end of a run in which no test ran at all.
const WORDS: [&str; 6] =
    ["no tests ran", "No tests found", "collected 0 items", "0 tests run", "no tests to run", "Tests run: 0,"];

/// Whether the output is that of a known test runner that ran no test. Without a line of a known runner it is not.
pub fn ran_no_test(output: &str) -> bool {
    let mut summaries = Summaries::default();
    output.lines().for_each(|line| summaries.read(line.trim()));
    summaries.seen && summaries.tests == 0
}

/// What the closing lines of all runners in one output add up to.
#[derive(Default)]
struct Summaries {
    seen: bool,
    tests: u64,
}

impl Summaries {
    fn read(&mut self, line: &str) {
        let count =
            cargo(line).or_else(|| node(line)).or_else(|| go(line)).or_else(|| nextest(line)).or_else(|| pytest(line));
        if let Some(count) = count {
            self.seen = true;
            self.tests += count;
        } else if WORDS.iter().any(|words| line.contains(words)) {
            self.seen = true;
        }
    }
}

/// `running 3 tests`
fn cargo(line: &str) -> Option<u64> {
    let count = line
        .strip_prefix("running ")?
        .strip_suffix(" tests")
        .or_else(|| line.strip_prefix("running ")?.strip_suffix(" test"))?;
    count.parse().ok()
}

/// `# tests 3` (node's runner)
fn node(line: &str) -> Option<u64> {
    line.strip_prefix("# tests ").or_else(|| line.strip_prefix("ℹ tests "))?.parse().ok()
}

/// A line that begins with `ok` and a tab, against `?` or an end in `[no test files]` or `[no tests to run]`
fn go(line: &str) -> Option<u64> {
    if line.starts_with("?   \t") || line.ends_with("[no tests to run]") || line.ends_with("[no test files]") {
        return Some(0);
    }
    line.starts_with("ok  \t").then_some(1)
}

/// `Summary [   0.01s] 3 tests run: 3 passed, 0 skipped`
fn nextest(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("Summary [")?.split_once("] ")?.1;
    let (count, rest) = rest.split_once(' ')?;
    rest.starts_with("test").then(|| count.parse().ok())?
}

/// `===== 3 passed, 1 failed in 0.01s =====`
fn pytest(line: &str) -> Option<u64> {
    let inner = line.strip_prefix('=')?.trim_matches('=').trim();
    let (counts, _) = inner.rsplit_once(" in ")?;
    let numbers = counts.split(", ").filter_map(|part| {
        let (count, word) = part.split_once(' ')?;
        matches!(word, "passed" | "failed" | "error" | "errors" | "xfailed" | "xpassed")
            .then(|| count.parse::<u64>().ok())?
    });
    let numbers: Vec<u64> = numbers.collect();
    (!numbers.is_empty()).then(|| numbers.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::ran_no_test;

    #[test]
    fn zero_tests_are_seen_in_every_runner() {
        for output in [
            "running 0 tests\n\ntest result: ok. 0 passed",
            "collected 0 items\n\n===== no tests ran in 0.01s =====",
            "?   \texample.org/a\t[no test files]",
            "ok  \texample.org/a\t0.01s [no tests to run]",
            "# tests 0\n# pass 0",
            "Summary [   0.00s] 0 tests run: 0 passed, 0 skipped",
            "Tests run: 0, Failures: 0, Errors: 0, Skipped: 0",
        ] {
            assert!(ran_no_test(output), "{output}");
        }
    }

    #[test]
    fn one_test_anywhere_is_enough() {
        for output in [
            "running 0 tests\n\nrunning 1 test\ntest a ... ok",
            "===== 3 passed in 0.02s =====",
            "?   \texample.org/a\t[no test files]\nok  \texample.org/b\t0.01s",
            "# tests 2",
            "all fine",
            "",
        ] {
            assert!(!ran_no_test(output), "{output}");
        }
    }
}
