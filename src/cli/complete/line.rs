//! Which word may stand at the cursor: the definition of the command line, followed word by word.

use clap::{Arg, Command, ValueHint};

/// What a word may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The word.
    pub word: String,
    /// What it is, for shells that show it.
    pub what: String,
}

/// One thing that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// A word.
    Word(Candidate),
    /// Names of files, which the shell knows best.
    Files,
    /// Names of directories.
    Directories,
}

/// What is not in the definition: asked for only where it is needed. `store` is what `--store` said.
pub trait Known {
    /// Names of specs, as short as they are clear.
    fn specs(&self, store: Option<&str>) -> Vec<String>;
    /// Names of projects.
    fn projects(&self, store: Option<&str>) -> Vec<String>;
    /// Ids and purposes of the components of a spec; without one, of the spec of the current directory.
    fn components(&self, store: Option<&str>, spec: Option<&str>) -> Vec<(String, String)>;
}

/// What the last of `words` may become. `command` is the whole command line, built; `words` follow the program's name.
pub fn offers(command: &Command, words: &[String], known: &dyn Known) -> Vec<Offer> {
    let words = joined(words);
    let Some((current, before)) = words.split_last() else { return Vec::new() };
    let mut line = Line { at: command, positional: 0, open: None, plain: false, lost: false, spec: None, store: None };
    for word in before {
        line.follow(word);
    }
    line.offers(current, known)
}

/// A shell may take `--spec=shop` apart at the `=`: then the value is a word of its own.
fn joined(words: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let is_last = at + 1 == words.len();
        match word.as_str() {
            "=" if is_last => out.push(String::new()),
            "=" => {}
            _ => out.push(word.clone()),
        }
    }
    out
}

/// How far a command line has come.
struct Line<'a> {
    at: &'a Command,
    /// Positional words so far.
    positional: usize,
    /// The option whose value comes next.
    open: Option<&'a Arg>,
    /// Whether `--` was said.
    plain: bool,
    /// Whether a word stood where none may.
    lost: bool,
    spec: Option<String>,
    store: Option<String>,
}

impl<'a> Line<'a> {
    fn follow(&mut self, word: &str) {
        if let Some(arg) = self.open.take() {
            self.note(arg, word);
        } else if word == "--" {
            self.plain = true;
        } else if let Some(long) = word.strip_prefix("--").filter(|_| !self.plain) {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            match (self.long(name), value) {
                (Some(arg), Some(value)) => self.note(arg, value),
                (arg, None) => self.open = arg.filter(|arg| arg.get_action().takes_values()),
                (None, Some(_)) => {}
            }
        } else if let Some(shorts) = word.strip_prefix('-').filter(|shorts| !shorts.is_empty() && !self.plain) {
            // Of a cluster only the last can wait for a value: before it the rest of the word is the value.
            let mut letters = shorts.chars();
            let valued = letters.find_map(|letter| self.short(letter).filter(|arg| arg.get_action().takes_values()));
            self.open = valued.filter(|_| letters.as_str().is_empty());
        } else if let Some(sub) = self.at.find_subcommand(word).filter(|_| !self.plain) {
            (self.at, self.positional) = (sub, 0);
        } else {
            match self.next_positional() {
                Some(arg) => self.note(arg, word),
                None => self.lost = true,
            }
            self.positional += 1;
        }
    }

    /// Keeps the words that others depend on.
    fn note(&mut self, arg: &Arg, word: &str) {
        match value_name(arg) {
            "SPEC" => self.spec = Some(word.to_owned()),
            "DIR" if arg.get_long() == Some("store") => self.store = Some(word.to_owned()),
            _ => {}
        }
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.at.get_arguments().find(|arg| {
            arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
        })
    }

    fn short(&self, letter: char) -> Option<&'a Arg> {
        self.at.get_arguments().find(|arg| arg.get_short() == Some(letter))
    }

    fn next_positional(&self) -> Option<&'a Arg> {
        let mut positionals = self.at.get_positionals();
        let last = self.at.get_positionals().last();
        // The last one may take many.
        positionals.nth(self.positional).or(last.filter(|arg| arg.get_num_args().is_some_and(|n| n.max_values() > 1)))
    }

    fn offers(&self, current: &str, known: &dyn Known) -> Vec<Offer> {
        if self.lost {
            return Vec::new();
        }
        if let Some(arg) = self.open {
            return self.values(arg, "", current, known);
        }
        let inline = current.strip_prefix("--").filter(|_| !self.plain).and_then(|long| long.split_once('='));
        if let Some((name, value)) = inline {
            let arg = self.long(name);
            return arg.map_or(Vec::new(), |arg| self.values(arg, &format!("--{name}="), value, known));
        }
        if current.starts_with('-') && !self.plain {
            let shown = self.at.get_arguments().filter(|arg| !arg.is_hide_set());
            let flags = shown.filter_map(|arg| Some((format!("--{}", arg.get_long()?), help_of(arg))));
            return begun(flags, "", current);
        }
        let subs = self.at.get_subcommands().filter(|sub| !sub.is_hide_set() && !self.plain);
        let subs =
            subs.map(|sub| (sub.get_name().to_owned(), sub.get_about().map(ToString::to_string).unwrap_or_default()));
        let mut offers = begun(subs, "", current);
        if let Some(arg) = self.next_positional() {
            offers.extend(self.values(arg, "", current, known));
        }
        offers
    }

    /// The values that an argument takes, with `prefix` before each.
    fn values(&self, arg: &Arg, prefix: &str, current: &str, known: &dyn Known) -> Vec<Offer> {
        let possible = arg.get_possible_values();
        if !possible.is_empty() {
            let values = possible.iter().filter(|value| !value.is_hide_set());
            let help =
                |value: &clap::builder::PossibleValue| value.get_help().map(ToString::to_string).unwrap_or_default();
            return begun(values.map(|value| (value.get_name().to_owned(), help(value))), prefix, current);
        }
        let (store, spec) = (self.store.as_deref(), self.spec.as_deref());
        let bare = |names: Vec<String>| names.into_iter().map(|name| (name, String::new()));
        match value_name(arg) {
            // A path begins so, and names no spec of the store.
            "SPEC" if current.starts_with(['/', '.', '~']) => vec![Offer::Directories],
            "SPEC" => begun(bare(known.specs(store)), prefix, current),
            "PROJECT" => begun(bare(known.projects(store)), prefix, current),
            "COMPONENT" => begun(known.components(store, spec), prefix, current),
            "IDS" => {
                // What stands before the last comma stays, and is not offered once more.
                let (done, rest) = current.rsplit_once(',').map_or(("", current), |(done, rest)| (done, rest));
                let kept = if done.is_empty() { prefix.to_owned() } else { format!("{prefix}{done},") };
                let components = known.components(store, spec);
                let left = components.into_iter().filter(|(id, _)| done.split(',').all(|taken| taken != id));
                begun(left, &kept, rest)
            }
            "NAME|PATH" => {
                let agents = [("sim", "the simulated one"), ("claude", "the real one")];
                begun(agents.map(|(name, what)| (name.to_owned(), what.to_owned())), prefix, current)
            }
            _ => match arg.get_value_hint() {
                ValueHint::DirPath => vec![Offer::Directories],
                ValueHint::FilePath | ValueHint::AnyPath | ValueHint::ExecutablePath => vec![Offer::Files],
                _ => Vec::new(),
            },
        }
    }
}

/// Those that begin as what is typed.
fn begun(words: impl IntoIterator<Item = (String, String)>, prefix: &str, current: &str) -> Vec<Offer> {
    let fitting = words.into_iter().filter(|(word, _)| word.starts_with(current));
    fitting.map(|(word, what)| Offer::Word(Candidate { word: format!("{prefix}{word}"), what })).collect()
}

fn value_name(arg: &Arg) -> &str {
    arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str())
}

fn help_of(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}
