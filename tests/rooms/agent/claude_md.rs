//! The project's own instructions.

use std::fs;
use std::path::{Path, PathBuf};

use cco::agent::claude_md::collect;

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn collected(root: &Path, files: &[&str]) -> Option<String> {
    collect(root, &files.iter().map(PathBuf::from).collect::<Vec<_>>()).unwrap()
}

#[test]
fn of_the_root_and_on_the_way_to_the_files() {
    let dir = tree(&[
        ("CLAUDE.md", "root\n@docs/style.md\n"),
        ("docs/style.md", "style\n"),
        ("src/AGENTS.md", "src agents\n"),
        ("src/auth/CLAUDE.md", "auth\n"),
        ("src/auth/AGENTS.md", "not this one\n"),
        ("src/other/CLAUDE.md", "not on the way\n"),
    ]);
    insta::assert_snapshot!(collected(dir.path(), &["src/auth/login.rs"]).unwrap(), @r#"
    # CLAUDE.md

    root
    style

    # src/AGENTS.md

    src agents

    # src/auth/CLAUDE.md

    auth
    "#);
    assert_eq!(collected(tree(&[]).path(), &["a/b"]), None);
}

#[test]
fn imports_end_and_stay_inside() {
    let outside = tree(&[("secret.md", "secret\n")]);
    let secret = outside.path().join("secret.md");
    let dir = tree(&[
        (
            "CLAUDE.md",
            &format!("@a.md\n@{}\n@../x.md\n@missing.md\n@link.md\n```\n@a.md\n```\nmail me@a.md\n", secret.display()),
        ),
        ("a.md", "a\n@b.md\n"),
        ("b.md", "b\n@a.md\n"),
    ]);
    std::os::unix::fs::symlink(&secret, dir.path().join("link.md")).unwrap();
    let text = collected(dir.path(), &[]).unwrap();
    assert!(text.starts_with("# CLAUDE.md\n\na\nb\n@a.md\n@/"), "{text}");
    assert!(!text.contains("secret\n"), "{text}");
    assert!(text.ends_with("@../x.md\n@missing.md\n@link.md\n```\n@a.md\n```\nmail me@a.md\n"), "{text}");
}

#[test]
fn imports_nest_to_a_depth() {
    let names: Vec<(String, String)> =
        (0..10).map(|n| (format!("{n}.md"), format!("level {n}\n@{}.md\n", n + 1))).collect();
    let mut files: Vec<(&str, &str)> = names.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.push(("CLAUDE.md", "@0.md\n"));
    let dir = tree(&files);
    let text = collected(dir.path(), &[]).unwrap();
    assert!(text.contains("level 4\n@5.md") && !text.contains("level 5"), "{text}");
}

#[test]
fn files_that_are_not_below_the_root_lead_nowhere() {
    let dir = tree(&[("CLAUDE.md", "root\n")]);
    assert_eq!(collected(dir.path(), &["../x/y", "/etc/passwd"]).unwrap(), "# CLAUDE.md\n\nroot\n");
}
