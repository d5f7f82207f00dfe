//! "Did you mean": the known word nearest to the one that was written.

/// The candidate with the fewest edits (insert, delete, replace, swap of neighbours; case is free), if they are few for the
/// length of the word.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().flat_map(char::to_lowercase).take(MOST_CHARS + 1).collect();
    if word.is_empty() || word.len() > MOST_CHARS {
        return None;
    }
    let limit = if word.len() < 3 { 1 } else { word.len().div_ceil(3).min(4) };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let within = best.map_or(limit, |(distance, _)| distance - 1);
        if let Some(distance) = distance_within(&word, candidate, within) {
            if distance == 0 {
                return Some(candidate);
            }
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Longer words are not compared: they are no typing errors, and the cost grows with the square.
const MOST_CHARS: usize = 64;

/// Edit distance of `word` (lower case) and `other`, if it is at most `limit`.
fn distance_within(word: &[char], other: &str, limit: usize) -> Option<usize> {
    // Characters are at most four bytes, so the byte length bounds the character count: most candidates end here.
    if other.len() + limit < word.len() || other.len() > 4 * (word.len() + limit) {
        return None;
    }
    let other: Vec<char> = other.chars().flat_map(char::to_lowercase).collect();
    if other.len().abs_diff(word.len()) > limit {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, &a) in word.iter().enumerate() {
        let mut row = Vec::with_capacity(other.len() + 1);
        row.push(i + 1);
        for (j, &b) in other.iter().enumerate() {
            let mut cost = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a == other[j - 1] && word[i - 1] == b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        if row.iter().all(|&cost| cost > limit) {
            return None;
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|&distance| distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_typing_errors_and_nothing_else() {
        let known = ["depends_on", "file", "files", "purpose"];
        assert_eq!(nearest("dependson", known), Some("depends_on"));
        assert_eq!(nearest("flie", known), Some("file"));
        assert_eq!(nearest("Purpose", known), Some("purpose"));
        assert_eq!(nearest("owner", known), None);
        assert_eq!(nearest("", known), None);
    }
}
