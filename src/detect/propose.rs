//! Of all that was found, the few commands that go into a manifest.

use super::{Detected, Found};

/// The commands that a new manifest begins with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The linter.
    pub lint: Option<Command>,
    /// The tests.
    pub test: Option<Command>,
    /// What makes a fresh copy ready.
    pub setup: Vec<Command>,
    /// Programs beside the first of a command that agents need to run to see what the checks see.
    pub programs: Vec<String>,
}

/// A command and the directory that it runs in: empty for the work directory itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What the shell is given.
    pub run: String,
    /// Where.
    pub dir: String,
}

impl Command {
    /// The same as a line for the work directory itself.
    pub fn line(&self) -> String {
        if self.dir.is_empty() { self.run.clone() } else { format!("(cd {} && {})", self.dir, self.run) }
    }
}

impl Detected {
    /// What goes into the manifest. Where the author named a command for the whole, that stands for those of the languages.
    pub fn proposal(&self) -> Proposal {
        let lint = self.chosen(|found| found.lint.as_ref());
        let test = self.chosen(|found| found.test.as_ref());
        let setup = self.each(|found| found.setup.as_ref());
        let parts = lint.iter().chain(&test).flat_map(|command| command.run.split(" && "));
        let firsts: Vec<&str> =
            [&lint, &test].into_iter().flatten().filter_map(|command| first_word(&command.run)).collect();
        let mut programs: Vec<String> = parts
            .map(|part| part.trim_start_matches('(').trim_end_matches(')'))
            .filter_map(first_word)
            .filter(|word| *word != "cd" && !firsts.contains(word))
            .map(str::to_owned)
            .collect();
        programs.sort_unstable();
        programs.dedup();
        Proposal { lint, test, setup, programs }
    }

    fn chosen(&self, get: impl Fn(&Found) -> Option<&String>) -> Option<Command> {
        let runner = self.found.iter().find(|found| found.kind.is_runner() && get(found).is_some());
        if let Some(runner) = runner {
            return command(runner, &get);
        }
        let mut all = self.each(get);
        if all.len() <= 1 {
            return all.pop();
        }
        let lines: Vec<String> = all.iter().map(Command::line).collect();
        Some(Command { run: lines.join(" && "), dir: String::new() })
    }

    fn each(&self, get: impl Fn(&Found) -> Option<&String>) -> Vec<Command> {
        self.found.iter().filter_map(|found| command(found, &get)).collect()
    }
}

fn command(found: &Found, get: impl Fn(&Found) -> Option<&String>) -> Option<Command> {
    Some(Command { run: get(found)?.clone(), dir: found.dir.clone() })
}

fn first_word(command: &str) -> Option<&str> {
    command.split_whitespace().next()
}
