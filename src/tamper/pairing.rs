//! Which test of the new side is which of the old one, over all files of the step: a test that moved or has another name is
//! not gone.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use super::facts::Test;

/// Who is who.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    /// Indices of an old and a new test.
    pub matched: Vec<(usize, usize)>,
    /// Old tests that are nowhere.
    pub gone: Vec<usize>,
    /// New tests that were nowhere.
    pub added: Vec<usize>,
    /// Comparisons that were made.
    pub work: u64,
}

/// An assertion that more tests than this have in common identifies none of them.
const COMMON: usize = 8;
/// So many tests of the same file are looked at for one that resembles a lost one.
const NEIGHBOURS: usize = 16;

/// Pairs `old` with `new`, both in the order of their files.
pub(super) fn pair(old: &[Test<'_>], new: &[Test<'_>], wanted: bool) -> Pairing {
    let mut open = Open {
        old: (0..old.len()).filter(|at| old[*at].test == wanted).collect(),
        new: (0..new.len()).filter(|at| new[*at].test == wanted).collect(),
        matched: Vec::new(),
        work: 0,
    };
    open.by(|at| (old[at].file, &old[at].scope, &old[at].name), |at| (new[at].file, &new[at].scope, &new[at].name));
    open.by(|at| (old[at].file, &old[at].name), |at| (new[at].file, &new[at].name));
    // Names such as `works` are many: where the body tells them apart it counts before the order.
    open.by(|at| (&old[at].name, old[at].body), |at| (&new[at].name, new[at].body));
    open.by(|at| (&old[at].scope, &old[at].name), |at| (&new[at].scope, &new[at].name));
    open.by(|at| &old[at].name, |at| &new[at].name);
    // An empty body says nothing about who it belongs to.
    let body = |test: &Test<'_>| if test.empty { (test.body, test.line) } else { (test.body, 0) };
    open.by(|at| body(&old[at]), |at| body(&new[at]));
    open.by_assertions(old, new);
    open.by_words(old, new);
    Pairing { matched: open.matched, gone: open.old, added: open.new, work: open.work }
}

struct Open {
    old: Vec<usize>,
    new: Vec<usize>,
    matched: Vec<(usize, usize)>,
    work: u64,
}

impl Open {
    /// Pairs those with the same key, in order.
    fn by<K: Hash + Eq>(&mut self, old: impl Fn(usize) -> K, new: impl Fn(usize) -> K) {
        let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::new();
        for &at in &self.new {
            waiting.entry(new(at)).or_default().push_back(at);
        }
        self.work += (self.old.len() + self.new.len()) as u64;
        self.choose(|at| waiting.get_mut(&old(at)).and_then(VecDeque::pop_front));
    }

    /// Pairs each old test with what `find` answers.
    fn choose(&mut self, mut find: impl FnMut(usize) -> Option<usize>) {
        let mut taken = HashSet::new();
        let (mut left, mut matched) = (Vec::new(), Vec::new());
        for &at in &self.old {
            match find(at) {
                Some(other) => {
                    taken.insert(other);
                    matched.push((at, other));
                }
                None => left.push(at),
            }
        }
        self.matched.extend(matched);
        self.old = left;
        self.new.retain(|at| !taken.contains(at));
    }

    /// Pairs those that share at least half of the old one's assertions.
    fn by_assertions(&mut self, old: &[Test<'_>], new: &[Test<'_>]) {
        let mut having: HashMap<u64, Vec<usize>> = HashMap::new();
        for &at in &self.new {
            for assert in &new[at].asserts {
                let tests = having.entry(assert.text).or_default();
                if tests.len() <= COMMON && tests.last() != Some(&at) {
                    tests.push(at);
                }
            }
        }
        let mut taken = HashSet::new();
        let mut work = 0;
        self.choose(|at| {
            let mut shared: HashMap<usize, usize> = HashMap::new();
            for assert in &old[at].asserts {
                let tests = having.get(&assert.text).filter(|tests| tests.len() <= COMMON);
                for test in tests.into_iter().flatten().filter(|test| !taken.contains(*test)) {
                    *shared.entry(*test).or_default() += 1;
                    work += 1;
                }
            }
            let (count, best) =
                shared.into_iter().map(|(test, count)| (count, test)).max_by_key(|(c, t)| (*c, usize::MAX - t))?;
            (count * 2 >= old[at].asserts.len()).then(|| {
                taken.insert(best);
                best
            })
        });
        self.work += work;
    }

    /// Pairs neighbours that are made of nearly the same names.
    fn by_words(&mut self, old: &[Test<'_>], new: &[Test<'_>]) {
        let mut of_file: HashMap<usize, VecDeque<usize>> = HashMap::new();
        for &at in &self.new {
            of_file.entry(new[at].file).or_default().push_back(at);
        }
        let mut work = 0;
        self.choose(|at| {
            let near = of_file.get_mut(&old[at].file)?;
            let alike = |other: usize| {
                let shared = shared(&old[at].words, &new[other].words);
                let all = old[at].words.len() + new[other].words.len() - shared;
                shared * 10 >= all * 6 && !new[other].empty && all > 0
            };
            work += near.iter().take(NEIGHBOURS).map(|other| new[*other].words.len() as u64).sum::<u64>();
            let found = near.iter().take(NEIGHBOURS).position(|other| alike(*other))?;
            near.remove(found)
        });
        self.work += work;
    }
}

/// How many values two ascending lists have in common.
pub(super) fn shared(a: &[u64], b: &[u64]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                (i, j, count) = (i + 1, j + 1, count + 1);
            }
        }
    }
    count
}
