//! Worktrees that are made anew, whatever was there.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};

use cco::tree::TreeError;

use super::world::{World, command, hostile, open, sh_git, snapshot, write};

fn at(world: &World) -> PathBuf {
    world.home.path().join("worktrees/final")
}

/// It is as the commit is, works, and is the only one of that name.
fn assert_fresh(world: &World, commit: &str) {
    let fresh = world.repository.fresh("final", commit).unwrap();
    let root = at(world);
    assert_eq!(fresh.dir, root.join("w"));
    assert_eq!(fresh.tree, sh_git(&world.repo, &["rev-parse", &format!("{commit}^{{tree}}")]));
    assert_eq!(sh_git(&root, &["rev-parse", "HEAD"]), commit);
    assert_eq!(sh_git(&root, &["status", "--porcelain", "--ignored", "--untracked-files=all"]), "");
    assert!(!command(&root).args(["symbolic-ref", "-q", "HEAD"]).output().unwrap().status.success(), "on no branch");
    let list = sh_git(&world.repo, &["worktree", "list", "--porcelain"]);
    let ours = format!("worktree {}", root.display());
    assert_eq!(list.lines().filter(|line| *line == ours).count(), 1, "{list}");
}

#[test]
fn what_is_in_the_way_is_replaced() {
    let world = World::new("w", &[("w/a", "a"), (".gitignore", "*.log\n")]);
    let base = world.head();
    world.write("a", "b");
    let tip = world.commit("b");
    let root = at(&world);
    assert_fresh(&world, &base);
    assert_fresh(&world, &tip);
    // What checks leave, also where they may not write themselves.
    write(&root.join("w/a"), "changed");
    write(&root.join("w/cache/module/x.log"), "ignored");
    fs::set_permissions(root.join("w/cache/module"), fs::Permissions::from_mode(0o555)).unwrap();
    assert_fresh(&world, &tip);
    // Locked, as git does while it makes one; then without its files; then files that git does not know.
    sh_git(&world.repo, &["worktree", "lock", root.to_str().unwrap()]);
    fs::remove_file(root.join(".git")).unwrap();
    assert_fresh(&world, &tip);
    sh_git(&world.repo, &["worktree", "lock", root.to_str().unwrap()]);
    fs::remove_dir_all(&root).unwrap();
    assert_fresh(&world, &tip);
    world.repository.discard_fresh("final").unwrap();
    assert!(!root.exists() && !sh_git(&world.repo, &["worktree", "list"]).contains("final"));
    world.repository.discard_fresh("final").unwrap();
    write(&root.join("leftover"), "l");
    assert_fresh(&world, &tip);
    world.repository.discard_fresh("final").unwrap();
    fs::write(&root, "a file").unwrap();
    assert_fresh(&world, &tip);
    world.repository.discard_fresh("final").unwrap();
    symlink(&world.repo, &root).unwrap();
    assert_fresh(&world, &tip);
    assert!(world.repo.join("w/a").exists(), "the link was not followed");
}

#[test]
fn only_that_worktree_is_removed() {
    let world = World::new("", &[("a", "a")]);
    let base = world.head();
    // The user's own, on a disk that is not there now.
    let users = world.home.path().join("disk/final");
    sh_git(&world.repo, &["worktree", "add", "-q", "--detach", users.to_str().unwrap()]);
    fs::rename(world.home.path().join("disk"), world.home.path().join("unplugged")).unwrap();
    world.repository.fresh("final", &base).unwrap();
    world.repository.discard_fresh("final").unwrap();
    fs::rename(world.home.path().join("unplugged"), world.home.path().join("disk")).unwrap();
    assert_eq!(sh_git(&users, &["rev-parse", "HEAD"]), base);
    for name in ["run", "..", "../run", "", "a/b", "-x"] {
        let refused = world.repository.fresh(name, &base).unwrap_err();
        assert!(matches!(refused, TreeError::NoName(_)), "{name}: {refused}");
    }
    assert!(world.repository.fresh("final", "no commit").is_err());
    assert!(world.root.join("a").exists());
}

/// Git is killed in the midst of the checkout, by a filter of one of the files: nothing can tidy up after it.
#[test]
fn one_that_a_killed_run_left_is_replaced() {
    let mut world = World::new("w", &[("w/a", "a"), ("w/b", "b"), ("w/z", "z"), (".gitattributes", "b filter=kill\n")]);
    let base = world.head();
    let root = at(&world);
    let mut add = command(&world.repo);
    add.args(["-c", "filter.kill.smudge=kill -9 0", "worktree", "add", "-q", "--detach"]).arg(&root).arg(&base);
    assert_eq!(add.process_group(0).status().unwrap().signal(), Some(9));
    assert!(root.join(".git").exists() && !root.join("w/z").exists(), "half made");
    let locked = sh_git(&world.repo, &["worktree", "list", "--porcelain"]);
    assert!(locked.contains("\nlocked initializing"), "{locked}");
    // The next run finds it.
    world.repository = open(world.home.path(), &world.repo.join("w"), Some(base.clone())).unwrap();
    assert_fresh(&world, &base);
    assert_eq!(snapshot(&root), world.snapshot());
}

#[test]
fn hostile_names_are_checked_out() {
    let world = World::prepared("", |repo| hostile().iter().for_each(|name| write(&repo.join(name), "x")));
    let fresh = world.repository.fresh("final", &world.head()).unwrap();
    assert_eq!(snapshot(&fresh.dir), world.snapshot());
    assert!(fresh.dir.join(Path::new("-rf")).exists());
}
