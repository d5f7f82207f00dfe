//! Counts as JSON.

/// One array, an object for each file.
pub fn array(counts: &[(String, usize)]) -> String {
    let object = |(file, lines): &(String, usize)| format!("{{\"file\":\"{}\",\"lines\":{lines}}}", file);
    let objects: Vec<String> = counts.iter().map(object).collect();
    format!("[{}]", objects.join(","))
}
