//! Paths in prose.

/// A path, as prose names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub path: String,
    /// Whether it can hardly be anything else: a directory and a file with a known ending.
    pub sure: bool,
}

/// Endings of files that people write.
const ENDINGS: [&str; 78] = [
    "rs",
    "py",
    "pyi",
    "js",
    "jsx",
    "ts",
    "tsx",
    "mjs",
    "cjs",
    "go",
    "java",
    "kt",
    "kts",
    "swift",
    "rb",
    "php",
    "c",
    "h",
    "cc",
    "cpp",
    "hpp",
    "m",
    "cs",
    "fs",
    "scala",
    "ex",
    "exs",
    "erl",
    "hs",
    "ml",
    "lua",
    "sh",
    "bash",
    "zsh",
    "fish",
    "ps1",
    "sql",
    "md",
    "mdx",
    "rst",
    "txt",
    "adoc",
    "html",
    "htm",
    "css",
    "scss",
    "sass",
    "less",
    "vue",
    "svelte",
    "json",
    "jsonc",
    "yaml",
    "yml",
    "toml",
    "ini",
    "cfg",
    "conf",
    "xml",
    "proto",
    "graphql",
    "gql",
    "prisma",
    "tf",
    "env",
    "example",
    "lock",
    "gradle",
    "properties",
    "dart",
    "zig",
    "sol",
    "ipynb",
    "csv",
    "svg",
    "template",
    "snap",
    "service",
];

/// Files without an ending.
const BARE_NAMES: [&str; 8] =
    ["Makefile", "Dockerfile", "Justfile", "justfile", "Gemfile", "Rakefile", "Procfile", ".gitignore"];

/// Words that end like files and are names of software.
const SOFTWARE: [&str; 26] = [
    "node", "next", "nuxt", "vue", "express", "react", "three", "d3", "chart", "ember", "backbone", "discord",
    "socket", "alpine", "angular", "nest", "moment", "day", "p5", "video", "solid", "asp", "web3", "ethers", "zod",
    "deno",
];

/// The paths that `text` names, each once, in its order.
pub(super) fn mentions(text: &str) -> Vec<Mention> {
    let mut found: Vec<Mention> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for word in text
        .split(|c: char| c.is_whitespace() || matches!(c, '`' | ',' | ';' | '(' | ')' | '"' | '\'' | '<' | '>' | '|'))
    {
        if let Some(mention) = mention(word)
            && seen.insert(mention.path.clone())
        {
            found.push(mention);
        }
    }
    found
}

fn mention(word: &str) -> Option<Mention> {
    let word = trimmed(word);
    if word.is_empty() || word.len() > 512 || word.contains("://") || word.starts_with(['@', '-', '$', '~', '#', '=']) {
        return None;
    }
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '/' | '-' | '+' | '@' | '[' | ']' | '*');
    if !word.chars().all(legal) {
        return None;
    }
    let path = word.strip_prefix("./").unwrap_or(word);
    let (directory, name) = match path.rsplit_once('/') {
        Some((directory, name)) => (Some(directory), name),
        None => (None, path),
    };
    let first = path.split('/').next().unwrap_or_default();
    if is_software(first) || is_host(first) {
        return None;
    }
    let known = BARE_NAMES.contains(&name) || has_known_ending(name);
    let is_path = match directory {
        // `src/api/` is a directory, `and/` is none; `/` alone neither.
        Some(directory) if name.is_empty() => directory.contains(|c: char| c.is_alphanumeric()),
        Some(_) => known || has_ending(name) || name.contains('*'),
        None => known,
    };
    let sure = known && directory.is_some_and(|directory| !directory.is_empty());
    is_path.then(|| Mention { path: path.to_owned(), sure })
}

/// The word without punctuation, marks, and the number of a line behind it.
fn trimmed(word: &str) -> &str {
    let word = word.trim_matches(['!', '?', ':', '=']);
    let word = word.strip_prefix("**").and_then(|word| word.strip_suffix("**")).unwrap_or(word);
    let word = word.split(':').next().unwrap_or_default().trim_end_matches(['.', '!', '?', '…']);
    // A bracket that is only opened or only closed belongs to the sentence.
    match (word.matches('[').count(), word.matches(']').count()) {
        (open, closed) if open == closed => word,
        _ => word.trim_matches(['[', ']']),
    }
}

fn has_known_ending(name: &str) -> bool {
    ending(name).is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Whether a name has any ending: a few letters, not a version.
fn has_ending(name: &str) -> bool {
    let is_ending = |ending: &str| {
        (1..=8).contains(&ending.len())
            && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && ending.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    ending(name).is_some_and(is_ending) && !name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn ending(name: &str) -> Option<&str> {
    let (stem, ending) = name.rsplit_once('.')?;
    (stem.contains(|c: char| c.is_alphanumeric() || c == '*') || name.starts_with('.')).then_some(ending)
}

fn is_software(word: &str) -> bool {
    let stem = word.strip_suffix(".js").or_else(|| word.strip_suffix(".JS"));
    let stem = stem.or_else(|| word.strip_suffix(".io")).map(str::to_lowercase);
    stem.is_some_and(|stem| {
        SOFTWARE.contains(&stem.as_str()) || (word.starts_with(char::is_uppercase) && stem.len() < 8)
    })
}

fn is_host(word: &str) -> bool {
    [".com", ".org", ".io", ".net", ".dev"].iter().any(|end| word.ends_with(end)) || word == "localhost"
}
