//! What a test asserts through the functions that it calls.

use super::asserts::{Assert, Call, Sort, hash};
use super::facts::Test;
use super::tests::Tree;

/// So many calls are followed for one test; one that calls more is compared without what it calls.
const CALLS: usize = 1024;
/// So deep are functions that call functions followed: those that call themselves have no end.
const DEPTH: usize = 12;

/// The assertions of a test on both sides, with those of the functions that it calls, as if their code stood where it is called: so
/// that it makes no difference what is a function of its own.
pub(super) fn asserted(was: &Test<'_>, is: &Test<'_>, old: &Tree<'_>, new: &Tree<'_>) -> (Vec<Assert>, Vec<Assert>) {
    // A function that both sides have is the same for both here: whether it was weakened is said once, there.
    match (inlined(was, [new, old]), inlined(is, [new, new])) {
        (Some(was), Some(is)) => (was, is),
        _ => (was.asserts.clone(), is.asserts.clone()),
    }
}

/// The assertions of a test and what it calls, looked for in `trees` in this order; nothing where there is too much of it.
fn inlined(test: &Test<'_>, trees: [&Tree<'_>; 2]) -> Option<Vec<Assert>> {
    let resolves = |name: u64| trees.iter().find_map(|tree| tree.helpers.get(&name).map(|at| &tree.tests[*at]));
    let in_sight = |assert: &Assert| matches!(assert.sort, Sort::Own(name) if resolves(name).is_some());
    let mut all: Vec<Assert> = test.asserts.iter().filter(|assert| !in_sight(assert)).cloned().collect();
    let mut open: Vec<(&Call<'_>, usize)> = test.calls.iter().map(|call| (call, 0)).collect();
    let mut followed = 0;
    while let Some((call, depth)) = open.pop() {
        followed += 1;
        if followed > CALLS {
            return None;
        }
        let Some(helper) = resolves(hash(0, call.name)).filter(|_| depth < DEPTH) else { continue };
        for assert in helper.asserts.iter().filter(|assert| !in_sight(assert)).take(CALLS) {
            let mut assert = assert.clone();
            // Seen from here it is about what it was called with, and its line is another file's.
            assert.text = call.literals.iter().fold(assert.text, |text, value| text.rotate_left(5) ^ value);
            assert.literals.extend(&call.literals);
            assert.literals.sort_unstable();
            assert.line = 0;
            all.push(assert);
        }
        if helper.calls.len() + open.len() > CALLS || all.len() > CALLS {
            return None;
        }
        open.extend(helper.calls.iter().map(|call| (call, depth + 1)));
    }
    Some(all)
}
