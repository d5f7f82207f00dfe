//! Makefiles and justfiles: the commands that a project's author gave names to. Only targets and recipes that exist.

use std::collections::BTreeSet;

use super::{Found, Kind, Place};

/// The makefile that make takes, in its order.
const MAKEFILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];
const JUSTFILES: [&str; 3] = ["justfile", "Justfile", ".justfile"];

/// What runs commands here.
pub(super) fn of(place: &Place<'_>, remarks: &mut Vec<String>) -> Vec<Found> {
    let just = place.first(&JUSTFILES).map(|file| {
        let text = place.text_or_remark(file, remarks).unwrap_or_default();
        found(place, Kind::Just, file, &recipes(text, &place.path(file), remarks))
    });
    let make = place.first(&MAKEFILES).map(|file| {
        let text = place.text_or_remark(file, remarks).unwrap_or_default();
        found(place, Kind::Make, file, &targets(text))
    });
    just.into_iter().chain(make).collect()
}

fn found(place: &Place<'_>, kind: Kind, marker: &str, names: &BTreeSet<&str>) -> Found {
    let command = |name: &str| names.contains(name).then(|| format!("{} {name}", kind.name()));
    Found {
        kind,
        marker: place.path(marker),
        dir: place.dir.to_owned(),
        lint: command("lint"),
        // `check` is what GNU calls it.
        test: command("test").or_else(|| command("check")),
        setup: None,
    }
}

/// The targets that rules of a makefile name plainly; what variables and patterns make is not known.
fn targets(text: &str) -> BTreeSet<&str> {
    let plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    let rule = |line: &'_ str| !line.starts_with(['\t', ' ', '#', '.']);
    let heads = text.lines().filter(|line| rule(line)).filter_map(|line| {
        let (head, rest) = line.split_once(':')?;
        // `name := value` and `name ::= value` are variables, and so is what has a `=` before the colon.
        let is_rule = !rest.starts_with('=') && !rest.starts_with(":=") && !head.contains('=');
        is_rule.then_some(head)
    });
    heads.flat_map(str::split_whitespace).filter(plain).collect()
}

/// The recipes of a justfile that need no argument.
fn recipes<'t>(text: &'t str, path: &str, remarks: &mut Vec<String>) -> BTreeSet<&'t str> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with([' ', '\t', '#', '['])) {
        let Some((head, rest)) = line.split_once(':') else { continue };
        let mut words = head.trim_start_matches('@').split_whitespace();
        let Some(name) = words.next().filter(|_| !rest.starts_with('=')) else { continue };
        // `*words` may be none, and a default stands for what is not given.
        let needs = words.any(|word| !word.starts_with('*') && !word.contains('='));
        match (needs, name) {
            (true, "test" | "lint" | "check") => {
                remarks.push(format!("the recipe `{name}` of `{path}` needs an argument: not taken"));
            }
            (true, _) => {}
            (false, _) => {
                names.insert(name);
            }
        }
    }
    names
}
