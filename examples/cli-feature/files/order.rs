//! The order of the output.

/// The longest first, equal ones by name.
pub fn longest_first(counts: &mut [(String, usize)]) {
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
}
