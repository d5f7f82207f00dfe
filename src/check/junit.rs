//! JUnit reports: how many tests, and which failed. Reads what runners write, not all of XML.

use std::path::Path;

use crate::fsx;

/// The largest report that is read, in bytes.
const LIMIT: u64 = 64 << 20;

/// What a report says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Test cases that ran (skipped ones do not count).
    pub tests: u64,
    /// The names of those that failed, with their class.
    pub failed: Vec<String>,
}

/// Reads a report.
pub fn read(path: &Path) -> Result<Report, String> {
    let contents = fsx::read_regular(path, LIMIT).map_err(|error| error.to_string())?;
    parse(&String::from_utf8(contents).map_err(|error| error.to_string())?)
}

/// Reads the test cases of a document: `<testcase>` elements with `<failure>`, `<error>` or `<skipped>` inside.
fn parse(text: &str) -> Result<Report, String> {
    if !text.contains("<testsuite") {
        return Err("it has no test suite".to_owned());
    }
    let mut report = Report::default();
    let mut case: Option<Case> = None;
    let mut rest = text;
    while let Some((tag, after)) = next_tag(rest) {
        rest = after;
        let closed = tag.ends_with('/');
        match tag.split([' ', '\t', '\n', '\r', '/']).next().unwrap_or_default() {
            "testcase" => {
                let name = [attribute(tag, "classname"), attribute(tag, "name")];
                let name = name.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("::");
                let begun = Case { name, failed: false, skipped: false };
                if closed { begun.end(&mut report) } else { case = Some(begun) }
            }
            "failure" | "error" => {
                if let Some(case) = &mut case {
                    case.failed = true;
                }
            }
            "skipped" => {
                if let Some(case) = &mut case {
                    case.skipped = true;
                }
            }
            // The text before the slash of a closing tag is empty.
            "" if tag.starts_with("/testcase") => {
                if let Some(case) = case.take() {
                    case.end(&mut report);
                }
            }
            _ => {}
        }
    }
    Ok(report)
}

struct Case {
    name: String,
    failed: bool,
    skipped: bool,
}

impl Case {
    fn end(self, report: &mut Report) {
        report.tests += u64::from(!self.skipped);
        if self.failed {
            report.failed.push(self.name);
        }
    }
}

/// The next tag's inside, past comments and CDATA sections, which may hold anything.
fn next_tag(text: &str) -> Option<(&str, &str)> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')? + 1..];
        let skip = if rest.starts_with("![CDATA[") {
            "]]>"
        } else if rest.starts_with("!--") {
            "-->"
        } else {
            let end = rest.find('>')?;
            return Some((&rest[..end], &rest[end + 1..]));
        };
        rest = &rest[rest.find(skip)? + skip.len()..];
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag
        .match_indices(name)
        .find(|(at, _)| tag[..*at].ends_with(char::is_whitespace) && tag[at + name.len()..].starts_with('='))?;
    let rest = &tag[at.0 + name.len() + 1..];
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = rest[1..].split(quote).next()?;
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    Some(plain.into_iter().fold(value.to_owned(), |text, (entity, plain)| text.replace(entity, plain)))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn cases_failures_and_skips_are_told_apart() {
        let text = r#"<?xml version="1.0"?><testsuites><testsuite tests="4">
            <testcase classname="a" name="one"/>
            <testcase classname="a" name="two &lt;x&gt;"><failure message="no"><![CDATA[</testcase>]]></failure></testcase>
            <testcase name="three"><skipped/></testcase>
            <testcase name='four'><error/></testcase></testsuite></testsuites>"#;
        let report = parse(text).unwrap();
        assert_eq!((report.tests, report.failed), (3, vec!["a::two <x>".to_owned(), "four".to_owned()]));
    }

    #[test]
    fn what_is_no_report_is_said() {
        assert!(parse("hello").is_err());
    }
}
