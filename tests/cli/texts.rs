//! What `cco install` installs speaks of cco as it is: no command is left out, and none is made up.

use std::collections::BTreeSet;

use cco::cli::commands::install::texts;
use cco::cli::help;

use crate::env::TestEnv;

/// The command lines of a text: in backticks, or lines of a block, that begin with `cco` and go on with a command.
fn command_lines(text: &str) -> BTreeSet<String> {
    let spans = text.split('`').skip(1).step_by(2).map(str::to_owned);
    let lines = text.lines().map(str::to_owned);
    let is_command = |line: &String| {
        let next = line.strip_prefix("cco ").and_then(|rest| rest.chars().next());
        next.is_some_and(|next| next.is_ascii_lowercase()) && !line.contains("`,")
    };
    spans
        .chain(lines)
        .map(|line| line.split(" <<").next().unwrap_or_default().trim().to_owned())
        .filter(is_command)
        .collect()
}

/// Splits as a shell would, as far as the texts need it: quotes, no escapes.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    let words = quoted.flat_map(|(n, part)| match n % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

fn commands() -> BTreeSet<String> {
    let command = help::command();
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(|sub| sub.get_name().to_owned()).collect()
}

fn skill() -> &'static str {
    texts().into_iter().find(|(path, _)| path.ends_with("SKILL.md")).unwrap().1
}

#[test]
fn every_command_line_is_one_that_cco_takes() {
    for (path, text) in texts() {
        let lines = command_lines(text);
        assert!(lines.len() >= 6, "{path}: {lines:?}");
        for line in lines {
            let words = words(&line);
            if let Err(error) = help::command().try_get_matches_from(words) {
                panic!("{path}: `{line}`: {error}");
            }
        }
    }
}

#[test]
fn the_skill_names_every_command() {
    let named: BTreeSet<String> = command_lines(skill()).iter().map(|line| words(line)[1].clone()).collect();
    let missing: Vec<String> = commands().into_iter().filter(|name| !named.contains(name)).collect();
    assert!(missing.is_empty(), "the skill does not speak of: {missing:?}");
}

/// What may run without asking is written out, and starts nothing that costs money.
#[test]
fn the_front_matter_allows_what_the_text_needs_and_no_more() {
    for (path, text) in texts() {
        let front = text.strip_prefix("---\n").and_then(|text| text.split_once("\n---\n")).unwrap().0;
        assert!(front.lines().any(|line| line.starts_with("description: ")), "{path}: {front}");
        // A value with `: ` in it is no plain text for YAML.
        assert!(
            front.lines().filter(|line| !line.contains('"')).all(|line| line.matches(": ").count() == 1),
            "{front}"
        );
        let allowed = front.lines().find_map(|line| line.strip_prefix("allowed-tools: "));
        let rules: Vec<&str> = allowed.map(|rules| rules.split(", ").collect()).unwrap_or_default();
        for rule in rules.iter().filter_map(|rule| rule.strip_prefix("Bash(cco ")) {
            let name = rule.strip_suffix(":*)").unwrap();
            assert!(commands().contains(name), "{path}: {name}");
            assert!(["list", "new", "status", "validate", "brainstorm"].contains(&name), "{path} allows `{name}`");
        }
        let expected = if path.ends_with("spec.md") { 8 } else { 0 };
        assert_eq!(rules.len(), expected, "{path}: {rules:?}");
    }
}

/// Claude Code puts things in the place of these, wherever they stand.
#[test]
fn nothing_in_the_command_is_expanded_but_its_arguments() {
    for (path, text) in texts() {
        let expected = usize::from(path.ends_with("spec.md"));
        assert_eq!(text.matches("$ARGUMENTS").count(), expected, "{path}");
        assert_eq!(text.matches('$').count(), expected, "{path}");
        assert!(!text.contains("!`") && !text.contains('@'), "{path}");
    }
}

/// Each row of the table of questions: what it asks is run on a spec, and what it says to read is in the answer.
#[test]
fn what_the_skill_says_to_read_is_there() {
    let env = TestEnv::new();
    env.small_spec("p/small-00000001");
    let rows: Vec<Vec<&str>> =
        skill().lines().filter(|line| line.starts_with("| ")).map(|line| line.split(" | ").collect()).collect();
    let spans = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mut read = 0;
    for row in rows.iter().filter(|row| row.len() == 3 && row[1].contains("--json")) {
        let line = spans(row[1]).remove(0).replace("SPEC", "p/small");
        let answer = env.cco(words(&line).split_off(1));
        let document = answer.json();
        let mut is_empty = false;
        for field in spans(row[2]) {
            let name = field.trim_end_matches("[]");
            if document.to_string().contains(&format!("\"{name}\":")) {
                is_empty |= field.ends_with("[]") && document[name].as_array().is_some_and(Vec::is_empty);
                read += 1;
            } else {
                // What belongs to the items of a list that is empty cannot be looked at.
                assert!(is_empty, "`{line}` has no `{name}`: {answer}");
            }
        }
    }
    assert!(read > 15, "{read}");
}
