//! Where sets of files meet.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use super::writeset::{Pattern, WriteSet};

/// Sets that meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Where: a path, or the globs that may meet.
    pub path: String,
    /// The indices of the sets, ascending, at least two.
    pub sets: Vec<usize>,
}

/// Finds where sets meet, each place once with all its sets: exact for paths, cautious for two globs (those that may meet do).
///
/// Near-linear in the patterns and in what is found: a path is looked up with its parent directories, and meets only such
/// globs there as begin and end like it.
pub fn overlaps(sets: &[WriteSet]) -> Vec<Overlap> {
    let mut paths: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut globs: BTreeMap<&str, (&Pattern, Vec<usize>)> = BTreeMap::new();
    for (index, set) in sets.iter().enumerate() {
        for pattern in &set.patterns {
            let owners = match pattern.glob {
                None => paths.entry(&pattern.text).or_default(),
                Some(_) => &mut globs.entry(&pattern.text).or_insert_with(|| (pattern, Vec::new())).1,
            };
            if owners.last() != Some(&index) {
                owners.push(index);
            }
        }
    }
    let mut below: HashMap<&str, Below<'_>> = HashMap::new();
    for (pattern, _) in globs.values() {
        below.entry(pattern.prefix()).or_default().add(pattern);
    }
    let owners = |glob: &Pattern| globs.get(glob.text.as_str()).map_or(&[][..], |(_, owners)| owners);
    let mut found = Vec::new();
    for (&path, direct) in &paths {
        let mut meeting = direct.clone();
        for above in ancestors(path) {
            if above != path {
                meeting.extend(paths.get(above).into_iter().flatten());
            }
            let globs = below.get(above).into_iter().flat_map(|below| below.like(path));
            meeting.extend(globs.filter(|glob| glob.matches(path)).flat_map(&owners));
        }
        found.extend(overlap(path.to_owned(), meeting));
    }
    for (glob, own) in globs.values() {
        let mut meeting = own.clone();
        meeting.extend(ancestors(glob.prefix()).filter_map(|above| paths.get(above)).flatten());
        found.extend(overlap(glob.text.clone(), meeting));
        for other in ancestors(glob.prefix()).filter_map(|above| below.get(above)).flat_map(|below| below.meeting(glob))
        {
            // Of two with the same fixed directory each would meet the other: the order of texts keeps one.
            if other.prefix() != glob.prefix() || other.text < glob.text {
                let both = own.iter().chain(owners(other)).copied().collect();
                found.extend(overlap(format!("{} and {}", other.text, glob.text), both));
            }
        }
    }
    found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    found
}

/// An overlap, if there are two different sets.
fn overlap(path: String, mut sets: Vec<usize>) -> Option<Overlap> {
    sets.sort_unstable();
    sets.dedup();
    (sets.len() > 1).then_some(Overlap { path, sets })
}

/// `path` and the directories above it, up to the empty one.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| (!path.is_empty()).then(|| path.rsplit_once('/').map_or("", |(up, _)| up)))
}

/// The globs of one fixed directory, found by the fixed texts that they begin and end with.
#[derive(Default)]
struct Below<'a> {
    /// By the end, then by the beginning, of the files that are meant.
    files: Texts<'a, Texts<'a, Vec<&'a Pattern>>>,
    /// By the end, backwards: those that end like another stand beside it.
    ends: BTreeMap<Vec<u8>, Vec<&'a Pattern>>,
    lengths: BTreeSet<usize>,
}

/// Something for each of some texts, and how long these are.
struct Texts<'a, T> {
    known: HashMap<&'a str, T>,
    lengths: BTreeSet<usize>,
}

impl<T> Default for Texts<'_, T> {
    fn default() -> Self {
        Self { known: HashMap::new(), lengths: BTreeSet::new() }
    }
}

impl<'a, T: Default> Texts<'a, T> {
    fn of(&mut self, text: &'a str) -> &mut T {
        self.lengths.insert(text.len());
        self.known.entry(text).or_default()
    }

    /// What there is for the texts that `path` ends with.
    fn ending<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'s T> {
        let lengths = self.lengths.range(..=path.len());
        lengths.filter_map(|length| self.known.get(path.get(path.len() - length..)?))
    }

    /// What there is for the texts that `path` begins with.
    fn beginning<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'s T> {
        self.lengths.range(..=path.len()).filter_map(|length| self.known.get(path.get(..*length)?))
    }
}

impl<'a> Below<'a> {
    fn add(&mut self, glob: &'a Pattern) {
        let end = end(glob);
        // `**/` stands for no directory too.
        self.files.of(end.trim_start_matches('/')).of(beginning(glob)).push(glob);
        self.ends.entry(backwards(end)).or_default().push(glob);
        self.lengths.insert(end.len());
    }

    /// The globs that may mean a path, and few others.
    fn like<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'a Pattern> + 's {
        self.files.ending(path).flat_map(move |texts| texts.beginning(path)).flatten().copied()
    }

    /// The globs that can mean the same file as one in the same directory or further below: not those of which both end
    /// in fixed texts that differ.
    fn meeting(&self, glob: &Pattern) -> impl Iterator<Item = &'a Pattern> {
        let key = backwards(end(glob));
        let shorter: Vec<&'a Pattern> = self
            .lengths
            .range(..=key.len())
            .filter_map(|length| self.ends.get(key.get(..*length)?))
            .flatten()
            .copied()
            .collect();
        let after = (Bound::Excluded(key.clone()), Bound::Unbounded);
        let longer = self.ends.range(after).take_while(move |(end, _)| end.starts_with(&key));
        shorter.into_iter().chain(longer.flat_map(|(_, globs)| globs).copied())
    }
}

/// The fixed text that a glob begins with, without a slash at its end.
fn beginning(glob: &Pattern) -> &str {
    let fixed = glob.text.find(['*', '?', '[', '{', '\\']).map_or("", |wild| &glob.text[..wild]);
    fixed.trim_end_matches('/')
}

/// The fixed text that a glob ends with.
fn end(glob: &Pattern) -> &str {
    let wild = glob.text.rfind(['*', '?', ']', '}', '[', '{', '\\']).map_or(0, |at| at + 1);
    &glob.text[wild..]
}

fn backwards(text: &str) -> Vec<u8> {
    text.bytes().rev().collect()
}
