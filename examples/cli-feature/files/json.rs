//! Counts as JSON.

/// One array, an object for each file.
pub fn array(counts: &[(String, usize)]) -> String {
    let object = |(file, lines): &(String, usize)| format!("{{\"file\":\"{}\",\"lines\":{lines}}}", escaped(file));
    let objects: Vec<String> = counts.iter().map(object).collect();
    format!("[{}]", objects.join(","))
}

/// What must not stand in a JSON text as it is.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
        out
    })
}
