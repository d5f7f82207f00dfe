//! Commits: what they changed, as contents and as text; and who made some that should not have.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cco::tree::{Bounds, Contents, Moved, Until};

use super::world::{World, hostile, make_executable, sh_git, write};

fn everything(_: &Path) -> bool {
    true
}

fn text(contents: &str) -> Contents {
    Contents::Bytes(contents.as_bytes().to_vec())
}

#[test]
fn both_sides_of_each_file_are_read() {
    let world = World::new(
        "w",
        &[("w/edited", "old\n\nlines"), ("w/moved", "m"), ("w/mode", ""), ("out", "o"), ("w/link", "f")],
    );
    let base = world.head();
    world.write("edited", "new\n");
    fs::rename(world.dir().join("moved"), world.dir().join("moved there")).unwrap();
    make_executable(&world.dir().join("mode"));
    world.write("../out", "changed");
    fs::remove_file(world.dir().join("link")).unwrap();
    symlink("edited", world.dir().join("link")).unwrap();
    let now = world.worktree().changes(&base, Until::Worktree, &everything, Bounds::default()).unwrap();
    let tip = world.commit("changes");
    let changes = world.worktree().changes(&base, Until::Commit(&tip), &everything, Bounds::default()).unwrap();
    assert_eq!(changes, now, "committed or not");
    let found: Vec<_> = changes
        .into_iter()
        .map(|it| {
            let side = |side: Option<cco::tree::Side>| side.map(|side| (side.mode, side.contents));
            (it.path.display().to_string(), side(it.old), side(it.new))
        })
        .collect();
    let (file, program, link) = (0o100_644, 0o100_755, 0o120_000);
    let expected = [
        ("../out", Some((file, text("o"))), Some((file, text("changed")))),
        ("edited", Some((file, text("old\n\nlines"))), Some((file, text("new\n")))),
        ("link", Some((file, text("f"))), Some((link, text("edited")))),
        ("mode", Some((file, text(""))), Some((program, text("")))),
        ("moved", Some((file, text("m"))), None),
        ("moved there", None, Some((file, text("m")))),
    ];
    assert_eq!(found, expected.map(|(path, old, new)| (path.to_owned(), old, new)));
}

#[test]
fn what_is_too_large_is_named_and_not_read() {
    let world = World::new("", &[("a", "")]);
    let base = world.head();
    for (name, size) in [("fits", 10), ("large", 11), ("more", 9)] {
        world.write(name, &"x".repeat(size));
    }
    let tip = world.commit("large");
    let until = Until::Commit(&tip);
    let sizes = |bounds| -> Vec<_> {
        let changes = world.worktree().changes(&base, until, &everything, bounds).unwrap();
        changes.into_iter().map(|it| it.new.unwrap().contents).collect()
    };
    let found = sizes(Bounds { file: 10, total: 19 });
    assert_eq!(found, [text(&"x".repeat(10)), Contents::TooLarge(11), text(&"x".repeat(9))]);
    let read = |found: Vec<Contents>| found.iter().filter(|it| matches!(it, Contents::Bytes(_))).count();
    assert_eq!(read(sizes(Bounds { file: 10, total: 18 })), 1);
}

#[test]
fn only_wanted_files_are_read_whatever_their_names() {
    let world = World::new("", &[("a", "")]);
    let base = world.head();
    for name in hostile() {
        write(&world.dir().join(name), "new");
    }
    let tip = world.commit("hostile");
    let all = world.worktree().changes(&base, Until::Commit(&tip), &everything, Bounds::default()).unwrap();
    let mut names = hostile();
    names.sort();
    assert_eq!(all.into_iter().map(|it| it.path).collect::<Vec<_>>(), names);
    for name in &names {
        let wanted = |path: &Path| path == name;
        let one = world.worktree().changes(&base, Until::Commit(&tip), &wanted, Bounds::default()).unwrap();
        assert_eq!(one.len(), 1);
        let diff = world.worktree().diff_text(&base, &tip, &wanted, 1000).unwrap();
        assert_eq!((diff.files, diff.whole, diff.text.matches("+new").count()), (1, true, 1), "{}", diff.text);
    }
    assert_eq!(world.worktree().differing(&base, &tip).unwrap().into_iter().collect::<Vec<_>>(), names);
}

#[test]
fn a_text_that_is_too_long_ends_with_a_whole_line() {
    let world = World::new("", &[("a", "")]);
    let base = world.head();
    world.write("a", &"a line\n".repeat(100_000));
    world.write("b", "b");
    let tip = world.commit("long");
    for limit in 1000..1008 {
        let diff = world.worktree().diff_text(&base, &tip, &everything, limit).unwrap();
        assert_eq!((diff.files, diff.whole), (2, false));
        assert!(diff.text.len() as u64 <= limit && diff.text.ends_with("+a line\n"), "{:?}", diff.text);
    }
    assert!(world.worktree().diff_text(&base, &tip, &everything, u64::MAX).unwrap().whole);
}

#[test]
fn the_same_change_has_the_same_patch_id_elsewhere() {
    let world = World::new("", &[("a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"), ("b", "b\n"), ("run", "")]);
    let base = world.head();
    let id = |from: &str, to: &str, name: &'static str| {
        world.worktree().patch_id(from, to, &|path: &Path| path == Path::new(name)).unwrap()
    };
    world.write("a", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    world.write("b", "B\n");
    make_executable(&world.dir().join("run"));
    let tip = world.commit("change");
    let here = id(&base, &tip, "a");
    assert!(here.is_some());
    assert_ne!(here, id(&base, &tip, "b"));
    assert!(id(&base, &tip, "run").is_some(), "a mode alone");
    assert_eq!(id(&base, &tip, "none"), None);
    sh_git(&world.root, &["reset", "--quiet", "--hard", &base]);
    world.write("a", "0\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    let other = world.commit("above");
    world.write("a", "0\n0\n1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    let moved = world.commit("the same");
    assert_eq!(id(&other, &moved, "a"), here);
}

#[test]
fn commits_of_somebody_else_are_told() {
    let world = World::new("", &[("a", "a")]);
    let tip = world.head();
    let moved = || world.worktree().moved_since(&tip).unwrap();
    assert_eq!(moved(), None);
    world.write("a", "b");
    sh_git(&world.root, &["commit", "--quiet", "-a", "-m", "one"]);
    let one = world.head();
    sh_git(&world.root, &["commit", "--quiet", "--allow-empty", "-m", "two"]);
    let two = world.head();
    assert_eq!(moved(), Some(Moved { head: two.clone(), new: vec![one, two] }));

    // A branch at the same commit is not the commit by itself.
    sh_git(&world.root, &["checkout", "--quiet", "-b", "own", &tip]);
    assert_eq!(moved(), Some(Moved { head: tip.clone(), new: vec![] }));

    sh_git(&world.root, &["checkout", "--quiet", "--orphan", "rewritten"]);
    sh_git(&world.root, &["commit", "--quiet", "-m", "another root"]);
    assert_eq!(moved().unwrap().new, [world.head()]);
    assert!(world.worktree().moved_since("nothing").is_err());
    world.worktree().take_back(&tip).unwrap();
    assert_eq!(moved(), None);
}
