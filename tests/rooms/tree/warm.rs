//! Ignored directories that a new worktree is given.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cco::tree::{TreeError, warm};

use super::world::{bytes, make_executable, snapshot, write};

/// How many files were copied, of all.
#[track_caller]
fn given(from: &Path, to: &Path, paths: &[PathBuf]) -> u64 {
    let warmed = warm(from, to, paths, &|| true).unwrap();
    assert!(warmed.left_out.is_empty() && !warmed.stopped, "{warmed:?}");
    warmed.files
}

fn dirs(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

#[test]
fn all_of_it_is_copied_and_what_is_there_stays() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    write(&from.join("target/a"), "a");
    make_executable(&from.join("target/a"));
    write(&from.join("target").join(bytes(b"not\xffutf8\n")), "b");
    write(&from.join("target/closed/x"), "x");
    symlink("../outside", from.join("target/link")).unwrap();
    fs::hard_link(from.join("target/a"), from.join("target/same")).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::open(from.join("target/a")).unwrap().set_modified(old).unwrap();
    fs::set_permissions(from.join("target/closed"), fs::Permissions::from_mode(0o555)).unwrap();
    write(&from.join("deep/er/cache"), "c");
    write(&from.join("not asked for"), "n");
    let asked = dirs(&["target", "deep/er", "missing", "./target"]);
    assert_eq!(given(&from, &to, &asked), 6);
    fs::remove_file(from.join("not asked for")).unwrap();
    assert_eq!(snapshot(&to), snapshot(&from));
    assert_eq!(fs::metadata(to.join("target/a")).unwrap().modified().unwrap(), old);
    assert_eq!(fs::metadata(to.join("target/closed")).unwrap().mode() & 0o777, 0o555);
    let id = |name: &str| fs::metadata(to.join(name)).unwrap().ino();
    assert_eq!(id("target/a"), id("target/same"));

    // Cut short, and something else there since.
    write(&to.join("target/a"), "mine");
    fs::remove_file(to.join("target/link")).unwrap();
    write(&to.join("target/.cco-warm"), "half");
    write(&to.join("target/new"), "n");
    assert_eq!(given(&from, &to, &asked), 1);
    assert_eq!(fs::read_to_string(to.join("target/a")).unwrap(), "mine");
    assert!(to.join("target/new").exists() && to.join("target/link").is_symlink());
    assert!(!to.join("target/.cco-warm").exists());
    for root in [from, to] {
        fs::set_permissions(root.join("target/closed"), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn nothing_outside_is_read_or_written() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    write(&from.join("target/x"), "x");
    write(&home.path().join("outside/x"), "x");
    fs::create_dir(&to).unwrap();
    symlink("../outside", to.join("target")).unwrap();
    symlink("../outside", from.join("led")).unwrap();
    for dir in ["../outside", "/etc", "target", "target/y", "led/x", "a/../../outside"] {
        let said = warm(&from, &to, &dirs(&[dir]), &|| true);
        assert!(matches!(said, Err(TreeError::NotInside(_))), "{dir}: {said:?}");
    }
    assert_eq!(snapshot(&home.path().join("outside")).len(), 1);
}

#[test]
fn a_link_leads_into_the_copy_or_is_left_out() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    fs::create_dir(&to).unwrap();
    write(&from.join("target/x"), "x");
    write(&home.path().join("outside/x"), "x");
    let absolute = |path: &str| from.join(path).to_str().unwrap().to_owned();
    let stay = [("near", "x".to_owned()), ("dangling", "../made/later".to_owned()), ("top", "..".to_owned())];
    let moved = [("own", absolute("target/x")), ("later", absolute("made/later"))];
    let out = [
        ("beside", "../../outside/x".to_owned()),
        ("far", home.path().join("outside").to_str().unwrap().to_owned()),
        ("back", absolute("../from/target/x")),
        ("through", "top/../outside/x".to_owned()),
        ("up", "top/..".to_owned()),
        ("around", "../../from/target/x".to_owned()),
    ];
    for (name, target) in stay.iter().chain(&moved).chain(&out) {
        symlink(target, from.join("target").join(name)).unwrap();
    }
    let warmed = warm(&from, &to, &dirs(&["target"]), &|| true).unwrap();
    let mut names: Vec<_> = out.iter().map(|(name, _)| Path::new("target").join(name)).collect();
    names.sort();
    assert_eq!(warmed.left_out, names);
    let says = |name: &str| fs::read_link(to.join("target").join(name)).unwrap();
    for (name, target) in &stay {
        assert_eq!(says(name), Path::new(target));
    }
    assert_eq!((says("own"), says("later")), (to.join("target/x"), to.join("made/later")));
    assert!(out.iter().all(|(name, _)| !to.join("target").join(name).is_symlink()));
}

#[test]
fn told_to_stop_it_says_that_it_did() {
    let home = tempfile::tempdir().unwrap();
    let (from, to) = (home.path().join("from"), home.path().join("to"));
    (0..10).for_each(|n| write(&from.join(format!("target/{n}")), "x"));
    let left = Cell::new(5);
    let goes_on = || left.replace(left.get().max(1) - 1) > 0;
    let warmed = warm(&from, &to, &dirs(&["target"]), &goes_on).unwrap();
    assert!(warmed.stopped && warmed.files == 4, "{warmed:?}");
    assert_eq!(given(&from, &to, &dirs(&["target"])), 6);
}
