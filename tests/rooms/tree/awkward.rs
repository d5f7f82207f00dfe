//! Repositories that are not as one thinks of them.

use std::fs;
use std::path::{Path, PathBuf};

use cco::tree::{Merged, landing_message};

use super::world::{SPEC, hostile, sh_git, snapshot, write};
use super::yard::{Yard, assert_exact, attempt, commit, merge, on};

/// Two components from set-up to removal; the second has to catch up with the first.
fn live(yard: &Yard) {
    let (one, two) = (yard.set_up("one"), yard.set_up("two"));
    for (name, worktree) in [("one", &one), ("two", &two)] {
        assert_eq!(worktree.uncommitted().unwrap(), [], "{name}");
        assert_exact(&yard.root(name), yard.repository.base());
        write(&worktree.dir().join(format!("made by {name}")), "line\r\nline\n");
        write(&worktree.dir().join("shared"), &format!("{name}\n"));
        commit(worktree, name);
        assert_eq!(worktree.uncommitted().unwrap(), [], "{name}");
    }
    let land = |name: &str, onto: &str, tree: &str| {
        let message = landing_message(SPEC, &attempt(name, 1), "done");
        yard.repository.land(tree, onto, &message).unwrap().unwrap()
    };
    let tip = land("one", yard.repository.base(), &one.tree().unwrap());
    let Merged::Conflicts { files, .. } = merge(&two, "two", &tip).unwrap() else { panic!("a conflict") };
    assert_eq!(two.marked(&files).unwrap(), [PathBuf::from("shared")]);
    write(&two.dir().join("shared"), "both\n");
    commit(&two, "two");
    assert_eq!(two.uncommitted().unwrap(), []);
    let tip = land("two", &tip, &two.tree().unwrap());
    one.position(&tip).unwrap();
    assert_eq!(fs::read_to_string(one.dir().join("shared")).unwrap().trim_end(), "both");
    assert_exact(&yard.root("one"), &tip);
    assert_eq!(yard.repository.worktrees().unwrap().iter().filter(|it| it.uncommitted || it.ignored).count(), 0);
    for name in ["one", "two"] {
        yard.repository.remove(&on(name)).unwrap();
    }
    assert_eq!(yard.registered(), Vec::<PathBuf>::new());
    let checked = sh_git(&yard.repo, &["fsck", "--connectivity-only", "--no-dangling"]);
    assert_eq!(checked, "");
}

#[test]
fn a_directory_of_it_is_worked_on() {
    live(&Yard::new("a b/c", &[("a b/c/x", "x"), ("top", "t")]));
}

#[test]
fn a_directory_that_git_does_not_know_is_worked_on() {
    live(&Yard::new("empty", &[("top", "t")]));
}

#[test]
fn a_linked_worktree_is_worked_on() {
    let home = tempfile::tempdir().unwrap();
    let main = home.path().join("main");
    sh_git(home.path(), &["init", "-q", "-b", "main", "main"]);
    write(&main.join("w/x"), "x");
    sh_git(&main, &["add", "-A"]);
    sh_git(&main, &["commit", "-q", "-m", "base"]);
    let linked = home.path().join("one");
    sh_git(&main, &["worktree", "add", "-q", "-b", "feature", linked.to_str().unwrap()]);
    let before = super::yard::users(&main);
    let yard = Yard::of(home, &linked, "w");
    live(&yard);
    assert_eq!(super::yard::users(&main), before);
    assert!(linked.join(".git").exists(), "of the same name as a component");
}

#[test]
fn a_submodule_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let library = home.path().join("library");
    sh_git(home.path(), &["init", "-q", "library"]);
    write(&library.join("l"), "l");
    sh_git(&library, &["add", "-A"]);
    sh_git(&library, &["commit", "-q", "-m", "l"]);
    let yard = Yard::prepared("", |repo| {
        let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
        sh_git(repo, &[&add[..], &[library.to_str().unwrap(), "lib"]].concat());
        sh_git(repo, &["config", "submodule.recurse", "true"]);
    });
    live(&yard);
    assert!(yard.repo.join("lib/l").exists());
}

#[test]
fn a_sparse_checkout_stays_one() {
    let yard = Yard::prepared("in", |repo| {
        write(&repo.join("in/x"), "x");
        write(&repo.join("out/y"), "y");
        sh_git(repo, &["add", "-A"]);
        sh_git(repo, &["commit", "-q", "-m", "first"]);
        sh_git(repo, &["sparse-checkout", "set", "--cone", "in"]);
    });
    assert!(!yard.repo.join("out").exists());
    live(&yard);
    let worktree = yard.set_up("three");
    assert!(!yard.root("three").join("out").exists());
    let listed = sh_git(worktree.dir(), &["ls-tree", "-r", "--name-only", "--full-tree", "HEAD"]);
    assert!(listed.contains("out/y"), "what is not checked out is not deleted: {listed}");
}

#[test]
fn line_ends_are_converted() {
    let yard = Yard::prepared("", |repo| {
        write(&repo.join("x"), "one\ntwo\n");
        sh_git(repo, &["config", "core.safecrlf", "false"]);
        sh_git(repo, &["config", "core.autocrlf", "true"]);
    });
    live(&yard);
    yard.set_up("three");
    assert_eq!(fs::read_to_string(yard.root("three").join("x")).unwrap(), "one\r\ntwo\r\n");
}

#[test]
fn hooks_do_not_run_and_nothing_is_signed() {
    let home = tempfile::tempdir().unwrap();
    let repo = home.path().join("repo");
    sh_git(home.path(), &["init", "-q", "-b", "main", "repo"]);
    write(&repo.join("x"), "x");
    sh_git(&repo, &["add", "-A"]);
    sh_git(&repo, &["commit", "-q", "-m", "base"]);
    let names = [
        "pre-commit",
        "commit-msg",
        "post-commit",
        "post-checkout",
        "post-merge",
        "pre-merge-commit",
        "reference-transaction",
        "prepare-commit-msg",
        "post-index-change",
        "fsmonitor-watchman",
    ];
    for name in names {
        let hook = repo.join(".git/hooks").join(name);
        write(&hook, &format!("#!/bin/sh\ntest -z \"$CCO_RUN\" || touch '{}/ran'\nexit 1\n", home.path().display()));
        super::world::make_executable(&hook);
    }
    let config = [
        ("commit.gpgSign", "true"),
        ("gpg.program", "/nonexistent"),
        ("user.signingKey", "none"),
        ("tag.gpgSign", "true"),
        ("merge.verifySignatures", "true"),
        ("core.logAllRefUpdates", "always"),
        ("commit.template", "/nonexistent"),
        ("gc.auto", "1"),
        ("commit.verbose", "true"),
        ("merge.ff", "only"),
        ("checkout.defaultRemote", "none"),
    ];
    for (name, value) in config {
        sh_git(&repo, &["-c", "core.hooksPath=/dev/null", "config", name, value]);
    }
    let yard = Yard::of(home, &repo, "");
    live(&yard);
    assert!(!yard.home.path().join("ran").exists(), "a hook ran");
}

#[test]
fn file_names_are_bytes() {
    let yard = Yard::prepared("w", |repo| {
        write(&repo.join("w/x"), "x");
        hostile().iter().for_each(|name| write(&repo.join("w").join(name), "x"));
    });
    live(&yard);
    let worktree = yard.set_up("three");
    let base = worktree.head().unwrap();
    hostile().iter().for_each(|name| write(&worktree.dir().join(name), "changed"));
    assert_eq!(worktree.uncommitted().unwrap().len(), hostile().len());
    worktree.adopt(SPEC, &on("three"), "").unwrap().unwrap();
    worktree.position(&base).unwrap();
    let files = snapshot(worktree.dir());
    assert!(hostile().iter().all(|name| files[name].ends_with(" x")));
}

#[test]
fn the_user_is_on_no_branch() {
    let mut yard = Yard::new("", &[("a", "a")]);
    sh_git(&yard.repo, &["checkout", "-q", "--detach"]);
    yard.users_did();
    live(&yard);
}

#[test]
fn a_filter_that_cannot_be_run_is_told() {
    let home = tempfile::tempdir().unwrap();
    let repo = home.path().join("repo");
    sh_git(home.path(), &["init", "-q", "-b", "main", "repo"]);
    write(&repo.join("a.bin"), "pointer");
    write(&repo.join("0 plain"), "p");
    sh_git(&repo, &["add", "-A"]);
    sh_git(&repo, &["commit", "-q", "-m", "base"]);
    write(&repo.join(".gitattributes"), "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    sh_git(&repo, &["add", ".gitattributes"]);
    sh_git(&repo, &["commit", "-q", "-m", "attributes"]);
    let config = repo.join(".git/config");
    let without = fs::read(&config).unwrap();
    for (name, program) in [("clean", "no-such-lfs clean %f"), ("smudge", "no-such-lfs smudge %f")] {
        sh_git(&repo, &["config", &format!("filter.lfs.{name}"), program]);
    }
    sh_git(&repo, &["config", "filter.lfs.required", "true"]);
    let with = fs::read(&config).unwrap();
    let mut yard = Yard::of(home, &repo, "");
    let base = yard.repository.base().to_owned();
    let said = yard.repository.set_up(&on("auth"), &base).unwrap_err().to_string();
    assert!(said.contains("lfs") && said.contains("a.bin"), "{said}");
    assert!(yard.repository.worktree(&on("auth")).unwrap().is_none());
    assert_eq!(yard.registered(), Vec::<PathBuf>::new());
    // Mended, all goes on; broken again in the middle, nothing is lost.
    fs::write(&config, &without).unwrap();
    yard.users_did();
    live(&yard);
    let worktree = yard.set_up("auth");
    let root = yard.root("auth");
    write(&root.join("a.bin"), "another");
    write(&root.join("0 plain"), "another");
    let work = commit(&worktree, "auth");
    worktree.position(&base).unwrap();
    // Told apart from the clean filter, without which git cannot even look.
    fs::write(&config, String::from_utf8(with).unwrap().replace("no-such-lfs clean %f", "cat")).unwrap();
    let before = snapshot(&root);
    let said = worktree.position(&work).unwrap_err().to_string();
    assert!(said.contains("smudge filter lfs failed"), "{said}");
    assert_eq!(fs::read_to_string(root.join("0 plain")).unwrap(), "another", "failed in the middle");
    fs::write(&config, &without).unwrap();
    let worktree = yard.again().worktree(&on("auth")).unwrap().unwrap();
    assert_eq!((snapshot(&root), worktree.head().unwrap()), (before, base));
    worktree.position(&work).unwrap();
    assert_exact(&root, &work);
}

#[test]
fn two_thousand_files() {
    live(&Yard::prepared("", |repo: &Path| {
        for n in 0..2000 {
            write(&repo.join(format!("d{}/{n}", n % 40)), &n.to_string());
        }
    }));
}

#[test]
fn refs_are_kept_in_another_form() {
    let home = tempfile::tempdir().unwrap();
    let repo = home.path().join("repo");
    sh_git(home.path(), &["init", "-q", "-b", "main", "--ref-format=reftable", "repo"]);
    write(&repo.join("x"), "x");
    sh_git(&repo, &["add", "-A"]);
    sh_git(&repo, &["commit", "-q", "-m", "base"]);
    live(&Yard::of(home, &repo, ""));
}
