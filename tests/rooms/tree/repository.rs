//! Opening a repository: what is found, made, and refused.

use std::fs;
use std::path::Path;

use cco::tree::{Repository, TreeError};

use super::world::{BRANCH, SPEC, World, git, open, place, sh_git, write};
use super::yard::{Yard, on, users};

fn refused(work_dir: &Path, home: &Path) -> TreeError {
    open(home, work_dir, None).err().unwrap()
}

#[test]
fn the_branch_is_made_once_and_checked_out_nowhere() {
    let yard = Yard::new("", &[("a", "a")]);
    let base = sh_git(&yard.repo, &["rev-parse", "HEAD"]);
    assert_eq!((yard.repository.branch(), yard.repository.base()), (BRANCH, base.as_str()));
    assert_eq!(yard.repository.tip().unwrap(), base);
    assert!(!sh_git(&yard.repo, &["worktree", "list", "--porcelain"]).contains(BRANCH));
    let tip = yard.repository.land(&yard.repository.tree_of(&base).unwrap(), &base, "x").unwrap().unwrap();
    assert_eq!(yard.again().tip().unwrap(), tip);
    // A branch that a run without a record left is taken up, one with work on it is somebody else's.
    let taken = refused(&yard.repo, yard.home.path());
    assert!(matches!(taken, TreeError::BranchTaken(_)), "{taken}");
    sh_git(&yard.repo, &["update-ref", "refs/heads/cco/spec", &base]);
    assert!(open(yard.home.path(), &yard.repo, None).is_ok());
    sh_git(&yard.repo, &["update-ref", "-d", "refs/heads/cco/spec"]);
    assert_eq!(yard.again().tip().unwrap(), base);
}

#[test]
fn what_cannot_be_worked_with_is_told() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let missing = refused(&at("missing"), home.path());
    assert!(matches!(missing, TreeError::NoWorkDir(_)), "{missing}");
    fs::create_dir(at("plain")).unwrap();
    let none = refused(&at("plain"), home.path());
    assert!(matches!(none, TreeError::NoRepository(_)), "{none}");
    sh_git(home.path(), &["init", "-q", "unborn"]);
    let unborn = refused(&at("unborn"), home.path());
    assert!(matches!(unborn, TreeError::Unborn(_)), "{unborn}");
    sh_git(home.path(), &["init", "-q", "--bare", "bare.git"]);
    let bare = refused(&at("bare.git"), home.path());
    assert!(matches!(bare, TreeError::Bare(_)) && bare.to_string().contains("help:"), "{bare}");
    write(&at("broken/.git/HEAD"), "nonsense");
    let broken = refused(&at("broken"), home.path());
    assert!(matches!(broken, TreeError::Unusable { .. }), "{broken}");
    let yard = Yard::new("", &[("a", "a")]);
    let mut place = place(home.path(), &yard.repo, None);
    place.base = Some("nothing".to_owned());
    let no_base = Repository::open(git(), &place, SPEC).err().unwrap();
    assert!(matches!(no_base, TreeError::NoBase(_)), "{no_base}");
}

#[test]
fn a_branch_that_the_user_has_checked_out_is_refused() {
    let mut yard = Yard::new("", &[("a", "a")]);
    let base = Some(yard.repository.base().to_owned());
    let elsewhere = yard.home.path().join("else where");
    sh_git(&yard.repo, &["worktree", "add", "-q", elsewhere.to_str().unwrap(), BRANCH]);
    let said = open(yard.home.path(), &yard.repo, base.clone()).err().unwrap();
    assert!(matches!(&said, TreeError::CheckedOut { dir, .. } if dir.ends_with("else where")), "{said}");
    // One that is gone is nobody's.
    fs::remove_dir_all(&elsewhere).unwrap();
    assert!(open(yard.home.path(), &yard.repo, base.clone()).is_ok());
    sh_git(&yard.repo, &["worktree", "prune"]);
    sh_git(&yard.repo, &["switch", "-q", BRANCH]);
    yard.users_did();
    let said = open(yard.home.path(), &yard.repo, base).err().unwrap();
    assert!(matches!(&said, TreeError::CheckedOut { .. }), "{said}");
}

/// A run of an earlier version left its worktree on the branch, with work in it.
#[test]
fn an_older_worktree_is_detached_where_it_is() {
    let world = World::new("w", &[("w/a", "a"), ("w/b", "b"), (".gitignore", "*.log\n")]);
    let base = world.head();
    sh_git(&world.root, &["checkout", "--quiet", BRANCH]);
    world.write("a", "committed");
    let tip = world.commit("x");
    world.write("b", "not committed");
    world.write("new", "untracked");
    world.write("x.log", "ignored");
    sh_git(&world.root, &["add", "w/new"]);
    let (before, status) = (world.snapshot(), world.status());
    let user = users(&world.repo);
    let git_dir = sh_git(&world.root, &["rev-parse", "--absolute-git-dir"]);
    write(&Path::new(&git_dir).join("HEAD.lock"), "");
    let repository = open(world.home.path(), &world.repo.join("w"), Some(base)).unwrap();
    let worktree = repository.worktree(&on("@run")).unwrap().unwrap();
    assert_eq!(worktree.dir(), world.dir());
    assert_eq!((worktree.head().unwrap(), repository.tip().unwrap()), (tip.clone(), tip.clone()));
    assert_eq!((world.snapshot(), world.status()), (before, status));
    assert_eq!(worktree.moved_since(&tip).unwrap(), None);
    assert_eq!(worktree.uncommitted().unwrap().len(), 2);
    assert_eq!(users(&world.repo), user);
}
