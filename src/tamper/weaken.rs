//! Whether a test still asserts what it did: what was taken away, what came instead, and whether that says as much.

use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use super::asserts::{Assert, Rank, Sort, hash};
use super::facts::Test;
use super::pairing::shared;
use super::rule::Rule;

/// One thing that was weakened: the rule, the line on the new side (nothing: the test's own), what it was.
pub(super) type Weakened = (Rule, Option<u32>, String);

/// Names that stand in assertions whatever they are about.
static COMMON: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let names = [
        "assert",
        "assert_eq",
        "assert_ne",
        "self",
        "this",
        "t",
        "expect",
        "toBe",
        "toEqual",
        "toBeDefined",
        "toBeTruthy",
        "assertEqual",
        "assertEquals",
        "assertTrue",
        "assertIsNotNone",
        "assertNotNull",
        "assertIsInstance",
        "assertThat",
        "require",
        "not",
        "to",
        "be",
        "is",
        "is_some",
        "is_ok",
        "is_err",
        "unwrap",
        "None",
        "null",
        "nil",
        "Some",
        "Ok",
        "Err",
        "true",
        "false",
        "True",
        "False",
        "and",
        "or",
        "in",
        "isinstance",
        "len",
        "NotNil",
        "NoError",
        "undefined",
        "toBeInstanceOf",
        "isNotNull",
        "err",
        "Equal",
        "pytest",
        "raises",
    ];
    let mut hashes: Vec<u64> = names.iter().map(|name| hash(0, name)).collect();
    hashes.sort_unstable();
    hashes
});

/// The names that say what an assertion is about.
fn subject(words: &[u64]) -> Vec<u64> {
    words.iter().filter(|word| COMMON.binary_search(word).is_err()).copied().collect()
}

/// A bag of values.
#[derive(Default)]
pub(super) struct Pool(HashMap<u64, u32>);

impl Pool {
    /// The values of `all` without those of `taken`.
    pub fn new(all: &[u64], taken: &[u64]) -> Pool {
        let mut pool: HashMap<u64, u32> = HashMap::with_capacity(all.len());
        for value in all {
            *pool.entry(*value).or_default() += 1;
        }
        let mut pool = Pool(pool);
        for value in taken {
            if let Some(count) = pool.0.get_mut(value) {
                *count = count.saturating_sub(1);
            }
        }
        pool
    }

    /// Takes all of `values`, or none of them.
    pub fn take(&mut self, values: &[u64]) -> bool {
        // The values are ascending: equal ones stand together.
        let enough = values.chunk_by(|a, b| a == b).all(|same| {
            same.first().and_then(|value| self.0.get(value)).is_some_and(|count| *count as usize >= same.len())
        });
        if enough {
            for value in values {
                if let Some(count) = self.0.get_mut(value) {
                    *count -= 1;
                }
            }
        }
        enough
    }
}

/// Compares the assertions of a test, those of the functions that it calls among them. `owned`: expected values may change.
/// `tables` are the values that are new in the file beside its tests.
pub(super) fn compare(
    sides: [&Test<'_>; 2],
    was: &[Assert],
    is: &[Assert],
    owned: bool,
    tables: &mut Pool,
) -> Vec<Weakened> {
    let [old, new] = sides;
    let mut found = Vec::new();
    if new.empty && !old.empty {
        found.push((Rule::AssertionRemoved, None, "its body is empty now".to_owned()));
        return found;
    }
    let (removed, mut added, kept) = difference(was, is);
    let mut taken: Vec<u64> = kept.iter().flat_map(|assert| assert.literals.iter().copied()).collect();
    taken.sort_unstable();
    let mut pool = Pool::new(&new.literals, &taken);
    let mut lost = Vec::new();
    // The first look is for the same thing said otherwise, the second for anything that says as much.
    let mut rest = Vec::new();
    for assert in removed {
        if !same_thing(assert, &mut added, owned, &mut found) {
            rest.push(assert);
        }
    }
    rest.sort_by_key(|assert| std::cmp::Reverse(assert.rank));
    added.make_contiguous().sort_by_key(|assert| std::cmp::Reverse(assert.rank));
    let strongest = added.iter().chain(&kept).map(|assert| assert.rank).max();
    for assert in rest {
        if assert.rank == Rank::Nothing || replaced(assert, &mut added) {
            continue;
        }
        let implied = assert.rank == Rank::Exists && assert.sort == Sort::Plain && is_implied(assert, is);
        if implied || absorbed(assert, new, strongest, [&mut pool, tables]) {
            continue;
        }
        lost.push(assert);
    }
    // A function of the project's own that is not in sight may assert all that is gone.
    if added.iter().any(|assert| matches!(assert.sort, Sort::Own(_))) {
        lost.clear();
    }
    report(&lost, added, was, is, &mut found);
    found
}

/// Says what became of the lost ones: weaker, without meaning, or gone.
fn report(lost: &[&Assert], mut added: Bag<'_>, was: &[Assert], is: &[Assert], found: &mut Vec<Weakened>) {
    let mut gone = 0;
    for assert in lost {
        let raises = |assert: &Assert| assert.sort == Sort::Raises;
        let weaker = |other: &&Assert| raises(other) == raises(assert) && other.rank > Rank::Nothing;
        let near = || added.iter().take(NEAREST);
        let thrown = near().any(|other| is_about_thrown(other));
        let instead = near().position(weaker);
        let instead = instead.or_else(|| near().position(|other| other.rank == Rank::Nothing));
        match instead.and_then(|at| added.remove(at)) {
            Some(other) if other.rank == Rank::Nothing => {
                found.push((
                    Rule::AssertionTrivial,
                    line(other),
                    "an assertion became one that cannot fail".to_owned(),
                ));
            }
            // What was thrown is looked at by an assertion of its own.
            Some(_) if assert.sort == Sort::Raises && thrown => {}
            Some(other) if assert.sort == Sort::Raises => {
                found.push((Rule::ExceptionWidened, line(other), "a wider failure is expected than before".to_owned()));
            }
            Some(other) => {
                let text = format!("{} became {}", words(assert.rank), words(other.rank));
                found.push((Rule::AssertionLoosened, line(other), text));
            }
            None => gone += 1,
        }
    }
    for other in added.iter().filter(|other| other.rank == Rank::Nothing) {
        found.push((Rule::AssertionTrivial, line(other), "an assertion that cannot fail is new".to_owned()));
    }
    if gone > 0 {
        let count = |asserts: &[Assert]| asserts.iter().filter(|assert| assert.rank > Rank::Nothing).count();
        let text = match count(is) {
            0 => format!("it asserts nothing any more, and had {}", crate::text::plural(count(was), "assertion")),
            left => format!("{} gone, {left} left", crate::text::plural(gone, "assertion")),
        };
        found.push((Rule::AssertionRemoved, None, text));
    }
}

fn is_about_thrown(assert: &Assert) -> bool {
    let names = ["exception", "excinfo", "message", "getMessage", "value", "cause"];
    assert.rank >= Rank::Loose && names.iter().any(|name| assert.words.binary_search(&hash(0, name)).is_ok())
}

/// The line of an assertion, unless it stands in another function.
fn line(assert: &Assert) -> Option<u32> {
    (assert.line > 0).then_some(assert.line)
}

fn words(rank: Rank) -> &'static str {
    match rank {
        Rank::Nothing => "an assertion that cannot fail",
        Rank::Exists => "a look whether there is anything",
        Rank::Truth => "a plain condition",
        Rank::Loose => "a range or a part",
        Rank::Size => "a comparison of sizes",
        Rank::Exact => "an exact comparison",
    }
}

/// New assertions that nothing was found for yet; what is taken stands near the front.
type Bag<'a> = VecDeque<&'a Assert>;

/// What is only in `was`, only in `is`, and in both, by fingerprint.
fn difference<'a>(was: &'a [Assert], is: &'a [Assert]) -> (Vec<&'a Assert>, Bag<'a>, Vec<&'a Assert>) {
    let mut before: HashMap<u64, u32> = HashMap::new();
    for assert in was {
        *before.entry(assert.text).or_default() += 1;
    }
    let (mut added, mut kept) = (VecDeque::new(), Vec::new());
    for assert in is {
        match before.get_mut(&assert.text).filter(|count| **count > 0) {
            Some(count) => {
                *count -= 1;
                kept.push(assert);
            }
            None => added.push_back(assert),
        }
    }
    let removed = was.iter().filter(|assert| {
        let left = before.get_mut(&assert.text).filter(|count| **count > 0);
        left.map(|count| *count -= 1).is_some()
    });
    (removed.collect(), added, kept)
}

/// So many of the new assertions are compared with one that is gone.
const NEAREST: usize = 64;

/// Takes the new assertion that says the same of the same thing, or the same with other numbers.
fn same_thing(assert: &Assert, added: &mut Bag<'_>, owned: bool, found: &mut Vec<Weakened>) -> bool {
    if let Some(at) = added.iter().take(NEAREST).position(|other| other.shape == assert.shape) {
        let Some(other) = added.remove(at) else { return false };
        match widened(assert, other) {
            Some(true) => {
                found.push((Rule::ToleranceRaised, line(other), "a tolerance or bound lets more pass".to_owned()))
            }
            None if !owned => {
                found.push((Rule::ExpectationChanged, line(other), "another value is expected".to_owned()))
            }
            _ => {}
        }
        return true;
    }
    let same = |other: &&Assert| {
        other.words == assert.words
            && other.rank >= assert.rank
            && (other.sort == Sort::Raises) == (assert.sort == Sort::Raises)
    };
    let Some(at) = added.iter().take(NEAREST).position(same) else { return false };
    let Some(other) = added.remove(at) else { return false };
    let values = assert.literals != other.literals && !assert.literals.is_empty();
    if values && !owned && assert.sort == Sort::Snapshot {
        found.push((Rule::SnapshotRewritten, line(other), "its inline snapshot is another".to_owned()));
    } else if values && !owned && other.rank == assert.rank {
        found.push((Rule::ExpectationChanged, line(other), "another value is expected".to_owned()));
    }
    true
}

/// Whether a bound among the numbers of the same assertion lets more pass; nothing where only other numbers differ.
fn widened(old: &Assert, new: &Assert) -> Option<bool> {
    let pairs = old.numbers.iter().zip(&new.numbers).filter(|(old, new)| old.value != new.value);
    let mut bounds = false;
    for (old, new) in pairs {
        if new.looser == 0 {
            continue;
        }
        bounds = true;
        if (new.value > old.value) == (new.looser > 0) {
            return Some(true);
        }
    }
    bounds.then_some(false)
}

/// Takes a new assertion that says at least as much.
fn replaced(assert: &Assert, added: &mut Bag<'_>) -> bool {
    let raises = assert.sort == Sort::Raises;
    // Strongest first, so that the weakest that will do is the last that fits.
    // To come somewhere and fail is how it is said by hand that something must be thrown.
    let by_hand = assert.sort == Sort::Failure;
    let fits = |other: &&Assert| {
        let alike = (other.sort == Sort::Raises) == raises || by_hand;
        other.rank >= assert.rank && alike && !matches!(other.sort, Sort::Own(_))
    };
    let at = added.iter().take(NEAREST).rposition(fits);
    at.is_some_and(|at| added.remove(at).is_some())
}

/// Whether something stronger is said about the same thing.
fn is_implied(assert: &Assert, is: &[Assert]) -> bool {
    let about = subject(&assert.words);
    is.iter().take(NEAREST).any(|other| other.rank > Rank::Exists && shared(&about, &other.words) > 0)
}

/// Whether the values of an assertion are among those that are new in the test: a row of a table, a part of a wider comparison.
fn absorbed(assert: &Assert, new: &Test<'_>, strongest: Option<Rank>, pools: [&mut Pool; 2]) -> bool {
    if strongest.is_none_or(|rank| rank < assert.rank) || assert.sort == Sort::Raises {
        return false;
    }
    if !assert.literals.is_empty() {
        let [own, tables] = pools;
        return own.take(&assert.literals) || (new.several && tables.take(&assert.literals));
    }
    let about = subject(&assert.words);
    new.several && !about.is_empty() && shared(&about, &new.words) == about.len()
}

/// Whether `new` has taken over what the lost test `old` asserted: its values are among those that are new in the test or in the
/// tables of its file, and it is about the same names.
pub(super) fn takes_over(old: &Test<'_>, new: &Test<'_>, own: &mut Pool, tables: &mut Pool) -> bool {
    let about: Vec<u64> = subject(&old.words);
    let strongest = |test: &Test<'_>| test.asserts.iter().map(|assert| assert.rank).max();
    if strongest(new) < strongest(old) || shared(&about, &new.words) * 2 < about.len() {
        return false;
    }
    let mut values: Vec<u64> = old.asserts.iter().flat_map(|assert| assert.literals.iter().copied()).collect();
    if values.is_empty() {
        values.clone_from(&old.literals);
    }
    values.sort_unstable();
    if values.is_empty() {
        return new.several && shared(&about, &new.words) == about.len();
    }
    own.take(&values) || (new.several && tables.take(&values))
}
