//! Ignored directories that a new worktree is given.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use cco::tree::{TreeError, warm};

use super::world::{bytes, make_executable, snapshot, write};

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
    assert_eq!(warm(&from, &to, &asked).unwrap(), 6);
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
    assert_eq!(warm(&from, &to, &asked).unwrap(), 1);
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
        let said = warm(&from, &to, &dirs(&[dir]));
        assert!(matches!(said, Err(TreeError::NotInside(_))), "{dir}: {said:?}");
    }
    assert_eq!(snapshot(&home.path().join("outside")).len(), 1);
}
