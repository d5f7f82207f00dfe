//! Where write sets meet: the quick way against the plain one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cco::spec::writeset::{Overlap, WriteSet, clean, overlaps};
use proptest::prelude::*;

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

/// The fixed directory of a pattern; of a path the path itself.
fn prefix(text: &str) -> &str {
    let wild = text.find(['*', '?', '[', '{', '\\']).filter(|_| is_glob(text));
    wild.map_or(text, |wild| &text[..text[..wild].rfind('/').unwrap_or(0)])
}

fn is_below(path: &str, above: &str) -> bool {
    above.is_empty() || path == above || path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// Every pattern against every other.
fn plain(sets: &[Vec<String>]) -> Vec<Overlap> {
    let mut owners: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (index, set) in sets.iter().enumerate() {
        for text in set {
            owners.entry(clean(text).unwrap()).or_default().insert(index);
        }
    }
    let mut found: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (text, own) in &owners {
        let mut meeting = own.clone();
        for (other, theirs) in owners.iter().filter(|(other, _)| *other != text) {
            let meets = match (is_glob(text), is_glob(other)) {
                (_, false) => is_below(prefix(text), other),
                (false, true) => WriteSet::new([other.as_str()]).unwrap().matches(Path::new(text)),
                (true, true) => false,
            };
            if meets {
                meeting.extend(theirs);
            }
        }
        found.insert(text.clone(), meeting);
    }
    let tail = |text: &str| text[text.rfind(['*', '?', ']', '}', '[', '{', '\\']).map_or(0, |at| at + 1)..].to_owned();
    let globs = || owners.iter().filter(|(text, _)| is_glob(text));
    for (one, own) in globs() {
        for (other, theirs) in globs().filter(|(other, _)| is_below(prefix(one), prefix(other))) {
            let ends = tail(one).ends_with(&tail(other)) || tail(other).ends_with(&tail(one));
            if ends && (prefix(one) != prefix(other) || other < one) {
                found.insert(format!("{other} and {one}"), own.union(theirs).copied().collect());
            }
        }
    }
    let overlap = |(path, sets): (String, BTreeSet<usize>)| {
        (sets.len() > 1).then(|| Overlap { path, sets: sets.into_iter().collect() })
    };
    found.into_iter().filter_map(overlap).collect()
}

fn pattern() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a", "b", "ab", "é", "*", "**", "a*", "*b", "*a*", "?", "[ab]", "{a,b}", "{a,}b", "a{,/b}", "x]", "a\\b",
        "*\\?", "b.rs", "*.rs", "**.rs", "a*.rs", "[!a]*.rs", "",
    ]);
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_quick_way_finds_what_the_plain_one_finds(
        sets in prop::collection::vec(prop::collection::vec(pattern(), 0..4), 0..6)
    ) {
        let valid = |set: &Vec<String>| -> Vec<String> {
            set.iter().filter(|text| WriteSet::new([text.as_str()]).is_ok()).cloned().collect()
        };
        let sets: Vec<Vec<String>> = sets.iter().map(valid).collect();
        let quick: Vec<WriteSet> =
            sets.iter().map(|set| WriteSet::new(set.iter().map(String::as_str)).unwrap()).collect();
        prop_assert_eq!(overlaps(&quick), plain(&sets));
    }
}
