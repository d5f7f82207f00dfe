//! Whether code changed and no test did.

use std::collections::HashMap;
use std::path::Path;

use super::Context;
use super::asserts::hash;
use super::items::{Item, Place, items};
use super::language::{Language, file_name, is_test_path};
use super::lex::Lexed;
use super::source::{Half, Source};

/// How often each test is there, by what it does.
type Tests = HashMap<u64, usize>;

/// The first file of code that changed, where no test was added or changed.
pub(super) fn first<'s>(sources: &'s [Source<'_>], context: &Context) -> Option<&'s str> {
    let path = |source: &'s Source<'_>| source.change.path.as_str();
    let code = sources.iter().find(|source| !is_test(path(source), context) && is_code(source))?;
    let mut before = Tests::new();
    for (source, half) in sources.iter().filter_map(|source| Some((source, source.old.as_ref()?))) {
        count(half, source.change.old_path(), context, &mut before);
    }
    // A test that moved is the same test.
    let fresh = |source: &'s Source<'_>| {
        let Some(half) = &source.new else { return false };
        let mut now = Tests::new();
        count(half, path(source), context, &mut now);
        now.into_iter().any(|(test, times)| before.get(&test).is_none_or(|known| *known < times))
            || (is_test(path(source), context) && support_changed(source, half))
    };
    (!sources.iter().any(fresh)).then(|| path(code))
}

/// Whether a path is one of tests.
pub(super) fn is_test(path: &str, context: &Context) -> bool {
    is_test_path(path) || context.tests.matches(Path::new(path))
}

/// Whether a file holds code that tests could be about, and that is another now. What is deleted needs no test, and
/// comments neither.
fn is_code(source: &Source<'_>) -> bool {
    let Some(new) = &source.new else { return false };
    let known = new.language.is_some_and(Language::has_tests);
    known && !is_about_the_build(&source.change.path) && differs(source, new)
}

fn differs(source: &Source<'_>, new: &Half<'_>) -> bool {
    let words = |lexed: &Lexed<'_>| lexed.tokens.iter().fold(0, |seed, token| hash(seed, token.text));
    source.old.as_ref().map_or(0, |old| words(&old.lexed)) != words(&new.lexed)
}

/// In a file of tests that was there before, tables and helpers count too; and in a language whose tests are not known,
/// all of it does.
fn support_changed(source: &Source<'_>, new: &Half<'_>) -> bool {
    match new.language.filter(|language| language.has_tests()) {
        Some(_) => source.old.is_some() && differs(source, new),
        None => source.change.old != source.change.new,
    }
}

/// Code that builds or declares, and is not what is built.
fn is_about_the_build(path: &str) -> bool {
    let name = file_name(path);
    matches!(name, "build.rs" | "setup.py" | "noxfile.py" | "conftest.py")
        || name.ends_with(".d.ts")
        || name.ends_with(".gradle.kts")
        || name.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with(".config"))
}

fn count(half: &Half<'_>, path: &str, context: &Context, into: &mut Tests) {
    let Some(language) = half.language.filter(|language| language.has_tests()) else { return };
    let place = Place::of(path, language, context.tests.matches(path.as_ref()));
    for item in items(&half.lexed, language, place).items.into_iter().filter(|item| item.test) {
        *into.entry(what(&half.lexed, &item)).or_default() += 1;
    }
}

/// What a test does, and under which conditions.
fn what(lexed: &Lexed<'_>, item: &Item) -> u64 {
    let tokens = item.attributes.iter().cloned().chain([item.body.clone()]).flatten();
    tokens.fold(hash(0, &item.name), |seed, at| hash(seed, lexed.text(at)))
}
