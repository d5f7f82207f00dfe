//! The tamper guard: whether a writing step made its checks pass by weakening them. Pure: the changed files go in, findings
//! come out.
//!
//! It reads code, not lines: a tokeniser per family of languages knows comments from strings from code, tests are compared
//! with tests over all files of the step, so that what was renamed, moved, parametrised or put into a helper is not taken for
//! deleted. Every pass over hostile input is linear. What it cannot decide it leaves to the reviewers: an assertion that was
//! replaced by another of the same strength is no finding.

mod asserts;
mod cases;
mod escapes;
mod facts;
mod hidden;
mod inline;
mod items;
mod language;
mod lex;
mod pairing;
mod rule;
mod scripts;
mod settings;
mod snapshots;
mod source;
mod suppressions;
mod tests;
mod untested;
mod weaken;

use std::collections::{BTreeSet, HashMap};

pub use rule::Rule;

use crate::spec::writeset::WriteSet;
use crate::text::{elide_end, one_line, plural};

/// One file that a step changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Where it stands now, or stood if it is gone; relative to the work directory, with `/`.
    pub path: String,
    /// Where it stood before, if it was renamed.
    pub renamed_from: Option<String>,
    /// The contents before; nothing for a new file.
    pub old: Option<Vec<u8>>,
    /// The contents now; nothing for a deleted file.
    pub new: Option<Vec<u8>>,
    /// Whether it could be executed before.
    pub was_executable: bool,
    /// Whether it can be executed now.
    pub is_executable: bool,
}

/// All files that one writing step changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// In any order, each path once.
    pub files: Vec<Change>,
}

/// What the guard must know beside the change.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The files that the manifest calls tests, beside those that are by the customs of their language.
    pub tests: WriteSet,
    /// The component's write set. Settings and scripts that it names, not by a glob, may change.
    pub write_set: WriteSet,
    /// The files that no worker may change.
    pub protected: WriteSet,
    /// The files that commands of checks name: scripts, makefiles.
    pub scripts: WriteSet,
    /// Whether the tests are the component's own, so that it may change what they expect.
    pub owns_tests: bool,
}

/// Which side of a change a line counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Before the step: for what is gone.
    Old,
    /// After it.
    New,
}

/// One thing that weakens the checks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, by its path on that side.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// Which side the path and the line are of.
    pub side: Side,
    /// What it is.
    pub rule: Rule,
    /// One sentence that tells what was seen.
    pub saw: String,
    /// The line itself, shortened, safe to print.
    pub excerpt: String,
}

/// What was found, and at what cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examined {
    /// By path and line, each once; of more than 50 of one rule in one file the last that is told says how many more there are.
    pub findings: Vec<Finding>,
    /// Steps of work: bytes read, tokens looked at, comparisons made. Linear in the size of the change.
    pub work: u64,
}

/// Everything in `changes` that weakens the checks. The same for the same files in any order.
pub fn findings(changes: &Changes, context: &Context) -> Vec<Finding> {
    examine(changes, context).findings
}

/// As [`findings`], with the work that it took.
pub fn examine(changes: &Changes, context: &Context) -> Examined {
    let mut changed: Vec<&Change> = changes.files.iter().filter(|change| change.differs()).collect();
    changed.sort_by(|a, b| (&a.path, &a.renamed_from, &a.old, &a.new).cmp(&(&b.path, &b.renamed_from, &b.old, &b.new)));
    let texts: Vec<source::Texts<'_>> = changed.iter().map(|change| source::Texts::of(change)).collect();
    let sources: Vec<source::Source<'_>> =
        changed.iter().zip(&texts).map(|(change, texts)| source::Source::read(change, texts)).collect();
    let mut judge = Judge { context, sources: &sources, found: BTreeSet::new(), work: 0 };
    judge.work += sources.iter().map(source::Source::work).sum::<u64>();
    tests::judge(&mut judge);
    suppressions::judge(&mut judge);
    scripts::judge(&mut judge);
    settings::judge(&mut judge);
    snapshots::judge(&mut judge);
    hidden::judge(&mut judge);
    Examined { findings: bounded(judge.found), work: judge.work }
}

/// Findings of one rule in one file that are told one by one.
const TOLD: usize = 50;

/// The first findings of each rule in each file; the last of them says how many more there are. Whoever fixes these finds the rest
/// in the next round, and a hostile file does not fill the journal.
fn bounded(found: BTreeSet<Finding>) -> Vec<Finding> {
    let mut counts: HashMap<(Rule, String), usize> = HashMap::new();
    for finding in &found {
        *counts.entry((finding.rule, finding.path.clone())).or_default() += 1;
    }
    let mut told: HashMap<(Rule, String), usize> = HashMap::new();
    let mut findings = Vec::new();
    for mut finding in found {
        let key = (finding.rule, finding.path.clone());
        let all = counts.get(&key).copied().unwrap_or_default();
        let number = told.entry(key).or_default();
        *number += 1;
        if *number == TOLD && all > TOLD {
            finding.saw.push_str(&format!("; and {} like it in this file", plural(all - TOLD, "more finding")));
        }
        if *number <= TOLD {
            findings.push(finding);
        }
    }
    findings
}

/// The first file of code in `changes` that changed although no test was added or changed; none where one was, or where
/// no code changed whose language is known. Comments are no code, and a test that only moved is no change.
pub fn untested(changes: &Changes, context: &Context) -> Option<String> {
    let changed: Vec<&Change> = changes.files.iter().filter(|change| change.differs()).collect();
    let texts: Vec<source::Texts<'_>> = changed.iter().map(|change| source::Texts::of(change)).collect();
    let sources: Vec<source::Source<'_>> =
        changed.iter().zip(&texts).map(|(change, texts)| source::Source::read(change, texts)).collect();
    untested::first(&sources, context).map(str::to_owned)
}

/// Whether a file as a whole says how checks work: of linters, test runners, CI and their like.
pub fn is_settings(path: &str) -> bool {
    settings::is_settings(path)
}

/// Whether a path or a pattern of paths is one of tests, by the customs of its language.
pub fn is_test(path: &str) -> bool {
    language::is_test_path(path)
}

/// Whether a file of that name is one that is looked into: code, or a recorded result.
pub fn is_looked_into(path: &str) -> bool {
    language::Language::of(path).is_some() || snapshots::is_snapshot(path)
}

impl Change {
    /// The path before the step.
    fn old_path(&self) -> &str {
        self.renamed_from.as_deref().unwrap_or(&self.path)
    }

    fn differs(&self) -> bool {
        self.old != self.new || self.renamed_from.is_some() || self.was_executable != self.is_executable
    }
}

/// What all rules work with.
struct Judge<'s> {
    context: &'s Context,
    sources: &'s [source::Source<'s>],
    found: BTreeSet<Finding>,
    work: u64,
}

/// Columns of an excerpt.
const WIDTH: usize = 160;
/// Bytes of a line that an excerpt is made of.
const LONGEST: usize = 640;

impl Judge<'_> {
    /// Records that something was seen on a line of a side of the file at index `file`.
    fn report(&mut self, rule: Rule, file: usize, side: Side, line: u32, saw: String) {
        let Some(source) = self.sources.get(file) else { return };
        let (path, text) = match side {
            Side::Old => (source.change.old_path(), source.old.as_ref().map(|half| half.text)),
            Side::New => (source.change.path.as_str(), source.new.as_ref().map(|half| half.text)),
        };
        let excerpt = text.and_then(|text| source.line(text, side, line)).unwrap_or_default().trim();
        let end = (0..=LONGEST.min(excerpt.len())).rev().find(|at| excerpt.is_char_boundary(*at)).unwrap_or(0);
        let excerpt = one_line(&excerpt[..end]);
        let excerpt = elide_end(&excerpt, WIDTH).into_owned();
        let saw = elide_end(&one_line(&saw), 2 * WIDTH).into_owned();
        self.found.insert(Finding { path: path.to_owned(), line: line.max(1), side, rule, saw, excerpt });
    }

    /// Whether the component's definition names this very file, so that changing it is its task.
    fn was_given(&self, path: &str) -> bool {
        self.context.write_set.patterns().any(|pattern| pattern == path)
    }
}
