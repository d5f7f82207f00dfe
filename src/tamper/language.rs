//! What a path says: the language of a file, and whether tests live in it.

use std::path::Path;

/// A family of languages with the same comments and strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Python,
    /// JavaScript and TypeScript.
    Script,
    Go,
    /// Java, and Kotlin, Groovy and Scala as far as they look like it.
    Java,
    /// Others with the comments of C: only their comments are understood.
    C,
    /// Others with `#` comments.
    Hash,
}

impl Language {
    /// The language of `path`, by its extension.
    pub fn of(path: &str) -> Option<Language> {
        let name = file_name(path);
        let Some((_, extension)) = name.rsplit_once('.') else {
            return matches!(name, "Makefile" | "Dockerfile" | "Rakefile" | "Gemfile" | "justfile")
                .then_some(Language::Hash);
        };
        Some(match extension {
            "rs" => Language::Rust,
            "py" | "pyi" => Language::Python,
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => Language::Script,
            "go" => Language::Go,
            "java" | "kt" | "kts" | "groovy" | "scala" => Language::Java,
            "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "cs" | "swift" | "php" | "dart" | "css" | "scss" | "less"
            | "m" | "proto" | "zig" => Language::C,
            "sh" | "bash" | "zsh" | "rb" | "pl" | "tf" | "ex" | "exs" | "mk" | "r" | "yml" | "yaml" => Language::Hash,
            _ => return None,
        })
    }

    /// Whether tests and assertions are understood.
    pub fn has_tests(self) -> bool {
        !matches!(self, Language::C | Language::Hash)
    }
}

/// The last part of `path`.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether `path` is where tests live by the customs of its language.
pub(super) fn is_test_path(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let below =
        |dir: &&str| matches!(*dir, "tests" | "test" | "__tests__" | "spec" | "specs" | "e2e" | "cypress" | "testdata");
    named_as_test(name) || parts.iter().any(below)
}

/// Whether a file's own name says that it holds tests: what runners collect by.
pub(super) fn named_as_test(name: &str) -> bool {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    match extension {
        "py" => stem.starts_with("test_") || stem.ends_with("_test") || matches!(stem, "conftest" | "tests" | "test"),
        "go" => stem.ends_with("_test"),
        "rs" => matches!(stem, "tests" | "test") || stem.ends_with("_test") || stem.ends_with("_tests"),
        "java" | "kt" | "scala" | "groovy" | "cs" | "swift" | "php" => {
            ["Test", "Tests", "IT", "Spec", "TestCase"].iter().any(|end| stem.ends_with(end))
                || stem.starts_with("Test")
        }
        "rb" | "exs" | "c" | "cc" | "cpp" | "dart" => {
            stem.ends_with("_test") || stem.ends_with("_spec") || stem.starts_with("test_")
        }
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => {
            [".test", ".spec", ".e2e", ".cy", "_test", "-test"].iter().any(|end| stem.ends_with(end))
        }
        _ => false,
    }
}

/// Whether a runner collects the tests of `path`. Python's and JavaScript's go by the name, or by a directory of their own.
pub(super) fn is_collected(path: &str, language: Language) -> bool {
    let name = file_name(path);
    match language {
        Language::Python => named_as_test(name) && name != "conftest.py",
        Language::Go => named_as_test(name),
        Language::Script => {
            named_as_test(name)
                || Path::new(path).parent().is_some_and(|dir| is_test_path(&format!("{}/x", dir.display())))
        }
        Language::Rust | Language::Java | Language::C | Language::Hash => true,
    }
}
