//! What is not committed: found, kept as a patch, and undone.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cco::tree::{Changed, Kind, TreeError, Undone};
use proptest::prelude::*;

use super::world::{World, bytes, hostile, make_executable, sh_git, snapshot, write};

fn all(world: &World) -> Vec<(String, Kind)> {
    world.worktree().uncommitted().unwrap().into_iter().map(shown).collect()
}

fn shown(changed: Changed) -> (String, Kind) {
    (changed.path.display().to_string(), changed.kind)
}

fn kinds(found: &[(&str, Kind)]) -> Vec<(String, Kind)> {
    found.iter().map(|(path, kind)| ((*path).to_owned(), *kind)).collect()
}

/// Applies the patch to a clean checkout of the last commit and gives what is there then.
fn redone(world: &World, patches: &[&Path]) -> BTreeMap<PathBuf, String> {
    let copy = world.home.path().join("copy");
    let _ = fs::remove_dir_all(&copy);
    sh_git(world.home.path(), &["clone", "--quiet", "--branch", "cco/spec", "repo", "copy"]);
    for patch in patches {
        sh_git(&copy, &["apply".as_ref(), "--binary".as_ref(), patch.as_os_str()]);
    }
    snapshot(&copy)
}

#[test]
fn every_kind_of_change_is_told_kept_and_undone() {
    let world = World::new("", &[("kept", "k"), ("edited", "e"), ("gone", "g"), ("mode", "m"), ("kind", "t")]);
    let before = world.snapshot();
    world.write("edited", "E\0binary");
    fs::remove_file(world.dir().join("gone")).unwrap();
    make_executable(&world.dir().join("mode"));
    fs::remove_file(world.dir().join("kind")).unwrap();
    symlink("kept", world.dir().join("kind")).unwrap();
    world.write("new/file", "n");
    let meddled = world.snapshot();
    let expected = kinds(&[
        ("edited", Kind::Modified),
        ("gone", Kind::Deleted),
        ("kind", Kind::TypeChanged),
        ("mode", Kind::Modified),
        ("new/file", Kind::Added),
    ]);
    assert_eq!(all(&world), expected);

    let undone = world.undo_all().unwrap();
    assert_eq!(undone.changes.into_iter().map(shown).collect::<Vec<_>>(), expected);
    assert_eq!((undone.aside, undone.left), (Vec::new(), Vec::new()));
    assert_eq!(world.snapshot(), before);
    assert!(!world.dir().join("new").exists(), "the directory held nothing else");
    assert_eq!(world.status(), "");
    assert_eq!(redone(&world, &[&undone.patch.unwrap()]), meddled);
    assert_eq!(world.undo_all(), None);
}

#[test]
fn hostile_names_are_names_and_nothing_else() {
    let work_dir = "sub dir/-x";
    let world = World::prepared(work_dir, |repo| {
        for name in hostile() {
            write(&repo.join(work_dir).join(name), "old");
        }
    });
    let before = world.snapshot();
    for name in hostile() {
        write(&world.dir().join(&name), "changed");
        write(&world.dir().join("new").join(&name), "new");
    }
    let changed = world.snapshot();
    let told: Vec<_> = world.worktree().uncommitted().unwrap().into_iter().map(|it| it.path).collect();
    let mut expected: Vec<_> = hostile().into_iter().flat_map(|it| [Path::new("new").join(&it), it]).collect();
    expected.sort();
    assert_eq!(told, expected);

    // One by one: each means itself alone.
    let mut patches = Vec::new();
    let mut now = changed.clone();
    for name in &hostile() {
        let undone = world.worktree().undo(std::slice::from_ref(name), &world.patch()).unwrap();
        assert_eq!(undone.changes, [Changed { path: name.clone(), kind: Kind::Modified }]);
        let path = Path::new(work_dir).join(name);
        now.insert(path.clone(), before[&path].clone());
        assert_eq!(world.snapshot(), now, "{}", name.display());
        patches.push(undone.patch.unwrap());
    }
    patches.push(world.worktree().undo(&["new".into()], &world.patch()).unwrap().patch.unwrap());
    assert_eq!(world.snapshot(), before);
    assert_eq!(redone(&world, &patches.iter().map(PathBuf::as_path).collect::<Vec<_>>()), changed);
}

#[test]
fn what_an_agent_told_git_to_overlook_is_seen_all_the_same() {
    let world = World::new("", &[("assumed", "a"), ("skipped", "s"), ("staged", "x")]);
    let before = world.snapshot();
    sh_git(&world.root, &["update-index", "--assume-unchanged", "assumed"]);
    sh_git(&world.root, &["update-index", "--skip-worktree", "skipped"]);
    for name in ["assumed", "skipped", "staged", "staged and new"] {
        world.write(name, "changed");
    }
    sh_git(&world.root, &["add", "staged", "staged and new"]);
    assert_eq!(all(&world).len(), 4);
    assert!(world.undo_all().unwrap().left.is_empty());
    assert_eq!((world.snapshot(), world.status()), (before, String::new()));
}

#[test]
fn changes_outside_the_work_directory_are_told_and_undone_by_name() {
    let world = World::new("a/b", &[("a/b/in", "i"), ("a/out", "o"), ("top", "t")]);
    for path in ["in", "../out", "../../top", "../../new/file"] {
        world.write(path, "changed");
    }
    let paths: Vec<_> = world.worktree().uncommitted().unwrap().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["../../new/file", "../../top", "../out", "in"].map(PathBuf::from));
    let undone = world.worktree().undo(&["../out".into(), "../../new".into()], &world.patch()).unwrap();
    assert_eq!(
        undone.changes.into_iter().map(shown).collect::<Vec<_>>(),
        kinds(&[("../../new/file", Kind::Added), ("../out", Kind::Modified)])
    );
    assert_eq!(all(&world), kinds(&[("../../top", Kind::Modified), ("in", Kind::Modified)]));
    for path in ["../../../x", "/etc/passwd"] {
        let error = world.worktree().undo(&[path.into()], &world.patch()).unwrap_err();
        assert!(matches!(error, TreeError::NotInside(_)), "{error}");
    }
}

#[test]
fn the_work_directory_itself_comes_back() {
    let world = World::new("a/b", &[("a/b/in", "i")]);
    let before = world.snapshot();
    fs::remove_dir_all(world.dir()).unwrap();
    fs::write(world.dir(), "a file").unwrap();
    assert_eq!(all(&world), kinds(&[(".", Kind::Added), ("in", Kind::Deleted)]));
    world.worktree().undo(&["in".into()], &world.patch()).unwrap();
    assert_eq!(world.snapshot(), before);
}

/// In the way of what comes back: kept and gone, also where git ignores it; a link is not followed.
#[test]
fn what_stands_in_the_way_goes_with_it() {
    let files = [("dir/one", "1"), ("dir/two", "2"), ("file", "f"), ("linked/x", "x"), (".gitignore", "*.log\n")];
    let world = World::new("", &files);
    let before = world.snapshot();
    let elsewhere = world.home.path().join("elsewhere");
    write(&elsewhere.join("x"), "mine");
    fs::remove_dir_all(world.dir().join("dir")).unwrap();
    world.write("dir", "now a file");
    fs::remove_file(world.dir().join("file")).unwrap();
    world.write("file/deep/new", "n");
    world.write("file/ignored.log", "log");
    fs::remove_dir_all(world.dir().join("linked")).unwrap();
    symlink(&elsewhere, world.dir().join("linked")).unwrap();
    let changed = world.snapshot();

    let undone = world.worktree().undo(&["dir/one".into(), "dir/two".into(), "file".into()], &world.patch()).unwrap();
    let linked = world.worktree().undo(&["linked/x".into()], &world.patch()).unwrap();
    assert_eq!(world.snapshot(), before);
    assert_eq!(snapshot(&elsewhere).len(), 1, "somebody else's directory");
    assert_eq!(undone.changes.len(), 6);
    assert_eq!(redone(&world, &[&undone.patch.unwrap(), &linked.patch.unwrap()]), changed);
    assert_eq!(world.status(), "");
}

#[test]
fn ignored_files_are_listed_on_request_and_never_touched() {
    let world = World::new("", &[(".gitignore", "*.log\ntarget/\n")]);
    world.write("a.log", "l");
    world.write("target/deep/x", "t");
    assert_eq!(all(&world), []);
    assert_eq!(world.worktree().ignored().unwrap(), [PathBuf::from("a.log"), "target".into()]);
    assert_eq!(world.undo_all(), None);
    assert!(world.dir().join("a.log").exists());
}

#[test]
fn a_repository_within_is_moved_aside_whole() {
    let world = World::new("", &[("a", "a")]);
    for name in ["empty", "full"] {
        let inner = world.dir().join("vendor").join(name);
        write(&inner.join("file"), name);
        sh_git(&inner, &["init", "--quiet"]);
    }
    let full = world.dir().join("vendor/full");
    sh_git(&full, &["add", "-A"]);
    sh_git(&full, &["commit", "--quiet", "-m", "inner"]);
    assert_eq!(all(&world), kinds(&[("vendor/empty", Kind::Repository), ("vendor/full", Kind::Repository)]));
    let undone = world.undo_all().unwrap();
    assert_eq!((undone.patch, undone.aside.len(), undone.changes.len()), (None, 2, 2));
    for (from, to) in undone.aside {
        assert!(!world.dir().join(&from).exists());
        assert_eq!(fs::read_to_string(to.join("file")).unwrap(), from.file_name().unwrap().to_str().unwrap());
        assert!(to.join(".git").is_dir());
    }
    assert_eq!(world.undo_all(), None);
}

#[test]
fn submodules_are_not_looked_into_and_not_touched() {
    let world = World::prepared("", |repo| {
        let inner = repo.parent().unwrap().join("inner");
        write(&inner.join("file"), "f");
        sh_git(&inner, &["init", "--quiet"]);
        sh_git(&inner, &["add", "-A"]);
        sh_git(&inner, &["commit", "--quiet", "-m", "inner"]);
        let inner = inner.to_str().unwrap();
        for path in ["sub", "other"] {
            sh_git(repo, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, path]);
        }
    });
    assert_eq!(all(&world), []);
    sh_git(&world.root, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "sub"]);
    let sub = world.dir().join("sub");
    write(&sub.join("file"), "changed");
    assert_eq!(all(&world), [], "that is the submodule's own affair");
    sh_git(&sub, &["commit", "--quiet", "-a", "-m", "moved"]);
    fs::remove_dir(world.dir().join("other")).unwrap();
    world.write("other", "a file");
    let undone = world.undo_all().unwrap();
    assert_eq!(undone.left.into_iter().map(shown).collect::<Vec<_>>(), kinds(&[("sub", Kind::Submodule)]));
    assert_eq!(undone.changes.into_iter().map(shown).collect::<Vec<_>>(), kinds(&[("other", Kind::TypeChanged)]));
    assert_eq!(fs::read_to_string(sub.join("file")).unwrap(), "changed");
    assert!(world.dir().join("other").is_dir());
}

/// Nothing in the tree decides which repository is meant.
#[test]
fn a_repository_that_an_agent_made_is_not_taken_for_ours() {
    let world = World::new("work", &[("work/a", "a"), ("top", "t")]);
    sh_git(world.dir(), &["init", "--quiet"]);
    fs::remove_file(world.root.join(".git")).unwrap();
    sh_git(&world.root, &["init", "--quiet"]);
    world.write("a", "changed");
    assert_eq!(all(&world), kinds(&[("a", Kind::Modified)]));
    world.worktree().undo(&["a".into()], &world.patch()).unwrap();
    assert_eq!(fs::read_to_string(world.dir().join("a")).unwrap(), "a");
}

/// Git writes a file as the attributes say that are on disk.
#[test]
fn attributes_are_set_back_before_what_they_apply_to() {
    let world = World::new("", &[(".gitattributes", "# none\n"), ("!a", "1\n2\n"), ("d/z", "1\n2\n")]);
    let before = world.snapshot();
    world.write(".gitattributes", "* text eol=crlf\n");
    world.write("d/.gitattributes", "* text eol=crlf\n");
    world.write("!a", "changed\n");
    world.write("d/z", "changed\n");
    assert!(world.undo_all().unwrap().left.is_empty());
    assert_eq!(world.snapshot(), before);
}

#[test]
fn the_users_settings_of_git_change_nothing() {
    let world = World::new("", &[("a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n"), ("b", "b")]);
    for (name, value) in [
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.external", "false"),
        ("diff.renames", "copies"),
        ("diff.context", "0"),
        ("status.showStash", "true"),
        ("status.branch", "true"),
        ("status.short", "true"),
        ("status.showUntrackedFiles", "no"),
        ("core.ignoreStat", "true"),
        ("core.quotePath", "false"),
    ] {
        sh_git(&world.repo, &["config", name, value]);
    }
    write(&world.repo.join("b"), "stashed");
    sh_git(&world.repo, &["stash", "-q"]);
    world.repository.main_checkout().unwrap();
    let before = world.snapshot();
    fs::rename(world.dir().join("b"), world.dir().join("new\nname")).unwrap();
    world.write("a", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n");
    let changed = world.snapshot();
    let expected = kinds(&[("a", Kind::Modified), ("b", Kind::Deleted), ("new\nname", Kind::Added)]);
    assert_eq!(all(&world), expected);
    let undone = world.undo_all().unwrap();
    assert_eq!(world.snapshot(), before);
    assert_eq!(redone(&world, &[&undone.patch.unwrap()]), changed);
}

#[test]
fn what_a_sparse_checkout_leaves_out_was_not_deleted() {
    let world = World::new("", &[("in/a", "a"), ("out/b", "b"), ("out/c", "c")]);
    sh_git(&world.root, &["sparse-checkout", "set", "in"]);
    assert!(!world.dir().join("out").exists());
    assert_eq!(all(&world), []);
    world.write("out/b", "changed");
    fs::remove_file(world.dir().join("in/a")).unwrap();
    assert_eq!(all(&world), kinds(&[("in/a", Kind::Deleted), ("out/b", Kind::Modified)]));
}

#[test]
fn no_patch_is_ever_written_over() {
    let world = World::new("", &[("a", "a")]);
    let mut patches = Vec::new();
    for contents in ["one", "two", "three"] {
        world.write("a", contents);
        patches.push(world.worktree().undo(&["a".into()], &world.patch()).unwrap().patch.unwrap());
    }
    let names: Vec<_> = patches.iter().map(|patch| patch.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["patch.patch", "patch-2.patch", "patch-3.patch"]);
    assert!(fs::read_to_string(&patches[1]).unwrap().contains("+two"));
    assert_eq!(fs::read_dir(world.patch().parent().unwrap()).unwrap().count(), 3);
}

#[test]
fn nothing_is_undone_that_could_not_be_kept() {
    let world = World::new("", &[("a", "a")]);
    world.write("a", "changed");
    write(&world.home.path().join("spec"), "a file where a directory has to be");
    world.worktree().undo(&["a".into()], &world.patch()).unwrap_err();
    assert_eq!(fs::read_to_string(world.dir().join("a")).unwrap(), "changed");
}

#[test]
fn what_was_not_named_stays() {
    let world = World::new("", &[("a", "a"), ("ab", "ab"), ("d/x", "x")]);
    for path in ["a", "ab", "d/x", "d/new"] {
        world.write(path, "changed");
    }
    assert_eq!(world.worktree().undo(&["nothing".into()], &world.patch()).unwrap(), Undone::default());
    world.worktree().undo(&["a".into(), "d/new".into()], &world.patch()).unwrap();
    assert_eq!(all(&world), kinds(&[("ab", Kind::Modified), ("d/x", Kind::Modified)]));
}

/// A git that was killed leaves its lock on the index of our own, and perhaps half an index.
#[test]
fn what_a_killed_git_left_of_the_index_is_no_obstacle() {
    let world = World::new("", &[("a", "a")]);
    assert_eq!(all(&world), []);
    let git_dir = PathBuf::from(sh_git(&world.root, &["rev-parse", "--absolute-git-dir"]));
    fs::write(git_dir.join("cco-index.lock"), "").unwrap();
    fs::write(git_dir.join("cco-index"), "half").unwrap();
    world.write("a", "changed");
    assert_eq!(all(&world), kinds(&[("a", Kind::Modified)]));
}

#[test]
fn callers_in_parallel_take_turns() {
    let files: Vec<_> = (0..4).map(|n| (format!("own-{n}"), "old")).collect();
    let files: Vec<_> = files.iter().map(|(path, contents)| (path.as_str(), *contents)).collect();
    let world = World::new("", &files);
    std::thread::scope(|scope| {
        let world = &world;
        for (name, _) in &files {
            scope.spawn(move || {
                for round in 0..3 {
                    world.write(name, &format!("round {round}"));
                    assert!(world.worktree().uncommitted().unwrap().iter().any(|it| it.path == Path::new(name)));
                    let undone = world.worktree().undo(&[name.into()], &world.patch()).unwrap();
                    assert_eq!((undone.changes.len(), undone.left.len()), (1, 0));
                    assert_eq!(fs::read_to_string(world.dir().join(name)).unwrap(), "old");
                }
            });
        }
    });
    assert_eq!(fs::read_dir(world.patch().parent().unwrap()).unwrap().count(), 12);
}

/// What a path may be in the last commit, and what an agent may make of it.
fn contents() -> impl Strategy<Value = Vec<Option<u8>>> {
    proptest::collection::vec(proptest::option::of(0_u8..4), NAMES.len())
}

const NAMES: [&[u8]; 6] = [b"a", b"a/b", b"a/b/c", b"a b", b"\xff", b"z/-q"];

fn make(root: &Path, contents: &[Option<u8>]) {
    for (name, what) in NAMES.iter().zip(contents) {
        let path = root.join(bytes(name));
        let Some(what) = what else { continue };
        // What is there already decides what can be put below it.
        if fs::symlink_metadata(&path).is_ok() || fs::create_dir_all(path.parent().unwrap()).is_err() {
            continue;
        }
        match what {
            0 => fs::write(&path, "text\n").unwrap(),
            1 => fs::write(&path, b"\0\xff").unwrap(),
            2 => symlink("z", &path).unwrap(),
            _ => {
                fs::write(&path, "text\n").unwrap();
                make_executable(&path);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever became of the files: undone, they are as they were, and the patch makes them so again.
    #[test]
    fn undoing_and_redoing_are_opposites(old in contents(), new in contents()) {
        let world = World::prepared("", |repo| make(repo, &old));
        let before = world.snapshot();
        for entry in fs::read_dir(&world.root).unwrap() {
            let path = entry.unwrap().path();
            match fs::symlink_metadata(&path).unwrap() {
                about if about.is_dir() => fs::remove_dir_all(path).unwrap(),
                _ if path.ends_with(".git") => {}
                _ => fs::remove_file(path).unwrap(),
            }
        }
        make(&world.root, &new);
        let after = world.snapshot();
        let undone = world.undo_all().unwrap_or_default();
        prop_assert_eq!(world.snapshot(), before);
        prop_assert!(undone.left.is_empty());
        let patches: Vec<_> = undone.patch.iter().map(PathBuf::as_path).collect();
        prop_assert_eq!(redone(&world, &patches), after);
    }
}
