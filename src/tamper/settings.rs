//! T402, T403: the settings of what checks, and the scripts that checks run. Of files that hold other things too only those
//! sections count.

mod sections;

use super::language::file_name;
use super::scripts::is_workflow;
use super::{Judge, Rule, Side};

/// How the settings of a file are compared.
#[derive(Debug, Clone, Copy)]
enum Extent {
    /// All that is no comment.
    Whole,
    /// Sections of TOML.
    Toml(fn(&[&str]) -> bool),
    /// Sections of an INI file.
    Ini,
    /// Keys of `package.json`.
    Package,
    /// What the type checker of TypeScript is told.
    Types,
    /// Lines that were there must stay; others may come.
    Additions,
}

/// Runs the rules.
pub(super) fn judge(judge: &mut Judge<'_>) {
    let sources = judge.sources;
    for (file, source) in sources.iter().enumerate() {
        let change = source.change;
        for (path, gone) in
            [(change.path.as_str(), change.new.is_none()), (change.old_path(), change.renamed_from.is_some())]
        {
            let named = judge.context.scripts.matches(path.as_ref());
            let protected = judge.context.protected.matches(path.as_ref());
            let extent = extent(path);
            if judge.was_given(path)
                || (extent.is_none() && !named && !protected)
                || (path == change.path && change.renamed_from.is_some() && gone)
            {
                continue;
            }
            let rule = if named { Rule::CheckScriptChanged } else { Rule::CheckSettingsChanged };
            let what = what_is(path, named, extent);
            if gone {
                judge.report(rule, file, Side::Old, 1, format!("{what} is gone"));
                break;
            }
            if path != change.path {
                continue;
            }
            if named && change.was_executable && !change.is_executable {
                judge.report(rule, file, Side::New, 1, format!("{what} can no longer be executed"));
            }
            let Some(new) = source.new.as_ref().map(|half| half.text) else {
                if named || protected {
                    judge.report(rule, file, Side::New, 1, format!("{what} changed"));
                }
                continue;
            };
            judge.work += new.len() as u64;
            let old = source.old.as_ref().map(|half| half.text);
            let extent = if protected { Extent::Whole } else { extent.unwrap_or(Extent::Whole) };
            let extent = if named && additive(path) { Extent::Additions } else { extent };
            // What stood elsewhere was not read there.
            let is_new = old.is_none() || (named && change.renamed_from.is_some());
            match old {
                _ if is_new
                    && named
                    && additive(path)
                    && (is_first(path) || !judge.context.write_set.matches(path.as_ref())) =>
                {
                    judge.report(rule, file, Side::New, 1, format!("{what} is new"));
                }
                // A new file of settings comes before those that are there; one that the component may write is its own.
                None if matches!(extent, Extent::Whole)
                    && !named
                    && !judge.context.write_set.matches(path.as_ref()) =>
                {
                    judge.report(rule, file, Side::New, 1, format!("{what} is new"));
                }
                None => {}
                Some(old) => {
                    let again =
                        || said_again(old, new).filter(|_| matches!(extent, Extent::Additions) && is_make(path));
                    if let Some((line, how)) = differs(extent, old, new).or_else(again) {
                        judge.report(rule, file, Side::New, line, format!("{what} changed{how}"));
                    }
                }
            }
        }
    }
}

/// Whether a file as a whole says how checks work.
pub(super) fn is_settings(path: &str) -> bool {
    // Where a disk does not tell upper from lower case, tools find the file all the same.
    matches!(extent(path).or_else(|| extent(&path.to_ascii_lowercase())), Some(Extent::Whole))
}

fn what_is(path: &str, named: bool, extent: Option<Extent>) -> String {
    let name = file_name(path);
    match extent {
        _ if named => format!("`{name}`, which a check runs,"),
        Some(_) => format!("`{name}`, which says how checks work,"),
        None => format!("`{name}`, which is protected,"),
    }
}

/// Files with many targets: a check runs some of them, and new ones do not change those.
fn additive(path: &str) -> bool {
    matches!(
        file_name(path),
        "Makefile"
            | "makefile"
            | "GNUmakefile"
            | "justfile"
            | "Justfile"
            | ".justfile"
            | "Taskfile.yml"
            | "Taskfile.yaml"
            | "package.json"
    )
}

fn is_make(path: &str) -> bool {
    is_first(path) || file_name(path) == "Makefile"
}

/// The first new line of a makefile that says anew what a target or a variable is, or how all commands run: make goes by
/// what it read last.
fn said_again(old: &str, new: &str) -> Option<(u32, String)> {
    const ALWAYS: [&str; 6] = ["SHELL", ".SHELLFLAGS", "MAKEFLAGS", ".IGNORE", ".ONESHELL", ".RECIPEPREFIX"];
    let mut before: Vec<&str> = old.lines().collect();
    before.sort_unstable();
    let mut known: Vec<&str> = old.lines().flat_map(heads).filter(|head| !head.starts_with('.')).collect();
    known.extend(ALWAYS);
    known.sort_unstable();
    new.lines().enumerate().filter(|(_, line)| before.binary_search(line).is_err()).find_map(|(at, line)| {
        let head = heads(line).find(|head| known.binary_search(head).is_ok())?;
        Some((at as u32 + 1, format!(": `{head}`")))
    })
}

/// The targets or the variable that a line of a makefile is about.
fn heads(line: &str) -> impl Iterator<Item = &str> {
    let is_about = !line.starts_with(['\t', '#']);
    let end = line.find([':', '=', '?', '+', '!']).filter(|_| is_about).unwrap_or(0);
    line[..end].split_whitespace().filter(|word| !matches!(*word, "export" | "override"))
}

/// Build files that are read instead of the one with the usual name.
fn is_first(path: &str) -> bool {
    matches!(file_name(path), "makefile" | "GNUmakefile")
}

/// What of a file is settings of checks.
fn extent(path: &str) -> Option<Extent> {
    let name = file_name(path);
    let starts = |heads: &[&str]| heads.iter().any(|head| name.starts_with(head));
    let whole = is_workflow(path)
        || path.contains(".husky/")
        || path.contains(".githooks/")
        || path.ends_with(".cargo/config.toml")
        || path.ends_with(".cargo/config")
        || path.ends_with(".config/nextest.toml")
        || starts(&[
            ".eslintrc",
            "eslint.config.",
            ".prettierrc",
            "prettier.config.",
            "jest.config.",
            "vitest.config.",
            "vitest.workspace.",
            "playwright.config.",
            "cypress.config.",
            "karma.conf.",
            ".mocharc",
            ".nycrc",
            ".c8rc",
            ".golangci.",
            "rust-toolchain",
            ".stylelintrc",
            ".jshintrc",
            "biome.json",
            ".babelrc.test",
            "lint-staged.config.",
            ".lintstagedrc",
            "phpunit.xml",
        ])
        || matches!(
            name,
            "clippy.toml"
                | ".clippy.toml"
                | "rustfmt.toml"
                | ".rustfmt.toml"
                | "deny.toml"
                | "tarpaulin.toml"
                | ".tarpaulin.toml"
                | "pytest.ini"
                | "tox.ini"
                | ".coveragerc"
                | "mypy.ini"
                | ".mypy.ini"
                | "ruff.toml"
                | ".ruff.toml"
                | ".flake8"
                | ".pylintrc"
                | "pylintrc"
                | "pyrightconfig.json"
                | ".bandit"
                | ".eslintignore"
                | ".prettierignore"
                | "tslint.json"
                | "staticcheck.conf"
                | "checkstyle.xml"
                | "pmd.xml"
                | "spotbugs-exclude.xml"
                | "detekt.yml"
                | "codecov.yml"
                | ".codecov.yml"
                | ".coveralls.yml"
                | "sonar-project.properties"
                | ".pre-commit-config.yaml"
                | "lefthook.yml"
                | ".gitattributes"
                | ".rubocop.yml"
                | ".rspec"
                | "junit-platform.properties"
                | ".testcoverage.yml"
                | ".swiftlint.yml"
                | "noxfile.py"
                | ".python-version"
                | ".nvmrc"
        );
    if whole {
        return Some(Extent::Whole);
    }
    match name {
        "Cargo.toml" => Some(Extent::Toml(is_cargo_check)),
        "pyproject.toml" => Some(Extent::Toml(is_python_check)),
        "setup.cfg" => Some(Extent::Ini),
        "package.json" => Some(Extent::Package),
        _ if name.starts_with("tsconfig") && name.ends_with(".json") => Some(Extent::Types),
        _ => None,
    }
}

/// `[lints]`, `[profile]`, and what makes a target run no tests.
fn is_cargo_check(path: &[&str]) -> bool {
    matches!(
        path,
        ["lints" | "profile" | "test", ..]
            | ["workspace", "lints", ..]
            | ["package", "autotests" | "autobenches"]
            | ["lib", "test" | "doctest" | "harness"]
    )
}

/// The sections of the tools that check.
fn is_python_check(path: &[&str]) -> bool {
    const TOOLS: [&str; 19] = [
        "ruff",
        "pytest",
        "coverage",
        "mypy",
        "pylint",
        "flake8",
        "black",
        "isort",
        "pyright",
        "basedpyright",
        "bandit",
        "tox",
        "nox",
        "poe",
        "taskipy",
        "pytest-ini-options",
        "vulture",
        "pydocstyle",
        "interrogate",
    ];
    matches!(path, ["tool", tool, ..] if TOOLS.contains(tool))
}

/// The first line that differs in what counts, and more of it in words.
fn differs(extent: Extent, old: &str, new: &str) -> Option<(u32, String)> {
    match extent {
        Extent::Whole => sections::lines(old, new).map(|line| (line, String::new())),
        Extent::Additions => sections::lost_lines(old, new).map(|line| (line, String::new())),
        Extent::Toml(counts) => sections::toml(old, new, counts).map(|(line, key)| (line, format!(": `{key}`"))),
        Extent::Ini => sections::ini(old, new).map(|(line, key)| (line, format!(": `{key}`"))),
        Extent::Package => sections::package(old, new).map(|(line, key)| (line, format!(": `{key}`"))),
        Extent::Types => sections::types(old, new).map(|(line, key)| (line, format!(": `{key}`"))),
    }
}
