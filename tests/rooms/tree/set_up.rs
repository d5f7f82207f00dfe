//! A worktree for each component: made, found again, removed, whatever a killed run left.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cco::tree::{Bounds, Commit, Owner, State, TreeError, Until};

use super::world::{SPEC, place, sh_git, write};
use super::yard::{Yard, acting, assert_exact, attempt, commit, counting, merge, on};

const FILES: [(&str, &str); 4] = [("w/a", "a"), ("b", "b"), (".gitignore", "target/\n"), ("sub/deep/x y", "x")];

#[test]
fn each_has_its_own_and_none_is_on_a_branch() {
    let yard = Yard::new("w", &FILES);
    let base = yard.repository.base().to_owned();
    assert!(yard.repository.worktree(&on("auth")).unwrap().is_none());
    // Names that could be taken for something else.
    for name in ["auth", "run", "final", "base", "c", "HEAD", "a.b-c_d", "@run"] {
        let worktree = yard.set_up(name);
        let root = if name == "@run" { yard.worktrees.join("run") } else { yard.root(name) };
        assert_eq!(worktree.dir(), root.join("w"));
        assert_eq!(yard.repository.dir_of(&on(name)), worktree.dir());
        assert_exact(&root, &base);
        assert_eq!(sh_git(&root, &["status", "--porcelain", "--ignored"]), "");
        assert_eq!(worktree.head().unwrap(), base);
        assert_eq!(worktree.tree().unwrap(), yard.repository.tree_of(&base).unwrap());
        assert_eq!(worktree.uncommitted().unwrap(), []);
        assert_eq!(yard.repository.worktree(&on(name)).unwrap().unwrap().dir(), worktree.dir());
    }
    assert_eq!(yard.registered().len(), 8);
    yard.repository.remove(&on("auth")).unwrap();
    assert!(yard.repository.worktree(&on("auth")).unwrap().is_none() && !yard.root("auth").exists());
    assert_eq!(yard.registered().len(), 7);
    yard.repository.remove(&on("auth")).unwrap();
}

#[test]
fn what_is_there_whole_is_kept() {
    let yard = Yard::new("", &FILES);
    let base = yard.repository.base().to_owned();
    let worktree = yard.set_up("auth");
    write(&yard.root("auth").join("b"), "work");
    let tip = commit(&worktree, "auth");
    write(&yard.root("auth").join("new"), "untracked");
    write(&yard.root("auth").join("target/o"), "ignored");
    // The next run finds it as it was left.
    let next = yard.again();
    let found = next.worktree(&on("auth")).unwrap().unwrap();
    assert_eq!((found.head().unwrap(), found.uncommitted().unwrap().len()), (tip.clone(), 1));
    // Set up again, it is positioned; what no commit holds stays.
    next.set_up(&on("auth"), &base).unwrap();
    assert_exact(&yard.root("auth"), &base);
    for path in ["new", "target/o"] {
        assert!(yard.root("auth").join(path).exists(), "{path}");
    }
    write(&yard.root("auth").join("b"), "not committed");
    let refused = next.set_up(&on("auth"), &tip).unwrap_err();
    assert!(matches!(&refused, TreeError::Uncommitted(path) if path == Path::new("b")), "{refused}");
    assert_eq!(fs::read_to_string(yard.root("auth").join("b")).unwrap(), "not committed");
}

/// In one of many, and on no branch.
#[test]
fn whatever_is_done_in_a_worktree_stays_in_it() {
    let yard = Yard::new("w", &[("w/a", "a\n"), ("b", "b\n"), (".gitignore", "*.log\n")]);
    let base = yard.repository.base().to_owned();
    let (worktree, other) = (yard.set_up("auth"), yard.set_up("other"));
    let (root, patch) = (yard.root("auth"), yard.home.path().join("runs/x.patch"));
    let all = |_: &Path| true;
    write(&root.join("w/a"), "work\n");
    let work = commit(&worktree, "auth");
    assert_eq!(worktree.commit_of(&attempt("auth", 1)).unwrap(), Some(work.clone()));
    assert_eq!(worktree.commit_of(&attempt("auth", 2)).unwrap(), None);
    let changes = worktree.changes(&base, Until::Commit(&work), &all, Bounds::default()).unwrap();
    assert_eq!(changes.iter().map(|it| &*it.path).collect::<Vec<_>>(), [Path::new("a")]);
    let diff = worktree.diff_text(&base, &work, &all, 1000).unwrap();
    assert!(diff.text.contains("+work") && diff.files == 1 && diff.whole);
    assert!(worktree.patch_id(&base, &work, &all).unwrap().is_some());

    write(&root.join("b"), "meddled\n");
    write(&root.join("x.log"), "ignored");
    assert_eq!(worktree.ignored().unwrap(), [PathBuf::from("../x.log")]);
    assert_eq!(worktree.undo(&["../b".into()], &patch).unwrap().changes.len(), 1);
    assert!(fs::read_to_string(&patch).unwrap().contains("+meddled"));
    write(&root.join("w/a"), "half\n");
    let left = worktree.put_back(&attempt("auth", 2)).unwrap().unwrap();
    assert_eq!(sh_git(&root, &["show", &format!("{}:w/a", left.kept)]), "half");
    let restored = Commit { spec: SPEC, attempt: &attempt("auth", 3), summary: "back", paths: &[] };
    let made = worktree.restore(State::Of(&base), &all, &restored).unwrap().unwrap();
    assert_exact(&root, &made);
    assert_eq!(worktree.tree().unwrap(), yard.repository.tree_of(&base).unwrap());

    assert_eq!((other.head().unwrap(), yard.repository.tip().unwrap()), (base.clone(), base));
    assert_eq!(other.uncommitted().unwrap(), []);
}

/// Every state in which a killed `set_up` or `remove` can leave files and registration.
#[test]
fn what_is_half_there_is_made_anew() {
    type Break = fn(&Path, &Path);
    let cases: [(&str, Break); 8] = [
        ("registered, no directory", |root, _| fs::remove_dir_all(root).unwrap()),
        ("registered and locked, no directory", |root, git_dir| {
            fs::remove_dir_all(root).unwrap();
            write(&git_dir.join("locked"), "initializing");
        }),
        ("a directory, not registered", |root, git_dir| {
            fs::remove_dir_all(git_dir).unwrap();
            empty_but_link(root);
        }),
        ("registered, nothing checked out", |root, git_dir| {
            fs::remove_file(git_dir.join("index")).unwrap();
            empty_but_link(root);
        }),
        ("half checked out", |root, git_dir| {
            fs::rename(git_dir.join("index"), git_dir.join("index.lock")).unwrap();
            fs::remove_file(root.join("b")).unwrap();
        }),
        ("the index lost with the power", |root, git_dir| {
            fs::write(git_dir.join("index"), "").unwrap();
            fs::write(root.join("b"), "").unwrap();
        }),
        ("registered by half", |root, git_dir| {
            for file in ["index", "commondir", "HEAD"] {
                fs::remove_file(git_dir.join(file)).unwrap();
            }
            empty_but_link(root);
        }),
        ("registered without saying where", |root, git_dir| {
            fs::remove_dir_all(root).unwrap();
            fs::remove_file(git_dir.join("gitdir")).unwrap();
        }),
    ];
    for (what, meddle) in cases {
        let yard = Yard::new("w", &FILES);
        let base = yard.repository.base().to_owned();
        yard.set_up("other");
        yard.set_up("auth");
        let root = yard.root("auth");
        let git_dir = PathBuf::from(sh_git(&root, &["rev-parse", "--absolute-git-dir"]));
        meddle(&root, &git_dir);
        let next = yard.again();
        assert!(next.worktree(&on("auth")).unwrap().is_none(), "{what}");
        let there = root.exists() || yard.registered().len() == 2;
        assert_eq!(next.subjects().contains(&on("auth")), there, "{what}");
        assert_eq!(next.worktrees().unwrap().len(), if there { 2 } else { 1 });
        next.set_up(&on("auth"), &base).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_exact(&root, &base);
        assert_eq!(fs::read_to_string(root.join("b")).unwrap(), "b", "{what}");
        assert!(next.worktree(&on("other")).unwrap().is_some(), "{what}");
        next.remove(&on("auth")).unwrap();
        assert!(!root.exists(), "{what}");
        assert!(!yard.worktrees.join(".aside").exists(), "{what}");
    }
}

fn empty_but_link(root: &Path) {
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else if !path.ends_with(".git") {
            fs::remove_file(path).unwrap();
        }
    }
}

/// What a real git leaves that is killed while it checks out.
#[test]
fn a_set_up_that_was_killed_is_made_anew() {
    let yard = Yard::prepared("", |repo| {
        (0..20).for_each(|n| write(&repo.join(format!("{n}")), "x"));
        write(&repo.join("z.bin"), "z");
        write(&repo.join(".gitattributes"), "z.bin filter=deadly\n");
    });
    let (base, root) = (yard.repository.base().to_owned(), yard.root("auth"));
    let add = ["worktree", "add", "-q", "--detach", "--no-checkout", root.to_str().unwrap(), &base];
    sh_git(&yard.repo, &add);
    let script = "VICTIM=$$ exec git -c filter.deadly.smudge='kill -9 $VICTIM' read-tree --reset -u HEAD";
    let killed = std::process::Command::new("sh").args(["-c", script]).current_dir(&root).status().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&killed), Some(9));
    assert!(root.join("0").exists() && !root.join("z.bin").exists(), "killed in the middle");
    let next = yard.again();
    assert!(next.worktree(&on("auth")).unwrap().is_none());
    next.set_up(&on("auth"), &base).unwrap();
    assert_exact(&root, &base);
    assert!(!yard.worktrees.join(".aside").exists());
}

/// Until git has said where a worktree is, nothing in the repository tells whose it is; and with an entry that is written
/// by half git itself, the user's too, refuses to list any.
#[test]
fn a_registration_that_was_killed_is_removed() {
    for half in ["", "echo \"$there/.git\" >gitdir; : >commondir; "] {
        let yard = Yard::new("", &FILES);
        let kept_in = yard.repo.join(".git/worktrees");
        for name in ["of the user", "auth"] {
            write(&kept_in.join(name).join("locked"), "initializing");
        }
        let (of_auth, there) = (kept_in.join("auth1"), yard.root("auth"));
        let register = format!(
            "mkdir -p '{0}'; cd '{0}'; echo initializing >locked; there='{1}'",
            of_auth.display(),
            there.display()
        );
        let git =
            acting(yard.home.path(), &format!("case \"$*\" in *'worktree add'*) {register}; {half}kill -9 $$;; esac"));
        let place = place(yard.home.path(), &yard.repo, Some(yard.repository.base().to_owned()));
        let repository = cco::tree::Repository::open(git, &place, SPEC).unwrap();
        let base = repository.base().to_owned();
        repository.set_up(&on("auth"), &base).unwrap_err();
        assert!(of_auth.join("locked").exists());
        let next = yard.again();
        assert!(!of_auth.exists(), "{half}");
        assert!(kept_in.join("of the user/locked").exists() && kept_in.join("auth/locked").exists(), "not ours");
        // Or by the same run, before it makes the next one.
        repository.set_up(&on("auth"), &base).unwrap_err();
        next.set_up(&on("other"), &base).unwrap();
        assert!(!of_auth.exists(), "{half}");
    }
}

#[test]
fn a_directory_of_somebody_else_is_moved_aside() {
    let yard = Yard::new("", &FILES);
    write(&yard.root("auth").join("notes"), "mine");
    yard.set_up("auth");
    assert_exact(&yard.root("auth"), yard.repository.base());
    assert_eq!(fs::read_to_string(yard.worktrees.join(".aside/auth/notes")).unwrap(), "mine");
}

#[test]
fn a_link_that_was_changed_is_mended() {
    let yard = Yard::new("", &FILES);
    yard.set_up("auth");
    let link = yard.root("auth").join(".git");
    let right = fs::read(&link).unwrap();
    for wrong in [None, Some("gitdir: /nonexistent\n"), Some("")] {
        fs::remove_file(&link).unwrap();
        if let Some(wrong) = wrong {
            fs::write(&link, wrong).unwrap();
        }
        assert!(yard.repository.worktree(&on("auth")).unwrap().is_some());
        assert_eq!(fs::read(&link).unwrap(), right);
    }
}

#[test]
fn stale_locks_are_freed_after_a_crash() {
    let yard = Yard::new("", &FILES);
    let worktree = yard.set_up("auth");
    let base = yard.repository.base().to_owned();
    yard.repository.keep("tip/auth", &base).unwrap();
    let git_dir = PathBuf::from(sh_git(worktree.dir(), &["rev-parse", "--absolute-git-dir"]));
    let common = yard.repo.join(".git");
    let locks = [
        git_dir.join("index.lock"),
        git_dir.join("HEAD.lock"),
        git_dir.join("cco-index.lock"),
        common.join("refs/heads/cco/spec.lock"),
        common.join("refs/cco/p/s/tip/auth.lock"),
    ];
    // Of other specs and of the user nothing is freed.
    let others = [common.join("refs/cco/p/other/tip.lock"), common.join("refs/heads/other.lock")];
    locks.iter().chain(&others).for_each(|lock| write(lock, ""));
    assert!(worktree.position(&base).is_err());
    let next = yard.again();
    assert!(locks.iter().all(|lock| !lock.exists()) && others.iter().all(|lock| lock.exists()));
    next.worktree(&on("auth")).unwrap().unwrap().position(&base).unwrap();
    next.keep("tip/auth", &base).unwrap();
    assert!(next.land(&next.tree_of(&base).unwrap(), &base, "x").unwrap().is_some());
    fs::remove_file(&others[1]).unwrap();
}

#[test]
fn twelve_at_once() {
    let yard = Yard::prepared("w", |repo| {
        for n in 0..60 {
            write(&repo.join(format!("w/{n}")), &n.to_string());
        }
    });
    let base = yard.repository.base().to_owned();
    for _ in 0..2 {
        std::thread::scope(|scope| {
            for n in 0..12 {
                let (yard, base) = (&yard, &base);
                scope.spawn(move || {
                    let name = format!("c{n}");
                    let worktree = yard.repository.set_up(&on(&name), base).unwrap();
                    write(&worktree.dir().join(format!("of {n}")), "x");
                    let tip = commit(&worktree, &name);
                    yard.repository.keep(&format!("tip/{name}"), &tip).unwrap();
                    worktree.position(base).unwrap();
                    if n % 2 == 0 {
                        yard.repository.remove(&on(&name)).unwrap();
                    }
                });
            }
        });
        assert_eq!(yard.registered().len(), 6);
        assert_eq!(yard.repository.kept().unwrap().len(), 12);
        (0..12).filter(|n| n % 2 == 1).for_each(|n| assert_exact(&yard.root(&format!("c{n}")), &base));
    }
}

#[test]
fn fresh_ones_are_by_name_and_anew() {
    let yard = Yard::new("w", &FILES);
    let base = yard.repository.base().to_owned();
    for _ in 0..2 {
        let fresh = yard.repository.fresh("final", &base).unwrap();
        assert_eq!(fresh.dir, yard.worktrees.join("final/w"));
        assert_eq!(fresh.tree, yard.repository.tree_of(&base).unwrap());
        assert_exact(&yard.worktrees.join("final"), &base);
        assert_eq!(sh_git(&fresh.dir, &["status", "--porcelain", "--ignored"]), "");
        for left in ["target/o", "new", "a"] {
            write(&fresh.dir.join(left), "left");
        }
    }
    yard.repository.discard_fresh("final").unwrap();
    yard.repository.discard_fresh("final").unwrap();
    assert_eq!(yard.registered(), Vec::<PathBuf>::new());
    for name in ["run", "c", "C", "../x", "", ".aside", "a/b"] {
        assert!(matches!(yard.repository.fresh(name, &base), Err(TreeError::NoName(_))), "{name}");
        assert!(matches!(yard.repository.discard_fresh(name), Err(TreeError::NoName(_))), "{name}");
    }
}

#[test]
fn what_stands_is_told() {
    let yard = Yard::new("", &FILES);
    let base = yard.repository.base().to_owned();
    for name in ["clean", "dirty", "built", "half", "@run"] {
        yard.set_up(name);
    }
    yard.repository.fresh("final", &base).unwrap();
    write(&yard.root("dirty").join("new"), "x");
    write(&yard.root("built").join("target/o"), "x");
    let git_dir = sh_git(&yard.root("half"), &["rev-parse", "--absolute-git-dir"]);
    fs::remove_file(Path::new(&git_dir).join("index")).unwrap();
    write(&yard.root("stray").join("x"), "x");
    let shown: BTreeSet<_> = yard
        .again()
        .worktrees()
        .unwrap()
        .into_iter()
        .map(|it| {
            let owner = match &it.owner {
                Owner::Subject(on) => on.to_string(),
                Owner::Fresh(name) => format!("fresh {name}"),
            };
            format!("{owner}: {} {} {}", it.head.is_some_and(|head| head == base), it.uncommitted, it.ignored)
        })
        .collect();
    let expected = [
        "@run: true false false",
        "built: true false true",
        "clean: true false false",
        "dirty: true true false",
        "fresh final: true false false",
        "half: false false false",
        "stray: false false false",
    ];
    assert_eq!(shown.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

/// The calls of a component's whole life are the same for the first and for the twelfth: none of them lists the others.
#[test]
fn the_calls_are_counted_and_do_not_grow() {
    let yard = Yard::new("", &FILES);
    let (git_counted, log) = counting(yard.home.path());
    let place = place(yard.home.path(), &yard.repo, Some(yard.repository.base().to_owned()));
    let repository = cco::tree::Repository::open(git_counted, &place, SPEC).unwrap();
    let calls = |act: &mut dyn FnMut()| {
        let _ = fs::remove_file(&log);
        act();
        fs::read_to_string(&log).unwrap_or_default().lines().filter(|line| line.starts_with("-C ")).count()
    };
    let life = |n: u32, keep: bool| {
        let name = format!("c{n}");
        let mut tip = String::new();
        let set_up = calls(&mut || {
            tip = repository.tip().unwrap();
            drop(repository.set_up(&on(&name), &tip).unwrap());
        });
        let worktree = repository.worktree(&on(&name)).unwrap().unwrap();
        write(&worktree.dir().join(&name), "x");
        let mut work = String::new();
        let step = calls(&mut || {
            work = commit(&worktree, &name);
            repository.keep(&format!("tip/{name}"), &work).unwrap();
        });
        let caught_up = calls(&mut || drop(merge(&worktree, &name, &tip).unwrap()));
        let landed = calls(&mut || {
            let tree = worktree.tree().unwrap();
            let message = cco::tree::landing_message("p/s", &attempt(&name, 1), "work");
            repository.land(&tree, &tip, &message).unwrap().unwrap();
        });
        let removed = calls(&mut || {
            if !keep {
                repository.remove(&on(&name)).unwrap();
            }
            repository.forget(&format!("tip/{name}")).unwrap();
        });
        [set_up, step, caught_up, landed, removed]
    };
    let first = life(0, true);
    (1..13).for_each(|n| assert_eq!(life(n, n % 2 == 0), first));
    // A tip; add, fill | status: read-tree, config, status; read-tree, update-index, diff, commit, rev-parse; keep |
    // commit, head, is-ancestor | tree; commit-tree, update-ref | forget.
    assert_eq!(first, [3, 9, 4, 3, 1]);
}
