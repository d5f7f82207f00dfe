//! Files set back by a further commit, and commits that are kept.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cco::tree::{Commit, Kept, State, TreeError};

use super::world::{World, attempt, hostile, make_executable, sh_git, snapshot, write};

fn restore(world: &World, from: State<'_>, owns: &dyn Fn(&Path) -> bool) -> Result<Option<String>, TreeError> {
    let attempt = attempt();
    let commit = Commit { spec: "p/s", attempt: &attempt, summary: "back to the best", paths: &[] };
    world.worktree().restore(from, owns, &commit)
}

fn own(path: &Path) -> bool {
    path.starts_with("own")
}

#[test]
fn owned_files_are_set_back_and_no_other() {
    let world =
        World::new("w", &[("w/own/edited", "1"), ("w/own/gone", "g"), ("w/own/mode", "m"), ("w/own/kind", "k")]);
    world.write("other", "1");
    let best = world.commit("best");
    let wanted = snapshot(&world.dir().join("own"));
    world.write("own/edited", "2");
    fs::remove_file(world.dir().join("own/gone")).unwrap();
    make_executable(&world.dir().join("own/mode"));
    fs::remove_file(world.dir().join("own/kind")).unwrap();
    symlink("edited", world.dir().join("own/kind")).unwrap();
    world.write("own/deep/new", "n");
    world.write("other", "2");
    world.write("../outside", "o");
    let worse = world.commit("worse");
    world.write("other", "not committed");

    let made = restore(&world, State::Of(&best), &own).unwrap().unwrap();
    assert_eq!(snapshot(&world.dir().join("own")), wanted);
    assert!(!world.dir().join("own/deep").exists());
    assert_eq!(fs::read_to_string(world.dir().join("other")).unwrap(), "not committed");
    assert_eq!(world.status(), " M w/other");
    assert_eq!((world.head(), sh_git(&world.root, &["rev-parse", "HEAD^"])), (made.clone(), worse.clone()));
    assert_eq!(world.repository.tip().unwrap(), world.repository.base(), "the branch stays");
    let changed = sh_git(&world.root, &["diff-tree", "-r", "--name-only", &worse, &made, "--", ":!w/own"]);
    assert_eq!(changed, "");
    assert_eq!(world.worktree().commit_of(&attempt()).unwrap(), Some(made));
    assert_eq!(restore(&world, State::Of(&best), &own).unwrap(), None, "it is so already");
}

#[test]
fn hostile_names_are_set_back_one_by_one() {
    let world = World::prepared("", |repo| hostile().iter().for_each(|name| write(&repo.join(name), "old")));
    let base = world.head();
    let mut now = world.snapshot();
    let old = now.clone();
    for name in hostile() {
        write(&world.dir().join(&name), "new");
    }
    world.commit("all");
    now.clone_from(&world.snapshot());
    for name in hostile() {
        restore(&world, State::Of(&base), &|path: &Path| path == name).unwrap().unwrap();
        now.insert(name.clone(), old[&name].clone());
        assert_eq!(world.snapshot(), now, "{}", name.display());
    }
    assert_eq!(world.status(), "");
}

#[test]
fn the_state_before_a_commit_is_its_parent_or_nothing() {
    let world = World::new("", &[("own/a", "1"), ("b", "b")]);
    let first = world.head();
    world.write("own/a", "2");
    let second = world.commit("second");
    restore(&world, State::Before(&second), &own).unwrap().unwrap();
    assert_eq!(fs::read_to_string(world.dir().join("own/a")).unwrap(), "1");
    restore(&world, State::Before(&first), &own).unwrap().unwrap();
    assert_eq!(world.snapshot().len(), 1, "there was nothing");
}

/// A file that is a directory now, and the reverse.
#[test]
fn kinds_are_exchanged_if_both_are_owned() {
    let world = World::new("", &[("own/a/b", "1"), ("own/c", "2")]);
    let base = world.head();
    let before = world.snapshot();
    fs::remove_dir_all(world.dir().join("own")).unwrap();
    world.write("own/a", "file");
    world.write("own/c/d", "dir");
    world.commit("exchanged");
    let refused = restore(&world, State::Of(&base), &|path: &Path| path == Path::new("own/c")).unwrap_err();
    assert!(matches!(&refused, TreeError::Entangled(path) if path == Path::new("own/c/d")), "{refused}");
    restore(&world, State::Of(&base), &own).unwrap().unwrap();
    assert_eq!((world.snapshot(), world.status()), (before, String::new()));
}

/// Whatever no commit holds is not written over.
#[test]
fn what_would_be_lost_is_refused() {
    let world = World::new("", &[("own/a", "1"), ("own/b", "b"), ("own/c", "c"), (".gitignore", "*.log\n")]);
    let base = world.head();
    world.write("own/a", "2");
    world.write(".gitignore", "*.log\n/own/c\n");
    fs::remove_file(world.dir().join("own/c")).unwrap();
    fs::remove_file(world.dir().join("own/b")).unwrap();
    let tip = world.commit("changed");
    type Spoil = fn(&World);
    let spoils: [(&str, Spoil); 6] = [
        ("own/a", |world| world.write("own/a", "3")),
        ("own/b", |world| world.write("own/b", "mine")),
        ("own/new", |world| world.write("own/new", "mine")),
        ("own/c", |world| world.write("own/c", "ignored now")),
        ("own/b/x.log", |world| world.write("own/b/x.log", "ignored")),
        ("own/b", |world| symlink("a", world.dir().join("own/b")).unwrap()),
    ];
    for (path, spoil) in spoils {
        spoil(&world);
        let before = world.snapshot();
        let refused = restore(&world, State::Of(&base), &own).unwrap_err();
        assert!(matches!(&refused, TreeError::Uncommitted(lost) if lost == Path::new(path)), "{path}: {refused}");
        assert_eq!((world.snapshot(), world.head()), (before, tip.clone()));
        sh_git(&world.root, &["clean", "-qfdx"]);
        sh_git(&world.root, &["reset", "-q", "--hard"]);
    }
    restore(&world, State::Of(&base), &own).unwrap().unwrap();
}

/// The files were set and the commit was not made.
#[test]
fn a_restoration_that_was_cut_short_is_made_again() {
    let world = World::new("", &[("own/a", "1"), ("own/b", "b")]);
    let base = world.head();
    world.write("own/a", "2");
    world.write("own/c", "c");
    fs::remove_file(world.dir().join("own/b")).unwrap();
    world.commit("changed");
    world.write("own/a", "1");
    fs::remove_file(world.dir().join("own/c")).unwrap();
    restore(&world, State::Of(&base), &own).unwrap().unwrap();
    assert_eq!((world.status(), world.snapshot().len()), (String::new(), 2));
    assert_eq!(sh_git(&world.root, &["diff", "--stat", &base, "HEAD"]), "");
}

/// A directory became a link: what is behind it is not ours.
#[test]
fn nothing_is_removed_behind_a_link() {
    let world = World::new("", &[("z", "z")]);
    let base = world.head();
    world.write("own/a", "1");
    world.commit("new");
    let elsewhere = world.home.path().join("elsewhere");
    write(&elsewhere.join("a"), "mine");
    fs::remove_dir_all(world.dir().join("own")).unwrap();
    symlink(&elsewhere, world.dir().join("own")).unwrap();
    let _ = restore(&world, State::Of(&base), &|path: &Path| path == Path::new("own/a"));
    assert_eq!(fs::read_to_string(elsewhere.join("a")).unwrap(), "mine");
}

#[test]
fn commits_are_kept_under_names() {
    let world = World::new("", &[("a", "a")]);
    let base = world.head();
    world.write("a", "b");
    let tip = world.commit("b");
    let kept = |name: &str, commit: &str| Kept { name: name.to_owned(), commit: commit.to_owned() };
    assert_eq!(world.repository.kept().unwrap(), []);
    world.worktree().keep("best/auth", &base).unwrap();
    world.worktree().keep("abandoned/auth-1", &tip).unwrap();
    world.worktree().keep("best/auth", &tip).unwrap();
    sh_git(&world.repo, &["update-ref", "refs/cco/p/s2/best/auth", &base]);
    assert_eq!(world.repository.kept().unwrap(), [kept("abandoned/auth-1", &tip), kept("best/auth", &tip)]);
    for (name, commit) in [("../../heads/main", tip.as_str()), ("", &tip), ("x", "no commit"), ("x", "--all")] {
        assert!(world.worktree().keep(name, commit).is_err(), "{name} {commit}");
    }
    assert_eq!(sh_git(&world.repo, &["rev-parse", "main"]), base);
}
