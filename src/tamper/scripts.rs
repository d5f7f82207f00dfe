//! T401: scripts, workflows and build files in which the failure of a check no longer counts.

use std::collections::HashMap;

use super::language::file_name;
use super::{Judge, Rule, Side};

/// Runs the rule.
pub(super) fn judge(judge: &mut Judge<'_>) {
    let sources = judge.sources;
    let mut left: HashMap<String, usize> = HashMap::new();
    let mut fresh = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        let named = judge.context.scripts.matches(source.change.path.as_ref());
        let of = |path: &str, half: &Option<super::source::Half<'_>>| match half {
            Some(half) if named || is_script(path, half.text) => switches(path, half.text, named),
            _ => Vec::new(),
        };
        let (old, new) = (of(source.change.old_path(), &source.old), of(&source.change.path, &source.new));
        judge.work += (old.len() + new.len()) as u64;
        for (_, _, key) in old {
            *left.entry(key).or_default() += 1;
        }
        fresh.extend(new.into_iter().map(|switch| (file, switch)));
    }
    for (file, (line, what, key)) in fresh {
        if let Some(count) = left.get_mut(&key).filter(|count| **count > 0) {
            *count -= 1;
            continue;
        }
        let saw = format!("`{what}`: the failure of a check does not count here");
        judge.report(Rule::CheckDisabled, file, Side::New, line, saw);
    }
}

/// Whether a file holds commands.
fn is_script(path: &str, text: &str) -> bool {
    let name = file_name(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let workflow = is_workflow(path);
    let build = matches!(
        name,
        "Makefile"
            | "makefile"
            | "GNUmakefile"
            | "justfile"
            | "Justfile"
            | ".justfile"
            | "package.json"
            | "tox.ini"
            | "noxfile.py"
            | "Taskfile.yml"
            | "Taskfile.yaml"
            | "pom.xml"
            | "build.gradle"
            | "build.gradle.kts"
            | "Rakefile"
            | "lefthook.yml"
            | ".pre-commit-config.yaml"
            | "Dockerfile"
            | "Jenkinsfile"
            | "deno.json"
            | "composer.json"
            | "pyproject.toml"
            | "settings.gradle"
    );
    let hook = path.starts_with(".husky/") || path.starts_with(".githooks/") || path.contains("/hooks/");
    workflow
        || build
        || hook
        || matches!(extension, "sh" | "bash" | "zsh" | "mk" | "just" | "ps1" | "bat" | "cmd")
        || (text.starts_with("#!") && text.lines().next().is_some_and(|line| line.ends_with("sh")))
}

/// Whether a path is where CI looks for what to run.
pub(super) fn is_workflow(path: &str) -> bool {
    let name = file_name(path);
    path.contains(".github/workflows/")
        || path.contains(".github/actions/")
        || path.starts_with(".circleci/")
        || path.starts_with(".buildkite/")
        || matches!(
            name,
            ".gitlab-ci.yml"
                | "azure-pipelines.yml"
                | ".travis.yml"
                | "Jenkinsfile"
                | "bitbucket-pipelines.yml"
                | ".drone.yml"
                | "cloudbuild.yaml"
                | "appveyor.yml"
        )
}

/// Texts that switch a check off wherever they stand in a command or setting.
const SWITCHES: [&str; 30] = [
    "--no-verify",
    "--passwithnotests",
    "-dskiptests",
    "-dmaven.test.skip",
    "-dmaven.test.failure.ignore",
    "<skiptests>true",
    "<testfailureignore>true",
    "<skip>true",
    "ignorefailures = true",
    "ignorefailures.set(true)",
    "continue-on-error: true",
    "continueonerror: true",
    "allow_failure: true",
    "--exit-zero",
    "--no-fail-on",
    "--cap-lints allow",
    "--cap-lints=allow",
    "-a warnings",
    "-awarnings",
    "--assume-unchanged",
    "--skip-worktree",
    "core.hookspath",
    "husky=0",
    "skip_tests=1",
    "skip_tests=true",
    "-x test",
    "--exclude-task test",
    "--deselect",
    "--testpathignorepatterns",
    "--collect-only",
];

/// What must be known of a whole script to judge one of its lines.
struct Script {
    kind: Shape,
    /// Whether a failing command ends it.
    strict: bool,
    /// The last line that makes a failing command end it.
    resumed: Option<usize>,
    /// Whether it runs anything that checks.
    checks: bool,
    /// Its last line that says anything.
    last: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Shell,
    Make,
    Workflow,
    /// Commands within another format.
    Other,
}

impl Script {
    fn read(path: &str, text: &str, named: bool) -> Self {
        let name = file_name(path);
        let kind = match name.rsplit_once('.').map(|(_, extension)| extension) {
            _ if is_workflow(path) => Shape::Workflow,
            _ if matches!(name, "Makefile" | "makefile" | "GNUmakefile") => Shape::Make,
            Some("mk") => Shape::Make,
            Some("json" | "xml" | "gradle" | "kts" | "toml" | "yml" | "yaml" | "ini" | "py") => Shape::Other,
            _ => Shape::Shell,
        };
        let mut script = Script { kind, strict: false, resumed: None, checks: named, last: None };
        for (at, line) in text.lines().enumerate() {
            let command = bare(line).trim();
            if command.is_empty() {
                continue;
            }
            script.last = Some(at);
            if command
                .strip_prefix("set -")
                .is_some_and(|flags| flags.split(' ').next().is_some_and(|f| f.contains('e')))
            {
                script.strict = true;
                script.resumed = Some(at);
            }
            script.checks |= is_check(command);
        }
        script
    }
}

/// The switches of a file: line, what it is, and a key that tells equal ones.
fn switches(path: &str, text: &str, named: bool) -> Vec<(u32, String, String)> {
    let script = Script::read(path, text, named);
    let mut found = Vec::new();
    let mut depth = 0_i32;
    for (at, line) in text.lines().enumerate() {
        let command = bare(line).trim();
        if command.is_empty() {
            continue;
        }
        let lower = command.to_ascii_lowercase();
        let mut add = |what: &str| found.push((at as u32 + 1, what.to_owned(), format!("{what}\0{command}")));
        SWITCHES.iter().filter(|switch| has(&lower, switch)).for_each(|switch| add(switch));
        forgiven(command, named).into_iter().for_each(&mut add);
        match script.kind {
            Shape::Workflow if matches!(command, "if: false" | "if: ${{ false }}" | "when: never") => add(command),
            Shape::Make => ignored(line, command).into_iter().for_each(&mut add),
            Shape::Shell => {
                alone(&script, at, command, depth).into_iter().for_each(&mut add);
                depth += nesting(command);
            }
            Shape::Workflow | Shape::Other => {}
        }
    }
    found
}

/// Whether `line` has `switch` as a word of its own.
fn has(line: &str, switch: &str) -> bool {
    line.find(switch).is_some_and(|at| {
        let behind = line[at + switch.len()..].chars().next();
        behind.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
    })
}

/// A line without its comment.
fn bare(line: &str) -> &str {
    let mut quote = None;
    let bytes = line.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(*byte),
            (b'"' | b'\'', Some(open)) if open == *byte => quote = None,
            (b'#', None) if at == 0 || bytes[at - 1].is_ascii_whitespace() => return &line[..at],
            _ => {}
        }
    }
    line
}

/// Commands whose failure means nothing: what is to be away may be away already.
const HARMLESS: [&str; 24] = [
    "rm", "rmdir", "kill", "pkill", "killall", "umount", "mkdir", "grep", "command", "which", "echo", "printf", "trap",
    "stty", "read", "wait", "docker", "podman", "git", "cat", "ls", "cp", "mv", "true",
];

/// Words of commands that check something.
const CHECKS: [&str; 52] = [
    "test",
    "tests",
    "pytest",
    "unittest",
    "clippy",
    "lint",
    "eslint",
    "tsc",
    "typecheck",
    "mypy",
    "pyright",
    "ruff",
    "check",
    "checks",
    "verify",
    "validate",
    "jest",
    "vitest",
    "mocha",
    "cargo",
    "go",
    "npm",
    "yarn",
    "pnpm",
    "npx",
    "bun",
    "deno",
    "mvn",
    "mvnw",
    "gradle",
    "gradlew",
    "make",
    "tox",
    "nox",
    "coverage",
    "cov",
    "audit",
    "fmt",
    "black",
    "flake8",
    "pylint",
    "prettier",
    "golangci-lint",
    "staticcheck",
    "phpunit",
    "rspec",
    "dotnet",
    "ctest",
    "bazel",
    "just",
    "playwright",
    "bandit",
];

fn is_check(command: &str) -> bool {
    let mut words = command.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
    words.any(|word| CHECKS.contains(&word))
}

/// A check whose failure is turned into success on the same line.
fn forgiven(command: &str, named: bool) -> Option<&'static str> {
    const ENDINGS: [(&str, &str); 8] = [
        ("|| true", "|| true"),
        ("||true", "|| true"),
        ("|| :", "|| :"),
        ("|| exit 0", "|| exit 0"),
        ("|| /bin/true", "|| true"),
        ("|| echo", "|| echo"),
        ("; exit 0", "; exit 0"),
        ("; true", "; true"),
    ];
    let (at, what) = ENDINGS.iter().find_map(|(ending, what)| Some((command.find(ending)?, *what)))?;
    // Of what is joined to it only the last command is forgiven.
    let guarded = command[..at].rsplit(['&', ';']).next().unwrap_or_default().trim();
    let words = guarded.split_whitespace().map(|word| word.trim_start_matches(['-', '@', '"', '(', '!', '$']));
    let mut words = words;
    let first = words.find(|word| {
        !word.is_empty() && !word.contains('=') && !matches!(*word, "sudo" | "run:" | "if" | "then" | "do")
    });
    let harmless = first.is_some_and(|word| HARMLESS.contains(&word)) || guarded.contains("clean");
    // Behind a line that continues there is nothing to see of what is forgiven.
    let checks = guarded.is_empty() || is_check(guarded) || (named && what != "|| echo");
    (!harmless && checks).then_some(what)
}

/// What makes `make` go on after a failure.
fn ignored(line: &str, command: &str) -> Option<&'static str> {
    let recipe = command.trim_start_matches(['@', '+']);
    let dash = line.starts_with('\t')
        && recipe.starts_with('-')
        && is_check(recipe)
        && forgiven(&format!("{} || true", &recipe[1..]), true).is_some();
    let whole = command.starts_with(".IGNORE")
        || (command.starts_with("SHELL") && command.contains("true"))
        || (command.starts_with("MAKEFLAGS") && (command.contains("-i") || command.contains("ignore-errors")));
    (dash || whole).then_some(if dash { "-" } else { "ignored failures" })
}

/// A command of its own that lets failures pass.
fn alone(script: &Script, at: usize, command: &str, depth: i32) -> Option<&'static str> {
    if !script.checks {
        return None;
    }
    let off = command == "set +e" || command.starts_with("set +e ") || command == "set +o errexit";
    if off && script.resumed.is_none_or(|resumed| resumed < at) {
        return Some("set +e");
    }
    // It hides how the command before it ended, or keeps those behind it from running. At the end of a strict script it does neither.
    let harmless = script.strict && script.last == Some(at);
    (command == "exit 0" && depth <= 0 && !harmless).then_some("exit 0")
}

/// How much deeper the lines after this one are nested.
fn nesting(command: &str) -> i32 {
    let words = command.split(|c: char| c.is_whitespace() || c == ';');
    words
        .map(|word| match word {
            "if" | "case" | "for" | "while" | "until" | "{" => 1,
            "fi" | "esac" | "done" | "}" => -1,
            _ => 0,
        })
        .sum()
}
