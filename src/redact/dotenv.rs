//! Env files in their simple form: `NAME=value` a line, quotes, `export`, comments.

/// The assignments of an env file. What is no assignment is passed over; a value with escapes is given both as it is
/// written and as it is meant.
pub fn assignments(text: &str) -> Vec<(&str, String)> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(line) = text.get(at..).and_then(|rest| rest.split('\n').next()).filter(|_| at < text.len()) {
        let end = at + line.len();
        at = end + 1;
        let assignment = line.trim_start();
        let assignment = assignment.strip_prefix("export ").unwrap_or(assignment);
        let parts = assignment.split_once('=').map(|(name, value)| (name.trim(), value.trim_start()));
        let Some((name, value)) = parts.filter(|(name, _)| is_name(name)) else { continue };
        // A quoted value goes over as many lines as it likes.
        let start = end - value.len();
        let Some((quote, inner)) = quoted(&text[start..]) else {
            out.push((name, value.split(" #").next().unwrap_or_default().trim_end().to_owned()));
            continue;
        };
        out.push((name, inner.to_owned()));
        if quote == '"' && inner.contains('\\') {
            out.push((name, unescaped(inner)));
        }
        let behind = start + inner.len() + 2;
        at = text[behind..].find('\n').map_or(text.len(), |end| behind + end + 1);
    }
    out
}

fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(inner)
}

/// The quote that `text` begins with, and what stands up to its other one; none where there is no other one.
fn quoted(text: &str) -> Option<(char, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inner = &text[1..];
    let mut escaped = false;
    let end = inner.find(|c| {
        let ends = c == quote && !escaped;
        escaped = quote == '"' && c == '\\' && !escaped;
        ends
    })?;
    Some((quote, &inner[..end]))
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::assignments;

    #[test]
    fn every_form_of_a_line_is_read() {
        let text = "# A=comment\nA=plain # why\nexport B = 'single # \\n'\n\nC=\"two\nlines\" # tail\nD=\"e\\\"s\\nc\"\n1E=no\nnot one\nF='open\nG=last";
        let expected = [
            ("A", "plain"),
            ("B", "single # \\n"),
            ("C", "two\nlines"),
            ("D", "e\\\"s\\nc"),
            ("D", "e\"s\nc"),
            ("F", "'open"),
            ("G", "last"),
        ];
        let found = assignments(text);
        assert_eq!(found.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>(), expected);
        assert_eq!(assignments("A=x\r\nB=y\n"), [("A", "x".to_owned()), ("B", "y".to_owned())]);
    }
}
