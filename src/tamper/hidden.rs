//! T601, T402: ignore files that newly hide what the component makes, or anything that is not the usual product of a build.

use std::collections::HashSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::language::file_name;
use super::{Judge, Rule, Side};

/// An ignore file with more new patterns than this is not read pattern by pattern.
const MOST: usize = 1024;

/// Runs the rule.
pub(super) fn judge(judge: &mut Judge<'_>) {
    let sources = judge.sources;
    let mut products: Vec<String> = judge.context.write_set.patterns().map(sample).collect();
    let ignores =
        |path: &str| matches!(file_name(path), ".gitignore" | ".ignore") || path.ends_with(".git/info/exclude");
    if !sources.iter().any(|source| ignores(&source.change.path)) {
        return;
    }
    // What the step itself deleted is not hidden.
    products
        .extend(sources.iter().filter(|source| source.change.new.is_some()).map(|source| source.change.path.clone()));
    for (file, source) in sources.iter().enumerate() {
        let path = &source.change.path;
        let Some(new) = source.new.as_ref().filter(|_| ignores(path)) else { continue };
        let dir = path.strip_suffix(file_name(path)).unwrap_or_default();
        let dir = if path.ends_with("info/exclude") { "" } else { dir };
        let old = source.old.as_ref().map_or("", |half| half.text);
        let was: HashSet<&str> = old.lines().map(str::trim).collect();
        let said = |line: &str| !line.is_empty() && !line.starts_with('#');
        let numbered = new.text.lines().enumerate().map(|(at, line)| (at as u32 + 1, line.trim()));
        let fresh: Vec<(u32, &str)> = numbered.filter(|(_, line)| said(line) && !was.contains(line)).collect();
        // A lost exception hides as well.
        let now: HashSet<&str> = new.text.lines().map(str::trim).collect();
        let lost = old.lines().map(str::trim).filter(|line| line.starts_with('!') && !now.contains(line));
        let fresh = fresh.into_iter().chain(lost.map(|line| (1, &line[1..])));
        let fresh: Vec<(u32, &str)> = fresh.filter(|(_, pattern)| !pattern.starts_with('!')).collect();
        if fresh.len() > MOST {
            let saw = "it has more new patterns than can be looked at".to_owned();
            judge.report(Rule::CheckSettingsChanged, file, Side::New, 1, saw);
            continue;
        }
        for (line, pattern) in fresh {
            let Some(glob) = compile(dir, pattern) else { continue };
            judge.work += products.len() as u64;
            if let Some(product) = products.iter().find(|product| *product != path && glob.is_match(product.as_str())) {
                let saw = format!("`{pattern}` hides `{product}`, which belongs to the component");
                judge.report(Rule::ProductHidden, file, Side::New, line, saw);
            } else if !judge.was_given(path) && !is_usual(pattern) {
                let saw = format!("`{pattern}` is newly ignored, and is no usual product of a build");
                judge.report(Rule::CheckSettingsChanged, file, Side::New, line, saw);
            }
        }
    }
}

/// A path that a pattern of the write set means.
fn sample(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| part.replace("**", "x").replace(['*', '?'], "x"));
    parts.collect::<Vec<_>>().join("/")
}

/// A line of an ignore file as a set of paths, as git reads it.
fn compile(dir: &str, pattern: &str) -> Option<GlobSet> {
    let name = pattern.trim_end_matches('/');
    let anchored = name.contains('/');
    let name = name.trim_start_matches('/');
    if name.is_empty() || name.len() > 1024 {
        return None;
    }
    let base = if anchored { format!("{dir}{name}") } else { format!("{dir}**/{name}") };
    let mut set = GlobSetBuilder::new();
    for text in [base.clone(), format!("{base}/**")] {
        set.add(GlobBuilder::new(&text).literal_separator(true).backslash_escape(true).build().ok()?);
    }
    set.build().ok()
}

/// What is ignored everywhere: products of builds, caches, settings of editors and of one's own machine.
fn is_usual(pattern: &str) -> bool {
    const NAMES: [&str; 44] = [
        "target",
        "node_modules",
        "dist",
        "build",
        "out",
        "bin",
        "obj",
        "coverage",
        ".coverage",
        "htmlcov",
        "__pycache__",
        ".venv",
        "venv",
        "env",
        ".env",
        ".idea",
        ".vscode",
        ".DS_Store",
        ".cache",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".tox",
        ".nox",
        ".gradle",
        ".next",
        ".nuxt",
        ".turbo",
        ".parcel-cache",
        "vendor",
        "tmp",
        "temp",
        "logs",
        "log",
        ".eggs",
        "Thumbs.db",
        ".direnv",
        "result",
        ".terraform",
        ".nyc_output",
        "mutants.out",
        ".classpath",
        ".project",
        ".settings",
    ];
    const ENDS: [&str; 20] = [
        ".log",
        ".pyc",
        ".pyo",
        ".class",
        ".o",
        ".so",
        ".dylib",
        ".dll",
        ".exe",
        ".swp",
        ".swo",
        "~",
        ".tmp",
        ".bak",
        ".egg-info",
        ".tsbuildinfo",
        ".local",
        ".pdb",
        ".rlib",
        ".profraw",
    ];
    let name = pattern
        .trim_end_matches("/*")
        .trim_end_matches("/**")
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(pattern);
    NAMES.contains(&name) || ENDS.iter().any(|end| name.ends_with(end)) || name.starts_with(".env")
}
