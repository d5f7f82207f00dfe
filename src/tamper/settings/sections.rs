//! Comparing files of settings: by the lines that say something, or by the values of sections.

use std::collections::BTreeMap;

use serde_json::Value;

/// The lines that say something, with their numbers.
fn said(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let numbered = text.lines().enumerate().map(|(at, line)| (at as u32 + 1, line.trim()));
    numbered.filter(|(_, line)| {
        !line.is_empty() && !["#", "//", ";", "*", "/*", "<!--"].iter().any(|mark| line.starts_with(mark))
    })
}

/// The first line of `new` that is not as in `old`.
pub(super) fn lines(old: &str, new: &str) -> Option<u32> {
    let mut before = said(old);
    for (number, line) in said(new) {
        if before.next().map(|(_, line)| line) != Some(line) {
            return Some(number);
        }
    }
    before.next().map(|_| said(new).last().map_or(1, |(number, _)| number))
}

/// The line of `new` after which the first line of `old` that is no longer there is missing.
pub(super) fn lost_lines(old: &str, new: &str) -> Option<u32> {
    // In JSON a comma comes to a line with the one behind it.
    let plain = |line: &str| line.trim_end_matches(',').to_owned();
    let mut after = said(new);
    let mut last = 1;
    for (_, line) in said(old) {
        let Some((number, _)) = after.find(|(_, other)| plain(other) == plain(line)) else { return Some(last) };
        last = number;
    }
    None
}

/// The first key, as a path, whose value differs; with the line where its last part stands in `new`.
fn first(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>, text: &str) -> Option<(u32, String)> {
    let keys = old.keys().chain(new.keys());
    let key = keys.filter(|key| old.get(*key) != new.get(*key)).min()?;
    let last = key.rsplit('.').next().unwrap_or(key);
    let line = text.lines().position(|line| line.contains(last)).map_or(1, |at| at as u32 + 1);
    Some((line, key.clone()))
}

/// The first value of TOML that differs among those whose path `counts`. What cannot be read counts as different.
pub(super) fn toml(old: &str, new: &str, counts: fn(&[&str]) -> bool) -> Option<(u32, String)> {
    let (Ok(old), Ok(after)) = (old.parse::<toml::Table>(), new.parse::<toml::Table>()) else {
        // Broken before and after in the same way is no change of settings; that the file is broken others will see.
        return lines(old, new).map(|line| (line, "not readable".to_owned()));
    };
    let read = |table: &toml::Table| {
        let mut values = BTreeMap::new();
        for (key, value) in table {
            flatten(&mut vec![key], value, counts, &mut values);
        }
        values
    };
    let (old, mut after) = (read(&old), read(&after));
    // One more target of tests takes nothing from those that are there.
    after.retain(|key, value| !key.starts_with("test.") || old.contains_key(key) || value.contains("harness"));
    first(&old, &after, new)
}

/// Deeper sections count as one value.
const DEEPEST: usize = 6;

fn flatten<'t>(
    path: &mut Vec<&'t str>,
    value: &'t toml::Value,
    counts: fn(&[&str]) -> bool,
    values: &mut BTreeMap<String, String>,
) {
    match value {
        toml::Value::Table(table) if path.len() < DEEPEST => {
            for (key, value) in table {
                path.push(key);
                flatten(path, value, counts, values);
                path.pop();
            }
        }
        toml::Value::Array(targets) if *path == ["test"] => {
            for target in targets {
                let name = target.get("name").map_or_else(|| target.to_string(), ToString::to_string);
                values.insert(format!("test.{name}"), target.to_string());
            }
        }
        value if counts(path) => {
            values.insert(path.join("."), value.to_string());
        }
        _ => {}
    }
}

/// The first key of an INI section of a tool that checks.
pub(super) fn ini(old: &str, new: &str) -> Option<(u32, String)> {
    let read = |text: &str| {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        let mut section = "";
        let mut key = String::new();
        for (_, line) in said(text) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name.trim();
                continue;
            }
            let tools = [
                "tool:pytest",
                "pytest",
                "flake8",
                "mypy",
                "coverage",
                "pylint",
                "isort",
                "tox",
                "pycodestyle",
                "pydocstyle",
            ];
            if !tools.iter().any(|tool| section.starts_with(tool)) {
                continue;
            }
            if let Some((name, _)) = line.split_once('=') {
                key = format!("{section}.{}", name.trim());
            }
            let value = values.entry(key.clone()).or_default();
            value.push_str(line);
            value.push('\n');
        }
        values
    };
    first(&read(old), &read(new), new)
}

/// The first key of `package.json` that says how checks run: the tools' own sections, and scripts that check and were there.
pub(super) fn package(old: &str, new: &str) -> Option<(u32, String)> {
    let (Ok(Value::Object(before)), Ok(Value::Object(after))) = (serde_json::from_str(old), serde_json::from_str(new))
    else {
        return lines(old, new).map(|line| (line, "not readable".to_owned()));
    };
    const TOOLS: [&str; 12] = [
        "jest",
        "eslintConfig",
        "nyc",
        "c8",
        "mocha",
        "ava",
        "vitest",
        "lint-staged",
        "husky",
        "eslintIgnore",
        "tap",
        "engines",
    ];
    let mut values = [BTreeMap::new(), BTreeMap::new()];
    for (values, object) in values.iter_mut().zip([&before, &after]) {
        for tool in TOOLS {
            values.extend(object.get(tool).map(|value| (tool.to_owned(), value.to_string())));
        }
        let scripts = object.get("scripts").and_then(Value::as_object).into_iter().flatten();
        let old = before.get("scripts").and_then(Value::as_object);
        // A script that is new changes no check that is there.
        let checks =
            scripts.filter(|(name, _)| is_check_script(name) && old.is_some_and(|old| old.contains_key(*name)));
        values.extend(checks.map(|(name, value)| (format!("scripts.{name}"), value.to_string())));
    }
    let [before, after] = values;
    first(&before, &after, new)
}

fn is_check_script(name: &str) -> bool {
    let parts = name.split([':', '-', '_']);
    let checks = [
        "test",
        "tests",
        "lint",
        "check",
        "typecheck",
        "coverage",
        "ci",
        "validate",
        "verify",
        "tsc",
        "types",
        "pretest",
        "posttest",
        "prepare",
        "prelint",
    ];
    parts.into_iter().any(|part| checks.contains(&part))
}

/// The first setting of TypeScript's checker that differs. The file may have comments and commas at the end of lists.
pub(super) fn types(old: &str, new: &str) -> Option<(u32, String)> {
    let read = |text: &str| serde_json::from_str::<Value>(&plain_json(text));
    let (Ok(before), Ok(after)) = (read(old), read(new)) else {
        return lines(old, new).map(|line| (line, "not readable".to_owned()));
    };
    let values = |value: &Value| {
        let mut values = BTreeMap::new();
        let options = value.get("compilerOptions").and_then(Value::as_object).into_iter().flatten();
        let checks = options.filter(|(key, _)| {
            key.starts_with("strict")
                || key.starts_with("no")
                || key.starts_with("allow")
                || key.starts_with("exact")
                || matches!(
                    key.as_str(),
                    "alwaysStrict" | "skipLibCheck" | "checkJs" | "isolatedModules" | "useUnknownInCatchVariables"
                )
        });
        // `noEmit` and its like say what is written, not what is checked.
        let checks =
            checks.filter(|(key, _)| !matches!(key.as_str(), "noEmit" | "noEmitHelpers" | "noLib" | "allowJs"));
        values.extend(checks.map(|(key, value)| (key.clone(), value.to_string())));
        for key in ["exclude", "extends"] {
            values.extend(value.get(key).map(|value| (key.to_owned(), value.to_string())));
        }
        values
    };
    first(&values(&before), &values(&after), new)
}

/// JSON without comments and without commas before a closing bracket.
fn plain_json(text: &str) -> String {
    let lexed = crate::tamper::lex::lex(text, crate::tamper::language::Language::C);
    let mut out = String::with_capacity(text.len());
    for at in 0..lexed.tokens.len() {
        if lexed.text(at) == "," && matches!(lexed.text(at + 1), "]" | "}") {
            continue;
        }
        out.push_str(lexed.text(at));
        out.push(' ');
    }
    out
}
