//! What a try left half written: kept whole, and gone from the tree.

use std::fs;
use std::os::unix::fs::symlink;

use super::world::{World, attempt, hostile, make_executable, sh_git, snapshot, write};

#[test]
fn all_of_it_is_kept_and_all_of_it_is_put_back() {
    let world = World::prepared("w", |repo| {
        hostile().iter().for_each(|name| write(&repo.join("w").join(name), "x"));
        [".gitignore", "w/gone", "w/run", "w/link", "outside"]
            .iter()
            .for_each(|name| write(&repo.join(name), "*.log\n"));
    });
    let before = world.snapshot();
    assert_eq!(world.worktree().put_back(&attempt()).unwrap(), None);

    hostile().iter().for_each(|name| write(&world.dir().join(name), "half"));
    hostile().iter().for_each(|name| write(&world.dir().join("new").join(name), "half"));
    fs::remove_file(world.dir().join("gone")).unwrap();
    fs::remove_file(world.dir().join("link")).unwrap();
    symlink("/nonexistent", world.dir().join("link")).unwrap();
    make_executable(&world.dir().join("run"));
    write(&world.root.join("outside"), "half");
    sh_git(&world.root, &["add", "w/run"]);
    let half = world.snapshot();
    let done = world.worktree().put_back(&attempt()).unwrap().unwrap();
    assert_eq!(done.files, hostile().len() * 2 + 4);
    assert_eq!((world.snapshot(), world.status()), (before, String::new()));

    sh_git(&world.repo, &["worktree", "add", "--quiet", "--detach", "../kept", &done.kept]);
    assert_eq!(snapshot(&world.home.path().join("kept")), half);
}

#[test]
fn ignored_files_and_repositories_stay() {
    let world = World::new("", &[("a", "a"), (".gitignore", "*.log\n")]);
    world.write("x.log", "ignored");
    sh_git(&world.root, &["init", "--quiet", "inner"]);
    world.write("inner/file", "theirs");
    assert_eq!(world.worktree().put_back(&attempt()).unwrap(), None);
    world.write("a", "half");
    let done = world.worktree().put_back(&attempt()).unwrap().unwrap();
    assert_eq!(done.files, 1);
    assert!(world.root.join("x.log").exists() && world.root.join("inner/file").exists());
    assert_eq!(sh_git(&world.repo, &["ls-tree", "-r", "--name-only", &done.kept]), ".gitignore\na");
}

/// A directory with files that git ignores took the place of a file: these cannot stay, so they are kept too.
#[test]
fn what_stands_in_the_way_is_kept() {
    let world = World::new("", &[("a", "a"), (".gitignore", "*.log\n")]);
    fs::remove_file(world.root.join("a")).unwrap();
    world.write("a/x.log", "ignored");
    let done = world.worktree().put_back(&attempt()).unwrap().unwrap();
    assert_eq!(fs::read_to_string(world.root.join("a")).unwrap(), "a");
    assert_eq!(sh_git(&world.repo, &["show", &format!("{}:a/x.log", done.kept)]), "ignored");
}
