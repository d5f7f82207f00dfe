//! A directory seen by digests: whatever is done to it is seen, what stood still is not read again, and all of it can be
//! made what it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cco::tree::digests::{KEPT, Look, Objects, Scope, Snapshot, Step, going_back};
use proptest::prelude::*;
use tempfile::TempDir;

/// A time from which on all that was done up to now is long ago.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

fn dir() -> (TempDir, PathBuf, Objects) {
    let root = TempDir::new().unwrap();
    let dir = root.path().join("work");
    fs::create_dir(&dir).unwrap();
    let objects = Objects::new(root.path().join("state/objects"));
    (root, dir, objects)
}

fn whole(look: &mut Look, dir: &Path) -> Snapshot {
    look.snapshot(dir, &Scope::whole(), SystemTime::now()).unwrap()
}

/// One thing that can be done to a file.
#[derive(Debug, Clone)]
enum Edit {
    Write(usize, u8),
    Append(usize),
    Remove(usize),
    Link(usize, u8),
    Executable(usize, bool),
    Rename(usize, usize),
}

const NAMES: [&str; 5] = ["a", "b c", "sub/a", "sub/deep/x\ny", ".hidden"];

fn edit() -> impl Strategy<Value = Edit> {
    let name = 0..NAMES.len();
    prop_oneof![
        4 => (name.clone(), 0_u8..3).prop_map(|(at, text)| Edit::Write(at, text)),
        1 => name.clone().prop_map(Edit::Append),
        1 => name.clone().prop_map(Edit::Remove),
        1 => (name.clone(), 0_u8..3).prop_map(|(at, to)| Edit::Link(at, to)),
        1 => (name.clone(), any::<bool>()).prop_map(|(at, on)| Edit::Executable(at, on)),
        1 => (name.clone(), name).prop_map(|(from, to)| Edit::Rename(from, to)),
    ]
}

/// Does it; what cannot be done is left.
fn perform(dir: &Path, edit: &Edit) {
    let at = |n: &usize| dir.join(NAMES[*n]);
    match edit {
        Edit::Write(n, text) => {
            fs::create_dir_all(at(n).parent().unwrap()).unwrap();
            if fs::symlink_metadata(at(n)).is_ok_and(|about| about.is_symlink()) {
                fs::remove_file(at(n)).unwrap();
            }
            // Of the same length, so that only the contents tell.
            fs::write(at(n), [b'0' + text]).unwrap();
        }
        Edit::Append(n) => {
            if let Ok(mut text) = fs::read(at(n)) {
                text.push(b'+');
                fs::write(at(n), text).unwrap();
            }
        }
        Edit::Remove(n) => drop(fs::remove_file(at(n))),
        Edit::Link(n, to) => {
            fs::create_dir_all(at(n).parent().unwrap()).unwrap();
            let _ = fs::remove_file(at(n));
            symlink(format!("nowhere{to}"), at(n)).unwrap();
        }
        Edit::Executable(n, on) => {
            if at(n).is_file() {
                fs::set_permissions(at(n), fs::Permissions::from_mode(if *on { 0o755 } else { 0o644 })).unwrap();
            }
        }
        Edit::Rename(from, to) => {
            fs::create_dir_all(at(to).parent().unwrap()).unwrap();
            let _ = fs::rename(at(from), at(to));
        }
    }
}

/// What is there, read plainly.
fn plainly(dir: &Path) -> BTreeMap<PathBuf, (bool, bool, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for name in NAMES {
        let path = dir.join(name);
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        let contents = if about.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            fs::read(&path).unwrap()
        };
        let executable = about.is_file() && about.permissions().mode() & 0o100 != 0;
        found.insert(PathBuf::from(name), (about.is_symlink(), executable, contents));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Also where a file is written again at once, with as many bytes.
    #[test]
    fn whatever_is_done_is_seen_and_can_be_taken_back(edits in proptest::collection::vec(edit(), 1..24), cut in 0_usize..24) {
        let (_root, dir, objects) = dir();
        let mut look = Look::default();
        let mut before = (whole(&mut look, &dir), plainly(&dir));
        let mut kept = None;
        for (n, edit) in edits.iter().enumerate() {
            perform(&dir, edit);
            let after = (whole(&mut look, &dir), plainly(&dir));
            prop_assert_eq!(before.0 == after.0, before.1 == after.1, "{:?}", edit);
            prop_assert_eq!(&after.0, &whole(&mut Look::default(), &dir), "what is remembered is what is there");
            prop_assert_eq!(after.0.0.len(), after.1.len());
            prop_assert_eq!(Some(after.0.clone()), Snapshot::from_bytes(&after.0.to_bytes()));
            if n == cut {
                kept = Some((objects.put_snapshot(&dir, &after.0).unwrap(), after.1.clone()));
            }
            before = after;
        }
        if let Some((digest, then)) = kept {
            let left = going_back(&dir, &objects, &before.0, &objects.snapshot(&digest).unwrap()).unwrap();
            prop_assert!(left.is_empty());
            prop_assert_eq!(plainly(&dir), then);
        }
    }
}

#[test]
fn what_stood_still_is_not_read_again() {
    const FILES: u64 = 50;
    let (_root, dir, _) = dir();
    for n in 0..FILES {
        fs::write(dir.join(format!("f{n}")), n.to_string()).unwrap();
    }
    let mut look = Look::default();
    let first = look.snapshot(&dir, &Scope::whole(), later()).unwrap();
    assert_eq!(look.reads, FILES);
    assert_eq!(look.snapshot(&dir, &Scope::whole(), later()).unwrap(), first);
    assert_eq!(look.reads, FILES, "none of them changed");
    fs::write(dir.join("f7"), "x").unwrap();
    let differences = first.differences(&look.snapshot(&dir, &Scope::whole(), later()).unwrap());
    assert_eq!(differences.iter().map(|it| it.path.as_path()).collect::<Vec<_>>(), [Path::new("f7")]);
    assert_eq!(look.reads, FILES + 1);
}

/// Files that changed a moment ago are: their times could not tell of a further change in the same moment.
#[test]
fn what_changed_a_moment_ago_is_read_again() {
    let (_root, dir, _) = dir();
    fs::write(dir.join("f"), "x").unwrap();
    let changed = fs::metadata(dir.join("f")).unwrap().modified().unwrap();
    let mut look = Look::default();
    for reads in 1..4 {
        look.snapshot(&dir, &Scope::whole(), changed).unwrap();
        assert_eq!(look.reads, reads);
    }
}

#[test]
fn only_what_is_asked_for_is_looked_at() {
    let (_root, dir, _) = dir();
    for path in ["src/a.rs", "src/b.py", "docs/a.rs", ".git/a.rs", "one", "all/x/y"] {
        fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
        fs::write(dir.join(path), "").unwrap();
    }
    let rust = |path: &Path| path.extension().is_some_and(|it| it == "rs");
    let scope = Scope { paths: vec!["one".into(), "all".into(), "none".into()], globs: vec![("src".into(), &rust)] };
    let mut look = Look::default();
    let files: Vec<PathBuf> = look.snapshot(&dir, &scope, later()).unwrap().0.into_keys().collect();
    assert_eq!(files, ["all/x/y", "one", "src/a.rs"].map(PathBuf::from));
    assert_eq!(look.reads, 3);
    let files: Vec<PathBuf> = whole(&mut look, &dir).0.into_keys().collect();
    assert_eq!(files, ["all/x/y", "docs/a.rs", "one", "src/a.rs", "src/b.py"].map(PathBuf::from), "but .git");
}

#[test]
fn what_was_damaged_or_never_kept_is_not_there() {
    let (root, dir, objects) = dir();
    fs::write(dir.join("f"), "contents").unwrap();
    let mut look = Look::default();
    let then = whole(&mut look, &dir);
    let digest = objects.put_snapshot(&dir, &then).unwrap();
    fs::write(dir.join("f"), "other").unwrap();
    let entry = then.0[Path::new("f")];
    fs::write(root.path().join("state/objects").join(entry.digest.to_string()), "conten").unwrap();
    assert_eq!(objects.contents(&entry).unwrap(), None);
    let left = going_back(&dir, &objects, &whole(&mut look, &dir), &then).unwrap();
    assert_eq!((left, fs::read_to_string(dir.join("f")).unwrap().as_str()), (vec![PathBuf::from("f")], "other"));
    fs::remove_file(root.path().join("state/objects").join(digest.to_string())).unwrap();
    assert!(objects.snapshot(&digest).unwrap_err().to_string().contains(&digest.to_string()));
}

#[test]
fn a_file_too_large_to_be_kept_is_seen_and_left() {
    let (_root, dir, objects) = dir();
    let size = usize::try_from(KEPT).unwrap() + 1;
    fs::write(dir.join("f"), vec![b'x'; size]).unwrap();
    let mut look = Look::default();
    let then = whole(&mut look, &dir);
    objects.keep(&dir, &then).unwrap();
    fs::write(dir.join("f"), vec![b'y'; size]).unwrap();
    let now = whole(&mut look, &dir);
    assert_eq!(then.differences(&now).len(), 1);
    assert_eq!(going_back(&dir, &objects, &now, &then).unwrap(), [PathBuf::from("f")]);
}

#[test]
fn a_step_is_found_by_its_name_and_a_commit_of_git_is_none() {
    let (_root, _, objects) = dir();
    let digest = |text: &str| objects.put(text.as_bytes()).unwrap();
    let step = Step { base: digest("1"), before: digest("2"), after: digest("3") };
    let name = step.put(&objects, "a.implement-1").unwrap();
    assert!(name.starts_with("digest:"), "{name}");
    assert_ne!(name, step.put(&objects, "a.fix-1").unwrap(), "another attempt is another step");
    assert_eq!(Step::get(&objects, &name).unwrap(), Some(step));
    assert_eq!(Step::get(&objects, "0123456789abcdef0123456789abcdef01234567").unwrap(), None);
    assert!(Step::get(&objects, &Step::name(digest("4"))).is_err());
}
