//! What is remembered of context files: never more than is true.

use std::fs::{self, File, FileTimes, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use cco::context::blank::{Blank, Moment, remember};
use cco::context::files::ContextFiles;
use cco::context::marked;
use cco::ids::ComponentId;
use tempfile::TempDir;

struct Dir(TempDir);

impl Dir {
    fn new() -> Self {
        let dir = Self(tempfile::tempdir().unwrap());
        fs::create_dir(dir.files()).unwrap();
        dir
    }

    fn files(&self) -> PathBuf {
        self.0.path().join("components")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files().join(name)
    }

    fn memory(&self) -> PathBuf {
        self.0.path().join("remembered")
    }

    /// Cco's block alone.
    fn block(&self, name: &str) {
        fs::write(self.file(name), marked::replace(b"", "An agent said so.")).unwrap();
    }

    /// Waits until the clock of the file system has gone on, so that what was written before is of the past.
    fn settle(&self) {
        let probe = self.0.path().join("probe");
        let now = || {
            fs::write(&probe, "").unwrap();
            changed(&probe)
        };
        let begun = now();
        while now() == begun {
            std::thread::yield_now();
        }
    }

    fn remember(&self) {
        remember(&self.memory(), &self.files()).unwrap();
    }

    fn knows(&self, name: &str) -> bool {
        Blank::load(&self.memory()).has(&fs::symlink_metadata(self.file(name)).unwrap())
    }

    /// What the user wrote into the file of `a`, and how many files had to be read in vain.
    fn look(&self) -> (Option<String>, usize) {
        let mut files = ContextFiles::read(&self.files(), &self.memory()).unwrap();
        let text = files.take(&ComponentId::new("a").unwrap()).unwrap();
        (text.map(|text| String::from_utf8(text).unwrap()), files.unread())
    }
}

fn changed(path: &Path) -> (i64, i64) {
    let about = fs::metadata(path).unwrap();
    (about.ctime(), about.ctime_nsec())
}

fn keep_times(path: &Path, of: &Metadata) {
    let times = FileTimes::new().set_modified(of.modified().unwrap()).set_accessed(of.accessed().unwrap());
    File::options().write(true).open(path).unwrap().set_times(times).unwrap();
}

/// The file's text with the user's word in it, in as many bytes.
fn same_size(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    format!("Mind {}", text.replacen("agent", "", 1)).into_bytes()
}

#[test]
fn a_file_of_ccos_own_is_read_once() {
    let dir = Dir::new();
    dir.block("a.md");
    dir.block("b.md");
    dir.settle();
    assert_eq!(dir.look(), (None, 2));
    dir.remember();
    assert!(dir.knows("a.md") && dir.knows("b.md"));
    assert_eq!(dir.look(), (None, 0));
    dir.block("b.md");
    assert_eq!(dir.look(), (None, 1), "another content, and cco's own again");
}

#[test]
fn what_the_user_wrote_is_always_read() {
    let dir = Dir::new();
    dir.block("a.md");
    fs::write(dir.file("a.md"), same_size(&dir.file("a.md"))).unwrap();
    dir.settle();
    dir.remember();
    assert!(!dir.knows("a.md"));
    assert_eq!(dir.look(), (Some("Mind".to_owned()), 0));
}

#[test]
fn an_edit_is_seen_though_size_and_time_are_those_of_before() {
    for in_place in [true, false] {
        let dir = Dir::new();
        let path = dir.file("a.md");
        dir.block("a.md");
        dir.settle();
        dir.remember();
        let before = fs::metadata(&path).unwrap();
        let text = same_size(&path);
        if in_place {
            fs::write(&path, text).unwrap();
        } else {
            fs::write(dir.file("other"), text).unwrap();
            fs::rename(dir.file("other"), &path).unwrap();
        }
        keep_times(&path, &before);
        let now = fs::metadata(&path).unwrap();
        assert_eq!((now.len(), now.modified().unwrap()), (before.len(), before.modified().unwrap()));
        assert_eq!(dir.look(), (Some("Mind".to_owned()), 0), "in place: {in_place}");
    }
}

/// An edit within the same tick of the clock cannot be told by the time: such files are not remembered.
#[test]
fn what_was_changed_at_the_moment_of_the_look_is_not_believed() {
    let dir = Dir::new();
    dir.block("a.md");
    let about = fs::metadata(dir.file("a.md")).unwrap();
    let racy = Blank::default().look(&dir.files(), Moment::of(&about).unwrap()).unwrap();
    assert!(!racy.has(&about));
    dir.settle();
    dir.block("b.md");
    let later = Moment::of(&fs::metadata(dir.file("b.md")).unwrap()).unwrap();
    let settled = Blank::default().look(&dir.files(), later).unwrap();
    assert!(settled.has(&about), "a tick later it is");
    // Known once, and changed since: not known again for being of the past then.
    fs::write(dir.file("a.md"), same_size(&dir.file("a.md"))).unwrap();
    keep_times(&dir.file("a.md"), &about);
    assert!(!settled.look(&dir.files(), later).unwrap().has(&fs::metadata(dir.file("a.md")).unwrap()));
}

/// As fast as it goes: whatever the clock shows, an edit after the look is seen.
#[test]
fn edits_right_after_the_look_are_seen() {
    let dir = Dir::new();
    let path = dir.file("a.md");
    for round in 0..200 {
        dir.block("a.md");
        let before = fs::metadata(&path).unwrap();
        let text = same_size(&path);
        dir.remember();
        fs::write(&path, text).unwrap();
        keep_times(&path, &before);
        assert_eq!(dir.look().0.as_deref(), Some("Mind"), "round {round}");
    }
}

#[test]
fn a_link_is_followed_every_time() {
    let dir = Dir::new();
    let target = dir.0.path().join("elsewhere");
    fs::write(&target, marked::replace(b"", "said")).unwrap();
    std::os::unix::fs::symlink(&target, dir.file("a.md")).unwrap();
    dir.settle();
    dir.remember();
    assert!(!dir.knows("a.md"));
    fs::write(&target, "Mind").unwrap();
    assert_eq!(dir.look(), (Some("Mind".to_owned()), 0));
}

#[test]
fn a_damaged_memory_is_none() {
    let dir = Dir::new();
    dir.block("a.md");
    dir.block("b.md");
    dir.settle();
    dir.remember();
    let whole = fs::read(dir.memory()).unwrap();
    assert!(dir.knows("a.md"));
    for at in 0..whole.len() {
        fs::write(dir.memory(), &whole[..at]).unwrap();
        assert_eq!(Blank::load(&dir.memory()), Blank::default(), "cut at {at}");
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(dir.memory(), &flipped).unwrap();
        assert_eq!(Blank::load(&dir.memory()), Blank::default(), "flipped at {at}");
    }
    // It is made anew from the files.
    dir.remember();
    assert_eq!(fs::read(dir.memory()).unwrap(), whole);
    let other = String::from_utf8(whole.clone()).unwrap().replacen("cco ", "cco 9", 1);
    fs::write(dir.memory(), other).unwrap();
    assert_eq!(Blank::load(&dir.memory()), Blank::default(), "of another version");
}

#[test]
fn a_memory_that_says_nothing_new_is_not_written() {
    let dir = Dir::new();
    dir.remember();
    assert!(!dir.memory().exists());
    dir.block("a.md");
    dir.settle();
    dir.remember();
    let before = changed(&dir.memory());
    dir.settle();
    dir.remember();
    assert_eq!(changed(&dir.memory()), before);
    assert_eq!(fs::read_dir(dir.0.path()).unwrap().count(), 3, "only the files, the memory and the probe");
}

#[test]
fn trouble_with_a_file_is_its_components_alone() {
    let dir = Dir::new();
    fs::create_dir(dir.file("a.md")).unwrap();
    fs::create_dir(dir.file("stranger.md")).unwrap();
    let mut files = ContextFiles::read(&dir.files(), &dir.memory()).unwrap();
    assert!(files.take(&ComponentId::new("b").unwrap()).unwrap().is_none());
    let error = files.take(&ComponentId::new("a").unwrap()).unwrap_err().to_string();
    assert!(error.contains("a.md` is not a regular file"), "{error}");
}
