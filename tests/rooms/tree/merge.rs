//! Merging into a component's worktree: every outcome is a commit, also with conflicts, also after a crash.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cco::tree::{Merged, TreeError, Worktree};

use super::world::{hostile, sh_git, snapshot, write};
use super::yard::{Yard, assert_exact, commit, merge, on};

/// `auth` and the branch each with a commit of their own; gives auth's worktree, its commit, and the branch's.
fn apart(yard: &Yard, ours: impl FnOnce(&Path), theirs: impl FnOnce(&Path)) -> (Worktree, String, String) {
    let other = yard.set_up("other");
    theirs(&yard.root("other"));
    let work = commit(&other, "other");
    let base = yard.repository.base();
    let tip = yard.repository.land(&yard.repository.tree_of(&work).unwrap(), base, "other's").unwrap().unwrap();
    let worktree = yard.repository.set_up(&on("auth"), base).unwrap();
    ours(&yard.root("auth"));
    let work = commit(&worktree, "auth");
    (worktree, work, tip)
}

fn parents(yard: &Yard, commit: &str) -> Vec<String> {
    sh_git(&yard.repo, &["log", "-1", "--format=%P", commit]).split(' ').map(str::to_owned).collect()
}

#[test]
fn what_does_not_conflict_goes_together() {
    let yard = Yard::new("w", &[("w/a", "a"), ("b", "b"), ("w/gone", "g")]);
    let (worktree, work, tip) = apart(
        &yard,
        |root| write(&root.join("w/a"), "ours"),
        |root| {
            write(&root.join("b"), "theirs");
            fs::remove_file(root.join("w/gone")).unwrap();
        },
    );
    let root = yard.root("auth");
    write(&root.join("untracked"), "u");
    let Merged::Clean { commit: made } = merge(&worktree, "auth", &tip).unwrap() else { panic!("clean") };
    assert_exact(&root, &made);
    assert_eq!(parents(&yard, &made), [work, tip.clone()]);
    assert_eq!(fs::read_to_string(root.join("w/a")).unwrap(), "ours");
    assert_eq!(fs::read_to_string(root.join("b")).unwrap(), "theirs");
    assert!(!root.join("w/gone").exists() && root.join("untracked").exists());
    let message = sh_git(&root, &["log", "-1", "--format=%B"]);
    let expected = format!("auth merge: cco/spec\n\nCco-Spec: p/s\nCco-Component: auth\nCco-Merged: {tip}");
    assert_eq!(message, expected);
    // The record of it may be lost.
    assert_eq!(merge(&worktree, "auth", &tip).unwrap(), Merged::Clean { commit: made });
    write(&root.join("b"), "further");
    commit(&worktree, "auth");
    assert_eq!(merge(&worktree, "auth", &tip).unwrap(), Merged::UpToDate);
    assert_eq!(merge(&worktree, "auth", yard.repository.base()).unwrap(), Merged::UpToDate);
}

#[test]
fn a_conflict_is_a_commit_that_is_resolved_by_another() {
    let yard = Yard::new("w", &[("w/a", "1\n2\n3\n"), ("b", "b\n"), ("w/gone", "g\n"), ("w/bin", "\0x"), ("l", "x")]);
    let (worktree, work, tip) = apart(
        &yard,
        |root| {
            write(&root.join("w/a"), "1\nours\n3\n");
            write(&root.join("b"), "ours\n");
            write(&root.join("w/gone"), "changed\n");
            write(&root.join("w/bin"), "\0ours");
            write(&root.join("fine"), "ours");
        },
        |root| {
            write(&root.join("w/a"), "1\ntheirs\n3\n");
            write(&root.join("b"), "theirs\n");
            fs::remove_file(root.join("w/gone")).unwrap();
            write(&root.join("w/bin"), "\0theirs");
            write(&root.join("w/also fine"), "theirs");
        },
    );
    // The user's own taste does not change what is written.
    let config = yard.repo.join(".git/config");
    let before = fs::read(&config).unwrap();
    sh_git(&yard.repo, &["config", "merge.conflictStyle", "diff3"]);
    let said = merge(&worktree, "auth", &tip).unwrap();
    let Merged::Conflicts { commit: made, files } = said.clone() else { panic!("{said:?}") };
    assert_eq!(files, ["../b", "a", "bin", "gone"].map(PathBuf::from));
    assert_eq!(merge(&worktree, "auth", &tip).unwrap(), said, "again, when its record was lost");
    fs::write(config, before).unwrap();
    let root = yard.root("auth");
    assert_exact(&root, &made);
    assert_eq!(parents(&yard, &made), [work, tip.clone()]);
    let text = fs::read_to_string(root.join("w/a")).unwrap();
    assert!(text.starts_with("1\n<<<<<<< ") && text.contains("\nours\n=======\ntheirs\n>>>>>>> "), "{text}");
    assert!(root.join("fine").exists() && root.join("w/also fine").exists());
    assert_eq!(worktree.marked(&files).unwrap(), ["../b", "a"].map(PathBuf::from));
    write(&root.join("b"), "both\n");
    assert_eq!(worktree.marked(&files).unwrap(), [PathBuf::from("a")]);
    write(&root.join("w/a"), "1\nboth\n3\n");
    assert_eq!(worktree.marked(&files).unwrap(), Vec::<PathBuf>::new());
    let resolved = commit(&worktree, "auth");
    assert_eq!(merge(&worktree, "auth", &tip).unwrap(), Merged::UpToDate);
    assert!(yard.repository.is_ancestor(&tip, &resolved).unwrap());
}

#[test]
fn only_markers_in_their_order_count() {
    let yard = Yard::new("", &[]);
    let worktree = yard.set_up("auth");
    let root = yard.root("auth");
    let cases = [
        ("<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n", true),
        ("x\r\n<<<<<<< a\r\n=======\r\n>>>>>>> b\r\n", true),
        ("<<<<<<<<<< a\n==========\n>>>>>>>>>> b", true),
        ("<<<<<<< a\n||||||| c\n=======\n>>>>>>> b", true),
        ("<<<<<<< a\n======= x\n>>>>>>> b\n", false),
        ("Title\n=======\n", false),
        (">>>>>>> b\n=======\n<<<<<<< a\n", false),
        ("<<<<<<< a\n>>>>>>> b\n", false),
        (" <<<<<<< a\n =======\n >>>>>>> b\n", false),
        ("<<<<<<<\n=======\n>>>>>>>\n", false),
        ("", false),
    ];
    for (contents, is_marked) in cases {
        write(&root.join("f"), contents);
        let marked = worktree.marked(&["f".into(), "missing".into()]).unwrap();
        assert_eq!(!marked.is_empty(), is_marked, "{contents:?}");
    }
    write(&root.join("f"), cases[0].0);
    symlink("f", root.join("link")).unwrap();
    assert_eq!(worktree.marked(&["link".into()]).unwrap(), Vec::<PathBuf>::new());
    assert!(matches!(worktree.marked(&["../../x".into()]), Err(TreeError::NotInside(_))));
}

#[test]
fn names_are_bytes() {
    let yard = Yard::prepared("w", |repo| {
        write(&repo.join("w/x"), "x");
        hostile().iter().for_each(|name| write(&repo.join("w").join(name), "base\n"));
    });
    let all = |root: &Path, text: &str| hostile().iter().for_each(|name| write(&root.join("w").join(name), text));
    let (worktree, _, tip) = apart(&yard, |root| all(root, "ours\n"), |root| all(root, "theirs\n"));
    let Merged::Conflicts { files, commit: made } = merge(&worktree, "auth", &tip).unwrap() else { panic!() };
    let mut expected = hostile();
    expected.sort();
    assert_eq!(files, expected);
    assert_eq!(worktree.marked(&files).unwrap(), expected);
    assert_exact(&yard.root("auth"), &made);
}

#[test]
fn a_rename_there_moves_no_file_from_here() {
    let yard = Yard::new("", &[("old/1", "1\n1\n1\n"), ("old/2", "2\n2\n2\n")]);
    let (worktree, _, tip) = apart(
        &yard,
        |root| write(&root.join("old/new file"), "ours"),
        |root| fs::rename(root.join("old"), root.join("renamed")).unwrap(),
    );
    assert!(matches!(merge(&worktree, "auth", &tip).unwrap(), Merged::Clean { .. }));
    let files: Vec<_> = snapshot(&yard.root("auth")).into_keys().collect();
    assert_eq!(files, ["old/new file", "renamed/1", "renamed/2"].map(PathBuf::from));
}

#[test]
fn what_is_not_committed_stops_it() {
    let yard = Yard::new("", &[("a", "a"), ("b", "b")]);
    let (worktree, work, tip) =
        apart(&yard, |root| write(&root.join("a"), "ours"), |root| write(&root.join("b"), "theirs"));
    write(&yard.root("auth").join("b"), "not committed");
    let refused = merge(&worktree, "auth", &tip).unwrap_err();
    assert!(matches!(&refused, TreeError::Uncommitted(path) if path == Path::new("b")), "{refused}");
    assert_eq!(worktree.head().unwrap(), work);
    assert_eq!(fs::read_to_string(yard.root("auth").join("b")).unwrap(), "not committed");
}

/// The files are set and HEAD is not: the moment in which a merge can be cut short.
#[test]
fn a_merge_that_was_cut_short_is_made_again() {
    let yard = Yard::new("", &[("a", "a\n"), ("b", "b\n")]);
    let (worktree, work, tip) =
        apart(&yard, |root| write(&root.join("a"), "ours\n"), |root| write(&root.join("a"), "theirs\n"));
    let Merged::Conflicts { commit: made, files } = merge(&worktree, "auth", &tip).unwrap() else { panic!() };
    let git_dir = PathBuf::from(sh_git(&yard.root("auth"), &["rev-parse", "--absolute-git-dir"]));
    sh_git(&yard.root("auth"), &["update-ref", "--no-deref", "HEAD", &work]);
    write(&git_dir.join("cco-moving"), &made);
    let worktree = yard.again().worktree(&on("auth")).unwrap().unwrap();
    assert_exact(&yard.root("auth"), &work);
    let Merged::Conflicts { commit: again, files: same } = merge(&worktree, "auth", &tip).unwrap() else { panic!() };
    assert_eq!(same, files);
    assert_exact(&yard.root("auth"), &again);
}

#[test]
fn an_old_git_is_told() {
    let yard = Yard::new("", &[("a", "a")]);
    let bin = yard.home.path().join("bin");
    let script = "#!/bin/sh\ncase \"$*\" in\n*merge-tree*) echo 'usage: git merge-tree <base-tree> <branch1> <branch2>' >&2; exit 129;;\n*version) echo git version 2.34.1; exit;;\nesac\nPATH=${PATH#*:} exec git \"$@\"\n";
    write(&bin.join("git"), script);
    super::world::make_executable(&bin.join("git"));
    let (_, _, tip) = apart(&yard, |root| write(&root.join("a"), "b"), |root| write(&root.join("c"), "c"));
    let path = std::env::var_os("PATH").unwrap();
    let path = std::iter::once(bin).chain(std::env::split_paths(&path));
    let git = super::world::git_with(&[("PATH", std::env::join_paths(path).unwrap())]);
    let place = super::world::place(yard.home.path(), &yard.repo, Some(yard.repository.base().to_owned()));
    let old = cco::tree::Repository::open(git, &place, super::world::SPEC).unwrap();
    let worktree = old.worktree(&on("auth")).unwrap().unwrap();
    let refused = merge(&worktree, "auth", &tip).unwrap_err().to_string();
    assert!(refused.contains("2.38") && refused.contains("git version 2.34.1"), "{refused}");
}
