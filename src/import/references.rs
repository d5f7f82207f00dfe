//! Task ids in sentences: `T004`, `T004-T007`, "depends on T012, T013".

use std::collections::HashSet;

use super::{ImportError, MAX_DEPENDENCIES};

/// A word of a sentence about order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word<'a> {
    Id(&'a str),
    /// Both ends are meant too.
    Range(&'a str, &'a str),
    Other(&'a str),
}

/// Whether a word is the id of a task: some letters, digits, and little behind them. `TXXX` is what templates say.
pub(super) fn is_id(word: &str) -> bool {
    let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
    if word.len() > 16 || !(1..=4).contains(&letters) {
        return false;
    }
    let digits = word[letters..].trim_start_matches('-');
    word == "TXXX"
        || digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase() || byte == b'.')
}

/// Whether a word is the id of one of spec-kit's tasks.
pub(super) fn is_task_id(word: &str) -> bool {
    is_id(word) && word.starts_with('T')
}

fn words(text: &str) -> Vec<Word<'_>> {
    let separates =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '[' | ']' | '&' | '*' | '`' | '"');
    let mut words = Vec::new();
    for word in text.split(separates).filter(|word| !word.is_empty()) {
        let word = word.trim_matches(['.', ':', '!']);
        let range = ["–", "—", "..", "-"].iter().find_map(|mark| word.split_once(mark)).filter(|(from, to)| {
            is_task_id(from) && (is_task_id(to) || to.bytes().all(|byte| byte.is_ascii_digit()) && !to.is_empty())
        });
        words.push(match range {
            Some((from, to)) => Word::Range(from, to),
            None if is_task_id(word) => Word::Id(word),
            None => Word::Other(word),
        });
    }
    words
}

/// What the sentence says that its own task waits for: the ids directly behind "depends on" and the like.
pub(super) fn own_needs(text: &str, known: &Known<'_>) -> Vec<String> {
    let words = words(text);
    let mut needs = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Word::Other(word) = word else { continue };
        let says_so = [
            "depends",
            "dependent",
            "depend",
            "blocked",
            "requires",
            "require",
            "after",
            "needs",
            "dependencies",
            "deps",
            "prerequisites",
        ];
        if !says_so.contains(&word.to_lowercase().trim_end_matches(':')) {
            continue;
        }
        let behind = words[index + 1..].iter().skip_while(|word| matches!(word, Word::Other(w) if is_filler(w)));
        needs.extend(listed(behind, known));
        if needs.len() > MAX_DEPENDENCIES {
            break;
        }
    }
    needs
}

/// Tasks, and those that wait for them.
pub(super) type Step = (Vec<String>, Vec<String>);

/// What a sentence such as "T008 blocks T009, T015" or "T001 → T002 → T003" says, step by step; nothing if it is not clear.
pub(super) fn order(text: &str, known: &Known<'_>) -> Result<Option<Vec<Step>>, ImportError> {
    let text = ["→", "->", "=>", "←", "<-"]
        .iter()
        .fold(text.to_owned(), |text, arrow| text.replace(arrow, &format!(" {arrow} ")));
    let words = words(&text);
    let verbs: Vec<(usize, bool)> =
        words.iter().enumerate().filter_map(|(at, word)| Some((at, turns(word)?))).collect();
    let is_row = verbs.iter().all(|(_, turned)| !turned);
    if verbs.is_empty() || verbs.len() > 1 && !is_row {
        return Ok(None);
    }
    let mut parts = Vec::with_capacity(verbs.len() + 1);
    let (mut from, mut count) = (0, 0);
    for to in verbs.iter().map(|(at, _)| *at).chain([words.len()]) {
        let ids = listed(words[from..to].iter().filter(|word| !matches!(word, Word::Other(_))), known);
        count += ids.len();
        if count > MAX_DEPENDENCIES {
            return Err(ImportError::TooDense);
        }
        if ids.is_empty() {
            return Ok(None);
        }
        parts.push(ids);
        from = to + 1;
    }
    if !is_row {
        parts.reverse();
    }
    Ok(Some(parts.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()))
}

/// For a word that tells order whether what stands before it is the later.
fn turns(word: &Word<'_>) -> Option<bool> {
    let Word::Other(word) = word else { return None };
    match word.to_lowercase().as_str() {
        "blocks" | "block" | "before" | "→" | "->" | "=>" | "precedes" | "then" => Some(false),
        "depends" | "depend" | "requires" | "require" | "after" | "needs" | "need" | "blocked" | "←" | "<-" => {
            Some(true)
        }
        _ => None,
    }
}

/// Whether a sentence names any task.
pub(super) fn names_tasks(text: &str) -> bool {
    words(text).iter().any(|word| !matches!(word, Word::Other(_)))
}

fn is_filler(word: &str) -> bool {
    matches!(word.to_lowercase().as_str(), "on" | "upon" | "by" | "task" | "tasks" | "the" | "completion" | "of" | ":")
}

/// The ids at the beginning of `words`.
fn listed<'w>(words: impl Iterator<Item = &'w Word<'w>>, known: &Known<'_>) -> Vec<String> {
    let mut ids = Vec::new();
    for word in words {
        if ids.len() > MAX_DEPENDENCIES {
            // The reader refuses so many; a text of nothing but ranges could mean the square of its length.
            break;
        }
        match word {
            Word::Id(id) => ids.push((*id).to_owned()),
            Word::Range(from, to) => ids.extend(known.range(from, to)),
            Word::Other(word) if matches!(word.to_lowercase().as_str(), "and" | "+" | "/") => {}
            Word::Other(_) => break,
        }
    }
    ids
}

/// The ids of a file with their numbers, to say which lie between two.
pub(super) struct Known<'a> {
    /// Sorted by number.
    numbered: Vec<(u64, &'a str)>,
    present: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    pub(super) fn new(ids: impl Iterator<Item = &'a str>) -> Self {
        let mut present = HashSet::new();
        let mut numbered = Vec::new();
        for id in ids {
            if present.insert(id)
                && let Some(number) = number(id)
            {
                numbered.push((number, id));
            }
        }
        numbered.sort_unstable();
        Self { numbered, present }
    }

    /// The ids from `from` to `to`; the ends also where they are not there, so that they are reported.
    fn range(&self, from: &str, to: &str) -> Vec<String> {
        // `T004-7`, `T004-007`.
        let to = if to.starts_with(|c: char| c.is_ascii_digit()) {
            format!("{}{to:0>width$}", &from[..1], width = from.len() - 1)
        } else {
            to.to_owned()
        };
        let (Some(low), Some(high)) = (number(from), number(&to)) else { return vec![from.to_owned(), to] };
        let start = self.numbered.partition_point(|(number, _)| *number < low);
        let end = self.numbered.partition_point(|(number, _)| *number <= high);
        let between = self.numbered.get(start..end).unwrap_or_default();
        let mut ids: Vec<String> = between.iter().map(|(_, id)| (*id).to_owned()).collect();
        ids.extend([from, to.as_str()].into_iter().filter(|id| !self.present.contains(id)).map(str::to_owned));
        ids
    }
}

fn number(id: &str) -> Option<u64> {
    let digits: String = id.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
