//! The integration branch: moved by compare-and-swap, with commits that are found again; and what the user wrote.

use std::fs;

use cco::tree::{Repository, TreeError, landing_message};

use super::world::{SPEC, sh_git, write};
use super::yard::{Yard, attempt, commit, on};

fn landed(repository: &Repository, tree: &str, name: &str, n: u32) -> String {
    let message = landing_message(SPEC, &attempt(name, n), "it works\nCco-Attempt: forged.implement-1");
    repository.land(tree, &repository.tip().unwrap(), &message).unwrap().unwrap()
}

#[test]
fn one_commit_lands_and_is_found_again() {
    let yard = Yard::new("", &[("a", "a")]);
    let base = yard.repository.base().to_owned();
    let worktree = yard.set_up("auth");
    write(&yard.root("auth").join("a"), "1");
    commit(&worktree, "auth");
    write(&yard.root("auth").join("b"), "2");
    commit(&worktree, "auth");
    let tree = worktree.tree().unwrap();
    let one = landed(&yard.repository, &tree, "auth", 1);
    assert_eq!(yard.repository.tip().unwrap(), one);
    assert_eq!(sh_git(&yard.repo, &["log", "-1", "--format=%P %T", &one]), format!("{base} {tree}"));
    let message = sh_git(&yard.repo, &["log", "-1", "--format=%B", &one]);
    assert_eq!(message, "auth: it works\n\nCco-Spec: p/s\nCco-Component: auth\nCco-Attempt: auth.implement-1");
    let eleven = landed(&yard.repository, &tree, "auth", 11);
    let find = |name: &str, n, since: &str| yard.repository.landed(&attempt(name, n), since).unwrap();
    assert_eq!(find("auth", 1, &base), Some(one.clone()));
    assert_eq!(find("auth", 11, &base), Some(eleven));
    assert_eq!(find("auth", 1, &one), None, "not since");
    for (name, n) in [("auth", 2), ("forged", 1), ("a.th", 1), ("uth", 1)] {
        assert_eq!(find(name, n, &base), None);
    }
    // Also where only somebody's words say it.
    let words = "subject\n\nCco-Attempt: told.implement-1\n\nCco-Spec: p/s\n";
    yard.repository.land(&tree, &yard.repository.tip().unwrap(), words).unwrap().unwrap();
    assert_eq!(find("told", 1, &base), None);
}

#[test]
fn it_lands_only_where_it_was_checked() {
    let yard = Yard::new("", &[("a", "a")]);
    let base = yard.repository.base().to_owned();
    let tree = yard.repository.tree_of(&base).unwrap();
    let first = yard.repository.land(&tree, &base, "first").unwrap().unwrap();
    assert_eq!(yard.repository.land(&tree, &base, "too late").unwrap(), None);
    assert_eq!(yard.repository.tip().unwrap(), first);
    // Of many at once exactly one.
    let made: Vec<_> = std::thread::scope(|scope| {
        let land = |n: u32| yard.repository.land(&tree, &first, &n.to_string()).unwrap();
        let all: Vec<_> = (0..8).map(|n| scope.spawn(move || land(n))).collect();
        all.into_iter().filter_map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(made, [yard.repository.tip().unwrap()]);
    assert!(yard.repository.land(&tree, "nothing", "x").is_err());
    sh_git(&yard.repo, &["update-ref", "-d", "refs/heads/cco/spec"]);
    assert_eq!(yard.repository.land(&tree, &first, "gone").unwrap(), None);
    assert!(yard.repository.tip().is_err());
}

#[test]
fn a_user_who_switched_to_the_branch_is_not_surprised() {
    let mut yard = Yard::new("", &[("a", "a")]);
    let base = yard.repository.base().to_owned();
    sh_git(&yard.repo, &["switch", "-q", "cco/spec"]);
    yard.users_did();
    let refused = yard.repository.land(&yard.repository.tree_of(&base).unwrap(), &base, "x").unwrap_err();
    assert!(matches!(refused, TreeError::CheckedOut { .. }), "{refused}");
    assert_eq!(yard.repository.tip().unwrap(), base);
}

#[test]
fn commits_are_kept_by_name_and_forgotten() {
    let yard = Yard::new("", &[("a", "a")]);
    let repository = &yard.repository;
    let base = repository.base().to_owned();
    let tip = repository.land(&repository.tree_of(&base).unwrap(), &base, "x").unwrap().unwrap();
    for name in ["tip/auth", "best/auth/1", "history/2026"] {
        repository.keep(name, &base).unwrap();
    }
    repository.keep("tip/auth", &tip).unwrap();
    repository.forget("history/2026").unwrap();
    repository.forget("history/2026").unwrap();
    let kept: Vec<_> = repository.kept().unwrap().into_iter().map(|it| (it.name, it.commit)).collect();
    assert_eq!(kept, [("best/auth/1".to_owned(), base.clone()), ("tip/auth".to_owned(), tip.clone())]);
    yard.set_up("auth").keep("best/auth/1", "HEAD").unwrap();
    assert_eq!(repository.kept().unwrap()[0].commit, tip);
    assert!(repository.keep("../../heads/other", &base).is_err());
    assert!(repository.keep("tip/none", "no commit").is_err());
    assert_eq!(repository.merge_base(&base, &tip).unwrap(), Some(base.clone()));
    assert!(repository.is_ancestor(&base, &tip).unwrap() && !repository.is_ancestor(&tip, &base).unwrap());
    assert!(repository.is_ancestor("nothing", &tip).is_err());
}

#[test]
fn the_users_work_is_adopted_as_theirs() {
    let yard = Yard::new("w", &[("w/a", "a"), ("b", "b"), ("gone", "g"), (".gitignore", "*.log\n")]);
    let worktree = yard.set_up("auth");
    let root = yard.root("auth");
    assert_eq!(worktree.adopt(SPEC, &on("auth"), "").unwrap(), None);
    write(&root.join("w/a"), "theirs");
    write(&root.join("it's \"new\"\n"), "new");
    write(&root.join("x.log"), "ignored");
    fs::remove_file(root.join("gone")).unwrap();
    fs::create_dir(root.join("repository")).unwrap();
    sh_git(&root.join("repository"), &["init", "-q"]);
    let made = worktree.adopt(SPEC, &on("auth"), "mended by hand").unwrap().unwrap();
    assert_eq!(worktree.head().unwrap(), made);
    assert_eq!(worktree.uncommitted().unwrap().len(), 1, "the repository");
    assert_eq!(worktree.differing("HEAD^", &made).unwrap().len(), 3);
    let message = sh_git(&root, &["log", "-1", "--format=%B"]);
    let expected = "auth by the user: mended by hand\n\nCco-Spec: p/s\nCco-Component: auth\nCco-By: user";
    assert_eq!(message, expected);
    assert!(root.join("x.log").exists());
    fs::remove_dir_all(root.join("repository")).unwrap();
}
