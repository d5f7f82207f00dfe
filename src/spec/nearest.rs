//! "Did you mean".

/// The candidate that is nearest to `text`.
pub fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase();
    candidates.min_by_key(|c| c.len().abs_diff(text.len()))
}
