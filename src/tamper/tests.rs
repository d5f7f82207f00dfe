//! The rules about tests: deleted, skipped, focused, detached, weakened.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::asserts::{Assert, Rank, hash, literal};
use super::cases::{self, Table};
use super::facts::{Test, read};
use super::inline::asserted;
use super::items::{Gate, Item, Items, Place, items};
use super::language::{file_name, named_as_test};
use super::lex::{Kind, Lexed};
use super::pairing::{Pairing, pair, shared};
use super::source::{Half, Source};
use super::weaken::{self, Pool, takes_over};
use super::{Judge, Rule, Side};
use crate::text::plural;

/// What one side of the step has.
#[derive(Default)]
pub(super) struct Tree<'a> {
    pub tests: Vec<Test<'a>>,
    /// Functions that are no tests, by name.
    pub helpers: HashMap<u64, usize>,
    /// Modules of tests in files of their own: file, name, line.
    attached: Vec<(usize, String, u32)>,
    /// Lines of what makes a test run alone.
    focused: Vec<(usize, u32)>,
    /// The values of each file that stand outside of its tests: tables, and what provides parameters.
    tables: HashMap<usize, Vec<u64>>,
    /// The tables themselves, with their file.
    constants: Vec<(usize, Table)>,
}

/// Runs the rules of this file.
pub(super) fn judge(judge: &mut Judge<'_>) {
    let sources = judge.sources;
    let old = tree(judge, sources, |source| (source.change.old_path(), source.old.as_ref()));
    let new = tree(judge, sources, |source| (source.change.path.as_str(), source.new.as_ref()));
    let tests = pair(&old.tests, &new.tests, true);
    let helpers = pair(&old.tests, &new.tests, false);
    judge.work += tests.work + helpers.work;
    let mut tables = tables(&old, &new);
    let extracted = gone(judge, [&old, &new], [&tests, &helpers], &mut tables);
    skipped(judge, &old, &new, &tests);
    focused(judge, &old, &new);
    detached(judge, &old, &new);
    for &(was, is) in &tests.matched {
        changed(judge, &old, &new, [was, is], &mut tables);
    }
    for &(was, is) in helpers.matched.iter().chain(&extracted) {
        helper(judge, &old, &new, [was, is], &mut tables);
    }
    for &is in &tests.added {
        added(judge, &new.tests[is]);
    }
    cases(judge, &old, &new, &tests, &mut tables);
    rows(judge, &old, &new, &mut tables);
    unread_files(judge);
}

fn tree<'a>(
    judge: &mut Judge<'_>,
    sources: &'a [Source<'a>],
    side: impl Fn(&'a Source<'a>) -> (&'a str, Option<&'a Half<'a>>),
) -> Tree<'a> {
    let mut tree = Tree::default();
    for (file, source) in sources.iter().enumerate() {
        let (path, Some(half)) = side(source) else { continue };
        let Some(language) = half.language.filter(|language| language.has_tests()) else { continue };
        let place = Place::of(path, language, judge.context.tests.matches(path.as_ref()));
        let Items { items, attached, focused } = items(&half.lexed, language, place);
        judge.work += half.lexed.tokens.len() as u64;
        tree.attached.extend(attached.into_iter().map(|module| (file, module.name, module.line)));
        tree.focused.extend(focused.into_iter().map(|line| (file, line)));
        if place.test {
            let bodies: Vec<Range<usize>> = items.iter().map(|item| item.body.clone()).collect();
            let constants = cases::tables(&half.lexed, &bodies);
            tree.constants.extend(constants.into_iter().map(|table| (file, table)));
        }
        tree.tables.insert(file, outside(&half.lexed, &items));
        for item in items {
            let test = read(&half.lexed, language, file, item);
            judge.work += (test.words.len() + test.literals.len() + test.asserts.len()) as u64;
            if !test.test {
                tree.helpers.entry(hash(0, &test.name)).or_insert(tree.tests.len());
            }
            tree.tests.push(test);
        }
    }
    tree
}

/// The values outside of tests.
fn outside(lexed: &Lexed<'_>, items: &[Item]) -> Vec<u64> {
    let mut bodies = items.iter().filter(|item| item.test).map(|item| item.body.clone()).peekable();
    let mut values = Vec::new();
    for at in 0..lexed.tokens.len() {
        while bodies.next_if(|body| body.end <= at).is_some() {}
        let inside = bodies.peek().is_some_and(|body| body.contains(&at));
        if !inside && matches!(lexed.kind(at), Some(Kind::Text | Kind::Number)) {
            values.push(literal(lexed, at));
        }
    }
    values
}

/// What is new in the tables of each file.
fn tables(old: &Tree<'_>, new: &Tree<'_>) -> HashMap<usize, Pool> {
    let of = |file: &usize| old.tables.get(file).map(Vec::as_slice).unwrap_or_default();
    new.tables.iter().map(|(file, values)| (*file, Pool::new(values, of(file)))).collect()
}

/// So many new or changed tests are asked whether they took over a lost one: of its file, and of all.
const CANDIDATES: usize = 32;

/// T101, T102: tests that are nowhere.
/// Answers with those whose body became a function that tests call: with the function, for its assertions to be compared.
fn gone(
    judge: &mut Judge<'_>,
    [old, new]: [&Tree<'_>; 2],
    [pairing, helpers]: [&Pairing; 2],
    tables: &mut HashMap<usize, Pool>,
) -> Vec<(usize, usize)> {
    let mut pools: BTreeMap<usize, Pool> = BTreeMap::new();
    let mut of_file: HashMap<usize, Vec<usize>> = HashMap::new();
    for &at in &pairing.added {
        pools.insert(at, Pool::new(&new.tests[at].literals, &[]));
        of_file.entry(new.tests[at].file).or_default().push(at);
    }
    for &(was, is) in &pairing.matched {
        if old.tests[was].body != new.tests[is].body || old.tests[was].literals != new.tests[is].literals {
            pools.insert(is, Pool::new(&new.tests[is].literals, &old.tests[was].literals));
            of_file.entry(new.tests[is].file).or_default().push(is);
        }
    }
    let called: HashSet<&str> = new.tests.iter().flat_map(|test| test.calls.iter().map(|call| call.name)).collect();
    let mut functions: HashMap<usize, Vec<usize>> = HashMap::new();
    for &at in helpers.added.iter().filter(|at| called.contains(new.tests[**at].name.as_str())) {
        functions.entry(new.tests[at].file).or_default().push(at);
    }
    let mut extracted = Vec::new();
    let everywhere: Vec<usize> = pools.keys().take(CANDIDATES).copied().collect();
    let mut lost: BTreeMap<usize, Vec<&Test<'_>>> = BTreeMap::new();
    for &at in &pairing.gone {
        let test = &old.tests[at];
        let near = of_file.get(&test.file).into_iter().flatten().take(CANDIDATES);
        let mut candidates = near.chain(&everywhere);
        judge.work += CANDIDATES as u64;
        let heir = candidates.find(|other| {
            let heir = &new.tests[**other];
            let table = tables.entry(heir.file).or_default();
            pools.get_mut(other).is_some_and(|pool| takes_over(test, heir, pool, table))
        });
        if heir.is_some() {
            continue;
        }
        let functions = functions.get(&test.file).into_iter().flatten().take(CANDIDATES);
        judge.work += (CANDIDATES * test.words.len().min(CANDIDATES)) as u64;
        if let Some(function) = functions.copied().find(|other| resembles(test, &new.tests[*other])) {
            extracted.push((at, function));
            continue;
        }
        if !exploded(test, &mut pools, of_file.get(&test.file)) {
            lost.entry(test.file).or_default().push(test);
        }
    }
    let mut had: HashMap<usize, usize> = HashMap::new();
    for test in old.tests.iter().filter(|test| test.test) {
        *had.entry(test.file).or_default() += 1;
    }
    for (file, tests) in lost {
        let all = had.get(&file).copied().unwrap_or_default();
        let change = judge.sources[file].change;
        if all == tests.len() && (change.new.is_none() || change.renamed_from.is_some()) {
            let names: Vec<&str> = tests.iter().take(3).map(|test| test.name.as_str()).collect();
            let how = if change.new.is_none() { "deleted" } else { "renamed to what holds no tests" };
            let saw =
                format!("the file was {how}, and its {} ({}…) are nowhere else", plural(all, "test"), names.join(", "));
            judge.report(Rule::TestFileDeleted, file, Side::Old, tests[0].line, saw);
            continue;
        }
        for test in tests {
            let saw = format!("the test `{}` is gone or is no longer collected as one", test.name);
            judge.report(Rule::TestDeleted, file, Side::Old, test.line, saw);
        }
    }
    extracted
}

/// Whether a function has the body of a test that is gone, more or less.
fn resembles(test: &Test<'_>, function: &Test<'_>) -> bool {
    let shared = shared(&test.words, &function.words);
    let all = test.words.len() + function.words.len() - shared;
    !function.empty && (test.body == function.body || shared * 10 >= all * 6)
}

/// Whether every case of a lost test is in one of the tests of its file that are new or grew.
fn exploded(test: &Test<'_>, pools: &mut BTreeMap<usize, Pool>, heirs: Option<&Vec<usize>>) -> bool {
    let mut found_in_any = |case: &Vec<u64>| {
        let heirs = heirs.into_iter().flatten().take(CANDIDATES);
        heirs.into_iter().any(|heir| pools.get_mut(heir).is_some_and(|pool| pool.take(case)))
    };
    !test.cases.is_empty() && test.cases.iter().all(&mut found_in_any)
}

/// T102 for languages whose tests are not understood: the file is all there is to go by.
fn unread_files(judge: &mut Judge<'_>) {
    let sources = judge.sources;
    let arrived: HashSet<&[u8]> =
        sources.iter().filter(|s| s.change.old.is_none()).filter_map(|s| s.change.new.as_deref()).collect();
    for (file, source) in sources.iter().enumerate() {
        let path = source.change.old_path();
        let understood =
            source.old.as_ref().and_then(|half| half.language).is_some_and(|language| language.has_tests());
        let Some(old) = source.change.old.as_deref().filter(|_| !understood && named_as_test(file_name(path))) else {
            continue;
        };
        let renamed = source.change.new.is_some() && named_as_test(file_name(&source.change.path));
        if !renamed && !arrived.contains(old) {
            judge.report(Rule::TestFileDeleted, file, Side::Old, 1, "the file of tests is gone".to_owned());
        }
    }
}

/// T104: what does not run any more, or never did. What one line does to many tests is one finding.
fn skipped(judge: &mut Judge<'_>, old: &Tree<'_>, new: &Tree<'_>, pairing: &Pairing) {
    let mut by_line: BTreeMap<(usize, u32), (String, String, usize)> = BTreeMap::new();
    let mut note = |test: &Test<'_>, gate: &Gate, how: &str| {
        let text = format!("{how}: `{}`", gate.text);
        by_line.entry((test.file, gate.line)).or_insert_with(|| (test.name.clone(), text, 0)).2 += 1;
    };
    for &(was, is) in &pairing.matched {
        let (was, is) = (&old.tests[was], &new.tests[is]);
        let certain = |gates: &[Gate]| gates.iter().filter(|gate| gate.certain).count();
        let fewer = is.gates.len() <= was.gates.len() && certain(&is.gates) <= certain(&was.gates);
        if fewer {
            continue;
        }
        let fresh = |gate: &&Gate| !was.gates.iter().take(64).any(|before| before.text == gate.text);
        let gate = is.gates.iter().take(64).filter(fresh).max_by_key(|gate| gate.certain).or(is.gates.last());
        if let Some(gate) = gate {
            note(
                is,
                gate,
                if gate.certain { "no longer runs, or may fail" } else { "no longer runs under a condition" },
            );
        }
    }
    for &at in &pairing.added {
        let test = &new.tests[at];
        if let Some(gate) = test.gates.iter().find(|gate| gate.certain && !gate.todo) {
            note(test, gate, "is new and never runs");
        }
    }
    for ((file, line), (name, how, count)) in by_line {
        let more = if count > 1 { format!(" (and {} more)", plural(count - 1, "test")) } else { String::new() };
        judge.report(Rule::TestSkipped, file, Side::New, line, format!("the test `{name}`{more} {how}"));
    }
}

/// T105: one test runs instead of all.
fn focused(judge: &mut Judge<'_>, old: &Tree<'_>, new: &Tree<'_>) {
    let mut before: HashMap<usize, usize> = HashMap::new();
    for (file, _) in &old.focused {
        *before.entry(*file).or_default() += 1;
    }
    for &(file, line) in &new.focused {
        let left = before.entry(file).or_default();
        if *left > 0 {
            *left -= 1;
            continue;
        }
        judge.report(
            Rule::TestFocused,
            file,
            Side::New,
            line,
            "only this runs, all other tests of the file do not".to_owned(),
        );
    }
}

/// T106: modules that are no longer compiled, hooks that choose which tests are collected.
fn detached(judge: &mut Judge<'_>, old: &Tree<'_>, new: &Tree<'_>) {
    let left: HashSet<&str> = new.attached.iter().map(|(_, name, _)| name.as_str()).collect();
    let inline: HashSet<&str> = new.tests.iter().filter_map(|test| test.scope.rsplit("::").next()).collect();
    let mut moved: HashSet<&str> = HashSet::new();
    for source in
        judge.sources.iter().filter(|source| source.change.new.is_none() || source.change.renamed_from.is_some())
    {
        let path = source.change.old_path();
        let stem = file_name(path).trim_end_matches(".rs");
        moved.insert(if stem == "mod" { path.rsplit('/').nth(1).unwrap_or(stem) } else { stem });
    }
    for (file, name, line) in &old.attached {
        let known = |names: &HashSet<&str>| names.contains(name.as_str());
        if !known(&left) && !known(&moved) && !known(&inline) {
            let saw = format!("the module `{name}` is no longer compiled, and its file is still there");
            judge.report(Rule::TestsDetached, *file, Side::Old, *line, saw);
        }
    }
    for (file, source) in judge.sources.iter().enumerate() {
        if file_name(&source.change.path) != "conftest.py" {
            continue;
        }
        let hooks = |half: &Option<Half<'_>>| {
            let tokens = half.as_ref().map(|half| half.lexed.tokens.as_slice()).unwrap_or_default();
            let lines = tokens.iter().filter(|token| COLLECTION.contains(&token.text)).map(|token| token.line);
            lines.collect::<Vec<u32>>()
        };
        let (was, is) = (hooks(&source.old), hooks(&source.new));
        if is.len() > was.len() {
            let saw = "a hook that chooses which tests are collected is new".to_owned();
            judge.report(Rule::TestsDetached, file, Side::New, is.last().copied().unwrap_or(1), saw);
        }
    }
}

const COLLECTION: [&str; 6] = [
    "collect_ignore",
    "collect_ignore_glob",
    "pytest_ignore_collect",
    "pytest_collection_modifyitems",
    "pytest_runtest_makereport",
    "pytest_deselected",
];

/// T2xx: a test that is there on both sides.
fn changed(
    judge: &mut Judge<'_>,
    old: &Tree<'_>,
    new: &Tree<'_>,
    [was, is]: [usize; 2],
    tables: &mut HashMap<usize, Pool>,
) {
    let (was, is) = (&old.tests[was], &new.tests[is]);
    judge.work += (was.asserts.len() + is.asserts.len()) as u64;
    let (before, after) = asserted(was, is, old, new);
    judge.work += (before.len() + after.len()) as u64;
    weakened(judge, [was, is], &before, &after, tables.entry(is.file).or_default());
    let about = |what: &str| format!("the test `{}` {what}", is.name);
    if is.returns.len() > was.returns.len() {
        let line = is.returns.iter().find(|_| true).copied().unwrap_or(is.line);
        judge.report(Rule::EarlyReturn, is.file, Side::New, line, about("ends before its assertions"));
    }
    match (was.panics, is.panics) {
        (None, Some((line, _))) => {
            judge.report(Rule::ExceptionWidened, is.file, Side::New, line, about("is now expected to panic"));
        }
        (Some((_, true)), Some((line, false))) => {
            judge.report(Rule::ExceptionWidened, is.file, Side::New, line, about("may now panic with any text"));
        }
        _ => {}
    }
    swallowing(judge, was.swallowed.len(), is);
}

/// A function that tests call: the same, but that it may go.
fn helper(
    judge: &mut Judge<'_>,
    old: &Tree<'_>,
    new: &Tree<'_>,
    [was, is]: [usize; 2],
    tables: &mut HashMap<usize, Pool>,
) {
    let (was, is) = (&old.tests[was], &new.tests[is]);
    if was.asserts.is_empty() && was.calls.is_empty() {
        return;
    }
    let (before, after) = asserted(was, is, old, new);
    judge.work += (before.len() + after.len()) as u64;
    if !before.is_empty() {
        weakened(judge, [was, is], &before, &after, tables.entry(is.file).or_default());
    }
    swallowing(judge, was.swallowed.len(), is);
    if is.returns.len() > was.returns.len() && is.name == "TestMain" {
        let line = is.returns.last().copied().unwrap_or(is.line);
        judge.report(Rule::EarlyReturn, is.file, Side::New, line, "all tests end with success".to_owned());
    }
}

fn weakened(judge: &mut Judge<'_>, sides: [&Test<'_>; 2], before: &[Assert], after: &[Assert], tables: &mut Pool) {
    let [_, is] = sides;
    for (rule, line, what) in weaken::compare(sides, before, after, judge.context.owns_tests, tables) {
        let line = line.unwrap_or(is.line);
        judge.report(rule, is.file, Side::New, line, format!("in `{}`: {what}", is.name));
    }
}

/// T206: a handler that hides what its assertions say.
fn swallowing(judge: &mut Judge<'_>, before: usize, is: &Test<'_>) {
    for line in is.swallowed.iter().skip(before) {
        let saw = format!("`{}` catches the failure of its assertions and goes on", is.name);
        judge.report(Rule::FailureSwallowed, is.file, Side::New, *line, saw);
    }
}

/// What a new test may not be: empty of meaning, or unable to fail.
fn added(judge: &mut Judge<'_>, test: &Test<'_>) {
    swallowing(judge, 0, test);
    let real = test.asserts.iter().any(|assert| assert.rank > Rank::Nothing);
    // Beside real ones it is clumsy, alone it makes a test that only looks like one.
    if let Some(assert) = test.asserts.first().filter(|_| !real && test.literals.len() <= 2) {
        let saw = format!("the new test `{}` asserts only what cannot fail", test.name);
        judge.report(Rule::AssertionTrivial, test.file, Side::New, assert.line, saw);
    }
}

/// T103: a table beside the tests that go through it has fewer rows, and the lost ones are in no other.
fn rows(judge: &mut Judge<'_>, old: &Tree<'_>, new: &Tree<'_>, tables: &mut HashMap<usize, Pool>) {
    let mut used: HashSet<(usize, u64)> = HashSet::new();
    for test in new.tests.iter().filter(|test| test.several) {
        used.extend(test.words.iter().map(|word| (test.file, *word)));
        judge.work += test.words.len() as u64;
    }
    let now: HashMap<(usize, u64), &Table> =
        new.constants.iter().map(|(file, table)| ((*file, table.name), table)).collect();
    let names = |tree: &Tree<'_>| {
        let mut names: HashMap<(usize, u64), usize> = HashMap::new();
        tree.constants.iter().for_each(|(file, table)| *names.entry((*file, table.name)).or_default() += 1);
        names
    };
    let (before, after) = (names(old), names(new));
    for (file, was) in &old.constants {
        let key = (*file, was.name);
        // Of two with the same name nobody can say which became which.
        if before.get(&key) != Some(&1) || after.get(&key) != Some(&1) {
            continue;
        }
        let Some(is) = now.get(&(*file, was.name)).filter(|is| is.rows.len() < was.rows.len()) else { continue };
        if !used.contains(&(*file, was.name)) {
            continue;
        }
        let kept: HashSet<&[u64]> = is.rows.iter().map(Vec::as_slice).collect();
        let table = tables.entry(*file).or_default();
        let lost = was.rows.iter().filter(|row| !kept.contains(row.as_slice()) && !table.take(row)).count();
        judge.work += (was.rows.len() + is.rows.len()) as u64;
        if lost > 0 {
            let saw = format!(
                "a table that tests go through has {} where it had {}",
                plural(is.rows.len(), "row"),
                was.rows.len()
            );
            judge.report(Rule::CasesDropped, *file, Side::New, is.line, saw);
        }
    }
}

/// T103: fewer cases, and the lost ones are nowhere.
fn cases(judge: &mut Judge<'_>, old: &Tree<'_>, new: &Tree<'_>, pairing: &Pairing, tables: &mut HashMap<usize, Pool>) {
    let mut elsewhere: Vec<Pool> =
        pairing.added.iter().take(CANDIDATES).map(|at| Pool::new(&new.tests[*at].literals, &[])).collect();
    for &(was, is) in &pairing.matched {
        let (was, is) = (&old.tests[was], &new.tests[is]);
        if is.cases.len() >= was.cases.len() || was.cases.len() < 2 {
            continue;
        }
        let kept: HashSet<&[u64]> = is.cases.iter().map(Vec::as_slice).collect();
        let mut own = Pool::new(&is.literals, &is.cases.concat());
        judge.work += (was.literals.len() + is.literals.len()) as u64;
        let mut lost = 0;
        for case in was.cases.iter().filter(|case| !kept.contains(case.as_slice())) {
            judge.work += elsewhere.len() as u64;
            let found = own.take(case)
                || tables.entry(is.file).or_default().take(case)
                || elsewhere.iter_mut().any(|pool| pool.take(case));
            lost += usize::from(!found);
        }
        // Some may have changed: what counts is that there are fewer.
        let fewer = lost.min(was.cases.len() - is.cases.len());
        if fewer > 0 {
            let saw = format!(
                "the test `{}` has {} where it had {}",
                is.name,
                plural(is.cases.len(), "case"),
                was.cases.len()
            );
            judge.report(Rule::CasesDropped, is.file, Side::New, is.line, saw);
        }
    }
}
