//! Moving a worktree to another commit: exactly, and never over what no commit holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cco::tree::TreeError;
use proptest::prelude::*;

use super::world::{make_executable, sh_git, snapshot, write};
use super::yard::{Yard, assert_exact, commit, on};

/// Two commits that differ in every way, and where each is.
fn two(yard: &Yard) -> (String, String) {
    let worktree = yard.set_up("auth");
    let root = yard.root("auth");
    let old = worktree.head().unwrap();
    write(&root.join("edited"), "new contents");
    fs::remove_file(root.join("gone")).unwrap();
    write(&root.join("came"), "came");
    make_executable(&root.join("mode"));
    fs::remove_file(root.join("file")).unwrap();
    write(&root.join("file/now a directory"), "x");
    fs::remove_dir_all(root.join("dir")).unwrap();
    write(&root.join("dir"), "now a file");
    let new = commit(&worktree, "auth");
    (old, new)
}

const FILES: [(&str, &str); 7] = [
    ("edited", "e"),
    ("gone", "g"),
    ("kept", "k"),
    ("mode", "m"),
    ("file", "f"),
    ("dir/x", "x"),
    (".gitignore", "*.log\n"),
];

#[test]
fn files_become_exactly_the_commit_and_others_stay() {
    let yard = Yard::new("", &FILES);
    let (old, new) = two(&yard);
    let root = yard.root("auth");
    let worktree = yard.repository.worktree(&on("auth")).unwrap().unwrap();
    let at_new = snapshot(&root);
    write(&root.join("untracked"), "u");
    write(&root.join("x.log"), "ignored");
    // What an agent staged, and told git to overlook.
    write(&root.join("staged"), "s");
    sh_git(&root, &["add", "staged"]);
    sh_git(&root, &["update-index", "--assume-unchanged", "kept"]);
    for (commit, other) in [(&old, &new), (&new, &old), (&new, &new)] {
        worktree.position(commit).unwrap();
        assert_exact(&root, commit);
        for (path, contents) in [("untracked", "u"), ("x.log", "ignored"), ("staged", "s")] {
            assert_eq!(fs::read_to_string(root.join(path)).unwrap(), contents);
        }
        assert!(worktree.moved_since(commit).unwrap().is_none());
        assert!(commit == other || worktree.moved_since(other).unwrap().is_some());
    }
    for path in ["untracked", "x.log", "staged"] {
        fs::remove_file(root.join(path)).unwrap();
    }
    assert_eq!(snapshot(&root), at_new);
}

#[test]
fn what_no_commit_holds_is_never_overwritten() {
    type Change = fn(&Path);
    let cases: [(&str, Change); 9] = [
        ("edited", |root| write(&root.join("edited"), "mine")),
        ("kept", |root| write(&root.join("kept"), "mine, and the same in both commits")),
        ("kept", |root| fs::remove_file(root.join("kept")).unwrap()),
        ("kept", |root| make_executable(&root.join("kept"))),
        ("kept", |root| {
            sh_git(root, &["update-index", "--assume-unchanged", "kept"]);
            write(&root.join("kept"), "hidden");
        }),
        ("came", |root| write(&root.join("came"), "untracked and in the way")),
        ("came/x", |root| write(&root.join("came/x"), "a directory in the way")),
        ("dir/other", |root| write(&root.join("dir/other"), "keeps a directory there")),
        ("came", |root| {
            write(&root.join("came"), "ignored and in the way");
            let exclude = sh_git(root, &["rev-parse", "--path-format=absolute", "--git-path", "info/exclude"]);
            write(Path::new(&exclude), "came\n");
        }),
    ];
    for (path, change) in cases {
        let yard = Yard::new("", &FILES);
        let (old, new) = two(&yard);
        let root = yard.root("auth");
        let worktree = yard.repository.worktree(&on("auth")).unwrap().unwrap();
        worktree.position(&old).unwrap();
        change(&root);
        let before = snapshot(&root);
        let refused = worktree.position(&new).unwrap_err();
        assert!(matches!(&refused, TreeError::Uncommitted(it) if it == Path::new(path)), "{path}: {refused}");
        assert_eq!((snapshot(&root), worktree.head().unwrap()), (before, old), "{path}");
    }
}

#[test]
fn what_an_agent_committed_is_taken_back() {
    let yard = Yard::new("", &FILES);
    let worktree = yard.set_up("auth");
    let root = yard.root("auth");
    let head = worktree.head().unwrap();
    assert_eq!(worktree.moved_since(&head).unwrap(), None);
    // The branch moves on without it.
    let tree = yard.repository.tree_of(&head).unwrap();
    yard.repository.land(&tree, &head, "somebody else's").unwrap().unwrap();
    assert_eq!(worktree.moved_since(&head).unwrap(), None);
    sh_git(&root, &["symbolic-ref", "HEAD", "refs/heads/cco/spec"]);
    write(&root.join("edited"), "by the agent");
    let tip = yard.repository.tip().unwrap();
    let moved = worktree.moved_since(&head).unwrap().unwrap();
    assert_eq!(moved.head, tip);
    worktree.take_back(&head).unwrap();
    assert_eq!(worktree.moved_since(&head).unwrap(), None);
    assert_eq!(yard.repository.tip().unwrap(), tip, "the branch is not the worktree's");
    sh_git(&root, &["commit", "-q", "-a", "-m", "by the agent"]);
    assert_eq!(worktree.moved_since(&head).unwrap().unwrap().new.len(), 1);
    worktree.take_back(&head).unwrap();
    assert_eq!(sh_git(&root, &["status", "--porcelain"]), " M edited");
}

/// The files as a move from `old` to `new` that was cut short leaves them: `how` says of each what is there.
fn cut_short(yard: &Yard, old: &str, new: &str, how: &[u8]) {
    let root = yard.root("auth");
    let worktree = yard.repository.worktree(&on("auth")).unwrap().unwrap();
    worktree.position(new).unwrap();
    let after = contents(&root);
    worktree.position(old).unwrap();
    let git_dir = PathBuf::from(sh_git(&root, &["rev-parse", "--absolute-git-dir"]));
    write(&git_dir.join("cco-moving"), new);
    write(&git_dir.join("index.lock"), "half");
    for (path, how) in ["edited", "gone", "came", "mode"].iter().zip(how) {
        let (at, new) = (root.join(path), after.get(Path::new(path)));
        match (how % 4, new) {
            // Not yet.
            (0, _) => {}
            // Already.
            (1, Some(new)) => fs::write(at, new).unwrap(),
            // Half.
            (2, Some(new)) => fs::write(at, &new[..new.len() / 2]).unwrap(),
            (_, None) | (3.., _) => drop(fs::remove_file(at)),
        }
    }
}

fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    snapshot(root).into_keys().map(|path| (path.clone(), fs::read(root.join(path)).unwrap())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_move_that_was_cut_short_is_gone_on_from(how in prop::collection::vec(0_u8..4, 4)) {
        let yard = Yard::new("", &FILES);
        let (old, new) = two(&yard);
        let root = yard.root("auth");
        cut_short(&yard, &old, &new, &how);
        let worktree = yard.again().worktree(&on("auth")).unwrap().unwrap();
        assert_exact(&root, &old);
        prop_assert_eq!(worktree.uncommitted().unwrap(), []);
        worktree.position(&new).unwrap();
        assert_exact(&root, &new);
        cut_short(&yard, &old, &new, &how);
        drop(yard.again());
        worktree.position(&new).unwrap();
        assert_exact(&root, &new);
        prop_assert_eq!(worktree.uncommitted().unwrap(), []);
    }
}

#[test]
fn what_somebody_wrote_after_the_crash_is_kept() {
    let yard = Yard::new("", &FILES);
    let (old, new) = two(&yard);
    let root = yard.root("auth");
    cut_short(&yard, &old, &new, &[1, 1, 1, 1]);
    write(&root.join("edited"), "precious");
    write(&root.join("kept"), "also");
    let worktree = yard.again().worktree(&on("auth")).unwrap().unwrap();
    let patch = fs::read_to_string(yard.worktrees.join(".aside/auth-interrupted.patch")).unwrap();
    assert!(patch.contains("+precious") && !patch.contains("came"), "{patch}");
    assert_eq!(worktree.uncommitted().unwrap().len(), 1, "what the move did not touch is left alone");
    assert_eq!(fs::read_to_string(root.join("kept")).unwrap(), "also");
}

/// Killed meanwhile, git would leave it half written, and it is no part of what is put back.
#[test]
fn a_file_that_is_the_same_in_both_commits_is_not_written_again() {
    use std::os::unix::fs::MetadataExt as _;
    let yard = super::yard::Yard::new("", &[("x", "x"), ("own", "base")]);
    let (one, two) = (yard.set_up("one"), yard.set_up("two"));
    super::world::write(&one.dir().join("x"), "of one");
    super::world::write(&two.dir().join("own"), "of two");
    let tip = super::yard::commit(&one, "one");
    super::yard::commit(&two, "two");
    let about = || std::fs::metadata(two.dir().join("own")).unwrap();
    let written = || (about().ino(), about().ctime(), about().ctime_nsec());
    let before = written();
    super::yard::merge(&two, "two", &tip).unwrap();
    assert_eq!((written(), std::fs::read_to_string(two.dir().join("x")).unwrap()), (before, "of one".to_owned()));
}
