//! The user's own checkout: each change in it shows, and looking at it changes nothing.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use cco::tree::changed_between;

use super::world::{World, hostile, make_executable, sh_git, write};

/// What changed while `act` ran, relative to the user's checkout.
fn changed(world: &World, act: impl FnOnce()) -> Vec<PathBuf> {
    let before = world.repository.main_checkout().unwrap();
    act();
    let after = world.repository.main_checkout().unwrap();
    let paths = changed_between(&before, &after);
    assert_eq!(changed_between(&after, &before), paths);
    paths.into_iter().map(|path| path.strip_prefix(&world.repo).unwrap().to_owned()).collect()
}

#[test]
fn each_change_shows() {
    let world = World::new("w", &[("w/a", "a"), ("b", "b"), (".gitignore", "*.log\n")]);
    let repo = &world.repo;
    let paths = |paths: &[&str]| -> Vec<PathBuf> { paths.iter().map(PathBuf::from).collect() };
    assert_eq!(changed(&world, || ()), paths(&[]));
    assert_eq!(changed(&world, || world.write("a", "the run's own")), paths(&[]));
    assert_eq!(changed(&world, || drop(world.commit("the run's own"))), paths(&[]));
    assert_eq!(changed(&world, || write(&repo.join("w/a"), "1")), paths(&["w/a"]));
    assert_eq!(changed(&world, || write(&repo.join("w/a"), "2")), paths(&["w/a"]), "dirty before");
    assert_eq!(changed(&world, || drop(sh_git(repo, &["add", "w/a"]))), paths(&["w/a"]));
    assert_eq!(changed(&world, || write(&repo.join("new/x"), "1")), paths(&["new/x"]));
    assert_eq!(changed(&world, || write(&repo.join("new/x"), "2")), paths(&["new/x"]));
    assert_eq!(changed(&world, || write(&repo.join("x.log"), "ignored")), paths(&[]));
    assert_eq!(changed(&world, || fs::remove_file(repo.join("b")).unwrap()), paths(&["b"]));
    assert_eq!(changed(&world, || drop(sh_git(repo, &["checkout", "-q", "b"]))), paths(&["b"]));
    let commit = || drop(sh_git(repo, &["commit", "-q", "-m", "the user's"]));
    assert_eq!(changed(&world, commit), paths(&[".git/HEAD", "w/a"]));
    assert_eq!(changed(&world, || drop(sh_git(repo, &["checkout", "-q", "-b", "x"]))), paths(&[".git/HEAD"]));
    for name in hostile() {
        assert_eq!(changed(&world, || write(&repo.join(&name), "x")), [name]);
    }
}

#[test]
fn hooks_and_settings_show() {
    let world = World::new("", &[("a", "a")]);
    let repo = &world.repo;
    let paths = |paths: &[&str]| -> Vec<PathBuf> { paths.iter().map(PathBuf::from).collect() };
    let hook = repo.join(".git/hooks/pre-push");
    assert_eq!(changed(&world, || write(&hook, "#!/bin/sh")), paths(&[".git/hooks/pre-push"]));
    assert_eq!(changed(&world, || make_executable(&hook)), paths(&[".git/hooks/pre-push"]));
    let exclude = repo.join(".git/info/exclude");
    assert_eq!(changed(&world, || write(&exclude, "*")), paths(&[".git/info/exclude"]));
    let own = || drop(sh_git(repo, &["config", "core.hooksPath", "own hooks"]));
    assert_eq!(changed(&world, own), paths(&[".git/config"]));
    assert_eq!(changed(&world, || write(&repo.join("own hooks/pre-push"), "x")), paths(&["own hooks/pre-push"]));
}

/// Neither the index, which git would gladly refresh, nor anything else of the user's is written.
#[test]
fn looking_writes_nothing() {
    let world = World::new("", &[("a", "a")]);
    // Git would note the new time in the index.
    let file = fs::File::options().write(true).open(world.repo.join("a")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    let index = || fs::read(world.repo.join(".git/index")).unwrap();
    let before = index();
    world.repository.main_checkout().unwrap();
    assert_eq!(index(), before);
    sh_git(&world.repo, &["status"]);
    assert_ne!(index(), before, "else this proves nothing");
}
